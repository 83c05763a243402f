// list_test.cpp — BlockingList on one thread: both ends, positions, moves, several lists, all kinds of T.
#include <brook/blocking_list.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "list_support.hpp"

namespace list_test {

namespace {

using namespace brook;
using namespace brook::test;
using Strings = std::vector<std::string>;

constexpr auto lowest = std::numeric_limits<std::ptrdiff_t>::min();
constexpr auto highest = std::numeric_limits<std::ptrdiff_t>::max();

void fill(BlockingList<int>& list, int first, int last) { REQUIRE(list.rpush_range(numbers(first, last))); }

// Ways to make a list of 1 … 5, each of which leaves the elements in another place.
void make_five(BlockingList<int>& list, int way) {
  switch (way) {
    case 0:
      for (int i = 1; i <= 5; ++i) REQUIRE(list.rpush(i));
      break;
    case 1:
      for (int i = 5; i >= 1; --i) REQUIRE(list.lpush(i));
      break;
    case 2:
      for (const int i : {3, 4, 5}) REQUIRE(list.rpush(i));
      for (const int i : {2, 1}) REQUIRE(list.lpush(i));
      break;
    case 3:
      for (int i = -40; i <= 5; ++i) REQUIRE(list.rpush(i));
      list.ltrim(-5, -1);
      break;
    default:
      REQUIRE(list.rpush({1, 2}));
      REQUIRE(list.lindex(0) == 1);  // together
      for (int i = 3; i <= 103; ++i) REQUIRE(list.rpush(i));
      for (int i = 0; i < 98; ++i) REQUIRE(list.rpop());
  }
}

}  // namespace

TEST_CASE("List: pushes and pops at both ends") {
  BlockingList<int> list;
  CHECK(list.empty());
  CHECK(list.rpush(1).value() == 1U);
  CHECK(list.rpush(2).value() == 2U);
  CHECK(list.lpush(0).value() == 3U);
  CHECK(all(list) == Ints{0, 1, 2});
  CHECK_FALSE(list.empty());
  CHECK(list.lpop() == 0);
  CHECK(list.rpop() == 2);
  CHECK(list.lpop() == 1);
  CHECK(list.lpop() == std::nullopt);
  CHECK(list.rpop() == std::nullopt);
  CHECK(list.size() == 0);
}

TEST_CASE("List: a push's length is a number when it is looked at") {
  BlockingList<int> list;
  const auto length = list.rpush(1);
  REQUIRE(length);
  CHECK(*length == 1U);
  REQUIRE(list.rpush(2));
  const std::size_t now = *length;
  CHECK(now == 2);
}

TEST_CASE("List: pushes of several, in their order") {
  BlockingList<int> list;
  SECTION("right, an initializer list") { CHECK(list.rpush({1, 2, 3}).value() == 3U); }
  SECTION("left, an initializer list") { CHECK(list.lpush({3, 2, 1}).value() == 3U); }
  SECTION("right, a range") { CHECK(list.rpush_range(Ints{1, 2, 3}).value() == 3U); }
  SECTION("left, a range") { CHECK(list.lpush_range(std::list<long>{3, 2, 1}).value() == 3U); }
  SECTION("right, a view") { CHECK(list.rpush_range(std::views::iota(1, 4)).value() == 3U); }
  SECTION("right, what can be read only once") {
    std::istringstream text("1 2 3");
    CHECK(list.rpush_range(std::views::istream<int>(text)).value() == 3U);
  }
  SECTION("one in braces") {
    CHECK(list.rpush({2}).value() == 1U);
    CHECK(list.rpush({3}).value() == 2U);
    CHECK(list.lpush({1}).value() == 3U);
  }
  CHECK(all(list) == Ints{1, 2, 3});
}

TEST_CASE("List: pushes of none") {
  BlockingList<int> list;
  CHECK(list.rpush_range(Ints{}).value() == 0U);
  CHECK(list.lpush_range(std::vector<int>{}).value() == 0U);
  REQUIRE(list.rpush(1));
  CHECK(list.rpush_range(Ints{}).value() == 1U);
  list.close();
  CHECK(error_of(list.lpush_range(Ints{})) == Errc::closed);
}

TEST_CASE("List: ranges give their elements") {
  const Strings given{"a", "b"};
  BlockingList<std::string> list;
  REQUIRE(list.rpush_range(given));
  CHECK(given == Strings{"a", "b"});
  std::vector<std::unique_ptr<int>> pointers;
  pointers.push_back(std::make_unique<int>(7));
  BlockingList<std::unique_ptr<int>> owners;
  REQUIRE(owners.rpush_range(
      std::ranges::subrange(std::move_iterator(pointers.begin()), std::move_iterator(pointers.end()))));
  CHECK(pointers.front() == nullptr);
  CHECK(**owners.lpop() == 7);
  REQUIRE(list.rpush({"c", "d"}));
  CHECK(list.lrange(0, -1) == Strings{"a", "b", "c", "d"});
}

TEST_CASE("List: elements are built in place") {
  BlockingList<std::string> list;
  CHECK(list.remplace(3U, 'b').value() == 1U);
  CHECK(list.lemplace("a").value() == 2U);
  CHECK(list.remplace().value() == 3U);
  CHECK(list.lrange(0, -1) == Strings{"a", "bbb", ""});
}

TEST_CASE("List: lpushx and rpushx add only to a list that has elements") {
  BlockingList<int> list;
  CHECK(list.rpushx(1).value() == 0U);
  CHECK(list.lpushx(1).value() == 0U);
  CHECK(list.empty());
  REQUIRE(list.rpush(2));
  CHECK(list.rpushx(3).value() == 2U);
  CHECK(list.lpushx(1).value() == 3U);
  CHECK(all(list) == Ints{1, 2, 3});
  CHECK(list.lpop(3).size() == 3);
  CHECK(list.lpushx(1).value() == 0U);
  list.close();
  CHECK(error_of(list.rpushx(1)) == Errc::closed);
  CHECK(error_of(list.lpushx(1)) == Errc::closed);
}

TEST_CASE("List: pops with a count") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(way);
  BlockingList<int> list;
  make_five(list, way);
  SECTION("left") {
    CHECK(list.lpop(2) == Ints{1, 2});
    CHECK(all(list) == Ints{3, 4, 5});
    CHECK(list.lpop(100) == Ints{3, 4, 5});
  }
  SECTION("right, in the order of pops") {
    CHECK(list.rpop(2) == Ints{5, 4});
    CHECK(all(list) == Ints{1, 2, 3});
    CHECK(list.rpop(no_limit) == Ints{3, 2, 1});
  }
  SECTION("none of them") {
    CHECK(list.lpop(0).empty());
    CHECK(list.rpop(0).empty());
    CHECK(list.lpop(5).size() == 5);
  }
  CHECK(list.lpop(0).empty());
  CHECK(list.rpop(0).empty());
  CHECK(list.lpop(3).empty());
  CHECK(list.rpop(no_limit).empty());
}

