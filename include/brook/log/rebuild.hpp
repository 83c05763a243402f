// rebuild.hpp — the segments of a log that was before, made anew before anybody else knows of them.
//
// Entries come with ids of any distance, and are ready from the start. The segments are full and settled, all of them; where
// the last entry that the log ever had is not there any more, an empty one behind them tells its id. So the log goes on as
// one does whose tail has just been filled. (Orders: row AO of log/append_log.hpp.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/id.hpp>
#include <brook/log/chain.hpp>
#include <brook/log/pool.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/slot.hpp>
#include <brook/log/word.hpp>

namespace brook::log {

/// What a log is to begin with: it owns the pool and the segments from then on.
template <class Payload>
struct Rebuilt {
  SegmentPool<Payload>& pool;
  Segment<Payload>& first;
  Segment<Payload>& last;
  std::uint64_t removed;  // entries that there were and are not
  Id max_deleted;         // the largest id that was ever erased
};

template <class Payload>
class Rebuild {
 public:
  using Segment = log::Segment<Payload>;

  /// For a log to which so many entries were ever added before the first one that is there. Throws std::bad_alloc.
  explicit Rebuild(std::uint64_t added_before) : pool_(new SegmentPool<Payload>), added_(added_before) {}
  ~Rebuild() {
    if (pool_ == nullptr) return;
    close();
    for (Segment* segment = first_; segment != nullptr;) {
      Segment* const next = segment->next.load(sync::relaxed);  // AO
      if (segment->pins.retire()) pool_->end(*segment);
      segment = next;
    }
    pool_->leave();
  }
  Rebuild(const Rebuild&) = delete;
  Rebuild& operator=(const Rebuild&) = delete;

  /// Adds an entry, whose id is above those before. Throws std::bad_alloc, and then the payload is as it was.
  void add(Id id, Payload&& payload) {
    add(id, 1, [&](std::size_t) noexcept -> Payload&& { return std::move(payload); });
  }
  /// Adds entries whose ids count up from `id`; `make(i)` is the payload of the i-th one, and must not throw. Throws
  /// std::bad_alloc, and then the first ones may have been added.
  template <class Make>
  void add(Id id, std::size_t count, Make&& make) {
    for (std::size_t i = 0; i < count;) {
      std::uint64_t claim = 0;
      if (open_ == nullptr || count_ == open_->slots_size() || !tell(id, claim)) {
        close();
        open(id);
        claim = 0;
      }
      const std::uint64_t most = Word::farthest_seq - Word{claim}.seq() + 1;
      const auto some = std::min<std::uint64_t>({count - i, open_->slots_size() - count_, most});
      Slot<Payload>* slot = &open_->slot(count_);
      for (const std::size_t end = i + static_cast<std::size_t>(some); i < end; ++i, ++slot, claim += next_seq) {
        std::construct_at(static_cast<Payload*>(slot->room()), make(i));
        slot->prefill(SlotState::ready_with(Word{claim}));
      }
      count_ += static_cast<std::uint32_t>(some);
      id.seq += some;
      last_claim_ = claim - next_seq;
      last_ = {id.ms, id.seq - 1};
      entries_ += some;
    }
  }

  /// The next entry is the first one of its segment.
  void split() noexcept { close(); }

  /// Entries so far, and the id of the last one.
  [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }
  [[nodiscard]] Id last() const noexcept { return last_; }

  /// No more entries come, and `last` is the id of the last one that there ever was, here or not. Throws std::bad_alloc.
  void end(Id last) {
    close();
    if (before_ != nullptr && last == last_) return;
    open_ = &pool_->take(0);
    base_ = last != Id::max() ? last.next() : last;
    last_ = last;
    count_ = 0;
    close();
  }

  /// After end(). What is returned must be given to a log.
  [[nodiscard]] Rebuilt<Payload> release(std::uint64_t removed, Id max_deleted) noexcept {
    return {*std::exchange(pool_, nullptr), *first_, *before_, removed, max_deleted};
  }

 private:
  static constexpr std::uint64_t next_seq = std::uint64_t{1} << Word::low_bits;

  // Whether the id can be told in the open segment.
  [[nodiscard]] bool tell(Id id, std::uint64_t& claim) const noexcept {
    const std::uint64_t ms = id.ms - base_.ms;
    const std::uint64_t seq = ms == 0 ? id.seq - base_.seq : id.seq;
    if (ms > Word::ms_mask || seq > Word::farthest_seq) return false;
    claim = (ms << (Word::low_bits + Word::seq_bits)) | (seq << Word::low_bits);
    return true;
  }

  void open(Id base) {
    open_ = &pool_->take(static_cast<std::uint32_t>(SegmentSizes<Payload>::after(count_)));
    count_ = 0;
    base_ = base;
    before_segment_ = last_;
  }

  // Ends the open segment, and links it.
  void close() noexcept {
    Segment* const segment = std::exchange(open_, nullptr);
    if (segment == nullptr) return;
    typename Segment::Life life{
        .number = 1, .added_before = added_, .base = base_, .capacity = count_, .prefilled = count_};
    typename Segment::Reference jump{segment, 1, base_};
    if (before_ != nullptr) {
      life.number = before_->life().number + 1;
      life.first = before_->life().first + before_->capacity();
      jump = jump_over(*before_);
    }
    const std::uint64_t full = Word{last_claim_}.with_low(Segment::full).bits;
    segment->claims.store(count_ > 0 ? full + (std::uint64_t{1} << Word::low_bits) : Segment::full,
                          sync::relaxed);  // AO
    pool_->begin(*segment, life, count_ > 0 ? before_segment_ : last_, before_ != nullptr ? before_ : segment, jump);
    if (before_ != nullptr) before_->next.store(segment, sync::relaxed);  // AO
    else first_ = segment;
    before_ = segment;
    added_ += count_;
  }

  SegmentPool<Payload>* pool_;
  Segment* first_ = nullptr;
  Segment* before_ = nullptr;  // the last one that was linked
  Segment* open_ = nullptr;
  std::uint32_t count_ = 0;  // slots of the open segment that are filled, or of the one before it
  std::uint64_t added_;
  std::uint64_t entries_ = 0;
  std::uint64_t last_claim_ = 0;
  Id base_{};
  Id last_{};
  Id before_segment_{};
};

}  // namespace brook::log
