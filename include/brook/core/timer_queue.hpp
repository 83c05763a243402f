// timer_queue.hpp — the timers of a clock that are set, and those that ring.
#pragma once

#include <cstddef>
#include <cstdint>

#include <brook/core/config.hpp>
#include <brook/core/deadlines.hpp>
#include <brook/core/sync.hpp>

namespace brook::core {

/// Everything happens with the mutex held by which its owner guards it; it is let go while a timer rings. Several threads
/// may have timers ring at the same time, each one another.
template <class Timer>
class TimerQueue {
 public:
  using Held = sync::unique_lock<sync::mutex>;

  [[nodiscard]] bool empty() const noexcept { return set_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return set_.size(); }
  [[nodiscard]] const Timer& first() const noexcept { return set_.first(); }
  [[nodiscard]] std::uint64_t first_order() const noexcept { return set_.order(set_.first()); }

  /// `order` grows from call to call, and is above 0. A timer that rings is in the queue when that is over: so it never
  /// rings while it rings.
  void add(Timer& timer, std::uint64_t order) noexcept {
    Ringing* const rings = ringing(timer);
    BROOK_ASSERT(!set_.holds(timer) && (rings == nullptr || rings->set_again == 0));
    if (rings != nullptr) rings->set_again = order;
    else set_.add(timer, order);
  }

  void ring_first(Held& held) noexcept {
    Ringing rings{&set_.first(), sync::this_thread(), ++rings_, ringing_};
    ringing_ = &rings;
    set_.remove(*rings.timer);
    held.unlock();
    rings.timer->ring();
    held.lock();
    Ringing** at = &ringing_;
    while (*at != &rings) at = &(*at)->next;
    *at = rings.next;
    if (rings.set_again != 0 && !rings.unwanted) set_.add(*rings.timer, rings.set_again);
    rung_.notify_all();
  }

  /// And waits until it does not ring, unless it is this thread that it rings on. Who sets it again meanwhile came before.
  void remove(Timer& timer, Held& held) noexcept {
    if (set_.holds(timer)) return set_.remove(timer);
    Ringing* const rings = ringing(timer);
    if (rings == nullptr) return;
    rings->set_again = 0;
    if (rings->on == sync::this_thread()) return;
    rings->unwanted = true;
    const std::uint64_t number = rings->number;
    while (goes_on(number)) rung_.wait(held);
  }

 private:
  struct Ringing {
    Timer* timer;  // it may have died of it
    sync::thread::id on;
    std::uint64_t number;
    Ringing* next;
    std::uint64_t set_again = 0;  // its order, if it was
    bool unwanted = false;        // somebody waits for its end, and it is not set then
  };

  [[nodiscard]] Ringing* ringing(const Timer& timer) const noexcept {
    Ringing* one = ringing_;
    while (one != nullptr && one->timer != &timer) one = one->next;
    return one;
  }
  [[nodiscard]] bool goes_on(std::uint64_t number) const noexcept {
    const Ringing* one = ringing_;
    while (one != nullptr && one->number != number) one = one->next;
    return one != nullptr;
  }

  Deadlines<Timer> set_;
  Ringing* ringing_ = nullptr;
  std::uint64_t rings_ = 0;
  sync::condition_variable rung_;
};

}  // namespace brook::core
