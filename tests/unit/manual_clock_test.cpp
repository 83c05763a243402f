#include <brook/testing.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "../catch.hpp"

namespace {

using brook::Clock;
using brook::ManualClock;
using namespace std::chrono_literals;

// Sleeps on `clock` as a blocking call does, until its deadline.
void doze_until(Clock& clock, Clock::time_point deadline) {
  brook::sync::mutex mutex;
  brook::sync::condition_variable awake;
  Clock::Alarm alarm{mutex, awake, deadline};
  clock.enroll(alarm);
  {
    brook::sync::unique_lock<brook::sync::mutex> held(mutex);
    while (clock.now() < deadline) clock.sleep(held, alarm);
  }
  clock.dismiss(alarm);
}

}  // namespace

TEST_CASE("ManualClock: starts where it is told to") {
  const ManualClock clock(1'700'000'000'123ms);
  CHECK(clock.unix_ms() == 1'700'000'000'123);
  CHECK(clock.now() == Clock::time_point(1'700'000'000'123ms));
  CHECK(clock.sleepers() == 0);
  CHECK(ManualClock().unix_ms() == 0);
}

TEST_CASE("ManualClock: stands still by itself") {
  const ManualClock clock(5s);
  const auto now = clock.now();
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
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

TEST_CASE("ManualClock: an advance that meets a thread on its way to sleep is not missed") {
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