TEST_CASE("List: lrange") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(way);
  BlockingList<int> list;
  CHECK(list.lrange(0, -1).empty());
  CHECK(list.lrange(lowest, highest).empty());
  CHECK(list.lrange(-1, 0).empty());
  make_five(list, way);
  CHECK(list.lrange(0, -1) == Ints{1, 2, 3, 4, 5});
  CHECK(list.lrange(0, 0) == Ints{1});
  CHECK(list.lrange(-1, -1) == Ints{5});
  CHECK(list.lrange(1, 3) == Ints{2, 3, 4});
  CHECK(list.lrange(-4, -2) == Ints{2, 3, 4});
  CHECK(list.lrange(-100, 1) == Ints{1, 2});
  CHECK(list.lrange(3, 100) == Ints{4, 5});
  CHECK(list.lrange(lowest, highest) == Ints{1, 2, 3, 4, 5});
  CHECK(list.lrange(5, 10).empty());
  CHECK(list.lrange(3, 2).empty());
  CHECK(list.lrange(-1, -2).empty());
  CHECK(list.lrange(0, -6).empty());
  CHECK(list.lrange(highest, lowest).empty());
  CHECK(list.lrange(0, lowest).empty());
  CHECK(list.size() == 5);
}

TEST_CASE("List: lindex") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  BlockingList<int> list;
  CHECK(list.lindex(0) == std::nullopt);
  CHECK(list.lindex(-1) == std::nullopt);
  make_five(list, way);
  CHECK(list.lindex(0) == 1);
  CHECK(list.lindex(4) == 5);
  CHECK(list.lindex(-1) == 5);
  CHECK(list.lindex(-5) == 1);
  CHECK(list.lindex(5) == std::nullopt);
  CHECK(list.lindex(-6) == std::nullopt);
  CHECK(list.lindex(lowest) == std::nullopt);
  CHECK(list.lindex(highest) == std::nullopt);
}

TEST_CASE("List: lset") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  BlockingList<int> list;
  CHECK(error_of(list.lset(0, 9)) == Errc::invalid_argument);
  make_five(list, way);
  CHECK(list.lset(0, 10));
  CHECK(list.lset(-1, 50));
  CHECK(list.lset(2, 30));
  CHECK(list.lset(-4, 20));
  CHECK(error_of(list.lset(5, 9)) == Errc::invalid_argument);
  CHECK(error_of(list.lset(-6, 9)) == Errc::invalid_argument);
  CHECK(error_of(list.lset(lowest, 9)) == Errc::invalid_argument);
  CHECK(all(list) == Ints{10, 20, 30, 4, 50});
  list.close();
  CHECK(error_of(list.lset(0, 9)) == Errc::closed);
  CHECK(all(list) == Ints{10, 20, 30, 4, 50});
}

TEST_CASE("List: linsert") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  BlockingList<int> list;
  CHECK(list.linsert_before(1, 9).value() == std::nullopt);
  CHECK(list.linsert_after(1, 9).value() == std::nullopt);
  make_five(list, way);
  CHECK(list.linsert_before(3, 30).value() == 6U);
  CHECK(list.linsert_after(3, 31).value() == 7U);
  CHECK(list.linsert_before(1, 10).value() == 8U);
  CHECK(list.linsert_after(5, 50).value() == 9U);
  CHECK(list.linsert_after(77, 9).value() == std::nullopt);
  CHECK(all(list) == Ints{10, 1, 2, 30, 3, 31, 4, 5, 50});
  REQUIRE(list.rpush(3));
  CHECK(list.linsert_after(3, 32).value() == 11U);
  CHECK(all(list) == Ints{10, 1, 2, 30, 3, 32, 31, 4, 5, 50, 3});
  list.close();
  CHECK(error_of(list.linsert_after(3, 9)) == Errc::closed);
  CHECK(list.size() == 11);
}

