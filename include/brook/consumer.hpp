// consumer.hpp — one consumer of a group: reads new entries, which become pending with it, and its own history.
//
//   auto worker = group.consumer("worker-1");
//   while (auto batch = worker.read({.count = 64, .block = 1s}))   // ends when the stream is closed and read to its end
//     for (auto& order : *batch) { charge(*order); order.ack(); }
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/delivery.hpp>
#include <brook/error.hpp>
#include <brook/group/state.hpp>
#include <brook/group/takeover.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
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
  [[nodiscard]] const std::string& name() const noexcept { return member_->name; }

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
  using GroupState = group::State<T>;
  using Batch = typename GroupState::Batch;
  using Scan = typename GroupState::Scan;
  using Place = typename GroupState::Place;

  Consumer(std::shared_ptr<StreamState> stream, std::shared_ptr<GroupState> group,
           std::shared_ptr<group::Member> member) noexcept
      : stream_(std::move(stream)), group_(std::move(group)), member_(std::move(member)) {}

  [[nodiscard]] expected<Batch, Errc> take_or_wait(const ReadOptions& options) const;
  [[nodiscard]] expected<Batch, Errc> take(const ReadOptions& options, Scan& scan) const;
  [[nodiscard]] expected<Batch, Errc> wait_in_line(const ReadOptions& options, const Wait& wait,
                                                   Clock::time_point deadline, Scan& scan) const;

  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<GroupState> group_;
  std::shared_ptr<group::Member> member_;
};

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::read(const ReadOptions& options) const {
  expected<Batch, Errc> batch = take_or_wait(options);
  if (!batch) return unexpected(batch.error());
  return Deliveries<T>(*std::move(batch));
}

template <class T>
auto Consumer<T>::take_or_wait(const ReadOptions& options) const -> expected<Batch, Errc> {
  if (stream_->gone.load(sync::seq_cst)) return unexpected(Errc::closed);  // and its clock perhaps with it
  Scan scan;
  sync::unique_lock held(group_->mutex);
  expected<Batch, Errc> batch = take(options, scan);
  if (!batch || !batch->empty() || options.count == 0) return batch;
  const Wait wait = options.wait();
  const Clock::time_point deadline = wait.deadline(stream_->clock());
  for (bool spun = false;; spun = true) {
    if (group_->drained()) return unexpected(Errc::closed);
    if (wait.stop_requested()) return unexpected(Errc::cancelled);
    if (deadline == Clock::time_point::min() || deadline <= stream_->clock().now()) return batch;
    const log::Cursor<log::PayloadOf<T>> cursor = group_->cursor();
    held.unlock();
    const auto moved = [&cursor] { return cursor.moved(); };
    if (spun || !wait::spin(stream_->options.spin, moved)) return wait_in_line(options, wait, deadline, scan);
    held.lock();
    batch = take(options, scan);
    if (!batch || !batch->empty()) return batch;
  }
}

// The caller has the group's mutex.
template <class T>
auto Consumer<T>::take(const ReadOptions& options, Scan& scan) const -> expected<Batch, Errc> {
  if (const auto failed = group_->refusal(*stream_)) return unexpected(*failed);
  group::Member* const member = group_->roster.present(member_, stream_->clock());
  if (member == nullptr) return unexpected(Errc::full);
  group_->queue.serve(*stream_, *group_, scan);
  return group_->take(*stream_, scan, *member, options);
}

template <class T>
auto Consumer<T>::wait_in_line(const ReadOptions& options, const Wait& wait, Clock::time_point deadline,
                               Scan& scan) const -> expected<Batch, Errc> {
  wait::Sleeper sleeper(stream_->clock(), deadline, wait);
  typename group::Queue<GroupState>::Waiter waiter(sleeper, *member_, options);
  sync::unique_lock held(group_->mutex);
  if (const auto failed = group_->refusal(*stream_)) return unexpected(*failed);
  const typename group::Queue<GroupState>::Place place(stream_->gate, group_->queue, waiter);
  const auto serve = [&] { group_->queue.serve(*stream_, *group_, scan); };
  for (serve(); !waiter.served; serve()) {
    waiter.alarm = std::min(deadline, group_->next_due(options));
    held.unlock();
    sleeper.set_deadline(waiter.alarm);
    const bool woken = sleeper.sleep();
    held.lock();
    if (waiter.served) break;
    const bool stopped = wait.stop_requested();
    if (!stopped && (woken || stream_->clock().now() < deadline)) continue;
    serve();  // what is there wins over a deadline or a stop request
    if (waiter.served) break;
    if (stopped) return unexpected(Errc::cancelled);
    return Batch();
  }
  return std::move(waiter.result);
}

template <class T>
expected<Deliveries<T>, Errc> Consumer<T>::history(Id after, std::size_t count) const {
  std::optional<group::Takeover<T>> unneeded;  // dies after the lock
  const sync::unique_lock held(group_->mutex);
  if (const auto failed = group_->refusal(*stream_)) return unexpected(*failed);
  if (after == Id::max()) return Deliveries<T>();
  for (;;) {
    group::Takeover<T>& takeover = unneeded.emplace(*stream_);
    Batch batch;
    group_->ledger.each_pending(after.next(), Id::max(), [&](const Place& place) {
      if (takeover.size() == count) return false;
      if (place.mark().consumer() == member_->number) static_cast<void>(takeover.collect(place));
      return true;
    });
    takeover.reserve(batch);
    if (!takeover.current()) continue;
    const Clock::time_point now = stream_->clock().now();
    takeover.deliver(*group_, batch, *member_, {.since = group_->instant(now)});
    if (!batch.empty()) member_->active = now;
    return Deliveries<T>(std::move(batch));
  }
}

}  // namespace brook
