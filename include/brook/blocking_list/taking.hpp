// taking.hpp — taking elements out of a locked list, as values that a caller gets; and waiting for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/taken.hpp>
#include <brook/blocking_list/waiting.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/undo.hpp>
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
      list.elements.about_to_take(side, 1);
      value.emplace(value_from<T>(list.elements.end(side)));
      gone.emplace(list.elements.pop(side));
    }
  }
  if (value) list.elements.note_pop(side);
  else list.elements.keep_one();
  return value;
}

/// Pops up to `most` at a side, where at_most(most) was `there`, with the lock held. `use(Payload&&)` must not throw.
template <class T, class Use>
void pop_seen(State<T>& list, Side side, std::size_t most, std::size_t there, const Use& use) noexcept {
  // Once more where slots were void and there are more behind them: until then nobody else has popped, so all is of the
  // instant of the last look.
  for (std::size_t popped = 0;; there = list.elements.at_most(most - popped)) {
    const std::size_t wanted = most - popped;
    popped += list.elements.pop_some(side, std::min(wanted, there), there, use);
    if (there < wanted || popped == most) return;
  }
}

/// Pops several with the lock held. What they were is destroyed with `gone`.
template <class T>
[[nodiscard]] std::vector<T> pop_locked(State<T>& list, Side side, std::size_t count,
                                        std::vector<log::PayloadOf<T>>& gone) {
  std::vector<T> values;
  if (!list.poppers.empty()) return values;  // what there is is theirs
  list.elements.prepare_pop(side);
  const std::size_t there = list.elements.at_most(count);
  const std::size_t most = std::min(count, there);
  values.reserve(most);
  if constexpr (log::LiesInSlot<T>) {
    pop_seen(list, side, count, there, [&](auto&& payload) noexcept { values.push_back(value_from<T>(payload)); });
  } else {
    list.elements.gather();
    gone.reserve(most);
    const std::size_t n = list.elements.size();
    list.elements.about_to_take(side, std::min(most, n));
    for (std::size_t i = 0; i < std::min(most, n); ++i)
      values.push_back(value_from<T>(list.elements.at(side == Side::left ? i : n - 1 - i)));
    while (gone.size() < values.size()) gone.push_back(list.elements.pop(side));
  }
  if (!values.empty()) list.elements.note_pop(side);
  else list.elements.keep_one();
  return values;
}

/// Values that are popped, to a vector; how many is told first. Plain ones are not asked each time whether there is room.
template <class T>
class Gathering {
 public:
  explicit Gathering(std::vector<T>& values) noexcept : values_(values) {}

  /// Throws std::bad_alloc. The last call counts.
  void prepare(std::size_t count) {
    if constexpr (plain) {
      values_.resize(count);
      next_ = values_.data();
    } else {
      values_.reserve(count);
    }
  }
  void operator()(log::PayloadOf<T>&& payload) noexcept {
    if constexpr (plain) std::construct_at(next_++, std::move(payload));
    else values_.push_back(value_from<T>(payload));
  }

 private:
  static constexpr bool plain = std::is_same_v<T, log::PayloadOf<T>> && std::is_trivially_copyable_v<T> &&
                                std::is_trivially_default_constructible_v<T>;

  std::vector<T>& values_;
  T* next_ = nullptr;
};

/// Puts a value where there is none.
template <class T>
struct Filling {
  std::optional<T>& result;

  void operator()(T&& value) const noexcept { result.emplace(std::move(value)); }
};

/// Puts a value where there is an error, without an assignment.
template <class T>
struct Placing {
  expected<T, Errc>& result;

  void operator()(T&& value) const noexcept {
    std::destroy_at(std::addressof(result));
    std::construct_at(std::addressof(result), tl::in_place, std::move(value));
  }
};

/// Pops up to `most` payloads with the lock held, for a call that may turn out not to get them: none, or a batch of them. Throws
/// std::bad_alloc, and then nothing was popped.
template <class T>
void take_out(State<T>& list, Side side, std::size_t most, Taken<log::PayloadOf<T>>& taken) {
  if (!list.poppers.empty()) return;  // what there is is theirs
  list.elements.prepare_pop(side);
  const std::size_t there = list.elements.at_most(most);
  if (there > 0) {
    taken.push_back({side});
    core::Undo undo([&] { taken.clear(); });
    auto& payloads = taken.front().payloads;
    payloads.reserve(std::min(most, there));
    pop_seen(list, side, most, there,
             [&](log::PayloadOf<T>&& payload) noexcept { payloads.push_back(std::move(payload)); });
    if (!payloads.empty()) undo.keep();
  }
  if (!taken.empty()) list.elements.note_pop(side);
  else list.elements.keep_one();
}

/// All that was taken of a list; of none if it is null.
template <class T>
[[nodiscard]] std::vector<T> values_of(State<T>* list, Taken<log::PayloadOf<T>>& taken) {
  auto& payloads = taken.front().payloads;
  if constexpr (std::is_same_v<T, log::PayloadOf<T>>) {
    BROOK_TRY { payloads.shrink_to_fit(); }
    BROOK_CATCH_ALL {}  // then the caller has room for more
    return std::move(payloads);
  } else {
    core::Undo give_back([&] { list->take_back(taken); });  // of none nothing throws
    std::vector<T> values;
    values.reserve(payloads.size());
    for (auto& payload : payloads) values.push_back(value_from<T>(payload));
    give_back.keep();
    return values;
  }
}
/// Of one that was taken; `make(payload)` builds the result.
template <class T, class Make>
[[nodiscard]] auto value_of_one(State<T>* list, Taken<log::PayloadOf<T>>& taken, Make&& make) {
  using Result = expected<std::invoke_result_t<Make&, log::PayloadOf<T>&>, Errc>;
  BROOK_TRY {
    return Result(tl::in_place,
                  make(taken.front().payloads.front()));  // not a variable, which might be moved, and throw unguarded
  }
  BROOK_CATCH_ALL {
    list->take_back(taken);
    BROOK_RETHROW;
  }
  return Result(unexpected(Errc::timed_out));  // never reached
}

/// Waits for one list or several, of which none had anything. What came is in the popper. `deadline` is that of `wait`.
template <class T>
[[nodiscard]] std::optional<Errc> wait_until(std::span<State<T>* const> lists, Side side, std::size_t least,
                                             std::size_t most, const Wait& wait, Clock::time_point deadline,
                                             std::optional<Popper<T>>& popper, const Destination<T>& destination = {}) {
  wait::Sleeper sleeper(lists.front()->clock(), deadline, wait);
  popper.emplace(sleeper, side, least, most);
  popper->destination = destination;
  if (lists.size() > 1) popper->lists = lists;
  constexpr std::size_t enough = std::max<std::size_t>(1, 8192 / sizeof(log::PayloadOf<T>));
  popper->got().reserve(std::min(most, enough));  // so that who serves it seldom needs memory
  return Waiting<T>(lists, *popper, sleeper, wait).run();
}
/// The same; the time begins now.
template <class T>
[[nodiscard]] std::optional<Errc> wait_for(std::span<State<T>* const> lists, Side side, std::size_t least,
                                           std::size_t most, const Wait& wait, std::optional<Popper<T>>& popper,
                                           const Destination<T>& destination = {}) {
  return wait_until(lists, side, least, most, wait, wait.deadline(lists.front()->clock()), popper, destination);
}

}  // namespace brook::blocking_list
