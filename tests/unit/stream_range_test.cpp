#include <brook/stream.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <random>
#include <ranges>
#include <set>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace stream_range_test {

namespace {

using namespace brook;
using namespace brook::test;

constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();

static_assert(std::ranges::forward_range<Entries<int>> && std::ranges::forward_range<const Entries<int>>);
static_assert(std::ranges::common_range<Entries<int>> && std::ranges::sized_range<Entries<int>>);
static_assert(std::copyable<Entries<int>> && std::is_nothrow_move_constructible_v<Entries<int>>);

// A stream that one thread uses, as plainly as can be.
class Double {
 public:
  std::map<Id, int> entries{};
  Id last_id{};
  Id max_deleted_id{};
  std::uint64_t entries_added = 0;

  void add(Id id, int value) {
    entries.emplace(id, value);
    last_id = id;
    ++entries_added;
  }

  std::size_t erase(const std::vector<Id>& ids) {
    std::size_t erased = 0;
    for (const Id id : ids) {
      if (entries.erase(id) == 0) continue;
      ++erased;
      max_deleted_id = std::max(max_deleted_id, id);
    }
    return erased;
  }

  std::uint64_t trim_to(std::uint64_t length) {
    std::uint64_t removed = 0;
    for (; entries.size() > length; ++removed) entries.erase(entries.begin());
    return removed;
  }

  std::uint64_t trim_below(Id id) {
    std::uint64_t removed = 0;
    for (; !entries.empty() && entries.begin()->first < id; ++removed) entries.erase(entries.begin());
    return removed;
  }

  [[nodiscard]] std::vector<std::pair<Id, int>> range(Id first, Id last, std::size_t count) const {
    std::vector<std::pair<Id, int>> found;
    for (auto at = entries.lower_bound(first); at != entries.end() && at->first <= last && found.size() < count; ++at)
      found.emplace_back(*at);
    return found;
  }

  [[nodiscard]] std::vector<std::pair<Id, int>> rev_range(Id last, Id first, std::size_t count) const {
    auto found = range(first, last, no_limit);
    std::ranges::reverse(found);
    if (found.size() > count) found.resize(count);
    return found;
  }
};

std::vector<std::pair<Id, int>> pairs_of(const Entries<int>& entries) {
  std::vector<std::pair<Id, int>> pairs;
  for (const auto& [id, value] : entries) pairs.emplace_back(id, value);
  return pairs;
}

// The members of Entries must agree with its iterators.
bool consistent(const Entries<int>& entries) {
  const auto pairs = pairs_of(entries);
  if (entries.size() != pairs.size() || entries.empty() != pairs.empty()) return false;
  if (pairs.empty()) return entries.begin() == entries.end();
  if (entries.front().id != pairs.front().first || entries.back().id != pairs.back().first) return false;
  if (entries.front().value != pairs.front().second || entries.back().value != pairs.back().second) return false;
  for (std::size_t i = 0; i < pairs.size(); i += pairs.size() / 5 + 1) {
    if (entries[i].id != pairs[i].first || entries[i].value != pairs[i].second) return false;
  }
  return true;
}

class RandomStream {
 public:
  explicit RandomStream(unsigned seed) : random_(seed), clock_(1000ms), stream_({.clock = &clock_}) {}

