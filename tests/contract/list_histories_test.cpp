// Many short histories of real threads on two lists, each checked for linearizability. The payload stalls now and then
// while it is moved, which stops a pusher between its claim and its publication, and makes poppers void its slot. The clock
// moves on by one with each look at it, and who sleeps looks at it again and again: so of the calls that wait some get an
// element, and others time out.

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#include "../catch.hpp"
#include "histories.hpp"
#include "linearizability.hpp"
#include "linearizability_list.hpp"
#include "list_caller.hpp"

namespace list_histories_test {

namespace {

using brook::Side;
using brook::contract::Answer;
using brook::contract::Boxed;
using brook::contract::Caller;
using brook::contract::Calls;
using brook::contract::check;
using brook::contract::History;
using brook::contract::in_steps;
using brook::contract::ListSpec;
using brook::contract::RestlessClock;
using brook::contract::Stalling;
using brook::contract::stalls;
using Kind = ListSpec::Kind;
using Operation = ListSpec::Operation;
using Result = ListSpec::Result;

constexpr int threads = 3;

/// Two lists, what is in them at first, and what three threads then do to them.
template <class T>
class Round {
 public:
  Round(std::uint64_t number, std::uint64_t many)
      : random_(number * 0x9e3779b97f4a7c15U),
        from_(static_cast<Calls>(number % many)),
        turned_(random_() % 2 == 0),
        calls_each_(4 + static_cast<int>(random_() % 3)),
        options_(options()),
        seed_(number * threads) {
    for (std::size_t i = 0; i < 2; ++i) {
      lists_[i] = std::make_unique<brook::BlockingList<T>>(options_);
      begin(*lists_[i], start_.lists[i].elements, i == 0);
    }
    start_.capacity = options_.capacity;
    start_.drops = options_.overflow == brook::Overflow::drop_oldest;
  }

  void run(int thread) {
    Caller<T> caller({lists_[0].get(), lists_[1].get()}, from_, turned_, thread,
                     seed_ + static_cast<std::uint64_t>(thread));
    for (int call = 0; call < calls_each_; ++call) history_.record(thread, [&] { return caller(); });
  }

  [[nodiscard]] brook::contract::Verdict verdict() const {
    auto verdict = check<ListSpec>(in_steps(history_.calls(), start_), start_);
    verdict.explanation += "from " + ListSpec::key(start_) + ", capacity " + std::to_string(start_.capacity) +
                           (turned_ ? ", turned" : "") + ", history " + std::to_string(seed_ / threads);
    return verdict;
  }
  [[nodiscard]] auto calls() const { return history_.calls(); }

 private:
  brook::ListOptions options() {
    brook::ListOptions options{.clock = &clock_, .spin = std::chrono::microseconds(0)};
    if (from_ == Calls::queue || random_() % 4 != 0) return options;
    options.capacity = 2 + random_() % 3;
    if (random_() % 3 == 0) options.overflow = brook::Overflow::drop_oldest;
    return options;
  }

  // The first list may be one that has been used in a mixed way, and is, or is about to be, a queue again.
  void begin(brook::BlockingList<T>& list, std::deque<int>& elements, bool first) {
    static constexpr std::array<std::size_t, 10> sizes{0, 0, 1, 1, 2, 3, 6, 7, 8, 9};
    const std::size_t size = std::min(options_.capacity, first ? sizes[random_() % sizes.size()] : random_() % 3);
    int next = first ? 9000 : 9500;
    for (std::size_t i = 0; i < size; ++i) push(list, elements, next++);
    if (!first || random_() % 3 != 0) return;
    if (random_() % 2 == 0) static_cast<void>(list.lrange(0, -1));
    for (std::size_t i = 26 + random_() % 10; i > size; i -= 2) {
      if (size < options_.capacity) push(list, elements, next++);
      static_cast<void>(turned_ ? list.rpop() : list.lpop());
      if (!elements.empty()) turned_ ? elements.pop_back() : elements.pop_front();
      if (size == options_.capacity) push(list, elements, next++);
      if (i < 2) break;
    }
  }

