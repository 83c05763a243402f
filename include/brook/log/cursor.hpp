// cursor.hpp — reading on from where the last read ended, with neither a search nor a write to what others use.
//
// A cursor holds the segment that it stands in. A scan goes from there over settled slots, and ends at its count, at an
// unsettled slot, or where the log ends. It belongs to the instant of its last load, provided that no edit was committed
// since the edits were read that it goes by; those are the last scan's, until it turns out that there were new ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <brook/core/sync.hpp>
#include <brook/log/append_log.hpp>
#include <brook/log/edits.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/timeline.hpp>

namespace brook::log {

/// A place in a log; all before it has been passed.
template <class Payload>
using Cursor = typename AppendLog<Payload>::End;

/// What one scan found, and where it ended. Reused from scan to scan; one within a segment allocates nothing.
template <class Payload>
class Scan {
 public:
  using Hold = log::Hold<Payload>;
  using Segment = log::Segment<Payload>;

  /// Visible slots of one segment, which the scan holds: those from `first` on, and before `end`.
  struct Run {
    Segment* segment = nullptr;
    std::uint32_t first = 0;
    std::uint32_t end = 0;

    [[nodiscard]] std::uint32_t count() const noexcept { return end - first; }
  };

  /// Looks for at most `count` entries after `from`. False when what follows has been trimmed away; the cursor must then
  /// be sought. Throws std::bad_alloc.
  [[nodiscard]] bool read(Timeline<Payload>& timeline, const Cursor<Payload>& from, std::uint64_t count) {
    for (;; edits_ = timeline.edits()) {
      restart(from);
      const bool reached = run(timeline, count);
      if (timeline.unchanged(edits_)) return reached;
    }
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool one_run() const noexcept { return more_.empty() && size_ > 0; }
  [[nodiscard]] std::size_t run_count() const noexcept { return (size_ > 0 ? 1U : 0U) + more_.size(); }
  [[nodiscard]] const Run& run(std::size_t i) const noexcept { return i == 0 ? first_ : more_[i - 1]; }
  /// The hold on a run's segment.
  [[nodiscard]] const Hold& held(std::size_t i) const noexcept {
    const Segment* const segment = run(i).segment;
    for (const Hold& hold : passed_) {
      if (hold.get() == segment) return hold;
    }
    return *from_;
  }

  /// Forgets what was found, and drops what was held for that.
  void clear() noexcept {
    if (!more_.empty()) more_.clear();
    if (!passed_.empty()) passed_.clear();
    size_ = 0;
  }

  /// Where the scan ended: `cursor`, from which it began, goes on from there.
  void move(Cursor<Payload>& cursor) noexcept {
    if (!passed_.empty()) cursor.segment = std::move(passed_.back());
    cursor.slot = at_;
  }

 private:
  void restart(const Cursor<Payload>& from) noexcept {
    clear();
    from_ = &from.segment;
    segment_ = from.segment.get();
    at_ = from.slot;
  }

  [[nodiscard]] bool run(Timeline<Payload>& timeline, std::uint64_t count) {
    for (;;) {
      const std::uint64_t first = segment_->life().first;
      if (edits_.boundary > first + at_) {
        if (edits_.boundary > first + segment_->capacity()) return false;
        at_ = static_cast<std::uint32_t>(edits_.boundary - first);
      }
      while (at_ < segment_->capacity() && size_ < count) {
        const auto room =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(segment_->capacity() - at_, count - size_));
        if (const std::uint32_t found = shown(*segment_, at_, at_ + room); found > 0) add(found);
        else if (!segment_->settled(at_)) return true;
        else if (!shows(edits_, *segment_, at_)) ++at_;
      }
      if (at_ < segment_->capacity() || size_ == count) return true;
      Segment* const next = timeline.following(*segment_);
      if (next == nullptr) return true;
      Hold hold = timeline.hold_linked(next, segment_->life().number + 1);
      if (!hold) return false;
      passed_.push_back(std::move(hold));
      segment_ = next;
      at_ = 0;
    }
  }

  // How many neighbouring entries there are from slot `from` on, and before `end`.
  [[nodiscard]] std::uint32_t shown(Segment& segment, std::uint32_t from, std::uint32_t end) const noexcept {
    std::uint32_t at = from;
    for (; at < end; ++at) {
      if (segment.slot(at).plain()) continue;
      if (!segment.settled(at) || !shows(edits_, segment, at)) break;
    }
    return at - from;
  }

  void add(std::uint32_t count) {
    const Run run{segment_, at_, at_ + count};
    if (size_ == 0) first_ = run;
    else more_.push_back(run);
    size_ += count;
    at_ += count;
  }

  EditState edits_;
  Run first_;
  std::vector<Run> more_;
  std::vector<Hold> passed_;  // the segments that the scan went on to; it ends in the last of them
  const Hold* from_ = nullptr;
  Segment* segment_ = nullptr;
  std::uint32_t at_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace brook::log
