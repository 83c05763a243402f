// watched.hpp — what a list does that has a probe. Part of blocking_list.hpp, which includes it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>

namespace brook::blocking_list {

/// What came of a call that takes something. An element may be a number, which does not say how many there were.
template <class T, class Result>
void tell_taken(const Result& result, Outcome& outcome) noexcept {
  if constexpr (!std::is_same_v<Result, expected<T, Errc>>) probing::Answer<Result>::tell(result, outcome);
  else if (result) outcome.size = 1;
  else outcome.failed = result.error();
}

/// Has the probe watch a call that takes something; its answer goes to `result`, which is made anew. It has been seen that
/// the list is watched.
template <class Result, class T, class Run>
[[gnu::noinline, gnu::cold]] void take_into(Result& result, State<T>& list, const Call& call, const Run& run) {
  probing::watch(
      result, list, call, run, [&](Outcome& outcome) { tell_taken<T>(result, outcome); },
      [] { return probing::Answer<Result>::failed(Errc::timed_out); });
}
template <class T, class Run>
[[nodiscard]] auto take(State<T>& list, const Call& call, const Run& run)
    -> std::invoke_result_t<const Run&, const Manner&> {
  using Result = std::invoke_result_t<const Run&, const Manner&>;
  if (!list.watched()) [[likely]]
    return run(Manner());
  Result result = probing::Answer<Result>::failed(Errc::closed);
  take_into(result, list, call, run);
  return result;
}

/// A push, with the wait that the probe wants it to have, if it waits. `told` is as push_slowly() has it. `locked` as in Call.
template <class T, class Run>
[[nodiscard, gnu::noinline, gnu::cold]] std::optional<Errc> watch_push(State<T>& list,
                                                                       const log::Values<log::PayloadOf<T>>& values,
                                                                       const Wait* told, const Run& run,
                                                                       bool locked = false) {
  const Wait patience(forever);
  const Wait* const wait = told != nullptr ? told : list.options.overflow == Overflow::block ? &patience : nullptr;
  const Call call{.operation = Operation::push,
                  .size = values.size(),
                  .values = GivenValues::of<T>(values),
                  .wait = list.options.capacity != no_limit && !locked ? wait : nullptr,
                  .locked = locked};
  const auto perform = [&](const Manner& manner) {
    probing::begin(manner);
    return run(manner.wait != nullptr && wait != nullptr ? manner.wait : told);
  };
  return probing::watched<std::optional<Errc>>(list, call, perform, [&] { return lose(list, values); });
}
/// What a push would have answered; the values are gone.
template <class T>
[[nodiscard]] std::optional<Errc> lose(State<T>& list, const log::Values<log::PayloadOf<T>>& values) {
  {
    const sync::unique_lock<sync::mutex> held(list.mutex());
    if (list.closed) return Errc::closed;
  }
  for (std::size_t i = 0; i < values.size(); ++i) static_cast<void>(log::PayloadOf<T>(std::move(values[i])));
  return std::nullopt;
}

/// A push that depends on what is in the list; it answers the length.
template <class T, class Run>
[[nodiscard]] auto watch_insert(State<T>& list, log::PayloadOf<T>& payload, const Run& run)
    -> std::invoke_result_t<const Run&> {
  using Result = std::invoke_result_t<const Run&>;
  if (!list.watched()) [[likely]]
    return run();
  const log::Values<log::PayloadOf<T>> value(std::addressof(payload), 1);
  const Call call{.operation = Operation::push, .size = 1, .values = GivenValues::of<T>(value)};
  const auto perform = [&](const Manner& manner) {
    probing::begin(manner);
    return run();
  };
  Result result = probing::Answer<Result>::failed(Errc::closed);
  const auto tell = [&](Outcome& outcome) {
    if (!result) outcome.failed = result.error();
    else outcome.size = *result ? 1 : 0;
  };
  probing::watch(result, list, call, perform, tell, [&]() -> Result {
    const Locked<T> locked(list);
    if (list.closed) return unexpected(Errc::closed);
    return list.elements.count() + 1;
  });
  return result;
}

/// A push that is part of another operation, all of which `run()` performs.
template <class T, class Run>
[[nodiscard]] std::optional<Errc> watch_part(State<T>& list, const log::Values<log::PayloadOf<T>>& value,
                                             const Run& run) {
  if (!list.watched()) [[likely]]
    return run();
  const Call call{.operation = Operation::push, .size = 1, .values = GivenValues::of<T>(value)};
  const auto perform = [&](const Manner& manner) {
    probing::begin(manner);
    return run();
  };
  return probing::watched<std::optional<Errc>>(list, call, perform, [] { return std::optional(Errc::not_pending); });
}

}  // namespace brook::blocking_list
