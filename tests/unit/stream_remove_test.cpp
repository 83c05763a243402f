#include <brook/stream.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace stream_remove_test {

namespace {

using namespace brook;
using namespace brook::test;

// Values 1 to n under the ids 1-0 to n-0.
template <class T = int>
void fill(Stream<T>& stream, int n) {
  for (int i = 1; i <= n; ++i)
    if (!stream.add(Id{static_cast<std::uint64_t>(i), 0}, T(i))) throw std::logic_error("not added");
}

Id id(int i) { return {static_cast<std::uint64_t>(i), 0}; }

// No piece of memory holds more entries of this type: it has at most 64 KiB.
template <class T>
constexpr std::uint64_t largest_segment = 65'536 / sizeof(T);

}  // namespace

TEST_CASE("Stream erase: what there is, once each") {
  Stream<int> stream;
  fill(stream, 5);
  CHECK(stream.erase({id(2), id(4), id(2), Id{4, 1}, id(9), Id{0, 0}, Id::max()}) == 2);
  CHECK(values_of(stream.range()) == std::vector<int>{1, 3, 5});
  CHECK(values_of(stream.rev_range()) == std::vector<int>{5, 3, 1});
  CHECK(stream.size() == 3);
  CHECK(stream.erase({id(2), id(4)}) == 0);
  CHECK(stream.erase(id(3)) == 1);
  CHECK(stream.erase(id(3)) == 0);
  CHECK(stream.size() == 2);
  CHECK(stream.range(id(2), id(4)).empty());
}

TEST_CASE("Stream erase: in any order") {
  Stream<int> stream;
  fill(stream, 6);
  CHECK(stream.erase({id(5), id(1), id(3)}) == 3);
  CHECK(values_of(stream.range()) == std::vector<int>{2, 4, 6});
}

TEST_CASE("Stream erase: from an empty stream, and of nothing") {
  Stream<int> stream;
  CHECK(stream.erase(id(1)) == 0);
  CHECK(stream.erase(std::vector<Id>()) == 0);
  fill(stream, 2);
  CHECK(stream.erase(std::vector<Id>()) == 0);
  CHECK(stream.size() == 2);
  CHECK(stream.info().max_deleted_id == Id{0, 0});
}

TEST_CASE("Stream erase: takes every kind of range of ids") {
  Stream<int> stream;
  fill(stream, 3);
  const auto added = *stream.add_range(numbers(4, 8));
  CHECK(stream.erase(std::list<Id>{id(1)}) == 1);
  CHECK(stream.erase(std::deque<Id>{id(2), id(2)}) == 1);
  const std::vector<Id> vector{id(3)};
  CHECK(stream.erase(std::span(vector)) == 1);
  CHECK(stream.erase(vector) == 0);
  CHECK(stream.erase(added) == 5);
  CHECK(stream.empty());
}

TEST_CASE("Stream erase: the ends") {
  Stream<int> stream;
  fill(stream, 5);
  CHECK(stream.erase(id(1)) == 1);
  CHECK(stream.info().first_id == id(2));
  CHECK(stream.range().front().id == id(2));
  CHECK(stream.erase(id(5)) == 1);
  CHECK(stream.last_id() == id(5));
  CHECK(stream.range().back().id == id(4));
  CHECK(values_of(stream.rev_range(Id::max(), Id::min(), 1)) == std::vector<int>{4});
  CHECK(error_of(stream.add(id(5), 5)) == Errc::id_too_small);
}

TEST_CASE("Stream erase: everything") {
  ManualClock clock(1000ms);
  Stream<int> stream({.clock = &clock});
  fill(stream, 5);
  CHECK(stream.erase(ids_of(stream.range())) == 5);
  CHECK(stream.empty());
  CHECK(stream.range().empty());
  CHECK(stream.rev_range().empty());
  const StreamInfo info = stream.info();
  CHECK(info.length == 0);
  CHECK(info.first_id == Id{0, 0});
  CHECK(info.last_id == id(5));
  CHECK(info.max_deleted_id == id(5));
  CHECK(info.entries_added == 5);
  CHECK(*stream.add(6) == Id{1000, 0});
  CHECK(stream.size() == 1);
  CHECK(stream.info().first_id == Id{1000, 0});
}

