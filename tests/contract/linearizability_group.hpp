// linearizability_group.hpp — what one consumer group does when it is used by one thread at a time: the specification
// by which recorded histories of it and of its stream are judged. Time stands still in them, and nobody asks for a delay:
// what came back to the group has waited equally long, and is delivered again by increasing ids, before what is new.
//
// Not one step (see in_single_steps): a trim, and an erase of several, decide which entries go, and take them away later;
// an acknowledgement of several ids is one after another. Each stands in a history as several operations with the same call and return.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <brook/id.hpp>

#include "linearizability.hpp"

namespace brook::contract {

struct GroupSpec {
  static constexpr std::uint64_t no_bound = std::numeric_limits<std::uint64_t>::max();
  static constexpr char nobody = '-';

  struct Entry {
    Id id;
    int value = 0;
    std::uint64_t count = 0;  // of a delivery: how often delivered, this time included
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  struct Pending {
    Id id;
    char owner = nobody;
    std::uint64_t count = 0;
  };

  struct State {
    std::vector<Entry> entries{};
    std::uint64_t added = 0;
    Id last{};  // delivered for the first time
    std::uint64_t lost = 0;
    bool closed = false;
    std::string consumers{};  // the names are letters
    std::vector<Pending> pending{};
    std::map<int, std::vector<Id>> doomed{};  // per thread, what its trim or erase takes away
    std::map<int, std::uint64_t> partly{};    // per thread, its unfinished acknowledgement: 100 * ids + those pending
  };

  enum class Kind {
    append,
    refuse,
    close,
    erase,
    trim,
    decide,
    remove,  // of the stream
    read,
    read_closed,
    history,
    claim,
    sweep,  // of a consumer
    ack,
    nack,
    ack_several,
    ack_part,
    strike,
    summary,
    list,
    info  // of a delivery and of the group
  };

  struct Operation {
    Kind kind;
    int thread = 0;
    char who = nobody;               // the consumer; nack: to whom it had been delivered
    std::vector<Entry> entries{};    // appended, or delivered; nack: that delivery
    std::vector<Id> ids{};           // erase, claim, acknowledgements: of what; sweep: the result `deleted`
    Id from{};                       // history: after this; sweep: from this on; ack_part: the id
    Id next{};                       // sweep: the result
    std::uint64_t count = no_bound;  // deliveries: at most so many; ack, nack: 1 for true; else the result
    std::uint64_t keep = no_bound;   // trim: the length to cut to
    bool uncounted = false;          // claim, nack
    std::string text{};              // summary, list, info: the result
  };

  static bool apply(State& state, const Operation& op) {
    switch (op.kind) {
      case Kind::append: return append(state, op);
      case Kind::refuse: return state.closed;
      case Kind::close: return std::exchange(state.closed, true) || true;
      case Kind::erase: return erase(state, op.ids) == op.count;
      case Kind::decide: return decide(state, op);
      case Kind::remove: return remove(state, op);
      case Kind::read: return read(state, op) && !(state.closed && op.entries.empty());
      case Kind::read_closed: return read(state, op) && state.closed;
      case Kind::history: return history(state, op);
      case Kind::claim: return claim(state, op);
      case Kind::sweep: return sweep(state, op);
      case Kind::ack: return settle(state, op.ids.front()) == op.count;
      case Kind::nack: return nack(state, op) == (op.count == 1);
      case Kind::ack_part: return ack_part(state, op);
      case Kind::strike: return strike(state, op) == op.count;
      case Kind::summary: return op.text == summary(state);
      case Kind::list: return op.text == list(state);
      case Kind::info: return op.text == info(state);
      case Kind::ack_several:
      case Kind::trim: break;
    }
    return false;
  }

  static std::string key(const State& state) {
    std::string key = (state.closed ? "closed " : "") + shown(state.entries) + info(state) + list(state);
    for (const auto& [thread, ids] : state.doomed) key += '|' + std::to_string(thread) + ':' + shown(ids);
    for (const auto& [thread, sum] : state.partly) key += '|' + std::to_string(thread) + '=' + std::to_string(sum);
    return key + state.consumers;
  }

