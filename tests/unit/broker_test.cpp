#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/select.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace broker_test {

namespace {

using namespace brook;
using namespace brook::test;

struct Order {
  int number = 0;
};

template <class T>
std::optional<Errc> name_error(const expected<T, NameError>& result) {
  return result ? std::optional<Errc>() : result.error().code();
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("Broker: an object is made when its name is first asked for") {
  Broker broker;
  CHECK_FALSE(broker.exists("orders"));
  const auto orders = broker.stream<Order>("orders");
  REQUIRE(orders);
  CHECK(broker.exists("orders"));
  REQUIRE((*orders)->add(Order{7}));
  CHECK((*broker.stream<Order>("orders"))->size() == 1);
  CHECK(broker.stream<Order>("orders")->get() == orders->get());

  REQUIRE((*broker.list<int>("jobs"))->rpush(1));
  CHECK((*broker.list<int>("jobs"))->size() == 1);
  auto tick = (*broker.channel<int>("ticks"))->subscribe();
  CHECK((*broker.channel<int>("ticks"))->publish(3) == 1);
  CHECK(**tick.receive(Wait()) == 3);
  auto news = (*broker.pubsub<int>("news"))->subscribe("a");
  CHECK((*broker.pubsub<int>("news"))->publish("a", 4) == 1);
}

TEST_CASE("Broker: options are those of who makes the object") {
  Broker broker;
  const auto jobs = *broker.list<int>("jobs", {.capacity = 1});
  CHECK(*broker.list<int>("jobs", {.capacity = 5}) == jobs);
  CHECK(jobs->info().capacity == 1);
}

TEST_CASE("Broker: a name that holds something else says what") {
  Broker broker;
  REQUIRE(broker.stream<int>("x"));
  CHECK(name_error(broker.stream<long>("x")) == Errc::wrong_type);
  const auto list = broker.list<int>("x");
  REQUIRE_FALSE(list);
  CHECK(list.error() == Errc::wrong_type);
  CHECK(list.error().message() == "'x' is a stream of int, not a list of int");
  CHECK(name_error(broker.channel<int>("x")) == Errc::wrong_type);
  CHECK(name_error(broker.pubsub<int>("x")) == Errc::wrong_type);
  CHECK(broker.type("x") == "stream of int");
  CHECK_FALSE(broker.type("y"));
}

TEST_CASE("Broker: types of elements are called what a program calls them") {
  Broker broker;
  REQUIRE(broker.stream<std::string>("text"));
  REQUIRE(broker.list<std::vector<std::string>>("nested"));
  REQUIRE(broker.channel<std::map<std::string, std::optional<std::string_view>>>("views"));
  REQUIRE(broker.pubsub<std::chrono::system_clock::time_point>("times"));
  CHECK(broker.type("text") == "stream of std::string");
  CHECK(broker.type("nested") == "list of std::vector<std::string>");
  CHECK(broker.type("views") == "channel of std::map<std::string, std::optional<std::string_view>>");
  CHECK(broker.type("times").value().starts_with("pubsub of std::chrono::time_point<std::chrono::system_clock"));
  CHECK(broker.stream<std::vector<std::string>>("text").error().message() ==
        "'text' is a stream of std::string, not a stream of std::vector<std::string>");
  CHECK(broker.info().front().element_type == "std::vector<std::string>");

  const std::string_view older_libcxx =
      "std::__1::basic_string<char, std::__1::char_traits<char>, std::__1::allocator<char> >";
  CHECK(broker::as_written(older_libcxx) == "std::string");
}

TEST_CASE("Broker: names by pattern, in byte order") {
  Broker broker;
  for (const char* name : {"b", "a", "job:2", "job:1", ""}) REQUIRE(broker.list<int>(name));
  CHECK(broker.keys() == Strings{"", "a", "b", "job:1", "job:2"});
  CHECK(broker.keys("job:*") == Strings{"job:1", "job:2"});
  CHECK(broker.keys("?") == Strings{"a", "b"});
  CHECK(broker.keys("x*").empty());
}

TEST_CASE("Broker: erasing a name does not pull the object from under who uses it") {
  Broker broker;
  const auto jobs = *broker.list<int>("jobs");
  REQUIRE(jobs->rpush(1));
  CHECK(broker.erase("jobs"));
  CHECK_FALSE(broker.erase("jobs"));
  CHECK_FALSE(broker.exists("jobs"));
  CHECK(jobs->lpop() == 1);
  CHECK_FALSE(jobs->closed());
  CHECK(*broker.list<int>("jobs") != jobs);
}

TEST_CASE("Broker: a completion's handler may make one, erase names of it, and destroy it") {
  BlockingList<int> list;
  const auto watched = std::make_shared<int>(1);
  bool called = false;
  on_ready(
      [&](const auto& taken) {
        called = taken.has_value();
        Broker broker;
        for (const char* name : {"a", "b", "c"}) static_cast<void>(broker.list<int>(name));
        (*broker.list<std::shared_ptr<int>>("watched"))->rpush(watched);
        CHECK(broker.erase("b"));
      },
      forever, list);
  list.rpush(1);
  CHECK(called);
  CHECK(watched.use_count() == 1);
}

TEST_CASE("Broker: an object goes when neither a name nor anybody has it") {
  const auto alive = std::make_shared<int>(0);
  Broker broker;
  REQUIRE((*broker.list<std::shared_ptr<int>>("x"))->rpush(alive));
  CHECK(alive.use_count() == 2);
  SECTION("erased") { CHECK(broker.erase("x")); }
  SECTION("overwritten") {
    REQUIRE(broker.list<int>("y"));
    REQUIRE(broker.rename("y", "x"));
    CHECK(broker.type("x") == "list of int");
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("Broker: renaming") {
  Broker broker;
  const auto jobs = *broker.list<int>("jobs");
  REQUIRE(broker.rename("jobs", "work"));
  CHECK_FALSE(broker.exists("jobs"));
  CHECK(*broker.list<int>("work") == jobs);
  CHECK(error_of(broker.rename("jobs", "work")) == Errc::no_such_key);
  REQUIRE(broker.rename("work", "work"));
  CHECK(*broker.list<int>("work") == jobs);
  REQUIRE(broker.stream<int>("other"));
  REQUIRE(broker.rename("work", "other"));
  CHECK(broker.keys() == Strings{"other"});
  CHECK(*broker.list<int>("other") == jobs);
}

TEST_CASE("Broker: a name that expires") {
  WatchedClock clock;
  Broker broker({.clock = &clock});
  const auto jobs = *broker.list<int>("jobs");
  CHECK_FALSE(broker.expire_after("nothing", 1s));
  CHECK(error_of(broker.expires_in("nothing")) == Errc::no_such_key);
  CHECK(*broker.expires_in("jobs") == std::nullopt);

  REQUIRE(broker.expire_after("jobs", 1500ms));
  CHECK(*broker.expires_in("jobs") == 1500ms);
  clock.advance(1499ms);
  CHECK(broker.exists("jobs"));
  CHECK(*broker.expires_in("jobs") == 1ms);
  SECTION("goes, and then another object has it") {
    clock.advance(1ms);
    CHECK_FALSE(broker.exists("jobs"));
    CHECK_FALSE(broker.type("jobs"));
    CHECK(broker.keys().empty());
    CHECK(broker.info().empty());
    CHECK_FALSE(broker.erase("jobs"));
    CHECK(error_of(broker.rename("jobs", "x")) == Errc::no_such_key);
    CHECK(*broker.list<int>("jobs") != jobs);
    CHECK(*broker.expires_in("jobs") == std::nullopt);
  }
  SECTION("has no time left then") {
    clock.advance(1ms);
    CHECK(error_of(broker.expires_in("jobs")) == Errc::no_such_key);
  }
  SECTION("or stays after all") {
    REQUIRE(broker.persist("jobs"));
    clock.advance(1h);
    CHECK(*broker.list<int>("jobs") == jobs);
    CHECK_FALSE(broker.persist("nothing"));
  }
  SECTION("with its new name") {
    REQUIRE(broker.rename("jobs", "work"));
    clock.advance(1ms);
    CHECK_FALSE(broker.exists("work"));
  }
  SECTION("or at once") {
    REQUIRE(broker.expire_after("jobs", 0ms));
    CHECK_FALSE(broker.exists("jobs"));
  }
}

TEST_CASE("Broker: its clock is that of its objects, unless they name one") {
  WatchedClock clock(5000ms);
  WatchedClock other(9000ms);
  Broker broker({.clock = &clock});
  CHECK((*broker.stream<int>("a"))->add(1)->ms == 5000);
  CHECK((*broker.stream<int>("b", {.clock = &other}))->add(1)->ms == 9000);
}

TEST_CASE("Broker: what it tells of all objects") {
  Broker broker;
  REQUIRE((*broker.stream<int>("s"))->add(1));
  REQUIRE((*broker.list<std::string>("l"))->rpush("x"));
  (*broker.list<std::string>("l"))->close();
  REQUIRE(broker.channel<int>("c"));
  const auto infos = broker.info();
  REQUIRE(infos.size() == 3);
  CHECK(infos[0].name == "c");
  CHECK(to_string(infos[0].kind) == "channel");
  CHECK(infos[1].name == "l");
  CHECK(infos[1].size == 1);
  CHECK(infos[1].closed);
  CHECK(infos[2].name == "s");
  CHECK(infos[2].element_type == "int");
  CHECK(infos[2].size == 1);
  CHECK_FALSE(infos[2].closed);
}

TEST_CASE("Broker: closing it closes everything that has a name, and what is there can be drained") {
  WatchedClock clock;
  Broker broker({.clock = &clock});
  const auto jobs = *broker.list<int>("jobs");
  REQUIRE(jobs->rpush(1));
  const auto empty = *broker.list<int>("empty");
  std::thread waiting([&] {
    if (error_of(empty->blpop(forever)) != Errc::closed) std::abort();
  });
  clock.wait_for_sleepers(1);
  broker.close();
  waiting.join();
  CHECK(broker.closed());
  CHECK(jobs->lpop() == 1);
  CHECK(*broker.list<int>("jobs") == jobs);
  CHECK(name_error(broker.list<int>("more")) == Errc::closed);
  broker.close();
}

TEST_CASE("Broker: names are looked up without the lock, those that there are and those that there are not") {
  Broker broker;
  const auto list = *broker.list<int>("jobs");
  const broker::Contents all(broker);  // has the lock
  CHECK(*broker.list<int>("jobs") == list);
  CHECK(broker.exists("jobs"));
  CHECK(broker.type("jobs") == "list of int");
  CHECK_FALSE(broker.exists("another"));
  CHECK_FALSE(broker.type("another"));
  CHECK(error_of(broker.expires_in("another")) == Errc::no_such_key);
}

TEST_CASE("Broker: many names that come and go") {
  Broker broker;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 500; ++i) REQUIRE(broker.list<int>("n" + std::to_string(i)));
    CHECK(broker.keys().size() == 500);
    for (int i = 0; i < 500; ++i) CHECK(broker.erase("n" + std::to_string(i)));
    CHECK(broker.keys().empty());
  }
}

TEST_CASE("Broker: threads that ask for the same names get the same objects") {
  Broker broker;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 300; ++k) {
        const auto list = broker.list<int>("list " + std::to_string(k));
        if (!list || !(*list)->rpush(1)) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int k = 0; k < 300; ++k) CHECK((*broker.list<int>("list " + std::to_string(k)))->size() == 4);
}

TEST_CASE("Broker: a name that is moved to and fro is always somewhere") {
  Broker broker;
  REQUIRE(broker.list<int>("a"));
  std::atomic<bool> done{false};
  std::atomic<int> lost{0};
  std::thread mover([&] {
    for (int i = 0; i < 2000; ++i) {
      if (!broker.rename("a", "b") || !broker.rename("b", "a")) ++lost;
    }
    done = true;
  });
  while (!done) static_cast<void>(broker.exists("a") || broker.exists("b"));
  mover.join();
  CHECK(lost == 0);
  CHECK(broker.keys() == Strings{"a"});
}

}  // namespace broker_test
