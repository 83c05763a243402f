// ping_pong.hpp — how long until a reader on the other processor has what was sent: there and back at once, and to a
// reader that has fallen asleep. The rival is the least there is: a number, a mutex, a condition variable.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <brook/options.hpp>

#include "harness.hpp"

namespace bench {

/// A number that one thread sets and another waits for.
class BareBox {
 public:
  explicit BareBox(std::chrono::microseconds) {}
  void send(std::uint64_t number) {
    {
      const std::lock_guard held(mutex_);
      number_ = number;
    }
    changed_.notify_one();
  }
  [[nodiscard]] std::uint64_t receive() {
    std::unique_lock held(mutex_);
    changed_.wait(held, [this] { return number_ != seen_; });
    return seen_ = number_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t number_ = 0;
  std::uint64_t seen_ = 0;
};

/// p50 and p99 of the way there and back.
template <class Box>
Sample there_and_back(std::size_t turns, std::chrono::microseconds spin) {
  Box there(spin);
  Box back(spin);
  std::vector<double> took;
  together(2, [&](std::size_t side) {
    for (std::uint64_t i = 1; i <= turns && failures() == 0; ++i) {
      if (side == 1) {
        expect(there.receive() == i, "a message is missing");
        back.send(i);
        continue;
      }
      const std::int64_t started = now_ns();
      there.send(i);
      expect(back.receive() == i, "an answer is missing");
      took.push_back(static_cast<double>(now_ns() - started));
    }
  });
  return {percentile(took, 50), percentile(took, 99)};
}

inline void wait_awake(std::chrono::microseconds time) {
  const std::int64_t end = now_ns() + std::chrono::nanoseconds(time).count();
  while (now_ns() < end) {}
}

/// p50 and p99 from the send to the reader's return, and p50 of the send itself, when the reader sleeps.
template <class Box>
Sample wake_up(std::size_t turns, std::chrono::microseconds spin) {
  Box box(spin);
  std::atomic<std::uint64_t> received{0};
  std::vector<std::int64_t> sent(turns + 1);
  std::vector<double> took;
  std::vector<double> cost;
  together(2, [&](std::size_t side) {
    for (std::uint64_t i = 1; i <= turns && failures() == 0; ++i) {
      if (side == 0) {
        expect(box.receive() == i, "a message is missing");
        took.push_back(static_cast<double>(now_ns() - sent[i]));
        received.store(i);
        continue;
      }
      while (received.load() != i - 1 && failures() == 0) {}
      wait_awake(std::chrono::microseconds(100));  // the reader spins at most a few of them
      sent[i] = now_ns();
      box.send(i);
      cost.push_back(static_cast<double>(now_ns() - sent[i]));
    }
  });
  return {percentile(took, 50), percentile(took, 99), percentile(cost, 50)};
}

/// Cases of both. A box is made with how long its reader polls before it sleeps; it can send() a number, and receive()
/// it.
template <class Box>
void add_hand_off(Suite& suite, const std::string& name, std::size_t turns) {
  constexpr std::chrono::microseconds at_once(0);
  suite.add(name + "awake", {"p50 ns", "p99 ns"})
      .peer("brook", [=] { return there_and_back<Box>(turns, brook::default_spin); })
      .peer("brook, no spin", [=] { return there_and_back<Box>(turns, at_once); })
      .peer("mutex + condition variable", [=] { return there_and_back<BareBox>(turns, at_once); });
  suite.add(name + "asleep", {"p50 ns", "p99 ns", "sender's p50 ns"})
      .peer("brook", [=] { return wake_up<Box>(turns / 10, brook::default_spin); })
      .peer("brook, no spin", [=] { return wake_up<Box>(turns / 10, at_once); })
      .peer("mutex + condition variable", [=] { return wake_up<BareBox>(turns / 10, at_once); });
}

}  // namespace bench
