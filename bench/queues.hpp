// queues.hpp — the list and its rivals as queues: each can push, pop and wait for an element, one by one and in
// batches. The last producer closes a queue that can be closed.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#ifdef BROOK_BENCH_CONCURRENTQUEUE
#include <blockingconcurrentqueue.h>
#endif
#ifdef BROOK_BENCH_TBB
#include <tbb/concurrent_queue.h>
#endif
#ifdef BROOK_BENCH_BOOST
#include <boost/lockfree/queue.hpp>
#endif

#include "payload.hpp"

namespace bench {

constexpr std::uint64_t the_end = ~std::uint64_t{0};

template <class T>
class ListQueue {
 public:
  static constexpr const char* name = "brook";

  struct Producer {
    explicit Producer(ListQueue& queue) : list(queue.list_) {}
    void push(T&& value) { static_cast<void>(list.rpush(std::move(value))); }
    void push_batch(std::vector<T>& values) { static_cast<void>(list.rpush_range(std::move(values))); }
    brook::BlockingList<T>& list;
  };
  struct Consumer {
    explicit Consumer(ListQueue& queue) : list(queue.list_) {}
    [[nodiscard]] bool pop(T& value) {
      auto popped = list.blpop(brook::forever);
      if (!popped) return false;
      value = *std::move(popped);
      return true;
    }
    /// How many; 0 at the end.
    [[nodiscard]] std::size_t pop_batch(std::vector<T>& values) {
      const std::size_t most = values.size();
      auto popped = list.lpop(most);
      if (popped.empty()) {
        auto waited = list.pop_batch(1, most, brook::forever);
        if (!waited) return 0;
        popped = *std::move(waited);
      }
      std::move(popped.begin(), popped.end(), values.begin());
      return popped.size();
    }
    brook::BlockingList<T>& list;
  };
  void end() { list_.close(); }

 private:
  brook::BlockingList<T> list_;
};

template <class T>
class LockedQueue {
 public:
  static constexpr const char* name = "mutex + deque + cv";

  struct Producer {
    explicit Producer(LockedQueue& its) : queue(its) {}
    void push(T&& value) {
      {
        const std::lock_guard held(queue.mutex_);
        queue.values_.push_back(std::move(value));
      }
      queue.come_.notify_one();
    }
    void push_batch(std::vector<T>& values) {
      {
        const std::lock_guard held(queue.mutex_);
        queue.values_.insert(queue.values_.end(), values.begin(), values.end());
      }
      queue.come_.notify_all();
    }
    LockedQueue& queue;
  };
  struct Consumer {
    explicit Consumer(LockedQueue& its) : queue(its) {}
    [[nodiscard]] bool pop(T& value) {
      std::unique_lock held(queue.mutex_);
      queue.come_.wait(held, [this] { return !queue.values_.empty() || queue.over_; });
      if (queue.values_.empty()) return false;
      value = std::move(queue.values_.front());
      queue.values_.pop_front();
      return true;
    }
    [[nodiscard]] std::size_t pop_batch(std::vector<T>& values) {
      std::unique_lock held(queue.mutex_);
      queue.come_.wait(held, [this] { return !queue.values_.empty() || queue.over_; });
      const std::size_t count = std::min(values.size(), queue.values_.size());
      for (std::size_t i = 0; i < count; ++i) {
        values[i] = std::move(queue.values_.front());
        queue.values_.pop_front();
      }
      return count;
    }
    LockedQueue& queue;
  };
  void end() {
    {
      const std::lock_guard held(mutex_);
      over_ = true;
    }
    come_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::deque<T> values_;
  bool over_ = false;
};

/// How the others end: each producer pushes a mark behind its last element; who pops the last of these has popped, or
/// somebody else has, all there was, and leaves a mark for each other consumer.
class Marks {
 public:
  void begin(std::size_t producers, std::size_t consumers) {
    producers_ = producers;
    consumers_ = consumers;
  }
  /// Of a mark that was popped: whether it is over for who popped it. `leave` pushes another one.
  template <class Leave>
  [[nodiscard]] bool over(Leave leave) {
    const std::size_t seen = seen_.fetch_add(1) + 1;
    for (std::size_t i = 1; seen == producers_ && i < consumers_; ++i) leave();
    return seen >= producers_;
  }

 private:
  std::atomic<std::size_t> seen_{0};
  std::size_t producers_ = 1;
  std::size_t consumers_ = 1;
};

template <class Try>
void poll(Try found) {
  while (!found()) std::this_thread::yield();
}

#ifdef BROOK_BENCH_CONCURRENTQUEUE
/// moodycamel's queue: with a semaphore for consumers that wait, or polled; with a token for each thread, or without.
/// First in, first out for each producer only.
template <class T, bool blocking, bool tokens>
class MoodycamelQueue {
 public:
  static constexpr const char* name = blocking ? (tokens ? "moodycamel blocking, tokens" : "moodycamel blocking")
                                               : (tokens ? "moodycamel tokens, polled" : "moodycamel, polled");
  using Queue = std::conditional_t<blocking, moodycamel::BlockingConcurrentQueue<T>, moodycamel::ConcurrentQueue<T>>;
  struct NoToken {
    explicit NoToken(Queue&) {}
  };
  using ProducerToken = std::conditional_t<tokens, moodycamel::ProducerToken, NoToken>;
  using ConsumerToken = std::conditional_t<tokens, moodycamel::ConsumerToken, NoToken>;

