// walk.hpp — going over the elements of a list's queue where they lie, while others push behind them.
//
// With the list's lock, from step to step. Elements may be popped meanwhile, but none that the walk has not come to yet: so
// the segment in which it stands is still in the queue, or it stands at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/settle.hpp>

namespace brook::blocking_list {

template <class Payload>
class Walk {
 public:
  using Segment = blocking_list::Segment<Payload>;

  /// Over nothing.
  Walk() = default;
  /// From a slot of one segment up to before a slot of another; slots as claim words count them.
  Walk(Segment& from, std::uint32_t at, Segment& last, std::uint32_t end) noexcept
      : segment_(&from), at_(at), last_(&last), end_(end) {
    skip();
  }

  [[nodiscard]] bool at_end() const noexcept { return segment_ == nullptr; }
  /// The element where it stands. Not at the end.
  [[nodiscard]] Payload& element() const noexcept { return segment_->slots[segment_->slot_of(at_)].payload(); }
  void advance() noexcept {
    ++at_;
    skip();
  }

 private:
  // Goes on to the next element, be it this one.
  void skip() noexcept {
    for (;; ++at_) {
      while (segment_ != last_ && at_ >= Claims::full) enter_next();
      if (segment_ == last_ && at_ >= end_) {
        segment_ = nullptr;
        return;
      }
      element_ = settle_next(*segment_, segment_->slot_of(at_), element_);
      if (*element_) return;
    }
  }
  void enter_next() noexcept {
    segment_ = segment_->next;
    at_ = segment_->first;
    element_.reset();
  }

  Segment* segment_ = nullptr;
  std::uint32_t at_ = 0;
  Segment* last_ = nullptr;
  std::uint32_t end_ = 0;
  std::optional<bool> element_;  // whether the slot before is one, if it was looked at
};

}  // namespace brook::blocking_list
