// cases.hpp — elements of a list, moves to another one, and room in it, as cases of a selection (wait/selection.hpp).
// Part of blocking_list.hpp, which includes it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/moving.hpp>
#include <brook/blocking_list/pop_line.hpp>
#include <brook/blocking_list/pushing.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/taking.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/into.hpp>
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
class PopCase;
template <class T>
class PopManyCase;
template <class T>
class MoveCase;

// What is waited for: the sources that make the cases.

template <class T>
struct PopFrom {
  using Case = PopCase<T>;
  std::shared_ptr<State<T>> list;
  Side side;
};
template <class T>
struct PopManyFrom {
  using Case = PopManyCase<T>;
  std::shared_ptr<State<T>> list;
  Side side;
  std::size_t most;
};
template <class T>
struct MoveFrom {
  using Case = MoveCase<T>;
  std::shared_ptr<State<T>> from;
  std::shared_ptr<State<T>> to;
  Side from_side;
  Side to_side;
};
template <class T>
class PopCase final : public PopLine<T> {
 public:
  using Value = T;

  explicit PopCase(PopFrom<T> what) : PopLine<T>(std::move(what.list), what.side, 1) {}

  [[nodiscard]] expected<Value, Errc> result() {
    if (auto* const taken = this->taken()) return value_from<T>(taken->front().payloads.front());
    return unexpected(this->why_not());
  }
};

template <class T>
class PopManyCase final : public PopLine<T> {
 public:
  using Value = std::vector<T>;

  explicit PopManyCase(PopManyFrom<T> what) : PopLine<T>(std::move(what.list), what.side, what.most) {}

  [[nodiscard]] expected<Value, Errc> result() {
    if (auto* const taken = this->taken()) return values_of<T>(this->list_.get(), *taken);
    return unexpected(this->why_not());
  }
};

/// What it takes is a copy of what was moved.
template <class T>
class MoveCase final : public PopLine<T> {
 public:
  using Value = T;

  explicit MoveCase(MoveFrom<T> what)
      : PopLine<T>(std::move(what.from), what.from_side, 1, {what.to, what.to_side, &moved_}),
        to_(std::move(what.to)),
        to_side_(what.to_side) {}

  [[nodiscard]] wait::Found poll() override {
    const auto copy = [this](const T& element) { copy_to<T>(moved_, element); };
    refused_ = move_now<T>(*this->list_, *to_, this->side_, to_side_, copy);
    if (refused_) return wait::Found::over;
    if (moved_) return wait::Found::some;
    const Locked<T> locked(*this->list_);
    return this->drained() ? wait::Found::over : wait::Found::nothing;
  }
  // It cannot be taken back.
  [[nodiscard]] std::optional<Errc> settle(bool taken, const Wait& wait) override {
    return this->watch(Operation::move, wait, taken ? 1 : 0, []() noexcept {});
  }
  [[nodiscard]] expected<Value, Errc> result() {
    if (moved_) return std::move(moved_);
    return unexpected(refused_.value_or(this->why_not()));
  }

 private:
  const std::shared_ptr<State<T>> to_;
  const Side to_side_;
  expected<T, Errc> moved_ = unexpected(Errc::timed_out);
  std::optional<Errc> refused_;
};

/// A push at the right end.
template <class T, class From>
class PushCase final : public wait::Case {
 public:
  using Value = std::monostate;  // the length is not looked at when it is pushed

  template <class Source>
  explicit PushCase(Source&& into) : list_(into.state()), value_(std::forward<Source>(into).value()) {}

  [[nodiscard]] Clock* clock() const noexcept override { return list_->clock_if_there(); }
  [[nodiscard]] wait::Found poll() override {
    bool performed = false;
    const auto push_now = [&](const Wait* wait) {
      performed = true;
      return push_slowly<T>(*list_, Side::right, values(), wait);
    };
    const Wait none;
    watched_ = list_->watched();
    failed_ = watched_ ? watch_push(*list_, values(), &none, push_now, true) : push_now(&none);
    if (!failed_) return wait::Found::some;
    const bool may_fit = performed && failed_ == Errc::full && list_->options.capacity > 0;
    return may_fit ? wait::Found::nothing : wait::Found::over;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override {
    pusher_.emplace(call, Side::right, values(), bid);
    place_.emplace(*pusher_);
    const Locked<T> locked(*list_);
    list_->pushers.join(*place_);
  }
  [[nodiscard]] wait::Found look() override {
    const Locked<T> locked(*list_);
    list_->serve();
    failed_ = pusher_->served ? std::nullopt : std::optional(Errc::closed);
    if (pusher_->served) return wait::Found::some;
    return list_->closed ? wait::Found::over : wait::Found::nothing;
  }
  void withdraw() noexcept override {
    if (place_) list_->abandon(*place_);
    if (pusher_ && pusher_->served) failed_.reset();
    place_.reset();
    list_->settle_record();
  }
  // One that was pushed by who made room cannot be taken back.
  [[nodiscard]] std::optional<Errc> settle(bool taken, const Wait& wait) override {
    if (!taken || !watched_ || !pusher_) return std::nullopt;
    const Call call{.operation = Operation::push, .size = 1, .wait = &wait, .prompt = this->prompt()};
    return probing::watch_taken(
        *list_, call, {}, []() noexcept {}, std::nullopt);
  }
  [[nodiscard]] expected<Value, Errc> result() {
    if (failed_) return unexpected(*failed_);
    return Value();
  }

 private:
  [[nodiscard]] log::Values<log::PayloadOf<T>> values() noexcept { return {std::addressof(value_.payload()), 1}; }

  const std::shared_ptr<State<T>> list_;
  log::Given<T, From> value_;
  std::optional<Errc> failed_;
  bool watched_ = false;
  std::optional<Pusher<T>> pusher_;
  std::optional<Place<Pusher<T>>> place_;
};

}  // namespace brook::blocking_list
