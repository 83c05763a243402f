// timing.hpp — throughput and latency: the part of the report that differs from run to run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "outcome.hpp"
#include "text.hpp"

namespace shop {

/// The smallest of the sorted values that at least `percent` of them do not exceed.
[[nodiscard]] inline std::chrono::nanoseconds percentile(const std::vector<std::chrono::nanoseconds>& sorted,
                                                         std::size_t percent) {
  if (sorted.empty()) return {};
  return sorted[(sorted.size() * percent + 99) / 100 - 1];
}

[[nodiscard]] inline std::string in_microseconds(std::chrono::nanoseconds time) {
  return grouped(static_cast<std::uint64_t>(std::chrono::round<std::chrono::microseconds>(time).count()));
}

[[nodiscard]] inline std::string per_second(std::size_t count, std::chrono::nanoseconds time) {
  const double seconds = std::max(1e-9, std::chrono::duration<double>(time).count());
  return grouped(static_cast<std::uint64_t>(static_cast<double>(count) / seconds));
}

inline void print_timing(std::ostream& out, const Outcome& outcome) {
  out << "\n---- what follows differs from run to run ----\n"
      << "\nThroughput                 time       lines/s\n"
      << "  published   " << right(in_microseconds(outcome.all_published - outcome.started), 14) << " us"
      << right(per_second(outcome.published.size(), outcome.all_published - outcome.started), 14) << '\n';
  for (const auto& group : outcome.groups) {
    const auto took = group.ledger.finished - outcome.started;
    out << "  " << left(group.department.name, 12) << right(in_microseconds(took), 14) << " us"
        << right(per_second(group.ledger.seen.size(), took), 14) << '\n';
  }
  out << "\nFrom publish to acknowledge    p50       p90       p99       max\n";
  for (const auto& group : outcome.groups) {
    auto sorted = group.ledger.latencies;
    std::sort(sorted.begin(), sorted.end());
    out << "  " << left(group.department.name, 12) << "us";
    for (const std::size_t percent : {50U, 90U, 99U, 100U})
      out << right(in_microseconds(percentile(sorted, percent)), 10);
    out << '\n';
  }
}

}  // namespace shop
