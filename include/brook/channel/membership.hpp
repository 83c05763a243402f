// membership.hpp — one subscription: its place in the channel, alone or as a member of a share, and how it receives and
// ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <brook/channel/reader.hpp>
#include <brook/channel/returned.hpp>
#include <brook/channel/share.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/wait.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/slip.hpp>

namespace brook::channel {

template <class Payload>
class Line;

template <class Payload>
class Membership {
 public:
  using Line = channel::Line<Payload>;
  using State = channel::State<Payload>;
  using Reader = channel::Reader<Payload>;
  using Share = channel::Share<Payload>;
  using Found = typename Reader::Found;

  /// Receives what is published from now on. Throws std::bad_alloc, and then nothing has changed.
  Membership(std::shared_ptr<State> state, const SubscribeOptions& options) : state_(std::move(state)) {
    const typename State::Locked locked(state_->registry);
    if (!options.share.empty()) join(options);
    if (share_ != nullptr) return;
    reader_ = make_reader(options.backlog, options.overflow);
    state_->registry.enter(reader_, false);
  }
  /// The same, called by publishers.
  Membership(std::shared_ptr<State> state, const CallbackOptions& options, std::shared_ptr<Called> called)
      : state_(std::move(state)) {
    const typename State::Locked locked(state_->registry);
    auto all = std::make_shared<typename State::CalledOnes>();
    if (state_->called != nullptr) *all = *state_->called;
    all->push_back(std::move(called));
    reader_ = make_reader(options.backlog, options.overflow);
    state_->registry.enter(reader_, true);
    state_->called = std::move(all);
  }
  ~Membership() { leave(); }

  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// Hands one message to `use(hold, slot, lost)`, which must not throw. Errors: timed_out, cancelled, closed. Of a
  /// share by any number of threads at once, else by one.
  template <class Use>
  [[nodiscard]] std::optional<Errc> receive_one(const Wait& wait, Use&& use) {
    if (share_ != nullptr || !returned_.empty()) [[unlikely]] {
      Batch<Payload> batch;
      const auto failed = receive(1, wait, batch);
      if (!failed) use(batch.runs.run(0).segment, batch.runs.run(0).first, batch.lost);
      return failed;
    }
    return receive_alone(wait, [&] {
      return state_->take(*reader_, 1, [&](const auto& hold, std::uint32_t slot, std::uint32_t) noexcept {
        use(hold, slot, reader_->lost_now());
        return true;
      });
    });
  }
  /// Up to `most` messages. Errors as above.
  [[nodiscard]] std::optional<Errc> receive(std::uint64_t most, const Wait& wait, Batch<Payload>& batch) {
    if (share_ != nullptr) return share_->receive(most, wait, left_, batch);
    if (!returned_.empty() && !reader_->ended()) [[unlikely]]
      returned_.take(most, batch);
    if (batch.runs.size() > 0) [[unlikely]]
      return std::nullopt;
    return receive_alone(wait, [&] { return state_->take(*reader_, most, batch); });
  }
  /// What was received for a call that has gone is received again, before anything else. By who receives.
  void give_back(Loan<Payload>& loan) noexcept {
    if (share_ != nullptr) share_->give_back(loan);
    else returned_.put(loan);
  }

  /// The subscription is over: nothing is received any more, and a call that waits wakes. May be called again.
  void leave() noexcept {
    if (left_.exchange(true, sync::seq_cst)) return;
    if (share_ != nullptr) share_->dismiss(left_);
    if (!last_leaves()) return;
    state_->announce_change(*reader_);
  }
  /// What is published from now on is not for this subscription; what has been can be received, then it answers
  /// `closed`.
  void depart() noexcept {
    {
      const typename State::Locked locked(state_->registry);
      state_->registry.stop(*reader_);
    }
    state_->announce_change(*reader_);
  }

  /// Whether it has departed, and will receive nothing any more. Not of a share.
  [[nodiscard]] bool done() const noexcept { return returned_.empty() && reader_->done(); }
  /// As depart() for the last of those who share, together: false for others, who count no more. It is then to leave.
  [[nodiscard]] bool depart_if_last() noexcept {
    {
      const typename State::Locked locked(state_->registry);
      if (share_ == nullptr || left_.load(sync::seq_cst) || !member_) return false;
      if (share_->members > 1) {
        static_cast<void>(cease());
        return false;
      }
      forget_share();
      if (!reader_->stopped()) state_->registry.stop(*reader_);
    }
    state_->announce_change(*reader_);
    return true;
  }

  /// As leave() for one whom publishers call. Where there is no memory to take it off their list it stays there, and is
  /// called in vain.
  void leave(const Called& called) noexcept {
    BROOK_TRY { uncall(called); }
    BROOK_CATCH_ALL {}
    leave();
  }

