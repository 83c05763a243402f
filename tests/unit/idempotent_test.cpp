// idempotent_test.cpp — adds with a producer and a key, which are made once.
#include <brook/stream.hpp>

#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "scene.hpp"

namespace idempotent_test {

namespace {

using namespace brook;
using namespace brook::test;

struct Order {
  int number = 0;
  std::vector<int> lines{};
};

}  // namespace

TEST_CASE("Idempotent add: the second time answers the id of the first") {
  WatchedClock clock(start);
  Stream<int> stream({.clock = &clock});
  const auto first = stream.add(1, {.producer = "p", .key = "k"});
  REQUIRE(first);
  clock.advance(1s);
  CHECK(stream.add(2, {.producer = "p", .key = "k"}) == first);
  CHECK(values_of(stream.range()) == Ints{1});
  CHECK(stream.add(3, {.producer = "q", .key = "k"}) != first);
  CHECK(stream.add(4, {.producer = "p", .key = "l"}) != first);
  CHECK(values_of(stream.range()) == Ints{1, 3, 4});
  CHECK(stream.info().producers == 2);
  CHECK(stream.info().producer_keys == 3);
  CHECK(stream.info().duplicates == 1);
}

TEST_CASE("Idempotent add: the id stays also when the entry has gone, or the stream is closed") {
  WatchedClock clock(start);
  Stream<int> stream({.clock = &clock});
  const auto first = stream.add(1, {.producer = "p", .key = "k"});
  REQUIRE(stream.erase(*first) == 1);
  CHECK(stream.add(1, {.producer = "p", .key = "k"}) == first);
  stream.close();
  CHECK(stream.add(1, {.producer = "p", .key = "k"}) == first);
  CHECK(error_of(stream.add(1, {.producer = "p", .key = "new"})) == Errc::closed);
  CHECK(stream.info().producer_keys == 1);
  CHECK(stream.empty());
}

TEST_CASE("Idempotent add: by content") {
  Stream<std::string> words;
  const auto first = words.add("a", {.producer = "p"});
  CHECK(words.add("a", {.producer = "p"}) == first);
  CHECK(words.add("b", {.producer = "p"}) != first);
  CHECK(words.add("", {.producer = "p"}));
  CHECK(words.add("c", {.producer = "p", .key = "a"}) != first);
  CHECK(words.size() == 4);
  Stream<int> numbers;
  REQUIRE(numbers.add(1, {.producer = "p"}));
  REQUIRE(numbers.add(1, {.producer = "p"}));
  REQUIRE(numbers.add(2, {.producer = "p"}));
  CHECK(numbers.size() == 2);
}

TEST_CASE("Idempotent add: what has no content needs a key, and empty names are none") {
  Stream<Order> orders;
  CHECK(error_of(orders.add(Order{1}, {.producer = "p"})) == Errc::invalid_argument);
  CHECK(error_of(orders.add(Order{1}, {.producer = "", .key = "k"})) == Errc::invalid_argument);
  CHECK(error_of(orders.add(Order{1}, {.producer = "p", .key = ""})) == Errc::invalid_argument);
  CHECK(orders.empty());
  CHECK(orders.add(Order{1}, {.producer = "p", .key = "k"}));
}

TEST_CASE("Idempotent add: a key is known for the window's duration, whatever the wall clock does") {
  WatchedClock clock(start);
  Stream<int> stream({.clock = &clock, .idempotency = {.duration = 10s}});
  REQUIRE(stream.add(Id{999'999'999, 0}, 0));  // the ids are far ahead of the clock
  const auto first = stream.add(1, {.producer = "p", .key = "k"});
  clock.set_unix(5s);
  clock.advance(9s);
  CHECK(stream.add(1, {.producer = "p", .key = "k"}) == first);
  clock.advance(1s);
  const auto second = stream.add(1, {.producer = "p", .key = "k"});
  CHECK(second != first);
  CHECK(stream.add(1, {.producer = "p", .key = "k"}) == second);
  CHECK(stream.info().producer_keys == 1);
}

TEST_CASE("Idempotent add: of each producer so many keys are known") {
  Stream<int> stream({.idempotency = {.keys = 2}});
  const auto first = stream.add(1, {.producer = "p", .key = "1"});
  const auto second = stream.add(2, {.producer = "p", .key = "2"});
  REQUIRE(stream.add(1, {.producer = "q", .key = "1"}));
  REQUIRE(stream.add(3, {.producer = "p", .key = "3"}));
  CHECK(stream.add(2, {.producer = "p", .key = "2"}) == second);
  CHECK(stream.add(1, {.producer = "p", .key = "1"}) != first);
  CHECK(stream.info().producers == 2);
  CHECK(stream.info().producer_keys == 3);
}

TEST_CASE("Idempotent add: of many threads that add the same, one adds it") {
  Stream<std::uint64_t> stream;
  std::vector<std::vector<Id>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&stream, &mine] {
      for (std::uint64_t i = 0; i < 100; ++i) mine.push_back(stream.add(i, {.producer = "p"}).value());
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(stream.size() == 100);
  for (const auto& mine : got) CHECK(mine == ids_of(stream.range()));
}

TEST_CASE("Idempotent add: known for ever") {
  WatchedClock clock(start);
  Stream<int> stream({.clock = &clock, .idempotency = {.duration = std::chrono::milliseconds::max()}});
  const auto first = stream.add(1, {.producer = "p", .key = "k"});
  clock.advance(24h);
  CHECK(stream.add(1, {.producer = "p", .key = "k"}) == first);
}

// As a snapshot reads them. It must not stand on one that is gone, which AddressSanitizer sees.
TEST_CASE("who reads keys stands on none that is forgotten, be it behind all that is read") {
  stream::Producers producers({.keys = 1});
  std::uint64_t last = 0;
  const auto add = [&] {
    stream::Producers::Draft draft(producers, "p", std::to_string(++last), {});
    draft.keep(Id{last, 0});
  };
  add();
  stream::Producers::Reading reading;
  reading.begin(producers);
  for (int i = 0; i < 3; ++i) add();  // each forgets the one before it
  CHECK_FALSE(reading.take(10));
  reading.end();
  REQUIRE(reading.taken().size() == 1);
  CHECK(reading.taken().front().key == "1");
  CHECK_FALSE(reading.failed());
}

}  // namespace idempotent_test
