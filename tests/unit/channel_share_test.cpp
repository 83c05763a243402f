// channel_share_test.cpp — subscriptions that share: each message goes to one of them.
#include <brook/channel.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "channel_support.hpp"

namespace channel_share_test {

namespace {

using namespace brook;
using namespace brook::test;

using Received = std::future<expected<int, Errc>>;

expected<int, Errc> value_of(const expected<Message<int>, Errc>& message) {
  return message ? expected<int, Errc>(**message) : unexpected(message.error());
}

// Members of one group whose blocked calls sleep on a clock that the test moves.
struct Scene {
  WatchedClock clock{};
  Channel<int> channel{{.clock = &clock, .spin = 0us}};
  Subscription<int> a = channel.subscribe({.share = "group"});
  Subscription<int> b = channel.subscribe({.share = "group"});
  Subscription<int> c = channel.subscribe({.share = "group"});
  std::size_t waiting = 0;

  template <class Call>
  auto blocked(Call call) {
    auto future = on_a_thread(std::move(call));
    clock.wait_for_sleepers(++waiting);
    return future;
  }
  Received receiving(Subscription<int>& subscription, Wait wait = forever) {
    return blocked([&subscription, wait] { return value_of(subscription.receive(wait)); });
  }
};

// A clock on which who sleeps is slow to get up: until it is told to let them.
class SlowClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1; }
  [[nodiscard]] time_point now() const noexcept override { return time_point(1000s); }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    if (!slow_) return alarm.awake.wait(held);
    held.unlock();
    ++asleep_;
    slow_.wait(true);
    held.lock();
  }
  void wait_for_sleepers(int count) const {
    while (asleep_ != count) std::this_thread::yield();
  }
  void let_go() {
    slow_ = false;
    slow_.notify_all();
  }

 private:
  std::atomic<bool> slow_{true};
  std::atomic<int> asleep_{0};
};

}  // namespace

TEST_CASE("Share: each message goes to one") {
  Channel<int> channel;
  auto a = channel.subscribe({.share = "group"});
  auto b = channel.subscribe({.share = "group"});
  auto other = channel.subscribe({.share = "other group"});
  auto alone = channel.subscribe();
  CHECK(channel.subscriptions() == 3);
  CHECK(channel.publish(1) == 3);
  CHECK(channel.publish_range(numbers(2, 10)) == 3);
  CHECK(a.waiting() == 10);
  CHECK(b.waiting() == 10);
  CHECK(taken(a) == 1);
  CHECK(taken(b) == 2);
  CHECK(taken(b) == 3);
  CHECK(values_of(*a.receive_batch(4)) == numbers(4, 7));
  CHECK(drained(b) == numbers(8, 10));
  CHECK(!a.try_receive());
  CHECK(drained(other) == numbers(1, 10));
  CHECK(drained(alone) == numbers(1, 10));
}

TEST_CASE("Share: who has waited longest gets the next") {
  Scene scene;
  std::vector<Received> received;
  received.push_back(scene.receiving(scene.b));
  received.push_back(scene.receiving(scene.a));
  received.push_back(scene.receiving(scene.b));
  received.push_back(scene.receiving(scene.c));
  SECTION("one by one") { publish(scene.channel, 1, 4); }
  SECTION("at once") { scene.channel.publish_range(numbers(1, 4)); }
  for (int i = 1; i <= 4; ++i) CHECK(received[static_cast<std::size_t>(i - 1)].get() == i);
  CHECK(!scene.a.try_receive());
}

TEST_CASE("Share: one message wakes one") {
  Scene scene;
  auto first = scene.receiving(scene.a);
  auto second = scene.receiving(scene.b);
  scene.channel.publish(1);
  CHECK(first.get() == 1);
  scene.clock.wait_for_sleepers(1);
  scene.channel.publish(2);
  CHECK(second.get() == 2);
}

TEST_CASE("Share: batches in turn") {
  Scene scene;
  auto first = scene.blocked([&] { return values_of(*scene.a.receive_batch(3)); });
  auto second = scene.blocked([&] { return values_of(*scene.b.receive_batch(2)); });
  auto third = scene.receiving(scene.c);
  scene.channel.publish_range(numbers(1, 10));
  CHECK(first.get() == numbers(1, 3));
  CHECK(second.get() == numbers(4, 5));
  CHECK(third.get() == 6);
  CHECK(drained(scene.c) == numbers(7, 10));
}

