// alarm.hpp — has a call look again when a clock says so.
//
// Memory orders
//   row  thread  operation  order    meets  because
//   WR   timer   rang_      relaxed  -      who is woken by it sees it, by the lock or the turn that wakes
#pragma once

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// For one thread at a time; it rings on any.
class Alarm final : private Clock::Timer {
 public:
  Alarm(Clock& clock, Wakeable& call) noexcept : Timer(never), clock_(clock), call_(call) {}
  ~Alarm() { unset(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Wakes the call at `due`, and at no time that was said before. Throws as Clock::set(), and then it is not set.
  void set(Clock::time_point due) {
    if (due == deadline && !rang_.load(sync::relaxed)) return;  // WR
    unset();
    if (due == never) return;
    deadline = due;
    BROOK_TRY { clock_.set(*this); }
    BROOK_CATCH_ALL {
      deadline = never;
      BROOK_RETHROW;
    }
  }
  /// When it has returned it is not ringing, and will not.
  void unset() noexcept {
    if (deadline != never) clock_.unset(*this);
    deadline = never;
    rang_.store(false, sync::relaxed);  // WR
  }

 private:
  static constexpr Clock::time_point never = Clock::time_point::max();

  void ring() noexcept override {
    rang_.store(true, sync::relaxed);  // WR
    call_.wake();
  }

  Clock& clock_;
  Wakeable& call_;
  sync::atomic<bool> rang_{false};
};

}  // namespace brook::wait
