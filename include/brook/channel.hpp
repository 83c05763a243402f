// channel.hpp — publish and subscribe: what is published to a channel reaches everyone who is subscribed to it then.
//
//   brook::Channel<Tick> ticks;
//   auto subscription = ticks.subscribe();
//   ticks.publish({"ACME", 12.5});
//   if (auto tick = subscription.receive(1s)) std::cout << (*tick)->price << '\n';
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>

#include <brook/channel/callback.hpp>
#include <brook/channel/membership.hpp>
#include <brook/channel/state.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/message.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/subscription.hpp>
#include <brook/wait.hpp>

namespace brook {

/// One topic (PUBLISH, SUBSCRIBE). A message is stored once, however many receive it, and they read it where it lies;
/// publishing to many costs what publishing to one costs, but for waking those who sleep. There is no history: a
/// subscription starts with what is published after subscribe() returned. Memory is freed, by whole segments (up to 64
/// KiB of messages, or 16), when the slowest subscription has passed.
///
/// Order: all subscriptions get the messages in one order; if one publish returned before another began, in theirs.
/// Visibility: what a thread did before publish() is visible to whoever receives the message.
///
/// Thread-safety: any member may be called at any time from any thread, but for the destructor. Publishing is
/// lock-free, but to subscriptions that make publishers wait or that publishers call: those take a lock. Exceptions:
/// std::bad_alloc, and what T's constructors throw. Nothing has changed then. T's destructor must not throw.
template <class T>
class Channel {
 public:
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "a Channel stores objects: T must be a non-const object type");

  Channel() : Channel(ChannelOptions{}) {}
  explicit Channel(const ChannelOptions& options) : state_(std::make_shared<State>(options)) {}

  /// Closes the channel. Precondition: no call of its own is running. Subscriptions and messages may live on.
  ~Channel() {
    state_->close();
    state_->let_go();
  }

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // — publishing —

  /// Publishes to everyone who is subscribed; how many subscriptions that are (PUBLISH): those that were there when the
  /// call began, give or take those that come or go meanwhile. 0 when the channel is closed. Where a subscription makes
  /// publishers wait, it waits for room in that one's backlog. O(1), but for waking who sleeps and calling who wants to
  /// be called.
  std::size_t publish(const T& value) requires std::copy_constructible<T> {
    if (state_->registry.audience().nobody()) return 0;
    auto payload = log::make_payload<T>(value);
    return state_->template publish<T>({std::addressof(payload), 1}).value_or(0);
  }
  std::size_t publish(T&& value) { return publish_movable(std::move(value), nullptr).value_or(0); }

  /// The same, waiting for room no longer than `wait` says. Errors: full when it does not wait; timed_out; cancelled;
  /// closed. A value that was to be moved in, of a type that moves without throwing, is then unchanged.
  expected<std::size_t, Errc> publish(const T& value, const Wait& wait) requires std::copy_constructible<T> {
    auto payload = log::make_payload<T>(value);
    return state_->template publish<T>({std::addressof(payload), 1}, &wait);
  }
  expected<std::size_t, Errc> publish(T&& value, const Wait& wait) { return publish_movable(std::move(value), &wait); }

  /// Publishes all values at one instant: with nothing between them, and sleepers are woken once. More than a backlog
  /// that makes publishers wait can hold are published when it is empty. How many subscriptions there were.
  template <std::ranges::input_range Range>
  requires std::constructible_from<T, std::ranges::range_reference_t<Range>> std::size_t publish_range(Range&& values) {
    return publish_all(std::forward<Range>(values), nullptr).value_or(0);
  }
  template <std::ranges::input_range Range>
  requires std::constructible_from<T, std::ranges::range_reference_t<Range>> expected<std::size_t, Errc> publish_range(
      Range&& values, const Wait& wait) {
    return publish_all(std::forward<Range>(values), &wait);
  }

  // — subscribing —

  /// Subscribes (SUBSCRIBE). To a closed channel: it has ended.
  [[nodiscard]] Subscription<T> subscribe(const SubscribeOptions& options = {}) {
    return probing::perform(*state_, {.operation = Operation::subscribe}, [&](const Manner& manner) {
      probing::begin(manner);
      return Subscription<T>(std::make_shared<channel::Membership<Payload>>(state_, options), state_->watched());
    });
  }

  /// Subscribes a function, which is called with each message, or with what was published, one call after the other.
  /// What it throws is told to `options.on_error`, counted, and harms nobody else. It may publish, subscribe, and
  /// unsubscribe. Throws std::system_error too when it is to have a thread of its own, and that cannot be started; there
  /// is no subscription then.
  template <MessageCallback<T> F>
  [[nodiscard]] CallbackSubscription subscribe(F function, const CallbackOptions& options = {}) {
    return probing::perform(*state_, {.operation = Operation::subscribe}, [&](const Manner& manner) {
      probing::begin(manner);
      return CallbackSubscription(channel::start_calling<T, channel::Source<T>>(std::move(function), options, state_));
    });
  }

  /// How many subscriptions there are (PUBSUB NUMSUB); those that share count as one.
  [[nodiscard]] std::size_t subscriptions() const noexcept { return state_->registry.audience().size(); }

  /// What there is now. O(subscriptions).
  [[nodiscard]] ChannelInfo info() const {
    const typename State::Locked locked(state_->registry);
    const auto end = state_->log.end();
    return {.subscriptions = subscriptions(),
            .published = end.added(),
            .kept = state_->registry.needed(end.added()),
            .closed = end.sealed};
  }

  /// From now on nothing is published, and every call that waits wakes; what has been published can still be received.
  /// Takes effect at one instant. May be called again.
  void close() {
    probing::close(*state_, [this] { state_->close(); });
  }
  [[nodiscard]] bool closed() const noexcept { return state_->log.sealed(); }

 private:
  friend const void* probed_as(const Channel& channel) noexcept { return channel.state_.get(); }

  using Payload = log::PayloadOf<T>;
  using State = channel::State<Payload>;

  friend const std::shared_ptr<State>& shared_state_of(const Channel& channel) noexcept { return channel.state_; }

  template <class Question, class Answer>
  friend class Requests;
  // Of what is published to somebody nothing is lost because who was there left (State).
  struct Strict {};
  Channel(const ChannelOptions& options, Strict) : state_(std::make_shared<State>(options, true)) {}

  // A value that can lie in a slot as it is goes straight from the caller's object.
  expected<std::size_t, Errc> publish_movable(T&& value, const Wait* wait) {
    if constexpr (std::is_same_v<Payload, T>) {
      return state_->template publish<T>({std::addressof(value), 1}, wait);
    } else {
      auto payload = log::make_payload<T>(std::move(value));
      return state_->template publish<T>({std::addressof(payload), 1}, wait);
    }
  }

  template <class Range>
  expected<std::size_t, Errc> publish_all(Range&& values, const Wait* wait) {
    auto payloads = log::make_payloads<T>(std::forward<Range>(values));
    if (payloads.empty()) return closed() ? expected<std::size_t, Errc>(unexpected(Errc::closed)) : subscriptions();
    return state_->template publish<T>({payloads.data(), payloads.size()}, wait);
  }

  std::shared_ptr<State> state_;
};

}  // namespace brook

#include <brook/channel/publishing.hpp>
