// hash_slot.hpp — which of 16,384 slots a name belongs to, the same that Redis Cluster computes for a key.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <brook/core/config.hpp>

namespace brook {

/// How many slots there are.
inline constexpr std::uint16_t hash_slots = 16384;

/// The slot of `name`, less than hash_slots, as CLUSTER KEYSLOT of Redis tells it: the CRC16 of the name, or of the
/// part in braces where there is one, modulo 16384. `{user1000}.followers` and `{user1000}.following` have one slot,
/// because the part between the first `{` and the first `}` after it stands for all of the name; unless it is empty:
/// `foo{}{bar}` counts whole. For names that must be spread over threads, files or machines, of which some belong
/// together. Takes O(name.size()), allocates nothing.
///
/// The source is the Redis Cluster specification, sections "Key distribution model" and "Hash tags"
/// (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/). The CRC is that of XMODEM: polynomial
/// 0x1021, begins with 0, bits not reflected, 0x31C3 for "123456789".
[[nodiscard]] constexpr std::uint16_t hash_slot(std::string_view name) noexcept;

namespace core {

/// The CRC of each byte on its own.
inline constexpr std::array<std::uint16_t, 256> crc16_of_byte = [] {
  constexpr unsigned polynomial = 0x1021;
  std::array<std::uint16_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) {
    unsigned crc = byte << 8U;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1U) ^ ((crc & 0x8000U) != 0 ? polynomial : 0U);
    table[byte] = static_cast<std::uint16_t>(crc);
  }
  return table;
}();

constexpr std::uint16_t crc16(std::string_view bytes) noexcept {
  std::uint16_t crc = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    crc = static_cast<std::uint16_t>((crc << 8U) ^ crc16_of_byte[(crc >> 8U) ^ byte]);
  }
  return crc;
}

/// What of a name decides: what its first braces hold, or all of it.
constexpr std::string_view hash_tag(std::string_view name) noexcept {
  const std::size_t open = name.find('{');
  if (open == name.npos) return name;
  const std::size_t close = name.find('}', open + 1);
  if (close == name.npos || close == open + 1) return name;
  return name.substr(open + 1, close - open - 1);
}

}  // namespace core

constexpr std::uint16_t hash_slot(std::string_view name) noexcept {
  return core::crc16(core::hash_tag(name)) % hash_slots;
}

}  // namespace brook