TEST_CASE("List: lrem") {
  BlockingList<int> list;
  CHECK(list.lrem(0, 1) == 0);
  REQUIRE(list.rpush({1, 2, 1, 3, 1, 4, 1}));
  SECTION("all") {
    CHECK(list.lrem(0, 1) == 4);
    CHECK(all(list) == Ints{2, 3, 4});
  }
  SECTION("from the left") {
    CHECK(list.lrem(2, 1) == 2);
    CHECK(all(list) == Ints{2, 3, 1, 4, 1});
  }
  SECTION("from the right") {
    CHECK(list.lrem(-3, 1) == 3);
    CHECK(all(list) == Ints{1, 2, 3, 4});
  }
  SECTION("more than there are") {
    CHECK(list.lrem(highest, 1) == 4);
    CHECK(list.lrem(lowest, 2) == 1);
    CHECK(list.lrem(5, 77) == 0);
    CHECK(all(list) == Ints{3, 4});
  }
  SECTION("everything") {
    REQUIRE(list.lset(1, 1));
    CHECK(list.lrem(-7, 1) == 5);
    CHECK(list.lrem(1, 3) == 1);
    CHECK(list.lrem(-1, 4) == 1);
    CHECK(list.empty());
  }
}

TEST_CASE("List: ltrim") {
  const int way = GENERATE(0, 1, 2, 3, 4);
  BlockingList<int> list;
  list.ltrim(0, -1);
  list.ltrim(3, 1);
  CHECK(list.empty());
  make_five(list, way);
  SECTION("inside") {
    list.ltrim(1, 3);
    CHECK(all(list) == Ints{2, 3, 4});
  }
  SECTION("negative") {
    list.ltrim(-2, -1);
    CHECK(all(list) == Ints{4, 5});
  }
  SECTION("nothing goes") {
    list.ltrim(lowest, highest);
    CHECK(all(list) == Ints{1, 2, 3, 4, 5});
  }
  SECTION("everything goes") {
    SECTION("behind the end") { list.ltrim(5, 10); }
    SECTION("before the beginning") { list.ltrim(0, -6); }
    SECTION("an empty range") { list.ltrim(2, 1); }
    CHECK(list.empty());
    CHECK(list.rpush(6).value() == 1U);
    CHECK(all(list) == Ints{6});
  }
}

TEST_CASE("List: lpos") {
  BlockingList<int> list;
  CHECK(list.lpos(1) == std::nullopt);
  CHECK(list.lpos_all(1).empty());
  REQUIRE(list.rpush({1, 2, 3, 1, 2, 3, 1}));
  CHECK(list.lpos(1) == 0U);
  CHECK(list.lpos(3) == 2U);
  CHECK(list.lpos(4) == std::nullopt);
  SECTION("rank") {
    CHECK(list.lpos(1, {.rank = 2}) == 3U);
    CHECK(list.lpos(1, {.rank = 3}) == 6U);
    CHECK(list.lpos(1, {.rank = 4}) == std::nullopt);
    CHECK(list.lpos(1, {.rank = -1}) == 6U);
    CHECK(list.lpos(1, {.rank = -3}) == 0U);
    CHECK(list.lpos(1, {.rank = -4}) == std::nullopt);
    CHECK(list.lpos(1, {.rank = 0}) == 0U);
    CHECK(list.lpos(1, {.rank = highest}) == std::nullopt);
    CHECK(list.lpos(1, {.rank = lowest}) == std::nullopt);
  }
  SECTION("count") {
    CHECK(list.lpos_all(1) == Positions{0, 3, 6});
    CHECK(list.lpos_all(1, {.count = 2}) == Positions{0, 3});
    CHECK(list.lpos_all(1, {.rank = 2, .count = 5}) == Positions{3, 6});
    CHECK(list.lpos_all(1, {.rank = -1}) == Positions{6, 3, 0});
    CHECK(list.lpos_all(1, {.rank = -2, .count = 1}) == Positions{3});
    CHECK(list.lpos_all(1, {.count = 0}).empty());
    CHECK(list.lpos(1, {.count = 0}) == 0U);
  }
  SECTION("max_len") {
    CHECK(list.lpos(3, {.max_len = 2}) == std::nullopt);
    CHECK(list.lpos(3, {.max_len = 3}) == 2U);
    CHECK(list.lpos_all(1, {.max_len = 4}) == Positions{0, 3});
    CHECK(list.lpos_all(1, {.rank = -1, .max_len = 4}) == Positions{6, 3});
    CHECK(list.lpos(2, {.rank = -1, .max_len = 2}) == std::nullopt);
    CHECK(list.lpos_all(1, {.max_len = 0}).empty());
  }
}

TEST_CASE("List: lmove between lists") {
  const auto [from_side, to_side, moved, to] = GENERATE(table<Side, Side, int, Ints>({
      {Side::left, Side::left, 1, Ints{1, 7, 8}},
      {Side::left, Side::right, 1, Ints{7, 8, 1}},
      {Side::right, Side::left, 3, Ints{3, 7, 8}},
      {Side::right, Side::right, 3, Ints{7, 8, 3}},
  }));
  BlockingList<int> a;
  BlockingList<int> b;
  CHECK(a.lmove(b, from_side, to_side) == std::nullopt);
  REQUIRE(a.rpush({1, 2, 3}));
  REQUIRE(b.rpush({7, 8}));
  CHECK(a.lmove(b, from_side, to_side) == moved);
  CHECK(a.size() == 2);
  CHECK(all(b) == to);
}

