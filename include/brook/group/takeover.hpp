// takeover.hpp — delivering pending entries once more: history, claim, and what came back to the group.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/log/edits.hpp>
#include <brook/redelivery.hpp>

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

  explicit Takeover(StreamState& stream) : stream_(stream), edits_(stream.timeline.edits()) {}

  /// Whether the entry is still there; then it is collected, if it is wanted. Throws std::bad_alloc.
  [[nodiscard]] bool collect(const Place& place, bool wanted = true) {
    const bool held = !found_.empty() && found_.back().place.page == place.page;  // by the last of the holds
    Hold hold = held ? Hold() : place.page->look();
    auto* const segment = held ? holds_.back().get() : hold.get();
    if (segment == nullptr || !State::still_shown(edits_, *segment, place)) return false;
    if (!wanted) return true;
    if (!held) holds_.push_back(std::move(hold));
    found_.push_back({place, holds_.size() - 1});
    return true;
  }
  /// The same; an entry that has left the stream is not pending any more after settle(), as in Redis.
  [[nodiscard]] bool collect_or_drop(const Place& place, bool wanted = true) {
    if (collect(place, wanted)) return true;
    gone_.push_back(place);
    return false;
  }

  [[nodiscard]] std::size_t size() const noexcept { return found_.size(); }
  [[nodiscard]] std::size_t gone() const noexcept { return gone_.size(); }

  /// Room in a batch, after which deliver() cannot fail. Throws std::bad_alloc.
  void reserve(typename State::Batch& batch, std::size_t further_shares = 0) const {
    batch.reserve(found_.size() + further_shares);
    batch.make_counts(found_.size());
  }

  /// Whether the stream is still as it was when collecting began, and all that was collected is pending still: it is
  /// then what there was when collecting ended, for nothing becomes pending meanwhile. What is gone is then not pending
  /// any more. If not, nothing has changed: begin anew.
  [[nodiscard]] bool settle(State& group) noexcept {
    if (!stream_.timeline.unchanged(edits_)) return false;
    const auto pending = [](const Found& one) { return one.place.page->pending(one.place.at); };
    if (!std::all_of(found_.begin(), found_.end(), pending)) return false;
    const auto before = [](const Place& a, const Place& b) { return a.id() < b.id(); };
    const auto same = [](const Place& a, const Place& b) { return a.id() == b.id(); };
    std::sort(gone_.begin(), gone_.end(), before);  // a claim may name one twice
    gone_.erase(std::unique(gone_.begin(), gone_.end(), same), gone_.end());
    return group.finish_all(gone_);
  }

  /// Delivers to a consumer what was found and settled; who acknowledges it from then on does so after this. `batch` has
  /// room.
  void deliver(State& group, typename State::Batch& batch, const Member& to, const Terms& terms) noexcept {
    // Others may have room now, or their turn, or must wake earlier, or wait for nothing any more.
    bool concerns_others = group.managed() || group.options.visibility.count() > 0;
    for (const auto& [place, hold] : found_) {
      if (place.mark().consumer() == nobody) concerns_others = true;
      const std::uint64_t count = terms.count.value_or(place.mark().count() + (terms.counts ? 1 : 0));
      group.assign(place, Mark::of(to.number, count, terms.since));
      group.refer(*place.page, 1, holds_[hold]);
      batch.set_count(batch.size(), place.mark().count());
      batch.add(*place.page, place.at, 1, true);
    }
    if (concerns_others && !(gone_.empty() && found_.empty())) group.queue.wake_first();
  }

 private:
  struct Found {
    Place place;
    std::size_t hold;
  };

  StreamState& stream_;
  const log::EditState edits_;
  std::vector<Found> found_;
  std::vector<Place> gone_;
  std::vector<Hold> holds_;
};

/// Since when a claimed entry is pending: what the options say, but not in the future.
[[nodiscard]] inline Instant claimed_since(const ClaimOptions& options, std::uint64_t unix_ms, Instant now) noexcept {
  std::uint64_t ago = 0;
  if (options.idle) ago = static_cast<std::uint64_t>(std::max<std::int64_t>(0, options.idle->count()));
  else if (options.time) ago = unix_ms - std::min(unix_ms, *options.time);
  return now - std::min(now, ago);
}

/// Delivers to a member what `collect(takeover)` finds, all as the stream was at one instant: `collect` is called anew when
/// it has changed meanwhile. Throws std::bad_alloc, and then nothing was delivered.
template <class T, class Collect>
[[nodiscard]] typename State<T>::Batch take_over(State<T>& group, typename State<T>::StreamState& stream, Member& to,
                                                 Clock::time_point now, const typename Takeover<T>::Terms& terms,
                                                 Collect&& collect) {
  for (;;) {
    Takeover<T> takeover(stream);
    collect(takeover);
    typename State<T>::Batch batch(to.recipient());
    takeover.reserve(batch);
    if (!takeover.settle(group)) continue;
    takeover.deliver(group, batch, to, terms);
    to.seen = now;
    if (!batch.empty()) to.active = now;
    return batch;
  }
}

}  // namespace brook::group
