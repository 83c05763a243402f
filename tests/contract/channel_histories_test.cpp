// Many short histories of real threads on one channel: publishers, and subscriptions of every kind that come and go.
// Each is checked for what channels promise. Values stall now and then while they are moved, which stops a publisher
// between its claim and its publication and makes others pass it.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/channel.hpp>

#include "../catch.hpp"
#include "channel_history.hpp"
#include "histories.hpp"
#include "list_caller.hpp"

namespace channel_histories_test {

namespace {

using namespace brook;
using namespace brook::contract;

constexpr int publishers = 2;
constexpr int subscribers = 3;
constexpr int calls_each = 7;

using Random = std::minstd_rand;

// A channel in which much happens, and what has happened.
struct Scene {
  explicit Scene(std::uint64_t seed, Clock& clock)
      : channel({.clock = &clock, .spin = std::chrono::microseconds(0)}),
        witness(channel.subscribe()),
        early(seed % 2 == 0),
        sharing(seed % 3 == 0) {
    history.subscribed.resize(subscribers + (sharing ? 1 : 0));
    for (auto& one : made) one.reserve(calls_each + 1);
    if (!sharing) return;
    keeper.emplace(channel.subscribe({.share = "group"}));
    history.subscribed.back() = {.shares = true, .began = {0, 0}};
  }

  Channel<Stalling> channel;
  Subscription<Stalling> witness;
  std::optional<Subscription<Stalling>> keeper{};  // a share's member that stays
  const bool early;                                // all subscribe before anything is published
  const bool sharing;
  Ticks ticks{};
  std::atomic<int> publishing{publishers};
  std::atomic<int> subscribing{subscribers};
  std::vector<Published> made[publishers];
  ChannelHistory history{};

  /// What shows when all is over.
  [[nodiscard]] std::string verdict() {
    while (const auto message = witness.try_receive()) history.witness.push_back((*message)->value);
    while (keeper) {
      Receipt receipt{.when = {ticks(), 0}};
      const auto message = keeper->try_receive();
      receipt.when.to = ticks();
      if (!message) break;
      receipt.values.push_back((*message)->value);
      history.subscribed.back().receipts.push_back(receipt);
    }
    for (auto& one : made) history.published.insert(history.published.end(), one.begin(), one.end());
    return ChannelCheck(history)();
  }
};

class Publisher {
 public:
  Publisher(Scene& scene, int number, std::uint64_t seed)
      : scene_(scene), number_(number), random_(static_cast<unsigned>(seed * 31 + 7)) {}

  void run() {
    for (int call = 0; call < calls_each; ++call) {
      stall();
      note([&](Published& now) { return publish(now); });
    }
    if (scene_.publishing.fetch_sub(1) > 1) return;
    // All get this one, and know by it that no more will come.
    while (scene_.subscribing.load() > 0) std::this_thread::yield();
    note([&](Published& now) -> expected<std::size_t, Errc> {
      now.values = {last};
      return scene_.channel.publish(Stalling(last));
    });
    scene_.channel.close();
  }

  static constexpr int last = -1;

 private:
  template <class Call>
  void note(Call call) {
    Published now{.when = {scene_.ticks(), 0}};
    const auto receivers = call(now);
    now.when.to = scene_.ticks();
    if (receivers) now.receivers = *receivers;
    scene_.made[number_].push_back(std::move(now));
  }
  expected<std::size_t, Errc> publish(Published& now) {
    if (const auto dice = random_() % 6; dice < 4) {
      now.values = {value()};
      if (dice == 0) return scene_.channel.publish(Stalling(now.values[0]), std::chrono::nanoseconds(random_() % 20));
      return scene_.channel.publish(Stalling(now.values[0]));
    }
    for (auto count = 2 + random_() % 4; count > 0; --count) now.values.push_back(value());
    return scene_.channel.publish_range(now.values, forever);
  }
  int value() { return number_ * 1000 + next_++; }

  Scene& scene_;
  int number_;
  Random random_;
  int next_ = 0;
};

class Subscriber {
 public:
  Subscriber(Scene& scene, int number, std::uint64_t seed)
      : scene_(scene),
        note_(scene.history.subscribed[static_cast<std::size_t>(number)]),
        random_(static_cast<unsigned>(seed * 131 + 17)) {
    const auto dice = random_() % 8;
    note_.shares = scene_.sharing && number != 0;
    if (note_.shares) return;
    note_.called = dice >= 6;
    own_thread_ = dice == 7;
    if (dice % 6 < 2) return;
    note_.overflow = dice % 6 == 2 ? Overflow::disconnect : dice % 6 == 3 ? Overflow::block : Overflow::drop_oldest;
    note_.backlog = 1 + random_() % 4;
  }

  void subscribe() {
    note_.began.from = scene_.ticks();
    if (note_.called) {
      called_.emplace(scene_.channel.subscribe([this](const Message<Stalling>& message) { called(message); },
                                               {.backlog = note_.backlog,
                                                .overflow = note_.overflow,
                                                .thread = own_thread_ ? CallOn::own_thread : CallOn::publisher}));
    } else {
      pulled_.emplace(scene_.channel.subscribe({.backlog = note_.backlog,
                                                .overflow = note_.overflow,
                                                .share = note_.shares ? "group" : std::string_view()}));
    }
    note_.began.to = scene_.ticks();
    scene_.subscribing.fetch_sub(1);
  }

