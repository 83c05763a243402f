// elements.hpp — the elements of a list: a lock-free queue, and before it what has been gathered for other uses.
//
// Order     front_, then the queue. The queue is popped at the side where front_ is, and pushed to at the other; which
//           is the left one and which the right one may change while there are no elements (direction).
// States    queue      front_ is empty: both ends are open
//           front      front_ is not: pops take the lock, pushes need not
//           together   all elements are in front_, both ends are frozen, and every operation is that of a deque
//           returned   elements that were popped have come back, and there was no memory to put them in their places:
//                      both ends are frozen, and every operation first tries that again
//           What is pushed and popped at the queue's two ends only, a few times in a row, leads back to `queue`.
// Lines     What operations on the deque write lies in two cache lines, the first of which they have with the mutex; what
//           they only read, in others.
// Cost      each element is moved to front_ once at most, so operations other than the queue's cost O(1) for each
//           element that was pushed since the last of them.
//
// Memory orders
//   row  thread  operation              order    meets  because
//   LZ   anyone  whether there is only  relaxed  -      a hint: who then has the lock looks again
//                the deque
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <brook/blocking_list/cut.hpp>
#include <brook/blocking_list/fifo.hpp>
#include <brook/blocking_list/lazy_deque.hpp>
#include <brook/blocking_list/popped_in_place.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/blocking_list/taken.hpp>
#include <brook/blocking_list/witness.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>

namespace brook::blocking_list {

template <class Payload>
class Elements {
 public:
  alignas(core::cache_line) sync::mutex mutex;  // for all but what is `without the lock`

  using Queue = Fifo<Payload>;
  using Values = log::Values<Payload>;
  using Bytes = std::span<const std::byte>;

  /// `always_together` for a list that is never to be used without the lock.
  explicit Elements(bool always_together) : always_together_(always_together), together_(always_together) {}

  /// From now on all operations take the lock, and who notes them is told. Throws std::bad_alloc, and then nothing has changed.
  void watch(Witness<Payload>& witness) {
    gather();
    always_together_ = true;
    witness_ = &witness;
  }

  // — without the lock —

  /// False when it takes the lock.
  [[nodiscard]] bool push_now(Side side, Payload& value) noexcept { return queue_.push(value, pushed_at(side)); }
  [[nodiscard]] bool push_now(Side side, const Values& values) noexcept { return queue_.push(values, pushed_at(side)); }
  [[gnu::always_inline]] PoppedInPlace<Payload> pop_now(Side side) noexcept { return queue_.pop(popped_at(side)); }
  template <class Prepare, class Use>
  [[nodiscard]] PopResult pop_now(Side side, std::size_t least, std::size_t most, Prepare&& prepare, Use&& use) {
    return queue_.pop_some(least, most, popped_at(side), prepare, use);
  }

  /// Has the deque's line fetched together with the mutex's: who has to wait for both then waits once.
  void prefetch_deque() const noexcept { core::prefetch(reinterpret_cast<const std::byte*>(this) + core::cache_line); }

  /// Elements that are known to be there for pops without the lock. A hint.
  [[nodiscard]] std::size_t ahead() const noexcept { return queue_.ahead(); }
  /// Whether pushes and pops have to do with the deque and nothing else: all elements are there, and nobody waits for some, watches
  /// or saves them; nor for room, as there is no bound. A hint, but for who has the lock.
  [[nodiscard]] bool only_deque() const noexcept { return only_deque_.load(sync::relaxed); }  // LZ
  /// Whether there may be memory to give back once there are no elements. A hint.
  [[nodiscard]] bool keeps_several() const noexcept { return queue_.keeps_several(); }

  // — with the lock —

  /// Makes a push that took the lock possible without it, if that is what was wrong; if it takes `room`, that must be made before
  /// this is called again. Throws std::bad_alloc.
  [[nodiscard]] bool make_way(Side side, std::size_t values, Room<Payload>& room) {
    if (together_ || !open_ || values > Queue::most_at_once) return false;
    if (direction_ != pushed_at(side)) return false;
    static_cast<void>(queue_.grow(values, room));
    return true;
  }

  /// The same for a pop.
  [[nodiscard]] bool make_way(Side side) noexcept {
    if (together_ || !pops_open_ || popped_at(side) != direction_) return false;
    return (open_ || queue_.sealed()) && queue_.go_on();
  }

