// Channels under real threads: all policies side by side; subscriptions that come and go, of every kind, while it rains
// messages; shares; functions that publish, subscribe and end each other; closes. Nobody misses anything unless told.
#include <algorithm>
#include <array>
#include <atomic>
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

#include "list_stress.hpp"
#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using std::chrono::microseconds;

// Checks what one subscription gets: each producer's messages in their order, and without gaps unless some were lost.
template <class T>
class Flow {
 public:
  explicit Flow(std::size_t producers, bool from_the_start = false)
      : next_(producers, 0), known_(producers, from_the_start) {}

  void see(const T& value, std::uint64_t lost = 0) {
    expect(Made<T>::intact(value), "a message is whole");
    const std::size_t producer = Made<T>::producer(value);
    if (producer >= next_.size()) return expect(false, "a message is one that was published");
    const std::uint64_t sequence = Made<T>::sequence(value);
    lost_ += lost;
    ++seen_;
    if (lost > 0) gap_ = true;
    if (known_[producer]) expect(sequence >= next_[producer], "a producer's messages stay in its order");
    if (known_[producer] && !gap_) expect(sequence == next_[producer], "no message is missing");
    known_[producer] = true;
    next_[producer] = sequence + 1;
    order_ = order_ * 1'000'003 + producer * 8191 + sequence;
  }

  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  /// Equal for those who saw the same messages in the same order.
  [[nodiscard]] std::uint64_t order() const { return order_; }

 private:
  std::vector<std::uint64_t> next_;
  std::vector<bool> known_;
  bool gap_ = false;  // once some were lost, nobody knows whose
  std::uint64_t seen_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t order_ = 0;
};

// Publishes `count` messages, one by one or several at once, until the channel is closed; how many it was.
template <class T>
std::uint64_t produce(Channel<T>& channel, std::size_t me, std::uint64_t count) {
  std::minstd_rand random(static_cast<unsigned>(me) + 1);
  std::uint64_t next = 0;
  while (next < count) {
    const std::uint64_t several = std::min(count - next, random() % 8 == 0 ? 2 + random() % 40 : 1);
    std::vector<T> values;
    for (std::uint64_t i = 0; i < several; ++i) values.push_back(Made<T>::make(me, next + i));
    const auto published =
        several == 1 ? channel.publish(std::move(values[0]), forever) : channel.publish_range(values, forever);
    if (!published) {
      expect(published.error() == Errc::closed, "publishing fails only when the channel is closed");
      return next;
    }
    next += several;
  }
  return next;
}

// One call of one kind or another; false when it is over.
template <class T, class See>
[[nodiscard]] bool receive(Subscription<T>& from, std::minstd_rand& random, const Wait& wait, See&& see) {
  std::optional<Errc> failed;
  if (random() % 4 == 0) {
    const auto batch = from.receive_batch(1 + random() % 100, wait);
    if (batch) {
      std::uint64_t lost = batch->lost();
      for (const T& value : *batch) see(value, std::exchange(lost, 0));
    } else {
      failed = batch.error();
    }
  } else {
    const auto message = from.receive(random() % 4 == 0 ? Wait() : wait);
    if (message) see(**message, message->lost());
    else failed = message.error();
  }
  if (failed) expect(may_end(*failed), "a call that waits ends in one of three ways");
  return failed != Errc::closed;
}

