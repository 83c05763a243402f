// pubsub.hpp — publish and subscribe by name: many topics, and patterns of names.
//
//   brook::PubSub<std::string> news;
//   auto sports = news.subscribe({"news.sport", "alerts"}, {.patterns = {"news.b*"}});
//   news.publish("news.sport", "1:0");
//   if (auto message = sports.receive(1s)) std::cout << message->channel() << ": " << **message << '\n';
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/channel/callback.hpp>
#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/glob.hpp>
#include <brook/pubsub/membership.hpp>
#include <brook/pubsub/publishing.hpp>
#include <brook/pubsub/table.hpp>
#include <brook/subscription.hpp>
#include <brook/topic_subscription.hpp>
#include <brook/wait.hpp>

namespace brook {

/// Many channels by name, which come with their first use and go with their last. A message is stored once, however
/// many subscriptions it matches; one that is subscribed to its name and to two patterns that match it gets it three
/// times, by name first, as in Redis. There is no history.
///
/// Order: each subscription gets the messages of each channel in the order in which they were published; and if one
/// publish returned before another one began, nobody gets the second before the first, across channels and patterns.
///
/// Thread-safety: any member may be called at any time from any thread, but for the destructor. A publish takes the
/// lock of the part that its name is on (PubSubOptions::shards) for as long as it takes to find who is interested and
/// to append; receiving takes none. Subscribing takes all of them. Exceptions: std::bad_alloc, and what T's
/// constructors throw. Nothing has changed then, but for a publish to several subscriptions, which some may have got.
template <class T>
class PubSub {
 public:
  PubSub() : PubSub(PubSubOptions{}) {}
  explicit PubSub(const PubSubOptions& options) : table_(std::make_shared<pubsub::Table<T>>(options)) {}

  /// Closes it. Precondition: no call of its own is running. Subscriptions and messages may live on.
  ~PubSub() {
    close_now();
    table_->let_go();
  }

  PubSub(const PubSub&) = delete;
  PubSub& operator=(const PubSub&) = delete;

  // — publishing —

  /// Publishes to a name; how many deliveries that makes (PUBLISH): one for each subscription and way in which it
  /// matches. 0 when it is closed. Where a subscription makes publishers wait, it waits for room. O(patterns), and O(1)
  /// for each set of names and patterns that somebody is subscribed to and that matches, however many are.
  std::size_t publish(std::string_view name, const T& value) requires std::copy_constructible<T> {
    return publish_copy({&name, 1}, value, forever).value_or(0);
  }
  std::size_t publish(std::string_view name, T&& value) {
    return publish_to({&name, 1}, std::move(value), forever).value_or(0);
  }
  /// The same, waiting for room no longer than `wait` says. Errors: full when it does not wait; timed_out; cancelled;
  /// closed. A value that was to be moved in, of a type that moves without throwing, is then unchanged; so it is when
  /// std::bad_alloc is thrown before anybody got it.
  expected<std::size_t, Errc> publish(std::string_view name, const T& value,
                                      const Wait& wait) requires std::copy_constructible<T> {
    return publish_copy({&name, 1}, value, wait);
  }
  expected<std::size_t, Errc> publish(std::string_view name, T&& value, const Wait& wait) {
    return publish_to({&name, 1}, std::move(value), wait);
  }
  /// Publishes to several names at once: each subscription gets all that it matches, in the order of the names, at one
  /// instant.
  std::size_t publish(std::initializer_list<std::string_view> names,
                      const T& value) requires std::copy_constructible<T> {
    return publish_copy(pubsub::listed(names), value, forever).value_or(0);
  }
  std::size_t publish(std::initializer_list<std::string_view> names, T&& value) {
    return publish_to(pubsub::listed(names), std::move(value), forever).value_or(0);
  }
  expected<std::size_t, Errc> publish(std::initializer_list<std::string_view> names, const T& value,
                                      const Wait& wait) requires std::copy_constructible<T> {
    return publish_copy(pubsub::listed(names), value, wait);
  }
  expected<std::size_t, Errc> publish(std::initializer_list<std::string_view> names, T&& value, const Wait& wait) {
    return publish_to(pubsub::listed(names), std::move(value), wait);
  }
  template <pubsub::RangeOfNames Names>
  std::size_t publish(const Names& names, const T& value) requires std::copy_constructible<T> {
    return publish_copy(pubsub::listed(names), value, forever).value_or(0);
  }
  template <pubsub::RangeOfNames Names>
  std::size_t publish(const Names& names, T&& value) {
    return publish_to(pubsub::listed(names), std::move(value), forever).value_or(0);
  }
  template <pubsub::RangeOfNames Names>
  expected<std::size_t, Errc> publish(const Names& names, const T& value,
                                      const Wait& wait) requires std::copy_constructible<T> {
    return publish_copy(pubsub::listed(names), value, wait);
  }
  template <pubsub::RangeOfNames Names>
  expected<std::size_t, Errc> publish(const Names& names, T&& value, const Wait& wait) {
    return publish_to(pubsub::listed(names), std::move(value), wait);
  }

