// types.hpp — the types of which a broker's objects are: brook::types<Order, Job>.
#pragma once

#include <string>

#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/type_text.hpp>

namespace brook {

/// Types of elements. Those of streams and lists need a Codec, those of channels do not.
template <class... Ts>
struct Types {};

/// To be told to save() and load() of a broker, which knows its objects by their names only.
template <class... Ts>
inline constexpr Types<Ts...> types{};

namespace snapshot {

/// How a snapshot describes elements of this type.
template <class T>
[[nodiscard]] std::string text_of_element() {
  if constexpr (Encodable<T>) return text_of_type<T>();
  else return name_of_type<T>();
}

}  // namespace snapshot
}  // namespace brook
