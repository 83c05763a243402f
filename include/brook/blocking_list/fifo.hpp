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
// Pop       look      a slot below `known`, or below what the tail's word says, has been claimed by a pusher
//           claim     one compare-and-swap on the head's word takes the slots, where the pop takes effect
//           take      wait for the pusher, who is a few instructions from publishing; void the slot if it is not
//           Nothing there: the pushers' word said so while the poppers' word stood still.
//
// With the lock   A word is frozen by setting a bit in it: claims that find the bit count for nothing. Who freezes both
//           words knows which slots are claimed, and has them to itself once their pushers have published or were
//           voided. A new segment is linked, and a used one is unlinked, with the lock too: once in as many operations
//           as it has slots.
//
// Invariants
//   I1  Slots are claimed by pushers in order, and by poppers in order, and never by poppers first.
//   I2  A slot is voided only when all before it in its segment are settled. So where the first slot of a batch was
//       published, none of its followers is void, and where it was voided, all are.
//   I3  Only the head's word for pops is ever open, and only the tail's for pushes.
//   I4  Each slot is done with once by a popper, as taken or as void, and if void once by its pusher. A segment is used
//       again when all are.
//   I5  Segments are type-stable: who has an old pointer meets a word that is frozen, or full, or open in a later life,
//       whose claims are as good as any.
//
// Linearizable    a push at its claim, unless its slot is voided; a pop at its claim; "nothing there" at its look
// Lock-free       but where a segment ends: a slot is voided only by who goes on past it
//
// Memory orders
//   row  thread  operation              order    meets  because
//   LF   anyone  read tail_, head_      acquire  LG     the header
//   LG   holder  move tail_, head_      release  LF     the same
//   LH   pusher  claim slots            acquire  LI     the segment's slots are empty, in this life
//   LI   holder  open a word            release  LH,LJ  the same
//   LJ   popper  read its claim word    acquire  LI,LK  the same; and what pushes the poppers before knew of
//   LK   popper  claim slots            release  LJ     that: else a queue that never was empty could look so
//   LO   pusher  withdrawn += n         release  LQ     the payloads have been moved back
//   LP   popper  skipped += 1           release  LQ     the slot is not looked at any more
//   LQ   holder  read both              acquire  LO,LP  before the segment is used again
//   LR   anyone  `known`                relaxed  -      says of which life it is, and is true of that for ever
//   LS   holder  freeze; what only it   relaxed  -      the lock orders holders; elements come with LB
//                writes; pushes
//   AO   anyone  private, failed, or    relaxed  -      nobody else has the segment, or nothing is learnt, or by LJ the
//                only a number                          value is no older than it must be
// Proof     tests/model/fifo_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/settle.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/blocking_list/walk.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/payload.hpp>

namespace brook::blocking_list {

template <class Payload>
class Fifo {
 public:
  using Values = log::Values<Payload>;

  enum class Outcome { done, empty, closed };  // closed: not without the lock

  Fifo() {
    Segment& none = make(0);
    head_.store(&none, sync::relaxed);  // AO
    tail_.store(&none, sync::relaxed);  // AO
  }

  /// Destroys what is in it. No call is running.
  ~Fifo() {
    freeze();
    take_all(~std::size_t{0}, ~std::size_t{0}, false, [](Payload&&) noexcept {});
    while (made_ != nullptr) delete std::exchange(made_, made_->made_before);
  }

  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;

  // — by any thread —