TEST_CASE("Share: who gives up lets those behind it go on") {
  Scene scene;
  std::stop_source stop;
  SECTION("when its time is up") {
    auto first = scene.receiving(scene.a, 1s);
    auto second = scene.receiving(scene.b);
    auto third = scene.receiving(scene.c, 1s);
    auto fourth = scene.receiving(scene.a);
    scene.clock.advance(1s);
    CHECK(error_of(first.get()) == Errc::timed_out);
    CHECK(error_of(third.get()) == Errc::timed_out);
    publish(scene.channel, 1, 2);
    CHECK(second.get() == 1);
    CHECK(fourth.get() == 2);
  }
  SECTION("when it is told to stop") {
    auto first = scene.receiving(scene.a, Wait(forever, stop.get_token()));
    auto second = scene.receiving(scene.b);
    stop.request_stop();
    CHECK(error_of(first.get()) == Errc::cancelled);
    scene.channel.publish(1);
    CHECK(second.get() == 1);
  }
  SECTION("when it unsubscribes") {
    auto first = scene.receiving(scene.a);
    auto second = scene.receiving(scene.b);
    auto third = scene.receiving(scene.a);
    scene.a.unsubscribe();
    CHECK(error_of(first.get()) == Errc::closed);
    CHECK(error_of(third.get()) == Errc::closed);
    CHECK(scene.a.reason() == Errc::cancelled);
    CHECK(scene.channel.publish(1) == 1);
    CHECK(second.get() == 1);
  }
  CHECK(!scene.c.try_receive());
  scene.channel.publish(9);
  CHECK(taken(scene.c) == 9);
}

TEST_CASE("Share: a batch that waits in vain is empty") {
  Scene scene;
  auto received = scene.blocked([&] { return scene.a.receive_batch(7, 1s).value().size(); });
  scene.clock.advance(1s);
  CHECK(received.get() == 0);
  CHECK(scene.a.receive_batch(7, Wait())->empty());
}

TEST_CASE("Share: who does not wait gets what those who wait leave over") {
  SlowClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto a = channel.subscribe({.share = "group"});
  auto b = channel.subscribe({.share = "group"});
  auto received = on_a_thread([&] { return value_of(a.receive()); });
  clock.wait_for_sleepers(1);
  channel.publish_range(numbers(1, 5));
  CHECK(taken(b) == 2);
  CHECK(values_of(*b.receive_batch(2, 1s)) == numbers(3, 4));
  clock.let_go();
  CHECK(received.get() == 1);
  CHECK(drained(a) == numbers(5, 5));
}

TEST_CASE("Share: who has unsubscribed gets nothing, also when it has not woken up yet") {
  SlowClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto a = channel.subscribe({.share = "group"});
  auto b = channel.subscribe({.share = "group"});
  auto first = on_a_thread([&] { return value_of(a.receive()); });
  clock.wait_for_sleepers(1);
  std::optional<Received> second;
  SECTION("published after that") {
    a.unsubscribe();
    channel.publish(1);
    CHECK(taken(b) == 1);
  }
  SECTION("with another one that waits") {
    second = on_a_thread([&] { return value_of(b.receive()); });
    clock.wait_for_sleepers(2);
    a.unsubscribe();
    channel.publish(1);
  }
  SECTION("also when it was woken by a message") {
    channel.publish(1);
    a.unsubscribe();
    CHECK(taken(b) == 1);
  }
  clock.let_go();
  CHECK(error_of(first.get()) == Errc::closed);
  if (second) CHECK(second->get() == 1);
}

TEST_CASE("Share: what the first of them says counts") {
  Channel<int> channel;
  auto a = channel.subscribe({.backlog = 3, .share = "group"});
  auto b = channel.subscribe({.backlog = 100, .overflow = Overflow::block, .share = "group"});
  for (int i = 1; i <= 10; ++i) CHECK(channel.publish(i, Wait()) == 1U);
  CHECK(b.waiting() == 3);
  const auto first = b.try_receive();
  CHECK(**first == 8);
  CHECK(first->lost() == 7);
  CHECK(a.lost() == 7);
  CHECK(a.try_receive()->lost() == 0);
}

TEST_CASE("Share: one that makes publishers wait") {
  WatchedClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto a = channel.subscribe({.backlog = 1, .overflow = Overflow::block, .share = "group"});
  auto b = channel.subscribe({.share = "group"});
  channel.publish(1);
  auto published = on_a_thread([&] { return channel.publish(2); });
  clock.wait_for_sleepers(1);
  SECTION("until one receives") {
    CHECK(taken(b) == 1);
    CHECK(published.get() == 1);
    CHECK(taken(a) == 2);
  }
  SECTION("until the last leaves") {
    a.unsubscribe();
    CHECK(clock.asleep() == 1);
    b.unsubscribe();
    CHECK(published.get() == 0);
  }
}

