#include <brook/testing.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/brook.hpp>

#include "../catch.hpp"

namespace manual_clock_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;

// Sleeps on `clock` as a blocking call does, until its deadline.
void doze_until(Clock& clock, Clock::time_point deadline) {
  sync::mutex mutex;
  sync::condition_variable awake;
  Clock::Alarm alarm{mutex, awake, deadline};
  clock.enroll(alarm);
  {
    sync::unique_lock<sync::mutex> held(mutex);
    while (clock.now() < deadline) clock.sleep(held, alarm);
  }
  clock.dismiss(alarm);
}

// A timer that does something each time it rings, and is unset when it dies.
class Bell final : public Clock::Timer {
 public:
  Bell(Clock& clock, Clock::time_point when, std::function<void()> then)
      : Timer(when), clock_(clock), then_(std::move(then)) {}
  ~Bell() { clock_.unset(*this); }
  void ring() noexcept override { then_(); }

 private:
  Clock& clock_;
  const std::function<void()> then_;
};

std::chrono::milliseconds since(Clock::time_point start, const Clock& clock) {
  return std::chrono::floor<std::chrono::milliseconds>(clock.now() - start);
}

using Ints = std::vector<int>;
using Times = std::vector<std::chrono::milliseconds>;

}  // namespace

TEST_CASE("ManualClock: starts where it is told to") {
  const ManualClock clock(1'700'000'000'123ms);
  CHECK(clock.unix_ms() == 1'700'000'000'123);
  CHECK(clock.now() == Clock::time_point(1'700'000'000'123ms));
  CHECK(clock.sleepers() == 0);
  CHECK(ManualClock().unix_ms() == 0);
}

TEST_CASE("ManualClock: stands still by itself", "[repeats]") {
  const ManualClock clock(5s);
  const auto now = clock.now();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  CHECK(clock.now() == now);
  CHECK(clock.unix_ms() == 5000);
}

TEST_CASE("ManualClock: advance moves both clocks") {
  ManualClock clock(1000ms);
  const auto start = clock.now();
  clock.advance(5s);
  CHECK(clock.unix_ms() == 6000);
  CHECK(clock.now() == start + 5s);
  clock.advance(0ns);
  CHECK(clock.unix_ms() == 6000);
  CHECK(clock.now() == start + 5s);
}

