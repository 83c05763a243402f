// clock.hpp — where a stream's time comes from: ids, deadlines, idle times. A test replaces it.
#pragma once

#include <chrono>
#include <cstdint>

#ifdef __linux__
#include <ctime>
#endif

#include <brook/core/deadlines.hpp>
#include <brook/core/sync.hpp>

namespace brook {

/// A time source. An object that was given none uses SystemClock. It must outlive every object that uses it.
/// Thread-safe: every member may be called at any time from any thread.
///
/// A class that derives from it says what time it is, and how one sleeps. Timers then work by themselves, on a thread that
/// the first of them starts and that sleeps as any other does.
class Clock {
 public:
  /// Of a monotonic clock.
  using time_point = std::chrono::steady_clock::time_point;

  /// A thread that is about to sleep until `deadline`, and how to wake it.
  struct Alarm {
    sync::mutex& mutex;               ///< held by who sleeps
    sync::condition_variable& awake;  ///< on which it is woken
    time_point deadline;              ///< max() when it has none
  };

  /// Something that is to be done when a time has come, without a thread that sleeps until then.
  class Timer : public core::Deadlines<Timer>::Node {
   public:
    /// One that is not set.
    explicit Timer(time_point when) noexcept : deadline(when) {}

    /// Called once for each set(), when now() >= deadline, by a thread of the clock's that holds no lock; all timers of a
    /// clock share it, so it must be short and not block. It may set the timer again, and it may destroy it. It is not
    /// called while it runs: of a timer that is set meanwhile, by itself or by others, it is called once it has returned.
    virtual void ring() noexcept = 0;

    time_point deadline;  ///< when to ring; it does not change while the timer is set

   protected:
    ~Timer() = default;
  };

  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  /// No timer is set any more.
  inline virtual ~Clock();

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

  /// Called with the alarm's mutex held by who has what its thread waits for, and is about to notify it; the first time
  /// since that slept last, if it sleeps at all.
  virtual void woken(const Alarm&) noexcept {}

  /// Called by who is about to start a thread of brook's own, which will wait on this clock; then by that thread, before
  /// all else, or by who could not start it. So a clock may know that there is one that has something to do.
  virtual void expect_thread() noexcept {}
  virtual void thread_came() noexcept {}
  virtual void thread_failed() noexcept {}

  /// Has `timer`, which is not set, ring when its deadline has come: soon if it has already, but not in here. Among equal
  /// deadlines who was set first rings first. Throws std::bad_alloc and std::system_error, both for the thread that the
  /// first timer starts: then it is not set. O(1). A child process that was forked has none of its parent's timers.
  inline virtual void set(Timer& timer);

  /// When it has returned, `timer` is not ringing and will not ring, unless it is set again afterwards: what its ring()
  /// sets while this waits for it has no effect. Within its own ring() it does not wait for that to end. Nothing for a
  /// timer that is not set. O(log n), on average over all calls.
  inline virtual void unset(Timer& timer) noexcept;

 protected:
  /// Whether sleep() touches nothing of this clock once it was woken, and enroll() and dismiss() do nothing at all. Else
  /// who unsets the last timer waits until the thread of the timers has come out of this clock, which may then die.
  [[nodiscard]] virtual bool leaves_no_trace() const noexcept { return false; }

  /// Ends the thread of the timers; the next set() starts another. For the destructor of a clock that may die with timers
  /// set, which will not ring.
  void stop_timers() noexcept;

 private:
  class Timers;

  [[nodiscard]] Timers& timers();

  sync::atomic<Timers*> timers_{nullptr};
};

/// The machine's time: std::chrono::system_clock for ids, steady_clock for deadlines.
class SystemClock : public Clock {
 public:
  /// The instance that objects use by default. It is there as long as the process; its timers end with the process's
  /// static objects.
  [[nodiscard]] static SystemClock& instance() noexcept;

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

 private:
  class Shared;
};

/// What an object's options say: the clock they give, or SystemClock where they give none.
[[nodiscard]] inline Clock& clock_or_system(Clock* given) noexcept {
  return given != nullptr ? *given : static_cast<Clock&>(SystemClock::instance());
}

/// SystemClock whose ids come from the kernel's last tick (Linux, CLOCK_REALTIME_COARSE): a reading costs an eighth,
/// and the milliseconds of an id are up to one tick (1 to 10 ms) late. Elsewhere the same as SystemClock.
class CoarseClock final : public SystemClock {
 public:
  ~CoarseClock() override { stop_timers(); }

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override {
#ifdef __linux__
    std::timespec time{};
    if (clock_gettime(CLOCK_REALTIME_COARSE, &time) == 0 && time.tv_sec > 0) {
      return static_cast<std::uint64_t>(time.tv_sec) * 1000 + static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
    }
#endif
    return read_unix_ms();
  }

 private:
  [[nodiscard]] bool leaves_no_trace() const noexcept override { return true; }
};

}  // namespace brook

#include <brook/clock/timers.hpp>
