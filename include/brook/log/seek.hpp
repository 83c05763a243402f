// seek.hpp — finding the place of an id in a log, without a lock and without an index of its own.
//
// A walk goes from a held segment back along signposts to the one it wants, and pins that. On the way it pins nothing, so
// what it reads may be of a later life, or partly so. It is right all the same if the pin succeeds, that is, if the last
// segment is live then in the life that was sought, and was opened in it: segments are retired from the oldest on, so all
// newer ones had not been retired before, and what was read there was of the right life. (Nor could it be of an earlier one:
// whoever holds a segment knows how it and all before it were made.) A mixture of lives is met only where the log has been
// trimmed, leads to a segment of another number, or to one that was never linked, and there the pin fails. Looking at the
// numbers on the way only ends such a walk early.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// A slot, or the end of some, and the key of its id (Word::key()).
struct KeyedSlot {
  std::uint32_t at;
  std::uint64_t key;

  [[nodiscard]] std::uint64_t ms() const noexcept { return key >> Word::seq_bits; }
  [[nodiscard]] std::uint64_t seq() const noexcept { return key & Word::seq_mask; }
};

/// Where a key between those of two slots should be found in a segment that starts at `base`: within a millisecond ids
/// mostly follow each other, and the milliseconds begin on a straight line.
[[nodiscard]] inline double expected_slot(const KeyedSlot& low, const KeyedSlot& high, const KeyedSlot& wanted,
                                          Id base) noexcept {
  if (wanted.ms() == low.ms()) return low.at + static_cast<double>(wanted.key - low.key);
  if (wanted.ms() == high.ms()) return high.at - static_cast<double>(high.key - wanted.key);
  const auto begin = [base](const KeyedSlot& slot) {
    return slot.at - static_cast<double>(slot.seq()) - (slot.ms() == 0 ? static_cast<double>(base.seq) : 0);
  };
  const double passed = static_cast<double>(wanted.ms() - low.ms()) / static_cast<double>(high.ms() - low.ms());
  return begin(low) + (begin(high) - begin(low)) * passed + static_cast<double>(wanted.seq());
}

/// The first of the slots [0, end) whose entry has an id of at least `id`; `end` when there is none. All are settled.
/// O(log end), but for runs of void slots, which have no id and are stepped over; mostly one or two probes.
template <class Payload>
[[nodiscard]] std::uint32_t first_slot_from(Segment<Payload>& segment, std::uint32_t end, Id id) noexcept {
  const Id base = segment.life().base;
  const KeyedSlot wanted{0, Word::key(base, id)};
  KeyedSlot low{0, 0};
  KeyedSlot high{end, Word{segment.claims.load(sync::relaxed)}.key()};  // AO
  std::uint32_t from = 0;
  for (int guesses = 4; from < high.at; --guesses) {
    std::uint32_t probe = from + (high.at - from) / 2;
    if (guesses > 0 && low.key < wanted.key && wanted.key < high.key) {
      const double guess = expected_slot(low, high, wanted, base);
      probe = static_cast<std::uint32_t>(std::clamp<double>(guess, from, high.at - 1));
    }
    const std::uint32_t after = probe + 1;
    while (probe > from && segment.slot(probe).state().is_void()) --probe;
    const SlotState state = segment.slot(probe).state();
    const KeyedSlot found{probe, state.is_void() ? low.key : state.word.key()};
    if (found.key == wanted.key && !state.is_void()) return probe;
    if (found.key < wanted.key) {
      low = found;
      from = after;
    } else {
      high = found;
    }
  }
  return from;
}

/// Holds the segment of this number, which the tail has reached; an empty hold when it has been trimmed meanwhile. The number
/// alone would not do: an appender that stalled with an old tail may have taken the header from the pool since, for a segment
/// of the same number, which will never be linked. Such a one was never opened either.
template <class Payload>
[[nodiscard]] Hold<Payload> hold_reached(Segment<Payload>* segment, std::uint64_t number) noexcept {
  Hold<Payload> hold = Hold<Payload>::of(segment, number);
  return hold && !Word{hold->claims.load(sync::relaxed)}.unopened() ? std::move(hold) : Hold<Payload>();  // AO
}

/// The same for one that was linked, and that the tail has perhaps not reached yet: it has then.
template <class Log, class Payload>
[[nodiscard]] Hold<Payload> hold_linked(Log& log, Segment<Payload>* segment, std::uint64_t number) noexcept {
  Hold<Payload> hold = hold_reached(segment, number);
  if (hold) return hold;
  static_cast<void>(log.end());
  return hold_reached(segment, number);
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
  return hold_reached(segment, number);
}

}  // namespace brook::log
