// shown.hpp — values, ids and times as text for people: what dump(), stories and matchers print.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>

#include <brook/broker/named.hpp>
#include <brook/id.hpp>
#include <brook/redelivery.hpp>

namespace brook {

namespace testing {

/// On one line; as it stands in such quotes.
inline void print_escaped(std::ostream& to, std::string_view text, char quote) {
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') to << "\\n";
    else if (c == quote || c == '\\') to << '\\' << c;
    else if (code < 0x20 || code == 0x7f)
      to << "\\x"
         << "0123456789abcdef"[code / 16] << "0123456789abcdef"[code % 16];
    else to << c;
  }
}
inline void print_text(std::ostream& to, std::string_view text, char quote) {
  to << quote;
  print_escaped(to, text, quote);
  to << quote;
}
/// A name as it is told to people, in quotes and without.
[[nodiscard]] inline std::string in_quotes(std::string_view name) {
  std::ostringstream text;
  print_text(text, name, '\'');
  return text.str();
}
[[nodiscard]] inline std::string without_quotes(std::string_view name) {
  std::ostringstream text;
  print_escaped(text, name, '\\');
  return text.str();
}

}  // namespace testing

/// How a value is printed. Specialise it for a type of your own that has no operator<<, or a bad one:
///   template <> struct brook::Shown<Order> {
///     static void print(std::ostream& to, const Order& order) { to << "order " << order.number; }
///   };
/// Text is printed in quotes; a type without operator<< as its name and size.
template <class T>
struct Shown {
  /// As said above.
  static void print(std::ostream& to, const T& value) {
    if constexpr (std::is_same_v<T, bool>) to << (value ? "true" : "false");
    else if constexpr (std::is_convertible_v<const T&, std::string_view>) testing::print_text(to, value, '"');
    else if constexpr (requires { to << value; }) to << value;
    else to << '<' << broker::type_name<T>() << ", " << sizeof(T) << " bytes>";
  }
};

/// A dead letter: the value, and how it ended.
template <class T>
struct Shown<DeadLetter<T>> {
  static void print(std::ostream& to, const DeadLetter<T>& letter) {
    Shown<T>::print(to, letter.value);
    to << (letter.reason == DeathReason::fatal ? ", fatal" : ", too often") << ": " << letter.id << " in '"
       << letter.group << "', delivery " << letter.deliveries;
    if (!letter.consumer.empty()) to << " to '" << letter.consumer << '\'';
  }
};

namespace testing {

template <class T>
[[nodiscard]] std::string shown(const T& value) {
  std::ostringstream text;
  Shown<T>::print(text, value);
  return text.str();
}

/// How many characters a text of UTF-8 has.
[[nodiscard]] inline std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// "3 entries", "1 entry".
[[nodiscard]] inline std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count).append(" ").append(count == 1 ? one : many);
}

}  // namespace testing

}  // namespace brook
