// manual_clock.hpp — time that moves only when told to, for tests.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>

namespace brook {

/// Time that moves only when told to, for tests: ids, idle times and the timeouts of blocked calls follow it.
class ManualClock final : public Clock {
 public:
  /// Both clocks start at `unix_start` after their epochs.
  explicit ManualClock(std::chrono::milliseconds unix_start = {})
      : started_(unix_start), unix_(unix_start.count()), now_(std::chrono::nanoseconds(unix_start).count()) {}

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override {
    const std::int64_t ms = unix_.load(sync::seq_cst);
    return ms > 0 ? static_cast<std::uint64_t>(ms) : 0;
  }

  [[nodiscard]] time_point now() const noexcept override {
    return time_point(std::chrono::nanoseconds(now_.load(sync::seq_cst)));
  }

  /// Moves both clocks forward by `by` (not negative) and wakes every call whose deadline has come. O(sleeping calls).
  void advance(std::chrono::nanoseconds by) {
    const sync::unique_lock held(mutex_);
    now_.fetch_add(by.count(), sync::seq_cst);
    const auto reached = std::chrono::floor<std::chrono::milliseconds>(now().time_since_epoch() - started_);
    unix_.fetch_add((reached - credited_).count(), sync::seq_cst);
    credited_ = reached;
    for (const Alarm* alarm : alarms_) {
      if (now() < alarm->deadline) continue;
      {
        const sync::unique_lock sleeper(alarm->mutex);
      }  // a sleeper between its look at the clock and its sleep holds it
      alarm->awake.notify_all();
    }
  }

  /// Sets the wall clock alone, backwards too, as an operator or NTP does.
  void set_unix(std::chrono::milliseconds to) {
    const sync::unique_lock held(mutex_);
    unix_.store(to.count(), sync::seq_cst);
  }

  /// How many calls are blocked on this clock or about to block, whatever they wait for.
  [[nodiscard]] std::size_t sleepers() const {
    const sync::unique_lock held(mutex_);
    return alarms_.size();
  }

  void enroll(Alarm& alarm) override {
    const sync::unique_lock held(mutex_);
    alarms_.push_back(&alarm);
  }

  void dismiss(Alarm& alarm) noexcept override {
    const sync::unique_lock held(mutex_);
    std::erase(alarms_, &alarm);
  }

  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override { alarm.awake.wait(held); }

 private:
  const std::chrono::milliseconds started_;
  mutable sync::mutex mutex_;             // taken before the mutex of any alarm, never while one is held
  sync::atomic<std::int64_t> unix_;       // milliseconds; atomic, because a sleeper reads the time with its mutex held
  sync::atomic<std::int64_t> now_;        // nanoseconds
  std::chrono::milliseconds credited_{};  // whole milliseconds of the monotonic clock already given to the wall clock
  std::vector<Alarm*> alarms_;
};

}  // namespace brook