TEST_CASE("List: lmove onto itself rotates") {
  BlockingList<int> list;
  CHECK(list.lmove(list, Side::left, Side::right) == std::nullopt);
  REQUIRE(list.rpush({1, 2, 3}));
  CHECK(list.lmove(list, Side::left, Side::right) == 1);
  CHECK(all(list) == Ints{2, 3, 1});
  CHECK(list.rpoplpush(list) == 1);
  CHECK(all(list) == Ints{1, 2, 3});
  CHECK(list.lmove(list, Side::left, Side::left) == 1);
  CHECK(list.lmove(list, Side::right, Side::right) == 3);
  CHECK(all(list) == Ints{1, 2, 3});
  BlockingList<int> single;
  REQUIRE(single.rpush(1));
  for (const Side from : {Side::left, Side::right})
    for (const Side to : {Side::left, Side::right}) CHECK(single.lmove(single, from, to) == 1);
  CHECK(all(single) == Ints{1});
}

TEST_CASE("List: rpoplpush, and moves that cannot be") {
  BlockingList<int> a;
  BlockingList<int> b;
  REQUIRE(a.rpush({1, 2}));
  CHECK(a.rpoplpush(b) == 2);
  CHECK(all(b) == Ints{2});
  b.close();
  CHECK(a.rpoplpush(b) == std::nullopt);
  CHECK(error_of(a.blmove(b, Side::left, Side::left, forever)) == Errc::closed);
  CHECK(all(a) == Ints{1});
  a.close();
  BlockingList<int> open;
  CHECK(b.rpoplpush(open) == 2);
  CHECK(a.lmove(open, Side::left, Side::right) == 1);
  CHECK(all(open) == Ints{2, 1});
}

