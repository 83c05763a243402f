// settle.hpp — what became of the slots of a list's queue: finding out, passing pushers that have stalled, using slots up.
//
// Who calls these has claimed slots of the segment, or keeps it in another way (Looker), or has the lock.
// (Orders: blocking_list/fifo.hpp.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/settle.hpp>

namespace brook::blocking_list {

/// What a slot is: an element, void, or not settled yet. What a follower is says the first slot before it that is none.
template <class Payload>
[[nodiscard]] SlotState look(const Segment<Payload>& segment, std::uint32_t at) noexcept {
  SlotState told = segment.slots[at].told(segment.phase);
  while (told == SlotState::follower) told = segment.slots[--at].told(segment.phase);
  return told == SlotState::empty || told == SlotState::gone ? told : SlotState::ready;
}

/// Voids what is not settled of slots, in their order (I2). What turns out to have been published must have been seen so before
/// it goes on: the slots behind it may be followers.
template <class Payload>
void pass(Segment<Payload>& segment, std::uint32_t first, std::uint32_t end) noexcept {
  for (; first < end; ++first) {
    while (look(segment, first) == SlotState::empty) segment.slots[first].make_void(segment.phase);
  }
}

/// Waits for the pusher of a slot, but not for ever; whether it is an element. Not inline: this is seldom to be done.
template <class Payload>
[[nodiscard, gnu::noinline]] bool settle(Segment<Payload>& segment, std::uint32_t at) noexcept {
  log::Patience patience;
  for (SlotState state = look(segment, at);; state = look(segment, at)) {
    if (state != SlotState::empty) return state == SlotState::ready;
    if (patience.left()) continue;
    std::uint32_t first = at;
    while (first > 0 && look(segment, first - 1) == SlotState::empty) --first;
    pass(segment, first, at + 1);
  }
}

/// The same of a slot that a popper has claimed, as its claim says. Nobody is waited for where no pusher has claimed it.
template <class Payload>
[[nodiscard, gnu::noinline]] bool settle_claimed(Segment<Payload>& segment, std::uint32_t at) noexcept {
  const Claims pushes{segment.pushes.load(sync::relaxed)};  // AO
  if (!pushes.frozen() && pushes.end() <= at) pass(segment, segment.slot_of(pushes.end()), segment.slot_of(at) + 1);
  return settle(segment, segment.slot_of(at));
}

/// Whether a slot is an element, as settle() finds out, given whether the slot before it is one, if that is known: a follower says
/// the same, and who settles one after the other need not look back.
template <class Payload>
[[nodiscard]] bool settle_next(Segment<Payload>& segment, std::uint32_t at, std::optional<bool> before) noexcept {
  if (before && segment.slots[at].told(segment.phase) == SlotState::follower) return *before;
  return look(segment, at) == SlotState::ready || settle(segment, at);
}

/// How many elements, at most so many, lie side by side from one on. That may just have been taken: a claim of it then fails.
template <class Payload>
[[nodiscard]] std::uint32_t elements_from(const Slot<Payload>* slots, std::uint32_t phase,
                                          std::uint32_t most) noexcept {
  std::uint32_t elements = std::max(std::uint32_t{1}, slots[0].elements(phase));
  for (std::uint32_t here = 1; here > 0 && elements < most; elements += here) here = slots[elements].elements(phase);
  return std::min(elements, most);
}

/// Neighbouring slots that are settled, and how many of them are elements.
struct Run {
  std::uint32_t slots = 0;
  std::uint32_t elements = 0;
};

/// Settles slots from `first` on, before `end`, until `most` of them are elements.
template <class Payload>
[[nodiscard]] Run settle_run(Segment<Payload>& segment, std::uint32_t first, std::uint32_t end,
                             std::size_t most) noexcept {
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(most, end - first));
  Run run;
  std::optional<bool> element;
  for (std::uint32_t at = first; run.elements < wanted && at < end; at = first + run.slots) {
    element = settle_next(segment, at, element);
    if (!*element) {
      ++run.slots;
      continue;
    }
    const std::uint32_t elements =
        elements_from(&segment.slots[at], segment.phase, std::min(wanted - run.elements, end - at));
    run.slots += elements;
    run.elements += elements;
  }
  return run;
}

