// seek.hpp — finding the place of an id in a log, without a lock and without an index of its own.
#pragma once

#include <cstdint>

#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// The first of the slots [0, end) whose entry has an id of at least `id`; `end` when there is none. All are settled.
/// O(log end), but for runs of void slots, which have no id and are stepped over.
template <class Payload>
[[nodiscard]] std::uint32_t first_slot_from(Segment<Payload>& segment, std::uint32_t end, Id id) noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = end;
  while (low < high) {
    std::uint32_t probe = low + (high - low) / 2;
    const std::uint32_t middle = probe;
    while (probe > low && segment.slot(probe).state().is_void()) --probe;
    const SlotState state = segment.slot(probe).state();
    if (state.is_void() || segment.id(state) < id) low = middle + 1;
    else high = probe;
  }
  return low;
}

/// The newest segment not after `newest` that starts at or before `id`, but none before segment number `oldest`. An empty
/// hold when that segment has been trimmed meanwhile. O(log of the number of segments between), each a few loads.
template <class Payload>
[[nodiscard]] Hold<Payload> segment_of(const Hold<Payload>& newest, std::uint64_t oldest, Id id) noexcept {
  Segment<Payload>* segment = newest.get();
  std::uint64_t number = newest->life().number;
  Id base = newest->life().base;
  while (base > id && number > oldest) {
    const auto jump = segment->jump();
    Segment<Payload>* const previous = segment->previous();
    if (!segment->is(number)) return {};
    if (jump.number >= oldest && jump.base > id) {
      segment = jump.segment;
      number = jump.number;
      base = jump.base;
    } else {
      segment = previous;
      number = number - 1;
      base = segment->base();
      if (!segment->is(number)) return {};
    }
  }
  return segment == newest.get() ? newest : Hold<Payload>::of(segment, number);
}

}  // namespace brook::log
