// id.hpp — the id of a stream entry: milliseconds and a sequence number, ordered as a pair.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <version>

#ifdef __cpp_lib_format
#include <format>
#endif

#include <brook/core/config.hpp>
#include <brook/error.hpp>

namespace brook {

/// Where an entry stands in a stream, `<ms>-<seq>` as in Redis: the time in milliseconds since the Unix epoch when it
/// was added, and a counter among the entries of one millisecond. The smallest id an entry can have is 0-1.
struct Id {
  std::uint64_t ms = 0;   ///< since the Unix epoch
  std::uint64_t seq = 0;  ///< among the entries of that millisecond

  friend constexpr auto operator<=>(const Id&, const Id&) = default;

  /// 0-0, before every entry.
  [[nodiscard]] static constexpr Id min() noexcept { return {0, 0}; }

  /// The largest id there is; a stream that holds it accepts no further entry.
  [[nodiscard]] static constexpr Id max() noexcept {
    constexpr auto top = std::numeric_limits<std::uint64_t>::max();
    return {top, top};
  }

  /// The smallest id above this one, which makes an inclusive bound exclusive: XRANGE `(id` is `range(id.next(), …)`.
  /// Precondition: not max().
  [[nodiscard]] constexpr Id next() const noexcept {
    BROOK_ASSERT(*this != max());
    return seq != std::numeric_limits<std::uint64_t>::max() ? Id{ms, seq + 1} : Id{ms + 1, 0};
  }

  /// The largest id below this one. Precondition: not min().
  [[nodiscard]] constexpr Id prev() const noexcept {
    BROOK_ASSERT(*this != min());
    return seq != 0 ? Id{ms, seq - 1} : Id{ms - 1, std::numeric_limits<std::uint64_t>::max()};
  }

  /// Reads `<ms>-<seq>` or `<ms>`, whose missing sequence number is `missing_seq`: 0 where Redis names an entry or a
  /// range's start, the largest number where it names a range's end. Errc::invalid_id for anything else, also for text
  /// of 128 characters or more. The grammar is that of Redis with its oddities: each number may carry leading
  /// zeros, white space or a plus sign, because strtoull reads it; but not a minus sign, under which strtoull wraps
  /// around. Allocates nothing.
  [[nodiscard]] static constexpr expected<Id, Errc> parse(std::string_view text,
                                                          std::uint64_t missing_seq = 0) noexcept;
};

/// For stream.add: this millisecond, the next free sequence number, `<ms>-*` in Redis.
struct AutoSeq {
  std::uint64_t ms = 0;  ///< as Id::ms
};

/// `<ms>-<seq>`, which parse() reads back.
[[nodiscard]] inline std::string to_string(Id id) { return std::to_string(id.ms) + '-' + std::to_string(id.seq); }

inline std::ostream& operator<<(std::ostream& out, Id id) { return out << to_string(id); }

namespace core {

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// A number as Redis' string2ull reads it: strict decimal, or else whatever strtoull takes whole.
constexpr bool parse_number(std::string_view text, std::uint64_t& value) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  constexpr auto top = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (top - digit) / 10) return false;
    number = number * 10 + digit;
  }
  if (negative && number != 0) return false;
  value = number;
  return true;
}

}  // namespace core

constexpr expected<Id, Errc> Id::parse(std::string_view text, std::uint64_t missing_seq) noexcept {
  constexpr std::size_t too_long = 128;
  if (text.size() >= too_long) return unexpected(Errc::invalid_id);
  const std::size_t dash = text.find('-');
  Id id{0, missing_seq};
  if (!core::parse_number(text.substr(0, dash), id.ms)) return unexpected(Errc::invalid_id);
  if (dash != text.npos && !core::parse_number(text.substr(dash + 1), id.seq)) return unexpected(Errc::invalid_id);
  return id;
}

}  // namespace brook

template <>
struct std::hash<brook::Id> {
  [[nodiscard]] std::size_t operator()(const brook::Id& id) const noexcept {
    // Ids come in runs of equal ms and of seq 0: multiply both by odd constants so that runs spread.
    return static_cast<std::size_t>((id.ms * 0x9e3779b97f4a7c15U) ^ ((id.seq + 0x7f4a7c15U) * 0xbf58476d1ce4e5b9U));
  }
};

#ifdef __cpp_lib_format
template <>
struct std::formatter<brook::Id> : std::formatter<std::string_view> {
  template <class Context>
  auto format(const brook::Id& id, Context& context) const {
    return std::formatter<std::string_view>::format(brook::to_string(id), context);
  }
};
#endif
