// A PubSub under real threads: subscriptions and functions that come, change and go, of every policy, while others publish
// and it is closed. Who is subscribed to a name all the time gets all of it once, in each publisher's order.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <brook/pubsub.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using Random = std::minstd_rand;
using std::chrono::microseconds;

const std::vector<std::string> names{"a", "b", "c", "ab", "ca", "x"};
const std::vector<std::string> patterns{"*", "a*", "?", "[ab]", "x"};

std::size_t below(Random& random, std::size_t n) { return random() % n; }
const std::string& some(const std::vector<std::string>& texts, Random& random) {
  return texts[below(random, texts.size())];
}

/// What one subscription gets in one way keeps each publisher's order; with `complete` nothing is missing.
template <class T>
class Way {
 public:
  explicit Way(std::size_t publishers) : next_(publishers, 0) {}

  void see(const T& value, bool complete) {
    expect(Made<T>::intact(value), "a value is whole");
    const std::size_t publisher = Made<T>::producer(value);
    if (publisher >= next_.size()) return expect(false, "a value is one that was published");
    const std::uint64_t sequence = Made<T>::sequence(value);
    expect(sequence >= next_[publisher], "a publisher's messages come once, in its order");
    if (complete) expect(sequence == next_[publisher], "nothing is missing for who is there all the time");
    next_[publisher] = sequence + 1;
  }
  [[nodiscard]] bool saw_all(std::uint64_t each) const {
    return std::ranges::all_of(next_, [&](std::uint64_t next) { return next == each; });
  }

 private:
  std::vector<std::uint64_t> next_;
};

/// Of all ways.
template <class T>
class Ways {
 public:
  explicit Ways(std::size_t publishers) : publishers_(publishers) {}
  void see(const Message<T>& message) {
    if (message.channel() == "called") return;  // by functions, in any order
    const auto key = std::pair(std::string(message.channel()), std::string(message.pattern()));
    expect(key.second.empty() || pubsub::matches(key.second, key.first), "a pattern matches");
    ways_.try_emplace(key, publishers_).first->second.see(*message, false);
  }
  void forget() { ways_.clear(); }

 private:
  std::size_t publishers_;
  std::map<std::pair<std::string, std::string>, Way<T>> ways_{};
};

/// Publishes each of its values until there is room everywhere, to a name or two.
template <class T>
void publish_all(PubSub<T>& hub, std::size_t me, std::uint64_t count) {
  Random random(static_cast<unsigned>(me) + 1);
  for (std::uint64_t i = 0; i < count; ++i) {
    T value = Made<T>::make(me, i);
    const bool two = below(random, 4) == 0;
    for (;;) {
      const Wait wait = below(random, 2) == 0 ? Wait() : Wait(microseconds(below(random, 100)));
      const auto done =
          two ? hub.publish({"all", some(names, random)}, T(value), wait) : hub.publish("all", T(value), wait);
      if (done) break;
      if (done.error() == Errc::closed) return;
      expect(done.error() == Errc::full || done.error() == Errc::timed_out, "a publish fails for want of room");
      std::this_thread::yield();
    }
    if (!two) static_cast<void>(hub.publish(some(names, random), value, Wait()));
  }
}

TopicOptions some_options(Random& random) {
  TopicOptions options;
  while (below(random, 3) == 0) options.patterns.push_back(some(patterns, random));
  if (below(random, 2) == 0) options.backlog = 1 + below(random, 20);
  options.overflow = static_cast<Overflow>(below(random, 4));
  if (below(random, 6) == 0) options.share = "team";
  return options;
}

template <class T>
void change(TopicSubscription<T>& sub, Random& random) {
  expected<void, Errc> done;
  switch (below(random, 5)) {
    case 0: done = sub.subscribe({some(names, random), some(names, random)}); break;
    case 1: done = sub.unsubscribe(some(names, random)); break;
    case 2: done = sub.psubscribe(some(patterns, random)); break;
    case 3: done = sub.punsubscribe(some(patterns, random)); break;
    default: done = sub.subscribe(some(names, random));
  }
  if (!done)
    expect(done.error() == Errc::closed || done.error() == Errc::invalid_argument, "a change fails when it is over");
}