  /// Pushes all values at one instant. False when that takes the lock; the values are then as they were.
  [[nodiscard]] bool push(const Values& values, bool direction) noexcept {
    for (;;) {
      Segment& tail = *tail_.load(sync::acquire);          // LF
      const Claims seen{tail.pushes.load(sync::relaxed)};  // AO
      if (!seen.open(direction) || seen.at() + values.size() > Claims::full) return false;
      Claims claim = seen;
      if (values.size() == 1) claim.bits = tail.pushes.fetch_add(1, sync::acquire);                      // LH
      else if (!tail.pushes.compare_exchange_weak(claim.bits, seen.bits + values.size(), sync::acquire,  // LH
                                                  sync::relaxed))                                        // AO
        continue;
      if (claim.frozen() || claim.at() >= Claims::full) return false;
      if (claim.turned() != direction) give_up(tail, claim.at(), claim.at() + 1);  // turned round since the look
      else if (fill(tail, tail.slot_of(claim.at()), values)) return true;
    }
  }

  /// Pops up to `most` elements at one instant, and hands each to `use(Payload&&)`, which must not throw.
  template <class Use>
  [[nodiscard]] Outcome pop(std::size_t most, bool direction, Use&& use) noexcept {
    for (;;) {
      Segment& head = *head_.load(sync::acquire);  // LF
      Claims seen{head.pops.load(sync::acquire)};  // LJ
      if (!seen.open(direction) || seen.at() >= Claims::full) return Outcome::closed;
      std::uint32_t end = head.known_end(seen);
      if ((most > 1 || end == seen.at()) && end < Claims::full) {
        const Claims pushes{head.pushes.load(sync::relaxed)};      // AO
        if (pushes.frozen()) return Outcome::closed;               // who froze it knows its end
        if (head.pops.load(sync::relaxed) != seen.bits) continue;  // AO
        end = pushes.end();
        if (end <= seen.at()) return Outcome::empty;
        head.know_end(seen, end);
      }
      // Of several some may turn out void, and others may be popped instead: only who takes all there are misses none.
      if (most > 1 && (end - seen.at() > most || end == Claims::full)) return Outcome::closed;
      const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(most, end - seen.at()));
      if (!head.pops.compare_exchange_weak(seen.bits, seen.bits + count, sync::release, sync::relaxed))  // LK AO
        continue;
      if (take_run(head, head.slot_of(seen.at()), count, use)) return Outcome::done;
    }
  }

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
    if (!std::exchange(pops_frozen_, true)) head().pops.fetch_or(Claims::frozen_bit, sync::relaxed);  // LS
  }
  void open_pushes(bool direction) noexcept {
    if (std::exchange(pushes_frozen_, false)) open(tail().pushes, end_, direction);
  }
  void open_pops(bool direction) noexcept {
    if (std::exchange(pops_frozen_, false)) open(head().pops, head().popped(), direction);
  }

  /// Makes room for so many values to be pushed at once, at most `most_at_once`. Pushes are not frozen. Throws
  /// std::bad_alloc.
  static constexpr std::size_t most_at_once = SegmentSizes<Payload>::largest;
  void grow(std::size_t values, bool direction) {
    Segment& full = tail();
    if (full.pushed() + values <= Claims::full) return;
    const auto at_once = static_cast<std::uint32_t>(std::min(values, most_at_once));
    Segment& next = make(std::max(at_once, SegmentSizes<Payload>::after(full.capacity)));
    freeze_pushes();
    give_up(full, end_, Claims::full);
    open(full.pushes, Claims::full, direction);
    open(next.pushes, Claims::full - next.capacity, direction);
    pushes_frozen_ = false;
    full.next = &next;
    tail_.store(&next, sync::release);  // LG
    advance(direction);
  }

  /// Goes on to the next segment where the head has been popped to its end. Whether it did.
  bool advance(bool direction) noexcept {
    Segment& used = head();
    if (used.popped() < Claims::full || used.next == nullptr) return false;
    Segment& next = *used.next;
    if (!pops_frozen_) open(next.pops, next.popped(), direction);
    head_.store(&next, sync::release);  // LG
    used.next = std::exchange(leaving_, &used);
    collect();
    return true;
  }

  /// Hands up to `most` elements of the next `slots` to `use(Payload&&)`, and goes on over segments; how many. Pops are
  /// frozen, pushes need not be. When `use` throws, that element and those behind it are still there.
  template <class Use>
  std::size_t take_all(std::size_t most, std::size_t slots, bool direction, Use&& use) {
    std::size_t taken = 0;
    do {
      Segment& from = head();
      const std::uint32_t end = &from != &tail() ? Claims::full : pushes_frozen_ ? end_ : from.pushed();
      Position position(from);
      for (; position.at < end && taken < most && slots > 0; ++position.at, --slots)
        taken += take(from, from.slot_of(position.at), use) ? 1 : 0;
    } while (advance(direction));
    return taken;
  }

  /// In so many slots are all elements that there are now, and none that is pushed later. Pops are frozen. O(segments).
  [[nodiscard]] std::size_t at_most() noexcept {
    std::size_t slots = 0;
    for (Segment* segment = &head(); segment != nullptr; segment = segment->next) {
      const std::uint32_t end = segment != &tail() ? Claims::full : pushes_frozen_ ? end_ : segment->pushed();
      slots += end - segment->popped();
    }
    return slots;
  }

  /// How many elements there are, or whether there is one. Both ends are frozen. O(n).
  [[nodiscard]] std::size_t count() noexcept { return count_up_to(~std::size_t{0}); }
  [[nodiscard]] bool any() noexcept { return count_up_to(1) > 0; }

  /// Over the elements that there are now, in the order of pops. Both ends are frozen.
  [[nodiscard]] Walk<Payload> walk() const noexcept { return {head(), head().popped(), tail(), end_}; }

 private:
  using Segment = blocking_list::Segment<Payload>;
  using Slot = blocking_list::Slot<Payload>;
  using State = typename Slot::State;

  // Where the holder of the lock is on its way through a segment.
  struct Position {
    explicit Position(Segment& segment) noexcept : in(segment), at(segment.popped()) {}
    ~Position() {
      in.pops.store(Claims{in.pops.load(sync::relaxed)}.frozen_at(at).bits, sync::relaxed);  // LS
    }
    Position(const Position&) = delete;
    Position& operator=(const Position&) = delete;

    Segment& in;
    std::uint32_t at;
  };

  [[nodiscard]] Segment& head() const noexcept { return *head_.load(sync::relaxed); }  // LS
  [[nodiscard]] Segment& tail() const noexcept { return *tail_.load(sync::relaxed); }  // LS

  [[nodiscard]] std::size_t count_up_to(std::size_t most) noexcept {
    std::size_t elements = 0;
    for (Segment* segment = &head(); segment != nullptr; segment = segment->next) {
      const std::uint32_t end = segment == &tail() ? end_ : Claims::full;
      for (std::uint32_t at = segment->popped(); at < end && elements < most; ++at)
        elements += settle(*segment, segment->slot_of(at)) ? 1 : 0;
    }
    return elements;
  }

  static void open(sync::atomic<std::uint64_t>& word, std::uint32_t at, bool direction) noexcept {
    word.store(Claims{word.load(sync::relaxed)}.opened_at(at, direction).bits, sync::release);  // LS LI
  }

  // False when the slots were voided: the values are back.
  [[nodiscard]] static bool fill(Segment& segment, std::uint32_t first, const Values& values) noexcept {
    const auto count = static_cast<std::uint32_t>(values.size());
    for (std::uint32_t i = 0; i < count; ++i) values.move_to(i, segment.slots[first + i]);
    for (std::uint32_t i = 1; i < count; ++i) segment.slots[first + i].follow(i);
    if (segment.slots[first].publish()) [[likely]]
      return true;
    for (std::uint32_t i = count; i-- > 0;) values.take_back(i, segment.slots[first + i]);
    withdraw(segment, count);
    return false;
  }

  // Voids slots that the caller has claimed and cannot use.
  static void give_up(Segment& segment, std::uint32_t from, std::uint32_t to) noexcept {
    for (std::uint32_t at = from; at < to; ++at) segment.slots[segment.slot_of(at)].make_void();
    withdraw(segment, to - from);
  }
  // Their pusher is done with so many slots, which are void.
  static void withdraw(Segment& segment, std::uint32_t slots) noexcept {
    segment.withdrawn.fetch_add(slots, sync::release);  // LO
  }

  // Uses up a slot that the caller has claimed; whether there was an element.
  template <class Use>
  static bool take(Segment& segment, std::uint32_t at, Use&& use) {
    if (!settle(segment, at)) {
      segment.skipped.fetch_add(1, sync::release);  // LP
      return false;
    }
    use_up(segment.slots[at], use);
    return true;
  }

  // Uses up neighbouring slots; whether there was an element. Behind an element a follower is one (I2).
  template <class Use>
  static bool take_run(Segment& segment, std::uint32_t first, std::uint32_t count, Use&& use) noexcept {
    bool any = false;
    bool element = false;
    for (std::uint32_t at = first; at < first + count; ++at) {
      const State state = segment.slots[at].told().state;
      if (state == State::ready || (element && state == State::follower)) {
        use_up(segment.slots[at], use);
        element = true;
      } else {
        element = take(segment, at, use);
      }
      any = any || element;
    }
    return any;
  }
  template <class Use>
  static void use_up(Slot& slot, Use&& use) {
    use(std::move(slot.payload()));
    std::destroy_at(std::addressof(slot.payload()));
    slot.take();
  }

  // A segment with so many empty slots, which nobody knows yet. Throws std::bad_alloc.
  [[nodiscard]] Segment& make(std::uint32_t capacity) {
    Segment* segment = spare_;
    if (segment == nullptr) {
      segment = new Segment;
      segment->made_before = std::exchange(made_, segment);
      segment->next = nullptr;
      spare_ = segment;
    }
    if (segment->slots_size != capacity) {
      segment->slots.reset();
      segment->slots_size = 0;
      segment->slots.reset(new Slot[capacity]);
      segment->slots_size = capacity;
    }
    segment->capacity = capacity;
    spare_ = std::exchange(segment->next, nullptr);
    for (std::uint32_t i = 0; i < capacity; ++i) segment->slots[i].reset();
    segment->withdrawn.store(0, sync::relaxed);                                          // AO
    segment->skipped.store(0, sync::relaxed);                                            // AO
    const Claims before{segment->pops.load(sync::relaxed)};                              // AO
    segment->pops.store(before.frozen_at(Claims::full - capacity).bits, sync::relaxed);  // AO
    return *segment;
  }

  // Takes back the segments with which everybody is done; keeps the slots of one.
  void collect() noexcept {
    for (Segment** at = &leaving_; *at != nullptr;) {
      Segment& segment = **at;
      if (!done_with(segment)) {
        at = &segment.next;
        continue;
      }
      *at = segment.next;
      if (spare_ != nullptr) {
        spare_->slots.reset();
        spare_->slots_size = 0;
      }
      segment.next = std::exchange(spare_, &segment);
    }
  }

  [[nodiscard]] static bool done_with(const Segment& segment) noexcept {
    const std::uint32_t skipped = segment.skipped.load(sync::acquire);   // LQ
    if (segment.withdrawn.load(sync::acquire) != skipped) return false;  // LQ
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; i < segment.capacity; ++i) taken += segment.slots[i].told().state == State::taken ? 1 : 0;
    return taken + skipped == segment.capacity;
  }

  alignas(core::cache_line) sync::atomic<Segment*> head_{nullptr};
  sync::atomic<Segment*> tail_{nullptr};
  // Only with the lock.
  std::uint32_t end_ = Claims::full;  // of the tail's slots, those before have been claimed by pushers; while frozen
  bool pushes_frozen_ = true;
  bool pops_frozen_ = true;
  Segment* leaving_ = nullptr;  // used up, but somebody may still be taking out what it claimed
  Segment* spare_ = nullptr;
  Segment* made_ = nullptr;
};

}  // namespace brook::blocking_list
