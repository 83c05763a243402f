// list_stress.hpp — what the stress programs of lists share: accounts of what went in and came out, stops, producers and
// consumers.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>
#include <version>

#include <brook/blocking_list.hpp>

#include "stress.hpp"

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace brook::stress {

/// What went in, or came out, for one thread; and whether it came in each producer's order.
template <class T>
struct Seen {
  explicit Seen(std::size_t producers) : next(producers, 0) {}

  void see(const T& value, bool ordered = true) {
    expect(Made<T>::intact(value), "a value is whole");
    const std::size_t producer = Made<T>::producer(value);
    if (producer >= next.size()) return expect(false, "a value is one that was pushed");
    const std::uint64_t sequence = Made<T>::sequence(value);
    if (ordered) expect(sequence >= next[producer], "a producer's elements come in its order");
    next[producer] = sequence + 1;
    note(producer, sequence);
  }
  void note(std::size_t producer, std::uint64_t sequence) {
    all.push_back(Made<std::uint64_t>::make(producer, sequence));
  }

  std::vector<std::uint64_t> next;
  std::vector<std::uint64_t> all{};
};

/// Whether what came out is what went in, each once.
template <class T>
void account(const std::vector<Seen<T>>& in, const std::vector<Seen<T>>& out) {
  const auto sorted = [](const std::vector<Seen<T>>& parts) {
    std::vector<std::uint64_t> all;
    for (const Seen<T>& part : parts) all.insert(all.end(), part.all.begin(), part.all.end());
    std::ranges::sort(all);
    return all;
  };
  const auto came = sorted(out);
  expect(std::ranges::adjacent_find(came) == came.end(), "no element comes twice");
  expect(came == sorted(in), "what went in comes out");
}

/// Requests stops of whoever waits, again and again.
class Stops {
 public:
#ifdef __cpp_lib_jthread
  explicit Stops(std::size_t n) : sources_(n) {}
  /// One that was not requested yet, for one call at least.
  [[nodiscard]] Wait wait(std::size_t i, Wait limit) {
    if (sources_[i].source.stop_requested()) {
      while (sources_[i].busy.exchange(true)) std::this_thread::yield();
      sources_[i].source = std::stop_source();
      sources_[i].busy = false;
    }
    return limit.with(sources_[i].source.get_token());
  }
  void request() {
    for (auto& each : sources_) {
      while (each.busy.exchange(true)) std::this_thread::yield();
      const std::stop_source source = each.source;
      each.busy = false;
      std::stop_source(source).request_stop();
    }
  }

 private:
  struct Each {
    std::atomic<bool> busy{false};
    std::stop_source source{};
  };
  std::vector<Each> sources_;
#else
  explicit Stops(std::size_t) {}
  [[nodiscard]] Wait wait(std::size_t, Wait limit) { return limit; }
  void request() {}
#endif
};

/// Requests them for as long as it lives, and does something else meanwhile.
class Rain {
 public:
  explicit Rain(
      Stops& stops, std::function<void()> also = [] {}) {
    thread_.start([this, &stops, also = std::move(also)] {
      while (!done_.load()) stops.request(), also(), std::this_thread::yield();
    });
  }
  ~Rain() { done_ = true; }
  Rain(const Rain&) = delete;
  Rain& operator=(const Rain&) = delete;

 private:
  std::atomic<bool> done_{false};
  Threads thread_;
};

[[nodiscard]] inline bool may_end(Errc error) {
  return error == Errc::timed_out || error == Errc::cancelled || error == Errc::closed;
}

// Pushes what is left of `count` values, one by one or several at once, until the list is closed.
template <class T>
void produce(BlockingList<T>& list, Side side, std::size_t me, std::uint64_t count, Seen<T>& in) {
  std::minstd_rand random(static_cast<unsigned>(me) + 1);
  for (std::uint64_t next = 0; next < count;) {
    std::vector<T> values;
    const std::uint64_t several = random() % 4 == 0 ? 2 + random() % 12 : 1;
    for (std::uint64_t i = next; i < std::min(count, next + several); ++i) values.push_back(Made<T>::make(me, i));
    const bool one = values.size() == 1;
    const std::size_t n = values.size();
    const auto pushed = side == Side::left
                            ? one ? list.lpush(std::move(values.front())) : list.lpush_range(std::move(values))
                        : one ? list.rpush(std::move(values.front()))
                              : list.rpush_range(std::move(values));
    if (!pushed) return expect(pushed.error() == Errc::closed, "a push fails only when the list is closed");
    for (std::uint64_t i = next; i < next + n; ++i) in.note(me, i);
    next += n;
  }
}

// One pop of one kind or another; false when the list is closed and empty.
template <class T>
[[nodiscard]] bool consume(BlockingList<T>& list, Side side, std::minstd_rand& random, const Wait& wait, Seen<T>& out) {
  std::optional<Errc> failed;
  switch (random() % 8) {
    case 0:
      for (const T& value : side == Side::left ? list.lpop(1 + random() % 9) : list.rpop(1 + random() % 9))
        out.see(value);
      return true;
    case 1:
      if (const auto value = side == Side::left ? list.lpop() : list.rpop()) out.see(*value);
      return true;
    case 2:
      if (side == Side::left) {
        const auto batch = list.pop_batch(1 + random() % 3, 4, wait);
        if (batch) {
          for (const T& value : *batch) out.see(value);
        } else {
          failed = batch.error();
          expect(*failed != Errc::timed_out, "a batch that gets nothing in time is an empty one");
        }
        break;
      }
      [[fallthrough]];
    default:
      const auto value = side == Side::left ? list.blpop(wait) : list.brpop(wait);
      if (value) out.see(*value);
      else failed = value.error();
  }
  if (failed) expect(may_end(*failed), "a pop that waits ends in one of three ways");
  return failed != Errc::closed;
}

[[nodiscard]] inline Wait some_wait(std::minstd_rand& random) {
  const auto dice = random() % 8;
  return dice == 0 ? Wait(std::chrono::microseconds(random() % 50)) : Wait(forever);
}

}  // namespace brook::stress
