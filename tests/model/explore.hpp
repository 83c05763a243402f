// explore.hpp — runs a scenario under many schedules, and shows the first one that fails.
//
// A scenario is a class that is built anew for each execution:
//   struct TwoWriters {
//     std::vector<std::function<void()>> threads();   // what each thread does; it may demand()
//     void check();                                   // demand()s what must hold when all are done
//   };
//   int main(int argc, char** argv) {
//     model::Suite suite(argc, argv);
//     suite.exhaust<TwoWriters>("two writers", 2);
//     return suite.result();
//   }
// Arguments: `--only TEXT` runs the scenarios whose name contains it, `--effort X` makes X times as many random
// executions, `--replay DECISIONS` repeats the one execution that a failure printed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "directed.hpp"
#include "execution.hpp"
#include "schedule.hpp"
#include "trace.hpp"

namespace brook::model {

using Threads = std::vector<std::function<void()>>;

/// A thread for each program, which is a word, that calls `run(thread, letter)` for each letter of it. Both must live as long.
template <class Run>
[[nodiscard]] Threads threads_of(const std::vector<std::string>& programs, Run run) {
  Threads threads;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    threads.push_back([&program = programs[i], i, run] {
      for (const char letter : program) run(static_cast<int>(i), letter);
    });
  }
  return threads;
}

/// Decisions as text that --replay reads back: `0x12` are twelve times 0.
[[nodiscard]] inline std::string to_text(const Decisions& decisions) {
  std::string text;
  for (std::size_t i = 0; i < decisions.size();) {
    std::size_t run = 1;
    while (i + run < decisions.size() && decisions[i + run] == decisions[i]) ++run;
    text += (text.empty() ? "" : ",") + std::to_string(decisions[i]) + (run > 1 ? "x" + std::to_string(run) : "");
    i += run;
  }
  return text.empty() ? "0" : text;
}

[[nodiscard]] inline Decisions to_decisions(const std::string& text) {
  Decisions decisions;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) {
    const std::size_t x = item.find('x');
    const std::size_t run = x == item.npos ? 1 : std::stoul(item.substr(x + 1));
    decisions.insert(decisions.end(), run, std::stoul(item));
  }
  return decisions;
}

/// What one execution came to.
struct Ending {
  std::string failure;  // empty when all was well
  Decisions decisions;
  std::size_t steps = 0;
  bool froze = false;
};

/// Executes a scenario once. `make` builds it.
template <class Make>
[[nodiscard]] Ending execute(Schedule& schedule, const Limits& limits, const Make& make, Trace* trace = nullptr) {
  failure_outside().clear();
  using Scenario = decltype(make());
  std::unique_ptr<Scenario> scenario(new Scenario(make()));  // built in place: it need not be movable
  Execution execution(schedule, limits, trace);
  for (auto& thread : scenario->threads()) execution.spawn(std::move(thread));
  execution.run();
  Ending ending{execution.failure(), execution.decisions(), execution.steps(), execution.froze()};
  if (!ending.failure.empty()) {
    // The abandoned threads were inside the scenario, which therefore cannot be taken down.
    [[maybe_unused]] const auto* abandoned = scenario.release();
    return ending;
  }
  scenario->check();
  scenario.reset();
  ending.failure = failure_outside();
  return ending;
}

