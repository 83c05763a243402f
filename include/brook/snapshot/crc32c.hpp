// crc32c.hpp — the checksum of snapshots: CRC-32C (Castagnoli), eight bytes at a time, by the processor where it can.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <brook/core/config.hpp>

namespace brook::snapshot {

namespace crc {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the sum when k further bytes come after it.
[[nodiscard]] constexpr Tables make_tables() noexcept {
  constexpr std::uint32_t polynomial = 0x82f63b78;
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
    tables[0][byte] = sum;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 0xff];
  }
  return tables;
}

inline constexpr Tables tables = make_tables();

/// Eight bytes at a time through eight tables (Kounavis, Berry 2005).
[[nodiscard]] inline std::uint32_t by_tables(std::uint32_t sum, const unsigned char* at, std::size_t size) noexcept {
  for (; size >= 8; size -= 8, at += 8) {
    const std::uint32_t low =
        sum ^ (at[0] | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[3]} << 24);
    sum = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^ tables[4][low >> 24] ^
          tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^ tables[0][at[7]];
  }
  for (; size > 0; --size, ++at) sum = (sum >> 8) ^ tables[0][(sum ^ *at) & 0xff];
  return sum;
}

#if defined(__x86_64__) && defined(__GNUC__)
// A sum takes three cycles for a word, in which the processor can begin two others: so three neighbours are summed at a time,
// and what comes of one is shifted over the next (Gopal and others, "Fast CRC Computation", Intel 2011).
inline constexpr std::size_t neighbour = 1024;

using Shift = std::array<std::array<std::uint32_t, 256>, 4>;

// shift[k][b]: what byte k of a sum comes to when so many bytes follow that are 0. A sum is linear in its bits.
[[nodiscard]] constexpr Shift make_shift() noexcept {
  std::array<std::uint32_t, 32> bits{};
  for (std::size_t bit = 0; bit < bits.size(); ++bit) {
    std::uint32_t sum = std::uint32_t{1} << bit;
    for (std::size_t i = 0; i < neighbour; ++i) sum = (sum >> 8) ^ tables[0][sum & 0xff];
    bits[bit] = sum;
  }
  Shift shift{};
  for (std::size_t i = 0; i < 4 * 256; ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit)
      shift[i / 256][i % 256] ^= (i >> bit & 1) != 0 ? bits[i / 256 * 8 + bit] : 0;
  }
  return shift;
}

inline constexpr Shift shift = make_shift();

[[nodiscard]] inline std::uint32_t shifted(std::uint32_t sum) noexcept {
  return shift[0][sum & 0xff] ^ shift[1][sum >> 8 & 0xff] ^ shift[2][sum >> 16 & 0xff] ^ shift[3][sum >> 24];
}
[[nodiscard]] inline std::uint64_t word_at(const unsigned char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}
[[nodiscard, gnu::target("sse4.2")]] inline std::uint32_t three_neighbours(std::uint32_t sum,
                                                                           const unsigned char* at) noexcept {
  std::uint64_t first = sum;
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t i = 0; i < neighbour; i += 8) {
    first = __builtin_ia32_crc32di(first, word_at(at + i));
    second = __builtin_ia32_crc32di(second, word_at(at + neighbour + i));
    third = __builtin_ia32_crc32di(third, word_at(at + 2 * neighbour + i));
  }
  const std::uint32_t both = shifted(static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
  return shifted(both) ^ static_cast<std::uint32_t>(third);
}
[[nodiscard, gnu::target("sse4.2")]] inline std::uint32_t by_processor(std::uint32_t sum, const unsigned char* at,
                                                                       std::size_t size) noexcept {
  for (; size >= 3 * neighbour; size -= 3 * neighbour, at += 3 * neighbour) sum = three_neighbours(sum, at);
  std::uint64_t wide = sum;
  for (; size >= 8; size -= 8, at += 8) wide = __builtin_ia32_crc32di(wide, word_at(at));
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; size > 0; --size, ++at) narrow = __builtin_ia32_crc32qi(narrow, *at);
  return narrow;
}
[[nodiscard]] inline bool processor_can() noexcept {
  static const bool can = __builtin_cpu_supports("sse4.2") != 0;
  return can;
}
#else
[[nodiscard]] inline std::uint32_t by_processor(std::uint32_t sum, const unsigned char* at, std::size_t size) noexcept {
  return by_tables(sum, at, size);
}
[[nodiscard]] constexpr bool processor_can() noexcept { return false; }
#endif

}  // namespace crc

/// The checksum of some bytes; or of what `before` is the checksum of, with these behind it.
[[nodiscard]] inline std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept {
  const auto* const at = reinterpret_cast<const unsigned char*>(bytes.data());
  return ~(crc::processor_can() ? crc::by_processor(~before, at, bytes.size())
                                : crc::by_tables(~before, at, bytes.size()));
}

}  // namespace brook::snapshot
