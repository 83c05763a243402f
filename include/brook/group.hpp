// group.hpp — consumer groups: each group sees every entry, and within a group each entry goes to one consumer.
//
//   auto billing = orders.create_group("billing", brook::earliest);
//   auto worker = billing->consumer("worker-1");
//   while (auto batch = worker.read({.count = 64, .block = 1s}))   // ends when the stream is closed and read to its end
//     for (auto& order : *batch) { charge(*order); order.ack(); }
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/consumer.hpp>
#include <brook/core/late.hpp>
#include <brook/core/later.hpp>
#include <brook/core/undo.hpp>
#include <brook/delivery.hpp>
#include <brook/error.hpp>
#include <brook/group/hands.hpp>
#include <brook/group/inspect.hpp>
#include <brook/group/locked.hpp>
#include <brook/group/ordered.hpp>
#include <brook/group/redelivery.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/redelivery.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/state.hpp>
#include <brook/stream/watched.hpp>

namespace brook {

template <class T>
class Stream;

/// A consumer group of a stream. A cheap handle: copies mean the same group. It may outlive the stream, and then answers
/// Errc::closed. Thread-safe. Operations of one group take turns on its mutex, but for acknowledging a delivery, which is
/// lock-free; groups do not disturb each other, and none of it ever delays an add.
template <class T>
class Group {
 public:
  /// Its name in the stream.
  [[nodiscard]] const std::string& name() const noexcept { return group_->name; }

  /// The consumer of this name, created on first use (XGROUP CREATECONSUMER).
  [[nodiscard]] Consumer<T> consumer(std::string_view name) const {
    const Locked held(*group_);
    return Consumer<T>(stream_, group_, group_->enlist(name, clock_or_system(stream_->clock_if_there())));
  }

  /// Names of the consumers, in byte order.
  [[nodiscard]] std::vector<std::string> consumers() const {
    const sync::unique_lock held(group_->mutex);
    core::Late<T, std::vector<std::string>> names;
    for (const auto& consumer : group_->roster.all()) names.push_back(consumer.first);
    return names;
  }

  /// Acknowledges entries (XACK); how many of them were pending. An id that is not pending is ignored. Who acknowledges
  /// deliveries meanwhile may see that the entries are done with one after another.
  std::size_t ack(std::span<const Id> ids) const {
    if (!stream_->watched()) [[likely]]
      return ack_now(ids);
    return ack_each(ids);
  }
  std::size_t ack(std::initializer_list<Id> ids) const { return ack({ids.begin(), ids.size()}); }
  std::size_t ack(Id id) const { return ack({id}); }

  /// What is pending, at one instant (XPENDING). Errors: closed, no_such_group. O(pending).
  [[nodiscard]] core::Late<T, expected<PendingSummary, Errc>> pending() const;

  /// Pending entries one by one, by increasing ids (XPENDING with a range). Errors: closed, no_such_group. O(pending from
  /// `first` on).
  [[nodiscard]] core::Late<T, expected<std::vector<PendingEntry>, Errc>> pending(const PendingOptions& options) const;

  /// Deletes a consumer; how many entries were pending with it, which go back to the group unless told otherwise
  /// (XGROUP DELCONSUMER, which drops them); or become dead letters, as max_deliveries says. Dropped, they end one after
  /// another for who acknowledges deliveries meanwhile. 0 for one that there is not. A handle that is used later makes it
  /// anew.
  /// Errors: closed, no_such_group.
  expected<std::size_t, Errc> delete_consumer(std::string_view name, Orphans orphans = Orphans::hand_back) const {
    return regroup(name, [&] { return delete_consumer_now(name, orphans); });
  }

  /// Moves the group: it will deliver what follows `position` next (XGROUP SETID). Back redelivers. Entries that are
  /// pending then move to whoever reads them, and their count starts again; but in an ordered group they stay where they
  /// are. Errors: closed, no_such_group.
  expected<void, Errc> set_id(Position position) const {
    return regroup({}, [&] { return set_id_now(position); });
  }

  /// Ends the group with all that is pending in it; blocked consumers answer no_such_group (XGROUP DESTROY). How many
  /// entries were pending; they end one after another for who acknowledges deliveries meanwhile. Errors: closed,
  /// no_such_group.
  expected<std::size_t, Errc> destroy() const {
    return regroup({}, [&] { return destroy_now(); });
  }

  /// What XINFO GROUPS tells of this group, at one instant. Errors: closed, no_such_group. O(pending + segments of the lag).
  [[nodiscard]] core::Late<T, expected<GroupInfo, Errc>> info() const;

  /// The consumers, in byte order of their names (XINFO CONSUMERS). Errors: closed, no_such_group. O(pending).
  [[nodiscard]] core::Late<T, expected<std::vector<ConsumerInfo>, Errc>> consumer_info() const;

