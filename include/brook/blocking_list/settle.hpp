// settle.hpp — what a slot of a list's queue is, once its pusher is through or was passed. (States: blocking_list/slot.hpp.)
#pragma once

#include <cstdint>

#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/log/settle.hpp>

namespace brook::blocking_list {

/// What a slot is: an element, void, or not settled yet.
template <class Payload>
[[nodiscard]] typename Slot<Payload>::State look(const Segment<Payload>& segment, std::uint32_t at) noexcept {
  using State = typename Slot<Payload>::State;
  auto told = segment.slots[at].told();
  if (told.state == State::follower) told = segment.slots[at - told.distance].told();
  return told.state == State::taken ? State::ready : told.state;
}

/// Voids what is not settled up to a slot, in order (I2 of blocking_list/fifo.hpp).
template <class Payload>
void pass(Segment<Payload>& segment, std::uint32_t at) noexcept {
  using State = typename Slot<Payload>::State;
  std::uint32_t first = at;
  while (first > 0 && look(segment, first - 1) == State::empty) --first;
  for (; first <= at; ++first) {
    if (look(segment, first) == State::empty) segment.slots[first].make_void();
  }
}

/// Waits for the pusher of a slot, but not for ever; whether it is an element.
template <class Payload>
[[nodiscard]] bool settle(Segment<Payload>& segment, std::uint32_t at) noexcept {
  using State = typename Slot<Payload>::State;
  log::Patience patience;
  for (State state = look(segment, at);; state = look(segment, at)) {
    if (state != State::empty) return state == State::ready;
    if (!patience.left()) pass(segment, at);
  }
}

}  // namespace brook::blocking_list
