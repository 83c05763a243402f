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
#include <brook/blocking_list/watched.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>

namespace brook {

namespace blocking_list {

/// Moves an element if there is one, and hands it to `copy(element)` before. Errors: closed, full, of the target.
template <class T, class Copy>
[[nodiscard]] std::optional<Errc> move_now(State<T>& source, State<T>& target, Side from_side, Side to_side,
                                           const Copy& copy) {
  const Locked<T> locked(source, target);
  source.elements.gather();
  source.elements.note_other();
  if (target.closed) return Errc::closed;
  if (source.elements.empty() || !source.poppers.empty()) return std::nullopt;
  if (&source != &target && !target.has_room(1)) return Errc::full;
  if (const auto refused = target.refuse_from(source, from_side)) return refused;
  copy(std::as_const(log::value_of<T>(source.elements.end(from_side))));
  source.move_one(from_side, target, to_side);
  return std::nullopt;
}

}  // namespace blocking_list

template <class T>
std::optional<T> BlockingList<T>::lmove(BlockingList& to, Side from_side,
                                        Side to_side) requires std::copy_constructible<T> {
  return blocking_list::take(*state_, {.operation = Operation::move, .size = 1}, [&](const Manner& manner) {
    probing::begin(manner);
    std::optional<T> moved;
    const auto copy = [&moved](const T& element) { moved.emplace(element); };
    static_cast<void>(blocking_list::move_now<T>(*state_, *to.state_, from_side, to_side, copy));
    return moved;
  });
}

template <class T>
expected<T, Errc> BlockingList<T>::blmove(BlockingList& to, Side from_side, Side to_side,
                                          const Wait& wait) requires std::copy_constructible<T> {
  const Call call{.operation = Operation::move, .size = 1, .wait = &wait};
  return blocking_list::take(*state_, call, [&](const Manner& manner) {
    probing::begin(manner);
    return move_or_wait(to, from_side, to_side, manner.wait != nullptr ? *manner.wait : wait);
  });
}

template <class T>
expected<T, Errc> BlockingList<T>::move_or_wait(BlockingList& to, Side from_side, Side to_side, const Wait& wait) {
  expected<T, Errc> moved = unexpected(Errc::timed_out);  // the one variable that is returned, without a move
  const auto copy = [&moved](const T& element) { blocking_list::copy_to<T>(moved, element); };
  auto failed = blocking_list::move_now<T>(*state_, *to.state_, from_side, to_side, copy);
  if (!failed && !moved) {
    std::optional<blocking_list::Popper<T>> popper;
    const std::array<State*, 1> lists{state_.get()};
    failed = blocking_list::wait_for<T>(lists, from_side, 1, 1, wait, popper, {to.state_, to_side, &moved});
  }
  if (failed) moved = unexpected(*failed);
  return moved;
}

}  // namespace brook
