// taking.hpp — taking elements out of a locked list, as values that a caller gets; and waiting for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/waiting.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/wait.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::blocking_list {


/// The value in a payload that is about to go. One that may throw when it moves is copied, if it can be.
template <class T>
[[nodiscard]] T value_from(log::PayloadOf<T>& payload) {
  if constexpr (log::LiesInSlot<T>) return T(std::move(log::value_of<T>(payload)));
  else return T(std::move_if_noexcept(log::value_of<T>(payload)));
}

/// Pops one element with the lock held.
template <class T>
[[nodiscard]] std::optional<T> pop_locked(State<T>& list, Side side, std::optional<log::PayloadOf<T>>& gone) {
  std::optional<T> value;
  if (!list.poppers.empty()) return value;  // what there is is theirs
  if constexpr (log::LiesInSlot<T>) {
    list.elements.prepare_pop(side);
    list.elements.pop_some(side, 1, no_limit, [&](auto&& payload) noexcept { value.emplace(value_from<T>(payload)); });
  } else {
    list.elements.gather();
    if (!list.elements.empty()) {
      value.emplace(value_from<T>(list.elements.end(side)));
      gone.emplace(list.elements.pop(side));
    }
  }
  if (value) list.elements.note_pop(side);
  return value;
}

/// Pops several with the lock held. What they were is destroyed with `gone`.
template <class T>
[[nodiscard]] std::vector<T> pop_locked(State<T>& list, Side side, std::size_t count,
                                        std::vector<log::PayloadOf<T>>& gone) {
  std::vector<T> values;
  if (!list.poppers.empty()) return values;  // what there is is theirs
  list.elements.prepare_pop(side);
  const std::size_t there = list.elements.at_most();
  const std::size_t most = std::min(count, there);
  values.reserve(most);
  if constexpr (log::LiesInSlot<T>) {
    list.elements.pop_some(side, most, there,
                           [&](auto&& payload) noexcept { values.push_back(value_from<T>(payload)); });
  } else {
    list.elements.gather();
    gone.reserve(most);
    const std::size_t n = list.elements.size();
    for (std::size_t i = 0; i < std::min(most, n); ++i)
      values.push_back(value_from<T>(list.elements.at(side == Side::left ? i : n - 1 - i)));
    while (gone.size() < values.size()) gone.push_back(list.elements.pop(side));
  }
  if (!values.empty()) list.elements.note_pop(side);
  return values;
}

/// The values that a popper got; on an exception they go back to where they came from.
template <class T>
[[nodiscard]] std::vector<T> values_of(Popper<T>& popper) {
  struct GiveBack {
    Popper<T>* popper;
    ~GiveBack() {
      if (popper == nullptr) return;
      const Locked<T> locked(*popper->from);
      popper->from->elements.gather();
      while (!popper->got.empty()) {
        popper->from->elements.push(popper->side, std::move(popper->got.back()));
        popper->got.pop_back();
      }
    }
  } give_back{&popper};
  std::vector<T> values;
  values.reserve(popper.got.size());
  for (auto& payload : popper.got) values.push_back(value_from<T>(payload));
  give_back.popper = nullptr;
  return values;
}

/// Waits for one list or several, of which none had anything. What came is in the popper.
template <class T>
[[nodiscard]] std::optional<Errc> wait_for(std::span<State<T>* const> lists, Side side, std::size_t least,
                                           std::size_t most, const Wait& wait, std::optional<Popper<T>>& popper,
                                           const Destination<T>& destination = {}) {
  Clock& clock = lists.front()->clock();
  if (wait.stop_requested()) return Errc::cancelled;
  const Clock::time_point deadline = wait.deadline(clock);
  wait::Sleeper sleeper(clock, deadline, wait);
  popper.emplace(sleeper, side, least, most);
  popper->destination = destination;
  constexpr std::size_t enough_at_once = 1024;
  popper->got.reserve(std::min(most, std::max(least, enough_at_once)));
  return Waiting<T>(lists, *popper, sleeper, wait).run();
}

}  // namespace brook::blocking_list
