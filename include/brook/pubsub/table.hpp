// table.hpp — all that a PubSub knows: who is interested in what. Subscribing changes it, publishing looks at it.
//
// Locking   A subscription that comes, goes or changes takes the table's lock and then those of all shards, so it does so
//           at one instant with respect to every publish. A publish takes the locks of the shards that its names are on,
//           for as long as it takes to find the feeds and to append to them; it waits for room, wakes and calls without
//           them. Inside of them is the lock of a feed's registry. Values are destroyed without any (core/later.hpp).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/hash_slot.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/shard.hpp>

namespace brook::pubsub {

template <class T>
class Table {
 public:
  using FeedOf = Feed<T>;
  using FeedPtr = std::shared_ptr<FeedOf>;

  explicit Table(const PubSubOptions& given)
      : options_{.clock = given.clock, .spin = given.spin},
        probe_(given.probe),
        care_(given.probe != nullptr ? watched_flag : 0),
        shards_(std::max<std::size_t>(given.shards, 1)) {}

  /// The table's lock and those of all shards.
  class Locked {
   public:
    explicit Locked(Table& table) : table_(table), held_(table.mutex_) {
      for (auto& shard : table_.shards_) shard.mutex.lock();
    }
    ~Locked() {
      for (auto& shard : table_.shards_) shard.mutex.unlock();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

   private:
    const core::Later later_;
    Table& table_;
    const sync::unique_lock<sync::mutex> held_;
  };

  [[nodiscard]] Clock& clock() const noexcept { return clock_or_system(options_.clock); }
  /// The same for handles that may outlive the PubSub: null when it is gone, and its clock perhaps with it.
  [[nodiscard]] Clock* clock_if_there() const noexcept {
    return (care_.load(sync::seq_cst) & gone_flag) != 0 ? nullptr : &clock();
  }
  [[nodiscard]] std::chrono::microseconds spin() const noexcept { return options_.spin; }
  [[nodiscard]] std::size_t shards() const noexcept { return shards_.size(); }
  [[nodiscard]] Shard<T>& shard_of(std::string_view name) noexcept {
    return shards_.size() == 1 ? shards_.front() : shards_[hash_slot(name) % shards_.size()];
  }
  [[nodiscard]] Shard<T>& shard(std::size_t i) noexcept { return shards_[i]; }

  // — with the lock —

  /// The feed of an interest, made if there is none, with one member more. Throws std::bad_alloc, and then nothing has
  /// changed.
  [[nodiscard]] FeedPtr join(const Interest& interest) {
    const auto [at, is_new] = feeds_.try_emplace(interest);
    if (is_new) {
      core::Undo undo([this, made = at] { feeds_.erase(made); });
      at->second = std::make_shared<FeedOf>(options_);
      if (closed()) at->second->state->close();
      connect(at->second, interest);
      undo.keep();
    }
    ++at->second->members;
    return at->second;
  }
  /// One member less. Whether it was the last.
  bool leave(const FeedPtr& feed, const Interest& interest) noexcept {
    if (--feed->members > 0) return false;
    disconnect(*feed, interest);
    const auto at = feeds_.find(interest);
    if (at != feeds_.end() && at->second == feed) feeds_.erase(at);
    return true;
  }
  /// The interest of a feed's only member changes, and the feed's with it. False when there is another feed for it.
  /// Throws std::bad_alloc, and then nothing has changed.
  [[nodiscard]] bool change(const FeedPtr& feed, const Interest& from, const Interest& to) {
    if (feed->members > 1 || feeds_.contains(to)) return false;
    const auto added = feeds_.try_emplace(to, feed).first;
    core::Undo undo([this, added] { feeds_.erase(added); });
    connect(feed, {without(to.names, from.names), without(to.patterns, from.patterns)});
    undo.keep();
    disconnect(*feed, from, &to);
    feeds_.erase(from);
    feed->state->announce_room();  // who waits for room there may have no need of it any more
    return true;
  }
  void close() noexcept {
    care_.fetch_or(closed_flag, sync::seq_cst);
    for (const auto& [interest, feed] : feeds_) feed->state->close();
  }

  // — without —

  [[nodiscard]] bool closed() const noexcept { return (care_.load(sync::seq_cst) & closed_flag) != 0; }
  /// Whether operations are to go by the probe.
  [[nodiscard]] bool watched() const noexcept { return (care_.load(sync::seq_cst) & watched_flag) != 0; }
  /// None of all this.
  [[nodiscard]] bool plain() const noexcept { return care_.load(sync::seq_cst) == 0; }
  Outcome ask(Call call, const Perform& perform) {
    call.kind = ObjectKind::pubsub;
    call.object = this;
    call.clock = &clock();
    return probe_->watch(call, perform);
  }
  /// The PubSub, which is closed, dies: nobody watches its subscriptions any more.
  void let_go() noexcept { care_.store(closed_flag | gone_flag, sync::seq_cst); }

 private:
  static constexpr unsigned char closed_flag = 1;
  static constexpr unsigned char watched_flag = 2;
  static constexpr unsigned char gone_flag = 4;

  [[nodiscard]] static Names without(const Names& names, const Names& others) {
    Names rest;
    for (const Name& name : names) {
      if (!others.contains(name)) rest.insert(name);
    }
    return rest;
  }

  void connect(const FeedPtr& feed, const Interest& interest) {
    core::Undo undo([&] { disconnect(*feed, interest); });
    for (const Name& name : interest.names) shard_of(*name).add_name(name, feed);
    for (auto& shard : shards_) {
      for (const Name& pattern : interest.patterns) shard.add_pattern(*pattern, feed);
    }
    undo.keep();
  }
  // But for what is kept.
  void disconnect(const FeedOf& feed, const Interest& interest, const Interest* kept = nullptr) noexcept {
    for (const Name& name : interest.names) {
      if (kept == nullptr || !kept->names.contains(name)) shard_of(*name).remove_name(name, feed);
    }
    for (const Name& pattern : interest.patterns) {
      if (kept != nullptr && kept->patterns.contains(pattern)) continue;
      for (auto& shard : shards_) shard.remove_pattern(pattern, feed);
    }
  }

  const ChannelOptions options_;
  sync::mutex mutex_;
  std::map<Interest, FeedPtr> feeds_;
  Probe* const probe_;
  sync::atomic<unsigned char> care_;
  std::vector<Shard<T>> shards_;
};

}  // namespace brook::pubsub