TEST_CASE("ManualClock: parts of a millisecond add up") {
  ManualClock clock(1000ms);
  const auto start = clock.now();
  for (int i = 0; i < 2; ++i) clock.advance(400us);
  CHECK(clock.unix_ms() == 1000);
  clock.advance(400us);
  CHECK(clock.unix_ms() == 1001);
  for (int i = 0; i < 1'000; ++i) clock.advance(999ns);
  CHECK(clock.now() == start + 1200us + 999us);
  CHECK(clock.unix_ms() == 1002);
}

TEST_CASE("ManualClock: set_unix moves the wall clock alone, backwards too") {
  ManualClock clock(10s);
  const auto start = clock.now();
  clock.set_unix(3s);
  CHECK(clock.unix_ms() == 3000);
  CHECK(clock.now() == start);
  clock.advance(1500us);
  CHECK(clock.unix_ms() == 3001);
  CHECK(clock.now() == start + 1500us);
  clock.set_unix(20s);
  clock.advance(500us);
  CHECK(clock.unix_ms() == 20'001);
  clock.set_unix(0ms);
  CHECK(clock.unix_ms() == 0);
}

TEST_CASE("ManualClock: wall time before 1970 reads as 1970") {
  ManualClock clock(10s);
  clock.set_unix(-3s);
  CHECK(clock.unix_ms() == 0);
  clock.advance(2s);
  CHECK(clock.unix_ms() == 0);
  clock.advance(2s);
  CHECK(clock.unix_ms() == 1000);
}

TEST_CASE("ManualClock: sleepers counts who sleeps, and advance wakes whose time has come") {
  ManualClock clock(1s);
  const auto start = clock.now();
  std::atomic<int> awake{0};
  std::vector<std::thread> threads;
  for (const auto time : {1s, 2s, 3s}) {
    threads.emplace_back([&, time] {
      doze_until(clock, start + time);
      awake.fetch_add(1);
    });
  }
  while (clock.sleepers() < 3) std::this_thread::yield();
  clock.advance(1s - 1ns);
  CHECK(clock.sleepers() == 3);
  clock.advance(1ns);
  threads[0].join();
  CHECK(clock.sleepers() == 2);
  CHECK(awake.load() == 1);
  clock.advance(10s);
  threads[1].join();
  threads[2].join();
  CHECK(clock.sleepers() == 0);
  CHECK(awake.load() == 3);
}

TEST_CASE("ManualClock: an advance that meets a thread on its way to sleep is not missed", "[repeats]") {
  ManualClock clock;
  for (int i = 0; i < 500; ++i) {
    const auto deadline = clock.now() + 1s;
    std::thread sleeper([&] { doze_until(clock, deadline); });
    while (clock.sleepers() == 0 && clock.now() < deadline) std::this_thread::yield();
    clock.advance(1s);
    sleeper.join();
  }
  CHECK(clock.sleepers() == 0);
}

TEST_CASE("ManualClock: read and moved by several threads") {
  ManualClock clock(1s);
  constexpr int moves = 2000;
  std::atomic<bool> steps_back{false};
  std::thread reader([&] {
    auto last = clock.now();
    auto last_ms = clock.unix_ms();
    for (int i = 0; i < moves; ++i) {
      const auto now = clock.now();
      const auto ms = clock.unix_ms();
      if (now < last || ms < last_ms) steps_back = true;
      last = now;
      last_ms = ms;
    }
  });
  std::thread mover([&] {
    for (int i = 0; i < moves; ++i) clock.advance(1ms);
  });
  for (int i = 0; i < moves; ++i) clock.advance(1ms);
  reader.join();
  mover.join();
  CHECK_FALSE(steps_back.load());
  CHECK(clock.unix_ms() == 1000 + 2 * moves);
}

TEST_CASE("ManualClock: time does not go back, and ends") {
  ManualClock clock(1s);
  clock.advance(-5s);
  clock.jump(-5s);
  CHECK(clock.unix_ms() == 1000);
  clock.advance(std::chrono::nanoseconds::max());
  CHECK(clock.now() == Clock::time_point::max());
  clock.jump(1s);
  CHECK(clock.now() == Clock::time_point::max());
  ManualClock before(-5s);
  before.advance(std::chrono::nanoseconds::max());
  CHECK(before.now() == Clock::time_point(std::chrono::nanoseconds::max() - 5s));
  for (const auto start : {std::chrono::milliseconds::max(), std::chrono::milliseconds::min()}) {
    ManualClock far(start);
    CHECK((far.now().time_since_epoch() > 0s) == (start > 0s));
    far.advance(std::chrono::nanoseconds::max());
    far.advance(std::chrono::nanoseconds::max());
    CHECK(far.now() == Clock::time_point::max());
  }
}

TEST_CASE("ManualClock: who times out each second wakes five times in five seconds") {
  ManualClock clock(1h);
  const auto start = clock.now();
  BlockingList<int> list({.clock = &clock});
  Times times;
  auto worker = clock.thread([&] {
    while (list.blpop(1s).error() == Errc::timed_out) times.push_back(since(start, clock));
  });
  clock.advance(5s);
  CHECK(times == Times{1s, 2s, 3s, 4s, 5s});
  clock.advance(1500ms);
  CHECK(times.size() == 6);
  list.close();
  clock.run_until_idle();
  CHECK(worker.done());
}

TEST_CASE("ManualClock: what is due at one time comes in the order of enrolment, one after the other") {
  ManualClock clock;
  const auto start = clock.now();
  BlockingList<int> list({.clock = &clock});
  Ints order;  // nothing guards it but that no two are awake at once
  std::vector<testing::Running<void>> workers;
  std::vector<std::unique_ptr<Bell>> bells;
  for (int i = 0; i < 10; i += 2) {
    workers.push_back(clock.thread([&, i] {
      for (int round = 0; round < 2; ++round) {
        static_cast<void>(list.blpop(start + 1s * (round + 1)));
        order.push_back(i);
      }
    }));
    clock.run_until_idle();
    bells.push_back(std::make_unique<Bell>(clock, start + 1s, [&, i] { order.push_back(i + 1); }));
    clock.set(*bells.back());
  }
  clock.advance(1s - 1ns);
  CHECK(order.empty());
  clock.advance(1ns);
  CHECK(order == Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  clock.advance(1s);
  CHECK(order == Ints{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 2, 4, 6, 8});
  for (auto& worker : workers) CHECK(worker.done());
}

TEST_CASE("ManualClock: what was pushed has been worked on when all are idle") {
  ManualClock clock;
  BlockingList<int> jobs({.clock = &clock});
  Channel<int> channel({.clock = &clock});
  int sum = 0;
  int called = 0;
  auto subscription = channel.subscribe([&](int value) { called += value; }, {.thread = CallOn::own_thread});
  auto worker = clock.thread([&] {
    while (const auto job = jobs.blpop(forever)) {
      sum += *job;
      channel.publish(*job);
    }
  });
  for (int i = 1; i <= 1000; ++i) {
    REQUIRE(jobs.rpush(1));
    clock.run_until_idle();
    REQUIRE(sum == i);
    REQUIRE(called == i);
  }
  jobs.close();
  clock.run_until_idle();
  CHECK(worker.done());
}

TEST_CASE("ManualClock: a thread of the clock's is waited for from its start, and when it ends") {
  for (int round = 0; round < 200; ++round) {
    ManualClock clock;
    BlockingList<int> list({.clock = &clock});
    auto waits = clock.thread([&] { return list.blpop(1s); });
    auto ends = clock.thread([&] { return list.size(); });
    clock.run_until_idle();
    REQUIRE(ends.done());
    REQUIRE(clock.asleep() == 1);
    clock.advance(1s - 1ns);
    REQUIRE_FALSE(waits.done());
    clock.advance(1ns);
    REQUIRE(waits.done());
    REQUIRE(waits.get().error() == Errc::timed_out);
  }
}

TEST_CASE("ManualClock: what a thread of the clock's returns or throws") {
  ManualClock clock;
  CHECK(clock.thread([] { return std::make_unique<int>(7); }).get() != nullptr);
  auto nothing = clock.thread([] {});
  nothing.join();
  nothing.get();
  auto failed = clock.thread([]() -> int { throw std::runtime_error("no"); });
  CHECK_THROWS_AS(failed.get(), std::runtime_error);
}

TEST_CASE("ManualClock: threads of the test's own are known when they wait") {
  ManualClock clock;
  const auto start = clock.now();
  BlockingList<int> list({.clock = &clock});
  std::array<std::thread, 3> threads;
  std::atomic<int> awake{0};
  for (auto& thread : threads) {
    thread = std::thread([&] {
      static_cast<void>(list.blpop(1s));
      static_cast<void>(list.blpop(1s));
      ++awake;
    });
  }
  clock.wait_for_sleepers(3);
  clock.advance(2s);
  CHECK(awake == 3);
  CHECK(clock.sleepers() == 0);
  CHECK(clock.now() == start + 2s);
  for (auto& thread : threads) thread.join();
}

TEST_CASE("ManualClock: a thread that waits for something else is away") {
  ManualClock clock;
  BlockingList<int> list({.clock = &clock});
  std::promise<int> promise;
  auto worker = clock.thread([&] {
    static_cast<void>(list.blpop(1s));
    const ManualClock::Away away;
    return promise.get_future().get();
  });
  clock.advance(5s);
  CHECK_FALSE(worker.done());
  promise.set_value(7);
  CHECK(worker.get() == 7);
}

TEST_CASE("ManualClock: a thread of a pool is forgotten at the end of its task") {
  ManualClock clock;
  BlockingList<int> list({.clock = &clock});
  std::atomic<int> tasks{0};
  std::atomic<bool> over{false};
  std::thread pool([&] {
    static_cast<void>(list.blpop(1s));
    ManualClock::forget_this_thread();
    ++tasks;
    over.wait(false);
  });
  clock.wait_for_sleepers(1);
  clock.advance(1s);
  clock.run_until_idle();
  over = true;
  over.notify_all();
  pool.join();
  CHECK(tasks == 1);
}

TEST_CASE("ManualClock: the test's own thread may wait while another moves the time") {
  ManualClock clock;
  const auto start = clock.now();
  BlockingList<int> list({.clock = &clock});
  auto driver = clock.thread([&] {
    clock.wait_for_sleepers(1);
    clock.advance(3s);
    return since(start, clock);
  });
  for (int i = 1; i <= 3; ++i) {
    CHECK(list.blpop(1s).error() == Errc::timed_out);
    CHECK(since(start, clock) == i * 1s);
  }
  CHECK(driver.get() == 3s);
  ManualClock::forget_this_thread();
}

TEST_CASE("ManualClock: time moved by one who is waited for comes on top") {
  for (int round = 0; round < 100; ++round) {
    ManualClock clock;
    const auto start = clock.now();
    BlockingList<int> jobs({.clock = &clock});
    BlockingList<int> nothing({.clock = &clock});
    Times done;
    auto worker = clock.thread([&] {
      while (const auto job = jobs.blpop(forever)) {
        clock.advance(*job * 1s);  // so long does it take
        done.push_back(since(start, clock));
      }
    });
    auto other = clock.thread([&] {
      static_cast<void>(nothing.blpop(10s));
      return clock.now();
    });
    REQUIRE(jobs.rpush({2, 3}));
    clock.run_until_idle();
    REQUIRE(done == Times{2s, 5s});
    REQUIRE(jobs.rpush(4));
    clock.advance(5s);
    REQUIRE(done == Times{2s, 5s, 9s});
    REQUIRE(since(start, clock) == 14s);
    REQUIRE(other.get() == start + 10s);
    jobs.close();
  }
}

TEST_CASE("ManualClock: a thread that uses two of them") {
  ManualClock one;
  ManualClock other;
  BlockingList<int> here({.clock = &one});
  BlockingList<int> there({.clock = &other});
  int sum = 0;
  auto worker = one.thread([&] {
    while (const auto value = here.blpop(forever)) {
      sum += *value;
      if (const auto more = there.blpop(1s)) sum += *more;
    }
  });
  one.run_until_idle();
  REQUIRE(here.rpush(1));
  one.run_until_idle();  // it waits on the other one
  CHECK(sum == 1);
  REQUIRE(there.rpush(10));
  one.run_until_idle();
  CHECK(sum == 11);
  REQUIRE(here.rpush(1));
  other.run_until_idle();
  CHECK(sum == 12);
  other.advance(1s);
  REQUIRE(here.rpush(1));
  other.run_until_idle();
  CHECK(sum == 13);
  here.close();
  other.advance(1s);
  CHECK(worker.done());
}

TEST_CASE("ManualClock: threads may outlive it") {
  std::optional<ManualClock> first(std::in_place);
  std::optional<BlockingList<int>> list(std::in_place, ListOptions{.clock = &*first});
  ManualClock second;
  BlockingList<int> other({.clock = &second});
  std::thread thread([&] {
    static_cast<void>(list->blpop(1s));
    static_cast<void>(other.blpop(1s));
  });
  first->wait_for_sleepers(1);
  first->advance(1s);
  list.reset();
  first.reset();
  second.wait_for_sleepers(1);
  second.advance(1s);
  CHECK(second.sleepers() == 0);
  thread.join();
}

#ifdef __cpp_lib_jthread
TEST_CASE("ManualClock: a stop request is work like any other") {
  ManualClock clock;
  BlockingList<int> list({.clock = &clock});
  const auto pop = [&](std::stop_token stop) { return list.blpop({forever, std::move(stop)}); };
  auto worker = clock.thread(pop);
  auto left_alone = clock.thread(pop);  // its handle asks it to stop
  clock.run_until_idle();
  worker.request_stop();
  clock.run_until_idle();
  CHECK(worker.done());
  CHECK(worker.get().error() == Errc::cancelled);
  CHECK_FALSE(left_alone.done());
}
#endif

TEST_CASE("ManualClock: a jump waits for nobody, and wakes late") {
  ManualClock clock(1s);
  const auto start = clock.now();
  BlockingList<int> list({.clock = &clock});
  std::atomic<bool> over{false};
  auto busy = clock.thread([&] { over.wait(false); });
  auto worker = clock.thread([&] {
    Times times;
    while (list.blpop(1s).error() == Errc::timed_out) times.push_back(since(start, clock));
    return times;
  });
  int rung = 0;
  Bell bell(clock, start + 1s, [&] { ++rung; });
  clock.set(bell);
  clock.wait_for_sleepers(1);
  clock.jump(10s);
  CHECK(rung == 1);
  CHECK(clock.unix_ms() == 11'000);
  over = true;
  over.notify_all();
  clock.run_until_idle();
  clock.advance(1s);
  list.close();
  CHECK(worker.get() == Times{10s, 11s});
}

TEST_CASE("ManualClock: timers ring where the time is moved, at their time") {
  ManualClock clock;
  const auto start = clock.now();
  const auto here = std::this_thread::get_id();
  Times times;
  bool elsewhere = false;
  Bell never(clock, start + 3s, [&] { elsewhere = true; });
  Bell* again = nullptr;
  Bell bell(clock, start + 1s, [&] {
    elsewhere = elsewhere || std::this_thread::get_id() != here;
    times.push_back(since(start, clock));
    clock.unset(never);
    again->deadline += 2s;
    clock.set(*again);
    clock.run_until_idle();  // which has nothing to wait for
  });
  again = &bell;
  clock.set(bell);
  clock.set(never);
  clock.advance(5s);
  CHECK(times == Times{1s, 3s, 5s});
  CHECK_FALSE(elsewhere);
  clock.unset(bell);
  clock.advance(5s);
  CHECK(times.size() == 3);
  Bell late(clock, start, [&] { times.push_back(since(start, clock)); });
  clock.set(late);
  CHECK(times.size() == 3);  // not in there
  clock.run_until_idle();
  CHECK(times == Times{1s, 3s, 5s, 10s});
}

TEST_CASE("ManualClock: unset waits for a timer that rings", "[repeats]") {
  ManualClock clock;
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> rings{false};
    std::atomic<bool> unsets{false};
    bool over = false;
    Bell bell(clock, clock.now() + 1s, [&] {
      rings = true;
      rings.notify_all();
      unsets.wait(false);
      for (int i = 0; i < 10; ++i) std::this_thread::yield();
      over = true;
    });
    clock.set(bell);
    auto other = clock.thread([&] {
      rings.wait(false);
      unsets = true;
      unsets.notify_all();
      clock.unset(bell);
      return over;
    });
    clock.jump(1s);
    REQUIRE(other.get());
  }
}

TEST_CASE("ManualClock: a timer does not ring while it rings") {
  ManualClock clock;
  std::atomic<int> inside{0};
  std::atomic<int> rung{0};
  std::atomic<bool> overlaps{false};
  std::function<void()> meanwhile;
  std::unique_ptr<Bell> bell;
  bell = std::make_unique<Bell>(clock, clock.now() + 1s, [&] {
    if (inside++ > 0) overlaps = true;
    if (++rung == 1) {
      clock.set(*bell);  // its time has come
      meanwhile();
    }
    --inside;
  });
  SECTION("on another thread, that moves the time too") {
    meanwhile = [&] { std::thread([&] { clock.jump(1s); }).join(); };
  }
  SECTION("within itself") {
    meanwhile = [&] { clock.run_until_idle(); };
  }
  SECTION("and not at all, when it was unset after that") {
    meanwhile = [&] { clock.unset(*bell), ++rung; };
  }
  clock.set(*bell);
  clock.advance(1s);
  CHECK_FALSE(overlaps);
  CHECK(rung == 2);
}

TEST_CASE("ManualClock: one that is set again while another thread unsets it stays unset", "[repeats]") {
  ManualClock clock;
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> rings{false};
    std::atomic<bool> unsets{false};
    int rung = 0;
    std::unique_ptr<Bell> bell;
    bell = std::make_unique<Bell>(clock, clock.now() + 1s, [&] {
      ++rung;
      rings = true;
      rings.notify_all();
      unsets.wait(false);
      for (int i = 0; i < 10; ++i) std::this_thread::yield();
      clock.set(*bell);
    });
    clock.set(*bell);
    auto other = clock.thread([&] {
      rings.wait(false);
      unsets = true;
      unsets.notify_all();
      clock.unset(*bell);
    });
    clock.jump(1s);
    other.join();
    const int before = rung;  // more than 1 where it was set again before the other one came to unset it
    clock.advance(1s);
    REQUIRE(rung == before);
  }
}

TEST_CASE("ManualClock: an advance that meets a jump waits for what that brings about", "[repeats]") {
  for (int round = 0; round < 30; ++round) {
    ManualClock clock;
    std::atomic<bool> rings{false};
    std::atomic<bool> over{false};
    Bell bell(clock, clock.now() + 1s, [&] {
      rings = true;
      rings.notify_all();
      for (int i = 0; i < 10; ++i) std::this_thread::yield();
      over = true;
    });
    clock.set(bell);
    std::thread jumper([&] { clock.jump(1s); });
    rings.wait(false);
    clock.run_until_idle();
    const bool was_over = over;
    jumper.join();
    REQUIRE(was_over);
  }
}

TEST_CASE("ManualClock: advances take turns, each with its own time", "[repeats]") {
  ManualClock clock;
  const auto start = clock.now();
  BlockingList<int> nothing({.clock = &clock});
  std::vector<testing::Running<void>> workers;
  std::array<std::atomic<std::int64_t>, 2> waits{};  // a worker knows when it must be woken
  for (std::size_t i = 0; i < waits.size(); ++i) {
    workers.push_back(clock.thread([&, i] {
      for (int round = 0; round < 300; ++round) {
        const Clock::time_point until = clock.now() + std::chrono::milliseconds(i + 2);
        static_cast<void>(nothing.blpop(until));
        if (clock.now() == until) ++waits[i];
      }
    }));
  }
  std::vector<std::thread> movers;
  for (int i = 0; i < 3; ++i) {
    movers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) clock.advance(1ms);
    });
  }
  for (auto& mover : movers) mover.join();
  CHECK(since(start, clock) == 900ms);
  CHECK(waits[0] == 300);
  CHECK(waits[1] == 300);
  CHECK((workers[0].done() && workers[1].done()));
}

