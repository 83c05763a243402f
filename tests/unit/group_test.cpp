#include <brook/group.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace group_test {

namespace {

using namespace brook;
using namespace brook::test;

using Result = expected<Deliveries<int>, Errc>;

Id id(int i) { return {static_cast<std::uint64_t>(i), 0}; }

// A stream on a clock that stands, with the entries 1 to n under the ids 1-0 to n-0.
struct Scene {
  explicit Scene(int n = 0) { add(1, n); }

  void add(int first, int last) {
    for (int i = first; i <= last; ++i)
      if (!stream.add(id(i), i)) throw std::logic_error("not added");
  }

  Group<int> group(const char* name = "group", Position start = earliest) {
    return stream.create_group(name, start).value();
  }

  WatchedClock clock{};
  Stream<int> stream{{.clock = &clock, .spin = std::chrono::microseconds(0)}};
};

using Shares = std::vector<std::pair<std::string, std::uint64_t>>;

Shares shares_of(const PendingSummary& summary) {
  Shares shares;
  for (const auto& consumer : summary.consumers) shares.emplace_back(consumer.name, consumer.count);
  return shares;
}

}  // namespace

TEST_CASE("Group: created once, found by name") {
  Scene scene(3);
  const auto created = scene.stream.create_group("billing", earliest);
  REQUIRE(created);
  CHECK(created->name() == "billing");
  CHECK(error_of(scene.stream.create_group("billing", latest)) == Errc::group_exists);
  const auto found = scene.stream.group("billing");
  REQUIRE(found);
  CHECK(found->name() == "billing");
  CHECK(values_of(found->consumer("a").read({.count = 2})) == numbers(1, 2));
  CHECK(values_of(created->consumer("b").read()) == numbers(3, 3));  // the same group
  CHECK(error_of(scene.stream.group("Billing")) == Errc::no_such_group);
  CHECK(error_of(scene.stream.group("")) == Errc::no_such_group);
  CHECK(scene.stream.info().groups == 1);
}

TEST_CASE("Group: any text is a name, and names come in byte order") {
  Scene scene;
  const std::string zero("a\0b", 3);
  for (const std::string& name : {std::string("b"), std::string("\xff"), std::string(), std::string("B"), zero,
                                  std::string("a"), std::string("aa"), std::string(1000, 'x')})
    REQUIRE(scene.stream.create_group(name));
  CHECK(scene.stream.groups() ==
        std::vector<std::string>{"", "B", "a", zero, "aa", "b", std::string(1000, 'x'), "\xff"});
  CHECK(scene.stream.group(zero)->name() == zero);
  const auto group = *scene.stream.group("");
  for (const char* name : {"w2", "w10", "", "W", "\xc3\xa9"}) static_cast<void>(group.consumer(name));
  CHECK(group.consumers() == std::vector<std::string>{"", "W", "w10", "w2", "\xc3\xa9"});
}

TEST_CASE("Group: a consumer is made on first use") {
  Scene scene(2);
  const auto group = scene.group();
  CHECK(group.consumers().empty());
  const auto consumer = group.consumer("w");
  CHECK(consumer.name() == "w");
  CHECK(group.consumers() == std::vector<std::string>{"w"});
  CHECK(group.info()->consumers == 1);
  CHECK(values_of(group.consumer("w").read({.count = 1})) == numbers(1, 1));
  CHECK(values_of(consumer.history()) == numbers(1, 1));  // the same consumer
  CHECK(group.consumers().size() == 1);
}

TEST_CASE("Group: starts where it is told to") {
  Scene scene(5);
  CHECK(values_of(scene.group("earliest", earliest).consumer("w").read()) == numbers(1, 5));
  CHECK(values_of(scene.group("min", Id::min()).consumer("w").read()) == numbers(1, 5));
  CHECK(values_of(scene.group("three", id(3)).consumer("w").read()) == numbers(4, 5));
  CHECK(values_of(scene.group("between", Id{3, 7}).consumer("w").read()) == numbers(4, 5));
  CHECK(scene.group("latest", latest).consumer("w").read()->empty());
  CHECK(scene.stream.create_group("default")->consumer("w").read()->empty());
  scene.add(6, 6);
  for (const auto& name : scene.stream.groups())
    CHECK(values_of(scene.stream.group(name)->consumer("w").read()) == numbers(6, 6));
}

TEST_CASE("Group: may start at an id that is yet to come") {
  Scene scene(2);
  const auto consumer = scene.group("later", id(10)).consumer("w");
  scene.add(3, 10);
  CHECK(consumer.read()->empty());
  auto reader = reading(consumer, {.block = forever});
  scene.clock.wait_for_sleepers(1);
  scene.add(11, 11);
  CHECK(values_of(reader.get()) == numbers(11, 11));
}