  // Does one thing to both; false when they differ.
  bool step() {
    switch (below(16)) {
      case 0:
      case 1: return add_some();
      case 2: return add_explicitly();
      case 3: return add_range();
      case 4: return below(4) != 0 || erase();
      case 5: return below(8) != 0 || trim();
      case 6: return add_in_millisecond();
      case 7: return counters();
      case 8: return read();
      case 9: return step_clock();
      default: return query();
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(random_); }

  // An id of an entry or near one, there or gone or yet to come.
  Id some_id() {
    if (below(10) == 0) return below(2) == 0 ? Id::min() : Id::max();
    if (double_.entries.empty() || below(10) == 0) return {below(3000), below(4)};
    const Id first = double_.entries.begin()->first;
    const Id last = double_.last_id;
    const auto near = double_.entries.lower_bound(Id{first.ms + below(last.ms - first.ms + 1), below(300)});
    const Id id = near == double_.entries.end() ? last : near->first;
    switch (below(4)) {
      case 0: return id == Id::max() ? id : id.next();
      case 1: return id == Id::min() ? id : id.prev();
      default: return id;
    }
  }

  std::size_t some_count() {
    switch (below(6)) {
      case 0: return 0;
      case 1: return 1;
      case 2: return below(10);
      case 3: return below(3000);
      default: return no_limit;
    }
  }

  bool add_some() {
    for (std::uint64_t n = below(40); n > 0; --n) {
      const std::uint64_t ms = clock_.unix_ms();
      const Id expected = ms > double_.last_id.ms ? Id{ms, 0} : double_.last_id.next();
      const auto id = stream_.add(value_);
      if (!id || *id != expected) return false;
      double_.add(*id, value_++);
    }
    return true;
  }

  bool add_explicitly() {
    const Id given{double_.last_id.ms + below(3), below(200)};
    const auto id = stream_.add(given, value_);
    if (given == Id::min()) return error_of(id) == Errc::invalid_id;
    if (given <= double_.last_id) return error_of(id) == Errc::id_too_small;
    if (!id || *id != given) return false;
    double_.add(given, value_++);
    return true;
  }

  bool add_in_millisecond() {
    const std::uint64_t ms = double_.last_id.ms + below(4) - 1;
    const auto id = stream_.add(AutoSeq{ms}, value_);
    if (ms < double_.last_id.ms || (double_.last_id.ms == 0 && ms > 10))
      return !id || (double_.add(*id, value_++), true);
    const Id expected = ms == double_.last_id.ms ? double_.last_id.next() : Id{ms, 0};
    if (!id || *id != expected) return false;
    double_.add(*id, value_++);
    return true;
  }

  bool add_range() {
    const std::vector<int> values = numbers(value_, value_ + static_cast<int>(below(below(20) == 0 ? 3000 : 30)) - 1);
    const auto ids = stream_.add_range(values);
    if (!ids || ids->size() != values.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0 && (*ids)[i] != double_.last_id.next()) return false;
      if ((*ids)[i] <= double_.last_id) return false;
      double_.add((*ids)[i], values[i]);
    }
    value_ += static_cast<int>(values.size());
    return true;
  }

  bool erase() {
    std::vector<Id> ids;
    for (std::uint64_t n = below(12); n > 0; --n) {
      Id id = some_id();
      for (std::uint64_t run = below(8) == 0 ? below(200) : 1; run > 0 && id < Id::max(); --run, id = id.next())
        ids.push_back(id);
    }
    return stream_.erase(ids) == double_.erase(ids);
  }

  bool trim() {
    if (below(2) == 0) {
      const std::uint64_t length = below(double_.entries.size() + 10);
      return stream_.trim({.max_len = length}).value() == double_.trim_to(length);
    }
    Id id = some_id();
    if (below(4) != 0 && !double_.entries.empty()) {  // mostly not far from the oldest
      auto at = double_.entries.begin();
      std::advance(at, below(std::min<std::uint64_t>(double_.entries.size(), 200)));
      id = at->first;
    }
    if (id == Id::max()) id = Id::min();
    return stream_.trim({.min_id = id}).value() == double_.trim_below(id);
  }

  bool step_clock() {
    if (below(10) == 0)
      clock_.set_unix(std::chrono::milliseconds(clock_.unix_ms() - std::min(clock_.unix_ms(), below(20))));
    else clock_.advance(std::chrono::milliseconds(below(10)));
    return true;
  }

  bool counters() {
    const StreamInfo info = stream_.info();
    return info.length == double_.entries.size() && stream_.size() == info.length &&
           info.entries_added == double_.entries_added && info.last_id == double_.last_id &&
           stream_.last_id() == info.last_id && info.max_deleted_id == double_.max_deleted_id &&
           info.first_id == (double_.entries.empty() ? Id::min() : double_.entries.begin()->first);
  }

  bool read() {
    const Id after = some_id();
    const std::size_t count = some_count();
    const auto found = stream_.read(after, {.count = count});
    if (!found || !consistent(*found)) return false;
    if (after == Id::max()) return found->empty();
    return pairs_of(*found) == double_.range(after.next(), Id::max(), count);
  }

  bool query() {
    const Id first = some_id();
    const Id last = some_id();
    const std::size_t count = some_count();
    const auto forwards = stream_.range(first, last, count);
    const auto backwards = stream_.rev_range(last, first, count);
    return consistent(forwards) && consistent(backwards) && pairs_of(forwards) == double_.range(first, last, count) &&
           pairs_of(backwards) == double_.rev_range(last, first, count);
  }

