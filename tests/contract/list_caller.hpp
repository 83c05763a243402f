// list_caller.hpp — random calls on two lists of values that stall, told as operations of the specification.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/select.hpp>

#include "linearizability_list.hpp"

namespace brook::contract {

inline thread_local std::minstd_rand stalls(1);

/// Gives other threads a chance, at random, and sometimes a long one.
inline void stall() {
  const auto dice = stalls() % 16;
  for (unsigned i = 0; dice == 0 && i < 20; ++i) std::this_thread::yield();
  if (dice == 1) std::this_thread::yield();
}

/// A value whose moves stall.
struct Stalling {
  explicit Stalling(int number) : value(number) {}
  Stalling(const Stalling&) = default;
  Stalling(Stalling&& other) noexcept : value(other.value) { stall(); }
  Stalling& operator=(const Stalling&) = default;
  Stalling& operator=(Stalling&&) = default;
  ~Stalling() = default;
  friend bool operator==(const Stalling&, const Stalling&) = default;
  int value;
};

/// The same for a list that never goes without its lock.
struct Boxed : Stalling {
  using Stalling::Stalling;
  Boxed(const Boxed&) = default;
  Boxed(Boxed&& other) noexcept(false) : Stalling(std::move(other)) {}
  Boxed& operator=(const Boxed&) = default;
  ~Boxed() = default;
};

/// A clock that moves on when it is read.
class RestlessClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1; }
  [[nodiscard]] time_point now() const noexcept override {
    return stall(), time_point(std::chrono::nanoseconds(ticks_.fetch_add(1)));
  }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm&) override {
    held.unlock();
    std::this_thread::yield();
    held.lock();
  }

 private:
  mutable std::atomic<std::int64_t> ticks_{1};
};

/// What the calls of a history are drawn from.
enum class Calls { queue, waiting, ranges, mixed, moves };

[[nodiscard]] inline ListSpec::Result result_of(Errc error) {
  switch (error) {
    case Errc::closed: return ListSpec::Result::closed;
    case Errc::full: return ListSpec::Result::full;
    case Errc::timed_out: return ListSpec::Result::timed_out;
    default: return ListSpec::Result::invalid;
  }
}

template <class T>
[[nodiscard]] std::vector<int> shown(const std::vector<T>& values) {
  std::vector<int> all;
  for (const T& value : values) all.push_back(value.value);
  return all;
}
template <class T>
[[nodiscard]] std::vector<int> shown(const std::optional<T>& value) {
  return value ? std::vector{value->value} : std::vector<int>();
}

/// Makes one random call and tells what it was and what came of it.
template <class T>
class Caller {
 public:
  using List = BlockingList<T>;
  using Kind = ListSpec::Kind;
  using Operation = ListSpec::Operation;
  using Result = ListSpec::Result;

  Caller(std::array<List*, 2> lists, Calls from, bool turned, int thread, std::uint64_t seed)
      : lists_(lists), from_(from), in_(turned ? Side::left : Side::right), thread_(thread), random_(seed) {}

  Operation operator()() {
    stall();
    list_ =
        from_ == Calls::moves || (from_ != Calls::queue && random_() % 4 == 0) ? static_cast<int>(random_() % 2) : 0;
    if (random_() % 64 == 0) return close();
    switch (from_) {
      case Calls::queue:
        return pick({&Caller::push, &Caller::push_range, &Caller::pop, &Caller::pop, &Caller::pop, &Caller::pop,
                     &Caller::push_range, &Caller::size});
      case Calls::waiting:
        return pick({&Caller::push, &Caller::push_range, &Caller::push_waiting, &Caller::wait, &Caller::wait,
                     &Caller::wait_any, &Caller::batch, &Caller::wait_move, &Caller::pop});
      case Calls::ranges:
        return pick({&Caller::push, &Caller::push_range, &Caller::push_range, &Caller::pop, &Caller::pop_some,
                     &Caller::pop_some, &Caller::pop_any, &Caller::batch, &Caller::push_if});
      case Calls::moves:
        return pick({&Caller::push, &Caller::push, &Caller::pop, &Caller::move, &Caller::move, &Caller::move,
                     &Caller::pop_any, &Caller::wait_move, &Caller::wait_any, &Caller::size, &Caller::look});
      case Calls::mixed: break;
    }
    return pick({&Caller::push, &Caller::push, &Caller::push_any_side, &Caller::try_push, &Caller::pop, &Caller::pop,
                 &Caller::pop_some, &Caller::size, &Caller::look, &Caller::look_at, &Caller::set, &Caller::insert,
                 &Caller::remove, &Caller::trim, &Caller::clear, &Caller::wait, &Caller::push_if, &Caller::info});
  }

