// list_wait_test.cpp — calls that wait for elements of one list or several.
#include <brook/blocking_list.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "list_support.hpp"

namespace list_wait_test {

namespace {

using namespace brook;
using namespace brook::test;

using One = std::future<expected<int, Errc>>;

// Lists whose blocked calls sleep on a clock that the test moves.
struct Scene {
  WatchedClock clock{};
  BlockingList<int> a{{.clock = &clock}};
  BlockingList<int> b{{.clock = &clock}};
  BlockingList<int> c{{.clock = &clock}};
  std::size_t waiting = 0;

  /// A call on a thread of its own; returns when it sleeps.
  template <class Call>
  auto blocked(Call call) {
    auto future = on_a_thread(std::move(call));
    clock.wait_for_sleepers(++waiting);
    return future;
  }
  One popping(BlockingList<int>& list, Side side = Side::left, Wait wait = forever) {
    return blocked([&list, side, wait] { return side == Side::left ? list.blpop(wait) : list.brpop(wait); });
  }
  One moving(BlockingList<int>& from, BlockingList<int>& to, Side from_side = Side::left, Side to_side = Side::right) {
    return blocked([&, from_side, to_side] { return from.blmove(to, from_side, to_side, forever); });
  }
  auto gathering(BlockingList<int>& list, std::size_t least, std::size_t most, Wait wait = forever) {
    return blocked([&list, least, most, wait] { return list.pop_batch(least, most, wait); });
  }
};

// A clock that carries something out in the place of a sleep, on the thread that would sleep; without anything to carry
// out the time goes by at once.
class BusyClock final : public Clock {
 public:
  std::function<void()> instead{};

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
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

// A clock that moves on by a nanosecond when it is read, and jumps to the deadline of who sleeps.
class ReadClock final : public Clock {
 public:
  std::vector<time_point> deadlines{};  // of those who slept

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] time_point now() const noexcept override { return now_ += 1ns; }
  void sleep(sync::unique_lock<sync::mutex>&, const Alarm& alarm) override {
    deadlines.push_back(alarm.deadline);
    now_ = alarm.deadline;
  }

