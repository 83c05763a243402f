// blocking_list.hpp — a queue that can be used from both ends and in the middle, and waited for: a list as in Redis.
//
//   brook::BlockingList<Job> jobs;
//   jobs.rpush(job);                                  // any thread
//   while (auto job = jobs.blpop(brook::forever))     // any number of workers; ends when the list is closed and empty
//     work(*job);
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/refused.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>

namespace brook {

template <class T>
class BlockingList;

/// What a push answers: the length of the list, asked for when it is looked at. Asking takes the list's lock, and so
/// costs only those who want to know. For as long as the list.
template <class T>
class Length {
 public:
  /// The length when it is asked for. O(n).
  operator std::size_t() const { return list_->size(); }

 private:
  friend class BlockingList<T>;
  explicit Length(const BlockingList<T>& list) noexcept : list_(&list) {}
  const BlockingList<T>* list_;
};

namespace blocking_list {

/// An array of elements that owns them and is given away: they can be moved from when, and not before, there is room.
template <class T, class Range>
concept GivenAway = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
                    std::same_as<T&, std::ranges::range_reference_t<Range>> && std::same_as<T, log::PayloadOf<T>> &&
                    !std::is_lvalue_reference_v<Range> &&
                    !std::ranges::borrowed_range<Range> && !std::ranges::view<Range>;

template <class T, class Range>
concept Pushable = std::constructible_from<T, std::ranges::range_reference_t<Range>> || GivenAway<T, Range>;

}  // namespace blocking_list

/// Where to look in lpos() (LPOS).
struct LposOptions {
  /// Which match counts as the first: 1 is the first from the left, -1 the first from the right. 0 is as 1.
  std::ptrdiff_t rank = 1;
  /// At most so many matches.
  std::size_t count = no_limit;
  /// Compare at most so many elements.
  std::size_t max_len = no_limit;
};

/// A list at one instant.
struct ListInfo {
  std::size_t length = 0;           ///< elements now
  std::size_t capacity = 0;         ///< elements there can be; 0 when the list is not bounded
  std::size_t waiting_poppers = 0;  ///< calls that wait for elements
  std::size_t waiting_pushers = 0;  ///< calls that wait for room
  bool closed = false;              ///< nothing is added any more
};

/// A list. Elements go to exactly one consumer; each end is strictly first in, first out for what is pushed at the
/// other.
///
/// Thread-safety: any member may be called at any time from any thread, but for the destructor. Pushing at one end and
/// popping at the other is lock-free but at the end of each segment (some thousand elements), as long as nobody waits;
/// everything else takes the list's lock, and so does a bounded list. Every operation takes effect at one instant
/// between its call and its return.
///
/// Waiting: who has waited longest is served first, whatever the kind of call; nobody who comes later passes it. An
/// element that is given to a waiting call is never lost: it wins over a deadline, a stop request and a close that come
/// at the same time. The time of a wait begins when the call finds that it must wait.
///
/// A list that drops the oldest drops only what nobody waits for: who waits for elements is served first, from a batch
/// that is longer than the list too. A push that drops does not wait, and so goes ahead of pushes that were told to
/// wait for room; single elements that wait lose nothing by it but their place, a range may find its room taken.
///
/// Complexity: as said, with n elements; of all that look at positions or values O(n), and O(1) more for each element
/// that was pushed since the last of them.
///
/// Positions count from 0 at the left, negative ones from -1 at the right, as in Redis.
///
/// Exceptions: std::bad_alloc, and what T's constructors throw. Nothing has changed then. T's comparison, copy and
/// destructor must not use the list.
template <class T>
class BlockingList {
 public:
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "a BlockingList stores objects: T must be a non-const object type");

  BlockingList() : BlockingList(ListOptions{}) {}
  explicit BlockingList(const ListOptions& options) : state_(std::make_shared<blocking_list::State<T>>(options)) {}

  /// Precondition: no call is running.
  ~BlockingList() { leave(); }

  BlockingList(const BlockingList&) = delete;
  BlockingList& operator=(const BlockingList&) = delete;

  // — pushing —