  /// All elements are in one deque from now on. Throws std::bad_alloc, and then some are.
  void gather() {
    if (!together_) gather_from_queue();
    if (!returned_.empty()) [[unlikely]]
      put_in_places();
  }

  // These need only_deque(). When it does not hold behind them any more, settle() is due.
  /// Throws std::bad_alloc, and then nothing has changed.
  void push_deque(Side side, Payload&& payload) {
    push_to_front(side, std::move(payload));
    note_push(side);
  }
  /// Requires an element.
  [[nodiscard]] Payload pop_deque(Side side) noexcept {
    note_pop(side);
    return pop_from_front(side);
  }

  /// What was popped is at its sides again, what was popped last first. Needs no memory: where there is none it is in its place
  /// only behind the next gather() that does not throw.
  void take_back(Taken<Payload>& taken) noexcept {
    queue_.freeze();
    returned_.splice(returned_.end(), taken);
    BROOK_TRY { gather(); }
    BROOK_CATCH_ALL {}
  }

  /// Nobody pushes or pops without the lock.
  void freeze() noexcept { queue_.freeze(); }

  // These need gather().
  [[nodiscard]] std::size_t size() const noexcept { return front_.size(); }
  [[nodiscard]] bool empty() const noexcept { return front_.empty(); }
  /// The i-th element from the left.
  [[nodiscard]] Payload& at(std::size_t i) noexcept { return front_[where(i)]; }
  /// `told` is what is noted of it, where that was made before (blocking_list/witness.hpp). Throws std::bad_alloc, and then nothing
  /// has changed.
  void push(Side side, Payload&& payload, Bytes told = {}) {
    if (witness_ == nullptr) [[likely]]
      return push_unseen(side, std::move(payload));
    push_seen(side, std::move(payload), told);
  }
  /// Before the i-th element from the left, or at the end. Throws std::bad_alloc, and then nothing has changed.
  /// O(n) from the nearer end.
  void insert(std::size_t i, Payload&& payload, Bytes told = {}) {
    if (!cuts_.empty()) cuts_.before_changes(front_);
    if (witness_ != nullptr) witness_->inserted(i, payload, told);
    core::Undo undo([&] {
      if (witness_ != nullptr) witness_->removed(i);
    });
    const Side side = i < size() / 2 ? Side::left : Side::right;
    std::size_t at = side == Side::left ? 0 : size();
    push_unseen(side, std::move(payload));
    undo.keep();
    for (; at < i; ++at) swap_with_next(at);
    for (; at > i; --at) swap_with_next(at - 1);
  }
  /// To be called before elements at a side are moved from, if pop() comes only then. After gather().
  void about_to_take(Side side, std::size_t count) noexcept {
    if (!cuts_.empty()) [[unlikely]]
      tell_cuts(side, count);
  }
  /// The element at a side. Both require one.
  [[nodiscard]] Payload& end(Side side) noexcept { return before_front(side) ? front_.front() : front_.back(); }
  [[nodiscard]] Payload pop(Side side) noexcept {
    if (witness_ != nullptr) [[unlikely]]
      witness_->popped(side);
    return pop_unseen(side);
  }
  /// The i-th element for the one that was given.
  void trade(std::size_t i, Payload& payload, Bytes told = {}) noexcept {
    if (!cuts_.empty()) cuts_.before_changes(front_);
    if (witness_ != nullptr) witness_->replaced(i, payload, told);
    Payload taken = std::move(at(i));
    replace(at(i), std::move(payload));
    replace(payload, std::move(taken));
  }
  void give_all(std::deque<Payload>& to) noexcept {
    if (!cuts_.empty()) cuts_.before_changes(front_);
    if (witness_ != nullptr) witness_->cleared();
    front_.swap(to);
  }
  /// Elements [from, to) are all that is kept; the others are handed to `drop(Payload&&)`, which must not throw.
  template <class Drop>
  void keep(std::size_t from, std::size_t to, Drop&& drop) noexcept {
    for (std::size_t n = size(); n > to; --n) drop(pop(Side::right));
    for (; from > 0; --from) drop(pop(Side::left));
  }
  /// Elements for which `gone(i)` are handed to `drop(Payload&&)`; neither throws.
  template <class Gone, class Drop>
  void remove(Gone&& gone, Drop&& drop) noexcept {
    if (!cuts_.empty()) cuts_.before_changes(front_);
    std::size_t kept = 0;
    const std::size_t n = size();
    for (std::size_t i = witness_ != nullptr ? n : 0; i-- > 0;) {
      if (gone(i)) witness_->removed(i);
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (gone(i)) {
        drop(std::move(at(i)));
        continue;
      }
      if (kept != i) replace(at(kept), std::move(at(i)));
      ++kept;
    }
    for (std::size_t i = n; i > kept; --i) static_cast<void>(pop_unseen(Side::right));
  }

