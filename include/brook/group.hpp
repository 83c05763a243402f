// group.hpp — consumer groups: each group sees every entry, and within a group each entry goes to one consumer.
//
//   auto billing = orders.create_group("billing", brook::earliest);
//   auto worker = billing->consumer("worker-1");
//   while (auto batch = worker.read({.count = 64, .block = 1s}))   // ends when the stream is closed and read to its end
//     for (auto& order : *batch) { charge(*order); order.ack(); }
#pragma once

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
#include <utility>
#include <vector>

#include <brook/delivery.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/stream/acknowledge.hpp>
#include <brook/stream/group_state.hpp>
#include <brook/stream/state.hpp>
#include <brook/wait/await.hpp>

namespace brook {

template <class T>
class Stream;

/// Options of a group, fixed for its life. There are none yet.
struct GroupOptions {};

/// What XPENDING tells of a group as a whole.
struct PendingSummary {
  struct OfConsumer {
    std::string name{};
    std::uint64_t count = 0;
  };
  std::uint64_t count = 0;              ///< entries delivered and not acknowledged
  Id first{};                           ///< the smallest of their ids; 0-0 when there is none
  Id last{};                            ///< the largest
  std::vector<OfConsumer> consumers{};  ///< those that have any, in byte order
};

/// What XINFO GROUPS tells of a group.
struct GroupInfo {
  std::string name{};
  std::size_t consumers = 0;
  std::uint64_t pending = 0;  ///< entries delivered and not acknowledged
  Id last_delivered_id{};     ///< new entries are those above it
  std::uint64_t lag = 0;      ///< entries not yet delivered; exact, also after deletions
};

template <class T>
class Consumer;

/// A consumer group of a stream. A cheap handle: copies mean the same group. It may outlive the stream, and then answers
/// Errc::closed. Thread-safe. Operations of one group take turns on its mutex; groups do not disturb each other, and
/// none of it ever delays an add.
template <class T>
class Group {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return group_->name; }

  /// The consumer of this name, created on first use (XGROUP CREATECONSUMER).
  [[nodiscard]] Consumer<T> consumer(std::string_view name) const {
    const sync::unique_lock held(group_->mutex);
    auto found = group_->consumers.find(name);
    if (found == group_->consumers.end()) found = group_->consumers.emplace(name, stream::ConsumerState{}).first;
    return Consumer<T>(stream_, group_, *found);
  }

  /// Names of the consumers, in byte order.
  [[nodiscard]] std::vector<std::string> consumers() const {
    const sync::unique_lock held(group_->mutex);
    std::vector<std::string> names;
    for (const auto& consumer : group_->consumers) names.push_back(consumer.first);
    return names;
  }

  /// Acknowledges entries (XACK); how many of them were pending. An id that is not pending is ignored.
  std::size_t ack(std::span<const Id> ids) const { return stream::acknowledge(*group_, ids); }
  std::size_t ack(std::initializer_list<Id> ids) const { return ack(std::span(ids.begin(), ids.size())); }
  std::size_t ack(Id id) const { return ack({id}); }

  [[nodiscard]] expected<PendingSummary, Errc> pending() const;

  /// Moves the group: it will deliver what follows `position` next (XGROUP SETID). Back redelivers. Entries that are
  /// pending then move to whoever reads them, and their count starts again. Errors: closed, no_such_group.
  expected<void, Errc> set_id(Position position) const {
    const Id last = stream_->timeline.look().end.last_id();
    const sync::unique_lock held(group_->mutex);
    if (const auto failed = refusal()) return unexpected(*failed);
    group_->last_delivered = position.after(last);
    group_->wake_first();
    return {};
  }

  /// Ends the group with all that is pending in it; blocked consumers answer no_such_group (XGROUP DESTROY). How many
  /// entries were pending. Errors: closed, no_such_group.
  expected<std::size_t, Errc> destroy() const;

  /// Errors: closed, no_such_group. O(lag).
  [[nodiscard]] expected<GroupInfo, Errc> info() const;

 private:
  friend class Stream<T>;

