#include <brook/stream.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <limits>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace stream_read_test {

namespace {

using namespace brook;
using namespace brook::test;

using Result = expected<Entries<int>, Errc>;

Id id(int i) { return {static_cast<std::uint64_t>(i), 0}; }

void fill(Stream<int>& stream, int n) {
  for (int i = 1; i <= n; ++i)
    if (!stream.add(id(i), i)) throw std::logic_error("not added");
}

// A read on a thread of its own.
std::future<Result> reading(const Stream<int>& stream, Position after, ReadOptions options) {
  return on_a_thread([&stream, after, options] { return stream.read(after, options); });
}

// A clock whose sleepers do not lose time to polling first.
struct Scene {
  WatchedClock clock{};
  Stream<int> stream{{.clock = &clock, .spin = std::chrono::microseconds(0)}};
};

}  // namespace

TEST_CASE("Stream read: what follows a position") {
  Stream<int> stream;
  CHECK(stream.read(earliest)->empty());
  CHECK(stream.read(latest)->empty());
  CHECK(stream.read(id(3))->empty());
  fill(stream, 5);
  CHECK(values_of(stream.read(earliest)) == numbers(1, 5));
  CHECK(values_of(stream.read(Id::min())) == numbers(1, 5));
  CHECK(values_of(stream.read(id(3))) == numbers(4, 5));
  CHECK(values_of(stream.read(Id{3, 1})) == numbers(4, 5));
  CHECK(values_of(stream.read(Id{2, std::numeric_limits<std::uint64_t>::max()})) == numbers(3, 5));
  CHECK(stream.read(id(5))->empty());
  CHECK(stream.read(Id{77, 7})->empty());
  CHECK(stream.read(Id::max())->empty());
  CHECK(stream.read(latest)->empty());
}

TEST_CASE("Stream read: after the largest id there is nothing, even when the stream holds it") {
  Stream<int> stream;
  REQUIRE(stream.add(Id::max(), 1));
  CHECK(stream.read(Id::max())->empty());
  CHECK(values_of(stream.read(Id::max().prev())) == numbers(1, 1));
  stream.close();
  CHECK(error_of(stream.read(Id::max())) == Errc::closed);
}

TEST_CASE("Stream read: at most count") {
  Stream<int> stream;
  fill(stream, 5);
  CHECK(stream.read(earliest, {.count = 0})->empty());
  CHECK(values_of(stream.read(earliest, {.count = 1})) == numbers(1, 1));
  CHECK(values_of(stream.read(id(2), {.count = 2})) == numbers(3, 4));
  CHECK(values_of(stream.read(id(2), {.count = 100})) == numbers(3, 5));
}

TEST_CASE("Stream read: count 0 reads nothing, without waiting") {
  Scene scene;
  CHECK(scene.stream.read(earliest, {.count = 0, .block = forever})->empty());
}

TEST_CASE("Stream read: what is there is returned at once, however long it might wait") {
  Scene scene;
  fill(scene.stream, 3);
  CHECK(values_of(scene.stream.read(id(1), {.block = forever})) == numbers(2, 3));
  CHECK(values_of(scene.stream.read(id(1), {.block = 1s})) == numbers(2, 3));
}

