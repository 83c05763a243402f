// departments.hpp — the three groups of the shop, and which order lines each of them must refuse.
//
//   payment   charges and refunds. It refuses a price of zero or below, a line without a customer, and the cancellation
//             of something that this customer did not buy earlier in the file: there is nothing to refund it from.
//   stock     books goods out of and into the warehouse; also those of such a cancellation, for the goods did come back.
//             It refuses a quantity of zero or below on a sale, and above on a cancellation: nobody knows what moved.
//   shipping  packs parcels and stops those that are cancelled. It refuses what stock refuses, a cancellation without
//             an original, because there is no parcel to stop, and a line that says no country.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <optional>
#include <string_view>

#include "order_line.hpp"

namespace shop {

enum class Reason { no_price, no_customer, no_original, bad_quantity, no_country };

[[nodiscard]] constexpr std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::no_price: return "price is not above zero";
    case Reason::no_customer: return "customer is missing";
    case Reason::no_original: return "cancellation without an original";
    case Reason::bad_quantity: return "quantity does not fit the invoice";
    case Reason::no_country: return "country is missing";
  }
  return "";
}

struct Department {
  std::string_view name;
  std::optional<Reason> (*refuses)(const OrderLine&);  ///< Why it cannot process the line, or nothing.
};

inline std::optional<Reason> payment_refuses(const OrderLine& line) {
  if (line.price <= Money{}) return Reason::no_price;
  if (!line.customer) return Reason::no_customer;
  if (line.is_cancellation() && !line.has_original) return Reason::no_original;
  return std::nullopt;
}

inline std::optional<Reason> stock_refuses(const OrderLine& line) {
  const bool fits = line.is_cancellation() ? line.quantity < 0 : line.quantity > 0;
  return fits ? std::nullopt : std::optional{Reason::bad_quantity};
}

inline std::optional<Reason> shipping_refuses(const OrderLine& line) {
  if (const auto reason = stock_refuses(line)) return reason;
  if (line.is_cancellation() && !line.has_original) return Reason::no_original;
  if (line.country.empty() || line.country == "Unspecified") return Reason::no_country;
  return std::nullopt;
}

inline constexpr std::array departments = {
    Department{"payment", payment_refuses},
    Department{"stock", stock_refuses},
    Department{"shipping", shipping_refuses},
};

/// Whether the department cannot be reached when it is first told of the line, as happens to one in a hundred.
[[nodiscard]] inline bool cannot_be_reached(const OrderLine& line) { return line.line % 100 == 0; }

/// A line that a department could not process.
struct Rejected {
  std::size_t line = 0;  ///< Where in the file it begins.
  std::string_view department;
  Reason reason{};

  friend auto operator<=>(const Rejected&, const Rejected&) = default;
};

}  // namespace shop
