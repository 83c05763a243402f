// The strong guarantee of lists: an operation that fails for want of memory has changed nothing, and works when it is
// called again; what it gives to others who wait is neither lost nor doubled.
#include <brook/blocking_list.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "../unit/list_support.hpp"
#include "failing_new.hpp"

namespace list_allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::allocations_held;
using brook::contract::Failing;
using brook::contract::FailingNew;
using brook::contract::SafeNew;
using Strings = std::vector<std::string>;
using List = BlockingList<std::string>;

std::string text(int i) { return "a text that does not lie in the string itself, number " + std::to_string(i); }

Strings texts(int first, int last) {
  Strings texts;
  for (int i = first; i <= last; ++i) texts.push_back(text(i));
  return texts;
}

template <class Outcome>
void wanted(const Outcome& outcome) {
  if (!outcome) throw std::logic_error("refused");
}

// A clock that carries something out in the place of a sleep, or when a call is about to wait, on the thread that
// waits; without anything to carry out the time goes by at once.
class BusyClock final : public Clock {
 public:
  std::function<void()> instead{};
  std::function<void()> before{};

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  void enroll(Alarm&) override {
    const SafeNew safe;
    if (before) std::exchange(before, nullptr)();
  }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    const SafeNew safe;
    if (!instead) {
      now_ = alarm.deadline;
      return;
    }
    held.unlock();
    std::exchange(instead, nullptr)();
    held.lock();
  }

 private:
  time_point now_{1000s};
};

// Two lists; `together` says whether their elements have been looked at by position.
struct Scene {
  explicit Scene(bool together, const ListOptions& options = {}) {
    ListOptions with_clock = options;
    with_clock.clock = &clock;
    with_clock.spin = std::chrono::microseconds(0);
    list.emplace(with_clock);
    other.emplace(with_clock);
    empty.emplace(with_clock);
    wanted(list->rpush_range(texts(1, 20)));
    wanted(other->rpush_range(texts(101, 103)));
    if (together) wanted(list->lindex(3));
  }

  [[nodiscard]] std::vector<Strings> state() const {
    return {list->lrange(0, -1), other->lrange(0, -1), empty->lrange(0, -1)};
  }
  // What shows only by use.
  [[nodiscard]] std::vector<Strings> depths() {
    std::vector<Strings> depths = state();
    const ListInfo info = list->info();
    depths.push_back({std::to_string(info.length), std::to_string(info.waiting_poppers + info.waiting_pushers)});
    for (List* each : {&*list, &*other, &*empty}) {
      wanted(each->rpush(text(1000)));
      depths.push_back(each->lpop(no_limit));
      wanted(each->lpush(text(1001)));
      depths.push_back({each->rpop().value_or("none")});
    }
    return depths;
  }

  BusyClock clock{};
  std::optional<List> list{};
  std::optional<List> other{};
  std::optional<List> empty{};
};

// Calls `operation` with the first allocation failing, then the second, until none is left to fail.
void check_every_failure(const std::function<void(Scene&)>& operation, const ListOptions& options = {}) {
  for (const bool together : {false, true}) {
    Scene smooth(together, options);
    operation(smooth);
    const auto expected = smooth.depths();
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(together, n);
      Scene scene(together, options);
      const auto before = Scene(together, options).state();
      bool thrown = false;
      {
        const FailingNew failing(n);
        try {
          operation(scene);
        } catch (const std::bad_alloc&) { thrown = true; }
      }
      const bool failed = FailingNew::happened();
      if (thrown) {
        CHECK(scene.state() == before);
        scene.clock.instead = nullptr;
        operation(scene);
      }
      CHECK(scene.depths() == expected);
      if (!failed) break;
      if (n > 1000) FAIL("there is no end to the allocations");
    }
  }
}

}  // namespace

TEST_CASE("No memory: pushing to a list") {
  const ListOptions options = GENERATE(ListOptions{}, ListOptions{.capacity = 40},
                                       ListOptions{.capacity = 20, .overflow = Overflow::drop_oldest});
  const std::string value = text(99);
  const Strings many = texts(200, 206);
  check_every_failure([&](Scene& scene) { wanted(scene.list->rpush(value)); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->lpush(text(99))); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->remplace(100U, 'x')); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->rpush_range(many)); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->lpush_range(many)); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->rpushx(text(98))); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->lpushx(text(98))); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.list->try_rpush(text(98))); }, options);
  check_every_failure([&](Scene& scene) { wanted(scene.empty->lpush(text(98), forever)); }, options);
}

