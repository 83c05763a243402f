// The strong guarantee of a PubSub: what fails for want of memory has changed nothing, and works when it is called again;
// but for a publish to several subscriptions, which some may have got, who then hear of it.
#include <brook/pubsub.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "../unit/pubsub_support.hpp"
#include "failing_new.hpp"

namespace pubsub_allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::FailingNew;
using brook::contract::SafeNew;
using Hub = PubSub<std::string>;
using Sub = TopicSubscription<std::string>;

// None of them lies in the string itself.
std::string name(const std::string& text) { return "a name that does not lie in the string itself: " + text; }
std::string pattern(const std::string& text) { return "a name that * lie in the string itself: " + text; }

// Two subscriptions with one interest, others with interests of their own, and one that shares.
struct Scene {
  explicit Scene(std::size_t shards) : hub({.shards = shards}) {
    const TopicOptions options{.patterns = {pattern("?")}};
    one = hub.subscribe({name("a"), name("b")}, options);
    two = hub.subscribe({name("a"), name("b")}, options);
    alone = hub.subscribe(name("c"));
    close = hub.subscribe(name("a"), options);
    member = hub.subscribe(name("d"), {.share = "team"});
    static_cast<void>(hub.publish({name("a"), name("c"), name("d")}, "first"));
  }

  [[nodiscard]] std::vector<Sub*> subs() { return {&one, &two, &alone, &close, &member}; }

  // What can be seen without changing anything.
  [[nodiscard]] Texts state() {
    Texts state = hub.channels();
    for (const char* each : {"a", "b", "c", "d", "e", "f"}) state.push_back(std::to_string(hub.num_sub(name(each))));
    state.push_back(std::to_string(hub.num_pat()));
    for (Sub* sub : subs()) state.push_back(std::to_string(sub->waiting()));
    return state;
  }
  // What shows only by use.
  [[nodiscard]] std::vector<Texts> depths() {
    std::vector<Texts> depths{state()};
    for (const char* each : {"a", "b", "c", "d", "e", "f"})
      depths.push_back({std::to_string(hub.publish(name(each), "last"))});
    for (Sub* sub : subs()) depths.push_back(received(*sub));
    for (Sub* sub : subs()) *sub = {};
    extra = {};
    calling = {};
    depths.push_back(state());
    return depths;
  }

  Hub hub;
  Sub one{};
  Sub two{};
  Sub alone{};
  Sub close{};
  Sub member{};
  Sub extra{};
  CallbackSubscription calling{};
};

// Calls `operation` with the first allocation failing, then the second, until none is left to fail.
void check_every_failure(const std::function<void(Scene&)>& operation) {
  for (const std::size_t shards : {1U, 3U}) {
    Scene smooth(shards);
    operation(smooth);
    const auto wanted = smooth.depths();
    const auto before = Scene(shards).state();
    const auto untouched = Scene(shards).depths();
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(shards, n);
      Scene scene(shards);
      Scene other(shards);  // one in which it is not tried again
      bool thrown = false;
      bool failed = false;
      for (Scene* each : {&other, &scene}) {
        const FailingNew failing(n);
        thrown = false;
        try {
          operation(*each);
        } catch (const std::bad_alloc&) { thrown = true; }
        failed = FailingNew::happened();
      }
      if (thrown) {
        CHECK(scene.state() == before);
        CHECK(other.depths() == untouched);
        operation(scene);
      }
      CHECK(scene.depths() == wanted);
      if (!failed) break;
      if (n > 1000) FAIL("there is no end to the allocations");
    }
  }
}

void done(const expected<void, Errc>& outcome) {
  const SafeNew safe;
  REQUIRE(outcome.has_value());
}

}  // namespace

TEST_CASE("No memory: making a PubSub") {
  for (std::uint64_t n = 1;; ++n) {
    std::optional<Hub> hub;
    {
      const FailingNew failing(n);
      try {
        hub.emplace(PubSubOptions{.shards = 5});
      } catch (const std::bad_alloc&) { continue; }
    }
    auto sub = hub->subscribe("a");
    CHECK(hub->publish("a", "works") == 1);
    if (!FailingNew::happened()) break;
  }
}

