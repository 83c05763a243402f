// format.hpp — the numbers of the format that docs/snapshot-format.md draws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <brook/core/config.hpp>

namespace brook::snapshot {

/// What a snapshot begins with. The bytes after the name are those that text conversions spoil.
inline constexpr std::array<unsigned char, 8> magic{0x89, 'B', 'R', 'K', '\r', '\n', 0x1a, '\n'};
inline constexpr std::uint32_t version = 2;
/// The first one with options of channels.
inline constexpr std::uint32_t version_of_channel_options = 2;
inline constexpr std::size_t header_size = 32;

/// What a snapshot is of.
enum class Contents : std::uint32_t { broker = 1, object = 2, journal = 3 };

/// A section is cut into pieces, each with a header and a checksum of its own, so that neither side needs to know how long
/// a section will be.
inline constexpr std::size_t piece_header_size = 20;
inline constexpr std::size_t largest_piece = 64 * 1024;

/// What a section is about. Four characters, so that a person with a hex dump can see it.
enum class Section : std::uint32_t {};
[[nodiscard]] constexpr Section section(std::string_view name) noexcept {
  std::uint32_t bits = 0;
  for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(name[i]);
  return Section{bits};
}
[[nodiscard]] inline std::string to_string(Section type) {
  std::string name;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    const auto byte = static_cast<unsigned char>(static_cast<std::uint32_t>(type) >> shift);
    name += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
  }
  return name;
}

inline constexpr Section object_section = section("OBJC");    // a name, a kind, a type: the following sections are its
inline constexpr Section stream_section = section("STRM");    // options and counters
inline constexpr Section keys_section = section("KEYS");      // the idempotency window
inline constexpr Section group_section = section("GROP");     // one group, with what is pending
inline constexpr Section entries_section = section("ENTR");   // the entries
inline constexpr Section list_section = section("LIST");      // options
inline constexpr Section elements_section = section("ELEM");  // the elements
inline constexpr Section end_section = section("DONE");       // how many objects and sections there were
// Of a journal:
inline constexpr Section begin_section = section("BEGN");    // which file it is
inline constexpr Section catalog_section = section("NAMS");  // what the numbers of the records mean
inline constexpr Section record_section = section("RECD");   // changes that are one

/// Of a piece: it is the last one of its section.
inline constexpr std::uint32_t last_piece = 1;
/// Of a piece: who does not know its section may leave that out.
inline constexpr std::uint32_t optional_piece = 2;

}  // namespace brook::snapshot
