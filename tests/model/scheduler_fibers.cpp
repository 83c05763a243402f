// scheduler_fibers.cpp — the checker itself: each strategy must find the faults it is there for, and no others.
#include "explore.hpp"
#include "fiber_sync.hpp"

namespace {

using namespace brook;
using model::Decisions;
using model::Ending;
using model::Limits;
using model::Schedule;
using model::Threads;

// Two threads add one each; `atomically` or by a load and a store.
struct Counter {
  explicit Counter(bool atomically) : atomically_(atomically) {}

  Threads threads() {
    return {[this] { add(); }, [this] { add(); }};
  }
  void check() { model::demand(count_.load(sync::relaxed) == 2, "an addition is lost"); }

 private:
  void add() {
    if (atomically_) count_.fetch_add(1, sync::relaxed);
    else count_.store(count_.load(sync::relaxed) + 1, sync::relaxed);
  }

  bool atomically_;
  sync::atomic<int> count_{0};
};

// Two locks, taken in the same or in opposite order.
struct TwoLocks {
  explicit TwoLocks(bool same_order) : same_order_(same_order) {}

  Threads threads() {
    return {[this] { both(a_, b_); }, [this] { same_order_ ? both(a_, b_) : both(b_, a_); }};
  }
  void check() {}

 private:
  static void both(sync::mutex& first, sync::mutex& second) {
    const sync::unique_lock held(first);
    const sync::unique_lock held_too(second);
  }

  bool same_order_;
  sync::mutex a_, b_;
};

// Increments under a spin lock: correct, but not lock-free.
struct SpinLock {
  Threads threads() {
    return {[this] { add(); }, [this] { add(); }};
  }
  void check() { model::demand(count_ == 2, "an addition is lost"); }

 private:
  void add() {
    while (locked_.exchange(true, sync::acquire)) sync::yield();
    ++count_;
    locked_.store(false, sync::release);
  }

  sync::atomic<bool> locked_{false};
  int count_ = 0;
};

// A value and a flag, and a sleeper that looks at the flag before it takes the lock (a lost wake-up), or under it.
struct Sleeper {
  explicit Sleeper(bool looks_under_lock) : looks_under_lock_(looks_under_lock) {}

  Threads threads() {
    return {[this] { sleep(); }, [this] { wake(); }};
  }
  void check() {}

 private:
  void sleep() {
    if (!looks_under_lock_ && ready_.load(sync::acquire)) return;
    sync::unique_lock held(mutex_);
    if (looks_under_lock_ && ready_.load(sync::acquire)) return;
    awake_.wait(held);
  }
  void wake() {
    const sync::unique_lock held(mutex_);
    ready_.store(true, sync::release);
    awake_.notify_one();
  }

  bool looks_under_lock_;
  sync::atomic<bool> ready_{false};
  sync::mutex mutex_;
  sync::condition_variable awake_;
};

// The failure of the first bad execution; empty when there is none.
template <class Make>
std::string search(Schedule& schedule, std::size_t executions, const Make& make, const Limits& limits = {}) {
  for (std::size_t i = 0; i < executions && schedule.begin(2); ++i) {
    const Ending ending = model::execute(schedule, limits, make);
    if (!ending.failure.empty()) return ending.failure;
  }
  return "";
}

// What the replay of the first bad random execution says, its decisions having gone through text.
template <class Make>
std::string search_and_replay(const Make& make) {
  model::Random random(1);
  Decisions decisions;
  for (bool found = false; !found && random.begin(2);) {
    const Ending ending = model::execute(random, {}, make);
    found = !ending.failure.empty();
    decisions = ending.decisions;
  }
  model::Replay again(model::to_decisions(model::to_text(decisions)));
  again.begin(2);
  return model::execute(again, {}, make).failure;
}

template <class Make>
std::string exhaust(int preemptions, const Make& make) {
  model::Exhaustive schedule(preemptions);
  return search(schedule, 100'000, make);
}

template <class Make>
std::string freeze_anywhere(const Make& make) {
  for (std::size_t step = 1; step < 10; ++step) {
    model::Random schedule(step);
    const std::string failure = search(schedule, 100, make, {1'000, model::Freeze{0, step}});
    if (!failure.empty()) return failure;
  }
  return "";
}

int failures = 0;

void expect(const char* what, const std::string& found, const std::string& expected) {
  const bool ok = expected.empty() ? found.empty() : found.find(expected) != found.npos;
  if (!ok) ++failures;
  std::printf("%-4s %s: %s\n", ok ? "ok" : "FAIL", what, found.empty() ? "nothing found" : found.c_str());
}

void expect_schedules_to_find_faults() {
  const auto counter = [](bool atomically) { return [=] { return Counter(atomically); }; };
  expect("a lost update needs a preemption", exhaust(0, counter(false)), "");
  expect("a lost update, all schedules", exhaust(1, counter(false)), "an addition is lost");
  expect("no lost update", exhaust(3, counter(true)), "");
  model::Random random(1);
  expect("a lost update, random", search(random, 1000, counter(false)), "an addition is lost");
  expect("a lost update, replayed", search_and_replay(counter(false)), "an addition is lost");
  model::Priorities priorities(2, 1);
  expect("a lost update, priorities", search(priorities, 1000, counter(false)), "an addition is lost");
}

void expect_blocked_threads_to_be_noticed() {
  expect("locks in opposite order", exhaust(2, [] { return TwoLocks(false); }), "deadlock");
  expect("locks in one order", exhaust(2, [] { return TwoLocks(true); }), "");
  expect("a lost wake-up", exhaust(2, [] { return Sleeper(false); }), "lost wake-up");
  expect("no lost wake-up", exhaust(3, [] { return Sleeper(true); }), "");
}

void expect_frozen_threads_to_matter() {
  expect("a spin lock", exhaust(3, [] { return SpinLock(); }), "");
  expect("a spin lock whose holder is frozen", freeze_anywhere([] { return SpinLock(); }), "no end after 1000 steps");
  expect("a mutex whose holder is frozen", freeze_anywhere([] { return TwoLocks(true); }),
         "blocked for ever by the frozen");
  expect("a lock-free counter", freeze_anywhere([] { return Counter(true); }), "");
}

void expect_scripts_to_be_followed() {
  const auto direct = [](std::vector<model::Stage> script) {
    model::Directed schedule(std::move(script));
    return search(schedule, 2, [] { return Counter(false); });
  };
  using model::before_point;
  using model::to_the_end;
  expect("a directed lost update", direct({{0, before_point("store")}, {1, to_the_end}}), "an addition is lost");
  expect("a directed schedule without it", direct({{0, to_the_end}, {1, to_the_end}}), "");
  expect("a script that cannot be followed", direct({{0, before_point("exchange")}}), "cannot go on");
}

}  // namespace

int main() {
  expect_schedules_to_find_faults();
  expect_blocked_threads_to_be_noticed();
  expect_frozen_threads_to_matter();
  expect_scripts_to_be_followed();
  return failures == 0 ? 0 : 1;
}
