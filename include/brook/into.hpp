// into.hpp — a value on its way into an object: what Delivery::forward takes several of.
//
// Each type that values can be forwarded to specialises Into, and has an into() that makes one:
//   Added                        what is known of an added value: an Id in a stream, …
//   Change{into}                 builds the value; its get() is the change (log/together.hpp), its added() an Added
#pragma once

#include <utility>

#include <brook/log/payload.hpp>

namespace brook {

/// A value and the object that it is to be added to. It refers to both; use it at once.
template <class Target, class Value>
class Into;

/// The same with the value in it, for a call that goes on after it has returned: the source of a case (wait/selection.hpp).
/// `State` is where the value goes to.
template <class CaseOfKept, class State, class T>
class KeptInto {
 public:
  // — for the library —

  using Case = CaseOfKept;

  KeptInto(State to, log::Kept<T>&& value) : to_(std::move(to)), value_(std::move(value)) {}

  [[nodiscard]] const State& state() const noexcept { return to_; }
  [[nodiscard]] log::Kept<T>&& value() && noexcept { return std::move(value_); }

 private:
  State to_;
  log::Kept<T> value_;
};

/// What into() makes.
template <class T>
concept ForwardTarget = requires {
  typename T::Added;
};

}  // namespace brook
