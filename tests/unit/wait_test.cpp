#include <brook/core/back_off.hpp>
#include <brook/core/sync.hpp>
#include <brook/options.hpp>
#include <brook/testing/manual_clock.hpp>
#include <brook/wait.hpp>
#include <brook/wait/slip.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>

#include "../catch.hpp"

namespace wait_test {

namespace {

using brook::Clock;
using brook::ManualClock;
using brook::Wait;
using namespace std::chrono_literals;
using std::chrono::duration;
using std::chrono::nanoseconds;
using std::chrono::system_clock;

constexpr auto at_once = Clock::time_point::min();
constexpr auto never = Clock::time_point::max();

Clock::time_point after(const Clock& clock, nanoseconds time) { return clock.now() + time; }

}  // namespace

TEST_CASE("Wait: nothing does not wait") {
  const ManualClock clock(1000ms);
  CHECK(Wait().deadline(clock) == at_once);
  CHECK(brook::ReadOptions{.block = {}}.block.deadline(clock) == at_once);
  CHECK_FALSE(Wait().stop_requested());
}

TEST_CASE("Wait: forever has no deadline") {
  const ManualClock clock(1000ms);
  const Wait wait = brook::forever;
  CHECK(wait.deadline(clock) == never);
}

TEST_CASE("Wait: a duration counts from the clock's present") {
  ManualClock clock(1000ms);
  const Wait wait = 5s;
  CHECK(wait.deadline(clock) == after(clock, 5s));
  clock.advance(2s);
  CHECK(wait.deadline(clock) == after(clock, 5s));
  CHECK(Wait(1ns).deadline(clock) == after(clock, 1ns));
  CHECK(Wait(3min).deadline(clock) == after(clock, 180s));
  clock.set_unix(1h);  // deadlines do not follow the wall clock
  CHECK(wait.deadline(clock) == after(clock, 5s));
}

TEST_CASE("Wait: zero and negative durations do not wait") {
  const ManualClock clock(1000ms);
  CHECK(Wait(0s).deadline(clock) == at_once);
  CHECK(Wait(-1ns).deadline(clock) == at_once);
  CHECK(Wait(-5h).deadline(clock) == at_once);
  CHECK(Wait(nanoseconds::min()).deadline(clock) == at_once);
  CHECK(Wait(std::chrono::hours::min()).deadline(clock) == at_once);
  CHECK(Wait(duration<double>(0.0)).deadline(clock) == at_once);
  CHECK(Wait(duration<double>(-0.5)).deadline(clock) == at_once);
  CHECK(Wait(duration<double>(-1e300)).deadline(clock) == at_once);
  CHECK(Wait(-duration<double>(std::numeric_limits<double>::infinity())).deadline(clock) == at_once);
}

TEST_CASE("Wait: fractions of seconds, rounded up to the clock's tick") {
  const ManualClock clock(1000ms);
  CHECK(Wait(duration<double>(0.5)).deadline(clock) == after(clock, 500ms));
  CHECK(Wait(duration<double>(2.0)).deadline(clock) == after(clock, 2s));
  CHECK(Wait(duration<float>(0.25F)).deadline(clock) == after(clock, 250ms));
  CHECK(Wait(duration<double, std::milli>(1.5)).deadline(clock) == after(clock, 1500us));
  CHECK(Wait(duration<double>(1e-12)).deadline(clock) == after(clock, 1ns));
  CHECK(Wait(duration<std::int64_t, std::pico>(1)).deadline(clock) == after(clock, 1ns));
  CHECK(Wait(duration<std::int64_t, std::pico>(1001)).deadline(clock) == after(clock, 2ns));
}

TEST_CASE("Wait: durations too long to count are forever") {
  ManualClock clock(1000ms);
  CHECK(Wait(nanoseconds::max()).deadline(clock) == never);
  CHECK(Wait(std::chrono::milliseconds::max()).deadline(clock) == never);
  CHECK(Wait(std::chrono::hours::max()).deadline(clock) == never);
  CHECK(Wait(duration<double>(1e18)).deadline(clock) == never);
  CHECK(Wait(duration<double>(1e300)).deadline(clock) == never);
  CHECK(Wait(duration<double>(std::numeric_limits<double>::infinity())).deadline(clock) == never);
  CHECK(Wait(duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max())).deadline(clock) == never);
  CHECK(Wait(duration<std::int64_t, std::ratio<31556952>>(300)).deadline(clock) == never);
  clock.advance(24h);
  CHECK(Wait(nanoseconds::max() - 12h).deadline(clock) == never);
  CHECK(Wait(nanoseconds::max() - 48h).deadline(clock) == after(clock, nanoseconds::max() - 48h));
}

TEST_CASE("Wait: a time point of the monotonic clock is the deadline") {
  ManualClock clock(1000ms);
  const auto point = after(clock, 5s);
  const Wait wait = point;
  CHECK(wait.deadline(clock) == point);
  clock.advance(10s);
  CHECK(wait.deadline(clock) <= clock.now());
  CHECK(Wait(Clock::time_point::max()).deadline(clock) == never);
  CHECK(Wait(Clock::time_point::min()).deadline(clock) == at_once);
}

