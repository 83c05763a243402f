// queues.cpp — producers and consumers of one queue: one to one, in twos and fours, in batches, and one thread that does both;
// and a list that is used from both ends.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "cases.hpp"
#include "harness.hpp"
#include "payload.hpp"
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
    Receipt& receipt = receipts[thread - producers];
    if (batch == 1) {
      for (T value{}; consumer.pop(value);) receipt.see(number_of(value));
    } else if constexpr (requires(std::vector<T> & values) { consumer.pop_batch(values); }) {
      std::vector<T> values(batch);
      while (const std::size_t count = consumer.pop_batch(values)) {
        for (std::size_t i = 0; i < count; ++i) receipt.see(number_of(values[i]));
      }
    }
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

template <class T>
void add_peers(Suite& suite, const std::string& name, std::size_t threads, std::size_t count) {
  const std::size_t each = count / threads;
  auto& queues = suite.add(name + std::to_string(threads) + "P" + std::to_string(threads) + "C");
  const auto add = [&]<class Queue>(std::type_identity<Queue>) {
    queues.peer(Queue::name, [=] { return stream_through<T, Queue>(threads, threads, each, 1); });
  };
  add(std::type_identity<ListQueue<T>>());
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  add(std::type_identity<MoodycamelQueue<T, false, true>>());
  add(std::type_identity<MoodycamelQueue<T, true, true>>());
  add(std::type_identity<MoodycamelQueue<T, true, false>>());
#endif
#ifdef BROOK_BENCH_TBB
  add(std::type_identity<TbbQueue<T>>());
#endif
#ifdef BROOK_BENCH_BOOST
  if constexpr (std::is_trivially_copyable_v<T>) add(std::type_identity<BoostQueue<T>>());
#endif
  add(std::type_identity<LockedQueue<T>>());
}

template <class T>
void add_batches(Suite& suite, const std::string& name, std::size_t count) {
  constexpr std::size_t batch = 64;
  const std::size_t each = count / 2 / batch * batch;
  auto& queues = suite.add(name + "2P2C/batch64");
  const auto add = [&]<class Queue>(std::type_identity<Queue>) {
    queues.peer(Queue::name, [=] { return stream_through<T, Queue>(2, 2, each, batch); });
  };
  add(std::type_identity<ListQueue<T>>());
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  add(std::type_identity<MoodycamelQueue<T, false, true>>());
  add(std::type_identity<MoodycamelQueue<T, true, true>>());
#endif
  add(std::type_identity<LockedQueue<T>>());
}

template <class T>
void add_pairs(Suite& suite, const std::string& name, std::size_t count) {
  auto& queues = suite.add(name + "push+pop");
  const auto add = [&]<class Queue>(std::type_identity<Queue>) {
    queues.peer(Queue::name, [=] { return push_and_pop<T, Queue>(count); });
  };
  add(std::type_identity<ListQueue<T>>());
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  add(std::type_identity<MoodycamelQueue<T, false, true>>());
#endif
#ifdef BROOK_BENCH_TBB
  add(std::type_identity<TbbQueue<T>>());
#endif
  add(std::type_identity<LockedQueue<T>>());
}

/// A deque behind a mutex, to be used from both ends.
class LockedDeque {
 public:
  void lpush(std::uint64_t value) {
    const std::lock_guard held(mutex_);
    values_.push_front(value);
  }
  void rpush(std::uint64_t value) {
    const std::lock_guard held(mutex_);
    values_.push_back(value);
  }
  bool lpop() {
    const std::lock_guard held(mutex_);
    if (values_.empty()) return false;
    values_.pop_front();
    return true;
  }
  bool rpop() {
    const std::lock_guard held(mutex_);
    if (values_.empty()) return false;
    values_.pop_back();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::uint64_t> values_;
};

enum class Ends { stack, both };

/// Nanoseconds an operation, of threads that each push and pop, as on a stack or at all ends.
template <class List>
double mixed(std::size_t threads, std::size_t each, Ends ends) {
  List list;
  std::atomic<std::size_t> popped{0};
  const double ns = together(threads, [&](std::size_t) {
    std::size_t mine = 0;
    for (std::size_t i = 0; i < each; ++i) {
      if (ends == Ends::stack || i % 2 == 0) static_cast<void>(list.lpush(std::uint64_t{i}));
      else static_cast<void>(list.rpush(std::uint64_t{i}));
      const bool left = ends == Ends::stack || i / 2 % 2 == 0;
      if (left ? static_cast<bool>(list.lpop()) : static_cast<bool>(list.rpop())) ++mine;
    }
    popped += mine;
  });
  expect(popped == threads * each, "elements were lost");
  return ns / static_cast<double>(2 * threads * each);
}

}  // namespace

void add_queues(Suite& suite) {
  const std::size_t count = suite.work(2'000'000);
  for (const std::size_t threads : {1U, 2U, 4U}) add_peers<std::uint64_t>(suite, "queue/u64/", threads, count);
  add_batches<std::uint64_t>(suite, "queue/u64/", 4 * count);
  add_pairs<std::uint64_t>(suite, "queue/u64/", count);
  for (const std::size_t threads : {1U, 2U}) add_peers<Block64>(suite, "queue/block64/", threads, count / 2);
  for (const std::size_t threads : {1U, 2U}) add_peers<std::string>(suite, "queue/string100/", threads, count / 4);
  for (const Ends ends : {Ends::stack, Ends::both}) {
    for (const std::size_t threads : {1U, 2U}) {
      suite.add(std::string("list/u64/") + (ends == Ends::stack ? "stack/" : "both_ends/") + std::to_string(threads))
          .peer("brook", [=] { return mixed<brook::BlockingList<std::uint64_t>>(threads, count / 4, ends); })
          .peer("mutex + deque", [=] { return mixed<LockedDeque>(threads, count / 4, ends); });
    }
  }
}

}  // namespace bench
