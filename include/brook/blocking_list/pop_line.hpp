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
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override {
    popper_.emplace(call, side_, 1, most_, bid);
    popper_->destination = destination_;
    popper_->got.reserve(1);
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

 protected:
  void leave() noexcept {
    if (!place_) return;
    list_->abandon(*place_);
    if (destination_.list) {
      const sync::unique_lock<sync::mutex> held(destination_.list->mutex);
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
  // What was popped while it stood in line; null when nothing was.
  [[nodiscard]] Popper<T>* popper() noexcept { return popper_ && popper_->served ? &*popper_ : nullptr; }
  [[nodiscard]] Errc why_not() const noexcept {
    return popper_ ? popper_->refused.value_or(Errc::closed) : Errc::closed;
  }
  // What was popped is at its end of the list again; lost where there is no memory for that.
  template <class Values>
  void put_back(Values&& values) noexcept {
    BROOK_TRY {
      std::vector<log::PayloadOf<T>> popped;
      popped.reserve(values.size());
      for (auto&& value : values) popped.push_back(log::make_payload<T>(std::move(value)));
      blocking_list::put_back<T>(*list_, side_, popped);
    }
    BROOK_CATCH_ALL {}
  }
  void put_back_served() noexcept {
    BROOK_TRY {
      if (Popper<T>* const served = popper()) blocking_list::put_back<T>(*list_, side_, served->got);
    }
    BROOK_CATCH_ALL {}
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
  std::optional<Popper<T>> popper_;
  std::optional<Place<Popper<T>>> place_;
  std::optional<Place<Popper<T>>> coming_;  // at the list that the element is to go to
};

}  // namespace brook::blocking_list
