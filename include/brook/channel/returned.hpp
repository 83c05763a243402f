// returned.hpp — messages that were received for a call which had gone by then: they are received again, before any other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <brook/channel/state.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/runs.hpp>

namespace brook::channel {

/// One thread at a time, who receives; but for size().
template <class Payload>
class Returned {
 public:
  [[nodiscard]] bool empty() const noexcept { return next_last_.empty(); }
  /// By any thread.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_.load(sync::seq_cst); }

  /// Before those that are here. Where there is no memory for that, they are lost.
  void put(const Batch<Payload>& batch) noexcept {
    const std::size_t runs = batch.runs.run_count();
    BROOK_TRY { next_last_.reserve(next_last_.size() + runs); }
    BROOK_CATCH_ALL { return; }
    for (std::size_t i = runs; i > 0; --i) next_last_.push_back({batch.runs.run(i - 1), i == 1 ? batch.lost : 0});
    size_.fetch_add(batch.runs.size(), sync::seq_cst);
  }
  /// Up to `most` of them; those that there was memory to refer to.
  void take(std::uint64_t most, Batch<Payload>& batch) noexcept {
    while (most > 0 && !next_last_.empty()) {
      auto& [run, lost] = next_last_.back();
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count, most));
      BROOK_TRY { batch.runs.add(run.segment, run.first, count); }
      BROOK_CATCH_ALL { return; }
      size_.fetch_sub(count, sync::seq_cst);
      batch.lost += std::exchange(lost, 0);
      run.first += count;
      run.count -= count;
      most -= count;
      if (run.count == 0) next_last_.pop_back();
    }
  }

 private:
  struct Part {
    log::Run<Payload> run;
    std::uint64_t lost;  // messages, right before its first
  };
  std::vector<Part> next_last_;
  sync::atomic<std::uint64_t> size_{0};
};

}  // namespace brook::channel
