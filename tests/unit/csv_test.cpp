// The CSV reader of the examples: what it understands, and what it says about what it does not.
#include <string>
#include <string_view>
#include <vector>

#include "../../examples/order_day/csv.hpp"
#include "../catch.hpp"

namespace csv_test {

namespace {

using Fields = std::vector<std::string>;

/// Everything in a text: each record as "line: field|field", each broken one as "line! reason".
std::vector<std::string> read(std::string_view text) {
  std::vector<std::string> all;
  csv::Reader reader(text);
  while (const auto record = reader.next()) {
    if (!*record) {
      all.push_back(std::to_string(record->error().line) + "! " + record->error().reason);
      continue;
    }
    std::string joined;
    for (const auto& field : (*record)->fields) joined += (joined.empty() ? " " : "|") + field;
    all.push_back(std::to_string((*record)->line) + ":" + joined);
  }
  return all;
}

}  // namespace

TEST_CASE("csv: an empty text has no records", "[csv]") {
  CHECK(read("").empty());
  CHECK(read("\n\r\n\n").empty());
  CHECK(read("\xEF\xBB\xBF").empty());
}

TEST_CASE("csv: plain fields, also empty ones", "[csv]") {
  CHECK(read("a,b\nc,d\n") == Fields{"1: a|b", "2: c|d"});
  CHECK(read("a,b,c\n,,\nx,,\n") == Fields{"1: a|b|c", "2: ||", "3: x||"});
  CHECK(read(" a , b \n") == Fields{"1:  a | b "});
}

TEST_CASE("csv: the last line may end in nothing", "[csv]") {
  CHECK(read("a,b\nc,d") == Fields{"1: a|b", "2: c|d"});
  CHECK(read("a,b\nc,") == Fields{"1: a|b", "2: c|"});
  CHECK(read("a,b\nc,\"d\"") == Fields{"1: a|b", "2: c|d"});
}

TEST_CASE("csv: lines end in LF or CRLF, also mixed", "[csv]") {
  CHECK(read("a,b\r\nc,d\ne,\"f\"\r\n") == Fields{"1: a|b", "2: c|d", "3: e|f"});
  CHECK(read("a,b\r\nc,d\r") == Fields{"1: a|b", "2: c|d"});
  CHECK(read("a,b\r\nc,\r\n") == Fields{"1: a|b", "2: c|"});
  CHECK(read("a\rb,c\n") == Fields{"1: a\rb|c"});
}

TEST_CASE("csv: a byte order mark belongs to no field", "[csv]") {
  CHECK(read("\xEF\xBB\xBF"
             "a,b\n") == Fields{"1: a|b"});
  CHECK(read("\xEF\xBB\xBF\"a\",b\n") == Fields{"1: a|b"});
}

TEST_CASE("csv: empty lines are skipped but counted", "[csv]") {
  CHECK(read("\n\na,b\n\r\n\nc,d\n\n") == Fields{"3: a|b", "6: c|d"});
}

TEST_CASE("csv: quoted fields keep commas, quotes and line breaks", "[csv]") {
  CHECK(read("\"a,b\",c\n") == Fields{"1: a,b|c"});
  CHECK(read("\"say \"\"hi\"\"\",c\n") == Fields{"1: say \"hi\"|c"});
  CHECK(read("\"\",\"\"\"\"\n") == Fields{"1: |\""});
  CHECK(read("\"a\nb\r\nc\",d\ne,f\n") == Fields{"1: a\nb\r\nc|d", "4: e|f"});
}

TEST_CASE("csv: every record has as many columns as the first", "[csv]") {
  CHECK(read("a,b\nc\nd,e,f\ng,h\n") ==
        Fields{"1: a|b", "2! 1 column instead of 2", "3! 3 columns instead of 2", "4: g|h"});
}

TEST_CASE("csv: a quote in the middle of a field is an error", "[csv]") {
  CHECK(read("a,b\n7\" single,c\nd,e\n") ==
        Fields{"1: a|b", "2! a quote inside a field that does not begin with one", "3: d|e"});
}

TEST_CASE("csv: text behind a closing quote is an error", "[csv]") {
  CHECK(read("a,b\n\"c\"x,d\ne,f\n") == Fields{"1: a|b", "2! text behind the closing quote of a field", "3: e|f"});
  CHECK(read("a,b\n\"c\"\rx,d\ne,f\n") == Fields{"1: a|b", "2! text behind the closing quote of a field", "3: e|f"});
}

TEST_CASE("csv: an open quote costs its own line only", "[csv]") {
  CHECK(read("a,b\n\"c,d\ne,f\n") == Fields{"1: a|b", "2! a quoted field is never closed", "3: e|f"});
  CHECK(read("a,b\n\"c,d\ne,f\n\"g,h\",i\n") ==
        Fields{"1: a|b", "2! a quoted field is not closed where it should be: text follows the next quote, in line 4",
               "3: e|f", "4: g,h|i"});
  CHECK(read("a,b\nc,\"d\ne,\"\nf,g\n") == Fields{"1: a|b", "2: c|d\ne,", "4: f|g"});
  CHECK(read("a,b\n\"c\nd,\"\ne,f\n") == Fields{"1: a|b", "2! 1 column instead of 2; is a closing quote missing?",
                                                "3! a quoted field is never closed", "4: e|f"});
}

TEST_CASE("csv: bytes that mean nothing to it pass through", "[csv]") {
  using namespace std::string_view_literals;
  CHECK(read("a\0b,\xFF\xFE\n"sv) == Fields{std::string{"1: a\0b|\xFF\xFE"sv}});
}

}  // namespace csv_test
