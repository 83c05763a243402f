// list_bounded_test.cpp — lists with a capacity: what is refused, what waits, what is dropped.
#include <brook/blocking_list.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "list_support.hpp"

namespace list_bounded_test {

namespace {

using namespace brook;
using namespace brook::test;

using Pushed = std::future<std::optional<Errc>>;

// A full list of capacity 2 holding 1, 2, and calls that wait for room in it.
struct Scene {
  explicit Scene(Overflow overflow = Overflow::reject) : list({.capacity = 2, .overflow = overflow, .clock = &clock}) {
    REQUIRE(list.rpush({1, 2}));
  }

  template <class Call>
  auto blocked(Call call) {
    auto future = on_a_thread(std::move(call));
    clock.wait_for_sleepers(++waiting);
    return future;
  }
  Pushed pushing(int value, Side side = Side::right, Wait wait = forever) {
    return blocked([this, value, side, wait] {
      return error_of(side == Side::right ? list.rpush(value, wait) : list.lpush(value, wait));
    });
  }

  WatchedClock clock{};
  BlockingList<int> list;
  std::size_t waiting = 0;
};

}  // namespace

TEST_CASE("Bounded list: refuses what it has no room for") {
  Scene scene;
  BlockingList<int>& list = scene.list;
  CHECK(error_of(list.rpush(3)) == Errc::full);
  CHECK(error_of(list.lpush(3)) == Errc::full);
  CHECK(error_of(list.remplace(3)) == Errc::full);
  CHECK(error_of(list.lpush({3, 4})) == Errc::full);
  CHECK(error_of(list.rpush_range(Ints{3})) == Errc::full);
  CHECK(error_of(list.rpushx(3)) == Errc::full);
  CHECK(error_of(list.lpushx(3)) == Errc::full);
  CHECK(error_of(list.linsert_before(1, 3)) == Errc::full);
  CHECK(list.linsert_before(9, 3).value() == std::nullopt);
  CHECK(error_of(list.rpush(3, Wait())) == Errc::full);
  CHECK(list.rpush_range(Ints{}).value() == 2U);
  CHECK(list.info().capacity == 2);
  CHECK(all(list) == Ints{1, 2});
  SECTION("lpop makes room") { CHECK(list.lpop() == 1); }
  SECTION("lrem makes room") { CHECK(list.lrem(1, 1) == 1); }
  SECTION("ltrim makes room") { list.ltrim(1, 1); }
  SECTION("lmove makes room") {
    BlockingList<int> other;
    CHECK(list.lmove(other, Side::left, Side::left) == 1);
  }
  CHECK(list.rpush(3).value() == 2U);
  CHECK(error_of(list.lpush(4)) == Errc::full);
  CHECK(all(list) == Ints{2, 3});
}

TEST_CASE("Bounded list: a range fits as a whole or not at all") {
  BlockingList<int> list({.capacity = 3});
  CHECK(error_of(list.rpush({1, 2, 3, 4})) == Errc::full);
  REQUIRE(list.rpush(1));
  CHECK(error_of(list.rpush({2, 3, 4})) == Errc::full);
  REQUIRE(list.lpush({2, 3}));
  CHECK(all(list) == Ints{3, 2, 1});
}

TEST_CASE("Bounded list: try_push hands the value back") {
  BlockingList<std::unique_ptr<int>> list({.capacity = 1, .overflow = Overflow::block});
  REQUIRE(list.try_rpush(std::make_unique<int>(1)));
  auto refused = list.try_lpush(std::make_unique<int>(2));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error == Errc::full);
  CHECK(*refused.error().value == 2);
  CHECK(**list.lpop() == 1);
  CHECK(*list.try_lpush(std::move(refused.error().value)) == 1U);
  CHECK(**list.lpop() == 2);
}

TEST_CASE("Bounded list: a refusal that is taken for a success throws, and the value is still there") {
  BlockingList<std::unique_ptr<int>> owners({.capacity = 1});
  CHECK(owners.try_rpush(std::make_unique<int>(1)).value() == 1U);
  auto refused = owners.try_rpush(std::make_unique<int>(2));
  std::optional<Errc> why;
  try {
    static_cast<void>(refused.value());
  } catch (const tl::bad_expected_access<Refused<std::unique_ptr<int>>>& thrown) {
    why = thrown.error();
    CHECK(std::string(thrown.what()) == message(Errc::full));
  }
  CHECK(why == Errc::full);
  CHECK(*refused.error().value == 2);
  BlockingList<int> list({.capacity = 1});
  CHECK(list.try_rpush(1).value() == 1U);
  int value = 0;
  try {
    static_cast<void>(list.try_rpush(2).value());
  } catch (const tl::bad_expected_access<Refused<int>>& thrown) { value = thrown.error().value; }
  CHECK(value == 2);
}

