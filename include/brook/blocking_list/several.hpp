// several.hpp — taking from the first of several lists that has something.
// Part of blocking_list.hpp, which includes it.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/taking.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>

namespace brook {

/// A value, and from which of the lists it came, counted from 0 in the order of the arguments.
template <class T>
struct Popped {
  std::size_t index;
  T value;
};
template <class T>
struct PoppedMany {
  std::size_t index;
  std::vector<T> values;
};

template <class T>
struct probing::Answer<PoppedMany<T>> {
  static void tell(const PoppedMany<T>& result, Outcome& outcome) noexcept { outcome.size = result.values.size(); }
};

namespace blocking_list {

/// The lists of one call, in the order in which they are asked.
template <class T, std::size_t n>
struct Asked {
  std::array<State<T>*, n> lists;
  std::size_t first = 0;

  /// The first argument of the call.
  [[nodiscard]] State<T>& given_first() const noexcept { return *lists[(n - first) % n]; }
  [[nodiscard]] std::size_t index_of(std::size_t i) const noexcept { return (first + i) % n; }
  [[nodiscard]] std::size_t index_of(const State<T>* list) const noexcept {
    std::size_t i = 0;
    while (lists[i] != list) ++i;
    return index_of(i);
  }
};

template <class T, class... Rest>
[[nodiscard]] Asked<T, 1 + sizeof...(Rest)> asked(std::size_t first, BlockingList<T>& list, Rest&... rest) {
  constexpr std::size_t n = 1 + sizeof...(Rest);
  const std::array<State<T>*, n> given{&state_of(list), &state_of(rest)...};
  Asked<T, n> result{{}, first % n};
  for (std::size_t i = 0; i < n; ++i) result.lists[i] = given[result.index_of(i)];
  return result;
}

/// Takes from the first list that has something while none of them changes.
template <class T, std::size_t n>
[[nodiscard]] std::optional<PoppedMany<T>> pop_now(const Asked<T, n>& asked, Side side, std::size_t count) {
  std::vector<log::PayloadOf<T>> gone;
  const Locked<T> locked(asked.lists);
  for (State<T>* const list : asked.lists) list->elements.freeze();
  for (std::size_t i = 0; i < n; ++i) {
    auto values = pop_locked<T>(*asked.lists[i], side, count, gone);
    if (!values.empty()) return PoppedMany<T>{asked.index_of(i), std::move(values)};
  }
  return std::nullopt;
}

/// Takes at once, or waits if it is told how.
template <class T, std::size_t n>
[[nodiscard]] expected<PoppedMany<T>, Errc> pop_from(const Asked<T, n>& asked, Side side, std::size_t count,
                                                     const Wait* wait) {
  if (count == 0) return unexpected(Errc::invalid_argument);
  const Call call{.operation = Operation::pop, .size = count, .wait = wait};
  return take(asked.given_first(), call, [&](const Manner& manner) {
    probing::begin(manner);
    return pop_now_or_wait(asked, side, count, manner.wait != nullptr && wait != nullptr ? manner.wait : wait);
  });
}
template <class T, std::size_t n>
[[nodiscard]] expected<PoppedMany<T>, Errc> pop_now_or_wait(const Asked<T, n>& asked, Side side, std::size_t count,
                                                            const Wait* wait) {
  if (auto popped = pop_now(asked, side, count)) return *std::move(popped);
  if (wait == nullptr) return unexpected(Errc::timed_out);
  std::optional<Popper<T>> popper;
  if (const auto failed = wait_for<T>(asked.lists, side, 1, count, *wait, popper)) return unexpected(*failed);
  return PoppedMany<T>{asked.index_of(popper->from), values_of<T>(popper->from, popper->taken)};
}

template <class T, std::size_t n>
[[nodiscard]] expected<Popped<T>, Errc> pop_one_from(const Asked<T, n>& asked, Side side, const Wait& wait,
                                                     Rotation* rotation) {
  if constexpr (log::LiesInSlot<T>) {
    auto popped = pop_from(asked, side, 1, &wait);
    if (!popped) return unexpected(popped.error());
    if (rotation != nullptr) rotation->next = popped->index + 1;
    return Popped<T>{popped->index, std::move(popped->values.front())};
  } else {
    const Call call{.operation = Operation::pop, .size = 1, .wait = &wait};
    return take(asked.given_first(), call, [&](const Manner& manner) -> expected<Popped<T>, Errc> {
      probing::begin(manner);
      std::optional<Popper<T>> popper;
      const Wait& how = manner.wait != nullptr ? *manner.wait : wait;
      if (const auto failed = wait_for<T>(asked.lists, side, 1, 1, how, popper)) return unexpected(*failed);
      const std::size_t index = asked.index_of(popper->from);
      if (rotation != nullptr) rotation->next = index + 1;
      return value_of_one<T>(popper->from, popper->taken, [&](auto& payload) {
        return Popped<T>{index, value_from<T>(payload)};
      });
    });
  }
}

}  // namespace blocking_list

/// Takes an element from the first list, in the order of the arguments, that has one; if none has, waits for one
/// (BLPOP, BRPOP of several keys). Several lists in the order of their importance are the way to give elements a
/// priority. A list given twice counts once. Errors: timed_out; cancelled; closed when all lists are closed and empty.
template <class T, std::same_as<BlockingList<T>>... Rest>
[[nodiscard]] expected<Popped<T>, Errc> blpop(const Wait& wait, BlockingList<T>& list, Rest&... rest) {
  return blocking_list::pop_one_from(blocking_list::asked(0, list, rest...), Side::left, wait, nullptr);
}
template <class T, std::same_as<BlockingList<T>>... Rest>
[[nodiscard]] expected<Popped<T>, Errc> brpop(const Wait& wait, BlockingList<T>& list, Rest&... rest) {
  return blocking_list::pop_one_from(blocking_list::asked(0, list, rest...), Side::right, wait, nullptr);
}

/// The same, asking the lists in turn.
template <class T, std::same_as<BlockingList<T>>... Rest>
[[nodiscard]] expected<Popped<T>, Errc> blpop(const Wait& wait, Rotation& turn, BlockingList<T>& list, Rest&... rest) {
  return blocking_list::pop_one_from(blocking_list::asked(turn.next, list, rest...), Side::left, wait, &turn);
}
template <class T, std::same_as<BlockingList<T>>... Rest>
[[nodiscard]] expected<Popped<T>, Errc> brpop(const Wait& wait, Rotation& turn, BlockingList<T>& list, Rest&... rest) {
  return blocking_list::pop_one_from(blocking_list::asked(turn.next, list, rest...), Side::right, wait, &turn);
}

/// Takes up to `count` elements, at one instant, from a side of the first list that has any (LMPOP); nothing when
/// none has, or `count` is 0.
template <class T, std::same_as<BlockingList<T>>... Rest>
[[nodiscard]] std::optional<PoppedMany<T>> lmpop(Side side, std::size_t count, BlockingList<T>& list, Rest&... rest) {
  auto popped = blocking_list::pop_from(blocking_list::asked(0, list, rest...), side, count, nullptr);
  return popped ? std::optional(*std::move(popped)) : std::nullopt;
}
/// The same, waiting for elements (BLMPOP). Errors: as blpop; invalid_argument for a count of 0.
template <class T, std::same_as<BlockingList<T>>... Rest>
[[nodiscard]] expected<PoppedMany<T>, Errc> blmpop(const Wait& wait, Side side, std::size_t count,
                                                   BlockingList<T>& list, Rest&... rest) {
  return blocking_list::pop_from(blocking_list::asked(0, list, rest...), side, count, &wait);
}

}  // namespace brook
