// logs.hpp — brook's stream and its two hand-written rivals, behind the same few operations.
//
//   SpinLog       a test-and-test-and-set lock around chunks of 4096 entries: the least an append with ids can cost
//   LockedStream  std::mutex, std::deque, a condition variable, a std::map for what is pending: what a good programmer
//                 writes in an afternoon
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <brook/core/sync.hpp>
#include <brook/id.hpp>
#include <brook/stream.hpp>

#include "harness.hpp"

namespace bench {

constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();

template <class T>
struct Stored {
  brook::Id id;
  T value;
};

/// Ids as brook gives them.
class Ids {
 public:
  [[nodiscard]] brook::Id next(std::uint64_t ms) noexcept {
    if (ms > last_.ms) last_ = {ms, 0};
    else ++last_.seq;
    return last_;
  }

 private:
  brook::Id last_{};
};

class SpinLock {
 public:
  void lock() noexcept {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      for (int i = 0; taken_.load(std::memory_order_relaxed); ++i) {
        if (i < 256) brook::sync::pause();
        else std::this_thread::yield();
      }
    }
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

template <class T>
class BrookLog {
 public:
  static constexpr const char* name = "brook";

  explicit BrookLog(brook::Clock* clock = nullptr, std::size_t max_len = no_bound, bool approximate = false)
      : stream_(
            {.max_len = max_len == no_bound ? brook::unlimited : max_len, .approximate = approximate, .clock = clock}) {
  }

  void add(T&& value) { expect(stream_.add(std::move(value)).has_value(), "an add failed"); }
  void add_range(std::span<const T> values) { expect(stream_.add_range(values).has_value(), "an add_range failed"); }

  template <class See>
  void visit(See see) const {
    for (const auto& [id, value] : stream_.range()) see(id, value);
  }
  [[nodiscard]] std::size_t size() const { return stream_.size(); }
  [[nodiscard]] brook::Stream<T>& stream() noexcept { return stream_; }

 private:
  brook::Stream<T> stream_;
};

template <class T>
class SpinLog {
 public:
  static constexpr const char* name = "spinlock + chunks";

  explicit SpinLog(brook::Clock* clock = nullptr)
      : clock_(clock != nullptr ? *clock : static_cast<brook::Clock&>(brook::SystemClock::instance())) {}

  void add(T&& value) {
    const std::uint64_t ms = clock_.unix_ms();
    const std::lock_guard held(lock_);
    push(ms, std::move(value));
  }

  void add_range(std::span<const T> values) {
    const std::uint64_t ms = clock_.unix_ms();
    const std::lock_guard held(lock_);
    for (const T& value : values) push(ms, T(value));
  }

  template <class See>
  void visit(See see) {
    const std::lock_guard held(lock_);
    for (const auto& chunk : chunks_) {
      for (const auto& [id, value] : chunk) see(id, value);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t chunk_size = 4096;

  void push(std::uint64_t ms, T&& value) {
    if (size_ % chunk_size == 0) {
      chunks_.emplace_back();
      chunks_.back().reserve(chunk_size);
    }
    chunks_.back().push_back({ids_.next(ms), std::move(value)});
    ++size_;
  }

  brook::Clock& clock_;
  SpinLock lock_;
  Ids ids_;
  std::size_t size_ = 0;
  std::deque<std::vector<Stored<T>>> chunks_;
};

template <class T>
class LockedStream {
 public:
  static constexpr const char* name = "mutex + deque";

  explicit LockedStream(brook::Clock* clock = nullptr, std::size_t max_len = no_bound, bool = false)
      : clock_(clock != nullptr ? *clock : static_cast<brook::Clock&>(brook::SystemClock::instance())),
        max_len_(max_len) {}

  void add(T&& value) {
    const std::uint64_t ms = clock_.unix_ms();
    std::unique_lock held(mutex_);
    push(ms, std::move(value));
    wake(held);
  }

  void add_range(std::span<const T> values) {
    const std::uint64_t ms = clock_.unix_ms();
    std::unique_lock held(mutex_);
    for (const T& value : values) push(ms, T(value));
    wake(held);
  }

  /// Copies what follows `cursor`, at most `count` entries, and moves the cursor; waits for the first one if told to.
  void read(std::size_t& cursor, std::vector<Stored<T>>& out, std::size_t count, bool block) {
    out.clear();
    std::unique_lock held(mutex_);
    if (block && cursor == end()) {
      ++sleepers_;
      changed_.wait(held, [&] { return cursor < end(); });
      --sleepers_;
    }
    copy(cursor, out, count);
  }

  template <class See>
  void visit(See see) {
    const std::lock_guard held(mutex_);
    for (const auto& [id, value] : entries_) see(id, value);
  }
  [[nodiscard]] std::size_t size() {
    const std::lock_guard held(mutex_);
    return entries_.size();
  }

  /// The first entry from `id` on. Requires that there is one.
  [[nodiscard]] Stored<T> find(brook::Id id) {
    const std::lock_guard held(mutex_);
    return *std::ranges::lower_bound(entries_, id, {}, &Stored<T>::id);
  }

  // One consumer group.

  void deliver(std::size_t consumer, std::vector<Stored<T>>& out, std::size_t count) {
    const auto now = clock_.now();
    out.clear();
    const std::lock_guard held(mutex_);
    copy(delivered_, out, count);
    for (const auto& entry : out) pending_.emplace_hint(pending_.end(), entry.id, Pending{consumer, 1, now});
  }

  /// Ids of what is pending with one consumer.
  [[nodiscard]] std::vector<brook::Id> pending_of(std::size_t consumer) {
    const std::lock_guard held(mutex_);
    std::vector<brook::Id> ids;
    for (const auto& [id, pending] : pending_) {
      if (pending.consumer == consumer) ids.push_back(id);
    }
    return ids;
  }

  [[nodiscard]] std::size_t ack(std::span<const Stored<T>> entries) {
    const std::lock_guard held(mutex_);
    std::size_t acked = 0;
    for (const auto& entry : entries) acked += pending_.erase(entry.id);
    return acked;
  }

 private:
  struct Pending {
    std::size_t consumer;
    std::uint64_t deliveries;
    brook::Clock::time_point delivered;
  };

  [[nodiscard]] std::size_t end() const noexcept { return trimmed_ + entries_.size(); }

  void push(std::uint64_t ms, T&& value) {
    entries_.push_back({ids_.next(ms), std::move(value)});
    if (entries_.size() > max_len_) {
      entries_.pop_front();
      ++trimmed_;
    }
  }

  void wake(std::unique_lock<std::mutex>& held) {
    const bool somebody = sleepers_ > 0;
    held.unlock();
    if (somebody) changed_.notify_all();
  }

  void copy(std::size_t& cursor, std::vector<Stored<T>>& out, std::size_t count) {
    cursor = std::max(cursor, trimmed_);
    const std::size_t n = std::min(count, end() - cursor);
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(cursor - trimmed_);
    out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(n));
    cursor += n;
  }

  brook::Clock& clock_;
  const std::size_t max_len_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t sleepers_ = 0;
  Ids ids_;
  std::deque<Stored<T>> entries_;
  std::size_t trimmed_ = 0;
  std::size_t delivered_ = 0;
  std::map<brook::Id, Pending> pending_;
};

}  // namespace bench
