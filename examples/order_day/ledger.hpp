// ledger.hpp — what one consumer has seen and done; those of a group's consumers add up to what the group did.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "money.hpp"
#include "order_line.hpp"

namespace shop {

/// Order lines of one kind, and what they come to.
struct Total {
  std::size_t lines = 0;
  Money ordered;
  Money processed;  ///< Of it, what was not rejected.

  friend auto operator<=>(const Total&, const Total&) = default;
  Total& operator+=(const Total& other) {
    lines += other.lines;
    ordered += other.ordered;
    processed += other.processed;
    return *this;
  }
};

using Totals = std::map<std::string, Total>;

struct Ledger {
  std::vector<std::size_t> seen;  ///< The line number of each order line, in the order of arrival.
  std::size_t retries = 0;        ///< Lines that had to be delivered again.
  Totals invoices;
  Totals countries;
  std::vector<std::chrono::nanoseconds> latencies;  ///< From publishing to acknowledging.
  std::chrono::steady_clock::time_point finished;   ///< The last acknowledgement.

  void enter(const OrderLine& line, bool rejected) {
    const Total total{1, line.amount(), rejected ? Money{} : line.amount()};
    seen.push_back(line.line);
    invoices[line.invoice] += total;
    countries[line.country] += total;
  }

  Ledger& operator+=(const Ledger& other) {
    seen.insert(seen.end(), other.seen.begin(), other.seen.end());
    latencies.insert(latencies.end(), other.latencies.begin(), other.latencies.end());
    finished = std::max(finished, other.finished);
    retries += other.retries;
    for (const auto& [name, total] : other.invoices) invoices[name] += total;
    for (const auto& [name, total] : other.countries) countries[name] += total;
    return *this;
  }
};

/// Sees to it that the consumers of a group together handle the lines of each invoice in their order.
class InvoiceOrder {
 public:
  void see(const OrderLine& line) {
    const std::lock_guard held(mutex_);
    std::size_t& last = last_[line.invoice];
    if (line.line < last) ++violations_;
    last = line.line;
  }
  /// How many lines were handled after a later one of their invoice.
  [[nodiscard]] std::size_t violations() const {
    const std::lock_guard held(mutex_);
    return violations_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> last_;
  std::size_t violations_ = 0;
};

}  // namespace shop
