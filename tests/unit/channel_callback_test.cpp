// channel_callback_test.cpp — subscriptions that call a function: on the publisher's thread, or on their own.
#include <brook/channel.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "channel_support.hpp"

namespace channel_callback_test {

namespace {

using namespace brook;
using namespace brook::test;

// What functions were called with, by whichever thread.
class Log {
 public:
  void note(int value) {
    const std::unique_lock held(mutex_);
    values_.push_back(value);
    noted_.notify_all();
  }
  /// The values, once there are so many.
  Ints get(std::size_t count) {
    std::unique_lock held(mutex_);
    noted_.wait(held, [&] { return values_.size() >= count; });
    return values_;
  }
  [[nodiscard]] Ints now() { return get(0); }

 private:
  std::mutex mutex_;
  std::condition_variable noted_;
  Ints values_;
};

// A function that stays where it is until it is let go.
class Blocked {
 public:
  void stay() {
    in_.count_down();
    go_.wait();
    has_left_ = true;
  }
  void wait_until_in() { in_.wait(); }
  void let_go() { go_.count_down(); }
  [[nodiscard]] bool has_left() const { return has_left_; }

 private:
  std::latch in_{1};
  std::latch go_{1};
  std::atomic<bool> has_left_{false};
};

void wait_until_ended(const CallbackSubscription& subscription) {
  while (!subscription.reason()) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
}

// One that a function can end.
using Handle = std::optional<CallbackSubscription>;

}  // namespace

TEST_CASE("Callback: is called with each message, in order") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Log values;
  Log messages;
  publish(channel, -5, -1);
  const auto first = channel.subscribe([&](int value) { values.note(value); }, {.thread = thread});
  const auto second = channel.subscribe([&](const Message<int>& message) { messages.note(*message); },  //
                                        {.thread = thread});
  CHECK(channel.subscriptions() == 2);
  for (int i = 1; i <= 500; ++i) REQUIRE(channel.publish(i) == 2);
  CHECK(channel.publish_range(numbers(501, 1000)) == 2);
  if (thread == CallOn::publisher) CHECK(values.now().size() == 1000);
  CHECK(values.get(1000) == numbers(1, 1000));
  CHECK(messages.get(1000) == numbers(1, 1000));
  CHECK(first.reason() == std::nullopt);
  CHECK(first.failures() == 0);
  CHECK(first.lost() == 0);
}

TEST_CASE("Callback: runs on the thread that was asked for") {
  Channel<int> channel;
  std::vector<std::thread::id> by_publisher;
  std::mutex mutex;
  std::vector<std::thread::id> by_itself;
  Log log;
  const auto a = channel.subscribe([&](int) { by_publisher.push_back(std::this_thread::get_id()); });
  const auto b = channel.subscribe(
      [&](int value) {
        const std::unique_lock held(mutex);
        by_itself.push_back(std::this_thread::get_id());
        log.note(value);
      },
      {.thread = CallOn::own_thread});
  publish(channel, 1, 3);
  log.get(3);
  const std::unique_lock held(mutex);
  CHECK(by_publisher == std::vector<std::thread::id>(3, std::this_thread::get_id()));
  CHECK(by_itself == std::vector<std::thread::id>(3, by_itself.front()));
  CHECK(by_itself.front() != std::this_thread::get_id());
}

TEST_CASE("Callback: functions and values that can only be moved") {
  Channel<MoveOnly> channel;
  Log log;
  const auto subscription = channel.subscribe([&log, one = std::make_unique<int>(1)](const MoveOnly& value) mutable {
    log.note(value.value() + (*one)++);
    return 17;
  });
  publish(channel, 1, 3);
  CHECK(log.now() == Ints{2, 4, 6});
}