  /// Adds an element at the left, or right, end (LPUSH, RPUSH). Where there is no room the list's `overflow` says what
  /// happens. Errors: closed; full; an rvalue of a type that moves without throwing is then unchanged. O(1) amortised.
  [[gnu::always_inline]] expected<Length<T>, Errc> lpush(const T& value) requires std::copy_constructible<T> {
    return push(Side::left, value);
  }
  [[gnu::always_inline]] expected<Length<T>, Errc> lpush(T&& value) { return push(Side::left, std::move(value)); }
  [[gnu::always_inline]] expected<Length<T>, Errc> rpush(const T& value) requires std::copy_constructible<T> {
    return push(Side::right, value);
  }
  [[gnu::always_inline]] expected<Length<T>, Errc> rpush(T&& value) { return push(Side::right, std::move(value)); }

  /// The same, waiting for room for so long, whatever `overflow` says; first come, first served. Errors further:
  /// timed_out; cancelled. Closed also when the list is closed meanwhile; full when it may not wait, or never will fit.
  expected<Length<T>, Errc> lpush(T value, const Wait& wait) { return push(Side::left, std::move(value), &wait); }
  expected<Length<T>, Errc> rpush(T value, const Wait& wait) { return push(Side::right, std::move(value), &wait); }

  /// The same, built from `arguments`.
  template <class... Arguments>
  requires std::constructible_from<T, Arguments...> expected<Length<T>, Errc> lemplace(Arguments&&... arguments) {
    return push_payload(Side::left, log::make_payload<T>(std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  requires std::constructible_from<T, Arguments...> expected<Length<T>, Errc> remplace(Arguments&&... arguments) {
    return push_payload(Side::right, log::make_payload<T>(std::forward<Arguments>(arguments)...));
  }

  /// The same without waiting; what cannot be added is handed back with the reason: `refused.error().value`. The
  /// value() of a refusal throws tl::bad_expected_access with the refusal, or, if T cannot be copied, with the reason
  /// only.
  [[nodiscard]] expected<Length<T>, Refused<T>> try_lpush(T value) { return try_push(Side::left, std::move(value)); }
  [[nodiscard]] expected<Length<T>, Refused<T>> try_rpush(T value) { return try_push(Side::right, std::move(value)); }

  /// Adds all values at one instant, in their order, each at the end: of lpush({1, 2, 3}) the 3 is the leftmost. Values
  /// are copied, but for those of a vector or another array of T that is given away: they are moved, and stay there on
  /// an error, as above. Errors as above; full also for more values than the list can ever hold, unless it drops the
  /// oldest. O(values).
  template <std::ranges::input_range Range>
  requires blocking_list::Pushable<T, Range> expected<Length<T>, Errc> lpush_range(Range&& values) {
    return push_range(Side::left, std::forward<Range>(values), nullptr);
  }
  template <std::ranges::input_range Range>
  requires blocking_list::Pushable<T, Range> expected<Length<T>, Errc> rpush_range(Range&& values) {
    return push_range(Side::right, std::forward<Range>(values), nullptr);
  }
  /// The same, waiting until there is room for all of them at once. Errors further: as of the pushes that wait; full at
  /// once for more values than the list can ever hold.
  template <std::ranges::input_range Range>
  requires blocking_list::Pushable<T, Range> expected<Length<T>, Errc> lpush_range(Range&& values, const Wait& wait) {
    return push_range(Side::left, std::forward<Range>(values), &wait);
  }
  template <std::ranges::input_range Range>
  requires blocking_list::Pushable<T, Range> expected<Length<T>, Errc> rpush_range(Range&& values, const Wait& wait) {
    return push_range(Side::right, std::forward<Range>(values), &wait);
  }
  expected<Length<T>, Errc> lpush(std::initializer_list<T> values) requires std::copy_constructible<T> {
    return push_range(Side::left, values, nullptr);
  }
  expected<Length<T>, Errc> rpush(std::initializer_list<T> values) requires std::copy_constructible<T> {
    return push_range(Side::right, values, nullptr);
  }

  /// Adds an element if there is one already (LPUSHX, RPUSHX); the length, 0 when there was none. Does not wait.
  /// Errors: closed, full.
  expected<std::size_t, Errc> lpushx(T value) { return push_if_any(Side::left, std::move(value)); }
  expected<std::size_t, Errc> rpushx(T value) { return push_if_any(Side::right, std::move(value)); }

  // — popping —

  /// Takes the element at the left, or right, end, if there is one (LPOP, RPOP). Also from a closed list. O(1).
  [[nodiscard, gnu::always_inline]] std::optional<T> lpop() { return pop(Side::left); }
  [[nodiscard, gnu::always_inline]] std::optional<T> rpop() { return pop(Side::right); }

  /// Takes up to `count` elements at one instant, in the order of pops (LPOP, RPOP with a count).
  [[nodiscard]] std::vector<T> lpop(std::size_t count) { return pop_many(Side::left, count); }
  [[nodiscard]] std::vector<T> rpop(std::size_t count) { return pop_many(Side::right, count); }

  /// The same, waiting for an element (BLPOP, BRPOP). Errors: timed_out; cancelled; closed when the list is closed and
  /// empty.
  [[nodiscard, gnu::always_inline]] expected<T, Errc> blpop(const Wait& wait) { return pop(Side::left, wait); }
  [[nodiscard, gnu::always_inline]] expected<T, Errc> brpop(const Wait& wait) { return pop(Side::right, wait); }

  /// Gathers at least `least` elements from the left, at most `most`, and waits for those so long; what there is when
  /// the time is up, which may be none. With a `least` of 0 it takes what is there, and waits for nothing; one above
  /// `most` is as `most`. It keeps its place in the line while it gathers. Errors: cancelled, closed; not when it got
  /// some. O(elements).
  [[nodiscard]] expected<std::vector<T>, Errc> pop_batch(std::size_t least, std::size_t most, const Wait& wait);

  // — moving —

  /// Takes the element at one end, adds it at an end of `to`, and answers a copy of it, at one instant (LMOVE,
  /// RPOPLPUSH). Nothing when there is no element, or `to` is closed or has no room. `to` may be this list, which then
  /// rotates.
  std::optional<T> lmove(BlockingList& to, Side from_side, Side to_side) requires std::copy_constructible<T>;
  std::optional<T> rpoplpush(BlockingList& to) requires std::copy_constructible<T> {
    return lmove(to, Side::right, Side::left);
  }

  /// The same, waiting for an element (BLMOVE). Errors: timed_out; cancelled; closed when this list is closed and
  /// empty, or `to` is closed, in both cases meanwhile too; full when there is an element and `to` has no room. Does
  /// not wait for room.
  expected<T, Errc> blmove(BlockingList& to, Side from_side, Side to_side,
                           const Wait& wait) requires std::copy_constructible<T>;

  // — looking —

  /// How many elements there are (LLEN). O(n) but where the lock is taken anyway.
  [[nodiscard]] std::size_t size() const {
    const Locked locked(*state_);
    return state_->elements.count();
  }
  [[nodiscard]] bool empty() const {
    const Locked locked(*state_);
    return !state_->elements.any();
  }
  [[nodiscard]] ListInfo info() const;

  /// Copies of the elements from position `first` to `last`, both included (LRANGE).
  [[nodiscard]] std::vector<T> lrange(std::ptrdiff_t first,
                                      std::ptrdiff_t last) const requires std::copy_constructible<T>;
  /// A copy of the element at a position, if there is one (LINDEX).
  [[nodiscard]] std::optional<T> lindex(std::ptrdiff_t at) const requires std::copy_constructible<T>;
  /// Where an equal element is (LPOS); one, or all that the options want.
  [[nodiscard]] std::optional<std::size_t> lpos(const T& value,
                                                LposOptions options = {}) const requires std::equality_comparable<T>;
  /// All such positions (LPOS with COUNT).
  [[nodiscard]] std::vector<std::size_t> lpos_all(
      const T& value, const LposOptions& options = {}) const requires std::equality_comparable<T>;

  // — changing —

  /// Replaces the element at a position (LSET). Errors: invalid_argument when there is none; closed.
  expected<void, Errc> lset(std::ptrdiff_t at, T value);
  /// Adds an element before, or after, the leftmost one that equals `pivot` (LINSERT); the length, or nothing when
  /// there is no such element. Errors: closed, full.
  expected<std::optional<std::size_t>, Errc> linsert_before(const T& pivot,
                                                            T value) requires std::equality_comparable<T> {
    return insert(0, pivot, std::move(value));
  }
  expected<std::optional<std::size_t>, Errc> linsert_after(const T& pivot,
                                                           T value) requires std::equality_comparable<T> {
    return insert(1, pivot, std::move(value));
  }
  /// Removes elements that equal `value`: the first `count` from the left, or with a negative one from the right, or
  /// all for 0 (LREM). How many.
  std::size_t lrem(std::ptrdiff_t count, const T& value) requires std::equality_comparable<T>;
  /// Keeps the elements from position `first` to `last` (LTRIM).
  void ltrim(std::ptrdiff_t first, std::ptrdiff_t last);
  /// Removes all; how many there were (DEL).
  std::size_t clear();

  // — closing —

  /// From now on nothing is added; what is there can still be taken. Wakes everyone who waits. May be called again.
  void close() {
    probing::close(*state_, [this] { close_now(); });
  }
  [[nodiscard]] bool closed() const {
    const Locked locked(*state_);
    return state_->closed;
  }

 private:
  using State = blocking_list::State<T>;
  using Locked = blocking_list::Locked<T>;
  using Payload = log::PayloadOf<T>;
  using Values = log::Values<Payload>;
  using Outcome = blocking_list::PopResult;

  template <class Target, class Value>
  friend class Into;
  friend State& state_of(BlockingList& list) noexcept { return *list.state_; }
  // For blocking_list/restore.hpp.
  friend const std::shared_ptr<State>& shared_state_of(const BlockingList& list) noexcept { return list.state_; }
  friend void replace_state(BlockingList& list, std::shared_ptr<State> state) noexcept {
    list.leave();
    list.state_ = std::move(state);
  }

  friend const void* probed_as(const BlockingList& list) noexcept { return list.state_.get(); }

  // blocking_list/pushing.hpp
  template <class Value>
  expected<Length<T>, Errc> push(Side side, Value&& value, const Wait* wait = nullptr);
  expected<Length<T>, Errc> push_payload(Side side, Payload payload) { return push_one(side, payload, nullptr); }
  expected<Length<T>, Errc> push_one(Side side, Payload& payload, const Wait* wait);
  expected<Length<T>, Errc> push_one_slowly(Side side, Payload& payload, const Wait* wait);
  expected<Length<T>, Errc> push_values(Side side, const Values& values, const Wait* wait);
  [[nodiscard]] std::optional<Errc> push_slowly(Side side, const Values& values, const Wait* wait);
  [[nodiscard]] expected<Length<T>, Refused<T>> try_push(Side side, T&& value);
  template <class Range>
  expected<Length<T>, Errc> push_range(Side side, Range&& values, const Wait* wait);
  expected<std::size_t, Errc> push_if_any(Side side, T&& value);
  expected<std::size_t, Errc> push_if_any_now(Side side, Payload& payload);
  expected<std::optional<std::size_t>, Errc> insert(std::size_t behind, const T& pivot, T&& value);

  // blocking_list/moving.hpp
  [[nodiscard]] expected<T, Errc> move_or_wait(BlockingList& to, Side from_side, Side to_side, const Wait& wait);

  void close_now() {
    const Locked locked(*state_);
    state_->close();
  }
  void leave() {
    close_now();
    state_->standing.store(Standing::gone, sync::seq_cst);
  }

  // blocking_list/popping.hpp
  // Of types that lie in a slot.
  template <class Take>
  [[nodiscard]] Outcome pop_now_to(Side side, Take take);
  template <class Take>
  bool pop_to(Side side, Take take);
  template <class Take>
  bool pop_locked_to(Side side, Take take);
  template <class Take>
  bool pop_slowly(Side side, Take take);
  [[nodiscard]] Outcome pop_to(Side side, std::size_t least, std::size_t most, std::vector<T>& values);
  [[nodiscard]] std::vector<T> pop_unwatched(Side side, std::size_t least, std::size_t most);
  [[nodiscard]] bool make_way(Side side);
  void pop_otherwise(Side side, Outcome outcome, std::optional<T>& value);
  void give_memory_back();
  void wait_and_pop(Side side, const Wait& wait, Outcome outcome, expected<T, Errc>& value);
  // Of any.
  [[nodiscard]] expected<T, Errc> wait_in_line(Side side, const Wait& wait);
  bool pop_watched(Side side, std::optional<T>& value);
  void pop_watched(Side side, const Wait& wait, expected<T, Errc>& value);
  [[nodiscard]] std::optional<T> pop(Side side);
  [[nodiscard]] expected<T, Errc> pop(Side side, const Wait& wait);
  [[nodiscard]] std::vector<T> pop_many(Side side, std::size_t count);

  std::size_t remove_equal(std::ptrdiff_t count, const T& value);

  [[nodiscard]] Length<T> length() const noexcept { return Length<T>(*this); }

  std::shared_ptr<State> state_;
};

}  // namespace brook

#include <brook/blocking_list/cases.hpp>
#include <brook/blocking_list/joint_push.hpp>
#include <brook/blocking_list/moving.hpp>
#include <brook/blocking_list/popping.hpp>
#include <brook/blocking_list/positions.hpp>
#include <brook/blocking_list/pushing.hpp>
#include <brook/blocking_list/several.hpp>
