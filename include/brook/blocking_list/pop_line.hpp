// pop_line.hpp — where a call waits for elements of a list, and perhaps for other things as well: what the cases of a
// selection (wait/selection.hpp) that pop have in common.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list/line.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/taking.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::blocking_list {

template <class T>
class PopLine : public wait::Case {
 public:
  PopLine(std::shared_ptr<State<T>> list, Side side, std::size_t most, const Destination<T>& destination = {})
      : list_(std::move(list)), side_(side), most_(most), destination_(destination) {}

  [[nodiscard]] Clock* clock() const noexcept override { return list_->clock_if_there(); }
  [[nodiscard]] wait::Found poll() override {
    const Locked<T> locked(*list_);
    take_out(*list_, side_, most_, polled_);
    if (!polled_.empty()) return wait::Found::some;
    return drained() ? wait::Found::over : wait::Found::nothing;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override {
    popper_.emplace(call, side_, 1, most_, bid);
    popper_->destination = destination_;
    popper_->got().reserve(1);
    place_.emplace(*popper_);
    coming_.emplace(*popper_);
    const auto locked = lock();
    list_->join(*place_);
    if (destination_.list) destination_.list->coming.join(*coming_);
  }
  [[nodiscard]] wait::Found look() override {
    const auto locked = lock();
    list_->serve();
    if (popper_->served) return wait::Found::some;
    const bool refused = popper_->refused || (destination_.list && destination_.list->closed);
    return refused || drained() ? wait::Found::over : wait::Found::nothing;
  }
  void withdraw() noexcept override {
    leave();
    list_->settle_record();  // before the call returns, or the handler is called
    if (destination_.list) destination_.list->settle_record();
  }
  [[nodiscard]] std::optional<Errc> settle(bool is_taken, const Wait& wait) override {
    const auto* const all = taken();
    const std::size_t count = is_taken && all != nullptr ? all->front().payloads.size() : 0;
    return watch(Operation::pop, wait, count, [this]() noexcept { give_back(); });
  }
  void give_back() noexcept override {
    if (auto* const all = taken()) list_->take_back(*all);
  }

 protected:
  void leave() noexcept {
    if (!place_) return;
    list_->abandon(*place_);
    if (destination_.list) {
      const sync::unique_lock<sync::mutex> held(destination_.list->mutex());
      destination_.list->coming.leave(*coming_);
    }
    place_.reset();
  }
  // What a probe of the list says to what was taken.
  template <class GiveBack>
  [[nodiscard]] std::optional<Errc> watch(Operation operation, const Wait& wait, std::size_t taken,
                                          const GiveBack& give_back) {
    if (taken == 0 || !list_->watched()) return std::nullopt;
    const Call call{.operation = operation, .size = most_, .wait = &wait, .prompt = this->prompt()};
    return probing::watch_taken(*list_, call, {.size = taken}, give_back);
  }
  // What was popped, at once or while it stood in line; null when nothing was.
  [[nodiscard]] Taken<log::PayloadOf<T>>* taken() noexcept {
    if (!polled_.empty()) return &polled_;
    return popper_ && !popper_->taken.empty() && !popper_->got().empty() ? &popper_->taken : nullptr;
  }
  [[nodiscard]] Errc why_not() const noexcept {
    return popper_ ? popper_->refused.value_or(Errc::closed) : Errc::closed;
  }
  // With the lock.
  [[nodiscard]] bool drained() const noexcept { return list_->closed && !list_->elements.any(); }

  const std::shared_ptr<State<T>> list_;
  const Side side_;
  const std::size_t most_;

 private:
  [[nodiscard]] Locked<T> lock() {
    return destination_.list ? Locked<T>(*list_, *destination_.list) : Locked<T>(*list_);
  }

  const Destination<T> destination_;
  Taken<log::PayloadOf<T>> polled_;
  std::optional<Popper<T>> popper_;
  std::optional<Place<Popper<T>>> place_;
  std::optional<Place<Popper<T>>> coming_;  // at the list that the element is to go to
};

}  // namespace brook::blocking_list