  static std::string describe(const Operation& op) {
    const std::string count = op.count == no_bound ? "all" : std::to_string(op.count);
    const std::string trim =
        (op.ids.empty() ? "trim to " + std::to_string(op.keep) : "erase " + shown(op.ids)) + " = " + count;
    const std::string delivered = " = " + shown(op.entries);
    const std::string who(1, op.who);
    switch (op.kind) {
      case Kind::append: return "append " + shown(op.entries);
      case Kind::refuse: return "append = closed";
      case Kind::close: return "close";
      case Kind::erase: return "erase " + shown(op.ids) + "= " + count;
      case Kind::trim: return trim;
      case Kind::decide: return trim + ", decides";
      case Kind::remove: return trim + ", removes";
      case Kind::read: return who + " reads " + count + delivered;
      case Kind::read_closed: return who + " reads = closed";
      case Kind::history: return who + " has, after " + to_string(op.from) + ", " + count + delivered;
      case Kind::claim: return who + " claims " + shown(op.ids) + (op.uncounted ? "uncounted" : "") + delivered;
      case Kind::sweep:
        return who + " claims from " + to_string(op.from) + " on " + count + delivered + ", next " +
               to_string(op.next) + ", deleted " + shown(op.ids);
      case Kind::ack: return "ack " + shown(op.ids) + "= " + count;
      case Kind::nack: return who + " nacks " + (op.uncounted ? "uncounted " : "") + shown(op.entries) + " = " + count;
      case Kind::ack_several: return "ack " + shown(op.ids) + "= " + count;
      case Kind::ack_part: return "ack " + shown(op.ids) + "= " + count + ", the part " + to_string(op.from);
      case Kind::strike: return "delete consumer " + who + " = " + count;
      case Kind::summary:
      case Kind::list:
      case Kind::info: return op.text;
    }
    return "?";
  }

  // — what the group tells, as the text of an operation —

  static std::string summary(std::uint64_t count, Id first, Id last) {
    return "pending " + std::to_string(count) + " from " + to_string(first) + " to " + to_string(last);
  }
  static std::string share(char who, std::uint64_t count) { return ", " + std::string(1, who) + std::to_string(count); }
  static std::string line(Id id, char owner, std::uint64_t count) {
    return ' ' + to_string(id) + owner + std::to_string(count);
  }
  struct Told {
    std::uint64_t consumers, pending, returned, read, lag, lost;
    Id last;
  };
  static std::string info(const Told& told) {
    std::string text = "group";
    for (const auto number : {told.consumers, told.pending, told.returned, told.read, told.lag, told.lost})
      text += ' ' + std::to_string(number);
    return text + " last " + to_string(told.last);
  }

 private:
  static bool append(State& state, const Operation& op) {
    if (state.closed || (!state.entries.empty() && op.entries.front().id <= state.entries.back().id)) return false;
    state.entries.insert(state.entries.end(), op.entries.begin(), op.entries.end());
    state.added += op.entries.size();
    return true;
  }

  static std::uint64_t erase(State& state, const std::vector<Id>& ids) {
    std::uint64_t erased = 0;
    for (const Id id : ids) {
      if (std::erase_if(state.entries, [id](const Entry& entry) { return entry.id == id; }) == 0) continue;
      ++erased;
      state.lost += id > state.last ? 1 : 0;
    }
    return erased;
  }

  static bool decide(State& state, const Operation& op) {
    const std::uint64_t length = state.entries.size();
    const std::uint64_t excess = op.ids.empty() && length > op.keep ? length - op.keep : 0;
    std::vector<Id> ids;
    for (std::size_t i = 0; i < length; ++i) {
      const Id id = state.entries[i].id;
      if (i < excess || std::ranges::count(op.ids, id) > 0) ids.push_back(id);
    }
    if (op.count != ids.size()) return false;
    return state.doomed.emplace(op.thread, std::move(ids)).second;
  }

  static bool remove(State& state, const Operation& op) {
    const auto doomed = state.doomed.find(op.thread);
    if (doomed == state.doomed.end()) return false;
    const std::uint64_t removed = erase(state, doomed->second);
    state.doomed.erase(doomed);
    return removed == op.count;
  }

  static void enlist(State& state, char who) {
    if (state.consumers.find(who) != std::string::npos) return;
    state.consumers += who;
    std::ranges::sort(state.consumers);
  }

  // What is pending is delivered once more. False, and no delivery, when it has left the stream.
  static bool deliver(const State& state, Pending& pending, const Operation& op, std::vector<Entry>& delivered) {
    const auto entry = std::ranges::find(state.entries, pending.id, &Entry::id);
    if (entry == state.entries.end()) return false;
    pending.owner = op.who;
    pending.count += op.uncounted ? 0 : 1;
    delivered.push_back({entry->id, entry->value, pending.count});
    return true;
  }

  // What came back, and has not left the stream, comes first.
  static bool read(State& state, const Operation& op) {
    enlist(state, op.who);
    std::vector<Entry> delivered;
    std::vector<Id> gone;
    for (Pending& pending : state.pending) {
      if (delivered.size() == op.count) break;
      if (pending.owner == nobody && !deliver(state, pending, op, delivered)) gone.push_back(pending.id);
    }
    for (const Id id : gone) settle(state, id);
    for (const Entry& entry : state.entries) {
      if (delivered.size() == op.count) break;
      if (entry.id <= state.last) continue;
      state.pending.push_back({entry.id, op.who, 1});
      state.last = entry.id;
      delivered.push_back({entry.id, entry.value, 1});
    }
    return delivered == op.entries;
  }

