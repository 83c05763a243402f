// bounded_test.cpp — streams with a capacity, and entries that grow too old.
#include <brook/stream.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "scene.hpp"

namespace bounded_test {

namespace {

using namespace brook;
using namespace brook::test;

std::future<expected<Id, Errc>> adding(Stream<int>& stream, int value) {
  return on_a_thread([&stream, value] { return stream.add(value); });
}

}  // namespace

TEST_CASE("Bounded stream: rejects what it has no room for") {
  Stream<int> stream({.capacity = 2});
  REQUIRE(stream.add(1));
  REQUIRE(stream.add(2));
  CHECK(error_of(stream.add(3)) == Errc::full);
  CHECK(error_of(stream.add(Id::max(), 3)) == Errc::full);
  CHECK(error_of(stream.add_range(Ints{3})) == Errc::full);
  CHECK(error_of(stream.add(3, {.producer = "p", .key = "k"})) == Errc::full);
  CHECK(values_of(stream.range()) == Ints{1, 2});
  CHECK(stream.info().capacity == 2);
  CHECK(stream.info().producer_keys == 0);
  SECTION("erase makes room") { REQUIRE(stream.erase(stream.range().front().id) == 1); }
  SECTION("trim makes room") { REQUIRE(stream.trim({.max_len = 1}) == 1U); }
  CHECK(stream.add(3, {.producer = "p", .key = "k"}));
  CHECK(error_of(stream.add(4)) == Errc::full);
  CHECK(values_of(stream.range()) == Ints{2, 3});
}

TEST_CASE("Bounded stream: a value that was rejected is still the caller's") {
  Stream<std::unique_ptr<int>> stream({.capacity = 1});
  REQUIRE(stream.add(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  CHECK(error_of(stream.add(std::move(second))) == Errc::full);
  CHECK(*second == 2);
}

TEST_CASE("Bounded stream: an add that fails for another reason takes no room") {
  Stream<int> stream({.capacity = 2});
  REQUIRE(stream.add(Id{5, 0}, 1));
  for (int i = 0; i < 5; ++i) CHECK(error_of(stream.add(Id{4, 0}, 2)) == Errc::id_too_small);
  CHECK(stream.add(2));
}

TEST_CASE("Bounded stream: a batch fits as a whole or not at all") {
  Stream<int> stream({.capacity = 3, .overflow = Overflow::block});
  REQUIRE(stream.add(1));
  CHECK(error_of(stream.add_range(Ints{2, 3, 4}, 0s)) == Errc::full);
  CHECK(stream.size() == 1);
  CHECK(error_of(stream.add_range(Ints{2, 3, 4, 5})) == Errc::full);  // never fits, so it does not wait
  CHECK(stream.add_range(Ints{2, 3}));
}

TEST_CASE("Bounded stream: drops the oldest") {
  Stream<int> stream({.capacity = 2, .overflow = Overflow::drop_oldest});
  REQUIRE(stream.add_range(Ints{1, 2, 3}));
  REQUIRE(stream.add(4));
  CHECK(values_of(stream.range()) == Ints{3, 4});
}

TEST_CASE("Bounded stream: with a smaller max_len there is always room") {
  Stream<int> stream({.max_len = 2, .capacity = 2});
  for (int i = 1; i <= 5; ++i) REQUIRE(stream.add(i));
  CHECK(values_of(stream.range()) == Ints{4, 5});
}

TEST_CASE("Bounded stream: an add that blocks goes on when there is room") {
  WatchedClock clock(start);
  Stream<int> stream({.capacity = 1, .overflow = Overflow::block, .clock = &clock});
  const Id first = stream.add(1).value();
  auto blocked = adding(stream, 2);
  clock.wait_for_sleepers(1);
  clock.advance(7ms);
  SECTION("erase") { REQUIRE(stream.erase(first) == 1); }
  SECTION("trim") { REQUIRE(stream.trim({.max_len = 0}) == 1U); }
  const auto added = blocked.get();
  REQUIRE(added);
  CHECK(added->ms == static_cast<std::uint64_t>(start.count()) + 7);  // the time when it was added
  CHECK(values_of(stream.range()) == Ints{2});
}

TEST_CASE("Bounded stream: an add that blocks ends") {
  WatchedClock clock(start);
  Stream<int> stream({.capacity = 1, .overflow = Overflow::block, .clock = &clock});
  REQUIRE(stream.add(1));
  SECTION("when the stream is closed") {
    auto blocked = adding(stream, 2);
    auto once = on_a_thread([&] { return stream.add(2, {.producer = "p", .key = "k"}); });
    clock.wait_for_sleepers(2);
    stream.close();
    CHECK(error_of(blocked.get()) == Errc::closed);
    CHECK(error_of(once.get()) == Errc::closed);
  }
  SECTION("when its time is up") {
    auto blocked = on_a_thread([&] { return stream.add(2, 5s); });
    clock.wait_for_sleepers(1);
    clock.advance(5s);
    CHECK(error_of(blocked.get()) == Errc::timed_out);
  }
  SECTION("when it is told to") {
    std::stop_source stop;
    auto blocked = on_a_thread([&] { return stream.add(2, Wait(forever, stop.get_token())); });
    clock.wait_for_sleepers(1);
    stop.request_stop();
    CHECK(error_of(blocked.get()) == Errc::cancelled);
  }
  CHECK(values_of(stream.range()) == Ints{1});
}

TEST_CASE("Bounded stream: forwarding does not wait for room") {
  Scene scene(1);
  Stream<int> next({.capacity = 1, .overflow = Overflow::block, .clock = &scene.clock});
  REQUIRE(next.add(0));
  const auto batch = *scene.group().consumer("a").read();
  CHECK(error_of(batch[0].forward(next, 1)) == Errc::full);
  REQUIRE(next.trim({.max_len = 0}) == 1U);
  CHECK(batch[0].forward(next, 1));
}

TEST_CASE("Bounded stream: never longer than its capacity, and nothing is lost") {
  constexpr int each = 2000;
  Stream<int> stream({.capacity = 5, .overflow = Overflow::block});
  std::atomic<bool> too_long{false};
  std::atomic<bool> over{false};
  std::vector<std::thread> producers;
  for (int p = 0; p < 3; ++p) {
    producers.emplace_back([&stream, p] {
      for (int i = 0; i < each; ++i) static_cast<void>(stream.add(p * each + i));
    });
  }
  std::thread watcher([&] {
    while (!over) {
      if (stream.size() > 5) too_long = true;
      std::this_thread::yield();
    }
  });
  std::vector<int> next(3, 0);
  bool in_order = true;
  for (int seen = 0; seen < 3 * each;) {
    const auto batch = stream.read(earliest, {.count = 3, .block = forever}).value();
    std::vector<Id> ids;
    for (const auto& [id, value] : batch) {
      in_order = in_order && next[static_cast<std::size_t>(value / each)]++ == value % each;
      ids.push_back(id);
      ++seen;
    }
    stream.erase(ids);
  }
  for (auto& producer : producers) producer.join();
  over = true;
  watcher.join();
  CHECK(in_order);
  CHECK_FALSE(too_long);
  CHECK(stream.empty());
}

TEST_CASE("Age: entries go when they are too old, without another add") {
  WatchedClock clock(start);
  Stream<int> stream({.max_age = 10s, .clock = &clock});
  REQUIRE(stream.add(1));
  clock.advance(5s);
  REQUIRE(stream.add(2));
  clock.advance(5s);
  CHECK(values_of(stream.range()) == Ints{1, 2});
  clock.advance(1ms);
  CHECK(values_of(stream.range()) == Ints{2});
  clock.advance(5s);
  SECTION("size") { CHECK(stream.empty()); }
  SECTION("rev_range") { CHECK(stream.rev_range().empty()); }
  SECTION("read") { CHECK(stream.read(earliest)->empty()); }
  SECTION("info") { CHECK(stream.info().length == 0); }
  SECTION("a group") { CHECK(stream.create_group("g", earliest)->consumer("a").read()->empty()); }
  SECTION("an add") {
    REQUIRE(stream.add(3));
    CHECK(stream.size() == 1);
  }
}

TEST_CASE("Age: a wall clock that steps back brings nothing back, and one that steps on takes it away") {
  WatchedClock clock(start);
  Stream<int> stream({.max_age = 10s, .clock = &clock});
  REQUIRE(stream.add(1));
  clock.set_unix(start + 20s);
  CHECK(stream.empty());
  clock.set_unix(start);
  CHECK(stream.empty());
  REQUIRE(stream.add(2));
  CHECK(stream.size() == 1);
}

TEST_CASE("Age: makes room in a bounded stream") {
  WatchedClock clock(start);
  Stream<int> stream({.capacity = 1, .max_age = 10s, .clock = &clock});
  REQUIRE(stream.add(1));
  CHECK(error_of(stream.add(2)) == Errc::full);
  clock.advance(11s);
  CHECK(stream.add(2));
}

TEST_CASE("Age: an add that waits for room gets that of an entry that grows too old") {
  WatchedClock clock(start);
  Stream<int> stream({.capacity = 1, .overflow = Overflow::block, .max_age = 10s, .clock = &clock});
  REQUIRE(stream.add(1));
  auto blocked = adding(stream, 2);
  clock.wait_for_sleepers(1);
  clock.advance(10s + 1ms);
  CHECK(blocked.get());
  CHECK(values_of(stream.range()) == Ints{2});
}

TEST_CASE("Age: a wall clock that steps on and back does not make new entries old") {
  WatchedClock clock(start);
  Stream<int> stream({.max_len = 10, .max_age = 10s, .clock = &clock});
  clock.set_unix(start + 1h);
  CHECK(stream.empty());
  clock.set_unix(start);
  for (int i = 1; i <= 15; ++i) REQUIRE(stream.add(i));
  CHECK(values_of(stream.range()) == numbers(6, 15));
  clock.advance(10s + 1ms);
  CHECK(stream.empty());
}

TEST_CASE("Bounded stream: an approximate max_len does not undo the capacity") {
  const auto overflow = GENERATE(Overflow::reject, Overflow::drop_oldest);
  Stream<int> stream({.max_len = 5, .approximate = true, .capacity = 10, .overflow = overflow});
  for (int i = 0; i < 3000; ++i) {
    static_cast<void>(stream.add(i));
    REQUIRE(stream.size() <= 10);
  }
  CHECK(stream.info().capacity == 10);
}

TEST_CASE("Bounded stream: full while others remove and add, but never too full") {
  Stream<int> stream({.capacity = 2});
  std::atomic<bool> too_long{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        static_cast<void>(stream.add(i));
        if (i % 2 == 0) static_cast<void>(stream.trim({.max_len = 0}));
        if (stream.size() > 2) too_long = true;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK_FALSE(too_long);
}

TEST_CASE("Bounded stream: without any room nothing is ever added") {
  Stream<int> stream({.capacity = 0, .overflow = Overflow::block});
  CHECK(error_of(stream.add(1)) == Errc::full);
  CHECK(error_of(stream.add(1, {.producer = "p", .key = "k"})) == Errc::full);
}

TEST_CASE("Bounded stream: a value that cannot be forwarded, or added once, is still the caller's") {
  Scene scene(1);
  Stream<std::unique_ptr<int>> next({.capacity = 0});
  auto value = std::make_unique<int>(7);
  const auto batch = *scene.group().consumer("a").read();
  CHECK(error_of(batch[0].forward(next, std::move(value))) == Errc::full);
  CHECK(error_of(next.add(std::move(value), {.producer = "p", .key = "k"})) == Errc::full);
  REQUIRE(value != nullptr);
  CHECK(*value == 7);
}

TEST_CASE("Dead letters: a full stream that would block refuses them") {
  Scene scene(1);
  Stream<int> dead({.capacity = 1, .overflow = Overflow::block, .clock = &scene.clock});
  REQUIRE(dead.add(0));
  const auto group = scene.group({.dead_letter = &dead});
  const auto batch = *group.consumer("a").read();
  CHECK(batch[0].nack({.fatal = true}));
  CHECK(group.info()->returned == 1);
}

TEST_CASE("Max age: what is added with an id that is too old leaves at once") {
  ManualClock clock(1'000'000ms);
  Stream<int> stream({.capacity = GENERATE(as<std::uint64_t>{}, unlimited, 4), .max_age = 10s, .clock = &clock});
  CHECK(stream.empty());  // and the stream has seen the time
  REQUIRE(stream.add(Id{5, 1}, 1));
  CHECK(stream.empty());
  REQUIRE(stream.add(AutoSeq{989'999}, 2));
  CHECK(stream.empty());
  REQUIRE(stream.add(Id{990'000, 1}, 3));
  CHECK(stream.size() == 1);
  CHECK(stream.info().entries_added == 3);
}

}  // namespace bounded_test