  std::mt19937_64 random_;
  ManualClock clock_;
  Stream<int> stream_;
  Double double_;
  int value_ = 0;
};

Stream<int>& filled(Stream<int>& stream) {
  for (const Id id : {Id{1, 1}, Id{1, 2}, Id{2, 0}, Id{2, 5}, Id{4, 0}})
    if (!stream.add(id, static_cast<int>(id.ms * 10 + id.seq))) throw std::logic_error("not added");
  return stream;
}

}  // namespace

TEST_CASE("Stream range: both bounds are included") {
  Stream<int> stream;
  filled(stream);
  CHECK(values_of(stream.range()) == std::vector<int>{11, 12, 20, 25, 40});
  CHECK(values_of(stream.range(Id{1, 2}, Id{2, 5})) == std::vector<int>{12, 20, 25});
  CHECK(values_of(stream.range(Id{1, 3}, Id{2, 4})) == std::vector<int>{20});
  CHECK(values_of(stream.range(Id{2, 0})) == std::vector<int>{20, 25, 40});
  CHECK(values_of(stream.range(Id::min(), Id{2, 0})) == std::vector<int>{11, 12, 20});
  CHECK(values_of(stream.range(Id{2, 0}, Id{2, 0})) == std::vector<int>{20});
  CHECK(values_of(stream.range(Id{2, 0}, Id{2, top})) == std::vector<int>{20, 25});
  CHECK(stream.range(Id{3, 0}, Id{3, top}).empty());
  CHECK(stream.range(Id{4, 1}).empty());
  CHECK(stream.range(Id::max()).empty());
  CHECK(stream.range(Id::min(), Id{1, 0}).empty());
  CHECK(stream.range(Id::min(), Id::min()).empty());
}

TEST_CASE("Stream range: exclusive bounds by next and prev") {
  Stream<int> stream;
  filled(stream);
  CHECK(values_of(stream.range(Id{1, 2}.next(), Id{4, 0}.prev())) == std::vector<int>{20, 25});
  CHECK(values_of(stream.rev_range(Id{4, 0}.prev(), Id{1, 2}.next())) == std::vector<int>{25, 20});
}

TEST_CASE("Stream range: the newest first") {
  Stream<int> stream;
  filled(stream);
  CHECK(values_of(stream.rev_range()) == std::vector<int>{40, 25, 20, 12, 11});
  CHECK(values_of(stream.rev_range(Id{2, 5}, Id{1, 2})) == std::vector<int>{25, 20, 12});
  CHECK(values_of(stream.rev_range(Id{2, 4})) == std::vector<int>{20, 12, 11});
  CHECK(values_of(stream.rev_range(Id::max(), Id::min(), 2)) == std::vector<int>{40, 25});
  CHECK(values_of(stream.rev_range(Id::max(), Id{2, 5}, 100)) == std::vector<int>{40, 25});
  CHECK(stream.rev_range(Id{1, 0}).empty());
  CHECK(stream.rev_range(Id::min()).empty());
}

TEST_CASE("Stream range: swapped bounds find nothing") {
  Stream<int> stream;
  filled(stream);
  CHECK(stream.range(Id{2, 5}, Id{1, 2}).empty());
  CHECK(stream.range(Id::max(), Id::min()).empty());
  CHECK(stream.rev_range(Id{1, 2}, Id{2, 5}).empty());
  CHECK(stream.rev_range(Id::min(), Id::max()).empty());
}

TEST_CASE("Stream range: at most count") {
  Stream<int> stream;
  filled(stream);
  CHECK(stream.range(Id::min(), Id::max(), 0).empty());
  CHECK(stream.rev_range(Id::max(), Id::min(), 0).empty());
  CHECK(values_of(stream.range(Id::min(), Id::max(), 1)) == std::vector<int>{11});
  CHECK(values_of(stream.rev_range(Id::max(), Id::min(), 1)) == std::vector<int>{40});
  CHECK(values_of(stream.range(Id{1, 2}, Id::max(), 2)) == std::vector<int>{12, 20});
  CHECK(stream.range(Id::min(), Id::max(), 5).size() == 5);
  CHECK(stream.range(Id::min(), Id::max(), 6).size() == 5);
}

