// memory.cpp — bytes that the allocator has handed out: for an empty stream, list or channel, an entry, a pending
// entry, an element, a message that waits, and what is kept when all is gone. By glibc's own account.
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef BROOK_BENCH_CONCURRENTQUEUE
#include <blockingconcurrentqueue.h>
#endif

#include <brook/blocking_list.hpp>
#include <brook/channel.hpp>
#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "heap.hpp"
#include "logs.hpp"
#include "payload.hpp"

namespace bench {

#ifdef BROOK_BENCH_HEAP
namespace {

/// Bytes of one object that holds nothing yet.
template <class Object>
double empty() {
  constexpr std::size_t count = 1000;
  std::vector<std::unique_ptr<Object>> objects(count);
  const double with_table = in_use();
  for (auto& object : objects) object = std::make_unique<Object>();
  const double bytes = in_use() - with_table;
  objects.clear();
  expect(in_use() - with_table < 64.0 * 1024, "memory of empty objects was not given back");
  return bytes / count;
}

/// What a value allocates itself.
template <class T>
double own_bytes() {
  if constexpr (!std::is_same_v<T, std::string>) return 0;
  else {
    T one = make<T>(0);
    return static_cast<double>(malloc_usable_size(one.data()) + sizeof(std::size_t));
  }
}

/// Bytes for an entry beyond the value's own size, and for strings beyond what they allocate.
template <class T, template <class> class Log>
double entry(std::size_t count) {
  FixedClock clock;
  const double before = in_use();
  Log<T> log(&clock);
  for (std::size_t i = 0; i < count; ++i) log.add(make<T>(i));
  return (in_use() - before) / static_cast<double>(count) - sizeof(T) - own_bytes<T>();
}

double pending_in_brook(std::size_t count) {
  FixedClock clock;
  brook::Stream<std::uint64_t> stream({.clock = &clock});
  for (std::size_t i = 0; i < count; ++i) expect(stream.add(i).has_value(), "an add failed");
  const auto consumer = stream.create_group("group", brook::earliest).value().consumer("consumer");
  const double before = in_use();
  for (std::size_t done = 0; done < count;) done += consumer.read({.count = 100}).value().size();
  return (in_use() - before) / static_cast<double>(count);
}

double pending_by_hand(std::size_t count) {
  FixedClock clock;
  LockedStream<std::uint64_t> stream(&clock);
  for (std::size_t i = 0; i < count; ++i) stream.add(std::uint64_t{i});
  const double before = in_use();
  {
    std::vector<Stored<std::uint64_t>> batch;
    for (std::size_t done = 0; done < count; done += batch.size()) stream.deliver(0, batch, 100);
  }
  return (in_use() - before) / static_cast<double>(count);
}

/// Bytes of a stream that has had many entries and has none any more.
double after_trimming(std::size_t count) {
  FixedClock clock;
  const double before = in_use();
  brook::Stream<std::uint64_t> stream({.clock = &clock});
  for (std::size_t i = 0; i < count; ++i) expect(stream.add(i).has_value(), "an add failed");
  expect(stream.trim({.max_len = 0}).value() == count, "a trim left something");
  return in_use() - before;
}

/// A list and a deque, filled and emptied as a queue. No lock is needed to count bytes.
template <class T>
struct ListMemory {
  void push(T&& value) { expect(list.rpush(std::move(value)).has_value(), "a push failed"); }
  [[nodiscard]] bool pop() { return list.lpop().has_value(); }
  brook::BlockingList<T> list;
};
template <class T>
struct DequeMemory {
  void push(T&& value) { values.push_back(std::move(value)); }
  [[nodiscard]] bool pop() {
    if (values.empty()) return false;
    values.pop_front();
    return true;
  }
  std::mutex mutex;
  std::condition_variable come;
  std::deque<T> values;
};
#ifdef BROOK_BENCH_CONCURRENTQUEUE
template <class T>
struct MoodycamelMemory {
  void push(T&& value) { queue.enqueue(std::move(value)); }
  [[nodiscard]] bool pop() {
    T value{};
    return queue.try_dequeue(value);
  }
  moodycamel::BlockingConcurrentQueue<T> queue;
};
#endif
/// A channel with one subscriber, who lets messages wait.
template <class T>
struct ChannelMemory {
  void push(T&& value) { static_cast<void>(channel.publish(std::move(value))); }
  [[nodiscard]] bool pop() { return subscription.try_receive().has_value(); }
  brook::Channel<T> channel;
  brook::Subscription<T> subscription = channel.subscribe();
};

/// Bytes for an element, or a message that waits, beyond the value's own; and of all together when everything has been
/// taken out again.
template <class T, class Queue>
Sample element(std::size_t count) {
  const double own = sizeof(T) + own_bytes<T>();
  const double before = in_use();
  Queue queue;
  for (std::size_t i = 0; i < count; ++i) queue.push(make<T>(i));
  const double filled = in_use() - before;
  for (std::size_t i = 0; i < count; ++i) expect(queue.pop(), "something was lost");
  return {filled / static_cast<double>(count) - own, in_use() - before};
}

/// The same of messages that wait for 16 subscribers.
double waiting_for_many(std::size_t count) {
  const double before = in_use();
  brook::Channel<std::uint64_t> channel;
  std::vector<brook::Subscription<std::uint64_t>> subscriptions;
  for (int n = 0; n < 16; ++n) subscriptions.push_back(channel.subscribe());
  for (std::size_t i = 0; i < count; ++i) static_cast<void>(channel.publish(i));
  return (in_use() - before) / static_cast<double>(count) - sizeof(std::uint64_t);
}

/// Bytes of one more subscription.
double subscription() {
  constexpr std::size_t count = 1000;
  brook::Channel<std::uint64_t> channel;
  std::vector<brook::Subscription<std::uint64_t>> subscriptions(count);
  const double before = in_use();
  for (auto& one : subscriptions) one = channel.subscribe();
  return (in_use() - before) / count;
}

template <class T>
void add_elements(Suite& suite, const std::string& payload, std::size_t count) {
  const std::vector<std::string> metrics = {"bytes each", "bytes left"};
  auto& elements = suite.add("memory/list/" + payload, metrics);
  elements.peer("brook", [=] { return element<T, ListMemory<T>>(count); });
  elements.peer("mutex + deque", [=] { return element<T, DequeMemory<T>>(count); });
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  elements.peer("moodycamel", [=] { return element<T, MoodycamelMemory<T>>(count); });
#endif
  suite.add("memory/channel/" + payload, metrics).peer("brook", [=] { return element<T, ChannelMemory<T>>(count); });
}

}  // namespace

void add_memory(Suite& suite) {
  const std::size_t count = suite.work(1'000'000);
  const std::vector<std::string> bytes = {"bytes"};
  suite.add("memory/empty", bytes)
      .peer("brook", empty<BrookLog<std::uint64_t>>)
      .peer("mutex + deque", empty<LockedStream<std::uint64_t>>);
  suite.add("memory/entry/u64", bytes)
      .peer("brook", [=] { return entry<std::uint64_t, BrookLog>(count); })
      .peer("spinlock + chunks", [=] { return entry<std::uint64_t, SpinLog>(count); })
      .peer("mutex + deque", [=] { return entry<std::uint64_t, LockedStream>(count); });
  suite.add("memory/entry/block64", bytes)
      .peer("brook", [=] { return entry<Block64, BrookLog>(count); })
      .peer("mutex + deque", [=] { return entry<Block64, LockedStream>(count); });
  suite.add("memory/entry/string100", bytes)
      .peer("brook", [=] { return entry<std::string, BrookLog>(count / 4); })
      .peer("mutex + deque", [=] { return entry<std::string, LockedStream>(count / 4); });
  suite.add("memory/pending", bytes)
      .peer("brook", [=] { return pending_in_brook(count); })
      .peer("mutex + deque + map", [=] { return pending_by_hand(count); });
  suite.add("memory/trimmed", bytes).peer("brook", [=] { return after_trimming(count); });
  auto& lists = suite.add("memory/list/empty", bytes);
  lists.peer("brook", empty<ListMemory<std::uint64_t>>).peer("mutex + deque", empty<DequeMemory<std::uint64_t>>);
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  lists.peer("moodycamel", empty<MoodycamelMemory<std::uint64_t>>);
#endif
  suite.add("memory/channel/empty", bytes).peer("brook", empty<brook::Channel<std::uint64_t>>);
  suite.add("memory/channel/subscription", bytes).peer("brook", subscription);
  suite.add("memory/channel/u64/16", bytes).peer("brook", [=] { return waiting_for_many(count); });
  add_elements<std::uint64_t>(suite, "u64", count);
  add_elements<Block64>(suite, "block64", count / 2);
  add_elements<std::string>(suite, "string100", count / 4);
}
#else
void add_memory(Suite& suite) { suite.left_out("memory", "it is counted by glibc 2.33 or later"); }
#endif

}  // namespace bench
