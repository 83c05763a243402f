// state.hpp — a list behind its lock: its elements, and who waits for some, or for room.
//
// Invariants   While somebody waits for elements there are none, and pushes are frozen, so that each comes here and
//              serves who has waited longest. While somebody waits for room there is none, and pops come here. So
//              nobody who waits is ever passed by one who comes later, and no wake-up is ever for nothing. Only a push
//              that drops the oldest passes those who wait for room: it would have to drop their elements as well.
// Serving      happens at the end of each operation (settle), under the locks of all lists that it may touch: who waits
//              to move an element on has the list that it goes to locked as well (blocking_list/locked.hpp).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list/callers.hpp>
#include <brook/blocking_list/elements.hpp>
#include <brook/blocking_list/line.hpp>
#include <brook/blocking_list/popped_in_place.hpp>
#include <brook/blocking_list/taken.hpp>
#include <brook/blocking_list/witness.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/later.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/slip.hpp>

namespace brook::blocking_list {

template <class T>
class State {
 public:
  using Payload = log::PayloadOf<T>;
  using Values = log::Values<Payload>;
  using Elements = blocking_list::Elements<Payload>;

  /// Whether elements may be used without the lock: they must move without throwing, there must be room for any, and
  /// nobody may watch.
  static constexpr bool lies_in_slot = log::LiesInSlot<T>;

  explicit State(const ListOptions& given) : options(given), elements(!plain(given)), plain_(plain(given)) { settle(); }

  [[nodiscard]] Clock& clock() const noexcept { return clock_or_system(options.clock); }
  /// The same for handles that may outlive the list: null when it is gone, and its clock perhaps with it.
  [[nodiscard]] Clock* clock_if_there() const noexcept {
    return standing.load(sync::seq_cst) == Standing::gone ? nullptr : &clock();
  }
  /// Whether operations are to go by the probe.
  [[nodiscard]] bool watched() const noexcept { return standing.load(sync::seq_cst) == Standing::watched; }
  Outcome ask(Call call, const Perform& perform) {
    call.kind = ObjectKind::list;
    call.object = this;
    call.clock = &clock();
    return options.probe->watch(call, perform);
  }

  /// Whether it ever can be used without the lock.
  [[nodiscard]] bool plain() const noexcept { return plain_; }

  /// Has all changes noted, before anybody else knows of the list. Throws std::bad_alloc, and then nothing has changed.
  void keep_record(std::shared_ptr<Witness<Payload>> with) {
    elements.watch(*with);
    witness_ = std::move(with);
    plain_ = false;
    settle();
  }
  /// Null where nobody notes what happens.
  [[nodiscard]] core::Recorder* recorder() const noexcept {
    return witness_ == nullptr ? nullptr : &witness_->recorder();
  }
  /// Why values cannot come in: they could not be noted. Else `told` is what will be. Throws std::bad_alloc, and what T's Codec
  /// throws.
  [[nodiscard]] std::optional<Errc> refuse(const Values& values, Told& told) const {
    if (witness_ == nullptr || witness_->encode(values, told)) [[likely]]
      return std::nullopt;
    return Errc::codec_error;
  }
  /// The same of the element at a side, there, of another list, or this one. With both locks.
  [[nodiscard]] std::optional<Errc> refuse_from(State& source, Side side) const {
    if (source.witness_ != nullptr) return std::nullopt;  // it was noted there
    Told ignored;
    return refuse({std::addressof(source.elements.end(side)), 1}, ignored);
  }
  /// Polls `come`, if the call waits, for as long as the options say; whether it came. `gathered()` is how many elements there
  /// were then.
  template <class Come, class Gathered>
  [[nodiscard]] bool poll(Clock::time_point deadline, Come& come, const Gathered& gathered) {
    if (deadline == Clock::time_point::min()) return false;
    const bool slipped = slip_.due(options.spin, deadline);
    if (slipped) slip_.wait();
    if (!wait::spin(slipped ? options.spin - wait::Slip::length : options.spin, come)) return false;
    if (slipped) slip_.end(gathered());
    return true;
  }
  /// What happened to a call that others served is as safe as what it did itself. Without the lock.
  void settle_record() const noexcept {
    if (witness_ != nullptr) [[unlikely]]
      witness_->recorder().settle();
  }

  /// Guards what of the elements takes the lock, and all that is here.
  [[nodiscard]] sync::mutex& mutex() noexcept { return elements.mutex; }

  const ListOptions options;
  sync::atomic<Standing> standing{standing_with(options.probe)};  // gone: sources live on
  Elements elements;
  Line<Popper<T>> poppers;
  Line<Pusher<T>> pushers;
  Line<Popper<T>> coming;  // those that wait at another list, or at this one, to move an element to this one
  std::size_t movers = 0;  // of the poppers, those that move their element on
  bool closed = false;
  sync::atomic<const void*> locked_with{nullptr};  // the same for lists that are locked together