  void run() {
    if (!scene_.early) {
      for (auto rest = random_() % 8; rest > 0; --rest) stall();
      subscribe();
    }
    const bool stays = random_() % 2 == 0;
    const auto most = random_() % 12;
    if (note_.called) wait_for_calls(stays, most);
    else receive(stays, most);
    if (!stays) leave();
    note_.lost = called_ ? called_->lost() : pulled_->lost();
    note_.reason = called_ ? called_->reason() : pulled_->reason();
    if (own_thread_ && stays) called_->unsubscribe();
    ended_ = true;
  }

 private:
  void leave() {
    note_.left.from = scene_.ticks();
    if (called_) called_->unsubscribe();
    else pulled_->unsubscribe();
    note_.left.to = scene_.ticks();
    ended_ = true;
  }

  void receive(bool stays, std::uint64_t most) {
    for (std::uint64_t call = 0; stays || call < most; ++call) {
      stall();
      Receipt receipt{.when = {scene_.ticks(), 0}};
      const std::optional<Errc> failed = random_() % 4 == 0 ? receive_batch(receipt) : receive_one(receipt);
      receipt.when.to = scene_.ticks();
      receipt.over = failed == Errc::closed;
      note_.receipts.push_back(receipt);
      if (receipt.over) return;
    }
  }
  std::optional<Errc> receive_one(Receipt& receipt) {
    const auto message = pulled_->receive(wait());
    if (!message) return message.error();
    receipt.values.push_back((*message)->value);
    receipt.lost = message->lost();
    return std::nullopt;
  }
  std::optional<Errc> receive_batch(Receipt& receipt) {
    const auto messages = pulled_->receive_batch(1 + random_() % 5, wait());
    if (!messages) return messages.error();
    for (const Stalling& value : *messages) receipt.values.push_back(value.value);
    receipt.lost = messages->lost();
    return std::nullopt;
  }
  Wait wait() {
    switch (random_() % 3) {
      case 0: return {};
      case 1: return std::chrono::nanoseconds(random_() % 30);
      default: return forever;
    }
  }

  void called(const Message<Stalling>& message) {
    stall();
    if (ended_) note_.receipts.push_back({.values = {-100}});  // must not be
    note_.receipts.push_back({.when = {0, scene_.ticks()}, .values = {message->value}, .lost = message.lost()});
    calls_.fetch_add(1);
    if (message->value == Publisher::last) all_.store(true);
  }
  void wait_for_calls(bool stays, std::uint64_t most) {
    while (!all_.load() && called_->reason() != Errc::full && (stays || calls_.load() < most))
      std::this_thread::yield();
  }

  Scene& scene_;
  Subscribed& note_;
  Random random_;
  bool own_thread_ = false;
  std::optional<Subscription<Stalling>> pulled_{};
  std::optional<CallbackSubscription> called_{};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<bool> all_{false};
  std::atomic<bool> ended_{false};
};

// Plays the part of one of the threads.
void play(Scene& scene, int thread, std::uint64_t seed, std::barrier<>& together) {
  stalls.seed(static_cast<unsigned>(seed * 7919 + 1));
  if (thread < publishers) {
    Publisher publisher(scene, thread, seed);
    together.arrive_and_wait();
    return publisher.run();
  }
  Subscriber subscriber(scene, thread - publishers, seed);
  if (scene.early) subscriber.subscribe();
  together.arrive_and_wait();
  subscriber.run();
}

}  // namespace

TEST_CASE("Concurrent histories of a channel keep its promises") {
  const std::uint64_t histories = how_many_histories(4'000);
  constexpr std::uint64_t in_a_row =
      100;  // threads are made once for so many, because making them takes longer than a history
  constexpr std::uint64_t threads = publishers + subscribers;
  RestlessClock clock;
  std::string failure;
  for (std::uint64_t number = 0; number < histories && failure.empty(); number += in_a_row) {
    std::vector<std::unique_ptr<Scene>> scenes;
    for (std::uint64_t i = 0; i < in_a_row; ++i) scenes.push_back(std::make_unique<Scene>(number + i, clock));
    std::barrier together(std::ptrdiff_t{threads});
    std::vector<std::thread> running;
    for (std::uint64_t thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        for (std::uint64_t i = 0; i < in_a_row; ++i)
          play(*scenes[i], static_cast<int>(thread), (number + i) * threads + thread, together);
      });
    }
    for (auto& thread : running) thread.join();
    for (std::uint64_t i = 0; i < in_a_row && failure.empty(); ++i) {
      failure = scenes[i]->verdict();
      if (!failure.empty()) failure += " (history " + std::to_string(number + i) + ")";
    }
  }
  INFO(failure);
  CHECK(failure.empty());
}

}  // namespace channel_histories_test
