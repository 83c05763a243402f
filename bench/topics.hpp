// topics.hpp — brook's channel and its rivals as topics: what is published reaches every subscriber there is.
//
// A topic is made with the seats of its subscribers. publish(T&&) publishes; receive_all(n) shows what has come for
// subscriber n to its seat, receive_one(n) one message of it, and says whether there was one. A topic that calls
// subscribers shows them what comes while it publishes.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#ifdef BROOK_BENCH_CONCURRENTQUEUE
#include <concurrentqueue.h>
#endif
#ifdef BROOK_BENCH_BOOST
#include <boost/signals2/signal.hpp>
#endif
#ifdef BROOK_BENCH_ZMQ
#include <zmq.hpp>
#endif

#include <brook/channel.hpp>

#include "harness.hpp"
#include "payload.hpp"

namespace bench {

/// Where one subscriber sits and sees messages go by, of one publisher. On a line of its own.
class alignas(64) Seat {
 public:
  void see(std::uint64_t number) noexcept {
    wrong_ |= number != seen_;
    ++seen_;
  }
  [[nodiscard]] std::size_t seen() const noexcept { return seen_; }

  void expect_all(std::size_t published) const {
    expect(!wrong_, "a message is missing, doubled or out of order");
    expect(seen_ == published, "messages were lost");
  }

 private:
  std::size_t seen_ = 0;
  bool wrong_ = false;
};

using Seats = std::vector<Seat>;

template <class T>
class ChannelTopic {
 public:
  static constexpr const char* name = "brook";

  explicit ChannelTopic(Seats& seats) : seats_(seats) {
    for (std::size_t i = 0; i < seats.size(); ++i) subscriptions_.push_back(channel_.subscribe());
  }
  void publish(T&& value) { static_cast<void>(channel_.publish(std::move(value))); }
  void receive_all(std::size_t n) {
    const auto messages = subscriptions_[n].receive_batch(brook::no_limit, brook::Wait());
    if (!messages) return expect(false, "a subscription has ended");
    for (const T& value : *messages) seats_[n].see(number_of(value));
  }
  [[nodiscard]] bool receive_one(std::size_t n) {
    const auto message = subscriptions_[n].try_receive();
    if (message) seats_[n].see(number_of(**message));
    return message.has_value();
  }

 private:
  Seats& seats_;
  brook::Channel<T> channel_;
  std::vector<brook::Subscription<T>> subscriptions_;
};

/// A queue for each subscriber behind one mutex.
template <class T>
class LockedTopic {
 public:
  static constexpr const char* name = "mutex + deques";

  explicit LockedTopic(Seats& seats) : seats_(seats), queues_(seats.size()) {}
  void publish(T&& value) {
    const std::lock_guard held(mutex_);
    for (auto& queue : queues_) queue.push_back(value);
  }
  void receive_all(std::size_t n) {
    std::deque<T> values;
    {
      const std::lock_guard held(mutex_);
      values.swap(queues_[n]);
    }
    for (const T& value : values) seats_[n].see(number_of(value));
  }
  [[nodiscard]] bool receive_one(std::size_t n) {
    T value{};
    {
      const std::lock_guard held(mutex_);
      if (queues_[n].empty()) return false;
      value = std::move(queues_[n].front());
      queues_[n].pop_front();
    }
    seats_[n].see(number_of(value));
    return true;
  }

 private:
  Seats& seats_;
  std::mutex mutex_;
  std::vector<std::deque<T>> queues_;
};

/// One log behind a mutex, and a place in it for each subscriber: nothing is copied when it is published.
template <class T>
class LockedLogTopic {
 public:
  static constexpr const char* name = "mutex + one log";

  explicit LockedLogTopic(Seats& seats) : seats_(seats), next_(seats.size(), 0) {}
  void publish(T&& value) {
    const std::lock_guard held(mutex_);
    if (!next_.empty()) values_.push_back(std::move(value));
  }
  void receive_all(std::size_t n) { take(n, std::numeric_limits<std::size_t>::max()); }
  [[nodiscard]] bool receive_one(std::size_t n) { return take(n, 1) > 0; }

 private:
  std::size_t take(std::size_t n, std::size_t most) {
    std::vector<T> values;
    {
      const std::lock_guard held(mutex_);
      const std::size_t before = next_[n];
      const std::size_t count = std::min(most, first_ + values_.size() - before);
      const auto from = values_.begin() + static_cast<std::ptrdiff_t>(before - first_);
      values.assign(from, from + static_cast<std::ptrdiff_t>(count));
      next_[n] += count;
      if (count > 0 && before == first_) trim();
    }
    for (const T& value : values) seats_[n].see(number_of(value));
    return values.size();
  }
  void trim() {
    const std::size_t slowest = *std::min_element(next_.begin(), next_.end());
    values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(slowest - first_));
    first_ = slowest;
  }

  Seats& seats_;
  std::mutex mutex_;
  std::deque<T> values_;
  std::size_t first_ = 0;
  std::vector<std::size_t> next_;
};

