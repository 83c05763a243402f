// text.hpp — small helpers between numbers and text.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace shop {

/// The whole text as a decimal integer, or nothing.
template <class Integer>
[[nodiscard]] std::optional<Integer> parse_integer(std::string_view text) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

/// "1,234,567".
[[nodiscard]] inline std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t digits = 3; digits < text.size(); digits += 4) text.insert(text.size() - digits, 1, ',');
  return text;
}

/// Text from a file in a form that is safe to print: control characters become '?'.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string safe{text};
  std::replace_if(
      safe.begin(), safe.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return safe;
}

/// How many columns a UTF-8 text takes on a terminal, near enough: bytes that do not continue a character.
[[nodiscard]] inline std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// `text`, filled with spaces to at least `columns` columns.
[[nodiscard]] inline std::string left(std::string_view text, std::size_t columns) {
  return std::string{text} + std::string(columns - std::min(columns, width(text)), ' ');
}
[[nodiscard]] inline std::string right(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, width(text)), ' ') + std::string{text};
}

}  // namespace shop
