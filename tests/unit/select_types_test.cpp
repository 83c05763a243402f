// select_types_test.cpp — select() and completions with values of any kind: that throw, that only move, that are large.
#include <brook/select.hpp>

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace {

using namespace brook;
using namespace brook::test;

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

TEST_CASE("Select: room, for what is to be added, pushed, published") {
  SoleClock clock;
  BlockingList<int> a({.clock = &clock});
  Stream<MoveOnly> stream({.capacity = 1, .clock = &clock});
  BlockingList<MoveOnly> list({.capacity = 1, .clock = &clock});
  Channel<MoveOnly> channel({.clock = &clock, .spin = 0us});
  auto sub = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  MoveOnly added(1), pushed(2), published(3);
  const auto all = [&](const Wait& wait) {
    const auto done = select(wait, a, into(stream, std::move(added)), into(list, std::move(pushed)),
                             into(channel, std::move(published)));
    return done ? std::to_string(done->index()) : told(done.error());
  };
  const auto values = [&] { return Ints{added.value(), pushed.value(), published.value()}; };
  CHECK(all({}) == "1");
  CHECK(all({}) == "2");
  CHECK(all({}) == "3");
  CHECK(values() == Ints(3, -1));
  added = MoveOnly(4), pushed = MoveOnly(5), published = MoveOnly(6);
  CHECK(all({}) == told(Errc::timed_out));
  CHECK(all(1s) == told(Errc::timed_out));
  CHECK(values() == Ints{4, 5, 6});
  CHECK(list.info().waiting_pushers == 0);
  const std::function<void()> room[] = {[&] { CHECK(stream.trim({.max_len = 0}) == 1U); },
                                        [&] { CHECK(list.lpop()->value() == 2); }, [&] { CHECK(sub.receive(Wait())); },
                                        [&] { CHECK(a.rpush(9)); }};
  SECTION("in a stream") {
    clock.meanwhile = {room[0]};
    CHECK(all(forever) == "1");
    CHECK(values() == Ints{-1, 5, 6});
  }
  SECTION("in a list") {
    clock.meanwhile = {room[1]};
    CHECK(all(forever) == "2");
    CHECK(values() == Ints{4, -1, 6});
    CHECK(list.lpop()->value() == 5);
  }
  SECTION("in a backlog") {
    clock.meanwhile = {room[2]};
    CHECK(all(forever) == "3");
    CHECK(values() == Ints{4, 5, -1});
  }
  SECTION("beside something that is taken") {
    clock.meanwhile = {room[3]};
    CHECK(all(forever) == "0");
    CHECK(values() == Ints{4, 5, 6});
    for (const auto& make : room) make();
    CHECK(all({}) == "0");
    CHECK(values() == Ints{4, 5, 6});
  }
  SECTION("nowhere any more") {
    clock.meanwhile = {[&] { stream.close(); }, [&] { channel.close(); }, [&] { a.close(); }, [&] { list.close(); }};
    CHECK(all(forever) == told(Errc::closed));
    CHECK(values() == Ints{4, 5, 6});
    CHECK(list.size() == 1);
  }
  CHECK(a.info().waiting_poppers + list.info().waiting_pushers == 0);
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