TEST_CASE("Group: each new entry goes to one consumer") {
  Scene scene(10);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  CHECK(values_of(a.read({.count = 3})) == numbers(1, 3));
  CHECK(values_of(b.read({.count = 2})) == numbers(4, 5));
  CHECK(values_of(a.read({.count = 1})) == numbers(6, 6));
  CHECK(values_of(b.read()) == numbers(7, 10));
  CHECK(a.read()->empty());
  CHECK(b.read({.block = 0s})->empty());
  scene.add(11, 11);
  CHECK(values_of(a.read()) == numbers(11, 11));
}

TEST_CASE("Group: count 0 reads nothing, without waiting") {
  Scene scene(3);
  const auto group = scene.group();
  const auto batch = group.consumer("w").read({.count = 0, .block = forever});
  REQUIRE(batch);
  CHECK(batch->empty());
  CHECK(batch->ack() == 0);
  CHECK(group.info()->lag == 3);
  CHECK(group.consumer("w").history(Id::min(), 0)->empty());
}

TEST_CASE("Group: groups are independent") {
  Scene scene(4);
  const auto one = scene.group("one");
  const auto two = scene.group("two");
  CHECK(values_of(one.consumer("w").read()) == numbers(1, 4));
  CHECK(values_of(two.consumer("w").read({.count = 2})) == numbers(1, 2));
  CHECK(one.ack({id(1), id(2)}) == 2);
  CHECK(one.pending()->count == 2);
  CHECK(two.pending()->count == 2);
  CHECK(two.ack({id(1), id(3)}) == 1);
  CHECK(two.info()->lag == 2);
  CHECK(one.info()->lag == 0);
  CHECK(one.destroy() == 2);
  CHECK(values_of(two.consumer("w").read()) == numbers(3, 4));
}

TEST_CASE("Group: a delivery shows the entry in place") {
  Scene scene(3);
  const auto batch = scene.group().consumer("w").read();
  REQUIRE(batch);
  REQUIRE(batch->size() == 3);
  const Entries<int> entries = scene.stream.range();
  std::size_t i = 0;
  for (const auto& delivery : *batch) {
    CHECK(delivery.id() == entries[i].id);
    CHECK(*delivery == entries[i].value);
    CHECK(&*delivery == &entries[i].value);
    CHECK(delivery.count() == 1);
    ++i;
  }
  CHECK(i == 3);
  CHECK((*batch)[1].id() == id(2));
  CHECK(batch->front().id() == id(1));
  CHECK(batch->back().id() == id(3));
  CHECK(values_of(batch->entries()) == numbers(1, 3));
  CHECK(std::ranges::distance(batch->begin(), batch->end()) == 3);
  CHECK(Deliveries<int>().empty());
  CHECK(Deliveries<int>().ack() == 0);
}

TEST_CASE("Group: acknowledging, in every way, once") {
  Scene scene(10);
  const auto group = scene.group();
  const auto batch = group.consumer("w").read();
  REQUIRE(batch);
  CHECK(group.pending()->count == 10);
  CHECK((*batch)[0].ack());
  CHECK_FALSE((*batch)[0].ack());
  CHECK(group.ack(id(1)) == 0);
  CHECK(group.ack(id(2)) == 1);
  CHECK_FALSE((*batch)[1].ack());
  CHECK(group.ack({id(3), id(4), id(3), id(1)}) == 2);
  const std::vector<Id> ids{id(5), id(6)};
  CHECK(group.ack(ids) == 2);
  CHECK(group.pending()->count == 4);
  CHECK(batch->ack() == 4);
  CHECK(batch->ack() == 0);
  CHECK(group.pending()->count == 0);
}

TEST_CASE("Group: ids that are not pending are ignored") {
  Scene scene(5);
  const auto group = scene.group();
  CHECK(group.ack({id(1), id(2)}) == 0);  // not yet delivered
  REQUIRE(group.consumer("a").read({.count = 2}));
  REQUIRE(group.consumer("b").read({.count = 1}));
  CHECK(group.ack({id(4), id(99), Id{1, 1}, Id{0, 0}, Id::max()}) == 0);
  CHECK(group.ack(std::vector<Id>()) == 0);
  CHECK(group.ack(id(3)) == 1);  // whoever it was delivered to
  CHECK(group.pending()->count == 2);
  CHECK(values_of(group.consumer("a").read()) == numbers(4, 5));
}

TEST_CASE("Group: a delivery that is dropped stays pending") {
  Scene scene(3);
  const auto group = scene.group();
  { const auto dropped = group.consumer("w").read(); }
  CHECK(group.pending()->count == 3);
  CHECK(group.consumer("w").read()->empty());
  CHECK(values_of(group.consumer("w").history()) == numbers(1, 3));
}

