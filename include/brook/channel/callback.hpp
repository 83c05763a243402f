// callback.hpp — a subscription that calls a function: on the threads of publishers, or on one of its own.
//
// Calls are made one at a time, in the order of the messages. A publisher that finds another one calling leaves its
// message to that one (wait/turn.hpp), and so does a callback that publishes: nobody waits, and nothing is called
// within a call.
//
// Ending   Whoever ends it waits until the function is not running; the function itself does not.
//
// Memory orders
//   row  thread  operation     order    meets  because
//   CN   doer    write doer_   relaxed  -      who asks whether it is the doer itself: that it knows. A doer takes its name off
//                                              before it is done, so nobody finds an old one of its own
//   CO   anyone  count         relaxed  -      a number
// Proof    tests/model/turn_model.cpp, tests/model/channel_model.cpp, tests/stress/channel_stress.cpp
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <brook/channel/membership.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>
#include <brook/wait/turn.hpp>

namespace brook {

/// A function that can be subscribed: it takes a message, or what was published.
template <class F, class T>
concept MessageCallback = std::invocable<F&, const T&> || std::invocable < F&,
        const Message<T>
& > ;

}  // namespace brook

namespace brook::channel {

/// A function that is subscribed, whatever it is subscribed to.
class AnyCallback : public Called {
 public:
  /// The function is not running, unless it is this that ends it, and will not run again.
  virtual void end() noexcept = 0;

  [[nodiscard]] virtual std::uint64_t lost() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t waiting() const noexcept = 0;
  [[nodiscard]] virtual std::optional<Errc> reason() const noexcept = 0;
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.load(sync::relaxed); }  // CO

 protected:
  sync::atomic<std::uint64_t> failures_{0};
};

/// What is the same for both kinds. `Source` is what it is subscribed to.
template <class T, class Source>
class Callback : public AnyCallback {
 public:
  using Function = std::function<void(const Message<T>&)>;

  Callback(Function function, const CallbackOptions& options)
      : function_(std::move(function)), on_error_(options.on_error) {}

  [[nodiscard]] std::uint64_t lost() const noexcept override { return membership_->lost(); }
  [[nodiscard]] std::uint64_t waiting() const noexcept override { return membership_->waiting(); }
  [[nodiscard]] std::optional<Errc> reason() const noexcept override { return membership_->reason(); }

 protected:
  /// Receives one message and calls the function; false when there is none.
  [[nodiscard]] bool call_next(const Wait& wait) noexcept {
    std::optional<Message<T>> message;
    std::optional<Errc> failed;
    BROOK_TRY {
      failed = membership_->receive_one(wait, [&](const auto& hold, std::uint32_t slot, std::uint64_t lost) noexcept {
        message.emplace(Source::message(hold, slot, lost));
      });
    }
    BROOK_CATCH_ALL {
      sync::yield();
      return true;  // there was no memory to wait with: it looks again
    }
    if (failed) return false;
    BROOK_TRY { function_(*message); }
    BROOK_CATCH_ALL { report(); }
    return true;
  }

  /// For the thread that called the function: it will not do so any more.
  void out() noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    is_out_ = true;
    went_out_.notify_all();
  }
  void wait_until_out() noexcept {
    sync::unique_lock<sync::mutex> held(mutex_);
    while (!is_out_) went_out_.wait(held);
  }

  std::optional<typename Source::Membership> membership_;

 private:
  void report() noexcept {
    this->failures_.fetch_add(1, sync::relaxed);  // CO
    if (on_error_) on_error_(std::current_exception());
  }

  const Function function_;
  const std::function<void(std::exception_ptr)> on_error_;
  sync::mutex mutex_;
  sync::condition_variable went_out_;
  bool is_out_ = false;
};

/// Called by publishers.
template <class T, class Source>
class CalledByPublishers final : public Callback<T, Source> {
 public:
  using Callback<T, Source>::Callback;

  /// `to` is what a membership is made with, but for its options. Throws std::bad_alloc.
  template <class... To>
  void start(std::shared_ptr<Called> self, const CallbackOptions& options, To&&... to) {
    this->membership_.emplace(std::forward<To>(to)..., options, std::move(self));
    do_turn();
  }

