// The parts of the order_day example that a mistake in would not show in its output.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../examples/order_day/command_line.hpp"
#include "../../examples/order_day/day.hpp"
#include "../../examples/order_day/departments.hpp"
#include "../../examples/order_day/money.hpp"
#include "../../examples/order_day/proof.hpp"
#include "../../examples/order_day/time.hpp"
#include "../../examples/order_day/timing.hpp"
#include "../catch.hpp"

namespace order_day_test {

using namespace shop;

namespace {

const std::string header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

std::string row(std::string_view invoice, std::string_view quantity, std::string_view price = "2.55",
                std::string_view customer = "17850.0") {
  return std::string{invoice} + ",71053,LANTERN," + std::string{quantity} + ",2010-12-01 08:26:00," +
         std::string{price} + ',' + std::string{customer} + ",Norway\n";
}

std::string money(std::string_view text) {
  const auto parsed = parse_money(text);
  return parsed ? to_string(*parsed) : "not money";
}

std::string time_of(std::string_view text) {
  const auto parsed = parse_time(text);
  return parsed ? to_string(*parsed) : "no time";
}

/// What each department says about the last line of a day.
std::vector<std::optional<Reason>> refusals(const std::string& rows) {
  const Day day = read_day(header + rows);
  std::vector<std::optional<Reason>> all;
  for (const auto& department : departments) all.push_back(department.refuses(day.lines.back()));
  return all;
}

/// The outcome that a day must have.
Outcome perfect(const std::vector<OrderLine>& lines) {
  Outcome outcome;
  for (const OrderLine& line : lines) outcome.published.push_back(line.line);
  for (const auto& department : departments)
    outcome.groups.push_back(process_directly(lines, department, outcome.rejected));
  std::sort(outcome.rejected.begin(), outcome.rejected.end());
  return outcome;
}

}  // namespace

TEST_CASE("order_day: money is exact", "[order_day]") {
  CHECK(money("2.55") == "2.55");
  CHECK(money("2.1") == "2.10");
  CHECK(money("34") == "34.00");
  CHECK(money("0.001") == "0.001");
  CHECK(money("1.2300000") == "1.23");
  CHECK(money("-11062.06") == "-11,062.06");
  CHECK(money("-0.5") == "-0.50");
  CHECK(money("1234567.8") == "1,234,567.80");
  for (const auto* text :
       {"", ".", "-", "1.", ".5", "1.2345", "1e3", "+1", "--1", "1,5", " 1", "0x1", "99999999999999999999"}) {
    CHECK(money(text) == "not money");
  }
}

TEST_CASE("order_day: times come in two forms", "[order_day]") {
  CHECK(time_of("2010-12-01 08:26:00") == "2010-12-01 08:26");
  CHECK(time_of("12/1/2010 8:26") == "2010-12-01 08:26");
  CHECK(time_of("2012-02-29 23:59:59") == "2012-02-29 23:59");
  for (const auto* text :
       {"", "2010-12-01", "2010-13-01 08:26:00", "2011-02-29 08:26:00", "2010-12-01 24:00:00", "2010-12-01 08:60:00",
        "2010-12-01 08:26:00 ", "2010-12-01T08:26:00", "2010-12--1 08:26:00", "99999-12-01 08:26:00"}) {
    CHECK(time_of(text) == "no time");
  }
}

TEST_CASE("order_day: a broken line is named and the others are read", "[order_day]") {
  const Day day =
      read_day(header + row("1", "6") + row("2", "six") + row("3", "6", "free") + row("4", "6", "2.55", "me") +
               row("", "1") + row("6", "2000000") + row("7", "1000000", "999999") + "8,too,few\n" + row("9", ""));
  REQUIRE(day.lines.size() == 1);
  CHECK(day.lines[0].line == 2);
  std::vector<std::string> messages;
  for (const auto& [line, reason] : day.broken) messages.push_back(std::to_string(line) + ": " + reason);
  CHECK(messages == std::vector<std::string>{"3: Quantity 'six' is not a whole number",
                                             "4: UnitPrice 'free' is not an amount of money such as 2.55",
                                             "5: CustomerID 'me' is not a customer number", "6: InvoiceNo is empty",
                                             "7: Quantity '2000000' is beyond a million pieces",
                                             "8: UnitPrice '999999' times the quantity is beyond ten million pounds",
                                             "9: 3 columns instead of 8", "10: Quantity is empty"});
}

TEST_CASE("order_day: a wrong header stops everything", "[order_day]") {
  for (const auto* text : {"", "a,b\n1,2\n", "\"InvoiceNo\n"}) CHECK(read_day(text).lines.empty());
  CHECK(read_day("a,b\n1,2\n").broken.size() == 1);
}

TEST_CASE("order_day: who refuses what", "[order_day]") {
  using R = std::vector<std::optional<Reason>>;  // payment, stock, shipping
  constexpr auto fine = std::nullopt;
  CHECK(refusals(row("1", "6")) == R{fine, fine, fine});
  CHECK(refusals(row("1", "6", "0.0")) == R{Reason::no_price, fine, fine});
  CHECK(refusals(row("1", "6", "-5")) == R{Reason::no_price, fine, fine});
  CHECK(refusals(row("1", "6", "2.55", "")) == R{Reason::no_customer, fine, fine});
  CHECK(refusals(row("1", "-6")) == R{fine, Reason::bad_quantity, Reason::bad_quantity});
  CHECK(refusals(row("1", "0")) == R{fine, Reason::bad_quantity, Reason::bad_quantity});
  CHECK(refusals(row("C1", "-6")) == R{Reason::no_original, fine, Reason::no_original});
}

TEST_CASE("order_day: a cancellation needs an original before it that is large enough", "[order_day]") {
  const auto originals = [](const std::string& rows) {
    std::string all;
    for (const OrderLine& line : read_day(header + rows).lines) all += line.has_original ? 'y' : 'n';
    return all;
  };
  CHECK(originals(row("1", "6") + row("C2", "-6")) == "ny");
  CHECK(originals(row("C2", "-6") + row("1", "6")) == "nn");
  CHECK(originals(row("1", "6") + row("C2", "-7")) == "nn");
  CHECK(originals(row("1", "6") + row("2", "1") + row("C3", "-7")) == "nny");
  CHECK(originals(row("1", "6") + row("C2", "-4") + row("C3", "-4") + row("C4", "-2")) == "nyny");
  CHECK(originals(row("1", "6", "1", "5") + row("C2", "-6", "1", "6")) == "nn");
  CHECK(originals(row("1", "6", "1", "") + row("C2", "-6", "1", "")) == "nn");
  CHECK(originals(row("1", "6") + row("C2", "6")) == "nn");
}

TEST_CASE("order_day: the proof notices what is wrong", "[order_day]") {
  const Day day = read_day(header + row("1", "6") + row("1", "1", "0.0") + row("2", "3"));
  Outcome outcome = perfect(day.lines);
  REQUIRE(differences(day.lines, outcome).empty());

  SECTION("a lost line") { outcome.groups[1].ledger.seen.pop_back(); }
  SECTION("a line twice") { outcome.groups[2].ledger.seen.push_back(2); }
  SECTION("one line instead of another") { outcome.groups[0].ledger.seen.back() = 2; }
  SECTION("a wrong sum") { outcome.groups[0].ledger.invoices["1"].ordered += Money{1}; }
  SECTION("a missing invoice") { outcome.groups[0].ledger.invoices.erase("2"); }
  SECTION("an invoice that is not there") { outcome.groups[0].ledger.invoices["3"].lines = 1; }
  SECTION("a wrong country") { outcome.groups[0].ledger.countries["Norway"].processed += Money{1}; }
  SECTION("a delivery that nobody acknowledged") { outcome.groups[0].pending = 1; }
  SECTION("an entry that nobody read") { outcome.groups[0].lag = 1; }
  SECTION("a line that was not published") { outcome.published.pop_back(); }
  SECTION("an invoice out of order") { outcome.out_of_order = 1; }
  SECTION("a rejection that is lost") { outcome.rejected.clear(); }
  SECTION("a rejection twice") { outcome.rejected.push_back(outcome.rejected.back()); }

  CHECK_FALSE(differences(day.lines, outcome).empty());
}

TEST_CASE("order_day: the command line", "[order_day]") {
  const auto parse = [](std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    return parse_arguments(arguments);
  };
  CHECK(parse({})->file == default_file());
  CHECK(parse({"-"})->file == "-");
  CHECK(parse({"x.csv", "--rejected"})->list_rejected);
  CHECK(parse({"--", "-x"})->file == "-x");
  CHECK(parse({"-h"})->help);
  CHECK_FALSE(parse({"--unknown"}).has_value());
  CHECK_FALSE(parse({"a", "b"}).has_value());
  CHECK_FALSE(parse({""}).has_value());
}

TEST_CASE("order_day: percentiles are values that occurred", "[order_day]") {
  std::vector<std::chrono::nanoseconds> sorted;
  CHECK(percentile(sorted, 50).count() == 0);
  for (int i = 1; i <= 10; ++i) sorted.emplace_back(i);
  CHECK(percentile(sorted, 50).count() == 5);
  CHECK(percentile(sorted, 90).count() == 9);
  CHECK(percentile(sorted, 99).count() == 10);
  CHECK(percentile(sorted, 100).count() == 10);
}

}  // namespace order_day_test