TEST_CASE("No memory: pushing thousands to a list") {
  BlockingList<int> list;
  std::uint64_t failures = 0;
  for (int i = 1; i <= 20'000; ++i) {
    const bool left = i / 5000 % 2 == 1;
    for (std::uint64_t n = 1;; ++n) {
      bool thrown = false;
      {
        const FailingNew failing(n);
        try {
          wanted(left ? list.lpush(i) : list.rpush(i));
        } catch (const std::bad_alloc&) { thrown = true; }
      }
      if (!thrown) break;
      ++failures;
      if (failures % 100 == 1) REQUIRE(list.size() == static_cast<std::size_t>(i - 1));
    }
  }
  CHECK(failures > 0);
  CHECK(list.size() == 20'000);
  CHECK(list.lpop() == 19'999);
}

TEST_CASE("Memory: what a long list needed is given back when it is found empty") {
  // Segments have 8, 16 … 4,096 slots and then as many each: 18 for so many elements, and about 10 the second time.
  constexpr std::uint64_t count = 40'000;
  BlockingList<std::uint64_t> list;
  const auto given_back = [&](auto find_empty) {
    for (std::uint64_t i = 0; i < count; ++i) wanted(list.rpush(i));
    const std::int64_t filled = allocations_held();
    for (std::uint64_t i = 0; i < count; ++i) REQUIRE(list.lpop() == i);
    find_empty();
    return filled - allocations_held();
  };
  CHECK(given_back([&] { REQUIRE(!list.lpop()); }) >= 16);
  CHECK(given_back([&] { REQUIRE(list.lpop(3).empty()); }) >= 8);
  CHECK(given_back([&] { REQUIRE(list.blpop(std::chrono::nanoseconds(1)).error() == Errc::timed_out); }) >= 8);
  CHECK(given_back([&] { REQUIRE(!list.rpop()); }) >= 8);
}

TEST_CASE("Memory: a list that grows and shrinks all the time needs no more") {
  BlockingList<std::uint64_t> list;
  const auto go_round = [&] {
    for (std::uint64_t i = 0; i < 12'000; ++i) wanted(list.rpush(i));
    for (std::uint64_t i = 0; i < 12'000; ++i) REQUIRE(list.lpop() == i);
  };
  wanted(list.rpush(99U));
  REQUIRE(list.lpop() == 99U);
  for (int i = 0; i < 3; ++i) go_round();
  const FailingNew failing(1, Failing::from_then_on);
  for (int i = 0; i < 5; ++i) go_round();
}

TEST_CASE("No memory: popping from a list") {
  // Not made where they are compared: to run out of memory there could be to do so after the pop.
  const Strings all = texts(1, 20);
  const Strings seven = texts(1, 7);
  check_every_failure([&](Scene& scene) { wanted(scene.list->lpop() == all[0]); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->rpop() == all[19]); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->lpop(7) == seven); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->rpop(7).back() == all[13]); });
  check_every_failure([&](Scene& scene) { wanted(!scene.empty->rpop()); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->blpop(forever) == all[0]); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->brpop(forever) == all[19]); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->pop_batch(5, 7, forever) == seven); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->pop_batch(1, no_limit, forever) == all); });
  check_every_failure([&](Scene& scene) { wanted(scene.list->pop_batch(30, 40, 1s) == all); });
}

TEST_CASE("No memory: popping from several lists") {
  check_every_failure([](Scene& scene) { wanted(lmpop(Side::left, 2, *scene.empty, *scene.list)); });
  check_every_failure([](Scene& scene) { wanted(blpop(forever, *scene.empty, *scene.list)); });
  check_every_failure([](Scene& scene) { wanted(blmpop(forever, Side::right, 9, *scene.empty, *scene.list)); });
}

