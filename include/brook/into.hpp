// into.hpp — a value on its way into an object: what Delivery::forward takes several of.
//
// Each type that values can be forwarded to specialises Into, and has an into() that makes one:
//   Added                        what is known of an added value: an Id in a stream, …
//   Change{into}                 builds the value; its get() is the change (log/together.hpp), its added() an Added
#pragma once

namespace brook {

/// A value and the object that it is to be added to. It refers to both; use it at once.
template <class Target, class Value>
class Into;

/// What into() makes.
template <class T>
concept ForwardTarget = requires {
  typename T::Added;
};

}  // namespace brook
