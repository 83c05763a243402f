#include <brook/stream.hpp>

#include <chrono>
#include <cstdint>
#include <forward_list>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <numeric>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace stream_add_test {

namespace {

using namespace brook;
using namespace brook::test;

constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("Stream: a new one is empty") {
  const Stream<int> stream;
  CHECK(stream.size() == 0);
  CHECK(stream.empty());
  CHECK(stream.last_id() == Id{0, 0});
  CHECK(stream.range().empty());
  CHECK(stream.rev_range().empty());
  CHECK(stream.groups().empty());
  CHECK_FALSE(stream.closed());
  const StreamInfo info = stream.info();
  CHECK(info.length == 0);
  CHECK(info.entries_added == 0);
  CHECK(info.first_id == Id{0, 0});
  CHECK(info.last_id == Id{0, 0});
  CHECK(info.max_deleted_id == Id{0, 0});
  CHECK(info.groups == 0);
  CHECK_FALSE(info.closed);
}

TEST_CASE("Stream: an id is the clock's millisecond and a counter in it") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  CHECK(*stream.add(1) == Id{1000, 0});
  CHECK(*stream.add(2) == Id{1000, 1});
  clock.advance(999us);
  CHECK(*stream.add(3) == Id{1000, 2});
  clock.advance(1us);
  CHECK(*stream.add(4) == Id{1001, 0});
  clock.advance(1h);
  CHECK(*stream.add(5) == Id{3'601'001, 0});
  CHECK(stream.last_id() == Id{3'601'001, 0});
  CHECK(values_of(stream.range()) == numbers(1, 5));
}

TEST_CASE("Stream: without a clock, ids follow the machine's") {
  Stream<int> stream;
  const auto before = SystemClock::read_unix_ms();
  const Id first = *stream.add(1);
  const Id second = *stream.add(2);
  CHECK(first.ms >= before);
  CHECK(first < second);
  CHECK(second.ms <= SystemClock::read_unix_ms());
}

TEST_CASE("Stream: the first id with the clock at 0 is 0-1") {
  ManualClock clock;
  Stream<int> stream({.clock = &clock});
  CHECK(*stream.add(1) == Id{0, 1});
  CHECK(*stream.add(2) == Id{0, 2});
  Stream<int> other({.clock = &clock});
  const auto ids = other.add_range(numbers(1, 3));
  CHECK(std::vector<Id>(ids->begin(), ids->end()) == std::vector<Id>{{0, 1}, {0, 2}, {0, 3}});
}

TEST_CASE("Stream: ids increase when the clock steps back") {
  ManualClock clock(5000ms);
  Stream<int> stream({.clock = &clock});
  CHECK(*stream.add(1) == Id{5000, 0});
  clock.set_unix(1000ms);
  CHECK(*stream.add(2) == Id{5000, 1});
  CHECK(stream.add_range(numbers(3, 4))->front() == Id{5000, 2});
  clock.set_unix(-1000ms);
  CHECK(*stream.add(5) == Id{5000, 4});
  clock.set_unix(5000ms);
  CHECK(*stream.add(6) == Id{5000, 5});
  clock.set_unix(5001ms);
  CHECK(*stream.add(7) == Id{5001, 0});
  CHECK(values_of(stream.range()) == numbers(1, 7));
}

TEST_CASE("Stream: ids follow a clock that jumps far, forward and back") {
  ManualClock clock(1ms);
  Stream<int> stream({.clock = &clock});
  Id last = *stream.add(0);
  int added = 1;
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t ms :
       {std::int64_t{1} << 20, std::int64_t{1} << 32, std::int64_t{5}, (std::int64_t{1} << 32) + 1,
        std::int64_t{1} << 44, std::int64_t{1} << 48, std::int64_t{0}, far - 1, far, std::int64_t{1}}) {
    clock.set_unix(std::chrono::milliseconds(ms));
    for (int i = 0; i < 300; ++i) {
      const Id expected =
          static_cast<std::uint64_t>(ms) > last.ms ? Id{static_cast<std::uint64_t>(ms), 0} : last.next();
      const auto id = stream.add(added);
      REQUIRE(id.has_value());
      REQUIRE(*id == expected);
      last = *id;
      ++added;
    }
  }
  CHECK(values_of(stream.range()) == numbers(0, added - 1));
  CHECK(stream.last_id() == last);
}