TEST_CASE("ManualClock: two that move each other's time") {
  std::array<ManualClock, 2> clocks;
  const auto start = clocks[0].now();
  std::atomic<int> ring{0};
  std::vector<std::unique_ptr<Bell>> bells;
  for (std::size_t i = 0; i < 2; ++i) {
    bells.push_back(std::make_unique<Bell>(clocks[i], start + 1s, [&, i] {
      ++ring;
      ring.notify_all();
      for (int rings = ring; rings < 2; rings = ring) ring.wait(rings);
      clocks[1 - i].advance(1s);
    }));
    clocks[i].set(*bells[i]);
  }
  std::thread other([&] { clocks[1].advance(1s); });
  clocks[0].advance(1s);
  other.join();
  CHECK(since(start, clocks[0]) == 2s);
  CHECK(since(start, clocks[1]) == 2s);
}

TEST_CASE("ManualClock: a thread that is forgotten while it moves the time keeps nobody waiting") {
  ManualClock clock;
  std::thread other;
  Bell bell(clock, clock.now() + 1s, [&] {
    other = std::thread([&] { clock.run_until_idle(); });
    while (clock.dump().find("waiting for their turn: 1") == std::string::npos) std::this_thread::yield();
    ManualClock::forget_this_thread();
  });
  clock.set(bell);
  clock.thread([&] { clock.advance(1s); }).join();
  other.join();
  CHECK(clock.dump().find("waiting") == std::string::npos);
}

