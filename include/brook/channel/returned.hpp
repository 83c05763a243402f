// returned.hpp — messages that were received for a call which had gone by then: they are received again, before any other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <brook/channel/state.hpp>
#include <brook/core/config.hpp>
#include <brook/log/runs.hpp>

namespace brook::channel {

/// One thread at a time: who receives.
template <class Payload>
class Returned {
 public:
  [[nodiscard]] bool empty() const noexcept { return next_last_.empty(); }

  /// Before those that are here. Where there is no memory for that, they are lost.
  void put(const Batch<Payload>& batch) noexcept {
    const std::size_t runs = batch.runs.run_count();
    BROOK_TRY { next_last_.reserve(next_last_.size() + runs); }
    BROOK_CATCH_ALL { return; }
    for (std::size_t i = runs; i > 0; --i) next_last_.push_back({batch.runs.run(i - 1), i == 1 ? batch.lost : 0});
  }
  /// Up to `most` of them; those that there was memory to refer to.
  void take(std::uint64_t most, Batch<Payload>& batch) noexcept {
    while (most > 0 && !next_last_.empty()) {
      auto& [run, lost] = next_last_.back();
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(run.count, most));
      BROOK_TRY { batch.runs.add(run.segment, run.first, count); }
      BROOK_CATCH_ALL { return; }
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
};

}  // namespace brook::channel
