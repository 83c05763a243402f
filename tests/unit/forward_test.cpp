// forward_test.cpp — acknowledging here and adding there in one step.
#include <brook/stream.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "scene.hpp"

namespace forward_test {

namespace {

using namespace brook;
using namespace brook::test;

// Fails to be made when told to.
struct Fragile {
  explicit Fragile(bool fails) {
    if (fails) throw std::bad_alloc();
  }
};

}  // namespace

TEST_CASE("Forward: acknowledged here, added there") {
  Scene scene(2);
  Stream<std::string> next({.clock = &scene.clock});
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  const auto added = batch[0].forward(next, "one");
  REQUIRE(added);
  CHECK(ids_of(next.range()) == std::vector<Id>{*added});
  CHECK(values_of(next.range()) == std::vector<std::string>{"one"});
  CHECK(group.pending()->count == 1);
  CHECK_FALSE(batch[0].ack());
  CHECK(error_of(batch[0].forward(next, "again")) == Errc::not_pending);
  CHECK(next.size() == 1);
}

TEST_CASE("Forward: to the stream that it comes from") {
  Scene scene(1);
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  REQUIRE(batch[0].forward(scene.stream, 2));
  CHECK(values_of(scene.stream.range()) == Ints{1, 2});
  CHECK(values_of(*group.consumer("a").read()) == Ints{2});
}

TEST_CASE("Forward: not of an entry that somebody else has by now") {
  Scene scene(1);
  Stream<int> next({.clock = &scene.clock});
  const auto group = scene.group();
  const auto mine = *group.consumer("a").read();
  const auto claimed = *group.consumer("b").claim({id(1)});
  CHECK(error_of(mine[0].forward(next, 1)) == Errc::not_pending);
  CHECK(next.empty());
  CHECK(claimed[0].forward(next, 2));
  CHECK(values_of(next.range()) == Ints{2});
}

TEST_CASE("Forward: what cannot be added stays pending as it was") {
  Scene scene(2);
  const auto group = scene.group({.max_in_flight = 1});
  const auto a = group.consumer("a");
  const auto batch = *a.read();
  SECTION("closed") {
    Stream<int> next({.clock = &scene.clock});
    next.close();
    CHECK(error_of(batch[0].forward(next, 1)) == Errc::closed);
  }
  SECTION("a value that throws") {
    Stream<Fragile> next({.clock = &scene.clock});
    CHECK_THROWS_AS(batch[0].forward(next, true), std::bad_alloc);
    CHECK(next.empty());
  }
  CHECK(group.pending(PendingOptions{})->front().consumer == "a");
  CHECK(a.read()->empty());
  CHECK(batch[0].ack());
  CHECK(a.read()->size() == 1);
}

TEST_CASE("Forward: without acknowledgement there is nothing to forward") {
  Scene scene(1);
  Stream<int> next({.clock = &scene.clock});
  const auto batch = *scene.group().consumer("a").read({.no_ack = true});
  CHECK(error_of(batch[0].forward(next, 1)) == Errc::not_pending);
  CHECK(next.empty());
}

TEST_CASE("Forward: the next of its key can be read") {
  Scene scene(2);
  Stream<int> next({.clock = &scene.clock});
  const auto group = scene.group({.ordered_by = [](int) { return 0; }});
  const auto a = group.consumer("a");
  const auto batch = *a.read();
  auto blocked = reading(a, {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[0].forward(next, 1));
  CHECK(values_of(blocked.get()) == Ints{2});
}

// Two threads settle each entry, one by forwarding, one by acknowledging: exactly one of them does, and who finds that it
// was not the one finds what the other has added.
TEST_CASE("Forward: at one instant, also for who acknowledges without a lock") {
  constexpr int entries = 2000;
  Scene scene(entries);
  Stream<int> next({.clock = &scene.clock});
  Stream<int> closed({.clock = &scene.clock});
  closed.close();
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  std::atomic<int> acknowledged{0};
  std::atomic<int> missing{0};
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> over{0};
  std::thread other([&] {
    for (std::size_t i = 0; i < entries; ++i) {
      while (begun.load() <= i) std::this_thread::yield();
      if (batch[i].ack()) ++acknowledged;
      else if (const auto last = next.rev_range(Id::max(), Id::min(), 1);
               last.empty() || last.front().value != static_cast<int>(i))
        ++missing;
      over.store(i + 1);
    }
  });
  int forwarded = 0;
  for (std::size_t i = 0; i < entries; ++i) {
    begun.store(i + 1);
    CHECK(error_of(batch[i].forward(closed, 0)).has_value());
    if (batch[i].forward(next, static_cast<int>(i))) ++forwarded;
    while (over.load() <= i) std::this_thread::yield();
  }
  other.join();
  CHECK(forwarded + acknowledged == entries);
  CHECK(missing == 0);
  CHECK(next.size() == static_cast<std::uint64_t>(forwarded));
  CHECK(group.pending()->count == 0);
}

// Consumers die at random points of a pipeline of three stages; what they had is claimed by others. In the end each input
// has had its effect exactly once.
TEST_CASE("Forward: a pipeline has each effect once, whoever dies") {
  const auto seed = GENERATE(range(1U, 6U));
  constexpr int inputs = 300;
  ManualClock clock(start);
  Stream<int> first({.clock = &clock});
  Stream<int> second({.clock = &clock});
  Stream<int> third({.clock = &clock});
  for (int i = 0; i < inputs; ++i) REQUIRE(first.add(i));
  std::atomic<int> deaths{0};
  // Works until there is nothing left, and dies now and then with what it has in hand.
  const auto work = [&](Stream<int>& from, Stream<int>& to, unsigned who) {
    const auto group = from.group("stage").value();
    std::mt19937 random(seed * 100 + who);
    for (int life = 0;; ++life) {
      const auto me = group.consumer(std::to_string(who) + '-' + std::to_string(life));
      for (bool alive = true; alive;) {
        auto batch = me.read({.count = 4, .claim_idle = std::chrono::milliseconds(0)}).value();
        if (to.size() == inputs) return;
        if (batch.empty()) std::this_thread::yield();
        for (const auto& delivery : batch) {
          if (random() % 16 == 0) {
            alive = false;  // what is left of the batch stays pending
            ++deaths;
            break;
          }
          static_cast<void>(delivery.forward(to, *delivery + 1));
        }
      }
    }
  };
  REQUIRE(first.create_group("stage", earliest));
  REQUIRE(second.create_group("stage", earliest));
  std::vector<std::thread> threads;
  for (unsigned who = 0; who < 2; ++who) {
    threads.emplace_back(work, std::ref(first), std::ref(second), who);
    threads.emplace_back(work, std::ref(second), std::ref(third), 10 + who);
  }
  for (auto& thread : threads) thread.join();
  std::map<int, int> effects;
  for (const auto& [id, value] : third.range()) ++effects[value];
  CHECK(deaths > 0);
  REQUIRE(effects.size() == inputs);
  for (int i = 0; i < inputs; ++i) CHECK(effects[i + 2] == 1);
}

}  // namespace forward_test
