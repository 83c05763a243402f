// image.hpp — all that a group is, as plain data: what is saved of it, and from what it is made anew.
//
// Taken at one instant   While the mutex is held only acknowledgements change a group, because they clear a bit without it. So
// each pending line is held back first: its bit goes, and who acknowledges it waits for the mutex (as with move_out() of
// group/redelivery.hpp). Line by line, what is pending then stands still; when the last one does, it is what was pending at
// that instant, and stays so until the lines are let go.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/group/fresh.hpp>
#include <brook/group/hands.hpp>
#include <brook/group/key_order.hpp>
#include <brook/group/mark.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/stream/state.hpp>

namespace brook::group {

/// A consumer. Times are how long ago.
struct MemberImage {
  std::string name{};
  std::chrono::nanoseconds seen{};
  std::optional<std::chrono::nanoseconds> active{};
};

/// A pending entry. With somebody, `age` is for how many milliseconds; with nobody, for how many its rest is over, negative
/// while it lasts.
struct PendingImage {
  static constexpr std::uint32_t nobody = 0;

  Id id{};
  std::uint32_t consumer = nobody;  // counted from 1, in the order of the names
  std::uint64_t deliveries = 0;
  std::int64_t age = 0;
};

/// An entry of a group that is ordered by a key.
struct OrderedImage {
  Id id{};
  KeyOrder::Key key = 0;
  KeyOrder::Stand stand{};
};

/// A group that stands still, with its mutex held, from its beginning to its end.
template <class T>
class Image {
 public:
  using State = group::State<T>;
  using StreamState = typename State::StreamState;
  using Place = typename State::Place;

  /// Declare a core::Later before.
  Image(std::shared_ptr<State> group, StreamState& stream) : group_(std::move(group)), held_(group_->mutex) {
    if (group_->ahead_) static_cast<void>(group_->seek(stream));  // the end may have come past it
    group_->clears_early_.store(true, sync::relaxed);             // GK
    group_->ledger.each_pending(Id::min(), Id::max(), [](const Place& place) {
      place.page->hold_back(place.at);
      return true;
    });
    now_ = stream.clock().now();
  }
  Image(Image&&) noexcept = default;
  Image& operator=(Image&&) = delete;
  ~Image() {
    if (!held_.owns_lock()) return;
    group_->ledger.each_pending(Id::min(), Id::max(), [](const Place& place) {
      if (place.mark().consumer() != nobody) place.page->tell(place.at, 1, place.mark());
      return true;
    });
  }

  [[nodiscard]] const std::string& name() const noexcept { return group_->name; }
  [[nodiscard]] const GroupOptions<T>& options() const noexcept { return group_->options; }
  [[nodiscard]] bool destroyed() const noexcept { return group_->destroyed; }
  [[nodiscard]] ProgressImage progress() const noexcept { return group_->progress_image(); }

  [[nodiscard]] std::size_t members() const noexcept { return group_->roster.all().size(); }
  /// Calls `visit(member)` in the order of the names.
  template <class Visit>
  void each_member(Visit&& visit) const {
    for (const auto& [name, member] : group_->roster.all()) {
      MemberImage image{.name = name, .seen = now_ - member->seen};
      if (member->active != Clock::time_point()) image.active = now_ - member->active;
      visit(image);
    }
  }
  /// Calls `visit(entry)` by increasing ids. Throws std::bad_alloc.
  template <class Visit>
  void each_pending(Visit&& visit) {
    std::vector<std::uint32_t> places(group_->roster.numbers() + 1, PendingImage::nobody);
    std::uint32_t place_of_member = 0;
    for (const auto& entry : group_->roster.all()) places[entry.second->number] = ++place_of_member;
    const auto now = static_cast<std::int64_t>(group_->instant(now_));
    group_->ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
      const Mark mark = place.mark();
      visit(PendingImage{place.id(), places[mark.consumer()], mark.count(),
                         now - static_cast<std::int64_t>(mark.time())});
      return true;
    });
  }
  /// Calls `visit(entry)`: first those that are out, then those that are ready.
  template <class Visit>
  void each_ordered(Visit&& visit) const {
    group_->order.each([&](Id id, KeyOrder::Key key, KeyOrder::Stand stand) { visit(OrderedImage{id, key, stand}); });
  }

  // — making one anew, before anybody else knows of it —

  /// A group of a stream, that has come so far. Throws std::bad_alloc.
  [[nodiscard]] static std::shared_ptr<State> make(const std::shared_ptr<StreamState>& stream, std::string_view name,
                                                   const ProgressImage& progress, const GroupOptions<T>& options) {
    auto group = State::make(stream, name, progress.last_delivered, options);
    set_progress(*group, progress);
    return group;
  }
  /// False when there are more than there can be, or it is there already. Throws std::bad_alloc.
  [[nodiscard]] static bool add_member(State& group, const MemberImage& image, const Clock& clock) {
    const std::size_t before = group.roster.all().size();
    const auto member = group.roster.enlist(image.name, clock);
    if (member->number != before + 1) return false;
    const Clock::time_point now = clock.now();
    member->seen = now - image.seen;
    if (!image.active) return true;
    member->active = now - *image.active;
    if (member->active == Clock::time_point()) member->active -= Clock::time_point::duration(1);
    return true;
  }
  /// Of members that were added in the order of their names. Throws std::bad_alloc.
  static void add_pending(State& group, const Place& place, const PendingImage& entry, Clock::time_point now) {
    const Mark mark = mark_of(group, entry, now);
    if (entry.consumer == PendingImage::nobody) {
      group.clears_early_.store(true, sync::relaxed);  // GK
      group.returned.note(mark.time(), entry.id);
    } else {
      group.expect_expiry(mark.time());
    }
    group.count_in_flight(mark, 1);
    place.page->tell(place.at, 1, mark);
  }
  /// Of one that is pending already. Throws std::bad_alloc.
  static void move_pending(State& group, const Place& place, const PendingImage& entry, Clock::time_point now) {
    const Mark mark = mark_of(group, entry, now);
    if (place.mark().consumer() == PendingImage::nobody) group.returned.forget({place.mark().time(), place.id()});
    if (entry.consumer == PendingImage::nobody) group.returned.note(mark.time(), entry.id);
    static_cast<void>(group.assign(place, mark));
  }
  static void set_progress(State& group, const ProgressImage& progress) noexcept {
    group.last_delivered = progress.last_delivered;
    group.start_ = progress.start;
    group.delivered_ = progress.delivered;
    group.lost_ = progress.lost;
    group.ahead_ = progress.ahead;
    group.sought_ = false;
  }

 private:
  [[nodiscard]] static Mark mark_of(const State& group, const PendingImage& entry, Clock::time_point now) noexcept {
    constexpr auto most = static_cast<std::int64_t>(last_instant) - 1;
    const auto instant = static_cast<std::int64_t>(group.instant(now));
    const auto age = std::clamp<std::int64_t>(entry.age, -most, most);
    const auto since = static_cast<Instant>(std::clamp<std::int64_t>(instant - age, 0, most));
    return Mark::of(entry.consumer, entry.deliveries, since);
  }

  std::shared_ptr<State> group_;
  sync::unique_lock<sync::mutex> held_;
  Clock::time_point now_{};
};

}  // namespace brook::group
