// line.hpp — where a consumer waits for deliveries, and perhaps for other things as well: a case of a selection
// (wait/selection.hpp). Part of consumer.hpp, which includes it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <brook/clock.hpp>
#include <brook/consumer.hpp>
#include <brook/core/config.hpp>
#include <brook/delivery.hpp>
#include <brook/error.hpp>
#include <brook/group/locked.hpp>
#include <brook/group/queue.hpp>
#include <brook/group/state.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream/retention.hpp>
#include <brook/wait.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook {

/// What is read: the source that makes the case.
template <class T>
struct Consumer<T>::ReadFrom {
  using Case = Line;
  Consumer consumer;
  ReadOptions options;
};

template <class T>
class Consumer<T>::Line final : public wait::Case {
 public:
  using Value = Deliveries<T>;

  explicit Line(ReadFrom what) : consumer_(std::move(what.consumer)), options_(std::move(what.options)) {}

  [[nodiscard]] Clock* clock() const noexcept override { return stream().clock_if_there(); }

  [[nodiscard]] wait::Found poll() override {
    failed_ = consumer_.refusal(options_);
    if (failed_) return wait::Found::over;
    Cursor cursor;
    failed_ = consumer_.take(options_, this->waits(), batch_, cursor);
    consumer_.settle(options_);
    return found();
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override {
    const group::Locked held(group());
    waiter_.emplace(call, consumer_.member_, options_, batch_, bid);
    place_.emplace(stream().gate, group().queue, *waiter_);
  }
  [[nodiscard]] wait::Found look() override {
    auto what = wait::Found::nothing;
    {
      const group::Locked held(group());
      if (!waiter_->served) failed_ = group().refusal(stream());
      if (failed_) place_.reset();  // so that the next one learns of it
      else serve();
      what = found();  // with the lock: whoever has it serves this call, too
    }
    consumer_.settle(options_);
    return what;
  }
  [[nodiscard]] Clock::time_point due() const noexcept override {
    return waiter_ ? waiter_->alarm : Clock::time_point::max();
  }
  void withdraw() noexcept override {
    const SettleRecord settle_record{group()};
    if (!place_) return;
    const group::Locked held(group());
    place_.reset();
  }
  [[nodiscard]] expected<Value, Errc> result() {
    if (failed_) return unexpected(*failed_);
    return Deliveries<T>(std::move(batch_));
  }
  [[nodiscard]] std::optional<Errc> settle(bool taken, const Wait& wait) override {
    if (!taken || !stream().watched()) return std::nullopt;
    const Call call{.operation = Operation::read,
                    .group = group().name,
                    .consumer = consumer_.name(),
                    .size = options_.count,
                    .wait = &wait,
                    .prompt = this->prompt()};
    Deliveries<T> deliveries(std::move(batch_));
    Outcome outcome;
    probing::Answer<Deliveries<T>>::tell(deliveries, outcome);
    batch_ = std::move(deliveries.batch_);
    const auto refused = probing::watch_taken(stream(), call, outcome, [this]() noexcept { give_back(); });
    if (!refused) batch_.watch();
    return refused;
  }
  // What cannot be given back stays pending with the consumer, unless it never was.
  void give_back() noexcept override {
    const Deliveries<T> deliveries(std::move(batch_));
    for (const auto& delivery : deliveries) {
      BROOK_TRY { static_cast<void>(delivery.nack({.delay = std::chrono::milliseconds(0), .uncounted = true})); }
      BROOK_CATCH_ALL {}
    }
  }

 private:
  using Queue = group::Queue<GroupState>;

  [[nodiscard]] StreamState& stream() const noexcept { return *consumer_.stream_; }
  [[nodiscard]] GroupState& group() const noexcept { return *consumer_.group_; }

  // With the group's mutex.
  void serve() {
    if (!waiter_->served) {
      group().queue.serve(stream(), group(), &*waiter_);
      if (waiter_->served) group().queue.wake_first();  // there may be something left for the next
    }
    if (waiter_->served) failed_ = waiter_->failed;
    else waiter_->alarm = group().next_due(group().roster.current(*consumer_.member_), options_);
  }
  [[nodiscard]] wait::Found found() const noexcept {
    if (failed_) return wait::Found::over;
    return batch_.empty() ? wait::Found::nothing
                          : wait::Found::some;  // when served with nothing, it has something else
  }

  const Consumer consumer_;
  const ReadOptions options_;
  Batch batch_;
  std::optional<Errc> failed_;
  std::optional<typename Queue::Waiter> waiter_;
  std::optional<typename Queue::Place> place_;
};

}  // namespace brook
