// linearizability_list.hpp — what two lists do when they are used by one thread at a time: the specification by which
// recorded histories of a BlockingList, or of two, are judged.
//
// A call that waits for elements is a pop at the instant when it gets one. When it ends with nothing there must have been
// an instant at which it could have got none: an element that is there wins over a deadline.
// pop_batch gathers in several gulps, each of all that it can get. It stands in a history as one step for each element
// (see in_steps); while one is under way, what comes to its list goes to it, before anything else happens.
// A push of more than a list can hold that drops the oldest is two steps: between them who waits is served.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <brook/options.hpp>

#include "linearizability.hpp"

namespace brook::contract {

struct ListSpec {
  static constexpr std::size_t no_bound = std::numeric_limits<std::size_t>::max();
  static constexpr int nobody = -1;

  struct List {
    std::deque<int> elements{};
    bool closed = false;
    int gatherer = nobody;  // the thread of a pop_batch that has something, but not enough
    std::size_t gathered = 0;
    int dropping = nobody;  // the thread of a push that has yet to drop what is too much
    bool moved_on = false;  // meanwhile: one was moved to the other list, where it serves who waits

    [[nodiscard]] bool dry() const { return elements.empty() && closed; }
  };
  struct State {
    List lists[2]{};
    std::size_t capacity = no_bound;
    bool drops = false;
  };

  enum class Kind {
    push,       // values at a side
    push_wait,  // one that waits for room, and drops nothing
    push_if,    // lpushx: number is the length
    pop,        // up to count
    wait,       // blpop, brpop
    move,       // lmove, with the value that went
    wait_move,
    pop_any,   // lmpop over both lists: `list` is the one that served
    wait_any,  // blpop, brpop over both
    batch,     // pop_batch, not yet in steps
    take,      // the step-th value of a batch
    end,       // of a batch that did not get enough
    drop,      // of what is too much after a push
    size,
    range,
    index,
    set,
    insert,  // beside the value `first`, `count` places behind
    remove,  // lrem of the value `last`, count `first`
    trim,
    clear,
    close,
    info,   // number is the length, count whether it is closed
    broken  // what no state explains
  };
  enum class Result { done, nothing, closed, full, timed_out, invalid };

  struct Operation {
    Kind kind;
    int list = 0;
    Side side = Side::left;
    std::vector<int> values{};  // that went in or came out
    Result result = Result::done;
    std::size_t count = 1;
    std::size_t number = 0;  // a length, or how many
    std::ptrdiff_t first = 0;
    std::ptrdiff_t last = 0;
    int to = 0;
    Side to_side = Side::left;
    std::size_t least = 1;
    int thread = 0;
    std::size_t step = 0;
  };

  static bool apply(State& state, const Operation& op) {
    for (int i = 0; i < 2; ++i) {
      const List& list = state.lists[i];
      if (list.gatherer == nobody || list.elements.empty()) continue;
      if (op.kind != Kind::take || op.list != i) return false;
    }
    for (int i = 0; i < 2; ++i)
      if (state.lists[i].dropping != nobody && !may_come_before_drop(state.lists[i], i, op)) return false;
    List& list = state.lists[op.list];
    switch (op.kind) {
      case Kind::push: return push(state, list, op, state.drops);
      case Kind::push_wait: return push(state, list, op, false);
      case Kind::push_if: return push_if(state, list, op);
      case Kind::pop: return pop(list, op);
      case Kind::wait: return wait(list, op);
      case Kind::move:
      case Kind::wait_move: return move(state, list, op);
      case Kind::pop_any:
      case Kind::wait_any: return pop_any(state, op);
      case Kind::take: return take(list, op);
      case Kind::end: return end(list, op);
      case Kind::drop: return drop(state, list, op);
      case Kind::close: return list.closed = true;
      case Kind::info: return list.elements.size() == op.number && list.closed == (op.count != 0);
      case Kind::batch:
      case Kind::broken: return false;
      default: return apply_at_positions(state, list, op);
    }
  }

  static std::string key(const State& state) {
    std::string key;
    for (const List& list : state.lists) {
      key += list.closed ? "closed" : "";
      if (list.gatherer != nobody) key += '<' + std::to_string(list.gatherer) + ':' + std::to_string(list.gathered);
      if (list.dropping != nobody) key += '>' + std::to_string(list.dropping) + (list.moved_on ? "!" : "");
      for (const int value : list.elements) key += ' ' + std::to_string(value);
      key += '|';
    }
    return key;
  }

