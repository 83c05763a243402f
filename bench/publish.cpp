// publish.cpp — publishing to subscribers that are awake: what it costs the publisher, however many there are; what
// they receive in all, on threads of their own; functions that are called; and a subscriber that sleeps.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <brook/channel.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "idling.hpp"
#include "payload.hpp"
#include "ping_pong.hpp"
#include "topics.hpp"

namespace bench {
namespace {

/// Nanoseconds for a publish, and for each message that a subscriber receives, on one thread: it publishes 128
/// messages, then all subscribers receive what has come, in batches, outside of the time of publishing.
template <class T, class Topic>
Sample publish_in_turns(std::size_t subscribers, std::size_t count) {
  constexpr std::size_t turn = 128;
  Seats seats(subscribers);
  Topic topic(seats);
  pin(0);
  std::int64_t publishing = 0;
  std::int64_t receiving = 0;
  for (std::size_t done = 0; done < count; done += turn) {
    const std::int64_t started = now_ns();
    for (std::size_t i = done; i < done + turn; ++i) topic.publish(make<T>(i));
    const std::int64_t published = now_ns();
    for (std::size_t n = 0; n < subscribers; ++n) topic.receive_all(n);
    publishing += published - started;
    receiving += now_ns() - published;
  }
  const std::size_t published = (count + turn - 1) / turn * turn;
  for (const Seat& seat : seats) seat.expect_all(published);
  const auto messages = static_cast<double>(published);
  return {static_cast<double>(publishing) / messages,
          static_cast<double>(receiving) / messages / static_cast<double>(std::max<std::size_t>(subscribers, 1))};
}

enum class Taking { one_by_one, batches };

/// Nanoseconds for each message that some subscriber receives, all at once: one publisher, and subscribers that are
/// spread over so many threads.
template <class T, class Topic>
double deliver_to_all(std::size_t subscribers, std::size_t threads, std::size_t count, Taking how) {
  Seats seats(subscribers);
  Topic topic(seats);
  const double ns = together(threads + 1, [&](std::size_t thread) {
    if (thread == threads) {
      for (std::size_t i = 0; i < count; ++i) topic.publish(make<T>(i));
      return;
    }
    Idling idling;
    for (bool all = false; !all && failures() == 0;) {
      bool some = false;
      all = true;
      for (std::size_t n = thread; n < subscribers; n += threads) {
        const std::size_t before = seats[n].seen();
        if (how == Taking::batches) topic.receive_all(n);
        else static_cast<void>(topic.receive_one(n));
        some |= seats[n].seen() != before;
        all &= seats[n].seen() >= count;
      }
      if (some) idling.found();
      else idling.missed();
    }
  });
  for (const Seat& seat : seats) seat.expect_all(count);
  return ns / static_cast<double>(count * subscribers);
}

// — functions that are called by who publishes —

template <class T>
class ChannelCalls {
 public:
  static constexpr const char* name = "brook";

  explicit ChannelCalls(Seats& seats) {
    for (Seat& seat : seats)
      subscriptions_.push_back(channel_.subscribe([&seat](const T& value) { seat.see(number_of(value)); }));
  }
  void publish(T&& value) { static_cast<void>(channel_.publish(std::move(value))); }

 private:
  brook::Channel<T> channel_;
  std::vector<brook::CallbackSubscription> subscriptions_;
};

template <class T>
class LockedCalls {
 public:
  static constexpr const char* name = "mutex + std::function";

  explicit LockedCalls(Seats& seats) {
    for (Seat& seat : seats) functions_.emplace_back([&seat](const T& value) { seat.see(number_of(value)); });
  }
  void publish(T&& value) {
    const std::lock_guard held(mutex_);
    for (const auto& function : functions_) function(value);
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void(const T&)>> functions_;
};

/// Nanoseconds for a publish with all its calls.
template <class T, class Calls>
double call_all(std::size_t subscribers, std::size_t count) {
  Seats seats(subscribers);
  Calls calls(seats);
  const double ns = alone([&] {
    for (std::size_t i = 0; i < count; ++i) calls.publish(make<T>(i));
  });
  for (const Seat& seat : seats) seat.expect_all(count);
  return ns / static_cast<double>(count);
}

// — a subscriber that waits —

class ChannelBox {
 public:
  explicit ChannelBox(std::chrono::microseconds spin) : channel_({.spin = spin}) {}
  void send(std::uint64_t number) { static_cast<void>(channel_.publish(number)); }
  [[nodiscard]] std::uint64_t receive() {
    const auto message = subscription_.receive(std::chrono::seconds(10));
    expect(message.has_value(), "a subscriber was not woken for 10 s");
    return message ? **message : 0;
  }