TEST_CASE("Callback: what it throws is reported and harms nobody else") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Log before;
  Log thrown;
  Log after;
  const auto a = channel.subscribe([&](int value) { before.note(value); });
  const auto told = [&](std::exception_ptr exception) {
    try {
      std::rethrow_exception(std::move(exception));
    } catch (const std::runtime_error& error) { thrown.note(std::stoi(error.what())); }
  };
  auto b = channel.subscribe(
      [](int value) {
        if (value % 2 == 0) throw std::runtime_error(std::to_string(value));
      },
      {.thread = thread, .on_error = told});
  auto silent = channel.subscribe([](int) { throw 1; }, {.thread = thread});
  const auto c = channel.subscribe([&](int value) { after.note(value); });
  auto pulled = channel.subscribe();
  for (int i = 1; i <= 6; ++i) CHECK(channel.publish(i) == 5);
  CHECK(thrown.get(3) == Ints{2, 4, 6});
  b.unsubscribe();
  CHECK(b.failures() == 3);
  while (silent.failures() < 6) std::this_thread::yield();
  CHECK(before.now() == numbers(1, 6));
  CHECK(after.now() == numbers(1, 6));
  CHECK(drained(pulled) == numbers(1, 6));
}

TEST_CASE("Callback: may publish, and is not called within its call") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Log log;
  std::atomic<int> depth{0};
  std::atomic<bool> nested{false};
  auto pulled = channel.subscribe();
  const auto subscription = channel.subscribe(
      [&](int value) {
        if (++depth > 1) nested = true;
        log.note(value);
        if (value < 1000) {
          channel.publish(value * 10);
          channel.publish_range(Ints{value * 10 + 1, value * 10 + 2});
        }
        --depth;
      },
      {.thread = thread});
  channel.publish(1);
  const Ints seen = log.get(3 + 1 + 9 + 27);
  CHECK(seen.size() == 40);
  CHECK(!nested);
  CHECK(drained(pulled) == seen);
  CHECK(Ints(seen.begin(), seen.begin() + 4) == Ints{1, 10, 11, 12});
}

TEST_CASE("Callback: channels that publish to each other") {
  Channel<int> ping;
  Channel<int> pong;
  Log log;
  const auto a = ping.subscribe([&](int value) { pong.publish(value + 1); });
  const auto b = pong.subscribe([&](int value) {
    log.note(value);
    if (value < 20) ping.publish(value + 1);
  });
  ping.publish(1);
  CHECK(log.now() == Ints{2, 4, 6, 8, 10, 12, 14, 16, 18, 20});
}

TEST_CASE("Callback: may end its subscription") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  const bool destroy = GENERATE(false, true);
  Channel<int> channel;
  Log log;
  Log other;
  Handle handle;
  auto alive = std::make_shared<int>(0);
  std::latch assigned(1);
  const auto call = [&, alive](int value) {
    assigned.wait();
    if (value == 3) {
      if (destroy) handle.reset();
      else handle->unsubscribe();
    }
    log.note(value + *alive);
  };
  handle.emplace(channel.subscribe(call, {.thread = thread}));
  assigned.count_down();
  const auto second = channel.subscribe([&](int value) { other.note(value); });
  channel.publish_range(numbers(1, 5));
  CHECK(log.get(3) == numbers(1, 3));
  publish(channel, 6, 7);
  if (!destroy) {
    CHECK(handle->reason() == Errc::cancelled);
    handle->unsubscribe();
    handle.reset();
  }
  CHECK(log.now() == numbers(1, 3));
  CHECK(other.now() == numbers(1, 7));
  CHECK(channel.subscriptions() == 1);
  while (alive.use_count() > 2) std::this_thread::yield();  // this one, and `call`
}

