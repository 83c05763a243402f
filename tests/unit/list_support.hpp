// list_support.hpp — what the tests of lists share.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#include "stream_support.hpp"

namespace brook::test {

using Ints = std::vector<int>;
using Positions = std::vector<std::size_t>;

inline Ints all(const BlockingList<int>& list) { return list.lrange(0, -1); }

/// The values of a list of any type with a `value()`, which are taken from it.
template <class T>
Ints drained(BlockingList<T>& list) {
  Ints values;
  while (auto value = list.lpop()) values.push_back(value->value());
  return values;
}

/// A number that can only be moved.
class MoveOnly {
 public:
  explicit MoveOnly(int value) : value_(std::make_unique<int>(value)) {}
  [[nodiscard]] int value() const { return value_ ? *value_ : -1; }
  friend bool operator==(const MoveOnly& a, const MoveOnly& b) { return a.value() == b.value(); }

 private:
  std::unique_ptr<int> value_;
};

/// A number in a large object.
class Large {
 public:
  explicit Large(int value) { numbers_.fill(value); }
  [[nodiscard]] int value() const { return numbers_.front() == numbers_.back() ? numbers_.front() : -1; }
  friend bool operator==(const Large&, const Large&) = default;

 private:
  std::array<int, 1500> numbers_{};
};

/// A number that cannot be assigned, nor made of nothing.
class Constant {
 public:
  explicit Constant(int value) : value_(value) {}
  [[nodiscard]] int value() const { return value_; }
  friend bool operator==(const Constant&, const Constant&) = default;

 private:
  const int value_;
};

/// A number whose constructions throw when they are told to.
template <bool moves_surely>
class Fussy {
 public:
  struct Thrown {};

  explicit Fussy(int value) : value_((burn(), value)) {}
  Fussy(const Fussy& other) : value_((burn(), other.value_)) {}
  Fussy(Fussy&& other) noexcept(moves_surely) : value_((moves_surely ? void() : burn(), other.value_)) {}
  Fussy& operator=(const Fussy&) = delete;
  Fussy& operator=(Fussy&&) = delete;
  ~Fussy() = default;

  [[nodiscard]] int value() const { return value_; }
  friend bool operator==(const Fussy& a, const Fussy& b) { return a.value_ == b.value_; }

  static inline int fuse = 0;  // constructions until one throws; 0 for never

 private:
  static void burn() {
    if (fuse > 0 && --fuse == 0) throw Thrown{};
  }

  int value_;
};

}  // namespace brook::test
