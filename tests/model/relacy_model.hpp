// relacy_model.hpp — runs the claims of one model program.
//
// A claim is a struct whose name says what must hold, written as Relacy wants it:
//   struct NoReaderSleepsOnAPublishedEntry : model::Claim<NoReaderSleepsOnAPublishedEntry, 2> {
//     void thread(unsigned index);   // two threads, 0 and 1; they may model::demand()
//     void before(); void after();   // alone, if needed
//   };
//   int main(int argc, char** argv) {
//     model::Claims claims(argc, argv);
//     claims.random<NoReaderSleepsOnAPublishedEntry>(100'000);
//     return claims.result();
//   }
// Arguments: `--only TEXT` checks the claims whose name contains it; `--effort X` runs X times as many random executions;
// `--until-failure yes` ends with the first claim that fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <ostream>
#include <source_location>
#include <string_view>

#include "relacy_bursts.hpp"
#include "relacy_sync.hpp"

namespace brook::model {

template <class Self, int threads>
using Claim = rl::test_suite<Self, threads>;

/// The name of a type, without its namespaces.
template <class T>
[[nodiscard]] constexpr std::string_view name_of() {
  const std::string_view function = std::source_location::current().function_name();
  const std::string_view start = function.substr(function.find("T = ") + 4);
  const std::string_view full = start.substr(0, start.find_first_of(";]"));
  return full.substr(full.rfind(':') + 1);
}

class Claims {
 public:
  Claims(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string_view option = argv[i];
      if (option == "--only") only_ = argv[i + 1];
      if (option == "--effort") effort_ = std::atof(argv[i + 1]);
      if (option == "--until-failure") until_failure_ = true;
    }
  }

  /// Random schedules and random choices among the values that a load may see.
  template <class Claim>
  void random(std::size_t executions, unsigned most_steps = 4'000) {
    rl::test_params params;
    params.search_type = rl::sched_random;
    params.iteration_count = static_cast<std::uint64_t>(static_cast<double>(executions) * effort_) + 1;
    run<Claim, BurstyScheduler<Claim::params::thread_count>>("random", params, most_steps);
  }

  /// Every schedule and every choice; for the smallest claims.
  template <class Claim>
  void exhaust(unsigned most_steps = 4'000) {
    rl::test_params params;
    params.search_type = rl::sched_full;
    params.iteration_count = ~std::uint64_t{0};
    run<Claim, rl::full_search_scheduler<Claim::params::thread_count>>("all schedules", params, most_steps);
  }

  /// Every schedule with at most so many preemptions.
  template <class Claim>
  void exhaust_preemptions(unsigned preemptions, unsigned most_steps = 4'000) {
    rl::test_params params;
    params.search_type = rl::sched_bound;
    params.context_bound = preemptions;
    params.iteration_count = ~std::uint64_t{0};
    run<Claim, rl::context_bound_scheduler<Claim::params::thread_count>>("all schedules with few preemptions", params,
                                                                         most_steps);
  }

  /// Ends the program, without the destructors of what the last failed execution left behind.
  [[noreturn]] void result() const {
    std::printf("%llu executions, %d failed claims\n", static_cast<unsigned long long>(executions_), failures_);
    std::fflush(stdout);
    std::_Exit(failures_ == 0 ? 0 : 1);
  }

 private:
  template <class Claim, class Scheduler>
  void run(const char* how, rl::test_params& params, unsigned most_steps) {
    constexpr std::string_view name = name_of<Claim>();
    if (name.find(only_) == name.npos) return;
    static std::ostream nowhere(nullptr);
    params.output_stream = params.progress_stream = &nowhere;
    params.execution_depth_limit = most_steps;
    rl::ostringstream state;
    const rl::test_result_e result = rl::run_test<Claim, Scheduler>(params, state, false);
    const bool holds = result == rl::test_result_success;
    executions_ += params.stop_iteration;
    std::printf("%-4s %.*s: %s; %llu executions\n", holds ? "ok" : "FAIL", static_cast<int>(name.size()), name.data(),
                how, static_cast<unsigned long long>(params.stop_iteration));
    std::fflush(stdout);
    if (holds) return;
    ++failures_;
    params.initial_state = state.str();  // the execution that failed, again, with its history told
    params.output_stream = &std::cout;
    params.collect_history = true;
    rl::run_test<Claim, Scheduler>(params, state, true);
    std::cout.flush();
    if (until_failure_) this->result();
  }

  std::string_view only_;
  double effort_ = 1;
  bool until_failure_ = false;
  std::uint64_t executions_ = 0;
  int failures_ = 0;
};

}  // namespace brook::model
