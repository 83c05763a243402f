// queues.cpp — producers and consumers of one queue: as many of both, or more of one, in batches, and one thread that
// does both; a list that is used from both ends; and a consumer that sleeps.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "payload.hpp"
#include "ping_pong.hpp"
#include "queues.hpp"

namespace bench {
namespace {

/// What consumers got: everything once, and from each producer in its order.
class Receipt {
 public:
  explicit Receipt(std::size_t producers) : last_(producers, 0) {}

  void see(std::uint64_t number) noexcept {
    const auto producer = static_cast<std::size_t>(number >> 40);
    const std::uint64_t sequence = (number & 0xff'ffff'ffff) + 1;
    if (producer >= last_.size() || sequence <= last_[producer]) {
      wrong_ = true;
      return;
    }
    last_[producer] = sequence;
    ++count_;
    sum_ += sequence;
  }

  static void expect_all(const std::vector<Receipt>& receipts, std::size_t producers, std::size_t each) {
    std::size_t count = 0;
    std::uint64_t sum = 0;
    for (const Receipt& one : receipts) {
      expect(!one.wrong_, "a message is doubled or out of order");
      count += one.count_;
      sum += one.sum_;
    }
    expect(count == producers * each, "messages were lost");
    expect(sum == producers * (each * (each + 1) / 2), "messages were lost or doubled");
  }

 private:
  std::vector<std::uint64_t> last_;
  std::size_t count_ = 0;
  std::uint64_t sum_ = 0;
  bool wrong_ = false;
};

/// Nanoseconds a message, from the first push to the last pop; `batch` at a time.
template <class T, class Queue>
double stream_through(std::size_t producers, std::size_t consumers, std::size_t each, std::size_t batch) {
  Queue queue;
  if constexpr (requires { queue.begin(producers, consumers); }) queue.begin(producers, consumers);
  std::vector<Receipt> receipts(consumers, Receipt(producers));
  std::atomic<std::size_t> producing{producers};
  const double ns = together(producers + consumers, [&](std::size_t thread) {
    if (thread < producers) {
      typename Queue::Producer producer(queue);
      std::vector<T> values(batch);
      for (std::size_t i = 0; i < each; i += batch) {
        if (batch == 1) {
          producer.push(make<T>(message(thread, i)));
        } else if constexpr (requires { producer.push_batch(values); }) {
          for (std::size_t k = 0; k < batch; ++k) values[k] = make<T>(message(thread, i + k));
          producer.push_batch(values);
        }
      }
      if constexpr (requires { producer.end(); }) producer.end();
      else if (producing.fetch_sub(1) == 1) queue.end();
      return;
    }
    typename Queue::Consumer consumer(queue);
    Receipt receipt = receipts[thread - producers];  // its own memory
    if (batch == 1) {
      for (T value{}; consumer.pop(value);) receipt.see(number_of(value));
    } else if constexpr (requires(std::vector<T> & values) { consumer.pop_batch(values); }) {
      std::vector<T> values(batch);
      while (const std::size_t count = consumer.pop_batch(values)) {
        for (std::size_t i = 0; i < count; ++i) receipt.see(number_of(values[i]));
      }
    }
    receipts[thread - producers] = std::move(receipt);
  });
  Receipt::expect_all(receipts, producers, each);
  return ns / static_cast<double>(producers * each);
}

/// Nanoseconds for a push and the pop after it, by one thread while another one is alive.
template <class T, class Queue>
double push_and_pop(std::size_t count) {
  Queue queue;
  Receipt receipt(1);
  const double ns = together(1, [&](std::size_t) {
    typename Queue::Producer producer(queue);
    typename Queue::Consumer consumer(queue);
    T value{};
    for (std::size_t i = 0; i < count; ++i) {
      producer.push(make<T>(message(0, i)));
      if (consumer.pop(value)) receipt.see(number_of(value));
    }
  });
  Receipt::expect_all({receipt}, 1, count);
  return ns / static_cast<double>(count);
}

/// How long producers and consumers are at work in one run.
double lasting_ns(const Suite& suite) { return static_cast<double>(suite.work(100'000'000)); }

struct Topology {
  std::size_t producers;
  std::size_t consumers;
};

/// stream_through() with as many elements as keep one peer's queue busy for about as long as another's. More threads than
/// processors take turns of some milliseconds: how long a run of few turns takes says who had the first of them.
template <class T, class Queue>
class Streaming {
 public:
  /// At least `least` elements, and no more than fit in memory should they all come before the first one goes.
  Streaming(Topology how, std::size_t least, std::size_t batch, double lasting_ns)
      : how_(how),
        count_(least),
        most_(std::max<std::size_t>(least, (std::size_t{512} << 20) / sizeof(T))),
        batch_(batch),
        lasting_ns_(lasting_ns) {}

  double operator()() {
    double ns = run();
    // In the round that warms up.
    for (; !settled_ && count_ < most_ && ns * static_cast<double>(count_) < lasting_ns_; ns = run())
      count_ = std::min(2 * count_, most_);
    settled_ = true;
    return ns;
  }

 private:
  [[nodiscard]] double run() const {
    const std::size_t each = count_ / how_.producers / batch_ * batch_;
    return stream_through<T, Queue>(how_.producers, how_.consumers, each, batch_);
  }