TEST_CASE("No memory: subscribing to names and patterns") {
  check_every_failure([](Scene& scene) { scene.extra = scene.hub.subscribe(name("e")); });
  check_every_failure([](Scene& scene) { scene.extra = scene.hub.subscribe(name("c")); });
  check_every_failure([](Scene& scene) { scene.extra = scene.hub.psubscribe(pattern("*")); });
  check_every_failure([](Scene& scene) {
    scene.extra = scene.hub.subscribe({name("a"), name("e"), name("f")}, {.patterns = {pattern("?"), pattern("e")}});
  });
  check_every_failure([](Scene& scene) {  // where others are
    scene.extra = scene.hub.subscribe({name("b"), name("a")}, {.patterns = {pattern("?")}});
  });
  check_every_failure([](Scene& scene) { scene.extra = scene.hub.subscribe(name("d"), {.share = "team"}); });
  check_every_failure([](Scene& scene) { scene.extra = scene.hub.subscribe(name("d"), {.share = "another team"}); });
}

TEST_CASE("No memory: subscribing a function") {
  const CallOn thread = GENERATE(CallOn::publisher, CallOn::own_thread);
  check_every_failure([&](Scene& scene) {
    scene.calling =
        scene.hub.subscribe({name("a"), name("e")}, [](const std::string&) {}, {pattern("e")}, {.thread = thread});
  });
}

TEST_CASE("No memory: a subscription that changes") {
  for (Sub Scene::*const which : {&Scene::one, &Scene::alone}) {
    check_every_failure([&](Scene& scene) { done((scene.*which).subscribe({name("e"), name("f")})); });
    check_every_failure([&](Scene& scene) { done((scene.*which).psubscribe({pattern("e"), pattern("[ab]")})); });
    check_every_failure([&](Scene& scene) { done((scene.*which).unsubscribe(name("a"))); });
    check_every_failure([&](Scene& scene) { done((scene.*which).punsubscribe(pattern("?"))); });
    check_every_failure([&](Scene& scene) { done((scene.*which).subscribe(name("c"))); });
  }
  check_every_failure([](Scene& scene) { done(scene.close.subscribe(name("b"))); });  // to where others are
}

TEST_CASE("Memory: names that change take no more of it, though nobody receives") {
  Scene scene(2);
  const auto change = [&](int times) {
    for (; times > 0; --times) {
      done(scene.one.subscribe(name("e")));
      done(scene.one.unsubscribe(name("e")));
    }
    return contract::allocations_held();
  };
  const std::int64_t before = change(10);
  CHECK(change(100) == before);
}

TEST_CASE("No memory: a publish to one subscription") {
  check_every_failure([](Scene& scene) { static_cast<void>(scene.hub.publish(name("d"), "second")); });
  check_every_failure([](Scene& scene) { static_cast<void>(scene.hub.publish(name("nobody's"), "second")); });
  const std::string value = "a text that does not lie in the string itself";
  check_every_failure([&](Scene& scene) { static_cast<void>(scene.hub.publish({name("d"), name("d")}, value)); });
}