TEST_CASE("ManualClock: one who is notified by chance still wakes in time") {
  ManualClock clock;
  const auto deadline = clock.now() + 1s;
  sync::mutex mutex;
  sync::condition_variable awake;
  Clock::Alarm alarm{mutex, awake, deadline};
  std::atomic<bool> over{false};
  auto sleeper = clock.thread([&] {
    clock.enroll(alarm);
    {
      sync::unique_lock<sync::mutex> held(mutex);
      while (clock.now() < deadline) clock.sleep(held, alarm);
    }
    clock.dismiss(alarm);
    over = true;
    return clock.now();
  });
  std::thread pest([&] {
    while (!over) {
      const sync::unique_lock<sync::mutex> held(mutex);
      awake.notify_all();
    }
  });
  for (int i = 0; i < 500; ++i) clock.advance(1ms);
  clock.advance(1h);
  pest.join();
  CHECK(sleeper.get() == deadline);
}

TEST_CASE("ManualClock: tells who does what") {
  ManualClock clock(10s);
  BlockingList<int> list({.clock = &clock});
  auto waits = clock.thread([&] { return list.blpop(2s); });
  std::atomic<bool> over{false};
  auto works = clock.thread([&] { over.wait(false); });
  Bell bell(clock, clock.now() + 3s, [] {});
  clock.set(bell);
  clock.wait_for_sleepers(1);
  using Catch::Matchers::ContainsSubstring;
  const std::string dump = clock.dump();
  CHECK_THAT(dump, ContainsSubstring("now: 10 s, wall clock: 10000 ms"));
  CHECK_THAT(dump, ContainsSubstring(": idle"));
  CHECK_THAT(dump, ContainsSubstring("sleeps until 12 s"));
  CHECK_THAT(dump, ContainsSubstring("timers: 1, the first at 13 s"));
  over = true;
  over.notify_all();
  works.join();
  clock.advance(2s);
}