  void push(brook::BlockingList<T>& list, std::deque<int>& elements, int value) {
    if (turned_) static_cast<void>(list.lpush(T(value))), elements.push_front(value);
    else static_cast<void>(list.rpush(T(value))), elements.push_back(value);
  }

  std::mt19937_64 random_;
  Calls from_;
  bool turned_;
  int calls_each_;
  RestlessClock clock_;
  brook::ListOptions options_;
  std::uint64_t seed_;
  std::array<std::unique_ptr<brook::BlockingList<T>>, 2> lists_;
  ListSpec::State start_;
  History<Operation> history_{threads};
};

// How often each kind of call did what.
using Tally = std::array<std::array<std::size_t, 6>, 24>;

template <class T>
void check_histories(std::uint64_t usually, std::uint64_t many) {
  const std::uint64_t histories = brook::contract::how_many_histories(usually);
  std::string failure;
  std::size_t undecided = 0;
  Tally tally{};
  for (std::uint64_t number = 0; number < histories && failure.empty();) {
    // Threads are made once for a hundred histories, because making them takes longer than a history.
    std::vector<std::unique_ptr<Round<T>>> rounds;
    for (std::uint64_t i = 0; i < 100; ++i) rounds.push_back(std::make_unique<Round<T>>(number++, many));
    std::barrier together(threads);
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread, seed = number] {
        stalls.seed(static_cast<unsigned>(seed * 7919) + static_cast<unsigned>(thread) + 1);
        for (const auto& round : rounds) {
          together.arrive_and_wait();
          round->run(thread);
        }
      });
    }
    for (auto& thread : running) thread.join();
    for (const auto& round : rounds) {
      const auto verdict = round->verdict();
      undecided += verdict.answer == Answer::undecided ? 1 : 0;
      if (verdict.answer == Answer::not_linearizable && failure.empty()) failure = verdict.explanation;
      for (const auto& call : round->calls())
        ++tally[static_cast<std::size_t>(call.operation.kind)][static_cast<std::size_t>(call.operation.result)];
    }
  }
  INFO(failure);
  CHECK(failure.empty());
  CHECK(undecided == 0);
  if (!failure.empty()) return;
  for (const Kind waits : {Kind::wait, Kind::wait_any, Kind::batch, Kind::wait_move}) {
    CHECK(tally[static_cast<std::size_t>(waits)][static_cast<std::size_t>(Result::done)] > histories / 100);
    CHECK(tally[static_cast<std::size_t>(waits)][static_cast<std::size_t>(Result::timed_out)] > histories / 100);
  }
}

// Whether the list 1 2 3, beside one with 4, allows these operations, one after another.
bool allowed(const std::vector<Operation>& operations, std::size_t capacity = ListSpec::no_bound, bool drops = false) {
  ListSpec::State start{.capacity = capacity, .drops = drops};
  start.lists[0].elements = {1, 2, 3};
  start.lists[1].elements = {4};
  std::vector<brook::contract::Call<Operation>> calls;
  for (const Operation& operation : operations) {
    const auto at = 2 * calls.size();
    calls.push_back({0, operation, at, at + 1});
  }
  return static_cast<bool>(check<ListSpec>(in_steps(calls, start), start));
}

Operation pops(Side side, std::vector<int> values, std::size_t count = 1) {
  return {.kind = Kind::pop, .side = side, .values = std::move(values), .count = count};
}
Operation pushes(Side side, std::vector<int> values, Result result = Result::done) {
  return {.kind = Kind::push, .side = side, .values = std::move(values), .result = result};
}
Operation shows(std::vector<int> values) { return {.kind = Kind::range, .values = std::move(values), .last = -1}; }
Operation waits(Kind kind, Result result) { return {.kind = kind, .result = result}; }
Operation gathers(std::size_t least, std::size_t most, std::vector<int> values, Result result = Result::done) {
  return {.kind = Kind::batch, .values = std::move(values), .result = result, .count = most, .least = least};
}

