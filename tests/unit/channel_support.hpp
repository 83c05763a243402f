// channel_support.hpp — what the tests of channels share.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <brook/channel.hpp>

#include "list_support.hpp"

namespace brook::test {

inline int number(int value) { return value; }
template <class T>
int number(const T& value) {
  return value.value();
}

/// The next message if there is one.
template <class T>
std::optional<int> taken(Subscription<T>& subscription) {
  const auto message = subscription.try_receive();
  return message ? std::optional<int>(number(**message)) : std::nullopt;
}

/// All messages that there are.
template <class T>
Ints drained(Subscription<T>& subscription) {
  Ints values;
  while (const auto value = taken(subscription)) values.push_back(*value);
  return values;
}

template <class T>
Ints values_of(const Messages<T>& messages) {
  Ints values;
  for (const T& value : messages) values.push_back(number(value));
  return values;
}

/// Publishes the numbers from `first` to `last` one by one.
template <class T = int>
void publish(Channel<T>& channel, int first, int last) {
  for (int i = first; i <= last; ++i) static_cast<void>(channel.publish(T(i)));
}

/// A number that a census counts, so large that a segment has room for 16 of them at most.
class Big : public Counted<> {
 public:
  using Counted<>::Counted;
  static constexpr std::size_t in_a_segment = 16;

  std::array<char, 5000> rest{};
};

}  // namespace brook::test