TEST_CASE("ManualClock: a wait until a time of the wall clock ends when that would have come") {
  ManualClock clock(1s);
  const auto start = clock.now();
  BlockingList<int> list({.clock = &clock});
  const auto pop = [&] {
    static_cast<void>(list.blpop(std::chrono::system_clock::time_point(5s)));
    return since(start, clock);
  };
  auto before = clock.thread(pop);
  clock.run_until_idle();
  clock.set_unix(3s);
  auto after = clock.thread(pop);
  clock.advance(10s);
  CHECK(before.get() == 4s);
  CHECK(after.get() == 2s);
}

TEST_CASE("Virtual time: a consumer dies, its message goes to another after 30 s, and is a dead letter after three") {
  ManualClock clock(1h);
  Stream<DeadLetter<std::string>> dead({.clock = &clock});
  Stream<std::string> orders({.clock = &clock});
  const auto billing =
      *orders.create_group("billing", earliest, {.max_deliveries = 3, .dead_letter = &dead, .visibility = 30s});
  const auto who_dies = [&](const std::string& name) {
    return clock.thread([consumer = billing.consumer(name)] { return consumer.read({.count = 1, .block = forever}); });
  };
  auto first = who_dies("first");
  REQUIRE(orders.add("tea"));
  clock.run_until_idle();
  REQUIRE(first.done());
  CHECK(first.get()->front().count() == 1);
  for (std::uint64_t delivery = 2; delivery <= 3; ++delivery) {
    auto next = who_dies("consumer " + std::to_string(delivery));
    clock.advance(30s - 1ms);
    CHECK_FALSE(next.done());
    clock.advance(1ms);
    REQUIRE(next.done());
    CHECK(next.get()->front().count() == delivery);
  }
  auto last = who_dies("last");
  clock.advance(30s - 1ms);
  CHECK(dead.empty());
  clock.advance(1ms);
  REQUIRE(dead.size() == 1);
  CHECK(dead.range().front().value.value == "tea");
  CHECK(dead.range().front().value.deliveries == 3);
  CHECK(billing.info()->pending == 0);
  CHECK_FALSE(last.done());
  orders.close();
  CHECK(last.get().error() == Errc::closed);
}

