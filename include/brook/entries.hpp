// entries.hpp — what a read of a stream yields: entries in place, not copies of them.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>

#include <brook/core/config.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/runs.hpp>

namespace brook {

/// One entry of a stream: its id, and the value where it lies in the stream. Valid as long as the Entries it came from,
/// or a copy of that.
template <class T>
struct Entry {
  Id id;           ///< where it stands in the stream
  const T& value;  ///< in place
};

/// The entries that one read found, in its order: `for (const auto& [id, order] : entries)`.
///
/// Nothing was copied: the entries are shown where they lie, and what is shown is kept, also after it was trimmed or
/// erased and after the stream is gone. Keep it no longer than needed: it keeps whole segments (up to 64 KiB each).
/// Copies are cheap, O(1), and share. Distinct objects may be used by distinct threads; a forward range.
template <class T>
class Entries {
 public:
  /// For the library: what it keeps.
  using Runs = log::Runs<log::PayloadOf<T>>;

  class iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // in C++17's sense: dereferencing makes a new Entry
    using value_type = Entry<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Entry<T>;

    iterator() = default;

    [[nodiscard]] Entry<T> operator*() const noexcept { return {at_.id(), log::value_of<T>(at_.slot().payload())}; }
    iterator& operator++() noexcept {
      at_.advance();
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    friend class Entries;
    iterator(const Entries& entries, std::size_t run) noexcept : at_(entries.runs_, run, entries.backwards_) {}

    log::RunWalk<log::PayloadOf<T>> at_;
  };
  using const_iterator = iterator;
  using value_type = Entry<T>;

  Entries() = default;

  [[nodiscard]] iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] iterator end() const noexcept { return {*this, runs_.run_count()}; }
  [[nodiscard]] std::size_t size() const noexcept { return runs_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// The first and the last entry in the order of the read. Precondition: not empty.
  [[nodiscard]] Entry<T> front() const noexcept {
    BROOK_ASSERT(!empty());
    return entry_at(0, 0);
  }
  [[nodiscard]] Entry<T> back() const noexcept {
    BROOK_ASSERT(!empty());
    const std::size_t last = runs_.run_count() - 1;
    return entry_at(last, runs_.run(last).count - 1);
  }

  /// The i-th entry. Precondition: i < size(). O(1) in a read without gaps, else O(gaps).
  [[nodiscard]] Entry<T> operator[](std::size_t i) const noexcept {
    BROOK_ASSERT(i < size());
    std::size_t run = 0;
    while (i >= runs_.run(run).count) i -= runs_.run(run++).count;
    return entry_at(run, static_cast<std::uint32_t>(i));
  }

  /// For the library: entries from runs, whose slots are in the order of the read or, `backwards`, against it.
  explicit Entries(Runs runs, bool backwards = false) noexcept : runs_(std::move(runs)), backwards_(backwards) {}

  /// For the library.
  [[nodiscard]] const Runs& runs() const noexcept { return runs_; }

 private:
  [[nodiscard]] Entry<T> entry_at(std::size_t index, std::uint32_t offset) const noexcept {
    const auto& run = runs_.run(index);
    auto& segment = *run.segment;
    auto& slot = segment.slot(backwards_ ? run.first + run.count - 1 - offset : run.first + offset);
    return {segment.id(slot.state()), log::value_of<T>(slot.payload())};
  }

  Runs runs_;
  bool backwards_ = false;
};

}  // namespace brook