 private:
  Operation pick(std::initializer_list<Operation (Caller::*)()> calls) {
    return (this->*calls.begin()[random_() % calls.size()])();
  }

  [[nodiscard]] List& list() { return *lists_[static_cast<std::size_t>(list_)]; }
  [[nodiscard]] List& other(int i) { return *lists_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Side out() const { return opposite(in_); }
  [[nodiscard]] Side any_side() { return random_() % 2 == 0 ? Side::left : Side::right; }
  [[nodiscard]] std::ptrdiff_t position() { return static_cast<std::ptrdiff_t>(random_() % 8) - 4; }
  [[nodiscard]] Wait shortly() { return std::chrono::nanoseconds(random_() % 12); }
  [[nodiscard]] int number() { return thread_ * 1000 + count_++; }
  // One that may be there.
  [[nodiscard]] int known() {
    return random_() % 2 == 0 ? static_cast<int>(9000 + random_() % 10)
                              : static_cast<int>(random_() % 3 * 1000 + random_() % 3);
  }

  Operation push() { return push_at(in_); }
  Operation push_any_side() { return push_at(any_side()); }
  Operation push_at(Side side) {
    Operation op{.kind = Kind::push, .list = list_, .side = side, .values = {number()}};
    const T value(op.values.front());
    const auto pushed = side == Side::left ? list().lpush(value) : list().rpush(value);
    if (!pushed) op.result = result_of(pushed.error());
    return op;
  }
  Operation push_waiting() {
    Operation op{.kind = Kind::push_wait, .list = list_, .side = in_, .values = {number()}};
    T value(op.values.front());
    const auto pushed =
        in_ == Side::left ? list().lpush(std::move(value), shortly()) : list().rpush(std::move(value), shortly());
    // Where it may not wait at all it is told that the list is full.
    if (!pushed) op.result = result_of(pushed.error());
    return op;
  }
  Operation push_range() {
    Operation op{.kind = Kind::push, .list = list_, .side = random_() % 8 == 0 ? any_side() : in_};
    op.values.resize(2 + random_() % 3);
    for (int& value : op.values) value = number();
    const auto pushed = op.side == Side::left ? list().lpush_range(op.values) : list().rpush_range(op.values);
    if (!pushed) op.result = result_of(pushed.error());
    return op;
  }
  Operation try_push() {
    Operation op{.kind = Kind::push, .list = list_, .side = any_side(), .values = {number()}};
    const auto pushed =
        op.side == Side::left ? list().try_lpush(T(op.values.front())) : list().try_rpush(T(op.values.front()));
    if (pushed) return op;
    op.result = result_of(pushed.error().error);
    if (pushed.error().value.value != op.values.front()) op.kind = Kind::broken;
    return op;
  }
  Operation push_if() {
    Operation op{.kind = Kind::push_if, .list = list_, .side = any_side(), .values = {number()}};
    const T value(op.values.front());
    const auto length = op.side == Side::left ? list().lpushx(value) : list().rpushx(value);
    if (length) op.number = *length;
    else op.result = result_of(length.error());
    return op;
  }

  Operation pop() {
    const Side side = from_ == Calls::mixed && random_() % 3 == 0 ? in_ : out();
    return {.kind = Kind::pop,
            .list = list_,
            .side = side,
            .values = shown(side == Side::left ? list().lpop() : list().rpop())};
  }
  Operation pop_some() {
    const std::size_t count = random_() % 5;
    const Side side = random_() % 8 == 0 ? any_side() : out();
    return {.kind = Kind::pop,
            .list = list_,
            .side = side,
            .values = shown(side == Side::left ? list().lpop(count) : list().rpop(count)),
            .count = count};
  }
  Operation wait() {
    Operation op{.kind = Kind::wait, .list = list_, .side = random_() % 8 == 0 ? any_side() : out()};
    const auto got = wait_for(op.side);
    if (got) op.values = {got->value};
    else op.result = result_of(got.error());
    return op;
  }
  // By a call of its own, a select, or a completion that is cancelled at once: it ends with nothing, as one that is late.
  expected<T, Errc> wait_for(Side side) {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      if (random_() % 3 == 0) return select(shortly(), from(list(), side));
      if (random_() % 3 == 0) return wait_for_completion(side);
    }
    return side == Side::left ? list().blpop(shortly()) : list().brpop(shortly());
  }
  expected<T, Errc> wait_for_completion(Side side) {
    expected<T, Errc> got = unexpected(Errc::timed_out);
    std::atomic<bool> over{false};
    const auto handle = on_ready(
        [&](expected<T, Errc> taken) {
          if (taken) got = std::move(taken);
          else if (taken.error() != Errc::cancelled) got = unexpected(taken.error());
          over = true;
        },
        forever, from(list(), side));
    stall();
    handle.cancel();
    while (!over) std::this_thread::yield();  // another thread may be at it
    return got;
  }
  Operation wait_any() {
    Operation op{.kind = Kind::wait_any, .side = out()};
    const auto got =
        op.side == Side::left ? blpop(shortly(), other(0), other(1)) : brpop(shortly(), other(0), other(1));
    if (!got) {
      op.result = result_of(got.error());
      return op;
    }
    op.list = static_cast<int>(got->index);
    op.values = {got->value.value};
    return op;
  }
  Operation pop_any() {
    Operation op{.kind = Kind::pop_any, .side = out(), .count = 1 + random_() % 4};
    const auto got = lmpop(op.side, op.count, other(0), other(1));
    op.result = got ? Result::done : Result::nothing;
    if (!got) return op;
    op.list = static_cast<int>(got->index);
    op.values = shown(got->values);
    return op;
  }
  Operation batch() {
    Operation op{.kind = Kind::batch, .list = list_, .count = 1 + random_() % 4, .thread = thread_};
    op.least = 1 + random_() % op.count;
    const auto got = list().pop_batch(op.least, op.count, shortly());
    if (got) op.values = shown(*got);
    op.result = !got ? result_of(got.error()) : op.values.size() < op.least ? Result::timed_out : Result::done;
    return op;
  }