  static std::string describe(const Operation& op) {
    static constexpr const char* kinds[] = {"push",  "bpush",  "pushx", "pop",  "bpop",  "lmove", "blmove", "lmpop",
                                            "bmpop", "batch",  "take",  "end",  "drop",  "size",  "range",  "index",
                                            "set",   "insert", "rem",   "trim", "clear", "close", "info",   "broken"};
    static constexpr const char* results[] = {"", "nothing", "closed", "full", "timed out", "invalid"};
    const auto side = [](Side at) { return at == Side::left ? "l" : "r"; };
    std::string text = side(op.side) + std::string(kinds[static_cast<int>(op.kind)]) + " " + "AB"[op.list];
    if (op.kind == Kind::move || op.kind == Kind::wait_move) text += std::string(" ") + "AB"[op.to] + side(op.to_side);
    if (op.count != 1) text += " count " + std::to_string(op.count);
    if (op.first != 0 || op.last != 0) text += " at " + std::to_string(op.first) + ' ' + std::to_string(op.last);
    if (op.kind == Kind::take || op.kind == Kind::end)
      text += " least " + std::to_string(op.least) + " step " + std::to_string(op.step);
    for (const int value : op.values) text += ' ' + std::to_string(value);
    text += " = ";
    if (op.number != 0) text += std::to_string(op.number);
    return text + results[static_cast<int>(op.result)];
  }

  /// Whether a push is of more than the list can hold, and so in two steps.
  [[nodiscard]] static bool drops_later(const State& state, const Operation& op) {
    return op.kind == Kind::push && op.result == Result::done && state.drops && op.values.size() > state.capacity;
  }

 private:
  [[nodiscard]] static bool fits(const State& state, const List& list, std::size_t values) {
    return state.capacity == no_bound || list.elements.size() + values <= state.capacity;
  }

  static void add(std::deque<int>& elements, Side side, int value) {
    if (side == Side::left) elements.push_front(value);
    else elements.push_back(value);
  }
  [[nodiscard]] static int at_end(const std::deque<int>& elements, Side side) {
    return side == Side::left ? elements.front() : elements.back();
  }
  static void remove_end(std::deque<int>& elements, Side side) {
    if (side == Side::left) elements.pop_front();
    else elements.pop_back();
  }

  // Refusals that all operations which add have in common.
  [[nodiscard]] static bool refused(const State& state, const List& list, Result why, std::size_t values) {
    if (why == Result::closed) return list.closed;
    return (why == Result::full || why == Result::timed_out) && !list.closed && !fits(state, list, values);
  }

  static bool push(const State& state, List& list, const Operation& op, bool drops) {
    if (op.result == Result::full && drops) return false;
    if (op.result != Result::done) return refused(state, list, op.result, op.values.size());
    if (list.closed || (!drops && !fits(state, list, op.values.size()))) return false;
    for (const int value : op.values) add(list.elements, op.side, value);
    if (drops_later(state, op)) {
      list.dropping = op.thread;
      return true;
    }
    while (list.elements.size() > state.capacity) remove_end(list.elements, opposite(op.side));
    return true;
  }

  // Only calls that waited at the list, or at the other one when that was given something by one of them, and the rest of the push.
  [[nodiscard]] static bool may_come_before_drop(const List& dropping, int list, const Operation& op) {
    switch (op.kind) {
      case Kind::wait:
      case Kind::wait_any:
      case Kind::wait_move:
      case Kind::take: return op.list == list || dropping.moved_on;
      case Kind::drop: return op.list == list && op.thread == dropping.dropping;
      default: return false;
    }
  }

  static bool drop(const State& state, List& list, const Operation& op) {
    if (list.dropping != op.thread) return false;
    while (list.elements.size() > state.capacity) remove_end(list.elements, opposite(op.side));
    list.dropping = nobody;
    list.moved_on = false;
    return true;
  }

  static bool push_if(const State& state, List& list, const Operation& op) {
    if (op.result == Result::full) return !list.elements.empty() && !state.drops && refused(state, list, op.result, 1);
    if (op.result != Result::done) return refused(state, list, op.result, 1);
    if (list.closed) return false;
    if (list.elements.empty()) return op.number == 0;
    return push(state, list, op, state.drops) && list.elements.size() == op.number;
  }

  static bool pop(List& list, const Operation& op) {
    if (op.values.size() != std::min(op.count, list.elements.size())) return false;
    for (const int value : op.values) {
      if (at_end(list.elements, op.side) != value) return false;
      remove_end(list.elements, op.side);
    }
    return true;
  }

  static bool wait(List& list, const Operation& op) {
    if (op.result == Result::done) return pop(list, op);
    if (op.result == Result::closed) return list.dry();
    return op.result == Result::timed_out && list.elements.empty() && !list.closed;
  }

  static bool move(State& state, List& from, const Operation& op) {
    List& to = state.lists[op.to];
    const bool room = &to == &from || fits(state, to, 1);
    switch (op.result) {
      case Result::done: break;
      case Result::nothing: return from.elements.empty() || to.closed || !room;
      case Result::closed: return from.dry() || to.closed;
      case Result::full: return !from.elements.empty() && !to.closed && !room;
      default: return op.result == Result::timed_out && from.elements.empty() && !from.closed && !to.closed;
    }
    if (from.elements.empty() || to.closed || !room || at_end(from.elements, op.side) != op.values.front())
      return false;
    remove_end(from.elements, op.side);
    add(to.elements, op.to_side, op.values.front());
    if (from.dropping != nobody && &to != &from) from.moved_on = true;
    return true;
  }

