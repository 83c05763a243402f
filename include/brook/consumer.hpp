// consumer.hpp — one consumer of a group: reads new entries, which become pending with it, and its own history.
//
//   auto worker = group.consumer("worker-1");
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
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/late.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/delivery.hpp>
#include <brook/error.hpp>
#include <brook/group/fresh.hpp>
#include <brook/group/hands.hpp>
#include <brook/group/locked.hpp>
#include <brook/group/ordered.hpp>
#include <brook/group/redelivery.hpp>
#include <brook/group/state.hpp>
#include <brook/group/takeover.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/redelivery.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/state.hpp>
#include <brook/wait.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook {

template <class T>
class Group;

/// One consumer of a group, by its name; several threads may share it. A cheap handle like Group.
template <class T>
class Consumer {
 public:
  /// Its name in the group.
  [[nodiscard]] const std::string& name() const noexcept { return member_->name; }

  /// New entries of the group, which become pending with this consumer until acknowledged (XREADGROUP >). When there are
  /// none it waits as `options.block` says, and answers with an empty batch when the time is up. Blocked consumers of a
  /// group are served in the order in which they blocked, each with up to its count, and an entry wakes one of them.
  /// Keep the batch in a variable: `for (auto& d : *worker.read())` goes over a batch that is gone (before C++23), and
  /// `auto d = worker.read()->front()` is a delivery of one. So it is with history() and claims.
  /// Errors: closed when the stream is closed and all that is there was delivered, and nothing of it that came back is
  /// waiting; cancelled; no_such_group when it was destroyed; full for more than 16,383 consumers in the group;
  /// invalid_argument for no_ack in an ordered group.
  [[nodiscard]] expected<Deliveries<T>, Errc> read(const ReadOptions& options = {}) const;

  /// Entries with ids above `after` that are pending with this consumer, at most `count`, oldest first (XREADGROUP with
  /// an id): what a consumer that was restarted begins with. Does not wait. Counts as a delivery, so that nack() and
  /// forward() of the delivery before it are refused. Entries that were removed from the stream meanwhile are left out; they
  /// stay pending. Errors: closed, no_such_group.
  [[nodiscard]] expected<Deliveries<T>, Errc> history(Id after = Id::min(), std::size_t count = no_limit) const {
    const Call call{.operation = Operation::read, .id = after, .size = count};
    return watch(call, [&] { return history_now(after, count); });
  }

  /// Takes over pending entries, whoever has them (XCLAIM). Left out: ids that are not pending, unless `force`; those that
  /// were not pending for `min_idle`; and what has left the stream, which is then not pending any more, however long it was.
  /// The deliveries are in the order of the ids, one after the other: an id that is named twice is claimed twice if
  /// `min_idle` lets it. Errors: closed, no_such_group, full; invalid_argument for `force` in an
  /// ordered group, where it could bring an entry before its turn. O(log n) for each id.
  [[nodiscard]] expected<Deliveries<T>, Errc> claim(std::span<const Id> ids, const ClaimOptions& options = {}) const {
    const Call call{.operation = Operation::claim, .id = ids.empty() ? Id() : ids.front(), .size = ids.size()};
    return watch(call, [&] { return claim_now(ids, options); });
  }
  [[nodiscard]] expected<Deliveries<T>, Errc> claim(std::initializer_list<Id> ids,
                                                    const ClaimOptions& options = {}) const {
    return claim({ids.begin(), ids.size()}, options);
  }

  /// Takes over what has been pending for `min_idle`, oldest first (XAUTOCLAIM); what has left the stream is not pending any
  /// more, however long it was. Errors: closed, no_such_group, full; invalid_argument for a count of 0.
  [[nodiscard]] expected<AutoClaimed<T>, Errc> auto_claim(const AutoClaimOptions& options) const {
    const Call call{.operation = Operation::claim, .id = options.start, .size = options.count};
    return watch(call, [&] { return auto_claim_now(options); });
  }

  // — for the library: waiting, perhaps for other things as well (group/line.hpp) —

  struct ReadFrom;
  class Line;

 private:
  friend class Group<T>;

  using StreamState = stream::State<T>;
  using GroupState = group::State<T>;
  using Batch = typename GroupState::Batch;
  using Cursor = log::Cursor<log::PayloadOf<T>>;
  using Place = typename GroupState::Place;

  Consumer(std::shared_ptr<StreamState> stream, std::shared_ptr<GroupState> group,
           std::shared_ptr<group::Member> member) noexcept
      : stream_(std::move(stream)), group_(std::move(group)), member_(std::move(member)) {}

  // Of a stream that is watched, or gone.
  void read_with_care(const ReadOptions& options, expected<Deliveries<T>, Errc>& deliveries) const;
  // Performs an operation of this consumer; where the stream is watched, as the probe wants it.
  template <class Run>
  [[nodiscard]] auto watch(Call call, const Run& run) const;
  [[nodiscard]] expected<Deliveries<T>, Errc> history_now(Id after, std::size_t count) const;
  [[nodiscard]] expected<Deliveries<T>, Errc> claim_now(std::span<const Id> ids, const ClaimOptions& options) const;
  [[nodiscard]] expected<AutoClaimed<T>, Errc> auto_claim_now(const AutoClaimOptions& options) const;

