// report.hpp — the summary for people. Everything here but the timing is the same in every run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "day.hpp"
#include "outcome.hpp"
#include "text.hpp"

namespace shop {

inline void print_counts(std::ostream& out, const Day& day) {
  std::set<std::string_view> invoices, cancellations;
  std::set<std::uint32_t> customers;
  auto [first, last] = std::ranges::minmax(day.lines, {}, &OrderLine::time);
  for (const OrderLine& line : day.lines) {
    (line.is_cancellation() ? cancellations : invoices).insert(line.invoice);
    if (line.customer) customers.insert(*line.customer);
  }
  out << "  from " << to_string(first.time) << " to " << to_string(last.time) << "\n\n"
      << "  order lines    " << right(grouped(day.lines.size()), 9) << '\n'
      << "  broken lines   " << right(grouped(day.broken.size()), 9) << '\n'
      << "  invoices       " << right(grouped(invoices.size()), 9) << '\n'
      << "  cancellations  " << right(grouped(cancellations.size()), 9) << '\n'
      << "  customers      " << right(grouped(customers.size()), 9) << '\n';
}

/// How many lines each department rejected for each reason, and where the first of them stand.
inline void print_rejections(std::ostream& out, const std::vector<Rejected>& rejected) {
  constexpr std::size_t shown = 3;
  std::map<std::pair<std::string_view, Reason>, std::vector<std::size_t>> lines;
  for (const Rejected& one : rejected) lines[{one.department, one.reason}].push_back(one.line);
  out << "\nRejected                                         lines  in line\n";
  for (const auto& [key, numbers] : lines) {
    out << "  " << left(key.first, 9) << ' ' << left(to_string(key.second), 33) << right(grouped(numbers.size()), 9)
        << "  ";
    for (std::size_t i = 0; i < std::min(shown, numbers.size()); ++i) out << (i == 0 ? "" : ", ") << numbers[i];
    out << (numbers.size() > shown ? ", ...\n" : "\n");
  }
  if (rejected.empty()) out << "  nothing\n";
}

/// Every rejected line with its reason.
inline void list_rejections(std::ostream& out, const std::vector<Rejected>& rejected) {
  out << "\nEvery rejected line\n";
  for (const Rejected& one : rejected) {
    out << "  line " << right(std::to_string(one.line), 7) << "  " << left(one.department, 9) << ' '
        << to_string(one.reason) << '\n';
  }
}

/// What payment charged in each country, the largest sum first.
inline void print_revenue(std::ostream& out, const Totals& countries) {
  std::vector<std::pair<std::string, Total>> rows(countries.begin(), countries.end());
  std::ranges::sort(rows, [](const auto& a, const auto& b) {
    return std::tie(b.second.processed, a.first) < std::tie(a.second.processed, b.first);
  });
  Total sum;
  for (const auto& [country, total] : rows) sum += total;
  const auto print_row = [&out](std::string_view name, const Total& total) {
    out << "  " << left(name, 22) << right(grouped(total.lines), 9) << right(to_string(total.ordered), 16)
        << right(to_string(total.processed), 16) << right(to_string(total.ordered - total.processed), 16) << '\n';
  };
  out << "\nRevenue per country (GBP)   lines         ordered         charged        rejected\n";
  for (const auto& [country, total] : rows) print_row(country.empty() ? "(none)" : printable(country), total);
  print_row("all", sum);
}

/// The proof in one line for each group, or what is wrong.
inline void print_proof(std::ostream& out, const Outcome& outcome, const std::vector<std::string>& differences) {
  constexpr std::size_t shown = 20;
  out << "\nProof: the streams against a plain loop over the file\n";
  for (const auto& group : outcome.groups) {
    out << "  " << left(group.department.name, 9) << ' ' << grouped(group.ledger.seen.size()) << " lines seen, "
        << grouped(group.ledger.invoices.size()) << " invoices added up, " << group.ledger.retries << " tried again, "
        << group.pending << " pending, lag " << group.lag << '\n';
  }
  for (std::size_t i = 0; i < std::min(shown, differences.size()); ++i) out << "  WRONG  " << differences[i] << '\n';
  if (differences.size() > shown) out << "  WRONG  and " << differences.size() - shown << " more\n";
  if (differences.empty()) out << "  ok: every line once in each group, every total equal, every invoice in order\n";
}

}  // namespace shop
