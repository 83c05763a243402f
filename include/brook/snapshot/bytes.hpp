// bytes.hpp — values as bytes: what a Codec writes to and reads from. Little-endian on every machine.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/error.hpp>

namespace brook {

template <class T>
struct Codec;

namespace snapshot {

/// Values within values within values, and so on, are written to this depth, and read to twice of it: what is one step when it is
/// written may be two when it is read.
inline constexpr int most_depth = 200;

struct Deeper {
  explicit Deeper(int& of) noexcept : depth(of) { ++depth; }
  ~Deeper() { --depth; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;
  int& depth;
};

}  // namespace snapshot

/// Gathers bytes. Throws std::bad_alloc.
class Encoder {
 public:
  void bytes(std::span<const std::byte> added) { bytes(added.data(), added.size()); }
  void bytes(const void* from, std::size_t size) {
    if (size > 0) std::memcpy(room(size), from, size);
  }
  void text(std::string_view text) {
    size(text.size());
    bytes(text.data(), text.size());
  }

  /// An integer in as many bytes as it has.
  template <std::integral Number>
  void number(Number number) {
    if constexpr (std::endian::native == std::endian::little || sizeof number == 1) {
      bytes(&number, sizeof number);
    } else {
      const auto bits = static_cast<std::make_unsigned_t<Number>>(number);
      std::byte* const to = room(sizeof bits);
      for (std::size_t i = 0; i < sizeof bits; ++i) to[i] = static_cast<std::byte>(bits >> (8 * i));
    }
  }

  /// An integer in as few bytes as will do, seven bits in each, the lowest first; small ones are short.
  void size(std::uint64_t number) {
    std::byte to[most_of_size];
    bytes(to, put(number, to));
  }
  /// The same for one that may be negative: 0, -1, 1, -2, …
  void signed_size(std::int64_t number) {
    const auto bits = static_cast<std::uint64_t>(number);
    size((bits << 1) ^ (number < 0 ? ~std::uint64_t{0} : 0));
  }

  /// Room for so many bytes, which the caller writes; until something else is added.
  [[nodiscard]] std::byte* room(std::size_t count) {
    if (count > bytes_.size() - size_) grow(count);
    return bytes_.data() + std::exchange(size_, size_ + count);
  }

  /// A value, by its Codec. One that lies too deep in others cannot be encoded.
  template <class T>
  void value(const T& value) {
    if (depth_ == snapshot::most_depth) return fail();
    const snapshot::Deeper deeper(depth_);
    Codec<T>::encode(*this, value);
  }

  /// The same behind its size.
  template <class T>
  void sized_value(const T& value) {
    const std::size_t before = size_;
    static_cast<void>(room(1));  // enough for most
    this->value(value);
    const std::size_t count = size_ - before - 1;
    std::byte size[most_of_size];
    const std::size_t taken = put(count, size);
    static_cast<void>(room(taken - 1));
    std::byte* const at = bytes_.data() + before;
    if (taken > 1) std::memmove(at + taken, at + 1, count);
    std::memcpy(at, size, taken);
  }

  /// A value that cannot be encoded.
  void fail() noexcept { failed_ = true; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

  [[nodiscard]] std::span<const std::byte> written() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::size_t written_size() const noexcept { return size_; }
  void clear() noexcept {
    size_ = 0;
    failed_ = false;
  }
  /// Forgets the first bytes.
  void drop(std::size_t count) noexcept {
    size_ -= count;
    if (size_ > 0) std::memmove(bytes_.data(), bytes_.data() + count, size_);
  }

  static constexpr std::size_t most_of_size = 10;

 private:
  // Writes a size, and says in how many bytes.
  static std::size_t put(std::uint64_t number, std::byte (&to)[most_of_size]) noexcept {
    std::size_t n = 0;
    for (; number >= 0x80; number >>= 7) to[n++] = static_cast<std::byte>(number | 0x80);
    to[n++] = static_cast<std::byte>(number);
    return n;
  }

  void grow(std::size_t count) { bytes_.resize(std::max(2 * bytes_.size(), size_ + count)); }

  std::vector<std::byte> bytes_;  // the first size_ are written
  std::size_t size_ = 0;
  int depth_ = 0;
  bool failed_ = false;
};

/// Takes bytes apart again, and trusts none of them. After the first failure everything fails.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) noexcept : left_(bytes) {}

  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Says that what was read makes no sense; to be returned.
  [[nodiscard]] unexpected<Errc> fail(Errc why = Errc::corrupt) noexcept {
    failed_ = true;
    left_ = {};
    return unexpected<Errc>(why);
  }

  /// The next bytes; as long as what is decoded from.
  [[nodiscard]] expected<std::span<const std::byte>, Errc> bytes(std::size_t count) noexcept {
    if (failed_ || count > left_.size()) return fail();
    const auto taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }
  [[nodiscard]] expected<std::string_view, Errc> text() noexcept {
    const auto length = size();
    if (!length || *length > left_.size()) return fail();
    const auto taken = bytes(static_cast<std::size_t>(*length));
    return std::string_view(reinterpret_cast<const char*>(taken->data()), taken->size());
  }

  template <std::integral Number>
  [[nodiscard]] expected<Number, Errc> number() noexcept {
    const auto taken = bytes(sizeof(Number));
    if (!taken) return fail();
    if constexpr (std::endian::native == std::endian::little || sizeof(Number) == 1) {
      Number number;
      std::memcpy(&number, taken->data(), sizeof number);
      return number;
    } else {
      std::make_unsigned_t<Number> bits = 0;
      for (std::size_t i = sizeof bits; i-- > 0;)
        bits = static_cast<std::make_unsigned_t<Number>>(bits << 8 | static_cast<std::uint8_t>((*taken)[i]));
      return static_cast<Number>(bits);
    }
  }

  [[nodiscard]] expected<std::uint64_t, Errc> size() noexcept {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint64_t>(left_.front());
      left_ = left_.subspan(1);
      if (shift == 63 && byte > 1) break;
      number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
    return fail();
  }
  [[nodiscard]] expected<std::int64_t, Errc> signed_size() noexcept {
    const auto bits = size();
    if (!bits) return fail();
    return static_cast<std::int64_t>((*bits >> 1) ^ ((*bits & 1) != 0 ? ~std::uint64_t{0} : 0));
  }
  /// How many elements follow, each of which takes a byte at least.
  [[nodiscard]] expected<std::size_t, Errc> count() noexcept {
    const auto number = size();
    if (!number || *number > left_.size()) return fail();
    return static_cast<std::size_t>(*number);
  }

  /// A value, by its Codec. One that lies too deep in others is refused.
  template <class T>
  [[nodiscard]] expected<T, Errc> value() {
    if (failed_ || depth_ == 2 * snapshot::most_depth) return fail();
    const snapshot::Deeper deeper(depth_);
    return Codec<T>::decode(*this);
  }

 private:
  std::span<const std::byte> left_;
  int depth_ = 0;
  bool failed_ = false;
};

}  // namespace brook
