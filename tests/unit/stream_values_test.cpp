// What a stream can hold, and for how long it holds it.
#include <brook/stream.hpp>

#include <any>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace stream_values_test {

namespace {

using namespace brook;
using namespace brook::test;

struct Empty {};

struct NotMovable {
  explicit NotMovable(int number) : value(number) {}
  NotMovable(const NotMovable&) = delete;
  NotMovable& operator=(const NotMovable&) = delete;
  int value;
};

struct CopyOnly {
  explicit CopyOnly(int number) : value(number) {}
  CopyOnly(const CopyOnly&) = default;
  CopyOnly& operator=(const CopyOnly&) = delete;
  int value;
};

// Throws when a number of constructions that is set beforehand has been used up.
struct Fuse {
  static inline int left = -1;
  static void burn() {
    if (left == 0) throw std::runtime_error("blown");
    if (left > 0) --left;
  }
};

struct ThrowingCopy {
  explicit ThrowingCopy(int number) : value(number) {}
  ThrowingCopy(const ThrowingCopy& other) : value(other.value) { Fuse::burn(); }
  ThrowingCopy(ThrowingCopy&& other) noexcept = default;
  int value;
};

struct ThrowingMove {
  explicit ThrowingMove(int number) : value(number) {}
  ThrowingMove(ThrowingMove&& other) noexcept(false) : value(other.value) { Fuse::burn(); }
  int value;
};

struct ThrowingConstructor {
  explicit ThrowingConstructor(int number) : value(number) { Fuse::burn(); }
  ThrowingConstructor(const ThrowingConstructor&) noexcept = default;
  int value;
};

template <std::size_t alignment>
struct alignas(alignment) Aligned {
  explicit Aligned(int number) : value(number) {}
  int value;
};

template <std::size_t size>
struct Large {
  explicit Large(int number) : value(number) { std::memset(bytes, number, size); }
  [[nodiscard]] bool intact() const {
    for (const unsigned char byte : bytes)
      if (byte != static_cast<unsigned char>(value)) return false;
    return true;
  }
  int value;
  unsigned char bytes[size];
};

template <class T>
bool well_aligned(const T& value) {
  return reinterpret_cast<std::uintptr_t>(&value) % alignof(T) == 0;
}

template <class T>
std::vector<int> int_values(const Entries<T>& entries) {
  std::vector<int> values;
  for (const auto& [id, value] : entries) values.push_back(value.value);
  return values;
}

}  // namespace

TEST_CASE("Stream of what can only be moved") {
  Stream<std::unique_ptr<int>> stream;
  for (int i = 1; i <= 1000; ++i) REQUIRE(stream.add(std::make_unique<int>(i)));
  REQUIRE(stream.emplace(new int(1001)));
  REQUIRE(stream.emplace());
  int sum = 0;
  for (const auto& [id, pointer] : stream.range()) sum += pointer ? *pointer : 0;
  CHECK(sum == 1001 * 1002 / 2);
  CHECK(*stream.trim({.max_len = 1}) == 1001);
  CHECK(stream.range().front().value == nullptr);
}

TEST_CASE("Stream of what cannot even be moved") {
  Stream<NotMovable> stream;
  for (int i = 1; i <= 1000; ++i) REQUIRE(stream.emplace(i));
  CHECK(int_values(stream.range()) == numbers(1, 1000));
  CHECK(stream.erase(stream.last_id()) == 1);
  CHECK(int_values(stream.rev_range(Id::max(), Id::min(), 1)) == numbers(999, 999));
  const int more[] = {1, 2, 3};
  REQUIRE(stream.add_range(more));
  CHECK(stream.size() == 1002);
  stream.close();
  CHECK(error_of(stream.emplace(5)) == Errc::closed);
}

TEST_CASE("Stream of what can only be copied") {
  Stream<CopyOnly> stream;
  const CopyOnly value(1);
  REQUIRE(stream.add(value));
  REQUIRE(stream.add(CopyOnly(2)));
  REQUIRE(stream.add(Id::max(), value));
  CHECK(int_values(stream.range()) == std::vector<int>{1, 2, 1});
}

