// settle.hpp — passing slots whose owners have stalled, so that settled slots are always the first ones of a segment.
//
// An appender publishes its slot only when all slots before it are settled. Normally their owners are a few
// instructions from publishing; a short patience sees them through. An owner that was stopped in between is passed: its
// slot is made void and it will notice, take its value back and claim another slot. Passing is always correct, so the
// patience is a matter of speed alone.
//
// The owner of a passed slot may still be writing to it. The passer therefore pins the segment in the owner's name
// before it voids the slot; the owner drops that pin when it noticed. (Orders: rows L, N of log/slot.hpp, K of pins.hpp.)
#pragma once

#include <cstdint>

#include <brook/core/sync.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// How long a thread polls before it goes on without another one.
class Patience {
 public:
  [[nodiscard]] bool left() noexcept {
    if (pauses_ < sync::patient_pauses) {
      ++pauses_;
      sync::pause();
      return true;
    }
    if (yields_ < sync::patient_yields) {
      ++yields_;
      sync::yield();
      return true;
    }
    return false;
  }

 private:
  int pauses_ = 0;
  int yields_ = 0;
};

/// Makes a slot void whose owner has stalled, or what the slot waits for; unless it is settled, or begins to wait, meanwhile.
/// The caller holds or has claimed in the segment.
template <class Payload>
void pass(Segment<Payload>& segment, std::uint32_t at) noexcept {
  if (Joint* const joint = segment.slot(at).joint()) return joint->decision->call_off();
  segment.voids.fetch_add(1, sync::relaxed);  // AD
  segment.pins.pin_again();
  if (!segment.slot(at).make_void()) Hold<Payload>::drop(segment);
}

/// How many of the first `end` slots are settled, `end` being where a claim ends. They are the first ones, so the search
/// goes back from `end` to one that is; and then forward again, because a batch may have been published while the search
/// was among its slots, and must not be split. The last load is that of an unsettled slot, or all are settled.
template <class Payload>
[[nodiscard]] std::uint32_t settled_before(Segment<Payload>& segment, std::uint32_t end) noexcept {
  std::uint32_t count = end;
  while (count > 0 && !segment.settled(count - 1)) --count;
  while (count < end && segment.settled(count)) ++count;
  return count;
}

/// Settles what is not settled before `end`. Not inline: this is hardly ever to be done.
template <class Payload>
[[gnu::noinline]] void settle_others(Segment<Payload>& segment, std::uint32_t end) noexcept {
  Patience patience;
  for (std::uint32_t at = settled_before(segment, end); at < end; ++at) {
    while (segment.slot(at).state().empty()) {
      if (!patience.left()) pass(segment, at);
    }
  }
}

/// Returns when all slots before `end` are settled; whether some were not. The caller holds or has claimed in the segment.
/// Lock-free: bounded patience for all of them together, then bounded work.
template <class Payload>
bool settle(Segment<Payload>& segment, std::uint32_t end) noexcept {
  if (end == 0 || segment.settled(end - 1)) [[likely]]
    return false;
  settle_others(segment, end);
  return true;
}

}  // namespace brook::log