/// A subscription after the other, which changes, receives and goes.
template <class T>
void come_and_go(PubSub<T>& hub, unsigned me, std::size_t publishers, const std::atomic<bool>& done) {
  Random random(me + 100);
  Ways<T> ways(publishers);
  while (!done.load()) {
    ways.forget();
    auto sub = hub.subscribe({some(names, random), some(names, random)}, some_options(random));
    for (auto steps = below(random, 60); steps > 0 && !done.load(); --steps) {
      switch (below(random, 8)) {
        case 0: change(sub, random); break;
        case 1:
          if (const auto message = sub.receive(microseconds(below(random, 50)))) ways.see(*message);
          break;
        case 2:
          if (const auto batch = sub.receive_batch(1 + below(random, 9), Wait()))
            for (const auto& message : *batch) ways.see(message);
          break;
        case 3: static_cast<void>(sub.waiting() + sub.lost()); break;
        case 4: static_cast<void>(sub.reason()); break;
        case 5: static_cast<void>(hub.channels(some(patterns, random)).size() + hub.num_pat()); break;
        case 6: static_cast<void>(hub.num_sub(some(names, random))); break;
        default:
          while (const auto message = sub.try_receive()) ways.see(*message);
      }
    }
    if (below(random, 3) == 0) sub.unsubscribe();
  }
}

/// Two subscriptions: one thread receives, another changes them, and ends them.
template <class T>
void changed_by_another(PubSub<T>& hub, unsigned me, std::size_t publishers, const std::atomic<bool>& done) {
  Random random(me + 200);
  while (!done.load()) {
    TopicOptions options = some_options(random);
    options.share = {};
    auto sub = hub.subscribe(some(names, random), options);
    Threads receiver;
    receiver.start([&] {
      Ways<T> ways(publishers);
      while (const auto message = sub.receive()) ways.see(*message);
    });
    for (auto steps = below(random, 100); steps > 0 && !done.load(); --steps) change(sub, random);
    sub.unsubscribe();
  }
}

/// Functions that come and go, publish, and end themselves.
template <class T>
void call(PubSub<T>& hub, unsigned me, std::size_t publishers, const std::atomic<bool>& done) {
  Random random(me + 300);
  while (!done.load()) {
    Ways<T> ways(publishers);
    std::atomic<int> running{0};
    std::atomic<std::uint64_t> calls{0};
    CallbackSubscription self;
    std::atomic<bool> has_self{false};
    const std::uint64_t last = below(random, 2) == 0 ? below(random, 30) : ~std::uint64_t{0};
    const auto function = [&](const Message<T>& message) {
      expect(running.fetch_add(1) == 0, "one call at a time");
      ways.see(message);
      const auto call = calls.fetch_add(1);
      if (call % 16 == 5) static_cast<void>(hub.publish("called", *message, Wait()));
      if (call >= last && has_self.load()) self.unsubscribe();
      running.fetch_sub(1);
    };
    const CallbackOptions options{.backlog = below(random, 2) == 0 ? 1 + below(random, 9) : unlimited,
                                  .overflow = static_cast<Overflow>(below(random, 4)),
                                  .thread = below(random, 2) == 0 ? CallOn::publisher : CallOn::own_thread};
    self = hub.subscribe({some(names, random), some(names, random)}, function, {some(patterns, random)}, options);
    has_self = true;
    for (auto rest = below(random, 300); rest > 0 && !done.load(); --rest) std::this_thread::yield();
    self.unsubscribe();
    const auto after = calls.load();
    std::this_thread::yield();
    expect(running.load() == 0 && calls.load() == after, "once it is over it is not called");
  }
}

/// Everything at once, around two who are there all the time; with `early` it is closed meanwhile.
template <class T>
void rain(std::size_t shards, std::uint64_t each, bool early) {
  constexpr std::size_t publishers = 2;
  PubSub<T> hub({.shards = shards, .spin = early ? microseconds(0) : default_spin});
  std::atomic<bool> done{false};
  auto steady = hub.subscribe({"all", "never"});
  Threads others;
  for (unsigned i = 0; i < 2; ++i) {
    others.start([&, i] { come_and_go(hub, i, publishers, done); });
    others.start([&, i] { call(hub, i, publishers, done); });
  }
  others.start([&] { changed_by_another(hub, 0, publishers, done); });
  Threads receiver;
  receiver.start([&] {
    Way<T> way(publishers);
    while (const auto message = steady.receive()) way.see(**message, true);
    if (!early) expect(way.saw_all(each), "all comes to who is there all the time");
  });
  Threads publishing;
  publishing.start(publishers, [&](std::size_t i) { publish_all(hub, i, each); });
  for (std::uint64_t rest = 0; early && rest < each % 97; ++rest) std::this_thread::yield();
  if (early) hub.close();
  publishing.join();
  done = true;
  others.join();
  expect(hub.num_sub("all") == 1 && hub.channels().size() == 2 && hub.num_pat() == 0,
         "nothing is left of who has gone");
  hub.close();
  receiver.join();
}

