// fifo.hpp — a queue that any number of threads push to and pop from at once, and that the holder of a lock can freeze.
//
// Use it    for the ordinary life of a list: pushed at one end, popped at the other.
// Not for   anything else: who needs more freezes both ends and moves the elements out (blocking_list/state.hpp).
//
// Shape     head_ ─▶ segment ─▶ … ─▶ segment ◀─ tail_
//           Elements are popped from the head and pushed to the tail. Each segment has two claim words (claims.hpp).
//
// Push      claim     one fetch_add on the tail's word takes a slot, where the push takes effect
//           fill      construct the payload in the slot
//           publish   one compare-and-swap of the slot's state; it fails when somebody voided the slot: begin anew
//           Several elements claim by compare-and-swap, and are published by their first slot.
// Pop       look      there is an element where a slot was claimed by a pusher, and not by a popper; as far as is known
//           claim     one fetch_add on the head's word takes a slot, where the pop takes effect
//           take      wait for the pusher, who is a few instructions from publishing; void the slot if it is not; at once if it is
//                     no pusher's, because others took what was there. A void slot: begin anew
//           Nothing there: the pushers' word said so while the poppers' word stood still.
// Several   settle    a popper of several elements looks before it claims, as some slots may turn out void: it keeps the
//                     segment (Looker), and settles slots until it has seen as many elements as it wants, or all
//           claim     one compare-and-swap takes all these slots. It fails when anybody has popped meanwhile, so what
//                     was seen is what is there. All there are: they were when the pushers' word was read.
//           take      all is settled: nothing to wait for. Others look already at what is behind it
//
// With the lock   A word is frozen by setting a bit in it: claims that find the bit count for nothing. Who freezes both
//           words knows which slots are claimed, and has them to itself once their pushers have published or were
//           voided. A new segment is linked, and a used one is unlinked, with the lock too: once in as many operations
//           as it has slots.
//
// Invariants
//   I1  Slots are claimed by pushers in order, and by poppers in order. Where a popper is first it voids the slot; if a pusher
//       has published there before, the pop takes effect at that push: what was there before has been claimed by others.
//   I2  A slot is voided only when all before it are settled, from one on where a claim of pushers began or is to begin. So
//       where the first slot of a batch was published, none of its followers is void, and where it was voided, all are.
//   I3  Only the head's word for pops is ever open, and only the tail's for pushes. Who freezes pops voids what poppers have
//       claimed and pushers have not: nothing that is pushed later goes to them.
//   I4  Each slot is done with once by a popper, as taken or as void, and if void once by its pusher. A segment is used
//       again when all are, and nobody looks. Its slots then have the other phase, which makes them empty; so none may be left
//       out in a life.
//   I5  Segments are type-stable, and lead one way for ever: who has an old pointer meets a word that is frozen, or full, or
//       open in a later life, whose claims are as good as any.
//
// Linearizable    a push at its claim, unless its slot is voided; a pop at its claim, or if that comes later at the push (I1);
//                 one that takes all there are, and "nothing there", when the pushers' word was read
// Lock-free       but where a segment ends: a slot is voided only by who goes on past it
//
// Memory orders
//   row  thread  operation              order    meets  because
//   LF   anyone  read tail_, head_      acquire  LG     the header
//   LG   holder  move tail_, head_      release  LF     the same
//   LH   pusher  claim slots            acquire  LI     the segment's slots are empty, in this life
//   LI   holder  open a word            release  LH,LJ, the same
//                                                LN
//   LJ   popper, read, freeze the       acquire  LI,LK, the same; and what pushes the poppers before knew of
//        holder  poppers' word                   LN
//   LK   popper  claim several slots    release  LJ     that: else a queue that never was empty could look so
//   LN   popper  claim one slot         acq_rel  LI,LJ  both: the claim may be one of a later life than what was seen
//   LM   popper  read the pushers' word acquire  LI     one of a later life says that the poppers' word is of one, too
//   LO   pusher  withdrawn += n         release  LQ     the payloads have been moved back
//   LP   popper  skipped += 1           release  LQ     the slot is not looked at any more
//   LX   popper  taken += n             release  LQ     the payloads have been moved out
//   LQ   holder  read the three         acquire  LO,LP, before the segment is used again
//                                                LX
//   LU   popper  lookers += 1           acquire  LW     too late: the poppers' word has then gone on
//   LV   popper  lookers -= 1           release  LW     nothing is looked at any more
//   LW   holder  read lookers           acq_rel  LU,LV  before the segment is used again, or its slots are freed
//   LR   anyone  `known`                relaxed  -      a hint: what is claimed in vain is voided
//   LS   holder  freeze pushes; what    relaxed  -      the lock orders holders; elements come with LB
//                only it writes; pushes
//   AO   anyone  private, failed, only  relaxed  -      nobody else has the segment, or nothing is learnt, or by LJ the
//                a number, or `none_`                   value is no older than it must be, or it was there from the start
// Proof     tests/model/fifo_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/fill.hpp>
#include <brook/blocking_list/popped_in_place.hpp>
#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/segments.hpp>
#include <brook/blocking_list/settle.hpp>
#include <brook/blocking_list/walk.hpp>
#include <brook/core/back_off.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/payload.hpp>

