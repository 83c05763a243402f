// feeds.hpp — what carries messages from producers to readers: brook's stream, hand-written logs, queues of others.
//
// A feed has add(T&&), and take(reader, see), which shows a reader its next messages: with Wakefulness::polling perhaps
// none, with Wakefulness::blocking at least one. In a log each reader sees every message; a queue has one reader.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef BROOK_BENCH_CONCURRENTQUEUE
#include <blockingconcurrentqueue.h>
#include <concurrentqueue.h>
#endif
#ifdef BROOK_BENCH_TBB
#include <tbb/concurrent_queue.h>
#endif
#ifdef BROOK_BENCH_BOOST
#include <boost/lockfree/queue.hpp>
#endif

#include <brook/stream.hpp>

#include "harness.hpp"
#include "idling.hpp"
#include "logs.hpp"
#include "payload.hpp"

namespace bench {

enum class Wakefulness { polling, blocking };

template <class T>
class BrookFeed {
 public:
  BrookFeed(std::size_t, std::size_t readers, Wakefulness how) : how_(how), after_(readers) {}

  void add(std::size_t, T&& value) { expect(stream_.add(std::move(value)).has_value(), "an add failed"); }

  template <class See>
  void take(std::size_t reader, See see) {
    brook::Id& after = after_[reader].id;
    brook::ReadOptions options;
    if (how_ == Wakefulness::blocking) options.block = std::chrono::seconds(10);
    const auto entries = stream_.read(after, options);
    if (!entries) return expect(false, "a read failed");
    if (entries->empty()) return expect(how_ == Wakefulness::polling, "a blocked reader was not woken for 10 s");
    for (const auto& [id, value] : *entries) see(value);
    after = entries->back().id;
  }

 private:
  struct alignas(64) After {
    brook::Id id{};
  };

  const Wakefulness how_;
  FixedClock clock_;
  brook::Stream<T> stream_{{.clock = &clock_}};
  std::vector<After> after_;
};

template <class T>
class LockedFeed {
 public:
  LockedFeed(std::size_t, std::size_t readers, Wakefulness how) : how_(how), readers_(readers) {}

  void add(std::size_t, T&& value) { log_.add(std::move(value)); }

  template <class See>
  void take(std::size_t reader, See see) {
    Reader& mine = readers_[reader];
    log_.read(mine.cursor, mine.batch, 1024, how_ == Wakefulness::blocking);
    for (const auto& entry : mine.batch) see(entry.value);
  }

 private:
  struct alignas(64) Reader {
    std::size_t cursor = 0;
    std::vector<Stored<T>> batch{};
  };

  const Wakefulness how_;
  FixedClock clock_;
  LockedStream<T> log_{&clock_};
  std::vector<Reader> readers_;
};

#ifdef BROOK_BENCH_CONCURRENTQUEUE
/// moodycamel::ConcurrentQueue with a token for each thread; it does not block.
template <class T>
class MoodycamelFeed {
 public:
  MoodycamelFeed(std::size_t producers, std::size_t, Wakefulness) {
    for (std::size_t i = 0; i < producers; ++i) tokens_.emplace_back(queue_);
  }
  void add(std::size_t producer, T&& value) { queue_.enqueue(tokens_[producer], std::move(value)); }
  template <class See>
  void take(std::size_t, See see) {
    T value{};
    if (queue_.try_dequeue(reader_, value)) see(value);
  }

 private:
  moodycamel::ConcurrentQueue<T> queue_;
  std::vector<moodycamel::ProducerToken> tokens_;
  moodycamel::ConsumerToken reader_{queue_};
};

template <class T>
class MoodycamelBlockingFeed {
 public:
  MoodycamelBlockingFeed(std::size_t producers, std::size_t, Wakefulness) {
    for (std::size_t i = 0; i < producers; ++i) tokens_.emplace_back(queue_);
  }
  void add(std::size_t producer, T&& value) { queue_.enqueue(tokens_[producer], std::move(value)); }
  template <class See>
  void take(std::size_t, See see) {
    T value{};
    queue_.wait_dequeue(reader_, value);
    see(value);
  }

