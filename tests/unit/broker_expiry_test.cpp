// broker_expiry_test.cpp — names of a broker that go by themselves, and what becomes of their objects.
#include <brook/broker.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/testing.hpp>

#include "../catch.hpp"
#include "select_support.hpp"

namespace broker_expiry_test {

namespace {

using namespace brook;
using namespace brook::test;

// Calls a function when it is destroyed.
struct AtEnd {
  explicit AtEnd(std::function<void()> what) : end(std::make_shared<Call>(std::move(what))) {}
  struct Call {
    explicit Call(std::function<void()> what) : function(std::move(what)) {}
    ~Call() { function(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    std::function<void()> function;
  };
  std::shared_ptr<Call> end;
};

}  // namespace

TEST_CASE("Broker: an object goes when its name expires, though nobody asks for it") {
  ManualClock clock;
  Broker broker({.clock = &clock});
  const std::weak_ptr<Stream<int>> early = *broker.stream<int>("early");
  const std::weak_ptr<Stream<int>> late = *broker.stream<int>("late");
  const std::weak_ptr<Stream<int>> persistent = *broker.stream<int>("persistent");
  const std::shared_ptr<Stream<int>> held = *broker.stream<int>("held");
  REQUIRE(broker.expire_after("late", 3s));
  REQUIRE(broker.expire_after("early", 1s));
  REQUIRE(broker.expire_after("persistent", 2s));
  REQUIRE(broker.expire_after("held", 2s));
  REQUIRE(broker.persist("persistent"));

  clock.advance(1s - 1ns);
  CHECK_FALSE(early.expired());
  clock.advance(1ns);
  CHECK(early.expired());
  clock.advance(1s);
  CHECK_FALSE(late.expired());
  CHECK(broker.keys() == std::vector<std::string>{"late", "persistent"});
  CHECK(held->add(1));  // as of one that was erased
  clock.advance(1s);
  CHECK(late.expired());
  clock.advance(1h);
  CHECK_FALSE(persistent.expired());
}

TEST_CASE("Broker: when a name expires goes with the object, not with the name") {
  ManualClock clock;
  Broker broker({.clock = &clock});
  const std::weak_ptr<Stream<int>> first = *broker.stream<int>("a");
  REQUIRE(broker.expire_after("a", 1s));
  REQUIRE(broker.expire_after("a", 5s));
  REQUIRE(broker.rename("a", "b"));
  REQUIRE(broker.stream<int>("a"));
  clock.advance(4s);
  CHECK(broker.keys() == std::vector<std::string>{"a", "b"});
  clock.advance(1s);
  CHECK(first.expired());
  CHECK(broker.keys() == std::vector<std::string>{"a"});

  REQUIRE(broker.expire_after("a", 1s));
  REQUIRE(broker.stream<int>("c"));
  REQUIRE(broker.rename("c", "a"));  // which replaces it
  clock.advance(1h);
  CHECK(broker.keys() == std::vector<std::string>{"a"});
  REQUIRE(broker.expire_after("a", 1s));
  REQUIRE(broker.erase("a"));
  REQUIRE(broker.stream<int>("a"));
  clock.advance(1h);
  CHECK(broker.exists("a"));
}

TEST_CASE("Broker: who ends with an object that expires may use the broker, and destroy it") {
  SoleClock clock;
  auto broker = std::make_unique<Broker>(BrokerOptions{.clock = &clock});
  std::string story;
  const auto put = [&](const std::string& name, std::chrono::seconds after, std::function<void()> what) {
    REQUIRE((*broker->list<AtEnd>(name))->rpush(AtEnd(std::move(what))));
    REQUIRE(broker->expire_after(name, after));
  };
  put("a", 1s, [&] {
    story += "a ";
    REQUIRE(broker->list<int>("b"));
    REQUIRE(broker->expire_after("b", 1s));
    CHECK(broker->erase("c"));
    CHECK_FALSE(broker->exists("a"));
  });
  put("c", 1h, [&] { story += "c "; });
  put("d", 3s, [&] {
    story += "d ";
    broker.reset();
  });
  put("e", 3s, [&] { story += "e "; });
  clock.advance(1s);
  CHECK(story == "a c ");
  CHECK(broker->keys() == std::vector<std::string>{"b", "d", "e"});
  clock.advance(1s);
  CHECK(broker->keys() == std::vector<std::string>{"d", "e"});
  clock.advance(1h);
  CHECK(story.substr(4).size() == 4);
  CHECK(story.find("d ") != story.npos);
  CHECK(story.find("e ") != story.npos);
  CHECK(broker == nullptr);
  CHECK(clock.timers() == 0);
}

TEST_CASE("Broker: the clock has nothing of a broker that is gone, or whose names do not expire any more") {
  SoleClock clock;
  {
    Broker broker({.clock = &clock});
    REQUIRE(broker.list<int>("a"));
    CHECK(clock.timers() == 0);
    REQUIRE(broker.expire_after("a", 1h));
    CHECK(clock.timers() == 1);
    REQUIRE(broker.persist("a"));
    CHECK(clock.timers() == 0);
    REQUIRE(broker.expire_after("a", 1h));
    CHECK(clock.timers() == 1);
  }
  CHECK(clock.timers() == 0);
}

TEST_CASE("Broker: names that expire while threads make, rename and erase them") {
  ManualClock clock;
  Broker broker({.clock = &clock});
  constexpr int names = 20;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 1000; ++i) {
        const std::string name = "n" + std::to_string((i * 7 + thread) % names);
        static_cast<void>(broker.list<int>(name));
        static_cast<void>(broker.expire_after(name, std::chrono::milliseconds(1 + i % 3)));
        if (i % 5 == thread) static_cast<void>(broker.rename(name, "n" + std::to_string(i % names)));
        if (i % 7 == thread) static_cast<void>(broker.persist(name));
        if (i % 9 == thread) static_cast<void>(broker.erase(name));
        if (thread == 0) clock.jump(1ms);
      }
    });
  }
  threads.clear();
  for (int i = 0; i < names; ++i) static_cast<void>(broker.expire_after("n" + std::to_string(i), 1s));
  const std::vector<std::weak_ptr<BlockingList<int>>> objects = [&] {
    std::vector<std::weak_ptr<BlockingList<int>>> all;
    for (const std::string& name : broker.keys()) all.emplace_back(*broker.list<int>(name));
    return all;
  }();
  clock.advance(1s);
  CHECK(broker.keys().empty());
  CHECK(std::ranges::all_of(objects, [](const auto& object) { return object.expired(); }));
}

TEST_CASE("Broker: what a name holds is told whole, whatever the type is called") {
  struct Local {};
  Broker broker;
  REQUIRE(broker.list<int[2]>("array"));
  CHECK(broker.type("array").value().substr(0, 11) == "list of int");
  CHECK(broker.type("array").value().find("[2]") != std::string::npos);
  REQUIRE(broker.list<Local>("local"));
  CHECK(broker.type("local").value().find("Local") != std::string::npos);
  CHECK(broker.type("local").value().find("string_view") == std::string::npos);
}

}  // namespace broker_expiry_test
