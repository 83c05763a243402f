// crc32c.hpp — the checksum of snapshots: CRC-32C (Castagnoli), eight bytes at a time, by the processor where it can.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

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
[[nodiscard, gnu::target("sse4.2")]] inline std::uint32_t by_processor(std::uint32_t sum, const unsigned char* at,
                                                                       std::size_t size) noexcept {
  std::uint64_t wide = sum;
  for (; size >= 8; size -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
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
