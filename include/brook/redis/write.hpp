// write.hpp — commands as Redis reads them: an array of words, each behind its length (RESP).
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <brook/id.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::redis {

/// Writes through a buffer of 64 KiB and one command. For one thread. Throws std::bad_alloc, and what the sink throws.
class Writer {
 public:
  explicit Writer(ByteSink& to) noexcept : to_(to) {}

  [[nodiscard]] std::uint64_t commands() const noexcept { return commands_; }

  /// A command of so many words, which are to follow; end() ends it.
  Writer& begin(std::size_t words) {
    ++commands_;
    head('*', words);
    return *this;
  }
  Writer& word(std::string_view text) {
    head('$', text.size());
    buffer_ += text;
    buffer_ += "\r\n";
    return *this;
  }
  template <std::integral Number>
  Writer& word(Number number) {
    char digits[24];
    return word(std::string_view(digits, std::to_chars(digits, digits + sizeof digits, number).ptr));
  }
  Writer& word(Id id) { return word(std::string_view(to_string(id))); }
  [[nodiscard]] snapshot::Result end() {
    constexpr std::size_t enough = 64 * 1024;
    return buffer_.size() < enough ? snapshot::Result() : flush();
  }
  /// A whole command.
  template <class... Words>
  [[nodiscard]] snapshot::Result command(const Words&... words) {
    begin(sizeof...(words));
    (word(words), ...);
    return end();
  }

  /// Writes what is in the buffer.
  [[nodiscard]] snapshot::Result flush() {
    const auto result = to_.write(std::as_bytes(std::span(buffer_.data(), buffer_.size())));
    buffer_.clear();
    return result;
  }

 private:
  void head(char kind, std::size_t count) {
    char line[24];
    line[0] = kind;
    char* end = std::to_chars(line + 1, line + sizeof line, count).ptr;
    *end++ = '\r';
    *end++ = '\n';
    buffer_.append(line, end);
  }

  ByteSink& to_;
  std::string buffer_;
  std::uint64_t commands_ = 0;
};

}  // namespace brook::redis
