// day.hpp — a whole file of order lines, and what in it is broken.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "csv.hpp"
#include "order_line.hpp"

namespace shop {

struct Day {
  std::vector<OrderLine> lines;     ///< In the order of the file.
  std::vector<csv::Broken> broken;  ///< What could not be read.
  bool right_header = true;         ///< Otherwise that is all there is in `broken`, and there are no lines.
};

/// Marks each cancellation whose goods were sold to the same customer earlier in the file and have not been cancelled
/// since. It is decided here, in the order of the file, and not by a consumer: groups share the lines of a day among
/// several threads, so a consumer that sees a cancellation cannot know whether another one has seen the sale yet.
inline void find_originals(std::vector<OrderLine>& lines) {
  std::map<std::tuple<std::uint32_t, std::string>, std::int64_t> sold;  // by customer and stock code
  for (OrderLine& line : lines) {
    if (!line.customer) continue;
    std::int64_t& pieces = sold[{*line.customer, line.stock_code}];
    line.has_original = line.is_cancellation() && line.quantity < 0 && pieces + line.quantity >= 0;
    if (line.has_original || !line.is_cancellation()) pieces += line.quantity;
  }
}

/// Reads a day from the text of a file.
[[nodiscard]] inline Day read_day(std::string_view text) {
  Day day;
  csv::Reader reader(text);
  const auto header = reader.next();
  if (!header) return day;
  if (!*header || !std::ranges::equal((*header)->fields, column::names)) {
    std::string names;
    for (const auto name : column::names) names += (names.empty() ? "" : ",") + std::string{name};
    day.broken.push_back({1, "the header is not " + names});
    day.right_header = false;
    return day;
  }
  while (const auto record = reader.next()) {
    if (!*record) {
      day.broken.push_back(record->error());
    } else if (auto line = parse_order_line(**record)) {
      day.lines.push_back(std::move(*line));
    } else {
      day.broken.push_back({(*record)->line, line.error()});
    }
  }
  find_originals(day.lines);
  return day;
}

}  // namespace shop