  // These fill an empty batch, in place, or tell why not.
  [[nodiscard]] std::optional<Errc> take_or_wait(const ReadOptions& options, Batch& batch) const;
  // What others gave to a call that waited is as safe as what it took itself.
  struct SettleRecord {
    const GroupState& group;
    ~SettleRecord() {
      if (core::Recorder* const recorder = group.recorder()) [[unlikely]]
        recorder->settle();
    }
  };
  // Why a read cannot take place, as far as that is known without the group's mutex.
  [[nodiscard]] std::optional<Errc> refusal(const ReadOptions& options) const {
    if (stream_->standing.load(sync::seq_cst) == Standing::gone) return Errc::closed;  // and its clock perhaps with it
    if (options.no_ack && group_->options.ordered_by) return Errc::invalid_argument;
    return std::nullopt;
  }
  // What is to be done once the group's mutex is not held any more.
  void settle(const ReadOptions& options) const {
    if (stream_->options.until_acked) [[unlikely]] {
      if (options.no_ack) stream::want_sweep(*stream_);
      stream::sweep(*stream_);  // an adder may be waiting for the room
    }
    group_->options.dead_letter.settle();
  }
  // With the group's mutex held: the member that this handle stands for now; null when there is none, and why.
  [[nodiscard]] group::Member* present(Errc& failed) const;
  // What there is now; when there is nothing, `cursor` is where something will be. A call that `waits` does so when what there
  // is may be for one that has waited longer.
  [[nodiscard]] std::optional<Errc> take(const ReadOptions& options, bool waits, Batch& batch, Cursor& cursor) const;
  [[nodiscard]] std::optional<Errc> wait_for(const ReadOptions& options, Batch& batch, Cursor cursor) const;
  [[nodiscard]] std::optional<Errc> wait_in_line(const ReadOptions& options, const Wait& wait,
                                                 Clock::time_point deadline, Batch& batch) const;

  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<GroupState> group_;
  std::shared_ptr<group::Member> member_;
};

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::read(const ReadOptions& options) const {
  expected<Deliveries<T>, Errc> deliveries;  // the one variable that is returned, without a move
  if (stream_->standing.load(sync::seq_cst) != Standing::plain) [[unlikely]]
    read_with_care(options, deliveries);
  else if (const auto failed = take_or_wait(options, deliveries->batch_)) deliveries = unexpected(*failed);
  return deliveries;
}

template <class T>
std::optional<Errc> Consumer<T>::take_or_wait(const ReadOptions& options, Batch& batch) const {
  if (options.no_ack && group_->options.ordered_by) return Errc::invalid_argument;
  Cursor cursor;
  auto failed = take(options, options.block.may_wait(), batch, cursor);
  if (!failed && batch.empty() && options.count > 0) failed = wait_for(options, batch, std::move(cursor));
  settle(options);
  return failed;
}

template <class T>
std::optional<Errc> Consumer<T>::wait_for(const ReadOptions& options, Batch& batch, Cursor cursor) const {
  const Wait wait = options.wait();
  const Clock::time_point deadline = wait.deadline(stream_->clock());
  if (wait.stop_requested()) return Errc::cancelled;
  if (deadline == Clock::time_point::min() || deadline <= stream_->clock().now()) return std::nullopt;
  const auto moved = [&cursor] { return cursor.moved(); };
  if (wait::spin(stream_->let_gather(deadline), moved)) {
    const auto failed = take(options, true, batch, cursor);
    if (failed || !batch.empty()) return failed;
  }
  cursor = {};
  return wait_in_line(options, wait, deadline, batch);
}

template <class T>
group::Member* Consumer<T>::present(Errc& failed) const {
  if (const auto refused = group_->refusal(*stream_)) {
    failed = *refused;
    return nullptr;
  }
  failed = Errc::full;
  return group_->present(member_, stream_->clock());
}

template <class T>
std::optional<Errc> Consumer<T>::take(const ReadOptions& options, bool waits, Batch& batch, Cursor& cursor) const {
  const group::Locked held(*group_);
  Errc failed{};
  group::Member* const member = present(failed);
  if (member == nullptr) return failed;
  if (group_->queue.serve(*stream_, *group_) || !waits) group_->take(*stream_, *member, options, batch);
  if (!batch.empty() || options.count == 0) return std::nullopt;
  if (group_->drained(*stream_)) return Errc::closed;
  cursor = group_->cursor();
  return std::nullopt;
}

