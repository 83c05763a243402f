// share.hpp — subscriptions that share their messages: each message goes to one of them, to who has waited longest.
//
// The members have one reader, under a lock. Calls that wait stand in a queue; only the first has a ticket at the
// channel's gate, so that a message wakes one thread. Whoever comes by with the lock serves the queue first.
//
// Locking   the share's mutex, then the registry's or the gate's, then a sleeper's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include <brook/channel/reader.hpp>
#include <brook/channel/returned.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/sleeper.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::channel {

template <class Payload>
class Share {
 public:
  using State = channel::State<Payload>;
  using Reader = channel::Reader<Payload>;
  using Found = typename Reader::Found;

  Share(std::shared_ptr<State> state, std::shared_ptr<Reader> reader) noexcept
      : reader_(std::move(reader)), state_(std::move(state)) {}

  [[nodiscard]] const std::shared_ptr<Reader>& reader() const noexcept { return reader_; }

  /// Receives up to `most` messages for a member that `left` when that says so. Errors: timed_out, cancelled, closed.
  [[nodiscard]] std::optional<Errc> receive(std::uint64_t most, const Wait& wait, const sync::atomic<bool>& left,
                                            Batch<Payload>& batch) {
    const Clock::time_point deadline = wait.deadline(clock_or_system(state_->clock_if_there()));
    {
      const Locked locked(*this);
      if (left.load(sync::seq_cst)) return Errc::closed;
      serve();
      if (waiters_.empty()) {
        const Found found = take(most, batch);
        if (found != Found::nothing) return result_of(found);
      }
    }
    if (wait.stop_requested()) return Errc::cancelled;
    if (deadline == Clock::time_point::min()) return Errc::timed_out;
    return wait_for(most, wait, deadline, left, batch);
  }

  /// The calls of a member that has `left` wait no longer, and get nothing any more.
  void dismiss(const sync::atomic<bool>& left) noexcept {
    const Locked locked(*this);
    for (auto at = waiters_.begin(); at != waiters_.end();) {
      const auto here = at++;
      if (&(*here)->left == &left) answer(here, Errc::closed);
    }
    serve();
  }

  /// What was received for a call that has gone is for whoever receives next.
  [[nodiscard]] const Returned<Payload>& returned() const noexcept { return returned_; }
  void give_back(Loan<Payload>& loan) noexcept {
    const Locked locked(*this);
    returned_.put(loan);
    serve();
  }

  /// With the registry's lock.
  std::size_t members = 0;

  /// A call that waits, perhaps for others as well.
  struct Waiter {
    Waiter(wait::Wakeable& sleeping, std::uint64_t count, const sync::atomic<bool>& gone, Batch<Payload>& what,
           const wait::Bid& its_bid = {})
        : sleeper(sleeping), bid(its_bid), ticket(sleeping), most(count), left(gone), batch(what) {}

    wait::Wakeable& sleeper;
    const wait::Bid bid;
    wait::Gate::Ticket ticket;
    std::uint64_t most;
    const sync::atomic<bool>& left;
    Batch<Payload>& batch;
    std::optional<Errc> failed{};
    bool served = false;  // and no longer in the queue
  };

  /// A waiter's place in the queue, which it leaves when it is answered, or when the place dies. Throws std::bad_alloc.
  class Place {
   public:
    Place(Share& share, Waiter& waiter) : share_(share), waiter_(waiter), at_(share.join(waiter)) {}
    ~Place() {
      const Locked locked(share_);
      if (waiter_.served) return;
      share_.leave(at_);
      share_.serve();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// Serves who waits; whether the waiter has been answered, or else why it gives up.
    template <class GiveUp>
    [[nodiscard]] bool serve(GiveUp&& give_up) {
      const Locked locked(share_);
      if (!waiter_.served) share_.serve();
      if (waiter_.served) return true;
      const std::optional<Errc> why = give_up();
      if (!why) return false;
      share_.answer(at_, why);  // before the lock is let go: whoever has it next would still serve this call
      share_.serve();
      return true;
    }

   private:
    Share& share_;
    Waiter& waiter_;
    const typename std::list<Waiter*>::iterator at_;
  };

 private:
  struct Locked {
    explicit Locked(Share& share) : held(share.mutex_) {}
    const core::Later later;
    const sync::unique_lock<sync::mutex> held;
  };

  [[nodiscard]] Found take(std::uint64_t most, Batch<Payload>& batch) noexcept {
    if (!returned_.empty() && !reader_->ended()) [[unlikely]]
      returned_.take(most, batch);
    return batch.runs.size() > 0 ? Found::some : state_->take(*reader_, most, batch);
  }

  [[nodiscard]] static std::optional<Errc> result_of(Found found) noexcept {
    return found == Found::over ? std::optional(Errc::closed) : std::nullopt;
  }

  [[nodiscard]] std::optional<Errc> wait_for(std::uint64_t most, const Wait& wait, Clock::time_point deadline,
                                             const sync::atomic<bool>& left, Batch<Payload>& batch) {
    wait::Sleeper sleeper(state_->clock(), deadline, wait);
    Waiter waiter(sleeper, most, left, batch);
    Place place(*this, waiter);
    for (bool woken = true;; woken = sleeper.sleep()) {
      const auto give_up = [&] {
        if (wait.stop_requested()) return std::optional(Errc::cancelled);
        return woken ? std::nullopt : std::optional(Errc::timed_out);
      };
      if (place.serve(give_up)) return waiter.failed;
    }
  }

  [[nodiscard]] typename std::list<Waiter*>::iterator join(Waiter& waiter) {
    const Locked locked(*this);
    const auto at = waiters_.insert(waiters_.end(), &waiter);
    if (waiter.left.load(sync::seq_cst)) answer(at, Errc::closed);
    return at;
  }

  void leave(typename std::list<Waiter*>::iterator at) noexcept {
    state_->gate.disarm((*at)->ticket);
    waiters_.erase(at);
  }

  // Gives what there is to those who wait, in their order, and sees to it that the next message wakes the first who
  // still waits.
  void serve() noexcept {
    while (!waiters_.empty()) {
      Waiter& first = *waiters_.front();
      wait::Decision decision(first.bid);
      if (decision.over()) {
        answer(waiters_.begin(), std::nullopt);
        continue;
      }
      if (!decision.granted()) return;  // it comes by, or leaves, once that is decided
      const Found found = take(first.most, first.batch);
      if (found == Found::some) decision.take();
      if (found == Found::nothing) {
        state_->gate.arm(first.ticket);
        if (!reader_->moved()) return;
        continue;
      }
      answer(waiters_.begin(), result_of(found));
    }
  }
  void answer(typename std::list<Waiter*>::iterator at, std::optional<Errc> failed) noexcept {
    Waiter& waiter = **at;
    waiter.failed = failed;
    waiter.served = true;
    leave(at);
    waiter.sleeper.wake();
  }

  sync::mutex mutex_;
  const std::shared_ptr<Reader> reader_;
  const std::shared_ptr<State> state_;
  Returned<Payload> returned_;
  std::list<Waiter*> waiters_;
};

}  // namespace brook::channel
