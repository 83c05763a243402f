// value.hpp — the bytes of a value as text, where its type is one that is built in; and text that is safe to show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <brook/snapshot/codec.hpp>

namespace inspect {

template <class T>
[[nodiscard]] std::optional<T> decoded(std::span<const std::byte> bytes) {
  brook::Decoder from(bytes);
  auto value = from.value<T>();
  return value && from.left() == 0 ? std::optional<T>(*std::move(value)) : std::nullopt;
}
template <class... Numbers>
[[nodiscard]] std::string text_of_number(std::string_view type, std::span<const std::byte> bytes) {
  std::string text;
  const auto try_as = [&](auto number) {
    using Number = decltype(number);
    if (type != brook::snapshot::text_of_type<Number>()) return false;
    if (const auto value = decoded<Number>(bytes)) text = std::to_string(*value);
    return true;
  };
  static_cast<void>((try_as(Numbers()) || ...));
  return text;
}

/// Without control characters, between quotes.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
  std::string shown = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    char code[8];
    std::snprintf(code, sizeof code,
                  byte < 0x20 || byte == 0x7f       ? "\\u%04x"
                  : letter == '"' || letter == '\\' ? "\\%c"
                                                    : "%c",
                  byte);
    shown += code;
  }
  return shown + '"';
}

/// The value, if its type is one that is known here; else how many bytes it has.
[[nodiscard]] inline std::string text_of_value(std::string_view type, std::span<const std::byte> bytes) {
  if (type == "string") {
    if (const auto text = decoded<std::string>(bytes)) return in_quotes(*text);
  } else if (type == "bool" && bytes.size() == 1) {
    return bytes[0] == std::byte{0} ? "false" : "true";
  } else if (const std::string number =
                 text_of_number<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                                std::uint32_t, std::uint64_t, float, double>(type, bytes);
             !number.empty()) {
    return number;
  }
  return "(" + std::to_string(bytes.size()) + " bytes)";
}

}  // namespace inspect