template <class T>
std::optional<Errc> Consumer<T>::wait_in_line(const ReadOptions& options, const Wait& wait, Clock::time_point deadline,
                                              Batch& batch) const {
  wait::Sleeper sleeper(stream_->clock(), deadline, wait);
  typename group::Queue<GroupState>::Waiter waiter(sleeper, member_, options, batch);
  const SettleRecord settle_record{*group_};
  group::Locked held(*group_);
  if (const auto failed = group_->refusal(*stream_)) return failed;
  const typename group::Queue<GroupState>::Place place(stream_->gate, group_->queue, waiter);
  const auto serve = [&] {
    group_->queue.serve(*stream_, *group_, &waiter);
    if (waiter.served) group_->queue.wake_first();  // there may be something left for the next
  };
  for (serve(); !waiter.served; serve()) {
    waiter.alarm = std::min(deadline, group_->next_due(group_->roster.current(*member_), options));
    held.unlock();
    stream::sweep(*stream_);  // an adder may be waiting for the room
    group_->options.dead_letter.settle();
    sleeper.set_deadline(waiter.alarm);
    const bool woken = sleeper.sleep();
    held.lock();
    if (waiter.served) break;
    const bool stopped = wait.stop_requested();
    if (!stopped && (woken || stream_->clock().now() < deadline)) continue;
    serve();  // what is there wins over a deadline or a stop request
    if (waiter.served) break;
    return stopped ? std::optional(Errc::cancelled) : std::nullopt;
  }
  return waiter.failed;
}

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::history_now(Id after, std::size_t count) const {
  const group::Locked held(*group_);
  Errc failed{};
  group::Member* const member = present(failed);
  if (member == nullptr) return unexpected(failed);
  if (after == Id::max()) return Deliveries<T>();
  const Clock::time_point now = stream_->clock().now();
  return Deliveries<T>(
      group::take_over(*group_, *stream_, *member, now, {.since = group_->instant(now)}, [&](auto& takeover) {
        group_->ledger.each_pending(after.next(), Id::max(), [&](const Place& place) {
          if (takeover.size() == count) return false;
          if (place.mark().consumer() == member->number) static_cast<void>(takeover.collect(place));
          return true;
        });
      }));
}

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::claim_now(std::span<const Id> ids, const ClaimOptions& options) const {
  if (options.force && group_->options.ordered_by) return unexpected(Errc::invalid_argument);
  const stream::SweepAtEnd sweep(*stream_);
  std::vector<group::Share<log::PayloadOf<T>>> forced;  // dropped without the lock, which that takes
  core::Late<T, std::vector<bool>> was_nobodys(ids.size());
  const group::Locked held(*group_);
  Errc failed{};
  group::Member* const member = present(failed);
  if (member == nullptr) return unexpected(failed);
  // As in Redis, and so that what is forgotten meanwhile, which is a record, comes before the claim.
  if (options.last_id && *options.last_id > group_->last_delivered) {
    group_->move_to(*stream_, *options.last_id);
    stream::want_sweep(*stream_);
  }
  const Clock::time_point now = stream_->clock().now();
  const group::Instant instant = group_->instant(now);
  const typename group::Takeover<T>::Terms terms{.since = group::claimed_since(options, stream_->unix_ms(), instant),
                                                 .count = options.retry_count,
                                                 .counts = !options.just_id};
  auto batch = group::take_over(*group_, *stream_, *member, now, terms, [&](auto& takeover) {
    core::Late<T, std::set<Id>> taken;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      Place place = group_->ledger.find(ids[i]);
      if (place.page == nullptr && options.force) {
        forced.reserve(forced.size() + 1);
        forced.push_back(group_->force_pending(*stream_, *member, ids[i]));
        place = group_->ledger.find(ids[i]);
        was_nobodys[i] = true;
      }
      if (place.page == nullptr) continue;
      const bool idle = taken.contains(ids[i]) ? group::is_idle(terms.since, options.min_idle, instant)
                                               : was_nobodys[i] || group_->idle_for(place, options.min_idle, instant);
      if (takeover.collect_or_drop(place, idle) && idle) taken.insert(ids[i]);
    }
  });
  return Deliveries<T>(std::move(batch));
}

template <class T>
expected<AutoClaimed<T>, Errc> Consumer<T>::auto_claim_now(const AutoClaimOptions& options) const {
  if (options.count == 0) return unexpected(Errc::invalid_argument);
  const group::Locked held(*group_);
  Errc failed{};
  group::Member* const member = present(failed);
  if (member == nullptr) return unexpected(failed);
  const Clock::time_point now = stream_->clock().now();
  const group::Instant instant = group_->instant(now);
  const typename group::Takeover<T>::Terms terms{.since = instant, .counts = !options.just_id};
  AutoClaimed<T> claimed;
  claimed.deliveries = Deliveries<T>(group::take_over(*group_, *stream_, *member, now, terms, [&](auto& takeover) {
    claimed.next = Id::min();
    claimed.deleted.clear();
    group_->ledger.each_pending(options.start, Id::max(), [&](const Place& place) {
      if (takeover.size() + takeover.gone() == options.count) {
        claimed.next = place.id();
        return false;
      }
      if (!takeover.collect_or_drop(place, group_->idle_for(place, options.min_idle, instant)))
        claimed.deleted.push_back(place.id());
      return true;
    });
  }));
  return claimed;
}

}  // namespace brook

#include <brook/group/line.hpp>
#include <brook/group/watched.hpp>