  using StreamState = stream::State<T>;
  using GroupState = stream::GroupState<T>;

  Group(std::shared_ptr<StreamState> stream, std::shared_ptr<GroupState> group) noexcept
      : stream_(std::move(stream)), group_(std::move(group)) {}

  static expected<Group, Errc> create(const std::shared_ptr<StreamState>& stream, std::string_view name, Position start,
                                      const GroupOptions&) {
    const auto end = stream->timeline.look().end;
    if (end.sealed) return unexpected(Errc::closed);
    auto group = std::make_shared<GroupState>(name, start.after(end.last_id()));
    const sync::unique_lock held(stream->groups_mutex);
    if (!stream->groups.emplace(name, group).second) return unexpected(Errc::group_exists);
    return Group(stream, std::move(group));
  }

  static expected<Group, Errc> find(const std::shared_ptr<StreamState>& stream, std::string_view name) {
    const sync::unique_lock held(stream->groups_mutex);
    const auto found = stream->groups.find(name);
    if (found == stream->groups.end()) return unexpected(Errc::no_such_group);
    return Group(stream, found->second);
  }

  // The caller holds the group's mutex.
  [[nodiscard]] std::optional<Errc> refusal() const noexcept { return stream::refusal(*stream_, *group_); }

  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<GroupState> group_;
};

/// One consumer of a group, by its name; several threads may share it. A cheap handle like Group.
template <class T>
class Consumer {
 public:
  [[nodiscard]] const std::string& name() const noexcept { return consumer_->first; }

  /// New entries of the group, which become pending with this consumer until acknowledged (XREADGROUP >). When there are
  /// none it waits as `options.block` says, and answers with an empty batch when the time is up. Blocked consumers of a
  /// group are served in the order in which they blocked, each with up to its count, and an entry wakes one of them.
  /// Errors: closed when the stream is closed and all was delivered; cancelled; no_such_group when it was destroyed.
  [[nodiscard]] expected<Deliveries<T>, Errc> read(const ReadOptions& options = {}) const;

  /// Entries with ids above `after` that are pending with this consumer, at most `count`, oldest first (XREADGROUP with
  /// an id): what a consumer that was restarted begins with. Does not wait. Counts as a delivery. Entries that were
  /// removed from the stream meanwhile are left out; they stay pending. Errors: closed, no_such_group.
  [[nodiscard]] expected<Deliveries<T>, Errc> history(Id after = Id::min(), std::size_t count = no_limit) const;

 private:
  friend class Group<T>;

  using StreamState = stream::State<T>;
  using GroupState = stream::GroupState<T>;
  using Identity = typename GroupState::Consumers::value_type;

  Consumer(std::shared_ptr<StreamState> stream, std::shared_ptr<GroupState> group, Identity& consumer) noexcept
      : stream_(std::move(stream)), group_(std::move(group)), consumer_(&consumer) {}

  [[nodiscard]] expected<Entries<T>, Errc> take_or_wait(const ReadOptions& options) const;
  [[nodiscard]] expected<Entries<T>, Errc> wait_in_line(const ReadOptions& options, const Wait& wait,
                                                        Clock::time_point deadline) const;

  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<GroupState> group_;
  Identity* consumer_;  // consumers live as long as their group's state
};

template <class T>
expected<PendingSummary, Errc> Group<T>::pending() const {
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = refusal()) return unexpected(*failed);
  PendingSummary summary{.count = group_->pending.size()};
  if (summary.count == 0) return summary;
  summary.first = group_->pending.begin()->first;
  summary.last = group_->pending.rbegin()->first;
  for (const auto& [name, consumer] : group_->consumers) {
    if (consumer.pending > 0) summary.consumers.push_back({name, consumer.pending});
  }
  return summary;
}

template <class T>
expected<std::size_t, Errc> Group<T>::destroy() const {
  {
    const sync::unique_lock held(stream_->groups_mutex);
    const auto found = stream_->groups.find(name());
    if (found != stream_->groups.end() && found->second == group_) stream_->groups.erase(found);
  }
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = refusal()) return unexpected(*failed);
  group_->destroyed = true;
  const std::size_t pending = group_->pending.size();
  group_->pending.clear();
  for (auto& consumer : group_->consumers) consumer.second.pending = 0;
  group_->serve(*stream_);
  return pending;
}

