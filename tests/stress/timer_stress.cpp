// timer_stress.cpp — timers that are set and unset by many threads while they ring, on each kind of clock; a manual clock
// whose time several threads move while others work; and a process that forks, or ends, with timers set.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/testing.hpp>

#include "stress.hpp"

#if defined(__unix__) && !defined(__SANITIZE_THREAD__)
#define BROOK_TEST_FORK 1
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

using namespace brook;
using namespace brook::stress;
using namespace std::chrono_literals;

using Random = std::mt19937_64;

// Rings as often as it is told to, and counts.
class Bell final : public Clock::Timer {
 public:
  explicit Bell(Clock& clock) : Timer({}), clock_(clock) {}
  ~Bell() { clock_.unset(*this); }

  void ring() noexcept override {
    expect(!rings_.exchange(true), "a timer does not ring while it rings");
    expect(clock_.now() >= deadline, "a timer does not ring before its time");
    ++rung_;
    ++tolls_;
    tolls_.notify_all();
    if (rung_ % 2 == 0) std::this_thread::yield();  // others come to it meanwhile
    if (again_ > 0) {
      --again_;
      clock_.set(*this);
    }
    if (rung_ % 3 == 0) std::this_thread::yield();
    rings_ = false;
  }

  // Rings once more for each of `again`, right after.
  void set(Clock::time_point when, int again) {
    deadline = when;
    again_ = again;
    clock_.set(*this);
  }

  // Waits for the next ring after so many.
  void wait_after(std::uint64_t tolls) const { tolls_.wait(tolls); }

  // Nothing of what it returns is guarded but by unset() itself.
  [[nodiscard]] std::uint64_t unset() {
    clock_.unset(*this);
    expect(!rings_, "a timer that is unset does not ring");
    return rung_;
  }

 private:
  Clock& clock_;
  std::uint64_t rung_ = 0;
  int again_ = 0;
  std::atomic<bool> rings_ = false;
  std::atomic<std::uint64_t> tolls_ = 0;
};

void set_and_unset(Clock& clock, std::size_t number, std::uint64_t times) {
  Random random(number);
  std::vector<std::unique_ptr<Bell>> bells;
  for (int i = 0; i < 20; ++i) bells.push_back(std::make_unique<Bell>(clock));
  std::vector<std::uint64_t> most(bells.size());
  for (std::uint64_t i = 0; i < times; ++i) {
    const std::size_t which = random() % bells.size();
    const std::uint64_t rung = bells[which]->unset();
    expect(rung <= most[which], "a timer rings once for each time it is set");
    const int again = static_cast<int>(random() % 3);
    most[which] = rung + 1 + static_cast<std::uint64_t>(again);
    const bool soon = random() % 8 != 0;
    const auto late = soon ? std::chrono::microseconds(random() % 50) - 20us : std::chrono::microseconds(1h);
    bells[which]->set(clock.now() + late, again);
    if (soon && random() % 4 != 0) bells[which]->wait_after(rung);
    if (random() % 64 == 0) bells[which] = std::make_unique<Bell>(clock), most[which] = 0;
  }
}

void timers_on(Clock& clock, std::uint64_t work) {
  Threads threads;
  threads.start(3, [&](std::size_t i) { set_and_unset(clock, i, 300 * work); });
}

// Two threads move the time from deadline to deadline, in turns; a third one jumps in between, and so rings timers while
// they do.
void timers_on_a_manual_clock(std::uint64_t work) {
  ManualClock clock;
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> moved = 0;
  Threads movers;
  movers.start(3, [&](std::size_t i) {
    for (; !over; std::this_thread::yield()) {
      moved += 2 + i;
      if (i < 2) clock.advance(std::chrono::microseconds(2 + i));
      else clock.jump(4us);
    }
  });
  const auto start = clock.now();
  timers_on(clock, work);
  over = true;
  movers.join();
  expect(clock.now() - start <= std::chrono::microseconds(moved), "time passes only as it is told to");
}

// Each worker takes from one list, works for a while, and gives to the next.
struct Line {
  static constexpr std::size_t length = 4;

  explicit Line(std::chrono::microseconds least, bool two_clocks) : least_(least), two_(two_clocks) {
    for (std::size_t i = 0; i < length; ++i) {
      lists.push_back(std::make_unique<BlockingList<int>>(ListOptions{.clock = &clock_of(i), .spin = 0us}));
    }
    for (std::size_t i = 0; i < length; ++i) workers.push_back(clock_of(i).thread([this, i] { work(i); }));
  }
  ~Line() {
    for (auto& list : lists) list->close();
  }

  ManualClock& clock_of(std::size_t i) { return two_ && i % 2 == 1 ? other : clock; }

  void work(std::size_t at) {
    BlockingList<int> nothing({.clock = &clock_of(at), .spin = 0us});
    while (const auto job = lists[at]->blpop(forever)) {
      if (least_ > 0us) static_cast<void>(nothing.blpop(least_));
      ++done[at];
      if (at + 1 < length) expect(lists[at + 1]->rpush(*job).has_value(), "a job goes on");
    }
  }