constexpr Side left = Side::left;
constexpr Side right = Side::right;

}  // namespace

TEST_CASE("What wrong lists would do is rejected: ends") {
  CHECK(allowed({pops(left, {1}), pops(right, {3}), pops(left, {2}, 4), pops(left, {})}));
  CHECK_FALSE(allowed({pops(left, {2})}));
  CHECK_FALSE(allowed({pops(left, {1}), pops(left, {1})}));
  CHECK_FALSE(allowed({pops(left, {})}));
  CHECK_FALSE(allowed({pops(left, {1, 2}, 3)}));  // fewer than there are
  CHECK(allowed({pushes(left, {5, 6}), shows({6, 5, 1, 2, 3})}));
  CHECK_FALSE(allowed({pushes(left, {5, 6}), shows({5, 6, 1, 2, 3})}));
  CHECK_FALSE(allowed({pushes(right, {5}), shows({1, 2, 3})}));  // lost
  CHECK_FALSE(allowed({pushes(right, {5}, Result::closed)}));
  CHECK_FALSE(allowed({{.kind = Kind::close}, pushes(right, {5})}));
}

TEST_CASE("What wrong lists would do is rejected: bounds") {
  CHECK(allowed({pushes(right, {5}, Result::full)}, 3));
  CHECK_FALSE(allowed({pushes(right, {5})}, 3));
  CHECK_FALSE(allowed({pushes(right, {5}, Result::full)}, 4));
  CHECK(allowed({pushes(right, {5}), shows({2, 3, 5})}, 3, true));
  CHECK_FALSE(allowed({pushes(right, {5}), shows({1, 2, 5})}, 3, true));
  CHECK_FALSE(allowed({pushes(right, {5}, Result::full)}, 3, true));
  CHECK(allowed({{.kind = Kind::push_wait, .values = {5}, .result = Result::timed_out}}, 3, true));
}

TEST_CASE("What wrong lists would do is rejected: waiting") {
  for (const Kind kind : {Kind::wait, Kind::wait_move, Kind::wait_any})
    CHECK_FALSE(allowed({waits(kind, Result::timed_out)}));
  CHECK(allowed({pops(left, {1, 2, 3}, 9), waits(Kind::wait, Result::timed_out)}));
  CHECK_FALSE(allowed({pops(left, {1, 2, 3}, 9), waits(Kind::wait, Result::closed)}));
  CHECK_FALSE(allowed({pops(left, {1, 2, 3}, 9), waits(Kind::wait_any, Result::timed_out)}));  // the other has one
  CHECK(allowed({pops(left, {1, 2, 3}, 9), {.kind = Kind::wait_any, .list = 1, .values = {4}}}));
  CHECK_FALSE(allowed({{.kind = Kind::wait_any, .list = 1, .values = {4}}}));  // the first has some
  CHECK(allowed({{.kind = Kind::close}, pops(left, {1, 2, 3}, 9), waits(Kind::wait, Result::closed)}));
  CHECK_FALSE(allowed({{.kind = Kind::close}, waits(Kind::wait, Result::closed)}));
  CHECK(allowed({gathers(2, 3, {1, 2, 3})}));
  CHECK_FALSE(allowed({gathers(2, 3, {1, 2})}));  // there was one more
  CHECK_FALSE(allowed({gathers(4, 4, {1, 2}, Result::timed_out)}));
  CHECK(allowed({gathers(4, 4, {1, 2, 3}, Result::timed_out)}));
  CHECK_FALSE(allowed({gathers(1, 4, {}, Result::timed_out)}));
}

TEST_CASE("What comes while a batch is gathered goes to it first") {
  const auto gathered = [](const Operation& meanwhile, std::vector<int> got) {
    Operation batch = gathers(5, 9, std::move(got));
    ListSpec::State start;
    start.lists[0].elements = {1, 2, 3};
    return static_cast<bool>(check<ListSpec>(
        in_steps({{0, batch, 0, 9}, {1, pushes(right, {7, 8, 9}), 1, 2}, {1, meanwhile, 3, 4}}, start), start));
  };
  CHECK(gathered(pops(left, {}), {1, 2, 3, 7, 8, 9}));
  CHECK_FALSE(gathered(pops(left, {8}), {1, 2, 3, 7, 9}));
  CHECK_FALSE(gathered(pops(left, {9}), {1, 2, 3, 7, 8}));
}

