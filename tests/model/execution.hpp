// execution.hpp — one execution: a few threads that take turns, step by step, as a schedule decides.
//
// A thread is a fiber; before each operation of a checked double (fiber_sync.hpp) it calls step(), and somebody else may
// then go on instead. Operations are thus interleaved in every order that the schedule asks for, and each is
// sequentially consistent: what a weaker memory order allows is for Relacy to find (relacy_sync.hpp).
//
// An execution fails when a thread says so, when nobody can go on (a deadlock or a lost wake-up), or when it does not
// end (a livelock, or a thread that waits for another in a loop).
//
// A frozen thread stops at its k-th step until all others have ended: where that never fails, for any k, no thread ever
// waits for another. Then it goes on, which shows that it can be late without harm.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fiber.hpp"
#include "schedule.hpp"
#include "trace.hpp"

namespace brook::model {

struct Freeze {
  int thread;
  std::size_t at_step;
};

struct Limits {
  std::size_t steps = 20'000;  // of all threads together
  std::optional<Freeze> freeze{};
};

class Execution {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Condition = std::function<bool()>;
  static constexpr std::size_t most_threads = 32;

  Execution(Schedule& schedule, const Limits& limits, Trace* trace = nullptr)
      : schedule_(schedule), limits_(limits), trace_(trace) {}

  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  void spawn(std::function<void()> body) { threads_.push_back(std::make_unique<Thread>(std::move(body))); }

