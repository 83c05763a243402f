// queue.hpp — the consumers of a group that wait for something to be delivered.
//
// Order among waiters   Blocked consumers stand in a queue. Whoever comes by with the group's mutex, be it a consumer that
// was woken or one that has just called, first serves the queue from its front, and only then itself. So entries go to
// those who have waited longest, whoever happens to run first.
//
// Who is woken   Only the front of the queue has a ticket at the stream's gate, so an entry wakes one consumer. When the
// queue changes, whoever changed it arms the new front's ticket and looks again (rows C, D of wait/gate.hpp).
//
// Locking   the group's mutex, then the gate's, then a sleeper's.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include <brook/error.hpp>
#include <brook/group/roster.hpp>
#include <brook/options.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::group {

template <class State>
class Queue {
 public:
  /// A blocked consumer, on its own stack.
  struct Waiter {
    Waiter(wait::Sleeper& sleeping, Member& who, const ReadOptions& how)
        : sleeper(sleeping), ticket(sleeping), member(who), options(how) {}

    wait::Sleeper& sleeper;
    wait::Gate::Ticket ticket;
    Member& member;
    const ReadOptions& options;
    expected<typename State::Batch, Errc> result{};
    bool served = false;
  };

  /// A waiter's place in the queue, which it leaves when it is served, or else when the place dies; with the mutex held.
  class Place {
   public:
    Place(wait::Gate& gate, Queue& queue, Waiter& waiter)
        : gate_(gate), queue_(queue), waiter_(waiter), at_(queue.waiters_.insert(queue.waiters_.end(), &waiter)) {}
    ~Place() {
      if (waiter_.served) return;
      gate_.disarm(waiter_.ticket);
      const bool was_first = queue_.waiters_.front() == &waiter_;
      queue_.waiters_.erase(at_);
      if (was_first) queue_.wake_first();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    wait::Gate& gate_;
    Queue& queue_;
    Waiter& waiter_;
    typename std::list<Waiter*>::iterator at_;
  };

  /// Gives what there is to those who wait, in their order, and everyone the news when nothing will come any more; then
  /// sees to it that the next entry wakes the first who still waits. Throws std::bad_alloc, and then who was not served
  /// still waits.
  void serve(typename State::StreamState& stream, State& group, typename State::Scan& scan) {
    while (!waiters_.empty()) {
      if (group.destroyed) {
        release(stream.gate, unexpected(Errc::no_such_group));
        continue;
      }
      Waiter& first = *waiters_.front();
      auto batch = group.take(stream, scan, first.member, first.options.count, first.options.no_ack);
      if (!batch.empty()) {
        release(stream.gate, std::move(batch));
        continue;
      }
      if (group.drained()) {
        release(stream.gate, unexpected(Errc::closed));
        continue;
      }
      stream.gate.arm(first.ticket);
      if (!group.cursor().moved()) return;
    }
  }

  /// Has the first who waits look for itself, and arm its own ticket.
  void wake_first() noexcept {
    if (!waiters_.empty()) waiters_.front()->sleeper.wake();
  }

 private:
  void release(wait::Gate& gate, expected<typename State::Batch, Errc> result) {
    Waiter& first = *waiters_.front();
    gate.disarm(first.ticket);
    waiters_.pop_front();
    first.result = std::move(result);
    first.served = true;
    first.sleeper.wake();
  }

  std::list<Waiter*> waiters_;
};

}  // namespace brook::group