TEST_CASE("Group: the pending summary") {
  Scene scene(10);
  const auto group = scene.group();
  for (const char* name : {"c", "a", "idle", "b"}) static_cast<void>(group.consumer(name));
  auto summary = group.pending();
  REQUIRE(summary);
  CHECK(summary->count == 0);
  CHECK(summary->first == Id{0, 0});
  CHECK(summary->last == Id{0, 0});
  CHECK(summary->consumers.empty());
  REQUIRE(group.consumer("c").read({.count = 3}));
  REQUIRE(group.consumer("a").read({.count = 1}));
  REQUIRE(group.consumer("b").read({.count = 2}));
  summary = group.pending();
  CHECK(summary->count == 6);
  CHECK(summary->first == id(1));
  CHECK(summary->last == id(6));
  CHECK(shares_of(*summary) == Shares{{"a", 1}, {"b", 2}, {"c", 3}});
  CHECK(group.ack({id(1), id(6), id(4)}) == 3);
  summary = group.pending();
  CHECK(summary->count == 3);
  CHECK(summary->first == id(2));
  CHECK(summary->last == id(5));
  CHECK(shares_of(*summary) == Shares{{"b", 1}, {"c", 2}});
}

TEST_CASE("Group: without acknowledgement nothing is pending") {
  Scene scene(4);
  const auto group = scene.group();
  const auto batch = group.consumer("w").read({.count = 3, .no_ack = true});
  CHECK(values_of(batch) == numbers(1, 3));
  CHECK(batch->front().count() == 1);
  CHECK_FALSE(batch->front().ack());
  CHECK(batch->ack() == 0);
  CHECK(group.pending()->count == 0);
  CHECK(group.consumer("w").history()->empty());
  CHECK(group.info()->last_delivered_id == id(3));
  CHECK(group.info()->lag == 1);
  CHECK(values_of(group.consumer("w").read()) == numbers(4, 4));
  auto reader = reading(group.consumer("w"), {.block = forever, .no_ack = true});
  scene.clock.wait_for_sleepers(1);
  scene.add(5, 5);
  CHECK(values_of(reader.get()) == numbers(5, 5));
  CHECK(group.pending()->count == 1);
}

TEST_CASE("Group: history is what is pending with this consumer") {
  Scene scene(10);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  REQUIRE(a.read({.count = 3}));
  REQUIRE(b.read({.count = 3}));
  REQUIRE(a.read({.count = 2}));
  CHECK(values_of(a.history()) == std::vector<int>{1, 2, 3, 7, 8});
  CHECK(values_of(b.history()) == numbers(4, 6));
  CHECK(values_of(a.history(id(2))) == std::vector<int>{3, 7, 8});
  CHECK(values_of(a.history(id(2), 2)) == std::vector<int>{3, 7});
  CHECK(a.history(id(8))->empty());
  CHECK(a.history(Id::max())->empty());
  CHECK(group.consumer("new").history()->empty());
  CHECK(group.ack({id(1), id(7)}) == 2);
  CHECK(values_of(a.history()) == std::vector<int>{2, 3, 8});
  CHECK(a.history()->ack() == 3);
  CHECK(a.history()->empty());
  CHECK(group.info()->lag == 2);  // nothing new was delivered
}

TEST_CASE("Group: history counts as a delivery") {
  Scene scene(4);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  CHECK(counts_of(*w.read({.count = 3})) == std::vector<std::uint64_t>{1, 1, 1});
  CHECK(counts_of(*w.history(id(1))) == std::vector<std::uint64_t>{2, 2});
  CHECK(counts_of(*w.history()) == std::vector<std::uint64_t>{2, 3, 3});
  CHECK(counts_of(*w.history(Id::min(), 1)) == std::vector<std::uint64_t>{3});
  CHECK(w.history()->back().count() == 4);
  CHECK((*w.history())[0].count() == 5);
}

TEST_CASE("Group: history leaves out what was removed, which stays pending") {
  Scene scene(6);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  REQUIRE(w.read());
  CHECK(scene.stream.erase(id(4)) == 1);
  CHECK(*scene.stream.trim({.max_len = 4}) == 1);
  CHECK(values_of(w.history()) == std::vector<int>{2, 3, 5, 6});
  CHECK(values_of(w.history(Id::min(), 2)) == std::vector<int>{2, 3});
  CHECK(group.pending()->count == 6);
  CHECK(group.pending()->first == id(1));
  CHECK(group.ack({id(1), id(4)}) == 2);
  CHECK(group.pending()->count == 4);
}

TEST_CASE("Group: what was removed before it was delivered is skipped") {
  Scene scene(8);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  CHECK(values_of(w.read({.count = 2})) == numbers(1, 2));
  CHECK(scene.stream.erase({id(4), id(8)}) == 2);
  CHECK(*scene.stream.trim({.min_id = id(4)}) == 3);
  CHECK(values_of(w.read({.count = 2})) == std::vector<int>{5, 6});
  CHECK(values_of(w.read()) == std::vector<int>{7});
  CHECK(w.read()->empty());
}

TEST_CASE("Group: info") {
  Scene scene(5);
  const auto group = scene.group("billing", id(1));
  auto info = group.info();
  REQUIRE(info);
  CHECK(info->name == "billing");
  CHECK(info->consumers == 0);
  CHECK(info->pending == 0);
  CHECK(info->last_delivered_id == id(1));
  CHECK(info->lag == 4);
  REQUIRE(group.consumer("a").read({.count = 2}));
  REQUIRE(group.consumer("b").read({.count = 1}));
  CHECK(group.ack(id(2)) == 1);
  info = group.info();
  CHECK(info->consumers == 2);
  CHECK(info->pending == 2);
  CHECK(info->last_delivered_id == id(4));
  CHECK(info->lag == 1);
  CHECK(scene.group("end", latest).info()->last_delivered_id == id(5));
  CHECK(scene.group("start", earliest).info()->last_delivered_id == Id{0, 0});
}

