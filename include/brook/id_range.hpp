// id_range.hpp — the ids of entries that were added together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

#include <brook/id.hpp>

namespace brook {

/// Consecutive ids, without storing them: a sized, random-access range of Id.
class IdRange {
 public:
  class iterator {
   public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Id;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Id;

    constexpr iterator() = default;
    [[nodiscard]] constexpr Id operator*() const noexcept { return advanced(first_, at_); }
    [[nodiscard]] constexpr Id operator[](difference_type n) const noexcept { return *(*this + n); }
    constexpr iterator& operator+=(difference_type n) noexcept {
      at_ += static_cast<std::uint64_t>(n);
      return *this;
    }
    constexpr iterator& operator-=(difference_type n) noexcept { return *this += -n; }
    constexpr iterator& operator++() noexcept { return *this += 1; }
    constexpr iterator& operator--() noexcept { return *this += -1; }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }
    constexpr iterator operator--(int) noexcept {
      const iterator before = *this;
      --*this;
      return before;
    }
    friend constexpr iterator operator+(iterator i, difference_type n) noexcept { return i += n; }
    friend constexpr iterator operator+(difference_type n, iterator i) noexcept { return i += n; }
    friend constexpr iterator operator-(iterator i, difference_type n) noexcept { return i -= n; }
    friend constexpr difference_type operator-(const iterator& a, const iterator& b) noexcept {
      return static_cast<difference_type>(a.at_ - b.at_);
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }
    friend constexpr auto operator<=>(const iterator& a, const iterator& b) noexcept { return a.at_ <=> b.at_; }

   private:
    friend class IdRange;
    constexpr iterator(Id first, std::uint64_t at) noexcept : first_(first), at_(at) {}

    Id first_{};
    std::uint64_t at_ = 0;
  };
  using const_iterator = iterator;

  constexpr IdRange() = default;
  /// `size` ids that follow each other.
  constexpr IdRange(Id first, std::size_t size) noexcept : first_(first), size_(size) {}

  [[nodiscard]] constexpr iterator begin() const noexcept { return {first_, 0}; }
  [[nodiscard]] constexpr iterator end() const noexcept { return {first_, size_}; }
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }

  /// Precondition: not empty.
  [[nodiscard]] constexpr Id front() const noexcept { return first_; }
  [[nodiscard]] constexpr Id back() const noexcept { return advanced(first_, size_ - 1); }
  /// Precondition: i < size().
  [[nodiscard]] constexpr Id operator[](std::size_t i) const noexcept { return advanced(first_, i); }

 private:
  // next(), n times over: past the last sequence number comes the next millisecond.
  [[nodiscard]] static constexpr Id advanced(Id id, std::uint64_t n) noexcept {
    const std::uint64_t seq = id.seq + n;
    return {id.ms + (seq < id.seq ? 1 : 0), seq};
  }

  Id first_{};
  std::size_t size_ = 0;
};

}  // namespace brook