  /// The element at a side, which there is, goes to the other one. Throws std::bad_alloc, and then nothing has changed.
  void rotate(Side side) {
    about_to_take(side, 1);
    push(opposite(side), std::move(end(side)));
    static_cast<void>(pop(side));
  }

  /// For pops at a side. Throws std::bad_alloc.
  void prepare_pop(Side side) {
    if ((!together_ && popped_at(side) != direction_) || !returned_.empty()) gather();
    queue_.freeze_pops();
  }
  /// No fewer than there are now, if these are fewer than `enough`; else that many or more. O(segments). After prepare_pop().
  [[nodiscard]] std::size_t at_most(std::size_t enough) noexcept {
    const std::size_t in_front = front_.size();
    return in_front + (together_ || in_front >= enough ? 0 : queue_.at_most(enough - in_front));
  }
  /// Whether there are at least so many. O(as many). After prepare_pop().
  [[nodiscard]] bool has(std::size_t least) noexcept {
    const std::size_t in_front = front_.size();
    return in_front >= least || (!together_ && queue_.has(least - in_front));
  }
  /// Pops up to `most` elements at a side; how many. At one instant if it is one, or that of at_most(), if that is
  /// given. `use(Payload&&)` must not throw. After prepare_pop().
  template <class Use>
  std::size_t pop_some(Side side, std::size_t most, std::size_t at_most, Use&& use) noexcept {
    if (!cuts_.empty() && !together_) cuts_.before_pops(most, front_);
    std::size_t popped = 0;
    for (; popped < most && !front_.empty(); ++popped) use(pop(side));
    if (together_ || popped == most) return popped;
    const std::size_t from_queue = queue_.take_all(most - popped, at_most - popped, use);
    if (!cuts_.empty()) cuts_.popped(from_queue);
    return popped + from_queue;
  }

  /// Whether there is one.
  [[nodiscard]] bool any() noexcept {
    queue_.freeze();
    return !front_.empty() || !returned_.empty() || (!together_ && queue_.has(1));
  }
  /// How many there are. O(n) but where they are together.
  [[nodiscard]] std::size_t count() noexcept {
    queue_.freeze();
    std::size_t elements = front_.size() + (together_ ? 0 : queue_.count());
    for (const Batch<Payload>& batch : returned_) elements += batch.payloads.size();
    return elements;
  }

  /// Whether the elements stay together depends on what is done with them: to be told of each operation.
  void note_push(Side side) noexcept { note(pushed_at(side) == direction_); }
  void note_pop(Side side) noexcept { note(popped_at(side) == direction_); }
  void note_other() noexcept { note(false); }

  /// Nothing is pushed any more without the lock.
  void seal() noexcept { queue_.seal(); }

  /// There are no elements, or few: what was needed for more goes back.
  void keep_one() noexcept { queue_.keep_one(); }

  /// What may be done without the lock again; `push` and `pop` say whether others allow it.
  void settle(bool push, bool pop) noexcept {
    const bool in_places = returned_.empty();
    open_ = push && in_places && !together_ && !queue_.sealed();
    only_deque_.store(push && in_places && together_ && !always_together_ && cuts_.empty(),
                      sync::relaxed);  // LZ
    if (!together_) settle_queue(push && in_places, pop && in_places);
  }

  // — for who saves them (blocking_list/cut.hpp) —

  /// Of what there is now. Throws std::bad_alloc where there are elements that have come back, and it had been thrown then.
  void begin(Cut<Payload>& cut) {
    if (!returned_.empty()) gather();
    queue_.freeze();
    cuts_.begin(cut, front_.size(), queue_, direction_);
  }
  void end(Cut<Payload>& cut) noexcept { cuts_.end(cut); }
  /// Passes the next element of a cut that is not done.
  void pass_next(Cut<Payload>& cut) noexcept { cuts_.pass_next(cut, front_); }

