// order_line.hpp — one line of an order, and how it is read from a record of the file.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <brook/error.hpp>

#include "csv.hpp"
#include "money.hpp"
#include "text.hpp"
#include "time.hpp"

namespace shop {

struct OrderLine {
  std::size_t line = 0;  ///< Where in the file it begins.
  std::string invoice;
  std::string stock_code;
  std::string description;
  std::int64_t quantity = 0;
  std::chrono::local_seconds time;
  Money price;  ///< Of one piece.
  std::optional<std::uint32_t> customer;
  std::string country;
  bool has_original = false;  ///< A cancellation of goods that were sold earlier in the file.
  std::chrono::steady_clock::time_point published;

  [[nodiscard]] bool is_cancellation() const { return invoice.starts_with('C'); }
  [[nodiscard]] Money amount() const { return quantity * price; }
};

/// The columns of the file, in this order.
namespace column {
enum { invoice, stock_code, description, quantity, time, price, customer, country, count };
inline constexpr std::array<std::string_view, count> names = {"InvoiceNo",   "StockCode", "Description", "Quantity",
                                                              "InvoiceDate", "UnitPrice", "CustomerID",  "Country"};
}  // namespace column

/// Reads "17850", and "17850.0" as some programs write it.
[[nodiscard]] inline std::optional<std::uint32_t> parse_customer(std::string_view text) {
  if (text.ends_with(".0")) text.remove_suffix(2);
  return parse_integer<std::uint32_t>(text);
}

/// The order line in a record of all columns, or what is wrong with it.
[[nodiscard]] inline brook::expected<OrderLine, std::string> parse_order_line(const csv::Record& record) {
  const auto& field = record.fields;
  const auto wrong = [&](std::size_t at, std::string_view why) {
    const std::string name{column::names[at]};
    if (field[at].empty()) return brook::unexpected(name + " is empty");
    return brook::unexpected(name + " '" + printable(field[at]).substr(0, 40) + "' " + std::string{why});
  };
  if (field[column::invoice].empty()) return wrong(column::invoice, "");
  if (field[column::stock_code].empty()) return wrong(column::stock_code, "");
  const auto quantity = parse_integer<std::int64_t>(field[column::quantity]);
  if (!quantity) return wrong(column::quantity, "is not a whole number");
  const auto time = parse_time(field[column::time]);
  if (!time) return wrong(column::time, "is not a date and time such as 2010-12-01 08:26:00");
  const auto price = parse_money(field[column::price]);
  if (!price) return wrong(column::price, "is not an amount of money such as 2.55");
  const auto customer = parse_customer(field[column::customer]);
  if (!customer && !field[column::customer].empty()) return wrong(column::customer, "is not a customer number");
  const auto within = [](std::int64_t value, std::int64_t limit) { return -limit <= value && value <= limit; };
  if (!within(*quantity, 1'000'000)) return wrong(column::quantity, "is beyond a million pieces");
  if (!within(price->tenths, 1'000'000 * tenths_per_pound)) return wrong(column::price, "is beyond a million pounds");
  // Below this limit 900 million lines can be added up: no sum overflows.
  if (!within((*quantity * *price).tenths, 10'000'000 * tenths_per_pound))
    return wrong(column::price, "times the quantity is beyond ten million pounds");
  return OrderLine{record.line,
                   field[column::invoice],
                   field[column::stock_code],
                   field[column::description],
                   *quantity,
                   *time,
                   *price,
                   customer,
                   field[column::country],
                   false,
                   {}};
}

}  // namespace shop