namespace brook::blocking_list {

template <class Payload>
class Fifo {
 public:
  using Values = log::Values<Payload>;
  using PoppedInPlace = blocking_list::PoppedInPlace<Payload>;
  using Outcome = PopResult;

  Fifo() = default;
  /// Destroys what is in it. No call is running.
  ~Fifo() {
    freeze();
    take_all(~std::size_t{0}, ~std::size_t{0}, [](Payload&&) noexcept {});
  }

  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  // — by any thread —

  /// Pushes a value. False when that takes the lock; the value is then as it was.
  [[nodiscard]] bool push(Payload& value, bool direction) noexcept {
    for (;;) {
      Segment& tail = *tail_.load(sync::acquire);          // LF
      const Claims seen{tail.pushes.load(sync::relaxed)};  // AO
      if (!seen.open(direction)) return false;
      const std::uint64_t before = tail.pushes.fetch_add(1, sync::acquire);  // LH
      const Claims claim{core::read_or_guess(before, seen.bits)};
      if (!claim.open(direction)) [[unlikely]]
        return false;
      if (!fill(tail, tail.slot_of(claim.at()), Values(std::addressof(value), 1))) [[unlikely]]
        continue;
      if (claim.bits != seen.bits) [[unlikely]]
        pushers_.met(tail.pushes, claim.bits);
      return true;
    }
  }

  /// Pushes all values at one instant. False when that takes the lock; the values are then as they were.
  [[nodiscard]] bool push(const Values& values, bool direction) noexcept {
    for (;;) {
      Segment& tail = *tail_.load(sync::acquire);    // LF
      Claims seen{tail.pushes.load(sync::relaxed)};  // AO
      if (!seen.open(direction) || seen.at() + values.size() > Claims::full) return false;
      if (!tail.pushes.compare_exchange_weak(seen.bits, seen.bits + values.size(), sync::acquire,  // LH
                                             sync::relaxed))                                       // AO
        continue;
      if (fill(tail, tail.slot_of(seen.at()), values)) return true;
    }
  }

  /// Pops an element.
  [[gnu::always_inline]] PoppedInPlace pop(bool direction) noexcept {
    for (;;) {
      Segment& head = *head_.load(sync::acquire);        // LF
      const Claims seen{head.pops.load(sync::acquire)};  // LJ
      if (!seen.open(direction)) return PoppedInPlace(Outcome::closed);
      if (!head.knows(seen)) {
        const Claims pushes{head.pushes.load(sync::acquire)};        // LM
        if (pushes.frozen()) return PoppedInPlace(Outcome::closed);  // who froze it knows its end
        if (pushes.end() <= seen.at()) {
          if (head.pops.load(sync::relaxed) != seen.bits) continue;  // AO
          return PoppedInPlace(Outcome::empty);
        }
        if (pushes.end() > seen.at() + 1 && head.pops.load(sync::relaxed) == seen.bits)  // AO
          head.know_end(seen, pushes.end());
      }
      const std::uint64_t before = head.pops.fetch_add(1, sync::acq_rel);  // LN
      const Claims claim{core::read_or_guess(before, seen.bits)};
      if (!claim.open(direction)) return PoppedInPlace(Outcome::closed);
      Slot<Payload>& slot = head.slots[head.slot_of(claim.at())];
      if (slot.ready(head.phase) || settle_claimed(head, claim.at())) [[likely]] {
        if (claim.bits != seen.bits) [[unlikely]]
          poppers_.met(head.pops, claim.bits);
        return PoppedInPlace(head, slot);
      }
      skip(head);
    }
  }