TEST_CASE("Stream of bool") {
  Stream<bool> stream;
  REQUIRE(stream.add(true));
  REQUIRE(stream.add(false));
  REQUIRE(stream.emplace(true));
  std::vector<bool> values;
  for (const auto& [id, value] : stream.range()) values.push_back(value);
  CHECK(values == std::vector<bool>{true, false, true});
}

TEST_CASE("Stream of nothing but ids") {
  Stream<Empty> stream;
  for (int i = 0; i < 10'000; ++i) REQUIRE(stream.add(Empty()));
  CHECK(stream.size() == 10'000);
  CHECK(stream.range().size() == 10'000);
  CHECK(*stream.trim({.max_len = 5}) == 9'995);
}

TEST_CASE("Stream of types that convert from anything") {
  Stream<std::any> anything;
  REQUIRE(anything.add(std::any(5)));
  REQUIRE(anything.add(std::string("text")));
  const std::any held = 1.5;
  REQUIRE(anything.add(held));
  CHECK(std::any_cast<int>(anything.range()[0].value) == 5);
  CHECK(std::any_cast<std::string>(anything.range()[1].value) == "text");
  CHECK(std::any_cast<double>(anything.range()[2].value) == 1.5);
  Stream<std::variant<int, std::string>> variants;
  REQUIRE(variants.add(5));
  REQUIRE(variants.add("five"));
  CHECK(variants.range().back().value == std::variant<int, std::string>("five"));
  Stream<std::function<int(int)>> functions;
  REQUIRE(functions.add([](int i) { return i + 1; }));
  CHECK(functions.range().front().value(4) == 5);
}

TEST_CASE("Stream of ids") {
  Stream<Id> stream;
  REQUIRE(stream.add(Id{7, 7}));
  REQUIRE(stream.add(Id::max(), Id{8, 8}));
  CHECK(values_of(stream.range()) == std::vector<Id>{{7, 7}, {8, 8}});
}

TEST_CASE("Stream of streams' entries, and of pointers to streams") {
  Stream<std::shared_ptr<Stream<int>>> streams;
  REQUIRE(streams.add(std::make_shared<Stream<int>>()));
  REQUIRE(streams.range().front().value->add(5));
  CHECK(streams.range().front().value->size() == 1);
  Stream<int> numbers;
  REQUIRE(numbers.add(1));
  Stream<Entries<int>> reads;
  REQUIRE(reads.add(numbers.range()));
  CHECK(*numbers.trim({.max_len = 0}) == 1);
  CHECK(reads.range().front().value.front().value == 1);
}

TEMPLATE_TEST_CASE("Stream of over-aligned values", "", Aligned<64>, Aligned<4096>) {
  Stream<TestType> stream;
  bool aligned = true;
  for (int i = 1; i <= 2000; ++i) REQUIRE(stream.emplace(i));
  for (const auto& [id, value] : stream.range()) aligned = aligned && well_aligned(value);
  CHECK(aligned);
  CHECK(int_values(stream.range()) == numbers(1, 2000));
  CHECK(*stream.trim({.max_len = 10}) == 1990);
  CHECK(int_values(stream.range()) == numbers(1991, 2000));
}

TEMPLATE_TEST_CASE("Stream of large values", "", Large<10'000>, Large<200'000>) {
  Stream<TestType> stream;
  constexpr int many = 100;
  for (int i = 1; i <= many / 2; ++i) REQUIRE(stream.add(TestType(i)));
  std::vector<TestType> values;
  for (int i = many / 2 + 1; i <= many; ++i) values.emplace_back(i);
  REQUIRE(stream.add_range(values));
  bool intact = true;
  for (const auto& [id, value] : stream.range()) intact = intact && value.intact();
  CHECK(intact);
  CHECK(int_values(stream.range()) == numbers(1, many));
  const auto last = stream.rev_range(Id::max(), Id::min(), 3);
  CHECK(*stream.trim({.max_len = 2}) == many - 2);
  for (int i = 0; i < 3 * many; ++i) REQUIRE(stream.emplace(i));
  CHECK(last[2].value.value == many - 2);
  CHECK(last[2].value.intact());
}

TEST_CASE("Stream of what throws when copied: nothing has changed") {
  Stream<ThrowingCopy> stream;
  REQUIRE(stream.emplace(1));
  const ThrowingCopy two(2);
  const std::vector<ThrowingCopy> many = [] {
    std::vector<ThrowingCopy> values;
    for (int i = 2; i <= 100; ++i) values.emplace_back(i);
    return values;
  }();
  const Id last = stream.last_id();
  Fuse::left = 0;
  CHECK_THROWS_AS(stream.add(two), std::runtime_error);
  CHECK_THROWS_AS(stream.add(Id::max(), two), std::runtime_error);
  CHECK_THROWS_AS(stream.add(AutoSeq{last.ms}, two), std::runtime_error);
  Fuse::left = 50;
  CHECK_THROWS_AS(stream.add_range(many), std::runtime_error);
  Fuse::left = -1;
  CHECK(stream.last_id() == last);
  CHECK(int_values(stream.range()) == numbers(1, 1));
  REQUIRE(stream.add_range(many));
  CHECK(int_values(stream.range()) == numbers(1, 100));
}

TEST_CASE("Stream of what throws when moved: nothing has changed") {
  Stream<ThrowingMove> stream;
  Fuse::left = -1;
  for (int i = 1; i <= 1000; ++i) REQUIRE(stream.add(ThrowingMove(i)));
  const Id last = stream.last_id();
  Fuse::left = 0;
  CHECK_THROWS_AS(stream.add(ThrowingMove(0)), std::runtime_error);
  CHECK_THROWS_AS(stream.add(Id::max(), ThrowingMove(0)), std::runtime_error);
  REQUIRE(stream.emplace(1001));  // needs no move
  CHECK(stream.size() == 1001);
  CHECK(*stream.trim({.max_len = 500}) == 501);
  CHECK(int_values(stream.range()) == numbers(502, 1001));
  Fuse::left = -1;
  CHECK(last < stream.last_id());
}

TEST_CASE("Stream of what throws when built: nothing has changed") {
  Stream<ThrowingConstructor> stream;
  Fuse::left = 0;
  CHECK_THROWS_AS(stream.emplace(1), std::runtime_error);
  Fuse::left = 2;
  CHECK_THROWS_AS(stream.add_range(numbers(1, 3)), std::runtime_error);
  Fuse::left = -1;
  CHECK(stream.empty());
  CHECK(stream.last_id() == Id{0, 0});
  CHECK(stream.info().entries_added == 0);
  REQUIRE(stream.add_range(numbers(1, 3)));
  CHECK(int_values(stream.range()) == numbers(1, 3));
}

TEST_CASE("Entries: outlive trim, erase and the stream") {
  std::optional<Stream<std::string>> stream(std::in_place);
  const auto text = [](int i) { return "text that lies outside of the string, number " + std::to_string(i); };
  for (int i = 1; i <= 5000; ++i) REQUIRE(stream->add(text(i)));
  Entries<std::string> all = stream->range();
  const Entries<std::string> backwards = stream->rev_range();
  const Entries<std::string> some = stream->range(all[10].id, all[12].id);
  const Entries<std::string> batch = *stream->read(all[4'989].id);
  CHECK(stream->erase(all[11].id) == 1);
  CHECK(*stream->trim({.max_len = 0}) == 4999);
  for (int i = 0; i < 20'000; ++i) REQUIRE(stream->add("another"));  // memory is used again
  stream.reset();
  const auto intact = [&] {
    int i = 0;
    for (const auto& [id, value] : all)
      if (value != text(++i)) return false;
    for (const auto& [id, value] : backwards)
      if (value != text(i--)) return false;
    return i == 0;
  };
  CHECK(intact());
  CHECK(values_of(some) == std::vector<std::string>{text(11), text(12), text(13)});
  CHECK(batch.size() == 10);
  CHECK(batch.front().value == text(4991));
  const Entries<std::string> copy = all;
  all = Entries<std::string>();
  CHECK(copy.size() == 5000);
  CHECK(copy.back().value == text(5000));
}

TEST_CASE("Entries: copied, moved, assigned") {
  Stream<int> stream;
  REQUIRE(stream.add_range(numbers(1, 3000)));
  Entries<int> first = stream.range();
  Entries<int> second = stream.rev_range(Id::max(), Id::min(), 2);
  Entries<int> copy = first;
  const Entries<int> moved = std::move(first);
  CHECK(values_of(moved) == numbers(1, 3000));
  CHECK(values_of(copy) == numbers(1, 3000));
  copy = second;
  CHECK(values_of(copy) == std::vector<int>{3000, 2999});
  const Entries<int>& itself = copy;
  copy = itself;
  CHECK(values_of(copy) == std::vector<int>{3000, 2999});
  std::swap(copy, second);
  CHECK(values_of(second) == std::vector<int>{3000, 2999});
  first = moved;
  CHECK(values_of(first) == numbers(1, 3000));
}

TEST_CASE("Entries: copies on several threads") {
  std::optional<Stream<std::string>> stream(std::in_place);
  for (int i = 0; i < 2000; ++i) REQUIRE(stream->add(std::to_string(i)));
  Entries<std::string> entries = stream->range();
  std::atomic<int> faults{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([copy = entries, &faults] {
      for (int round = 0; round < 20; ++round) {
        const Entries<std::string> mine = copy;
        int i = 0;
        for (const auto& [id, value] : mine)
          if (value != std::to_string(i++)) ++faults;
      }
    });
  }
  entries = {};
  CHECK(*stream->trim({.max_len = 0}) == 2000);
  stream.reset();
  for (auto& thread : threads) thread.join();
  CHECK(faults.load() == 0);
}

TEMPLATE_TEST_CASE("Stream: every value is destroyed once", "", Counted<true>, Counted<false>) {
  Census census;
  {
    Stream<TestType> stream;
    for (int i = 0; i < 3000; ++i) REQUIRE(stream.emplace(census, i));
    for (int i = 0; i < 10; ++i) REQUIRE(stream.add(TestType(census, i)));
    const TestType value(census, 5);
    REQUIRE(stream.add(value));
    REQUIRE(stream.add(Id{stream.last_id().ms + 5, 0}, value));
    std::vector<TestType> several;
    several.reserve(3000);
    for (int i = 0; i < 3000; ++i) several.emplace_back(census, i);
    REQUIRE(stream.add_range(several));
    several.clear();
    CHECK(census.alive() == 6012 + 1);
    CHECK(stream.erase(ids_of(stream.range(Id::min(), Id::max(), 500))) == 500);
    const auto pinned = stream.range(Id::min(), Id::max(), 10);
    CHECK(*stream.trim({.max_len = 100}) == 6012 - 600);
    CHECK(pinned.front().value.value() == 500);
    CHECK(error_of(stream.add(Id{1, 1}, value)) == Errc::id_too_small);
    stream.close();
    CHECK(error_of(stream.add(value)) == Errc::closed);
    CHECK(error_of(stream.add(TestType(census, 1))) == Errc::closed);
    CHECK(error_of(stream.emplace(census, 1)) == Errc::closed);
    CHECK(stream.size() == 100);
  }
  CHECK(census.sound());
  CHECK(census.alive() == 0);
}

TEMPLATE_TEST_CASE("Stream: what Entries hold lives as long as they do, the rest goes", "", Counted<true>,
                   Counted<false>) {
  Census census;
  Entries<TestType> kept;
  {
    Stream<TestType> stream;
    for (int i = 0; i < 20'000; ++i) REQUIRE(stream.emplace(census, i));
    kept = stream.range(Id::min(), Id::max(), 3);
    CHECK(*stream.trim({.max_len = 1}) == 19'999);
    CHECK(census.alive() >= 4);
  }
  CHECK(kept.size() == 3);
  CHECK(kept[2].value.value() == 2);
  CHECK(census.alive() >= 3);
  CHECK(census.alive() < 20'000);  // at most the pieces of memory that it shows
  kept = {};
  CHECK(census.sound());
  CHECK(census.alive() == 0);
}

TEMPLATE_TEST_CASE("Stream with a bound: what has left is destroyed while the stream goes on", "", Counted<true>,
                   Counted<false>) {
  Census census;
  {
    Stream<TestType> stream({.max_len = 10});
    std::size_t most = 0;
    for (int i = 0; i < 50'000; ++i) {
      REQUIRE(stream.emplace(census, i));
      if (i % 100 == 0) most = std::max(most, census.alive());
    }
    CHECK(most < 20'000);
  }
  CHECK(census.sound());
  CHECK(census.alive() == 0);
}

TEST_CASE("Stream: an empty one is small") { CHECK(sizeof(Stream<int>) <= 1024); }

}  // namespace stream_values_test
