// batch.hpp — the deliveries of one read: runs of lines, with a reference to each of their pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <brook/core/late.hpp>
#include <brook/group/page.hpp>

namespace brook::group {

/// Neighbouring entries of one page, and one reference to it.
template <class Payload>
class Share {
  enum class Told : unsigned char { nothing, plainly, watched };

 public:
  Share() = default;
  /// Takes over a reference. `told` says whether the entries are pending, and their lines thus theirs.
  Share(Page<Payload>& page, std::uint32_t first, std::uint32_t count, bool told) noexcept
      : page_(&page), first_(first), count_(count), told_(told ? Told::plainly : Told::nothing) {}
  Share(const Share& other) noexcept
      : page_(other.page_), first_(other.first_), count_(other.count_), told_(other.told_) {
    if (page_ != nullptr) page_->refer();
  }
  Share(Share&& other) noexcept
      : page_(std::exchange(other.page_, nullptr)), first_(other.first_), count_(other.count_), told_(other.told_) {}
  Share& operator=(Share other) noexcept {
    std::swap(page_, other.page_);
    first_ = other.first_;
    count_ = other.count_;
    told_ = other.told_;
    return *this;
  }
  ~Share() {
    if (page_ != nullptr) page_->release();
  }

  [[nodiscard]] Page<Payload>& page() const noexcept { return *page_; }
  [[nodiscard]] std::uint32_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
  /// Whether the entries were pending.
  [[nodiscard]] bool told() const noexcept { return told_ != Told::nothing; }
  /// The same, and that nobody watches what becomes of them.
  [[nodiscard]] bool plain() const noexcept { return told_ == Told::plainly; }
  [[nodiscard]] bool watched() const noexcept { return told_ == Told::watched; }
  void watch() noexcept { told_ = told() ? Told::watched : Told::nothing; }
  /// How many of these entries, counted from the first, were pending until now. They have been told.
  [[gnu::always_inline]] std::uint32_t acknowledge(std::uint32_t i, std::uint32_t count) const noexcept {
    return page_->acknowledge(first_ + i, count);
  }

 private:
  Page<Payload>* page_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  Told told_ = Told::nothing;
};

/// Shares in the order of a read. One share, which most reads are, allocates nothing; further ones are shared by copies.
/// Those that were delivered before come first.
template <class Payload>
class Batch {
 public:
  Batch() = default;
  Batch(const Batch&) = default;
  Batch(Batch&& other) noexcept
      : first_(std::move(other.first_)),
        more_(std::move(other.more_)),
        size_(std::exchange(other.size_, 0)),
        to_(other.to_) {}
  Batch& operator=(Batch other) noexcept {
    std::swap(first_, other.first_);
    std::swap(more_, other.more_);
    std::swap(size_, other.size_);
    to_ = other.to_;
    return *this;
  }
  explicit Batch(Recipient to) noexcept : to_(to) {}

  /// A probe watches what becomes of the entries.
  void watch() noexcept {
    if (size_ > 0) first_.watch();
    if (more_) {
      for (auto& share : more_->shares) share.watch();
    }
  }

  /// Says to whom an empty batch is being delivered.
  void begin(Recipient to) noexcept { to_ = to; }

  /// The consumer to whom it was delivered.
  [[nodiscard]] Recipient to() const noexcept { return to_; }

  /// Room for so many shares. Throws std::bad_alloc.
  void reserve(std::size_t shares) {
    if (shares <= 1) return;
    if (!more_) more_ = std::make_shared<More>();
    more_->shares.reserve(shares - 1);
  }
  /// Takes over a reference, as Share does. Requires room.
  void add(Page<Payload>& page, std::uint32_t first, std::uint32_t count, bool told) noexcept {
    if (size_ == 0) first_ = {page, first, count, told};
    else more_->shares.emplace_back(page, first, count, told);
    size_ += count;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t share_count() const noexcept {
    return (size_ > 0 ? 1U : 0U) + (more_ ? more_->shares.size() : 0U);
  }
  [[nodiscard]] const Share<Payload>& share(std::size_t i) const noexcept {
    return i == 0 ? first_ : more_->shares[i - 1];
  }

  /// How often the i-th entry was delivered, this time included. Those beyond the counts are delivered for the first time.
  [[nodiscard]] std::uint64_t count(std::size_t i) const noexcept {
    return more_ && i < more_->counts.size() ? more_->counts[i] : 1;
  }
  /// Room for the counts of the first entries. Throws std::bad_alloc.
  void make_counts(std::size_t entries) {
    if (entries > 0 && !more_) more_ = std::make_shared<More>();
    if (more_) more_->counts.assign(entries, 1);
  }
  void set_count(std::size_t i, std::uint64_t count) noexcept { more_->counts[i] = count; }

 private:
  struct More {
    std::vector<Share<Payload>> shares;
    core::Late<Payload, std::vector<std::uint64_t>> counts;
  };

  Share<Payload> first_;
  std::shared_ptr<More> more_;
  std::size_t size_ = 0;
  Recipient to_;
};

}  // namespace brook::group