  static bool history(State& state, const Operation& op) {
    enlist(state, op.who);
    std::vector<Entry> delivered;
    for (Pending& pending : state.pending) {
      if (pending.owner != op.who || pending.id <= op.from || delivered.size() == op.count) continue;
      deliver(state, pending, op, delivered);
    }
    return delivered == op.entries;
  }

  static bool claim(State& state, const Operation& op) {
    enlist(state, op.who);
    std::vector<Entry> delivered;
    for (const Id id : op.ids) {
      const auto pending = std::ranges::find(state.pending, id, &Pending::id);
      if (pending != state.pending.end() && !deliver(state, *pending, op, delivered)) state.pending.erase(pending);
    }
    return delivered == op.entries;
  }

  static bool sweep(State& state, const Operation& op) {
    enlist(state, op.who);
    std::vector<Entry> delivered;
    std::vector<Id> deleted;
    Id next{};
    for (Pending& pending : state.pending) {
      if (pending.id < op.from) continue;
      if (delivered.size() + deleted.size() == op.count) {
        next = pending.id;
        break;
      }
      if (!deliver(state, pending, op, delivered)) deleted.push_back(pending.id);
    }
    for (const Id id : deleted) settle(state, id);
    return delivered == op.entries && deleted == op.ids && next == op.next;
  }

  // Not pending any more; 1 if it was.
  static std::uint64_t settle(State& state, Id id) {
    return std::erase_if(state.pending, [id](const Pending& pending) { return pending.id == id; });
  }

  static bool ack_part(State& state, const Operation& op) {
    std::uint64_t& sum = state.partly[op.thread];
    sum += 100 + settle(state, op.from);
    if (sum / 100 < op.ids.size()) return true;
    const bool right = sum % 100 == op.count;
    state.partly.erase(op.thread);
    return right;
  }

  static bool nack(State& state, const Operation& op) {
    const Entry& delivery = op.entries.front();
    const auto pending = std::ranges::find(state.pending, delivery.id, &Pending::id);
    if (pending == state.pending.end() || pending->owner != op.who || pending->count != delivery.count) return false;
    pending->owner = nobody;
    pending->count -= op.uncounted && pending->count > 0 ? 1 : 0;
    return true;
  }

  static std::uint64_t strike(State& state, const Operation& op) {
    const std::uint64_t pending = pending_with(state, op.who);
    for (Pending& entry : state.pending) {
      if (entry.owner == op.who) entry.owner = nobody;
    }
    std::erase(state.consumers, op.who);
    return pending;
  }

  static std::uint64_t pending_with(const State& state, char who) {
    return static_cast<std::uint64_t>(std::ranges::count(state.pending, who, &Pending::owner));
  }

  static std::string summary(const State& state) {
    const bool none = state.pending.empty();
    std::string text =
        summary(state.pending.size(), none ? Id() : state.pending.front().id, none ? Id() : state.pending.back().id);
    for (const char who : state.consumers) {
      if (const auto count = pending_with(state, who); count > 0) text += share(who, count);
    }
    return text;
  }

  static std::string list(const State& state) {
    std::string text = "pending";
    for (const Pending& pending : state.pending) text += line(pending.id, pending.owner, pending.count);
    return text;
  }

  static std::string info(const State& state) {
    const auto undelivered = std::ranges::count_if(state.entries, [&](const Entry& e) { return e.id > state.last; });
    const auto lag = static_cast<std::uint64_t>(undelivered);
    return info({.consumers = state.consumers.size(),
                 .pending = state.pending.size(),
                 .returned = pending_with(state, nobody),
                 .read = state.added - lag,
                 .lag = lag,
                 .lost = state.lost,
                 .last = state.last});
  }

  static std::string shown(const std::vector<Id>& ids) {
    std::string text;
    for (const Id id : ids) text += to_string(id) + ' ';
    return text;
  }
  static std::string shown(const std::vector<Entry>& entries) {
    std::string text = "{";
    for (const Entry& entry : entries) {
      text += ' ' + std::to_string(entry.value) + " at " + to_string(entry.id);
      if (entry.count > 0) text += " x" + std::to_string(entry.count);
    }
    return text + " }";
  }
};

[[nodiscard]] inline std::vector<Call<GroupSpec::Operation>> in_single_steps(
    const std::vector<Call<GroupSpec::Operation>>& calls) {
  using Kind = GroupSpec::Kind;
  std::vector<Call<GroupSpec::Operation>> steps;
  for (const auto& call : calls) {
    steps.push_back(call);
    Kind& kind = steps.back().operation.kind;
    if (kind == Kind::trim || (kind == Kind::erase && call.operation.ids.size() > 1)) {
      kind = Kind::decide;
      steps.push_back(call);
      steps.back().operation.kind = Kind::remove;
    } else if (kind == Kind::ack_several) {
      steps.pop_back();
      for (const Id id : call.operation.ids) {
        steps.push_back(call);
        steps.back().operation.kind = Kind::ack_part;
        steps.back().operation.from = id;
      }
    }
  }
  return steps;
}

}  // namespace brook::contract