TEST_CASE("Wait: a wall-clock time point is as far off as the clock's wall time says") {
  ManualClock clock(1000ms);
  const Wait wait = system_clock::time_point(3s);
  CHECK(wait.deadline(clock) == after(clock, 2s));
  clock.advance(500ms);
  CHECK(wait.deadline(clock) == after(clock, 1500ms));
  clock.set_unix(2900ms);
  CHECK(wait.deadline(clock) == after(clock, 100ms));
  clock.set_unix(3000ms);
  CHECK(wait.deadline(clock) == at_once);
  clock.set_unix(10s);
  CHECK(wait.deadline(clock) == at_once);
}

TEST_CASE("Wait: wall-clock time points of any resolution, and far from now") {
  const ManualClock clock(1000ms);
  using Seconds = std::chrono::time_point<system_clock, std::chrono::seconds>;
  using Days = std::chrono::time_point<system_clock, duration<std::int64_t, std::ratio<86400>>>;
  CHECK(Wait(Seconds(61s)).deadline(clock) == after(clock, 60s));
  CHECK(Wait(Seconds(-61s)).deadline(clock) == at_once);
  CHECK(Wait(Seconds::min()).deadline(clock) == at_once);
  CHECK(Wait(Days::min()).deadline(clock) == at_once);
  CHECK(Wait(Days::max()).deadline(clock) > after(clock, 24h * 365 * 200));
  CHECK(Wait(system_clock::time_point::max()).deadline(clock) > after(clock, 24h * 365 * 200));
}

TEST_CASE("Wait: deadlines work on a clock that stands before the epoch") {
  const ManualClock clock(-5000ms);
  CHECK(Wait(1s).deadline(clock) == after(clock, 1s));
  CHECK(Wait(nanoseconds::max()).deadline(clock) > after(clock, 24h * 365 * 200));
}

#ifdef __cpp_lib_jthread
TEST_CASE("Wait: a stop token, with any limit") {
  const ManualClock clock(1000ms);
  std::stop_source source;
  const Wait limited(5s, source.get_token());
  const Wait unlimited(brook::forever, source.get_token());
  const Wait later = Wait(3s).with(source.get_token());
  CHECK(limited.deadline(clock) == after(clock, 5s));
  CHECK(unlimited.deadline(clock) == never);
  CHECK(later.deadline(clock) == after(clock, 3s));
  CHECK(limited.stop() == source.get_token());
  CHECK_FALSE(limited.stop_requested());
  source.request_stop();
  CHECK(limited.stop_requested());
  CHECK(unlimited.stop_requested());
  CHECK(later.stop_requested());
}

TEST_CASE("Wait: with() leaves the original alone") {
  std::stop_source source;
  source.request_stop();
  const Wait wait = 3s;
  CHECK(wait.with(source.get_token()).stop_requested());
  CHECK_FALSE(wait.stop_requested());
}

TEST_CASE("ReadOptions: the stop token of either place counts, that of the options first") {
  std::stop_source in_wait;
  std::stop_source in_options;
  in_wait.request_stop();
  const brook::ReadOptions inner{.block = Wait(5s, in_wait.get_token())};
  CHECK(inner.wait().stop_requested());
  const brook::ReadOptions both{.block = Wait(5s, in_wait.get_token()), .stop = in_options.get_token()};
  CHECK_FALSE(both.wait().stop_requested());
  const brook::ReadOptions plain{.block = 5s};
  CHECK_FALSE(plain.wait().stop_requested());
}
#endif

namespace {

// Of a Trial, or what has one. How often `due()` says no before it says yes.
template <class Due>
int times_before(Due&& due) {
  int times = 0;
  while (!due()) ++times;
  return times;
}

constexpr int times_where_nothing_pays[] = {1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023};

}  // namespace

TEST_CASE("Slip: tried at once as long as it pays, and ever more seldom where it does not") {
  brook::wait::Slip slip;
  const auto due = [&] { return slip.due(5us, never); };
  for (int i = 0; i < 3; ++i) {
    CHECK(times_before(due) == 0);
    slip.end(16);
  }
  for (const int times : times_where_nothing_pays) {
    slip.end(15);
    CHECK(times_before(due) == times);
  }
  slip.end(1000);
  CHECK(times_before(due) == 0);
}

TEST_CASE("BackOff: of two that meet one stands by, and ever more seldom where nobody else does anything meanwhile") {
  brook::core::BackOff<20> turns;
  const brook::sync::atomic<std::uint64_t> word{0x50004};
  for (int i = 0; i < 5000; ++i) CHECK_FALSE(turns.met(word, 0x30002));
  const auto stands_by = [&] { return turns.met(word, 0x40003); };
  CHECK(times_before(stands_by) == 0);
  for (const int times : times_where_nothing_pays) CHECK(times_before(stands_by) == times);
}

TEST_CASE("Slip: who does not wait, or polls for less than two of them, polls from the start") {
  brook::wait::Slip slip;
  for (const auto budget : {0us, 1us, 3us}) CHECK_FALSE(slip.due(budget, never));
  CHECK_FALSE(slip.due(5us, at_once));
  CHECK(slip.due(4us, never));
}

}  // namespace wait_test
