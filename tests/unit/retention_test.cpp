// retention_test.cpp — streams from which an entry leaves when every group has acknowledged it.
#include <brook/stream.hpp>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "scene.hpp"

namespace retention_test {

namespace {

using namespace brook;
using namespace brook::test;

struct Retaining {
  explicit Retaining(int entries, StreamOptions options = {}) : stream(with(options, clock)) {
    for (int i = 1; i <= entries; ++i) REQUIRE(stream.add(id(static_cast<std::uint64_t>(i)), i));
  }
  [[nodiscard]] Group<int> group(const char* name, const GroupOptions<int>& options = {}) {
    return stream.create_group(name, earliest, options).value();
  }
  [[nodiscard]] Ints left() const { return values_of(stream.range()); }

  static StreamOptions with(StreamOptions options, Clock& clock) {
    options.until_acked = true;
    options.clock = &clock;
    return options;
  }

  WatchedClock clock{start};
  Stream<int> stream;
};

}  // namespace

TEST_CASE("Until acknowledged: an entry leaves when every group has acknowledged it") {
  Retaining scene(4);
  const auto first = scene.group("first");
  const auto second = scene.group("second");
  const auto ours = *first.consumer("c").read();
  const auto theirs = *second.consumer("c").read({.count = 3});
  CHECK(ours.ack() == 4);
  CHECK(scene.left() == Ints{1, 2, 3, 4});
  CHECK(theirs[1].ack());
  CHECK(scene.left() == Ints{1, 3, 4});
  CHECK(second.ack({id(1), id(3)}) == 2);
  CHECK(scene.left() == Ints{4});
  CHECK(scene.stream.info().max_deleted_id == Id::min());
  CHECK(first.info()->lost == 0);
  CHECK(second.info()->lost == 0);
  CHECK(second.consumer("c").read()->ack() == 1);
  CHECK(scene.stream.empty());
}

TEST_CASE("Until acknowledged: with no group nothing leaves, and a new group sees what is there") {
  Retaining scene(2);
  CHECK(scene.stream.size() == 2);
  const auto group = scene.group("g");
  const auto batch = *group.consumer("c").read();
  CHECK(batch[0].ack());
  const auto late = scene.group("late");
  CHECK(values_of(*late.consumer("c").read()) == Ints{2});
  const auto latest_only = scene.stream.create_group("latest").value();
  CHECK(batch[1].ack());
  CHECK(scene.left() == Ints{2});
  CHECK(late.ack(id(2)) == 1);
  CHECK(scene.left().empty());
}

TEST_CASE("Until acknowledged: what is given back, claimed or redelivered stays") {
  Retaining scene(2);
  const auto group = scene.group("g");
  const auto batch = *group.consumer("a").read();
  CHECK(batch[0].nack());
  CHECK(batch[1].ack());
  CHECK(scene.left() == Ints{1});
  const auto again = *group.consumer("b").read();
  CHECK(scene.left() == Ints{1});
  CHECK(again.ack() == 1);
  CHECK(scene.left().empty());
}

TEST_CASE("Until acknowledged: other ways of being done with an entry") {
  Retaining scene(2);
  const auto group = scene.group("g", {.max_deliveries = 1});
  const auto other = scene.group("other");
  CHECK(other.consumer("c").read()->ack() == 2);
  const auto a = group.consumer("a");
  SECTION("read without acknowledgement") { CHECK(a.read({.no_ack = true})->size() == 2); }
  SECTION("dead letters") {
    const auto batch = *a.read();
    CHECK(batch[0].nack());
    CHECK(batch[1].nack({.fatal = true}));
  }
  SECTION("forwarded") {
    Stream<int> next({.clock = &scene.clock});
    const auto batch = *a.read();
    CHECK(batch[0].forward(next, 1));
    CHECK(scene.left() == Ints{2});
    CHECK(batch[1].forward(next, 2));
  }
  SECTION("the group is moved on") { REQUIRE(group.set_id(latest)); }
  SECTION("the group is destroyed") { REQUIRE(group.destroy()); }
  SECTION("the consumer is deleted with what it has") {
    static_cast<void>(a.read());
    CHECK(group.delete_consumer("a", Orphans::drop) == 2U);
  }
  CHECK(scene.left().empty());
}

TEST_CASE("Until acknowledged: visibility that ends in a dead letter releases at the next read") {
  Retaining scene(1);
  const auto group = scene.group("g", {.max_deliveries = 1, .visibility = 10s});
  static_cast<void>(group.consumer("a").read());
  scene.clock.advance(10s);
  CHECK(group.consumer("b").read()->empty());
  CHECK(scene.left().empty());
}

TEST_CASE("Until acknowledged: an ordered group keeps what waits for its turn") {
  Retaining scene(3);
  const auto group = scene.group("g", {.ordered_by = [](int) { return 0; }});
  const auto other = scene.group("other");
  CHECK(other.consumer("c").read()->ack() == 3);
  for (int i = 1; i <= 3; ++i) {
    CHECK(scene.left() == numbers(i, 3));
    CHECK(group.consumer("a").read()->ack() == 1);
  }
  CHECK(scene.left().empty());
}

TEST_CASE("Until acknowledged: a bounded stream is a queue with back-pressure") {
  constexpr int entries = 500;
  Stream<int> queue({.capacity = 4, .overflow = Overflow::block, .until_acked = true});
  const auto first = queue.create_group("first", earliest).value();
  const auto second = queue.create_group("second", earliest).value();
  std::atomic<bool> too_long{false};
  std::vector<std::thread> threads;
  std::vector<Ints> got(2);
  for (std::size_t g = 0; g < 2; ++g) {
    threads.emplace_back([&, g] {
      const auto consumer = (g == 0 ? first : second).consumer("c");
      while (got[g].size() < entries) {
        const auto batch = consumer.read({.count = 3, .block = forever}).value();
        for (const auto& delivery : batch) got[g].push_back(*delivery);
        if (queue.size() > 4) too_long = true;
        batch.ack();
      }
    });
  }
  for (int i = 1; i <= entries; ++i) REQUIRE(queue.add(i));
  for (auto& thread : threads) thread.join();
  CHECK(got[0] == numbers(1, entries));
  CHECK(got[1] == numbers(1, entries));
  CHECK_FALSE(too_long);
  CHECK(queue.empty());
}

TEST_CASE("Until acknowledged: an entry that dies in a blocked read makes room") {
  Retaining scene(1, {.capacity = 1, .overflow = Overflow::block});
  const auto group = scene.group("g", {.max_deliveries = 1, .visibility = 100ms});
  static_cast<void>(group.consumer("a").read());
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  auto adding = on_a_thread([&] { return scene.stream.add(2); });
  scene.clock.wait_for_sleepers(2);
  scene.clock.advance(100ms);
  CHECK(adding.get());
  CHECK(values_of(blocked.get()) == Ints{2});
}

TEST_CASE("Until acknowledged: what no group will ever want leaves") {
  Retaining scene(2, {.capacity = 2});
  SECTION("a group that starts after it") {
    const auto group = scene.stream.create_group("g", latest).value();
    CHECK(scene.left().empty());
    REQUIRE(scene.stream.add(id(3), 3));
    CHECK(scene.left() == Ints{3});
    CHECK(group.consumer("c").read()->ack() == 1);
    CHECK(group.info()->lost == 0);
  }
  SECTION("a group that starts ahead of the end") {
    const auto group = scene.stream.create_group("g", id(4)).value();
    CHECK(scene.left().empty());
    REQUIRE(scene.stream.add(id(3), 3));
    CHECK(scene.left().empty());
    REQUIRE(scene.stream.add(id(4), 4));
    CHECK(scene.left().empty());
    REQUIRE(scene.stream.add_range(Ints{5, 6}));
    CHECK(scene.left() == Ints{5, 6});
    CHECK(error_of(scene.stream.add(7)) == Errc::full);
    CHECK(group.consumer("c").read()->ack() == 2);
    CHECK(group.info()->lost == 0);
  }
  SECTION("a group that is moved ahead of the end") {
    const auto group = scene.group("g");
    const bool by_claim = GENERATE(false, true);
    if (by_claim) REQUIRE(group.consumer("c").claim({}, {.last_id = id(9)}));
    else REQUIRE(group.set_id(id(9)));
    CHECK(scene.left().empty());
    REQUIRE(scene.stream.add(id(9), 9));
    CHECK(scene.left().empty());
    REQUIRE(scene.stream.add(id(10), 10));
    CHECK(scene.left() == Ints{10});
    REQUIRE(group.set_id(earliest));
    CHECK(values_of(*group.consumer("c").read()) == Ints{10});
  }
  SECTION("the group that wanted it is destroyed") {
    const auto group = scene.group("g");
    const auto other = scene.stream.create_group("other", id(9)).value();
    CHECK(scene.left() == Ints{1, 2});
    REQUIRE(group.destroy());
    CHECK(scene.left().empty());
  }
}

TEST_CASE("Until acknowledged: what no group will ever want leaves, however it was added") {
  Retaining scene(0);
  Retaining from(3);
  const auto ahead = scene.stream.create_group("ahead", Id::max()).value();
  const auto group = from.group("g", {.max_deliveries = 1, .dead_letter = &scene.stream, .visibility = 10s});
  const auto batch = *group.consumer("c").read();
  SECTION("once") { REQUIRE(scene.stream.add(1, Idempotent{.producer = "p", .key = "k"})); }
  SECTION("with a bound on waiting") { REQUIRE(scene.stream.add(1, 1s)); }
  SECTION("forwarded") {
    REQUIRE(batch[0].forward(scene.stream, 1));
    CHECK(scene.left().empty());
    REQUIRE(batch[1].forward(from.stream, 1));
    Stream<int> other({.clock = &scene.clock});
    REQUIRE(batch[2].forward(into(scene.stream, 1), into(other, 2)));
    CHECK(other.size() == 1);
  }
  SECTION("as a dead letter") { CHECK(batch[0].nack()); }
  SECTION("as a dead letter that a reader makes") {
    from.clock.advance(10s);
    CHECK(group.consumer("c").read()->empty());
    CHECK(from.left().empty());
  }
  CHECK(scene.left().empty());
  CHECK(scene.stream.info().entries_added > 0);
}

TEST_CASE("Until acknowledged: a claim that moves the group on makes room") {
  Retaining scene(2);
  const auto group = scene.group("g");
  REQUIRE(group.consumer("a").claim({}, {.last_id = id(2)}));
  CHECK(scene.left().empty());
}

}  // namespace retention_test
