// feed.hpp — what goes to all who are interested in the same names and patterns: a channel of references to messages.
//
// Subscriptions with equal interests share a feed, so that publishing to many of them costs what publishing to one
// costs; and since all that a subscription is interested in comes by one log, it comes in one order, that of
// publishing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <brook/channel/state.hpp>
#include <brook/log/payload.hpp>
#include <brook/message.hpp>
#include <brook/options.hpp>

namespace brook::pubsub {

/// A message as one subscription gets it: published to which name, and matched by which pattern, if it was one.
template <class T>
struct Post {
  std::shared_ptr<const channel::Parcel<T>> parcel;
  const std::string* channel;  // one of the parcel's
  std::shared_ptr<const std::string> pattern;
};

/// A name or a pattern, kept by all who mention it.
using Name = std::shared_ptr<const std::string>;

/// In the order of their bytes.
struct ByBytes {
  using is_transparent = void;

  template <class A, class B>
  [[nodiscard]] bool operator()(const A& a, const B& b) const noexcept {
    return text(a) < text(b);
  }

 private:
  [[nodiscard]] static std::string_view text(const Name& name) noexcept { return *name; }
  [[nodiscard]] static std::string_view text(std::string_view name) noexcept { return name; }
};

using Names = std::set<Name, ByBytes>;

/// What a subscription is interested in.
struct Interest {
  Names names;
  Names patterns;

  friend bool operator<(const Interest& a, const Interest& b) noexcept {
    if (before(a.names, b.names) || before(b.names, a.names)) return before(a.names, b.names);
    return before(a.patterns, b.patterns);
  }

 private:
  [[nodiscard]] static bool before(const Names& a, const Names& b) noexcept {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), ByBytes());
  }
};

template <class T>
struct Feed {
  using Payload = log::PayloadOf<Post<T>>;
  using State = channel::State<Payload>;

  explicit Feed(const ChannelOptions& options) : state(std::make_shared<State>(options)) {}

  const std::shared_ptr<State> state;
  std::size_t members = 0;  // with the table's locks
};

}  // namespace brook::pubsub

// Who keeps a reference keeps the value, so that counts too.
template <class T>
inline constexpr std::size_t brook::log::bytes_elsewhere<brook::pubsub::Post<T>> = sizeof(T);
