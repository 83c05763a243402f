// expiries.hpp — has a broker's names go when their time has come, though nobody asks for them.
//
// Whoever changes what goes next has the timer set to that; one thread at a time does so, and who comes meanwhile leaves it to
// that one (wait/turn.hpp). Only the timer sweeps, which may end objects, and so run the user's code: with the turn, so that
// nobody who sets the timer ever waits for that. That code may destroy the broker.
#pragma once

#include <cstdint>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/wait/turn.hpp>

namespace brook::broker {

/// `owner.sweep()` takes away what is due; `owner.next_expiry()` says when something is next, time_point::max() for never.
/// Neither throws, and both are called with no lock held.
template <class Owner>
class Expiries final : private Clock::Timer {
 public:
  Expiries(Owner& owner, Clock& clock) noexcept : Timer(never), owner_(owner), clock_(clock) {
    std::uint64_t requests = 1;
    static_cast<void>(turn_.done(requests));
  }
  /// The clock does not come back to the owner. Waits for it, but for a sweep of this thread's own.
  ~Expiries() {
    if (used_) clock_.unset(*this);
    if (destroyed_ != nullptr) *destroyed_ = true;
  }
  Expiries(const Expiries&) = delete;
  Expiries& operator=(const Expiries&) = delete;

  /// What goes next may be another, or go at another time. Where no timer can be set for want of memory or a thread, what is
  /// due goes when this is called next.
  void changed() noexcept {
    if (turn_.ask()) work(false);
  }

 private:
  static constexpr Clock::time_point never = Clock::time_point::max();

  void ring() noexcept override {
    if (turn_.ask()) work(true);
  }
  void work(bool rung) noexcept {
    wait::Turn::Done done = wait::Turn::Done::more;
    for (std::uint64_t requests = 1; done == wait::Turn::Done::more; done = turn_.done(requests)) {
      if (rung && !swept()) return;
      set();
    }
  }
  // False when that has destroyed this.
  [[nodiscard]] bool swept() noexcept {
    bool destroyed = false;
    destroyed_ = &destroyed;
    owner_.sweep();
    if (!destroyed) destroyed_ = nullptr;
    return !destroyed;
  }
  // Who rings now has not been granted the turn, or was done with it: so unset() waits for no sweep.
  void set() noexcept {
    if (used_) clock_.unset(*this);
    deadline = owner_.next_expiry();
    if (deadline == never) return;
    if (!used_) used_ = true;  // once there is a timer that rings, it is only read
    BROOK_TRY { clock_.set(*this); }
    BROOK_CATCH_ALL {}
  }

  Owner& owner_;
  Clock& clock_;
  wait::Turn turn_;
  // Only who has the turn, and the destructor.
  bool used_ = false;
  bool* destroyed_ = nullptr;
};

}  // namespace brook::broker