TEST_CASE("Stream erase: the largest id ever erased is kept, of those that were there") {
  Stream<int> stream;
  fill(stream, 6);
  CHECK(stream.erase(id(3)) == 1);
  CHECK(stream.info().max_deleted_id == id(3));
  CHECK(stream.erase(id(1)) == 1);
  CHECK(stream.info().max_deleted_id == id(3));
  CHECK(stream.erase({id(9), Id{5, 5}, Id::max()}) == 0);
  CHECK(stream.info().max_deleted_id == id(3));
  CHECK(stream.erase({id(5), id(4)}) == 2);
  CHECK(stream.info().max_deleted_id == id(5));
  CHECK(*stream.trim({.max_len = 0}) == 2);
  CHECK(stream.info().max_deleted_id == id(5));
}

TEST_CASE("Stream erase: everything in a long stream, piece by piece") {
  Stream<int> stream;
  const auto ids = *stream.add_range(numbers(1, 20'000));
  std::vector<Id> third;
  for (std::size_t i = 0; i < ids.size(); i += 3) third.push_back(ids[i]);
  CHECK(stream.erase(third) == third.size());
  CHECK(stream.size() == ids.size() - third.size());
  CHECK(stream.erase(ids) == ids.size() - third.size());
  CHECK(stream.empty());
  CHECK(stream.range().empty());
  REQUIRE(stream.add(7));
  CHECK(values_of(stream.range()) == std::vector<int>{7});
}

TEST_CASE("Stream trim: to a length") {
  Stream<int> stream;
  fill(stream, 10);
  CHECK(*stream.trim({.max_len = 20}) == 0);
  CHECK(*stream.trim({.max_len = 10}) == 0);
  CHECK(*stream.trim({.max_len = 7}) == 3);
  CHECK(values_of(stream.range()) == numbers(4, 10));
  CHECK(*stream.trim({.max_len = 7}) == 0);
  CHECK(*stream.trim({.max_len = 1}) == 6);
  CHECK(stream.info().first_id == id(10));
  CHECK(*stream.trim({.max_len = 0}) == 1);
  CHECK(*stream.trim({.max_len = 0}) == 0);
  const StreamInfo info = stream.info();
  CHECK(info.length == 0);
  CHECK(info.first_id == Id{0, 0});
  CHECK(info.last_id == id(10));
  CHECK(info.entries_added == 10);
  CHECK(info.max_deleted_id == Id{0, 0});
}

TEST_CASE("Stream trim: below an id") {
  Stream<int> stream;
  fill(stream, 10);
  CHECK(*stream.trim({.min_id = Id{0, 0}}) == 0);
  CHECK(*stream.trim({.min_id = id(1)}) == 0);
  CHECK(*stream.trim({.min_id = id(3)}) == 2);
  CHECK(stream.info().first_id == id(3));
  CHECK(*stream.trim({.min_id = Id{3, 1}}) == 1);
  CHECK(stream.info().first_id == id(4));
  CHECK(*stream.trim({.min_id = Id{9, 5}}) == 6);
  CHECK(values_of(stream.range()) == numbers(10, 10));
  CHECK(*stream.trim({.min_id = Id::max()}) == 1);
  CHECK(stream.empty());
  CHECK(stream.last_id() == id(10));
}

TEST_CASE("Stream trim: counts what is there, not what was erased") {
  Stream<int> stream;
  fill(stream, 10);
  CHECK(stream.erase({id(2), id(5), id(8), id(9)}) == 4);
  CHECK(*stream.trim({.max_len = 3}) == 3);
  CHECK(values_of(stream.range()) == std::vector<int>{6, 7, 10});
  CHECK(stream.erase(id(6)) == 1);
  CHECK(*stream.trim({.min_id = id(8)}) == 1);
  CHECK(values_of(stream.range()) == std::vector<int>{10});
  CHECK(*stream.trim({.max_len = 1}) == 0);
  CHECK(stream.erase(id(10)) == 1);
  CHECK(*stream.trim({.max_len = 0}) == 0);
}

TEST_CASE("Stream trim: what was trimmed cannot be erased") {
  Stream<int> stream;
  fill(stream, 4);
  CHECK(*stream.trim({.max_len = 2}) == 2);
  CHECK(stream.erase({id(1), id(2)}) == 0);
  CHECK(stream.info().max_deleted_id == Id{0, 0});
  CHECK(stream.size() == 2);
}

TEST_CASE("Stream trim: exactly one rule, and a limit only where it is approximate") {
  Stream<int> stream;
  fill(stream, 10);
  CHECK(error_of(stream.trim({})) == Errc::invalid_argument);
  CHECK(error_of(stream.trim({.max_len = 1, .min_id = id(3)})) == Errc::invalid_argument);
  CHECK(error_of(stream.trim({.approximate = true})) == Errc::invalid_argument);
  CHECK(error_of(stream.trim({.max_len = 1, .limit = 5})) == Errc::invalid_argument);
  CHECK(error_of(stream.trim({.max_len = 1, .limit = 0})) == Errc::invalid_argument);
  CHECK(error_of(stream.trim({.min_id = id(3), .limit = 5})) == Errc::invalid_argument);
  CHECK(error_of(stream.trim({.approximate = true, .limit = 5})) == Errc::invalid_argument);
  CHECK(stream.size() == 10);
}

TEST_CASE("Stream trim: approximately, by whole pieces, never too much") {
  Stream<int> stream;
  fill(stream, 100'000);
  std::uint64_t length = 100'000;
  for (const std::uint64_t bound : {99'999U, 90'000U, 50'000U, 10'000U, 100U}) {
    length -= *stream.trim({.max_len = bound, .approximate = true});
    CHECK(length == stream.size());
    CHECK(length >= bound);
    CHECK(length < bound + largest_segment<int>);
    CHECK(values_of(stream.range()) == numbers(100'001 - static_cast<int>(length), 100'000));
    CHECK(*stream.trim({.max_len = bound, .approximate = true}) == 0);
  }
}

TEST_CASE("Stream trim: approximately below an id") {
  Stream<int> stream;
  fill(stream, 100'000);
  for (const int bound : {1, 10'000, 50'000, 99'999}) {
    const auto removed = *stream.trim({.min_id = id(bound), .approximate = true});
    const Id first = stream.info().first_id;
    CHECK(first <= id(bound));
    CHECK(first.ms + largest_segment<int> > static_cast<std::uint64_t>(bound));
    CHECK(removed <= 100'000);
    CHECK(stream.size() == 100'001 - first.ms);
  }
}

TEST_CASE("Stream trim: approximately, with a limit") {
  Stream<int> stream;
  fill(stream, 100'000);
  std::uint64_t length = 100'000;
  CHECK(*stream.trim({.max_len = 0, .approximate = true, .limit = 1}) <= 1);
  for (int step = 0; step < 200; ++step) {
    length = stream.size();
    const auto removed = *stream.trim({.max_len = 0, .approximate = true, .limit = 20'000});
    CHECK(removed <= 20'000);
    CHECK(stream.size() == length - removed);
    if (removed == 0) break;
  }
  CHECK(stream.size() < 100'000);
  CHECK(stream.size() <= largest_segment<int>);  // pieces are smaller than the limit, so it stopped none
}

TEST_CASE("Stream trim: a long stream in many small steps") {
  Stream<std::string> stream;
  for (int i = 1; i <= 20'000; ++i) REQUIRE(stream.add(id(i), "number " + std::to_string(i)));
  std::uint64_t removed = 0;
  for (std::uint64_t length = 20'000; length > 0; length -= 100) {
    removed += *stream.trim({.max_len = length - 100});
    REQUIRE(stream.size() == length - 100);
    if (length > 100) REQUIRE(stream.range().front().value == "number " + std::to_string(removed + 1));
  }
  CHECK(removed == 20'000);
}

TEST_CASE("Stream trim: memory of what is gone is given back") {
  Stream<int> stream;
  REQUIRE(stream.add_range(numbers(1, 100'000)));
  const auto before = stream.info().segments;
  CHECK(*stream.trim({.max_len = 10}) == 99'990);
  CHECK(stream.info().segments < before);
  CHECK(stream.info().segments <= 2);
  CHECK(stream.erase(ids_of(stream.range())) == 10);
  CHECK(stream.size() == 0);
}

TEST_CASE("Stream with max_len: the oldest leaves when the stream grows") {
  Stream<int> stream({.max_len = 3});
  fill(stream, 3);
  CHECK(stream.size() == 3);
  REQUIRE(stream.add(id(4), 4));
  CHECK(values_of(stream.range()) == numbers(2, 4));
  CHECK(stream.size() == 3);
  for (int i = 5; i <= 10'000; ++i) {
    REQUIRE(stream.add(id(i), i));
    REQUIRE(stream.size() == 3);
    REQUIRE(stream.info().first_id == id(i - 2));
  }
  CHECK(values_of(stream.range()) == numbers(9'998, 10'000));
  CHECK(stream.info().entries_added == 10'000);
  CHECK(stream.info().max_deleted_id == Id{0, 0});
  CHECK(stream.info().segments <= 3);
}

TEST_CASE("Stream with max_len: erased entries do not count") {
  Stream<int> stream({.max_len = 3});
  fill(stream, 3);
  CHECK(stream.erase(id(2)) == 1);
  REQUIRE(stream.add(id(4), 4));
  CHECK(values_of(stream.range()) == std::vector<int>{1, 3, 4});
  REQUIRE(stream.add(id(5), 5));
  CHECK(values_of(stream.range()) == std::vector<int>{3, 4, 5});
}

TEST_CASE("Stream with max_len 0: entries get an id and are gone") {
  ManualClock clock(1000ms);
  Stream<int> stream({.max_len = 0, .clock = &clock});
  CHECK(*stream.add(1) == Id{1000, 0});
  CHECK(*stream.add(2) == Id{1000, 1});
  CHECK(stream.add_range(numbers(1, 100))->size() == 100);
  CHECK(stream.size() == 0);
  CHECK(stream.range().empty());
  CHECK(stream.last_id() == Id{1000, 101});
  CHECK(stream.info().entries_added == 102);
  CHECK(stream.info().first_id == Id{0, 0});
}

TEST_CASE("Stream with max_len: a range longer than the bound leaves its end") {
  Stream<int> stream({.max_len = 10});
  const auto ids = stream.add_range(numbers(1, 20'000));
  REQUIRE(ids);
  CHECK(ids->size() == 20'000);
  CHECK(values_of(stream.range()) == numbers(19'991, 20'000));
  CHECK(stream.range().front().id == (*ids)[19'990]);
  CHECK(stream.info().entries_added == 20'000);
}

TEST_CASE("Stream with an approximate max_len: never shorter, longer by a piece or two") {
  Stream<int> stream({.max_len = 1000, .approximate = true});
  std::uint64_t longest = 0;
  for (int i = 1; i <= 200'000; ++i) {
    REQUIRE(stream.add(id(i), i));
    const auto size = stream.size();
    if (i >= 1000 && size < 1000) FAIL("shorter than the bound");
    longest = std::max(longest, size);
  }
  CHECK(longest <= 1000 + 2 * largest_segment<int>);
  CHECK(longest > 1000);  // approximate, after all
  CHECK(stream.info().segments <= 4);
  const auto size = static_cast<int>(stream.size());
  CHECK(values_of(stream.range()) == numbers(200'001 - size, 200'000));
}

TEST_CASE("Stream info: what it says is what there is") {
  Stream<int> stream;
  fill(stream, 100);
  CHECK(stream.erase({id(1), id(50), id(100)}) == 3);
  CHECK(*stream.trim({.max_len = 90}) == 7);
  REQUIRE(stream.create_group("b"));
  REQUIRE(stream.create_group("a"));
  const StreamInfo info = stream.info();
  CHECK(info.length == 90);
  CHECK(info.length == stream.size());
  CHECK(info.entries_added == 100);
  CHECK(info.first_id == id(9));
  CHECK(info.last_id == id(100));
  CHECK(info.max_deleted_id == id(100));
  CHECK(info.groups == 2);
  CHECK(info.segments >= 1);
  CHECK_FALSE(info.closed);
}

}  // namespace stream_remove_test
