// manual_clock.hpp — time that moves only when told to, for tests.
//
//   brook::ManualClock clock;
//   brook::BlockingList<Job> jobs({.clock = &clock});
//   auto worker = clock.thread([&] { return jobs.blpop(5s); });
//   clock.advance(5s);
//   assert(worker.done() && worker.get().error() == brook::Errc::timed_out);
//
// No test that is written so takes real time, and none depends on how fast threads run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/timer_queue.hpp>
#include <brook/testing/activity.hpp>
#include <brook/testing/running.hpp>
#include <brook/testing/sleepers.hpp>

namespace brook {

/// Time that moves only when told to. Everything that is given this clock follows it: the ids of what is added, max_age,
/// idle times, visibility, delays, expiry, and the timeouts of all calls that block.
///
/// The clock knows threads: one that thread() started, one of brook's own, and any other from its first wait on this clock to
/// its end. A thread is *idle* while it waits on a manual clock, and else *active*. advance() and run_until_idle() wait
/// until no known thread but their own is active. So a known thread that waits in any other way (for a future, a latch, the
/// end of a thread) says so with Away; else they wait for it for ever, and after 10 s tell the standard error for whom. So
/// does who waits for a time while nobody moves it: on the one thread there is, say.
///
/// Timers, whose users have no thread that waits for them, ring on the thread that moves the time.
///
/// The clock outlives the objects that use it, and the calls that wait on it; threads may outlive it.
class ManualClock : public Clock {
 public:
  /// Says that this thread waits for something else than this clock, as long as the guard lives.
  using Away = testing::Away;

  /// Both clocks start at `unix_start` after their epochs, but not farther from them than 292 years.
  explicit ManualClock(std::chrono::milliseconds unix_start = {})
      : started_(std::clamp(unix_start, -farthest, farthest)),
        unix_(started_.count()),
        now_(std::chrono::nanoseconds(started_).count()) {}

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override {
    const std::int64_t ms = unix_.load(sync::seq_cst);
    return ms > 0 ? static_cast<std::uint64_t>(ms) : 0;
  }

  [[nodiscard]] time_point now() const noexcept override {
    return time_point(std::chrono::nanoseconds(now_.load(sync::seq_cst)));
  }

  /// Moves both clocks forward by `by` (not negative), from one deadline to the next. At each, who sleeps is woken and each
  /// timer rung whose time has come: one after the other, as they were enrolled and set, each when all that the one before
  /// brought about is done and all are idle. Before it moves anything it waits for that, too; and when it returns
  /// nothing is left to do. So a test that has one thread at work at a time always goes the same way.
  ///
  /// Threads that call it at the same time take turns: each call is over before the next one begins, and their times add up.
  /// A thread that is known may call it too, in the middle of another's call, which waits for it: that comes on top of what
  /// the other adds. Throws std::bad_alloc, and then has moved nothing. O(blocked calls) for each deadline.
  void advance(std::chrono::nanoseconds by) {
    testing::Held held = testing::lock();
    testing::Activity::Call call(activity_, held);
    for (auto left = std::max(by, std::chrono::nanoseconds(0));;) {
      call.wait_until_idle();
      if (rouse_first_due(held)) continue;
      if (left.count() == 0 || now() == time_point::max()) return;
      left -= move(left, next_deadline());
    }
  }

  /// Returns when all known threads but this one are idle and no timer is due: what can be done without more time is done.
  void run_until_idle() { advance({}); }

  /// Moves both clocks forward by `by` at once, wakes and rings whose time has come, and waits for nobody: as if the
  /// process had been suspended. Who was to be woken several times meanwhile is woken once. For tests in which time
  /// passes while others work, and may run into what they do, also into advance(), which waits for it. Throws
  /// std::bad_alloc, and then has moved nothing.
  void jump(std::chrono::nanoseconds by) {
    testing::Held held = testing::lock();
    const testing::Activity::Guest guest(activity_);
    static_cast<void>(move(std::max(by, std::chrono::nanoseconds(0))));
    while (rouse_first_due(held)) {}
  }

  /// Sets the wall clock alone, backwards too, as an operator or NTP does. Ids and max_age follow it, and waits until a time
  /// of the wall clock that begin later; idle times, delays and deadlines do not.
  void set_unix(std::chrono::milliseconds to) {
    const testing::Held held = testing::lock();
    unix_.store(to.count(), sync::seq_cst);
  }

  /// Calls `f`, or `f(stop_token)`, on a thread of its own that is known, and active, from now on. The handle has join(),
  /// get() for what `f` returns or throws, done() and request_stop(); when it dies it asks `f` to stop, and joins.
  /// Throws std::bad_alloc and std::system_error.
  template <class F>
  [[nodiscard]] auto thread(F&& f) {
    using Result = typename testing::ResultOf<std::decay_t<F>>::type;
    return testing::Running<Result>(activity_, std::forward<F>(f));
  }

  /// Manual clocks know this thread no more, until it waits on one again: for the end of a task in a pool of threads.
  static void forget_this_thread() noexcept {
    const testing::Held held = testing::lock();
    testing::Thread& thread = testing::Thread::current();
    while (!thread.known.empty()) thread.known.back()->forget(thread);
  }

  /// How many calls are blocked on this clock or about to block, whatever they wait for.
  [[nodiscard]] std::size_t sleepers() const {
    const testing::Held held = testing::lock();
    return sleepers_.size();
  }

  /// How many of them sleep, and are no longer about to: what they wait for, others can see.
  [[nodiscard]] std::size_t asleep() const {
    const testing::Held held = testing::lock();
    return sleepers_.asleep();
  }