  /// Both, and the first `count` pending entries of the group and of each consumer (XINFO STREAM FULL). Errors: closed,
  /// no_such_group. O(consumers * pending).
  [[nodiscard]] core::Late<T, expected<GroupFullInfo, Errc>> full_info(std::size_t count = 10) const;

 private:
  friend class Stream<T>;

  using StreamState = stream::State<T>;
  using GroupState = group::State<T>;
  using Locked = group::Locked;

  Group(std::shared_ptr<StreamState> stream, std::shared_ptr<GroupState> group) noexcept
      : stream_(std::move(stream)), group_(std::move(group)) {}

  static expected<Group, Errc> create(const std::shared_ptr<StreamState>& stream, std::string_view name, Position start,
                                      const GroupOptions<T>& options) {
    const auto end = stream->timeline.look().end;
    if (end.sealed) return unexpected(Errc::closed);
    const Id after = start.after(end.last_id());
    auto group = GroupState::make(stream, name, after, options);
    const stream::SweepAtEnd sweep(*stream, after > Id::min());
    const core::Later later;
    const sync::unique_lock held(stream->groups_mutex);
    const auto [at, made] = stream->groups.emplace(name, group);
    if (!made) return unexpected(Errc::group_exists);
    core::Undo undo([&, made_at = at] { stream->groups.erase(made_at); });
    if (auto* const witness = stream->witness())
      group->notes.go_to(witness->group_made(name, options, group->progress_image()));
    undo.keep();
    if (after > end.last_id()) stream->note_group_ahead();  // only now does the group count
    return Group(stream, std::move(group));
  }

  static expected<Group, Errc> find(const std::shared_ptr<StreamState>& stream, std::string_view name) {
    const sync::unique_lock held(stream->groups_mutex);
    const auto found = stream->groups.find(name);
    if (found == stream->groups.end()) return unexpected(Errc::no_such_group);
    return Group(stream, found->second);
  }

  std::size_t ack_now(std::span<const Id> ids) const;
  std::size_t ack_each(std::span<const Id> ids) const;
  expected<void, Errc> set_id_now(Position position) const;
  expected<std::size_t, Errc> delete_consumer_now(std::string_view name, Orphans orphans) const;
  expected<std::size_t, Errc> destroy_now() const;
  template <class Run>
  auto regroup(std::string_view consumer, const Run& run) const {
    const Call call{.operation = Operation::regroup, .group = name(), .consumer = consumer};
    return probing::perform(*stream_, call, [&](const Manner& manner) {
      probing::begin(manner);
      return run();
    });
  }

  // The caller holds the group's mutex. `counts` is filled with what is pending, by consumers' numbers.
  [[nodiscard]] GroupInfo tell(std::vector<std::uint64_t>& counts) const;
  [[nodiscard]] core::Late<T, std::vector<ConsumerInfo>> tell_consumers(const std::vector<std::uint64_t>& counts) const;
  [[nodiscard]] std::optional<Errc> refusal() const noexcept { return group_->refusal(*stream_); }

  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<GroupState> group_;
};

// Of a stream that is watched: each is an operation of its own.
template <class T>
[[gnu::noinline]] std::size_t Group<T>::ack_each(std::span<const Id> ids) const {
  std::size_t pending = 0;
  for (const Id& id : ids) {
    const Call call{.operation = Operation::ack, .group = name(), .id = id, .size = 1};
    pending += probing::perform(*stream_, call, [&](const Manner& manner) {
      probing::begin(manner);
      return ack_now({&id, 1});
    });
  }
  return pending;
}

template <class T>
expected<void, Errc> Group<T>::set_id_now(Position position) const {
  const stream::SweepAtEnd sweep(*stream_, true);
  const Locked held(*group_);
  const Id last = stream_->timeline.look().end.last_id();
  if (const auto failed = refusal()) return unexpected(*failed);
  group_->move_to(*stream_, position.after(last));
  group_->queue.wake_first();
  return {};
}

template <class T>
std::size_t Group<T>::ack_now(std::span<const Id> ids) const {
  std::size_t pending = 0;
  {
    const Locked held(*group_);
    for (const Id id : ids) {
      const auto place = group_->ledger.find(id);
      if (place.page == nullptr || !group_->finish(place)) continue;
      ++pending;
      group_->ledger.tidy(*place.page);
    }
    if (group_->managed()) group_->queue.wake_first();
  }
  for (const Id id : ids) stream::release(*stream_, id);
  return pending;
}

template <class T>
core::Late<T, expected<PendingSummary, Errc>> Group<T>::pending() const {
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = refusal()) return unexpected(*failed);
  core::Late<T, std::vector<std::uint64_t>> counts;
  PendingSummary summary = group_->count_pending(counts);
  for (const auto& [name, member] : group_->roster.all()) {
    if (counts[member->number] > 0) summary.consumers.push_back({name, counts[member->number]});
  }
  return summary;
}

