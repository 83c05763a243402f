// segment.hpp — a run of slots, and the header by which threads find, claim and keep it.
//
// Headers are type-stable: a segment that was taken back is used again, and its memory stays a Segment until the log is
// gone. So a thread with an old pointer can always touch the header; what it reads may belong to a later life. Three
// kinds of field tell what may be relied on:
//   atomic words       claims, pins, next: valid in any life, each says by itself whether it is of use
//   the signpost       number, base, previous, jump: read without a pin, by threads on their way to another segment
//   the rest           read only while pinned, or between a claim and its publication, which keep the segment live
//
// previous and jump make all segments of a log one skip list that is only ever appended to (Myers 1983, "An applicative
// random-access stack"): from the newest segment any older one is O(log n) hops away, nothing is rebalanced, and what
// was trimmed is simply never visited again.
//
// Memory orders
//   row  thread   operation             order    meets  because
//   Q    creator  where signposts lead  release  R      that the segment there was made, be it of whichever life
//   R    walker   the same              acquire  Q      the same
//   S    anyone   the rest of them      relaxed  -      what a walk along signposts leads to counts only once it is pinned
//                                                       (log/seek.hpp); whether it is sealed is just a flag
//   T    eraser   write an erasure      relaxed  -      row P of log/slot.hpp releases it; erasers take turns
//   U    eraser   hang up the table     relaxed  -      P again: who asks when a slot was erased has seen its mark
//   V    owner    hang up a joint       relaxed  -      only who ends the life follows the list: rows H, J of log/pins.hpp
//   AE   reader   read voids            relaxed  -      row AD of log/append_log.hpp: raised before a slot is voided
// Proof    tests/model/append_log_model.cpp, tests/model/timeline_model.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include <brook/core/config.hpp>
#include <brook/core/later.hpp>
#include <brook/core/owned.hpp>
#include <brook/core/sync.hpp>
#include <brook/id.hpp>
#include <brook/log/joint.hpp>
#include <brook/log/pins.hpp>
#include <brook/log/slot.hpp>
#include <brook/log/word.hpp>

namespace brook::log {

template <class Payload>
class SegmentPool;

template <class Payload>
class alignas(core::cache_line) Segment : public core::Task {
 public:
  explicit Segment(void (*how_to_end)(core::Task&) noexcept) noexcept : core::Task(how_to_end) {}

  static constexpr std::uint64_t full = Word::full;

  /// What one life of a segment is about; fixed before others can find it.
  struct Life {
    std::uint64_t number = 0;        // 1, 2, 3, … along the log; 0 while spare
    std::uint64_t first = 0;         // position in the log of slot 0, counting every slot that ever was
    std::uint64_t added_before = 0;  // entries ever added to the log before this segment
    Id base{};                       // the id of slot 0
    std::uint32_t capacity = 0;      // slots in use
    std::uint32_t prefilled = 0;     // slots that were ready when the segment was linked
  };

  /// A segment as its unprotected neighbours know it.
  struct Reference {
    Segment* segment = nullptr;
    std::uint64_t number = 0;
    Id base{};
  };

  // — any time —
  sync::atomic<std::uint64_t> claims{Word::unopened_bit | full};

  // — while pinned or claimed —
  [[nodiscard]] const Life& life() const noexcept { return life_; }
  /// The id of the last entry before this segment.
  [[nodiscard]] Id last_before() const noexcept { return last_before_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return life().capacity; }
  [[nodiscard]] std::uint32_t slots_size() const noexcept { return slots_size_; }
  [[nodiscard]] Slot<Payload>& slot(std::uint32_t at) noexcept { return slots_[at]; }
  [[nodiscard]] SegmentPool<Payload>& pool() const noexcept { return *pool_; }
  [[nodiscard]] Id id(SlotState state) const noexcept { return state.word.id(life().base); }

  /// Which slot a claim word stands for; at most capacity().
  [[nodiscard]] std::uint32_t slot_of(Word claim) const noexcept {
    const std::uint64_t low = claim.low() < full ? claim.low() : full;
    return static_cast<std::uint32_t>(low + life().capacity - full);
  }

  [[nodiscard]] bool settled(std::uint32_t at) noexcept {
    const SlotState state = slot(at).state();
    if (state.empty()) return false;
    return !state.follower() || !slot(at - state.distance()).state().empty();
  }

  /// Whether the slot holds an entry, be it erased or not. Asked of settled slots.
  [[nodiscard]] bool holds_entry(std::uint32_t at, SlotState state) noexcept {
    return state.ready() || (state.follower() && slot(at - state.distance()).state().ready());
  }

  /// Whether nothing will ever follow this segment, which is full: it is then linked to itself.
  [[nodiscard]] bool sealed() const noexcept { return next.load(sync::relaxed) == this; }  // S

  /// Whether every settled slot is an entry, and none is erased by an edit that the caller knows of.
  [[nodiscard]] bool unbroken() const noexcept {
    return voids.load(sync::relaxed) == 0 && erasures_.load(sync::relaxed) == nullptr;  // AE U
  }

