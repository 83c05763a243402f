// into.hpp — a message for a name of a PubSub, published when every backlog has room, as a case of a selection
// (wait/selection.hpp). Part of pubsub.hpp, which includes it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/into.hpp>
#include <brook/log/payload.hpp>
#include <brook/message.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/pubsub.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/publishing.hpp>
#include <brook/pubsub/table.hpp>
#include <brook/wait.hpp>
#include <brook/wait/at_gate.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook {

namespace pubsub {

template <class T, class From>
class PublishCase final : public wait::Case {
 public:
  using Value = std::size_t;

  template <class Source>
  explicit PublishCase(Source&& into)
      : table_(into.state().table), name_(into.state().name), value_(std::forward<Source>(into).value()) {}

  [[nodiscard]] Clock* clock() const noexcept override { return table_->clock_if_there(); }

  [[nodiscard]] wait::Found poll() override {
    full_ = nullptr;
    receivers_ = table_->watched() ? publish_watched() : publish();
    if (full_ != nullptr) return wait::Found::nothing;
    return receivers_ ? wait::Found::some : wait::Found::over;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override {
    call_ = &call;
    bid_ = bid;
    go_to_gate();
  }
  // There is a gate at each feed.
  [[nodiscard]] wait::Found look() override {
    for (;;) {
      const auto ready = [this] { return at_ == full_ && at_->room_news() != news_; };
      const wait::Found found = line_.look(ready, [this] { return poll(); });
      if (found != wait::Found::nothing || at_ == full_) return found;
      go_to_gate();
    }
  }
  void withdraw() noexcept override { line_.withdraw(); }
  [[nodiscard]] std::optional<Errc> settle(bool, const Wait&) override {
    if (publishing_) publishing_->tell();
    return std::nullopt;
  }
  [[nodiscard]] expected<Value, Errc> result() const { return receivers_; }

 private:
  using State = typename Feed<T>::State;
  using Parcel = channel::Parcel<T>;

  void go_to_gate() {
    line_.withdraw();
    at_ = full_;
    line_.enlist(at_->room_gate(), *call_, bid_);
  }

  // Errors: full, when it is known where; closed.
  [[nodiscard]] expected<std::size_t, Errc> publish() {
    if (table_->closed()) return unexpected(Errc::closed);
    full_ = try_publish();
    if (full_ != nullptr) return unexpected(Errc::full);
    if (!publishing_->reached() && table_->closed()) return unexpected(Errc::closed);
    return publishing_->deliveries();
  }
  // As what does not wait, and holds a lock: that of a completion.
  [[nodiscard, gnu::noinline, gnu::cold]] expected<std::size_t, Errc> publish_watched() {
    const std::string_view topic = name_;
    const Call call{.operation = Operation::publish,
                    .topics = {&topic, 1},
                    .size = 1,
                    .values = GivenValues::of_one(log::value_of<T>(value_.payload())),
                    .locked = true};
    const auto run = [this](const Manner& manner) {
      probing::begin(manner);
      return publish();
    };
    return probing::watched<expected<std::size_t, Errc>>(*table_, call, run, [this]() -> expected<std::size_t, Errc> {
      if (table_->closed()) return unexpected(Errc::closed);
      return 0;
    });
  }

  // As Publishing. Of a value that moves without throwing nothing is taken as long as nobody gets it.
  [[nodiscard]] std::shared_ptr<State> try_publish() {
    T& value = log::value_of<T>(value_.payload());
    if (parcel_ == nullptr) parcel_ = std::make_shared<Parcel>(std::move(value), std::vector<std::string>{name_});
    const core::Undo undo([&] {
      if constexpr (std::is_nothrow_move_constructible_v<T>) {
        if (publishing_ && publishing_->reached()) return;
        std::destroy_at(std::addressof(value));
        std::construct_at(std::addressof(value), std::move(parcel_->value));
        parcel_ = nullptr;
      }
    });
    publishing_.emplace(*table_, parcel_);
    BROOK_TRY { return publishing_->try_publish(news_); }
    BROOK_CATCH_ALL {
      if (!publishing_->reached()) BROOK_RETHROW;
    }
    return nullptr;  // some have got it
  }

  const std::shared_ptr<Table<T>> table_;
  const std::string name_;
  log::Given<T, From> value_;
  std::shared_ptr<Parcel> parcel_;
  std::optional<Publishing<T>> publishing_;
  expected<std::size_t, Errc> receivers_ = unexpected(Errc::closed);
  std::uint64_t news_ = 0;
  std::shared_ptr<State> full_;  // where there was no room
  std::shared_ptr<State> at_;    // where it waits for some
  wait::Wakeable* call_ = nullptr;
  wait::Bid bid_;
  wait::AtGate line_;
};

/// Where a message goes.
template <class T>
struct Topic {
  std::shared_ptr<Table<T>> table;
  std::string name;
};

}  // namespace pubsub

template <class U, class Value>
class Into<PubSub<U>, Value> {
 public:
  using Case = pubsub::PublishCase<U, Value>;
  using Kept = KeptInto<pubsub::PublishCase<U, log::Kept<U>>, pubsub::Topic<U>, U>;

  Into(pubsub::Topic<U> to, Value&& value) : to_(std::move(to)), value_(std::forward<Value>(value)) {}

  // — for the library —

  [[nodiscard]] const pubsub::Topic<U>& state() const noexcept { return to_; }
  [[nodiscard]] Value&& value() const noexcept { return std::forward<Value>(value_); }
  [[nodiscard]] Kept keep() const { return Kept(to_, log::Kept<U>(value())); }

 private:
  pubsub::Topic<U> to_;
  Value&& value_;
};

/// A message that is to be published to a name, in a select or a completion, when every backlog there that makes publishers
/// wait has room. The value as in into() of a channel. Where there is no memory for all who are to get it, some may have got
/// it; that counts as published, and the answer is how many have.
template <class U, class Value>
requires std::constructible_from<U, Value>
[[nodiscard]] Into<PubSub<U>, Value> into(PubSub<U>& to, std::string_view name, Value&& value) {
  return {{shared_state_of(to), std::string(name)}, std::forward<Value>(value)};
}

}  // namespace brook
