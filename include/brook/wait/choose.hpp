// choose.hpp — a thread that sleeps until a selection (wait/selection.hpp) has ended.
#pragma once

#include <algorithm>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/selection.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::wait {

/// Takes what is there, or waits for it as `wait` says; once for each selection. What is there wins over a deadline and a
/// stop request. Errors: timed_out, cancelled; those of the first case when nothing will come from any. Throws what looking
/// throws, and then nothing was taken.
template <class... Cases>
[[nodiscard]] auto choose(Selection<Cases...>& selection, const Wait& wait) {
  using Result = expected<typename Selection<Cases...>::Value, Errc>;
  if (selection.poll()) return selection.result(Errc::closed);
  if (wait.stop_requested()) return Result(unexpected(Errc::cancelled));
  Clock& clock = selection.clock();
  const Clock::time_point deadline = wait.deadline(clock);
  const auto expired = [&] { return deadline != Clock::time_point::max() && clock.now() >= deadline; };
  if (expired()) return Result(unexpected(Errc::timed_out));
  Sleeper sleeper(clock, deadline, wait);
  struct Withdraw {
    Selection<Cases...>& selection;
    ~Withdraw() { selection.withdraw(); }
  } before_the_sleeper_dies{selection};
  Errc why = Errc::closed;
  BROOK_TRY {
    for (selection.enlist(sleeper); !selection.look(); static_cast<void>(sleeper.sleep())) {
      why = wait.stop_requested() ? Errc::cancelled : expired() ? Errc::timed_out : Errc::closed;
      if (why != Errc::closed) break;
      sleeper.set_deadline(std::min(deadline, selection.due()));
    }
    selection.withdraw();
  }
  BROOK_CATCH_ALL {
    selection.withdraw();
    if (!selection.taken()) BROOK_RETHROW;  // what was taken would be lost
  }
  return selection.result(why);
}

}  // namespace brook::wait