  Topology how_;
  std::size_t count_;
  std::size_t most_;
  std::size_t batch_;
  double lasting_ns_;
  bool settled_ = false;
};

template <class T>
void add_topologies(Suite& suite, const std::string& name, std::size_t count) {
  for (const Topology how : std::initializer_list<Topology>{{1, 1}, {2, 2}, {4, 4}, {2, 1}, {1, 2}, {8, 8}}) {
    auto& queues = suite.add(name + std::to_string(how.producers) + "P" + std::to_string(how.consumers) + "C");
    each_queue<T>([&]<class Queue>(std::type_identity<Queue>) {
      queues.peer(Queue::name, Streaming<T, Queue>(how, count / 8, 1, lasting_ns(suite)));
    });
  }
}

template <class T>
void add_batches(Suite& suite, const std::string& name, std::size_t count) {
  constexpr std::size_t batch = 64;
  for (const std::size_t threads : {1U, 2U}) {
    auto& queues = suite.add(name + std::to_string(threads) + "P" + std::to_string(threads) + "C/batch64");
    each_queue<T>([&]<class Queue>(std::type_identity<Queue>) {
      if constexpr (requires(typename Queue::Producer & producer, std::vector<T> & values) {
                      producer.push_batch(values);
                    })
        queues.peer(Queue::name, Streaming<T, Queue>({threads, threads}, count / 8, batch, lasting_ns(suite)));
    });
  }
}

template <class T>
void add_pairs(Suite& suite, const std::string& name, std::size_t count) {
  auto& queues = suite.add(name + "push+pop");
  each_queue<T>([&]<class Queue>(std::type_identity<Queue>) {
    queues.peer(Queue::name, [=] { return push_and_pop<T, Queue>(count); });
  });
}

// — a list that is used from both ends —

/// A deque behind a mutex.
template <class T>
class LockedDeque {
 public:
  void lpush(T&& value) {
    const std::lock_guard held(mutex_);
    values_.push_front(std::move(value));
  }
  void rpush(T&& value) {
    const std::lock_guard held(mutex_);
    values_.push_back(std::move(value));
  }
  std::optional<T> lpop() {
    const std::lock_guard held(mutex_);
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }
  std::optional<T> rpop() {
    const std::lock_guard held(mutex_);
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.back()));
    values_.pop_back();
    return value;
  }

 private:
  std::mutex mutex_;
  std::deque<T> values_;
};

enum class Ends { stack, both };

/// Nanoseconds an operation, of threads that each push and pop, as on a stack or at all ends.
template <class T, class List>
double mixed(std::size_t threads, std::size_t each, Ends ends) {
  List list;
  std::atomic<std::size_t> popped{0};
  std::atomic<std::uint64_t> sum{0};
  const double ns = together(threads, [&](std::size_t thread) {
    std::size_t mine = 0;
    std::uint64_t my_sum = 0;
    for (std::size_t i = 0; i < each; ++i) {
      if (ends == Ends::stack || i % 2 == 0) static_cast<void>(list.lpush(make<T>(message(thread, i))));
      else static_cast<void>(list.rpush(make<T>(message(thread, i))));
      const bool left = ends == Ends::stack || i / 2 % 2 == 0;
      const std::optional<T> value = left ? list.lpop() : list.rpop();
      if (!value) continue;
      ++mine;
      my_sum += number_of(*value);
    }
    popped += mine;
    sum += my_sum;
  });
  expect(popped == threads * each, "elements were lost");
  const std::uint64_t threads_sum = threads * (threads - 1) / 2 * each;
  expect(sum == threads * (each * (each - 1) / 2) + (threads_sum << 40), "elements were lost or doubled");
  return ns / static_cast<double>(2 * threads * each);
}

template <class T>
void add_mixed(Suite& suite, const std::string& payload, std::size_t count) {
  for (const Ends ends : {Ends::stack, Ends::both}) {
    for (const std::size_t threads : {1U, 2U}) {
      suite.add("list/" + payload + (ends == Ends::stack ? "/stack/" : "/both_ends/") + std::to_string(threads))
          .peer("brook", [=] { return mixed<T, brook::BlockingList<T>>(threads, count, ends); })
          .peer("mutex + deque", [=] { return mixed<T, LockedDeque<T>>(threads, count, ends); });
    }
  }
}

// — a consumer that waits —

class ListBox {
 public:
  explicit ListBox(std::chrono::microseconds spin) : list_({.spin = spin}) {}
  void send(std::uint64_t number) { expect(list_.rpush(number).has_value(), "a push failed"); }
  [[nodiscard]] std::uint64_t receive() {
    const auto value = list_.blpop(std::chrono::seconds(10));
    expect(value.has_value(), "a consumer was not woken for 10 s");
    return value.value_or(0);
  }

 private:
  brook::BlockingList<std::uint64_t> list_;
};

template <class T>
void add_payload(Suite& suite, const std::string& payload, std::size_t count) {
  const std::string name = "queue/" + payload + '/';
  add_topologies<T>(suite, name, count);
  add_batches<T>(suite, name, 2 * count);
  add_pairs<T>(suite, name, count);
  add_mixed<T>(suite, payload, count / 4);
}

}  // namespace

void add_queues(Suite& suite) {
  const std::size_t count = suite.work(2'000'000);
  add_payload<std::uint64_t>(suite, "u64", count);
  add_payload<Block64>(suite, "block64", count / 2);
  add_payload<std::string>(suite, "string100", count / 4);
  add_hand_off<ListBox>(suite, "list/u64/", suite.work(20'000));
}

}  // namespace bench
