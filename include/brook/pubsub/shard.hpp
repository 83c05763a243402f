// shard.hpp — which feeds a message goes to that is published to a name: the name's, and those of patterns it matches.
//
// Memory orders
//   row  thread     operation  order    meets  because
//   PA   anyone     routes_    relaxed  -      a number. Who subscribed before a publish began did so by an order of the
//                                              program's own making; who publishes meanwhile need not see it
// Proof    tests/contract/pubsub_histories_test.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/glob.hpp>

namespace brook::pubsub {

/// The feeds of one name or pattern.
template <class T>
struct Route {
  Name name;
  std::vector<std::shared_ptr<Feed<T>>> feeds;

  /// Subscriptions, those that share counted as one.
  [[nodiscard]] std::size_t subscriptions() const noexcept {
    std::size_t all = 0;
    for (const auto& feed : feeds) all += feed->state->registry.audience().size();
    return all;
  }
};

template <class T>
class alignas(core::cache_line) Shard {
 public:
  using FeedOf = Feed<T>;

  sync::mutex mutex;  // guards all of it, and is held while a message is appended to the feeds

  /// Whether a publish can go nowhere. Without the lock: as of an instant.
  [[nodiscard]] bool deserted() const noexcept { return routes_.load(sync::relaxed) == 0; }  // PA

  // — with the lock —

  /// Adds, throws std::bad_alloc, and then nothing has changed.
  void add_name(const Name& name, const std::shared_ptr<FeedOf>& feed) {
    const auto at = names_.try_emplace(*name, Route<T>{name, {}}).first;
    core::Undo undo([&] {
      if (at->second.feeds.empty()) names_.erase(at);
    });
    at->second.feeds.push_back(feed);
    undo.keep();
    count();
  }
  void add_pattern(const std::string& pattern, const std::shared_ptr<FeedOf>& feed) {
    auto at = find_pattern(pattern);
    // Its own: messages count references to it, and shards are to have no cache line in common.
    if (at == patterns_.end()) at = patterns_.insert(at, Route<T>{std::make_shared<const std::string>(pattern), {}});
    core::Undo undo([&] {
      if (at->feeds.empty()) patterns_.erase(at);
    });
    at->feeds.push_back(feed);
    undo.keep();
    count();
  }
  /// Does nothing when it is not there.
  void remove_name(const Name& name, const FeedOf& feed) noexcept {
    const auto at = names_.find(*name);
    if (at != names_.end() && remove(at->second, feed)) names_.erase(at);
    count();
  }
  void remove_pattern(const Name& pattern, const FeedOf& feed) noexcept {
    const auto at = find_pattern(*pattern);
    if (at != patterns_.end() && remove(*at, feed)) patterns_.erase(at);
    count();
  }

  /// Calls `use(feed, pattern)` for each match of a name: first the name's own, without a pattern, then by pattern.
  template <class Use>
  void each_match(std::string_view name, Use&& use) const {
    if (const auto at = names_.find(name); at != names_.end()) {
      for (const auto& feed : at->second.feeds) use(feed, Name());
    }
    for (const Route<T>& route : patterns_) {
      if (!matches(*route.name, name)) continue;
      for (const auto& feed : route.feeds) use(feed, route.name);
    }
  }

  [[nodiscard]] const Route<T>* find(std::string_view name) const noexcept {
    const auto at = names_.find(name);
    return at == names_.end() ? nullptr : &at->second;
  }
  template <class Use>
  void each_name(Use&& use) const {
    for (const auto& [name, route] : names_) use(route);
  }
  /// Patterns with subscriptions: those of one that was too slow may still be there.
  [[nodiscard]] std::size_t patterns() const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(patterns_, [](const auto& route) { return route.subscriptions() > 0; }));
  }

 private:
  using Patterns = std::vector<Route<T>>;

  [[nodiscard]] typename Patterns::iterator find_pattern(std::string_view pattern) noexcept {
    return std::find_if(patterns_.begin(), patterns_.end(), [&](const auto& route) { return *route.name == pattern; });
  }

  // Whether nothing is left of the route.
  [[nodiscard]] bool remove(Route<T>& route, const FeedOf& feed) noexcept {
    std::erase_if(route.feeds, [&](const auto& there) { return there.get() == &feed; });
    return route.feeds.empty();
  }
  void count() noexcept {
    routes_.store(names_.size() + patterns_.size(), sync::relaxed);  // PA
  }

  std::unordered_map<std::string_view, Route<T>> names_;  // keys are the routes' names
  Patterns patterns_;                                     // in the order in which they were first subscribed to
  sync::atomic<std::size_t> routes_{0};
};

}  // namespace brook::pubsub