  [[nodiscard]] Clock& clock() const noexcept { return state_->clock(); }
  [[nodiscard]] Clock* clock_if_there() const noexcept { return state_->clock_if_there(); }
  /// Asks the channel's probe, where it still has one.
  Outcome ask(const Call& call, const Perform& perform) {
    return state_->watched() ? state_->ask(call, perform) : perform();
  }

  [[nodiscard]] bool watched() const noexcept { return state_->watched(); }

  [[nodiscard]] bool left() const noexcept { return left_.load(sync::seq_cst) || reader_->ended(); }
  /// Why it is over; nothing while it is not.
  [[nodiscard]] std::optional<Errc> reason() const noexcept {
    if (reader_->why_ended() == Reader::Ended::too_slow) return Errc::full;
    if (left_.load(sync::seq_cst)) return Errc::cancelled;
    return state_->log.sealed() ? std::optional(Errc::closed) : std::nullopt;
  }
  [[nodiscard]] std::uint64_t lost() const noexcept { return reader_->lost(); }
  [[nodiscard]] std::uint64_t waiting() const noexcept {
    if (left()) return 0;
    const auto& returned = share_ != nullptr ? share_->returned() : returned_;
    return returned.size() + reader_->waiting(state_->log.end().added());
  }

 private:
  friend Line;

  // With the lock.
  [[nodiscard]] std::shared_ptr<Reader> make_reader(std::uint64_t backlog, Overflow overflow) const {
    return std::make_shared<Reader>(state_->log.end(), backlog, overflow);
  }
  void join(const SubscribeOptions& options) {
    auto& place = state_->shares.try_emplace(std::string(options.share)).first->second;
    auto share = place.lock();
    if (share == nullptr || share->reader()->ended()) {
      share = std::make_shared<Share>(state_, make_reader(options.backlog, options.overflow));
      state_->registry.enter(share->reader(), false);
      place = share;
    }
    ++share->members;
    reader_ = share->reader();
    share_ = std::move(share);
  }

  template <class Take>
  [[nodiscard]] std::optional<Errc> receive_alone(const Wait& wait, Take&& take) {
    const Found found = take();
    if (found == Found::some) [[likely]]
      return std::nullopt;
    return found == Found::over ? std::optional(Errc::closed) : wait_for(wait, take);
  }
  template <class Take>
  [[nodiscard, gnu::noinline]] std::optional<Errc> wait_for(const Wait& wait, Take&& take) {
    const Clock::time_point deadline = wait.deadline(state_->clock());
    const auto come = [&] { return reader_->moved(); };
    const auto added = [this] { return state_->log.end().added(); };
    for (;;) {
      const auto spin = slip_.gather(state_->options.spin, deadline, added);
      const auto outcome = wait::await(state_->gate, state_->clock(), deadline, wait, spin, come);
      if (outcome == wait::Outcome::timed_out) return Errc::timed_out;
      if (outcome == wait::Outcome::cancelled) return Errc::cancelled;
      const Found found = take();
      if (found == Found::some) return std::nullopt;
      if (found == Found::over) return Errc::closed;
    }
  }

  // Whether nobody uses the reader any more; it is then off the list. Before that it has stopped: what it has not
  // received is dropped then, and it must not look for that.
  [[nodiscard]] bool last_leaves() noexcept {
    const typename State::Locked locked(state_->registry);
    if (share_ != nullptr && !(member_ && cease())) return false;
    forget_share();
    reader_->stop(Reader::Ended::unsubscribed);
    state_->registry.leave(*reader_);
    return true;
  }
  // With the lock: whether this was the last of those who share.
  [[nodiscard]] bool cease() noexcept {
    member_ = false;
    return --share_->members == 0;
  }
  // With the lock: who comes now makes another one.
  void forget_share() noexcept {
    if (share_ != nullptr)
      std::erase_if(state_->shares, [this](const auto& named) { return named.second.lock() == share_; });
  }
  void uncall(const Called& called) {
    std::shared_ptr<const typename State::CalledOnes> before;
    const typename State::Locked locked(state_->registry);
    if (state_->called == nullptr) return;
    auto all = std::make_shared<typename State::CalledOnes>();
    for (const auto& one : *state_->called) {
      if (one.get() != &called) all->push_back(one);
    }
    before = std::exchange(state_->called, std::move(all));
  }

  const std::shared_ptr<State> state_;
  std::shared_ptr<Share> share_;
  bool member_ = true;  // with the registry's lock: one of those whom the share counts
  std::shared_ptr<Reader> reader_;
  Returned<Payload> returned_;  // to this one alone
  wait::Slip slip_;
  sync::atomic<bool> left_{false};
};

}  // namespace brook::channel
