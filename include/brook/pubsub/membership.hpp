// membership.hpp — one subscription to a PubSub: its interest, which may change, and the feeds that it gets its
// messages from.
//
// A subscription that is not alone in its feed moves to another one when its interest changes. What it has not received
// by then it still gets from the old feed, up to where that was at the move; then it goes on in the new one, which
// begins there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include <brook/channel/membership.hpp>
#include <brook/channel/returned.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/table.hpp>
#include <brook/wait.hpp>

namespace brook::pubsub {

template <class T>
class Line;

template <class T>
class Membership {
 public:
  using Line = pubsub::Line<T>;
  using Payload = typename Feed<T>::Payload;
  using TablePtr = std::shared_ptr<Table<T>>;

  /// `how` is what a membership of a channel is made with, but for the channel. Throws std::bad_alloc, and then nothing
  /// has changed.
  template <class Options, class... How>
  Membership(TablePtr table, Interest interest, const Options& options, How&&... how)
      : table_(std::move(table)), interest_(std::move(interest)) {
    if constexpr (std::is_same_v<Options, SubscribeOptions>) {
      options_ = options;
      shared_ = !options.share.empty();
      options_.share = {};
    }
    const typename Table<T>::Locked locked(*table_);
    enter(interest_, options, std::forward<How>(how)...);
    at_ = &stages_.front().inner;
  }
  ~Membership() { leave(); }

  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// As channel::Membership.
  template <class Use>
  [[nodiscard]] std::optional<Errc> receive_one(const Wait& wait, Use&& use) {
    return receive_from_each(wait, [&](Inner& inner, const Wait& how) { return inner.receive_one(how, use); });
  }
  [[nodiscard]] std::optional<Errc> receive(std::uint64_t most, const Wait& wait, channel::Batch<Payload>& batch) {
    return receive_from_each(wait, [&](Inner& inner, const Wait& how) { return inner.receive(most, how, batch); });
  }

  void give_back(channel::Loan<Payload>& loan) noexcept { at_->give_back(loan); }

  /// Asks the PubSub's probe, where it still has one.
  Outcome ask(const Call& call, const Perform& perform) {
    return table_->watched() ? table_->ask(call, perform) : perform();
  }
  [[nodiscard]] bool watched() const noexcept { return table_->watched(); }

  /// Changes the interest, as `edit(Interest&)` says, at one instant. Errors: closed when it is over; invalid_argument
  /// when it shares. Throws std::bad_alloc, and then nothing has changed.
  template <class Edit>
  [[nodiscard]] std::optional<Errc> change(Edit&& edit) {
    if (shared_) return Errc::invalid_argument;
    LetGo deserted;
    const typename Table<T>::Locked locked(*table_);
    if (left_ || reason()) return Errc::closed;
    Interest changed = interest_;
    edit(changed);
    if (table_->change(last_->feed, interest_, changed)) {
      interest_ = std::move(changed);
      return std::nullopt;
    }
    if (!(interest_ < changed) && !(changed < interest_)) return std::nullopt;
    move_to(std::move(changed), deserted);
    return std::nullopt;
  }

  [[nodiscard]] Clock& clock() const noexcept { return table_->clock(); }
  [[nodiscard]] Clock* clock_if_there() const noexcept { return table_->clock_if_there(); }

  void leave() noexcept {
    leave_feeds([](Inner& inner) { inner.leave(); });
  }
  void leave(const channel::Called& called) noexcept {
    leave_feeds([&](Inner& inner) { inner.leave(called); });
  }

