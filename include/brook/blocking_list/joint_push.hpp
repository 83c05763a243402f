// joint_push.hpp — an element for a list that appears together with changes of other objects: a target of
// Delivery::forward. Part of blocking_list.hpp, which includes it. (Orders: blocking_list/locked.hpp.)
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/into.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/together.hpp>
#include <brook/options.hpp>

namespace brook {

namespace blocking_list {

template <class T, class From>
class PushCase;

/// The list is locked, and everybody kept out of it, until the decision.
template <class T>
class JointPush final : public log::Change {
 public:
  using Payload = log::PayloadOf<T>;

  JointPush(State<T>& list, Payload& payload) noexcept : list_(list), payload_(payload) {}

  [[nodiscard]] const void* object() const noexcept override { return &list_; }
  [[nodiscard]] core::Recorder* recorder() const noexcept override { return list_.recorder(); }

  [[nodiscard]] std::optional<Errc> prepare(const std::shared_ptr<log::Decision>& decision) override {
    Told told;
    if (const auto refused = list_.refuse({std::addressof(payload_), 1}, told)) return refused;
    sync::unique_lock held(list_.mutex());
    if (list_.closed) return Errc::closed;
    const bool drops = list_.options.overflow == Overflow::drop_oldest && list_.options.capacity > 0;
    if (!drops && !list_.has_room(1)) return Errc::full;
    if (list_.options.capacity != no_limit) {  // then the elements are together
      const std::size_t longest = list_.elements.size() + 1;
      dropped_.reserve(longest - std::min(longest, list_.options.capacity));
    }
    struct Settle {
      State<T>* list;
      ~Settle() {
        if (list != nullptr) list->settle();
      }
    } undo{&list_};
    record();
    core::Undo stop([this] { end_record(); });
    list_.elements.gather();
    list_.elements.push(Side::right, std::move(payload_), told.of(0));
    stop.keep();
    undo.list = nullptr;
    held_ = std::move(held);
    list_.locked_with.store(decision.get(), sync::relaxed);  // LY
    return std::nullopt;
  }

  // In one record with the push.
  void note() noexcept override {
    while (list_.elements.size() > list_.options.capacity) dropped_.push_back(list_.elements.pop(Side::left));
  }
  void finish() noexcept override {
    list_.elements.note_push(Side::right);
    moves_on_ = list_.movers > 0;
    if (!moves_on_) list_.serve_or_wake();
  }
  // Who waited at another target, too, has been served by the one that it asks first, if that could.
  void let_go() noexcept override {
    list_.locked_with.store(nullptr, sync::relaxed);  // LY
    if (!moves_on_) list_.serve_or_wake();
    unlock();
  }
  void withdraw() noexcept override {
    Payload back = list_.elements.pop(Side::right);
    std::destroy_at(std::addressof(payload_));
    std::construct_at(std::addressof(payload_), std::move(back));
    list_.locked_with.store(nullptr, sync::relaxed);  // LY
    unlock();
  }
  // Who waits to move the element on needs further locks; nobody else takes it meanwhile.
  void follow_up() noexcept override {
    if (moves_on_) const Locked<T> serve(list_);
  }

 private:
  void unlock() noexcept {
    list_.settle();
    end_record();
    held_.unlock();
  }
  void record() noexcept {
    recording_.start(list_.recorder());
    proposal_.start(list_.recorder());
  }
  void end_record() noexcept {
    proposal_.stop();
    recording_.stop();
  }

  State<T>& list_;
  Payload& payload_;
  sync::unique_lock<sync::mutex> held_;
  core::Recording recording_;
  core::Proposal proposal_;
  std::vector<Payload> dropped_;
  bool moves_on_ = false;
};

}  // namespace blocking_list

template <class U, class Value>
class Into<BlockingList<U>, Value> {
 public:
  using Added = Length<U>;

  Into(BlockingList<U>& to, Value&& value) : to_(to), value_(std::forward<Value>(value)) {}

  /// The change that it is; for one thread, and one forward.
  class Change {
   public:
    explicit Change(const Into& into)
        : to_(into.to_), value_(std::forward<Value>(into.value_)), push_(*into.to_.state_, value_.payload()) {}

    [[nodiscard]] log::Change* get() noexcept { return &push_; }
    [[nodiscard]] Added added() const noexcept { return to_.length(); }
    template <class Run>
    [[nodiscard]] std::optional<Errc> watch(const Run& run) {
      return blocking_list::watch_part(*to_.state_, {std::addressof(value_.payload()), 1}, run);
    }

   private:
    BlockingList<U>& to_;
    log::Given<U, Value> value_;
    blocking_list::JointPush<U> push_;
  };

  /// Waiting for room.
  using Case = blocking_list::PushCase<U, Value>;
  using Kept = KeptInto<blocking_list::PushCase<U, log::Kept<U>>, std::shared_ptr<blocking_list::State<U>>, U>;

  // — for the library —

  [[nodiscard]] std::shared_ptr<blocking_list::State<U>> state() const noexcept { return shared_state_of(to_); }
  [[nodiscard]] Value&& value() const noexcept { return std::forward<Value>(value_); }
  [[nodiscard]] Kept keep() const { return Kept(state(), log::Kept<U>(value())); }

 private:
  BlockingList<U>& to_;
  Value&& value_;
};

/// A value that is to be added at the right end of a list: in a forward, without waiting for room; in a select or a
/// completion when there is room, first come, first served. An rvalue of the list's own type is moved from only when that
/// succeeds, and must be there until then; anything else is copied or converted when the call begins. on_ready() and
/// async_ready() move it in at once, and keep it: it goes with them when there was no room.
template <class U, class Value>
requires std::constructible_from<U, Value>
[[nodiscard]] Into<BlockingList<U>, Value> into(BlockingList<U>& to, Value&& value) {
  return {to, std::forward<Value>(value)};
}

}  // namespace brook