TEST_CASE("List: a circle of moves over many segments keeps the order") {
  BlockingList<int> a;
  BlockingList<int> b;
  fill(a, 1, 10'000);
  for (int i = 1; i <= 10'000; ++i) REQUIRE(a.lmove(b, Side::left, Side::right) == i);
  for (int i = 1; i <= 5'000; ++i) REQUIRE(b.lmove(b, Side::left, Side::right) == i);
  CHECK(b.lrange(0, 2) == Ints{5001, 5002, 5003});
  CHECK(b.size() == 10'000);
  CHECK(a.empty());
}

TEST_CASE("List: lmpop takes from the first list that has elements") {
  BlockingList<int> a;
  BlockingList<int> b;
  BlockingList<int> c;
  CHECK_FALSE(lmpop(Side::left, 1, a, b, c));
  REQUIRE(b.rpush({1, 2, 3}));
  REQUIRE(c.rpush({4, 5}));
  const auto one = lmpop(Side::left, 1, a, b, c);
  REQUIRE(one);
  CHECK(one->index == 1);
  CHECK(one->values == Ints{1});
  const auto rest = lmpop(Side::right, 10, a, b, c);
  REQUIRE(rest);
  CHECK(rest->index == 1);
  CHECK(rest->values == Ints{3, 2});
  const auto last = lmpop(Side::right, no_limit, c);
  REQUIRE(last);
  CHECK(last->index == 0);
  CHECK(last->values == Ints{5, 4});
  REQUIRE(a.rpush(1));
  CHECK_FALSE(lmpop(Side::left, 0, a));
  CHECK(error_of(blmpop(forever, Side::left, 0, a)) == Errc::invalid_argument);
  CHECK(lmpop(Side::left, 3, a, a)->values == Ints{1});
}

TEST_CASE("List: clear and info") {
  BlockingList<int> list;
  CHECK(list.clear() == 0);
  fill(list, 1, 6000);
  auto info = list.info();
  CHECK(info.length == 6000);
  CHECK(info.capacity == 0);
  CHECK(info.waiting_poppers == 0);
  CHECK(info.waiting_pushers == 0);
  CHECK_FALSE(info.closed);
  CHECK(list.clear() == 6000);
  CHECK(list.empty());
  CHECK(list.info().length == 0);
  REQUIRE(list.lpush(1));
  CHECK(list.rpop() == 1);
  list.close();
  CHECK(list.info().closed);
  CHECK(BlockingList<int>({.capacity = 7}).info().capacity == 7);
}

TEST_CASE("List: a closed list takes nothing and gives what it has") {
  const std::size_t capacity = GENERATE(as<std::size_t>{}, no_limit, 10);
  BlockingList<int> list({.capacity = capacity});
  REQUIRE(list.rpush({1, 2, 3, 4, 5, 6}));
  CHECK_FALSE(list.closed());
  list.close();
  list.close();
  CHECK(list.closed());
  CHECK(error_of(list.rpush(9)) == Errc::closed);
  CHECK(error_of(list.lpush(9)) == Errc::closed);
  CHECK(error_of(list.rpush({9, 9})) == Errc::closed);
  CHECK(error_of(list.lpush_range(Ints{9})) == Errc::closed);
  CHECK(error_of(list.remplace(9)) == Errc::closed);
  CHECK(error_of(list.rpush(9, forever)) == Errc::closed);
  CHECK(list.try_lpush(9).error().error == Errc::closed);
  CHECK(list.try_rpush(9).error().value == 9);
  CHECK(list.lpop() == 1);
  CHECK(list.blpop(forever) == 2);
  CHECK(list.brpop(Wait()) == 6);
  CHECK(list.lrange(0, -1) == Ints{3, 4, 5});
  CHECK(list.pop_batch(2, 2, forever) == Ints{3, 4});
  CHECK(list.pop_batch(2, 2, forever) == Ints{5});
  CHECK(error_of(list.pop_batch(2, 2, forever)) == Errc::closed);
  CHECK(error_of(list.blpop(forever)) == Errc::closed);
  CHECK(error_of(list.brpop(Wait())) == Errc::closed);
  CHECK(list.lpop() == std::nullopt);
}

TEST_CASE("List: calls that need not wait do not") {
  BlockingList<int> list;
  CHECK(error_of(list.blpop(Wait())) == Errc::timed_out);
  CHECK(error_of(list.brpop(0s)) == Errc::timed_out);
  CHECK(error_of(list.blmove(list, Side::left, Side::left, Wait())) == Errc::timed_out);
  CHECK(error_of(blpop(0s, list)) == Errc::timed_out);
  CHECK(error_of(blmpop(0s, Side::left, 3, list)) == Errc::timed_out);
  CHECK(list.pop_batch(1, 5, Wait()).value().empty());
  CHECK(list.pop_batch(1, 0, forever).value().empty());
  REQUIRE(list.rpush({1, 2, 3, 4, 5, 6, 7, 8}));
  CHECK(list.blpop(forever) == 1);
  CHECK(list.brpop(forever) == 8);
  CHECK(list.blmove(list, Side::left, Side::right, forever) == 2);
  CHECK(list.pop_batch(2, 3, forever) == Ints{3, 4, 5});
  CHECK(list.pop_batch(9, 2, forever) == Ints{6, 7});
  CHECK(list.pop_batch(9, 12, Wait()) == Ints{2});
}

TEST_CASE("List: pop_batch of as many as there may be") {
  BlockingList<int> list;
  fill(list, 1, 3000);
  CHECK(list.pop_batch(1, no_limit, forever) == numbers(1, 3000));
  fill(list, 1, 3000);
  CHECK(list.pop_batch(no_limit, no_limit, Wait()) == numbers(1, 3000));
}

TEST_CASE("List: blpop and brpop of several lists take from the first that has elements") {
  BlockingList<int> a;
  BlockingList<int> b;
  REQUIRE(b.rpush({1, 2, 3}));
  auto popped = blpop(forever, a, b);
  REQUIRE(popped);
  CHECK(popped->index == 1);
  CHECK(popped->value == 1);
  popped = brpop(forever, b, a);
  CHECK(popped->index == 0);
  CHECK(popped->value == 3);
  REQUIRE(a.rpush(9));
  popped = blpop(forever, a, b);
  CHECK(popped->index == 0);
  CHECK(popped->value == 9);
  const auto many = blmpop(forever, Side::right, 5, a, b);
  CHECK(many->index == 1);
  CHECK(many->values == Ints{2});
}

TEST_CASE("List: a rotation asks the lists in turn") {
  BlockingList<int> a;
  BlockingList<int> b;
  BlockingList<int> c;
  fill(a, 0, 3);
  fill(b, 10, 11);
  fill(c, 20, 23);
  Rotation turn;
  Ints values;
  Positions from;
  while (auto popped = blpop(Wait(), turn, a, b, c)) {
    values.push_back(popped->value);
    from.push_back(popped->index);
  }
  CHECK(values == Ints{0, 10, 20, 1, 11, 21, 2, 22, 3, 23});
  CHECK(from == Positions{0, 1, 2, 0, 1, 2, 0, 2, 0, 2});
  CHECK(error_of(brpop(Wait(), turn, a, b, c)) == Errc::timed_out);
}

TEST_CASE("List: bool") {
  BlockingList<bool> list;
  REQUIRE(list.rpush(true));
  REQUIRE(list.rpush({false, true}));
  REQUIRE(list.rpush_range(std::vector<bool>{false, false}));
  CHECK(list.lrange(0, -1) == std::vector<bool>{true, false, true, false, false});
  CHECK(list.lpos(false) == 1U);
  CHECK(list.lrem(0, false) == 3);
  CHECK(list.lset(0, false));
  CHECK(list.lindex(0) == false);
  CHECK(list.lpop(1) == std::vector<bool>{false});
  CHECK(list.blpop(forever).value());
  REQUIRE(list.remplace(true));
  CHECK(list.lmove(list, Side::left, Side::right) == true);
  CHECK(lmpop(Side::left, 2, list)->values == std::vector<bool>{true});
  CHECK_FALSE(list.try_rpush(true).has_value() == false);
  CHECK(blpop(forever, list)->value);
}

namespace {

// Nothing but its copy constructor is missing.
struct PlainMoveOnly {
  PlainMoveOnly() = default;
  explicit PlainMoveOnly(int its_value) : value(its_value) {}
  PlainMoveOnly(PlainMoveOnly&&) = default;
  PlainMoveOnly& operator=(PlainMoveOnly&&) = default;

  int value;
};
static_assert(std::is_trivially_copyable_v<PlainMoveOnly>);

}  // namespace

TEST_CASE("List: several of a type that is trivial, but cannot be copied") {
  BlockingList<PlainMoveOnly> list;
  for (int i = 0; i < 6; ++i) REQUIRE(list.remplace(i));
  CHECK(list.lpop(2).back().value == 1);
  CHECK(list.pop_batch(2, 2, Wait()).value().front().value == 2);
  CHECK(list.rpop(2).front().value == 5);
  CHECK(list.empty());
}

TEMPLATE_TEST_CASE("List: any type goes through", "", MoveOnly, Large, Constant, Fussy<true>, Fussy<false>) {
  using T = TestType;
  BlockingList<T> list;
  for (int i = 1; i <= 300; ++i) {
    REQUIRE((i % 2 == 0 ? list.rpush(T(i)) : list.remplace(i)));
    if (i % 3 == 0) REQUIRE(list.lpop()->value() == i / 3);
  }
  CHECK(list.size() == 200);
  REQUIRE(list.lpush(T(100)));
  REQUIRE(list.lemplace(99));
  CHECK(list.rpop()->value() == 300);
  CHECK(list.lpop(2).at(1).value() == 100);
  CHECK(list.rpop(2).at(1).value() == 298);
  CHECK(list.blpop(forever)->value() == 101);
  CHECK(list.brpop(forever)->value() == 297);
  CHECK(blpop(forever, list)->value.value() == 102);
  CHECK(brpop(forever, list)->value.value() == 296);
  CHECK(lmpop(Side::left, 2, list)->values.at(1).value() == 104);
  CHECK(blmpop(forever, Side::left, 2, list)->values.at(1).value() == 106);
  CHECK(list.pop_batch(1, 2, forever)->at(1).value() == 108);
  REQUIRE(list.lset(0, T(1)));
  REQUIRE(list.rpushx(T(2)));
  REQUIRE(list.lpushx(T(3)));
  REQUIRE(list.try_rpush(T(4)));
  REQUIRE(list.rpush(T(5), forever));
  list.ltrim(0, 4);
  CHECK(list.lpos(T(1)) == 1U);
  CHECK(list.lrem(0, T(110)) == 1);
  CHECK(list.linsert_after(T(1), T(7)).value() == 5U);
  CHECK(drained(list) == Ints{3, 1, 7, 111, 112});
  list.close();
  auto refused = list.try_rpush(T(8));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().value.value() == 8);
}

TEMPLATE_TEST_CASE("List: any type that can be copied is copied", "", Large, Constant, Fussy<true>, Fussy<false>) {
  using T = TestType;
  BlockingList<T> list;
  const T one(1);
  REQUIRE(list.rpush(one));
  REQUIRE(list.rpush({T(2), T(3)}));
  REQUIRE(list.lpush_range(std::vector<T>(2, one)));
  CHECK(list.lindex(-1)->value() == 3);
  CHECK(list.lrange(0, -1).at(4).value() == 3);
  CHECK(list.lmove(list, Side::right, Side::left)->value() == 3);
  BlockingList<T> other;
  CHECK(list.rpoplpush(other)->value() == 2);
  CHECK(list.blmove(other, Side::left, Side::right, forever)->value() == 3);
  CHECK(drained(other) == Ints{2, 3});
  CHECK(drained(list) == Ints{1, 1, 1});
}

TEST_CASE("List: an rvalue that was refused is still the caller's") {
  BlockingList<std::unique_ptr<int>> list({.capacity = 1});
  REQUIRE(list.rpush(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  CHECK(error_of(list.rpush(std::move(second))) == Errc::full);
  CHECK(error_of(list.lpush(std::move(second))) == Errc::full);
  list.close();
  CHECK(error_of(list.rpush(std::move(second))) == Errc::closed);
  REQUIRE(second);
  CHECK(*second == 2);
}

namespace {

template <class Outcome>
void wanted(const Outcome& outcome) {
  if (!outcome) throw std::logic_error("refused");
}

// Calls `operation` with the first construction throwing, then the second, until none is left to throw: whenever it
// throws, the list is as it was.
template <class T>
void check_every_throw(const std::function<void(BlockingList<T>&, BlockingList<T>&)>& operation) {
  for (int n = 1; n < 1000; ++n) {
    CAPTURE(n);
    BlockingList<T> list;
    BlockingList<T> other;
    for (int i = 1; i <= 5; ++i) REQUIRE(list.remplace(i));
    T::fuse = n;
    bool thrown = false;
    try {
      operation(list, other);
    } catch (const typename T::Thrown&) { thrown = true; }
    const bool over = T::fuse > 0;
    T::fuse = 0;
    if (thrown) {
      CHECK(other.empty());
      CHECK(drained(list) == Ints{1, 2, 3, 4, 5});
    }
    if (over) return;
  }
  FAIL("there is no end to the constructions");
}

}  // namespace

TEMPLATE_TEST_CASE("List: where a construction throws nothing has changed", "", Fussy<true>, Fussy<false>) {
  using T = TestType;
  using List = BlockingList<T>;
  SECTION("pushes") {
    check_every_throw<T>([](List& list, List&) { wanted(list.rpush(T(6))); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lpush(T(6), forever)); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lemplace(6)); });
    check_every_throw<T>([](List& list, List&) { wanted(list.rpush({T(6), T(7), T(8)})); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lpushx(T(6))); });
    check_every_throw<T>([](List& list, List&) { wanted(list.try_rpush(T(6))); });
  }
  SECTION("pops") {
    check_every_throw<T>([](List& list, List&) { wanted(list.lpop()); });
    check_every_throw<T>([](List& list, List&) { wanted(list.rpop()); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lpop(3).size() == 3); });
    check_every_throw<T>([](List& list, List&) { wanted(list.rpop(3).size() == 3); });
  }
  SECTION("pops that may wait") {
    check_every_throw<T>([](List& list, List&) { wanted(list.blpop(forever)); });
    check_every_throw<T>([](List& list, List&) { wanted(list.brpop(Wait())); });
    check_every_throw<T>([](List& list, List&) { wanted(list.pop_batch(2, 3, forever)->size() == 3); });
  }
  SECTION("pops of several lists") {
    check_every_throw<T>([](List& list, List& other) { wanted(blpop(forever, other, list)); });
    check_every_throw<T>([](List& list, List& other) { wanted(brpop(forever, other, list)); });
    check_every_throw<T>([](List& list, List& other) { wanted(lmpop(Side::left, 3, other, list)); });
    check_every_throw<T>([](List& list, List& other) { wanted(blmpop(forever, Side::right, 3, other, list)); });
  }
  SECTION("moves") {
    check_every_throw<T>([](List& list, List& other) { wanted(list.rpoplpush(other)); });
    check_every_throw<T>([](List& list, List& other) { wanted(list.blmove(other, Side::left, Side::left, forever)); });
    check_every_throw<T>([](List& list, List&) { wanted(list.blmove(list, Side::right, Side::left, forever)); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lmove(list, Side::left, Side::right)); });
  }
  SECTION("positions") {
    check_every_throw<T>([](List& list, List&) { wanted(list.lrange(0, -1).size() == 5); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lindex(2)); });
    check_every_throw<T>([](List& list, List&) { wanted(list.lset(2, T(7))); });
    check_every_throw<T>([](List& list, List&) { wanted(list.linsert_before(T(2), T(7))); });
  }
}

