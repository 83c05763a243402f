// matcher.hpp — what can be asserted of objects, as matchers: anything that calls match() and toString() can use them, as
// Catch2 does (testing/catch2.hpp).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <brook/blocking_list.hpp>
#include <brook/channel.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/group.hpp>
#include <brook/id.hpp>
#include <brook/message.hpp>
#include <brook/pubsub.hpp>
#include <brook/stream.hpp>
#include <brook/testing/faults.hpp>
#include <brook/testing/recorder.hpp>
#include <brook/testing/shown.hpp>

namespace brook::testing {

/// Whether two values are equal, of whatever types; numbers that are not of one kind (a bool, a character) are not.
template <class A, class B>
[[nodiscard]] constexpr bool equal(const A& a, const B& b) {
  constexpr auto is_letter = []<class T>(const T*) {
    return std::is_same_v<T, bool> || std::is_same_v<T, char> || std::is_same_v<T, wchar_t> ||
           std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;
  };
  if constexpr (std::is_same_v<A, B> || !std::is_arithmetic_v<A> || !std::is_arithmetic_v<B>)
    return static_cast<bool>(a == b);
  else if constexpr (is_letter(static_cast<const A*>(nullptr)) || is_letter(static_cast<const B*>(nullptr)))
    return false;
  else if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) return std::cmp_equal(a, b);
  else return static_cast<double>(a) == static_cast<double>(b);
}

/// Whether what came is a value, or has it in it: an answer, a value, an entry, a delivery, a message, or several of them.
template <class Got, class T>
[[nodiscard]] bool came(const Got& got, const T& value) {
  if constexpr (requires { got.has_value(), *got; }) {
    return got.has_value() && came(*got, value);
  } else if constexpr (requires { static_cast<bool>(got == value); }) {
    return equal(got, value);
  } else if constexpr (requires { got.value; }) {
    return came(got.value, value);
  } else if constexpr (requires { got.values; }) {
    return came(got.values, value);
  } else if constexpr (std::convertible_to<const Got&, std::string_view>) {
    return false;  // a text is not several letters that came
  } else if constexpr (requires { got.begin() != got.end(); }) {
    for (const auto& one : got) {
      if (came(one, value)) return true;
    }
    return false;
  } else if constexpr (requires { got.valueless_by_exception(); }) {
    return std::visit([&](const auto& one) { return came(one, value); }, got);
  } else if constexpr (requires { static_cast<bool>(got), *got; }) {
    return static_cast<bool>(got) && came(*got, value);
  } else if constexpr (requires { *got; }) {
    return came(*got, value);
  } else {
    return false;  // of another type
  }
}

}  // namespace brook::testing

namespace brook::matchers {

/// A test with words for it: `a && b`, `a || b` and `!a` are matchers too.
template <class Test>
class Matcher {
 public:
  /// `test(object)` says whether it matches, and `text` what it is that does.
  Matcher(Test test, std::string text) : test_(std::move(test)), text_(std::move(text)) {}

  /// Whether it does.
  template <class Object>
  [[nodiscard]] bool match(const Object& object) const {
    return test_(object);
  }
  /// The words for it, as Catch2 asks for them.
  [[nodiscard]] std::string toString() const { return text_; }

  template <class Other>
  [[nodiscard]] friend auto operator&&(const Matcher& a, const Matcher<Other>& b) {
    return both(a, b, " and ", [a, b](const auto& object) { return a.match(object) && b.match(object); });
  }
  template <class Other>
  [[nodiscard]] friend auto operator||(const Matcher& a, const Matcher<Other>& b) {
    return both(a, b, " or ", [a, b](const auto& object) { return a.match(object) || b.match(object); });
  }
  /// Matches what this one does not.
  [[nodiscard]] auto operator!() const {
    const auto test = [a = *this](const auto& object) { return !a.match(object); };
    return Matcher<decltype(test)>(test, "not " + text_);
  }

 private:
  template <class Other, class Both>
  static auto both(const Matcher& a, const Matcher<Other>& b, const char* word, Both test) {
    return Matcher<Both>(std::move(test), "( " + a.toString() + word + b.toString() + " )");
  }

