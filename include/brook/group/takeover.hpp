// takeover.hpp — delivering pending entries once more: history, claim, and what came back to the group.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <brook/group/state.hpp>
#include <brook/id.hpp>

namespace brook::group {

/// Collects pending entries that the stream still has, and then delivers them at one stroke. With the group's mutex held.
template <class T>
class Takeover {
 public:
  using State = group::State<T>;
  using StreamState = typename State::StreamState;
  using Place = typename State::Place;
  using Hold = typename State::Hold;

  /// What becomes of the entries.
  struct Terms {
    Instant since = 0;                        // pending with the new consumer since then
    std::optional<std::uint64_t> count = {};  // how often delivered; or so far and, if `counts`, once more
    bool counts = true;
  };

  explicit Takeover(StreamState& stream) : stream_(stream), view_{stream.timeline.edits(), {}} {}

  /// Whether the entry is still there; then it is collected. Throws std::bad_alloc.
  [[nodiscard]] bool collect(const Place& place) {
    if (found_.empty() || found_.back().place.page != place.page) {
      Hold hold = place.page->look();
      if (!hold || view_.edits.boundary > place.page->first() + place.page->capacity()) return false;
      holds_.push_back(std::move(hold));
    }
    auto& segment = *holds_.back();
    if (view_.edits.boundary > place.page->first() + place.at || !view_.shows(segment, place.at)) return false;
    found_.push_back({place, holds_.size() - 1});
    return true;
  }

  [[nodiscard]] std::size_t size() const noexcept { return found_.size(); }

  /// Whether the stream is still as it was when collecting began. If not, begin anew.
  [[nodiscard]] bool current() const noexcept { return stream_.timeline.unchanged(view_.edits); }

  /// Room in a batch, after which deliver() cannot fail. Throws std::bad_alloc.
  void reserve(typename State::Batch& batch, std::size_t further_shares = 0) const {
    batch.reserve(found_.size() + further_shares);
    batch.make_counts(found_.size());
  }

  /// Delivers to a consumer what has not been acknowledged meanwhile. `batch` has room.
  void deliver(State& group, typename State::Batch& batch, const Member& to, const Terms& terms) noexcept {
    for (const auto& [place, hold] : found_) {
      if (!place.page->pending(place.at)) continue;
      const std::uint64_t count = terms.count.value_or(place.mark().count() + (terms.counts ? 1 : 0));
      place.page->remark(place.at, Mark::of(to.number, count, terms.since));
      group.refer(*place.page, 1, holds_[hold]);
      batch.set_count(batch.size(), place.mark().count());
      batch.add({*place.page, place.at, 1, true});
    }
  }

 private:
  struct Found {
    Place place;
    std::size_t hold;
  };

  StreamState& stream_;
  typename State::View view_;
  std::vector<Found> found_;
  std::vector<Hold> holds_;
};

}  // namespace brook::group
