// The checker itself: it must accept what has an explanation and reject what has none.
#include "linearizability.hpp"
#include "linearizability_list.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "../catch.hpp"

namespace linearizability_test {

namespace {

using namespace brook::contract;

// One cell that holds a number, 0 at first.
struct Register {
  using State = int;
  struct Operation {
    bool write;
    int value;
  };

  static bool apply(State& state, const Operation& op) {
    if (op.write) state = op.value;
    return state == op.value;
  }
  static std::string key(const State& state) { return std::to_string(state); }
  static std::string describe(const Operation& op) {
    return (op.write ? "write " : "read ") + std::to_string(op.value);
  }
};

constexpr Register::Operation write(int value) { return {true, value}; }
constexpr Register::Operation read(int value) { return {false, value}; }

// First in, first out; a pop of nothing is a pop of an empty queue.
struct Queue {
  using State = std::deque<int>;
  struct Operation {
    std::optional<int> pushed;
    std::optional<int> popped;
  };

  static bool apply(State& state, const Operation& op) {
    if (op.pushed) {
      state.push_back(*op.pushed);
      return true;
    }
    if (!op.popped) return state.empty();
    if (state.empty() || state.front() != *op.popped) return false;
    state.pop_front();
    return true;
  }
  static std::string key(const State& state) {
    std::string key;
    for (const int value : state) key += std::to_string(value) + ',';
    return key;
  }
  static std::string describe(const Operation& op) {
    if (op.pushed) return "push " + std::to_string(*op.pushed);
    return op.popped ? "pop = " + std::to_string(*op.popped) : "pop = nothing";
  }
};

constexpr Queue::Operation push(int value) { return {value, {}}; }
constexpr Queue::Operation pop(std::optional<int> value) { return {{}, value}; }

}  // namespace

TEST_CASE("an empty history is linearizable", "[linearizability]") { CHECK(check<Register>({})); }

TEST_CASE("calls one after another must obey the specification", "[linearizability]") {
  CHECK(check<Register>({{0, write(1), 0, 1}, {0, read(1), 2, 3}, {1, write(2), 4, 5}, {1, read(2), 6, 7}}));
  CHECK_FALSE(check<Register>({{0, write(1), 0, 1}, {1, read(0), 2, 3}}));
}

TEST_CASE("a call may take effect at any instant between its call and its return", "[linearizability]") {
  const auto seen_during_write = [](int value) {
    return check<Register>({{0, write(1), 0, 5}, {1, read(value), 1, 2}, {1, read(1), 3, 4}});
  };
  CHECK(seen_during_write(0));
  CHECK(seen_during_write(1));
  CHECK_FALSE(seen_during_write(2));
}

TEST_CASE("what one thread has seen, a later call cannot unsee", "[linearizability]") {
  CHECK(check<Register>({{0, write(1), 0, 9}, {1, read(0), 1, 2}, {2, read(1), 3, 4}}));
  CHECK_FALSE(check<Register>({{0, write(1), 0, 9}, {1, read(1), 1, 2}, {2, read(0), 3, 4}}));
}

TEST_CASE("calls that touch in one stamp overlap", "[linearizability]") {
  CHECK(check<Register>({{0, write(1), 0, 2}, {1, read(0), 2, 3}}));
}

TEST_CASE("two pushes at once may be popped in either order, but only in one", "[linearizability]") {
  const auto popped = [](int first, int second) {
    return check<Queue>({{0, push(1), 0, 3}, {1, push(2), 1, 2}, {0, pop(first), 4, 5}, {0, pop(second), 6, 7}});
  };
  CHECK(popped(1, 2));
  CHECK(popped(2, 1));
  CHECK_FALSE(popped(1, 1));
}

TEST_CASE("a queue that overtakes is rejected", "[linearizability]") {
  CHECK_FALSE(check<Queue>({{0, push(1), 0, 1}, {1, push(2), 2, 3}, {0, pop(2), 4, 5}, {1, pop(1), 6, 7}}));
}

TEST_CASE("an empty answer needs an instant at which the queue was empty", "[linearizability]") {
  CHECK(check<Queue>({{0, push(1), 0, 1}, {1, pop(1), 2, 5}, {2, pop({}), 3, 4}}));
  CHECK_FALSE(check<Queue>({{0, push(1), 0, 1}, {1, pop({}), 2, 5}, {2, pop(1), 6, 7}}));
}

TEST_CASE("the start may be any state", "[linearizability]") {
  CHECK(check<Register>({{0, read(7), 0, 1}}, 7));
  CHECK_FALSE(check<Register>({{0, read(7), 0, 1}}));
}

TEST_CASE("a history of 64 overlapping calls is decided quickly", "[linearizability]") {
  std::vector<Call<Queue::Operation>> calls;
  for (int i = 0; i < 32; ++i) calls.push_back({0, push(i), std::uint64_t(i), std::uint64_t(200 + i)});
  for (int i = 0; i < 32; ++i) calls.push_back({1, pop(i), std::uint64_t(100 + 2 * i), std::uint64_t(101 + 2 * i)});
  CHECK(check<Queue>(calls));

  calls.back().operation = pop(0);  // which was popped long ago
  CHECK(check<Queue>(calls, {}, 10'000).answer != Answer::linearizable);
}

TEST_CASE("a history that is too long or too hard is undecided, never accepted", "[linearizability]") {
  std::vector<Call<Queue::Operation>> calls;
  for (int i = 0; i < 65; ++i) calls.push_back({0, push(i), std::uint64_t(2 * i), std::uint64_t(2 * i + 1)});
  CHECK(check<Queue>(calls).answer == Answer::undecided);
  calls.pop_back();
  CHECK(check<Queue>(calls, {}, 10).answer == Answer::undecided);
}

TEST_CASE("a rejected history is drawn with the longest order that was possible", "[linearizability]") {
  const Verdict verdict = check<Register>({{0, write(1), 0, 2}, {1, read(1), 1, 3}, {0, read(0), 4, 5}});
  CHECK(verdict.answer == Answer::not_linearizable);
  CHECK(verdict.explanation ==
        "no order of these calls explains what they returned:\n"
        "  thread 0  [-]     write 1\n"
        "  thread 1   [-]    read 1\n"
        "  thread 0      []  read 0\n"
        "the longest order that is possible:\n"
        "  write 1\n"
        "  read 1\n"
        "after which none of these can come next:\n"
        "  read 0\n");
}

TEST_CASE("a recorder stamps calls in the order in which they happen", "[linearizability]") {
  History<Register::Operation> history(2);
  history.record(1, [] { return write(1); });
  history.record(0, [&] {
    history.record(1, [] { return read(1); });
    return write(2);
  });
  const auto calls = history.calls();
  REQUIRE(calls.size() == 3);
  CHECK(calls[0].operation.value == 2);
  CHECK(calls[0].called < calls[2].called);
  CHECK(calls[0].returned > calls[2].returned);
  CHECK(calls[1].returned < calls[0].called);
  CHECK(check<Register>(calls));
}

TEST_CASE("a push that drops serves who waits, and whom those serve at another list, before it drops",
          "[linearizability]") {
  using Kind = ListSpec::Kind;
  const auto answer = [](int moved, bool waits) {
    std::vector<Call<ListSpec::Operation>> calls;
    const auto add = [&](int thread, const ListSpec::Operation& operation, std::uint64_t from, std::uint64_t to) {
      calls.push_back({thread, operation, from, to});
      calls.back().operation.thread = thread;
    };
    add(1, {.kind = waits ? Kind::wait_move : Kind::move, .list = 1, .side = brook::Side::right, .values = {moved}}, 0,
        9);
    add(2, {.kind = Kind::batch, .values = {2, 1, moved}, .count = 3, .least = 3}, 0, 9);
    add(0, {.kind = Kind::push, .values = {0, 1, 2}}, 1, 2);
    add(0, {.kind = Kind::push, .list = 1, .values = {3, 4, 5, 6}}, 3, 4);
    ListSpec::State start;
    start.capacity = 2;
    start.drops = true;
    return check<ListSpec>(in_steps(calls, start), start).answer;
  };
  CHECK(answer(3, true) == Answer::linearizable);       // it would have been dropped
  CHECK(answer(3, false) == Answer::not_linearizable);  // who does not wait comes behind the drop
  CHECK(answer(5, true) == Answer::linearizable);
  CHECK(answer(4, true) == Answer::not_linearizable);
}

}  // namespace linearizability_test
