// word.hpp — 64 bits that say where the next entry of a segment goes and which id it gets.
//
//     63         62 … 34   33 … 16   15 … 0
//     unopened   ms        seq       low
//
// In a segment's claim word `low` counts claimed slots, so that one fetch_add of `one_entry` takes a slot and an id
// together. In a slot `low` holds the slot's state (log/slot.hpp), so that one load tells state and id together.
// ms and seq are relative to the segment's base id, which keeps them small: ms always, seq while ms is 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <brook/id.hpp>

namespace brook::log {

struct Word {
  static constexpr unsigned low_bits = 16;
  static constexpr unsigned seq_bits = 18;
  static constexpr unsigned ms_bits = 29;

  static constexpr std::uint64_t low_mask = (std::uint64_t{1} << low_bits) - 1;
  static constexpr std::uint64_t seq_mask = (std::uint64_t{1} << seq_bits) - 1;
  static constexpr std::uint64_t ms_mask = (std::uint64_t{1} << ms_bits) - 1;
  static constexpr std::uint64_t unopened_bit = std::uint64_t{1} << 63;

  /// One slot further and the next id of the same millisecond.
  static constexpr std::uint64_t one_entry = (std::uint64_t{1} << low_bits) | 1;

  /// A jump to a sequence number up to this fits; what is left of `seq` is room for a full segment's entries and for
  /// the claims of threads that come too late, so seq never carries into ms.
  static constexpr std::uint64_t farthest_seq = seq_mask / 2;

  /// A claim word's `low` counts up to this in every segment; a segment of n slots starts at full - n, so "is there room"
  /// is asked without another look. What lies above is room for the claims of threads that come too late.
  static constexpr std::uint64_t full = 4096;

  std::uint64_t bits = 0;

  [[nodiscard]] constexpr std::uint64_t low() const noexcept { return bits & low_mask; }
  [[nodiscard]] constexpr std::uint64_t seq() const noexcept { return (bits >> low_bits) & seq_mask; }
  [[nodiscard]] constexpr std::uint64_t ms() const noexcept { return (bits >> (low_bits + seq_bits)) & ms_mask; }
  [[nodiscard]] constexpr bool unopened() const noexcept { return (bits & unopened_bit) != 0; }

  [[nodiscard]] constexpr Word with_low(std::uint64_t low) const noexcept { return {(bits & ~low_mask) | low}; }

  /// The id that this word stands for in a segment that starts at `base`.
  [[nodiscard]] constexpr Id id(Id base) const noexcept { return {base.ms + ms(), seq() + (ms() == 0 ? base.seq : 0)}; }

  /// Ids of one segment compare as their words' keys do.
  [[nodiscard]] constexpr std::uint64_t key() const noexcept { return (bits & ~unopened_bit) >> low_bits; }

  /// The key of any id, be it told by a word or not: one before the segment's base is as the base, one beyond what the
  /// bits can tell is above all that can be told in its millisecond.
  [[nodiscard]] static constexpr std::uint64_t key(Id base, Id id) noexcept {
    if (id <= base) return 0;
    const std::uint64_t ms = id.ms - base.ms;
    const std::uint64_t seq = ms == 0 ? id.seq - base.seq : id.seq;
    if (ms > ms_mask) return (ms_mask + 1) << seq_bits;
    return (ms << seq_bits) + std::min(seq, seq_mask + 1);
  }

  /// Makes `word` the claim word for `id` at `low`. False when the id lies too far from `base` to be told in these bits, or so
  /// near the last sequence number there is that the slots after it would run out of ids. Requires base <= id, low < full.
  [[nodiscard]] static constexpr bool tell(Id base, Id id, std::uint64_t low, Word& word) noexcept {
    const std::uint64_t ms = id.ms - base.ms;
    const std::uint64_t seq = ms == 0 ? id.seq - base.seq : id.seq;
    if (ms > ms_mask || seq > farthest_seq) return false;
    if (std::numeric_limits<std::uint64_t>::max() - id.seq < full - 1 - low) return false;
    word = {(ms << (low_bits + seq_bits)) | (seq << low_bits) | low};
    return true;
  }
};

}  // namespace brook::log
