// money.hpp — sums of money, exact: whole tenths of a penny, because some prices are given that finely.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text.hpp"

namespace shop {

struct Money {
  std::int64_t tenths = 0;  ///< Tenths of a penny.

  friend constexpr auto operator<=>(Money, Money) = default;
  friend constexpr Money operator*(std::int64_t times, Money money) { return {times * money.tenths}; }
  friend constexpr Money operator-(Money left, Money right) { return {left.tenths - right.tenths}; }
  constexpr Money& operator+=(Money other) {
    tenths += other.tenths;
    return *this;
  }
};

inline constexpr std::int64_t tenths_per_pound = 1000;

/// Reads "2.55", "34", "-11062.06", "0.001". Nothing for other text and for fractions of a tenth of a penny.
[[nodiscard]] inline std::optional<Money> parse_money(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  std::string digits{text.substr(0, point)};
  std::string_view decimals = point == text.npos ? std::string_view{} : text.substr(point + 1);
  if (digits.empty() || (point != text.npos && decimals.empty())) return std::nullopt;
  while (decimals.size() > 3 && decimals.back() == '0') decimals.remove_suffix(1);
  if (decimals.size() > 3) return std::nullopt;
  digits.append(decimals).append(3 - decimals.size(), '0');
  if (digits.find_first_not_of("0123456789") != digits.npos) return std::nullopt;
  const auto tenths = parse_integer<std::int64_t>(digits);
  if (!tenths) return std::nullopt;
  return Money{negative ? -*tenths : *tenths};
}

/// "1,234.56", and "0.001" where two decimals do not suffice.
[[nodiscard]] inline std::string to_string(Money money) {
  const bool negative = money.tenths < 0;
  const auto size = static_cast<std::uint64_t>(negative ? -money.tenths : money.tenths);
  std::string decimals =
      std::to_string(tenths_per_pound + static_cast<std::int64_t>(size % tenths_per_pound)).substr(1);
  if (decimals.back() == '0') decimals.pop_back();
  return (negative ? "-" : "") + grouped(size / tenths_per_pound) + '.' + decimals;
}

}  // namespace shop
