// line.hpp — who waits at a list, in the order in which they came.
//
// A call that waits has a place in the line of each list that it waits for. Whoever serves it claims it first, so that
// one list serves it and no other; the thread that waits claims itself when it gives up. Lines are changed with their
// list's lock; who claimed a waiter fills it with that lock held.
//
// Memory orders
//   row  thread  operation            order    meets  because
//   LT   anyone  claim a waiter       relaxed  -      only one does; what it is given goes by the lock of who gave it
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/options.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::blocking_list {

/// One place of one call in the line of one list.
template <class Waiter>
struct Place {
  explicit Place(Waiter& whose) noexcept : waiter(whose) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Waiter& waiter;
  Place* before = nullptr;
  Place* behind = nullptr;
  bool in_line = false;
};

template <class Waiter>
class Line {
 public:
  using Place = blocking_list::Place<Waiter>;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  /// O(n).
  [[nodiscard]] std::size_t size() const noexcept {
    std::size_t places = 0;
    for (const Place* place = first_; place != nullptr; place = place->behind) ++places;
    return places;
  }
  [[nodiscard]] Place* first() const noexcept { return first_; }

  void join(Place& place) noexcept {
    place.before = last_;
    place.behind = nullptr;
    (last_ != nullptr ? last_->behind : first_) = &place;
    last_ = &place;
    place.in_line = true;
  }
  /// Does nothing when it is not in line.
  void leave(Place& place) noexcept {
    if (!std::exchange(place.in_line, false)) return;
    (place.before != nullptr ? place.before->behind : first_) = place.behind;
    (place.behind != nullptr ? place.behind->before : last_) = place.before;
  }

 private:
  Place* first_ = nullptr;
  Place* last_ = nullptr;
};

/// What pushers and poppers that wait have in common.
class Claimable {
 public:
  explicit Claimable(wait::Wakeable& sleeper, const wait::Bid& its_bid = {}) noexcept
      : bid(its_bid), sleeper_(sleeper) {}

  const wait::Bid bid;

  /// `by` is a list, or the waiter when it gives up. False when somebody else has claimed it; may be called again.
  [[nodiscard]] bool claim(const void* by) noexcept {
    const void* none = nullptr;
    return claimed_by_.compare_exchange_strong(none, by, sync::relaxed, sync::relaxed) || none == by;  // LT
  }
  [[nodiscard]] const void* claimed_by() const noexcept { return claimed_by_.load(sync::relaxed); }  // LT
  void wake() { sleeper_.wake(); }

 private:
  wait::Wakeable& sleeper_;
  sync::atomic<const void*> claimed_by_{nullptr};
};

}  // namespace brook::blocking_list
