// codec.hpp — how values become bytes: Codec<T>, the customisation point of snapshots, and the simple types.
//
//   template <>
//   struct brook::Codec<Order> : brook::MemberCodec<Order, &Order::id, &Order::customer, &Order::lines> {};
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/redelivery.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/type_text.hpp>

namespace brook {

/// How a T becomes bytes and comes back. A specialisation has three static members:
///
///   static void encode(Encoder& to, const T& value);            // to.fail() for what cannot be encoded
///   static expected<T, Errc> decode(Decoder& from);             // from.fail() for bytes that make no sense
///   static std::string type();                                  // what tells T from other types, and from what it was
///                                                               // before its members changed
///
/// decode() meets arbitrary bytes and must not trust them. Built in: numbers, enumerations, bool, strings, the standard
/// containers, pairs, tuples, optionals, variants, std::unique_ptr, std::chrono, and trivially copyable types, whose bytes
/// are taken as they are: those must not hold pointers, and are read back only with the same name, size and alignment,
/// and on machines with the same byte order. For other types derive from MemberCodec, or use an adapter
/// (<brook/adapters/cereal.hpp>).
template <class T>
struct Codec;

/// Types that snapshots can hold.
template <class T>
concept Encodable = requires(Encoder& to, Decoder& from, const T& value) {
  Codec<T>::encode(to, value);
  { Codec<T>::decode(from) } -> std::same_as<expected<T, Errc>>;
  { Codec<T>::type() } -> std::convertible_to<std::string>;
};

namespace snapshot {

// What says something in this process only.
template <class T>
inline constexpr bool is_local = false;
template <class Char, class Traits>
inline constexpr bool is_local<std::basic_string_view<Char, Traits>> = true;
template <class T, std::size_t n>
inline constexpr bool is_local<std::span<T, n>> = true;
template <class T>
inline constexpr bool is_local<std::reference_wrapper<T>> = true;
template <class Duration>
inline constexpr bool is_local<std::chrono::time_point<std::chrono::steady_clock, Duration>> = true;

// What holds values of other types: it has a codec where they have one (snapshot/containers.hpp), and else none.
template <class T>
inline constexpr bool holds_others = false;
template <class T, std::size_t n>
inline constexpr bool holds_others<std::array<T, n>> = true;
template <class T>
inline constexpr bool holds_others<std::optional<T>> = true;
template <class A, class B>
inline constexpr bool holds_others<std::pair<A, B>> = true;
template <class... Ts>
inline constexpr bool holds_others<std::tuple<Ts...>> = true;
template <class... Ts>
inline constexpr bool holds_others<std::variant<Ts...>> = true;

/// Types whose bytes are taken as they are, if nothing else is said of them.
template <class T>
concept Raw = (std::is_class_v<T> && std::is_trivially_copyable_v<T> && !is_local<T> && !holds_others<T>) ||
              std::same_as<T, long double>;

/// Types of which a snapshot holds the bytes just as they lie in memory: so many of them are copied at one stroke.
template <class T>
concept AsInMemory = std::is_trivially_copyable_v<T> && requires {
  requires Codec<T>::as_in_memory;
};

/// The value whose bytes these are.
template <class T>
[[nodiscard]] T in_memory(const std::byte* bytes) noexcept {
  alignas(T) std::byte room[sizeof(T)];
  std::memcpy(room, bytes, sizeof(T));
  return std::bit_cast<T>(room);
}

}  // namespace snapshot

template <class T>
requires snapshot::Raw<T>
struct Codec<T> {
  static constexpr bool as_in_memory = true;

  static void encode(Encoder& to, const T& value) { to.bytes(std::addressof(value), sizeof value); }
  static expected<T, Errc> decode(Decoder& from) {
    const auto bytes = from.bytes(sizeof(T));
    if (!bytes) return from.fail();
    return snapshot::in_memory<T>(bytes->data());
  }
  static std::string type() {
    const bool padded = !std::has_unique_object_representations_v<T>;
    return snapshot::name_of_type<T>() + '[' + std::to_string(sizeof(T)) + '/' + std::to_string(alignof(T)) +
           (padded ? " padded" : "") + (std::endian::native == std::endian::little ? "]" : " big-endian]");
  }
};

template <std::integral T>
struct Codec<T> {
  static constexpr bool as_in_memory = std::endian::native == std::endian::little || sizeof(T) == 1;

  static void encode(Encoder& to, T value) { to.number(value); }
  static expected<T, Errc> decode(Decoder& from) { return from.number<T>(); }
  static std::string type() {
    const bool is_number = std::same_as<T, std::make_signed_t<T>> || std::same_as<T, std::make_unsigned_t<T>>;
    const char kind = !is_number || std::same_as<T, wchar_t> ? 'c' : std::is_signed_v<T> ? 'i' : 'u';
    return kind + std::to_string(8 * sizeof(T));
  }
};

template <>
struct Codec<bool> {
  static void encode(Encoder& to, bool value) { to.number(static_cast<std::uint8_t>(value)); }
  static expected<bool, Errc> decode(Decoder& from) {
    const auto byte = from.number<std::uint8_t>();
    if (!byte || *byte > 1) return from.fail();
    return *byte == 1;
  }
  static std::string type() { return "bool"; }
};

template <class T>
requires std::same_as<T, float> || std::same_as<T, double>
struct Codec<T> {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static_assert(sizeof(T) == sizeof(Bits));
  static constexpr bool as_in_memory = std::endian::native == std::endian::little;

