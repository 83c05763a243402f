// channel_wait_test.cpp — calls that wait: receivers for a message, publishers for room.
#include <brook/channel.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "channel_support.hpp"

namespace channel_wait_test {

namespace {

using namespace brook;
using namespace brook::test;

// A channel whose blocked calls sleep on a clock that the test moves.
struct Scene {
  WatchedClock clock{};
  Channel<int> channel{{.clock = &clock, .spin = 0us}};
  std::size_t waiting = 0;

  /// A call on a thread of its own; returns when it sleeps.
  template <class Call>
  auto blocked(Call call) {
    auto future = on_a_thread(std::move(call));
    clock.wait_for_sleepers(++waiting);
    return future;
  }
  auto receiving(Subscription<int>& subscription, Wait wait = forever) {
    return blocked([&subscription, wait] { return value_of(subscription.receive(wait)); });
  }
  auto publishing(int value, Wait wait = forever) {
    return blocked([this, value, wait] { return channel.publish(value, wait); });
  }

  [[nodiscard]] static expected<int, Errc> value_of(const expected<Message<int>, Errc>& message) {
    return message ? expected<int, Errc>(**message) : unexpected(message.error());
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

}  // namespace

TEST_CASE("Subscription: waits for a message") {
  Scene scene;
  auto subscription = scene.channel.subscribe();
  SECTION("before the first") {
    auto received = scene.receiving(subscription);
    CHECK(scene.channel.publish(1) == 1);
    CHECK(received.get() == 1);
  }
  SECTION("after some") {
    publish(scene.channel, 1, 100);
    CHECK(drained(subscription) == numbers(1, 100));
    auto received = scene.receiving(subscription);
    CHECK(scene.channel.publish(101) == 1);
    CHECK(received.get() == 101);
  }
  SECTION("at each place in the log") {
    for (int i = 1; i <= 60; ++i) {
      scene.waiting = 0;
      auto received = scene.receiving(subscription);
      scene.channel.publish(i);
      REQUIRE(received.get() == i);
    }
  }
  SECTION("for several at once") {
    auto received = scene.receiving(subscription);
    scene.channel.publish_range(numbers(1, 100));
    CHECK(received.get() == 1);
    CHECK(drained(subscription) == numbers(2, 100));
  }
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Subscription: a batch that waits comes whole") {
  Scene scene;
  auto subscription = scene.channel.subscribe();
  auto received = scene.blocked([&] { return values_of(*subscription.receive_batch(no_limit, 1h)); });
  scene.channel.publish_range(numbers(1, 5000));
  CHECK(received.get() == numbers(1, 5000));
}

TEST_CASE("Subscription: each one that waits is woken by each message") {
  Scene scene;
  std::vector<Subscription<int>> subscriptions;
  for (int i = 0; i < 5; ++i) subscriptions.push_back(scene.channel.subscribe({.backlog = i == 0 ? 1U : unlimited}));
  for (int round = 0; round < 10; ++round) {
    scene.waiting = 0;
    std::vector<std::future<expected<int, Errc>>> received;
    for (auto& subscription : subscriptions) received.push_back(scene.receiving(subscription));
    CHECK(scene.channel.publish(round) == 5);
    for (auto& one : received) CHECK(one.get() == round);
  }
}

TEST_CASE("Subscription: a loop over it waits") {
  Scene scene;
  auto subscription = scene.channel.subscribe();
  auto looped = scene.blocked([&] {
    Ints seen;
    for (const auto& message : subscription) seen.push_back(*message);
    return seen;
  });
  for (int i = 1; i <= 5; ++i) {
    scene.channel.publish(i);
    while (subscription.waiting() > 0) std::this_thread::yield();
    scene.clock.wait_for_sleepers(1);
  }
  scene.channel.close();
  CHECK(looped.get() == numbers(1, 5));
}

TEST_CASE("Subscription: a wait ends") {
  Scene scene;
  auto subscription = scene.channel.subscribe();
  SECTION("when its time is up") {
    auto received = scene.receiving(subscription, 5s);
    scene.clock.advance(5s - 1ns);
    CHECK(scene.clock.sleepers() == 1);
    scene.clock.advance(1ns);
    CHECK(error_of(received.get()) == Errc::timed_out);
  }
  SECTION("at a time point") {
    auto received = scene.receiving(subscription, scene.clock.now() + 3s);
    scene.clock.advance(3s);
    CHECK(error_of(received.get()) == Errc::timed_out);
  }
  SECTION("of a batch, when its time is up") {
    auto received = scene.blocked([&] { return subscription.receive_batch(no_limit, 1s).value().size(); });
    scene.clock.advance(1s);
    CHECK(received.get() == 0);
  }
  SECTION("when it is told to") {
    std::stop_source stop;
    auto received = scene.receiving(subscription, Wait(forever, stop.get_token()));
    stop.request_stop();
    CHECK(error_of(received.get()) == Errc::cancelled);
  }
  SECTION("of a batch, when it is told to") {
    std::stop_source stop;
    const Wait wait(1h, stop.get_token());
    auto received = scene.blocked([&] { return error_of(subscription.receive_batch(3, wait)); });
    stop.request_stop();
    CHECK(received.get() == Errc::cancelled);
  }
  CHECK(subscription.reason() == std::nullopt);
  scene.channel.publish(1);
  CHECK(drained(subscription) == Ints{1});
}

TEST_CASE("Subscription: a wait ends for good") {
  Scene scene;
  auto subscription = scene.channel.subscribe({.share = GENERATE("", "group")});
  publish(scene.channel, 1, 20);
  CHECK(drained(subscription) == numbers(1, 20));
  auto received = scene.receiving(subscription);
  SECTION("when the channel is closed") {
    scene.channel.close();
    CHECK(error_of(received.get()) == Errc::closed);
    CHECK(subscription.reason() == Errc::closed);
  }
  SECTION("when another thread unsubscribes") {
    subscription.unsubscribe();
    CHECK(error_of(received.get()) == Errc::closed);
    CHECK(subscription.reason() == Errc::cancelled);
  }
  CHECK(error_of(subscription.receive(forever)) == Errc::closed);
}

TEST_CASE("Subscription: all waits end when the channel is closed") {
  Scene scene;
  auto a = scene.channel.subscribe();
  auto b = scene.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  auto c = scene.channel.subscribe({.share = "group"});
  auto d = scene.channel.subscribe({.share = "group"});
  std::vector<std::future<expected<int, Errc>>> received;
  for (auto* one : {&a, &b, &c, &d}) received.push_back(scene.receiving(*one));
  scene.channel.close();
  for (auto& one : received) CHECK(error_of(one.get()) == Errc::closed);
}

TEST_CASE("Subscription: a message that comes with the end of a wait is received") {
  BusyClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto subscription = channel.subscribe({.share = GENERATE("", "group")});
  SECTION("published before the thread wakes up") {
    clock.instead = [&] { channel.publish(1); };
    CHECK(**subscription.receive(1s) == 1);
  }
  SECTION("and then closed") {
    clock.instead = [&] {
      channel.publish(1);
      channel.close();
    };
    CHECK(**subscription.receive() == 1);
  }
  SECTION("and then stopped") {
    std::stop_source stop;
    clock.instead = [&] {
      channel.publish(1);
      stop.request_stop();
    };
    CHECK(**subscription.receive(Wait(forever, stop.get_token())) == 1);
  }
  SECTION("but not when it was unsubscribed") {
    clock.instead = [&] {
      channel.publish(1);
      subscription.unsubscribe();
    };
    CHECK(error_of(subscription.receive()) == Errc::closed);
  }
  CHECK(!subscription.try_receive());
}

TEST_CASE("Subscription: a wait that found the time gone by has lost nothing") {
  BusyClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto subscription = channel.subscribe();
  CHECK(error_of(subscription.receive(1s)) == Errc::timed_out);
  CHECK(subscription.receive_batch(3, 1s)->empty());
  publish(channel, 1, 3);
  CHECK(drained(subscription) == numbers(1, 3));
}

TEST_CASE("Channel: a publisher waits for room") {
  Scene scene;
  auto slow = scene.channel.subscribe({.backlog = 2, .overflow = Overflow::block});
  auto other = scene.channel.subscribe();
  publish(scene.channel, 1, 2);
  SECTION("until there is some") {
    auto published = scene.publishing(3);
    CHECK(slow.waiting() == 2);
    CHECK(taken(slow) == 1);
    CHECK(published.get() == 2U);
    CHECK(drained(slow) == Ints{2, 3});
    CHECK(drained(other) == numbers(1, 3));
  }
  SECTION("without a limit of time") {
    auto published = scene.blocked([&] { return scene.channel.publish(3); });
    CHECK(taken(slow) == 1);
    CHECK(published.get() == 2);
    CHECK(drained(slow) == Ints{2, 3});
  }
  SECTION("for all of a batch") {
    auto published = scene.blocked([&] { return scene.channel.publish_range(numbers(3, 4), forever); });
    CHECK(taken(slow) == 1);
    scene.clock.wait_for_sleepers(1);
    CHECK(taken(slow) == 2);
    CHECK(published.get() == 2U);
    CHECK(drained(slow) == Ints{3, 4});
  }
  SECTION("until it is told to stop") {
    std::stop_source stop;
    auto published = scene.publishing(3, Wait(forever, stop.get_token()));
    stop.request_stop();
    CHECK(error_of(published.get()) == Errc::cancelled);
    CHECK(drained(slow) == Ints{1, 2});
    CHECK(drained(other) == Ints{1, 2});
  }
  SECTION("until its time is up") {
    auto published = scene.publishing(3, 1s);
    scene.clock.advance(1s);
    CHECK(error_of(published.get()) == Errc::timed_out);
    CHECK(drained(slow) == Ints{1, 2});
    CHECK(drained(other) == Ints{1, 2});
    CHECK(scene.channel.publish(3, 1s) == 2U);
  }
  SECTION("until the channel is closed") {
    auto published = scene.publishing(3);
    auto in_vain = scene.blocked([&] { return scene.channel.publish(4); });
    scene.channel.close();
    CHECK(error_of(published.get()) == Errc::closed);
    CHECK(in_vain.get() == 0);
    CHECK(drained(slow) == Ints{1, 2});
  }
  SECTION("until the slow one leaves") {
    auto published = scene.publishing(3);
    slow.unsubscribe();
    CHECK(published.get() == 1U);
    CHECK(drained(other) == numbers(1, 3));
  }
  SECTION("until the slow one dies") {
    auto published = scene.publishing(3);
    slow = {};
    CHECK(published.get() == 1U);
  }
  CHECK(scene.clock.sleepers() == 0);
}

TEST_CASE("Channel: all publishers get their room") {
  Scene scene;
  auto slow = scene.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  scene.channel.publish(0);
  std::vector<std::future<expected<std::size_t, Errc>>> published;
  for (int i = 1; i <= 4; ++i) published.push_back(scene.publishing(i));
  Ints seen;
  while (seen.size() < 5) seen.push_back(*Scene::value_of(slow.receive()));
  for (auto& one : published) CHECK(one.get() == 1U);
  std::sort(seen.begin(), seen.end());
  CHECK(seen == numbers(0, 4));
}

TEST_CASE("Channel: a publisher waits for the slowest of those who make it wait") {
  Scene scene;
  auto one = scene.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  auto two = scene.channel.subscribe({.backlog = 2, .overflow = Overflow::block});
  auto dropping = scene.channel.subscribe({.backlog = 1});
  scene.channel.publish(1);
  CHECK(taken(one) == 1);
  scene.channel.publish(2);
  CHECK(taken(one) == 2);
  auto published = scene.publishing(3);
  CHECK(taken(two) == 1);
  CHECK(published.get() == 3U);
  CHECK(drained(one) == Ints{3});
  CHECK(drained(two) == Ints{2, 3});
  CHECK(drained(dropping) == Ints{3});
  CHECK(dropping.lost() == 2);
}

TEST_CASE("Channel: who has room again need not wait for its messages to be let go") {
  Scene scene;
  auto slow = scene.channel.subscribe({.backlog = 2, .overflow = Overflow::block});
  publish(scene.channel, 1, 2);
  const auto kept = slow.receive_batch();
  CHECK(scene.channel.publish_range(numbers(3, 4), Wait()) == 1U);
  CHECK(values_of(*kept) == Ints{1, 2});
}

TEST_CASE("Channel: a publisher that waits keeps its value when it gives up") {
  WatchedClock clock;
  Channel<std::unique_ptr<int>> channel({.clock = &clock, .spin = 0us});
  auto slow = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  channel.publish(std::make_unique<int>(1));
  auto value = std::make_unique<int>(2);
  auto published = on_a_thread([&] { return channel.publish(std::move(value), 1s); });
  clock.wait_for_sleepers(1);
  clock.advance(1s);
  CHECK(error_of(published.get()) == Errc::timed_out);
  REQUIRE(value);
  CHECK(*value == 2);
}

TEST_CASE("Channel: a receiver and a publisher that wait for each other's steps") {
  Scene scene;
  auto slow = scene.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  auto received = on_a_thread([&] {
    Ints seen;
    for (const auto& message : slow) seen.push_back(*message);
    return seen;
  });
  for (int i = 1; i <= 1000; ++i) REQUIRE(scene.channel.publish(i, forever) == 1U);
  scene.channel.close();
  CHECK(received.get() == numbers(1, 1000));
}

TEST_CASE("Channel: room that comes with the end of a wait is used") {
  BusyClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto slow = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  std::stop_source stop;
  channel.publish(1);
  clock.instead = [&] {
    CHECK(taken(slow) == 1);
    stop.request_stop();
  };
  CHECK(channel.publish(2, Wait(forever, stop.get_token())) == 1U);
  CHECK(drained(slow) == Ints{2});
}

TEST_CASE("Channel: a subscription may come, go, and be asked while a publisher waits") {
  Scene scene;
  auto slow = scene.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  scene.channel.publish(1);
  auto published = scene.publishing(2);
  auto other = scene.channel.subscribe();
  auto blocking = scene.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  CHECK(scene.channel.info().subscriptions == 3);
  CHECK(slow.waiting() == 1);
  blocking.unsubscribe();
  CHECK(taken(slow) == 1);
  CHECK(published.get() == 2U);
  CHECK(drained(other) == Ints{2});
  CHECK(!blocking.try_receive());
}

}  // namespace channel_wait_test