TEST_CASE("No memory: thousands of messages to one subscription") {
  PubSub<int> hub;
  auto sub = hub.subscribe("a", {.patterns = {"?"}});
  std::uint64_t failures = 0;
  for (int i = 0; i < 3000; ++i) {
    for (std::uint64_t n = 1;; ++n) {
      bool thrown = false;
      {
        const FailingNew failing(n);
        try {
          static_cast<void>(hub.publish("a", i));
        } catch (const std::bad_alloc&) { thrown = true; }
      }
      if (!thrown) break;
      ++failures;
    }
  }
  CHECK(failures > 3000);
  CHECK(sub.waiting() == 6000);
  int wrong = 0;
  for (int i = 0; i < 6000; ++i) wrong += **sub.receive() == i / 2 ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("No memory: of a publish to several, who got it hears of it") {
  std::set<std::size_t> heard;
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    WatchedClock clock;
    PubSub<int> hub({.clock = &clock});
    struct Pair {
      TopicSubscription<int> sleeps;
      std::future<int> got{};
      std::vector<int> calls{};
      CallbackSubscription called{};
    };
    std::vector<Pair> pairs(3);
    for (std::size_t i = 0; i < 3; ++i) {
      Pair& pair = pairs[i];
      const std::string other(1, static_cast<char>('x' + i));
      pair.sleeps = hub.subscribe({"a", other});
      pair.called = hub.subscribe({"a", other}, [&pair](int value) {
        const SafeNew safe;
        pair.calls.push_back(value);
      });
      pair.got = on_a_thread([&pair] { return **pair.sleeps.receive(); });
      clock.wait_for_sleepers(i + 1);
    }
    bool thrown = false;
    {
      const FailingNew failing(n);
      try {
        hub.publish("a", 1);
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    std::size_t reached = 0;
    for (Pair& pair : pairs) {
      if (pair.calls.empty()) continue;
      ++reached;
      CHECK(pair.got.get() == 1);
    }
    heard.insert(reached);
    CHECK(hub.publish("a", 2) == 6);
    for (Pair& pair : pairs) {
      if (pair.got.valid()) CHECK(pair.got.get() == 2);
      CHECK((pair.calls == std::vector<int>{1, 2} || (thrown && pair.calls == std::vector<int>{2})));
    }
    if (!failed) break;
  }
  CHECK(heard == std::set<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("No memory: a value that nobody got stays with its owner") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    PubSub<std::unique_ptr<int>> hub;
    auto sub = hub.subscribe(name("a"), {.patterns = {"*"}});
    auto value = std::make_unique<int>(7);
    bool thrown = false;
    {
      const FailingNew failing(n);
      try {
        static_cast<void>(hub.publish(name("a"), std::move(value)));
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    CHECK((value != nullptr) == thrown);
    CHECK(sub.waiting() == (thrown ? 0 : 2));
    if (!FailingNew::happened()) break;
  }
}

TEST_CASE("No memory: receiving, telling, leaving and closing") {
  check_every_failure([](Scene& scene) { static_cast<void>(scene.hub.channels("*")); });
  check_every_failure([](Scene& scene) { static_cast<void>(scene.hub.num_sub(name("a")) + scene.hub.num_pat()); });
  check_every_failure([](Scene& scene) { REQUIRE(scene.one.receive()); });
  check_every_failure([](Scene& scene) { REQUIRE(scene.alone.receive()); });
  check_every_failure([](Scene& scene) { scene.one.unsubscribe(); });
  check_every_failure([](Scene& scene) { scene.member.unsubscribe(); });
  check_every_failure([](Scene& scene) { scene.alone = {}; });
  check_every_failure([](Scene& scene) { scene.hub.close(); });
}

TEST_CASE("No memory: a function leaves, and nothing of it is left") {
  for (const CallOn thread : {CallOn::publisher, CallOn::own_thread}) {
    for (std::uint64_t n = 1;; ++n) {
      CAPTURE(n);
      const auto kept = std::make_shared<int>(0);
      {
        PubSub<int> hub;
        auto stays = hub.subscribe({"a"}, [kept](int) { ++*kept; });
        auto leaves = hub.subscribe({"a"}, [kept](int) { FAIL("called after it left"); }, {}, {.thread = thread});
        {
          const FailingNew failing(n);
          leaves.unsubscribe();
        }
        CHECK(hub.publish("a", 1) == 1);
        CHECK(*kept == 1);
      }
      CHECK(kept.use_count() == 1);
      if (!FailingNew::happened()) break;
    }
  }
}

TEST_CASE("No memory: receiving in stages") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    Scene scene(2);
    REQUIRE(scene.one.subscribe(name("c")));
    scene.hub.publish(name("c"), "second");
    REQUIRE(scene.one.subscribe(name("d")));
    scene.hub.publish(name("d"), "third");
    Texts got;
    bool thrown = false;
    {
      const FailingNew failing(n);
      try {
        for (int i = 0; i < 8; ++i) {
          const auto message = scene.one.receive();
          const SafeNew safe;
          if (message) got.push_back(shown(*message));
        }
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    for (const std::string& text : received(scene.one)) got.push_back(text);
    CHECK(!thrown);
    Texts wanted;
    for (const std::string text : {"a=first", "c=first", "d=first", "c=second", "d=third"}) {
      const std::string to = name(text.substr(0, 1));
      if (text != "c=first" && text != "d=first") wanted.push_back(to + text.substr(1));
      wanted.push_back(to + "~" + pattern("?") + text.substr(1));
    }
    CHECK(got == wanted);
    if (!failed) break;
  }
}

}  // namespace pubsub_allocation_test
