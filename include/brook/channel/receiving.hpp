// receiving.hpp — messages of a subscription, as a case of a selection (wait/selection.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <brook/channel/line.hpp>
#include <brook/channel/returned.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/message.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/subscription.hpp>
#include <brook/wait.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::channel {

template <class Source, class Shape>
class Receiving;

/// What is received: the source that makes the case. `Shape` makes one message or several of what came.
template <class Source, class Shape>
struct ReceiveFrom {
  using Case = Receiving<Source, Shape>;
  std::shared_ptr<typename Source::Membership> membership;  // null of one that has ended
  std::size_t most;
};

template <class T, class Source>
struct OneMessage {
  using Value = Message<T>;
  template <class Payload>
  [[nodiscard]] static Value of(Batch<Payload>&& batch) noexcept {
    return Source::message(batch.runs.run(0).segment, batch.runs.run(0).first, batch.lost);
  }
};
template <class Source>
struct AllMessages {
  using Value = typename Source::Messages;
  template <class Payload>
  [[nodiscard]] static Value of(Batch<Payload>&& batch) noexcept {
    return Value(std::move(batch.runs), batch.lost);
  }
};

template <class Source, class Shape>
class Receiving final : public wait::Case {
 public:
  using Value = typename Shape::Value;

  explicit Receiving(ReceiveFrom<Source, Shape> what) : membership_(std::move(what.membership)), most_(what.most) {
    if (membership_ != nullptr) line_.emplace(*membership_, what.most, loan_.batch());
  }

  [[nodiscard]] Clock* clock() const noexcept override {
    return membership_ != nullptr ? membership_->clock_if_there() : nullptr;
  }
  [[nodiscard]] wait::Found poll() override { return line_ ? line_->poll() : wait::Found::over; }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override { line_->enlist(call, bid); }
  [[nodiscard]] wait::Found look() override { return line_->look(); }
  void withdraw() noexcept override {
    if (line_) line_->withdraw();
  }
  [[nodiscard]] expected<Value, Errc> result() {
    if (loan_.batch().runs.size() == 0) return unexpected(Errc::closed);
    return Shape::of(std::move(loan_.batch()));
  }
  [[nodiscard]] std::optional<Errc> settle(bool taken, const Wait& wait) override {
    if (!taken || !membership_->watched()) return std::nullopt;
    const Call call{.operation = Operation::receive, .size = most_, .wait = &wait, .prompt = this->prompt()};
    return probing::watch_taken(*membership_, call, {.size = loan_.batch().runs.size()},
                                [this]() noexcept { give_back(); });
  }
  void give_back() noexcept override { membership_->give_back(loan_); }

 private:
  const std::shared_ptr<typename Source::Membership> membership_;
  const std::size_t most_;
  Loan<typename Source::Payload> loan_;
  std::optional<typename Source::Membership::Line> line_;
};

}  // namespace brook::channel
