// segments.hpp — the segments of a list's queue that are not in use: made, kept, and used again when all are done with
// them. With the lock. (Orders: blocking_list/fifo.hpp.)
//
// Memory    A queue that grows and shrinks all the time would give slots back to the system only to have them again, page by
//           page, which costs more than all that is done with them. So segments are kept with their slots, but only as many as
//           were made since: a queue that is emptied without being filled gives back one more with each, until it has none.
//           Who finds the queue empty has all but one given back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/segment.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/core/config.hpp>
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

  /// Whether a segment of so many slots needs slots that are not kept.
  [[nodiscard]] bool lacks(std::uint32_t capacity, bool direction) const noexcept {
    const Segment* const kept = pools_[direction ? 1 : 0].kept;
    return kept == nullptr || kept->slots.size() != capacity;
  }
  /// A segment with so many empty slots, which nobody knows yet: kept ones, or those in `room`. Throws std::bad_alloc, and then
  /// nothing has changed.
  [[nodiscard]] Segment& make(std::uint32_t capacity, bool direction, Slots<Payload>& room) {
    Pool& pool = pools_[direction ? 1 : 0];
    Segment*& from = pool.kept != nullptr ? pool.kept : pool.bare;
    if (from == nullptr) add_bare(direction);
    Segment& segment = *from;
    if (segment.slots.size() != capacity) {
      segment.slots = std::move(room);
      segment.phase = 0;
    }
    BROOK_ASSERT(segment.slots.size() == capacity);
    if (&from == &pool.kept) note_kept(kept_ - 1);
    from = std::exchange(segment.next, nullptr);
    may_keep_ = std::min(may_keep_ + 1, most_kept);
    segment.phase = 1 - segment.phase;  // what the slots say now is over
    segment.capacity = capacity;
    segment.first = Claims::full - capacity;
    segment.withdrawn.store(0, sync::relaxed);  // AO
    segment.skipped.store(0, sync::relaxed);    // AO
    segment.taken.store(0, sync::relaxed);      // AO
    return segment;
  }
  /// Keeps slots for which there turned out to be no need, if that needs no memory, and as many would be taken next.
  void keep(Slots<Payload>& room, bool direction) noexcept {
    Pool& pool = pools_[direction ? 1 : 0];
    if (pool.bare == nullptr || kept_ >= may_keep_) return;
    if (pool.kept != nullptr && pool.kept->slots.size() != room.size()) return;
    Segment& segment = *pool.bare;
    pool.bare = segment.next;
    segment.slots = std::move(room);
    segment.phase = 0;
    segment.next = std::exchange(pool.kept, &segment);
    note_kept(kept_ + 1);
  }

  /// Takes a segment back whose slots have all been claimed by poppers, when everybody is done with it.
  void give_back(Segment& used) noexcept {
    used.next = std::exchange(leaving_, &used);
    collect();
  }

  /// Keeps the slots of no more than one.
  void keep_one() noexcept {
    collect();
    while (kept_ > 1) drop_kept();
  }
  /// Whether that would do anything. By any thread: a hint.
  [[nodiscard]] bool keeps_several() const noexcept { return keeps_several_.load(sync::relaxed); }  // AO

 private:
  static constexpr std::uint32_t most_kept = 8;

  // Those that lead one way, for ever.
  struct Pool {
    Segment* kept = nullptr;  // with slots, the last one first
    Segment* bare = nullptr;
  };

  void add_bare(bool direction) {
    auto* const segment = new Segment;
    segment->direction = direction;
    segment->made_before = std::exchange(made_, segment);
    pools_[direction ? 1 : 0].bare = segment;
  }

  // Takes back the segments with which everybody is done.
  void collect() noexcept {
    for (Segment** at = &leaving_; *at != nullptr;) {
      Segment& segment = **at;
      if (!done_with(segment)) {
        at = &segment.next;
        continue;
      }
      *at = segment.next;
      Pool& pool = pools_[segment.direction ? 1 : 0];
      if (may_keep_ > 0 && kept_ < most_kept) {
        --may_keep_;
        segment.next = std::exchange(pool.kept, &segment);
        note_kept(kept_ + 1);
      } else {
        drop(segment);
        if (kept_ > may_keep_) drop_kept();
      }
    }
  }

  void drop_kept() noexcept {
    Pool& pool = pools_[pools_[0].kept != nullptr ? 0 : 1];
    Segment& segment = *pool.kept;
    pool.kept = segment.next;
    note_kept(kept_ - 1);
    drop(segment);
  }
  void drop(Segment& segment) noexcept {
    segment.slots.drop();
    Pool& pool = pools_[segment.direction ? 1 : 0];
    segment.next = std::exchange(pool.bare, &segment);
  }
  void note_kept(std::uint32_t kept) noexcept {
    kept_ = kept;
    keeps_several_.store(kept > 1, sync::relaxed);  // AO
  }

  [[nodiscard]] static bool done_with(Segment& segment) noexcept {
    if (segment.lookers.fetch_add(0, sync::acq_rel) != 0) return false;  // LW
    const std::uint32_t skipped = segment.skipped.load(sync::acquire);   // LQ
    if (segment.withdrawn.load(sync::acquire) != skipped) return false;  // LQ
    std::uint32_t done = segment.taken.load(sync::acquire) + skipped;    // LQ
    const std::uint32_t capacity = segment.capacity;
    const std::uint32_t phase = segment.phase;
    for (std::uint32_t at = 0; done < capacity && at < capacity; ++at) done += segment.slots[at].taken(phase) ? 1 : 0;
    return done == capacity;
  }

  Pool pools_[2];
  Segment* leaving_ = nullptr;  // used up, but somebody may still be taking out what it claimed
  Segment* made_ = nullptr;
  std::uint32_t kept_ = 0;
  std::uint32_t may_keep_ = 0;  // made since as many were taken back
  sync::atomic<bool> keeps_several_{false};
};

}  // namespace brook::blocking_list
