// format.hpp — values as Redis has them: an entry of a stream is a row of fields, an element of a list is one text.
#pragma once

#include <charconv>
#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/error.hpp>

namespace brook {

/// The fields of an entry: names and values in their order. A name may be there twice, as in Redis.
using RedisFields = std::vector<std::pair<std::string, std::string>>;

/// How values of a type are told to Redis, and made again. A specialisation has one of these pairs, or both:
///
///   static std::string text(const T&);                            // or what converts to std::string_view
///   static expected<T, Errc> from_text(std::string_view);
///
///   static RedisFields fields(const T&);                          // one at least; or a reference to them
///   static expected<T, Errc> from_fields(RedisFields);
///
/// An entry of a stream is told by its fields, or else as one field with the text. An element of a list is told by its text. There
/// are those of std::string, whole numbers, RedisFields and std::map<std::string, std::string>.
template <class T>
struct RedisFormat;

/// A type that has a text.
template <class T>
concept RedisText = requires(const T& value, std::string_view text) {
  { RedisFormat<T>::text(value) } -> std::convertible_to<std::string_view>;
  { RedisFormat<T>::from_text(text) } -> std::same_as<expected<T, Errc>>;
};
/// A type that has fields.
template <class T>
concept RedisRow = requires(const T& value, RedisFields fields) {
  { RedisFormat<T>::fields(value) } -> std::convertible_to<const RedisFields&>;
  { RedisFormat<T>::from_fields(std::move(fields)) } -> std::same_as<expected<T, Errc>>;
};
/// A type whose streams can be told to Redis.
template <class T>
concept RedisEntry = RedisRow<T> || RedisText<T>;

template <>
struct RedisFormat<std::string> {
  static const std::string& text(const std::string& value) noexcept { return value; }
  static expected<std::string, Errc> from_text(std::string_view text) { return std::string(text); }
};

template <std::integral T>
requires(!std::same_as<T, bool> && !std::same_as<T, char>) struct RedisFormat<T> {
  static std::string text(T value) { return std::to_string(value); }
  static expected<T, Errc> from_text(std::string_view text) {
    T value{};
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return unexpected(Errc::codec_error);
    return value;
  }
};

template <>
struct RedisFormat<RedisFields> {
  static const RedisFields& fields(const RedisFields& value) noexcept { return value; }
  static expected<RedisFields, Errc> from_fields(RedisFields fields) { return fields; }
};

/// Fields by name, which must not be there twice.
template <class Compare, class Allocator>
struct RedisFormat<std::map<std::string, std::string, Compare, Allocator>> {
  using Map = std::map<std::string, std::string, Compare, Allocator>;

  static RedisFields fields(const Map& value) { return RedisFields(value.begin(), value.end()); }
  static expected<Map, Errc> from_fields(RedisFields fields) {
    Map map;
    for (auto& [name, value] : fields) {
      if (!map.try_emplace(std::move(name), std::move(value)).second) return unexpected(Errc::codec_error);
    }
    return map;
  }
};

}  // namespace brook