TEST_CASE("No memory: moving an element") {
  check_every_failure([](Scene& scene) { wanted(scene.list->rpoplpush(*scene.other)); });
  check_every_failure([](Scene& scene) { wanted(scene.list->lmove(*scene.empty, Side::left, Side::right)); });
  check_every_failure([](Scene& scene) { wanted(scene.list->lmove(*scene.list, Side::right, Side::left)); });
  check_every_failure([](Scene& scene) { wanted(scene.list->blmove(*scene.other, Side::left, Side::left, forever)); });
}

TEST_CASE("No memory: positions in a list") {
  check_every_failure([](Scene& scene) { wanted(scene.list->lrange(2, -2).size() == 17); });
  check_every_failure([](Scene& scene) { wanted(scene.list->lindex(7)); });
  check_every_failure([](Scene& scene) { wanted(scene.list->lpos(text(7)) == 6U); });
  check_every_failure([](Scene& scene) { wanted(scene.list->lset(7, text(77))); });
  check_every_failure([](Scene& scene) { wanted(scene.list->linsert_before(text(4), text(77))); });
  check_every_failure([](Scene& scene) { wanted(scene.list->linsert_after(text(14), text(77))); });
  check_every_failure([](Scene& scene) { wanted(scene.list->linsert_after(text(77), text(77))); });
  for (const int value : {5, 55}) {
    check_every_failure([&](Scene& scene) { static_cast<void>(scene.list->lrem(-1, text(value))); });
  }
  check_every_failure([](Scene& scene) { scene.list->ltrim(3, 9); });
  check_every_failure([](Scene& scene) { wanted(scene.list->clear() == 20); });
  check_every_failure([](Scene& scene) { wanted(scene.list->size() == 20 && !scene.list->empty()); });
  check_every_failure([](Scene& scene) { wanted(scene.list->info().length == 20); });
  check_every_failure([](Scene& scene) { wanted(error_of(scene.empty->blpop(1s)) == Errc::timed_out); });
  check_every_failure([](Scene& scene) { wanted(error_of(blpop(1s, *scene.empty, *scene.empty)) == Errc::timed_out); });
}

namespace {

// Calls `wait` on a thread that finds, in the place of its sleep, or when it is about to wait, that `push` was called;
// its n-th allocation fails, for every n. What it got and what is left is all there was.
void check_waiting(const std::function<void(Scene&)>& push, const std::function<Strings(Scene&)>& wait,
                   const Strings& in_all, bool before = false, Failing how = Failing::once) {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    Scene scene(true);
    scene.list->clear();
    scene.other->clear();
    (before ? scene.clock.before : scene.clock.instead) = [&] { push(scene); };
    Strings got;
    bool thrown = false;
    {
      const FailingNew failing(n, how);
      try {
        got = wait(scene);
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    CHECK(scene.list->info().waiting_poppers == 0);
    if (thrown && (scene.clock.before || scene.clock.instead)) push(scene);
    scene.clock.before = scene.clock.instead = nullptr;
    for (List* list : {&*scene.list, &*scene.other, &*scene.empty})
      while (auto value = list->lpop()) got.push_back(*value);
    CHECK(got == in_all);
    if (!failed) return;
  }
}

template <class Outcome>
Strings values(Outcome outcome) {
  const SafeNew safe;
  if (!outcome) return {};
  if constexpr (requires { outcome->values; }) return outcome->values;
  else if constexpr (requires { outcome->value; }) return {outcome->value};
  else if constexpr (requires { outcome->front().front(); }) return *outcome;
  else return {*outcome};
}

}  // namespace

TEST_CASE("No memory: a pop that was served loses nothing") {
  const bool before = GENERATE(false, true);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  const auto push = [](Scene& scene) {
    wanted(scene.list->rpush(text(1)));
    wanted(scene.list->rpush(text(2)));
  };
  const auto check = [&](const std::function<Strings(Scene&)>& wait) {
    check_waiting(push, wait, texts(1, 2), before, how);
  };
  check([](Scene& scene) { return values(scene.list->blpop(forever)); });
  check([](Scene& scene) { return values(scene.list->pop_batch(3, 5, 1s)); });
  check([](Scene& scene) { return values(scene.list->pop_batch(2, 5, forever)); });
  check([](Scene& scene) { return values(blpop(forever, *scene.list, *scene.other, *scene.empty)); });
  check([](Scene& scene) { return values(blmpop(forever, Side::left, 9, *scene.list, *scene.other, *scene.empty)); });
  check([](Scene& scene) { return values(blmpop(forever, Side::left, 9, *scene.other, *scene.list, *scene.empty)); });
}

namespace {

// One that may throw when it moves: the list keeps it in a box, and who pops it gets a copy.
struct Boxed {
  explicit Boxed(std::string its_text) : text(std::move(its_text)) {}
  Boxed(const Boxed&) = default;
  Boxed(Boxed&& other) noexcept(false) : text(other.text) {}
  Boxed& operator=(const Boxed&) = default;
  ~Boxed() = default;

