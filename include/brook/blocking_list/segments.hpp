// segments.hpp — the segments of a list's queue that are not in use: made, kept, and used again when all are done with
// them. With the lock. (Orders: blocking_list/fifo.hpp.)
#pragma once

#include <cstdint>
#include <utility>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/core/sync.hpp>

namespace brook::blocking_list {

template <class Payload>
class Segments {
 public:
  using Segment = blocking_list::Segment<Payload>;

  Segments() = default;
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;
  ~Segments() {
    while (made_ != nullptr) delete std::exchange(made_, made_->made_before);
  }

  /// A segment with so many empty slots, which nobody knows yet. Throws std::bad_alloc, and then nothing has changed.
  [[nodiscard]] Segment& make(std::uint32_t capacity) {
    Segment* segment = spare_;
    if (segment == nullptr) {
      segment = new Segment;
      segment->made_before = std::exchange(made_, segment);
      segment->next = nullptr;
      spare_ = segment;
    }
    if (segment->slots_size != capacity) {
      drop_slots(*segment);
      segment->slots.reset(new Slot<Payload>[capacity]);
      segment->slots_size = capacity;
      segment->phase = 0;
    }
    made_one_ = true;
    segment->phase = 1 - segment->phase;  // what the slots say now is over
    segment->capacity = capacity;
    spare_ = std::exchange(segment->next, nullptr);
    segment->withdrawn.store(0, sync::relaxed);                                          // AO
    segment->skipped.store(0, sync::relaxed);                                            // AO
    segment->taken.store(0, sync::relaxed);                                              // AO
    const Claims before{segment->pops.load(sync::relaxed)};                              // AO
    segment->pops.store(before.frozen_at(Claims::full - capacity).bits, sync::relaxed);  // AO
    return *segment;
  }

  /// Takes a segment back whose slots have all been claimed by poppers, when everybody is done with it.
  void give_back(Segment& used) noexcept {
    used.next = std::exchange(leaving_, &used);
    collect();
  }

 private:
  // Takes back the segments with which everybody is done. Keeps the slots of the last one, if one was needed since the
  // last time: a list that is emptied keeps none.
  void collect() noexcept {
    for (Segment** at = &leaving_; *at != nullptr;) {
      Segment& segment = **at;
      if (!done_with(segment)) {
        at = &segment.next;
        continue;
      }
      *at = segment.next;
      if (spare_ != nullptr) drop_slots(*spare_);
      if (!std::exchange(made_one_, false)) drop_slots(segment);
      segment.next = std::exchange(spare_, &segment);
    }
  }

  static void drop_slots(Segment& segment) noexcept {
    segment.slots.reset();
    segment.slots_size = 0;
  }

  [[nodiscard]] static bool done_with(Segment& segment) noexcept {
    if (segment.lookers.fetch_add(0, sync::acq_rel) != 0) return false;  // LW
    const std::uint32_t skipped = segment.skipped.load(sync::acquire);   // LQ
    if (segment.withdrawn.load(sync::acquire) != skipped) return false;  // LQ
    std::uint32_t done = segment.taken.load(sync::acquire) + skipped;    // LQ
    const std::uint32_t capacity = segment.capacity;
    const std::uint32_t phase = segment.phase;
    const Slot<Payload>* const slots = segment.slots.get();
    for (std::uint32_t i = 0; done < capacity && i < capacity; ++i) done += slots[i].taken(phase) ? 1 : 0;
    return done == capacity;
  }

  Segment* leaving_ = nullptr;  // used up, but somebody may still be taking out what it claimed
  Segment* spare_ = nullptr;
  Segment* made_ = nullptr;
  bool made_one_ = false;  // since one was taken back
};

}  // namespace brook::blocking_list
