// subscription.hpp — what a subscriber to a channel holds: it receives messages, or has them brought to a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
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
#include <brook/wait.hpp>

namespace brook {

template <class T>
class Subscription;
class CallbackSubscription;

namespace probing {

template <class T>
struct Answer<Message<T>> {
  static void tell(const Message<T>&, Outcome& outcome) noexcept { outcome.size = 1; }
};
template <class Payload, class Show>
struct Answer<BasicMessages<Payload, Show>> {
  static void tell(const BasicMessages<Payload, Show>& result, Outcome& outcome) noexcept {
    outcome.size = result.size();
  }
};
/// One that cannot be made is one that has ended.
template <class Ended>
struct AnswerOfSubscription {
  static void tell(const Ended& made, Outcome& outcome) noexcept { outcome.size = made.reason() ? 0 : 1; }
  [[nodiscard]] static Ended failed(Errc) noexcept { return {}; }
  [[nodiscard]] static Ended lost(const Call&) noexcept { return {}; }
};
template <class T>
struct Answer<Subscription<T>> : AnswerOfSubscription<Subscription<T>> {};
template <>
struct Answer<CallbackSubscription> : AnswerOfSubscription<CallbackSubscription> {};

}  // namespace probing

namespace channel {

/// What a subscription to a channel is made of.
template <class T>
struct Source {
  using Payload = log::PayloadOf<T>;
  using Membership = channel::Membership<Payload>;
  using Messages = brook::Messages<T>;

  template <class Hold>
  [[nodiscard]] static Message<T> message(const Hold& hold, std::uint32_t slot, std::uint64_t lost) noexcept {
    return {hold, log::value_of<T>(hold->slot(slot).payload()), lost};
  }
};

}  // namespace channel

/// A subscription: `for (const auto& tick : subscription)` receives until it ends. It gets every message that is
/// published after subscribe() returned, in the order of publishing, unless its backlog has no room (SubscribeOptions)
/// or it shares. It ends when it dies.
///
/// Thread-safety: one thread receives at a time, which takes no lock, unless it goes to sleep; those that share may
/// receive at once, and take a lock that they share. unsubscribe() and what only tells may be called from any thread.
/// Exceptions: std::bad_alloc from a call that waits. No message is lost then.
template <class T, class Source>
class BasicSubscription {
 public:
  /// What receive_batch() answers.
  using Messages = typename Source::Messages;
  /// For the library.
  using Membership = typename Source::Membership;

  /// Single-pass; ends when the subscription does.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Message<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = const Message<T>*;
    using reference = const Message<T>&;

    iterator() = default;
    [[nodiscard]] const Message<T>& operator*() const noexcept { return *message_; }
    [[nodiscard]] const Message<T>* operator->() const noexcept { return &*message_; }
    iterator& operator++() {
      auto next = from_->receive();
      message_.reset();
      if (next) message_.emplace(*std::move(next));
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept { return !at.message_; }

   private:
    friend class BasicSubscription;
    explicit iterator(BasicSubscription& from) : from_(&from) { ++*this; }

    BasicSubscription* from_ = nullptr;
    std::optional<Message<T>> message_;
  };

  /// One that has ended.
  BasicSubscription() = default;
  BasicSubscription(BasicSubscription&&) noexcept = default;
  BasicSubscription& operator=(BasicSubscription&& other) noexcept {
    if (this == &other) return *this;
    const BasicSubscription before(std::move(*this));
    membership_ = std::move(other.membership_);
    watched_ = std::move(other.watched_);
    return *this;
  }
  ~BasicSubscription() { unsubscribe(); }

  /// The next message, waiting for it as `wait` says. Errors: timed_out; cancelled; closed when nothing will come any
  /// more, for the reason that reason() tells. A message that is there wins over all of these but unsubscribe(). O(1).
  [[nodiscard]] expected<Message<T>, Errc> receive(const Wait& wait = forever) {
    expected<Message<T>, Errc> message = unexpected(Errc::closed);  // the one variable that is returned, without a move
    if (membership_ == nullptr) [[unlikely]]
      receive_watched(wait, message);
    else if (const auto failed =
                 membership_->receive_one(wait, [&](const auto& hold, std::uint32_t slot, std::uint64_t lost) noexcept {
                   message.emplace(Source::message(hold, slot, lost));
                 }))
      message = unexpected(*failed);
    return message;
  }

  /// The next message if there is one.
  [[nodiscard]] std::optional<Message<T>> try_receive() {
    auto message = receive(Wait());
    return message ? std::optional<Message<T>>(*std::move(message)) : std::nullopt;
  }

  /// All messages that there are, at most `most`; when there is none it waits for one as `wait` says, and answers with
  /// an empty batch when the time is up. Errors: cancelled; closed. O(1) and one more for each 64 KiB of messages.
  [[nodiscard]] expected<Messages, Errc> receive_batch(std::size_t most = no_limit, const Wait& wait = forever) {
    if (membership_ == nullptr) [[unlikely]]
      return receive_batch_watched(most, wait);
    return receive_batch_from(*membership_, most, wait);
  }

  /// Waits for the first message; each step of the iterator waits for the next.
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  /// Ends the subscription: what waits for it is dropped, and a receive() that waits answers `closed`. May be called
  /// again.
  void unsubscribe() noexcept {
    if (Membership* const membership = any()) membership->leave();
  }

