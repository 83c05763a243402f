// Lists under real threads: queues of either direction, with timeouts, stops and closes; rotation; mixed use. Every element
// that was pushed comes out once.
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

// Producers at one end, consumers at the other; with `early` the list is closed while they push.
template <class T>
void queue(std::size_t producers, std::size_t consumers, std::uint64_t each, Side in, bool early) {
  BlockingList<T> list({.spin = early ? microseconds(0) : default_spin});
  std::vector<Seen<T>> pushed(producers, Seen<T>(producers));
  std::vector<Seen<T>> popped(consumers + 1, Seen<T>(producers));
  Stops stops(consumers);
  const Rain rain(stops);
  Threads poppers;
  poppers.start(consumers, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 77);
    while (consume(list, opposite(in), random, stops.wait(i, some_wait(random)), popped[i])) {}
  });
  Threads pushers;
  pushers.start(producers, [&](std::size_t i) { produce(list, in, i, each, pushed[i]); });
  for (std::uint64_t rest = 0; early && rest < 2 + each % 97; ++rest) std::this_thread::yield();
  if (early) list.close();
  pushers.join();
  list.close();
  poppers.join();
  expect(list.empty() && !list.lpop(), "a consumer ends when nothing is left");
  account(pushed, popped);
  if (!early)
    expect(std::ranges::all_of(pushed, [&](const auto& one) { return one.all.size() == each; }), "all is pushed");
}

// Nobody waits, and there is always something, so nobody takes the lock but at the ends of segments.
template <class T>
void unlocked(std::size_t threads, std::uint64_t each, Side in) {
  BlockingList<T> list;
  std::vector<Seen<T>> pushed(threads, Seen<T>(threads));
  std::vector<Seen<T>> popped(threads, Seen<T>(threads));
  for (std::size_t i = 0; i < threads; ++i) produce(list, in, i, each / 2, pushed[i]);
  std::atomic<std::uint64_t> left{threads * each};
  Threads users;
  users.start(threads, [&](std::size_t i) {
    for (std::uint64_t next = each / 2; next < each; ++next) {
      const T value = Made<T>::make(i, next);
      expect((in == Side::left ? list.lpush(value) : list.rpush(value)).has_value(), "a push succeeds");
      pushed[i].note(i, next);
    }
  });
  users.start(threads, [&](std::size_t i) {
    while (left.load(std::memory_order_relaxed) > 0) {
      const auto value = in == Side::left ? list.rpop() : list.lpop();
      if (!value) continue;
      popped[i].see(*value);
      if (left.fetch_sub(1) > threads * each) return expect(false, "no more comes out than went in");
    }
  });
  users.join();
  account(pushed, popped);
}

// As a queue for a while, and then as one of the other direction: who comes late finds it turned round.
template <class T>
void turned(std::size_t threads, std::uint64_t each) {
  BlockingList<T> list;
  std::vector<Seen<T>> in(threads, Seen<T>(threads));
  std::vector<Seen<T>> out(threads + 1, Seen<T>(threads));
  Threads users;
  users.start(threads, [&](std::size_t i) {
    for (std::uint64_t next = 0; next < each; ++next) {
      const Side side = next / 100 % 2 == 0 ? Side::left : Side::right;
      const T value = Made<T>::make(i, next);
      expect((side == Side::left ? list.lpush(value) : list.rpush(value)).has_value(), "a push succeeds");
      in[i].note(i, next);
      if (const auto popped = side == Side::left ? list.rpop() : list.lpop()) out[i].see(*popped, false);
    }
  });
  users.join();
  while (const auto value = list.lpop()) out[threads].see(*value, false);
  account(in, out);
}

// Several at a time, in batches that do not fit into segments, beside single ones; the list is closed at the end.
template <class T>
void batches(std::size_t threads, std::uint64_t each) {
  BlockingList<T> list;
  std::vector<Seen<T>> in(threads, Seen<T>(threads));
  std::vector<Seen<T>> out(threads, Seen<T>(threads));
  Threads poppers;
  poppers.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 31);
    for (;;) {
      if (random() % 4 == 0) {
        const auto value = list.blpop(forever);
        if (!value) return;
        out[i].see(*value);
      }
      const auto values = list.pop_batch(1 + random() % 3, 1 + random() % 150, forever);
      if (!values) return;
      for (const T& value : *values) out[i].see(value);
    }
  });
  Threads pushers;
  pushers.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 13);
    for (std::uint64_t next = 0; next < each;) {
      std::vector<T> values;
      const std::uint64_t size = random() % 3 == 0 ? 1 : random() % 200;
      for (; values.size() < size && next < each; ++next) {
        values.push_back(Made<T>::make(i, next));
        in[i].note(i, next);
      }
      expect(list.rpush_range(std::move(values)).has_value(), "a push of several succeeds");
    }
  });
  pushers.join();
  list.close();
  poppers.join();
  account(in, out);
}

