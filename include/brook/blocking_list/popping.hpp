// popping.hpp — taking elements from a list, with and without waiting. Part of blocking_list.hpp, which includes it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/taking.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>
#include <brook/wait/await.hpp>

namespace brook {

// Without the lock.
template <class T>
template <class Take>
typename BlockingList<T>::Outcome BlockingList<T>::pop_now_to(Side side, Take take) {
  const auto popped = state_->elements.pop_now(side);
  if (popped) take(std::move(log::value_of<T>(*popped)));
  return popped.outcome();
}

template <class T>
template <class Take>
bool BlockingList<T>::pop_to(Side side, Take take) {
  const Outcome outcome = pop_now_to(side, take);
  return outcome == Outcome::closed ? pop_locked_to(side, take) : outcome == Outcome::done;
}

// Behind a pop that could not do without the lock.
template <class T>
template <class Take>
bool BlockingList<T>::pop_locked_to(Side side, Take take) {
  const auto take_payload = [take](Payload&& payload) noexcept { take(std::move(log::value_of<T>(payload))); };
  const Outcome outcome = state_->pop_together(side, take_payload);
  return outcome == Outcome::closed ? pop_slowly(side, take) : outcome == Outcome::done;
}

// Where a segment ends, or somebody has the lock for a moment, pops that went on with the lock would each freeze the queue for
// those behind, who would so need it too, and so on. So this makes way, and goes on without it.
template <class T>
template <class Take>
[[gnu::noinline]] bool BlockingList<T>::pop_slowly(Side side, Take take) {
  if (state_->watched()) [[unlikely]] {
    // Of a call that waits this would be only the beginning.
    if constexpr (std::is_same_v<Take, blocking_list::Filling<T>>) return pop_watched(side, take.result);
    else return false;
  }
  std::optional<Payload> gone;
  for (;;) {
    {
      const Locked locked(*state_);
      if (!state_->elements.make_way(side)) {
        std::optional<T> value = blocking_list::pop_locked<T>(*state_, side, gone);
        if (!value) return false;
        take(*std::move(value));
        return true;
      }
    }
    const Outcome outcome = pop_now_to(side, take);
    if (outcome != Outcome::closed) return outcome == Outcome::done;
  }
}

template <class T>
[[gnu::always_inline]] inline std::optional<T> BlockingList<T>::pop(Side side) {
  if constexpr (State::lies_in_slot) {
    const auto popped = state_->elements.pop_now(side);
    if (popped) [[likely]]
      return std::optional<T>(std::in_place, std::move(log::value_of<T>(*popped)));
    std::optional<T> value;
    pop_otherwise(side, popped.outcome(), value);
    return value;
  } else {
    return blocking_list::take(*state_, {.operation = Operation::pop, .size = 1}, [&](const Manner& manner) {
      probing::begin(manner);
      std::optional<Payload> gone;
      const Locked locked(*state_);
      return blocking_list::pop_locked<T>(*state_, side, gone);
    });
  }
}

// Fills a variable of the caller: what it returned would be read in wider words than it was written, which stalls the processor.
template <class T>
[[gnu::noinline]] void BlockingList<T>::pop_otherwise(Side side, Outcome outcome, std::optional<T>& value) {
  if (outcome == Outcome::closed) pop_locked_to(side, blocking_list::Filling<T>{value});
  else give_memory_back();
}

// The list was found empty.
template <class T>
void BlockingList<T>::give_memory_back() {
  if (!state_->elements.keeps_several()) return;
  const Locked locked(*state_);
  state_->elements.keep_one();
}

template <class T>
[[gnu::noinline, gnu::cold]] bool BlockingList<T>::pop_watched(Side side, std::optional<T>& value) {
  const auto pop_now = [&](const Manner& manner) {
    probing::begin(manner);
    std::optional<Payload> gone;
    const Locked locked(*state_);
    return blocking_list::pop_locked<T>(*state_, side, gone);
  };
  blocking_list::take_into(value, *state_, {.operation = Operation::pop, .size = 1}, pop_now);
  return value.has_value();
}

template <class T>
typename BlockingList<T>::Outcome BlockingList<T>::pop_to(Side side, std::size_t least, std::size_t most,
                                                          std::vector<T>& values) {
  blocking_list::Gathering<T> gathering(values);
  const Outcome outcome = state_->elements.pop_now(
      side, least, most, [&](std::size_t count) { gathering.prepare(count); }, gathering);
  if (outcome != Outcome::done) values.clear();
  return outcome;
}

// For pops without the lock; see pop_slowly().
template <class T>
bool BlockingList<T>::make_way(Side side) {
  if (!state_->plain()) return false;
  const Locked locked(*state_);
  return state_->elements.make_way(side);
}

template <class T>
std::vector<T> BlockingList<T>::pop_many(Side side, std::size_t count) {
  if (count == 0) return {};
  if constexpr (State::lies_in_slot) {
    if (!state_->watched()) [[likely]]
      return pop_unwatched(side, 1, count);
  }
  return blocking_list::take(*state_, {.operation = Operation::pop, .size = count}, [&](const Manner& manner) {
    probing::begin(manner);
    std::vector<Payload> gone;
    const Locked locked(*state_);
    return blocking_list::pop_locked<T>(*state_, side, count, gone);
  });
}

// All there are, up to `most`, or none if they are fewer than `least`.
template <class T>
std::vector<T> BlockingList<T>::pop_unwatched(Side side, std::size_t least, std::size_t most) {
  std::vector<T> values;
  Outcome outcome = Outcome::closed;
  do outcome = pop_to(side, least, most, values);
  while (outcome == Outcome::closed && make_way(side));
  if (outcome == Outcome::empty) give_memory_back();
  if (outcome == Outcome::done || outcome == Outcome::empty) return values;
  std::vector<Payload> gone;
  const Locked locked(*state_);
  state_->elements.prepare_pop(side);
  if (state_->elements.has(least)) values = blocking_list::pop_locked<T>(*state_, side, most, gone);
  else state_->elements.keep_one();
  return values;
}

template <class T>
[[gnu::always_inline]] inline expected<T, Errc> BlockingList<T>::pop(Side side, const Wait& wait) {
  if constexpr (State::lies_in_slot) {
    const auto popped = state_->elements.pop_now(side);
    if (popped) [[likely]]
      return expected<T, Errc>(tl::in_place, std::move(log::value_of<T>(*popped)));
    expected<T, Errc> value = unexpected(Errc::timed_out);
    wait_and_pop(side, wait, popped.outcome(), value);
    return value;
  } else {
    if (!state_->watched()) [[likely]]
      return wait_in_line(side, wait);
    expected<T, Errc> value = unexpected(Errc::timed_out);
    pop_watched(side, wait, value);
    return value;
  }
}

template <class T>
expected<T, Errc> BlockingList<T>::wait_in_line(Side side, const Wait& wait) {
  std::optional<blocking_list::Popper<T>> popper;
  const std::array<State*, 1> lists{state_.get()};
  if (const auto failed = blocking_list::wait_for<T>(lists, side, 1, 1, wait, popper)) return unexpected(*failed);
  return blocking_list::value_of_one<T>(popper->from, popper->taken, blocking_list::value_from<T>);
}

// `value` is an error.
template <class T>
[[gnu::noinline, gnu::cold]] void BlockingList<T>::pop_watched(Side side, const Wait& wait, expected<T, Errc>& value) {
  const Call call{.operation = Operation::pop, .size = 1, .wait = &wait};
  blocking_list::take_into(value, *state_, call, [&](const Manner& manner) {
    probing::begin(manner);
    return wait_in_line(side, manner.wait != nullptr ? *manner.wait : wait);
  });
}

// Not inline: it would cost the common case its registers. `value` is an error.
template <class T>
[[gnu::noinline]] void BlockingList<T>::wait_and_pop(Side side, const Wait& wait, Outcome outcome,
                                                     expected<T, Errc>& value) {
  const blocking_list::Placing<T> place{value};
  if (outcome == Outcome::closed && pop_locked_to(side, place)) return;
  if (state_->watched()) return pop_watched(side, wait, value);
  const Clock::time_point deadline = wait.deadline(state_->clock());  // before the time that polling takes
  const auto come = [&] { return pop_to(side, place); };
  if (state_->poll(deadline, come, [this] { return state_->elements.ahead(); })) return;
  std::optional<blocking_list::Popper<T>> popper;
  const std::array<State*, 1> lists{state_.get()};
  const auto failed = blocking_list::wait_until<T>(lists, side, 1, 1, wait, deadline, popper);
  if (failed) value = unexpected(*failed);
  else place(std::move(log::value_of<T>(popper->got().front())));
}

template <class T>
expected<std::vector<T>, Errc> BlockingList<T>::pop_batch(std::size_t least, std::size_t most, const Wait& wait) {
  if (most == 0) return std::vector<T>();
  const std::size_t enough = std::clamp<std::size_t>(least, 1, most);
  const Wait until = least == 0 ? Wait() : wait;
  const Clock::time_point deadline = until.deadline(state_->clock());
  if constexpr (State::lies_in_slot) {
    std::vector<T> values;
    const auto come = [&] {
      values = pop_unwatched(Side::left, enough, most);
      return !values.empty();
    };
    if (!state_->watched()) {
      if (come()) return values;
      if (state_->poll(deadline, come, [&] { return values.size(); })) return values;
    }
  }
  const Call call{.operation = Operation::pop, .size = most, .wait = &until};
  return probing::perform(*state_, call, [&](const Manner& manner) -> expected<std::vector<T>, Errc> {
    probing::begin(manner);
    std::optional<blocking_list::Popper<T>> popper;
    const std::array<State*, 1> lists{state_.get()};
    const Wait& how = manner.wait != nullptr ? *manner.wait : until;
    const Clock::time_point end = manner.wait != nullptr ? how.deadline(state_->clock()) : deadline;
    const auto failed = blocking_list::wait_until<T>(lists, Side::left, enough, most, how, end, popper);
    if (failed && *failed != Errc::timed_out) return unexpected(*failed);
    return blocking_list::values_of<T>(popper->from, popper->taken);
  });
}

}  // namespace brook
