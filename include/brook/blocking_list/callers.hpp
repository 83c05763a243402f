// callers.hpp — calls that wait at a list: for elements, or for room.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <brook/blocking_list/line.hpp>
#include <brook/blocking_list/taken.hpp>
#include <brook/blocking_list/witness.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::blocking_list {

template <class T>
class State;

/// Where an element goes that a call waits for: to the call itself, or to another list.
template <class T>
struct Destination {
  std::shared_ptr<State<T>> list{};
  Side side = Side::left;
  expected<T, Errc>* copy = nullptr;  // of the element that was moved on: what the call returns
};

/// Makes what a call is going to return a copy of an element. In place: once an element has been moved on, nothing may
/// throw any more, as a copy of the copy could. When it throws, `result` is an error.
template <class T>
void copy_to(expected<T, Errc>& result, const T& element) {
  struct Restore {
    expected<T, Errc>* result;
    ~Restore() {
      if (result != nullptr) std::construct_at(result, unexpected(Errc::timed_out));
    }
  } restore{std::addressof(result)};
  std::destroy_at(restore.result);
  std::construct_at(restore.result, tl::in_place, element);
  restore.result = nullptr;
}

/// A call that waits for elements. What it gets is written with the lock of the list that gives it.
template <class T>
struct Popper : Claimable {
  using Payload = log::PayloadOf<T>;

  /// Throws std::bad_alloc.
  Popper(wait::Wakeable& sleeper, Side at, std::size_t at_least, std::size_t at_most, const wait::Bid& its_bid = {})
      : Claimable(sleeper, its_bid), side(at), least(at_least), most(at_most) {
    taken.push_back({side});
  }

  /// What it has, unless that was taken back.
  [[nodiscard]] std::vector<Payload>& got() noexcept { return taken.front().payloads; }

  const Side side;
  const std::size_t least;
  const std::size_t most;
  Destination<T> destination{};
  std::span<State<T>* const> lists{};  // where it waits at several, in the order in which it asks them

  Taken<Payload> taken;           // a batch, which has room; none once it was taken back
  State<T>* from = nullptr;       // the list that gave it
  bool served = false;            // it got at least so many, or its element was moved
  std::optional<Errc> refused{};  // the element could not be moved: why
};

/// A call that waits for room for its values.
template <class T>
struct Pusher : Claimable {
  using Payload = log::PayloadOf<T>;

  Pusher(wait::Wakeable& sleeper, Side at, const log::Values<Payload>& what, const wait::Bid& its_bid = {})
      : Claimable(sleeper, its_bid), side(at), values(what) {}

  const Side side;
  const log::Values<Payload> values;
  Told told{};  // what is to be noted of them, where that was made before
  bool served = false;
};

}  // namespace brook::blocking_list
