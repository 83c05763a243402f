// schedule.hpp — who runs next: the strategies by which executions of fibers are explored.
//
//   Exhaustive   every schedule with at most so many preemptions; most bugs need two or three
//   Random       any thread, in bursts: finds what needs many switches
//   Priorities   the highest priority runs, and a few times a priority drops (PCT, Burckhardt et al. 2010): finds what
//                needs one long run of one thread at a bad moment
//   Replay       the decisions of an earlier execution
//   Directed     a script: this thread up to this row, then that thread (directed.hpp)
// They complement each other; each has found a bug that the others missed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <source_location>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace brook::model {

/// A place where a thread may be stopped: it is about to do `what` to `object`.
struct Site {
  const char* what = "";
  const void* object = nullptr;
  std::source_location at{};
};

/// A moment at which somebody must be chosen to go on.
struct Turn {
  std::span<const int> ready;  // who can; the running thread comes first if it is among them
  std::span<const bool> done;  // per thread
  int running = -1;            // who ran until now; -1 at the start
  Site site{};                 // where that thread stands
  std::size_t step = 0;        // how many steps were made; the same as before when that thread is blocked there
  [[nodiscard]] bool preempts() const { return !ready.empty() && ready.front() == running; }  // others only cut in
};

class Schedule {
 public:
  virtual ~Schedule() = default;

  /// Gets ready for one more execution; false when there is none left.
  virtual bool begin(int threads) = 0;
  /// Which of turn.ready goes on, as an index.
  virtual std::size_t pick(const Turn& turn) = 0;
  /// One of so many possible outcomes of a step, such as which sleeper a notification wakes.
  virtual std::size_t choose(std::size_t outcomes) = 0;
  /// What went wrong with the schedule itself; empty while all is well.
  [[nodiscard]] virtual std::string complaint() const { return {}; }
};

/// Depth-first search over all schedules that take the processor away from a thread at most `preemptions` times.
class Exhaustive final : public Schedule {
 public:
  explicit Exhaustive(int preemptions) : allowed_(preemptions) {}

  bool begin(int) override {
    used_ = 0;
    depth_ = 0;
    if (!std::exchange(started_, true)) return true;
    while (!path_.empty() && ++path_.back().taken == path_.back().options) path_.pop_back();
    return !path_.empty();
  }

  std::size_t pick(const Turn& turn) override {
    if (turn.ready.size() == 1) return 0;
    if (!turn.preempts()) return choose(turn.ready.size());
    if (used_ == allowed_) return 0;
    const std::size_t picked = choose(turn.ready.size());
    if (picked != 0) ++used_;
    return picked;
  }

  std::size_t choose(std::size_t outcomes) override {
    if (depth_ == path_.size()) path_.push_back({outcomes, 0});
    return path_[depth_++].taken;
  }

 private:
  struct Branch {
    std::size_t options;
    std::size_t taken;
  };

  int allowed_;
  int used_ = 0;
  bool started_ = false;
  std::size_t depth_ = 0;
  std::vector<Branch> path_;
};

/// Any thread at each step, or each execution's own multiple of steps on average: at an even pace, one thread hardly ever
/// stands still while another does a whole operation.
class Random final : public Schedule {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}

  bool begin(int) override {
    burst_ = std::size_t{1} << (2 * choose(3));
    return true;
  }
  std::size_t pick(const Turn& turn) override {
    if (turn.preempts() && choose(burst_) != 0) return 0;
    return choose(turn.ready.size());
  }
  std::size_t choose(std::size_t outcomes) override { return random_() % outcomes; }

 private:
  std::mt19937_64 random_;
  std::size_t burst_ = 1;
};

class Priorities final : public Schedule {
 public:
  Priorities(int drops, std::uint64_t seed) : drops_(static_cast<std::size_t>(drops)), random_(seed) {}

  bool begin(int threads) override {
    longest_ = std::max(longest_, step_);
    step_ = 0;
    lowest_ = 0;
    priority_.resize(static_cast<std::size_t>(threads));
    for (auto& priority : priority_) priority = 1 + static_cast<std::int64_t>(random_() % 1'000'000);
    at_.clear();
    for (std::size_t i = 0; i < drops_; ++i) at_.push_back(random_() % (longest_ + 1));
    return true;
  }

  std::size_t pick(const Turn& turn) override {
    if (turn.running >= 0 && std::ranges::count(at_, step_) != 0) priority_of(turn.running) = --lowest_;
    ++step_;
    const auto first = std::ranges::max_element(turn.ready, {}, [&](int thread) { return priority_of(thread); });
    return static_cast<std::size_t>(first - turn.ready.begin());
  }

  std::size_t choose(std::size_t outcomes) override { return random_() % outcomes; }

 private:
  std::int64_t& priority_of(int thread) { return priority_[static_cast<std::size_t>(thread)]; }

  std::size_t drops_;
  std::mt19937_64 random_;
  std::size_t step_ = 0;
  std::size_t longest_ = 50;  // a guess until the first execution has been seen
  std::int64_t lowest_ = 0;
  std::vector<std::int64_t> priority_;
  std::vector<std::size_t> at_;
};

/// What an execution decided, in order; only where there was more than one possibility.
using Decisions = std::vector<std::size_t>;

class Replay final : public Schedule {
 public:
  explicit Replay(Decisions decisions) : decisions_(std::move(decisions)) {}

  bool begin(int) override {
    next_ = 0;
    return true;
  }
  std::size_t pick(const Turn& turn) override { return choose(turn.ready.size()); }
  std::size_t choose(std::size_t outcomes) override {
    if (outcomes < 2 || next_ == decisions_.size()) return 0;
    return std::min(decisions_[next_++], outcomes - 1);
  }

 private:
  Decisions decisions_;
  std::size_t next_ = 0;
};

}  // namespace brook::model
