// containers.hpp — codecs of the standard containers, of what holds one value or several, and of times.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/snapshot/codec.hpp>

namespace brook {

namespace snapshot {

/// Encodes how many elements there are, and then each by `write(element)`. Elements that take no bytes cannot be encoded: who
/// reads would have to believe any number of them.
template <class Container, class Write>
void encode_elements(Encoder& to, const Container& values, Write&& write) {
  to.size(values.size());
  const std::size_t before = to.written_size();
  for (const auto& value : values) write(value);
  if (to.written_size() - before < values.size()) to.fail();
}

/// A codec of a container whose elements are added one by one by `add(container, element)`, which may refuse one.
template <class Container, class Element, class Add>
struct ElementsCodec {
  static void encode(Encoder& to, const Container& values) {
    encode_elements(to, values, [&](const auto& value) { to.value(static_cast<const Element&>(value)); });
  }
  static expected<Container, Errc> decode(Decoder& from) {
    const auto count = from.count();
    if (!count) return from.fail();
    Container values;
    for (std::size_t i = 0; i < *count; ++i) {
      auto element = from.value<Element>();
      if (!element) return unexpected(element.error());
      if (!Add()(values, *std::move(element))) return from.fail();
    }
    return values;
  }
};

struct AddLast {
  template <class Container, class Element>
  bool operator()(Container& to, Element&& element) const {
    to.push_back(std::forward<Element>(element));
    return true;
  }
};
/// False when it is there already, in a container that has each once.
struct AddOnce {
  template <class Container, class Element>
  bool operator()(Container& to, Element&& element) const {
    const auto before = to.size();
    to.insert(std::forward<Element>(element));
    return to.size() > before;
  }
};

template <class Map>
using PairOf = std::pair<typename Map::key_type, typename Map::mapped_type>;

template <class Map>
struct MapCodec {
  using Pair = PairOf<Map>;
  static void encode(Encoder& to, const Map& map) {
    encode_elements(to, map, [&](const auto& pair) {
      to.value(pair.first);
      to.value(pair.second);
    });
  }
  static expected<Map, Errc> decode(Decoder& from) { return ElementsCodec<Map, Pair, AddOnce>::decode(from); }
};

}  // namespace snapshot

template <Encodable T, class Allocator>
struct Codec<std::vector<T, Allocator>> : snapshot::ElementsCodec<std::vector<T, Allocator>, T, snapshot::AddLast> {
  static std::string type() { return snapshot::text_of_types<T>("vector"); }
};
template <Encodable T, class Allocator>
requires snapshot::AsInMemory<T>
struct Codec<std::vector<T, Allocator>> {
  using Vector = std::vector<T, Allocator>;
  static void encode(Encoder& to, const Vector& values) {
    to.size(values.size());
    to.bytes(values.data(), values.size() * sizeof(T));
  }
  static expected<Vector, Errc> decode(Decoder& from) {
    const auto count = from.count();
    if (!count || *count > from.left() / sizeof(T)) return from.fail();
    if constexpr (std::is_default_constructible_v<T>) {
      const auto bytes = from.bytes(*count * sizeof(T));
      Vector values(*count);
      if (*count > 0) std::memcpy(static_cast<void*>(values.data()), bytes->data(), bytes->size());
      return values;
    } else {
      Vector values;
      values.reserve(*count);
      while (values.size() < *count) values.push_back(*from.value<T>());
      return values;
    }
  }
  static std::string type() { return snapshot::text_of_types<T>("vector"); }
};
template <class Allocator>
struct Codec<std::vector<bool, Allocator>>
    : snapshot::ElementsCodec<std::vector<bool, Allocator>, bool, snapshot::AddLast> {
  static void encode(Encoder& to, const std::vector<bool, Allocator>& values) {
    to.size(values.size());
    for (const bool value : values) to.value(value);
  }
  static std::string type() { return "vector<bool>"; }
};
template <Encodable T, class Allocator>
struct Codec<std::deque<T, Allocator>> : snapshot::ElementsCodec<std::deque<T, Allocator>, T, snapshot::AddLast> {
  static std::string type() { return snapshot::text_of_types<T>("deque"); }
};
template <Encodable T, class Allocator>
struct Codec<std::list<T, Allocator>> : snapshot::ElementsCodec<std::list<T, Allocator>, T, snapshot::AddLast> {
  static std::string type() { return snapshot::text_of_types<T>("list"); }
};

template <Encodable T, class... Rest>
struct Codec<std::set<T, Rest...>> : snapshot::ElementsCodec<std::set<T, Rest...>, T, snapshot::AddOnce> {
  static std::string type() { return snapshot::text_of_types<T>("set"); }
};
template <Encodable T, class... Rest>
struct Codec<std::multiset<T, Rest...>> : snapshot::ElementsCodec<std::multiset<T, Rest...>, T, snapshot::AddOnce> {
  static std::string type() { return snapshot::text_of_types<T>("multiset"); }
};
template <Encodable T, class... Rest>
struct Codec<std::unordered_set<T, Rest...>>
    : snapshot::ElementsCodec<std::unordered_set<T, Rest...>, T, snapshot::AddOnce> {
  static std::string type() { return snapshot::text_of_types<T>("unordered_set"); }
};
template <Encodable Key, Encodable T, class... Rest>
struct Codec<std::map<Key, T, Rest...>> : snapshot::MapCodec<std::map<Key, T, Rest...>> {
  static std::string type() { return snapshot::text_of_types<Key, T>("map"); }
};
template <Encodable Key, Encodable T, class... Rest>
struct Codec<std::multimap<Key, T, Rest...>> : snapshot::MapCodec<std::multimap<Key, T, Rest...>> {
  static std::string type() { return snapshot::text_of_types<Key, T>("multimap"); }
};
template <Encodable Key, Encodable T, class... Rest>
struct Codec<std::unordered_map<Key, T, Rest...>> : snapshot::MapCodec<std::unordered_map<Key, T, Rest...>> {
  static std::string type() { return snapshot::text_of_types<Key, T>("unordered_map"); }
};

template <Encodable... Ts>
struct Codec<std::tuple<Ts...>> {
  using Tuple = std::tuple<Ts...>;
  static void encode(Encoder& to, const Tuple& values) {
    std::apply([&](const auto&... value) { (to.value(value), ...); }, values);
  }
  static expected<Tuple, Errc> decode(Decoder& from) {
    // In braces the order of evaluation is that of the text.
    std::tuple<expected<Ts, Errc>...> read{from.value<Ts>()...};
    if (from.failed()) return from.fail();
    return std::apply([](auto&... value) { return Tuple(*std::move(value)...); }, read);
  }
  static std::string type() { return snapshot::text_of_types<Ts...>("tuple"); }
};
template <Encodable A, Encodable B>
struct Codec<std::pair<A, B>> {
  static void encode(Encoder& to, const std::pair<A, B>& pair) {
    to.value(pair.first);
    to.value(pair.second);
  }
  static expected<std::pair<A, B>, Errc> decode(Decoder& from) {
    auto first = from.value<A>();
    if (!first) return unexpected(first.error());
    auto second = from.value<B>();
    if (!second) return unexpected(second.error());
    return std::pair<A, B>(*std::move(first), *std::move(second));
  }
  static std::string type() { return snapshot::text_of_types<A, B>("pair"); }
};
template <Encodable T, std::size_t n>
struct Codec<std::array<T, n>> {
  static constexpr bool as_in_memory = snapshot::AsInMemory<T> && n > 0;
  static void encode(Encoder& to, const std::array<T, n>& values) {
    for (const T& value : values) to.value(value);
  }
  static expected<std::array<T, n>, Errc> decode(Decoder& from) { return read(from, std::make_index_sequence<n>()); }
  static std::string type() { return core::text({"array<", snapshot::text_of_type<T>(), ",", std::to_string(n), ">"}); }

