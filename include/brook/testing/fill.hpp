// fill.hpp — a bounded object that is full, in one line of a test.
#pragma once

#include <algorithm>
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
template <class T, class Make, class Add>
std::size_t fill_up(std::uint64_t room, const Make& make, const Add& add) {
  std::size_t added = 0;
  while (added < room) {
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

/// Fills a stream, or a list, that is bounded, with what `make(0)`, `make(1)`, … make; how many there was room for. Without
/// a `make` numbers count up, and other values are empty. Does nothing to one that is not bounded. It goes by the object's
/// probe like any other add or push.
template <class T, class Make = testing::Numbered>
std::size_t fill(Stream<T>& stream, const Make& make = {}) {
  const StreamInfo info = stream.info();
  const std::uint64_t room = info.capacity - std::min(info.capacity, info.length);
  return testing::fill_up<T>(room, make, [&](T&& value) { return stream.add(std::move(value), Wait()).has_value(); });
}
template <class T, class Make = testing::Numbered>
std::size_t fill(BlockingList<T>& list, const Make& make = {}) {
  const ListInfo info = list.info();
  const std::uint64_t room = info.capacity - std::min(info.capacity, info.length);
  return testing::fill_up<T>(room, make, [&](T&& value) { return list.rpush(std::move(value), Wait()).has_value(); });
}

}  // namespace brook
