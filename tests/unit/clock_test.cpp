#include <brook/clock.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "../catch.hpp"

namespace clock_test {

namespace {

using brook::Clock;
using namespace std::chrono_literals;

std::uint64_t wall_ms() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

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

// A timer that counts how often it rang, and does something each time.
class Bell final : public Clock::Timer {
 public:
  Bell(Clock& clock, Clock::time_point when, std::function<void()> then = {})
      : Timer(when), clock_(clock), then_(std::move(then)) {}
  ~Bell() { clock_.unset(*this); }

  void ring() noexcept override {
    if (then_) then_();
    rung_.fetch_add(1);
    rung_.notify_all();
  }
  [[nodiscard]] int rung() const { return rung_.load(); }
  void wait_for(int rings) const {
    for (int rung = rung_.load(); rung < rings; rung = rung_.load()) rung_.wait(rung);
  }

 private:
  Clock& clock_;
  const std::function<void()> then_;
  std::atomic<int> rung_{0};
};

// What a program may bring of its own: it says what time it is, and how one sleeps. Its time is moved by hand.
class HandClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1; }
  [[nodiscard]] time_point now() const noexcept override { return time_point(std::chrono::nanoseconds(now_.load())); }

  void enroll(Alarm& alarm) override {
    if (poor && enrolled_++ % 4 != 3) throw std::bad_alloc();
    ++inside;
    const std::unique_lock held(mutex_);
    alarms_.push_back(&alarm);
  }
  void dismiss(Alarm& alarm) noexcept override {
    const std::unique_lock held(mutex_);
    std::erase(alarms_, &alarm);
    --inside;
  }
  void sleep(brook::sync::unique_lock<brook::sync::mutex>& held, const Alarm& alarm) override {
    ++slept;
    alarm.awake.wait(held);
  }
  void woken(const Alarm&) noexcept override { ++woke; }

  void move(std::chrono::nanoseconds by) {
    now_ += by.count();
    const std::unique_lock held(mutex_);
    for (Alarm* const alarm : alarms_) {
      { const std::unique_lock sleeper(alarm->mutex); }
      alarm->awake.notify_all();
    }
  }
  void wait_for_sleep(int sleeps) const {
    while (slept < sleeps) std::this_thread::yield();
  }

  bool poor = false;           // no memory for most of those who enroll
  std::atomic<int> inside{0};  // threads that are enrolled
  std::atomic<int> slept{0};
  std::atomic<int> woke{0};

 private:
  std::atomic<std::int64_t> now_{std::chrono::nanoseconds(1h).count()};
  std::mutex mutex_;
  std::vector<Alarm*> alarms_;
  int enrolled_ = 0;
};

}  // namespace

TEST_CASE("SystemClock: the machine's time") {
  brook::SystemClock& clock = brook::SystemClock::instance();
  CHECK(&clock == &brook::SystemClock::instance());
  const auto wall_before = wall_ms();
  const auto steady_before = std::chrono::steady_clock::now();
  const auto wall = clock.unix_ms();
  const auto steady = clock.now();
  CHECK(wall_before <= wall);
  CHECK(wall <= wall_ms());
  CHECK(steady_before <= steady);
  CHECK(steady <= std::chrono::steady_clock::now());
  CHECK(brook::SystemClock::read_unix_ms() >= wall);
}

TEST_CASE("SystemClock: a deadline in the past does not sleep") {
  brook::SystemClock& clock = brook::SystemClock::instance();
  doze_until(clock, clock.now() - 1h);
  doze_until(clock, Clock::time_point::min());
  SUCCEED();
}

TEST_CASE("CoarseClock: the machine's time, at most a tick late") {
  brook::CoarseClock clock;
  const auto before = wall_ms();
  const auto coarse = clock.unix_ms();
  CHECK(coarse <= wall_ms());
  CHECK(coarse + 20 >= before);
  const auto steady = std::chrono::steady_clock::now();
  CHECK(clock.now() >= steady);
}

TEST_CASE("CoarseClock: does not step back by itself") {
  brook::CoarseClock clock;
  auto last = clock.unix_ms();
  bool steps_back = false;
  for (int i = 0; i < 10'000; ++i) {
    const auto now = clock.unix_ms();
    steps_back = steps_back || now < last;
    last = now;
  }
  CHECK_FALSE(steps_back);
}