 private:
  template <std::size_t... i>
  static expected<std::array<T, n>, Errc> read(Decoder& from, std::index_sequence<i...>) {
    std::array<expected<T, Errc>, n> values{((void)i, from.value<T>())...};
    if (from.failed()) return from.fail();
    return std::array<T, n>{*std::move(values[i])...};
  }
};

template <Encodable T>
struct Codec<std::optional<T>> {
  static void encode(Encoder& to, const std::optional<T>& value) {
    to.value(value.has_value());
    if (value) to.value(*value);
  }
  static expected<std::optional<T>, Errc> decode(Decoder& from) {
    const auto there = from.value<bool>();
    if (!there) return from.fail();
    std::optional<T> read;
    if (*there) {
      auto value = from.value<T>();
      if (!value) return unexpected(value.error());
      read.emplace(*std::move(value));
    }
    return read;
  }
  static std::string type() { return snapshot::text_of_types<T>("optional"); }
};
template <Encodable T>
struct Codec<std::unique_ptr<T>> {
  static void encode(Encoder& to, const std::unique_ptr<T>& value) {
    to.value(value != nullptr);
    if (value != nullptr) to.value(*value);
  }
  static expected<std::unique_ptr<T>, Errc> decode(Decoder& from) {
    const auto there = from.value<bool>();
    if (!there) return from.fail();
    if (!*there) return std::unique_ptr<T>();
    auto value = from.value<T>();
    if (!value) return unexpected(value.error());
    return std::make_unique<T>(*std::move(value));
  }
  static std::string type() { return snapshot::text_of_types<T>("unique_ptr"); }
};
template <>
struct Codec<std::monostate> {
  static void encode(Encoder& to, std::monostate) { to.number(std::uint8_t{0}); }
  static expected<std::monostate, Errc> decode(Decoder& from) {
    const auto byte = from.number<std::uint8_t>();
    if (!byte || *byte != 0) return from.fail();
    return std::monostate();
  }
  static std::string type() { return "nothing"; }
};
/// One that has lost its value by an exception cannot be encoded.
template <Encodable... Ts>
struct Codec<std::variant<Ts...>> {
  using Variant = std::variant<Ts...>;
  static void encode(Encoder& to, const Variant& value) {
    if (value.valueless_by_exception()) return to.fail();
    to.size(value.index());
    std::visit([&](const auto& held) { to.value(held); }, value);
  }
  static expected<Variant, Errc> decode(Decoder& from) {
    const auto index = from.size();
    if (!index || *index >= sizeof...(Ts)) return from.fail();
    return read<0>(from, static_cast<std::size_t>(*index));
  }
  static std::string type() { return snapshot::text_of_types<Ts...>("variant"); }