TEST_CASE("Group: lag is exact, also after deletions") {
  Scene scene(100);
  const auto all = scene.group("all", earliest);
  const auto half = scene.group("half", id(50));
  const auto none = scene.group("none", latest);
  const auto lags = [&] { return std::vector<std::uint64_t>{all.info()->lag, half.info()->lag, none.info()->lag}; };
  CHECK(lags() == std::vector<std::uint64_t>{100, 50, 0});
  CHECK(scene.stream.erase({id(10), id(60), id(61), id(100)}) == 4);
  CHECK(lags() == std::vector<std::uint64_t>{96, 47, 0});
  CHECK(*scene.stream.trim({.min_id = id(21)}) == 19);
  CHECK(lags() == std::vector<std::uint64_t>{77, 47, 0});
  REQUIRE(all.consumer("w").read({.count = 30}));
  CHECK(all.info()->last_delivered_id == id(50));
  CHECK(lags() == std::vector<std::uint64_t>{47, 47, 0});
  CHECK(*scene.stream.trim({.max_len = 10}) == 67);
  CHECK(lags() == std::vector<std::uint64_t>{10, 10, 0});
  scene.add(101, 103);
  CHECK(lags() == std::vector<std::uint64_t>{13, 13, 3});
  REQUIRE(half.consumer("w").read());
  CHECK(*scene.stream.trim({.max_len = 0}) == 13);
  CHECK(lags() == std::vector<std::uint64_t>{0, 0, 0});
}

TEST_CASE("Group: set_id forward skips") {
  Scene scene(10);
  const auto group = scene.group();
  REQUIRE(group.consumer("w").read({.count = 2}));
  REQUIRE(group.set_id(id(7)));
  CHECK(group.info()->lag == 3);
  CHECK(group.info()->last_delivered_id == id(7));
  CHECK(values_of(group.consumer("w").read({.count = 1})) == numbers(8, 8));
  REQUIRE(group.set_id(latest));
  CHECK(group.consumer("w").read()->empty());
  CHECK(group.pending()->count == 3);
}

TEST_CASE("Group: set_id back redelivers, to one owner") {
  Scene scene(5);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  REQUIRE(a.read());
  REQUIRE(a.history());
  CHECK(group.ack(id(2)) == 1);
  REQUIRE(group.set_id(id(1)));
  CHECK(group.info()->lag == 4);
  const auto again = b.read({.count = 2});
  CHECK(values_of(again) == numbers(2, 3));
  CHECK(counts_of(*again) == std::vector<std::uint64_t>{1, 1});
  CHECK(shares_of(*group.pending()) == Shares{{"a", 3}, {"b", 2}});
  CHECK(values_of(a.history()) == std::vector<int>{1, 4, 5});
  CHECK(values_of(b.history()) == numbers(2, 3));
  CHECK(counts_of(*b.history()) == std::vector<std::uint64_t>{3, 3});
  REQUIRE(group.set_id(earliest));
  CHECK(values_of(a.read()) == numbers(1, 5));
  CHECK(shares_of(*group.pending()) == Shares{{"a", 5}});
  CHECK(counts_of(*a.history()) == std::vector<std::uint64_t>{2, 2, 2, 2, 2});
}

TEST_CASE("Group: set_id back without acknowledgement takes nothing from its owner") {
  Scene scene(3);
  const auto group = scene.group();
  REQUIRE(group.consumer("a").read({.count = 2}));
  REQUIRE(group.set_id(earliest));
  CHECK(values_of(group.consumer("b").read({.no_ack = true})) == numbers(1, 3));
  CHECK(shares_of(*group.pending()) == Shares{{"a", 2}});
}

