#include <brook/id.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "../catch.hpp"

namespace id_test {

namespace {

using brook::Errc;
using brook::Id;

constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();
const std::string top_text = "18446744073709551615";

bool parses_to(std::string_view text, Id id) {
  const auto parsed = Id::parse(text);
  return parsed.has_value() && *parsed == id;
}

bool is_refused(std::string_view text) {
  const auto parsed = Id::parse(text);
  return !parsed && parsed.error() == Errc::invalid_id;
}

static_assert(*Id::parse("5-7") == Id{5, 7});
static_assert(!Id::parse("five"));
static_assert(Id{1, 2} < Id{1, 3} && Id{1, top} < Id{2, 0} && Id::min() == Id{} && Id::max() == Id{top, top});
static_assert(std::is_trivially_copyable_v<Id> && std::is_nothrow_default_constructible_v<Id>);
static_assert(noexcept(Id::parse(std::string_view())));

}  // namespace

TEST_CASE("Id: text with both numbers") {
  CHECK(parses_to("5-7", {5, 7}));
  CHECK(parses_to("0-0", {0, 0}));
  CHECK(parses_to("0-1", {0, 1}));
  CHECK(parses_to("1526919030474-55", {1526919030474, 55}));
  CHECK(parses_to(top_text + '-' + top_text, Id::max()));
}

TEST_CASE("Id: a missing sequence number is what the caller says") {
  CHECK(*Id::parse("5") == Id{5, 0});
  CHECK(*Id::parse("5", top) == Id{5, top});
  CHECK(*Id::parse("5-3", top) == Id{5, 3});
  CHECK(*Id::parse("0") == Id::min());
  CHECK(*Id::parse(top_text, top) == Id::max());
}

TEST_CASE("Id: zeros, white space and a plus sign before a number are taken") {
  CHECK(parses_to("007-0003", {7, 3}));
  CHECK(parses_to(" 7-3", {7, 3}));
  CHECK(parses_to("7- 3", {7, 3}));
  CHECK(parses_to("\t\n\v\f\r 7-\t3", {7, 3}));
  CHECK(parses_to("+7-+3", {7, 3}));
  CHECK(parses_to(" +7- +3", {7, 3}));
  CHECK(parses_to(" 7", {7, 0}));
  CHECK(parses_to("5--0", {5, 0}));
  CHECK(parses_to("00000000000000000000000000" + top_text + "-0", {top, 0}));
}

TEST_CASE("Id: what is not an id is refused") {
  const std::vector<std::string> bad = {
      "",      "-",     "+",    " ",    "-5",  "5-",  "-5-3", "1-2-3", "8-x",   "x-8",     "x",
      "5 -3",  "5-3 ",  "5 ",   "5--3", "+",   "++5", "+ 5",  "5-+",   "5-++3", "0x10-1",  "1e3",
      "5.0-1", "5_000", "(5-1", "5-*",  "*",   "$",   ">",    "5,1",   "5–1",   "\"5-1\"", "5- ",
      "5-1\n", "5\n",   "-1-1", "1--1", "--1", "NaN", "5-1-", "--",    "5--",   "\xff",    "5-\xff",
  };
  for (const std::string& text : bad) {
    INFO('"' << text << '"');
    CHECK(is_refused(text));
  }
}

TEST_CASE("Id: a zero byte does not end the text") {
  CHECK(is_refused(std::string_view("5-1\0", 4)));
  CHECK(is_refused(std::string_view("5\0-1", 4)));
  CHECK(is_refused(std::string_view("\0", 1)));
}

TEST_CASE("Id: numbers that do not fit are refused") {
  CHECK(parses_to(top_text + "-0", {top, 0}));
  CHECK(parses_to("0-" + top_text, {0, top}));
  for (const char* beyond :
       {"18446744073709551616", "18446744073709551620", "18446744073709551625", "28446744073709551615",
        "99999999999999999999", "184467440737095516150", "340282366920938463463374607431768211456"}) {
    CHECK(is_refused(beyond));
    CHECK(is_refused(std::string(beyond) + "-0"));
    CHECK(is_refused(std::string("0-") + beyond));
  }
}

TEST_CASE("Id: text may have 127 characters, not 128") {
  const auto with_end = [](std::size_t size, char filler, std::string_view end) {
    std::string text(size, filler);
    std::copy(end.begin(), end.end(), text.end() - static_cast<std::ptrdiff_t>(end.size()));
    return text;
  };
  CHECK(parses_to(with_end(127, '0', "5-7"), {5, 7}));
  CHECK(is_refused(with_end(128, '0', "5-7")));
  CHECK(parses_to(with_end(127, ' ', "5"), {5, 0}));
  CHECK(is_refused(with_end(128, ' ', "5")));
  CHECK(is_refused(std::string(1'000'000, '1')));
}

TEST_CASE("Id: text is read no further than its end") {
  const std::array<char, 5> text = {'1', '-', '2', '3', '4'};
  CHECK(parses_to(std::string_view(text.data(), 3), {1, 2}));
  CHECK(parses_to(std::string_view(text.data(), 1), {1, 0}));
  CHECK(is_refused(std::string_view(text.data(), 2)));
  CHECK(is_refused(std::string_view()));
}

TEST_CASE("Id: next and prev step over the end of a millisecond") {
  CHECK(Id{5, 7}.next() == Id{5, 8});
  CHECK(Id{5, top}.next() == Id{6, 0});
  CHECK(Id{5, 7}.prev() == Id{5, 6});
  CHECK(Id{6, 0}.prev() == Id{5, top});
  CHECK(Id::min().next() == Id{0, 1});
  CHECK(Id::max().prev() == Id{top, top - 1});
  CHECK(Id{top, 0}.prev() == Id{top - 1, top});
  for (const Id id : {Id{0, 1}, Id{5, 0}, Id{5, top}, Id{top, top - 1}, Id{top, 0}}) {
    CHECK(id.next().prev() == id);
    CHECK(id.prev().next() == id);
    CHECK(id.prev() < id);
    CHECK(id < id.next());
  }
}

TEST_CASE("Id: ordered by milliseconds, then by sequence number") {
  const std::vector<Id> ascending = {{0, 0}, {0, 1}, {0, top}, {1, 0}, {1, 1}, {2, 0}, {top, 0}, {top, top}};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      CHECK((ascending[i] < ascending[j]) == (i < j));
      CHECK((ascending[i] == ascending[j]) == (i == j));
      CHECK((ascending[i] >= ascending[j]) == (i >= j));
    }
  }
}

