// select() and completions under real threads, over lists, consumers, shared subscriptions and streams at once, while stops,
// cancels and deadlines rain. Every element goes to exactly one, every completion ends exactly once, and nobody sleeps for ever.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <brook/select.hpp>

#include "list_stress.hpp"
#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using std::chrono::microseconds;

constexpr std::size_t kinds = 4;  // of what is taken: from two lists, a group, a share

// A clock whose timers ring on a thread of its own, in real time.
class RingingClock final : public Clock {
 public:
  RingingClock() : thread_([this] { run(); }) {}
  ~RingingClock() override {
    {
      const std::unique_lock held(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return SystemClock::read_unix_ms(); }
  [[nodiscard]] time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    SystemClock::instance().sleep(held, alarm);
  }
  void set(Timer& timer) override {
    const std::unique_lock held(mutex_);
    timers_.push_back(&timer);
    changed_.notify_all();
  }
  void unset(Timer& timer) noexcept override {
    std::unique_lock held(mutex_);
    std::erase(timers_, &timer);
    if (std::this_thread::get_id() != thread_.get_id()) changed_.wait(held, [&] { return ringing_ != &timer; });
  }

 private:
  void run() {
    std::unique_lock held(mutex_);
    while (!done_) {
      const auto due = std::ranges::find_if(timers_, [this](const Timer* timer) { return timer->deadline <= now(); });
      if (due == timers_.end()) {
        changed_.wait_for(held, microseconds(20));
        continue;
      }
      ringing_ = *due;
      timers_.erase(due);
      held.unlock();
      ringing_->ring();
      held.lock();
      ringing_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Timer*> timers_;
  Timer* ringing_ = nullptr;
  bool done_ = false;
  std::thread thread_;
};

// What came out, of whichever kind, each value with the kind in its producer's number; by any thread.
class Account {
 public:
  explicit Account(std::size_t producers, std::uint64_t each)
      : each_(each), seen_(kinds * producers * each), producers_(producers) {}

  template <class T>
  void see(std::size_t kind, const T& value) {
    expect(Made<T>::intact(value), "a value is whole");
    const std::size_t producer = Made<T>::producer(value);
    const std::uint64_t sequence = Made<T>::sequence(value);
    if (producer / producers_ != kind || sequence >= each_) return expect(false, "a value comes from its source");
    expect(seen_[producer * each_ + sequence].fetch_add(1) == 0, "no element comes twice");
    ++count_;
  }
  [[nodiscard]] bool complete() const { return count_.load() >= seen_.size(); }
  void check() const { expect(count_.load() == seen_.size(), "what went in comes out"); }

 private:
  const std::uint64_t each_;
  std::vector<std::atomic<int>> seen_;
  const std::size_t producers_;
  std::atomic<std::uint64_t> count_{0};
};

class Storm {
  using T = std::string;

 public:
  Storm(std::size_t threads, std::uint64_t each) : threads_(threads), each_(each), account_(threads, each) {
    for (std::size_t i = 0; i < threads; ++i) members_.push_back(channel_.subscribe({.share = "s"}));
  }

  void run() {
    Stops stops(2 * threads_);
    Rain rain(stops);
    Threads takers;
    takers.start(threads_, [&](std::size_t i) { select_all(stops, i); });
    takers.start(threads_, [&](std::size_t i) { complete_all(stops, i); });
    takers.start(threads_, [&](std::size_t i) { take_plainly(i); });
    Threads producers;
    producers.start(threads_ * kinds, [&](std::size_t i) { produce(i / threads_, i); });
    producers.join();
    while (!account_.complete() && faults.load() == 0) std::this_thread::yield();
    a_.close(), b_.close(), stream_.close(), channel_.close();
    takers.join();
    while (pending_.load() > 0) std::this_thread::yield();
    expect(ended_.load() == started_.load(), "every completion ends once");
    account_.check();
  }

 private:
  void produce(std::size_t kind, std::size_t me) {
    std::minstd_rand random(static_cast<unsigned>(me) + 1);
    for (std::uint64_t i = 0; i < each_; ++i) {
      T value = Made<T>::make(me, i);
      if (kind == 0)
        expect(random() % 2 == 0 ? bool(a_.rpush(value)) : bool(a_.lpush(std::move(value))), "a push succeeds");
      if (kind == 1) expect(b_.rpush(std::move(value)).has_value(), "a push succeeds");
      if (kind == 2) expect(stream_.add(std::move(value)).has_value(), "an add succeeds");
      if (kind == 3) expect(channel_.publish(std::move(value)) == 1, "a message reaches the share");
      if (random() % 64 == 0) std::this_thread::yield();
    }
  }

  // Sources, each of which takes in one of several ways.
  auto list(std::minstd_rand& random) { return from(a_, random() % 2 == 0 ? Side::left : Side::right); }
  auto many(std::minstd_rand& random) { return from(b_, Side::left, 1 + random() % 3); }
  auto worker(std::size_t me, std::minstd_rand& random) {
    return from(group_.consumer(std::to_string(me)), {.count = 1 + random() % 3});
  }
  auto member(std::size_t me, std::minstd_rand& random) { return from(members_[me], 1 + random() % 3); }

  [[nodiscard]] Wait some_wait(Stops& stops, std::size_t me, std::minstd_rand& random) {
    const auto dice = random() % 8;
    const Wait limit = dice == 0 ? Wait() : dice < 3 ? Wait(microseconds(random() % 100)) : Wait(forever);
    return dice == 7 ? limit : stops.wait(me, limit);
  }

  void see(const T& value) { account_.see(0, value); }
  void see(const std::vector<T>& values) {
    for (const T& value : values) account_.see(1, value);
  }
  void see(const Deliveries<T>& deliveries) {
    for (const auto& delivery : deliveries) {
      if (!delivery.ack()) expect(false, "what was delivered is acknowledged once");
      account_.see(2, *delivery);
    }
  }
  void see(const Messages<T>& messages) {
    for (const T& value : messages) account_.see(3, value);
  }
  void see(const Entries<int>& entries) { expect(!entries.empty(), "entries are there"); }

  template <class Got>
  bool settle(const Got& got) {
    if (got) std::visit([this](const auto& value) { this->see(value); }, *got);
    else expect(may_end(got.error()), "it ends in one of three ways");
    return got || got.error() != Errc::closed;
  }

  // Asks in turn, completions in another order: so their choices meet in all ways.
  void select_all(Stops& stops, std::size_t me) {
    std::minstd_rand random(static_cast<unsigned>(me) + 100);
    Rotation turn;
    for (bool open = true; open;) {
      const Wait wait = some_wait(stops, me, random);
      open = settle(select(wait, turn, list(random), worker(me, random), many(random), member(me, random)));
      turn.next += random() % 3;
    }
  }
  void complete_all(Stops& stops, std::size_t me) {
    std::minstd_rand random(static_cast<unsigned>(me) + 200);
    const std::size_t other = me + threads_;
    const auto open = std::make_shared<std::atomic<bool>>(true);
    std::vector<CancelHandle> handles;
    for (int i = 0; open->load(); ++i) {
      const Wait wait = some_wait(stops, other, random);
      if (pending_.load() < 8 * threads_) {
        ++started_;
        ++pending_;
        const auto once = std::make_shared<std::atomic<int>>(0);
        auto handle = on_ready(
            [this, once, open](const auto& got) {
              expect(once->fetch_add(1) == 0, "a handler is called once");
              if (!settle(got)) open->store(false);
              ++ended_;
              --pending_;
            },
            wait, member(me, random), from(news_, latest), many(random), worker(other, random), list(random));
        if (random() % 2 == 0) handles.push_back(std::move(handle));
      }
      if (random() % 2 == 0 && !handles.empty()) {
        handles[random() % handles.size()].cancel();
        if (handles.size() > 20) handles.erase(handles.begin(), handles.begin() + 10);
      }
      if (news_.size() < 50'000 && random() % 16 == 0) news_.add(i);
      if (random() % 8 == 0) std::this_thread::yield();
      if (stream_.closed() && account_.complete()) break;
    }
    for (const auto& handle : handles) handle.cancel();
    // Those without a handle end with their sources, or with the stream of numbers.
    if (me == 0) {
      while (!stream_.closed()) std::this_thread::yield();
      news_.close();
    }
  }

  void take_plainly(std::size_t me) {
    std::minstd_rand random(static_cast<unsigned>(me) + 300);
    const auto worker = group_.consumer("plain " + std::to_string(me));
    for (int open = 15; open != 0;) {
      const auto which = random() % 4;
      const Wait wait = microseconds(random() % 200);
      if (which == 0) {
        const auto got = a_.blpop(wait);
        if (got) see(*got);
        else if (got.error() == Errc::closed) open &= ~1;
      } else if (which == 1) {
        const auto got = b_.pop_batch(1, 2, wait);
        if (got) see(*got);
        else if (got.error() == Errc::closed) open &= ~2;
      } else if (which == 2) {
        const auto got = worker.read({.count = 2, .block = wait});
        if (got) see(*got);
        else if (got.error() == Errc::closed) open &= ~4;
      } else {
        const auto got = members_[me].receive_batch(2, wait);
        if (got) see(*got);
        else if (got.error() == Errc::closed) open &= ~8;
      }
    }
  }

  const std::size_t threads_;
  const std::uint64_t each_;
  Account account_;
  std::atomic<std::uint64_t> started_{0}, ended_{0}, pending_{0};
  RingingClock clock_;
  BlockingList<T> a_{{.clock = &clock_, .spin = microseconds(0)}};
  BlockingList<T> b_{{.clock = &clock_, .spin = microseconds(0)}};
  Stream<T> stream_{{.clock = &clock_, .spin = microseconds(0)}};
  Stream<int> news_{{.max_len = 100, .clock = &clock_, .spin = microseconds(0)}};
  Channel<T> channel_{{.clock = &clock_, .spin = microseconds(0)}};
  Group<T> group_ = stream_.create_group("g", earliest).value();
  std::vector<Subscription<T>> members_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (const std::size_t threads : {1U, 2U, 3U}) Storm(threads, work * 20'000 / threads).run();
  return verdict("select_stress");
}