// Every policy side by side; with `early` the channel is closed while they publish.
template <class T>
void policies(std::size_t producers, std::uint64_t each, bool early) {
  Channel<T> channel({.spin = early ? microseconds(0) : default_spin});
  std::vector<Subscription<T>> subscriptions;
  subscriptions.push_back(channel.subscribe());
  subscriptions.push_back(channel.subscribe());
  subscriptions.push_back(channel.subscribe({.backlog = 64}));
  subscriptions.push_back(channel.subscribe({.backlog = 10'000}));
  subscriptions.push_back(channel.subscribe({.backlog = 100, .overflow = Overflow::block}));
  subscriptions.push_back(channel.subscribe({.backlog = 50'000, .overflow = Overflow::disconnect}));
  const std::size_t readers = subscriptions.size();
  std::vector<Flow<T>> flows(readers, Flow<T>(producers, true));
  std::atomic<std::uint64_t> published{0};
  Stops stops(readers);
  {
    const Rain rain(stops);
    Threads receivers;
    receivers.start(readers, [&](std::size_t i) {
      std::minstd_rand random(static_cast<unsigned>(i) + 77);
      while (receive(subscriptions[i], random, stops.wait(i, some_wait(random)),
                     [&](const T& value, std::uint64_t lost) { flows[i].see(value, lost); })) {}
    });
    Threads publishers;
    publishers.start(producers, [&](std::size_t i) { published += produce(channel, i, each); });
    for (std::uint64_t rest = 0; early && rest < 2 + each % 97; ++rest) std::this_thread::yield();
    if (early) channel.close();
    publishers.join();
    channel.close();
    receivers.join();
  }
  for (std::size_t i = 0; i < readers; ++i) {
    if (subscriptions[i].reason() == Errc::full) continue;
    expect(flows[i].seen() + flows[i].lost() == published, "what is not received is told to be lost");
    expect(flows[i].lost() == subscriptions[i].lost(), "each loss is told once");
    if (i != 2 && i != 3) expect(flows[i].lost() == 0, "nobody loses messages who must not");
  }
  expect(flows[0].order() == flows[1].order(), "all get the messages in one order");
  expect(flows[0].order() == flows[4].order(), "all get the messages in one order");
}

// A function's account; it must not be called once the subscription has ended.
template <class T>
struct Called {
  Flow<T> flow;
  std::atomic<bool> ended{false};
  std::atomic<int> inside{0};

  explicit Called(std::size_t producers) : flow(producers) {}
  void operator()(const Message<T>& message) {
    expect(inside.fetch_add(1) == 0, "one call at a time");
    expect(!ended, "no call after the end");
    flow.see(*message, message.lost());
    inside.fetch_sub(1);
  }
};

// Subscribes, receives for a while, and goes.
template <class T>
void visit(Channel<T>& channel, std::size_t producers, std::minstd_rand& random) {
  constexpr std::array policies{Overflow::drop_oldest, Overflow::disconnect, Overflow::block};
  const std::uint64_t backlog = random() % 2 == 0 ? unlimited : 1 + random() % 200;
  const Overflow overflow = policies[random() % 3];
  if (random() % 2 == 0) {
    Called<T> called(producers);
    auto subscription = channel.subscribe([&](const Message<T>& message) { called(message); },
                                          {.backlog = backlog,
                                           .overflow = overflow,
                                           .thread = random() % 4 == 0 ? CallOn::own_thread : CallOn::publisher});
    for (auto rest = random() % 20; rest > 0; --rest) std::this_thread::yield();
    subscription.unsubscribe();
    called.ended = true;
    expect(called.inside == 0, "no call is running after the end");
    return;
  }
  Flow<T> flow(producers);
  auto subscription = channel.subscribe({.backlog = backlog, .overflow = overflow});
  Threads ender;
  const auto most = random() % 50;
  if (random() % 2 == 0) {
    ender.start([&, rest = random() % 10] {
      for (auto left = rest; left > 0; --left) std::this_thread::yield();
      subscription.unsubscribe();
    });
  }
  for (std::uint64_t calls = 0; calls < most; ++calls) {
    if (!receive(subscription, random, some_wait(random),
                 [&](const T& value, std::uint64_t lost) { flow.see(value, lost); }))
      break;
  }
  expect(subscription.reason() == Errc::full || flow.lost() == subscription.lost(), "each loss is told once");
}

template <class T>
void coming_and_going(std::size_t producers, std::size_t visitors, std::uint64_t each) {
  Channel<T> channel;
  auto stays = channel.subscribe({.backlog = 1000});
  Flow<T> flow(producers, true);
  std::atomic<bool> done{false};
  Threads guests;
  guests.start(visitors, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 11);
    while (!done) visit(channel, producers, random);
  });
  Threads reader;
  reader.start([&] {
    for (const auto& message : stays) flow.see(*message, message.lost());
  });
  Threads publishers;
  publishers.start(producers, [&](std::size_t i) { produce(channel, i, each); });
  publishers.join();
  done = true;
  channel.close();
  guests.join();
  reader.join();
  expect(flow.seen() + flow.lost() == producers * each, "what is not received is told to be lost");
  expect(channel.subscriptions() == 1, "who went is gone");
  expect(channel.info().kept == 0, "what was received is not kept");
}

// Members of a share come and go; what they get is, together, what one would.
template <class T>
void sharing(std::size_t producers, std::size_t members, std::uint64_t each) {
  Channel<T> channel({.spin = microseconds(0)});
  std::vector<Seen<T>> out(members + 1, Seen<T>(producers));
  std::vector<Seen<T>> in(producers, Seen<T>(producers));
  auto stays = channel.subscribe({.share = "group"});
  Stops stops(members);
  {
    const Rain rain(stops);
    Threads receivers;
    receivers.start(members, [&](std::size_t i) {
      std::minstd_rand random(static_cast<unsigned>(i) + 5);
      for (bool open = true; open;) {
        auto member = channel.subscribe({.share = "group"});
        const auto most = 1 + random() % 100;
        for (std::uint64_t calls = 0; open && calls < most; ++calls)
          open = receive(member, random, stops.wait(i, some_wait(random)),
                         [&](const T& value, std::uint64_t) { out[i].see(value); });
      }
    });
    Threads publishers;
    publishers.start(producers, [&](std::size_t i) {
      const std::uint64_t count = produce(channel, i, each);
      for (std::uint64_t sequence = 0; sequence < count; ++sequence) in[i].note(i, sequence);
    });
    publishers.join();
    channel.close();
    receivers.join();
  }
  for (const auto& message : stays) out[members].see(*message);
  account(in, out);
}

// Functions that publish, subscribe, and end themselves and each other's subscriptions.
template <class T>
void functions(std::size_t producers, std::uint64_t each, CallOn thread) {
  Channel<T> channel;
  Channel<T> echo;
  std::atomic<std::uint64_t> echoes{0};
  Flow<T> echoed(producers, true);
  auto heard = echo.subscribe([&](const T& value) {
    echoed.see(value);
    ++echoes;
  });
  auto repeats = channel.subscribe([&](const T& value) { echo.publish(value); }, {.thread = thread});
  struct Guest {
    std::atomic<int> left{0};
    std::atomic<bool> ready{false};
    std::optional<CallbackSubscription> handle{};
  };
  const auto guest = [&](int calls) {
    auto made = std::make_shared<Guest>();
    made->left = calls;
    made->handle.emplace(channel.subscribe(
        [weak = std::weak_ptr<Guest>(made)](const T&) {
          const auto self = weak.lock();
          if (!self || !self->ready || --self->left > 0) return;
          self->handle->unsubscribe();
          expect(self->left <= 0, "no call after the end");
        },
        {.thread = thread}));
    made->ready = true;
    return made;
  };
  std::atomic<bool> done{false};
  Threads others;
  others.start(2, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 3);
    while (!done) {
      const auto one = guest(1 + static_cast<int>(random() % 5));
      for (auto rest = random() % 20; rest > 0; --rest) std::this_thread::yield();
      one->handle->unsubscribe();
    }
  });
  Threads publishers;
  publishers.start(producers, [&](std::size_t i) { produce(channel, i, each); });
  publishers.join();
  done = true;
  others.join();
  while (echoes < producers * each) std::this_thread::yield();
  repeats.unsubscribe();
  heard.unsubscribe();
  expect(echoed.seen() == producers * each, "each message is repeated once");
  expect(channel.subscriptions() == 0, "all are gone");
}

// What ends at once: the receiver, its subscription, the channel.
template <class T>
void endings(std::uint64_t rounds) {
  for (std::uint64_t round = 0; round < rounds; ++round) {
    auto channel = std::make_unique<Channel<T>>(ChannelOptions{.spin = microseconds(0)});
    std::minstd_rand random(static_cast<unsigned>(round) + 1);
    auto subscription =
        channel->subscribe({.backlog = 1 + random() % 3000, .share = random() % 3 == 0 ? "group" : std::string_view()});
    std::vector<T> values;
    for (std::uint64_t i = 0; i < random() % 5000; ++i) values.push_back(Made<T>::make(1, i));
    channel->publish_range(values);
    Called<T> called(2);
    auto function = channel->subscribe([&](const Message<T>& message) { called(message); },
                                       {.thread = random() % 2 == 0 ? CallOn::own_thread : CallOn::publisher});
    Threads all;
    all.start([&, seed = random()] {
      std::minstd_rand own(static_cast<unsigned>(seed));
      Flow<T> flow(2);
      while (receive(subscription, own, forever, [&](const T& value, std::uint64_t lost) { flow.see(value, lost); })) {}
    });
    all.start([&] { static_cast<void>(produce(*channel, 0, 100)); });
    all.start([&, rest = random() % 8] {
      for (auto left = rest; left > 0; --left) std::this_thread::yield();
      subscription.unsubscribe();
    });
    all.start([&] { function.unsubscribe(), called.ended = true; });
    if (random() % 2 == 0) channel->close();
    all.join();
    channel.reset();
    expect(!subscription.try_receive(), "what has ended gives nothing");
  }
}

template <class T>
void all(std::uint64_t unit) {
  for (const std::size_t producers : {1U, 3U}) {
    policies<T>(producers, unit / producers, false);
    for (std::uint64_t i = 0; i < 10; ++i) policies<T>(producers, unit / 16 + i * 7, true);
    coming_and_going<T>(producers, 3, unit / 2 / producers);
    sharing<T>(producers, 3, unit / 2 / producers);
    functions<T>(producers, unit / 4 / producers, CallOn::publisher);
    functions<T>(producers, unit / 4 / producers, CallOn::own_thread);
  }
  endings<T>(unit / 100);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  all<std::uint64_t>(work * 200'000);
  all<std::string>(work * 60'000);
  return verdict("channel_stress");
}