TEST_CASE("Share: one that is too slow ends for all, and begins anew") {
  Channel<int> channel;
  auto a = channel.subscribe({.backlog = 2, .overflow = Overflow::disconnect, .share = "group"});
  auto b = channel.subscribe({.share = "group"});
  publish(channel, 1, 3);
  CHECK(!b.try_receive());
  CHECK(a.reason() == Errc::full);
  CHECK(b.reason() == Errc::full);
  CHECK(error_of(a.receive(forever)) == Errc::closed);
  CHECK(channel.subscriptions() == 0);
  auto c = channel.subscribe({.share = "group"});
  auto d = channel.subscribe({.share = "group"});
  CHECK(channel.subscriptions() == 1);
  publish(channel, 4, 6);
  CHECK(taken(c) == 4);
  a.unsubscribe();
  b.unsubscribe();
  CHECK(taken(d) == 5);
  auto e = channel.subscribe({.share = "group"});
  CHECK(taken(e) == 6);
}

TEST_CASE("Share: what waits stays when one leaves, and goes with the last") {
  Channel<int> channel;
  auto a = channel.subscribe({.share = "group"});
  auto b = channel.subscribe({.share = "group"});
  publish(channel, 1, 3);
  CHECK(taken(a) == 1);
  a = {};
  CHECK(channel.subscriptions() == 1);
  auto c = channel.subscribe({.share = "group"});
  CHECK(taken(c) == 2);
  b.unsubscribe();
  CHECK(!b.try_receive());
  c.unsubscribe();
  CHECK(channel.subscriptions() == 0);
  CHECK(channel.publish(4) == 0);
  auto d = channel.subscribe({.share = "group"});
  CHECK(!d.try_receive());
  channel.publish(5);
  CHECK(drained(d) == Ints{5});
}

TEST_CASE("Share: close is for all, and what is there is drained") {
  Scene scene;
  auto first = scene.receiving(scene.a);
  auto second = scene.receiving(scene.b);
  scene.channel.publish(1);
  scene.channel.close();
  CHECK(first.get() == 1);
  CHECK(error_of(second.get()) == Errc::closed);
  CHECK(error_of(scene.c.receive()) == Errc::closed);
  CHECK(scene.c.reason() == Errc::closed);
}

TEST_CASE("Share: outlives its channel, and keeps no memory") {
  Census census;
  {
    std::optional<Subscription<Big>> a;
    std::optional<Subscription<Big>> b;
    {
      Channel<Big> channel;
      a.emplace(channel.subscribe({.share = "group"}));
      b.emplace(channel.subscribe({.share = "group"}));
      for (int i = 1; i <= 100; ++i) channel.publish(Big(census, i));
    }
    for (int i = 1; i <= 100; ++i) REQUIRE(taken(i % 2 == 0 ? *a : *b) == i);
    CHECK(error_of(a->receive()) == Errc::closed);
    CHECK(census.alive() <= 2 * Big::in_a_segment);
  }
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("Share: no message is lost or doubled when waits end by a stop, by time, or by unsubscribing") {
  WatchedClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  auto keeper = channel.subscribe({.share = "group"});
  constexpr int rounds = 400;
  Ints seen;
  int last = 0;
  for (int round = 0; round < rounds; ++round) {
    auto a = channel.subscribe({.share = "group"});
    auto b = channel.subscribe({.share = "group"});
    std::stop_source stop;
    const Wait wait = Wait(1s, stop.get_token());
    auto first = on_a_thread([&] { return value_of(a.receive(wait)); });
    auto second = on_a_thread([&] { return value_of(b.receive(wait)); });
    clock.wait_for_sleepers(2);
    auto ended = on_a_thread([&, round] {
      if (round % 3 == 0) clock.advance(1s);
      else if (round % 3 == 1) stop.request_stop();
      else a.unsubscribe(), b.unsubscribe();
    });
    publish(channel, last + 1, last + 3);
    last += 3;
    ended.get();
    for (auto* one : {&first, &second}) {
      if (const auto value = one->get()) seen.push_back(*value);
    }
    for (const int value : drained(keeper)) seen.push_back(value);
  }
  std::sort(seen.begin(), seen.end());
  CHECK(seen == numbers(1, last));
}

}  // namespace channel_share_test
