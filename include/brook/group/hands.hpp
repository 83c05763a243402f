// hands.hpp — in whose hands a pending entry is, and what follows when it leaves them.
#pragma once

#include <algorithm>
#include <vector>

#include <brook/core/sync.hpp>
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
    return pending;
  }
  expect_expiry(mark.time());
  if (before.consumer() == nobody) {
    returned.forget({before.time(), place.id()});
    place.page->tell(place.at, 1, mark);
  } else {
    place.page->remark(place.at, mark);
  }
  return place.page->pending(place.at);
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
  if (managed()) order.finish(place.id());
}

// An acknowledgement that finds a line not pending waits for the mutex, as in move_out().
template <class T>
bool State<T>::finish_all(const std::vector<Place>& places) noexcept {
  if (!places.empty()) clears_early_.store(true, sync::relaxed);  // GK
  const auto cleared = [](const Place& place) { return place.page->end(place.at); };
  const auto failed = std::ranges::find_if_not(places, cleared);
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
  const bool none_returns = returned.each_due(last_instant, [&](const Returned::Return& entry) {
    const Place place = ledger.find(entry.id);
    const Hold held = place.page->look();
    return !held || !still_shown(edits, *held, place);
  });
  return none_returns && std::ranges::none_of(order.undelivered(), [&](Id id) {
           auto view = stream.timeline.look();
           return !stream.collect(view, id, id, 1).empty();
         });
}

}  // namespace brook::group