  std::string text;
};
using Boxes = BlockingList<Boxed>;

void see(Strings& got, const Boxed& one) { got.push_back(one.text); }
void see(Strings& got, const Popped<Boxed>& one) { got.push_back(one.value.text); }
void see(Strings& got, const std::vector<Boxed>& several) {
  for (const Boxed& one : several) got.push_back(one.text);
}
void see(Strings& got, const PoppedMany<Boxed>& several) { see(got, several.values); }

}  // namespace

TEST_CASE("No memory: what was served, and could not be made a value, is in its list again") {
  const Side side = GENERATE(Side::left, Side::right);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  constexpr int many = 150;  // more than what is left of the memory they lay in has room for
  const auto check = [&](const auto& wait) {
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(n);
      BusyClock clock;
      Boxes list({.clock = &clock, .spin = std::chrono::microseconds(0)});
      Boxes other({.clock = &clock, .spin = std::chrono::microseconds(0)});
      const auto push = [&] {
        std::vector<Boxed> boxes;
        for (int i = 1; i <= many; ++i) boxes.emplace_back(text(i));
        wanted(list.rpush_range(std::move(boxes)));
      };
      clock.instead = push;
      Strings got;
      bool thrown = false;
      {
        const FailingNew failing(n, how);
        try {
          const auto came = wait(list, other);
          const SafeNew safe;
          if (came) see(got, *came);
        } catch (const std::bad_alloc&) { thrown = true; }
      }
      const bool failed = FailingNew::happened();
      if (clock.instead) std::exchange(clock.instead, nullptr)();
      CHECK((!thrown || got.empty()));
      CHECK(list.size() == many - got.size());
      CHECK(list.lrange(0, -1).size() == many - got.size());
      for (const Boxed& one : list.lpop(no_limit)) got.push_back(one.text);
      const auto by_number = [](const std::string& one) { return std::pair(one.size(), one); };
      if (side == Side::right) std::ranges::sort(got, {}, by_number);
      CHECK(got == texts(1, many));
      if (!failed) return;
    }
  };
  check([&](Boxes& list, Boxes&) { return side == Side::left ? list.blpop(forever) : list.brpop(forever); });
  check([&](Boxes& list, Boxes& other) { return blmpop(forever, side, many, other, list); });
  check([&](Boxes& list, Boxes& other) {
    return side == Side::left ? blpop(forever, other, list) : brpop(forever, other, list);
  });
  if (side == Side::left) check([&](Boxes& list, Boxes&) { return list.pop_batch(100, many, forever); });
}

TEST_CASE("No memory: what came back to a list whose elements are together is popped first, not passed") {
  constexpr std::size_t taken_out = 1000;  // so many that there is no room for them where they lay
  BlockingList<std::uint64_t> list;
  for (std::uint64_t i = 0; i < 2 * taken_out; ++i) wanted(list.rpush(i));
  wanted(list.rpop() == 2 * taken_out - 1);
  auto& state = state_of(list);
  blocking_list::Taken<std::uint64_t> taken;
  {
    const blocking_list::Locked locked(state);
    blocking_list::take_out(state, Side::left, taken_out, taken);
  }
  {
    const FailingNew failing(1, Failing::from_then_on);
    state.take_back(taken);
  }
  REQUIRE(FailingNew::happened());
  CHECK(list.lpop() == 0U);
  CHECK(list.size() == 2 * taken_out - 2);
  for (std::uint64_t i = 1; i < 2 * taken_out - 1; ++i) REQUIRE(list.lpop() == i);
}

