// select_support.hpp — what the tests of select() and of completions share: clocks that the test's own thread drives, and
// what was taken, as text.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <brook/select.hpp>

#include "channel_support.hpp"
#include "pubsub_support.hpp"

namespace brook::test {

/// A clock without threads: who sleeps carries out the next of `meanwhile` instead, and when there is none time goes by
/// until its deadline. Timers ring when advance() passes them, in their order.
class SoleClock final : public Clock {
 public:
  std::deque<std::function<void()>> meanwhile{};
  std::function<void()> awake{};  // called once when a call sleeps no more, and has not returned yet
  std::size_t slept = 0;

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override {
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch()).count());
  }
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    ++slept;
    if (meanwhile.empty()) {
      if (alarm.deadline == time_point::max()) throw std::logic_error("a sleep that nothing would end");
      now_ = alarm.deadline;
      return;
    }
    held.unlock();
    const auto next = std::move(meanwhile.front());
    meanwhile.pop_front();
    next();
    held.lock();
  }

  void dismiss(Alarm&) noexcept override {
    if (const auto call = std::exchange(awake, nullptr)) call();
  }

  void set(Timer& timer) override { timers_.push_back(&timer); }
  void unset(Timer& timer) noexcept override { std::erase(timers_, &timer); }
  [[nodiscard]] std::size_t timers() const noexcept { return timers_.size(); }
  void advance(std::chrono::nanoseconds by) {
    for (const time_point until = now_ + by;;) {
      const auto next = std::ranges::min_element(timers_, {}, [](const Timer* timer) { return timer->deadline; });
      if (next == timers_.end() || (*next)->deadline > until) {
        now_ = until;
        return;
      }
      Timer* const due = *next;
      timers_.erase(next);
      now_ = std::max(now_, due->deadline);
      due->ring();
    }
  }

 private:
  time_point now_{1000s};
  std::vector<Timer*> timers_{};
};

inline std::string told(int value) { return std::to_string(value); }
inline std::string told(std::size_t value) { return std::to_string(value); }
template <class T>
requires requires(const T& value) { value.value(); }
std::string told(const T& value) { return std::to_string(value.value()); }
template <class T>
std::string told(const Message<T>& message) {
  return message.channel().empty() ? told(*message) : shown(message);
}
template <class Values>
std::string told_each(const Values& values) {
  std::string text;
  for (const auto& value : values) text += (text.empty() ? "" : " ") + told(value);
  return text;
}
template <class T>
std::string told(const std::vector<T>& values) {
  return told_each(values);
}
template <class T>
std::string told(const Entries<T>& entries) {
  return told_each(values_of(entries));
}
template <class T>
std::string told(const Deliveries<T>& deliveries) {
  return told_each(values_of(deliveries));
}
template <class Payload, class Source>
std::string told(const BasicMessages<Payload, Source>& messages) {
  return told_each(messages);
}
inline std::string told(Errc error) { return std::string(message(error)); }
template <class... T>
std::string told(const std::variant<T...>& taken) {
  return std::to_string(taken.index()) + ": " + std::visit([](const auto& value) { return told(value); }, taken);
}
/// What was taken, after the number of its source when there were several; or why not.
template <class T>
std::string told(const expected<T, Errc>& taken) {
  return taken ? told(*taken) : told(taken.error());
}

/// One of each kind of object, on such a clock.
struct Things {
  SoleClock clock{};
  BlockingList<int> a{{.clock = &clock, .spin = 0us}};
  BlockingList<int> b{{.clock = &clock, .spin = 0us}};
  Stream<int> stream{{.clock = &clock, .spin = 0us}};
  Channel<int> channel{{.clock = &clock, .spin = 0us}};
  PubSub<int> pubsub{{.shards = 2, .clock = &clock, .spin = 0us}};

  [[nodiscard]] Group<int> group(const GroupOptions<int>& options = {}) {
    return stream.create_group("group", earliest, options).value();
  }
};

}  // namespace brook::test
