// hands.hpp — in whose hands a pending entry is, and what follows when it leaves them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/group/locked.hpp>
#include <brook/group/mark.hpp>
#include <brook/group/returned.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/log/edits.hpp>

namespace brook::group {

template <class T>
bool State<T>::assign(const Place& place, Mark mark) noexcept {
  const Mark before = place.mark();
  count_in_flight(before, -1);
  count_in_flight(mark, 1);
  if (mark.consumer() == nobody) {
    clears_early_.store(true, sync::relaxed);  // GK
    const bool pending = place.page->end(place.at);
    if (pending) place.page->tell(place.at, 1, mark);
    else returned.forget({mark.time(), place.id()});
    if (pending) note_pending(*place.page, place.at, 1);
    return pending;
  }
  expect_expiry(mark.time());
  if (before.consumer() == nobody) {
    returned.forget({before.time(), place.id()});
    place.page->tell(place.at, 1, mark);
  } else {
    place.page->remark(place.at, mark);
  }
  const bool pending = place.page->pending(place.at);
  if (pending) note_pending(*place.page, place.at, 1);
  return pending;
}

// In whose hands lines are that are pending in the same.
template <class T>
void State<T>::note_pending(const Page& page, std::uint32_t first, std::uint32_t count) noexcept {
  if (notes.witness() == nullptr) return;
  const Mark mark = page.mark(first);
  const std::string_view whose =
      mark.consumer() == nobody ? std::string_view() : std::string_view(roster.member(mark.consumer()).name);
  notes.pending(page, first, count, {whose, mark.count(), time(mark.time())});
}

// A member got entries that are not pending with it.
template <class T>
void State<T>::note_served(const Member& member, Instant now) noexcept {
  if (auto* const witness = notes.witness()) witness->pending({}, {member.name, 1, time(now)});
}

template <class T>
std::shared_ptr<Member> State<T>::enlist(std::string_view member_name, const Clock& clock) {
  const std::size_t before = roster.all().size();
  auto member = roster.enlist(member_name, clock);
  if (auto* const witness = notes.witness(); witness != nullptr && roster.all().size() > before)
    witness->joined(member_name);
  return member;
}
template <class T>
[[gnu::noinline]] Member* State<T>::come_again(const std::shared_ptr<Member>& member, const Clock& clock) {
  const std::size_t before = roster.all().size();
  Member* const found = roster.present(member, clock);
  if (auto* const witness = notes.witness(); witness != nullptr && roster.all().size() > before)
    witness->joined(member->name);
  return found;
}

template <class T>
std::size_t State<T>::end() noexcept {
  destroyed = true;
  std::size_t pending = 0;
  ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
    pending += finish(place) ? 1U : 0U;
    return true;
  });
  order.clear();
  give_up();
  ledger.tidy_unused();
  return pending;
}

template <class T>
void State<T>::idle(Page& page) noexcept {
  {
    const Locked held(*this);
    if (page.came_idle()) ledger.tidy(page);
  }
  leave();
}

template <class T>
std::uint32_t State<T>::acknowledge(Page& page, std::uint32_t at, std::uint32_t count) noexcept {
  std::uint32_t pending = 0;
  {
    const Locked held(*this);
    for (std::uint32_t i = at; i < at + count; ++i) pending += page.pending(i) && finish({&page, i}) ? 1U : 0U;
    queue.wake_first();
  }
  if (pending > 0) release_lines(page, at, count);
  return pending;
}

// Who waits may have waited for an entry that was with nobody.
template <class T>
void State<T>::note_end(const Place& place) noexcept {
  const Mark mark = place.mark();
  if (mark.consumer() == nobody) {
    returned.forget({mark.time(), place.id()});
    queue.wake_first();
  } else if (managed()) {
    count_in_flight(mark, -1);
  }
  if (!managed()) return;
  order.finish(place.id());
  if (auto* const witness = notes.witness()) witness->finished(place.id());
}

// An acknowledgement that finds a line not pending waits for the mutex, as in move_out().
template <class T>
bool State<T>::finish_all(const std::vector<Place>& places) noexcept {
  if (!places.empty()) clears_early_.store(true, sync::relaxed);  // GK
  const auto cleared = [](const Place& place) { return place.page->end(place.at); };
  const auto failed = std::find_if_not(places.begin(), places.end(), cleared);
  for (auto place = places.begin(); place != failed; ++place) {
    if (failed != places.end()) place->page->tell(place->at, 1, place->mark());
    else note_end(*place);
  }
  return failed == places.end();
}

// Of an entry that is pending with nobody, or waits for its turn.
template <class T>
bool State<T>::drained(StreamState& stream) {
  if (!at_last_end()) return false;
  if (returned.empty() && order.undelivered().empty()) return true;
  const log::EditState edits = stream.timeline.edits_for_sleeper();
  const bool none_returns = returned.each_due(last_instant, [&](const auto& entry) {
    const Place place = ledger.find(entry.id);
    const Hold held = place.page->look();
    return !held || !still_shown(edits, *held, place);
  });
  if (!none_returns) return false;
  const auto& undelivered = order.undelivered();
  return std::none_of(undelivered.begin(), undelivered.end(), [&](Id id) {
    auto view = stream.timeline.look();
    return !stream.collect(view, id, id, 1).empty();
  });
}

}  // namespace brook::group
