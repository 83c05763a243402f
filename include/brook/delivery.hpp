// delivery.hpp — what a consumer of a group gets: entries that it must acknowledge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brook/entries.hpp>
#include <brook/id.hpp>
#include <brook/stream/acknowledge.hpp>
#include <brook/stream/group_state.hpp>

namespace brook {

template <class T>
class Consumer;
template <class T>
class Deliveries;

/// An entry in the hands of a consumer. Dropping it acknowledges nothing: the entry stays pending. Valid as long as the
/// Deliveries that it belongs to. One thread at a time.
template <class T>
class Delivery {
 public:
  [[nodiscard]] Id id() const noexcept { return id_; }
  [[nodiscard]] const T& operator*() const noexcept { return *value_; }
  [[nodiscard]] const T* operator->() const noexcept { return value_; }

  /// How often the entry has been delivered, this time included.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  /// Acknowledges the entry: it is done with (XACK). False when it was not pending any more. Idempotent.
  bool ack() const { return stream::acknowledge(*group_, std::span(&id_, 1)) == 1; }

 private:
  friend class Deliveries<T>;

  Delivery(stream::GroupState<T>& group, const Entry<T>& entry, std::uint64_t count) noexcept
      : group_(&group), id_(entry.id), value_(std::addressof(entry.value)), count_(count) {}

  stream::GroupState<T>* group_;
  Id id_;
  const T* value_;
  std::uint64_t count_;
};

/// The deliveries of one read, oldest first: `for (auto& order : batch)`. Keeps the entries and the group's state, as
/// Entries does, also when the stream is gone. Copies are cheap and mean the same deliveries.
template <class T>
class Deliveries {
 public:
  /// Makes each Delivery as it gets there, so a batch costs no memory of its own: a single-pass iterator.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using value_type = Delivery<T>;
    using difference_type = std::ptrdiff_t;
    using pointer = const Delivery<T>*;
    using reference = const Delivery<T>&;

    iterator() = default;
    [[nodiscard]] reference operator*() const noexcept { return *delivery_; }
    [[nodiscard]] pointer operator->() const noexcept { return &*delivery_; }
    iterator& operator++() noexcept {
      ++entry_;
      ++at_;
      make();
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

   private:
    friend class Deliveries;
    iterator(const Deliveries* batch, std::size_t at) noexcept
        : batch_(batch), entry_(batch->entries_.begin()), at_(at) {
      make();
    }
    void make() noexcept {
      if (at_ < batch_->size()) delivery_ = batch_->delivery(*entry_, at_);
    }

    const Deliveries* batch_ = nullptr;
    typename Entries<T>::iterator entry_;
    std::size_t at_ = 0;
    std::optional<Delivery<T>> delivery_;
  };
  using const_iterator = iterator;
  using value_type = Delivery<T>;

  Deliveries() = default;

  [[nodiscard]] iterator begin() const noexcept { return {this, 0}; }
  [[nodiscard]] iterator end() const noexcept { return {this, size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// Precondition: i < size(). O(1) in a read without gaps, else O(gaps).
  [[nodiscard]] Delivery<T> operator[](std::size_t i) const noexcept { return delivery(entries_[i], i); }
  [[nodiscard]] Delivery<T> front() const noexcept { return (*this)[0]; }
  [[nodiscard]] Delivery<T> back() const noexcept { return (*this)[size() - 1]; }

  /// The entries as such.
  [[nodiscard]] const Entries<T>& entries() const noexcept { return entries_; }

  /// Acknowledges all of them at one instant; how many were still pending.
  std::size_t ack() const { return empty() ? 0 : stream::acknowledge(*group_, stream::ids_of(entries_)); }

 private:
  friend class Consumer<T>;

  // `counts` is empty when each is delivered for the first time.
  Deliveries(std::shared_ptr<stream::GroupState<T>> group, Entries<T> entries,
             std::vector<std::uint64_t> counts = {}) noexcept
      : group_(std::move(group)), entries_(std::move(entries)), counts_(std::move(counts)) {}

  [[nodiscard]] Delivery<T> delivery(const Entry<T>& entry, std::size_t i) const noexcept {
    return Delivery<T>(*group_, entry, counts_.empty() ? 1 : counts_[i]);
  }

  std::shared_ptr<stream::GroupState<T>> group_;
  Entries<T> entries_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace brook
