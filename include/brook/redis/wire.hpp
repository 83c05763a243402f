// wire.hpp — the bytes of RESP: lines, numbers, texts behind their length. Nothing of them is trusted: no more memory is taken than
// bytes have come.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <brook/error.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::redis {

/// Reads through a buffer of 16 KiB. The first error stays, and then nothing is read any more. For one thread. Throws
/// std::bad_alloc, and what the source throws.
class Wire {
 public:
  /// `ends_early` says what is cut off, when it is.
  Wire(ByteSource& from, const char* ends_early) noexcept : from_(from), ends_early_(ends_early) {}

  [[nodiscard]] snapshot::Result result() const {
    return error_ ? snapshot::Result(unexpected(*error_)) : snapshot::Result();
  }
  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  /// False.
  bool fail(Errc why, std::string text, std::uint64_t offset) {
    if (!error_) error_.emplace(why, std::move(text), offset);
    return false;
  }
  bool fail(std::string text) { return fail(Errc::corrupt, std::move(text), offset()); }

  /// Of the next byte, from the beginning of all.
  [[nodiscard]] std::uint64_t offset() const noexcept { return read_ - (size_ - at_); }
  /// Whether there is one more byte; asks for some only when all that came have been taken.
  [[nodiscard]] bool fill() {
    if (error_) return false;
    if (has_more()) return true;
    at_ = size_ = 0;
    const auto count = from_.read(std::as_writable_bytes(std::span(buffer_)));
    if (!count) return fail(count.error().code(), count.error().message(), read_);
    size_ = *count;
    read_ += *count;
    return size_ > 0;
  }
  /// Whether there is one that has come already.
  [[nodiscard]] bool has_more() const noexcept { return at_ < size_; }
  /// The next byte. Requires that there is one.
  [[nodiscard]] char peek() const noexcept { return buffer_[at_]; }

  /// Takes this byte; else says what was to be here.
  bool take(char wanted, const char* otherwise) {
    if (!fill()) return fail(ends_early_);
    if (peek() != wanted) return fail(otherwise);
    ++at_;
    return true;
  }
  [[nodiscard]] bool end_line() {
    constexpr const char* otherwise = "a line was to end here";
    return take('\r', otherwise) && take('\n', otherwise);
  }
  void skip_line() {
    for (bool more = true; more && fill(); ++at_) more = peek() != '\n';
  }
  /// A number without a sign, and the end of its line.
  [[nodiscard]] std::optional<std::uint64_t> number(std::size_t most_digits) {
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; fill() && peek() >= '0' && peek() <= '9'; ++at_, ++digits) {
      if (digits == most_digits) return fail("a number is too long"), std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(peek() - '0');
    }
    if (digits == 0) return fail("a number was to be here"), std::nullopt;
    if (!end_line()) return std::nullopt;
    return value;
  }
  /// Appends so many bytes, which a line end must follow.
  bool text(std::uint64_t size, std::string& to) {
    return take_bytes(size, [&](const char* bytes, std::size_t count) { to.append(bytes, count); });
  }
  bool skip_text(std::uint64_t size) {
    return take_bytes(size, [](const char*, std::size_t) {});
  }

  /// How many bytes a text has at most: proto-max-bulk-len of Redis, as it is by default.
  static constexpr std::uint64_t longest_text = 512U << 20;
  /// Digits of a length, or of a count.
  static constexpr std::size_t digits_of_length = 10;

 private:
  template <class Use>
  bool take_bytes(std::uint64_t size, Use&& use) {
    if (size > longest_text) return fail("a word is too long");
    for (auto left = static_cast<std::size_t>(size); left > 0;) {
      if (!fill()) return fail(ends_early_);
      const std::size_t some = std::min(left, size_ - at_);
      use(buffer_.data() + at_, some);
      at_ += some;
      left -= some;
    }
    return end_line();
  }

  ByteSource& from_;
  const char* const ends_early_;
  std::array<char, 16 * 1024> buffer_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::uint64_t read_ = 0;
  std::optional<SnapshotError> error_;
};

}  // namespace brook::redis