#ifdef BROOK_BENCH_CONCURRENTQUEUE
/// A moodycamel::ConcurrentQueue for each subscriber, with tokens. Of one publisher.
template <class T>
class MoodycamelTopic {
 public:
  static constexpr const char* name = "moodycamel each";

  explicit MoodycamelTopic(Seats& seats) : seats_(seats) {
    for (std::size_t i = 0; i < seats.size(); ++i) queues_.push_back(std::make_unique<Queue>());
  }
  void publish(T&& value) {
    for (const auto& one : queues_) one->queue.enqueue(one->producer, value);
  }
  void receive_all(std::size_t n) {
    std::array<T, 128> values;
    Queue& mine = *queues_[n];
    while (const std::size_t count = mine.queue.try_dequeue_bulk(mine.consumer, values.begin(), values.size())) {
      for (std::size_t i = 0; i < count; ++i) seats_[n].see(number_of(values[i]));
    }
  }
  [[nodiscard]] bool receive_one(std::size_t n) {
    T value{};
    if (!queues_[n]->queue.try_dequeue(queues_[n]->consumer, value)) return false;
    seats_[n].see(number_of(value));
    return true;
  }

 private:
  struct alignas(64) Queue {
    moodycamel::ConcurrentQueue<T> queue;
    moodycamel::ProducerToken producer{queue};
    moodycamel::ConsumerToken consumer{queue};
  };

  Seats& seats_;
  std::vector<std::unique_ptr<Queue>> queues_;
};
#endif

#ifdef BROOK_BENCH_BOOST
/// Calls while it publishes, and keeps nothing.
template <class T>
class SignalTopic {
 public:
  static constexpr const char* name = "Boost.Signals2 (calls)";

  explicit SignalTopic(Seats& seats) {
    for (Seat& seat : seats) signal_.connect([&seat](const T& value) { seat.see(number_of(value)); });
  }
  void publish(T&& value) { signal_(value); }
  void receive_all(std::size_t) {}

 private:
  boost::signals2::signal<void(const T&)> signal_;
};
#endif

#ifdef BROOK_BENCH_ZMQ
/// PUB and SUB sockets within the process, without a high-water mark: by default they drop beyond 1,000 messages.
template <class T>
class ZmqTopic {
 public:
  static constexpr const char* name = "ZeroMQ inproc";

  explicit ZmqTopic(Seats& seats) : seats_(seats) {
    allow_files();
    context_.set(zmq::ctxopt::max_sockets, static_cast<int>(seats.size() + 8));
    publisher_ = zmq::socket_t(context_, zmq::socket_type::pub);
    publisher_.set(zmq::sockopt::sndhwm, 0);
    publisher_.bind("inproc://topic");
    for (std::size_t i = 0; i < seats.size(); ++i) {
      zmq::socket_t socket(context_, zmq::socket_type::sub);
      socket.set(zmq::sockopt::rcvhwm, 0);
      socket.connect("inproc://topic");
      socket.set(zmq::sockopt::subscribe, "");
      subscribers_.push_back(std::move(socket));
    }
    await_subscribers();
  }
  void publish(T&& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      publisher_.send(zmq::message_t(value.data(), value.size()), zmq::send_flags::none);
    } else {
      publisher_.send(zmq::message_t(&value, sizeof value), zmq::send_flags::none);
    }
  }
  void receive_all(std::size_t n) {
    while (receive_one(n)) {}
  }
  [[nodiscard]] bool receive_one(std::size_t n) {
    zmq::message_t message;
    if (!subscribers_[n].recv(message, zmq::recv_flags::dontwait)) return false;
    std::uint64_t number = 0;
    std::memcpy(&number, message.data(), sizeof number);
    seats_[n].see(number);
    return true;
  }

 private:
  // Each socket has a file.
  static void allow_files() {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  // That somebody has subscribed reaches the publisher sooner or later; until then it drops what is for them.
  void await_subscribers() {
    zmq::message_t message;
    for (bool all = false; !all;) {
      publisher_.send(zmq::message_t(0), zmq::send_flags::none);
      all = true;
      for (auto& socket : subscribers_) all &= socket.recv(message, zmq::recv_flags::dontwait).has_value();
    }
    for (auto& socket : subscribers_) {
      while (socket.recv(message, zmq::recv_flags::dontwait)) {}
    }
  }

  Seats& seats_;
  zmq::context_t context_;
  zmq::socket_t publisher_;
  std::vector<zmq::socket_t> subscribers_;
};
#endif

/// Calls `add` with the type of each topic that this program was built with, brook's first.
template <class T, class Add>
void each_topic(Add add) {
  add(std::type_identity<ChannelTopic<T>>());
  add(std::type_identity<LockedTopic<T>>());
  add(std::type_identity<LockedLogTopic<T>>());
#ifdef BROOK_BENCH_CONCURRENTQUEUE
  add(std::type_identity<MoodycamelTopic<T>>());
#endif
#ifdef BROOK_BENCH_BOOST
  add(std::type_identity<SignalTopic<T>>());
#endif
#ifdef BROOK_BENCH_ZMQ
  add(std::type_identity<ZmqTopic<T>>());
#endif
}

}  // namespace bench