TEST_CASE("Id: the text of an id reads back") {
  for (const Id id : {Id{0, 0}, Id{5, 7}, Id{0, top}, Id{1526919030474, 55}, Id::max()}) {
    CHECK(parses_to(to_string(id), id));
    std::ostringstream out;
    out << id;
    CHECK(out.str() == to_string(id));
  }
  CHECK(to_string(Id{5, 7}) == "5-7");
  CHECK(to_string(Id::max()) == top_text + '-' + top_text);
}

TEST_CASE("Id: the ostream's width and base do not change the text") {
  std::ostringstream out;
  out << std::hex << Id{16, 255};
  CHECK(out.str() == "16-255");
}

#ifdef __cpp_lib_format
TEST_CASE("Id: std::format") {
  CHECK(std::format("{}", Id{5, 7}) == "5-7");
  CHECK(std::format("{:>5}", Id{5, 7}) == "  5-7");
}
#endif

TEST_CASE("Id: hashes spread over the ids that streams make") {
  std::set<std::size_t> hashes;
  std::size_t ids = 0;
  const auto add = [&](Id id) {
    hashes.insert(std::hash<Id>{}(id));
    ++ids;
  };
  for (std::uint64_t i = 0; i < 1000; ++i) {
    add({1'700'000'000'000 + i, 0});
    add({1'700'000'000'000, i + 1});
    add({i, i + 1});
  }
  CHECK(hashes.size() == ids);
  std::set<std::size_t> low_bits;
  for (std::uint64_t i = 0; i < 1024; ++i) low_bits.insert(std::hash<Id>{}({1'700'000'000'000 + i, 0}) % 1024);
  CHECK(low_bits.size() > 512);
}

TEST_CASE("Id: a key of unordered containers") {
  std::unordered_set<Id> set{{1, 1}, {1, 2}, {1, 1}};
  CHECK(set.size() == 2);
  CHECK(set.contains(Id{1, 2}));
  CHECK_FALSE(set.contains(Id{2, 1}));
}

}  // namespace id_test
