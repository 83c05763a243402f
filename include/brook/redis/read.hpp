// read.hpp — commands as they stand in what Redis writes, taken apart again. Nothing of it is trusted: no more memory is taken
// than bytes have come, times a small number.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::redis {

/// One command.
class Command {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
  /// Requires i < size(). Until the next command is read.
  [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
    const std::size_t from = i > 0 ? ends_[i - 1] : 0;
    return std::string_view(bytes_).substr(from, ends_[i] - from);
  }
  /// Where it begins, in bytes from the beginning of all.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

 private:
  friend class Reader;

  std::string bytes_;
  std::vector<std::size_t> ends_;
  std::uint64_t offset_ = 0;
};

/// Whether two words are the same but for the case of ASCII letters.
[[nodiscard]] constexpr bool same_word(std::string_view a, std::string_view b) noexcept {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::ranges::equal(a, b, {}, upper, upper);
}

/// For one thread. Throws std::bad_alloc, and what the source throws.
class Reader {
 public:
  explicit Reader(ByteSource& from) noexcept : from_(from) {}

  /// The next command; nothing at the end, and after an error. Errors: corrupt, io_error.
  [[nodiscard]] bool next(Command& command) {
    while (fill() && peek() == '#') skip_line();  // an AOF may say what time it was
    if (!fill()) return false;
    command.offset_ = offset();
    command.bytes_.clear();
    command.ends_.clear();
    if (offset() == 0 && peek() == 'R')
      return fail("this begins like an RDB file, and what is read are commands (aof-use-rdb-preamble no)");
    const auto words = number('*', "a command was to begin here, with '*' and how many words it has");
    if (words && *words == 0) return fail("a command without words");
    for (std::uint64_t i = 0; words && i < *words && !error_; ++i) read_word(command);
    return !error_.has_value();
  }
  [[nodiscard]] snapshot::Result result() const {
    return error_ ? snapshot::Result(unexpected(*error_)) : snapshot::Result();
  }

 private:
  // proto-max-bulk-len of Redis, as it is by default.
  static constexpr std::uint64_t longest_word = 512U << 20;

  [[nodiscard]] std::uint64_t offset() const noexcept { return read_ - (size_ - at_); }
  [[nodiscard]] char peek() const noexcept { return buffer_[at_]; }

  bool fail(std::string text) {
    if (!error_) error_.emplace(Errc::corrupt, std::move(text), offset());
    return false;
  }
  // Whether there is a byte.
  [[nodiscard]] bool fill() {
    if (error_) return false;
    if (at_ < size_) return true;
    at_ = size_ = 0;
    const auto count = from_.read(std::as_writable_bytes(std::span(buffer_)));
    if (!count) {
      error_.emplace(count.error().code(), count.error().message(), read_);
      return false;
    }
    size_ = *count;
    read_ += *count;
    return size_ > 0;
  }
  void skip_line() {
    for (bool more = true; more && fill(); ++at_) more = peek() != '\n';
  }
  bool take(char wanted, const char* otherwise) {
    if (!fill()) return fail("the commands end early");
    if (peek() != wanted) return fail(otherwise);
    ++at_;
    return true;
  }
  // "$12\r\n", without a sign.
  [[nodiscard]] std::optional<std::uint64_t> number(char kind, const char* otherwise) {
    if (!take(kind, otherwise)) return std::nullopt;
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; fill() && peek() >= '0' && peek() <= '9'; ++at_, ++digits) {
      if (digits == 10) return fail("a number is too long"), std::nullopt;
      value = value * 10 + static_cast<std::uint64_t>(peek() - '0');
    }
    if (digits == 0) return fail("a number was to be here"), std::nullopt;
    if (!end_line()) return std::nullopt;
    return value;
  }
  [[nodiscard]] bool end_line() {
    constexpr const char* otherwise = "a line was to end here";
    return take('\r', otherwise) && take('\n', otherwise);
  }
  void read_word(Command& command) {
    const auto size = number('$', "a word was to begin here, with '$' and its length");
    if (!size) return;
    if (*size > longest_word) return static_cast<void>(fail("a word is too long"));
    for (auto left = static_cast<std::size_t>(*size); left > 0;) {
      if (!fill()) return static_cast<void>(fail("the commands end early"));
      const std::size_t some = std::min(left, size_ - at_);
      command.bytes_.append(buffer_.data() + at_, some);
      at_ += some;
      left -= some;
    }
    if (end_line()) command.ends_.push_back(command.bytes_.size());
  }

  ByteSource& from_;
  std::array<char, 16 * 1024> buffer_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::uint64_t read_ = 0;
  std::optional<SnapshotError> error_;
};

}  // namespace brook::redis