  static void encode(Encoder& to, T value) { to.number(std::bit_cast<Bits>(value)); }
  static expected<T, Errc> decode(Decoder& from) {
    const auto bits = from.number<Bits>();
    if (!bits) return from.fail();
    return std::bit_cast<T>(*bits);
  }
  static std::string type() { return 'f' + std::to_string(8 * sizeof(T)); }
};

template <class T>
requires std::is_enum_v<T>
struct Codec<T> {
  using Number = std::underlying_type_t<T>;
  static constexpr bool as_in_memory = snapshot::AsInMemory<Number>;

  static void encode(Encoder& to, T value) { to.value(static_cast<Number>(value)); }
  static expected<T, Errc> decode(Decoder& from) {
    const auto number = from.value<Number>();
    if (!number) return from.fail();
    return static_cast<T>(*number);
  }
  static std::string type() { return snapshot::name_of_type<T>() + ':' + snapshot::text_of_type<Number>(); }
};

template <class Char, class Traits, class Allocator>
struct Codec<std::basic_string<Char, Traits, Allocator>> {
  using String = std::basic_string<Char, Traits, Allocator>;

  static void encode(Encoder& to, const String& text) {
    to.size(text.size());
    if constexpr (snapshot::AsInMemory<Char>) to.bytes(text.data(), text.size() * sizeof(Char));
    else
      for (const Char character : text) to.value(character);
  }
  static expected<String, Errc> decode(Decoder& from) {
    const auto count = from.count();
    if (!count || *count > from.left() / sizeof(Char)) return from.fail();
    String text(*count, Char());
    for (std::size_t i = 0; i < *count; ++i) text[i] = *from.value<Char>();
    return text;
  }
  static expected<String, Errc> decode(Decoder& from) requires snapshot::AsInMemory<Char> {
    const auto count = from.count();
    if (!count || *count > from.left() / sizeof(Char)) return from.fail();
    const auto bytes = from.bytes(*count * sizeof(Char));
    if constexpr (sizeof(Char) == 1) return String(reinterpret_cast<const Char*>(bytes->data()), *count);
    String text(*count, Char());
    if (*count > 0) std::memcpy(text.data(), bytes->data(), bytes->size());
    return text;
  }
  static std::string type() {
    return sizeof(Char) == 1 ? "string" : core::text({"string<", snapshot::text_of_type<Char>(), ">"});
  }
};

/// A codec of a type by its members, for Codec<T> to derive from: each must have a Codec itself. T must be default
/// constructible; a derived Codec may say another type() than its name and its members' types.
template <class T, auto... members>
struct MemberCodec {
  /// The members one after the other.
  static void encode(Encoder& to, const T& value) { (to.value(value.*members), ...); }
  /// The same, read. Errors: those of the members.
  static expected<T, Errc> decode(Decoder& from) {
    T value{};
    const auto read = [&](auto& member) {
      auto decoded = from.value<std::remove_cvref_t<decltype(member)>>();
      if (decoded) member = *std::move(decoded);
      return decoded.has_value();
    };
    if (!(read(value.*members) && ...)) return from.fail();
    return value;
  }
  /// Its name, and its members' types.
  static std::string type() {
    return snapshot::text_of_types<std::remove_cvref_t<decltype(std::declval<T&>().*members)>...>(
        snapshot::name_of_type<T>(), "{", "}");
  }
};

template <>
struct Codec<Id> : MemberCodec<Id, &Id::ms, &Id::seq> {
  static constexpr bool as_in_memory = std::endian::native == std::endian::little;
  static std::string type() { return "id"; }
};

template <class T>
requires Encodable<T>
struct Codec<DeadLetter<T>> {
  static void encode(Encoder& to, const DeadLetter<T>& letter) {
    to.value(letter.id);
    to.text(letter.group);
    to.text(letter.consumer);
    to.value(letter.reason);
    to.size(letter.deliveries);
    to.size(letter.delivered_ms);
    to.value(letter.value);
  }
  static expected<DeadLetter<T>, Errc> decode(Decoder& from) {
    const auto id = from.value<Id>();
    auto group = from.value<std::string>();
    auto consumer = from.value<std::string>();
    const auto reason = from.value<DeathReason>();
    const auto deliveries = from.size();
    const auto delivered_ms = from.size();
    auto value = from.value<T>();
    if (!value) return unexpected(value.error());
    return DeadLetter<T>{{*id, *std::move(group), *std::move(consumer), *reason, *deliveries, *delivered_ms},
                         *std::move(value)};
  }
  static std::string type() { return snapshot::text_of_types<T>("dead letter of "); }
};

}  // namespace brook