 private:
  // After so many operations in a row that a queue could have done, the elements need not be together.
  static constexpr int operations_together = 32;

  // The direction of a queue that is pushed to, or popped from, at a side.
  [[nodiscard]] static constexpr bool pushed_at(Side side) noexcept { return side == Side::left; }
  [[nodiscard]] static constexpr bool popped_at(Side side) noexcept { return side == Side::right; }

  // Not inline, as all that is seldom to be done while elements are together: what is done often is then small.
  [[gnu::noinline]] void settle_queue(bool push, bool pop) noexcept {
    queue_.turn(direction_);
    if (push || queue_.sealed()) queue_.open_pushes();
    else queue_.freeze_pushes();
    pops_open_ = pop && front_.empty() && cuts_.empty();
    if (pops_open_) queue_.open_pops();
    else queue_.freeze_pops();
  }
  [[gnu::noinline]] void gather_from_queue() {
    queue_.freeze();
    if (!cuts_.empty()) cuts_.before_gathering();
    queue_.take_all(no_limit, no_limit, [this](Payload&& payload) { front_.push_back(std::move(payload)); });
    together_ = true;
  }
  // When it throws, what is left is still to be put there.
  [[gnu::noinline]] void put_in_places() {
    while (!returned_.empty()) {
      auto& [side, payloads] = returned_.front();
      for (; !payloads.empty(); payloads.pop_back()) push(side, std::move(payloads.back()));
      returned_.pop_front();
    }
  }
  void note(bool as_queue) noexcept {
    if (!as_queue) left_together_ = operations_together;
    else if (left_together_ > 0) --left_together_;
    if (left_together_ > 0 || always_together_) return;
    together_ = false;
    only_deque_.store(false, sync::relaxed);  // LZ
  }

  [[nodiscard]] bool before_front(Side side) const noexcept { return popped_at(side) == direction_; }
  [[nodiscard]] std::size_t where(std::size_t i) const noexcept { return direction_ ? front_.size() - 1 - i : i; }

  [[gnu::noinline]] void tell_cuts(Side side, std::size_t count) noexcept {
    if (before_front(side)) cuts_.before_pops(count, front_);
    else cuts_.before_pops_behind(count, front_);
  }
  [[gnu::noinline]] void push_seen(Side side, Payload&& payload, Bytes told) {
    witness_->pushed(side, payload, told);
    core::Undo undo([&] { witness_->popped(side); });
    push_unseen(side, std::move(payload));
    undo.keep();
  }
  void push_unseen(Side side, Payload&& payload) {
    push_to_front(side, std::move(payload));
    if (before_front(side) && !cuts_.empty()) [[unlikely]]
      cuts_.pushed_before();
  }
  [[nodiscard]] Payload pop_unseen(Side side) noexcept {
    about_to_take(side, 1);
    if (before_front(side) && !cuts_.empty()) [[unlikely]]
      cuts_.popped(1);
    return pop_from_front(side);
  }
  void push_to_front(Side side, Payload&& payload) {
    if (front_.empty()) direction_ = pushed_at(side);
    if (before_front(side)) front_.push_front(std::move(payload));
    else front_.push_back(std::move(payload));
  }
  [[nodiscard]] Payload pop_from_front(Side side) noexcept {
    if (before_front(side)) {
      Payload payload = std::move(front_.front());
      front_.pop_front();
      return payload;
    }
    Payload payload = std::move(front_.back());
    front_.pop_back();
    return payload;
  }

  void swap_with_next(std::size_t i) noexcept {
    Payload left = std::move(at(i));
    replace(at(i), std::move(at(i + 1)));
    replace(at(i + 1), std::move(left));
  }

  static void replace(Payload& to, Payload&& from) noexcept {
    std::destroy_at(std::addressof(to));
    std::construct_at(std::addressof(to), std::move(from));
  }

  bool direction_ = false;  // elements are pushed at the left, and popped at the right
  int left_together_ = 0;
  LazyDeque<Payload> front_;

  // Seldom written, and the last of them not in a line of the deque, whatever its size.
  Taken<Payload> returned_;
  Cuts<Payload> cuts_;
  Witness<Payload>* witness_ = nullptr;
  sync::atomic<bool> only_deque_{false};
  bool always_together_;
  bool together_;
  bool open_ = false;       // pushes are, but for who has the lock
  bool pops_open_ = false;  // the same

  Queue queue_;
};

}  // namespace brook::blocking_list
