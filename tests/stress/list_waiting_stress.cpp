// Lists under real threads that wait most of the time: for elements, for room, for one of several lists, in chains of moves.
// Every element that was pushed comes out once, and nobody sleeps for ever.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#include "list_stress.hpp"
#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using std::chrono::microseconds;

// A bounded list: those who wait for room, and for elements.
template <class T>
void bounded(std::size_t threads, std::uint64_t each, std::size_t capacity, Overflow overflow) {
  BlockingList<T> list({.capacity = capacity, .overflow = overflow, .spin = microseconds(0)});
  std::vector<Seen<T>> in(threads, Seen<T>(threads));
  std::vector<Seen<T>> out(threads, Seen<T>(threads));
  Stops stops(2 * threads);
  const Rain rain(stops, [&] { expect(list.size() <= capacity, "a bounded list is never longer"); });
  Threads poppers;
  poppers.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 7);
    while (consume(list, Side::left, random, stops.wait(i, some_wait(random)), out[i])) {}
  });
  Threads pushers;
  pushers.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 8);
    for (std::uint64_t next = 0; next < each;) {
      const T value = Made<T>::make(i, next);
      if (random() % 4 == 0) {
        const auto pushed = list.try_rpush(value);
        expect(pushed || (pushed.error().error == Errc::full && pushed.error().value == value), "a value comes back");
        if (!pushed) continue;
      } else if (overflow == Overflow::block && random() % 2 == 0) {
        expect(list.rpush(value).has_value(), "a push waits until it succeeds");
      } else {
        const auto pushed = list.rpush(value, stops.wait(threads + i, some_wait(random)));
        expect(pushed || pushed.error() == Errc::cancelled || pushed.error() == Errc::timed_out ||
                   pushed.error() == Errc::full,
               "a push that waits ends in one of four ways");
        if (!pushed) continue;
      }
      in[i].note(i, next++);
    }
  });
  pushers.join();
  list.close();
  poppers.join();
  account(in, out);
}

// Consumers of several lists.
template <class T>
void several(std::size_t threads, std::uint64_t each) {
  BlockingList<T> a, b, c;
  BlockingList<T>* const lists[] = {&a, &b, &c};
  std::vector<Seen<T>> in(threads * 3, Seen<T>(threads * 3));
  std::vector<Seen<T>> out(threads, Seen<T>(threads * 3));
  Stops stops(threads);
  const Rain rain(stops);
  Threads poppers;
  poppers.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 9);
    Rotation turn;
    for (;;) {
      const Wait wait = stops.wait(i, some_wait(random));
      Errc failed = Errc::timed_out;
      const auto see = [&](std::size_t index, const T& value) {
        expect(Made<T>::producer(value) / threads == index, "an element is said to come from its list");
        out[i].see(value);
      };
      if (random() % 4 == 0) {
        const auto got = blmpop(wait, Side::left, 1 + random() % 4, a, b, c);
        for (std::size_t n = 0; got && n < got->values.size(); ++n) see(got->index, got->values[n]);
        if (!got) failed = got.error();
      } else {
        const auto got = random() % 2 == 0 ? blpop(wait, a, b, c) : blpop(wait, turn, a, b, c);
        if (got) see(got->index, got->value);
        else failed = got.error();
      }
      expect(may_end(failed), "a pop of several ends in one of three ways");
      if (failed == Errc::closed) return;
    }
  });
  Threads pushers;
  pushers.start(threads * 3, [&](std::size_t i) { produce(*lists[i / threads], Side::right, i, each, in[i]); });
  pushers.join();
  for (auto* const list : lists) list->close();
  poppers.join();
  account(in, out);
}

// Elements go round from A to B to C to A; movers mostly wait.
template <class T>
void chain(std::size_t threads, std::uint64_t moves, std::uint64_t elements) {
  BlockingList<T> lists[3];
  std::vector<Seen<T>> in(1, Seen<T>(1));
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> moved{0};
  Threads movers;
  movers.start(3 * threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 10);
    for (;;) {
      const auto got = lists[i % 3].blmove(lists[(i + 1) % 3], Side::left, Side::right, some_wait(random));
      if (got) ++moved;
      else if (got.error() == Errc::closed) return;
      else expect(got.error() == Errc::timed_out, "a move that waits ends in one of two ways");
    }
  });
  Threads watcher;
  watcher.start([&] {
    while (!done.load()) {
      for (auto& list : lists) expect(list.size() <= elements, "no element is at two places");
      std::this_thread::yield();
    }
  });
  for (std::uint64_t i = 0; i < elements; ++i) {
    expect(lists[i % 3].rpush(Made<T>::make(0, i)).has_value(), "a push succeeds");
    in[0].note(0, i);
  }
  while (moved.load() < moves) std::this_thread::yield();
  done = true;
  watcher.join();
  for (auto& list : lists) list.close();
  // Who waits for an element, and not for a close, learns of the latter when one comes, or his list is closed as well.
  movers.join();
  std::vector<Seen<T>> out(1, Seen<T>(1));
  for (auto& list : lists) {
    while (const auto value = list.lpop()) out[0].see(*value, false);
  }
  account(in, out);
}

template <class T>
void all(std::uint64_t work) {
  const std::uint64_t unit = work * (std::is_same_v<T, std::uint64_t> ? 40'000 : 20'000);
  for (const std::size_t threads : {1U, 2U, 4U}) {
    for (const Overflow overflow : {Overflow::reject, Overflow::block}) {
      bounded<T>(threads, unit / 8 / threads, 1, overflow);
      bounded<T>(threads, unit / 8 / threads, 5, overflow);
    }
    several<T>(threads, unit / threads / 3);
    chain<T>(threads, unit / 4, 1);
    chain<T>(threads, unit / 4, threads * 2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  all<std::uint64_t>(work);
  all<std::string>(work);
  return verdict("list_waiting_stress");
}