template <class T>
core::Late<T, expected<std::vector<PendingEntry>, Errc>> Group<T>::pending(const PendingOptions& options) const {
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = refusal()) return unexpected(*failed);
  return group_->list_pending(options, group_->instant(stream_->clock().now()));
}

template <class T>
expected<std::size_t, Errc> Group<T>::delete_consumer_now(std::string_view name, Orphans orphans) const {
  const stream::SweepAtEnd sweep(*stream_, true);
  const typename DeadLetterTo<T>::SettleAtEnd settle(group_->options.dead_letter);
  const Locked held(*group_);
  if (const auto failed = refusal()) return unexpected(*failed);
  group::Member* const member = group_->roster.find(name);
  if (member == nullptr) return 0;
  std::vector<typename GroupState::Place> places;
  group_->ledger.each_pending(Id::min(), Id::max(), [&](const typename GroupState::Place& place) {
    if (place.mark().consumer() == member->number) places.push_back(place);
    return true;
  });
  std::size_t pending = 0;
  if (orphans == Orphans::hand_back) {
    pending = group_->hand_back(*stream_, places);
  } else {
    for (const auto& place : places) pending += group_->finish(place) ? 1U : 0U;
  }
  if (auto* const witness = group_->notes.witness()) witness->left(member->name);
  group_->roster.strike(*member);
  group_->queue.wake_first();
  return pending;
}

template <class T>
expected<std::size_t, Errc> Group<T>::destroy_now() const {
  const stream::SweepAtEnd sweep(*stream_, true);
  {
    const core::Later later;
    const sync::unique_lock held(stream_->groups_mutex);
    const auto found = stream_->groups.find(name());
    if (found != stream_->groups.end() && found->second == group_) {
      stream_->groups.erase(found);
      if (auto* const witness = group_->notes.witness()) witness->destroyed();
    }
  }
  const Locked held(*group_);
  if (const auto failed = refusal()) return unexpected(*failed);
  const std::size_t pending = group_->end();
  group_->queue.serve(*stream_, *group_);
  return pending;
}

template <class T>
GroupInfo Group<T>::tell(std::vector<std::uint64_t>& counts) const {
  // What is pending can only become less, so two equal counts tell what it was when `progress` looked at the stream.
  typename GroupState::Progress progress;
  std::uint64_t pending = group_->count_pending(counts).count;
  for (std::uint64_t before = unlimited; before != pending;) {
    before = pending;
    progress = group_->progress(*stream_);
    pending = group_->count_pending(counts).count;
  }
  return {.name = name(),
          .consumers = group_->roster.all().size(),
          .pending = pending,
          .returned = counts[group::nobody],
          .last_delivered_id = group_->last_delivered,
          .entries_read = progress.read,
          .lag = progress.lag,
          .lost = progress.lost};
}

template <class T>
core::Late<T, std::vector<ConsumerInfo>> Group<T>::tell_consumers(const std::vector<std::uint64_t>& counts) const {
  using std::chrono::floor;
  using std::chrono::milliseconds;
  const Clock::time_point now = stream_->clock().now();
  core::Late<T, std::vector<ConsumerInfo>> consumers;
  for (const auto& [name, member] : group_->roster.all()) {
    ConsumerInfo info{.name = name, .pending = counts[member->number], .idle = floor<milliseconds>(now - member->seen)};
    if (member->active != Clock::time_point()) info.inactive = floor<milliseconds>(now - member->active);
    consumers.push_back(std::move(info));
  }
  return consumers;
}

template <class T>
core::Late<T, expected<GroupInfo, Errc>> Group<T>::info() const {
  const Locked held(*group_);
  if (const auto failed = refusal()) return unexpected(*failed);
  core::Late<T, std::vector<std::uint64_t>> counts;
  return tell(counts);
}

template <class T>
core::Late<T, expected<std::vector<ConsumerInfo>, Errc>> Group<T>::consumer_info() const {
  const Locked held(*group_);
  if (const auto failed = refusal()) return unexpected(*failed);
  core::Late<T, std::vector<std::uint64_t>> counts;
  static_cast<void>(group_->count_pending(counts));
  return tell_consumers(counts);
}

template <class T>
core::Late<T, expected<GroupFullInfo, Errc>> Group<T>::full_info(std::size_t count) const {
  const Locked held(*group_);
  if (const auto failed = refusal()) return unexpected(*failed);
  const group::Instant now = group_->instant(stream_->clock().now());
  core::Late<T, std::vector<std::uint64_t>> counts;
  GroupFullInfo full{tell(counts), group_->list_pending({.count = count}, now), {}};
  for (auto& consumer : tell_consumers(counts)) {
    auto pending = group_->list_pending({.count = count, .consumer = consumer.name}, now);
    full.members.push_back({std::move(consumer), std::move(pending)});
  }
  return full;
}

}  // namespace brook
