// lines.hpp — for each slot of a segment whether its entry is pending in a group, and a mark if so.
//
// Whether an entry is pending with somebody is a bit, 64 to a word, so that acknowledging a batch takes one atomic
// operation for each 64 entries, and so that what is pending is found without looking at what is not. Marks are written and
// read with the group's mutex, bits are set with it; anybody may clear a bit. A mark that changes while its bit is cleared
// belongs to an entry that was acknowledged right after.
//
// What is pending with nobody has a bit in another word, which only who has the mutex changes: so whoever acknowledges such
// an entry takes the mutex, and those who wait for it learn that it will not come.
//
// Memory orders
//   row  thread    operation       order    meets  because
//   GA   consumer  clear bits      acq_rel  GA,    what was done for the entry precedes its being done with; and who finds
//                                           GB     it done with learns why, be it that it is being forwarded
//   GB   group     read a word     acquire  GA     the same
//   GN   consumer  read a word     acquire  GA     the same
//   GF   group     set bits, and   relaxed  -      deliveries go by the mutex; a word without bits, which nobody else
//                  look at one                     changes, is stored to, and was acquired by GB
// Proof    tests/model/group_model.cpp
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <brook/core/owned.hpp>
#include <brook/core/sync.hpp>
#include <brook/group/mark.hpp>

namespace brook::group {

class Lines {
 public:
  Lines() = default;
  /// None is pending. Throws std::bad_alloc.
  explicit Lines(std::uint32_t size)
      : words_(new Words[(size + 63) / 64]), marks_(new sync::plain<Mark>[size]), size_(size) {}

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  /// Lines [first, first + count) are not pending with anybody any more; how many were. Lock-free.
  std::uint32_t clear(std::uint32_t first, std::uint32_t count) noexcept {
    std::uint32_t cleared = 0;
    each_word(first, count, [&](Words& words, std::uint64_t bits) {
      if ((words.with_somebody.load(sync::acquire) & bits) == 0) return;                          // GN
      const std::uint64_t were_set = words.with_somebody.fetch_and(~bits, sync::acq_rel) & bits;  // GA
      cleared += count == 1 ? (were_set != 0 ? 1U : 0U) : static_cast<std::uint32_t>(std::popcount(were_set));
    });
    return cleared;
  }

  // — with the group's mutex —

  /// Lines [first, first + count) are pending from now on, with this mark. It may be nobody's if they were not pending.
  void set(std::uint32_t first, std::uint32_t count, Mark mark) noexcept {
    for (std::uint32_t at = first; at < first + count; ++at) marks_[at] = mark;
    each_word(first, count, [mark](Words& words, std::uint64_t bits) {
      if (mark.consumer() == nobody) {
        words.with_nobody = words.with_nobody | bits;
        return;
      }
      words.with_nobody = words.with_nobody & ~bits;
      auto& word = words.with_somebody;
      if (word.load(sync::acquire) == 0) word.store(bits, sync::relaxed);  // GB GF
      else word.fetch_or(bits, sync::relaxed);                             // GF
    });
  }
  /// A line is not pending any more, be it with somebody or nobody; whether it was.
  [[nodiscard]] bool end(std::uint32_t at) noexcept {
    Words& words = words_[at / 64];
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    if ((words.with_nobody & bit) == 0) return clear(at, 1) == 1;
    words.with_nobody = words.with_nobody & ~bit;
    return true;
  }

  /// A pending line looks as if it was with nobody, until it is set again: who acknowledges it takes the mutex. Whether it is
  /// pending.
  bool hold_back(std::uint32_t at) noexcept {
    Words& words = words_[at / 64];
    const std::uint64_t bit = std::uint64_t{1} << (at % 64);
    if ((words.with_nobody & bit) != 0) return true;
    if (clear(at, 1) == 0) return false;
    words.with_nobody = words.with_nobody | bit;
    return true;
  }

  [[nodiscard]] bool pending(std::uint32_t at) const noexcept {
    const Words& words = words_[at / 64];
    const std::uint64_t word = words.with_somebody.load(sync::relaxed) | words.with_nobody;  // GF
    return ((word >> (at % 64)) & 1) != 0;
  }
  /// The first pending line in [from, to); `to` when there is none. Learns nothing of those that are not.
  [[nodiscard]] std::uint32_t next_pending(std::uint32_t from, std::uint32_t to) const noexcept {
    while (from < to) {
      const Words& words = words_[from / 64];
      const std::uint64_t word = (words.with_somebody.load(sync::relaxed) | words.with_nobody) >> (from % 64);  // GF
      if (word != 0) return std::min(to, from + static_cast<std::uint32_t>(std::countr_zero(word)));
      from = (from / 64 + 1) * 64;
    }
    return to;
  }

  /// Calls `visit(line)` for the pending lines in [from, to), 64 at an instant, until it answers false; whether it never did.
  template <class Visit>
  bool each_pending(std::uint32_t from, std::uint32_t to, Visit&& visit) const {
    for (; from < to; from = (from / 64 + 1) * 64) {
      const Words& words = words_[from / 64];
      std::uint64_t word = (words.with_somebody.load(sync::acquire) | words.with_nobody) >> (from % 64);  // GB
      for (std::uint32_t at = from; word != 0; ++at, word >>= 1) {
        const auto skip = static_cast<std::uint32_t>(std::countr_zero(word));
        at += skip;
        word >>= skip;
        if (at >= to) return true;
        if (!visit(at)) return false;
      }
    }
    return true;
  }

  /// Of a line that is or was pending.
  [[nodiscard]] Mark mark(std::uint32_t at) const noexcept { return marks_[at]; }
  void remark(std::uint32_t at, Mark mark) noexcept { marks_[at] = mark; }

 private:
  struct Words {
    sync::atomic<std::uint64_t> with_somebody{0};
    sync::plain<std::uint64_t> with_nobody{0};
  };

  template <class Use>
  void each_word(std::uint32_t first, std::uint32_t count, Use use) noexcept {
    for (const std::uint32_t end = first + count; first < end;) {
      const std::uint32_t n = std::min(64 - first % 64, end - first);
      use(words_[first / 64], (~std::uint64_t{0} >> (64 - n)) << (first % 64));
      first += n;
    }
  }

  core::Owned<Words[]> words_;
  core::Owned<sync::plain<Mark>[]> marks_;
  std::uint32_t size_ = 0;
};

}  // namespace brook::group