// Their pusher is done with so many slots, which are void.
template <class Payload>
void withdraw(Segment<Payload>& segment, std::uint32_t slots) noexcept {
  segment.withdrawn.fetch_add(slots, sync::release);  // LO
}

// A popper is done with a slot, which is void.
template <class Payload>
void skip(Segment<Payload>& segment) noexcept {
  segment.skipped.fetch_add(1, sync::release);  // LP
}

/// Voids slots that the caller has claimed and cannot use.
template <class Payload>
void give_up(Segment<Payload>& segment, std::uint32_t from, std::uint32_t to) noexcept {
  for (std::uint32_t at = from; at < to; ++at) segment.slots[segment.slot_of(at)].make_void(segment.phase);
  withdraw(segment, to - from);
}

/// Uses up an element, but for its slot.
template <class Payload, class Use>
void use_up(Slot<Payload>& slot, Use&& use) {
  use(std::move(slot.payload()));
  std::destroy_at(std::addressof(slot.payload()));
}

/// Uses up a slot that the caller has claimed; whether there was an element, which is then `as` told: counted, if the caller
/// counts it.
template <class Payload, class Use>
bool take(Segment<Payload>& segment, std::uint32_t at, Use&& use, SlotState as = SlotState::taken) {
  Slot<Payload>& slot = segment.slots[at];
  if (!slot.ready(segment.phase) && !settle(segment, at)) {
    skip(segment);
    return false;
  }
  use_up(slot, use);
  slot.take(segment.phase, as);
  return true;
}

/// Uses up slots that the caller has settled, and then claimed.
template <class Payload, class Use>
void take_run(Segment<Payload>& segment, std::uint32_t first, const Run& run, Use&& use) noexcept {
  if (run.elements < run.slots) {
    for (std::uint32_t at = first; at < first + run.slots; ++at) take(segment, at, use);
    return;
  }
  Slot<Payload>* const slots = &segment.slots[first];
  for (std::uint32_t i = 0; i < run.slots; ++i) use_up(slots[i], use);
  slots[run.slots - 1].take(segment.phase, SlotState::counted);
  segment.taken.fetch_add(run.slots, sync::release);  // LX
}

/// Has its segment count what the holder of the lock takes out.
template <class Payload>
struct Counting {
  explicit Counting(Segment<Payload>& segment) noexcept : of(segment) {}
  ~Counting() {
    if (taken > 0) of.taken.fetch_add(taken, sync::relaxed);  // LS
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

  Segment<Payload>& of;
  std::uint32_t taken = 0;
};

/// Keeps the slots of a segment of which one has claimed none. But in the life in which one found it they may be gone:
/// that must be looked at again, behind the constructor.
template <class Payload>
class Looker {
 public:
  explicit Looker(Segment<Payload>& segment) noexcept : segment_(segment) {
    segment_.lookers.fetch_add(1, sync::acquire);  // LU
  }
  ~Looker() { segment_.lookers.fetch_sub(1, sync::release); }  // LV
  Looker(const Looker&) = delete;
  Looker& operator=(const Looker&) = delete;

 private:
  Segment<Payload>& segment_;
};

/// Waits a little while others look, of whom one can only claim what they have seen; and looks seldom whether they still do, as
/// that takes the line from them.
template <class Payload>
void let_others_claim(const Segment<Payload>& segment) noexcept {
  constexpr int at_a_time = 8;
  for (int pauses = 0; pauses < sync::patient_pauses; ++pauses) {
    if (pauses % at_a_time == 0 && segment.lookers.load(sync::relaxed) == 0) return;  // AO
    sync::pause();
  }
}

}  // namespace brook::blocking_list