  static bool pop_any(State& state, const Operation& op) {
    List& one = state.lists[0];
    List& two = state.lists[1];
    const bool none = one.elements.empty() && two.elements.empty();
    if (op.result == Result::nothing) return none;
    if (op.result == Result::closed) return one.dry() && two.dry();
    if (op.result == Result::timed_out) return none && !(one.closed && two.closed);
    if (op.result != Result::done || op.values.empty() || (op.list == 1 && !one.elements.empty())) return false;
    return pop(state.lists[op.list], op);
  }

  static bool take(List& list, const Operation& op) {
    if (op.step == 0 ? list.gatherer != nobody : list.gatherer != op.thread || list.gathered != op.step) return false;
    if (list.elements.empty() || list.elements.front() != op.values[op.step]) return false;
    list.elements.pop_front();
    const std::size_t got = op.step + 1;
    const bool gulped = list.elements.empty() || got == op.count;
    const bool enough = gulped && got >= op.least;
    if (enough || !gulped) {
      if (enough != (got == op.values.size())) return false;
    }
    list.gatherer = enough ? nobody : op.thread;
    list.gathered = enough ? 0 : got;
    return true;
  }

  static bool end(List& list, const Operation& op) {
    if (!list.elements.empty()) return false;
    if (op.values.empty()) return op.result == Result::closed ? list.closed : !list.closed;
    if (list.gatherer != op.thread || list.gathered != op.values.size()) return false;
    list.gatherer = nobody;
    list.gathered = 0;
    return true;
  }

  static bool apply_at_positions(const State& state, List& list, const Operation& op) {
    auto& elements = list.elements;
    switch (op.kind) {
      case Kind::size: return elements.size() == op.number;
      case Kind::range: return std::ranges::equal(between(elements, op.first, op.last), op.values);
      case Kind::index: return std::ranges::equal(between(elements, op.first, op.first), op.values);
      case Kind::set: return set(list, op);
      case Kind::insert: return insert(state, list, op);
      case Kind::remove: return remove(elements, op);
      case Kind::trim: elements = between(elements, op.first, op.last); return true;
      case Kind::clear: return std::exchange(elements, {}).size() == op.number;
      default: return false;
    }
  }

  static std::deque<int> between(const std::deque<int>& elements, std::ptrdiff_t first, std::ptrdiff_t last) {
    const auto n = static_cast<std::ptrdiff_t>(elements.size());
    first += first < 0 ? n : 0;
    last += last < 0 ? n : 0;
    std::deque<int> some;
    for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(first, 0); i <= last && i < n; ++i)
      some.push_back(elements[static_cast<std::size_t>(i)]);
    return some;
  }

  static bool set(List& list, const Operation& op) {
    if (op.result == Result::closed) return list.closed;
    if (list.closed) return false;
    const auto n = static_cast<std::ptrdiff_t>(list.elements.size());
    const std::ptrdiff_t at = op.first + (op.first < 0 ? n : 0);
    if (at < 0 || at >= n) return op.result == Result::invalid;
    list.elements[static_cast<std::size_t>(at)] = op.values.front();
    return op.result == Result::done;
  }

  static bool insert(const State& state, List& list, const Operation& op) {
    if (op.result == Result::closed) return list.closed;
    if (list.closed) return false;
    const auto pivot = std::ranges::find(list.elements, static_cast<int>(op.first));
    if (pivot == list.elements.end()) return op.result == Result::nothing;
    if (!fits(state, list, 1)) return op.result == Result::full;
    list.elements.insert(pivot + static_cast<std::ptrdiff_t>(op.count), op.values.front());
    return op.result == Result::done && list.elements.size() == op.number;
  }

  static bool remove(std::deque<int>& elements, const Operation& op) {
    const auto wanted = static_cast<std::size_t>(op.first < 0 ? -op.first : op.first);
    std::size_t removed = 0;
    if (op.first < 0) std::ranges::reverse(elements);
    std::erase_if(elements, [&](int value) {
      if (value != op.last || (wanted != 0 && removed == wanted)) return false;
      return ++removed > 0;
    });
    if (op.first < 0) std::ranges::reverse(elements);
    return removed == op.number;
  }
};

/// The calls as the steps that the specification knows.
[[nodiscard]] inline std::vector<Call<ListSpec::Operation>> in_steps(
    const std::vector<Call<ListSpec::Operation>>& calls, const ListSpec::State& start) {
  std::vector<Call<ListSpec::Operation>> steps;
  for (const auto& call : calls) {
    steps.push_back(call);
    if (ListSpec::drops_later(start, call.operation)) {
      steps.back().operation.thread = call.thread;
      steps.push_back(steps.back());
      steps.back().operation.kind = ListSpec::Kind::drop;
    }
    if (call.operation.kind != ListSpec::Kind::batch) continue;
    steps.pop_back();
    const std::size_t got = call.operation.values.size();
    for (std::size_t i = 0; i < got; ++i) {
      steps.push_back(call);
      steps.back().operation.kind = ListSpec::Kind::take;
      steps.back().operation.step = i;
    }
    if (got >= call.operation.least) continue;
    steps.push_back(call);
    steps.back().operation.kind = ListSpec::Kind::end;
  }
  return steps;
}

}  // namespace brook::contract
