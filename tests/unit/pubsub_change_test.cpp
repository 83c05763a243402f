// pubsub_change_test.cpp — subscriptions whose names and patterns change while they run: alone with their interest, or
// among others who have the same and are not to notice.
#include <brook/pubsub.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "pubsub_support.hpp"

namespace pubsub_change_test {

namespace {

using namespace brook;
using namespace brook::test;

// A subscription that is alone with its interest, or not; which is not to be seen from outside.
struct Scene {
  explicit Scene(bool with_others, const TopicOptions& options = {}) {
    sub = hub.subscribe({"a", "b"}, options);
    if (!with_others) return;
    for (int i = 0; i < 2; ++i) others.push_back(hub.subscribe({"a", "b"}, {.patterns = options.patterns}));
    others.push_back(hub.subscribe({"a", "b", "c"}, {.patterns = options.patterns}));  // where it might go
  }

  // Publishes i, and says how many deliveries that makes to the subscription.
  std::size_t publish(std::string_view name, int i) {
    const std::size_t to_others = waiting_for_others();
    return hub.publish(name, i) - (waiting_for_others() - to_others);
  }
  [[nodiscard]] std::size_t waiting_for_others() const {
    std::size_t waiting = 0;
    for (const auto& other : others) waiting += other.waiting();
    return waiting;
  }

