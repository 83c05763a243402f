// outcome.hpp — what is left when all threads have ended: the material of the proof and of the report.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include <brook/stream.hpp>

#include "departments.hpp"
#include "ledger.hpp"

namespace shop {

/// What one group did, and what the stream still says about it.
struct GroupOutcome {
  Department department;
  Ledger ledger;
  std::uint64_t pending = 0;
  std::uint64_t lag = 0;
  std::size_t out_of_order = 0;  ///< Lines that were handled after a later one of their invoice.
};

struct Outcome {
  std::vector<GroupOutcome> groups;
  std::vector<Rejected> rejected;      ///< The second stream, sorted.
  std::vector<std::size_t> published;  ///< The line numbers in the order of the stream.
  std::size_t out_of_order = 0;        ///< Lines that stand behind a later line of their invoice.
  std::chrono::steady_clock::time_point started;
  std::chrono::steady_clock::time_point all_published;
};

/// What the two streams hold.
inline void collect(const brook::Stream<OrderLine>& orders, const brook::Stream<brook::DeadLetter<OrderLine>>& rejected,
                    Outcome& outcome) {
  const auto entries = orders.range();
  std::map<std::string_view, std::size_t> last;  // the line seen last of each invoice
  for (const auto& [id, order] : entries) {
    outcome.published.push_back(order.line);
    if (order.line < last[order.invoice]) ++outcome.out_of_order;
    last[order.invoice] = order.line;
  }
  for (const auto& [id, letter] : rejected.range()) {
    for (const Department& department : departments) {
      if (department.name != letter.group) continue;
      if (const auto reason = department.refuses(letter.value))
        outcome.rejected.push_back({letter.value.line, department.name, *reason});
    }
  }
  std::sort(outcome.rejected.begin(), outcome.rejected.end());
}

/// What a group's consumers have done together, and what it has left undone.
inline void collect(const brook::Group<OrderLine>& group, const Department& department, std::span<const Ledger> ledgers,
                    std::size_t out_of_order, Outcome& outcome) {
  const auto info = group.info().value();
  GroupOutcome& result =
      outcome.groups.emplace_back(GroupOutcome{department, {}, info.pending, info.lag, out_of_order});
  for (const Ledger& ledger : ledgers) result.ledger += ledger;
}

}  // namespace shop
