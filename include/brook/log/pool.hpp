// pool.hpp — where a log's segments come from and go to.
//
// The pool keeps every header that it ever made until the log and the last pin are gone, so a thread with an old pointer
// never touches freed memory; there are never more headers than segments were alive at once. Slot arrays, which are the
// memory that counts, are freed when a segment is taken back, but for one that the next segment will use.
//
// Spare headers form a list that is pushed by compare-and-swap and popped as a whole by exchange, so that no thread
// ever follows a link of a header that another has taken: there is no ABA problem.
//
// The pool counts its owners: the log, and each segment from its first life's begin to its end. Whoever drops the last
// pin after the log's death thus finds the pool alive, and buries it.
//
// Memory orders
//   row  thread    operation              order    meets  because
//   W    giver     push a spare           release  X      the header's last life is over
//   X    taker     take all spares        acquire  W      the same
//   Y    owner     owners -= 1            acq_rel  Y      everything happened before the burial
//   Z    maker     register a new header  relaxed  -      only the undertaker follows the list, and Y comes before that
//   AA   taker     give back what is too  relaxed  -      nothing of it was written since X: this goes on with the release
//                  many                                   sequence of W
//   AB   anyone    counts, fresh fields   relaxed  -      the segment is private, or the number is a hint, or the rows
//                                                         W and X or the link (log/append_log.hpp) order the access
// Proof    tests/model/append_log_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

template <class Payload>
class SegmentPool {
 public:
  using Segment = log::Segment<Payload>;
  using Life = typename Segment::Life;

  SegmentPool() = default;
  SegmentPool(const SegmentPool&) = delete;
  SegmentPool& operator=(const SegmentPool&) = delete;

  /// A segment with room for `capacity` slots, all empty, without a life yet. Throws std::bad_alloc, and then has
  /// changed nothing. Lock-free.
  [[nodiscard]] Segment& take(std::uint32_t capacity) {
    Segment* segment = take_spare();
    if (segment == nullptr) segment = &make();
    Shelf shelf{*this, segment};
    if (segment->slots_size_ != 0) kept_.fetch_sub(1, sync::relaxed);  // AB
    if (segment->slots_size_ == capacity) {
      for (std::uint32_t i = 0; i < capacity; ++i) segment->slots_[i].reset();
    } else {
      segment->drop_slots();
      segment->slots_.reset(new Slot<Payload>[capacity]);
      segment->slots_size_ = capacity;
    }
    segment->next.store(nullptr, sync::relaxed);  // AB
    segment->voids.store(0, sync::relaxed);       // AB
    return *std::exchange(shelf.segment, nullptr);
  }

  /// Starts a life: from now on the segment owns a share of the pool, and end() is due.
  void begin(Segment& segment, const Life& life, Id last_before, Segment* previous,
             const typename Segment::Reference& jump) noexcept {
    owners_.fetch_add(1, sync::relaxed);  // AB
    segment.begin(life, last_before, previous, jump);
    segment.pins.raise();
  }

  /// What a log begins with: a full segment of no slots, so that the first append is like any other roll. Its signposts lead to
  /// itself: a walk that has lost its way (log/seek.hpp) must find a segment behind each. Throws std::bad_alloc.
  [[nodiscard]] Segment& begin_log() {
    Segment& origin = take(0);
    origin.claims.store(Segment::full, sync::relaxed);  // AB
    begin(origin, {.number = 1}, Id{}, &origin, {&origin, 1, Id{}});
    return origin;
  }

  /// Takes a segment back when nobody can reach its slots any more. May bury the pool.
  void end(Segment& segment) noexcept {
    if constexpr (!std::is_trivially_destructible_v<Payload>) {
      for (std::uint32_t i = 0; i < segment.capacity(); ++i) {
        Slot<Payload>& slot = segment.slot(i);
        if (segment.holds_entry(i, slot.state())) std::destroy_at(std::addressof(slot.payload()));
      }
    }
    segment.drop_joints();
    segment.number_.store(0, sync::relaxed);                                              // AB
    segment.claims.store(Word::unopened_bit | Segment::full, sync::relaxed);              // AB
    delete[] segment.erasures_.exchange(nullptr, sync::relaxed);                          // AB
    if (segment.slots_size_ != 0 && kept_.fetch_add(1, sync::relaxed) >= spare_arrays) {  // AB
      kept_.fetch_sub(1, sync::relaxed);                                                  // AB
      segment.drop_slots();
    }
    give(segment, segment);
    leave();
  }

  /// Drops one owner's share; the last one deletes the pool.
  void leave() noexcept {
    if (owners_.fetch_sub(1, sync::acq_rel) == 1) delete this;  // Y
  }

 private:
  static constexpr std::uint32_t spare_arrays = 1;

  ~SegmentPool() {
    Segment* segment = made_.load(sync::relaxed);  // Z
    while (segment != nullptr) delete std::exchange(segment, segment->next_made_);
  }

  // Gives a taken header back when the slots cannot be had.
  struct Shelf {
    SegmentPool& pool;
    Segment* segment;
    ~Shelf() {
      if (segment != nullptr) pool.give(*segment, *segment);
    }
  };

  [[nodiscard]] Segment& make() {
    auto* segment = new Segment([](core::Task& over) noexcept {
      auto& ended = static_cast<Segment&>(over);
      ended.pool().end(ended);
    });
    segment->pool_ = this;
    Segment* head = made_.load(sync::relaxed);  // Z
    do segment->next_made_ = head;
    while (!made_.compare_exchange_weak(head, segment, sync::relaxed, sync::relaxed));  // Z
    return *segment;
  }

  [[nodiscard]] Segment* take_spare() noexcept {
    Segment* const taken = spares_.exchange(nullptr, sync::acquire);  // X
    if (taken == nullptr) return nullptr;
    auto* const rest = static_cast<Segment*>(static_cast<core::Task*>(taken->next_task));
    taken->next_task = nullptr;
    if (rest == nullptr) return taken;
    Segment* none = nullptr;
    if (spares_.compare_exchange_strong(none, rest, sync::relaxed, sync::relaxed)) return taken;  // AA
    core::Task* last = rest;
    while (last->next_task != nullptr) last = last->next_task;
    give(*rest, *last);
    return taken;
  }

  // Pushes the chain from `first` to `last`.
  void give(Segment& first, core::Task& last) noexcept {
    Segment* head = spares_.load(sync::relaxed);  // AB
    do last.next_task = head;
    while (!spares_.compare_exchange_weak(head, &first, sync::release, sync::relaxed));  // W
  }

  sync::atomic<Segment*> spares_{nullptr};
  sync::atomic<Segment*> made_{nullptr};
  sync::atomic<std::uint32_t> owners_{1};
  sync::atomic<std::uint32_t> kept_{0};
};

}  // namespace brook::log