// A pop of more than there is takes all there is at one instant, so no batch is ever taken in part.
void whole_batches(std::uint64_t work) {
  constexpr std::uint64_t size = 300;  // does not fit into what is left of a segment
  const std::uint64_t all = work * 600 * size;
  BlockingList<std::uint64_t> list;
  Threads pusher;
  pusher.start(1, [&](std::size_t) {
    for (std::uint64_t next = 0; next < all;) {
      std::vector<std::uint64_t> batch(size);
      for (auto& value : batch) value = next++;
      expect(list.rpush_range(std::move(batch)).has_value(), "a push of several succeeds");
    }
  });
  for (std::uint64_t next = 0; next < all;) {
    const auto values = list.lpop(300 * size);
    for (const std::uint64_t value : values) expect(value == next++, "elements come in their order");
    expect(next % size == 0, "a batch comes as a whole");
  }
  pusher.join();
}

// A list that several threads turn keeps what it has.
template <class T>
void circle(std::size_t threads, std::uint64_t turns, bool waiting) {
  BlockingList<T> list;
  std::vector<Seen<T>> in(1, Seen<T>(1));
  produce(list, Side::right, 0, 20, in[0]);
  Threads turners;
  turners.start(threads, [&](std::size_t i) {
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
      const Side from = i % 2 == 0 ? Side::left : Side::right;
      if (waiting) expect(list.blmove(list, from, opposite(from), forever).has_value(), "a list that is full turns");
      else expect(list.lmove(list, from, opposite(from)).has_value(), "a list that is full turns");
      expect(turn % 64 != 0 || list.size() == 20, "a turn changes no length");
    }
  });
  turners.join();
  std::vector<Seen<T>> out(1, Seen<T>(1));
  while (auto value = list.lpop()) out[0].see(*value, false);
  account(in, out);
}

// Something at random that a queue would not do; what it takes out is noted.
template <class T>
void meddle(BlockingList<T>& list, std::size_t me, std::uint64_t& sequence, std::minstd_rand& random, Seen<T>& in,
            Seen<T>& out) {
  const auto make = [&] { return Made<T>::make(me, sequence); };
  const auto made = [&] { in.note(me, sequence++); };
  const auto at = static_cast<std::ptrdiff_t>(random() % 20) - 10;
  switch (random() % 12) {
    case 0: return expect(list.lrange(0, 9).size() <= 10, "a range is no longer than asked for");
    case 1: return list.lpush(make()) ? made() : expect(false, "a push succeeds");
    case 2:
      if (auto value = list.rpop()) out.see(*value, false);
      return;
    case 3:
      for (const T& value : list.rpop(3)) out.see(value, false);
      return;
    case 4:
      if (const auto value = list.lindex(at)) expect(Made<T>::intact(*value), "an element is whole");
      return;
    case 5: {
      const auto pivot = list.lindex(at);
      const auto length = pivot ? list.linsert_after(*pivot, make()) : std::nullopt;
      if (length && *length) made();
      return;
    }
    case 6: {
      const auto value = list.lindex(at);
      if (value && list.lrem(random() % 2 == 0 ? 0 : -1, *value) == 1) out.see(*value, false);
      return;
    }
    case 7:
      if (const auto length = list.lpushx(make()); length && *length > 0) made();
      return;
    case 8: return list.ltrim(0, -1);
    case 9: return static_cast<void>(list.lmove(list, Side::left, Side::right));
    case 10: return static_cast<void>(list.lpos(make()));
    default: expect(list.size() <= no_limit, "a list has a size");
  }
}

template <class T>
void mixed(std::size_t threads, std::uint64_t each) {
  BlockingList<T> list;
  const std::size_t makers = threads + 2;
  std::vector<Seen<T>> in(makers, Seen<T>(makers));
  std::vector<Seen<T>> out(makers + 1, Seen<T>(makers));
  Threads poppers;
  poppers.start(threads, [&](std::size_t i) {
    while (auto value = list.blpop(forever)) out[i].see(*value, false);
  });
  Threads others;
  others.start(threads, [&](std::size_t i) { produce(list, Side::right, i, each, in[i]); });
  others.start(2, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 5);
    std::uint64_t sequence = 0;
    for (std::uint64_t n = 0; n < each / 4; ++n) {
      // Now and then only, so that the list is a queue in between.
      for (int rest = n % 16 == 0 ? 200 : 0; rest > 0; --rest) std::this_thread::yield();
      meddle(list, threads + i, sequence, random, in[threads + i], out[threads + i]);
    }
  });
  others.join();
  list.close();
  poppers.join();
  account(in, out);
}

template <class T>
void all(std::uint64_t work) {
  const std::uint64_t unit = work * (std::is_same_v<T, std::uint64_t> ? 60'000 : 30'000);
  for (const auto& [producers, consumers] : {std::pair{1U, 1U}, {1U, 3U}, {3U, 1U}, {2U, 2U}, {4U, 4U}}) {
    for (const Side side : {Side::left, Side::right}) {
      queue<T>(producers, consumers, unit / producers, side, false);
      for (std::uint64_t i = 0; i < 20; ++i) queue<T>(producers, consumers, unit / 16 + i * 7, side, true);
    }
  }
  for (const std::size_t threads : {2U, 4U}) {
    for (const Side side : {Side::left, Side::right}) unlocked<T>(threads, 2 * unit / threads, side);
    circle<T>(threads, unit / threads, false);
    circle<T>(threads, unit / threads, true);
    mixed<T>(threads, unit / threads);
    turned<T>(threads, unit / threads);
    batches<T>(threads, 4 * unit / threads);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  all<std::uint64_t>(work);
  all<std::string>(work);
  whole_batches(work);
  return verdict("list_stress");
}