TEST_CASE("Bounded list: drops at the other end") {
  Scene scene(Overflow::drop_oldest);
  BlockingList<int>& list = scene.list;
  SECTION("rpush") {
    CHECK(list.rpush(3).value() == 2U);
    CHECK(all(list) == Ints{2, 3});
  }
  SECTION("lpush") {
    CHECK(list.lpush(3).value() == 2U);
    CHECK(all(list) == Ints{3, 1});
  }
  SECTION("try_rpush") {
    CHECK(list.try_rpush(3).value() == 2U);
    CHECK(all(list) == Ints{2, 3});
  }
  SECTION("rpushx") {
    CHECK(list.rpushx(3).value() == 2U);
    CHECK(all(list) == Ints{2, 3});
  }
  SECTION("lpushx") {
    CHECK(list.lpushx(3).value() == 2U);
    CHECK(all(list) == Ints{3, 1});
  }
  SECTION("a range") {
    CHECK(list.rpush({3, 4}).value() == 2U);
    CHECK(all(list) == Ints{3, 4});
  }
  SECTION("a range that is longer than the list may be") {
    CHECK(list.rpush({3, 4, 5, 6, 7}).value() == 2U);
    CHECK(all(list) == Ints{6, 7});
    CHECK(list.lpush({1, 2, 3}).value() == 2U);
    CHECK(all(list) == Ints{3, 2});
  }
  SECTION("but not when it is told to wait") {
    CHECK(error_of(list.rpush(3, Wait())) == Errc::full);
    auto pushed = scene.pushing(3);
    CHECK(list.lpop() == 1);
    CHECK_FALSE(pushed.get());
    CHECK(all(list) == Ints{2, 3});
  }
  SECTION("for ever") {
    for (int i = 0; i < 10'000; ++i) REQUIRE(list.rpush(i));
    CHECK(all(list) == Ints{9998, 9999});
  }
}

TEST_CASE("Bounded list: who waits for elements gets some before any are dropped") {
  WatchedClock clock;
  BlockingList<int> list({.capacity = 2, .overflow = Overflow::drop_oldest, .clock = &clock});
  BlockingList<int> other({.clock = &clock});
  std::size_t waiting = 0;
  const auto blocked = [&](auto call) {
    auto future = on_a_thread(std::move(call));
    clock.wait_for_sleepers(++waiting);
    return future;
  };
  SECTION("of every kind, in their order") {
    auto popped = blocked([&] { return list.blpop(forever); });
    auto moved = blocked([&] { return list.blmove(other, Side::left, Side::left, forever); });
    auto batch = blocked([&] { return list.pop_batch(2, 2, forever); });
    auto last = blocked([&] { return list.brpop(forever); });
    REQUIRE(list.rpush({1, 2, 3, 4, 5, 6, 7, 8}));
    CHECK(popped.get() == 1);
    CHECK(moved.get() == 2);
    CHECK(batch.get() == Ints{3, 4});
    CHECK(last.get() == 8);
    CHECK(all(list) == Ints{6, 7});
    CHECK(all(other) == Ints{2});
  }
  SECTION("at the other end") {
    auto popped = blocked([&] { return list.brpop(forever); });
    REQUIRE(list.lpush({1, 2, 3, 4}));
    CHECK(popped.get() == 1);
    CHECK(all(list) == Ints{4, 3});
  }
  SECTION("a batch takes all that it may") {
    auto batch = blocked([&] { return list.pop_batch(1, 10, forever); });
    REQUIRE(list.rpush({1, 2, 3, 4}));
    CHECK(batch.get() == Ints{1, 2, 3, 4});
    CHECK(list.empty());
  }
  SECTION("who rotates the list") {
    auto moved = blocked([&] { return list.blmove(list, Side::left, Side::right, forever); });
    REQUIRE(list.rpush({1, 2, 3, 4}));
    CHECK(moved.get() == 1);
    CHECK(all(list) == Ints{4, 1});
  }
}

TEST_CASE("Bounded list: a push that drops does not wait for those that wait for room") {
  Scene scene(Overflow::drop_oldest);
  BlockingList<int>& list = scene.list;
  SECTION("it takes no room from them") {
    auto waits = scene.pushing(3);
    CHECK(list.rpush(4).value() == 2U);
    CHECK(list.try_rpush(5).value() == 2U);
    CHECK(list.rpushx(6).value() == 2U);
    CHECK(list.info().waiting_pushers == 1);
    CHECK(all(list) == Ints{5, 6});
    CHECK(list.lpop() == 5);
    CHECK_FALSE(waits.get());
    CHECK(all(list) == Ints{6, 3});
  }
  SECTION("but for a range that waits for more than there is") {
    auto waits = scene.blocked([&] { return error_of(list.rpush_range(Ints{3, 4}, forever)); });
    CHECK(list.lpop() == 1);
    CHECK(list.rpush(5).value() == 2U);
    CHECK(all(list) == Ints{2, 5});
    CHECK(list.lpop(2) == Ints{2, 5});
    CHECK_FALSE(waits.get());
    CHECK(all(list) == Ints{3, 4});
  }
  SECTION("nor do they pass each other") {
    auto first = scene.pushing(3);
    auto second = scene.pushing(4);
    CHECK(error_of(list.rpush(9, Wait())) == Errc::full);
    CHECK(list.rpush(5).value() == 2U);
    CHECK(list.lpop(2) == Ints{2, 5});
    CHECK_FALSE(first.get());
    CHECK_FALSE(second.get());
    CHECK(all(list) == Ints{3, 4});
  }
}

TEST_CASE("Bounded list: a range that waits for room") {
  Scene scene;
  BlockingList<int>& list = scene.list;
  CHECK(error_of(list.rpush_range(Ints{3}, Wait())) == Errc::full);
  CHECK(error_of(list.lpush_range(Ints{3, 4, 5}, forever)) == Errc::full);  // never fits, so it does not wait
  CHECK(list.lpush_range(Ints{}, forever).value() == 2U);
  SECTION("is pushed when there is room for all of it") {
    auto left = scene.blocked([&] { return error_of(list.lpush_range(Ints{3, 4}, forever)); });
    auto right = scene.blocked([&] { return error_of(list.rpush_range(std::vector<long>{5}, 1s)); });
    CHECK(list.lpop() == 1);
    CHECK(all(list) == Ints{2});
    CHECK(list.lpop() == 2);
    CHECK_FALSE(left.get());
    CHECK(all(list) == Ints{4, 3});
    CHECK(list.rpop() == 3);
    CHECK_FALSE(right.get());
    CHECK(all(list) == Ints{4, 5});
  }
  SECTION("ends when its time is up") {
    auto pushed = scene.blocked([&] { return error_of(list.rpush_range(Ints{3, 4}, 2s)); });
    scene.clock.advance(2s);
    CHECK(pushed.get() == Errc::timed_out);
  }
  SECTION("ends when it is told to") {
    std::stop_source stop;
    auto pushed = scene.blocked([&] { return error_of(list.lpush_range(Ints{3}, Wait(forever, stop.get_token()))); });
    stop.request_stop();
    CHECK(pushed.get() == Errc::cancelled);
  }
  SECTION("ends when the list is closed") {
    auto pushed = scene.blocked([&] { return error_of(list.rpush_range(Ints{3}, forever)); });
    list.close();
    CHECK(pushed.get() == Errc::closed);
    CHECK(error_of(list.rpush_range(Ints{}, forever)) == Errc::closed);
  }
}

TEST_CASE("Bounded list: a range of rvalues that was refused is still the caller's") {
  BlockingList<std::unique_ptr<int>> list({.capacity = 2});
  REQUIRE(list.rpush(std::make_unique<int>(1)));
  std::vector<std::unique_ptr<int>> two;
  two.push_back(std::make_unique<int>(2));
  two.push_back(std::make_unique<int>(3));
  CHECK(error_of(list.rpush_range(std::move(two), Wait())) == Errc::full);
  REQUIRE(two.size() == 2);
  CHECK(*two.front() == 2);
  CHECK(list.lpop());
  REQUIRE(list.rpush_range(std::move(two), forever));
  CHECK(**list.rpop() == 3);
}

TEST_CASE("Bounded list: a range that only shows elements leaves them where they are") {
  using Strings = std::vector<std::string>;
  Strings words{"one", "two", "three"};
  BlockingList<std::string> list;
  REQUIRE(list.rpush_range(words));
  REQUIRE(list.rpush_range(std::views::all(words)));
  REQUIRE(list.rpush_range(words | std::views::take(2), 1s));
  REQUIRE(list.rpush_range(words | std::views::transform([](std::string& word) -> std::string& { return word; })));
  CHECK(words == Strings{"one", "two", "three"});
  CHECK(list.size() == 11);
}

TEST_CASE("Bounded list: a push that waits goes on when there is room") {
  Scene scene;
  BlockingList<int>& list = scene.list;
  BlockingList<int> other({.clock = &scene.clock});
  auto pushed = scene.pushing(3);
  CHECK(list.info().waiting_pushers == 1);
  SECTION("lpop") { CHECK(list.lpop() == 1); }
  SECTION("lpop with a count") { CHECK(list.lpop(1) == Ints{1}); }
  SECTION("blpop") { CHECK(list.blpop(forever) == 1); }
  SECTION("pop_batch") { CHECK(list.pop_batch(1, 1, forever) == Ints{1}); }
  SECTION("lmpop") { CHECK(lmpop(Side::left, 1, other, list)->values == Ints{1}); }
  SECTION("lrem") { CHECK(list.lrem(0, 1) == 1); }
  SECTION("ltrim") { list.ltrim(1, -1); }
  SECTION("lmove") { CHECK(list.lmove(other, Side::left, Side::left) == 1); }
  SECTION("clear") {
    CHECK(list.clear() == 2);
    CHECK_FALSE(pushed.get());
    CHECK(all(list) == Ints{3});
    return;
  }
  CHECK_FALSE(pushed.get());
  CHECK(list.info().waiting_pushers == 0);
  CHECK(all(list) == Ints{2, 3});
}

TEST_CASE("Bounded list: overflow that blocks makes every push wait") {
  Scene scene(Overflow::block);
  BlockingList<int>& list = scene.list;
  auto one = scene.blocked([&] { return error_of(list.rpush(3)); });
  auto range = scene.blocked([&] { return error_of(list.rpush({4, 5})); });
  auto built = scene.blocked([&] { return error_of(list.lemplace(6)); });
  CHECK(error_of(list.rpush({1, 2, 3})) == Errc::full);  // never fits, so it does not wait
  CHECK(error_of(list.rpushx(9)) == Errc::full);
  CHECK(list.try_rpush(9).error().error == Errc::full);
  CHECK(list.lpop() == 1);
  CHECK_FALSE(one.get());
  CHECK(all(list) == Ints{2, 3});
  CHECK(list.lpop() == 2);
  CHECK(list.info().waiting_pushers == 2);  // there is room for one, but the range came first
  CHECK(error_of(list.rpush(9, Wait())) == Errc::full);
  CHECK(list.lpop() == 3);
  CHECK_FALSE(range.get());
  CHECK(list.lpop() == 4);
  CHECK_FALSE(built.get());
  CHECK(all(list) == Ints{6, 5});
}

TEST_CASE("Bounded list: pushes that wait are served in their order, at their sides") {
  Scene scene;
  auto first = scene.pushing(3);
  auto second = scene.pushing(4, Side::left);
  auto third = scene.pushing(5);
  CHECK(scene.list.lpop() == 1);
  CHECK_FALSE(first.get());
  CHECK(all(scene.list) == Ints{2, 3});
  CHECK(scene.list.lpop(2) == Ints{2, 3});
  CHECK_FALSE(second.get());
  CHECK_FALSE(third.get());
  CHECK(all(scene.list) == Ints{4, 5});
}

TEST_CASE("Bounded list: a push that waits ends") {
  Scene scene;
  SECTION("when its time is up") {
    auto pushed = scene.pushing(3, Side::right, 2s);
    auto behind = scene.pushing(4);
    scene.clock.advance(2s);
    CHECK(pushed.get() == Errc::timed_out);
    CHECK(scene.list.info().waiting_pushers == 1);
    CHECK(scene.list.lpop() == 1);
    CHECK_FALSE(behind.get());
    CHECK(all(scene.list) == Ints{2, 4});
    return;
  }
  SECTION("when it is told to") {
    std::stop_source stop;
    auto pushed = scene.pushing(3, Side::left, Wait(forever, stop.get_token()));
    stop.request_stop();
    CHECK(pushed.get() == Errc::cancelled);
    CHECK(error_of(scene.list.rpush(3, Wait(1s, stop.get_token()))) == Errc::cancelled);
  }
  SECTION("when the list is closed") {
    auto pushed = scene.pushing(3);
    auto other = scene.pushing(4, Side::left);
    scene.list.close();
    CHECK(pushed.get() == Errc::closed);
    CHECK(other.get() == Errc::closed);
  }
  CHECK(scene.list.info().waiting_pushers == 0);
  CHECK(all(scene.list) == Ints{1, 2});
}

TEST_CASE("Bounded list: a range that waits is not passed by a single value") {
  WatchedClock clock;
  BlockingList<int> list({.capacity = 2, .overflow = Overflow::block, .clock = &clock});
  REQUIRE(list.rpush({1, 2}));
  auto range = on_a_thread([&] { return error_of(list.rpush({3, 4})); });
  clock.wait_for_sleepers(1);
  auto single = on_a_thread([&] { return error_of(list.rpush(5)); });
  clock.wait_for_sleepers(2);
  CHECK(list.lpop() == 1);
  CHECK(all(list) == Ints{2});
  list.ltrim(1, 0);
  CHECK_FALSE(range.get());
  CHECK(all(list) == Ints{3, 4});
  CHECK(list.lpop(1) == Ints{3});
  CHECK_FALSE(single.get());
  CHECK(all(list) == Ints{4, 5});
}

TEST_CASE("Bounded list: blocked pops are served, and room comes back") {
  WatchedClock clock;
  BlockingList<int> list({.capacity = 1, .clock = &clock});
  auto first = on_a_thread([&] { return list.blpop(forever); });
  clock.wait_for_sleepers(1);
  auto second = on_a_thread([&] { return list.blpop(forever); });
  clock.wait_for_sleepers(2);
  REQUIRE(list.rpush(1));
  REQUIRE(list.rpush(2));
  REQUIRE(list.rpush(3));
  CHECK(error_of(list.rpush(4)) == Errc::full);
  CHECK(first.get() == 1);
  CHECK(second.get() == 2);
  CHECK(all(list) == Ints{3});
}

TEST_CASE("Bounded list: moves") {
  Scene scene;
  BlockingList<int> other;
  REQUIRE(other.rpush({7, 8}));
  CHECK(other.lmove(scene.list, Side::left, Side::right) == std::nullopt);
  CHECK(error_of(other.blmove(scene.list, Side::left, Side::right, forever)) == Errc::full);
  CHECK(all(other) == Ints{7, 8});
  CHECK(scene.list.lmove(scene.list, Side::left, Side::right) == 1);  // a full list can still rotate
  CHECK(scene.list.blmove(scene.list, Side::right, Side::left, forever) == 1);
  CHECK(all(scene.list) == Ints{1, 2});
  CHECK(scene.list.lpop() == 1);
  CHECK(other.lmove(scene.list, Side::left, Side::right) == 7);
  CHECK(all(scene.list) == Ints{2, 7});
}

TEST_CASE("Bounded list: never longer than its capacity, and nothing is lost") {
  constexpr int each = 2000;
  BlockingList<int> list({.capacity = 5, .overflow = Overflow::block});
  std::atomic<bool> too_long{false};
  std::atomic<bool> over{false};
  std::vector<std::thread> producers;
  for (int p = 0; p < 3; ++p) {
    producers.emplace_back([&list, p] {
      for (int i = 0; i < each; ++i) static_cast<void>(list.rpush(p * each + i));
    });
  }
  std::thread watcher([&] {
    while (!over) {
      if (list.size() > 5) too_long = true;
      std::this_thread::yield();
    }
  });
  std::vector<int> next(3, 0);
  bool in_order = true;
  for (int seen = 0; seen < 3 * each; ++seen) {
    const int value = list.blpop(forever).value();
    in_order = in_order && next[static_cast<std::size_t>(value / each)]++ == value % each;
  }
  for (auto& producer : producers) producer.join();
  over = true;
  watcher.join();
  CHECK(in_order);
  CHECK_FALSE(too_long);
  CHECK(list.empty());
}

TEST_CASE("Bounded list: a circle by several threads keeps every element once") {
  const std::size_t capacity = GENERATE(as<std::size_t>{}, no_limit, 20);
  BlockingList<int> list({.capacity = capacity});
  REQUIRE(list.rpush_range(numbers(1, 20)));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&list, t] {
      for (int i = 0; i < 3000; ++i) {
        const Side from = t == 2 ? Side::right : Side::left;
        if (i % 7 == 0) static_cast<void>(list.blmove(list, from, opposite(from), forever));
        else static_cast<void>(list.lmove(list, from, opposite(from)));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Ints values = all(list);
  std::ranges::sort(values);
  CHECK(values == numbers(1, 20));
}

}  // namespace list_bounded_test