  PubSub<int> hub{{.shards = 4}};
  TopicSubscription<int> sub;
  std::vector<TopicSubscription<int>> others{};
};

}  // namespace

TEST_CASE("PubSub change: names are added and removed") {
  Scene scene(GENERATE(false, true));
  auto& sub = scene.sub;
  CHECK(scene.publish("c", 1) == 0);
  CHECK(sub.subscribe("c"));
  CHECK(scene.publish("c", 2) == 1);
  CHECK(scene.publish("a", 3) == 1);
  CHECK(sub.unsubscribe("a"));
  CHECK(scene.publish("a", 4) == 0);
  CHECK(scene.publish("b", 5) == 1);
  CHECK(sub.subscribe({"a", "d", "e"}));
  CHECK(scene.publish("d", 6) == 1);
  CHECK(scene.publish("a", 7) == 1);
  CHECK(received(sub) == Texts{"c=2", "a=3", "b=5", "d=6", "a=7"});
  CHECK(scene.hub.num_sub("e") == 1);
  CHECK(sub.unsubscribe({"d", "e", "a", "nothing"}));
  CHECK(scene.hub.num_sub("e") == 0);
  CHECK(scene.publish("a", 8) == 0);
  CHECK(!sub.reason());
}

TEST_CASE("PubSub change: patterns are added and removed") {
  Scene scene(GENERATE(false, true), {.patterns = {"a"}});
  auto& sub = scene.sub;
  CHECK(scene.publish("a", 1) == 2);
  CHECK(sub.psubscribe("[ab]"));
  CHECK(scene.hub.num_pat() == 2);
  CHECK(scene.publish("a", 2) == 3);
  CHECK(sub.punsubscribe("a"));
  CHECK(scene.publish("a", 3) == 2);
  CHECK(sub.psubscribe({"a", "x*"}));
  CHECK(scene.publish("xyz", 4) == 1);
  CHECK(received(sub) == Texts{"a=1", "a~a=1", "a=2", "a~a=2", "a~[ab]=2", "a=3", "a~[ab]=3", "xyz~x*=4"});
}

TEST_CASE("PubSub change: what is there already, or is not, changes nothing") {
  Scene scene(GENERATE(false, true), {.patterns = {"*"}});
  auto& sub = scene.sub;
  CHECK(scene.publish("a", 1) == 2);
  CHECK(sub.subscribe("a"));
  CHECK(sub.subscribe({"a", "b", "a"}));
  CHECK(sub.psubscribe("*"));
  CHECK(sub.unsubscribe("*"));
  CHECK(sub.punsubscribe("a"));
  CHECK(sub.unsubscribe("x"));
  CHECK(sub.subscribe({}));
  CHECK(scene.publish("a", 2) == 2);
  CHECK(sub.waiting() == 4);
  CHECK(received(sub) == Texts{"a=1", "a~*=1", "a=2", "a~*=2"});
}

TEST_CASE("PubSub change: nothing is left, and something comes again") {
  Scene scene(GENERATE(false, true), {.patterns = {"?"}});
  auto& sub = scene.sub;
  CHECK(scene.publish("a", 1) == 2);
  CHECK(sub.unsubscribe("a"));
  CHECK(sub.unsubscribe("b"));
  CHECK(sub.punsubscribe("?"));
  CHECK(scene.publish("a", 2) == 0);
  CHECK(!sub.reason());
  auto empty = scene.hub.subscribe(std::vector<std::string>{});  // one more with nothing
  CHECK(sub.subscribe("b"));
  CHECK(empty.subscribe("b"));
  CHECK(scene.publish("b", 3) == 2);
  CHECK(received(sub) == Texts{"a=1", "a~?=1", "b=3"});
  CHECK(received(empty) == Texts{"b=3"});
}

TEST_CASE("PubSub change: messages that wait are received, in their order") {
  Scene scene(GENERATE(false, true));
  auto& sub = scene.sub;
  Texts all;
  const auto publish = [&](const std::string& name, int i) {
    CHECK(scene.publish(name, i) == 1);
    all.push_back(name + "=" + std::to_string(i));
  };
  publish("a", 1);
  CHECK(sub.subscribe("c"));  // where somebody else is, or not
  publish("c", 2);
  publish("a", 3);
  CHECK(sub.unsubscribe("b"));
  publish("c", 4);
  CHECK(sub.unsubscribe("c"));
  CHECK(sub.subscribe("b"));  // back where it began
  publish("b", 5);
  CHECK(sub.waiting() == 5);
  SECTION("one by one") { CHECK(received(sub) == all); }
  SECTION("in batches") {
    Texts got;
    for (Texts some = batch(sub); !some.empty(); some = batch(sub)) got.insert(got.end(), some.begin(), some.end());
    CHECK(got == all);
  }
  SECTION("after it was closed") {
    scene.hub.close();
    CHECK(sub.reason() == Errc::closed);
    CHECK(received(sub) == all);
    CHECK(error_of(sub.receive()) == Errc::closed);
  }
  SECTION("in a loop until it is closed") {
    scene.hub.close();
    Texts got;
    for (const auto& message : sub) got.push_back(shown(message));
    CHECK(got == all);
  }
  SECTION("not when it has unsubscribed") {
    sub.unsubscribe();
    CHECK(sub.waiting() == 0);
    CHECK(error_of(sub.receive()) == Errc::closed);
    CHECK(sub.reason() == Errc::cancelled);
  }
  CHECK(sub.waiting() == 0);
  CHECK(sub.lost() == 0);
}

TEST_CASE("PubSub change: it moves again and again without receiving") {
  Scene scene(GENERATE(false, true));
  Texts all;
  for (int i = 0; i < 50; ++i) {
    CHECK(scene.publish("b", i) == 1);
    all.push_back("b=" + std::to_string(i));
    CHECK((i % 2 == 0 ? scene.sub.unsubscribe("a") : scene.sub.subscribe("a")));
  }
  CHECK(scene.sub.waiting() == 50);
  CHECK(received(scene.sub) == all);
}

TEST_CASE("PubSub change: others do not notice") {
  PubSub<int> hub;
  auto a = hub.subscribe({"x", "y"}, {.patterns = {"?"}});
  auto b = hub.subscribe({"x", "y"}, {.patterns = {"?"}});
  hub.publish("x", 1);
  CHECK(a.unsubscribe("x"));
  CHECK(hub.publish("x", 2) == 3);
  CHECK(a.unsubscribe("y"));
  CHECK(a.punsubscribe("?"));
  CHECK(hub.publish("y", 3) == 2);
  CHECK(received(b) == Texts{"x=1", "x~?=1", "x=2", "x~?=2", "y=3", "y~?=3"});
  CHECK(received(a) == Texts{"x=1", "x~?=1", "x~?=2"});
  CHECK(hub.num_sub("x") == 1);
  CHECK(hub.num_pat() == 1);
  b = {};
  CHECK(hub.channels().empty());
  CHECK(hub.num_pat() == 0);
}

TEST_CASE("PubSub change: what is published for others drops nothing of what waits") {
  PubSub<int> hub;
  const Overflow overflow = GENERATE(Overflow::drop_oldest, Overflow::disconnect);
  auto sub = hub.subscribe("a", {.backlog = 2, .overflow = overflow});
  auto other = hub.subscribe("a");
  hub.publish("a", 1);
  hub.publish("a", 2);
  CHECK(sub.unsubscribe("a"));
  for (int i = 3; i < 2000; ++i) hub.publish("a", i);
  CHECK(sub.waiting() == 2);
  SECTION("one by one") { CHECK(received(sub) == Texts{"a=1", "a=2"}); }
  SECTION("in a batch") { CHECK(batch(sub) == Texts{"a=1", "a=2"}); }
  CHECK(sub.lost() == 0);
  CHECK(!sub.reason());
  CHECK(received(other).size() == 1999);
}

TEST_CASE("PubSub change: what had no room before it changed is lost") {
  Scene scene(GENERATE(false, true), {.backlog = 2});
  for (int i = 1; i <= 5; ++i) CHECK(scene.publish("a", i) == 1);
  CHECK(scene.sub.subscribe("c"));
  CHECK(scene.sub.waiting() == 2);
  const auto first = scene.sub.try_receive();
  REQUIRE(first);
  CHECK(shown(*first) == "a=4");
  CHECK(first->lost() == 3);
  CHECK(scene.sub.lost() == 3);
  CHECK(received(scene.sub) == Texts{"a=5"});
  CHECK(scene.publish("c", 10) == 1);
  CHECK(received(scene.sub) == Texts{"c=10"});
  CHECK(scene.sub.lost() == 3);
}

TEST_CASE("PubSub change: losses before and after add up") {
  Scene scene(GENERATE(false, true), {.backlog = 3});
  for (int i = 1; i <= 5; ++i) CHECK(scene.publish("a", i) == 1);
  CHECK(scene.sub.subscribe("c"));
  for (int i = 6; i <= 12; ++i) CHECK(scene.publish("c", i) == 1);
  const Texts got = received(scene.sub);
  CHECK(got.size() + scene.sub.lost() == 12);
  REQUIRE(got.size() >= 3);
  CHECK(Texts(got.end() - 3, got.end()) == Texts{"c=10", "c=11", "c=12"});
  CHECK(scene.sub.waiting() == 0);
}

TEST_CASE("PubSub change: one that was too slow before it changed ends") {
  Scene scene(GENERATE(false, true), {.backlog = 2, .overflow = Overflow::disconnect});
  for (int i = 1; i <= 3; ++i) CHECK(scene.publish("a", i) == 1);
  CHECK(scene.sub.subscribe("d"));
  CHECK(error_of(scene.sub.receive()) == Errc::closed);
  CHECK(scene.sub.reason() == Errc::full);
  CHECK(scene.sub.lost() >= 3);
  CHECK(scene.publish("d", 4) == 0);
  CHECK(scene.hub.num_sub("d") == 0);
  CHECK(scene.sub.waiting() == 0);
  CHECK(error_of(scene.sub.receive()) == Errc::closed);
}

TEST_CASE("PubSub change: one that was too slow after it changed ends") {
  Scene scene(GENERATE(false, true), {.backlog = 2, .overflow = Overflow::disconnect});
  CHECK(scene.sub.subscribe("d"));
  for (int i = 1; i <= 3; ++i) CHECK(scene.publish("d", i) == 1);
  CHECK(error_of(scene.sub.receive()) == Errc::closed);
  CHECK(scene.sub.reason() == Errc::full);
  CHECK(scene.publish("d", 4) == 0);
}

TEST_CASE("PubSub change: a backlog that makes publishers wait") {
  Scene scene(GENERATE(false, true), {.backlog = 2, .overflow = Overflow::block});
  CHECK(scene.hub.publish("a", 1, Wait()));
  CHECK(scene.hub.publish("a", 2, Wait()));
  CHECK(error_of(scene.hub.publish("a", 3, Wait())) == Errc::full);
  SECTION("it is interested no more") {
    CHECK(scene.sub.unsubscribe("a"));
    CHECK(scene.hub.publish("a", 3, Wait()));
    CHECK(received(scene.sub) == Texts{"a=1", "a=2"});
  }
}

TEST_CASE("PubSub change: two that meet, and part again") {
  PubSub<int> hub;
  auto one = hub.subscribe("a");
  auto two = hub.subscribe("b");
  hub.publish("a", 1);
  hub.publish("b", 2);
  CHECK(one.subscribe("b"));
  CHECK(two.subscribe("a"));  // goes to where the other is
  hub.publish({"a", "b"}, 3);
  CHECK(one.subscribe("c"));
  CHECK(two.unsubscribe("b"));
  CHECK(hub.publish({"a", "b", "c"}, 4) == 4);
  CHECK(two.subscribe({"b", "c"}));
  CHECK(hub.publish("c", 5) == 2);
  CHECK(received(one) == Texts{"a=1", "a=3", "b=3", "a=4", "b=4", "c=4", "c=5"});
  CHECK(received(two) == Texts{"b=2", "a=3", "b=3", "a=4", "c=5"});
  one.unsubscribe();
  CHECK(hub.num_sub("a") == 1);
  two.unsubscribe();
  CHECK(hub.channels().empty());
}

TEST_CASE("PubSub change: one joins those that share, and they stay what they are") {
  PubSub<int> hub;
  auto one = hub.subscribe("a", {.share = "team"});
  auto two = hub.subscribe("a", {.share = "team"});
  auto sub = hub.subscribe("b");
  CHECK(sub.subscribe("a"));
  CHECK(sub.unsubscribe("b"));
  CHECK(hub.num_sub("a") == 2);
  for (int i = 1; i <= 2; ++i) CHECK(hub.publish("a", i) == 2);
  CHECK(shown(one.receive()) == "a=1");
  CHECK(shown(two.receive()) == "a=2");
  CHECK(received(sub) == Texts{"a=1", "a=2"});
  CHECK(sub.subscribe("c"));
  CHECK(hub.publish("a", 3) == 2);
  CHECK(received(one) == Texts{"a=3"});
}

TEST_CASE("PubSub change: beside functions that are subscribed to the same") {
  PubSub<int> hub;
  Texts called;
  auto sub = hub.subscribe({"a"}, {.patterns = {"?"}});
  auto function = hub.subscribe({"a"}, [&](const Message<int>& message) { called.push_back(shown(message)); }, {"?"});
  CHECK(hub.publish("a", 1) == 4);
  CHECK(sub.unsubscribe("a"));
  CHECK(hub.publish("a", 2) == 3);
  CHECK(sub.subscribe("a"));  // back
  CHECK(hub.publish("a", 3) == 4);
  CHECK(called == Texts{"a=1", "a~?=1", "a=2", "a~?=2", "a=3", "a~?=3"});
  CHECK(received(sub) == Texts{"a=1", "a~?=1", "a~?=2", "a=3", "a~?=3"});
}

TEST_CASE("PubSub change: a function changes what another subscription gets") {
  PubSub<int> hub;
  auto sub = hub.subscribe("a");
  auto same = hub.subscribe("a");
  auto function = hub.subscribe({"a"}, [&](int value) {
    if (value % 2 == 1) CHECK(sub.subscribe("b"));
    else CHECK(sub.unsubscribe("b"));
  });
  hub.publish("a", 1);
  CHECK(hub.publish("b", 2) == 1);
  hub.publish("a", 4);
  CHECK(hub.publish("b", 5) == 0);
  CHECK(received(sub) == Texts{"a=1", "b=2", "a=4"});
}

TEST_CASE("PubSub change: memory of what was left is let go") {
  Census census;
  PubSub<Counted<>> hub;
  auto sub = hub.subscribe("a");
  auto other = hub.subscribe("a");
  for (int i = 0; i < 100; ++i) hub.publish("a", Counted<>(census, i));
  CHECK(sub.subscribe("b"));
  while (other.try_receive()) {}
  other = {};
  CHECK(census.alive() >= 100);
  CHECK(hub.publish("a", Counted<>(census, 100)) == 1);
  for (int i = 0; i <= 100; ++i) CHECK(shown(sub.receive()) == "a=" + std::to_string(i));
  CHECK(!sub.try_receive());
  CHECK(census.alive() <= 1);
  sub.unsubscribe();
  sub = {};
  CHECK(census.alive() == 0);
}

namespace {

// A subscription, what it should be interested in, and what it should still get of each message.
struct Expecting {
  TopicSubscription<int> sub;
  std::set<std::string> names{};
  std::set<std::string> patterns{};
  std::map<int, std::multiset<std::string>> wanted{};

