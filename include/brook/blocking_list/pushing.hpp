// pushing.hpp — adding elements to a list, with and without waiting for room.
// Part of blocking_list.hpp, which includes it.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/wait.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook {

namespace blocking_list {

/// Waits until values have been pushed by who made room, first come, first served. `deadline` is that of `wait`.
template <class T>
[[nodiscard]] std::optional<Errc> wait_for_room(State<T>& list, Side side, const log::Values<log::PayloadOf<T>>& values,
                                                Told&& told, const Wait& wait, Clock::time_point deadline) {
  if (wait.stop_requested()) return Errc::cancelled;
  wait::Sleeper sleeper(list.clock(), deadline, wait);
  Pusher<T> pusher(sleeper, side, values);
  pusher.told = std::move(told);
  struct InLine {
    State<T>& list;
    Place<Pusher<T>> place;
    ~InLine() {
      list.abandon(place);
      list.settle_record();
    }
  } in_line{list, Place<Pusher<T>>(pusher)};
  {
    const Locked<T> locked(list);
    list.pushers.join(in_line.place);
  }
  for (bool woken = true;; woken = sleeper.sleep()) {
    const Locked<T> locked(list);
    if (pusher.served) return std::nullopt;
    list.serve();  // who woke it could perhaps not serve it
    if (pusher.served) return std::nullopt;
    const std::optional<Errc> failed = list.closed             ? std::optional(Errc::closed)
                                       : wait.stop_requested() ? std::optional(Errc::cancelled)
                                       : woken                 ? std::nullopt
                                                               : std::optional(Errc::timed_out);
    if (!failed) continue;
    list.pushers.leave(in_line.place);
    return failed;
  }
}

/// Pushes with the lock, if it takes that. Waits for room as `told`, or, when that is null, as the list's options say.
/// Errors: closed; full, when it does not wait or never could fit; timed_out, cancelled.
template <class T>
[[nodiscard]] std::optional<Errc> push_slowly(State<T>& list, Side side, const log::Values<log::PayloadOf<T>>& values,
                                              const Wait* told) {
  Told noted;
  if (const auto refused = list.refuse(values, noted)) return refused;
  const bool drops = told == nullptr && list.options.overflow == Overflow::drop_oldest;
  Room<log::PayloadOf<T>> room;
  for (bool way = true; way;) {
    room.make();
    std::vector<log::PayloadOf<T>> dropped;
    {
      const Locked<T> locked(list);
      if (list.closed) return Errc::closed;
      way = list.elements.make_way(side, values.size(), room);
      if (!way && (drops || list.has_room(values.size()))) {
        list.push(side, values, dropped, noted);
        return std::nullopt;
      }
    }
    if (way && list.elements.push_now(side, values)) return std::nullopt;
  }
  if (values.size() > list.options.capacity) return Errc::full;
  const Wait wait = told != nullptr ? *told : list.options.overflow == Overflow::block ? Wait(forever) : Wait();
  const Clock::time_point deadline = wait.deadline(list.clock());
  if (deadline == Clock::time_point::min()) return Errc::full;
  return wait_for_room<T>(list, side, values, std::move(noted), wait, deadline);
}

}  // namespace blocking_list

template <class T>
template <class Value>
[[gnu::always_inline]] inline expected<Length<T>, Errc> BlockingList<T>::push(Side side, Value&& value,
                                                                              const Wait* wait) {
  if constexpr (std::is_same_v<Value, Payload>) {
    return push_one(side, value, wait);  // which keeps it when there is an error
  } else {
    auto payload = log::make_payload<T>(std::forward<Value>(value));
    return push_one(side, payload, wait);
  }
}

template <class T>
[[gnu::always_inline]] inline expected<Length<T>, Errc> BlockingList<T>::push_one(Side side, Payload& payload,
                                                                                  const Wait* wait) {
  if (state_->elements.push_now(side, payload)) [[likely]]
    return Length<T>(*this);
  if (state_->push_together(side, payload)) return Length<T>(*this);
  return push_one_slowly(side, payload, wait);
}

template <class T>
[[gnu::noinline]] expected<Length<T>, Errc> BlockingList<T>::push_one_slowly(Side side, Payload& payload,
                                                                             const Wait* wait) {
  if (const auto failed = push_slowly(side, {std::addressof(payload), 1}, wait)) return unexpected(*failed);
  return Length<T>(*this);
}

template <class T>
expected<Length<T>, Errc> BlockingList<T>::push_values(Side side, const Values& values, const Wait* wait) {
  if (!state_->elements.push_now(side, values)) {
    if (const auto failed = push_slowly(side, values, wait)) return unexpected(*failed);
  }
  return Length<T>(*this);
}

template <class T>
[[gnu::noinline]] std::optional<Errc> BlockingList<T>::push_slowly(Side side, const Values& values, const Wait* told) {
  if (state_->watched()) [[unlikely]] {
    return blocking_list::watch_push(*state_, values, told, [&](const Wait* wait) {
      return blocking_list::push_slowly<T>(*state_, side, values, wait);
    });
  }
  return blocking_list::push_slowly<T>(*state_, side, values, told);
}

template <class T>
expected<Length<T>, Refused<T>> BlockingList<T>::try_push(Side side, T&& value) {
  auto payload = log::make_payload<T>(std::move(value));
  const Wait none;
  const bool drops = state_->options.overflow == Overflow::drop_oldest;
  const auto pushed = push_one(side, payload, drops ? nullptr : &none);
  if (!pushed) return unexpected(Refused<T>{pushed.error(), std::move(log::value_of<T>(payload))});
  return *pushed;
}

template <class T>
template <class Range>
expected<Length<T>, Errc> BlockingList<T>::push_range(Side side, Range&& values, const Wait* wait) {
  const auto push_all = [&](Payload* first, std::size_t size) -> expected<Length<T>, Errc> {
    if (size > 0) return push_values(side, {first, size}, wait);
    if (closed()) return unexpected(Errc::closed);
    return Length<T>(*this);
  };
  if constexpr (blocking_list::GivenAway<T, Range>) {
    return push_all(std::ranges::data(values), static_cast<std::size_t>(std::ranges::size(values)));
  } else {
    auto payloads = log::make_payloads<T>(std::forward<Range>(values));
    return push_all(payloads.data(), payloads.size());
  }
}

template <class T>
expected<std::size_t, Errc> BlockingList<T>::push_if_any(Side side, T&& value) {
  auto payload = log::make_payload<T>(std::move(value));
  return blocking_list::watch_insert(*state_, payload, [&] { return push_if_any_now(side, payload); });
}

template <class T>
expected<std::size_t, Errc> BlockingList<T>::push_if_any_now(Side side, Payload& payload) {
  State& list = *state_;
  blocking_list::Told told;
  if (const auto refused = list.refuse({std::addressof(payload), 1}, told)) return unexpected(*refused);
  std::vector<Payload> dropped;
  const Locked locked(list);
  if (list.closed) return unexpected(Errc::closed);
  list.elements.gather();
  if (list.elements.empty()) {
    list.elements.note_push(side);
    return 0;
  }
  if (list.options.overflow != Overflow::drop_oldest && !list.has_room(1)) return unexpected(Errc::full);
  list.push(side, {std::addressof(payload), 1}, dropped, told);
  return list.elements.size();
}

}  // namespace brook