  /// Pops as many elements as there are, at most `most`, at one instant; none when they are fewer than `least`. Hands
  /// each to `use(Payload&&)`, which must not throw, after a call of `prepare(how_many)`, which may: then none is popped.
  template <class Prepare, class Use>
  [[nodiscard]] Outcome pop_some(std::size_t least, std::size_t most, bool direction, Prepare&& prepare, Use&& use) {
    for (;;) {
      Segment& head = *head_.load(sync::acquire);  // LF
      let_others_claim(head);
      Claims seen{head.pops.load(sync::acquire)};  // LJ
      if (!seen.open(direction)) return Outcome::closed;
      Run run;
      {
        const Looker<Payload> looker(head);
        const Claims pushes{head.pushes.load(sync::relaxed)};      // AO
        if (head.pops.load(sync::relaxed) != seen.bits) continue;  // AO
        if (pushes.frozen()) return Outcome::closed;
        if (pushes.end() <= seen.at()) return Outcome::empty;
        run = settle_run(head, head.slot_of(seen.at()), head.slot_of(pushes.end()), most);
        if (run.elements < most && pushes.end() == Claims::full) return Outcome::more;
        if (run.elements < least) return Outcome::empty;
        prepare(run.elements);
        if (!head.pops.compare_exchange_strong(seen.bits, seen.bits + run.slots, sync::release,
                                               sync::relaxed))  // LK AO
          continue;
      }
      take_run(head, head.slot_of(seen.at()), run, use);
      return Outcome::done;
    }
  }

  /// Elements of the head that pops know of. A hint.
  [[nodiscard]] std::size_t ahead() const noexcept {
    const Segment& head = *head_.load(sync::acquire);                // LF
    return head.known_after(Claims{head.pops.load(sync::relaxed)});  // AO
  }

  /// Whether keep_one() would give memory back. A hint.
  [[nodiscard]] bool keeps_several() const noexcept { return segments_.keeps_several(); }

  // — with the lock —

  /// From now on nobody pushes or pops without the lock. May be called again.
  void freeze() noexcept {
    freeze_pushes();
    freeze_pops();
  }
  void freeze_pushes() noexcept {
    if (std::exchange(pushes_frozen_, true)) return;
    end_ = Claims{tail().pushes.fetch_or(Claims::frozen_bit, sync::relaxed)}.end();  // LS
  }
  void freeze_pops() noexcept {
    if (std::exchange(pops_frozen_, true)) return;
    Segment& from = head();
    from.first = Claims{from.pops.fetch_or(Claims::frozen_bit, sync::acquire)}.end();  // LJ
    const std::uint32_t end = end_of(from);
    if (end < from.first) [[unlikely]]
      pass(from, from.slot_of(end), from.slot_of(from.first));  // I3
  }
  void open_pushes() noexcept {
    if (std::exchange(pushes_frozen_, false)) open(tail().pushes, end_);
  }
  void open_pops() noexcept {
    if (std::exchange(pops_frozen_, false)) open(head().pops, head().first);
  }

  /// Nothing is pushed any more: pops need no lock on that account.
  void seal() noexcept {
    freeze_pushes();
    give_up(tail(), end_, Claims::full);
    end_ = Claims::full;
    sealed_ = true;
  }
  [[nodiscard]] bool sealed() const noexcept { return sealed_; }

  /// Makes pops possible that found the head used up, or frozen by who had the lock before. False when that is not to be done:
  /// there is nothing behind it. Pops were open, but for who has the lock.
  [[nodiscard]] bool go_on() noexcept {
    if (Claims{head().pops.load(sync::relaxed)}.at() < Claims::full) return true;  // LS
    freeze_pops();
    return advance();
  }

  /// Which way elements go from now on. If that is another one, both ends are frozen, and there are none.
  void turn(bool direction) noexcept {
    if (std::exchange(direction_, direction) != direction && &head() != &none_) leave_last();
  }

  static constexpr std::size_t most_at_once = SegmentSizes<Payload>::largest;
  /// Makes it possible to push so many values at once, at most `most_at_once`. False when that needs slots that `room` has not:
  /// it then knows how many. Pushes are not frozen. Throws std::bad_alloc.
  [[nodiscard]] bool grow(std::size_t values, Room<Payload>& room) {
    Segment& full = tail();
    const bool fits = full.pushed() + values <= Claims::full;
    const auto at_once = static_cast<std::uint32_t>(std::min(values, most_at_once));
    const std::uint32_t capacity = std::max(at_once, SegmentSizes<Payload>::after(full.capacity));
    const bool lacks = !fits && segments_.lacks(capacity, direction_);
    room.wanted = lacks && room.slots.size() != capacity ? capacity : 0;
    if (room.wanted > 0) return false;
    if (!fits) link(full, segments_.make(capacity, direction_, room.slots));
    if (room.slots.size() > 0) segments_.keep(room.slots, direction_);
    return true;
  }

  /// Hands up to `most` elements of the next `slots` to `use(Payload&&)`, and goes on over segments; how many. Pops are
  /// frozen, pushes need not be. When `use` throws, that element and those behind it are still there.
  template <class Use>
  std::size_t take_all(std::size_t most, std::size_t slots, Use&& use) {
    std::size_t taken = 0;
    do {
      Segment& from = head();
      Counting<Payload> counting(from);
      for (const std::uint32_t end = end_of(from); from.first < end && taken + counting.taken < most && slots > 0;
           ++from.first, --slots)
        counting.taken += take(from, from.slot_of(from.first), use, SlotState::counted) ? 1 : 0;
      taken += counting.taken;
    } while (advance());
    return taken;
  }