TEST_CASE("Virtual time: delays, idle times and retention come at their time") {
  ManualClock clock(1h);
  const auto start = clock.now();
  Stream<int> stream({.max_age = 10s, .clock = &clock});
  const auto group = *stream.create_group("group");
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto read = [&](ReadOptions options) {
    return clock.thread([&clock, b, options, start] {
      const auto batch = b.read(options);
      return batch && !batch->empty() ? since(start, clock) : -1ms;
    });
  };
  SECTION("a delayed nack") {
    REQUIRE(stream.add(1));
    REQUIRE(a.read()->front().nack({.delay = 5s}));
    auto reader = read({.block = forever});
    clock.advance(7s);
    REQUIRE(reader.done());
    CHECK(reader.get() == 5s);
  }
  SECTION("claim_idle") {
    REQUIRE(stream.add(1));
    REQUIRE(a.read());
    auto reader = read({.block = forever, .claim_idle = 3s});
    clock.advance(7s);
    REQUIRE(reader.done());
    CHECK(reader.get() == 3s);
  }
  SECTION("max_age") {
    REQUIRE(stream.add(1));
    clock.advance(10s);
    CHECK(stream.size() == 1);
    clock.advance(1ms);
    REQUIRE(stream.add(2));
    CHECK(stream.size() == 1);
    clock.set_unix(std::chrono::hours(2));
    REQUIRE(stream.add(3));
    CHECK(stream.size() == 1);
  }
  SECTION("nothing comes in time") {
    auto reader = read({.block = 4s});
    clock.advance(4s - 1ns);
    CHECK_FALSE(reader.done());
    clock.advance(1ns);
    CHECK(reader.get() == -1ms);
  }
}