TEST_CASE("Stream read: page by page") {
  Stream<int> stream;
  REQUIRE(stream.add_range(numbers(1, 10'000)));
  stream.close();
  std::vector<int> seen;
  Id after = Id::min();
  for (;;) {
    const auto page = stream.read(after, {.count = 77, .block = forever});
    if (!page) {
      CHECK(page.error() == Errc::closed);
      break;
    }
    for (const auto& [at, value] : *page) seen.push_back(value);
    after = page->back().id;
  }
  CHECK(seen == numbers(1, 10'000));
}

TEST_CASE("Stream read: does not see what was removed") {
  Stream<int> stream;
  fill(stream, 6);
  CHECK(stream.erase({id(3), id(5)}) == 2);
  CHECK(*stream.trim({.max_len = 3}) == 1);
  CHECK(values_of(stream.read(earliest)) == std::vector<int>{2, 4, 6});
  CHECK(values_of(stream.read(id(2), {.count = 1})) == std::vector<int>{4});
}

TEST_CASE("Stream read: waits for an entry") {
  Scene scene;
  fill(scene.stream, 2);
  auto reader = reading(scene.stream, latest, {.block = forever});
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(id(3), 3));
  CHECK(values_of(reader.get()) == numbers(3, 3));
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Stream read: a range is one wake-up and comes whole") {
  Scene scene;
  auto reader = reading(scene.stream, earliest, {.block = forever});
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add_range(numbers(1, 5000)));
  CHECK(values_of(reader.get()) == numbers(1, 5000));
}

TEST_CASE("Stream read: every blocked reader gets every entry") {
  Scene scene;
  std::vector<std::future<Result>> readers;
  for (int i = 0; i < 5; ++i) readers.push_back(reading(scene.stream, latest, {.block = forever}));
  for (int i = 0; i < 3; ++i) readers.push_back(reading(scene.stream, earliest, {.count = 1, .block = 1h}));
  scene.clock.wait_for_sleepers(8);
  REQUIRE(scene.stream.add_range(numbers(1, 3)));
  for (int i = 0; i < 5; ++i) CHECK(values_of(readers[static_cast<std::size_t>(i)].get()) == numbers(1, 3));
  for (int i = 5; i < 8; ++i) CHECK(values_of(readers[static_cast<std::size_t>(i)].get()) == numbers(1, 1));
}

TEST_CASE("Stream read: from the latest, only what comes later") {
  Scene scene;
  fill(scene.stream, 3);
  auto reader = reading(scene.stream, latest, {.block = 1s});
  scene.clock.wait_for_sleepers(1);
  CHECK(scene.stream.erase(id(3)) == 1);
  CHECK(*scene.stream.trim({.max_len = 1}) == 1);
  REQUIRE(scene.stream.add(id(4), 4));
  CHECK(values_of(reader.get()) == numbers(4, 4));
}

TEST_CASE("Stream read: the latest is that of the call, though its entry is erased") {
  Scene scene;
  fill(scene.stream, 3);
  CHECK(scene.stream.erase(id(3)) == 1);
  CHECK(scene.stream.read(latest)->empty());
  auto reader = reading(scene.stream, latest, {.block = 1s});
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(1s);
  CHECK(reader.get()->empty());
}

TEST_CASE("Stream read: waits on for an id that entries do not reach") {
  Scene scene;
  fill(scene.stream, 3);
  auto reader = reading(scene.stream, id(10), {.block = forever});
  for (int i = 4; i <= 10; ++i) {
    scene.clock.wait_for_sleepers(1);
    REQUIRE(scene.stream.add(id(i), i));
  }
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(id(12), 12));
  CHECK(values_of(reader.get()) == numbers(12, 12));
}

TEST_CASE("Stream read: waits on when a bound removes what came") {
  ManualClock clock;
  Stream<int> stream({.max_len = 0, .clock = &clock});
  auto reader = clock.thread([&] { return stream.read(earliest, {.block = 5s}); });
  clock.run_until_idle();
  REQUIRE(stream.add(1));
  clock.run_until_idle();  // a reader that is awake could see what comes before it is removed
  REQUIRE(stream.add_range(numbers(1, 10)));
  clock.run_until_idle();
  CHECK_FALSE(reader.done());
  clock.advance(5s);
  CHECK(reader.get()->empty());
}

TEST_CASE("Stream read: an empty batch when the time is up, not before") {
  Scene scene;
  fill(scene.stream, 1);
  auto reader = reading(scene.stream, latest, {.block = 5s});
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(5s - 1ns);
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(1ns);
  const auto result = reader.get();
  REQUIRE(result);
  CHECK(result->empty());
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Stream read: each reader's time is its own") {
  Scene scene;
  auto short_one = reading(scene.stream, earliest, {.block = 1s});
  auto long_one = reading(scene.stream, earliest, {.block = 10s});
  auto endless = reading(scene.stream, earliest, {.block = forever});
  scene.clock.wait_for_sleepers(3);
  scene.clock.advance(1s);
  CHECK(short_one.get()->empty());
  scene.clock.wait_for_sleepers(2);
  scene.clock.advance(9s);
  CHECK(long_one.get()->empty());
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(24h * 365);
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(1));
  CHECK(values_of(endless.get()) == numbers(1, 1));
}

TEST_CASE("Stream read: entries that do not matter do not prolong the wait") {
  Scene scene;
  auto reader = reading(scene.stream, id(1'000'000), {.block = 10s});
  for (int i = 1; i <= 9; ++i) {
    scene.clock.wait_for_sleepers(1);
    scene.clock.advance(1s);
    REQUIRE(scene.stream.add(id(i), i));
  }
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(1s);
  CHECK(reader.get()->empty());
}

TEST_CASE("Stream read: until a time point of either clock") {
  Scene scene;
  auto steady = reading(scene.stream, earliest, {.block = scene.clock.now() + 2s});
  auto wall = reading(scene.stream, earliest, {.block = std::chrono::system_clock::time_point(1000ms + 3s)});
  scene.clock.wait_for_sleepers(2);
  scene.clock.advance(2s);
  CHECK(steady.get()->empty());
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(1s);
  CHECK(wall.get()->empty());
  CHECK(scene.stream.read(earliest, {.block = scene.clock.now()})->empty());
  CHECK(scene.stream.read(earliest, {.block = scene.clock.now() - 1s})->empty());
  CHECK(scene.stream.read(earliest, {.block = std::chrono::system_clock::time_point(1s)})->empty());
}

TEST_CASE("Stream read: zero and negative times do not wait") {
  Scene scene;
  CHECK(scene.stream.read(earliest, {.block = 0s})->empty());
  CHECK(scene.stream.read(earliest, {.block = -1s})->empty());
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Stream read: an entry and the end of the wait at once") {
  // Either may win; what came is never lost, and nothing else comes out.
  WatchedClock clock;
  for (int round = 0; round < 300; ++round) {
    Stream<int> stream({.clock = &clock});
    auto reader = reading(stream, earliest, {.block = 1s});
    while (clock.sleepers() == 0) std::this_thread::yield();
    auto adder = on_a_thread([&stream] { return stream.add(7).has_value(); });
    clock.advance(1s);
    const bool added = adder.get();
    const auto result = reader.get();
    REQUIRE(added);
    REQUIRE(result);
    REQUIRE((result->empty() || values_of(*result) == numbers(7, 7)));
    REQUIRE(values_of(stream.read(earliest)) == numbers(7, 7));
  }
}

TEST_CASE("Stream read: an entry that is there wins over a time that is up") {
  Scene scene;
  fill(scene.stream, 1);
  CHECK(values_of(scene.stream.read(earliest, {.block = scene.clock.now() - 1s})) == numbers(1, 1));
}

TEST_CASE("Stream read: closed, when nothing follows") {
  Stream<int> stream;
  fill(stream, 3);
  stream.close();
  CHECK(values_of(stream.read(earliest, {.block = forever})) == numbers(1, 3));
  CHECK(values_of(stream.read(id(2))) == numbers(3, 3));
  CHECK(error_of(stream.read(id(3), {.block = forever})) == Errc::closed);
  CHECK(error_of(stream.read(id(3))) == Errc::closed);
  CHECK(error_of(stream.read(latest)) == Errc::closed);
  CHECK(error_of(stream.read(id(1000))) == Errc::closed);
  CHECK(stream.erase(id(3)) == 1);
  CHECK(error_of(stream.read(id(2))) == Errc::closed);
  CHECK(*stream.trim({.max_len = 0}) == 2);
  CHECK(error_of(stream.read(earliest)) == Errc::closed);
}

TEST_CASE("Stream read: a new stream that was closed") {
  Stream<int> stream;
  stream.close();
  CHECK(error_of(stream.read(earliest, {.block = forever})) == Errc::closed);
}

TEST_CASE("Stream read: closing wakes everyone") {
  Scene scene;
  fill(scene.stream, 2);
  std::vector<std::future<Result>> readers;
  readers.push_back(reading(scene.stream, latest, {.block = forever}));
  readers.push_back(reading(scene.stream, id(2), {.block = 1h}));
  readers.push_back(reading(scene.stream, Id::max(), {.block = forever}));
  scene.clock.wait_for_sleepers(3);
  scene.stream.close();
  for (auto& reader : readers) CHECK(error_of(reader.get()) == Errc::closed);
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Stream read: an add and then close: the reader gets the entry first") {
  for (int round = 0; round < 200; ++round) {
    WatchedClock clock;
    Stream<int> stream({.clock = &clock});
    auto reader = reading(stream, earliest, {.block = forever});
    while (clock.sleepers() == 0) std::this_thread::yield();
    REQUIRE(stream.add(1));
    stream.close();
    REQUIRE(values_of(reader.get()) == numbers(1, 1));
  }
}

#ifdef __cpp_lib_jthread
TEST_CASE("Stream read: a stop request before the wait") {
  Scene scene;
  std::stop_source source;
  source.request_stop();
  CHECK(error_of(scene.stream.read(earliest, {.block = forever, .stop = source.get_token()})) == Errc::cancelled);
  CHECK(error_of(scene.stream.read(earliest, {.block = Wait(1s, source.get_token())})) == Errc::cancelled);
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Stream read: what is there wins over a stop request") {
  Scene scene;
  fill(scene.stream, 2);
  std::stop_source source;
  source.request_stop();
  CHECK(values_of(scene.stream.read(earliest, {.block = forever, .stop = source.get_token()})) == numbers(1, 2));
}

TEST_CASE("Stream read: a stop request during the wait ends the reads that have the token") {
  Scene scene;
  std::stop_source source;
  auto stopped = reading(scene.stream, earliest, {.block = forever, .stop = source.get_token()});
  auto stopped_too = reading(scene.stream, earliest, {.block = Wait(1h, source.get_token())});
  auto other = reading(scene.stream, earliest, {.block = forever});
  scene.clock.wait_for_sleepers(3);
  source.request_stop();
  CHECK(error_of(stopped.get()) == Errc::cancelled);
  CHECK(error_of(stopped_too.get()) == Errc::cancelled);
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.add(1));
  CHECK(values_of(other.get()) == numbers(1, 1));
}

