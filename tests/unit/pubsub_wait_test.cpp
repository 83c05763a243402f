// pubsub_wait_test.cpp — calls that wait for messages, or for room, while subscriptions come, go and change.
#include <brook/pubsub.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <initializer_list>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "pubsub_support.hpp"

namespace pubsub_wait_test {

namespace {

using namespace brook;
using namespace brook::test;

using Got = std::future<std::string>;
using Published = std::future<expected<std::size_t, Errc>>;

// A PubSub whose blocked calls sleep on a clock that the test moves.
struct Scene {
  WatchedClock clock{};
  PubSub<int> hub{{.shards = 2, .clock = &clock}};
  std::size_t waiting = 0;

  /// A call on a thread of its own; returns when it sleeps.
  template <class Call>
  auto blocked(Call call) {
    auto future = on_a_thread(std::move(call));
    clock.wait_for_sleepers(++waiting);
    return future;
  }
  Got receiving(TopicSubscription<int>& sub, const Wait& wait = forever) {
    return blocked([&sub, wait] { return shown(sub.receive(wait)); });
  }
  Published publishing(std::string name, int value, const Wait& wait = forever) {
    return blocked([this, name = std::move(name), value, wait] { return hub.publish(name, value, wait); });
  }
};

std::string text(Errc error) { return std::string(message(error)); }

// The same interest for others, or nobody.
std::vector<TopicSubscription<int>> others(Scene& scene, std::initializer_list<std::string_view> names) {
  std::vector<TopicSubscription<int>> subs;
  if (GENERATE(false, true)) {
    for (int i = 0; i < 2; ++i) subs.push_back(scene.hub.subscribe(names));
  }
  return subs;
}

}  // namespace

TEST_CASE("PubSub wait: a blocked receive gets what is published") {
  Scene scene;
  const auto& [here, there] = two_parts();
  auto sub = scene.hub.subscribe({here, there}, {.patterns = {"x*"}});
  auto got = scene.receiving(sub);
  SECTION("by name") {
    CHECK(scene.hub.publish(there, 1) == 1);
    CHECK(got.get() == there + "=1");
  }
  SECTION("by pattern") {
    CHECK(scene.hub.publish("xyz", 1) == 1);
    CHECK(got.get() == "xyz~x*=1");
  }
  SECTION("several at once") {
    CHECK(scene.hub.publish({there, here}, 1) == 2);
    CHECK(got.get() == there + "=1");
    CHECK(shown(sub.receive()) == here + "=1");
  }
}

TEST_CASE("PubSub wait: a blocked receive ends") {
  Scene scene;
  auto sub = scene.hub.subscribe("a");
  const auto same = others(scene, {"a"});
  std::stop_source stop;
  auto got = scene.receiving(sub, Wait(5s, stop.get_token()));
  std::string why = text(Errc::closed);
  SECTION("when the time is up") {
    scene.clock.advance(5s);
    why = text(Errc::timed_out);
  }
  SECTION("when it is stopped") {
    stop.request_stop();
    why = text(Errc::cancelled);
  }
  SECTION("when the PubSub is closed") { scene.hub.close(); }
  SECTION("when it is unsubscribed") { sub.unsubscribe(); }
  CHECK(got.get() == why);
}

TEST_CASE("PubSub wait: a blocked batch") {
  Scene scene;
  auto sub = scene.hub.subscribe("a", {.patterns = {"?"}});
  auto size = scene.blocked([&] { return sub.receive_batch(no_limit, 5s).value().size(); });
  SECTION("gets what is published") {
    scene.hub.publish("a", 1);
    CHECK(size.get() == 2);
  }
  SECTION("is empty when the time is up") {
    scene.clock.advance(5s);
    CHECK(size.get() == 0);
  }
}

TEST_CASE("PubSub wait: a blocked receive gets what it is subscribed to meanwhile") {
  Scene scene;
  auto sub = scene.hub.subscribe("a");
  const auto same = others(scene, {"a"});
  auto got = scene.receiving(sub);
  SECTION("a name") {
    CHECK(sub.subscribe("b"));
    CHECK(scene.hub.publish("b", 1) == 1);
    CHECK(got.get() == "b=1");
  }
  SECTION("a pattern") {
    CHECK(sub.psubscribe("b*"));
    CHECK(scene.hub.publish("bb", 1) == 1);
    CHECK(got.get() == "bb~b*=1");
  }
  SECTION("what another one is subscribed to") {
    auto other = scene.hub.subscribe({"a", "b"});
    CHECK(sub.subscribe("b"));
    CHECK(scene.hub.publish("b", 1) == 2);
    CHECK(got.get() == "b=1");
  }
  SECTION("first nothing, then something") {
    CHECK(sub.unsubscribe("a"));
    CHECK(scene.hub.publish("a", 1) == same.size());
    CHECK(sub.subscribe({"c", "d"}));
    CHECK(sub.unsubscribe("c"));
    CHECK(scene.hub.publish("c", 2) == 0);
    CHECK(scene.hub.publish("d", 3) == 1);
    CHECK(got.get() == "d=3");
  }
  SECTION("again and again") {
    for (int i = 0; i < 20; ++i) CHECK((i % 2 == 0 ? sub.subscribe("b") : sub.unsubscribe("b")));
    scene.clock.wait_for_sleepers(1);
    scene.hub.publish("a", 4);
    CHECK(got.get() == "a=4");
  }
}

TEST_CASE("PubSub wait: a blocked receive ends though its subscription changed") {
  Scene scene;
  auto sub = scene.hub.subscribe("a");
  const auto same = others(scene, {"a"});
  std::stop_source stop;
  auto got = scene.receiving(sub, Wait(5s, stop.get_token()));
  scene.clock.advance(3s);
  CHECK(sub.subscribe("b"));
  scene.clock.wait_for_sleepers(1);
  std::string why = text(Errc::closed);
  SECTION("when the time is up that it was given at first") {
    scene.clock.advance(2s);
    why = text(Errc::timed_out);
  }
  SECTION("when it is stopped") {
    stop.request_stop();
    why = text(Errc::cancelled);
  }
  SECTION("when the PubSub is closed") { scene.hub.close(); }
  SECTION("when it is unsubscribed") { sub.unsubscribe(); }
  CHECK(got.get() == why);
}

TEST_CASE("PubSub wait: a receive that does not wait does not, after a change either") {
  Scene scene;
  auto sub = scene.hub.subscribe("a");
  const auto same = others(scene, {"a"});
  CHECK(sub.subscribe("b"));
  CHECK(error_of(sub.receive(Wait())) == Errc::timed_out);
  CHECK(sub.unsubscribe("a"));
  CHECK(sub.receive_batch(no_limit, Wait())->empty());
  scene.hub.publish("b", 1);
  std::stop_source stop;
  stop.request_stop();
  CHECK(shown(sub.receive(Wait(forever, stop.get_token()))) == "b=1");
  CHECK(error_of(sub.receive(Wait(forever, stop.get_token()))) == Errc::cancelled);
}

TEST_CASE("PubSub wait: those that share wait in line") {
  Scene scene;
  auto one = scene.hub.subscribe("a", {.patterns = {"?"}, .share = "team"});
  auto two = scene.hub.subscribe("a", {.patterns = {"?"}, .share = "team"});
  auto first = scene.receiving(one);
  auto second = scene.blocked([&] { return shown(two.receive(forever)); });
  auto third = on_a_thread([&] { return shown(one.receive(forever)); });
  scene.clock.wait_for_sleepers(3);
  CHECK(scene.hub.publish("a", 1) == 2);
  CHECK(first.get() == "a=1");
  CHECK(second.get() == "a~?=1");
  SECTION("until there is more") {
    scene.hub.publish("b", 2);
    CHECK(third.get() == "b~?=2");
  }
  SECTION("until it leaves") {
    one.unsubscribe();
    CHECK(third.get() == text(Errc::closed));
    CHECK(!two.reason());
  }
}

TEST_CASE("PubSub wait: a blocked publish gets room") {
  Scene scene;
  const auto& [here, there] = two_parts();
  auto sub = scene.hub.subscribe({here, there}, {.backlog = 2, .overflow = Overflow::block});
  const auto same = others(scene, {here, there});
  const std::size_t all = 1 + same.size();
  CHECK(scene.hub.publish({here, there}, 1) == 2 * all);
  auto published = scene.publishing(there, 2);
  std::size_t deliveries = all;
  SECTION("when something is received") { CHECK(shown(sub.receive()) == here + "=1"); }
  SECTION("when a batch is received") { CHECK(sub.receive_batch()->size() == 2); }
  SECTION("when the subscription ends") {
    sub.unsubscribe();
    --deliveries;
  }
  SECTION("when the subscription dies") {
    sub = {};
    --deliveries;
  }
  SECTION("when the name is given up") {
    CHECK(sub.unsubscribe(there));
    --deliveries;
  }
  CHECK(published.get() == deliveries);
}

TEST_CASE("PubSub wait: a publish that waits for room goes to who came meanwhile") {
  Scene scene;
  auto sub = scene.hub.subscribe("a", {.backlog = 1, .overflow = Overflow::block});
  CHECK(scene.hub.publish("a", 1) == 1);
  auto published = scene.publishing("a", 2);
  auto late = scene.hub.subscribe("a");
  auto pattern = scene.hub.psubscribe("a*");
  CHECK(received(late).empty());
  CHECK(shown(sub.receive()) == "a=1");
  CHECK(published.get() == 3U);
  CHECK(received(sub) == Texts{"a=2"});
  CHECK(received(late) == Texts{"a=2"});
  CHECK(received(pattern) == Texts{"a~a*=2"});
}

TEST_CASE("PubSub wait: a publish that waits for room of one waits for the next then") {
  Scene scene;
  auto a = scene.hub.subscribe("a", {.backlog = 1, .overflow = Overflow::block});
  auto b = scene.hub.subscribe({"a", "b"}, {.backlog = 1, .overflow = Overflow::block});
  auto c = scene.hub.subscribe({"a", "c"});
  CHECK(scene.hub.publish("a", 1) == 3);
  auto published = scene.publishing("a", 2);
  CHECK(received(c) == Texts{"a=1"});
  CHECK(shown(a.receive()) == "a=1");
  scene.clock.wait_for_sleepers(1);
  CHECK(a.waiting() + c.waiting() == 0);
  CHECK(shown(b.receive()) == "a=1");
  CHECK(published.get() == 3U);
}

TEST_CASE("PubSub wait: a blocked publish ends") {
  Scene scene;
  auto sub = scene.hub.subscribe("a", {.backlog = 1, .overflow = Overflow::block});
  auto other = scene.hub.subscribe("b");
  CHECK(scene.hub.publish("a", 1) == 1);
  std::stop_source stop;
  auto published = scene.blocked([&] { return scene.hub.publish({"b", "a"}, 2, Wait(5s, stop.get_token())); });
  Errc why = Errc::closed;
  SECTION("when the time is up") {
    scene.clock.advance(5s);
    why = Errc::timed_out;
  }
  SECTION("when it is stopped") {
    stop.request_stop();
    why = Errc::cancelled;
  }
  SECTION("when the PubSub is closed") { scene.hub.close(); }
  CHECK(error_of(published.get()) == why);
  CHECK(other.waiting() == 0);
  CHECK(received(sub) == Texts{"a=1"});
}

TEST_CASE("PubSub wait: a publish without an answer for errors ends when it is closed") {
  Scene scene;
  auto sub = scene.hub.subscribe("a", {.backlog = 1, .overflow = Overflow::block});
  CHECK(scene.hub.publish("a", 1) == 1);
  auto published = scene.blocked([&] { return scene.hub.publish("a", 2); });
  scene.hub.close();
  CHECK(published.get() == 0);
}

TEST_CASE("PubSub wait: a value that found no room comes back") {
  WatchedClock clock;
  PubSub<MoveOnly> hub({.clock = &clock});
  auto sub = hub.subscribe("a", {.backlog = 1, .overflow = Overflow::block});
  CHECK(hub.publish("a", MoveOnly(1)) == 1);
  MoveOnly value(2);
  auto published = on_a_thread([&] { return hub.publish("a", std::move(value), Wait(1s)); });
  clock.wait_for_sleepers(1);
  clock.advance(1s);
  CHECK(error_of(published.get()) == Errc::timed_out);
  CHECK(value == MoveOnly(2));
}

TEST_CASE("PubSub wait: of two that wait for one room one gets it") {
  Scene scene;
  const auto& [here, there] = two_parts();
  auto sub = scene.hub.subscribe({here, there}, {.backlog = 1, .overflow = Overflow::block});
  CHECK(scene.hub.publish(here, 1) == 1);
  auto first = scene.publishing(here, 2);
  auto second = scene.publishing(there, 3);
  CHECK(shown(sub.receive()) == here + "=1");
  CHECK(sub.waiting() <= 1);
  const std::string next = shown(sub.receive());
  CHECK(sub.waiting() <= 1);
  CHECK(first.get() == 1U);
  CHECK(second.get() == 1U);
  CHECK(next + " " + shown(sub.receive()) ==
        (next.front() == here.front() ? here + "=2 " + there + "=3" : there + "=3 " + here + "=2"));
}

TEST_CASE("PubSub wait: a publisher that waits does not keep others from going on") {
  Scene scene;
  auto slow = scene.hub.subscribe("a", {.backlog = 1, .overflow = Overflow::block});
  auto other = scene.hub.subscribe("b");
  CHECK(scene.hub.publish("a", 1) == 1);
  auto published = scene.publishing("a", 2);
  CHECK(scene.hub.publish("b", 3) == 1);
  CHECK(other.subscribe("c"));
  auto late = scene.hub.psubscribe("*");
  CHECK(scene.hub.publish("c", 4) == 2);
  CHECK(scene.hub.channels() == Texts{"a", "b", "c"});
  slow.unsubscribe();
  CHECK(published.get() == 1U);
}

TEST_CASE("PubSub wait: a function on its own thread waits for messages, and leaves") {
  Scene scene;
  std::promise<int> called;
  auto function =
      scene.hub.subscribe({"a"}, [&](int value) { called.set_value(value); }, {"x?"}, {.thread = CallOn::own_thread});
  scene.clock.wait_for_sleepers(1);
  CHECK(scene.hub.publish("xy", 7) == 1);
  CHECK(called.get_future().get() == 7);
  scene.clock.wait_for_sleepers(1);
  SECTION("unsubscribed") { function.unsubscribe(); }
  SECTION("closed") { scene.hub.close(); }
  SECTION("destroyed") { function = {}; }
  CHECK(function.reason());
}

TEST_CASE("PubSub wait: a function with a small backlog makes publishers wait") {
  Scene scene;
  std::promise<void> go;
  std::promise<void> in;
  std::promise<void> all;
  int sum = 0;
  auto function = scene.hub.subscribe({"a"},
                                      [&](int value) {
                                        if (value == 1) in.set_value(), go.get_future().wait();
                                        sum += value;
                                        if (value == 3) all.set_value();
                                      },
                                      {}, {.backlog = 1, .overflow = Overflow::block, .thread = CallOn::own_thread});
  CHECK(scene.hub.publish("a", 1) == 1);
  in.get_future().wait();
  CHECK(scene.hub.publish("a", 2) == 1);
  auto published = scene.publishing("a", 3);
  go.set_value();
  CHECK(published.get() == 1U);
  all.get_future().wait();
  CHECK(sum == 6);
}

TEST_CASE("PubSub: a function that publishes does not wait for room in one that this thread is to call after it") {
  for (int order = 0; order < 8; ++order) {  // feeds are told in the order of their addresses
    PubSub<int> hub;
    std::vector<int> seen;
    std::vector<CallbackSubscription> others;
    for (int i = 0; i < order; ++i) others.push_back(hub.subscribe({std::to_string(i)}, [](const int&) {}));
    const auto first = hub.subscribe({"x"}, [&](const int& value) { hub.publish("y", value + 1); });
    const auto second = hub.subscribe({"x", "y"}, [&](const int& value) { seen.push_back(value); }, {},
                                      {.backlog = 1, .overflow = Overflow::block});
    hub.publish("x", 1);
    CHECK(seen == std::vector<int>{1, 2});
  }
}

}  // namespace pubsub_wait_test