  /// Runs all threads to their ends, or to the failure.
  void run() {
    current_ = this;
    next_ = decide();
    while (next_ >= 0) {
      running_ = next_;
      inside_ = true;
      running().fiber.resume();
      inside_ = false;
      if (!running().fiber.ended()) continue;
      done_[static_cast<std::size_t>(running_)] = true;
      site_ = {"end", nullptr, {}};
      if (failure_.empty()) next_ = decide();
    }
    current_ = nullptr;
    if (trace_ != nullptr) tell_where_all_stand();
  }

  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] const Decisions& decisions() const { return decisions_; }
  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] bool froze() const { return froze_; }  // whether the thread to be frozen came to its step

  /// The execution whose thread calls; null outside.
  [[nodiscard]] static Execution* current() { return current_ != nullptr && current_->inside_ ? current_ : nullptr; }

  // — for the doubles, on a thread —

  /// The calling thread is about to do something; others may cut in.
  void step(const Site& site) {
    stand_at(site);
    if (limits_.freeze && limits_.freeze->thread == running_ && limits_.freeze->at_step == running().steps) {
      running().frozen = froze_ = true;
    }
    hand_over();
    if (trace_ != nullptr) trace_->add(running_, site);
  }

  /// The calling thread can do nothing useful before others have moved.
  void yield(const Site& site) {
    stand_at(site);
    running().owes = can_run() & ~bit(running_);
    hand_over();
    if (trace_ != nullptr) trace_->add(running_, site);
  }

  /// Blocks until the condition holds.
  void block(const Condition& condition) {
    while (!condition()) {
      running().waits_for = &condition;
      hand_over();
      running().waits_for = nullptr;
    }
  }

  /// The same, but the deadline may come first, whenever the schedule likes; false then.
  [[nodiscard]] bool block(const Condition& condition, Time deadline) {
    if (condition()) return true;
    running().waits_for = &condition;
    running().timed = true;
    hand_over();
    running().waits_for = nullptr;
    running().timed = false;
    if (condition()) return true;
    now_ = std::max(now_, deadline);
    return false;
  }

  [[nodiscard]] std::size_t choose(std::size_t outcomes) {
    const std::size_t chosen = schedule_.choose(outcomes);
    if (outcomes > 1) decisions_.push_back(chosen);
    return chosen;
  }

  /// Model time: it moves only to the deadlines that came.
  [[nodiscard]] Time now() const { return now_; }

  [[nodiscard]] int thread() const { return running_; }
  [[nodiscard]] Trace* trace() const { return trace_; }

  /// Ends the execution here; the threads' stacks are abandoned as they are.
  void fail(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
    next_ = -1;
    running().fiber.suspend();
  }

 private:
  using Set = std::uint32_t;  // of threads

  struct Thread {
    explicit Thread(std::function<void()> body) : fiber(std::move(body)) {}
    Fiber fiber;
    Site site{};  // where it stands or last stood
    std::size_t steps = 0;
    const Condition* waits_for = nullptr;
    bool timed = false;
    bool frozen = false;
    Set owes = 0;  // who must move before this thread moves again
  };

  [[nodiscard]] Thread& running() { return *threads_[static_cast<std::size_t>(running_)]; }
  [[nodiscard]] static Set bit(int thread) { return Set{1} << thread; }
  [[nodiscard]] int count() const { return static_cast<int>(threads_.size()); }

  void stand_at(const Site& site) {
    site_ = running().site = site;
    ++running().steps;
    if (++steps_ > limits_.steps) fail("no end after " + std::to_string(limits_.steps) + " steps");
  }

  void tell_where_all_stand() {
    for (int i = 0; i < count(); ++i) {
      if (done_[static_cast<std::size_t>(i)]) continue;
      trace_->add(i, threads_[static_cast<std::size_t>(i)]->site);
      trace_->result("← stands here");
    }
  }

  void hand_over() {
    next_ = decide();
    if (next_ != running_) running().fiber.suspend();
  }

  [[nodiscard]] Set can_run() const {
    Set set = 0;
    for (int i = 0; i < count(); ++i) {
      const Thread& thread = *threads_[static_cast<std::size_t>(i)];
      if (done_[static_cast<std::size_t>(i)] || thread.frozen) continue;
      if (thread.waits_for == nullptr || (*thread.waits_for)()) set |= bit(i);
    }
    return set;
  }

  [[nodiscard]] Set waiting_for_time() const {
    Set set = 0;
    for (int i = 0; i < count(); ++i) {
      if (threads_[static_cast<std::size_t>(i)]->timed) set |= bit(i);
    }
    return set;
  }

  // Who goes on; -1 when the execution is over.
  [[nodiscard]] int decide() {
    Set able = can_run();
    if ((able | waiting_for_time()) == 0 && !all_done()) able = thaw();
    Set ready = able;
    for (int i = 0; i < count(); ++i) {
      if ((threads_[static_cast<std::size_t>(i)]->owes & able) != 0) ready &= ~bit(i);
    }
    if (ready == 0) ready = able;  // all wait for each other to move
    ready |= waiting_for_time();
    if (ready == 0) return -1;
    list(ready);
    const std::size_t picked =
        schedule_.pick({ready_, std::span(done_).first(threads_.size()), running_, site_, steps_});
    if (ready_.size() > 1) decisions_.push_back(picked);
    if (std::string complaint = schedule_.complaint(); !complaint.empty()) {
      failure_ = std::move(complaint);
      return -1;
    }
    const int chosen = ready_[picked];
    threads_[static_cast<std::size_t>(chosen)]->owes = 0;
    for (auto& thread : threads_) thread->owes &= ~bit(chosen);
    return chosen;
  }

  void list(Set ready) {
    ready_.clear();
    if (running_ >= 0 && (ready & bit(running_)) != 0) ready_.push_back(running_);
    for (int i = 0; i < count(); ++i) {
      if (i != running_ && (ready & bit(i)) != 0) ready_.push_back(i);
    }
  }

  // Nobody can go on. That is as it should be when all but the frozen thread have ended.
  [[nodiscard]] Set thaw() {
    std::string stuck;
    bool frozen = false;
    for (int i = 0; i < count(); ++i) {
      const Thread& thread = *threads_[static_cast<std::size_t>(i)];
      frozen = frozen || thread.frozen;
      if (!done_[static_cast<std::size_t>(i)] && !thread.frozen) stuck += " " + std::to_string(i);
    }
    if (stuck.empty()) {
      threads_[static_cast<std::size_t>(limits_.freeze->thread)]->frozen = false;
    } else if (frozen) {
      failure_ = "blocked for ever by the frozen thread " + std::to_string(limits_.freeze->thread) + ": thread" + stuck;
    } else {
      failure_ = "deadlock or lost wake-up: thread" + stuck;
    }
    return can_run();
  }

  [[nodiscard]] bool all_done() const {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (!done_[i]) return false;
    }
    return true;
  }

  static inline Execution* current_ = nullptr;

  Schedule& schedule_;
  Limits limits_;
  Trace* trace_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::array<bool, most_threads> done_{};
  std::vector<int> ready_;
  Decisions decisions_;
  std::string failure_;
  Site site_{};
  Time now_{std::chrono::hours(1)};
  std::size_t steps_ = 0;
  int running_ = -1;
  int next_ = -1;
  bool inside_ = false;
  bool froze_ = false;
};

/// The calling thread stops here in a directed schedule that names the point.
inline void point(const char* name, std::source_location at = std::source_location::current()) {
  if (Execution* const execution = Execution::current()) execution->step({name, nullptr, at});
}

/// What demand() found outside of any thread; empty while all is well.
[[nodiscard]] inline std::string& failure_outside() {
  static std::string why;
  return why;
}

/// Fails the execution unless `holds`: at once on a thread, and otherwise when its scenario has been taken down.
inline void demand(bool holds, std::string_view otherwise) {
  if (holds) return;
  if (Execution* const execution = Execution::current()) execution->fail(std::string(otherwise));
  if (failure_outside().empty()) failure_outside() = otherwise;
}

}  // namespace brook::model
