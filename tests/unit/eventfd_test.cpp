// eventfd_test.cpp — a descriptor that is readable while there may be something to take.
#ifdef __linux__
#include <brook/adapters/eventfd.hpp>

#include <array>
#include <optional>
#include <string>
#include <variant>

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <brook/brook.hpp>
#include <brook/testing.hpp>

#include "../catch.hpp"
#include "list_support.hpp"

namespace eventfd_test {

namespace {

using namespace brook;
using namespace brook::test;

bool readable(int fd) {
  pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, 0) == 1;
}

// Takes until there is nothing more for now.
template <class Ready>
Ints taken(Ready& ready) {
  Ints values;
  while (const auto value = ready.take()) values.push_back(*value);
  return values;
}

}  // namespace

TEST_CASE("ReadyFd: readable while there may be something") {
  BlockingList<int> list;
  REQUIRE(list.rpush({1, 2}));
  ReadyFd ready(list);
  CHECK(readable(ready.fd()));
  CHECK(ready.take() == 1);
  CHECK(readable(ready.fd()));
  CHECK(ready.take() == 2);
  CHECK(ready.take().error() == Errc::timed_out);
  CHECK(!readable(ready.fd()));
  CHECK(ready.take().error() == Errc::timed_out);
  CHECK(!readable(ready.fd()));
  REQUIRE(list.rpush({3, 4, 5}));
  CHECK(readable(ready.fd()));
  CHECK(list.lpop() == 4);  // 3 is set aside
  CHECK(taken(ready) == Ints{3, 5});
  CHECK(!readable(ready.fd()));
  list.close();
  CHECK(readable(ready.fd()));
  CHECK(ready.take().error() == Errc::closed);
  CHECK(ready.take().error() == Errc::closed);
  CHECK(readable(ready.fd()));
}

TEST_CASE("ReadyFd: an edge-triggered loop is told once for each time that there was nothing") {
  BlockingList<int> list;
  ReadyFd ready(list);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = ready.fd()}};
  REQUIRE(::epoll_ctl(epoll, EPOLL_CTL_ADD, ready.fd(), &event) == 0);
  const auto told = [&] { return ::epoll_wait(epoll, &event, 1, 0); };
  CHECK(told() == 1);
  for (int i = 0; i < 3; ++i) {
    CHECK(taken(ready).empty());
    CHECK(told() == 0);
    REQUIRE(list.rpush(1));
    REQUIRE(list.rpush(2));
    CHECK(told() == 1);
    CHECK(taken(ready) == Ints{1, 2});
  }
  ::close(epoll);
}

TEST_CASE("ReadyFd: an edge-triggered loop is told of what follows something that a probe has dropped") {
  Faults faults;
  BlockingList<int> list({.probe = &faults});
  ReadyFd ready(list);
  const int epoll = ::epoll_create1(0);
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}}, told{};
  REQUIRE(::epoll_ctl(epoll, EPOLL_CTL_ADD, ready.fd(), &event) == 0);
  CHECK(::epoll_wait(epoll, &told, 1, 0) == 1);
  CHECK(taken(ready).empty());
  const Rule rule = faults.drop({.operation = Operation::pop, .times = 2});
  REQUIRE(list.rpush(1));
  CHECK(::epoll_wait(epoll, &told, 1, 0) == 1);
  CHECK(taken(ready) == Ints{1});
  CHECK(rule.hits() == 2);
  static_cast<void>(::epoll_wait(epoll, &told, 1, 0));  // it may have been told meanwhile
  REQUIRE(list.rpush(2));
  CHECK(::epoll_wait(epoll, &told, 1, 0) == 1);
  CHECK(taken(ready) == Ints{2});
  ::close(epoll);
}

TEST_CASE("ReadyFd: it stands in line with those who wait") {
  BlockingList<int> list;
  ReadyFd first(list);
  ReadyFd second(list);
  CHECK(taken(first).empty());
  CHECK(taken(second).empty());
  REQUIRE(list.rpush(1));
  CHECK(readable(first.fd()));
  CHECK(!readable(second.fd()));
  REQUIRE(list.rpush(2));
  CHECK(readable(second.fd()));
  CHECK(taken(second) == Ints{2});
  CHECK(taken(first) == Ints{1});
}

TEST_CASE("ReadyFd: what was set aside is not lost when it is destroyed") {
  BlockingList<int> list;
  Channel<int> channel;
  auto subscription = channel.subscribe();
  std::optional<ReadyFd<selection::SourceOf<BlockingList<int>&>, selection::SourceOf<Subscription<int>&>>> ready;
  ready.emplace(list, subscription);
  CHECK(ready->take().error() == Errc::timed_out);
  SECTION("nothing came") {}
  SECTION("an element") {
    REQUIRE(list.rpush({1, 2}));
    CHECK(all(list) == Ints{2});
  }
  SECTION("a message") { REQUIRE(channel.publish(7)); }
  const bool message = subscription.waiting() == 0 && readable(ready->fd()) && list.empty();
  const std::size_t elements = list.empty() ? 0 : 2;
  ready.reset();
  CHECK(list.size() == elements);
  CHECK(list.info().waiting_poppers == 0);
  CHECK(subscription.try_receive().has_value() == message);
}

TEST_CASE("ReadyFd: of a stream each entry once, from where it began") {
  Stream<int> stream;
  Stream<int> other;
  REQUIRE(stream.add(1));
  ReadyFd all_of_one(from(stream, earliest, 2));
  ReadyFd news(from(stream, latest), from(other, earliest));
  const auto values = [&] {
    const auto entries = all_of_one.take();
    return entries ? values_of(*entries) : Ints{};
  };
  REQUIRE(stream.add(2));
  REQUIRE(stream.add(3));
  CHECK(values() == Ints{1, 2});
  CHECK(values() == Ints{3});
  CHECK(values().empty());
  REQUIRE(stream.add(4));
  CHECK(values() == Ints{4});
  const auto entries = news.take();
  REQUIRE(entries);
  CHECK(values_of(std::get<0>(*entries)) == Ints{2, 3, 4});
  CHECK(news.take().error() == Errc::timed_out);
  REQUIRE(other.add(5));
  CHECK(readable(news.fd()));
  CHECK(values_of(std::get<1>(news.take().value())) == Ints{5});
  CHECK(news.take().error() == Errc::timed_out);
}

TEST_CASE("ReadyFd: it outlives its sources") {
  std::optional<BlockingList<int>> list(std::in_place);
  ReadyFd ready(*list);
  CHECK(ready.take().error() == Errc::timed_out);
  list.reset();
  CHECK(readable(ready.fd()));
  CHECK(ready.take().error() == Errc::closed);
}

TEST_CASE("ReadyFd: what taking throws leaves the descriptor readable") {
  using Value = Fussy<true>;
  BlockingList<Value> from_here;
  BlockingList<Value> to_there;
  REQUIRE(from_here.remplace(1));
  ReadyFd ready(moving(from_here, to_there, Side::left, Side::right));
  Value::fuse = 1;
  CHECK_THROWS_AS(ready.take(), Value::Thrown);
  Value::fuse = 0;
  CHECK(readable(ready.fd()));
  CHECK(ready.take()->value() == 1);
  CHECK(to_there.size() == 1);
}

}  // namespace eventfd_test

#endif