TEST_CASE("Stream read: a stop request that meets the reader on its way to sleep is not missed") {
  for (int round = 0; round < 500; ++round) {
    WatchedClock clock;
    const Stream<int> stream({.clock = &clock, .spin = std::chrono::microseconds(0)});
    std::stop_source source;
    auto reader = reading(stream, earliest, {.block = forever, .stop = source.get_token()});
    if (round % 2 == 0) {
      while (clock.sleepers() == 0) std::this_thread::yield();
    }
    source.request_stop();
    REQUIRE(error_of(reader.get()) == Errc::cancelled);
  }
}

TEST_CASE("Stream read: a stop request and an entry at once") {
  for (int round = 0; round < 300; ++round) {
    WatchedClock clock;
    Stream<int> stream({.clock = &clock});
    std::stop_source source;
    auto reader = reading(stream, earliest, {.block = forever, .stop = source.get_token()});
    while (clock.sleepers() == 0) std::this_thread::yield();
    auto adder = on_a_thread([&stream] { return stream.add(7).has_value(); });
    source.request_stop();
    REQUIRE(adder.get());
    const auto result = reader.get();
    REQUIRE((result ? values_of(*result) == numbers(7, 7) : result.error() == Errc::cancelled));
    REQUIRE(values_of(stream.read(earliest)) == numbers(7, 7));
  }
}
#endif

