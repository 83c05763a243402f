// fill.hpp — a bounded object that is full, in one line of a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/stream.hpp>
#include <brook/wait.hpp>

namespace brook {

namespace testing {

/// The value with a number: what `make(number)` makes, or of numbers the number itself, or else an empty one.
struct Numbered {
  template <class T>
  [[nodiscard]] static T make(std::size_t number) {
    if constexpr (std::is_arithmetic_v<T>) return static_cast<T>(number);
    else return T();
  }
};

/// Adds values 0, 1, … by `add(value)` until it has no room, or is as long as it may be; how many.
template <class T, class Object, class Make, class Add>
std::size_t fill_up(const Object& object, const Make& make, const Add& add) {
  const std::uint64_t capacity = object.info().capacity;
  std::size_t added = 0;
  while (object.size() < capacity) {
    if constexpr (std::is_same_v<Make, Numbered>) {
      if (!add(Make::template make<T>(added))) break;
    } else {
      if (!add(T(std::invoke(make, added)))) break;
    }
    ++added;
  }
  return added;
}

}  // namespace testing

/// Fills a stream, or a list, that is bounded, with what `make(0)`, `make(1)`, … make; how many it took: more than there was
/// room for, when calls wait for them, and for as long as others take them away. Without a `make` numbers count up, and other
/// values are empty. Does nothing to one that is not bounded. It goes by the object's probe like any other add or push.
template <class T, class Make = testing::Numbered>
std::size_t fill(Stream<T>& stream, const Make& make = {}) {
  return testing::fill_up<T>(stream, make, [&](T&& value) { return stream.add(std::move(value), Wait()).has_value(); });
}
template <class T, class Make = testing::Numbered>
std::size_t fill(BlockingList<T>& list, const Make& make = {}) {
  return testing::fill_up<T>(list, make, [&](T&& value) { return list.rpush(std::move(value), Wait()).has_value(); });
}

}  // namespace brook
