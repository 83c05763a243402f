// claims.hpp — 64 bits that say which slot of a segment is claimed next, and whether anybody may claim one.
//
//     63 … 18   17       16       15 … 0
//     life      turned   frozen   at
//
// A segment has one such word for pushes and one for pops. `at` counts up to `full` in every segment; one of n slots
// starts at full - n. What lies above is room for claims that come too late, one of each thread. `life` is another one each
// time that the word is opened, so that a word that looks as before is as before.
#pragma once

#include <cstdint>

#include <brook/core/config.hpp>

namespace brook::blocking_list {

struct Claims {
  static constexpr std::uint64_t at_mask = 0xffff;
  static constexpr std::uint64_t frozen_bit = 0x1'0000;
  static constexpr std::uint64_t turned_bit = 0x2'0000;
  static constexpr std::uint64_t one_life = 0x4'0000;
  static constexpr std::uint32_t full = 4096;

  std::uint64_t bits = 0;

  [[nodiscard]] constexpr bool frozen() const noexcept { return (bits & frozen_bit) != 0; }
  /// Whether elements are pushed at the left end, and popped at the right one.
  [[nodiscard]] constexpr bool turned() const noexcept { return (bits & turned_bit) != 0; }
  [[nodiscard]] constexpr std::uint32_t at() const noexcept { return static_cast<std::uint32_t>(bits & at_mask); }
  /// The same, but for claims that came too late.
  [[nodiscard]] constexpr std::uint32_t end() const noexcept { return at() < full ? at() : full; }

  [[nodiscard]] constexpr std::uint64_t life() const noexcept { return bits >> 18; }

  /// Whether a queue of this direction may be used without a lock, and a slot of this segment be claimed.
  [[nodiscard]] constexpr bool open(bool direction) const noexcept {
    return ((bits ^ (direction ? turned_bit : 0)) & (one_life - 1)) < full;  // neither bit is set then
  }

  [[nodiscard]] constexpr Claims opened_at(std::uint32_t at, bool direction) const noexcept {
    return {((bits & ~(one_life - 1)) + one_life) | (direction ? turned_bit : 0) | at};
  }
};

}  // namespace brook::blocking_list