  // — subscribing —

  /// Subscribes to names, and to patterns that `options` tells (SUBSCRIBE, PSUBSCRIBE).
  [[nodiscard]] TopicSubscription<T> subscribe(std::initializer_list<std::string_view> names,
                                               const TopicOptions& options = {}) {
    return subscribe_all(interest(names, options.patterns), options);
  }
  template <pubsub::RangeOfNames Names>
  [[nodiscard]] TopicSubscription<T> subscribe(const Names& names, const TopicOptions& options = {}) {
    return subscribe_all(interest(names, options.patterns), options);
  }
  [[nodiscard]] TopicSubscription<T> subscribe(std::string_view name, const TopicOptions& options = {}) {
    return subscribe({name}, options);
  }
  /// Subscribes to a pattern, or to several that `options` tells.
  [[nodiscard]] TopicSubscription<T> psubscribe(std::string_view pattern, TopicOptions options = {}) {
    options.patterns.emplace_back(pattern);
    return subscribe({}, options);
  }

  /// Subscribes a function, as Channel does. Throws std::system_error too when it is to have a thread of its own, and that
  /// cannot be started; there is no subscription then.
  template <MessageCallback<T> F>
  [[nodiscard]] CallbackSubscription subscribe(std::initializer_list<std::string_view> names, F function,
                                               const std::vector<std::string>& patterns = {},
                                               const CallbackOptions& options = {}) {
    return subscribe_function(pubsub::listed(names), std::move(function), patterns, options);
  }
  template <pubsub::RangeOfNames Names, MessageCallback<T> F>
  [[nodiscard]] CallbackSubscription subscribe(const Names& names, F function,
                                               const std::vector<std::string>& patterns = {},
                                               const CallbackOptions& options = {}) {
    return subscribe_function(pubsub::listed(names), std::move(function), patterns, options);
  }
  template <MessageCallback<T> F>
  [[nodiscard]] CallbackSubscription subscribe(std::string_view name, F function,
                                               const std::vector<std::string>& patterns = {},
                                               const CallbackOptions& options = {}) {
    return subscribe_function({&name, 1}, std::move(function), patterns, options);
  }
  template <MessageCallback<T> F>
  [[nodiscard]] CallbackSubscription psubscribe(std::string_view pattern, F function,
                                                const CallbackOptions& options = {}) {
    return subscribe_function({}, std::move(function), {std::string(pattern)}, options);
  }

  // — telling —

