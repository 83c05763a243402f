// timer_queue.hpp — the timers of a clock that are set, and those that ring.
#pragma once

#include <cstddef>
#include <cstdint>

#include <brook/core/config.hpp>
#include <brook/core/deadlines.hpp>
#include <brook/core/sync.hpp>

namespace brook::core {

/// Everything happens with the mutex held by which its owner guards it; it is let go while a timer rings.
template <class Timer>
class TimerQueue {
 public:
  using Held = sync::unique_lock<sync::mutex>;

  [[nodiscard]] bool empty() const noexcept { return set_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return set_.size(); }
  [[nodiscard]] const Timer& first() const noexcept { return set_.first(); }
  [[nodiscard]] std::uint64_t first_order() const noexcept { return set_.order(set_.first()); }

  /// `order` grows from call to call.
  void add(Timer& timer, std::uint64_t order) noexcept {
    BROOK_ASSERT(!set_.holds(timer));
    set_.add(timer, order);
  }

  void ring_first(Held& held) noexcept {
    Ringing ringing{&set_.first(), sync::this_thread(), ringing_};
    ringing_ = &ringing;
    set_.remove(*ringing.timer);
    held.unlock();
    ringing.timer->ring();
    held.lock();
    Ringing** at = &ringing_;
    while (*at != &ringing) at = &(*at)->next;
    *at = ringing.next;
    rung_.notify_all();
  }

  /// And waits until it does not ring, unless it is this thread that it rings on.
  void remove(Timer& timer, Held& held) noexcept {
    if (set_.holds(timer)) set_.remove(timer);
    while (rings_elsewhere(timer)) rung_.wait(held);
  }

 private:
  struct Ringing {
    Timer* timer;  // it may have died of it
    sync::thread::id on;
    Ringing* next;
  };

  [[nodiscard]] bool rings_elsewhere(const Timer& timer) const noexcept {
    for (const Ringing* ringing = ringing_; ringing != nullptr; ringing = ringing->next) {
      if (ringing->timer == &timer && ringing->on != sync::this_thread()) return true;
    }
    return false;
  }

  Deadlines<Timer> set_;
  Ringing* ringing_ = nullptr;
  sync::condition_variable rung_;
};

}  // namespace brook::core
