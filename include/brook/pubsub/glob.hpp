// pubsub/glob.hpp — whether a name matches a pattern, as PSUBSCRIBE of Redis has it.
//
//   *       any bytes, also none         [abc]    one of these bytes       \x       x, whatever it means else
//   ?       one byte                     [^abc]   one byte but these       other    itself
//                                        [a-c]    one from a to c, or [c-a]
//
// Bytes are compared, so case counts and `*` takes dots and slashes as well. No pattern is an error; redis-server 7.0
// decides what the odd ones mean:
//   - only the empty pattern matches the empty name, although `*` may stand for nothing within others;
//   - a backslash that ends the pattern, or a set, stands for itself;
//   - a set that nothing closes runs to the pattern's end: `[ab` is `[ab]`, `[` is `[]`;
//   - `[]` matches no byte and `[^]` any: a `]` closes the set wherever it stands, so within it is written `\]`;
//   - but any byte ends a range: `[a-]` is the range from a to ], in a set that nothing closes, and `[a-\z]` the range
//     from a to \ and the byte z. A range begins with a plain byte: in `[\a-c]` are a, - and c;
//   - `-` where no range can be, and `^` not at the beginning, stand for themselves. `[!a]` is the set of ! and a.
//
// It differs from Redis twice: bytes of a range are unsigned, where Redis compares `char`, whose sign is the machine's
// (`[a-\xff]` is the upper half on ARM, and on x86 everything up to a, with \xff); and there is no bound on the number
// of stars, where the later patches of Redis match nothing by patterns that need more than a thousand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <brook/core/config.hpp>

namespace brook::pubsub {

/// What one byte of a name is compared with: the first part of a pattern, and its length there.
struct Compared {
  std::size_t size;
  bool fits;
};

constexpr bool is_between(char byte, char one_end, char other_end) noexcept {
  const auto [low, high] = std::minmax({static_cast<unsigned char>(one_end), static_cast<unsigned char>(other_end)});
  return low <= static_cast<unsigned char>(byte) && static_cast<unsigned char>(byte) <= high;
}

/// The set that `pattern` begins with, against `byte`.
[[nodiscard]] constexpr Compared compare_set(std::string_view pattern, char byte) noexcept {
  std::string_view rest = pattern.substr(1);
  const bool inverted = rest.starts_with('^');
  if (inverted) rest.remove_prefix(1);
  bool found = false;
  while (!rest.empty() && rest.front() != ']') {
    std::size_t size = 1;
    if (rest.front() == '\\' && rest.size() >= 2) {
      found |= rest[1] == byte;
      size = 2;
    } else if (rest.size() >= 3 && rest[1] == '-') {
      found |= is_between(byte, rest[0], rest[2]);
      size = 3;
    } else {
      found |= rest.front() == byte;
    }
    rest.remove_prefix(size);
  }
  if (!rest.empty()) rest.remove_prefix(1);
  return {pattern.size() - rest.size(), found != inverted};
}

/// The first part of `pattern`, which is not empty and begins with no star, against `byte`.
[[nodiscard]] constexpr Compared compare_first(std::string_view pattern, char byte) noexcept {
  switch (pattern.front()) {
    case '?': return {1, true};
    case '[': return compare_set(pattern, byte);
    case '\\':
      if (pattern.size() >= 2) return {2, pattern[1] == byte};
      [[fallthrough]];
    default: return {1, pattern.front() == byte};
  }
}

/// Whether all of `name` matches `pattern`. At worst pattern.size() × name.size() steps; allocates nothing.
[[nodiscard]] constexpr bool matches(std::string_view pattern, std::string_view name) noexcept {
  if (name.empty()) return pattern.empty();
  // Where to go on when the last star has to take one byte more. An earlier star need not be asked again: what stands
  // between the two was found at the first place where it is, and no later place leaves the last star more to take.
  std::string_view after_star;
  std::string_view taken_from;
  bool has_star = false;
  while (!name.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      after_star = pattern;
      taken_from = name;
      has_star = true;
      continue;
    }
    const Compared part = pattern.empty() ? Compared{0, false} : compare_first(pattern, name.front());
    if (part.fits) {
      pattern.remove_prefix(part.size);
      name.remove_prefix(1);
    } else if (has_star) {
      taken_from.remove_prefix(1);
      pattern = after_star;
      name = taken_from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*') == pattern.npos;
}

}  // namespace brook::pubsub