TEST_CASE("Virtual time: whoever waits for room gets it, or waits no longer than told") {
  ManualClock clock;
  const auto start = clock.now();
  BlockingList<int> list({.capacity = 1, .overflow = Overflow::block, .clock = &clock});
  Stream<int> stream({.capacity = 1, .overflow = Overflow::block, .until_acked = true, .clock = &clock});
  const auto worker = stream.create_group("group", earliest)->consumer("worker");
  std::function<bool()> put;
  std::function<bool()> take;
  SECTION("in a list") {
    put = [&] { return list.rpush(1, 3s).has_value(); };
    take = [&] { return list.lpop().has_value(); };
  }
  SECTION("in a stream") {
    put = [&] { return stream.add(1, 3s).has_value(); };
    take = [&] { return worker.read()->front().ack(); };
  }
  const auto try_to = [&] { return std::pair{put(), since(start, clock)}; };
  REQUIRE(put());
  auto early = clock.thread(try_to);
  clock.advance(5s);
  REQUIRE(early.done());
  CHECK(early.get() == std::pair(false, 3000ms));
  auto late = clock.thread(try_to);
  clock.advance(2s);
  CHECK_FALSE(late.done());
  CHECK(take());
  clock.run_until_idle();
  REQUIRE(late.done());
  CHECK(late.get() == std::pair(true, 7000ms));
}

