// cursor.hpp — reading on from where the last read ended, with neither a search nor a write to what others use.
//
// A cursor holds the segment that it stands in. A scan goes from there over settled slots, and ends at its count, at an
// unsettled slot, or where the log ends. It belongs to the instant of its last load, provided that no edit was committed
// since it began; otherwise it begins again.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <brook/core/sync.hpp>
#include <brook/log/append_log.hpp>
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

  /// Visible slots `first` to `first + count - 1` of one segment, which the scan holds.
  struct Run {
    Segment* segment = nullptr;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };

  /// Looks for at most `count` entries after `from`. False when what follows has been trimmed away; the cursor must then
  /// be sought. Throws std::bad_alloc.
  [[nodiscard]] bool read(Timeline<Payload>& timeline, const Cursor<Payload>& from, std::uint64_t count) {
    for (;;) {
      const typename Timeline<Payload>::View view{timeline.edits(), {}};
      restart(from);
      const bool reached = run(timeline, view, count);
      if (timeline.unchanged(view.edits)) return reached;
    }
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t run_count() const noexcept { return (first_.count > 0 ? 1U : 0U) + more_.size(); }
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
    first_ = {};
    more_.clear();
    passed_.clear();
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

  [[nodiscard]] bool run(Timeline<Payload>& timeline, const typename Timeline<Payload>::View& view,
                         std::uint64_t count) {
    for (;;) {
      const std::uint64_t first = segment_->life().first;
      if (view.edits.boundary > first + at_) {
        if (view.edits.boundary > first + segment_->capacity()) return false;
        at_ = static_cast<std::uint32_t>(view.edits.boundary - first);
      }
      while (at_ < segment_->capacity() && size_ < count && segment_->settled(at_)) {
        if (view.shows(*segment_, at_)) add();
        ++at_;
      }
      if (at_ < segment_->capacity() || size_ == count) return true;
      Segment* const next = timeline.following(*segment_);
      if (next == nullptr) return true;
      Hold hold = Hold::of(next, segment_->life().number + 1);
      if (!hold) return false;
      passed_.push_back(std::move(hold));
      segment_ = next;
      at_ = 0;
    }
  }

  void add() {
    Run& last = more_.empty() ? first_ : more_.back();
    if (last.count == 0) last = {segment_, at_, 1};
    else if (last.segment == segment_ && last.first + last.count == at_) ++last.count;
    else more_.push_back({segment_, at_, 1});
    ++size_;
  }

  Run first_;
  std::vector<Run> more_;
  std::vector<Hold> passed_;  // the segments that the scan went on to; it ends in the last of them
  const Hold* from_ = nullptr;
  Segment* segment_ = nullptr;
  std::uint32_t at_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace brook::log