  [[nodiscard]] std::optional<Errc> reason() const noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    const auto reason = stages_.front().inner.reason();
    return reason == Errc::full ? reason : stages_.back().inner.reason();
  }
  [[nodiscard]] std::uint64_t lost() const noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    std::uint64_t lost = lost_before_;
    for (const Stage& stage : stages_) lost += stage.inner.lost();
    return lost;
  }
  [[nodiscard]] std::uint64_t waiting() const noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    std::uint64_t waiting = 0;
    for (const Stage& stage : stages_) waiting += stage.inner.waiting();
    return waiting;
  }

 private:
  friend Line;

  using Inner = channel::Membership<Payload>;

  struct Stage {
    template <class... How>
    explicit Stage(std::shared_ptr<Feed<T>> from, How&&... how)
        : feed(std::move(from)), inner(feed->state, std::forward<How>(how)...) {}

    std::shared_ptr<Feed<T>> feed;
    Inner inner;
  };

  // A feed that the last member has left. Functions that there was no memory to take off its list are let go, which
  // may end them: declare it before the locks.
  struct LetGo {
    std::shared_ptr<Feed<T>> feed{};
    ~LetGo() {
      if (feed != nullptr) feed->state->let_go();
    }
  };

  // With the table's lock: joins the feed of an interest.
  template <class... How>
  void enter(const Interest& interest, How&&... how) {
    const auto feed = table_->join(interest);
    core::Undo undo([&] { table_->leave(feed, interest); });
    const sync::unique_lock<sync::mutex> held(mutex_);
    last_ = &stages_.emplace_back(feed, std::forward<How>(how)...);
    undo.keep();
  }

  // The stage before ends only by depart(), as nothing else ends without the table's lock but what is too slow, with
  // which the receiver does not go on: so it is there until then.
  void move_to(Interest changed, LetGo& deserted) {
    const std::shared_ptr<Feed<T>> before = last_->feed;
    Inner& inner = last_->inner;
    enter(changed, options_);
    std::swap(interest_, changed);
    std::list<Stage> done;
    {
      const sync::unique_lock<sync::mutex> held(mutex_);  // the receiver takes it off only when that is done
      inner.depart();
      // One that the receiver is not at, and in which nothing waits for it, is not worth a visit.
      if (stages_.size() > 2 && inner.done()) done.splice(done.begin(), stages_, std::prev(stages_.end(), 2));
    }
    if (table_->leave(before, changed)) deserted.feed = before;
  }

  template <class Receive>
  [[nodiscard]] std::optional<Errc> receive_from_each(const Wait& wait, Receive&& receive) {
    const auto from_each = [&](const Wait& how) {
      std::optional<Errc> failed;
      do failed = receive(*at_, how);
      while (failed == Errc::closed && go_on());
      return failed;
    };
    const std::optional<Errc> failed = from_each(Wait());
    if (failed != Errc::timed_out) [[likely]]
      return failed;
    const Clock::time_point deadline = wait.deadline(table_->clock());  // of all feeds together
#ifdef __cpp_lib_jthread
    return from_each(Wait(deadline, wait.stop()));
#else
    return from_each(Wait(deadline));
#endif
  }

  // Goes on to the next feed where one has given all that it had for this subscription. What was too slow in one feed
  // is over in all.
  [[nodiscard]] bool go_on() noexcept {
    const core::Later later;
    std::list<Stage> done;
    const sync::unique_lock<sync::mutex> held(mutex_);
    if (stages_.size() == 1) return false;
    if (at_->reason() == Errc::full) {
      for (Stage& stage : stages_) stage.inner.leave();
      return false;
    }
    lost_before_ += at_->lost();
    done.splice(done.begin(), stages_, stages_.begin());
    at_ = &stages_.front().inner;
    return true;
  }

  template <class Leave>
  void leave_feeds(Leave&& leave_one) noexcept {
    LetGo deserted;
    {
      const typename Table<T>::Locked locked(*table_);
      if (std::exchange(left_, true)) return;
      if (table_->leave(last_->feed, interest_)) deserted.feed = last_->feed;
    }
    const core::Later later;
    const sync::unique_lock<sync::mutex> held(mutex_);
    for (Stage& stage : stages_) leave_one(stage.inner);
  }

  const TablePtr table_;
  SubscribeOptions options_{};
  bool shared_ = false;
  // With the table's lock.
  Interest interest_;
  bool left_ = false;
  Stage* last_ = nullptr;  // of stages_

  Inner* at_ = nullptr;  // the first of stages_; only the receiver
  // With the lock of this; who adds a stage has the table's lock too. The receiver takes the first off.
  mutable sync::mutex mutex_;
  std::list<Stage> stages_;
  std::uint64_t lost_before_ = 0;
};

}  // namespace brook::pubsub
