// Coroutines that wait while threads push, publish, close, cancel and destroy them: every element and every message comes out
// once, whoever was given it, and nobody is resumed that is gone.
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <brook/adapters/coroutine.hpp>
#include <brook/brook.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;

class Task {
 public:
  struct promise_type {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }
  [[nodiscard]] bool done() const { return coroutine_.done(); }

 private:
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

// The queue of one thread that runs coroutines.
class Loop {
 public:
  auto schedule() {
    return [this](Resumption resumption) {
      const std::lock_guard held(mutex_);
      queue_.push_back(std::move(resumption));
    };
  }
  bool run_one() {
    std::optional<Resumption> next;
    {
      const std::lock_guard held(mutex_);
      if (queue_.empty()) return false;
      next.emplace(std::move(queue_.front()));
      queue_.pop_front();
    }
    (*next)();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<Resumption> queue_;
};

// What was taken, counted by number.
class Tally {
 public:
  explicit Tally(std::uint64_t size) : times_(size) {}
  void see(std::uint64_t number) {
    if (times_[number].fetch_add(1) > 0) expect(false, "nothing comes twice");
    ++seen_;
  }
  [[nodiscard]] std::uint64_t seen() const { return seen_.load(); }

 private:
  std::vector<std::atomic<int>> times_;
  std::atomic<std::uint64_t> seen_{0};
};

Task take(Loop& loop, BlockingList<std::uint64_t>& list, Subscription<std::uint64_t>& news, std::stop_token stop,
          Tally& tally, int count) {
  for (int i = 0; i < count; ++i) {
    const auto got = co_await ready_on(loop.schedule(), {forever, stop}, list, news);
    if (!got) co_return;
    tally.see(got->index() == 0 ? std::get<0>(*got) : *std::get<1>(*got));
  }
}

// Threads that each run a loop of coroutines, which end by themselves, are destroyed, or are cancelled.
void destroyed(std::size_t threads, std::uint64_t each) {
  const std::uint64_t size = threads * each * 2;
  BlockingList<std::uint64_t> list;
  Channel<std::uint64_t> channel;
  Tally tally(size);
  std::vector<Subscription<std::uint64_t>> members;
  for (std::size_t i = 0; i < threads; ++i) members.push_back(channel.subscribe({.share = "all"}));
  Threads runners;
  runners.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 1);
    Loop loop;
    while (tally.seen() < size) {
      std::stop_source stop;
      std::vector<Task> tasks;
      for (int n = 0; n < 3; ++n)
        tasks.push_back(take(loop, list, members[i], stop.get_token(), tally, static_cast<int>(random() % 8)));
      for (auto turns = random() % 64; turns > 0; --turns) {
        if (!loop.run_one()) std::this_thread::yield();
      }
      if (random() % 2 == 0) stop.request_stop();
      if (random() % 2 == 0) loop.run_one();
    }
    while (loop.run_one()) {}
  });
  Threads makers;
  makers.start(threads, [&](std::size_t i) {
    for (std::uint64_t n = 0; n < each; ++n) {
      expect(list.rpush(i * each + n).has_value(), "a push succeeds");
      expect(channel.publish(size / 2 + i * each + n) == 1, "a message has one receiver");
    }
  });
  makers.join();
  runners.join();
  expect(list.empty(), "all elements were taken");
}

Task publish(Loop& loop, Channel<std::uint64_t>& channel, std::stop_token stop, std::atomic<std::uint64_t>& numbers,
             std::uint64_t size, std::atomic<std::uint64_t>& published) {
  for (std::uint64_t number = numbers++; number < size; number = numbers++) {
    if (!co_await ready_on(loop.schedule(), {forever, stop}, into(channel, number))) co_return;
    ++published;
  }
}

// Coroutines that publish when there is room, and are destroyed or cancelled, while the function is called that is subscribed.
void publishers(std::size_t threads, std::uint64_t size) {
  Channel<std::uint64_t> channel;
  Tally called(size), received(size);
  std::atomic<std::uint64_t> numbers{0}, published{0};
  auto slow = channel.subscribe({.backlog = 16, .overflow = Overflow::block});
  auto function = channel.subscribe([&](const std::uint64_t& number) { called.see(number); });
  Threads receiver;
  receiver.start([&] {
    for (const auto& message : slow) received.see(*message);
  });
  Threads runners;
  runners.start(threads, [&](std::size_t i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 1);
    Loop loop;
    while (numbers.load() < size) {
      std::stop_source stop;
      std::vector<Task> tasks;
      for (int n = 0; n < 3; ++n) tasks.push_back(publish(loop, channel, stop.get_token(), numbers, size, published));
      for (auto turns = random() % 64; turns > 0; --turns) {
        if (!loop.run_one()) std::this_thread::yield();
      }
      if (random() % 2 == 0) stop.request_stop();
    }
    while (loop.run_one()) {}
  });
  runners.join();
  channel.close();
  receiver.join();
  function.unsubscribe();
  expect(called.seen() == received.seen(), "the function is called with each message");
  expect(published.load() <= received.seen(), "what was published is received");
}

Task take_here(BlockingList<std::uint64_t>& a, BlockingList<std::uint64_t>& b, Tally& tally, std::atomic<int>& ended) {
  while (const auto got = co_await ready(forever, a, b))
    tally.see(got->index() == 0 ? std::get<0>(*got) : std::get<1>(*got));
  ++ended;
}

// Coroutines that go on where the elements are pushed, and where both lists are closed.
void resumed_by_pushers(std::size_t threads, std::uint64_t each) {
  BlockingList<std::uint64_t> a;
  BlockingList<std::uint64_t> b;
  Tally tally(threads * each);
  std::atomic<int> ended{0};
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < 2 * threads; ++i) tasks.push_back(take_here(a, b, tally, ended));
  Threads pushers;
  pushers.start(threads, [&](std::size_t i) {
    for (std::uint64_t n = 0; n < each; ++n)
      expect((n % 2 == 0 ? a : b).rpush(i * each + n).has_value(), "a push succeeds");
  });
  pushers.join();
  Threads closers;
  closers.start([&] { a.close(); });
  closers.start([&] { b.close(); });
  closers.join();
  expect(tally.seen() == threads * each, "all elements were taken");
  expect(ended.load() == static_cast<int>(2 * threads), "all coroutines have ended");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (const std::size_t threads : {1U, 2U, 4U}) {
    destroyed(threads, work * 2'000 / threads);
    resumed_by_pushers(threads, work * 20'000 / threads);
    publishers(threads, work * 2'000);
  }
  return verdict("coroutine_stress");
}
