// read.hpp — commands as they stand in what Redis writes, taken apart again. Nothing of it is trusted: no more memory is taken
// than bytes have come, times a small number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <brook/redis/wire.hpp>
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
  explicit Reader(ByteSource& from) noexcept : wire_(from, "the commands end early") {}

  /// The next command; nothing at the end, and after an error. Errors: corrupt, io_error.
  [[nodiscard]] bool next(Command& command) {
    while (wire_.fill() && wire_.peek() == '#') wire_.skip_line();  // an AOF may say what time it was
    if (!wire_.fill()) return false;
    command.offset_ = wire_.offset();
    command.bytes_.clear();
    command.ends_.clear();
    if (wire_.offset() == 0 && wire_.peek() == 'R')
      return wire_.fail("a command begins with '*', and an RDB file as this does (aof-use-rdb-preamble no)");
    const auto words = number('*', "a command was to begin here, with '*' and how many words it has");
    if (words && *words == 0) return wire_.fail("a command without words");
    for (std::uint64_t i = 0; words && i < *words && !wire_.failed(); ++i) read_word(command);
    return !wire_.failed();
  }
  [[nodiscard]] snapshot::Result result() const { return wire_.result(); }

 private:
  // "$12\r\n", without a sign.
  [[nodiscard]] std::optional<std::uint64_t> number(char kind, const char* otherwise) {
    if (!wire_.take(kind, otherwise)) return std::nullopt;
    return wire_.number(Wire::digits_of_length);
  }
  void read_word(Command& command) {
    const auto size = number('$', "a word was to begin here, with '$' and its length");
    if (size && wire_.text(*size, command.bytes_)) command.ends_.push_back(command.bytes_.size());
  }

  Wire wire_;
};

}  // namespace brook::redis
