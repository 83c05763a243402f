// ordered_test.cpp — groups that deliver in the order of a key, and groups that bound what is in flight.
#include <brook/group.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "../catch.hpp"
#include "scene.hpp"

namespace ordered_test {

namespace {

using namespace brook;
using namespace brook::test;

// Keys 1 to 9: the tens of a value do not count.
const GroupOptions<int> by_last_digit{.ordered_by = [](int value) { return value % 10; }};

Stream<int>& fill(Stream<int>& stream, const Ints& values) {
  for (const int value : values) REQUIRE(stream.add(value));
  return stream;
}

}  // namespace

TEST_CASE("Ordered group: one entry of each key at a time, other keys go on") {
  Scene scene(0);
  fill(scene.stream, {11, 21, 12, 31, 22, 13});
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto first = *a.read({.count = 2});
  CHECK(values_of(first) == Ints{11, 12});
  const auto second = *b.read();
  CHECK(values_of(second) == Ints{13});
  CHECK(a.read()->empty());
  CHECK(group.pending()->count == 3);
  CHECK(group.info()->lag == 3);
  CHECK(first[0].ack());
  const auto third = *b.read();
  CHECK(values_of(third) == Ints{21});
  CHECK(counts_of(third) == Counts{1});
  CHECK(b.read()->empty());
  CHECK(first.ack() == 1);
  CHECK(third.ack() == 1);
  CHECK(values_of(*a.read()) == Ints{31, 22});
  CHECK(group.info()->lag == 0);
}

TEST_CASE("Ordered group: an acknowledgement wakes who waits for the next of the key") {
  Scene scene(0);
  fill(scene.stream, {11, 21, 31});
  const auto group = scene.group(by_last_digit);
  const auto first = *group.consumer("a").read();
  auto second = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  SECTION("by its delivery") { CHECK(first.ack() == 1); }
  SECTION("by its id") { CHECK(group.ack(first[0].id()) == 1); }
  SECTION("because it died") { CHECK(first[0].nack({.fatal = true})); }
  SECTION("because its consumer was deleted") { CHECK(group.delete_consumer("a", Orphans::drop) == 1U); }
  CHECK(values_of(second.get()) == Ints{21});
}

TEST_CASE("Ordered group: an entry that came back keeps those behind it waiting") {
  Scene scene(0);
  fill(scene.stream, {11, 21, 12});
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto first = *a.read({.count = 1});
  SECTION("nack with a delay") {
    CHECK(first[0].nack({.delay = 5s}));
    CHECK(values_of(*b.read()) == Ints{12});
    CHECK(b.read()->empty());
    scene.clock.advance(5s);
    const auto again = *b.read();
    CHECK(values_of(again) == Ints{11});
    CHECK(counts_of(again) == Counts{2});
    CHECK(again.ack() == 1);
  }
  SECTION("claim") {
    const auto claimed = *b.claim({first[0].id()});
    CHECK(values_of(*b.read()) == Ints{12});
    CHECK(claimed.ack() == 1);
    CHECK_FALSE(first[0].ack());
  }
  SECTION("a deleted consumer") {
    CHECK(group.delete_consumer("a") == 1U);
    CHECK(values_of(*b.read({.count = 1})) == Ints{11});
    CHECK(values_of(*b.read()) == Ints{12});
    CHECK(b.history()->ack() == 2);
  }
  CHECK(values_of(*b.read()) == Ints{21});
}

TEST_CASE("Ordered group: an entry that visibility takes away is still the first of its key") {
  Scene scene(0);
  fill(scene.stream, {11, 21});
  auto options = by_last_digit;
  options.visibility = 10s;
  const auto group = scene.group(options);
  static_cast<void>(group.consumer("a").read());
  auto second = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(10s);
  CHECK(values_of(second.get()) == Ints{11});
}

TEST_CASE("Ordered group: what leaves the stream makes way") {
  Scene scene(0);
  fill(scene.stream, {11, 21, 31, 41});
  const auto ids = ids_of(scene.stream.range());
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  const auto first = *a.read();
  REQUIRE(scene.stream.erase(ids[1]) == 1);
  CHECK(group.info()->lag == 2);
  SECTION("while it waits") {
    CHECK(first.ack() == 1);
    CHECK(values_of(*a.read()) == Ints{31});
    CHECK(group.info()->lag == 1);
  }
  SECTION("while it is pending, and comes back") {
    REQUIRE(scene.stream.erase(ids[0]) == 1);
    CHECK(first[0].nack());
    CHECK(values_of(*a.read()) == Ints{31});
    CHECK(group.pending()->count == 1);
  }
}

TEST_CASE("Ordered group: a dead letter makes way, unless it is refused") {
  Scene scene(0);
  fill(scene.stream, {11, 21});
  Stream<int> dead({.clock = &scene.clock});
  auto options = by_last_digit;
  options.max_deliveries = 1;
  options.dead_letter = &dead;
  const auto group = scene.group(options);
  const auto a = group.consumer("a");
  const auto first = *a.read();
  SECTION("taken") {
    CHECK(first[0].nack());
    CHECK(values_of(dead.range()) == Ints{11});
    CHECK(values_of(*a.read()) == Ints{21});
  }
  SECTION("refused") {
    dead.close();
    CHECK(first[0].nack());
    CHECK(a.read()->empty());
    CHECK(group.pending()->count == 1);
    scene.clock.advance(1s);
    CHECK(values_of(*a.read()) == Ints{11});
  }
}

TEST_CASE("Ordered group: moved back it delivers again what is done with, and not what is pending") {
  Scene scene(0);
  fill(scene.stream, {11, 21, 31, 12});
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  CHECK(a.read({.count = 1})->ack() == 1);
  const auto pending = *a.read({.count = 1});
  CHECK(values_of(pending) == Ints{21});
  REQUIRE(group.set_id(earliest));
  CHECK(group.info()->lag == 4);
  CHECK(values_of(*a.read()) == Ints{12});
  CHECK(pending.ack() == 1);
  const auto again = *a.read();
  CHECK(values_of(again) == Ints{11});
  CHECK(again.ack() == 1);
  CHECK(values_of(*a.read()) == Ints{31});
}

TEST_CASE("Ordered group: moved forward it does not deliver what waited") {
  Scene scene(0);
  fill(scene.stream, {11, 21, 31});
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  const auto first = *a.read();
  CHECK(a.read()->empty());
  REQUIRE(group.set_id(latest));
  CHECK(group.info()->lag == 0);
  CHECK(first.ack() == 1);
  CHECK(a.read()->empty());
  fill(scene.stream, {41});
  CHECK(values_of(*a.read()) == Ints{41});
}

TEST_CASE("Ordered group: closed only when nothing waits any more") {
  Scene scene(0);
  fill(scene.stream, {11, 21});
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  const auto first = *a.read();
  scene.stream.close();
  auto b = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  auto c = reading(group.consumer("c"), {.block = forever});
  scene.clock.wait_for_sleepers(2);
  CHECK(first.ack() == 1);
  CHECK(values_of(b.get()) == Ints{21});
  CHECK(error_of(c.get()) == Errc::closed);
  CHECK(error_of(a.read()) == Errc::closed);
}

TEST_CASE("Ordered group: what cannot keep the order is refused") {
  Scene scene(3);
  const auto group = scene.group(by_last_digit);
  const auto a = group.consumer("a");
  CHECK(error_of(a.read({.no_ack = true})) == Errc::invalid_argument);
  CHECK(error_of(a.claim({id(1)}, {.force = true})) == Errc::invalid_argument);
  CHECK(group.info()->lag == 3);
}

TEST_CASE("Ordered group: a key function that throws takes nothing with it") {
  Scene scene(0);
  fill(scene.stream, {11, 12, 13});
  bool fails = true;
  const auto group = scene.group({.ordered_by = [&fails](int value) {
    if (fails && value == 12) throw std::runtime_error("no key");
    return value % 10;
  }});
  const auto a = group.consumer("a");
  CHECK_THROWS_AS(a.read(), std::runtime_error);
  CHECK(group.pending()->count == 0);
  CHECK(group.info()->lag == 3);
  fails = false;
  CHECK(values_of(*a.read()) == Ints{11, 12, 13});
}

TEST_CASE("Ordered group: keys of any type that has a hash") {
  WatchedClock clock;
  Stream<std::string> words({.clock = &clock});
  for (const char* word : {"apple", "avocado", "banana"}) REQUIRE(words.add(word));
  const auto group =
      words.create_group("g", earliest, {.ordered_by = [](const std::string& word) { return word.substr(0, 1); }});
  CHECK(values_of(*group->consumer("a").read()) == std::vector<std::string>{"apple", "banana"});
}

// Random consumers that acknowledge, give back, claim, die and are deleted, on a clock that moves: whatever they do, of
// each key one entry is out at a time, and the entries of a key are done with in their order.
TEST_CASE("Ordered group: the order holds whatever happens") {
  const auto seed = GENERATE(range(1U, 31U));
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Scene scene(0);
  auto options = by_last_digit;
  options.visibility = seed % 3 == 0 ? 20ms : 0ms;
  options.max_in_flight = seed % 4 == 0 ? 3 : 0;
  const auto group = scene.group(options);
  std::vector<Deliveries<int>> held;
  std::map<int, Ints> done;
  std::map<int, Ints> added;
  int made = 0;
  const auto consumer = [&] { return group.consumer(std::string(1, static_cast<char>('a' + below(4)))); };
  const auto hold = [&](expected<Deliveries<int>, Errc> batch) {
    REQUIRE(batch);
    if (!batch->empty()) held.push_back(*std::move(batch));
  };
  const auto check_one_of_each_key = [&] {
    std::set<int> keys;
    const auto pending = *group.pending(PendingOptions{});
    for (const auto& entry : pending) {
      const auto found = scene.stream.range(entry.id, entry.id);
      if (!found.empty()) CHECK(keys.insert(found.front().value % 10).second);
    }
    if (options.max_in_flight > 0) {
      const auto out = std::ranges::count_if(pending, [](const auto& entry) { return !entry.consumer.empty(); });
      CHECK(static_cast<std::size_t>(out) <= options.max_in_flight);
    }
  };
  const auto acknowledge = [&](const Delivery<int>& delivery) {
    if (delivery.ack()) done[*delivery % 10].push_back(*delivery);
  };
  for (int step = 0; step < 300; ++step) {
    switch (below(9)) {
      case 0:
      case 1: {
        const int value = 10 * ++made + static_cast<int>(below(3));
        REQUIRE(scene.stream.add(value));
        added[value % 10].push_back(value);
        break;
      }
      case 2:
      case 3: hold(consumer().read({.count = 1 + below(3)})); break;
      case 4:
      case 5:
        if (!held.empty()) {
          const std::size_t which = below(held.size());
          for (const auto& delivery : held[which]) acknowledge(delivery);
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
        }
        break;
      case 6:
        if (!held.empty()) {
          const auto& batch = held[below(held.size())];
          for (const auto& delivery : batch)
            static_cast<void>(delivery.nack({.delay = std::chrono::milliseconds(below(10))}));
        }
        break;
      case 7: scene.clock.advance(std::chrono::milliseconds(below(15))); break;
      default:
        if (below(3) == 0) REQUIRE(group.delete_consumer(std::string(1, static_cast<char>('a' + below(4)))));
        else if (options.max_in_flight == 0) hold(consumer().auto_claim({.min_idle = 5ms})->deliveries);
    }
    check_one_of_each_key();
  }
  held.clear();
  for (const char name : {'a', 'b', 'c', 'd'}) REQUIRE(group.delete_consumer(std::string(1, name)));
  scene.clock.advance(1s);
  const auto last = group.consumer("last");
  for (;;) {
    const auto batch = *last.read();
    if (batch.empty()) break;
    for (const auto& delivery : batch) acknowledge(delivery);
  }
  CHECK(done == added);
  CHECK(group.info()->lag == 0);
  CHECK(group.pending()->count == 0);
}

TEST_CASE("In flight: a group and a consumer have so many at a time") {
  Scene scene(10);
  const auto group = scene.group({.max_in_flight = 4, .max_in_flight_of_consumer = 3});
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto mine = *a.read();
  CHECK(values_of(mine) == Ints{1, 2, 3});
  CHECK(a.read()->empty());
  const auto others = *b.read();
  CHECK(values_of(others) == Ints{4});
  CHECK(b.read()->empty());
  CHECK(mine[1].ack());
  CHECK(values_of(*b.read()) == Ints{5});
  CHECK(a.read()->empty());
  CHECK(group.ack({id(1), id(3)}) == 2);
  CHECK(values_of(*a.read()) == Ints{6, 7});
  CHECK(others[0].nack());
  CHECK(values_of(*a.read()) == Ints{4});
  CHECK(group.delete_consumer("b") == 1U);
  CHECK(b.read()->size() == 1);
}

TEST_CASE("In flight: who waits for room is woken by an acknowledgement, whoever stands before it") {
  Scene scene(6);
  const auto group = scene.group({.max_in_flight_of_consumer = 1});
  const auto mine = *group.consumer("a").read();
  const auto others = *group.consumer("b").read();
  auto a = reading(group.consumer("a"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  auto b = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(2);
  CHECK(others.ack() == 1);
  CHECK(values_of(b.get()) == Ints{3});
  CHECK(mine.ack() == 1);
  CHECK(values_of(a.get()) == Ints{4});
}

TEST_CASE("In flight: an entry that is due does not keep a consumer without room awake") {
  Scene scene(2);
  const auto group = scene.group({.max_in_flight_of_consumer = 1});
  const auto a = group.consumer("a");
  const auto mine = *a.read();
  const auto others = *group.consumer("b").read();
  CHECK(others[0].nack());
  auto blocked = reading(a, {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(mine.ack() == 1);
  CHECK(values_of(blocked.get()) == Ints{2});
}

TEST_CASE("In flight: deliveries without acknowledgement take no room") {
  Scene scene(4);
  const auto group = scene.group({.max_in_flight = 1});
  const auto a = group.consumer("a");
  CHECK(a.read({.no_ack = true})->size() == 1);
  CHECK(a.read({.no_ack = true})->size() == 1);
  CHECK(values_of(*a.read()) == Ints{3});
  CHECK(a.read({.no_ack = true})->empty());
}

TEST_CASE("In flight: an entry that is delivered anew is counted once") {
  Scene scene(4);
  const auto group = scene.group({.max_in_flight = 2, .max_in_flight_of_consumer = 1});
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  SECTION("after the group was moved back") {
    static_cast<void>(a.read());
    REQUIRE(group.set_id(earliest));
    CHECK(values_of(*b.read()) == Ints{1});
  }
  SECTION("after it was claimed before its turn") {
    CHECK(a.claim({id(1)}, {.force = true})->size() == 1);
    CHECK(values_of(*b.read()) == Ints{1});
  }
  CHECK(group.ack(id(1)) == 1);
  CHECK(values_of(*a.read()) == Ints{2});
  CHECK(values_of(*b.read()) == Ints{3});
}

TEST_CASE("In flight and order: what a claim makes way for wakes who waits") {
  Scene scene(0);
  fill(scene.stream, {11, 21});
  auto options = by_last_digit;
  options.max_in_flight = 1;
  const auto group = scene.group(options);
  const auto first = *group.consumer("a").read();
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.stream.erase(first[0].id()) == 1);
  SECTION("claim") { CHECK(group.consumer("c").claim({first[0].id()})->empty()); }
  SECTION("auto_claim") { CHECK(group.consumer("c").auto_claim({})->deleted.size() == 1); }
  CHECK(values_of(blocked.get()) == Ints{21});
}

TEST_CASE("In flight: who had one taken from it has room again") {
  Scene scene(2);
  const auto group = scene.group({.max_in_flight_of_consumer = 1});
  const auto mine = *group.consumer("a").read();
  auto blocked = reading(group.consumer("a"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(group.consumer("b").claim({mine[0].id()})->size() == 1);
  CHECK(values_of(blocked.get()) == Ints{2});
}

TEST_CASE("In flight: closed is told also to who has no room") {
  Scene scene(1);
  const auto group = scene.group({.max_in_flight = 1});
  const auto batch = *group.consumer("a").read();
  scene.stream.close();
  CHECK(error_of(group.consumer("a").read({.block = forever})) == Errc::closed);
}

TEST_CASE("In flight: the handle of a deleted consumer sleeps as its successor does") {
  Scene scene(2);
  const auto group = scene.group({.max_in_flight_of_consumer = 1});
  const auto old = group.consumer("a");
  REQUIRE(group.delete_consumer("a"));
  const auto batch = *group.consumer("a").read();
  CHECK(group.consumer("b").read()->front().nack());
  auto blocked = reading(old, {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(batch.ack() == 1);
  CHECK(values_of(blocked.get()) == Ints{2});
}

TEST_CASE("Ordered group: a claim that moves the group on loses count of nothing") {
  Scene scene(5);
  const auto group = scene.group({.ordered_by = [](int) { return 0; }});
  const auto batch = *group.consumer("a").read();
  CHECK(group.consumer("b").read()->empty());
  REQUIRE(scene.stream.add(id(6), 6));
  REQUIRE(scene.stream.add(id(7), 7));
  REQUIRE(group.consumer("b").claim({}, {.last_id = id(6)}));
  CHECK(group.info()->lag == 1);
  CHECK(group.info()->lost == 0);
  CHECK(batch.ack() == 1);
  CHECK(values_of(*group.consumer("b").read()) == Ints{7});
}

TEST_CASE("Ordered group: a key function that throws for a waiter does not make a nack throw") {
  Scene scene(1);
  const auto group = scene.group({.ordered_by = [](int value) {
    if (value == 2) throw std::runtime_error("no key");
    return value;
  }});
  const auto batch = *group.consumer("a").read();
  auto blocked = on_a_thread([consumer = group.consumer("b")] {
    try {
      return consumer.read({.block = forever}).has_value();
    } catch (const std::runtime_error&) { return false; }
  });
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[0].nack());
  const bool got = blocked.get();
  CHECK(got);
}

}  // namespace ordered_test
