// proof.hpp — compares what came out of the streams with what a plain loop over the file gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "departments.hpp"
#include "ledger.hpp"
#include "outcome.hpp"
#include "text.hpp"

namespace shop {

/// Collects differences as sentences, each with what it is about in front.
class Differences {
 public:
  void about(std::string_view what) { about_ = what; }
  void add(const std::string& sentence) { sentences_.push_back(about_ + ": " + sentence); }
  [[nodiscard]] const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::string about_;
  std::vector<std::string> sentences_;
};

/// Every line exactly once, whatever the order.
inline void compare_lines(const std::vector<std::size_t>& expected, const std::vector<std::size_t>& found,
                          Differences& differences) {
  std::map<std::size_t, std::int64_t> surplus;
  for (const std::size_t line : found) ++surplus[line];
  for (const std::size_t line : expected) --surplus[line];
  for (const auto& [line, times] : surplus) {
    if (times < 0) differences.add("line " + std::to_string(line) + " is missing");
    if (times > 0)
      differences.add("line " + std::to_string(line) + " came " + std::to_string(times) + " times too often");
  }
}

[[nodiscard]] inline std::string to_string(const Total& total) {
  return std::to_string(total.lines) + " lines, ordered " + to_string(total.ordered) + ", processed " +
         to_string(total.processed);
}

/// The same names with the same totals.
inline void compare_totals(const Totals& expected, const Totals& found, Differences& differences) {
  const auto at = [](const Totals& totals, const std::string& name) {
    const auto place = totals.find(name);
    return place == totals.end() ? Total{} : place->second;
  };
  Totals names = expected;
  names.insert(found.begin(), found.end());
  for (const auto& [name, ignored] : names) {
    const Total left = at(found, name), right = at(expected, name);
    if (left != right) differences.add(printable(name) + " has " + to_string(left) + " instead of " + to_string(right));
  }
}

/// What a department does with the lines when nothing runs at the same time.
inline GroupOutcome process_directly(const std::vector<OrderLine>& lines, const Department& department,
                                     std::vector<Rejected>& rejected) {
  GroupOutcome outcome{department, {}, 0, 0, 0};
  for (const OrderLine& line : lines) {
    const auto reason = department.refuses(line);
    outcome.ledger.retries += cannot_be_reached(line) ? 1 : 0;
    outcome.ledger.enter(line, reason.has_value());
    if (reason) rejected.push_back({line.line, department.name, *reason});
  }
  return outcome;
}

inline void compare_group(const GroupOutcome& expected, const GroupOutcome& found, Differences& differences) {
  differences.about(found.department.name);
  compare_lines(expected.ledger.seen, found.ledger.seen, differences);
  compare_totals(expected.ledger.invoices, found.ledger.invoices, differences);
  compare_totals(expected.ledger.countries, found.ledger.countries, differences);
  if (found.ledger.retries != expected.ledger.retries)
    differences.add(std::to_string(found.ledger.retries) + " lines were tried again instead of " +
                    std::to_string(expected.ledger.retries));
  if (found.out_of_order != 0)
    differences.add(std::to_string(found.out_of_order) + " lines were handled after a later one of their invoice");
  if (found.pending != 0) differences.add(std::to_string(found.pending) + " deliveries are not acknowledged");
  if (found.lag != 0) differences.add(std::to_string(found.lag) + " entries were not delivered");
}

/// Every way in which the outcome is not what the file demands; nothing when all is proved.
[[nodiscard]] inline std::vector<std::string> differences(const std::vector<OrderLine>& lines, const Outcome& outcome) {
  Differences differences;
  std::vector<Rejected> rejected;
  for (const GroupOutcome& found : outcome.groups) {
    compare_group(process_directly(lines, found.department, rejected), found, differences);
  }
  differences.about("orders");
  std::vector<std::size_t> numbers;
  for (const OrderLine& line : lines) numbers.push_back(line.line);
  compare_lines(numbers, outcome.published, differences);
  if (outcome.out_of_order != 0)
    differences.add(std::to_string(outcome.out_of_order) + " lines left the order of their invoice");
  differences.about("rejected");
  std::sort(rejected.begin(), rejected.end());
  std::vector<Rejected> unequal;
  std::ranges::set_symmetric_difference(rejected, outcome.rejected, std::back_inserter(unequal));
  for (const auto& one : unequal) {
    differences.add("line " + std::to_string(one.line) + " by " + std::string{one.department} +
                    " is missing or came too often");
  }
  return differences.sentences();
}

}  // namespace shop