  /// Names that somebody is subscribed to, not by pattern, and that match, or all; in byte order (PUBSUB CHANNELS). All are more
  /// than those that match `*`, if the empty name is one. O(names).
  [[nodiscard]] std::vector<std::string> channels(std::optional<std::string_view> pattern = std::nullopt) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < table_->shards(); ++i) {
      const sync::unique_lock<sync::mutex> held(table_->shard(i).mutex);
      table_->shard(i).each_name([&](const auto& route) {
        const bool wanted = !pattern || pubsub::matches(*pattern, *route.name);
        if (wanted && route.subscriptions() > 0) names.push_back(*route.name);
      });
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  /// Subscriptions to a name, not by pattern; those that share count as one (PUBSUB NUMSUB).
  [[nodiscard]] std::size_t num_sub(std::string_view name) const {
    auto& shard = table_->shard_of(name);
    const sync::unique_lock<sync::mutex> held(shard.mutex);
    const auto* const route = shard.find(name);
    return route == nullptr ? 0 : route->subscriptions();
  }
  /// Different patterns that somebody is subscribed to (PUBSUB NUMPAT).
  [[nodiscard]] std::size_t num_pat() const {
    const sync::unique_lock<sync::mutex> held(table_->shard(0).mutex);
    return table_->shard(0).patterns();
  }

  /// From now on nothing is published, and every call that waits wakes; what has been published can still be received.
  /// Takes effect at one instant. May be called again.
  void close() {
    probing::close(*table_, [this] { close_now(); });
  }
  [[nodiscard]] bool closed() const noexcept { return table_->closed(); }

 private:
  friend const void* probed_as(const PubSub& pubsub) noexcept { return pubsub.table_.get(); }
  friend const std::shared_ptr<pubsub::Table<T>>& shared_state_of(const PubSub& pubsub) noexcept {
    return pubsub.table_;
  }

  void close_now() {
    const typename pubsub::Table<T>::Locked locked(*table_);
    table_->close();
  }

  template <class Names, class Patterns>
  [[nodiscard]] static pubsub::Interest interest(const Names& names, const Patterns& patterns) {
    pubsub::Interest interest;
    for (const std::string_view name : names) interest.names.insert(std::make_shared<const std::string>(name));
    for (const std::string_view text : patterns) interest.patterns.insert(std::make_shared<const std::string>(text));
    return interest;
  }

  template <class F>
  [[nodiscard]] CallbackSubscription subscribe_function(std::span<const std::string_view> names, F function,
                                                        const std::vector<std::string>& patterns,
                                                        const CallbackOptions& options) {
    const Call call{.operation = Operation::subscribe, .topics = names};
    return probing::perform(*table_, call, [&](const Manner& manner) {
      probing::begin(manner);
      return CallbackSubscription(channel::start_calling<T, pubsub::Source<T>>(std::move(function), options, table_,
                                                                               interest(names, patterns)));
    });
  }
  [[nodiscard]] TopicSubscription<T> subscribe_all(pubsub::Interest interest, const TopicOptions& options) {
    std::vector<std::string_view> topics;
    if (table_->watched()) {
      for (const auto& name : interest.names) topics.push_back(*name);
      for (const auto& pattern : interest.patterns) topics.push_back(*pattern);
    }
    const SubscribeOptions how{.backlog = options.backlog, .overflow = options.overflow, .share = options.share};
    const Call call{.operation = Operation::subscribe, .topics = topics};
    return probing::perform(*table_, call, [&](const Manner& manner) {
      probing::begin(manner);
      return TopicSubscription<T>(std::make_shared<pubsub::Membership<T>>(table_, std::move(interest), how),
                                  table_->watched());
    });
  }

  using Given = std::span<const std::string_view>;

  // Moves a value back that nobody got.
  struct GiveBack {
    T& value;
    T& moved;
    const std::optional<pubsub::Publishing<T>>& publishing;

    ~GiveBack() {
      if constexpr (std::is_nothrow_move_constructible_v<T>) {
        if (publishing && publishing->reached()) return;
        std::destroy_at(std::addressof(value));
        std::construct_at(std::addressof(value), std::move(moved));
      }
    }
  };

  [[nodiscard]] expected<std::size_t, Errc> publish_copy(Given names, const T& value, const Wait& wait) {
    if (!table_->plain()) [[unlikely]]
      return publish_with_care(names, value, wait);
    if (deserted(names)) return 0;
    T copy(value);
    return send(names, std::move(copy), wait);
  }
  [[nodiscard]] expected<std::size_t, Errc> publish_to(Given names, T&& value, const Wait& wait) {
    if (!table_->plain()) [[unlikely]]
      return publish_with_care(names, std::move(value), wait);
    if (deserted(names)) return 0;
    return send(names, std::move(value), wait);
  }
  // To one that is watched, or closed. `Value` is T&&, or const T&.
  template <class Value>
  [[nodiscard, gnu::noinline, gnu::cold]] expected<std::size_t, Errc> publish_with_care(Given names, Value&& value,
                                                                                        const Wait& wait) {
    const Call call{.operation = Operation::publish,
                    .topics = names,
                    .size = 1,
                    .values = GivenValues::of_one(value),
                    .wait = &wait};
    const auto run = [&](const Manner& manner) -> expected<std::size_t, Errc> {
      probing::begin(manner);
      if (closed()) return unexpected(Errc::closed);
      if (deserted(names)) return 0;
      const Wait& how = manner.wait != nullptr ? *manner.wait : wait;
      if constexpr (std::is_lvalue_reference_v<Value>) return send(names, T(value), how);
      else return send(names, std::forward<Value>(value), how);
    };
    if (!table_->watched()) return run(Manner());
    return probing::watched<expected<std::size_t, Errc>>(*table_, call, run, [&]() -> expected<std::size_t, Errc> {
      if (closed()) return unexpected(Errc::closed);
      return deliveries(names);
    });
  }
  // How many deliveries a publish would make now.
  [[nodiscard]] std::size_t deliveries(Given names) const {
    std::size_t all = 0;
    for (const std::string_view name : names) {
      auto& shard = table_->shard_of(name);
      const sync::unique_lock<sync::mutex> held(shard.mutex);
      shard.each_match(name, [&](const auto& feed, const auto&) { all += feed->state->registry.audience().size(); });
    }
    return all;
  }
  [[nodiscard]] expected<std::size_t, Errc> send(Given names, T&& value, const Wait& wait) {
    std::vector<std::string> copies(names.begin(), names.end());
    T& origin = value;
    const auto parcel = std::make_shared<channel::Parcel<T>>(std::move(value), std::move(copies));
    std::optional<pubsub::Publishing<T>> publishing;
    const GiveBack back{origin, parcel->value, publishing};
    publishing.emplace(*table_, parcel);
    return publishing->publish(wait);
  }
  // Whether nobody is subscribed to any of them.
  [[nodiscard]] bool deserted(Given names) const {
    return std::all_of(names.begin(), names.end(),
                       [this](std::string_view name) { return table_->shard_of(name).deserted(); });
  }

  std::shared_ptr<pubsub::Table<T>> table_;
};

}  // namespace brook

#include <brook/pubsub/into.hpp>
