// restore.hpp — a list at one instant, for who saves it (blocking_list/cut.hpp), and made anew.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>

namespace brook::blocking_list {

/// Begins a cut of a list whose mutex the caller holds. Whether the list is closed. Throws as Elements::begin() does.
template <class T>
bool begin_cut(State<T>& list, Cut<log::PayloadOf<T>>& cut) {
  list.elements.begin(cut);
  list.settle();
  return list.closed;
}
/// Passes elements while `more()` says so, then calls `use()`, with the lock still. Whether there are any left. Throws
/// std::bad_alloc, and what `use` throws.
template <class T, class More, class Use>
[[nodiscard]] bool pass_some(State<T>& list, Cut<log::PayloadOf<T>>& cut, More&& more, Use&& use) {
  const Locked<T> locked(list);
  while (!cut.done() && more()) list.elements.pass_next(cut);
  use();
  return !cut.done();
}
/// Ends a cut, be it done or not.
template <class T>
void end_cut(State<T>& list, Cut<log::PayloadOf<T>>& cut) noexcept {
  const sync::unique_lock<sync::mutex> held(list.mutex());
  list.elements.end(cut);
  list.settle();
}

/// Adds an element at an end of a list that nobody else knows yet. False when there is no room, unless the list was `longer` than
/// it may be, as who gives elements back makes it (blocking_list/taken.hpp). Throws std::bad_alloc.
template <class T>
[[nodiscard]] bool restore_element(State<T>& list, Side side, log::PayloadOf<T> payload, bool longer = false) {
  const log::Values<log::PayloadOf<T>> value(std::addressof(payload), 1);
  Room<log::PayloadOf<T>> room;
  while (!list.elements.push_now(side, value)) {
    room.make();
    const Locked<T> locked(list);
    if (list.elements.make_way(side, 1, room)) continue;
    if (!longer && !list.has_room(1)) return false;
    list.elements.gather();
    list.elements.push(side, std::move(payload));
    return true;
  }
  return true;
}

}  // namespace brook::blocking_list
