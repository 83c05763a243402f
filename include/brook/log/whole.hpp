// whole.hpp — all of a log at one instant, kept for who goes through it later and slowly.
//
// Who looks at all segments with the editors' turn finds each of them in its place, because nobody trims meanwhile. It holds
// them one by one; what is trimmed later is then kept until its hold is dropped. So memory grows by no more than what leaves
// the log in the meantime, and what was passed is let go.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/runs.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/timeline.hpp>

namespace brook::log {

/// With every lock that the caller has. Throws std::bad_alloc. O(segments); appends do not wait for it, edits do.
template <class Payload>
auto Timeline<Payload>::hold_all(std::vector<Hold>& segments) -> View {
  const core::Later later;
  const typename Edits::template Turn<Trimmer> turn(edits_, Trimmer{this});
  View view = look();
  for (Segment* segment = &log_.head();; segment = segment->next.load(sync::relaxed)) {  // AP
    segments.push_back(Hold::of_any_life(segment));
    if (segment == view.end.segment.get()) return view;
  }
}

template <class Payload>
class Whole {
 public:
  using Timeline = log::Timeline<Payload>;
  using View = typename Timeline::View;
  using Hold = log::Hold<Payload>;

  /// The instant is during the call.
  explicit Whole(Timeline& timeline) : view_(timeline.hold_all(segments_)) {}

  [[nodiscard]] const View& view() const noexcept { return view_; }

  /// Lets go of what has been passed, and goes on to the next segment; calls `found(hold, first slot, count)` for each run of
  /// entries in it. False when there is none any more.
  template <class Found>
  [[nodiscard]] bool next(Found&& found) {
    if (at_ == segments_.size()) return false;
    const Hold segment = std::move(segments_[at_++]);
    const std::uint64_t first = segment->life().first;
    const std::uint32_t to = view_.slots(*segment);
    const std::uint64_t trimmed = view_.edits.boundary > first ? view_.edits.boundary - first : 0;
    std::uint64_t all = ~std::uint64_t{0};
    if (trimmed < to) runs_between(view_, segment, static_cast<std::uint32_t>(trimmed), to, all, found);
    return true;
  }

 private:
  std::vector<Hold> segments_;
  View view_;
  std::size_t at_ = 0;
};

}  // namespace brook::log
