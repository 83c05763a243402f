// select_types_test.cpp — select() and completions with values of any kind: that throw, that only move, that are large.
#include <brook/select.hpp>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_types_test {

namespace {

using namespace brook;
using namespace brook::test;

// Tells when it is copied.
struct Told {
  static inline std::function<void()> copied{};

  explicit Told(int value) : number(value) {}
  Told(const Told& other) : number(other.number) {
    if (copied) copied();
  }
  Told(Told&&) noexcept = default;
  Told& operator=(const Told&) = delete;
  Told& operator=(Told&&) noexcept = default;
  ~Told() = default;
  [[nodiscard]] int value() const { return number; }
  int number;
};

}  // namespace

TEST_CASE("Select: an element of any kind of type, now and later") {
  const auto check = [](auto sample) {
    using T = decltype(sample);
    SoleClock clock;
    BlockingList<T> list({.clock = &clock});
    BlockingList<T> other({.clock = &clock});
    CHECK(list.rpush(T(1)));
    CHECK(told(select(Wait(), other, list)) == "1: 1");
    clock.meanwhile.emplace_back([&] { CHECK(list.rpush(T(2))); });
    CHECK(told(select(forever, other, list)) == "1: 2");
    clock.meanwhile.emplace_back([&] {
      CHECK(list.rpush(T(3)));
      CHECK(list.rpush(T(4)));
    });
    CHECK(told(select(forever, from(list, Side::left, 5), other)) == "0: 3");
    CHECK(told(select(forever, from(list, Side::left, 5))) == "4");
  };
  check(MoveOnly(0));
  check(Large(0));
  check(Constant(0));
  check(Fussy<true>(0));
  struct Kilobyte {
    explicit Kilobyte(int n) : number(n) {}
    [[nodiscard]] int value() const { return number == rest[100] - 1 ? number : -1; }
    int number;
    std::array<int, 255> rest = [this] {
      std::array<int, 255> all{};
      all.fill(number + 1);
      return all;
    }();
  };
  check(Kilobyte(0));
}

TEST_CASE("Select: what it does not take is destroyed once, and nothing of it is left behind") {
  Census census;
  {
    SoleClock clock;
    BlockingList<Counted<>> list({.clock = &clock});
    Channel<Counted<>> channel({.clock = &clock});
    Stream<Counted<>> stream({.clock = &clock});
    auto sub = channel.subscribe();
    clock.meanwhile.emplace_back([&] {
      CHECK(list.rpush(Counted<>(census, 1)));
      CHECK(channel.publish(Counted<>(census, 2)) == 1);
      CHECK(stream.add(Counted<>(census, 3)));
    });
    {
      const auto got = select(forever, list, sub, from(stream, earliest));
      REQUIRE(got);
      CHECK(got->index() == 0);
      CHECK(census.alive() == 3);
    }
    CHECK(census.alive() == 2);
    CHECK(told(select(forever, list, sub, from(stream, earliest))) == "1: 2");
    CHECK(told(select(forever, list, sub, from(stream, earliest))).substr(0, 1) == "2");
  }
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("Select: a copy that throws moves nothing") {
  using Item = Fussy<true>;
  SoleClock clock;
  BlockingList<Item> a({.clock = &clock}), b({.clock = &clock}), c({.clock = &clock});
  const auto waits = [&] { return told(select(forever, c, moving(a, b, Side::left, Side::right))); };
  SECTION("of who asks") {
    REQUIRE(a.rpush(Item(1)));
    Item::fuse = 1;
    CHECK_THROWS_AS(waits(), Item::Thrown);
    CHECK(a.size() == 1);
    CHECK(b.empty());
    CHECK(waits() == "1: 1");
  }
  SECTION("of who pushes, which does not hear of it") {
    clock.meanwhile.emplace_back([&] {
      Item item(1);
      Item::fuse = 1;
      CHECK(a.rpush(std::move(item)));
      CHECK(Item::fuse == 0);
    });
    CHECK(waits() == "1: 1");
  }
  CHECK(a.empty());
  CHECK(b.size() == 1);
  CHECK(a.info().waiting_poppers + c.info().waiting_poppers == 0);
}

TEST_CASE("Completion: elements of any kind of type") {
  const auto check = [](auto sample) {
    using T = decltype(sample);
    SoleClock clock;
    std::vector<std::string> log;
    const auto handler = [&](const auto& got) { log.push_back(told(got)); };
    BlockingList<T> list({.clock = &clock}), other({.clock = &clock});
    on_ready(handler, forever, other, list);
    on_ready(handler, forever, from(list, Side::left, 2), other);
    CHECK(list.remplace(1));
    CHECK(list.remplace(0));
    CHECK(log == Texts{"1: 1", "0: 0"});
  };
  check(MoveOnly(0));
  check(Large(0));
  check(Constant(0));
  check(false);
}

TEST_CASE(
    "Completion: a copy that throws, also when it looks for itself, moves nothing, and the handler learns of it") {
  SoleClock clock;
  BlockingList<Told> a({.clock = &clock}), b({.clock = &clock}), c({.clock = &clock});
  std::vector<std::string> log;
  on_ready([&](const auto& got) { log.push_back(told(got)); }, forever, c, moving(a, b, Side::left, Side::right));
  Told::copied = [] { throw std::logic_error("cannot be copied"); };
  CHECK(a.remplace(1));
  Told::copied = nullptr;
  CHECK(log == std::vector{told(Errc::exception)});
  CHECK(a.size() == 1);
  CHECK(b.empty());
  CHECK(a.info().waiting_poppers + c.info().waiting_poppers == 0);
}

TEST_CASE("Select: who waits for a group is not passed while something else decides about it") {
  SoleClock clock;
  BlockingList<Told> from_list({.clock = &clock}), to_list({.clock = &clock});
  Stream<int> stream({.clock = &clock, .spin = 0us});
  const auto group = stream.create_group("g").value();
  std::vector<std::string> log;
  on_ready([&](const auto& got) { log.push_back(told(got)); }, forever, group.consumer("first"),
           moving(from_list, to_list, Side::left, Side::left));
  std::string meanwhile;
  Told::copied = [&] {  // which the list decides about, and then it cannot be
    if (meanwhile.empty()) {
      CHECK(stream.add(1));
      meanwhile = told(group.consumer("second").read({.count = 1, .block = 1s})) + "|" +
                  told(select(1s, from(group.consumer("third"), {.count = 1})));
    }
    throw std::logic_error("cannot be copied");
  };
  CHECK(from_list.remplace(5));
  Told::copied = nullptr;
  CHECK(meanwhile == "|" + told(Errc::timed_out));
  CHECK(log == std::vector<std::string>{"0: 1"});
  CHECK(from_list.size() == 1);
}

}  // namespace select_types_test