 private:
  template <std::size_t i>
  static expected<Variant, Errc> read(Decoder& from, std::size_t index) {
    if constexpr (i == sizeof...(Ts)) {
      return from.fail();
    } else {
      if (index != i) return read<i + 1>(from, index);
      auto value = from.value<std::variant_alternative_t<i, Variant>>();
      if (!value) return unexpected(value.error());
      return Variant(std::in_place_index<i>, *std::move(value));
    }
  }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static constexpr bool as_in_memory = snapshot::AsInMemory<Rep> && sizeof(Duration) == sizeof(Rep);
  static void encode(Encoder& to, const Duration& time) { to.value(time.count()); }
  static expected<Duration, Errc> decode(Decoder& from) {
    const auto count = from.value<Rep>();
    if (!count) return from.fail();
    return Duration(*count);
  }
  static std::string type() {
    return core::text({"duration<", snapshot::text_of_type<Rep>(), ",", std::to_string(Period::num), "/",
                       std::to_string(Period::den), ">"});
  }
};
/// Of clocks that mean the same in another process: what std::chrono::steady_clock says is of use only in this one.
template <class Clock, class Duration>
requires(!std::same_as<Clock, std::chrono::steady_clock>) struct Codec<std::chrono::time_point<Clock, Duration>> {
  using Time = std::chrono::time_point<Clock, Duration>;
  static constexpr bool as_in_memory = snapshot::AsInMemory<Duration> && sizeof(Time) == sizeof(Duration);
  static void encode(Encoder& to, const Time& time) { to.value(time.time_since_epoch()); }
  static expected<Time, Errc> decode(Decoder& from) {
    const auto since = from.value<Duration>();
    if (!since) return from.fail();
    return Time(*since);
  }
  static std::string type() {
    return core::text({"time<", snapshot::name_of_type<Clock>(), ",", snapshot::text_of_type<Duration>(), ">"});
  }
};

}  // namespace brook
