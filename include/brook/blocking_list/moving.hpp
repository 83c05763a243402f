// moving.hpp — an element goes from one list to another at one instant. Part of blocking_list.hpp, which includes it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/taking.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/wait.hpp>

namespace brook {

template <class T>
std::optional<Errc> BlockingList<T>::move_one(BlockingList& to, Side from_side, Side to_side, std::optional<T>& copy) {
  State& source = *state_;
  State& target = *to.state_;
  const Locked locked(source, target);
  source.elements.gather();
  source.elements.note_other();
  if (target.closed) return Errc::closed;
  if (source.elements.empty() || !source.poppers.empty()) return std::nullopt;
  if (&source != &target && !target.has_room(1)) return Errc::full;
  copy.emplace(log::value_of<T>(source.elements.end(from_side)));
  source.move_one(from_side, target, to_side);
  return std::nullopt;
}

template <class T>
std::optional<T> BlockingList<T>::lmove(BlockingList& to, Side from_side,
                                        Side to_side) requires std::copy_constructible<T> {
  std::optional<T> copy;
  static_cast<void>(move_one(to, from_side, to_side, copy));
  return copy;
}

template <class T>
expected<T, Errc> BlockingList<T>::blmove(BlockingList& to, Side from_side, Side to_side,
                                          const Wait& wait) requires std::copy_constructible<T> {
  std::optional<T> copy;
  if (const auto failed = move_one(to, from_side, to_side, copy)) return unexpected(*failed);
  if (copy) return *std::move(copy);
  std::optional<blocking_list::Popper<T>> popper;
  const std::array<State*, 1> lists{state_.get()};
  const auto failed = blocking_list::wait_for<T>(lists, from_side, 1, 1, wait, popper, {to.state_, to_side});
  if (failed) return unexpected(*failed);
  return *std::move(popper->copy);
}

}  // namespace brook
