// The strong guarantee of channels: an operation that fails for want of memory has changed nothing, and works when it
// is called again; no message is lost for that, nor doubled, and nobody is left asleep.
#include <brook/channel.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "../unit/list_support.hpp"
#include "failing_new.hpp"

namespace channel_allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::FailingNew;
using brook::contract::SafeNew;
using Strings = std::vector<std::string>;

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

// A clock that takes memory for who sleeps, and carries something out in the place of the sleep; without anything to
// carry out the time goes by at once.
class BusyClock final : public Clock {
 public:
  std::function<void()> instead{};

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  void enroll(Alarm&) override { taken_ = std::make_unique<int>(0); }
  void dismiss(Alarm&) noexcept override { taken_.reset(); }
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
  std::unique_ptr<int> taken_{};
  time_point now_{1000s};
};

Strings drained(Subscription<std::string>& subscription) {
  Strings values;
  while (const auto message = subscription.try_receive()) {
    if (message->lost() > 0) values.push_back(std::to_string(message->lost()) + " lost");
    values.push_back(**message);
  }
  return values;
}

// A channel with subscriptions of every kind. `kept` is how many messages wait for those that have not received.
struct Scene {
  explicit Scene(int kept) {
    for (int i = 1; i <= kept; ++i) channel.publish(text(i));
    while (bounded.try_receive()) {}
    while (shared.try_receive()) {}
  }

  [[nodiscard]] Strings state() const {
    const ChannelInfo info = channel.info();
    Strings state{std::to_string(info.subscriptions), std::to_string(info.published), std::to_string(info.kept),
                  std::to_string(info.closed)};
    for (const auto* each : {&plain, &bounded, &blocking, &shared, &added}) {
      state.push_back(std::to_string(each->waiting()));
      state.push_back(std::to_string(each->lost()));
    }
    state.insert(state.end(), seen.begin(), seen.end());
    return state;
  }
  // What shows only by use.
  [[nodiscard]] Strings depths() {
    Strings depths = state();
    for (const bool again : {false, true}) {
      for (auto* each : {&plain, &bounded, &blocking, &shared, &added}) {
        const Strings received = drained(*each);
        depths.insert(depths.end(), received.begin(), received.end());
        depths.push_back(each->reason() ? std::string(message(*each->reason())) : "subscribed");
      }
      for (int i = 1000; i < 1020 && !again; ++i) depths.push_back(std::to_string(channel.publish(text(i))));
    }
    depths.insert(depths.end(), seen.begin(), seen.end());
    return depths;
  }

  BusyClock clock{};
  Channel<std::string> channel{{.clock = &clock, .spin = std::chrono::microseconds(0)}};
  Strings seen{};
  Subscription<std::string> plain = channel.subscribe();
  Subscription<std::string> bounded = channel.subscribe({.backlog = 5});
  Subscription<std::string> blocking = channel.subscribe({.backlog = 100, .overflow = Overflow::block});
  Subscription<std::string> shared = channel.subscribe({.share = "group"});
  Subscription<std::string> added{};
  CallbackSubscription called = channel.subscribe([this](const std::string& value) {
    const SafeNew safe;
    seen.push_back(value);
  });
  CallbackSubscription more{};
};

