// time.hpp — reads the date and time of an order, in the shop's own time.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "text.hpp"

namespace shop {

/// The numbers of a text, by a pattern in which each of the letters YMDhms stands for one and all else for itself.
/// They come in the order YMDhms; one that the pattern does not name is 0.
[[nodiscard]] inline std::optional<std::array<unsigned, 6>> match_numbers(std::string_view text,
                                                                          std::string_view pattern) {
  constexpr std::string_view letters = "YMDhms";
  std::array<unsigned, 6> numbers{};
  for (const char expected : pattern) {
    const std::size_t letter = letters.find(expected);
    const std::size_t length = letter == letters.npos ? 1 : std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string_view part = text.substr(0, length);
    if (letter == letters.npos) {
      if (part != std::string_view{&expected, 1}) return std::nullopt;
    } else {
      const auto number = parse_integer<unsigned>(part);
      if (!number || length > 4) return std::nullopt;
      numbers[letter] = *number;
    }
    text.remove_prefix(part.size());
  }
  if (!text.empty()) return std::nullopt;
  return numbers;
}

/// Reads "2010-12-01 08:26:00" and "12/1/2010 8:26", the two forms in which this data set is passed around.
[[nodiscard]] inline std::optional<std::chrono::local_seconds> parse_time(std::string_view text) {
  auto numbers = match_numbers(text, "Y-M-D h:m:s");
  if (!numbers) numbers = match_numbers(text, "M/D/Y h:m");
  if (!numbers) return std::nullopt;
  const auto [year, month, day, hour, minute, second] = *numbers;
  const auto date = std::chrono::year{static_cast<int>(year)} / std::chrono::month{month} / std::chrono::day{day};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::local_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
}

/// "2010-12-01 08:26".
[[nodiscard]] inline std::string to_string(std::chrono::local_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  const auto two = [](auto number) { return std::to_string(100 + number).substr(1); };
  return std::to_string(static_cast<int>(date.year())) + '-' + two(static_cast<unsigned>(date.month())) + '-' +
         two(static_cast<unsigned>(date.day())) + ' ' + two(clock.hours().count()) + ':' + two(clock.minutes().count());
}

}  // namespace shop