  // — joint appends (log/joint.hpp) —
  /// The segment owns the joint from now on.
  void keep(core::Owned<Joint> joint) noexcept {
    joint->next = joints_.load(sync::relaxed);                                                        // V
    while (!joints_.compare_exchange_weak(joint->next, joint.get(), sync::relaxed, sync::relaxed)) {  // V
    }
    static_cast<void>(joint.release());
  }

  // — erasures, as the number of the edit that made them (log/edits.hpp) —
  [[nodiscard]] std::uint64_t erased_by(std::uint32_t at) const noexcept {
    const auto* table = erasures_.load(sync::relaxed);            // U
    return table == nullptr ? 0 : table[at].load(sync::relaxed);  // T
  }
  void prepare_erasures() {
    if (!try_prepare_erasures())
      erasures_.store(new sync::atomic<std::uint64_t>[life().capacity](), sync::relaxed);  // U
  }
  /// False when there is no memory for it.
  [[nodiscard]] bool try_prepare_erasures() noexcept {
    if (erasures_.load(sync::relaxed) != nullptr) return true;  // U
    auto* const table = new (std::nothrow) sync::atomic<std::uint64_t>[life().capacity]();
    erasures_.store(table, sync::relaxed);  // U
    return table != nullptr;
  }
  /// Requires prepare_erasures().
  void record_erasure(std::uint32_t at, std::uint64_t edit) noexcept {
    erasures_.load(sync::relaxed)[at].store(edit, sync::relaxed);  // T
  }

  /// Fetches what a search in this segment begins with, all at once: its lines lie apart, and are mostly cold.
  void prefetch() const noexcept {
    core::prefetch(&pins);
    core::prefetch(&life_);
    core::prefetch(&claims);
  }

  // — the signpost: without a pin —
  [[nodiscard]] bool is(std::uint64_t number) const noexcept { return number_.load(sync::relaxed) == number; }      // S
  [[nodiscard]] std::uint64_t number() const noexcept { return number_.load(sync::relaxed); }                       // S
  [[nodiscard]] Id base() const noexcept { return {base_ms_.load(sync::relaxed), base_seq_.load(sync::relaxed)}; }  // S
  [[nodiscard]] std::uint64_t base_ms() const noexcept { return base_ms_.load(sync::relaxed); }                     // S
  [[nodiscard]] Segment* previous() const noexcept { return previous_.load(sync::acquire); }                        // R
  [[nodiscard]] Reference jump() const noexcept {
    return {jump_.load(sync::acquire),                                       // R
            jump_number_.load(sync::relaxed),                                // S
            {jump_ms_.load(sync::relaxed), jump_seq_.load(sync::relaxed)}};  // S
  }

 private:
  friend class SegmentPool<Payload>;

  // Only the pool begins and ends lives.
  void begin(const Life& life, Id last_before, Segment* previous, const Reference& jump) noexcept {
    life_ = life;
    last_before_ = last_before;
    base_ms_.store(life.base.ms, sync::relaxed);     // S
    base_seq_.store(life.base.seq, sync::relaxed);   // S
    previous_.store(previous, sync::release);        // Q
    jump_.store(jump.segment, sync::release);        // Q
    jump_number_.store(jump.number, sync::relaxed);  // S
    jump_ms_.store(jump.base.ms, sync::relaxed);     // S
    jump_seq_.store(jump.base.seq, sync::relaxed);   // S
    number_.store(life.number, sync::relaxed);       // S
  }

  void drop_joints() noexcept {
    for (Joint* joint = joints_.exchange(nullptr, sync::relaxed); joint != nullptr;)  // V
      delete std::exchange(joint, joint->next);
  }
  void drop_slots() noexcept {
    slots_.reset();
    slots_size_ = 0;
  }

  // On the line of the claim word, which appenders keep taking from each other: what hardly anybody reads.
  SegmentPool<Payload>* pool_ = nullptr;
  Segment* next_made_ = nullptr;

  // On a line of its own what readers write.
 public:
  alignas(core::cache_line) Pins pins;
  sync::atomic<Segment*> next{nullptr};
  /// A bound from above on how many slots are void; 0 is exact. Raised before a slot is voided, never lowered.
  sync::atomic<std::uint32_t> voids{0};

 private:
  std::uint32_t slots_size_ = 0;
  sync::atomic<sync::atomic<std::uint64_t>*> erasures_{nullptr};
  sync::atomic<Joint*> joints_{nullptr};
  Id last_before_{};

  // What appenders and readers read, and nobody writes during a life.
  alignas(core::cache_line) sync::plain<Life> life_;
  std::unique_ptr<Slot<Payload>[]> slots_;

  // The signpost.
  alignas(core::cache_line) sync::atomic<std::uint64_t> number_{0};
  sync::atomic<std::uint64_t> base_ms_{0};
  sync::atomic<std::uint64_t> base_seq_{0};
  sync::atomic<Segment*> previous_{nullptr};
  sync::atomic<Segment*> jump_{nullptr};
  sync::atomic<std::uint64_t> jump_number_{0};
  sync::atomic<std::uint64_t> jump_ms_{0};
  sync::atomic<std::uint64_t> jump_seq_{0};
};

}  // namespace brook::log