  Test test_;
  std::string text_;
};

template <class Test>
[[nodiscard]] auto matcher(Test test, std::string text) {
  return Matcher<Test>(std::move(test), std::move(text));
}

// — of streams, lists, and what was read of them —

/// So many entries, elements, deliveries, messages.
[[nodiscard]] inline auto HasLength(std::uint64_t length) {
  return matcher([length](const auto& object) { return object.size() == length; },
                 "has length " + std::to_string(length));
}
[[nodiscard]] inline auto IsEmpty() {
  return matcher([](const auto& object) { return object.size() == 0; }, "is empty");
}
/// A stream with an entry of this id; or an entry, or a list an element, that equals a value.
[[nodiscard]] inline auto HasEntry(Id id) {
  return matcher([id](const auto& stream) { return !stream.range(id, id).empty(); }, "has entry " + to_string(id));
}
template <std::equality_comparable T>
[[nodiscard]] auto HasEntry(T value) {
  const std::string text = testing::shown(value);
  const auto test = [value = std::move(value)](const auto& object) {
    if constexpr (requires { object.range(); }) {
      const auto entries = object.range();
      return std::any_of(entries.begin(), entries.end(),
                         [&](const auto& entry) { return testing::equal(entry.value, value); });
    } else {
      return object.lpos(value).has_value();
    }
  };
  return matcher(test, "has entry " + text);
}
[[nodiscard]] inline auto HasEntry(const char* text) { return HasEntry(std::string(text)); }
/// Closed: a stream, a list, a channel, a PubSub, a broker.
[[nodiscard]] inline auto IsClosed() {
  return matcher([](const auto& object) { return object.closed(); }, "is closed");
}
/// Nothing is left to do: a group with no lag and nothing pending; a stream all of whose groups are so, or, when it has none,
/// that is empty; an empty list.
[[nodiscard]] inline auto IsDrained() {
  const auto of_group = [](const auto& group) {
    const auto info = group.info();
    return info && info->lag == 0 && info->pending == 0;
  };
  const auto test = [of_group](const auto& object) {
    if constexpr (requires { object.consumer_info(); }) {
      return of_group(object);
    } else if constexpr (requires { object.groups(); }) {
      const auto names = object.groups();
      if (names.empty()) return object.size() == 0;
      return std::all_of(names.begin(), names.end(), [&](const auto& name) {
        const auto group = object.group(name);
        return !group || of_group(*group);
      });
    } else {
      return object.size() == 0;
    }
  };
  return matcher(test, "is drained");
}

// — of groups —

/// So many entries pending, with all, or with this consumer.
[[nodiscard]] inline auto HasPending(std::uint64_t count) {
  const auto test = [count](const auto& group) {
    const auto pending = group.pending();
    return pending && pending->count == count;
  };
  return matcher(test, "has " + std::to_string(count) + " pending");
}
[[nodiscard]] inline auto HasPending(std::uint64_t count, std::string consumer) {
  const std::string text = "has " + std::to_string(count) + " pending with '" + consumer + "'";
  const auto test = [count, consumer = std::move(consumer)](const auto& group) {
    const auto pending = group.pending({.consumer = consumer});
    return pending && pending->size() == count;
  };
  return matcher(test, text);
}
/// So many entries are yet to be delivered.
[[nodiscard]] inline auto HasLag(std::uint64_t lag) {
  const auto test = [lag](const auto& group) {
    const auto info = group.info();
    return info && info->lag == lag;
  };
  return matcher(test, "has lag " + std::to_string(lag));
}

// — of channels and subscriptions —

/// So many subscriptions, to a channel, or to a name of a PubSub.
[[nodiscard]] inline auto HasSubscribers(std::size_t count) {
  return matcher([count](const auto& channel) { return channel.subscriptions() == count; },
                 "has " + testing::counted(count, "subscriber", "subscribers"));
}
[[nodiscard]] inline auto HasSubscribers(std::size_t count, std::string name) {
  const std::string text = "has " + testing::counted(count, "subscriber", "subscribers") + " to '" + name + "'";
  return matcher([count, name = std::move(name)](const auto& pubsub) { return pubsub.num_sub(name) == count; }, text);
}
/// A subscription for which so many messages wait; or that has lost so many, as of the last receive.
[[nodiscard]] inline auto HasWaiting(std::uint64_t count) {
  return matcher([count](const auto& subscription) { return subscription.waiting() == count; },
                 "has " + testing::counted(count, "message", "messages") + " waiting");
}
[[nodiscard]] inline auto HasLost(std::uint64_t count) {
  return matcher([count](const auto& subscription) { return subscription.lost() == count; },
                 "has lost " + testing::counted(count, "message", "messages"));
}

// — of answers —

/// What a receive, a pop, a read, a receive_batch or a select answers, or one of several that came: this value; among others
/// this value.
template <class T>
[[nodiscard]] auto Received(T value) {
  const std::string text = "received " + testing::shown(value);
  return matcher([value = std::move(value)](const auto& got) { return testing::came(got, value); }, text);
}
[[nodiscard]] inline auto Received(const char* text) { return Received(std::string(text)); }
/// An answer with this error.
[[nodiscard]] inline auto FailsWith(Errc error) {
  const auto test = [error](const auto& answer) { return !answer && answer.error() == error; };
  return matcher(test, core::text({"fails: ", message(error)}));
}

// — of probes —

/// A recorder that has records of such operations, or so many of them.
[[nodiscard]] inline auto Saw(Where where) {
  const std::string text = "saw " + testing::Filter(where).text();
  return matcher([where = std::move(where)](const Recorder& recorder) { return recorder.count(where) > 0; }, text);
}
[[nodiscard]] inline auto Saw(std::size_t times, Where where) {
  const std::string text = "saw " + testing::Filter(where).text() + " " + testing::counted(times, "time", "times");
  return matcher([times, where = std::move(where)](const Recorder& recorder) { return recorder.count(where) == times; },
                 text);
}
/// Faults of which each rule has hit something.
[[nodiscard]] inline auto AllHit() {
  return matcher([](const Faults& faults) { return faults.unused().empty(); }, "have all hit something");
}

}  // namespace brook::matchers
