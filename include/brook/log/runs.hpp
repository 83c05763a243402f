// runs.hpp — which slots a read has found: runs of neighbours, each with a hold on its segment.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/slot.hpp>

namespace brook::log {

/// Visible slots `first` to `first + count - 1` of one segment.
template <class Payload>
struct Run {
  Hold<Payload> segment;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// The runs of one read, in its order. A read within one segment without gaps, which is most of them, is one run and
/// allocates nothing; further runs are shared by copies. Copying is O(1).
template <class Payload>
class Runs {
 public:
  using Run = log::Run<Payload>;

  Runs() = default;
  Runs(const Runs&) = default;
  Runs(Runs&& other) noexcept
      : first_(std::move(other.first_)), more_(std::move(other.more_)), size_(std::exchange(other.size_, 0)) {}
  Runs& operator=(Runs other) noexcept {
    std::swap(first_, other.first_);
    std::swap(more_, other.more_);
    std::swap(size_, other.size_);
    return *this;
  }

  /// Throws std::bad_alloc, but not where there is no run yet.
  void add(const Hold<Payload>& segment, std::uint32_t first, std::uint32_t count) {
    if (!first_.segment) {
      first_ = {segment, first, count};
    } else {
      if (!more_) more_ = std::make_shared<std::vector<Run>>();
      more_->push_back({segment, first, count});
    }
    size_ += count;
  }

  void add(const Runs& others) {
    for (std::size_t i = 0; i < others.run_count(); ++i)
      add(others.run(i).segment, others.run(i).first, others.run(i).count);
  }

  /// Entries in all runs.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t run_count() const noexcept {
    return (first_.segment ? 1U : 0U) + (more_ ? more_->size() : 0U);
  }
  [[nodiscard]] const Run& run(std::size_t i) const noexcept { return i == 0 ? first_ : (*more_)[i - 1]; }

 private:
  Run first_;
  std::shared_ptr<std::vector<Run>> more_;
  std::size_t size_ = 0;
};

/// Where an iterator over runs stands: at a slot, or behind the last. Backwards it goes through each run from its end, the
/// runs being in that order already.
template <class Payload>
class RunWalk {
 public:
  RunWalk() = default;
  /// At the first slot of a run; behind the last for run_count().
  RunWalk(const Runs<Payload>& runs, std::size_t run, bool backwards = false) noexcept
      : runs_(&runs), step_(backwards ? -1 : 1) {
    enter(run);
  }

  // Not behind the last.
  [[nodiscard]] Slot<Payload>& slot() const noexcept { return *slot_; }
  [[nodiscard]] Id id() const noexcept { return slot_->state().word.id(base_); }
  [[gnu::always_inline]] void advance() noexcept {
    slot_ += step_;
    if (--left_ == 0) enter(run_ + 1);
  }

  /// Of walks over the same runs.
  friend bool operator==(const RunWalk& a, const RunWalk& b) noexcept { return a.left_ == b.left_ && a.run_ == b.run_; }

 private:
  [[gnu::always_inline]] void enter(std::size_t index) noexcept {
    run_ = index;
    left_ = 0;
    if (index == runs_->run_count()) return;
    const Run<Payload>& run = runs_->run(index);
    left_ = run.count;
    base_ = run.segment->life().base;
    slot_ = &run.segment->slot(step_ > 0 ? run.first : run.first + run.count - 1);
  }

  const Runs<Payload>* runs_ = nullptr;
  std::size_t run_ = 0;
  Slot<Payload>* slot_ = nullptr;
  std::ptrdiff_t step_ = 1;
  Id base_{};
  std::uint32_t left_ = 0;  // in this run, the current slot included
};

// Calls `found` for the runs among the slots [from, to); false once `left` entries have been found.
template <class View, class Payload, class Found>
bool runs_between(const View& view, const Hold<Payload>& segment, std::uint32_t from, std::uint32_t to,
                  std::uint64_t& left, Found& found) {
  if (from >= to) return left > 0;
  if (segment->unbroken()) {
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(to - from, left));
    if (count > 0) found(segment, from, count);
    return (left -= count) > 0;
  }
  while (from < to && left > 0) {
    while (from < to && !view.shows(*segment, from)) ++from;
    const std::uint32_t start = from;
    const std::uint32_t stop = to - start > left ? static_cast<std::uint32_t>(start + left) : to;
    while (from < stop && view.shows(*segment, from)) ++from;
    if (from > start) found(segment, start, from - start);
    left -= from - start;
  }
  return left > 0;
}

// The same from the slot before `to` down to `from`.
template <class View, class Payload, class Found>
bool runs_before(const View& view, const Hold<Payload>& segment, std::uint32_t from, std::uint32_t to,
                 std::uint64_t& left, Found& found) {
  if (from >= to) return left > 0;
  if (segment->unbroken()) {
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(to - from, left));
    if (count > 0) found(segment, to - count, count);
    return (left -= count) > 0;
  }
  while (from < to && left > 0) {
    while (from < to && !view.shows(*segment, to - 1)) --to;
    const std::uint32_t stop = to;
    const std::uint32_t start = stop - from > left ? static_cast<std::uint32_t>(stop - left) : from;
    while (to > start && view.shows(*segment, to - 1)) --to;
    if (to < stop) found(segment, to, stop - to);
    left -= stop - to;
  }
  return left > 0;
}

}  // namespace brook::log