  // — what takes the lock most often: elements that are together, and nobody who waits —

  /// False when it is more than that; the value is then as it was. Throws std::bad_alloc, and then nothing has changed.
  [[nodiscard, gnu::noinline, gnu::flatten]] bool push_together(Side side, Payload& value) {
    if (!elements.only_deque()) return false;
    elements.prefetch_deque();
    const sync::lock_guard<sync::mutex> held(mutex());
    if (closed || !elements.only_deque()) return false;
    elements.push_deque(side, std::move(value));
    if (!elements.only_deque()) settle();
    return true;
  }
  /// Hands the element to `use(Payload&&)`, which must not throw. Closed: it is more than that.
  template <class Use>
  [[nodiscard, gnu::noinline, gnu::flatten]] PopResult pop_together(Side side, const Use& use) noexcept {
    if (!elements.only_deque()) return PopResult::closed;
    elements.prefetch_deque();
    const sync::lock_guard<sync::mutex> held(mutex());
    if (!elements.only_deque()) return PopResult::closed;
    if (elements.empty()) {
      elements.keep_one();
      return PopResult::empty;
    }
    use(elements.pop_deque(side));
    if (!elements.only_deque()) settle();
    return PopResult::done;
  }

  // — with the lock —

  /// Whether there is room for so many, for one who comes now.
  [[nodiscard]] bool has_room(std::size_t values) const noexcept { return pushers.empty() && fits(values); }
  /// Pushes, in the order of the values. What a bounded list has then too much goes to who waits for elements, and what
  /// is left of it from the other end to `dropped`. Throws std::bad_alloc, and then nothing has changed.
  void push(Side side, const Values& values, std::vector<Payload>& dropped, const Told& told = {}) {
    struct Undo {
      Elements& elements;
      Side side;
      const Values& values;
      std::size_t done = 0;
      ~Undo() {
        while (done > 0) values.put_back(--done, elements.pop(side));
      }
    } undo{elements, side, values};
    elements.gather();
    if (options.capacity != no_limit) dropped.reserve(values.size());
    for (; undo.done < values.size(); ++undo.done)
      elements.push(side, std::move(values[undo.done]), told.of(undo.done));
    undo.done = 0;
    if (elements.size() > options.capacity) static_cast<void>(serve_or_wake());
    while (elements.size() > options.capacity) dropped.push_back(elements.pop(opposite(side)));
    elements.note_push(side);
  }

  /// Serves who can be served now; whether it was anybody. Throws std::bad_alloc: who could not be served has what it
  /// waits for, but must look for itself.
  bool serve() {
    bool any = false;
    while (serve_popper() || serve_pusher()) any = true;
    return any;
  }
  /// The same, at the end of an operation: who could not be served is woken instead.
  bool serve_or_wake() noexcept { return (!poppers.empty() || !pushers.empty()) && serve_or_wake_now(); }
  /// When nobody can be served: the ends can then be used without the lock as far as nobody waits there.
  void settle() noexcept { elements.settle(poppers.empty(), pushers.empty()); }

  /// Nothing is pushed any more, and everyone who waits looks again.
  void close() noexcept {
    closed = true;
    elements.seal();
    for (auto* place = poppers.first(); place != nullptr; place = place->behind) place->waiter.wake();
    for (auto* place = pushers.first(); place != nullptr; place = place->behind) place->waiter.wake();
    for (auto* place = coming.first(); place != nullptr; place = place->behind) place->waiter.wake();
  }

  /// Moves an element, which there is, to another list, which is locked as well, or to an end of this one. Throws
  /// std::bad_alloc, and then nothing has changed.
  void move_one(Side side, State& to, Side to_side) {
    if (&to == this && side == to_side) return;
    to.elements.gather();
    if (&to == this) {
      elements.rotate(side);
    } else {
      elements.about_to_take(side, 1);
      to.elements.push(to_side, std::move(elements.end(side)));
      static_cast<void>(elements.pop(side));
    }
    to.elements.note_push(to_side);
  }

  void join(Place<Popper<T>>& place) noexcept {
    elements.keep_one();
    poppers.join(place);
    movers += place.waiter.destination.list ? 1 : 0;
  }
  void leave(Place<Popper<T>>& place) noexcept {
    if (place.in_line) movers -= place.waiter.destination.list ? 1 : 0;
    poppers.leave(place);
  }

  void leave(Place<Pusher<T>>& place) noexcept { pushers.leave(place); }

  /// Without the lock: what was popped is in the list again (Elements::take_back()). A bounded list may be longer for a while.
  void take_back(Taken<Payload>& taken) noexcept {
    if (taken.empty() || taken.front().payloads.empty()) return;
    const core::Later later;
    const sync::unique_lock<sync::mutex> held(mutex());
    const core::Recording recording(recorder());
    elements.take_back(taken);
    serve_as_far_as_locked();
    settle();
  }