  struct Producer {
    explicit Producer(MoodycamelQueue& its) : queue(its.queue_), token(queue) {}
    void push(T&& value) {
      if constexpr (tokens) queue.enqueue(token, std::move(value));
      else queue.enqueue(std::move(value));
    }
    void push_batch(std::vector<T>& values) {
      if constexpr (tokens) queue.enqueue_bulk(token, values.begin(), values.size());
      else queue.enqueue_bulk(values.begin(), values.size());
    }
    void end() { push(make<T>(the_end)); }
    Queue& queue;
    ProducerToken token;
  };
  struct Consumer {
    explicit Consumer(MoodycamelQueue& its) : all(its), queue(its.queue_), token(queue) {}
    [[nodiscard]] bool pop(T& value) {
      for (;;) {
        if constexpr (blocking && tokens) queue.wait_dequeue(token, value);
        else if constexpr (blocking) queue.wait_dequeue(value);
        else if constexpr (tokens) poll([&] { return queue.try_dequeue(token, value); });
        else poll([&] { return queue.try_dequeue(value); });
        if (number_of(value) != the_end) return true;
        if (all.marks_.over([&] { queue.enqueue(make<T>(the_end)); })) return false;
      }
    }
    [[nodiscard]] std::size_t pop_batch(std::vector<T>& values) {
      while (!over) {
        std::size_t count = 0;
        if constexpr (blocking && tokens) count = queue.wait_dequeue_bulk(token, values.begin(), values.size());
        else if constexpr (blocking) count = queue.wait_dequeue_bulk(values.begin(), values.size());
        else poll([&] { return (count = try_batch(values)) > 0; });
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count; ++i) {
          if (number_of(values[i]) != the_end) std::swap(values[kept++], values[i]);
          else if (over) queue.enqueue(make<T>(the_end));  // that is another one's
          else over = all.marks_.over([&] { queue.enqueue(make<T>(the_end)); });
        }
        if (kept > 0) return kept;
      }
      return 0;
    }
    [[nodiscard]] std::size_t try_batch(std::vector<T>& values) {
      if constexpr (tokens) return queue.try_dequeue_bulk(token, values.begin(), values.size());
      else return queue.try_dequeue_bulk(values.begin(), values.size());
    }
    MoodycamelQueue& all;
    Queue& queue;
    ConsumerToken token;
    bool over = false;
  };
  void begin(std::size_t producers, std::size_t consumers) { marks_.begin(producers, consumers); }

 private:
  Queue queue_;
  Marks marks_;
};
#endif

#ifdef BROOK_BENCH_TBB
template <class T>
class TbbQueue {
 public:
  static constexpr const char* name = "TBB bounded";

  struct Producer {
    explicit Producer(TbbQueue& its) : queue(its.queue_) {}
    void push(T&& value) { queue.push(std::move(value)); }
    void end() { push(make<T>(the_end)); }
    tbb::concurrent_bounded_queue<T>& queue;
  };
  struct Consumer {
    explicit Consumer(TbbQueue& its) : all(its), queue(its.queue_) {}
    [[nodiscard]] bool pop(T& value) {
      for (;;) {
        queue.pop(value);
        if (number_of(value) != the_end) return true;
        if (all.marks_.over([&] { queue.push(make<T>(the_end)); })) return false;
      }
    }
    TbbQueue& all;
    tbb::concurrent_bounded_queue<T>& queue;
  };
  void begin(std::size_t producers, std::size_t consumers) { marks_.begin(producers, consumers); }

 private:
  tbb::concurrent_bounded_queue<T> queue_;
  Marks marks_;
};
#endif

#ifdef BROOK_BENCH_BOOST
/// Polled: it cannot wait. Of types only that need no destructor.
template <class T>
class BoostQueue {
 public:
  static constexpr const char* name = "Boost.Lockfree, polled";

  struct Producer {
    explicit Producer(BoostQueue& its) : queue(its.queue_) {}
    void push(T&& value) { queue.push(value); }
    void end() { push(make<T>(the_end)); }
    boost::lockfree::queue<T>& queue;
  };
  struct Consumer {
    explicit Consumer(BoostQueue& its) : all(its), queue(its.queue_) {}
    [[nodiscard]] bool pop(T& value) {
      for (;;) {
        poll([&] { return queue.pop(value); });
        if (number_of(value) != the_end) return true;
        if (all.marks_.over([&] { queue.push(make<T>(the_end)); })) return false;
      }
    }
    BoostQueue& all;
    boost::lockfree::queue<T>& queue;
  };
  void begin(std::size_t producers, std::size_t consumers) { marks_.begin(producers, consumers); }

 private:
  boost::lockfree::queue<T> queue_{1024};
  Marks marks_;
};
#endif

/// Calls `add` with the type of each queue that this program was built with, brook's first.
template <class T, class Add>
void each_queue(Add add) {
  add(std::type_identity<ListQueue<T>>());
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  add(std::type_identity<MoodycamelQueue<T, false, true>>());
  add(std::type_identity<MoodycamelQueue<T, false, false>>());
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

}  // namespace bench