  const std::chrono::microseconds least_;
  const bool two_;
  ManualClock clock;
  ManualClock other;
  std::vector<std::unique_ptr<BlockingList<int>>> lists;
  std::vector<std::uint64_t> done = std::vector<std::uint64_t>(length);  // guarded by nothing but that all are idle
  std::vector<testing::Running<void>> workers;
};

void idle_means_done(bool two_clocks, std::uint64_t work) {
  Line line(0us, two_clocks);
  Random random(7);
  std::uint64_t jobs = 0;
  for (std::uint64_t i = 0; i < 400 * work; ++i) {
    for (auto burst = random() % 4; burst > 0; --burst, ++jobs) static_cast<void>(line.lists[0]->rpush(1));
    for (std::size_t at = 0; at < Line::length; ++at) line.clock_of(at).run_until_idle();
    for (const std::uint64_t done : line.done) expect(done == jobs, "all that could be done is done when all are idle");
  }
}

void time_means_done(std::uint64_t work) {
  Line line(100us, false);
  std::uint64_t jobs = 0;
  for (std::uint64_t i = 0; i < 150 * work; ++i, ++jobs) {
    static_cast<void>(line.lists[0]->rpush(1));
    for (std::size_t at = 0; at < Line::length; ++at) {
      expect(line.done[at] == jobs, "nothing is done before its time");
      line.clock.advance(100us);
      expect(line.done[at] == jobs + 1, "all is done at its time");
    }
  }
}

// Some move the time, one of those who work does so too, and the test's own thread waits.
void many_move_the_time(std::uint64_t work) {
  ManualClock clock;
  BlockingList<int> nothing({.clock = &clock, .spin = 0us});
  const auto start = clock.now();
  const auto steps = static_cast<std::int64_t>(100 * work);
  std::atomic<std::int64_t> moved = 0;
  Threads movers;
  std::vector<testing::Running<void>> workers;
  for (int i = 0; i < 2; ++i) {
    workers.push_back(clock.thread([&, i] {
      for (auto at = clock.now(); at < start + steps * 4us; at = clock.now()) {
        const auto time = (i + 3) * 1us;
        static_cast<void>(nothing.blpop(time));
        expect(clock.now() >= at + time, "a wait lasts as long as told");
        if (i == 0) clock.advance(1us), ++moved;
      }
    }));
  }
  movers.start(2, [&](std::size_t) {
    for (std::int64_t i = 0; i < steps * 2; ++i) clock.advance(1us), ++moved;
  });
  movers.join();
  for (auto& worker : workers) {
    for (; !worker.done(); ++moved) clock.advance(1us);
  }
  expect(clock.now() - start == moved.load() * 1us, "what several add to the time adds up");
}

#ifdef BROOK_TEST_FORK
// Calls `child` in a process of its own, which then exits; as it should.
void in_a_child(const std::function<void()>& child, const char* what) {
  const pid_t process = fork();
  if (process == 0) {
    child();
    std::exit(faults == 0 ? 0 : 1);
  }
  int status = 1;
  expect(waitpid(process, &status, 0) == process && status == 0, what);
}

struct Call final : Clock::Timer {
  explicit Call(std::function<void()> f) : Timer(SystemClock::instance().now()), then(std::move(f)) {}
  void ring() noexcept override { then(); }
  std::function<void()> then;
};

void fork_and_exit() {
  Clock& clock = SystemClock::instance();
  Bell parents(clock);
  parents.set(clock.now() + 1h, 0);
  // A thread that begins takes memory: a child that is forked meanwhile has a sanitizer's allocator with its lock held.
  std::atomic<bool> begun = false;
  Call first([&] {
    begun = true;
    begun.notify_all();
  });
  clock.set(first);
  begun.wait(false);
  clock.unset(first);
  static std::atomic<bool> rung = false;
  in_a_child(
      [&] {
        static_cast<void>(parents.unset());
        Call call([] {
          rung = true;
          rung.notify_all();
        });
        clock.set(call);
        rung.wait(false);
        clock.unset(call);
        static Bell left(clock);
        left.set(clock.now() + 1h, 0);
      },
      "a child has timers of its own, and ends with one set");
  in_a_child([] {}, "a child ends that has not its parent's timers");
  in_a_child(
      [&] {
        static Call call([] { std::exit(0); });
        clock.set(call);
        rung.wait(false);  // for ever
      },
      "a process ends where a timer ends it");
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
#ifdef BROOK_TEST_FORK
  fork_and_exit();
#endif
  CoarseClock coarse;
  SystemClock own;
  timers_on(SystemClock::instance(), work);
  timers_on(coarse, work);
  timers_on(own, work);
  timers_on_a_manual_clock(work);
  idle_means_done(false, work);
  idle_means_done(true, work);
  time_means_done(work);
  many_move_the_time(work);
  return verdict("timer_stress");
}
