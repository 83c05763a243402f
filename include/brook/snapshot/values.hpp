// values.hpp — many values of one type in a section: each in as many bytes as all have, or behind its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include <brook/log/payload.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/reader.hpp>

namespace brook::snapshot {

/// In how many bytes each T is written; 0 when that differs.
template <class T>
[[nodiscard]] constexpr std::uint64_t size_of_value() noexcept {
  return AsInMemory<T> ? sizeof(T) : 0;
}

/// How many values are written, or read, before somebody looks whether a piece is full, or at its end.
template <class T>
inline constexpr std::size_t values_at_once = AsInMemory<T> && sizeof(T) < largest_piece ? largest_piece / sizeof(T)
                                                                                         : std::size_t{1};

/// Writes values. Throws std::bad_alloc, and what the Codec throws.
template <class T>
struct Values {
  /// As many as `at(i)` gives for i = 0, 1, …
  template <class At>
  static void write(Encoder& to, std::size_t count, At&& at) {
    if constexpr (AsInMemory<T>) {
      std::byte* room = to.room(count * sizeof(T));
      for (std::size_t i = 0; i < count; ++i, room += sizeof(T)) std::memcpy(room, std::addressof(at(i)), sizeof(T));
    } else {
      for (std::size_t i = 0; i < count; ++i) write(to, at(i));
    }
  }
  static void write(Encoder& to, const T& value) {
    if constexpr (AsInMemory<T>) {
      std::memcpy(to.room(sizeof(T)), std::addressof(value), sizeof(T));
    } else {
      to.sized_value(value);
    }
  }
};

/// Reads one. Nothing when that failed.
template <class T>
[[nodiscard]] std::optional<T> read_value(Reader& from) {
  const std::uint64_t size = AsInMemory<T> ? sizeof(T) : from.size();
  if (from.failed()) return std::nullopt;
  return from.value<T>(size);
}

}  // namespace brook::snapshot
