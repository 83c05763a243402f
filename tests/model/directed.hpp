// directed.hpp — a schedule that is written down: this thread up to here, then that one up to there.
//
//   Directed({{a, before("append_log.hpp", "G")},   // thread a runs until it is about to do row G of that file
//             {b, before_point("b has read")},      // thread b until it calls point("b has read")
//             {c, to_the_end},
//             {a, to_the_end}});
// What no thread is told to do after the script is done in the order of the threads. A script that cannot be followed
// fails the execution: the code has changed, and the test must be thought through again.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "schedule.hpp"
#include "trace.hpp"

namespace brook::model {

struct Stop {
  std::string file{};  // any, when empty
  std::string name{};  // a row of the file's table of memory orders, or a point; empty: the thread's end
  int times = 1;       // stop at the n-th such place from where the stage begins
};

inline const Stop to_the_end{};

[[nodiscard]] inline Stop before(std::string file, std::string row, int times = 1) {
  return {std::move(file), std::move(row), times};
}
[[nodiscard]] inline Stop before_point(std::string name, int times = 1) { return {{}, std::move(name), times}; }

struct Stage {
  int thread;
  Stop until;
};

class Directed final : public Schedule {
 public:
  explicit Directed(std::vector<Stage> script) : script_(std::move(script)) {}

  bool begin(int) override {
    stage_ = 0;
    passed_ = 0;
    seen_step_ = 0;
    complaint_.clear();
    return !std::exchange(used_, true);
  }

  std::size_t pick(const Turn& turn) override {
    while (stage_ < script_.size() && complete(turn)) {
      ++stage_;
      passed_ = 0;
    }
    if (stage_ == script_.size()) return 0;
    for (std::size_t i = 0; i < turn.ready.size(); ++i) {
      if (turn.ready[i] == script_[stage_].thread) return i;
    }
    complaint_ =
        "stage " + std::to_string(stage_) + " of the script cannot go on: its thread " +
        (turn.done[static_cast<std::size_t>(script_[stage_].thread)] ? "ended before \"" : "is blocked before \"") +
        script_[stage_].until.name + "\"";
    return 0;
  }

  std::size_t choose(std::size_t) override { return 0; }
  [[nodiscard]] std::string complaint() const override { return complaint_; }

 private:
  // Whether the current stage's thread stands where it is to stop.
  [[nodiscard]] bool complete(const Turn& turn) {
    const auto& [thread, until] = script_[stage_];
    if (until.name.empty()) return turn.done[static_cast<std::size_t>(thread)];
    if (turn.running != thread || turn.done[static_cast<std::size_t>(thread)]) return false;
    if (std::exchange(seen_step_, turn.step) == turn.step) return false;  // it has not moved since the last look
    return matches(turn.site, until) && ++passed_ == until.times;
  }

  [[nodiscard]] static bool matches(const Site& site, const Stop& stop) {
    if (!stop.file.empty() && file_name(site.at.file_name()) != stop.file) return false;
    return site.what == stop.name || has_row(site.at, stop.name);
  }

  std::vector<Stage> script_;
  std::size_t stage_ = 0;
  int passed_ = 0;
  std::size_t seen_step_ = 0;
  bool used_ = false;
  std::string complaint_;
};

}  // namespace brook::model
