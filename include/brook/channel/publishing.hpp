// publishing.hpp — a message for a channel, published when every backlog has room, as a case of a selection
// (wait/selection.hpp). Part of channel.hpp, which includes it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <brook/channel.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/into.hpp>
#include <brook/log/payload.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>
#include <brook/wait/at_gate.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook {

namespace channel {

template <class T, class From>
class PublishCase final : public wait::Case {
 public:
  using Value = std::size_t;

  template <class Source>
  explicit PublishCase(Source&& into) : state_(into.state()), value_(std::forward<Source>(into).value()) {}

  [[nodiscard]] Clock* clock() const noexcept override { return state_->clock_if_there(); }

  [[nodiscard]] wait::Found poll() override {
    news_ = state_->room_news();
    bool performed = false;
    receivers_ = publish(performed);
    if (receivers_) return wait::Found::some;
    return performed && receivers_.error() == Errc::full ? wait::Found::nothing : wait::Found::over;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override { line_.enlist(state_->room_gate(), call, bid); }
  [[nodiscard]] wait::Found look() override {
    return line_.look([this] { return state_->room_news() != news_; }, [this] { return poll(); });
  }
  void withdraw() noexcept override { line_.withdraw(); }
  [[nodiscard]] std::optional<Errc> settle(bool, const Wait&) override {
    if (appended_) state_->tell(*appended_);
    return std::nullopt;
  }
  [[nodiscard]] expected<Value, Errc> result() const { return receivers_; }

 private:
  // As what does not wait, and holds a lock: that of a completion.
  [[nodiscard]] expected<std::size_t, Errc> publish(bool& performed) {
    const log::Values<log::PayloadOf<T>> value(std::addressof(value_.payload()), 1);
    const auto publish_now = [&](const Manner& manner) {
      probing::begin(manner);
      performed = true;
      return state_->offer(value, appended_);
    };
    if (!state_->watched()) return publish_now(Manner());
    const Call call{.operation = Operation::publish, .size = 1, .values = GivenValues::of<T>(value), .locked = true};
    return probing::watched<expected<std::size_t, Errc>>(*state_, call, publish_now,
                                                         [&] { return state_->lose(value); });
  }

  const std::shared_ptr<State<log::PayloadOf<T>>> state_;
  log::Given<T, From> value_;
  std::uint64_t news_ = 0;
  std::optional<log::Appended> appended_;  // nobody has been told of it yet
  expected<std::size_t, Errc> receivers_ = unexpected(Errc::closed);
  wait::AtGate line_;
};

}  // namespace channel

template <class U, class Value>
class Into<Channel<U>, Value> {
 public:
  using Case = channel::PublishCase<U, Value>;
  using Kept = KeptInto<channel::PublishCase<U, log::Kept<U>>, std::shared_ptr<channel::State<log::PayloadOf<U>>>, U>;

  Into(Channel<U>& to, Value&& value) : to_(to), value_(std::forward<Value>(value)) {}

  // — for the library —

  [[nodiscard]] std::shared_ptr<channel::State<log::PayloadOf<U>>> state() const noexcept {
    return shared_state_of(to_);
  }
  [[nodiscard]] Value&& value() const noexcept { return std::forward<Value>(value_); }
  [[nodiscard]] Kept keep() const { return Kept(state(), log::Kept<U>(value())); }

 private:
  Channel<U>& to_;
  Value&& value_;
};

/// A message that is to be published, in a select or a completion, when every backlog that makes publishers wait has room. An
/// rvalue of the channel's own type is moved from only when that succeeds, and must be there until then; anything else is
/// copied or converted when the call begins. on_ready() and async_ready() move it in at once, and keep it: it goes with them when
/// there was no room. Functions that are subscribed are called as by publish(): before the call returns, or before the
/// completion's handler is called, on that thread.
template <class U, class Value>
requires std::constructible_from<U, Value>
[[nodiscard]] Into<Channel<U>, Value> into(Channel<U>& to, Value&& value) { return {to, std::forward<Value>(value)}; }

}  // namespace brook
