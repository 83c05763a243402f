// waiting.hpp — a call that waits in the lines of one list or several, until one of them serves it.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <span>

#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::blocking_list {

template <class T>
class Waiting {
 public:
  using State = blocking_list::State<T>;
  using Lists = std::span<State* const>;

  Waiting(Lists lists, Popper<T>& popper, wait::Sleeper& sleeper, const Wait& wait)
      : lists_(lists), popper_(popper), sleeper_(sleeper), wait_(wait) {}
  ~Waiting() { leave(); }

  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  /// Returns when the popper was served, or when not, and why. It may have got something, but not enough, in both cases. Throws
  /// std::bad_alloc, and what T's copy constructor throws, only when it got nothing.
  [[nodiscard]] std::optional<Errc> run() {
    BROOK_TRY { return wait_to_be_served(); }
    BROOK_CATCH_ALL {
      const auto why = give_up(Errc::timed_out);
      if (why == Errc::timed_out) BROOK_RETHROW;
      return why;
    }
  }

 private:
  [[nodiscard]] std::optional<Errc> wait_to_be_served() {
    join();
    for (;;) {
      if (ended()) return popper_.refused;
      if (all_closed()) return give_up(Errc::closed);
      const bool woken = sleeper_.sleep();
      if (ended()) return popper_.refused;
      if (wait_.stop_requested()) return give_up(Errc::cancelled);
      if (!woken) return give_up(Errc::timed_out);
      for (State* const list : lists_) {  // who woke it could perhaps not serve it
        const auto locked = lock(*list);
        list->serve();
      }
    }
  }

  [[nodiscard]] Locked<T> lock(State& list) {
    return popper_.destination.list ? Locked<T>(list, *popper_.destination.list) : Locked<T>(list);
  }

  // In the order of the lists: the first one that has an element serves the call when it is unlocked.
  void join() {
    for (State* const list : lists_) {
      places_.emplace_back(popper_);
      const auto locked = lock(*list);
      if (popper_.claimed_by() != nullptr) return;
      if (list->closed && !list->elements.any()) continue;
      list->join(places_.back());
      if (popper_.destination.list) popper_.destination.list->coming.join(coming_);
    }
  }

  [[nodiscard]] bool ended() {
    for (State* const list : lists_) {
      if (lists_.size() > 1 && popper_.claimed_by() != list) continue;  // another one's lock guards it
      const auto locked = lock(*list);
      if (popper_.served || popper_.refused) return true;
    }
    return false;
  }

  [[nodiscard]] bool all_closed() {
    for (State* const list : lists_) {
      const auto locked = lock(*list);
      if (!list->closed) return popper_.destination.list && popper_.destination.list->closed;
    }
    return true;
  }

  // Unless somebody is just serving it.
  std::optional<Errc> give_up(Errc why) {
    const bool mine = popper_.claim(this);
    leave();
    if (popper_.served || popper_.refused || (!mine && !popper_.got().empty())) return popper_.refused;
    return why;
  }

  void leave() noexcept {
    auto place = places_.begin();
    for (State* const list : lists_) {
      if (place == places_.end()) break;
      list->abandon(*place++);
    }
    State* const to = popper_.destination.list.get();
    if (to != nullptr) {
      const sync::unique_lock<sync::mutex> held(to->mutex());
      to->coming.leave(coming_);
    }
    for (State* const list : lists_) list->settle_record();
    if (to != nullptr) to->settle_record();
  }

  const Lists lists_;
  Popper<T>& popper_;
  wait::Sleeper& sleeper_;
  const Wait& wait_;
  std::list<Place<Popper<T>>> places_;
  Place<Popper<T>> coming_{popper_};  // at the list that the element is to go to, so that its end wakes the call
};

}  // namespace brook::blocking_list