TEST_CASE("Callback: may subscribe") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Log log;
  std::vector<CallbackSubscription> more;
  std::vector<Subscription<int>> pulled;
  auto first = channel.subscribe(
      [&](int value) {
        if (value <= 3) {
          more.push_back(channel.subscribe([&log](int seen) { log.note(seen); }, {.thread = thread}));
          pulled.push_back(channel.subscribe());
        }
        log.note(-value);
      },
      {.thread = thread});
  for (int i = 1; i <= 3; ++i) {
    channel.publish(i);
    while (channel.subscriptions() < static_cast<std::size_t>(1 + 2 * i)) std::this_thread::yield();
    log.get(static_cast<std::size_t>(i * (i + 1) / 2));
  }
  channel.publish(4);
  log.get(1 + 2 + 3 + 4);
  first.unsubscribe();
  REQUIRE(pulled.size() == 3);
  CHECK(drained(pulled[0]) == Ints{2, 3, 4});
  CHECK(drained(pulled[1]) == Ints{3, 4});
  CHECK(drained(pulled[2]) == Ints{4});
  CHECK(log.now().size() == 10);
}

TEST_CASE("Callback: may close the channel") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Log log;
  auto subscription = channel.subscribe(
      [&](int value) {
        channel.close();
        log.note(value);
      },
      {.thread = thread});
  CHECK(channel.publish_range(numbers(1, 3)) == 1);
  CHECK(log.get(3) == numbers(1, 3));
  CHECK(channel.publish(4) == 0);
  CHECK(subscription.reason() == Errc::closed);
}

TEST_CASE("Callback: who ends the subscription waits until the function has returned") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  const bool destroy = GENERATE(false, true);
  Channel<int> channel;
  Blocked blocked;
  std::atomic<int> calls{0};
  auto subscription = channel.subscribe([&](int) { ++calls, blocked.stay(); }, {.thread = thread});
  auto published = on_a_thread([&] { return channel.publish_range(numbers(1, 3)); });
  blocked.wait_until_in();
  std::atomic<bool> returned{false};
  auto second = channel.subscribe([&](int) {});
  auto had_left = on_a_thread([&] {
    if (destroy) subscription = {};
    else subscription.unsubscribe();
    returned = true;
    return blocked.has_left();
  });
  while (channel.subscriptions() > 1) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  CHECK(!returned);
  CHECK(channel.publish(4) == 1);
  blocked.let_go();
  CHECK(had_left.get());
  CHECK(published.get() >= 1);
  channel.publish(5);
  CHECK(calls == 1);
}

TEST_CASE("Callback: may be ended by several threads, and by itself, at once") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Handle handle;
  Blocked blocked;
  handle.emplace(channel.subscribe(
      [&](int) {
        blocked.stay();
        handle->unsubscribe();
      },
      {.thread = thread}));
  auto published = on_a_thread([&] { return channel.publish(1); });
  blocked.wait_until_in();
  auto first = on_a_thread([&] { handle->unsubscribe(); });
  auto second = on_a_thread([&] { handle->unsubscribe(); });
  wait_until_ended(*handle);
  blocked.let_go();
  first.get();
  second.get();
  handle->unsubscribe();
  handle.reset();
  published.get();
  CHECK(channel.subscriptions() == 0);
}

TEST_CASE("Callback: one that another has ended can be ended again") {
  Channel<int> channel;
  Handle other;
  Log log;
  const auto first = channel.subscribe([&](int) {
    if (other) other->unsubscribe();
  });
  other.emplace(channel.subscribe([&](int value) { log.note(value); }));
  channel.publish(1);
  channel.publish(2);
  CHECK(log.now().empty());
  other->unsubscribe();
  other.reset();
}

TEST_CASE("Callback: two that end each other one after the other") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Handle a;
  Handle b;
  std::latch ready(1);
  std::atomic<int> calls{0};
  a.emplace(channel.subscribe([&](int) { ready.wait(), ++calls; }, {.thread = thread}));
  b.emplace(channel.subscribe([&](int) { ready.wait(), a->unsubscribe(), b->unsubscribe(), ++calls; },  //
                              {.thread = thread}));
  ready.count_down();
  channel.publish_range(numbers(1, 3));
  while (channel.subscriptions() > 0) std::this_thread::yield();
  a.reset();
  b.reset();
  CHECK(calls >= 1);
  CHECK(calls <= 4);
}