TEST_CASE("Timers: on the machine's clocks, all of 10,000 in their order") {
  brook::CoarseClock coarse;
  brook::SystemClock own;
  Clock& clock = *std::array<Clock*, 3>{&brook::SystemClock::instance(), &coarse, &own}.at(GENERATE(0U, 1U, 2U));
  const auto now = clock.now();
  std::atomic<bool> rings{false};
  std::atomic<bool> all_set{false};
  Bell first(clock, now, [&] {
    rings = true;
    rings.notify_all();
    all_set.wait(false);
  });
  clock.set(first);
  rings.wait(false);  // nothing else does until it is over
  std::vector<int> order;
  std::vector<std::unique_ptr<Bell>> bells;
  constexpr int count = 10'000;
  for (int i = 0; i < count; ++i) {
    const int late = i * 7919 % count / 2;  // each twice
    bells.push_back(std::make_unique<Bell>(clock, now - 1h + late * 1us, [&order, late] { order.push_back(late); }));
    clock.set(*bells.back());
  }
  for (int i = 0; i < count; i += 2) clock.unset(*bells[static_cast<std::size_t>(i)]);
  Bell last(clock, clock.now());
  clock.set(last);
  all_set = true;
  all_set.notify_all();
  last.wait_for(1);
  CHECK(order.size() == count / 2);
  CHECK(std::ranges::is_sorted(order));
  for (int i = 0; i < count; ++i) REQUIRE(bells[static_cast<std::size_t>(i)]->rung() == i % 2);
}

TEST_CASE("Timers: of equal deadlines the first that was set rings first") {
  HandClock clock;
  std::vector<int> order;
  Bell third(clock, clock.now() + 2s, [&] { order.push_back(3); });
  Bell first(clock, clock.now() + 1s, [&] { order.push_back(1); });
  Bell second(clock, clock.now() + 1s, [&] { order.push_back(2); });
  for (Bell* const bell : {&third, &first, &second}) clock.set(*bell);
  clock.move(5s);
  third.wait_for(1);
  CHECK(order == std::vector{1, 2, 3});
}

TEST_CASE("Timers: not before their time") {
  HandClock clock;
  Bell late(clock, clock.now() + 2s);
  Bell early(clock, clock.now() + 1s);
  clock.set(late);
  clock.wait_for_sleep(1);
  CHECK(clock.woke == 0);
  clock.set(early);  // wakes the thread, which sleeps for this one now
  CHECK(clock.woke == 1);
  clock.wait_for_sleep(2);
  clock.move(1s);
  early.wait_for(1);
  clock.wait_for_sleep(3);
  CHECK(late.rung() == 0);
  clock.move(1s - 1ns);
  CHECK(late.rung() == 0);
  clock.move(1ns);
  late.wait_for(1);
  CHECK(early.rung() == 1);
}

TEST_CASE("Timers: who unsets the last has the clock for himself again") {
  HandClock clock;
  for (int round = 0; round < 300; ++round) {
    Bell one(clock, clock.now() + 1h);
    Bell other(clock, clock.now() + 2h);
    const int slept = clock.slept;
    clock.set(one);
    if (round % 3 == 0) clock.wait_for_sleep(slept + 1);
    clock.set(other);
    clock.unset(one);
    clock.unset(other);
    REQUIRE(clock.inside == 0);
    REQUIRE((one.rung() == 0 && other.rung() == 0));
  }
}

TEST_CASE("Timers: a clock that has no memory for its own thread now and then") {
  HandClock clock;
  clock.poor = true;
  for (int i = 1; i <= 100; ++i) {
    Bell bell(clock, clock.now() + 1s);
    const int slept = clock.slept;
    clock.set(bell);
    if (i % 2 == 0) clock.wait_for_sleep(slept + 1);
    clock.move(1s);
    bell.wait_for(1);
  }
}

TEST_CASE("Timers: unset waits for who rings") {
  brook::SystemClock& clock = brook::SystemClock::instance();
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> rings{false};
    std::atomic<bool> unsets{false};
    std::atomic<bool> over{false};
    Bell bell(clock, clock.now(), [&] {
      rings = true;
      rings.notify_all();
      unsets.wait(false);
      for (int i = 0; i < 10; ++i) std::this_thread::yield();
      over = true;
    });
    clock.set(bell);
    rings.wait(false);
    unsets = true;
    unsets.notify_all();
    clock.unset(bell);
    REQUIRE(over);
    REQUIRE(bell.rung() == 1);
  }
}