TEST_CASE("List: what a closed list has can be popped, one by one and several at a time, over all of its segments") {
  BlockingList<int> list;
  for (int i = 0; i < 20'000; ++i) REQUIRE(list.rpush(i));
  list.close();
  for (int next = 0; next < 20'000;) {
    for (int i = 0; i < 50; ++i) REQUIRE(list.lpop() == next++);
    for (const int value : list.lpop(50)) REQUIRE(value == next++);
  }
  CHECK(!list.lpop());
  CHECK(list.blpop(forever).error() == Errc::closed);
  CHECK(list.rpush(1).error() == Errc::closed);
  CHECK(list.lpush(1).error() == Errc::closed);
}

TEST_CASE("List's queue: slots that were made for a push come too late, and are of another number") {
  using Queue = blocking_list::Fifo<int>;
  using Room = blocking_list::Room<int>;
  Queue queue;
  queue.open_pushes();
  queue.open_pops();
  int pushed = 0;
  int popped = 0;
  const auto push = [&] {
    Room room;
    for (int value = pushed; !queue.push(value, false); room.make()) static_cast<void>(queue.grow(1, room));
    ++pushed;
  };
  const auto pop = [&] {
    for (;;) {
      const auto element = queue.pop(false);
      if (element) REQUIRE(*element == popped++);
      if (element.outcome() != Queue::Outcome::closed) return static_cast<bool>(element);
      const bool way = queue.go_on();
      queue.open_pops();
      if (!way) return false;
    }
  };
  Room late;
  REQUIRE_FALSE(queue.grow(1, late));
  late.make();
  for (int i = 0; i < 60'000; ++i) push();
  while (pop()) {}
  queue.keep_one();
  for (int i = 0; i < 20'000; ++i) push();
  for (int i = 0; i < 8'000; ++i) REQUIRE(pop());
  for (int value = pushed; queue.push(value, false); value = pushed) ++pushed;
  REQUIRE(queue.grow(1, late));
  int value = pushed;
  REQUIRE(queue.push(value, false));
  ++pushed;
  while (pop()) {}
  CHECK(popped == pushed);
}

TEST_CASE("List's queue: who settles a batch slot by slot does not look back") {
  blocking_list::Segment<int> segment;
  segment.phase = 1;
  segment.slots.make(4);
  for (std::uint32_t at = 1; at < 4; ++at) segment.slots[at].follow(1);
  for (const bool before : {true, false}) CHECK(blocking_list::settle_next(segment, 3, before) == before);
  CHECK(segment.slots[0].told(1) == blocking_list::SlotState::empty);  // who had looked there had voided it
}

TEST_CASE("List: no element is destroyed twice, or never") {
  Census census;
  {
    BlockingList<Counted<true>> quick;
    BlockingList<Counted<false>> slow;
    for (int i = 0; i < 1000; ++i) {
      REQUIRE(quick.remplace(census, i));
      REQUIRE(slow.lemplace(census, i));
    }
    CHECK(census.alive() == 2000);
    CHECK(quick.lpop()->value() == 0);
    CHECK(slow.lpop(100).size() == 100);
    CHECK(census.alive() == 1899);
    quick.ltrim(10, 20);
    CHECK(slow.lindex(0)->value() == 899);
    CHECK(census.alive() == 911);
    CHECK(slow.clear() == 900);
    CHECK(census.alive() == 11);
    for (int i = 0; i < 5000; ++i) REQUIRE(quick.remplace(census, i));
    CHECK(quick.lmove(quick, Side::left, Side::right)->value() == 11);
    REQUIRE(quick.lset(3, Counted<true>(census, 5)));
    CHECK(census.alive() == 5011);
  }
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

namespace {

// What a list is used for in one stretch of its life.
enum class Use { queue, mirrored, stack, positions, both_ends, counts };

void use(BlockingList<int>& list, std::deque<int>& twin, Use how, int times, int& next) {
  const auto push = [&](Side side) {
    REQUIRE((side == Side::left ? list.lpush(next) : list.rpush(next)));
    if (side == Side::left) twin.push_front(next++);
    else twin.push_back(next++);
  };
  const auto pop = [&](Side side) {
    const std::optional<int> got = side == Side::left ? list.lpop() : list.rpop();
    REQUIRE(got == (twin.empty() ? std::nullopt : std::optional(side == Side::left ? twin.front() : twin.back())));
    if (twin.empty()) return;
    if (side == Side::left) twin.pop_front();
    else twin.pop_back();
  };
  for (int i = 0; i < times; ++i) {
    switch (how) {
      case Use::queue: push(Side::right), (i % 3 == 0 ? pop(Side::left) : void()); break;
      case Use::mirrored: push(Side::left), (i % 3 == 0 ? pop(Side::right) : void()); break;
      case Use::stack: (i % 4 == 0 ? push(Side::right) : pop(Side::right)); break;
      case Use::both_ends: push(i % 2 == 0 ? Side::left : Side::right), (i % 5 == 0 ? pop(Side::left) : void()); break;
      case Use::positions: {
        if (twin.empty()) push(Side::left);
        const std::size_t at = static_cast<std::size_t>(i) % twin.size();
        REQUIRE(list.lindex(static_cast<std::ptrdiff_t>(at)) == twin[at]);
        pop(i % 2 == 0 ? Side::left : Side::right);
        break;
      }
      case Use::counts: {
        const auto got = list.lpop(7);
        REQUIRE(std::ranges::equal(got, twin | std::views::take(7)));
        twin.erase(twin.begin(), twin.begin() + static_cast<std::ptrdiff_t>(got.size()));
        REQUIRE(list.rpush({next, next + 1, next + 2}));
        for (int k = 0; k < 3; ++k) twin.push_back(next++);
      }
    }
  }
  REQUIRE(list.size() == twin.size());
}

}  // namespace

TEST_CASE("List: one use after another, in every order, at all sizes") {
  constexpr std::array uses{Use::queue, Use::mirrored, Use::stack, Use::positions, Use::both_ends, Use::counts};
  const int times = GENERATE(1, 7, 31, 33, 100, 1000);
  for (const Use a : uses) {
    for (const Use b : uses) {
      for (const Use c : uses) {
        BlockingList<int> list;
        std::deque<int> twin;
        int next = 0;
        for (const Use how : {a, b, c, b}) use(list, twin, how, times, next);
        REQUIRE(all(list) == Ints(twin.begin(), twin.end()));
      }
    }
  }
}

TEST_CASE("List: a pop with a count goes on where a segment ends early") {
  BlockingList<int> list;
  for (const int first : {1, 4, 7})
    fill(list, first, first + 2);  // the last three do not fit into the first eight slots
  CHECK(list.lpop(7) == numbers(1, 7));
  CHECK(list.lpop(7) == numbers(8, 9));
}

TEST_CASE("List: thousands at once, and one by one") {
  const int n = GENERATE(8, 9, 4095, 4096, 4097, 8192, 30'000);
  BlockingList<int> list;
  fill(list, 1, n);
  CHECK(list.size() == static_cast<std::size_t>(n));
  REQUIRE(list.rpush(n + 1));
  for (int i = 1; i <= n + 1; ++i) REQUIRE(list.lpop() == i);
  CHECK(list.lpop() == std::nullopt);
  for (int i = 1; i <= n; ++i) REQUIRE(list.lpush(i));
  CHECK(list.lrange(0, 1) == Ints{n, n - 1});
  REQUIRE(list.lpush_range(numbers(n + 1, n + 100)));
  for (int i = 1; i <= n + 100; ++i) REQUIRE(list.rpop() == i);
  CHECK(list.empty());
  fill(list, 1, n);
  CHECK(list.lpop(static_cast<std::size_t>(n)) == numbers(1, n));
  for (int i = 1; i <= n; ++i) REQUIRE(list.rpush(i));
  CHECK(all(list) == numbers(1, n));
}

TEST_CASE("List: what needs copies says so") {
  static_assert(!std::is_copy_constructible_v<BlockingList<int>>);
  static_assert(!std::is_move_constructible_v<BlockingList<int>>);
  constexpr auto copies = []<class T>(BlockingList<T>& list) {
    return requires(const T& value) { list.rpush(value); }
    || requires { list.lrange(0, 1); }
    || requires { list.lindex(0); }
    || requires { list.lmove(list, Side::left, Side::left); }
    || requires { list.rpoplpush(list); };
  };
  BlockingList<MoveOnly> owners;
  CHECK_FALSE(copies(owners));
  BlockingList<Constant> constants;
  CHECK(copies(constants));
}

}  // namespace list_test
