// Who waits at lists, and for what, when others come: found by histories, reduced.
#include <chrono>
#include <cstddef>
#include <future>
#include <thread>
#include <vector>

#include <brook/blocking_list.hpp>

#include "../catch.hpp"

namespace list_waiting_test {

namespace {

using brook::BlockingList;
using brook::Errc;
using brook::forever;
using brook::Side;

template <class... Lists>
void until_waiting(std::size_t calls, const Lists&... lists) {
  while ((lists.info().waiting_poppers + ...) < calls) std::this_thread::yield();
}

}  // namespace

TEST_CASE("Popping none returns", "[blocking_list]") {
  BlockingList<int> list;
  CHECK(list.lpop(0).empty());
  list.rpush(1);
  CHECK(list.lpop(0).empty());
  CHECK(list.size() == 1);
}

TEST_CASE("An element goes on as long as somebody waits to move it", "[blocking_list]") {
  constexpr std::size_t each = 24;  // who is served goes on himself, but not all of them before the look that follows
  BlockingList<int> a, b;
  std::vector<std::future<brook::expected<int, Errc>>> movers;
  for (std::size_t i = 0; i < each; ++i) {
    movers.push_back(std::async(std::launch::async, [&] { return a.blmove(b, Side::left, Side::right, forever); }));
    movers.push_back(std::async(std::launch::async, [&] { return b.blmove(a, Side::left, Side::right, forever); }));
  }
  until_waiting(2 * each, a, b);
  a.rpush(7);
  const std::size_t waiting = a.info().waiting_poppers;
  CHECK(waiting == 0);
  CHECK(a.lpop() == 7);
  a.close();
  b.close();
  for (auto& mover : movers) CHECK(mover.get() == 7);
}

TEST_CASE("A move that waited and finds no room ends, and who waits behind it is served", "[blocking_list]") {
  BlockingList<int> from;
  BlockingList<int> full({.capacity = 1});
  full.rpush(1);
  auto mover = std::async(std::launch::async, [&] { return from.blmove(full, Side::left, Side::right, forever); });
  until_waiting(1, from);
  auto popper = std::async(std::launch::async, [&] { return from.blpop(forever); });
  until_waiting(2, from);
  from.rpush(7);
  CHECK(mover.get().error() == Errc::full);
  CHECK(popper.get() == 7);
}

TEST_CASE("A call that waits at several lists gets from one of them", "[blocking_list]") {
  for (int i = 0; i < 200; ++i) {
    BlockingList<int> a, b;
    auto popper = std::async(std::launch::async, [&] { return brook::blmpop(forever, Side::left, 2, a, b); });
    until_waiting(2, a, b);
    std::thread other([&] { a.rpush(1); });
    b.rpush(2);
    other.join();
    const auto got = popper.get();
    REQUIRE(got.has_value());
    CHECK(got->values == std::vector{got->index == 0 ? 1 : 2});
    CHECK(a.size() + b.size() == 1);
  }
}

}  // namespace list_waiting_test