  /// How many messages were dropped because the backlog had no room. Found out when receiving: up to date as of the
  /// last.
  [[nodiscard]] std::uint64_t lost() const noexcept { return any() != nullptr ? any()->lost() : 0; }
  /// How many messages wait to be received.
  [[nodiscard]] std::uint64_t waiting() const noexcept { return any() != nullptr ? any()->waiting() : 0; }
  /// Why nothing is published to it any more: cancelled when it was unsubscribed, closed when the channel was, full
  /// when it was too slow. Nothing while it is subscribed. Being too slow is found out when receiving.
  [[nodiscard]] std::optional<Errc> reason() const noexcept {
    return any() != nullptr ? any()->reason() : std::optional(Errc::cancelled);
  }

  /// For the library. `watched` says whether receiving is to go by a probe.
  explicit BasicSubscription(std::shared_ptr<Membership> membership, bool watched = false) noexcept {
    (watched ? watched_ : membership_) = std::move(membership);
  }

 protected:
  friend std::shared_ptr<Membership> membership_of(BasicSubscription& subscription) noexcept {
    return subscription.membership_ != nullptr ? subscription.membership_ : subscription.watched_;
  }

  /// For the library.
  [[nodiscard]] Membership* any() const noexcept { return membership_ != nullptr ? membership_.get() : watched_.get(); }

 private:
  [[nodiscard]] static expected<Messages, Errc> receive_batch_from(Membership& membership, std::size_t most,
                                                                   const Wait& wait) {
    if (most == 0) return Messages();
    channel::Batch<typename Source::Payload> batch;
    const auto failed = membership.receive(most, wait, batch);
    if (failed && *failed != Errc::timed_out) return unexpected(*failed);
    return Messages(std::move(batch.runs), batch.lost);
  }

  // Of a subscription that is watched, or has none.
  [[gnu::noinline, gnu::cold]] void receive_watched(const Wait& wait, expected<Message<T>, Errc>& message) {
    if (watched_ == nullptr) return;
    const Call call{.operation = Operation::receive, .size = 1, .wait = &wait};
    const auto run = [&](const Manner& manner) -> expected<Message<T>, Errc> {
      probing::begin(manner);
      channel::Batch<typename Source::Payload> batch;
      const Wait& how = manner.wait != nullptr ? *manner.wait : wait;
      if (const auto failed = watched_->receive(1, how, batch)) return unexpected(*failed);
      return Source::message(batch.runs.run(0).segment, batch.runs.run(0).first, batch.lost);
    };
    const auto lost = []() -> expected<Message<T>, Errc> { return unexpected(Errc::timed_out); };
    message = probing::watched<expected<Message<T>, Errc>>(*watched_, call, run, lost);
  }
  [[nodiscard, gnu::noinline, gnu::cold]] expected<Messages, Errc> receive_batch_watched(std::size_t most,
                                                                                         const Wait& wait) {
    if (watched_ == nullptr) return unexpected(Errc::closed);
    const Call call{.operation = Operation::receive, .size = most, .wait = &wait};
    const auto run = [&](const Manner& manner) {
      probing::begin(manner);
      return receive_batch_from(*watched_, most, manner.wait != nullptr ? *manner.wait : wait);
    };
    const auto lost = []() -> expected<Messages, Errc> { return Messages(); };
    return probing::watched<expected<Messages, Errc>>(*watched_, call, run, lost);
  }

  // One of the two: that a subscription is watched costs the others nothing. A completion may still refer to it when this
  // is gone.
  std::shared_ptr<Membership> membership_;
  std::shared_ptr<Membership> watched_;
};

/// A subscription to a channel.
template <class T>
class Subscription : public BasicSubscription<T, channel::Source<T>> {
 public:
  using BasicSubscription<T, channel::Source<T>>::BasicSubscription;

  /// For the library: as channel::Membership.
  [[nodiscard]] bool depart_if_last() noexcept { return this->any() != nullptr && this->any()->depart_if_last(); }
  /// For the library: whose time receive() takes.
  [[nodiscard]] Clock& clock() const noexcept {
    return clock_or_system(this->any() != nullptr ? this->any()->clock_if_there() : nullptr);
  }
};

/// A subscription that calls a function. It ends when this dies; what is said of unsubscribe() holds then too.
/// Thread-safety: any member may be called from any thread.
class CallbackSubscription {
 public:
  /// One that has ended.
  CallbackSubscription() = default;
  CallbackSubscription(CallbackSubscription&&) noexcept = default;
  CallbackSubscription& operator=(CallbackSubscription&& other) noexcept {
    if (this == &other) return *this;
    const CallbackSubscription before(std::move(*this));
    callback_ = std::move(other.callback_);
    return *this;
  }
  ~CallbackSubscription() { unsubscribe(); }

  /// Ends the subscription. Once it has returned the function is not running and will not be called again, unless this
  /// is called from within the function, which then is called for the last time. Two functions that end each other at
  /// once wait for each other for ever. May be called again.
  void unsubscribe() noexcept {
    if (callback_ != nullptr) callback_->end();
  }

  /// How many calls ended with an exception.
  [[nodiscard]] std::uint64_t failures() const noexcept { return callback_ != nullptr ? callback_->failures() : 0; }
  /// How many messages were dropped because the backlog had no room.
  [[nodiscard]] std::uint64_t lost() const noexcept { return callback_ != nullptr ? callback_->lost() : 0; }
  /// How many messages wait for a call.
  [[nodiscard]] std::uint64_t waiting() const noexcept { return callback_ != nullptr ? callback_->waiting() : 0; }
  /// As Subscription::reason.
  [[nodiscard]] std::optional<Errc> reason() const noexcept {
    return callback_ != nullptr ? callback_->reason() : std::optional(Errc::cancelled);
  }

  /// For the library.
  explicit CallbackSubscription(std::shared_ptr<channel::AnyCallback> callback) noexcept
      : callback_(std::move(callback)) {}

 private:
  std::shared_ptr<channel::AnyCallback> callback_;
};

}  // namespace brook
