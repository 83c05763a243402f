// group_state.hpp — one consumer group: how far it has read, what is pending with whom, who waits.
//
// Order among waiters   Blocked consumers stand in a line. Whoever comes by with the group's mutex, be it a consumer that
// was woken or one that has just called, first serves the line from its front, and only then itself. So entries go to
// those who have waited longest, whoever happens to run first.
//
// Who is woken   Only the front of the line has a ticket at the stream's gate, so an entry wakes one consumer. When the
// line changes, whoever changed it arms the new front's ticket and looks again (rows C, D of wait/gate.hpp).
//
// Locking   mutex, then the gate's, then a sleeper's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/stream/state.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::stream {

/// An entry that was delivered and not acknowledged.
struct Pending {
  const std::string* consumer;  // key of GroupState::consumers
  std::uint64_t deliveries;
  Clock::time_point delivered;  // last
};

struct ConsumerState {
  std::uint64_t pending = 0;
};

template <class T>
struct GroupState {
  using StreamState = State<T>;
  using Consumers = std::map<std::string, ConsumerState, std::less<>>;

  /// A blocked consumer, on its own stack.
  struct Waiter {
    Waiter(wait::Sleeper& sleeping, typename Consumers::value_type& who, const ReadOptions& how)
        : sleeper(sleeping), ticket(sleeping), consumer(who), options(how) {}

    wait::Sleeper& sleeper;
    wait::Gate::Ticket ticket;
    typename Consumers::value_type& consumer;
    const ReadOptions& options;
    expected<Entries<T>, Errc> result{};
    bool served = false;
  };

  /// A waiter's place in the line, which it leaves when it is served, or else when the place dies; with the mutex held.
  class Place {
   public:
    Place(StreamState& stream, GroupState& group, Waiter& waiter)
        : stream_(stream), group_(group), waiter_(waiter), at_(group.line.insert(group.line.end(), &waiter)) {}
    ~Place() {
      if (waiter_.served) return;
      stream_.gate.disarm(waiter_.ticket);
      const bool was_first = group_.line.front() == &waiter_;
      group_.line.erase(at_);
      if (was_first) group_.wake_first();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    StreamState& stream_;
    GroupState& group_;
    Waiter& waiter_;
    typename std::list<Waiter*>::iterator at_;
  };

  GroupState(std::string_view its_name, Id start) : name(its_name), last_delivered(start) {}

  /// New entries for a consumer, which become pending with it; empty when there are none. Throws std::bad_alloc, and
  /// then nothing was delivered.
  [[nodiscard]] Entries<T> take(StreamState& stream, typename StreamState::View& view,
                                typename Consumers::value_type& consumer, const ReadOptions& options) {
    if (last_delivered == Id::max()) return {};
    Entries<T> entries = stream.collect(view, last_delivered.next(), Id::max(), options.count);
    if (entries.empty()) return entries;
    if (!options.no_ack) make_pending(entries, consumer, stream.clock().now());
    last_delivered = entries.back().id;
    return entries;
  }

  /// Gives what there is to those who wait, in their order, and everyone the news when nothing will come any more; then
  /// sees to it that the next entry wakes the first who still waits.
  void serve(StreamState& stream) {
    while (!line.empty()) {
      if (destroyed) {
        release(stream, unexpected(Errc::no_such_group));
        continue;
      }
      Waiter& first = *line.front();
      auto view = stream.timeline.look();
      Entries<T> entries = take(stream, view, first.consumer, first.options);
      if (!entries.empty()) release(stream, std::move(entries));
      else if (view.end.sealed) release(stream, unexpected(Errc::closed));
      else {
        stream.gate.arm(first.ticket);
        if (!view.end.moved()) return;
      }
    }
  }

  /// Has the first who waits look for itself, and arm its own ticket.
  void wake_first() noexcept {
    if (!line.empty()) line.front()->sleeper.wake();
  }

  const std::string name;
  sync::mutex mutex;  // guards all that follows
  Id last_delivered;
  std::map<Id, Pending> pending;
  Consumers consumers;
  std::list<Waiter*> line;
  bool destroyed = false;

 private:
  // An entry that was pending already, with whomever, is now pending with this consumer, as if for the first time.
  void make_pending(const Entries<T>& entries, typename Consumers::value_type& consumer, Clock::time_point now) {
    std::map<Id, Pending> fresh;  // all that may throw comes before the first change
    for (const auto& entry : entries) fresh.emplace_hint(fresh.end(), entry.id, Pending{&consumer.first, 1, now});
    while (!fresh.empty()) {
      auto node = fresh.extract(fresh.begin());
      const auto old = pending.lower_bound(node.key());
      if (old != pending.end() && old->first == node.key()) {
        --consumers.find(*old->second.consumer)->second.pending;
        old->second = node.mapped();
      } else {
        pending.insert(old, std::move(node));
      }
      ++consumer.second.pending;
    }
  }

  void release(StreamState& stream, expected<Entries<T>, Errc> result) {
    Waiter& first = *line.front();
    stream.gate.disarm(first.ticket);
    line.pop_front();
    first.result = std::move(result);
    first.served = true;
    first.sleeper.wake();
  }
};

}  // namespace brook::stream
