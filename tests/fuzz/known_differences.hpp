// known_differences.hpp — where redis-server 7.0 and brook differ on purpose. Whatever is not listed must be equal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace fuzz {

enum class Known : std::size_t {
  auto_seq_text,
  consumer_on_read,
  history_of_removed,
  history_after_max,
  count_zero,
  lag,
  nul_in_id,
  minus_in_seq,
  count_ends,
  glob_range,
  glob_stars,
  number_of,
};

class KnownDifferences {
 public:
  void met(Known which) { ++met_[static_cast<std::size_t>(which)]; }

  void print() const {
    std::printf("known differences met:\n");
    for (std::size_t i = 0; i < table.size(); ++i)
      std::printf("  %8llu x %s\n", static_cast<unsigned long long>(met_[i]), table[i].what);
  }

 private:
  struct Row {
    Known which;
    const char* what;
    const char* redis;
    const char* brook;
    const char* because;
  };

  static constexpr std::array<Row, static_cast<std::size_t>(Known::number_of)> table{{
      {Known::auto_seq_text, "<ms>-* when <ms> has no sequence number left",
       "answers that the elements are too large to be stored", "id_too_small",
       "7.0 reports a stale errno; from 7.2 on it answers as brook does"},
      {Known::consumer_on_read, "the first mention of a consumer", "makes it when something is delivered to it",
       "makes it at once", "as from 7.2 on; the test makes it by XGROUP CREATECONSUMER"},
      {Known::history_of_removed, "history of entries that were removed from the stream",
       "lists their ids without fields, and counts them for COUNT", "leaves them out",
       "a Delivery has a value; they stay pending in both"},
      {Known::history_after_max, "history after the largest id", "takes it for >", "is empty",
       "in 7.0 > is that id inside; the test does not ask"},
      {Known::count_zero, "COUNT 0", "XRANGE: nil; XREAD, XREADGROUP: no limit", "reads nothing",
       "the docstrings: 0 reads nothing; the test does not ask where it means no limit"},
      {Known::lag, "lag after a removal or XCLAIM LASTID, or of a group that began in the middle", "nil, or too large",
       "exact", "brook counts the entries; the test counts those of XRANGE"},
      {Known::nul_in_id, "an id's text with a NUL in it", "reads what is before it", "invalid_id",
       "7.0 copies the text into a C string; a NUL is no part of the grammar"},
      {Known::minus_in_seq, "a minus sign before the sequence number, as in 1- -5", "takes 2^64 - 5",
       "invalid_id, but for 1--0", "strtoull wraps negative numbers around; nobody means that"},
      {Known::count_ends, "more than 1,023 deliveries of an entry", "counts on", "1,023 stands for more",
       "a pending entry is 8 bytes"},
      {Known::glob_range, "a range in a pattern from below 0x80 to above, as in [a-\\xff]",
       "compares char, signed on x86", "compares unsigned bytes",
       "a pattern means the same on every machine; the test does not ask"},
      {Known::glob_stars, "a pattern that needs more than a thousand stars", "later patches: matches nothing",
       "matches", "there is no recursion to bound; the test does not ask"},
  }};

  static_assert(
      [] {
        for (std::size_t i = 0; i < table.size(); ++i) {
          if (static_cast<std::size_t>(table[i].which) != i) return false;
        }
        return true;
      }(),
      "a row for each, in their order");

  std::array<std::uint64_t, static_cast<std::size_t>(Known::number_of)> met_{};
};

}  // namespace fuzz
