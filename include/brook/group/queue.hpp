// queue.hpp — the consumers of a group that wait for something to be delivered.
//
// Order among waiters   Blocked consumers stand in a queue. Whoever comes by with the group's mutex, be it a consumer that
// was woken or one that has just called, first serves the queue from its front, and only then itself. So entries go to
// those who have waited longest, whoever happens to run first. When the front waits for other things as well, and one of them
// is just deciding whether it has something for it (wait/choice.hpp), nobody behind it is served: it comes by, or leaves, once
// that is decided. Only a read that does not wait is not kept waiting, either, and takes what there is.
//
// Who is woken   Only the front of the queue has a ticket at the stream's gate, so an entry wakes one consumer. When the
// queue changes, whoever changed it arms the new front's ticket and looks again (rows C, D of wait/gate.hpp).
//
// Locking   the group's mutex, then the gate's, then a sleeper's.
#pragma once

#include <exception>
#include <list>
#include <memory>
#include <optional>

#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/group/roster.hpp>
#include <brook/options.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::group {

template <class State>
class Queue {
 public:
  /// A blocked consumer.
  struct Waiter {
    Waiter(wait::Wakeable& sleeping, const std::shared_ptr<Member>& who, const ReadOptions& how,
           typename State::Batch& what, const wait::Bid& its_bid = {})
        : sleeper(sleeping), bid(its_bid), ticket(sleeping), member(who), options(how), batch(what) {}

    wait::Wakeable& sleeper;
    const wait::Bid bid;
    wait::Gate::Ticket ticket;
    const std::shared_ptr<Member>& member;
    const ReadOptions& options;
    typename State::Batch& batch;                        // once it is served, filled
    std::optional<Errc> failed{};                        // or why not
    Clock::time_point alarm = Clock::time_point::max();  // when it looks again by itself
    bool served = false;                                 // and no longer in the queue
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
  /// sees to it that the next entry wakes the first who still waits. One who waits serves himself and those before him, and
  /// leaves the others to the next (`until`). False when the first could not be asked. Throws std::bad_alloc: then whoever
  /// could not be served looks for himself.
  bool serve(typename State::StreamState& stream, State& group, const Waiter* until = nullptr) {
    return waiters_.empty() || serve_waiters(stream, group, until);
  }

  /// Has the first who waits look for itself, and arm its own ticket.
  void wake_first() noexcept {
    if (!waiters_.empty()) waiters_.front()->sleeper.wake();
  }

 private:
  [[gnu::noinline]] bool serve_waiters(typename State::StreamState& stream, State& group, const Waiter* until) {
    for (auto at = waiters_.begin(); at != waiters_.end() && (until == nullptr || !until->served);) {
      Waiter& waiter = **at;
      const WakeOnFailure failure{waiter.sleeper};
      const bool first = at == waiters_.begin();
      if (group.destroyed) {
        at = release(stream.gate, at, Errc::no_such_group);
        continue;
      }
      Member* const member = group.present(waiter.member, stream.clock());  // it may have been deleted
      if (member == nullptr) {
        at = release(stream.gate, at, Errc::full);
        continue;
      }
      wait::Decision decision(waiter.bid);
      if (decision.granted() && (first || waiter.options.claim_idle || group.managed()))
        group.take(stream, *member, waiter.options, waiter.batch);
      if (!waiter.batch.empty()) decision.take();
      if (decision.over()) {  // with this, or with something else
        at = release(stream.gate, at);
        continue;
      }
      if (!decision.granted()) {  // it comes by, or leaves, once that is decided
        if (first) return false;
        ++at;
        continue;
      }
      if (first && group.drained(stream)) {
        at = release(stream.gate, at, Errc::closed);
        continue;
      }
      if (first) {
        stream.gate.arm(waiter.ticket);
        if ((group.moved() && group.room_for(*member) > 0) || group.drained(stream)) continue;
      }
      if (group.next_due(*member, waiter.options) < waiter.alarm) waiter.sleeper.wake();
      ++at;
    }
    return true;
  }

  // Has a waiter look for himself when an exception keeps others from serving him.
  struct WakeOnFailure {
    wait::Wakeable& sleeper;
    int exceptions = std::uncaught_exceptions();
    ~WakeOnFailure() {
      if (std::uncaught_exceptions() > exceptions) sleeper.wake();
    }
  };

  typename std::list<Waiter*>::iterator release(wait::Gate& gate, typename std::list<Waiter*>::iterator at,
                                                std::optional<Errc> failed = std::nullopt) {
    Waiter& waiter = **at;
    gate.disarm(waiter.ticket);
    const auto next = waiters_.erase(at);
    waiter.failed = failed;
    waiter.served = true;
    waiter.sleeper.wake();
    return next;
  }

  std::list<Waiter*> waiters_;
};

}  // namespace brook::group