TEST_CASE("Timers: one that is set again while another thread unsets it stays unset") {
  brook::SystemClock& clock = brook::SystemClock::instance();
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> rings{false};
    std::atomic<bool> unsets{false};
    std::unique_ptr<Bell> bell;
    bell = std::make_unique<Bell>(clock, clock.now(), [&] {
      if (rings.exchange(true)) return;
      rings.notify_all();
      unsets.wait(false);
      for (int i = 0; i < 10; ++i) std::this_thread::yield();
      clock.set(*bell);
    });
    clock.set(*bell);
    rings.wait(false);
    unsets = true;
    unsets.notify_all();
    clock.unset(*bell);
    Bell last(clock, clock.now());
    clock.set(last);
    last.wait_for(1);
    REQUIRE(bell->rung() == 1);
  }
}

TEST_CASE("Timers: what may be done with a timer while it rings") {
  HandClock hand;
  Clock& clock = *std::array<Clock*, 2>{&brook::SystemClock::instance(), &hand}.at(GENERATE(0U, 1U));
  SECTION("it may be unset") {
    std::unique_ptr<Bell> bell;
    bell = std::make_unique<Bell>(clock, clock.now(), [&] { clock.unset(*bell); });
    clock.set(*bell);
    bell->wait_for(1);
  }
  SECTION("it may be set again, and unset then") {
    std::unique_ptr<Bell> bell;
    bell = std::make_unique<Bell>(clock, clock.now(), [&] {
      if (bell->rung() < 2) clock.set(*bell);
      if (bell->rung() == 2) bell->deadline += 1h;
      if (bell->rung() == 2) clock.set(*bell);
    });
    clock.set(*bell);
    bell->wait_for(3);
    clock.unset(*bell);
    CHECK(bell->rung() == 3);
  }
  SECTION("it may die, and others may be set and unset") {
    std::atomic<bool> over{false};
    Bell never(clock, clock.now() + 1h);
    Bell other(clock, clock.now(), [&] {
      over = true;
      over.notify_all();
    });
    struct Mortal final : Clock::Timer {
      std::function<void()> last_words;
      explicit Mortal(Clock& clock) : Timer(clock.now()) {}
      void ring() noexcept override {
        const auto then = std::move(last_words);
        delete this;
        then();
      }
    };
    auto* const mortal = new Mortal(clock);
    clock.set(never);
    mortal->last_words = [&] {
      clock.unset(never);
      clock.set(other);
    };
    clock.set(*mortal);
    over.wait(false);
    CHECK(never.rung() == 0);
  }
}

TEST_CASE("Timers: a clock of the machine's may die with timers set") {
  static std::atomic<int> rung{0};
  struct Late final : Clock::Timer {
    using Timer::Timer;
    void ring() noexcept override { ++rung; }
  };
  Late late(Clock::time_point::max());
  {
    brook::CoarseClock clock;
    clock.set(late);
  }
  CHECK(rung == 0);
}

TEST_CASE("Deadlines: the earliest first, whatever is taken out meanwhile") {
  struct Task : brook::core::Deadlines<Task>::Node {
    int deadline = 0;
  };
  std::mt19937 random(7);
  std::vector<Task> tasks(200);
  brook::core::Deadlines<Task> deadlines;
  std::set<std::tuple<int, std::uint64_t, Task*>> expected;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    Task& task = tasks[random() % tasks.size()];
    if (!deadlines.holds(task)) {
      task.deadline = static_cast<int>(random() % 50);
      deadlines.add(task, step);
      expected.emplace(task.deadline, step, &task);
    } else {
      Task& gone = random() % 2 == 0 ? task : deadlines.first();
      expected.erase({gone.deadline, deadlines.order(gone), &gone});
      deadlines.remove(gone);
    }
    REQUIRE(deadlines.size() == expected.size());
    REQUIRE(deadlines.empty() == expected.empty());
    if (!expected.empty()) REQUIRE(&deadlines.first() == std::get<Task*>(*expected.begin()));
  }
}

}  // namespace clock_test