// Calls `operation` with the first allocation failing, then the second, until none is left to fail.
void check_every_failure(const std::function<void(Scene&)>& operation) {
  for (const int kept : {0, 3, 8, 24, 30}) {  // some of them where the next segment begins
    Scene smooth(kept);
    operation(smooth);
    const Strings expected = smooth.depths();
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(kept, n);
      Scene scene(kept);
      const Strings before = scene.state();
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

TEST_CASE("No memory: publishing") {
  const std::string value = text(99);
  const Strings many = texts(200, 240);
  check_every_failure([&](Scene& scene) { wanted(scene.channel.publish(value) == 5); });
  check_every_failure([&](Scene& scene) { wanted(scene.channel.publish(text(98), forever) == 5U); });
  check_every_failure([&](Scene& scene) { wanted(scene.channel.publish(text(98), Wait())); });
  check_every_failure([&](Scene& scene) { wanted(scene.channel.publish_range(many) == 5); });
  check_every_failure([&](Scene& scene) { wanted(scene.channel.publish_range(many, 1s)); });
}

TEST_CASE("No memory: a value that was to be moved stays") {
  Channel<std::string> channel;
  auto subscription = channel.subscribe();
  for (int i = 0; i < 100; ++i) {
    std::string value = text(i);
    for (std::uint64_t n = 1;; ++n) {
      {
        const FailingNew failing(n);
        try {
          channel.publish(std::move(value));
          break;
        } catch (const std::bad_alloc&) {}
      }
      REQUIRE(value == text(i));
    }
  }
  CHECK(drained(subscription) == texts(0, 99));
}

TEST_CASE("No memory: a publisher that waits for room") {
  check_every_failure([](Scene& scene) {
    {
      const SafeNew safe;
      while (scene.blocking.waiting() < 100) scene.channel.publish("more");
      scene.clock.instead = [&scene] { wanted(scene.blocking.try_receive()); };
    }
    try {
      wanted(scene.channel.publish(text(99), forever));
    } catch (const std::bad_alloc&) {
      const SafeNew safe;
      scene.clock.instead = nullptr;
      wanted(scene.blocking.waiting() == 100);
      wanted(scene.blocking.try_receive());
      wanted(scene.channel.publish(text(99), Wait()));
    }
  });
}

TEST_CASE("No memory: subscribing") {
  check_every_failure([](Scene& scene) { scene.added = scene.channel.subscribe(); });
  check_every_failure([](Scene& scene) { scene.added = scene.channel.subscribe({.backlog = 3}); });
  check_every_failure([](Scene& scene) { scene.added = scene.channel.subscribe({.share = "group"}); });
  check_every_failure(
      [](Scene& scene) { scene.added = scene.channel.subscribe({.share = "a group of its own, new"}); });
  check_every_failure([](Scene& scene) { scene.more = scene.channel.subscribe([](const std::string&) {}); });
}

TEST_CASE("No memory: subscribing a function with a thread of its own") {
  for (std::uint64_t n = 1;; ++n) {
    const auto kept = std::make_shared<std::atomic<int>>(0);
    Channel<int> channel;
    CallbackSubscription subscription;
    {
      const FailingNew failing(n);
      try {
        subscription = channel.subscribe([kept](int) { ++*kept; }, {.thread = CallOn::own_thread});
      } catch (const std::bad_alloc&) {}
    }
    const bool subscribed = !subscription.reason();
    CHECK(channel.subscriptions() == (subscribed ? 1 : 0));
    CHECK(channel.publish(1) == (subscribed ? 1 : 0));
    if (!subscribed) {
      CHECK(kept.use_count() == 1);
      continue;
    }
    while (*kept == 0) std::this_thread::yield();
    if (!FailingNew::happened()) break;
  }
}

TEST_CASE("No memory: a function's own thread that cannot wait looks again") {
  class PoorClock final : public SystemClock {
   public:
    void enroll(Alarm&) override {
      if (failures_.fetch_add(1) % 4 != 3) throw std::bad_alloc();
    }

   private:
    std::atomic<int> failures_{0};
  };
  PoorClock clock;
  Channel<int> channel({.clock = &clock, .spin = std::chrono::microseconds(0)});
  std::atomic<int> sum{0};
  auto subscription = channel.subscribe([&](int value) { sum += value; }, {.thread = CallOn::own_thread});
  for (int i = 1; i <= 100; ++i) {
    channel.publish(1);
    while (sum < i) std::this_thread::yield();
  }
  subscription.unsubscribe();
  CHECK(sum == 100);
  CHECK(subscription.failures() == 0);
}

TEST_CASE("No memory: receiving from one's backlog takes none, and a batch is as long as there is memory for") {
  Scene scene(30);
  for (int i = 1; i <= 20; ++i) {
    const FailingNew failing(1);
    const auto message = scene.plain.try_receive();
    const auto again = scene.blocking.receive(forever);
    const SafeNew safe;
    REQUIRE(**message == text(i));
    REQUIRE(**again == text(i));
    REQUIRE(!FailingNew::happened());
  }
  auto other = scene.channel.subscribe({.share = "another group"});
  for (auto* each : {&scene.plain, &other}) {
    while (each->try_receive()) {}
    for (int i = 1; i <= 500; ++i) {
      scene.channel.publish(text(i));
      static_cast<void>(scene.blocking.try_receive());
    }
    Strings seen;
    for (std::uint64_t n = 1; seen.size() < 500; ++n) {
      const FailingNew failing(n % 4);
      const auto batch = each->receive_batch(no_limit, forever);
      const SafeNew safe;
      REQUIRE(!batch->empty());
      seen.insert(seen.end(), batch->begin(), batch->end());
    }
    CHECK(seen == texts(1, 500));
  }
}

TEST_CASE("No memory: waiting for a message") {
  for (const bool shares : {false, true}) {
    for (const bool batch : {false, true}) {
      check_every_failure([&](Scene& scene) {
        auto& subscription = shares ? scene.shared : scene.bounded;
        scene.clock.instead = [&] { wanted(scene.channel.publish(text(77)) == 5); };
        if (batch) wanted(*subscription.receive_batch(3, forever)->begin() == text(77));
        else wanted(**subscription.receive(forever) == text(77));
      });
      check_every_failure([&](Scene& scene) {
        auto& subscription = shares ? scene.shared : scene.bounded;
        if (batch) wanted(subscription.receive_batch(3, 1s)->empty());
        else wanted(subscription.receive(1s).error() == Errc::timed_out);
      });
    }
  }
}

TEST_CASE("No memory: ending") {
  check_every_failure([](Scene& scene) { scene.channel.close(); });
  check_every_failure([](Scene& scene) { scene.plain.unsubscribe(); });
  check_every_failure([](Scene& scene) { scene.shared.unsubscribe(); });
  check_every_failure([](Scene& scene) { scene.blocking = {}; });
  check_every_failure([](Scene& scene) { scene.called.unsubscribe(); });
  check_every_failure([](Scene& scene) { scene.called = {}; });
}

TEST_CASE("No memory: a function that was subscribed goes when it cannot be taken off the list") {
  const auto kept = std::make_shared<int>(0);
  for (std::uint64_t n = 1;; ++n) {
    int calls = 0;
    {
      Channel<int> channel;
      CallbackSubscription subscription = channel.subscribe([&calls, kept](int) { ++calls; });
      auto other = channel.subscribe([kept](int) {});
      channel.publish(1);
      {
        const FailingNew failing(n);
        subscription = CallbackSubscription();
      }
      channel.publish(2);
      CHECK(channel.subscriptions() == 1);
    }
    CHECK(calls == 1);
    CHECK(kept.use_count() == 1);
    if (!FailingNew::happened()) break;
  }
}

TEST_CASE("No memory: what a function lacks is its own affair") {
  Channel<std::string> channel;
  auto greedy =
      channel.subscribe([](const std::string& value) { static_cast<void>(std::make_unique<std::string>(value)); });
  auto subscription = channel.subscribe();
  channel.publish(text(1));
  std::string value = text(2);
  {
    const FailingNew failing(1);
    CHECK(channel.publish(std::move(value)) == 2);
  }
  CHECK(FailingNew::happened());
  CHECK(greedy.failures() == 1);
  CHECK(drained(subscription) == texts(1, 2));
}

TEST_CASE("No memory: making a channel") {
  for (std::uint64_t n = 1;; ++n) {
    std::optional<Channel<std::string>> channel;
    {
      const FailingNew failing(n);
      try {
        channel.emplace();
      } catch (const std::bad_alloc&) { continue; }
    }
    auto subscription = channel->subscribe();
    channel->publish("works");
    CHECK(drained(subscription) == Strings{"works"});
    if (!FailingNew::happened()) break;
  }
}

}  // namespace channel_allocation_test