  /// Returns once exactly `count` calls are blocked, and all of them sleep. For threads that the clock does not know
  /// before they wait; this one is idle meanwhile.
  void wait_for_sleepers(std::size_t count) const {
    const Away away;
    testing::Held held = testing::lock();
    activity_.wait(held, [&] { return sleepers_.size() == count && sleepers_.asleep() == count; });
  }

  /// What time it is, who is active, who sleeps until when, and which timers are set: for people.
  [[nodiscard]] std::string dump() const {
    const testing::Held held = testing::lock();
    std::ostringstream out;
    out << "now: " << shown(now()) << ", wall clock: " << unix_ms() << " ms\n" << activity_;
    for (const testing::Sleepers::Place& place : sleepers_.places()) {
      out << "thread " << place.thread->id << (place.asleep ? " sleeps until " : " is about to sleep until ")
          << shown(place.alarm->deadline) << '\n';
    }
    if (!timers_.empty())
      out << "timers: " << timers_.size() << ", the first at " << shown(timers_.first().deadline) << '\n';
    return out.str();
  }

  void enroll(Alarm& alarm) override {
    const testing::Held held = testing::lock();
    sleepers_.enroll(alarm, ++order_);
  }

  void dismiss(Alarm& alarm) noexcept override {
    testing::Held held = testing::lock();
    sleepers_.dismiss(alarm, held);
  }

  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    {
      const testing::Held all = testing::lock();
      if (!sleepers_.fall_asleep(alarm, now())) return;
    }
    wait_at(alarm, held);
    woken(alarm);  // if it was by chance
  }

  void woken(const Alarm& alarm) noexcept override {
    const testing::Held held = testing::lock();
    sleepers_.wake(alarm);
  }

  void expect_thread() noexcept override {
    const testing::Held held = testing::lock();
    activity_.expect();
  }

  void thread_came() noexcept override {
    const testing::Held held = testing::lock();
    activity_.come(testing::Thread::current());
  }

  void thread_failed() noexcept override {
    const testing::Held held = testing::lock();
    activity_.stay_away();
  }

  /// A timer whose time has come already rings in the next advance() or run_until_idle().
  void set(Timer& timer) override {
    const testing::Held held = testing::lock();
    timers_.add(timer, ++order_);
  }

  void unset(Timer& timer) noexcept override {
    testing::Held held = testing::lock();
    timers_.remove(timer, held);
  }

 private:
  // Whoever waits for time on the thread that should move it waits for ever.
  void wait_at(const Alarm& alarm, sync::unique_lock<sync::mutex>& held) {
    if (alarm.deadline == time_point::max()) return alarm.awake.wait(held);
    const time_point before = now();
    if (alarm.awake.wait_for(held, testing::long_silence) == std::cv_status::no_timeout || now() != before) return;
    if (told_.exchange(true, sync::seq_cst)) return;
    testing::tell([this](std::ostream& out) {
      out << "brook: a call has waited for the time of a ManualClock for 10 s, and nobody has moved it\n"
          << dump() << "It moves by advance(), on another thread than the one that waits: ManualClock::thread()\n";
    });
  }

  // Wakes the sleeper or rings the timer that comes first of those whose time has come. False when there is none.
  bool rouse_first_due(testing::Held& held) {
    testing::Sleepers::Place* const sleeper = sleepers_.first_due(now());
    const bool timer = !timers_.empty() && timers_.first().deadline <= now();
    if (timer && (sleeper == nullptr || timer_comes_before(*sleeper))) timers_.ring_first(held);
    else if (sleeper != nullptr) sleepers_.rouse(*sleeper, held);
    else return false;
    return true;
  }

  [[nodiscard]] bool timer_comes_before(const testing::Sleepers::Place& sleeper) const noexcept {
    const time_point deadline = timers_.first().deadline;
    return deadline < sleeper.alarm->deadline ||
           (deadline == sleeper.alarm->deadline && timers_.first_order() < sleeper.order);
  }

  [[nodiscard]] time_point next_deadline() const noexcept {
    const time_point next = sleepers_.next_deadline(now());
    return timers_.empty() ? next : std::min(next, timers_.first().deadline);
  }

  // Moves on by `by`, but not beyond `until`, nor beyond the end of time; by how much.
  std::chrono::nanoseconds move(std::chrono::nanoseconds by, time_point until = time_point::max()) noexcept {
    using namespace std::chrono;
    const time_point from = now();
    const bool too_far = from.time_since_epoch().count() > 0 ? by > until - from : from + by > until;
    if (too_far) by = until - from;
    now_.store((from + by).time_since_epoch().count(), sync::seq_cst);
    const auto reached = floor<milliseconds>((from + by).time_since_epoch()) - started_;
    unix_.fetch_add((reached - credited_).count(), sync::seq_cst);
    credited_ = reached;
    return by;
  }

  // In seconds.
  [[nodiscard]] static std::string shown(time_point time) {
    if (time == time_point::max()) return "the end of time";
    std::ostringstream out;
    out << std::chrono::duration<double>(time.time_since_epoch()).count() << " s";
    return out.str();
  }

  // What is not atomic is guarded by testing::lock().
  static constexpr auto farthest = std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds::max());

  const std::chrono::milliseconds started_;
  sync::atomic<std::int64_t> unix_;       // milliseconds
  sync::atomic<std::int64_t> now_;        // nanoseconds
  std::chrono::milliseconds credited_{};  // whole milliseconds of the monotonic clock already given to the wall clock
  sync::atomic<bool> told_{false};        // that somebody waits for ever
  std::uint64_t order_ = 0;               // of those who were enrolled and set
  mutable testing::Activity activity_;
  testing::Sleepers sleepers_{activity_};
  core::TimerQueue<Timer> timers_;
};

}  // namespace brook
