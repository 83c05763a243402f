// choose.hpp — a thread that sleeps until a selection (wait/selection.hpp) has ended.
#pragma once

#include <algorithm>
#include <optional>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/selection.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::wait {

/// Takes what is there, or waits for it as `wait` says, which is `begun` then. Why it has ended, when nothing was taken.
[[nodiscard]] inline Errc take_or_sleep(AnySelection& selection, const Wait& wait, std::optional<Wait>& begun) {
  if (selection.poll(wait)) return Errc::closed;
  if (wait.stop_requested()) return Errc::cancelled;
  Clock& clock = selection.clock();
  begun = wait.until(clock);
  const Clock::time_point deadline = begun->deadline(clock);
  const auto expired = [&] { return deadline != Clock::time_point::max() && clock.now() >= deadline; };
  if (expired()) return Errc::timed_out;
  Sleeper sleeper(clock, deadline, wait);
  struct Withdraw {
    AnySelection& selection;
    ~Withdraw() { selection.withdraw(); }
  } before_the_sleeper_dies{selection};
  Errc why = Errc::closed;
  BROOK_TRY {
    for (selection.enlist(sleeper); !selection.look(); static_cast<void>(sleeper.sleep())) {
      why = wait.stop_requested() ? Errc::cancelled : expired() ? Errc::timed_out : Errc::closed;
      if (why != Errc::closed) break;
      sleeper.set_deadline(std::min(deadline, selection.due()));
    }
  }
  BROOK_CATCH_ALL {
    selection.withdraw();
    if (!selection.taken()) BROOK_RETHROW;  // what was taken would be lost
  }
  return why;
}

/// Takes what is there, or waits for it as `wait` says, and settles it; once for each selection. What is there wins over a
/// deadline and a stop request. Why it has ended, when nothing was taken: closed when nothing will come from any. Throws
/// what looking or settling throws, and then nothing was taken.
[[nodiscard]] inline Errc sleep_until_taken(AnySelection& selection, const Wait& wait) {
  std::optional<Wait> begun;
  const Errc why = take_or_sleep(selection, wait, begun);
  selection.settle(begun ? *begun : wait);
  return why;
}

/// The same, and what was taken. Errors: timed_out, cancelled; those of the first case when nothing will come from any.
template <class... Cases>
[[nodiscard]] expected<TakenOf<Cases...>, Errc> choose(Selection<Cases...>& selection, const Wait& wait) {
  const Errc why = sleep_until_taken(selection, wait);
  return selection.result(why);
}

}  // namespace brook::wait
