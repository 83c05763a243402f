// clock.hpp — where a stream's time comes from: ids, deadlines, idle times. A test replaces it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#ifdef __linux__
#include <ctime>
#endif

#include <brook/core/sync.hpp>

namespace brook {

/// A time source. An object that was given none uses SystemClock. It must outlive every object that uses it.
/// Thread-safe: every member may be called at any time from any thread.
class Clock {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// A thread that is about to sleep until `deadline`, and how to wake it.
  struct Alarm {
    sync::mutex& mutex;
    sync::condition_variable& awake;
    time_point deadline;
  };

  class Timer {
   public:
    explicit Timer(time_point when) noexcept : deadline(when) {}
    virtual void ring() noexcept = 0;
    time_point deadline;
   protected:
    ~Timer() = default;
  };
  virtual void set(Timer&) {}
  virtual void unset(Timer&) noexcept {}

  virtual ~Clock() = default;

  /// The wall clock, in milliseconds since the Unix epoch. It makes ids, and may step back.
  [[nodiscard]] virtual std::uint64_t unix_ms() const noexcept = 0;

  /// The clock of deadlines and idle times; it never steps back.
  [[nodiscard]] virtual time_point now() const noexcept = 0;

  /// Called by a thread before it first sleeps, without its mutex; dismiss() after it last slept, the same way.
  /// Between the two the clock may lock `alarm.mutex` and notify `alarm.awake`.
  virtual void enroll(Alarm&) {}
  virtual void dismiss(Alarm&) noexcept {}

  /// Sleeps with the alarm's mutex held by `held`, until notified or the deadline; may return early.
  virtual void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) = 0;
};

/// The machine's time: std::chrono::system_clock for ids, steady_clock for deadlines.
class SystemClock : public Clock {
 public:
  /// The instance that objects use by default.
  [[nodiscard]] static SystemClock& instance() noexcept {
    static SystemClock clock;
    return clock;
  }

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return read_unix_ms(); }
  [[nodiscard]] time_point now() const noexcept override { return std::chrono::steady_clock::now(); }

  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    if (alarm.deadline == time_point::max()) alarm.awake.wait(held);
    else alarm.awake.wait_until(held, alarm.deadline);
  }

  /// unix_ms() without the virtual call; a wall clock before 1970 counts as 1970.
  [[nodiscard]] static std::uint64_t read_unix_ms() noexcept {
    using namespace std::chrono;
    const auto since_epoch = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    return since_epoch > 0 ? static_cast<std::uint64_t>(since_epoch) : 0;
  }
};

/// What an object's options say: the clock they give, or SystemClock where they give none.
[[nodiscard]] inline Clock& clock_or_system(Clock* given) noexcept {
  return given != nullptr ? *given : static_cast<Clock&>(SystemClock::instance());
}

/// SystemClock whose ids come from the kernel's last tick (Linux, CLOCK_REALTIME_COARSE): a reading costs an eighth,
/// and the milliseconds of an id are up to one tick (1 to 10 ms) late. Elsewhere the same as SystemClock.
class CoarseClock final : public SystemClock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override {
#ifdef __linux__
    std::timespec time{};
    if (clock_gettime(CLOCK_REALTIME_COARSE, &time) == 0 && time.tv_sec > 0) {
      return static_cast<std::uint64_t>(time.tv_sec) * 1000 + static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
    }
#endif
    return read_unix_ms();
  }
};

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
