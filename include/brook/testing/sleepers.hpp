// sleepers.hpp — the calls that are blocked on a manual clock, or about to be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/testing/activity.hpp>

namespace brook::testing {

/// Everything happens with lock() held.
class Sleepers {
 public:
  using Alarm = Clock::Alarm;
  using time_point = Clock::time_point;

  /// A call, between enroll() and dismiss().
  struct Place {
    Alarm* alarm;
    Thread* thread;
    std::uint64_t order;
    bool asleep = false;
    unsigned rousers = 0;  // who need its alarm
  };

  explicit Sleepers(Activity& activity) noexcept : activity_(activity) {}

  /// This thread is about to sleep; from now on it is known. `order` grows. May throw std::bad_alloc.
  void enroll(Alarm& alarm, std::uint64_t order) {
    Thread& thread = Thread::current();
    std::list<Place> place{{&alarm, &thread, order}};
    activity_.know(thread);
    places_.splice(places_.end(), place);
  }

  void dismiss(const Alarm& alarm, Held& held) noexcept {
    const auto place = find(alarm);
    if (place == places_.end()) return;
    activity_.wait(held, [&] { return place->rousers == 0; });
    places_.erase(place);
    activity_.changed();
  }

  /// False when its time has come: then it must not sleep.
  [[nodiscard]] bool fall_asleep(const Alarm& alarm, time_point now) noexcept {
    const auto place = find(alarm);
    if (place == places_.end()) return true;
    if (alarm.deadline <= now) return false;
    place->asleep = true;
    place->thread->rest();
    return true;
  }

  /// It has something to do from now on, if it slept.
  void wake(const Alarm& alarm) noexcept {
    const auto place = find(alarm);
    if (place != places_.end()) wake(*place);
  }

  /// Wakes one that sleeps. The lock is let go meanwhile.
  void rouse(Place& place, Held& held) noexcept {
    wake(place);
    ++place.rousers;
    Alarm& alarm = *place.alarm;
    held.unlock();
    { const sync::unique_lock<sync::mutex> about_to_sleep(alarm.mutex); }
    alarm.awake.notify_all();
    held.lock();
    --place.rousers;
    activity_.changed();
  }

  /// Of those who sleep and whose time has come, the first by deadline, and then by enrolment; null when there is none.
  [[nodiscard]] Place* first_due(time_point now) noexcept {
    Place* first = nullptr;
    for (Place& place : places_) {
      const time_point deadline = place.alarm->deadline;
      if (place.asleep && deadline <= now && (first == nullptr || deadline < first->alarm->deadline)) first = &place;
    }
    return first;
  }

  /// The next deadline to come.
  [[nodiscard]] time_point next_deadline(time_point now) const noexcept {
    time_point next = time_point::max();
    for (const Place& place : places_) {
      if (place.alarm->deadline > now) next = std::min(next, place.alarm->deadline);
    }
    return next;
  }

  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] std::size_t asleep() const noexcept {
    return static_cast<std::size_t>(std::ranges::count(places_, true, &Place::asleep));
  }
  [[nodiscard]] const std::list<Place>& places() const noexcept { return places_; }

 private:
  static void wake(Place& place) noexcept {
    if (!std::exchange(place.asleep, false)) return;
    place.thread->rise();
  }

  [[nodiscard]] std::list<Place>::iterator find(const Alarm& alarm) noexcept {
    return std::ranges::find(places_, &alarm, &Place::alarm);
  }

  Activity& activity_;
  std::list<Place> places_;
};

}  // namespace brook::testing
