// popped_in_place.hpp — an element of a list's queue that the caller has popped, and that still lies in its slot.
// (Orders: blocking_list/fifo.hpp.)
#pragma once

#include <memory>

#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/slot.hpp>

namespace brook::blocking_list {

// closed: not without the lock. more: there may be more than lie in one segment, and this takes the lock.
enum class PopResult { done, empty, closed, more };

/// What became of a pop. The element goes with it: until then it is to be moved from. What the caller makes of it can so be made
/// where it is returned, and in registers.
template <class Payload>
class [[nodiscard]] PoppedInPlace {
 public:
  explicit PoppedInPlace(PopResult outcome) noexcept : outcome_(outcome) {}
  PoppedInPlace(Segment<Payload>& segment, Slot<Payload>& slot) noexcept
      : outcome_(PopResult::done), phase_(segment.phase), slot_(&slot) {}
  PoppedInPlace(const PoppedInPlace&) = delete;
  PoppedInPlace& operator=(const PoppedInPlace&) = delete;
  ~PoppedInPlace() {
    if (outcome_ != PopResult::done) return;
    std::destroy_at(std::addressof(slot_->payload()));
    slot_->take(phase_);
  }

  [[nodiscard]] PopResult outcome() const noexcept { return outcome_; }
  [[nodiscard]] explicit operator bool() const noexcept { return outcome_ == PopResult::done; }
  /// If there is one.
  [[nodiscard]] Payload& operator*() const noexcept { return slot_->payload(); }

 private:
  PopResult outcome_;
  unsigned phase_ = 0;
  Slot<Payload>* slot_ = nullptr;
};

}  // namespace brook::blocking_list
