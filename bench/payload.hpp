// payload.hpp — what the entries are: a number, a struct of a cache line, a string of 100 bytes. Each carries a number
// by which it is recognised.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include <brook/id.hpp>

#include "harness.hpp"

namespace bench {

struct Block64 {
  std::array<std::uint64_t, 8> words{};
};
static_assert(sizeof(Block64) == 64);

template <class T>
[[nodiscard]] T make(std::uint64_t number) {
  if constexpr (std::is_same_v<T, std::string>) {
    std::string text(100, 'x');
    std::memcpy(text.data(), &number, sizeof number);
    return text;
  } else if constexpr (std::is_same_v<T, Block64>) {
    return Block64{{number, 1, 2, 3, 4, 5, 6, 7}};
  } else {
    return number;
  }
}

[[nodiscard]] inline std::uint64_t number_of(std::uint64_t value) { return value; }
[[nodiscard]] inline std::uint64_t number_of(const Block64& value) { return value.words[0]; }
[[nodiscard]] inline std::uint64_t number_of(const std::string& value) {
  std::uint64_t number = 0;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

/// The i-th message of a producer.
[[nodiscard]] constexpr std::uint64_t message(std::size_t producer, std::size_t i) noexcept {
  return (static_cast<std::uint64_t>(producer) << 40) | i;
}

/// Sees messages go by, and expects of each producer all of them, once, in its order.
class Witness {
 public:
  explicit Witness(std::size_t producers) : next_(producers, 0) {}

  void see(std::uint64_t number) noexcept {
    const auto producer = static_cast<std::size_t>(number >> 40);
    if (producer >= next_.size() || next_[producer]++ != (number & 0xff'ffff'ffff)) wrong_ = true;
    ++seen_;
  }

  [[nodiscard]] std::size_t seen() const noexcept { return seen_; }

  void expect_all(std::size_t each) const {
    expect(!wrong_, "a message is missing, doubled or out of order");
    expect(seen_ == each * next_.size(), "messages were lost");
  }

 private:
  std::vector<std::uint64_t> next_;
  std::size_t seen_ = 0;
  bool wrong_ = false;
};

}  // namespace bench