  void edit(unsigned how, const std::string& name, const std::string& pattern) {
    bool done = false;
    switch (how) {
      case 0: names.insert(name), done = sub.subscribe(name).has_value(); break;
      case 1: names.erase(name), done = sub.unsubscribe(name).has_value(); break;
      case 2: patterns.insert(pattern), done = sub.psubscribe(pattern).has_value(); break;
      default: patterns.erase(pattern), done = sub.punsubscribe(pattern).has_value();
    }
    CHECK(done);
  }
  std::size_t want(const std::string& name, int i) {
    const std::string value = "=" + std::to_string(i);
    std::size_t count = 0;
    const auto add = [&](const std::string& text) { wanted[i].insert(text), ++count; };
    if (names.contains(name)) add(name + value);
    for (const std::string& pattern : patterns)
      if (pubsub::matches(pattern, name)) add(name + "~" + pattern + value);
    return count;
  }
  // Gets one; all that should have come before has.
  bool receive() {
    const auto message = sub.try_receive();
    if (!message) return false;
    REQUIRE(!wanted.empty());
    const auto first = wanted.begin();
    CHECK(first->first == **message);
    if (!message->pattern().empty())
      CHECK(!first->second.contains(std::string(message->channel()) + "=" + std::to_string(**message)));
    const auto at = first->second.find(shown(*message));
    REQUIRE(at != first->second.end());
    first->second.erase(at);
    if (first->second.empty()) wanted.erase(first);
    return true;
  }
};

}  // namespace

TEST_CASE("PubSub change: random changes, against what should come") {
  const unsigned seed = GENERATE(range(1U, 21U));
  std::minstd_rand random(seed);
  PubSub<int> hub({.shards = 1 + seed % 3});
  const Texts names{"a", "b", "c"};
  const Texts patterns{"*", "a", "[ab]"};
  std::vector<Expecting> all(3);
  for (Expecting& one : all) one.sub = hub.subscribe(Texts{});
  for (int i = 1; i <= 400; ++i) {
    Expecting& one = all[random() % all.size()];
    const std::string& name = names[random() % names.size()];
    if (const auto how = static_cast<unsigned>(random() % 8); how < 4) {
      one.edit(how, name, patterns[random() % patterns.size()]);
    } else if (how == 4) {
      for (auto most = random() % 2 == 0 ? no_limit : random() % 5; most > 0 && one.receive(); --most) {}
    } else {
      std::size_t deliveries = 0;
      for (Expecting& each : all) deliveries += each.want(name, i);
      CHECK(hub.publish(name, i) == deliveries);
    }
    const auto subscribed = std::ranges::count_if(all, [&](const auto& each) { return each.names.contains(name); });
    CHECK(hub.num_sub(name) == static_cast<std::size_t>(subscribed));
  }
  for (Expecting& one : all) {
    while (one.receive()) {}
    CHECK(one.wanted.empty());
  }
}

TEST_CASE("PubSub: names that are known only when the program runs") {
  PubSub<int> hub;
  const std::vector<std::string> names{"a", "b"};
  const std::vector<std::string_view> views(names.begin(), names.end());
  int called = 0;
  const auto function = hub.subscribe(names, [&](const int& value) { called += value; });
  const auto of_one = hub.subscribe("a", [&](const int& value) { called += 10 * value; });
  auto all = hub.subscribe(std::initializer_list<std::string_view>{});
  REQUIRE(all.subscribe(names));
  CHECK(hub.publish(views, 1) == 5);
  CHECK(called == 12);
  CHECK(all.waiting() == 2);
  REQUIRE(all.unsubscribe(views));
  REQUIRE(all.psubscribe(std::vector<std::string>{"?"}));
  CHECK(hub.publish(names, 1, Wait()).value() == 5);
  REQUIRE(all.punsubscribe(std::vector<std::string>{"?"}));
  CHECK(hub.publish(names, 1) == 3);
  CHECK(all.waiting() == 4);
}

}  // namespace pubsub_change_test
