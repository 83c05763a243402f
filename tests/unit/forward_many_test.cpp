// forward_many_test.cpp — acknowledging here and adding to several objects, all at one instant.
#include <brook/blocking_list.hpp>
#include <brook/stream.hpp>

#include <cstdint>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "scene.hpp"

namespace forward_many_test {

namespace {

using namespace brook;
using namespace brook::test;

// Its copies throw, so a stream boxes it; making one from a string throws when told to.
struct Fragile {
  explicit Fragile(std::string_view given) : text(given) {
    if (given == "throw") throw std::bad_alloc();
  }
  Fragile(const Fragile& other) = default;
  Fragile(Fragile&& other) noexcept(false) : text(std::move(other.text)) {}
  std::string text;
};

struct Targets {
  explicit Targets(Clock& clock) : texts({.clock = &clock}), numbers({.clock = &clock}), flags({.clock = &clock}) {}

  Stream<std::string> texts;
  Stream<std::unique_ptr<int>> numbers;
  Stream<bool> flags;
};

}  // namespace

TEST_CASE("Forward to several: acknowledged here, added everywhere") {
  Scene scene(2);
  Targets to(scene.clock);
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  const auto added =
      batch[0].forward(into(to.texts, "one"), into(to.flags, true), into(to.numbers, std::make_unique<int>(1)));
  REQUIRE(added);
  const auto& [text, flag, number] = *added;
  CHECK(ids_of(to.texts.range()) == std::vector<Id>{text});
  CHECK(ids_of(to.flags.range()) == std::vector<Id>{flag});
  CHECK(ids_of(to.numbers.range()) == std::vector<Id>{number});
  CHECK(values_of(to.texts.range()) == std::vector<std::string>{"one"});
  CHECK(*to.numbers.range().front().value == 1);
  CHECK(group.pending()->count == 1);
  CHECK_FALSE(batch[0].ack());
  CHECK(error_of(batch[0].forward(into(to.texts, "again"), into(to.flags, false))) == Errc::not_pending);
  CHECK(to.texts.size() == 1);
  CHECK(batch[1].forward(into(to.texts, std::string("two"))));
  CHECK(group.pending()->count == 0);
}

TEST_CASE("Forward to several: many in turn, also where a segment ends") {
  constexpr int entries = 10'000;
  Scene scene(entries);
  Targets to(scene.clock);
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read({.count = entries});
  for (const auto& delivery : batch)
    REQUIRE(delivery.forward(into(to.texts, std::to_string(*delivery)),
                             into(to.numbers, std::make_unique<int>(*delivery))));
  REQUIRE(to.texts.size() == entries);
  REQUIRE(to.numbers.size() == entries);
  int expected = 0;
  bool right = true;
  for (const auto& [id, value] : to.numbers.range()) right = right && *value == ++expected;
  CHECK(right);
  const Id last = to.texts.last_id();
  CHECK(*to.texts.add("after") > last);
  CHECK(to.texts.info().entries_added == entries + 1);
  CHECK(to.texts.trim({.max_len = 1}) == std::uint64_t{entries});
  CHECK(values_of(to.texts.range()) == std::vector<std::string>{"after"});
}

TEST_CASE("Forward to several: with an error nothing has changed anywhere") {
  Scene scene(1);
  Targets to(scene.clock);
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  std::string mine(100, 'x');
  SECTION("one is closed") {
    to.flags.close();
    CHECK(error_of(batch[0].forward(into(to.texts, std::move(mine)), into(to.flags, true))) == Errc::closed);
  }
  SECTION("one has no room") {
    Stream<int> full({.capacity = 0, .clock = &scene.clock});
    CHECK(error_of(batch[0].forward(into(to.texts, std::move(mine)), into(full, 1))) == Errc::full);
  }
  SECTION("one has had its last id") {
    Stream<int> exhausted({.clock = &scene.clock});
    REQUIRE(exhausted.add(Id::max(), 1));
    CHECK(error_of(batch[0].forward(into(to.texts, std::move(mine)), into(exhausted, 1))) == Errc::id_exhausted);
  }
  SECTION("two are one") {
    Stream<std::string>& same = to.texts;
    CHECK(error_of(batch[0].forward(into(to.texts, std::move(mine)), into(same, "y"))) == Errc::invalid_argument);
  }
  SECTION("a value throws") {
    Stream<Fragile> fragile({.clock = &scene.clock});
    CHECK_THROWS_AS(batch[0].forward(into(to.texts, std::move(mine)), into(fragile, "throw")), std::bad_alloc);
  }
  SECTION("it was acknowledged") {
    REQUIRE(batch[0].ack());
    CHECK(error_of(batch[0].forward(into(to.texts, std::move(mine)), into(to.flags, true))) == Errc::not_pending);
    REQUIRE(scene.stream.add(9));
    REQUIRE(group.consumer("a").read()->size() == 1);
  }
  CHECK(mine == std::string(100, 'x'));
  CHECK(to.texts.empty());
  CHECK(to.flags.empty());
  CHECK(to.texts.info().entries_added == 0);
  CHECK(group.pending()->count == 1);
  REQUIRE(to.texts.add("next"));
  CHECK(to.texts.size() == 1);
  CHECK(to.texts.range().size() == 1);
}

TEST_CASE("Forward to several: room that was not used is there again") {
  Scene scene(2);
  Stream<int> bounded({.capacity = 1, .clock = &scene.clock});
  Stream<int> closed({.clock = &scene.clock});
  Stream<int> open({.clock = &scene.clock});
  closed.close();
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  CHECK(error_of(batch[0].forward(into(bounded, 1), into(closed, 1))) == Errc::closed);
  REQUIRE(batch[0].forward(into(bounded, 1), into(open, 1)));
  CHECK(error_of(batch[1].forward(into(bounded, 2), into(open, 2))) == Errc::full);
  CHECK(bounded.erase(bounded.last_id()) == 1);
  CHECK(batch[1].forward(into(open, 2), into(bounded, 2)));
  CHECK(values_of(bounded.range()) == Ints{2});
}

TEST_CASE("Forward to several: wakes who waits, and keeps bounds") {
  Scene scene(3);
  Stream<int> capped({.max_len = 1, .clock = &scene.clock});
  Stream<int> watched({.clock = &scene.clock});
  const auto watchers = watched.create_group("watchers", earliest).value();
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  auto blocked = reading(watchers.consumer("w"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[0].forward(into(capped, 1), into(watched, 1)));
  CHECK(values_of(blocked.get()) == Ints{1});
  CHECK(batch[1].forward(into(capped, 2), into(watched, 2)));
  CHECK(values_of(capped.range()) == Ints{2});
}

TEST_CASE("Forward to several: back to where it came from") {
  Scene scene(1);
  Stream<int> other({.clock = &scene.clock});
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  REQUIRE(batch[0].forward(into(scene.stream, 2), into(other, 2)));
  CHECK(values_of(*group.consumer("a").read()) == Ints{2});
}

TEST_CASE("Forward into lists: alone, and with streams") {
  Scene scene(4);
  Targets to(scene.clock);
  BlockingList<std::string> jobs({.clock = &scene.clock});
  BlockingList<int> bounded({.capacity = 1, .clock = &scene.clock});
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  REQUIRE(batch[0].forward(jobs, "alone"));
  const auto added = batch[1].forward(into(to.texts, "one"), into(jobs, "two"), into(bounded, 3));
  REQUIRE(added);
  CHECK(std::get<1>(*added) == 2U);
  CHECK(jobs.lrange(0, -1) == std::vector<std::string>{"alone", "two"});
  CHECK(group.pending()->count == 2);
  std::string mine(100, 'x');
  CHECK(error_of(batch[2].forward(into(jobs, std::move(mine)), into(bounded, 4), into(to.texts, "no"))) == Errc::full);
  CHECK(mine == std::string(100, 'x'));
  CHECK(error_of(batch[2].forward(into(jobs, "a"), into(jobs, "b"))) == Errc::invalid_argument);
  CHECK(jobs.size() == 2);
  CHECK(to.texts.size() == 1);
  CHECK(bounded.lpop() == 3);
  CHECK(batch[2].forward(into(bounded, 4), into(jobs, "c")));
  jobs.close();
  CHECK(error_of(batch[3].forward(into(to.texts, "no"), into(jobs, "d"))) == Errc::closed);
  CHECK(to.texts.size() == 1);
  CHECK(group.pending()->count == 1);
}

TEST_CASE("Forward into lists: serves who waits there, also to move it on") {
  Scene scene(2);
  Stream<int> log({.clock = &scene.clock});
  BlockingList<int> first({.clock = &scene.clock});
  BlockingList<int> second({.clock = &scene.clock});
  const auto batch = *scene.group().consumer("a").read();
  auto popped = on_a_thread([&] { return first.blpop(forever); });
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[0].forward(into(log, 1), into(first, 1)));
  CHECK(popped.get() == 1);
  auto moved = on_a_thread([&] { return first.blmove(second, Side::left, Side::right, forever); });
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[1].forward(into(first, 2), into(log, 2)));
  CHECK(moved.get() == 2);
  CHECK(second.lrange(0, -1) == std::vector<int>{2});
}

TEST_CASE("Forward into lists: who waits at two of them takes from the one that it asks first") {
  Scene scene(1);
  BlockingList<int> lists[2] = {BlockingList<int>({.clock = &scene.clock}), BlockingList<int>({.clock = &scene.clock})};
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  const int asked_first = GENERATE(0, 1);
  auto& first = lists[asked_first];
  auto& second = lists[1 - asked_first];
  auto popped = on_a_thread([&] { return blpop(forever, first, second); });
  scene.clock.wait_for_sleepers(1);
  auto behind = on_a_thread([&] { return second.blpop(forever); });
  scene.clock.wait_for_sleepers(2);
  REQUIRE(batch[0].forward(into(first, 1), into(second, 2)));
  const auto got = popped.get();
  CHECK(got->index == 0);
  CHECK(got->value == 1);
  CHECK(*behind.get() == 2);
}

}  // namespace forward_many_test