  void call() noexcept override {
    if (turn_.ask()) do_turn();
  }

  void end() noexcept override {
    this->membership_->leave(*this);
    if (turn_.end()) return this->out();                           // or who ends it again would wait for a doer
    if (doer_.load(sync::relaxed) == sync::this_thread()) return;  // CN
    this->wait_until_out();
  }

 private:
  void do_turn() noexcept {
    std::uint64_t requests = 1;
    wait::Turn::Done done;
    do {
      doer_.store(sync::this_thread(), sync::relaxed);  // CN
      while (!turn_.ended() && this->call_next(Wait())) {}
      doer_.store({}, sync::relaxed);  // CN
      done = turn_.done(requests);
    } while (done == wait::Turn::Done::more);
    if (done == wait::Turn::Done::ended) this->out();
  }

  wait::Turn turn_;
  sync::atomic<sync::thread::id> doer_{};
};

/// Called by a thread of its own, which ends with it, or when the channel is closed and all has been received.
template <class T, class Source>
class CalledByItself final : public Callback<T, Source> {
 public:
  using Callback<T, Source>::Callback;
  ~CalledByItself() override {
    if (thread_.joinable()) thread_.detach();  // it is this thread that lets go of itself last
  }

  /// As above. Throws std::system_error too, when there can be no more threads.
  template <class... To>
  void start(std::shared_ptr<CalledByItself> self, const CallbackOptions& options, To&&... to) {
    this->membership_.emplace(std::forward<To>(to)...,
                              SubscribeOptions{.backlog = options.backlog, .overflow = options.overflow});
    Clock& clock = this->membership_->clock();
    clock.expect_thread();
    core::Undo expected([&] { clock.thread_failed(); });
    const sync::unique_lock<sync::mutex> held(starting_);
    thread_ = sync::thread([self = std::move(self), &clock] {
      clock.thread_came();
      while (self->call_next(forever)) {}
      self->out();
    });
    expected.keep();
  }

  void call() noexcept override {}

  void end() noexcept override {
    this->membership_->leave();
    if (is_this_thread()) return;
    this->wait_until_out();  // without the lock: the function may be ending it, too
    const sync::unique_lock<sync::mutex> held(starting_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  [[nodiscard]] bool is_this_thread() noexcept {
    const sync::unique_lock<sync::mutex> held(starting_);
    return thread_.get_id() == sync::this_thread();
  }

  sync::mutex starting_;  // a function may end its subscription before it has a name
  sync::thread thread_;
};

/// A call as the probe of what is subscribed to wants it: without the call the message is lost.
template <class T, class Object, class... Rest>
[[nodiscard]] std::function<void(const Message<T>&)> watched_call(std::function<void(const Message<T>&)> call,
                                                                  const std::shared_ptr<Object>& object,
                                                                  const Rest&...) {
  if (!object->watched()) return call;
  return [call = std::move(call), object](const Message<T>& message) {
    static_cast<void>(
        probing::perform(*object, {.operation = Operation::receive, .size = 1}, [&](const Manner& manner) {
          probing::begin(manner);
          call(message);
          return true;
        }));
  };
}

/// Subscribes a function to what `to` says.
template <class T, class Source, class F, class... To>
[[nodiscard]] std::shared_ptr<AnyCallback> start_calling(F function, const CallbackOptions& options, To&&... to) {
  std::function<void(const Message<T>&)> call = [kept = std::make_shared<F>(std::move(function))](const auto& message) {
    if constexpr (std::invocable<F&, const T&>) static_cast<void>(std::invoke(*kept, *message));
    else static_cast<void>(std::invoke(*kept, message));
  };
  call = watched_call(std::move(call), to...);
  if (options.thread == CallOn::own_thread) {
    auto callback = std::make_shared<CalledByItself<T, Source>>(std::move(call), options);
    callback->start(callback, options, std::forward<To>(to)...);
    return callback;
  }
  auto callback = std::make_shared<CalledByPublishers<T, Source>>(std::move(call), options);
  callback->start(callback, options, std::forward<To>(to)...);
  return callback;
}

}  // namespace brook::channel
