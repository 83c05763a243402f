// pubsub_support.hpp — what the tests of PubSub share.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/pubsub.hpp>

#include "list_support.hpp"

namespace brook::test {

using Texts = std::vector<std::string>;

inline std::string text_of(int value) { return std::to_string(value); }
inline std::string text_of(const std::string& value) { return value; }
template <class T>
std::string text_of(const T& value) {
  return std::to_string(value.value());
}

/// A message as text: "a=1" was published to a and came by name, "a~*=1" came by the pattern *.
template <class T>
std::string shown(const Message<T>& message) {
  std::string text(message.channel());
  if (!message.pattern().empty()) text += "~" + std::string(message.pattern());
  return text + "=" + text_of(*message);
}

template <class T>
std::string shown(const expected<Message<T>, Errc>& message) {
  return message ? shown(*message) : std::string(brook::message(message.error()));
}

/// All that waits, one by one.
template <class T>
Texts received(TopicSubscription<T>& subscription) {
  Texts texts;
  while (const auto message = subscription.try_receive()) texts.push_back(shown(*message));
  return texts;
}

/// All that one call receives.
template <class T>
Texts batch(TopicSubscription<T>& subscription, std::size_t most = no_limit) {
  Texts texts;
  if (const auto messages = subscription.receive_batch(most, Wait())) {
    for (const auto& message : *messages) texts.push_back(shown(message));
  }
  return texts;
}

/// Names that lie on different parts of two; the first is on part 0.
inline const std::pair<std::string, std::string>& two_parts() {
  static const std::pair<std::string, std::string> names = [] {
    std::pair<std::string, std::string> found;
    for (char c = 'a'; c <= 'z'; ++c) {
      const std::string name(1, c);
      (hash_slot(name) % 2 == 0 ? found.first : found.second) = name;
    }
    return found;
  }();
  return names;
}

}  // namespace brook::test
