#include <brook/id_range.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <ranges>
#include <vector>

#include "../catch.hpp"

namespace id_range_test {

namespace {

using brook::Id;
using brook::IdRange;

constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();

static_assert(std::ranges::random_access_range<IdRange>);
static_assert(std::ranges::random_access_range<const IdRange>);
static_assert(std::ranges::sized_range<IdRange>);
static_assert(std::ranges::common_range<IdRange>);
static_assert(std::sized_sentinel_for<IdRange::iterator, IdRange::iterator>);
static_assert(std::same_as<std::ranges::range_value_t<IdRange>, Id>);
static_assert(std::same_as<std::ranges::range_reference_t<IdRange>, Id>);
static_assert(std::default_initializable<IdRange> && std::copyable<IdRange>);
static_assert(IdRange({5, 1}, 3).back() == Id{5, 3});
static_assert(*(IdRange({5, 1}, 3).begin() + 1) == Id{5, 2});

std::vector<Id> ids(const IdRange& range) { return {range.begin(), range.end()}; }

}  // namespace

TEST_CASE("IdRange: empty") {
  const IdRange none;
  CHECK(none.empty());
  CHECK(none.size() == 0);
  CHECK(none.begin() == none.end());
  CHECK(ids(none).empty());
  CHECK(IdRange({5, 5}, 0).empty());
}

TEST_CASE("IdRange: consecutive ids") {
  const IdRange range({5, 7}, 3);
  CHECK_FALSE(range.empty());
  CHECK(range.size() == 3);
  CHECK(range.front() == Id{5, 7});
  CHECK(range.back() == Id{5, 9});
  CHECK(ids(range) == std::vector<Id>{{5, 7}, {5, 8}, {5, 9}});
  CHECK(range[0] == Id{5, 7});
  CHECK(range[2] == Id{5, 9});
}

TEST_CASE("IdRange: over the end of a millisecond, as next() goes") {
  const IdRange range({5, top - 2}, 6);
  Id expected{5, top - 2};
  for (const Id id : range) {
    CHECK(id == expected);
    expected = expected.next();
  }
  CHECK(range.back() == Id{6, 2});
  CHECK(range[2] == Id{5, top});
  CHECK(range[3] == Id{6, 0});
}

TEST_CASE("IdRange: may end with the largest id") {
  const IdRange range({top, top - 1}, 2);
  CHECK(ids(range) == std::vector<Id>{{top, top - 1}, Id::max()});
}

TEST_CASE("IdRange: the iterator counts both ways") {
  const IdRange range({5, top - 1}, 4);
  const auto begin = range.begin();
  const auto end = range.end();
  CHECK(end - begin == 4);
  CHECK(begin - end == -4);
  CHECK(begin < end);
  CHECK(begin + 4 == end);
  CHECK(4 + begin == end);
  CHECK(end - 4 == begin);
  CHECK(begin[2] == Id{6, 0});
  CHECK(end[-1] == Id{6, 1});
  auto i = begin;
  CHECK(*i++ == Id{5, top - 1});
  CHECK(*i == Id{5, top});
  CHECK(*++i == Id{6, 0});
  CHECK(*i-- == Id{6, 0});
  CHECK(*--i == Id{5, top - 1});
  i += 3;
  i -= 1;
  CHECK(*i == Id{6, 0});
  CHECK(i >= begin);
  CHECK(i != end);
}

TEST_CASE("IdRange: works with algorithms and views") {
  const IdRange range({5, top - 1}, 4);
  CHECK(std::ranges::is_sorted(range));
  CHECK(std::ranges::binary_search(range, Id{6, 0}));
  CHECK(std::ranges::lower_bound(range, Id{6, 1}) - range.begin() == 3);
  std::vector<Id> backwards;
  for (const Id id : range | std::views::reverse) backwards.push_back(id);
  CHECK(backwards == std::vector<Id>{{6, 1}, {6, 0}, {5, top}, {5, top - 1}});
  std::vector<Id> some;
  for (const Id id : range | std::views::drop(1) | std::views::take(2)) some.push_back(id);
  CHECK(some == std::vector<Id>{{5, top}, {6, 0}});
}

}  // namespace id_range_test