/// One that is subscribed to a name all the time while all else of it changes, among others like it.
template <class T>
void always(std::size_t shards, std::uint64_t each, std::uint64_t backlog) {
  constexpr std::size_t publishers = 2;
  PubSub<T> hub({.shards = shards, .spin = microseconds(0)});
  std::vector<TopicSubscription<T>> subs;
  for (int i = 0; i < 3; ++i) subs.push_back(hub.subscribe("all", {.backlog = backlog, .overflow = Overflow::block}));
  std::atomic<bool> done{false};
  Threads receivers;
  Threads changers;
  for (auto& sub : subs) {
    receivers.start([&] {
      Way<T> way(publishers);
      const auto see = [&](const Message<T>& message) {
        if (message.channel() == "all") way.see(*message, true);
      };
      Random random(static_cast<unsigned>(&sub - subs.data()) + 17);
      for (;;) {
        const auto one =
            below(random, 2) == 0 ? sub.receive() : expected<Message<T>, Errc>(unexpected(Errc::timed_out));
        if (one) see(*one);
        const auto some = sub.receive_batch(1 + below(random, 9));
        if (!some) break;
        for (const auto& message : *some) see(message);
      }
      expect(way.saw_all(each), "all comes though other names change");
    });
  }
  changers.start(2, [&](std::size_t i) {
    Random random(static_cast<unsigned>(i) + 7);
    while (!done.load()) {
      auto& sub = subs[below(random, subs.size())];
      const std::string& name = names[below(random, 2)];
      expect((below(random, 2) == 0 ? sub.subscribe(name) : sub.unsubscribe(name)).has_value(), "a change succeeds");
    }
  });
  Threads publishing;
  publishing.start(publishers, [&](std::size_t me) {
    for (std::uint64_t i = 0; i < each; ++i) {
      expect(hub.publish("all", Made<T>::make(me, i)) == subs.size(), "a publish goes to all who are there");
      if (i % 8 == me) hub.publish(names[me], Made<T>::make(me, i));
    }
  });
  publishing.join();
  done = true;
  changers.join();
  hub.close();
  receivers.join();
}

/// A backlog that makes publishers wait is never longer than it may be, from wherever they publish.
template <class T>
void bounded(std::size_t shards, std::uint64_t each, std::uint64_t backlog) {
  constexpr std::size_t publishers = 3;
  PubSub<T> hub({.shards = shards});
  auto sub = hub.subscribe(names, {.backlog = backlog, .overflow = Overflow::block});
  Threads publishing;
  publishing.start(publishers, [&](std::size_t me) {
    for (std::uint64_t i = 0; i < each; ++i) hub.publish(names[me], Made<T>::make(me, i));
  });
  std::vector<Way<T>> ways(publishers, Way<T>(publishers));
  for (std::uint64_t i = 0; i < each * publishers; ++i) {
    expect(sub.waiting() <= backlog, "a backlog is no longer than it may be");
    const auto message = sub.receive();
    if (!message) return expect(false, "a message comes");
    ways[Made<T>::producer(**message)].see(**message, true);
  }
  publishing.join();
  expect(sub.waiting() == 0 && sub.lost() == 0, "all has come");
}

template <class T>
void all(std::uint64_t work) {
  for (const std::size_t shards : {1U, 4U}) {
    rain<T>(shards, 1500 * work, false);
    for (std::uint64_t i = 0; i < 30 * work; ++i) rain<T>(shards, 60 + i * 7, true);
    for (const std::uint64_t backlog : {std::uint64_t{2}, unlimited}) always<T>(shards, 3000 * work, backlog);
    for (const std::uint64_t backlog : {1U, 3U}) bounded<T>(shards, 3000 * work, backlog);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  all<std::uint64_t>(work);
  all<std::string>(work);
  return verdict("pubsub_stress");
}