 private:
  moodycamel::BlockingConcurrentQueue<T> queue_;
  std::vector<moodycamel::ProducerToken> tokens_;
  moodycamel::ConsumerToken reader_{queue_};
};
#endif

#ifdef BROOK_BENCH_TBB
template <class T>
class TbbFeed {
 public:
  TbbFeed(std::size_t, std::size_t, Wakefulness how) : how_(how) {}
  void add(std::size_t, T&& value) { queue_.push(std::move(value)); }
  template <class See>
  void take(std::size_t, See see) {
    T value{};
    if (how_ == Wakefulness::blocking) queue_.pop(value);
    else if (!queue_.try_pop(value)) return;
    see(value);
  }

 private:
  const Wakefulness how_;
  tbb::concurrent_bounded_queue<T> queue_;
};
#endif

#ifdef BROOK_BENCH_BOOST
/// boost::lockfree::queue, for trivial types; it does not block.
template <class T>
class BoostFeed {
 public:
  BoostFeed(std::size_t, std::size_t, Wakefulness) {}
  void add(std::size_t, T&& value) { expect(queue_.push(value), "a push failed"); }
  template <class See>
  void take(std::size_t, See see) {
    T value{};
    if (queue_.pop(value)) see(value);
  }

 private:
  boost::lockfree::queue<T> queue_{1024};
};
#endif

/// Nanoseconds for each message that a producer sends and each reader sees, all at once. Processors go to the readers
/// first.
template <class T, template <class> class Feed>
double deliver(std::size_t producers, std::size_t readers, std::size_t each, Wakefulness how) {
  Feed<T> feed(producers, readers, how);
  std::vector<Witness> witnesses(readers, Witness(producers));
  const double ns = together(readers + producers, [&](std::size_t n) {
    if (n >= readers) {
      const std::size_t producer = n - readers;
      for (std::size_t i = 0; i < each; ++i) feed.add(producer, make<T>(message(producer, i)));
      return;
    }
    Idling idling;
    Witness witness = witnesses[n];
    while (witness.seen() < each * producers && failures() == 0) {
      const std::size_t before = witness.seen();
      feed.take(n, [&](const T& value) { witness.see(number_of(value)); });
      if (witness.seen() != before) idling.found();
      else idling.missed();
    }
    witnesses[n] = witness;
  });
  for (const Witness& witness : witnesses) witness.expect_all(each);
  return ns / static_cast<double>(each * producers);
}

/// A case of `deliver` with all peers that can do it.
template <class T>
void add_delivery(Suite& suite, const std::string& name, std::size_t producers, std::size_t readers, std::size_t count,
                  Wakefulness how) {
  const std::size_t each = count / producers;
  const bool blocking = how == Wakefulness::blocking;
  Case& added = suite.add(name + (blocking ? "/blocking" : "/polling"));
  added.peer("brook", [=] { return deliver<T, BrookFeed>(producers, readers, each, how); });
  added.peer("mutex + deque", [=] { return deliver<T, LockedFeed>(producers, readers, each, how); });
  if (readers > 1) return;
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  if (blocking) {
    added.peer("moodycamel blocking (queue)",
               [=] { return deliver<T, MoodycamelBlockingFeed>(producers, 1, each, how); });
  } else {
    added.peer("moodycamel token (queue)", [=] { return deliver<T, MoodycamelFeed>(producers, 1, each, how); });
  }
#endif
#ifdef BROOK_BENCH_TBB
  added.peer("TBB bounded (queue)", [=] { return deliver<T, TbbFeed>(producers, 1, each, how); });
#endif
#ifdef BROOK_BENCH_BOOST
  if constexpr (std::is_trivially_copyable_v<T>) {
    if (!blocking) added.peer("Boost lockfree (queue)", [=] { return deliver<T, BoostFeed>(producers, 1, each, how); });
  }
#endif
}

}  // namespace bench