 private:
  brook::Channel<std::uint64_t> channel_;
  brook::Subscription<std::uint64_t> subscription_ = channel_.subscribe();
};

// — the cases —

/// How many messages to publish when each costs so many deliveries.
std::size_t messages_for(std::size_t deliveries, std::size_t subscribers) {
  return std::max<std::size_t>(deliveries / (subscribers + 8), 512);
}

template <class T>
void add_awake(Suite& suite, const std::string& payload, std::size_t deliveries) {
  for (const std::size_t subscribers : {0U, 1U, 4U, 16U, 64U, 1024U}) {
    std::vector<std::string> metrics = {"ns a publish"};
    if (subscribers > 0) metrics.emplace_back("ns a receipt");
    auto& added = suite.add("publish/" + payload + "/awake/" + std::to_string(subscribers), metrics);
    const std::size_t count = messages_for(deliveries, subscribers);
    each_topic<T>([&]<class Topic>(std::type_identity<Topic>) {
      added.peer(Topic::name, [=] { return publish_in_turns<T, Topic>(subscribers, count); });
    });
  }
}

/// The same for brook alone, in one case: whether it stays flat.
void add_flatness(Suite& suite, std::size_t count) {
  auto& added = suite.add("publish/u64/awake/flat", {"ns a publish", "ns a receipt"});
  for (const std::size_t subscribers : {64U, 1U, 4U, 16U, 1024U}) {
    added.peer("brook, " + std::to_string(subscribers), [=] {
      return publish_in_turns<std::uint64_t, ChannelTopic<std::uint64_t>>(subscribers,
                                                                          messages_for(count, subscribers));
    });
  }
}

template <class T>
void add_deliveries(Suite& suite, const std::string& payload, std::size_t count) {
  for (const Taking how : {Taking::one_by_one, Taking::batches}) {
    auto& added =
        suite.add("publish/" + payload + "/deliver/16on4/" + (how == Taking::batches ? "batches" : "one_by_one"),
                  {"ns a delivery"});
    each_topic<T>([&]<class Topic>(std::type_identity<Topic>) {
      if constexpr (requires(Topic & topic) { topic.receive_one(0); })
        added.peer(Topic::name, [=] { return deliver_to_all<T, Topic>(16, 4, count, how); });
    });
  }
}

void add_calls(Suite& suite, std::size_t calls) {
  using T = std::uint64_t;
  for (const std::size_t subscribers : {1U, 16U, 64U}) {
    const std::size_t count = calls / subscribers;
    auto& added = suite.add("publish/u64/calls/" + std::to_string(subscribers), {"ns a publish"});
    added.peer(ChannelCalls<T>::name, [=] { return call_all<T, ChannelCalls<T>>(subscribers, count); });
    added.peer(LockedCalls<T>::name, [=] { return call_all<T, LockedCalls<T>>(subscribers, count); });
#ifdef BROOK_BENCH_BOOST
    added.peer("Boost.Signals2", [=] { return call_all<T, SignalTopic<T>>(subscribers, count); });
#endif
  }
}

}  // namespace

void add_publish(Suite& suite) {
  const std::size_t count = suite.work(2'000'000);
  add_awake<std::uint64_t>(suite, "u64", count);
  add_flatness(suite, 2 * count);
  add_awake<Block64>(suite, "block64", count / 4);
  add_awake<std::string>(suite, "string100", count / 4);
  add_calls(suite, count);
  add_deliveries<std::uint64_t>(suite, "u64", count / 20);
  add_deliveries<std::string>(suite, "string100", count / 40);
  add_hand_off<ChannelBox>(suite, "publish/u64/", suite.work(20'000));
}

}  // namespace bench