  /// In so many slots are the first elements that there are now, at least `enough` of them or all, and none that is pushed later;
  /// or fewer, where slots are void. Pops are frozen. O(segments).
  [[nodiscard]] std::size_t at_most(std::size_t enough) noexcept {
    std::size_t slots = 0;
    for (Segment* segment = &head(); segment != nullptr && slots < enough; segment = segment->next) {
      const std::uint32_t end = end_of(*segment);
      slots += end - std::min(segment->first, end);
    }
    return slots;
  }

  /// How many elements there are, or whether there are at least so many. Pops are frozen, and for the number pushes too. O(n).
  [[nodiscard]] std::size_t count() noexcept { return count_up_to(~std::size_t{0}); }
  [[nodiscard]] bool has(std::size_t least) noexcept { return count_up_to(least) >= least; }

  /// Over the elements that there are now, in the order of pops. Both ends are frozen.
  [[nodiscard]] Walk<Payload> walk() const noexcept { return {head(), head().first, tail(), end_}; }

  /// Gives back what is kept of a queue that was longer, but for one segment.
  void keep_one() noexcept { segments_.keep_one(); }

 private:
  using Segment = blocking_list::Segment<Payload>;

  [[nodiscard]] Segment& head() const noexcept { return *head_.load(sync::relaxed); }  // LS
  [[nodiscard]] Segment& tail() const noexcept { return *tail_.load(sync::relaxed); }  // LS

  // Slots before it have been claimed by pushers; all that ever will be, while pushes are frozen.
  [[nodiscard]] std::uint32_t end_of(const Segment& segment) const noexcept {
    return &segment != &tail() ? Claims::full : pushes_frozen_ ? end_ : segment.pushed();
  }

  [[nodiscard]] std::size_t count_up_to(std::size_t most) noexcept {
    std::size_t elements = 0;
    for (Segment* segment = &head(); segment != nullptr; segment = segment->next) {
      const std::uint32_t end = end_of(*segment);
      std::optional<bool> element;
      for (std::uint32_t at = segment->first; at < end && elements < most; ++at) {
        element = settle_next(*segment, segment->slot_of(at), element);
        elements += *element ? 1 : 0;
      }
    }
    return elements;
  }

  void open(sync::atomic<std::uint64_t>& word, std::uint32_t at) noexcept {
    word.store(Claims{word.load(sync::relaxed)}.opened_at(at, direction_).bits, sync::release);  // LS LI
  }

  // Goes on pushing to a new segment.
  void link(Segment& full, Segment& next) noexcept {
    freeze_pushes();
    give_up(full, end_, Claims::full);
    open(full.pushes, Claims::full);
    open(next.pushes, next.first);
    pushes_frozen_ = false;
    full.next = &next;
    tail_.store(&next, sync::release);  // LG
  }

  // Goes on to the next segment where the head has been popped to its end, which it has while pops are frozen. Whether it did.
  bool advance() noexcept {
    Segment& used = head();
    if (used.first < Claims::full || used.next == nullptr) return false;
    Segment& next = *used.next;
    head_.store(&next, sync::release);  // LG
    if (&used != &none_) segments_.give_back(used);
    return true;
  }

  // The only segment is left with its last slots unused. Who of the poppers has claimed any has found them void, and says so.
  void leave_last() noexcept {
    Segment& used = head();
    give_up(used, end_, Claims::full);
    used.skipped.fetch_add(Claims::full - used.first, sync::relaxed);  // AO
    used.first = Claims::full;
    none_.next = nullptr;
    end_ = Claims::full;
    tail_.store(&none_, sync::relaxed);  // AO
    head_.store(&none_, sync::relaxed);  // AO
    segments_.give_back(used);
  }

  Segment none_;  // the first one, and where the queue turns round: it never has a slot
  alignas(core::cache_line) sync::atomic<Segment*> head_{&none_};
  sync::atomic<Segment*> tail_{&none_};
  // Only with the lock.
  std::uint32_t end_ = Claims::full;  // of the tail's slots, those before have been claimed by pushers; while frozen
  bool direction_ = false;
  bool pushes_frozen_ = true;
  bool pops_frozen_ = true;
  bool sealed_ = false;
  Segments<Payload> segments_;
  core::BackOff<40> pushers_;
  core::BackOff<40> poppers_;
};

}  // namespace brook::blocking_list
