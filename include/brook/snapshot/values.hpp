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
#include <brook/snapshot/reader.hpp>

namespace brook::snapshot {

/// In how many bytes each T is written; 0 when that differs.
template <class T>
[[nodiscard]] constexpr std::uint64_t size_of_value() noexcept {
  return AsInMemory<T> ? sizeof(T) : 0;
}

/// Writes values. For one thread.
template <class T>
class Values {
 public:
  void write(Encoder& to, const T& value) {
    if constexpr (AsInMemory<T>) {
      std::memcpy(to.room(sizeof(T)), std::addressof(value), sizeof(T));
    } else {
      alone_.clear();
      alone_.value(value);
      if (alone_.failed()) to.fail();
      to.size(alone_.written_size());
      to.bytes(alone_.written());
    }
  }

 private:
  Encoder alone_;
};

/// Reads one. Nothing when that failed.
template <class T>
[[nodiscard]] std::optional<T> read_value(Reader& from) {
  const std::uint64_t size = AsInMemory<T> ? sizeof(T) : from.size();
  if (from.failed()) return std::nullopt;
  return from.value<T>(size);
}

}  // namespace brook::snapshot
