// returned.hpp — messages that were received for a call which had gone by then: they are received again, before any other.
//
// Giving back must not fail, or they would be lost. So what may have to give back makes the place for that before it
// receives anything, and receives into it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>

#include <brook/channel/state.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>

namespace brook::channel {

template <class Payload>
class Returned;

/// What a call receives that may have to give it back.
template <class Payload>
class Loan {
 public:
  /// Throws std::bad_alloc.
  Loan() : place_(1) {}

  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  /// Not once it was given back.
  [[nodiscard]] Batch<Payload>& batch() noexcept { return place_.front().batch; }

 private:
  friend Returned<Payload>;

  struct Part {
    Batch<Payload> batch;
    std::size_t run = 0;       // where what is left of it begins
    std::uint32_t passed = 0;  // of that run
  };
  std::list<Part> place_;  // one, or none when it was given back
};

/// One thread at a time, who receives; but for size().
template <class Payload>
class Returned {
 public:
  [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
  /// By any thread.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_.load(sync::seq_cst); }

  /// Before those that are here. Nothing when the loan was given back before.
  void put(Loan<Payload>& loan) noexcept {
    if (loan.place_.empty() || loan.batch().runs.size() == 0) return;
    size_.fetch_add(loan.batch().runs.size(), sync::seq_cst);
    parts_.splice(parts_.begin(), loan.place_);
  }
  /// Up to `most` of them; those that there was memory to refer to. The others stay.
  void take(std::uint64_t most, Batch<Payload>& batch) noexcept {
    while (most > 0 && !parts_.empty()) {
      Part& part = parts_.front();
      if (part.batch.lost > 0 && batch.runs.size() > 0) return;  // which is told with the first of a batch only
      const auto& run = part.batch.runs.run(part.run);
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count - part.passed, most));
      BROOK_TRY { batch.runs.add(run.segment, run.first + part.passed, count); }
      BROOK_CATCH_ALL { return; }
      size_.fetch_sub(count, sync::seq_cst);
      batch.lost += std::exchange(part.batch.lost, 0);
      most -= count;
      part.passed += count;
      if (part.passed < run.count) continue;
      part.passed = 0;
      if (++part.run == part.batch.runs.run_count()) parts_.pop_front();
    }
  }

 private:
  using Part = typename Loan<Payload>::Part;

  std::list<Part> parts_;
  sync::atomic<std::uint64_t> size_{0};
};

}  // namespace brook::channel