  Operation move() {
    Operation op{.kind = Kind::move, .list = list_, .side = any_side(), .to = static_cast<int>(random_() % 2)};
    op.to_side = random_() % 4 == 0 ? any_side() : opposite(op.side);
    const bool plain = op.side == Side::right && op.to_side == Side::left;
    const auto moved = plain ? list().rpoplpush(other(op.to)) : list().lmove(other(op.to), op.side, op.to_side);
    op.values = shown(moved);
    op.result = moved ? Result::done : Result::nothing;
    return op;
  }
  Operation wait_move() {
    Operation op{
        .kind = Kind::wait_move, .list = list_, .side = out(), .to = static_cast<int>(random_() % 2), .to_side = in_};
    const auto moved = list().blmove(other(op.to), op.side, op.to_side, shortly());
    if (moved) op.values = {moved->value};
    else op.result = result_of(moved.error());
    return op;
  }

  Operation size() { return {.kind = Kind::size, .list = list_, .number = list().size()}; }
  Operation info() {
    const ListInfo info = list().info();
    return {.kind = Kind::info, .list = list_, .count = info.closed ? 1U : 0U, .number = info.length};
  }
  Operation look() {
    const bool all = random_() % 2 == 0;
    Operation op{.kind = Kind::range, .list = list_, .first = all ? 0 : position(), .last = all ? -1 : position()};
    op.values = shown(list().lrange(op.first, op.last));
    return op;
  }
  Operation look_at() {
    Operation op{.kind = Kind::index, .list = list_, .first = position()};
    op.values = shown(list().lindex(op.first));
    return op;
  }
  Operation set() {
    Operation op{.kind = Kind::set, .list = list_, .values = {number()}, .first = position()};
    const auto done = list().lset(op.first, T(op.values.front()));
    if (!done) op.result = result_of(done.error());
    return op;
  }
  Operation insert() {
    Operation op{.kind = Kind::insert, .list = list_, .values = {number()}, .count = random_() % 2, .first = known()};
    const T pivot(static_cast<int>(op.first));
    const auto length = op.count == 0 ? list().linsert_before(pivot, T(op.values.front()))
                                      : list().linsert_after(pivot, T(op.values.front()));
    if (!length) op.result = result_of(length.error());
    else if (!*length) op.result = Result::nothing;
    else op.number = **length;
    return op;
  }
  Operation remove() {
    Operation op{
        .kind = Kind::remove, .list = list_, .first = static_cast<std::ptrdiff_t>(random_() % 3) - 1, .last = known()};
    op.number = list().lrem(op.first, T(static_cast<int>(op.last)));
    return op;
  }
  Operation trim() {
    Operation op{.kind = Kind::trim, .list = list_, .first = position(), .last = random_() % 4 == 0 ? position() : -1};
    list().ltrim(op.first, op.last);
    return op;
  }
  Operation clear() { return {.kind = Kind::clear, .list = list_, .number = list().clear()}; }
  Operation close() {
    list().close();
    return {.kind = Kind::close, .list = list_};
  }

  std::array<List*, 2> lists_;
  Calls from_;
  Side in_;
  int thread_;
  std::mt19937_64 random_;
  int count_ = 0;
  int list_ = 0;
};

}  // namespace brook::contract
