// in_flight.hpp — an operation that is being performed, and may take its time: what ends its waiting early.
#pragma once

#include <algorithm>
#include <optional>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/probe.hpp>
#include <brook/wait.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/gate.hpp>

namespace brook::testing {

/// Lives on the stack of the call. Others may break it off, or tell it that its object was closed.
class InFlight {
 public:
  explicit InFlight(const Call& its_call) : call(its_call) {
    if (call.wait == nullptr) return;
    deadline_ = call.wait->deadline(*call.clock);
#ifdef __cpp_lib_jthread
    if (call.wait->stop().stop_possible()) on_stop_.emplace(call.wait->stop(), Stop{this});
#endif
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  /// Whether the call can wait at all.
  [[nodiscard]] bool may_wait() const noexcept { return deadline_ > never; }

  /// What the call is to wait for instead: until the same time, or until it is broken off or stopped.
  [[nodiscard]] Wait wait() const {
    const Wait until = may_wait() ? Wait(deadline_) : Wait();
#ifdef __cpp_lib_jthread
    return until.with(stop_.get_token());
#else
    return until;
#endif
  }

  /// Lets so much time pass, or less: until its deadline, a stop request, the end of its object or of `over()`, which is
  /// announced at `gate`. Why the call is over, if it is.
  template <class Over>
  [[nodiscard]] std::optional<Errc> pass_time(std::chrono::nanoseconds time, wait::Gate& gate, const Over& over) {
    const Clock::time_point end = std::min(Wait(time).deadline(*call.clock), may_wait() ? deadline_ : forever_after);
    const auto ready = [&] { return ended_.load(sync::seq_cst) || over(); };
    const auto outcome = wait::await(gate, *call.clock, end, wait_for_stop(), std::chrono::microseconds(0), ready);
    if (broken()) return broken();
    if (outcome == wait::Outcome::cancelled) return Errc::cancelled;
    const bool late = outcome == wait::Outcome::timed_out && may_wait() && call.clock->now() >= deadline_;
    return late ? std::optional(Errc::timed_out) : std::nullopt;
  }

  /// Lets time pass until `over()`, come what may.
  template <class Over>
  void stand_still(wait::Gate& gate, const Over& over) {
    static_cast<void>(wait::await(gate, *call.clock, forever_after, forever, std::chrono::microseconds(0), over));
  }

  /// It is delayed.
  void note_delay() noexcept { delayed_.store(true, sync::seq_cst); }

  // — by other threads, which see to it that it is there, and announce it —

  void break_off(Errc with) {
    broken_.store(static_cast<int>(with), sync::seq_cst);
    ended_.store(true, sync::seq_cst);
#ifdef __cpp_lib_jthread
    stop_.request_stop();
#endif
  }
  void note_close() { ended_.store(true, sync::seq_cst); }

  /// Whether it may wait, or is delayed: then it can be broken off.
  [[nodiscard]] bool takes_time() const noexcept { return may_wait() || delayed_.load(sync::seq_cst); }
  [[nodiscard]] std::optional<Errc> broken() const noexcept {
    const int with = broken_.load(sync::seq_cst);
    return with == 0 ? std::nullopt : std::optional(static_cast<Errc>(with));
  }

  const Call& call;

 private:
  static constexpr Clock::time_point never = Clock::time_point::min();
  static constexpr Clock::time_point forever_after = Clock::time_point::max();

#ifdef __cpp_lib_jthread
  struct Stop {
    InFlight* call;
    void operator()() const { call->stop_.request_stop(); }
  };
#endif

  [[nodiscard]] Wait wait_for_stop() const {
#ifdef __cpp_lib_jthread
    return Wait(forever, stop_.get_token());
#else
    return forever;
#endif
  }

  Clock::time_point deadline_ = never;
  sync::atomic<int> broken_{0};
  sync::atomic<bool> ended_{false};
  sync::atomic<bool> delayed_{false};
#ifdef __cpp_lib_jthread
  std::stop_source stop_;
  std::optional<std::stop_callback<Stop>> on_stop_;
#endif
};

}  // namespace brook::testing