class Suite {
 public:
  Suite(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string_view option = argv[i];
      if (option == "--only") only_ = argv[i + 1];
      if (option == "--effort") effort_ = std::atof(argv[i + 1]);
      if (option == "--replay") replay_ = argv[i + 1];
    }
  }

  /// Every schedule with at most so many preemptions; gives up, saying so, after `most` executions.
  template <class Scenario, class... Args>
  void exhaust(const std::string& name, int preemptions, std::size_t most, const Args&... args) {
    Exhaustive schedule(preemptions);
    const auto make = [&] { return Scenario(args...); };
    run(name, "all schedules with " + std::to_string(preemptions) + " preemptions", schedule, {}, scaled(most), make);
  }

  template <class Scenario, class... Args>
  void random(const std::string& name, std::size_t executions, const Args&... args) {
    Random schedule(seed);
    run(name, "random schedules", schedule, {}, scaled(executions), [&] { return Scenario(args...); });
  }

  template <class Scenario, class... Args>
  void priorities(const std::string& name, int drops, std::size_t executions, const Args&... args) {
    Priorities schedule(drops, seed);
    run(name, "priorities, " + std::to_string(drops) + " drops", schedule, {}, scaled(executions),
        [&] { return Scenario(args...); });
  }

  template <class Scenario, class... Args>
  void direct(const std::string& name, std::vector<Stage> script, const Args&... args) {
    Directed schedule(std::move(script));
    run(name, "one directed schedule", schedule, {}, 1, [&] { return Scenario(args...); });
  }

  /// Freezes each of the first `victims` threads before each of its steps in turn, and runs the others to their ends
  /// under so many random schedules.
  template <class Scenario, class... Args>
  void freeze(const std::string& name, int victims, std::size_t executions_each, const Args&... args) {
    if (!wanted(name)) return;
    Tally tally;
    std::string where = "a thread frozen at each step: ";
    for (int victim = 0; victim < victims && tally.failure.empty(); ++victim) {
      std::size_t step = 1;
      for (bool froze = true; froze && tally.failure.empty(); ++step) {
        Random schedule(seed + step);
        const Limits limits{Limits{}.steps, Freeze{victim, step}};
        froze = explore(tally, schedule, limits, scaled(executions_each), [&] { return Scenario(args...); });
      }
      where += (victim == 0 ? "" : " + ") + std::to_string(step - 2);
    }
    report(name, where, tally);
  }

  /// The exit code of the program.
  [[nodiscard]] int result() const {
    std::printf("%zu executions, %d failed scenarios\n", executions_, failures_);
    return failures_ == 0 ? 0 : 1;
  }

 private:
  static constexpr std::uint64_t seed = 20'240'229;

  struct Tally {
    std::size_t executions = 0;
    std::size_t longest = 0;
    bool exhausted = false;
    std::string failure{};
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  };

  [[nodiscard]] bool wanted(const std::string& name) const { return name.find(only_) != name.npos; }

  [[nodiscard]] std::size_t scaled(std::size_t executions) const {
    return static_cast<std::size_t>(static_cast<double>(executions) * effort_) + 1;
  }

  template <class Make>
  void run(const std::string& name, const std::string& how, Schedule& schedule, const Limits& limits, std::size_t most,
           const Make& make) {
    if (!wanted(name)) return;
    Tally tally;
    if (replay_.empty()) explore(tally, schedule, limits, most, make);
    else tally.failure = retell(to_decisions(replay_), limits, make);
    report(name, how, tally);
  }

  // Whether a thread was frozen in some execution.
  template <class Make>
  bool explore(Tally& tally, Schedule& schedule, const Limits& limits, std::size_t most, const Make& make) {
    bool froze = false;
    const int threads = static_cast<int>(make().threads().size());
    for (std::size_t i = 0; i < most; ++i) {
      tally.exhausted = !schedule.begin(threads);
      if (tally.exhausted) break;
      const Ending ending = execute(schedule, limits, make);
      ++tally.executions;
      tally.longest = std::max(tally.longest, ending.steps);
      froze = froze || ending.froze;
      if (ending.failure.empty()) continue;
      tally.failure = retell(ending.decisions, limits, make) + "\n" + ending.failure;
      break;
    }
    return froze;
  }

  // Executes a schedule again and tells its story.
  template <class Make>
  [[nodiscard]] std::string retell(const Decisions& decisions, const Limits& limits, const Make& make) {
    constexpr std::size_t most_lines = 1'000;
    Replay schedule(decisions);
    Trace trace;
    schedule.begin(0);
    const Ending ending = execute(schedule, limits, make, &trace);
    std::string story;
    const auto& lines = trace.lines();
    if (lines.size() > most_lines) story += "  …\n";
    for (std::size_t i = lines.size() > most_lines ? lines.size() - most_lines : 0; i < lines.size(); ++i) {
      story += lines[i] + "\n";
    }
    if (limits.freeze) {
      story += "thread " + std::to_string(limits.freeze->thread) + " was frozen at its step " +
               std::to_string(limits.freeze->at_step) + "\n";
    }
    return story + "--replay " + to_text(decisions) + (ending.failure.empty() ? "" : ": " + ending.failure);
  }

  void report(const std::string& name, const std::string& how, const Tally& tally) {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - tally.started;
    executions_ += tally.executions;
    std::printf("%-4s %s: %s%s; %zu executions of up to %zu steps, %.1f s\n", tally.failure.empty() ? "ok" : "FAIL",
                name.c_str(), how.c_str(), tally.exhausted ? ", exhausted" : "", tally.executions, tally.longest,
                time.count());
    if (!tally.failure.empty()) {
      ++failures_;
      std::printf("%s\n", tally.failure.c_str());
    }
    std::fflush(stdout);
  }

  std::string only_;
  std::string replay_;
  double effort_ = 1;
  std::size_t executions_ = 0;
  int failures_ = 0;
};

}  // namespace brook::model
