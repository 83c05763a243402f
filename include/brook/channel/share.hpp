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
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/sleeper.hpp>

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
    const Clock::time_point deadline = wait.deadline(state_->clock());
    {
      const Locked locked(*this);
      if (left.load(sync::seq_cst)) return Errc::closed;
      serve();
      if (waiters_.empty()) {
        const Found found = state_->take(*reader_, most, batch);
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

  /// With the registry's lock.
  std::size_t members = 0;

 private:
  struct Waiter {
    Waiter(wait::Sleeper& sleeping, std::uint64_t count, const sync::atomic<bool>& gone, Batch<Payload>& what)
        : sleeper(sleeping), ticket(sleeping), most(count), left(gone), batch(what) {}

    wait::Sleeper& sleeper;
    wait::Gate::Ticket ticket;
    std::uint64_t most;
    const sync::atomic<bool>& left;
    Batch<Payload>& batch;
    std::optional<Errc> failed{};
    bool served = false;  // and no longer in the queue
  };

  struct Locked {
    explicit Locked(Share& share) : held(share.mutex_) {}
    const core::Later later;
    const sync::unique_lock<sync::mutex> held;
  };

  [[nodiscard]] static std::optional<Errc> result_of(Found found) noexcept {
    return found == Found::over ? std::optional(Errc::closed) : std::nullopt;
  }

  // Its place in the queue, which it leaves when it is answered, or when the place dies.
  struct Place {
    Share& share;
    Waiter& waiter;
    typename std::list<Waiter*>::iterator at;

    ~Place() {
      const Locked locked(share);
      if (waiter.served) return;
      share.leave(at);
      share.serve();
    }
  };

  [[nodiscard]] std::optional<Errc> wait_for(std::uint64_t most, const Wait& wait, Clock::time_point deadline,
                                             const sync::atomic<bool>& left, Batch<Payload>& batch) {
    wait::Sleeper sleeper(state_->clock(), deadline, wait);
    Waiter waiter(sleeper, most, left, batch);
    const Place place{*this, waiter, join(waiter)};
    for (bool woken = true;; woken = sleeper.sleep()) {
      const Locked locked(*this);
      if (!waiter.served) serve();
      if (waiter.served) return waiter.failed;
      const bool stopped = wait.stop_requested();
      if (woken && !stopped) continue;
      // Before the lock is let go: whoever has it next would still serve this call.
      answer(place.at, stopped ? Errc::cancelled : Errc::timed_out);
      serve();
      return waiter.failed;
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
      const Found found = state_->take(*reader_, first.most, first.batch);
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
  std::list<Waiter*> waiters_;
};

}  // namespace brook::channel