  /// Without the lock: leaves the line, if it is there, and needs no memory for it, as other lists' locks would. Those
  /// behind who move elements on must look for themselves.
  template <class Waiter>
  void abandon(Place<Waiter>& place) noexcept {
    const core::Later later;
    const sync::unique_lock<sync::mutex> held(mutex());
    const core::Recording recording(recorder());
    if (!place.in_line) return;
    leave(place);
    serve_as_far_as_locked();
    settle();
  }

 private:
  wait::Slip slip_;
  bool plain_;
  std::shared_ptr<Witness<Payload>> witness_;

  [[gnu::noinline]] bool serve_or_wake_now() noexcept {
    BROOK_TRY { return serve(); }
    BROOK_CATCH_ALL { wake_first(); }
    return false;
  }

  // Those who move elements on would need other lists' locks.
  void serve_as_far_as_locked() noexcept {
    if (movers > 0) wake_first();
    else static_cast<void>(serve_or_wake());
  }

  void wake_first() noexcept {
    if (!poppers.empty()) poppers.first()->waiter.wake();
    if (!pushers.empty()) pushers.first()->waiter.wake();
  }

  // Whether nobody can wait for room, and nobody is to be told of anything.
  [[nodiscard]] static bool plain(const ListOptions& options) noexcept {
    return lies_in_slot && options.capacity == no_limit && options.probe == nullptr;
  }

  // A bounded list has its elements together always.
  [[nodiscard]] bool fits(std::size_t values) const noexcept {
    return options.capacity == no_limit || values <= options.capacity - std::min(options.capacity, elements.size());
  }

  // While poppers wait all elements are together: there were none before a push.
  bool serve_popper() {
    Place<Popper<T>>* const first = poppers.first();
    if (first == nullptr) return false;
    elements.gather();
    if (elements.empty()) return false;
    Popper<T>& popper = first->waiter;
    if (asks_first(popper)) return false;
    wait::Decision decision(popper.bid);
    if (decision.over() || !popper.claim(this) || popper.served) {  // served: the list was given twice
      leave(*first);
      return true;
    }
    if (!decision.granted()) return false;  // it comes by, or leaves, once that is decided
    if (popper.destination.list) move_on(popper);
    else fill(popper);
    popper.from = this;
    if (!popper.served && !popper.refused) return true;
    if (popper.served) decision.take();
    leave(*first);
    popper.wake();
    return true;
  }

  // Whether a popper is to be served by another list, where an element was moved to while this one was being served.
  [[nodiscard]] bool asks_first(const Popper<T>& popper) const noexcept {
    const void* const with = locked_with.load(sync::relaxed);  // LY
    if (with == nullptr || popper.claimed_by() != nullptr) return false;
    for (State* const list : popper.lists) {
      if (list == this) break;
      if (list->locked_with.load(sync::relaxed) == with && list->elements.any()) return true;  // LY
    }
    return false;
  }

  void fill(Popper<T>& popper) {
    auto& got = popper.got();
    const std::size_t size = got.size() + std::min(popper.most - got.size(), elements.size());
    if (size > got.capacity()) got.reserve(std::max(size, std::min(popper.most, got.size() * 2)));
    while (got.size() < size) got.push_back(elements.pop(popper.side));
    popper.served = size >= popper.least;
    elements.note_pop(popper.side);
  }

  void move_on(Popper<T>& popper) {
    State& to = *popper.destination.list;
    if (to.closed) {
      popper.refused = Errc::closed;
    } else if (&to != this && !to.has_room(1)) {
      popper.refused = Errc::full;
    } else if (const auto refused = to.refuse_from(*this, popper.side)) {
      popper.refused = refused;
    } else {
      if constexpr (std::copy_constructible<T>)
        copy_to<T>(*popper.destination.copy, log::value_of<T>(elements.end(popper.side)));
      move_one(popper.side, to, popper.destination.side);
      elements.note_pop(popper.side);
      popper.served = true;
    }
  }

  bool serve_pusher() {
    Place<Pusher<T>>* const first = pushers.first();
    if (first == nullptr || closed || !fits(first->waiter.values.size())) return false;
    Pusher<T>& pusher = first->waiter;
    wait::Decision decision(pusher.bid);
    if (decision.over()) {
      pushers.leave(*first);
      return true;
    }
    if (!decision.granted()) return false;  // it comes by, or leaves, once that is decided
    std::vector<Payload> none;
    push(pusher.side, pusher.values, none, pusher.told);
    pusher.served = true;
    decision.take();
    pushers.leave(*first);
    pusher.wake();
    return true;
  }
};

}  // namespace brook::blocking_list