TEST_CASE("Callback: a publisher that finds another one calling leaves its message to that one") {
  Channel<int> channel;
  Blocked blocked;
  std::vector<std::thread::id> callers;
  Log log;
  const auto subscription = channel.subscribe([&](int value) {
    callers.push_back(std::this_thread::get_id());
    log.note(value);
    if (value == 1) blocked.stay();
  });
  std::thread::id first_id;
  auto first = on_a_thread([&] { first_id = std::this_thread::get_id(), channel.publish(1); });
  blocked.wait_until_in();
  CHECK(channel.publish(2) == 1);
  auto third = on_a_thread([&] { channel.publish(3); });
  third.get();
  CHECK(log.now() == Ints{1});
  blocked.let_go();
  first.get();
  CHECK(log.now() == numbers(1, 3));
  CHECK(callers == std::vector<std::thread::id>(3, first_id));
}

TEST_CASE("Callback: on a thread of its own, one that is slow delays no publisher") {
  Channel<int> channel;
  Blocked blocked;
  Log lost;
  Log log;
  auto subscription = channel.subscribe(
      [&](const Message<int>& message) {
        if (*message == 1) blocked.stay();
        lost.note(static_cast<int>(message.lost()));
        log.note(*message);
      },
      {.backlog = 3, .thread = CallOn::own_thread});
  channel.publish(1);
  blocked.wait_until_in();
  auto pulled = channel.subscribe();
  for (int i = 2; i <= 10; ++i) CHECK(channel.publish(i) == 2);
  CHECK(drained(pulled) == numbers(2, 10));
  blocked.let_go();
  CHECK(log.get(4) == Ints{1, 8, 9, 10});
  CHECK(lost.now() == Ints{0, 6, 0, 0});
  CHECK(subscription.lost() == 6);
}

TEST_CASE("Callback: on a thread of its own, one that is too slow ends") {
  Channel<int> channel;
  Blocked blocked;
  Log log;
  auto subscription = channel.subscribe(
      [&](int value) {
        if (value == 1) blocked.stay();
        log.note(value);
      },
      {.backlog = 3, .overflow = Overflow::disconnect, .thread = CallOn::own_thread});
  channel.publish(1);
  blocked.wait_until_in();
  publish(channel, 2, 10);
  blocked.let_go();
  wait_until_ended(subscription);
  CHECK(subscription.reason() == Errc::full);
  while (channel.subscriptions() > 0) std::this_thread::yield();
  subscription.unsubscribe();
  CHECK(subscription.reason() == Errc::full);
  CHECK(log.now() == Ints{1});
}

TEST_CASE("Callback: on a thread of its own, one may make publishers wait") {
  WatchedClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  Blocked blocked;
  Log log;
  auto subscription = channel.subscribe(
      [&](int value) {
        if (value == 1) blocked.stay();
        log.note(value);
      },
      {.backlog = 2, .overflow = Overflow::block, .thread = CallOn::own_thread});
  channel.publish(1);
  blocked.wait_until_in();
  publish(channel, 2, 3);
  CHECK(error_of(channel.publish(4, Wait())) == Errc::full);
  auto published = on_a_thread([&] { return channel.publish(4); });
  clock.wait_for_sleepers(1);
  SECTION("until it has room") {
    blocked.let_go();
    CHECK(published.get() == 1);
    CHECK(log.get(4) == numbers(1, 4));
  }
  SECTION("until it ends") {
    auto ended = on_a_thread([&] { subscription.unsubscribe(); });
    CHECK(published.get() == 0);
    blocked.let_go();
    ended.get();
    CHECK(log.now() == Ints{1});
  }
}

TEST_CASE("Callback: on the publisher's thread, each backlog has room before the next message") {
  const Overflow overflow = GENERATE(Overflow::block, Overflow::disconnect, Overflow::drop_oldest);
  Channel<int> channel;
  Log log;
  auto subscription = channel.subscribe([&](int value) { log.note(value); }, {.backlog = 1, .overflow = overflow});
  for (int i = 1; i <= 100; ++i) REQUIRE(channel.publish(i, Wait()) == 1U);
  CHECK(log.now() == numbers(1, 100));
  CHECK(subscription.lost() == 0);
}