TEST_CASE("No memory: a batch that is being gathered keeps what it has") {
  const Strings first = texts(1, 200);
  const Strings rest = texts(201, 400);
  for (std::uint64_t n = 1; n < 40; ++n) {    // of who pushes: the last of these allocations is for who waits
    for (std::uint64_t m = 0; m < 12; ++m) {  // of who waits
      CAPTURE(n, m);
      BusyClock clock;
      List list({.clock = &clock, .spin = std::chrono::microseconds(0)});
      const auto push_the_rest = [&] {
        Strings values = rest;
        const FailingNew failing(n, Failing::from_then_on);
        try {
          wanted(list.rpush_range(std::move(values)));
          return;
        } catch (const std::bad_alloc&) {}
        const SafeNew safe;
        wanted(list.rpush_range(std::move(values)));
      };
      clock.instead = [&] {
        wanted(list.rpush_range(first));
        clock.instead = push_the_rest;
      };
      Strings got;
      {
        const FailingNew failing(m, Failing::from_then_on);
        try {
          if (auto batch = list.pop_batch(300, 1000, 1s)) got = *std::move(batch);
        } catch (const std::bad_alloc&) {}
      }
      CHECK(list.info().waiting_poppers == 0);
      if (clock.instead) std::exchange(clock.instead, nullptr)();
      if (clock.instead) std::exchange(clock.instead, nullptr)();
      for (auto& value : list.lpop(no_limit)) got.push_back(std::move(value));
      CHECK(got == texts(1, 400));
    }
  }
}

TEST_CASE("No memory: a move that waits, or was served, loses nothing") {
  const bool before = GENERATE(false, true);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  check_waiting([](Scene& scene) { wanted(scene.list->rpush(text(1))); },
                [](Scene& scene) {
                  static_cast<void>(scene.list->blmove(*scene.other, Side::left, Side::right, 1s));
                  return Strings();
                },
                texts(1, 1), before, how);
}

TEST_CASE("No memory: a push that serves those who wait loses nothing, and nobody sleeps on") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    WatchedClock clock;
    BlockingList<std::string> list({.clock = &clock});
    BlockingList<std::string> other({.clock = &clock});
    auto batch = on_a_thread([&] { return *list.pop_batch(1, 2500, forever); });
    clock.wait_for_sleepers(1);
    auto moved = on_a_thread([&] { return *list.blmove(other, Side::left, Side::right, forever); });
    clock.wait_for_sleepers(2);
    auto popped = on_a_thread([&] { return *list.brpop(forever); });
    clock.wait_for_sleepers(3);
    const Strings many = texts(1, 2502);
    bool thrown = false;
    bool pushed = false;
    {
      const FailingNew failing(n);
      try {
        pushed = list.rpush_range(many).has_value();
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    CHECK(pushed != thrown);
    if (thrown) REQUIRE(list.rpush_range(many));
    CHECK(batch.get() == texts(1, 2500));
    CHECK(moved.get() == text(2501));
    CHECK(popped.get() == text(2502));
    CHECK(other.lrange(0, -1) == texts(2501, 2501));
    CHECK(list.empty());
    if (!failed) break;
    if (n == 10) n = 2500;  // the copies of the values
  }
}

TEST_CASE("No memory: a pop that serves a push that waits") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    WatchedClock clock;
    BlockingList<std::string> list({.capacity = 3, .clock = &clock});
    REQUIRE(list.rpush_range(texts(1, 3)));
    auto pushed = on_a_thread([&] { return list.rpush(text(4), forever).has_value(); });
    clock.wait_for_sleepers(1);
    std::optional<std::string> popped;
    {
      const FailingNew failing(n);
      try {
        popped = list.lpop();
      } catch (const std::bad_alloc&) {}
    }
    const bool failed = FailingNew::happened();
    if (!popped) popped = list.lpop();
    CHECK(popped == text(1));
    CHECK(pushed.get());
    CHECK(list.lrange(0, -1) == texts(2, 4));
    if (!failed) break;
  }
}

TEST_CASE("No memory: making a list") {
  for (std::uint64_t n = 1;; ++n) {
    std::optional<List> list;
    {
      const FailingNew failing(n);
      try {
        list.emplace();
      } catch (const std::bad_alloc&) { continue; }
    }
    REQUIRE(list->rpush("works"));
    CHECK(list->size() == 1);
    if (!FailingNew::happened()) break;
  }
}

}  // namespace list_allocation_test