TEST_CASE("Group: set_id back wakes a blocked consumer") {
  Scene scene(3);
  const auto group = scene.group("group", latest);
  auto reader = reading(group.consumer("w"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  REQUIRE(group.set_id(id(2)));
  CHECK(values_of(reader.get()) == numbers(3, 3));
}

TEST_CASE("Group: destroyed, for every handle") {
  Scene scene(5);
  const auto group = scene.group();
  const auto consumer = group.consumer("w");
  const auto batch = consumer.read({.count = 3});
  const auto other = scene.group("other");
  CHECK(group.destroy() == 3);
  CHECK(error_of(group.destroy()) == Errc::no_such_group);
  CHECK(error_of(group.pending()) == Errc::no_such_group);
  CHECK(error_of(group.info()) == Errc::no_such_group);
  CHECK(error_of(group.set_id(earliest)) == Errc::no_such_group);
  CHECK(error_of(consumer.read()) == Errc::no_such_group);
  CHECK(error_of(consumer.read({.block = forever})) == Errc::no_such_group);
  CHECK(error_of(consumer.history()) == Errc::no_such_group);
  CHECK(error_of(scene.stream.group("group")) == Errc::no_such_group);
  CHECK(group.ack(id(1)) == 0);
  CHECK(batch->ack() == 0);
  CHECK(values_of(batch) == numbers(1, 3));
  CHECK(scene.stream.groups() == std::vector<std::string>{"other"});
  CHECK(scene.stream.info().groups == 1);
  CHECK(values_of(other.consumer("w").read()) == numbers(1, 5));
}

TEST_CASE("Group: a new one of the same name is another one") {
  Scene scene(3);
  const auto old = scene.group();
  const auto batch = old.consumer("w").read();
  CHECK(old.destroy() == 3);
  const auto fresh = scene.group();
  CHECK(fresh.pending()->count == 0);
  CHECK(values_of(fresh.consumer("w").read()) == numbers(1, 3));
  CHECK(error_of(old.pending()) == Errc::no_such_group);
  CHECK(batch->ack() == 0);  // pending with the new one alone
  CHECK(fresh.pending()->count == 3);
  CHECK(error_of(old.destroy()) == Errc::no_such_group);
  CHECK(scene.stream.group("group"));
}

TEST_CASE("Group: destroying wakes its blocked consumers, and only them") {
  Scene scene;
  const auto group = scene.group();
  const auto other = scene.group("other");
  auto first = reading(group.consumer("a"), {.block = forever});
  auto second = reading(group.consumer("b"), {.block = 1h});
  auto unconcerned = reading(other.consumer("a"), {.block = forever});
  scene.clock.wait_for_sleepers(3);
  CHECK(group.destroy() == 0);
  CHECK(error_of(first.get()) == Errc::no_such_group);
  CHECK(error_of(second.get()) == Errc::no_such_group);
  scene.clock.wait_for_sleepers(1);
  scene.add(1, 1);
  CHECK(values_of(unconcerned.get()) == numbers(1, 1));
}

TEST_CASE("Group: blocked consumers are served in the order in which they blocked") {
  Scene scene;
  const auto group = scene.group();
  std::vector<std::future<Result>> readers;
  for (const char* name : {"d", "a", "c", "b", "a"}) {
    readers.push_back(reading(group.consumer(name), {.block = forever}));
    scene.clock.wait_for_sleepers(readers.size());
  }
  for (int i = 1; i <= 5; ++i) {
    scene.add(i, i);
    const auto next = static_cast<std::size_t>(i - 1);
    CHECK(values_of(readers[next].get()) == numbers(i, i));
    scene.clock.wait_for_sleepers(4 - next);  // it woke one of them
  }
  CHECK(shares_of(*group.pending()) == Shares{{"a", 2}, {"b", 1}, {"c", 1}, {"d", 1}});
}

TEST_CASE("Group: several entries at once go down the line, to each what it asked for") {
  Scene scene;
  const auto group = scene.group();
  auto first = reading(group.consumer("a"), {.count = 2, .block = forever});
  scene.clock.wait_for_sleepers(1);
  auto second = reading(group.consumer("b"), {.count = 1, .block = forever});
  scene.clock.wait_for_sleepers(2);
  auto third = reading(group.consumer("c"), {.block = forever});
  scene.clock.wait_for_sleepers(3);
  auto fourth = reading(group.consumer("d"), {.block = forever});
  scene.clock.wait_for_sleepers(4);
  REQUIRE(scene.stream.add_range(numbers(1, 8)));
  CHECK(values_of(first.get()) == numbers(1, 2));
  CHECK(values_of(second.get()) == numbers(3, 3));
  CHECK(values_of(third.get()) == numbers(4, 8));
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(9));
  CHECK(values_of(fourth.get()) == numbers(9, 9));
}

TEST_CASE("Group: who comes later does not overtake the line") {
  // A consumer that does not wait may find nothing while another one is being served, but never takes its turn and
  // leaves it asleep.
  for (int round = 0; round < 200; ++round) {
    Scene scene;
    const auto group = scene.group();
    auto blocked = reading(group.consumer("a"), {.block = forever});
    scene.clock.wait_for_sleepers(1);
    REQUIRE(scene.stream.add(1));
    REQUIRE(group.consumer("b").read()->empty());
    REQUIRE(values_of(blocked.get()) == numbers(1, 1));
  }
}

TEST_CASE("Group: one entry, one consumer of each group, and every reader of the stream") {
  Scene scene;
  const auto one = scene.group("one");
  const auto two = scene.group("two");
  auto a = reading(one.consumer("a"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  auto b = reading(one.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(2);
  auto c = reading(two.consumer("c"), {.block = forever});
  scene.clock.wait_for_sleepers(3);
  auto reader = on_a_thread([&] { return scene.stream.read(earliest, {.block = forever}); });
  scene.clock.wait_for_sleepers(4);
  REQUIRE(scene.stream.add(1));
  CHECK(values_of(a.get()) == numbers(1, 1));
  CHECK(values_of(c.get()) == numbers(1, 1));
  CHECK(values_of(reader.get()) == numbers(1, 1));
  scene.clock.wait_for_sleepers(1);
  scene.stream.close();
  CHECK(error_of(b.get()) == Errc::closed);
}

TEST_CASE("Group: an empty batch when the time is up, and the line goes on") {
  Scene scene;
  const auto group = scene.group();
  auto impatient = reading(group.consumer("a"), {.block = 1s});
  scene.clock.wait_for_sleepers(1);
  auto patient = reading(group.consumer("b"), {.block = 10s});
  scene.clock.wait_for_sleepers(2);
  scene.clock.advance(1s - 1ns);
  scene.clock.wait_for_sleepers(2);
  scene.clock.advance(1ns);
  const auto result = impatient.get();
  REQUIRE(result);
  CHECK(result->empty());
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(1));
  CHECK(values_of(patient.get()) == numbers(1, 1));
  CHECK(group.consumer("a").read({.block = -1s})->empty());
  CHECK(group.consumer("a").read({.block = 0s})->empty());
}

TEST_CASE("Group: entries that go to others do not prolong the wait") {
  Scene scene;
  const auto group = scene.group("group", id(1000));
  auto reader = reading(group.consumer("w"), {.block = 10s});
  for (int i = 1; i <= 9; ++i) {
    scene.clock.wait_for_sleepers(1);
    scene.clock.advance(1s);
    scene.add(i, i);
  }
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(1s);
  CHECK(reader.get()->empty());
}

TEST_CASE("Group: an entry and the end of the wait at once: delivered, or still new") {
  for (int round = 0; round < 300; ++round) {
    Scene scene;
    const auto group = scene.group();
    auto reader = reading(group.consumer("a"), {.block = 1s});
    scene.clock.wait_for_sleepers(1);
    auto adder = on_a_thread([&scene] { return scene.stream.add(7).has_value(); });
    scene.clock.advance(1s);
    REQUIRE(adder.get());
    const auto result = reader.get();
    REQUIRE(result);
    if (result->empty()) {
      REQUIRE(group.pending()->count == 0);
      REQUIRE(values_of(group.consumer("b").read()) == numbers(7, 7));
    } else {
      REQUIRE(values_of(*result) == numbers(7, 7));
      REQUIRE(group.pending()->count == 1);
      REQUIRE(group.consumer("b").read()->empty());
    }
  }
}

TEST_CASE("Group: an entry that meets a consumer on its way to sleep is not missed") {
  for (int round = 0; round < 500; ++round) {
    WatchedClock clock;
    Stream<int> stream({.clock = &clock});
    const auto group = stream.create_group("group").value();
    auto reader = reading(group.consumer("w"), {.block = forever});
    if (round % 2 == 0) {
      while (clock.sleepers() == 0) std::this_thread::yield();
    }
    REQUIRE(stream.add(round));
    REQUIRE(values_of(reader.get()) == numbers(round, round));
  }
}

#ifdef __cpp_lib_jthread
TEST_CASE("Group: a stop request, before the wait and during it") {
  Scene scene;
  const auto group = scene.group();
  std::stop_source before;
  before.request_stop();
  CHECK(error_of(group.consumer("a").read({.block = forever, .stop = before.get_token()})) == Errc::cancelled);
  std::stop_source during;
  auto stopped = reading(group.consumer("a"), {.block = forever, .stop = during.get_token()});
  scene.clock.wait_for_sleepers(1);
  auto other = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(2);
  during.request_stop();
  CHECK(error_of(stopped.get()) == Errc::cancelled);
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(1));
  CHECK(values_of(other.get()) == numbers(1, 1));
}

TEST_CASE("Group: a stop request and an entry at once: delivered, or to the next in line") {
  for (int round = 0; round < 300; ++round) {
    Scene scene;
    const auto group = scene.group();
    std::stop_source source;
    auto stopped = reading(group.consumer("a"), {.block = forever, .stop = source.get_token()});
    scene.clock.wait_for_sleepers(1);
    auto next = reading(group.consumer("b"), {.block = forever});
    scene.clock.wait_for_sleepers(2);
    auto adder = on_a_thread([&scene] { return scene.stream.add(7).has_value(); });
    source.request_stop();
    REQUIRE(adder.get());
    const auto first = stopped.get();
    if (first) REQUIRE(scene.stream.add(8));
    else REQUIRE(first.error() == Errc::cancelled);
    REQUIRE(values_of(next.get()) == (first ? numbers(8, 8) : numbers(7, 7)));
    REQUIRE(group.pending()->count == (first ? 2 : 1));
  }
}
#endif

TEST_CASE("Group: a closed stream is drained, then closed") {
  Scene scene(5);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  REQUIRE(w.read({.count = 2}));
  scene.stream.close();
  CHECK(error_of(scene.stream.create_group("new")) == Errc::closed);
  CHECK(scene.stream.group("group"));
  CHECK(values_of(w.read({.count = 2, .block = forever})) == numbers(3, 4));
  CHECK(values_of(w.read({.block = forever})) == numbers(5, 5));
  CHECK(error_of(w.read({.block = forever})) == Errc::closed);
  CHECK(error_of(w.read()) == Errc::closed);
  CHECK(values_of(w.history()) == numbers(1, 5));
  CHECK(group.pending()->count == 5);
  CHECK(group.info()->lag == 0);
  CHECK(group.ack({id(1), id(2)}) == 2);
  REQUIRE(group.set_id(id(3)));
  CHECK(values_of(w.read({.block = forever})) == numbers(4, 5));
  CHECK(group.destroy() == 3);
}

TEST_CASE("Group: closing wakes the blocked consumers of every group") {
  Scene scene(2);
  const auto one = scene.group("one", latest);
  const auto two = scene.group("two", latest);
  std::vector<std::future<Result>> readers;
  readers.push_back(reading(one.consumer("a"), {.block = forever}));
  readers.push_back(reading(one.consumer("b"), {.block = 1h}));
  readers.push_back(reading(two.consumer("a"), {.block = forever, .no_ack = true}));
  scene.clock.wait_for_sleepers(3);
  scene.stream.close();
  for (auto& reader : readers) CHECK(error_of(reader.get()) == Errc::closed);
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Group: an add and then close: the blocked consumer gets the entry first") {
  for (int round = 0; round < 200; ++round) {
    Scene scene;
    const auto group = scene.group();
    auto reader = reading(group.consumer("w"), {.block = forever});
    scene.clock.wait_for_sleepers(1);
    REQUIRE(scene.stream.add(1));
    scene.stream.close();
    REQUIRE(values_of(reader.get()) == numbers(1, 1));
    REQUIRE(error_of(group.consumer("w").read()) == Errc::closed);
  }
}

TEST_CASE("Group: handles outlive the stream and answer closed") {
  std::optional<Group<std::string>> group;
  std::optional<Consumer<std::string>> consumer;
  Deliveries<std::string> batch;
  Id first;
  {
    WatchedClock clock;
    Stream<std::string> stream({.clock = &clock});
    REQUIRE(stream.add_range(std::vector<std::string>(10, "a text that is too long to lie in the string itself")));
    group = *stream.create_group("group", earliest);
    consumer = group->consumer("w");
    batch = *consumer->read({.count = 5});
    first = batch.front().id();
  }
  CHECK(group->name() == "group");
  CHECK(consumer->name() == "w");
  CHECK(error_of(consumer->read()) == Errc::closed);
  CHECK(error_of(consumer->read({.block = forever})) == Errc::closed);
  CHECK(error_of(consumer->read({.block = 1s})) == Errc::closed);
  CHECK(error_of(consumer->history()) == Errc::closed);
  CHECK(error_of(group->pending()) == Errc::closed);
  CHECK(error_of(group->info()) == Errc::closed);
  CHECK(error_of(group->set_id(earliest)) == Errc::closed);
  CHECK(error_of(group->destroy()) == Errc::closed);
  static_cast<void>(group->consumer("another"));
  static_cast<void>(group->ack(first));
  static_cast<void>(batch.ack());
  const Group<std::string> copy = *group;
  group.reset();
  consumer.reset();
  CHECK(batch.size() == 5);
  CHECK(*batch.back() == "a text that is too long to lie in the string itself");
  CHECK(batch.back()->size() == 51);
  CHECK(error_of(copy.pending()) == Errc::closed);
}

TEST_CASE("Group: deliveries outlive trim, erase and the group") {
  Scene scene(3);
  auto batch = std::make_unique<Deliveries<int>>(*[&] {
    const auto group = scene.group();
    auto read = group.consumer("w").read();
    if (group.destroy() != 3) throw std::logic_error("not pending");
    return read;
  }());
  CHECK(scene.stream.erase(id(1)) == 1);
  CHECK(*scene.stream.trim({.max_len = 0}) == 2);
  const Deliveries<int> moved = std::move(*batch);
  batch.reset();
  CHECK(values_of(moved) == numbers(1, 3));
  CHECK(moved.ack() == 0);
}

TEST_CASE("Group: one consumer, several threads") {
  Stream<int> stream;
  const auto group = stream.create_group("group").value();
  constexpr int many = 5000;
  std::vector<std::future<std::vector<int>>> threads;
  for (int t = 0; t < 4; ++t) {
    threads.push_back(on_a_thread([consumer = group.consumer("w")] {
      std::vector<int> seen;
      while (const auto batch = consumer.read({.count = 7, .block = forever})) {
        for (const auto& delivery : *batch) {
          seen.push_back(*delivery);
          delivery.ack();
        }
      }
      return seen;
    }));
  }
  for (int i = 1; i <= many; ++i) REQUIRE(stream.add(i));
  stream.close();
  std::vector<int> all;
  for (auto& thread : threads) {
    const auto seen = thread.get();
    CHECK(std::ranges::is_sorted(seen));
    all.insert(all.end(), seen.begin(), seen.end());
  }
  std::ranges::sort(all);
  CHECK(all == numbers(1, many));
  CHECK(group.pending()->count == 0);
  CHECK(group.info()->lag == 0);
}

TEST_CASE("Group: delivers a long backlog in pieces") {
  Scene scene;
  REQUIRE(scene.stream.add_range(numbers(1, 20'000)));
  const auto group = scene.group();
  std::vector<int> seen;
  for (;;) {
    const auto batch = group.consumer("w").read({.count = 777});
    if (batch->empty()) break;
    for (const auto& delivery : *batch) seen.push_back(*delivery);
    CHECK(batch->ack() == batch->size());
  }
  CHECK(seen == numbers(1, 20'000));
  CHECK(group.pending()->count == 0);
}

TEST_CASE("Group: segments that are done with make room for several at once") {
  Scene scene(40'000);  // in segments that have reached their largest size
  const auto group = scene.group();
  const auto w = group.consumer("w");
  std::size_t acknowledged = 0;
  while (acknowledged < 20'000) acknowledged += w.read({.count = 100})->ack();
  const auto kept = w.read();
  CHECK(kept->size() == 40'000 - acknowledged);
  CHECK(group.pending()->count == kept->size());
  CHECK(kept->ack() == kept->size());
  CHECK(group.pending()->count == 0);
}

TEST_CASE("Group: what was delivered without becoming pending cannot be acknowledged") {
  Scene scene(3);
  const auto group = scene.group();
  REQUIRE(group.consumer("a").read());
  REQUIRE(group.set_id(earliest));
  const auto seen = group.consumer("b").read({.no_ack = true});
  CHECK(seen->size() == 3);
  CHECK_FALSE(seen->front().ack());
  CHECK(seen->ack() == 0);
  CHECK(group.pending()->count == 3);  // with a
}

TEST_CASE("Group: set_id back to before the segment where the group stands") {
  Scene scene(100);  // in several segments
  const auto group = scene.group();
  const auto w = group.consumer("w");
  CHECK(w.read()->ack() == 100);
  REQUIRE(group.set_id(earliest));
  const auto again = w.read();
  CHECK(again->size() == 100);
  CHECK(group.pending()->count == 100);
  CHECK(again->ack() == 100);
}

namespace {

// Calls the group when it dies: a destructor may do so, because no lock of brook's is held then.
struct Hooked {
  explicit Hooked(std::function<void()>* hook) : hook_(hook) {}
  Hooked(Hooked&& other) noexcept : hook_(std::exchange(other.hook_, nullptr)) {}
  Hooked& operator=(Hooked&&) = delete;
  ~Hooked() {
    if (hook_ != nullptr && *hook_) (*hook_)();
  }

 private:
  std::function<void()>* hook_;
};

}  // namespace

TEST_CASE("Group: destructors of values run without the group's mutex") {
  std::function<void()> hook;
  std::size_t calls = 0;
  Stream<Hooked> stream({.max_len = 100});
  const auto group = stream.create_group("group", earliest).value();
  const auto w = group.consumer("w");
  hook = [&] {
    ++calls;
    static_cast<void>(group.consumers());
  };
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(stream.emplace(&hook));
    if (i % 3 == 0) CHECK(w.read({.count = 2})->size() > 0);
    if (i % 50 == 0) CHECK(group.info()->lag < 2000);
    if (i % 70 == 0) {
      const auto history = w.history();
      if (!history->empty()) CHECK(history->front().ack());
    }
    if (i % 300 == 0) CHECK(stream.erase(stream.last_id()) == 1);
  }
  CHECK(calls > 1000);
  hook = nullptr;
}

TEST_CASE("Group: a blocked consumer keeps nothing that was trimmed") {
  ManualClock clock(1000ms);
  auto alive = std::make_shared<int>();
  Stream<std::shared_ptr<int>> stream({.max_len = 10, .clock = &clock});
  const auto group = stream.create_group("group", Id{~std::uint64_t{0}, 0}).value();
  std::thread waiter([&] { static_cast<void>(group.consumer("w").read({.block = 1h})); });
  while (clock.sleepers() == 0) std::this_thread::yield();
  for (int i = 0; i < 20'000; ++i) REQUIRE(stream.add(alive));
  CHECK(alive.use_count() < 10'000);
  clock.advance(1h);
  waiter.join();
  CHECK(alive.use_count() < 5'000);
}

TEST_CASE("Group: counts end where they are told to end") {
  Scene scene(1);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  REQUIRE(w.read());
  for (int i = 0; i < 1100; ++i) REQUIRE(w.history()->size() == 1);
  CHECK(w.history()->front().count() == 1023);
}

TEST_CASE("Group: deliveries that were moved from are empty") {
  Scene scene(2);
  auto batch = *scene.group().consumer("w").read();
  const auto moved = std::move(batch);
  CHECK(batch.empty());  // NOLINT: that is what is tested
  CHECK(batch.ack() == 0);
  CHECK(moved.ack() == 2);
}

}  // namespace group_test