TEST_CASE("Stream: explicit ids may be anything above the last") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  const std::vector<Id> ids = {{0, 1},           {0, top},       {1, 0},       {5, 1},   {5, 9},        {1'000'000, 0},
                               {1'000'000, top}, {1'000'001, 3}, {top - 1, 7}, {top, 0}, {top, top - 1}};
  int value = 0;
  for (const Id id : ids) CHECK(stream.add(id, value++).value() == id);
  CHECK(ids_of(stream.range()) == ids);
  CHECK(values_of(stream.range()) == numbers(0, value - 1));
  for (const Id id : ids) CHECK(ids_of(stream.range(id, id)) == std::vector<Id>{id});
}

TEST_CASE("Stream: explicit ids that are not above the last are refused") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  CHECK(error_of(stream.add(Id{0, 0}, 1)) == Errc::invalid_id);
  REQUIRE(stream.add(Id{5, 5}, 1));
  const Seen before(stream);
  CHECK(error_of(stream.add(Id{0, 0}, 2)) == Errc::invalid_id);
  CHECK(error_of(stream.add(Id{5, 5}, 2)) == Errc::id_too_small);
  CHECK(error_of(stream.add(Id{5, 4}, 2)) == Errc::id_too_small);
  CHECK(error_of(stream.add(Id{5, 0}, 2)) == Errc::id_too_small);
  CHECK(error_of(stream.add(Id{0, 1}, 2)) == Errc::id_too_small);
  CHECK(error_of(stream.add(Id{4, top}, 2)) == Errc::id_too_small);
  CHECK(Seen(stream) == before);
  CHECK(*stream.add(Id{5, 6}, 2) == Id{5, 6});
}

TEST_CASE("Stream: the last id stays taken when its entry is gone") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  REQUIRE(stream.add(Id{5000, 5}, 1));
  CHECK(stream.erase(Id{5000, 5}) == 1);
  CHECK(error_of(stream.add(Id{5000, 5}, 2)) == Errc::id_too_small);
  CHECK(*stream.add(2) == Id{5000, 6});
  CHECK(*stream.trim({.max_len = 0}) == 1);
  CHECK(error_of(stream.add(Id{5000, 6}, 3)) == Errc::id_too_small);
  CHECK(*stream.add(AutoSeq{5000}, 3) == Id{5000, 7});
}

TEST_CASE("Stream: the next sequence number in a millisecond of one's choice") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  CHECK(*stream.add(AutoSeq{0}, 1) == Id{0, 1});
  CHECK(*stream.add(AutoSeq{0}, 1) == Id{0, 2});
  CHECK(*stream.add(AutoSeq{5}, 1) == Id{5, 0});
  CHECK(*stream.add(AutoSeq{5}, 1) == Id{5, 1});
  REQUIRE(stream.add(Id{5, 100}, 1));
  CHECK(*stream.add(AutoSeq{5}, 1) == Id{5, 101});
  CHECK(error_of(stream.add(AutoSeq{4}, 1)) == Errc::id_too_small);
  CHECK(error_of(stream.add(AutoSeq{0}, 1)) == Errc::id_too_small);
  REQUIRE(stream.add(Id{7, top}, 1));
  CHECK(error_of(stream.add(AutoSeq{7}, 1)) == Errc::id_too_small);
  CHECK(*stream.add(AutoSeq{8}, 1) == Id{8, 0});
  CHECK(*stream.add(AutoSeq{top}, 1) == Id{top, 0});
  CHECK(stream.size() == 9);
}

TEST_CASE("Stream: after the last sequence number of a millisecond comes the next millisecond") {
  ManualClock clock(7ms);
  Stream<int> stream({.clock = &clock});
  REQUIRE(stream.add(Id{7, top}, 1));
  CHECK(*stream.add(2) == Id{8, 0});
  REQUIRE(stream.add(Id{9, top - 1}, 3));
  const auto ids = stream.add_range(numbers(4, 7));
  REQUIRE(ids);
  CHECK(std::vector<Id>(ids->begin(), ids->end()) == std::vector<Id>{{9, top}, {10, 0}, {10, 1}, {10, 2}});
  CHECK(ids_of(stream.range()) == std::vector<Id>{{7, top}, {8, 0}, {9, top - 1}, {9, top}, {10, 0}, {10, 1}, {10, 2}});
  CHECK(values_of(stream.range(Id{9, top}, Id{10, 1})) == numbers(4, 6));
  CHECK(*stream.add(8) == Id{10, 3});
}