TEST_CASE("Stream read: an add that meets a reader on its way to sleep is not missed") {
  for (const auto spin : {0us, 5us, 50us}) {
    for (int round = 0; round < 500; ++round) {
      WatchedClock clock;
      Stream<int> stream({.clock = &clock, .spin = spin});
      auto reader = reading(stream, earliest, {.block = forever});
      if (round % 2 == 0) {
        while (clock.sleepers() == 0) std::this_thread::yield();
      }
      REQUIRE(stream.add(round));
      REQUIRE(values_of(reader.get()) == numbers(round, round));
    }
  }
}

TEST_CASE("Stream read: on the machine's clock") {
  Stream<int> stream;
  auto reader = reading(stream, earliest, {.block = forever});
  auto timed = reading(stream, earliest, {.block = 1h});
  REQUIRE(stream.add(1));
  CHECK(values_of(reader.get()) == numbers(1, 1));
  CHECK(values_of(timed.get()) == numbers(1, 1));
  CHECK(stream.read(latest, {.block = 1ms})->empty());
  CoarseClock coarse;
  Stream<int> other({.clock = &coarse});
  REQUIRE(other.add(1));
  CHECK(other.read(latest, {.block = 1ms})->empty());
}

TEST_CASE("Stream read: one reader follows through many wake-ups") {
  Scene scene;
  constexpr int many = 2000;
  auto follower = on_a_thread([&scene] {
    std::vector<int> seen;
    Id after = Id::min();
    while (const auto batch = scene.stream.read(after, {.count = 3, .block = forever})) {
      for (const auto& [at, value] : *batch) seen.push_back(value);
      after = batch->back().id;
    }
    return seen;
  });
  bool refused = false;
  for (int i = 1; i <= many; ++i) {
    if (i % 100 == 0) scene.clock.wait_for_sleepers(1);
    refused = refused || !scene.stream.add(i);
  }
  scene.stream.close();
  CHECK(follower.get() == numbers(1, many));
  CHECK_FALSE(refused);
}

}  // namespace stream_read_test