 private:
  mutable time_point now_{1000s};
};

}  // namespace

TEST_CASE("List: a blocked pop gets what is pushed") {
  Scene scene;
  const Side side = GENERATE(Side::left, Side::right);
  auto popped = scene.popping(scene.a, side);
  CHECK(scene.a.info().waiting_poppers == 1);
  SECTION("rpush") { REQUIRE(scene.a.rpush(1)); }
  SECTION("lpush") { REQUIRE(scene.a.lpush(1)); }
  SECTION("remplace") { REQUIRE(scene.a.remplace(1)); }
  SECTION("try_rpush") { REQUIRE(scene.a.try_rpush(1)); }
  SECTION("a push that might wait") { REQUIRE(scene.a.rpush(1, forever)); }
  SECTION("lmove") {
    REQUIRE(scene.b.rpush(1));
    REQUIRE(scene.b.lmove(scene.a, Side::left, Side::left) == 1);
  }
  CHECK(popped.get() == 1);
  CHECK(scene.a.empty());
  CHECK(scene.a.info().waiting_poppers == 0);
}

TEST_CASE("List: a blocked pop gets the end of what is pushed at once") {
  Scene scene;
  SECTION("blpop of lpush({1, 2, 3})") {
    auto popped = scene.popping(scene.a);
    REQUIRE(scene.a.lpush({1, 2, 3}));
    CHECK(popped.get() == 3);
    CHECK(all(scene.a) == Ints{2, 1});
  }
  SECTION("brpop of rpush({1, 2, 3})") {
    auto popped = scene.popping(scene.a, Side::right);
    REQUIRE(scene.a.rpush({1, 2, 3}));
    CHECK(popped.get() == 3);
    CHECK(all(scene.a) == Ints{1, 2});
  }
}

TEST_CASE("List: who has waited longest is served first, at its side") {
  Scene scene;
  auto first = scene.popping(scene.a);
  auto second = scene.popping(scene.a, Side::right);
  auto third = scene.popping(scene.a);
  REQUIRE(scene.a.rpush({1, 2, 3, 4}));
  CHECK(first.get() == 1);
  CHECK(second.get() == 4);
  CHECK(third.get() == 2);
  CHECK(all(scene.a) == Ints{3});
}

TEST_CASE("List: a push of n elements serves n of those who wait, of every kind") {
  Scene scene;
  auto blpop_1 = scene.popping(scene.a);
  auto blmove_2 = scene.moving(scene.a, scene.b);
  auto several_3 = scene.blocked([&] { return blpop(forever, scene.c, scene.a); });
  auto blmpop_4 = scene.blocked([&] { return blmpop(forever, Side::right, 2, scene.a, scene.c); });
  auto batch_5 = scene.gathering(scene.a, 2, 2);
  auto brpop_6 = scene.popping(scene.a, Side::right);
  auto blpop_7 = scene.popping(scene.a);
  CHECK(scene.a.info().waiting_poppers == 7);
  REQUIRE(scene.a.rpush({1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(blpop_1.get() == 1);
  CHECK(blmove_2.get() == 2);
  CHECK(all(scene.b) == Ints{2});
  const auto several = several_3.get();
  CHECK(several->index == 1);
  CHECK(several->value == 3);
  CHECK(blmpop_4.get()->values == Ints{8, 7});
  CHECK(batch_5.get() == Ints{4, 5});
  CHECK(brpop_6.get() == 6);
  CHECK(scene.a.info().waiting_poppers == 1);
  CHECK(scene.c.info().waiting_poppers == 0);
  REQUIRE(scene.a.rpush(9));
  CHECK(blpop_7.get() == 9);
}

TEST_CASE("Lists wait: an element that is moved on goes to who asks that list first") {
  Scene scene;
  const bool swapped = GENERATE(false, true);  // the lists of a move are locked in the order of their addresses
  auto& a = swapped ? scene.b : scene.a;
  auto& b = swapped ? scene.a : scene.b;
  auto mover = scene.moving(b, a);
  const auto pop = [&](auto&... lists) {
    return scene.blocked([&] { return blmpop(forever, Side::left, 1, lists...); });
  };
  const auto got = [](auto& popped) { return std::pair(popped->index, popped->values.front()); };

  SECTION("it alone waits") {
    auto both = pop(a, b);
    CHECK(b.rpush({1, 2, 3}));
    auto popped = both.get();
    CHECK(got(popped) == std::pair(std::size_t{0}, 1));
    CHECK(all(b) == Ints{2, 3});
  }
  SECTION("behind who waited longer for it") {
    auto first = scene.popping(a);
    auto both = pop(a, b);
    CHECK(b.rpush({1, 2, 3}));
    CHECK(*first.get() == 1);
    auto popped = both.get();
    CHECK(got(popped) == std::pair(std::size_t{1}, 2));
    CHECK(all(b) == Ints{3});
  }
  SECTION("those who wait behind it are served") {
    auto both = pop(a, b);
    auto next = scene.popping(b);
    CHECK(b.rpush({1, 2, 3}));
    auto popped = both.get();
    CHECK(got(popped) == std::pair(std::size_t{0}, 1));
    CHECK(*next.get() == 2);
    CHECK(all(b) == Ints{3});
  }
  SECTION("not to who asks the other one first") {
    auto both = pop(b, a);
    auto next = pop(a, b);
    CHECK(b.rpush({1, 2, 3}));
    auto popped = both.get();
    CHECK(got(popped) == std::pair(std::size_t{0}, 2));
    auto moved = next.get();
    CHECK(got(moved) == std::pair(std::size_t{0}, 1));
    CHECK(all(b) == Ints{3});
  }
  CHECK(*mover.get() == 1);
  CHECK(a.size() == 0);
}

TEST_CASE("List: elements pushed one by one serve in turn") {
  Scene scene;
  std::vector<One> popped;
  for (int i = 0; i < 5; ++i) popped.push_back(scene.popping(scene.a));
  for (int i = 0; i < 5; ++i) REQUIRE(scene.a.rpush(i));
  for (int i = 0; i < 5; ++i) CHECK(popped[static_cast<std::size_t>(i)].get() == i);
}

TEST_CASE("List: a wait ends") {
  Scene scene;
  SECTION("when its time is up") {
    auto popped = scene.popping(scene.a, Side::left, 5s);
    scene.clock.advance(5s - 1ns);
    CHECK(scene.a.info().waiting_poppers == 1);
    scene.clock.advance(1ns);
    CHECK(error_of(popped.get()) == Errc::timed_out);
  }
  SECTION("at a time point") {
    auto popped = scene.popping(scene.a, Side::left, scene.clock.now() + 3s);
    scene.clock.advance(3s);
    CHECK(error_of(popped.get()) == Errc::timed_out);
  }
  SECTION("when the list is closed") {
    auto popped = scene.popping(scene.a);
    auto batch = scene.gathering(scene.a, 2, 3);
    auto moved = scene.moving(scene.a, scene.b);
    scene.a.close();
    CHECK(error_of(popped.get()) == Errc::closed);
    CHECK(error_of(batch.get()) == Errc::closed);
    CHECK(error_of(moved.get()) == Errc::closed);
  }
  SECTION("when it is told to") {
    std::stop_source stop;
    auto popped = scene.popping(scene.a, Side::left, Wait(forever, stop.get_token()));
    auto batch = scene.gathering(scene.a, 2, 3, Wait(1h, stop.get_token()));
    auto several = scene.blocked([&] { return blpop(Wait(forever, stop.get_token()), scene.b, scene.a); });
    stop.request_stop();
    CHECK(error_of(popped.get()) == Errc::cancelled);
    CHECK(error_of(batch.get()) == Errc::cancelled);
    CHECK(error_of(several.get()) == Errc::cancelled);
  }
  CHECK(scene.a.info().waiting_poppers == 0);
  CHECK(scene.b.info().waiting_poppers == 0);
  if (!scene.a.closed()) {
    REQUIRE(scene.a.rpush(1));
    CHECK(scene.a.lpop() == 1);
  }
}

TEST_CASE("List: the time of a wait begins when the call finds nothing, before it polls") {
  ReadClock clock;
  BlockingList<int> list({.capacity = 1, .clock = &clock, .spin = 1us});
  BlockingList<int> other({.clock = &clock, .spin = 1us});
  const auto first_reading = Clock::time_point(1000s) + 1ns;
  SECTION("blpop") { CHECK(error_of(list.blpop(1s)) == Errc::timed_out); }
  SECTION("brpop of several") { CHECK(error_of(brpop(1s, list, other)) == Errc::timed_out); }
  SECTION("blmpop") { CHECK(error_of(blmpop(1s, Side::left, 2, list, other)) == Errc::timed_out); }
  SECTION("blmove") { CHECK(error_of(list.blmove(other, Side::left, Side::left, 1s)) == Errc::timed_out); }
  SECTION("pop_batch") { CHECK(list.pop_batch(2, 3, 1s) == Ints{}); }
  SECTION("a push that waits for room") {
    REQUIRE(list.rpush(1));
    CHECK(error_of(list.rpush(2, 1s)) == Errc::timed_out);
  }
  CHECK(clock.deadlines == std::vector{first_reading + 1s});
}

TEST_CASE("List: who gives up lets those behind it go on") {
  Scene scene;
  auto first = scene.popping(scene.a, Side::left, 1s);
  auto second = scene.popping(scene.a);
  auto third = scene.popping(scene.a, Side::left, 1s);
  auto fourth = scene.popping(scene.a);
  scene.clock.advance(1s);
  CHECK(error_of(first.get()) == Errc::timed_out);
  CHECK(error_of(third.get()) == Errc::timed_out);
  REQUIRE(scene.a.rpush({1, 2}));
  CHECK(second.get() == 1);
  CHECK(fourth.get() == 2);
}

TEST_CASE("List: what is there wins over a stop, a close and no time") {
  WatchedClock clock;
  BlockingList<int> list({.clock = &clock});
  BlockingList<int> other({.clock = &clock});
  std::stop_source stop;
  stop.request_stop();
  const Wait stopped(1s, stop.get_token());
  REQUIRE(list.rpush({1, 2, 3, 4, 5, 6}));
  CHECK(list.blpop(stopped) == 1);
  CHECK(list.brpop(stopped) == 6);
  CHECK(list.pop_batch(1, 2, stopped) == Ints{2, 3});
  CHECK(list.blmove(other, Side::left, Side::left, stopped) == 4);
  CHECK(blpop(stopped, other, list)->value == 4);
  CHECK(list.pop_batch(2, 2, stopped) == Ints{5});
  CHECK(error_of(list.pop_batch(2, 2, stopped)) == Errc::cancelled);
  CHECK(error_of(list.blpop(stopped)) == Errc::cancelled);
}

TEST_CASE("List: an element that comes with the deadline is taken") {
  BusyClock clock;
  BlockingList<int> list({.clock = &clock, .spin = 0us});
  SECTION("pushed before the thread wakes up") {
    clock.instead = [&] { REQUIRE(list.rpush(1)); };
    CHECK(list.blpop(1s) == 1);
  }
  SECTION("and then closed") {
    clock.instead = [&] {
      REQUIRE(list.rpush(1));
      list.close();
    };
    CHECK(list.blpop(forever) == 1);
  }
  SECTION("and then stopped") {
    std::stop_source stop;
    clock.instead = [&] {
      REQUIRE(list.rpush(1));
      stop.request_stop();
    };
    CHECK(list.blpop(Wait(forever, stop.get_token())) == 1);
  }
  CHECK(list.empty());
}

TEST_CASE("List: a call that waits for several lists is served by one of them, once") {
  BusyClock clock;
  BlockingList<int> a({.clock = &clock, .spin = 0us});
  BlockingList<int> b({.clock = &clock, .spin = 0us});
  clock.instead = [&] {
    REQUIRE(a.rpush(1));
    REQUIRE(b.rpush({2, 3}));
    REQUIRE(a.rpush(4));
  };
  SECTION("blpop") {
    const auto popped = blpop(forever, a, b);
    REQUIRE(popped);
    CHECK(popped->index == 0);
    CHECK(popped->value == 1);
  }
  SECTION("blmpop") {
    const auto popped = blmpop(forever, Side::left, 5, a, b);
    REQUIRE(popped);
    CHECK(popped->index == 0);
    CHECK(popped->values == Ints{1});
  }
  SECTION("a list given twice") {
    const auto popped = blmpop(forever, Side::left, 5, a, a);
    REQUIRE(popped);
    CHECK(popped->index == 0);
    CHECK(popped->values == Ints{1});
  }
  CHECK(all(a) == Ints{4});
  CHECK(all(b) == Ints{2, 3});
  CHECK(a.info().waiting_poppers == 0);
  CHECK(b.info().waiting_poppers == 0);
}

TEST_CASE("List: blpop of several lists, one closed and one open") {
  Scene scene;
  scene.a.close();
  auto popped = scene.blocked([&] { return blpop(forever, scene.a, scene.b); });
  SECTION("served by the open one") {
    REQUIRE(scene.b.rpush(1));
    const auto got = popped.get();
    REQUIRE(got);
    CHECK(got->index == 1);
    CHECK(got->value == 1);
  }
  SECTION("until both are closed") {
    scene.b.close();
    CHECK(error_of(popped.get()) == Errc::closed);
    CHECK(error_of(blpop(forever, scene.a, scene.b)) == Errc::closed);
  }
}

TEST_CASE("List: blpop of several lists goes on when one of them is closed") {
  Scene scene;
  auto popped = scene.blocked([&] { return brpop(forever, scene.a, scene.b); });
  scene.a.close();
  scene.clock.wait_for_sleepers(1);
  REQUIRE(scene.b.rpush({1, 2}));
  const auto got = popped.get();
  REQUIRE(got);
  CHECK(got->index == 1);
  CHECK(got->value == 2);
}

TEST_CASE("List: blpop of the same list twice counts once") {
  Scene scene;
  auto popped = scene.blocked([&] { return blpop(forever, scene.a, scene.b, scene.a); });
  auto next = scene.popping(scene.a);
  REQUIRE(scene.a.rpush({1, 2, 3}));
  const auto got = popped.get();
  CHECK(got->index == 0);
  CHECK(got->value == 1);
  CHECK(next.get() == 2);
  CHECK(all(scene.a) == Ints{3});
}

TEST_CASE("List: a rotation that waits goes on behind who served it") {
  Scene scene;
  Rotation turn;
  auto popped = scene.blocked([&] { return blpop(forever, turn, scene.a, scene.b, scene.c); });
  REQUIRE(scene.b.rpush(1));
  const auto got = popped.get();
  CHECK(got->index == 1);
  REQUIRE(scene.a.rpush(2));
  REQUIRE(scene.b.rpush(3));
  REQUIRE(scene.c.rpush(4));
  CHECK(blpop(forever, turn, scene.a, scene.b, scene.c)->value == 4);
  CHECK(blpop(forever, turn, scene.a, scene.b, scene.c)->value == 2);
  CHECK(blpop(forever, turn, scene.a, scene.b, scene.c)->value == 3);
}

TEST_CASE("List: pop_batch gathers, and keeps its place") {
  Scene scene;
  auto batch = scene.gathering(scene.a, 3, 5, 10s);
  auto behind = scene.popping(scene.a);
  REQUIRE(scene.a.rpush(1));
  REQUIRE(scene.a.rpush(2));
  CHECK(scene.a.empty());
  CHECK(scene.a.info().waiting_poppers == 2);
  SECTION("until it has enough, and takes what comes with it") {
    REQUIRE(scene.a.rpush({3, 4, 5, 6}));
    CHECK(batch.get() == Ints{1, 2, 3, 4, 5});
    CHECK(behind.get() == 6);
    return;
  }
  SECTION("until its time is up") { scene.clock.advance(10s); }
  SECTION("until the list is closed") {
    scene.a.close();
    CHECK(error_of(behind.get()) == Errc::closed);
    CHECK(batch.get() == Ints{1, 2});
    return;
  }
  CHECK(batch.get() == Ints{1, 2});
  REQUIRE(scene.a.rpush(3));
  CHECK(behind.get() == 3);
}

TEST_CASE("List: pop_batch of several that are there does not poll for more, wherever they lie") {
  const auto forever_long = std::chrono::microseconds(std::chrono::hours(24));
  BlockingList<int> list({.spin = forever_long});
  const auto take_all = [&](int n) {
    for (int next = 0; next < n;) {
      const auto batch = list.pop_batch(2, 3, forever);
      REQUIRE(batch->size() >= 2);
      for (const int value : *batch) REQUIRE(value == next++);
    }
  };
  SECTION("in many segments") {
    for (int i = 0; i < 30'000; ++i) REQUIRE(list.rpush(i));
    take_all(30'000);
  }
  SECTION("some before the queue") {
    for (int i = 2; i < 3'000; ++i) REQUIRE(list.rpush(i));
    REQUIRE(list.lpush({1, 0}));
    take_all(3'000);
  }
  SECTION("in a bounded list") {
    BlockingList<int> bounded({.capacity = 10, .spin = forever_long});
    REQUIRE(bounded.rpush({1, 2, 3}));
    CHECK(bounded.pop_batch(2, 9, forever)->size() == 3);
  }
  SECTION("of a closed list") {
    REQUIRE(list.rpush({0, 1, 2}));
    list.close();
    CHECK(list.pop_batch(2, 9, forever)->size() == 3);
  }
}

TEST_CASE("List: pop_batch that is stopped gives what it has") {
  Scene scene;
  std::stop_source stop;
  auto batch = scene.gathering(scene.a, 3, 5, Wait(forever, stop.get_token()));
  REQUIRE(scene.a.rpush({1, 2}));
  stop.request_stop();
  CHECK(batch.get() == Ints{1, 2});
}

TEST_CASE("List: pop_batch of at least none takes what is there and does not wait") {
  ReadClock clock;
  BlockingList<int> list({.clock = &clock});
  std::stop_source stop;
  stop.request_stop();
  const Wait wait = GENERATE_COPY(Wait(forever), Wait(1s), Wait(), Wait(forever, stop.get_token()));
  CHECK(list.pop_batch(0, 5, wait) == Ints{});
  REQUIRE(list.rpush({1, 2, 3}));
  CHECK(list.pop_batch(0, 2, wait) == Ints{1, 2});
  CHECK(list.pop_batch(0, no_limit, wait) == Ints{3});
  CHECK(list.pop_batch(0, 0, wait) == Ints{});
  list.close();
  CHECK(error_of(list.pop_batch(0, 5, wait)) == Errc::closed);
  CHECK(clock.deadlines.empty());
}

TEST_CASE("List: pop_batch of nothing when its time is up") {
  Scene scene;
  auto batch = scene.gathering(scene.a, 3, no_limit, 1s);
  scene.clock.advance(1s);
  CHECK(batch.get() == Ints{});
}

TEST_CASE("List: a chain of blocked moves goes on in one step") {
  Scene scene;
  auto moved_on = scene.moving(scene.a, scene.b);
  auto moved_again = scene.moving(scene.b, scene.c);
  auto popped = scene.popping(scene.c);
  REQUIRE(scene.a.rpush(1));
  CHECK(scene.a.empty());
  CHECK(scene.b.empty());
  CHECK(scene.c.empty());
  CHECK(moved_on.get() == 1);
  CHECK(moved_again.get() == 1);
  CHECK(popped.get() == 1);
}

TEST_CASE("List: a chain of blocked moves whatever the addresses of the lists") {
  Scene scene;
  auto moved_on = scene.moving(scene.c, scene.b);
  auto moved_again = scene.moving(scene.b, scene.a);
  auto popped = scene.popping(scene.a);
  REQUIRE(scene.c.rpush(1));
  CHECK(moved_on.get() == 1);
  CHECK(moved_again.get() == 1);
  CHECK(popped.get() == 1);
}

TEST_CASE("List: blocked moves to and fro are all served by one element") {
  Scene scene;
  std::vector<One> moved;
  for (int i = 0; i < 4; ++i) {
    moved.push_back(scene.moving(scene.a, scene.b));
    moved.push_back(scene.moving(scene.b, scene.a));
  }
  auto popped = scene.popping(scene.a);
  REQUIRE(scene.a.rpush(1));
  for (auto& each : moved) CHECK(each.get() == 1);
  CHECK(popped.get() == 1);
}

TEST_CASE("List: a blocked rotation") {
  Scene scene;
  auto rotated = scene.moving(scene.a, scene.a);
  auto again = scene.moving(scene.a, scene.a);
  REQUIRE(scene.a.rpush({1, 2, 3}));
  CHECK(rotated.get() == 1);
  CHECK(again.get() == 2);
  CHECK(all(scene.a) == Ints{3, 1, 2});
}

TEST_CASE("List: a blocked move to a list that was closed meanwhile") {
  Scene scene;
  auto moved = scene.moving(scene.a, scene.b);
  auto popped = scene.popping(scene.a);
  scene.b.close();
  REQUIRE(scene.a.rpush(1));
  CHECK(error_of(moved.get()) == Errc::closed);
  CHECK(popped.get() == 1);
}

TEST_CASE("List: a blocked move ends when the list that it moves to is closed") {
  Scene scene;
  SECTION("another list") {
    auto moved = scene.moving(scene.a, scene.b);
    auto behind = scene.popping(scene.a);
    scene.b.close();
    CHECK(error_of(moved.get()) == Errc::closed);
    CHECK(scene.a.info().waiting_poppers == 1);
    REQUIRE(scene.a.rpush(1));
    CHECK(behind.get() == 1);
  }
  SECTION("several that move there") {
    auto first = scene.moving(scene.a, scene.b);
    auto second = scene.moving(scene.c, scene.b);
    auto onto_itself = scene.moving(scene.b, scene.b);
    auto elsewhere = scene.moving(scene.a, scene.c);
    scene.b.close();
    CHECK(error_of(first.get()) == Errc::closed);
    CHECK(error_of(second.get()) == Errc::closed);
    CHECK(error_of(onto_itself.get()) == Errc::closed);
    REQUIRE(scene.a.rpush(1));
    CHECK(elsewhere.get() == 1);
    CHECK(all(scene.c) == Ints{1});
  }
  SECTION("but not when an element came before") {
    auto moved = scene.moving(scene.a, scene.b);
    REQUIRE(scene.a.rpush(1));
    scene.b.close();
    CHECK(moved.get() == 1);
    CHECK(all(scene.b) == Ints{1});
  }
  CHECK(scene.a.info().waiting_poppers == 0);
}

TEMPLATE_TEST_CASE("List: a blocked move whose element's constructors throw loses and doubles nothing", "", Fussy<true>,
                   Fussy<false>) {
  using T = TestType;
  for (int n = 1; n < 100; ++n) {
    CAPTURE(n);
    BusyClock clock;
    BlockingList<T> from({.clock = &clock, .spin = 0us});
    BlockingList<T> to({.clock = &clock, .spin = 0us});
    clock.instead = [&] {
      T seven(7);
      T::fuse = n;
      try {
        static_cast<void>(from.rpush(std::move(seven)));
      } catch (const typename T::Thrown&) { static_cast<void>(from.remplace(7)); }
    };
    bool thrown = false;
    int got = 7;
    try {
      got = from.blmove(to, Side::left, Side::right, forever)->value();
    } catch (const typename T::Thrown&) { thrown = true; }
    const bool over = T::fuse > 0;
    T::fuse = 0;
    CHECK(got == 7);
    CHECK(drained(from) == (thrown ? Ints{7} : Ints{}));
    CHECK(drained(to) == (thrown ? Ints{} : Ints{7}));
    if (over) return;
  }
  FAIL("there is no end to the constructions");
}

TEST_CASE("List: a blocked move to a list that became full meanwhile") {
  Scene scene;
  BlockingList<int> bounded({.capacity = 1, .clock = &scene.clock});
  auto moved = scene.moving(scene.a, bounded);
  auto popped = scene.popping(scene.a);
  REQUIRE(bounded.rpush(7));
  SECTION("and still is: the element goes to who waits next") {
    REQUIRE(scene.a.rpush(1));
    CHECK(error_of(moved.get()) == Errc::full);
    CHECK(popped.get() == 1);
    CHECK(all(bounded) == Ints{7});
  }
  SECTION("and then no longer") {
    CHECK(bounded.lpop() == 7);
    REQUIRE(scene.a.rpush({1, 2}));
    CHECK(moved.get() == 1);
    CHECK(popped.get() == 2);
    CHECK(all(bounded) == Ints{1});
  }
}

TEST_CASE("List: a blocked move to a full list, which nobody stands behind") {
  Scene scene;
  BlockingList<int> bounded({.capacity = 1, .clock = &scene.clock});
  auto moved = scene.moving(scene.a, bounded);
  REQUIRE(bounded.rpush(7));
  REQUIRE(scene.a.rpush(1));
  CHECK(error_of(moved.get()) == Errc::full);
  CHECK(all(scene.a) == Ints{1});
}

TEST_CASE("List: a move that makes room serves who waits for it") {
  Scene scene;
  BlockingList<int> bounded({.capacity = 1, .clock = &scene.clock});
  REQUIRE(bounded.rpush(1));
  auto pushed = scene.blocked([&] { return bounded.rpush(2, forever).has_value(); });
  auto moved = scene.moving(scene.a, scene.b);
  CHECK(bounded.lmove(scene.a, Side::left, Side::left) == 1);
  CHECK(pushed.get());
  CHECK(moved.get() == 1);
  CHECK(all(bounded) == Ints{2});
  CHECK(all(scene.b) == Ints{1});
}

TEST_CASE("List: large and boxed elements are handed over too") {
  WatchedClock clock;
  BlockingList<Large> large({.clock = &clock});
  BlockingList<Fussy<false>> boxed({.clock = &clock});
  BlockingList<MoveOnly> owners({.clock = &clock});
  auto a = on_a_thread([&] { return large.blpop(forever).value().value(); });
  auto b = on_a_thread([&] { return boxed.brpop(forever).value().value(); });
  auto c = on_a_thread([&] { return blpop(forever, owners).value().value.value(); });
  auto d = on_a_thread([&] { return blpop(forever, boxed).value().value.value(); });
  clock.wait_for_sleepers(4);
  REQUIRE(large.remplace(1));
  REQUIRE(boxed.remplace(2));
  REQUIRE(owners.remplace(3));
  REQUIRE(boxed.remplace(2));
  CHECK(a.get() == 1);
  CHECK(b.get() == 2);
  CHECK(c.get() == 3);
  CHECK(d.get() == 2);
}

}  // namespace list_wait_test