TEST_CASE("Stream: nothing can follow the largest id") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  SECTION("given explicitly") { REQUIRE(*stream.add(Id::max(), 1) == Id::max()); }
  SECTION("reached by the clock's way") {
    REQUIRE(stream.add(Id{top, top - 1}, 0));
    REQUIRE(*stream.add(1) == Id::max());
  }
  SECTION("reached in a millisecond of one's choice") {
    REQUIRE(stream.add(Id{top, top - 1}, 0));
    REQUIRE(*stream.add(AutoSeq{top}, 1) == Id::max());
  }
  SECTION("reached by a range") {
    REQUIRE(stream.add(Id{top, top - 3}, 0));
    REQUIRE(stream.add_range(numbers(1, 3))->back() == Id::max());
  }
  const Seen before(stream);
  CHECK(error_of(stream.add(2)) == Errc::id_exhausted);
  CHECK(error_of(stream.add(Id{5, 5}, 2)) == Errc::id_exhausted);
  CHECK(error_of(stream.add(Id::max(), 2)) == Errc::id_exhausted);
  CHECK(error_of(stream.add(AutoSeq{5}, 2)) == Errc::id_exhausted);
  CHECK(error_of(stream.add(AutoSeq{top}, 2)) == Errc::id_exhausted);
  CHECK(error_of(stream.add_range(numbers(1, 3))) == Errc::id_exhausted);
  CHECK(error_of(stream.emplace(2)) == Errc::id_exhausted);
  CHECK(Seen(stream) == before);
  CHECK(stream.range(Id::max(), Id::max()).size() == 1);
  CHECK(stream.erase(Id::max()) == 1);
  CHECK(error_of(stream.add(2)) == Errc::id_exhausted);
}

