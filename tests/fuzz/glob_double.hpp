// glob_double.hpp — patterns and names in which signs meet often, and what must match, decided another way: a pattern is
// taken apart into sets of bytes first, and all ways to match it are tried.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"

namespace fuzz {

class GlobDouble {
 public:
  explicit GlobDouble(std::string_view pattern) : empty_(pattern.empty()) {
    while (!pattern.empty()) parts_.push_back(take_part(pattern));
  }

  [[nodiscard]] bool matches(std::string_view name) const {
    if (name.empty()) return empty_;
    std::vector<std::optional<bool>> known((parts_.size() + 1) * (name.size() + 1));
    return matches(0, name, name.size() + 1, known);
  }

 private:
  using Bytes = std::bitset<256>;
  using Part = std::optional<Bytes>;  // without a value: a star

  static std::size_t number(char c) { return static_cast<unsigned char>(c); }

  static char take(std::string_view& text) {
    const char first = text.front();
    text.remove_prefix(1);
    return first;
  }

  static Part take_part(std::string_view& pattern) {
    const char first = take(pattern);
    if (first == '*') return {};
    if (first == '?') return Bytes().set();
    if (first == '[') return take_set(pattern);
    return Bytes().set(number(first == '\\' && !pattern.empty() ? take(pattern) : first));
  }

  static Bytes take_set(std::string_view& pattern) {
    const bool inverted = pattern.starts_with('^');
    if (inverted) take(pattern);
    Bytes bytes;
    while (!pattern.empty()) {
      const char first = take(pattern);
      if (first == ']') break;
      if (first == '\\' && !pattern.empty()) {
        bytes.set(number(take(pattern)));
      } else if (pattern.size() >= 2 && pattern.front() == '-') {
        take(pattern);
        const std::size_t last = number(take(pattern));
        for (std::size_t byte = std::min(number(first), last); byte <= std::max(number(first), last); ++byte)
          bytes.set(byte);
      } else {
        bytes.set(number(first));
      }
    }
    return inverted ? ~bytes : bytes;
  }

  // Whether the parts from `part` on match `name`, which is the end of a name of `width` - 1 bytes.
  [[nodiscard]] bool matches(std::size_t part, std::string_view name, std::size_t width,
                             std::vector<std::optional<bool>>& known) const {
    std::optional<bool>& answer = known[part * width + name.size()];
    if (!answer) {
      if (part == parts_.size()) {
        answer = name.empty();
      } else if (!parts_[part]) {
        answer =
            matches(part + 1, name, width, known) || (!name.empty() && matches(part, name.substr(1), width, known));
      } else {
        answer = !name.empty() && parts_[part]->test(number(name.front())) &&
                 matches(part + 1, name.substr(1), width, known);
      }
    }
    return *answer;
  }

  std::vector<Part> parts_;
  bool empty_;
};

/// Patterns and names of few different bytes, so that they match about as often as not.
class GlobTexts {
 public:
  explicit GlobTexts(Random& random) : random_(random) {}

  std::string name() {
    std::string made;
    for (std::uint64_t left = random_.below(random_.one_in(8) ? 40 : 7); left > 0; --left) made += some_byte();
    return made;
  }

  std::string pattern() {
    std::string made;
    for (std::uint64_t left = random_.below(random_.one_in(8) ? 24 : 6); left > 0; --left) made += some_part();
    return made;
  }

  /// A pattern that `name` may have been the model of.
  std::string pattern_like(std::string_view name) {
    std::string made;
    for (const char c : name) {
      switch (random_.below(8)) {
        case 0: made += '*'; break;
        case 1: made += '?'; break;
        case 2: made += random_.one_of({"*", "**", "?*", ""}); break;
        case 3: made += some_set(c); break;
        case 4: made += {'\\', c}; break;
        case 5: made += random_.one_in(6) ? some_part() : std::string(1, c); break;
        default: made += c;
      }
    }
    return made;
  }

  static std::string shown(std::string_view text) {
    std::string line = "\"";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      constexpr std::string_view digits = "0123456789abcdef";
      if (byte >= 0x20 && byte < 0x7f) line += c;
      else line += {'<', digits[byte >> 4U], digits[byte & 15U], '>'};
    }
    return line + '"';
  }

 private:
  char some_byte() {
    switch (random_.below(40)) {
      case 0: return '\0';
      case 1: return '\xff';
      case 2: return '\x80';
      case 3: return static_cast<char>(random_.below(256));
      default:
        constexpr std::string_view bytes = "aaaaaaabbbbbbcccdd.]^[-\\*?";
        return bytes[static_cast<std::size_t>(random_.below(bytes.size()))];
    }
  }

  std::string some_part() {
    switch (random_.below(10)) {
      case 0:
      case 1:
      case 2: return "*";
      case 3: return "?";
      case 4: return some_set(some_byte());
      case 5: return {'\\', some_byte()};
      default: return std::string(1, some_byte());
    }
  }

  // Most often closed, and most often with `one` in it.
  std::string some_set(char one) {
    std::string made = random_.one_in(3) ? "[^" : "[";
    for (std::uint64_t left = random_.below(4); left > 0; --left) made += some_member();
    if (!random_.one_in(4)) made += one;
    if (random_.one_in(3)) made += some_member();
    return random_.one_in(12) ? made : made + ']';
  }
  std::string some_member() {
    switch (random_.below(5)) {
      case 0: return {some_byte(), '-', some_byte()};
      case 1: return {'\\', some_byte()};
      case 2: return "-";
      default: return std::string(1, some_byte());
    }
  }

  Random& random_;
};

}  // namespace fuzz