TEST_CASE("Virtual time: messages and answers are waited for no longer than told") {
  ManualClock clock;
  const auto start = clock.now();
  PubSub<int> news({.clock = &clock});
  Requests<int, int> questions({.clock = &clock});
  auto subscription = news.subscribe("a");
  auto service = questions.serve();
  auto received = clock.thread([&] { return std::pair{subscription.receive(2s).has_value(), since(start, clock)}; });
  auto answered = clock.thread([&] { return std::pair{questions.ask(1, 3s).has_value(), since(start, clock)}; });
  clock.advance(10s);
  CHECK(received.get() == std::pair(false, 2000ms));
  CHECK(answered.get() == std::pair(false, 3000ms));
}

TEST_CASE("Virtual time: whoever waits longest is served first, time after time the same", "[repeats]") {
  const auto play = [] {
    ManualClock clock;
    const auto start = clock.now();
    BlockingList<int> jobs({.clock = &clock});
    BlockingList<int> nothing({.clock = &clock});
    std::ostringstream trace;
    std::vector<testing::Running<void>> workers;
    for (int i = 0; i < 3; ++i) {
      workers.push_back(clock.thread([&, i] {
        static_cast<void>(nothing.blpop((i + 1) * 1ms));  // they come one after the other
        for (;;) {
          const auto job = jobs.blpop(4s);
          if (!job && job.error() == Errc::closed) return;
          trace << since(start, clock).count() << ": worker " << i << ' ';
          if (job) trace << "gets " << *job << '\n';
          else trace << message(job.error()) << '\n';
          if (job) static_cast<void>(nothing.blpop(1500ms + i * 100ms));  // so long does it take
        }
      }));
    }
    for (int job = 0; job < 8; ++job) {
      clock.advance(job == 5 ? 5s : 700ms);
      REQUIRE(jobs.rpush(job));
    }
    clock.advance(9s);
    jobs.close();
    clock.run_until_idle();
    return trace.str();
  };
  const std::string trace = play();
  CAPTURE(trace);
  for (int round = 1; round < 1000; ++round) REQUIRE(play() == trace);
}

}  // namespace manual_clock_test
