// await.hpp — a call that blocks until a condition holds which other threads announce at a gate.
#pragma once

#include <algorithm>
#include <chrono>

#include <brook/clock.hpp>
#include <brook/wait.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::wait {

enum class Outcome { ready, timed_out, cancelled };

/// Polls `ready` for at most `budget` of real time: a message that comes within a few microseconds is then taken without
/// the 20 µs that putting a thread to sleep and waking it cost.
template <class Ready>
[[nodiscard]] bool spin(std::chrono::microseconds budget, Ready& ready) {
  if (budget.count() <= 0) return false;
  constexpr std::chrono::microseconds for_ever = std::chrono::hours(24 * 365);
  const auto end = std::chrono::steady_clock::now() + std::min(budget, for_ever);
  do {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return true;
      sync::pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

/// Blocks until `ready()`, which reads with seq_cst what its writer announces at `gate`. What is ready wins over a
/// deadline or a stop request that came at the same time, so nothing that was there is missed. `deadline` is that of
/// `wait`, computed when the call began, so that a caller may come back here without waiting longer in all.
template <class Ready>
[[nodiscard]] Outcome await(Gate& gate, Clock& clock, Clock::time_point deadline, const Wait& wait,
                            std::chrono::microseconds spin_budget, Ready ready) {
  if (ready()) return Outcome::ready;
  if (wait.stop_requested()) return Outcome::cancelled;
  if (deadline == Clock::time_point::min() || deadline <= clock.now()) return Outcome::timed_out;
  if (spin(spin_budget, ready)) return Outcome::ready;
  Sleeper sleeper(clock, deadline, wait);
  Gate::Ticket ticket(sleeper);
  for (;;) {
    gate.arm(ticket);
    const bool found = ready();
    const bool stopped = wait.stop_requested();
    const bool slept = !found && !stopped && sleeper.sleep();
    gate.disarm(ticket);
    if (found) return Outcome::ready;
    if (slept) continue;
    if (ready()) return Outcome::ready;
    return stopped ? Outcome::cancelled : Outcome::timed_out;
  }
}

}  // namespace brook::wait
