// linearizability.hpp — decides whether some order of the calls explains what concurrent threads saw.
//
// A history is a set of calls, each with two stamps: when it was called and when it returned. It is linearizable when
// every call can be given an instant between its stamps such that, taken in the order of these instants, each call did
// what a sequential specification says. `check` searches for that order (Wing and Gong 1993, with Lowe's memory of
// states already refuted) and otherwise draws the history and the longest order that worked.
//
//   struct Register {                                       // what a specification looks like
//     using State = int;
//     struct Operation { bool write; int value; };
//     static bool apply(State& state, const Operation& op);  // false: no such step from this state
//     static std::string key(const State& state);            // equal keys, equal states
//     static std::string describe(const Operation& op);      // one line for people
//   };
//   History<Register::Operation> history(2);
//   history.record(0, [&] { write(7); return Register::Operation{true, 7}; });   // on thread 0
//   INFO(check<Register>(history.calls()).explanation);
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace brook::contract {

/// One call as it was seen from outside.
template <class Operation>
struct Call {
  int thread = 0;
  Operation operation;  // with its arguments and its result
  std::uint64_t called = 0;
  std::uint64_t returned = 0;
};

template <class S>
concept Specification = std::default_initializable<typename S::State> && std::copyable<typename S::State> &&
    requires(typename S::State& state, const typename S::Operation& operation) {
  { S::apply(state, operation) } -> std::same_as<bool>;
  { S::key(std::as_const(state)) } -> std::convertible_to<std::string>;
  { S::describe(operation) } -> std::convertible_to<std::string>;
};

/// Collects the calls of a fixed number of threads, each of which records its own.
template <class Operation>
class History {
 public:
  explicit History(int threads) : calls_(static_cast<std::size_t>(threads)) {}

  /// Runs `act`, which makes one call and returns the operation that it turned out to be.
  template <class Act>
  void record(int thread, Act act) {
    const std::uint64_t called = stamps_.fetch_add(1);
    Operation operation = act();
    const std::uint64_t returned = stamps_.fetch_add(1);
    calls_[static_cast<std::size_t>(thread)].push_back({thread, std::move(operation), called, returned});
  }

  /// All calls; ask when the threads are done.
  [[nodiscard]] std::vector<Call<Operation>> calls() const {
    std::vector<Call<Operation>> all;
    for (const auto& thread : calls_) all.insert(all.end(), thread.begin(), thread.end());
    return all;
  }

 private:
  std::atomic<std::uint64_t> stamps_{0};
  std::vector<std::vector<Call<Operation>>> calls_;
};

enum class Answer { linearizable, not_linearizable, undecided };

struct Verdict {
  Answer answer = Answer::linearizable;
  std::size_t states = 0;   // visited by the search
  std::string explanation;  // for people; empty when linearizable

  explicit operator bool() const { return answer == Answer::linearizable; }
};

/// Draws each call as a bar from its call to its return, in the order of the calls.
template <Specification S>
[[nodiscard]] std::string drawn(std::vector<Call<typename S::Operation>> calls) {
  std::ranges::sort(calls, {}, [](const auto& call) { return call.called; });
  std::vector<std::uint64_t> stamps;
  for (const auto& call : calls) stamps.insert(stamps.end(), {call.called, call.returned});
  std::ranges::sort(stamps);
  const auto column = [&](std::uint64_t stamp) {
    return static_cast<std::size_t>(std::ranges::lower_bound(stamps, stamp) - stamps.begin());
  };
  std::string picture;
  for (const auto& call : calls) {
    std::string bar(stamps.size(), ' ');
    std::fill(bar.begin() + static_cast<std::ptrdiff_t>(column(call.called)),
              bar.begin() + static_cast<std::ptrdiff_t>(column(call.returned)), '-');
    bar[column(call.called)] = '[';
    bar[column(call.returned)] = ']';
    picture += "  thread " + std::to_string(call.thread) + "  " + bar + "  " + S::describe(call.operation) + "\n";
  }
  return picture;
}

/// The depth-first search for an order; one object searches one history.
template <Specification S>
class LinearizationSearch {
 public:
  using Calls = std::vector<Call<typename S::Operation>>;

  static constexpr std::size_t most_calls = 64;  // the calls done so far are the bits of one word

  LinearizationSearch(Calls calls, std::size_t most_states) : calls_(std::move(calls)), most_states_(most_states) {
    // What returned first is most often what happened first, so this order finds an explanation early.
    std::ranges::sort(calls_, {}, [](const auto& call) { return call.returned; });
  }

  [[nodiscard]] Verdict run(const typename S::State& start) {
    if (calls_.size() > most_calls) return {Answer::undecided, 0, "the history has more than 64 calls\n"};
    const bool found = extend(0, start);
    if (found) return {Answer::linearizable, refuted_.size(), ""};
    if (refuted_.size() >= most_states_)
      return {Answer::undecided, refuted_.size(), "too many states\n" + drawn<S>(calls_)};
    return {Answer::not_linearizable, refuted_.size(), explanation()};
  }

 private:
  // Whether the calls that are not yet in `done` can follow, in some order, on what led to `state`.
  bool extend(std::uint64_t done, const typename S::State& state) {
    if (order_.size() == calls_.size()) return true;
    if (refuted_.size() >= most_states_) return false;
    if (!refuted_.insert(std::to_string(done) + ':' + S::key(state)).second) return false;
    const std::uint64_t first_return = earliest_return(done);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      // A call may come next only if it began before every other remaining call had returned.
      if (contains(done, i) || calls_[i].called > first_return) continue;
      typename S::State next = state;
      if (!S::apply(next, calls_[i].operation)) continue;
      order_.push_back(i);
      if (order_.size() > longest_.size()) longest_ = order_;
      if (extend(done | (std::uint64_t{1} << i), next)) return true;
      order_.pop_back();
    }
    return false;
  }

  [[nodiscard]] static bool contains(std::uint64_t done, std::size_t call) { return (done >> call & 1) != 0; }

  // The calls are sorted by their return.
  [[nodiscard]] std::uint64_t earliest_return(std::uint64_t done) const {
    std::size_t i = 0;
    while (contains(done, i)) ++i;
    return calls_[i].returned;
  }

  [[nodiscard]] std::string explanation() const {
    std::string text = "no order of these calls explains what they returned:\n" + drawn<S>(calls_);
    text += "the longest order that is possible:\n";
    std::uint64_t done = 0;
    for (const std::size_t i : longest_) {
      text += "  " + S::describe(calls_[i].operation) + "\n";
      done |= std::uint64_t{1} << i;
    }
    text += "after which none of these can come next:\n";
    const std::uint64_t first_return = earliest_return(done);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (contains(done, i) || calls_[i].called > first_return) continue;
      text += "  " + S::describe(calls_[i].operation) + "\n";
    }
    return text;
  }

  Calls calls_;
  std::size_t most_states_;
  std::unordered_set<std::string> refuted_;
  std::vector<std::size_t> order_;    // the calls taken so far, as indices
  std::vector<std::size_t> longest_;  // the most that ever fitted, for the explanation
};

/// Whether the history of at most 64 calls can be explained, starting from `start`.
template <Specification S>
[[nodiscard]] Verdict check(std::vector<Call<typename S::Operation>> calls, const typename S::State& start = {},
                            std::size_t most_states = 1'000'000) {
  return LinearizationSearch<S>(std::move(calls), most_states).run(start);
}

}  // namespace brook::contract