TEST_CASE("Callback: outlives its channel") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Log log;
  Handle handle;
  {
    Channel<int> channel;
    handle.emplace(channel.subscribe([&](int value) { log.note(value); }, {.thread = thread}));
    publish(channel, 1, 3);
  }
  CHECK(log.get(3) == numbers(1, 3));
  CHECK(handle->reason() == Errc::closed);
  SECTION("and is ended") {
    handle->unsubscribe();
    CHECK(handle->reason() == Errc::cancelled);
  }
  SECTION("and dies") {}
}

TEST_CASE("Callback: on a thread of its own, gets what was published before the channel died") {
  Log log;
  Blocked blocked;
  Handle handle;
  {
    Channel<int> channel;
    handle.emplace(channel.subscribe(
        [&](int value) {
          if (value == 1) blocked.stay();
          log.note(value);
        },
        {.thread = CallOn::own_thread}));
    publish(channel, 1, 100);
    blocked.wait_until_in();
  }
  blocked.let_go();
  CHECK(log.get(100) == numbers(1, 100));
}

TEST_CASE("Callback: a handle ends what it had when it is assigned to") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  Channel<int> channel;
  Log first;
  Log second;
  auto handle = channel.subscribe([&](int value) { first.note(value); }, {.thread = thread});
  channel.publish(1);
  first.get(1);
  handle = channel.subscribe([&](int value) { second.note(value); }, {.thread = thread});
  CHECK(channel.subscriptions() == 1);
  channel.publish(2);
  CHECK(second.get(1) == Ints{2});
  CHECK(first.now() == Ints{1});
  auto moved = std::move(handle);
  channel.publish(3);
  CHECK(second.get(2) == Ints{2, 3});
  CHECK(moved.reason() == std::nullopt);
  auto& same = moved;
  moved = std::move(same);
  CHECK(moved.reason() == std::nullopt);
}

TEST_CASE("Callback: nothing of it stays when all has gone") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  const bool channel_first = GENERATE(false, true);
  Census census;
  auto held = std::make_shared<int>(0);
  std::optional<Channel<Counted<>>> channel(std::in_place);
  {
    auto subscription = channel->subscribe([held](const Counted<>&) {}, {.thread = thread});
    for (int i = 0; i < 100; ++i) channel->publish(Counted<>(census, i));
    if (channel_first) channel.reset();
  }
  CHECK(held.use_count() == 1);
  channel.reset();
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("Callback: the end of a message may publish, and end the subscription") {
  struct Ending {
    explicit Ending(std::function<void()> at_end) : end(std::move(at_end)) {}
    Ending(Ending&& other) noexcept : end(std::exchange(other.end, nullptr)) {}
    Ending& operator=(Ending&&) = delete;
    ~Ending() {
      if (end) end();
    }
    std::function<void()> end;
  };
  Channel<Ending> channel;
  int calls = 0;
  std::optional<CallbackSubscription> subscription;
  subscription.emplace(channel.subscribe([&](const Ending&) { ++calls; }));
  int more = 0;
  for (int i = 0; i < 100; ++i) {
    channel.publish(Ending([&] {
      if (++more == 3) subscription->unsubscribe();
      else if (more < 3) channel.publish(Ending({}));
    }));
  }
  CHECK(more >= 3);
  CHECK(calls >= 8);
  CHECK(calls <= 100);
  CHECK(channel.subscriptions() == 0);
}

TEST_CASE("Callback: one that publishes does not wait for room in one that this thread is to call after it") {
  Channel<int> channel;
  Ints seen;
  const auto first = channel.subscribe([&](const int& value) {
    if (value == 1) channel.publish(2);
  });
  const auto second =
      channel.subscribe([&](const int& value) { seen.push_back(value); }, {.backlog = 1, .overflow = Overflow::block});
  channel.publish(1);
  CHECK(seen == Ints{1, 2});
}

}  // namespace channel_callback_test
