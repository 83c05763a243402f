// fill.hpp — moving values into slots of a list's queue that their pusher has claimed, and publishing them together.
// (Orders: blocking_list/fifo.hpp.)
#pragma once

#include <cstdint>

#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/settle.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/log/payload.hpp>

namespace brook::blocking_list {

/// False when the slots were voided: the values are back.
template <class Payload>
[[nodiscard]] bool fill(Segment<Payload>& segment, std::uint32_t first, const log::Values<Payload>& values) noexcept {
  const auto count = static_cast<std::uint32_t>(values.size());
  Slot<Payload>* const slots = &segment.slots[first];
  values.move_to(0, slots[0]);
  for (std::uint32_t i = 1; i < count; ++i) {
    values.move_to(i, slots[i]);
    slots[i].follow(segment.phase);
  }
  if (count > 1 ? slots[0].publish(segment.phase, count - 1) : slots[0].publish(segment.phase)) [[likely]]
    return true;
  for (std::uint32_t i = count; i-- > 0;) values.take_back(i, slots[i]);
  withdraw(segment, count);
  return false;
}

}  // namespace brook::blocking_list
