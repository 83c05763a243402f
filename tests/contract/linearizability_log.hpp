// linearizability_log.hpp — what a log does when it is used by one thread at a time: the specification by which recorded
// histories of appends, reads, erasures and trims are judged.
//
// A trim takes two steps: it decides which entries go, and later takes them away; appends may come in between, and stay.
// So a trim stands in a history as two operations with the same call and return (see with_trims_in_two_steps).
// A log with a bound trims by itself after appends, at any time while calls are running: what a read misses at the front
// is then taken for trimmed, if the bound allows it.
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

struct LogSpec {
  static constexpr std::uint64_t no_bound = std::numeric_limits<std::uint64_t>::max();

  struct Entry {
    Id id;
    int value = 0;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  struct State {
    std::vector<Entry> entries;
    Id last{};
    bool closed = false;
    std::map<int, std::vector<Id>> doomed{};  // per thread, what its trim has decided to take away
    std::uint64_t bound = no_bound;
  };

  enum class Kind { append, refuse_small, refuse_closed, read, read_back, length, erase, trim, decide, remove, close };

  struct Operation {
    Kind kind;
    int thread = 0;
    std::vector<Entry> entries{};    // appended, or read
    Id from{};                       // read: the first id; refuse_small: the id that was asked for
    std::uint64_t count = no_bound;  // read: at most so many; length, erase, trim: the result
    std::vector<Id> ids{};           // erase
    std::uint64_t keep = no_bound;   // trim: the length to cut to
    bool approximate = false;        // trim: whole segments only
  };

  static bool apply(State& state, const Operation& op) {
    switch (op.kind) {
      case Kind::append: return append(state, op);
      case Kind::refuse_small: return !state.closed && op.from <= state.last;
      case Kind::refuse_closed: return state.closed;
      case Kind::read: return read(state, op);
      case Kind::read_back: return read_back(state, op);
      case Kind::length: return length(state, op);
      case Kind::erase: return erase(state, op);
      case Kind::decide: return decide(state, op);
      case Kind::remove: return remove(state, op);
      case Kind::close: return std::exchange(state.closed, true) || true;
      case Kind::trim: break;
    }
    return false;
  }

  static std::string key(const State& state) {
    std::string key = state.closed ? "closed " : "";
    for (const Entry& entry : state.entries) key += to_string(entry.id) + ' ';
    key += '|' + to_string(state.last);
    for (const auto& [thread, ids] : state.doomed) key += '|' + std::to_string(thread) + ':' + shown(ids);
    return key;
  }

  static std::string describe(const Operation& op) {
    switch (op.kind) {
      case Kind::append: return "append " + shown(op.entries);
      case Kind::refuse_small: return "append at " + to_string(op.from) + " = id too small";
      case Kind::refuse_closed: return "append = closed";
      case Kind::read: return "read from " + to_string(op.from) + " = " + shown(op.entries);
      case Kind::read_back: return "read back = " + shown(op.entries);
      case Kind::length: return "length = " + std::to_string(op.count);
      case Kind::erase: return "erase " + shown(op.ids) + "= " + std::to_string(op.count);
      case Kind::trim: return "trim to " + std::to_string(op.keep) + " = " + std::to_string(op.count);
      case Kind::decide: return "trim to " + std::to_string(op.keep) + " = " + std::to_string(op.count) + ", decides";
      case Kind::remove: return "trim to " + std::to_string(op.keep) + " = " + std::to_string(op.count) + ", removes";
      case Kind::close: return "close";
    }
    return "?";
  }

 private:
  static bool append(State& state, const Operation& op) {
    if (state.closed || op.entries.front().id <= state.last) return false;
    for (std::size_t i = 1; i < op.entries.size(); ++i) {
      if (op.entries[i].id != op.entries[i - 1].id.next()) return false;
    }
    state.entries.insert(state.entries.end(), op.entries.begin(), op.entries.end());
    state.last = op.entries.back().id;
    return true;
  }

  static bool read(State& state, const Operation& op) {
    if (op.from == Id::min() && op.count == no_bound && !forget(state, op.entries.size())) return false;
    std::vector<Entry> expected;
    for (const Entry& entry : state.entries) {
      if (entry.id >= op.from && expected.size() < op.count) expected.push_back(entry);
    }
    return expected == op.entries;
  }

  static bool read_back(State& state, const Operation& op) {
    const std::size_t count = std::min<std::uint64_t>(op.count, state.entries.size());
    return std::vector(state.entries.rbegin(), state.entries.rbegin() + static_cast<std::ptrdiff_t>(count)) ==
           op.entries;
  }

  static bool length(State& state, const Operation& op) {
    return forget(state, op.count) && state.entries.size() == op.count;
  }

  // A log with a bound may have trimmed itself to `left` entries, if that many are within its rights.
  static bool forget(State& state, std::uint64_t left) {
    if (left >= state.entries.size()) return true;
    if (left < state.bound) return state.bound == no_bound;
    state.entries.erase(state.entries.begin(), state.entries.end() - static_cast<std::ptrdiff_t>(left));
    return true;
  }

  static bool erase(State& state, const Operation& op) {
    std::uint64_t erased = 0;
    for (const Id id : op.ids) {
      erased += std::erase_if(state.entries, [id](const Entry& entry) { return entry.id == id; });
    }
    return erased == op.count;
  }

  static bool decide(State& state, const Operation& op) {
    const std::uint64_t length = state.entries.size();
    const std::uint64_t excess = length > op.keep ? length - op.keep : 0;
    if (op.approximate ? op.count > excess : op.count != excess) return false;
    std::vector<Id> ids;
    for (std::size_t i = 0; i < op.count; ++i) ids.push_back(state.entries[i].id);
    return state.doomed.emplace(op.thread, std::move(ids)).second;
  }

  static bool remove(State& state, const Operation& op) {
    const auto doomed = state.doomed.find(op.thread);
    if (doomed == state.doomed.end()) return false;
    std::uint64_t removed = 0;
    for (const Id id : doomed->second) {
      removed += std::erase_if(state.entries, [id](const Entry& entry) { return entry.id == id; });
    }
    state.doomed.erase(doomed);
    return removed == op.count;
  }

  static std::string shown(const std::vector<Id>& ids) {
    std::string text;
    for (const Id id : ids) text += to_string(id) + ' ';
    return text;
  }
  static std::string shown(const std::vector<Entry>& entries) {
    std::string text = "{";
    for (const Entry& entry : entries) text += ' ' + std::to_string(entry.value) + " at " + to_string(entry.id);
    return text + " }";
  }
};

[[nodiscard]] inline std::vector<Call<LogSpec::Operation>> with_trims_in_two_steps(
    const std::vector<Call<LogSpec::Operation>>& calls) {
  std::vector<Call<LogSpec::Operation>> steps;
  for (const auto& call : calls) {
    steps.push_back(call);
    if (call.operation.kind != LogSpec::Kind::trim) continue;
    steps.back().operation.kind = LogSpec::Kind::decide;
    steps.push_back(call);
    steps.back().operation.kind = LogSpec::Kind::remove;
  }
  return steps;
}

}  // namespace brook::contract