TEST_CASE("Stream range: the entries as a range") {
  Stream<int> stream;
  filled(stream);
  const Entries<int> entries = stream.range();
  CHECK(entries.size() == 5);
  CHECK(entries.front().id == Id{1, 1});
  CHECK(entries.back().id == Id{4, 0});
  CHECK(entries[3].value == 25);
  auto at = entries.begin();
  CHECK((*at++).value == 11);
  CHECK((*at).value == 12);
  CHECK((*++at).value == 20);
  CHECK(std::ranges::distance(entries) == 5);
  CHECK(std::ranges::count_if(entries, [](const auto& entry) { return entry.value >= 20; }) == 3);
  std::vector<int> found;
  for (const auto& [id, value] : entries | std::views::filter([](const auto& entry) { return entry.id.ms == 2; }))
    found.push_back(value);
  CHECK(found == std::vector<int>{20, 25});
  CHECK(Entries<int>().empty());
  CHECK(Entries<int>().begin() == Entries<int>().end());
}

TEST_CASE("Stream range: shows the entries in place") {
  Stream<int> stream;
  filled(stream);
  const Entries<int> once = stream.range();
  const Entries<int> again = stream.rev_range();
  CHECK(&once.front().value == &again.back().value);
  const Entries<int> copy = once;
  CHECK(&copy[2].value == &once[2].value);
}

TEST_CASE("Stream range: what was found does not change") {
  Stream<int> stream;
  filled(stream);
  const Entries<int> all = stream.range();
  const Entries<int> newest = stream.rev_range(Id::max(), Id::min(), 2);
  REQUIRE(stream.add(50));
  CHECK(stream.erase(Id{2, 0}) == 1);
  CHECK(values_of(all) == std::vector<int>{11, 12, 20, 25, 40});
  CHECK(*stream.trim({.max_len = 0}) == 5);
  CHECK(values_of(all) == std::vector<int>{11, 12, 20, 25, 40});
  CHECK(values_of(newest) == std::vector<int>{40, 25});
  CHECK(stream.range().empty());
}

TEST_CASE("Stream range: across many pieces of memory, with trims and erasures") {
  ManualClock clock(1ms);
  Stream<int> stream({.clock = &clock});
  constexpr int many = 60'000;
  for (int i = 1; i <= many; ++i) REQUIRE(stream.add(Id{static_cast<std::uint64_t>(i), 0}, i));
  const auto id = [](int i) { return Id{static_cast<std::uint64_t>(i), 0}; };
  for (const int first : {1, 2, 100, 1000, 31'415, 59'999, 60'000}) {
    for (const int count : {1, 5, 1000, 40'000}) {
      const int last = std::min(many, first + count - 1);
      CHECK(values_of(stream.range(id(first), Id::max(), static_cast<std::size_t>(count))) == numbers(first, last));
      CHECK(values_of(stream.range(id(first), id(last))) == numbers(first, last));
      auto reversed = numbers(first, last);
      std::ranges::reverse(reversed);
      CHECK(values_of(stream.rev_range(id(last), id(first))) == reversed);
      CHECK(values_of(stream.rev_range(id(last), Id::min(), reversed.size())) == reversed);
    }
  }
  std::vector<Id> odd;
  for (int i = 1; i <= many; i += 2) odd.push_back(id(i));
  CHECK(stream.erase(odd) == odd.size());
  CHECK(*stream.trim({.min_id = id(10'001)}) == 5'000);
  CHECK(stream.size() == 25'000);
  std::vector<int> even;
  for (int i = 10'002; i <= many; i += 2) even.push_back(i);
  CHECK(values_of(stream.range()) == even);
  std::ranges::reverse(even);
  CHECK(values_of(stream.rev_range()) == even);
  CHECK(values_of(stream.range(id(20'001), id(20'007))) == std::vector<int>{20'002, 20'004, 20'006});
  CHECK(values_of(stream.rev_range(id(20'001), Id::min(), 2)) == std::vector<int>{20'000, 19'998});
}

TEST_CASE("Stream range: as a plain map, whatever was done before") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    RandomStream both(seed);
    for (int step = 0; step < 1500; ++step) {
      if (!both.step()) {
        CAPTURE(seed, step);
        FAIL("the stream and its double differ");
      }
    }
  }
}

}  // namespace stream_range_test
