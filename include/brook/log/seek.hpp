// seek.hpp — finding the place of an id in a log, without a lock and without an index of its own.
//
// A walk goes from a held segment back along signposts to the one it wants, and pins that. On the way it pins nothing, so
// what it reads may be of a later life, or partly so. It is right all the same if the pin succeeds, that is, if the last
// segment is live then in the life that was sought: segments are retired from the oldest on, so all newer ones had not
// been retired before, and what was read there was of the right life. (Nor could it be of an earlier one: whoever holds a
// segment knows how it and all before it were made.) A mixture of lives is met only where the log has been trimmed, leads
// to a segment of another number, and there the pin fails. Looking at the numbers on the way only ends such a walk early.
#pragma once

#include <algorithm>
#include <cstdint>

#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// The first of the slots [0, end) whose entry has an id of at least `id`; `end` when there is none. All are settled.
/// O(log end), but for runs of void slots, which have no id and are stepped over; mostly one or two probes, because ids
/// that follow each other closely are where a straight line through the segment says they are.
template <class Payload>
[[nodiscard]] std::uint32_t first_slot_from(Segment<Payload>& segment, std::uint32_t end, Id id) noexcept {
  const std::uint64_t wanted = Word::key(segment.life().base, id);
  std::uint32_t low = 0;
  std::uint32_t high = end;
  std::uint64_t low_key = 0;  // of a slot before `low`, or of the base; high_key that of slot `high`
  std::uint64_t high_key = Word{segment.claims.load(sync::relaxed)}.key();  // AO
  for (int guesses = 3; low < high; --guesses) {
    std::uint32_t probe = low + (high - low) / 2;
    if (guesses > 0 && low_key < wanted && wanted < high_key) {
      const double share = static_cast<double>(wanted - low_key) / static_cast<double>(high_key - low_key);
      probe = std::min(low + static_cast<std::uint32_t>(share * (high - low)), high - 1);
    }
    const std::uint32_t after = probe + 1;
    while (probe > low && segment.slot(probe).state().is_void()) --probe;
    const SlotState state = segment.slot(probe).state();
    const std::uint64_t key = state.is_void() ? low_key : state.word.key();
    if (key == wanted && !state.is_void()) return probe;
    if (key < wanted) {
      low = after;
      low_key = key;
    } else {
      high = probe;
      high_key = key;
    }
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
  if (segment == newest.get()) return newest;
  segment->prefetch();
  return Hold<Payload>::of(segment, number);
}

}  // namespace brook::log
