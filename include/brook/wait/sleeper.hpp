// sleeper.hpp — one blocked call: its own mutex and condition variable, its deadline, its stop token.
#pragma once

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/wait.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// Lives on the stack of the call that blocks. Any number of threads may wake() it while it lives; who may still do so
/// is the business of the source that it registered with (wait/gate.hpp), which it leaves before it dies.
class Sleeper final : public Wakeable {
 public:
  /// `deadline` is that of `wait` on `clock`, computed once when the call began.
  Sleeper(Clock& clock, Clock::time_point deadline, [[maybe_unused]] const Wait& wait)
      : clock_(clock),
        alarm_{mutex_, awake_, deadline}
#ifdef __cpp_lib_jthread
        ,
        on_stop_(wait.stop(), Wake{this})
#endif
  {
  }

  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void wake() override {
    {
      const sync::unique_lock held(mutex_);
      if (!woken_) clock_.woken(alarm_);
      woken_ = true;
    }
    awake_.notify_one();
  }

  /// Moves the deadline; by the sleeping thread itself, while it is awake.
  void set_deadline(Clock::time_point deadline) {
    if (deadline == alarm_.deadline) return;
    clock_.dismiss(alarm_);
    alarm_.deadline = deadline;
    clock_.enroll(alarm_);
  }

  /// Sleeps until woken since the last sleep; false when the deadline came first.
  [[nodiscard]] bool sleep() {
    sync::unique_lock held(mutex_);
    while (!woken_) {
      if (expired()) return false;
      clock_.sleep(held, alarm_);
    }
    woken_ = false;
    return true;
  }

  [[nodiscard]] bool expired() const noexcept {
    return alarm_.deadline != Clock::time_point::max() && clock_.now() >= alarm_.deadline;
  }

 private:
  struct Enrolled {
    Clock& clock;
    Clock::Alarm& alarm;
    Enrolled(Clock& its_clock, Clock::Alarm& its_alarm) : clock(its_clock), alarm(its_alarm) { clock.enroll(alarm); }
    ~Enrolled() { clock.dismiss(alarm); }
    Enrolled(const Enrolled&) = delete;
    Enrolled& operator=(const Enrolled&) = delete;
  };
  struct Wake {
    Sleeper* sleeper;
    void operator()() const { sleeper->wake(); }
  };

  Clock& clock_;
  sync::mutex mutex_;
  sync::condition_variable awake_;
  bool woken_ = false;
  Clock::Alarm alarm_;
  const Enrolled enrolled_{clock_, alarm_};
#ifdef __cpp_lib_jthread
  std::stop_callback<Wake> on_stop_;
#endif
};

}  // namespace brook::wait