TEST_CASE("Who waits is served before anything of a push is dropped") {
  const auto served = [](const Operation& waiting, const std::vector<int>& left_over, bool waited = true) {
    const ListSpec::State start{.capacity = 2, .drops = true};
    return static_cast<bool>(check<ListSpec>(
        in_steps({{0, waiting, waited ? 0U : 3U, 4}, {1, pushes(right, {7, 8, 9}), 1, 2}, {1, shows(left_over), 5, 6}},
                 start),
        start));
  };
  CHECK(served({.kind = Kind::wait, .values = {7}}, {8, 9}));
  CHECK(served({.kind = Kind::wait, .side = right, .values = {9}}, {7, 8}));
  CHECK(served(gathers(2, 2, {7, 8}), {9}));
  CHECK_FALSE(served({.kind = Kind::wait, .values = {8}}, {8, 9}));
  CHECK_FALSE(served({.kind = Kind::wait, .values = {7}}, {9}));
  CHECK_FALSE(served({.kind = Kind::wait, .values = {7}}, {8, 9}, false));
  CHECK_FALSE(served(pops(left, {7}), {8, 9}));
  CHECK(served(pops(left, {8}), {9}));
}

TEST_CASE("What wrong lists would do is rejected: moves") {
  const Operation moved{.kind = Kind::move, .side = right, .values = {3}, .to_side = left};
  CHECK(allowed({moved, shows({3, 1, 2})}));
  CHECK_FALSE(allowed({moved, shows({3, 1, 2, 3})}));  // doubled
  CHECK_FALSE(allowed({moved, shows({1, 2})}));        // lost
  CHECK_FALSE(allowed({{.kind = Kind::move, .result = Result::nothing}}));
  CHECK(allowed({{.kind = Kind::move, .values = {1}, .to = 1}, shows({2, 3})}));
  CHECK_FALSE(allowed({{.kind = Kind::wait_move, .result = Result::full, .to = 1}}, 3));
  CHECK(allowed({{.kind = Kind::wait_move, .list = 1, .result = Result::full, .to = 0}}, 3));
}

TEST_CASE("What wrong lists would do is rejected: positions") {
  CHECK(allowed({{.kind = Kind::index, .values = {3}, .first = -1}, {.kind = Kind::index, .first = 3}}));
  CHECK_FALSE(allowed({{.kind = Kind::index, .first = 2}}));
  CHECK(allowed({{.kind = Kind::set, .values = {9}, .first = -2}, shows({1, 9, 3})}));
  CHECK(allowed({{.kind = Kind::insert, .values = {9}, .count = 0, .number = 4, .first = 2}, shows({1, 9, 2, 3})}));
  CHECK_FALSE(allowed({{.kind = Kind::insert, .values = {9}, .result = Result::nothing, .first = 2}}));
  CHECK(allowed({{.kind = Kind::remove, .number = 1, .first = -1, .last = 2}, shows({1, 3})}));
  CHECK_FALSE(allowed({{.kind = Kind::remove, .number = 0, .first = 0, .last = 2}}));
  CHECK(allowed({{.kind = Kind::trim, .first = 1, .last = -1}, shows({2, 3})}));
  CHECK_FALSE(allowed({{.kind = Kind::clear, .number = 2}}));
  CHECK(allowed({{.kind = Kind::clear, .number = 3}, shows({})}));
}

TEST_CASE("Concurrent histories of lists are linearizable") { check_histories<Stalling>(40'000, 5); }

TEST_CASE("Concurrent histories of lists of boxed values are linearizable") { check_histories<Boxed>(6'000, 5); }

}  // namespace list_histories_test