TEST_CASE("Stream: a range that does not fit below the largest id adds nothing") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  REQUIRE(stream.add(Id{top, top - 3}, 0));
  const Seen before(stream);
  CHECK(error_of(stream.add_range(numbers(1, 4))) == Errc::id_exhausted);
  CHECK(error_of(stream.add_range(numbers(1, 20'000))) == Errc::id_exhausted);
  CHECK(Seen(stream) == before);
  CHECK(stream.add_range(numbers(1, 2))->back() == Id{top, top - 1});
  CHECK(error_of(stream.add_range(numbers(1, 2))) == Errc::id_exhausted);
  CHECK(*stream.add(3) == Id::max());
  CHECK(values_of(stream.range()) == numbers(0, 3));
}

TEST_CASE("Stream: a closed one takes nothing") {
  Stream<int> stream;
  REQUIRE(stream.add(Id{5, 5}, 1));
  stream.close();
  stream.close();
  CHECK(stream.closed());
  CHECK(stream.info().closed);
  CHECK(error_of(stream.add(2)) == Errc::closed);
  CHECK(error_of(stream.add(Id{6, 0}, 2)) == Errc::closed);
  CHECK(error_of(stream.add(AutoSeq{6}, 2)) == Errc::closed);
  CHECK(error_of(stream.emplace(2)) == Errc::closed);
  CHECK(error_of(stream.add_range(numbers(1, 3))) == Errc::closed);
  CHECK(error_of(stream.add_range(std::vector<int>())) == Errc::closed);
  CHECK(stream.size() == 1);
  CHECK(values_of(stream.range()) == numbers(1, 1));
  CHECK(stream.info().entries_added == 1);
}

TEST_CASE("Stream: what is there can be removed after closing") {
  Stream<int> stream;
  const auto ids = *stream.add_range(numbers(1, 5));
  stream.close();
  CHECK(stream.erase(ids[1]) == 1);
  CHECK(*stream.trim({.max_len = 2}) == 2);
  CHECK(values_of(stream.range()) == numbers(4, 5));
}

TEST_CASE("Stream: a value that was refused is still the caller's") {
  Stream<std::unique_ptr<int>> stream;
  REQUIRE(stream.add(Id{5, 5}, std::make_unique<int>(1)));
  auto mine = std::make_unique<int>(2);
  CHECK(error_of(stream.add(Id{5, 5}, std::move(mine))) == Errc::id_too_small);
  REQUIRE(mine);
  CHECK(error_of(stream.add(Id{0, 0}, std::move(mine))) == Errc::invalid_id);
  REQUIRE(mine);
  CHECK(error_of(stream.add(AutoSeq{4}, std::move(mine))) == Errc::id_too_small);
  REQUIRE(mine);
  REQUIRE(stream.add(Id::max(), std::make_unique<int>(3)));
  CHECK(error_of(stream.add(std::move(mine))) == Errc::id_exhausted);
  REQUIRE(mine);
  stream.close();
  CHECK(error_of(stream.add(std::move(mine))) == Errc::closed);
  REQUIRE(mine);
  CHECK(*mine == 2);
}

TEST_CASE("Stream: emplace builds the value from its arguments") {
  Stream<std::pair<std::string, int>> pairs;
  REQUIRE(pairs.emplace("five", 5));
  REQUIRE(pairs.emplace());
  CHECK(pairs.range().front().value == std::pair<std::string, int>("five", 5));
  CHECK(pairs.range().back().value == std::pair<std::string, int>());
  Stream<std::string> texts;
  REQUIRE(texts.emplace(std::size_t{3}, 'x'));
  REQUIRE(texts.add("literal"));
  const std::string named = "named";
  REQUIRE(texts.add(named));
  REQUIRE(texts.add({'a', 'b'}));
  CHECK(values_of(texts.range()) == std::vector<std::string>{"xxx", "literal", "named", "ab"});
}

TEST_CASE("Stream: add_range gives consecutive ids") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  REQUIRE(stream.add(0));
  const auto ids = stream.add_range(numbers(1, 3));
  REQUIRE(ids);
  CHECK(ids->size() == 3);
  CHECK(ids->front() == Id{1000, 1});
  CHECK(ids->back() == Id{1000, 3});
  CHECK(*stream.add(4) == Id{1000, 4});
  clock.advance(1ms);
  CHECK(stream.add_range(numbers(5, 6))->front() == Id{1001, 0});
  CHECK(values_of(stream.range()) == numbers(0, 6));
  CHECK(stream.info().entries_added == 7);
}

TEST_CASE("Stream: add_range of nothing") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  const auto none = stream.add_range(std::vector<int>());
  REQUIRE(none);
  CHECK(none->empty());
  CHECK(stream.last_id() == Id{0, 0});
  CHECK(stream.info().entries_added == 0);
  REQUIRE(stream.add(1));
  CHECK(stream.add_range(std::views::empty<int>)->empty());
  CHECK(stream.last_id() == Id{1000, 0});
}

TEST_CASE("Stream: add_range larger than any piece of memory") {
  Stream<int> stream;
  for (const int size : {20'000, 1, 70'000, 2, 20'000}) {
    const int first = static_cast<int>(stream.size());
    const auto ids = stream.add_range(numbers(first, first + size - 1));
    REQUIRE(ids);
    REQUIRE(ids->size() == static_cast<std::size_t>(size));
    REQUIRE(ids_of(stream.range(ids->front(), ids->back())) == std::vector<Id>(ids->begin(), ids->end()));
  }
  CHECK(stream.size() == 110'003);
  CHECK(values_of(stream.range()) == numbers(0, 110'002));
}

TEST_CASE("Stream: add_range of many texts, as the first thing a stream gets") {
  Stream<std::string> stream;
  std::vector<std::string> texts;
  for (int i = 0; i < 20'000; ++i) texts.push_back("text number " + std::to_string(i) + " of many");
  REQUIRE(stream.add_range(texts));
  CHECK(values_of(stream.range()) == texts);
  CHECK(texts.front() == "text number 0 of many");  // copied, not moved
}

TEST_CASE("Stream: add_range takes what can be read but once") {
  Stream<int> stream;
  std::istringstream input("3 1 4 1 5 9 2 6");
  const auto ids = stream.add_range(std::views::istream<int>(input));
  REQUIRE(ids);
  CHECK(ids->size() == 8);
  CHECK(values_of(stream.range()) == std::vector<int>{3, 1, 4, 1, 5, 9, 2, 6});
}

TEST_CASE("Stream: add_range takes every kind of range") {
  Stream<int> stream;
  REQUIRE(stream.add_range(std::list<int>{1, 2}));
  REQUIRE(stream.add_range(std::forward_list<int>{3, 4}));
  REQUIRE(stream.add_range(std::vector<short>{5, 6}));
  REQUIRE(stream.add_range(std::views::iota(7, 9)));
  const int array[] = {9, 10};
  REQUIRE(stream.add_range(array));
  REQUIRE(stream.add_range(std::views::iota(0) | std::views::transform([](int i) { return 11 + i; }) |
                           std::views::take(2)));
  REQUIRE(stream.add_range(std::initializer_list<int>{13, 14}));
  CHECK(values_of(stream.range()) == numbers(1, 14));
}

TEST_CASE("Stream: add_range converts, and moves out of move iterators") {
  Stream<std::string> texts;
  const std::vector<const char*> literals = {"one", "two"};
  REQUIRE(texts.add_range(literals));
  std::vector<std::string> given = {"three, which is too long to be stored in the string itself", "four"};
  REQUIRE(texts.add_range(
      std::ranges::subrange(std::make_move_iterator(given.begin()), std::make_move_iterator(given.end()))));
  CHECK(given[0].empty());
  CHECK(texts.size() == 4);
  CHECK(texts.range().back().value == "four");

  Stream<std::unique_ptr<int>> pointers;
  std::vector<std::unique_ptr<int>> owned;
  for (int i = 0; i < 3; ++i) owned.push_back(std::make_unique<int>(i));
  REQUIRE(pointers.add_range(
      std::ranges::subrange(std::make_move_iterator(owned.begin()), std::make_move_iterator(owned.end()))));
  CHECK(owned[2] == nullptr);
  CHECK(*pointers.range().back().value == 2);
}

TEST_CASE("Stream: a range that throws midway adds nothing") {
  Stream<int> stream;
  REQUIRE(stream.add(1));
  const Seen before(stream);
  auto fails = std::views::iota(0, 100) | std::views::transform([](int i) {
                 if (i == 50) throw std::runtime_error("no more");
                 return i;
               });
  CHECK_THROWS_AS(stream.add_range(fails), std::runtime_error);
  CHECK(Seen(stream) == before);
  REQUIRE(stream.add_range(numbers(2, 3)));
  CHECK(values_of(stream.range()) == numbers(1, 3));
}

TEST_CASE("Stream: many entries, one by one") {
  ManualClock clock(1000ms);
  Stream<std::uint64_t> stream({.clock = &clock});
  constexpr std::uint64_t many = 200'000;
  for (std::uint64_t i = 0; i < many; ++i) {
    if (i % 1000 == 999) clock.advance(1ms);
    if (!stream.add(i)) FAIL("refused");
  }
  CHECK(stream.size() == many);
  std::uint64_t at = 0;
  Id last{};
  bool in_order = true;
  for (const auto& [id, value] : stream.range()) {
    in_order = in_order && value == at++ && last < id;
    last = id;
  }
  CHECK(in_order);
  CHECK(at == many);
  CHECK(last == stream.last_id());
}

TEST_CASE("Stream.add leaves a segment before its sequence numbers run out") {
  constexpr auto last_seq = std::numeric_limits<std::uint64_t>::max();
  brook::ManualClock clock;
  brook::Stream<int> stream({.clock = &clock});
  REQUIRE(stream.add(Id{5, last_seq - 10}, 1));
  REQUIRE(stream.add(Id{5, last_seq}, 2));  // ten slots on in the same segment, whose other slots would have no ids
  CHECK(error_of(stream.add(AutoSeq{5}, 3)) == Errc::id_too_small);
  CHECK(stream.add(3).value() == Id{6, 0});

  brook::Stream<int> last({.clock = &clock});
  REQUIRE(last.add(Id{last_seq, last_seq - 10}, 1));
  REQUIRE(last.add(Id{last_seq, last_seq}, 2));
  CHECK(error_of(last.add(3)) == Errc::id_exhausted);
  CHECK(error_of(last.add(Id::max(), 3)) == Errc::id_exhausted);
  CHECK(last.last_id() == Id::max());
}

}  // namespace stream_add_test