template <class T>
expected<GroupInfo, Errc> Group<T>::info() const {
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = refusal()) return unexpected(*failed);
  return GroupInfo{.name = name(),
                   .consumers = group_->consumers.size(),
                   .pending = group_->pending.size(),
                   .last_delivered_id = group_->last_delivered,
                   .lag = stream_->count_after(group_->last_delivered)};
}

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::read(const ReadOptions& options) const {
  expected<Entries<T>, Errc> entries = take_or_wait(options);
  if (!entries) return unexpected(entries.error());
  return Deliveries<T>(group_, *std::move(entries));
}

template <class T>
expected<Entries<T>, Errc> Consumer<T>::take_or_wait(const ReadOptions& options) const {
  if (stream_->gone.load(sync::seq_cst)) return unexpected(Errc::closed);  // and its clock perhaps with it
  const Wait wait = options.wait();
  Clock& clock = stream_->clock();
  const Clock::time_point deadline = wait.deadline(clock);
  for (bool spun = false;; spun = true) {
    sync::unique_lock held(group_->mutex);
    if (const auto failed = stream::refusal(*stream_, *group_)) return unexpected(*failed);
    group_->serve(*stream_);
    auto view = stream_->timeline.look();
    Entries<T> entries = group_->take(*stream_, view, *consumer_, options);
    if (!entries.empty() || options.count == 0) return entries;
    held.unlock();
    if (view.end.sealed) return unexpected(Errc::closed);
    if (wait.stop_requested()) return unexpected(Errc::cancelled);
    if (deadline == Clock::time_point::min() || deadline <= clock.now()) return Entries<T>();
    const auto moved = [&view] { return view.end.moved(); };
    if (spun || !wait::spin(stream_->options.spin, moved)) return wait_in_line(options, wait, deadline);
  }
}

template <class T>
expected<Entries<T>, Errc> Consumer<T>::wait_in_line(const ReadOptions& options, const Wait& wait,
                                                     Clock::time_point deadline) const {
  wait::Sleeper sleeper(stream_->clock(), deadline, wait);
  typename GroupState::Waiter waiter(sleeper, *consumer_, options);
  sync::unique_lock held(group_->mutex);
  if (const auto failed = stream::refusal(*stream_, *group_)) return unexpected(*failed);
  const typename GroupState::Place place(*stream_, *group_, waiter);
  for (group_->serve(*stream_); !waiter.served; group_->serve(*stream_)) {
    held.unlock();
    const bool woken = sleeper.sleep();
    held.lock();
    if (waiter.served || (woken && !wait.stop_requested())) continue;
    group_->serve(*stream_);  // what is there wins over a deadline or a stop request
    if (waiter.served) break;
    if (woken) return unexpected(Errc::cancelled);
    return Entries<T>();
  }
  return std::move(waiter.result);
}

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::history(Id after, std::size_t count) const {
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = stream::refusal(*stream_, *group_)) return unexpected(*failed);
  typename Entries<T>::Runs runs;
  std::vector<std::uint64_t> counts;
  std::vector<stream::Pending*> found;  // changed only when nothing can fail any more
  const Clock::time_point now = stream_->clock().now();
  for (auto at = group_->pending.upper_bound(after); at != group_->pending.end() && counts.size() < count; ++at) {
    if (at->second.consumer != &consumer_->first) continue;
    auto view = stream_->timeline.look();
    const Entries<T> entry = stream_->collect(view, at->first, at->first, 1);
    if (entry.empty()) continue;
    runs.add(entry.runs());
    counts.push_back(at->second.deliveries + 1);
    found.push_back(&at->second);
  }
  for (stream::Pending* pending : found) {
    ++pending->deliveries;
    pending->delivered = now;
  }
  return Deliveries<T>(group_, Entries<T>(std::move(runs)), std::move(counts));
}

}  // namespace brook
