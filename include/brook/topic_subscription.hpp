// topic_subscription.hpp — a subscription to names and patterns of a PubSub (pubsub.hpp).
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/membership.hpp>
#include <brook/pubsub/table.hpp>
#include <brook/subscription.hpp>

namespace brook {

template <class T>
class TopicSubscription;

template <class T>
struct probing::Answer<TopicSubscription<T>> : probing::AnswerOfSubscription<TopicSubscription<T>> {};

namespace pubsub {

/// Names that are known only when the program runs: a range of strings.
template <class Range>
concept RangeOfNames = std::ranges::input_range<const Range> &&
    std::convertible_to<std::ranges::range_reference_t<const Range>, std::string_view> &&
    !std::convertible_to<const Range&, std::string_view>;

[[nodiscard]] inline std::span<const std::string_view> listed(std::initializer_list<std::string_view> names) noexcept {
  return {names.begin(), names.size()};
}
template <RangeOfNames Range>
[[nodiscard]] std::vector<std::string_view> listed(const Range& names) {
  std::vector<std::string_view> list;
  for (const std::string_view name : names) list.push_back(name);
  return list;
}

/// What a subscription to a PubSub is made of.
template <class T>
struct Source {
  using Payload = typename Feed<T>::Payload;
  using Membership = pubsub::Membership<T>;

  [[nodiscard]] static Message<T> show(const Post<T>& post, std::uint64_t lost = 0) noexcept {
    return {post.parcel, *post.channel, post.pattern, lost};
  }
  using Messages = BasicMessages<Payload, Source>;

  template <class Hold>
  [[nodiscard]] static Message<T> message(const Hold& hold, std::uint32_t slot, std::uint64_t lost) noexcept {
    return show(hold->slot(slot).payload(), lost);
  }
};

}  // namespace pubsub

/// A subscription to names and patterns of a PubSub, which may be added and removed while it runs, from any thread.
/// Each of the changes takes effect at one instant with respect to every publish; what was published before is received
/// all the same. A batch may end where there was a change, though more waits.
template <class T>
class TopicSubscription : public BasicSubscription<T, pubsub::Source<T>> {
 public:
  using BasicSubscription<T, pubsub::Source<T>>::BasicSubscription;
  using BasicSubscription<T, pubsub::Source<T>>::unsubscribe;

  /// Adds names, or patterns (SUBSCRIBE, PSUBSCRIBE). What is there already stays as it is. Errors: closed when the
  /// subscription or the PubSub has ended; invalid_argument when it shares. O(n) of all its names.
  expected<void, Errc> subscribe(std::initializer_list<std::string_view> names) {
    return change(pubsub::listed(names), &pubsub::Interest::names, &add);
  }
  expected<void, Errc> psubscribe(std::initializer_list<std::string_view> patterns) {
    return change(pubsub::listed(patterns), &pubsub::Interest::patterns, &add);
  }
  template <pubsub::RangeOfNames Names>
  expected<void, Errc> subscribe(const Names& names) {
    return change(pubsub::listed(names), &pubsub::Interest::names, &add);
  }
  template <pubsub::RangeOfNames Patterns>
  expected<void, Errc> psubscribe(const Patterns& patterns) {
    return change(pubsub::listed(patterns), &pubsub::Interest::patterns, &add);
  }
  expected<void, Errc> subscribe(std::string_view name) { return subscribe({name}); }
  expected<void, Errc> psubscribe(std::string_view pattern) { return psubscribe({pattern}); }

  /// Removes names, or patterns, all at one instant (UNSUBSCRIBE, PUNSUBSCRIBE); one that is not there is no error. A
  /// subscription with neither is still there, and gets nothing. Errors as above.
  expected<void, Errc> unsubscribe(std::initializer_list<std::string_view> names) {
    return change(pubsub::listed(names), &pubsub::Interest::names, &remove);
  }
  expected<void, Errc> punsubscribe(std::initializer_list<std::string_view> patterns) {
    return change(pubsub::listed(patterns), &pubsub::Interest::patterns, &remove);
  }
  template <pubsub::RangeOfNames Names>
  expected<void, Errc> unsubscribe(const Names& names) {
    return change(pubsub::listed(names), &pubsub::Interest::names, &remove);
  }
  template <pubsub::RangeOfNames Patterns>
  expected<void, Errc> punsubscribe(const Patterns& patterns) {
    return change(pubsub::listed(patterns), &pubsub::Interest::patterns, &remove);
  }
  expected<void, Errc> unsubscribe(std::string_view name) { return unsubscribe({name}); }
  expected<void, Errc> punsubscribe(std::string_view pattern) { return punsubscribe({pattern}); }

 private:
  expected<void, Errc> change(std::span<const std::string_view> topics, pubsub::Names pubsub::Interest::*which,
                              void (*edit)(pubsub::Names&, std::span<const std::string_view>)) {
    pubsub::Membership<T>* const membership = this->any();
    if (membership == nullptr) return unexpected(Errc::closed);
    const Call call{.operation = Operation::subscribe, .topics = topics};
    return probing::perform(*membership, call, [&](const Manner& manner) -> expected<void, Errc> {
      probing::begin(manner);
      const auto failed = membership->change([&](pubsub::Interest& interest) { edit(interest.*which, topics); });
      if (failed) return unexpected(*failed);
      return {};
    });
  }
  static void add(pubsub::Names& names, std::span<const std::string_view> more) {
    for (const std::string_view name : more) {
      if (!names.contains(name)) names.insert(std::make_shared<const std::string>(name));
    }
  }
  static void remove(pubsub::Names& names, std::span<const std::string_view> fewer) {
    for (const std::string_view name : fewer) {
      if (const auto at = names.find(name); at != names.end()) names.erase(at);
    }
  }
};

}  // namespace brook
