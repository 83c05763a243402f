// pubsub_test.cpp — publishing and subscribing by name and by pattern, what a PubSub tells, and how it ends.
#include <brook/pubsub.hpp>

#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "pubsub_support.hpp"

namespace pubsub_test {

namespace {

using namespace brook;
using namespace brook::test;

}  // namespace

TEST_CASE("PubSub: a message goes to who is subscribed to its name") {
  PubSub<int> hub;
  auto one = hub.subscribe("a");
  auto both = hub.subscribe({"a", "b"});
  CHECK(hub.publish("a", 1) == 2);
  CHECK(hub.publish("b", 2) == 1);
  CHECK(hub.publish("c", 3) == 0);
  CHECK(hub.publish("", 4) == 0);
  CHECK(hub.publish("A", 5) == 0);
  CHECK(received(one) == Texts{"a=1"});
  CHECK(received(both) == Texts{"a=1", "b=2"});
}

TEST_CASE("PubSub: one message arrives by name, then by each pattern in the order of their first use") {
  const std::size_t shards = GENERATE(1U, 7U);
  PubSub<int> hub({.shards = shards});
  auto first = hub.psubscribe("n*s");
  auto sub = hub.subscribe({"news", "other"}, {.patterns = {"*", "n*s", "x*"}});
  CHECK(hub.publish("news", 1) == 4);
  CHECK(received(first) == Texts{"news~n*s=1"});
  CHECK(received(sub) == Texts{"news=1", "news~n*s=1", "news~*=1"});
  CHECK(hub.publish("xs", 2) == 2);
  CHECK(batch(sub) == Texts{"xs~*=2", "xs~x*=2"});
}

TEST_CASE("PubSub: a name or pattern told twice counts once") {
  PubSub<int> hub;
  auto sub = hub.subscribe({"a", "a"}, {.patterns = {"?", "?"}});
  CHECK(hub.num_sub("a") == 1);
  CHECK(hub.num_pat() == 1);
  CHECK(hub.publish("a", 1) == 2);
  CHECK(received(sub) == Texts{"a=1", "a~?=1"});
}

TEST_CASE("PubSub: names and patterns are bytes") {
  PubSub<int> hub;
  const std::string nul("a\0b", 3);
  auto sub = hub.subscribe(std::vector<std::string>{nul, ""}, {.patterns = {"a?b"}});
  CHECK(hub.publish(nul, 1) == 2);
  CHECK(hub.publish("a", 2) == 0);
  CHECK(hub.publish("", 3) == 1);
  auto message = sub.try_receive();
  REQUIRE(message);
  CHECK(message->channel() == nul);
  CHECK(message->pattern().empty());
  CHECK(received(sub) == Texts{nul + "~a?b=1", "=3"});
  auto all = hub.psubscribe("*");
  CHECK(hub.publish("", 4) == 1);  // `*` does not match the empty name
  CHECK(hub.channels() == Texts{"", nul});
  CHECK(hub.channels("*") == Texts{nul});
  CHECK(hub.channels("") == Texts{""});
}

TEST_CASE("PubSub: subscribing to a range of names") {
  PubSub<int> hub;
  const std::vector<std::string> names{"x", "y"};
  auto sub = hub.subscribe(names, {.patterns = {"z*"}});
  CHECK(hub.channels() == names);
  CHECK(hub.publish("zz", 1) == 1);
  auto none = hub.subscribe(std::vector<std::string>{});
  CHECK(hub.publish("zz", 1) == 1);
  CHECK(!none.try_receive());
  CHECK(!none.reason());
}

TEST_CASE("PubSub: there is no history") {
  PubSub<int> hub;
  auto early = hub.subscribe("a");
  hub.publish("a", 1);
  auto late = hub.subscribe("a");
  auto pattern = hub.psubscribe("a*");
  hub.publish("a", 2);
  CHECK(received(early) == Texts{"a=1", "a=2"});
  CHECK(received(late) == Texts{"a=2"});
  CHECK(received(pattern) == Texts{"a~a*=2"});
}

TEST_CASE("PubSub: what it tells of names and patterns") {
  const std::size_t shards = GENERATE(1U, 16U);
  PubSub<int> hub({.shards = shards});
  CHECK(hub.channels().empty());
  CHECK(hub.num_sub("b") == 0);
  CHECK(hub.num_pat() == 0);
  auto one = hub.subscribe({"b", "a"}, {.patterns = {"p*", "q*"}});
  auto two = hub.subscribe({"b", "news.x"}, {.patterns = {"p*"}});
  auto three = hub.psubscribe("b");
  CHECK(hub.channels() == Texts{"a", "b", "news.x"});
  CHECK(hub.channels("news.*") == Texts{"news.x"});
  CHECK(hub.channels("?") == Texts{"a", "b"});
  CHECK(hub.channels("z").empty());
  CHECK(hub.num_sub("b") == 2);
  CHECK(hub.num_sub("a") == 1);
  CHECK(hub.num_sub("p1") == 0);
  CHECK(hub.num_pat() == 3);
  one.unsubscribe();
  CHECK(hub.channels() == Texts{"b", "news.x"});
  CHECK(hub.num_pat() == 2);
  two = {};
  CHECK(hub.channels().empty());
  CHECK(hub.num_sub("b") == 0);
  CHECK(hub.num_pat() == 1);
  three = {};
  CHECK(hub.num_pat() == 0);
  CHECK(hub.publish("b", 1) == 0);
}

TEST_CASE("PubSub: subscriptions with the same interest each get everything") {
  PubSub<int> hub;
  auto a = hub.subscribe({"x", "y"}, {.patterns = {"*"}});
  auto b = hub.subscribe({"y", "x"}, {.patterns = {"*"}});
  CHECK(hub.num_sub("x") == 2);
  CHECK(hub.num_pat() == 1);
  CHECK(hub.publish("x", 1) == 4);
  CHECK(received(a) == Texts{"x=1", "x~*=1"});
  a.unsubscribe();
  CHECK(hub.publish("y", 2) == 2);
  CHECK(received(a).empty());
  CHECK(received(b) == Texts{"x=1", "x~*=1", "y=2", "y~*=2"});
}

TEST_CASE("PubSub: publishing to several names at once") {
  const std::size_t shards = GENERATE(1U, 2U, 16U);
  PubSub<int> hub({.shards = shards});
  auto sub = hub.subscribe({"a", "b", "c"}, {.patterns = {"[ab]"}});
  auto other = hub.subscribe("b");
  CHECK(hub.publish({"b", "none", "a"}, 1) == 5);
  CHECK(received(sub) == Texts{"b=1", "b~[ab]=1", "a=1", "a~[ab]=1"});
  CHECK(received(other) == Texts{"b=1"});
  CHECK(hub.publish({"b", "b"}, 2) == 6);
  CHECK(received(other) == Texts{"b=2", "b=2"});
  CHECK(hub.publish({}, 3) == 0);
  CHECK(hub.publish({"none", "of", "these"}, 3) == 0);
  const int value = 4;
  CHECK(hub.publish({"a", "c"}, value) == 3);
  CHECK(hub.publish({"c"}, 5, Wait()) == 1U);
  CHECK(hub.publish({"c", "a"}, value, Wait()) == 3U);
}

TEST_CASE("PubSub: names on all parts, patterns across them") {
  PubSub<int> hub({.shards = 5});
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("n" + std::to_string(i));
  auto by_name = hub.subscribe(names);
  auto by_pattern = hub.psubscribe("n*");
  auto tagged = hub.subscribe({"{x}1", "{x}2"});
  Texts named;
  Texts matched;
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHECK(hub.publish(names[i], static_cast<int>(i)) == 2);
    named.push_back(names[i] + "=" + std::to_string(i));
    matched.push_back(names[i] + "~n*=" + std::to_string(i));
  }
  CHECK(received(by_name) == named);
  CHECK(received(by_pattern) == matched);
  CHECK(hub.publish({"{x}2", "{x}1"}, 7) == 2);
  CHECK(received(tagged) == Texts{"{x}2=7", "{x}1=7"});
  CHECK(hub.channels().size() == 42);
  CHECK(hub.num_pat() == 1);
}

TEST_CASE("PubSub: no part at all means one") {
  PubSub<int> hub({.shards = 0});
  auto sub = hub.subscribe("a", {.patterns = {"*"}});
  CHECK(hub.publish("a", 1) == 2);
  CHECK(received(sub).size() == 2);
}

TEST_CASE("PubSub: a message is stored once") {
  Census census;
  {
    PubSub<Counted<>> hub({.shards = 3});
    auto a = hub.subscribe({"a", "b"}, {.patterns = {"*"}});
    auto b = hub.subscribe("a");
    CHECK(hub.publish({"a", "b"}, Counted<>(census, 1)) == 5);
    CHECK(census.alive() == 1);
    auto first = a.receive();
    auto second = a.receive();
    auto other = b.receive();
    CHECK(&**first == &**second);
    CHECK(&**first == &**other);
    const auto rest = a.receive_batch(no_limit, Wait());
    REQUIRE(rest);
    CHECK(rest->size() == 2);
    for (const auto& message : *rest) CHECK(&*message == &**first);
  }
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("PubSub: a message stays when all else is gone") {
  std::optional<Message<std::string>> kept;
  std::optional<TopicSubscription<std::string>> sub;
  {
    PubSub<std::string> hub;
    sub.emplace(
        hub.subscribe("a name that does not lie in the string", {.patterns = {"* does not lie in the string"}}));
    hub.publish("a name that does not lie in the string", "text");
    static_cast<void>(sub->receive());
    kept = sub->try_receive();
  }
  CHECK(error_of(sub->receive()) == Errc::closed);
  CHECK(sub->reason() == Errc::closed);
  CHECK(error_of(sub->subscribe("b")) == Errc::closed);
  sub.reset();
  REQUIRE(kept);
  CHECK(shown(*kept) == "a name that does not lie in the string~* does not lie in the string=text");
}

TEST_CASE("PubSub: all that was published is let go when nobody needs it") {
  Census census;
  {
    PubSub<Counted<>> hub({.shards = 2});
    auto fast = hub.subscribe({"a", "b"}, {.patterns = {"a*"}});
    auto slow = hub.subscribe("a");
    for (int i = 0; i < 5000; ++i) {
      hub.publish(i % 2 == 0 ? "a" : "b", Counted<>(census, i));
      while (fast.try_receive()) {}
    }
    CHECK(census.alive() >= 2500);
    CHECK(slow.waiting() == 2500);
    slow.unsubscribe();
    CHECK(census.alive() < 3000);
    hub.publish("a", Counted<>(census, -1));
    while (fast.try_receive()) {}
    fast.unsubscribe();
  }
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("PubSub: of large messages that nobody needs any more few stay") {
  struct Large : Counted<> {
    using Counted<>::Counted;
    std::array<char, 5000> rest{};
  };
  Census census;
  PubSub<Large> hub;
  auto fast = hub.subscribe("a", {.patterns = {"a"}});
  auto slow = hub.subscribe("a", {.backlog = 1});
  for (int i = 0; i < 3000; ++i) {
    hub.publish("a", Large(census, i));
    while (fast.try_receive()) {}
    REQUIRE(census.alive() <= 64);
  }
  CHECK(slow.waiting() == 1);
}

TEST_CASE("PubSub: values of every kind") {
  PubSub<MoveOnly> moved;
  auto sub = moved.subscribe("a", {.patterns = {"a"}});
  CHECK(moved.publish("a", MoveOnly(3)) == 2);
  CHECK(received(sub) == Texts{"a=3", "a~a=3"});
  PubSub<Large> large;
  auto large_sub = large.subscribe("a");
  CHECK(large.publish("a", Large(4)) == 1);
  CHECK(received(large_sub) == Texts{"a=4"});
  PubSub<Constant> constant;
  auto constant_sub = constant.subscribe("a");
  CHECK(constant.publish("a", Constant(5)) == 1);
  CHECK(received(constant_sub) == Texts{"a=5"});
}

TEST_CASE("PubSub: a value that throws changes nothing") {
  PubSub<Fussy<false>> hub;
  auto sub = hub.subscribe("a");
  const Fussy<false> value(1);
  Fussy<false>::fuse = 1;
  CHECK_THROWS_AS(hub.publish("a", value), Fussy<false>::Thrown);
  Fussy<false>::fuse = 1;
  CHECK_THROWS_AS(hub.publish("a", Fussy<false>(value)), Fussy<false>::Thrown);
  Fussy<false>::fuse = 0;
  CHECK(sub.waiting() == 0);
  CHECK(hub.publish("a", value) == 1);
  CHECK(received(sub) == Texts{"a=1"});
}

TEST_CASE("PubSub: a backlog that drops the oldest") {
  PubSub<int> hub;
  auto sub = hub.subscribe({"a", "b"}, {.patterns = {"a"}, .backlog = 3});
  for (int i = 1; i <= 3; ++i) hub.publish(i % 2 == 0 ? "b" : "a", i);  // five messages
  CHECK(sub.waiting() == 3);
  const auto first = sub.try_receive();
  REQUIRE(first);
  CHECK(shown(*first) == "b=2");
  CHECK(first->lost() == 2);
  CHECK(sub.lost() == 2);
  CHECK(received(sub) == Texts{"a=3", "a~a=3"});
  for (int i = 0; i < 10; ++i) hub.publish("b", i);
  const auto rest = sub.receive_batch();
  REQUIRE(rest);
  CHECK(rest->size() == 3);
  CHECK(rest->lost() == 7);
  CHECK(sub.lost() == 9);
}

TEST_CASE("PubSub: a subscription that is too slow ends") {
  PubSub<int> hub;
  const Overflow overflow = GENERATE(Overflow::disconnect, Overflow::reject);
  auto sub = hub.subscribe("a", {.backlog = 2, .overflow = overflow});
  auto other = hub.subscribe("a");
  for (int i = 1; i <= 3; ++i) CHECK(hub.publish("a", i) == 2);
  CHECK(error_of(sub.receive()) == Errc::closed);
  CHECK(sub.reason() == Errc::full);
  CHECK(sub.lost() == 3);
  CHECK(sub.waiting() == 0);
  CHECK(hub.publish("a", 4) == 1);
  CHECK(hub.num_sub("a") == 1);
  CHECK(received(other).size() == 4);
}

TEST_CASE("PubSub: nobody is subscribed to what only one was that was too slow") {
  PubSub<int> hub;
  auto sub = hub.subscribe("a", {.patterns = {"b*"}, .backlog = 1, .overflow = Overflow::disconnect});
  hub.publish("a", 1);
  hub.publish("a", 2);
  CHECK(error_of(sub.receive()) == Errc::closed);
  CHECK(hub.num_sub("a") == 0);
  CHECK(hub.channels().empty());
  CHECK(hub.num_pat() == 0);
  CHECK(hub.publish("a", 3) == 0);
}

TEST_CASE("PubSub: a backlog without room refuses a publish that does not wait, everywhere") {
  PubSub<MoveOnly> hub({.shards = 2});
  const auto& [here, there] = two_parts();
  auto sub = hub.subscribe({here, there}, {.backlog = 2, .overflow = Overflow::block});
  auto other = hub.subscribe(there);
  MoveOnly value(1);
  CHECK(hub.publish({here, there}, std::move(value), Wait()) == 3U);
  MoveOnly more(2);
  CHECK(error_of(hub.publish(there, std::move(more), Wait())) == Errc::full);
  CHECK(more == MoveOnly(2));
  CHECK(error_of(hub.publish({there, here}, std::move(more), Wait())) == Errc::full);
  CHECK(more == MoveOnly(2));
  CHECK(other.waiting() == 1);
  static_cast<void>(sub.try_receive());
  CHECK(error_of(hub.publish({there, here}, std::move(more), Wait())) == Errc::full);
  CHECK(hub.publish(there, std::move(more), Wait()) == 2U);
  CHECK(received(sub) == Texts{there + "=1", there + "=2"});
  CHECK(hub.publish({there, here, there}, MoveOnly(3), Wait()) == 5U);  // more than it can hold, but it is empty
  CHECK(sub.waiting() == 3);
}

TEST_CASE("PubSub: those that share") {
  PubSub<int> hub;
  auto one = hub.subscribe("a", {.patterns = {"a"}, .share = "team"});
  auto two = hub.subscribe("a", {.patterns = {"a"}, .share = "team"});
  auto alone = hub.subscribe("a", {.patterns = {"a"}});
  auto elsewhere = hub.subscribe("a", {.share = "team"});  // another interest: another team
  CHECK(hub.num_sub("a") == 3);
  CHECK(hub.publish("a", 1) == 5);
  CHECK(shown(one.receive()) == "a=1");
  CHECK(shown(two.receive()) == "a~a=1");
  CHECK(received(one).empty());
  CHECK(received(alone).size() == 2);
  CHECK(received(elsewhere) == Texts{"a=1"});
  CHECK(error_of(one.subscribe("b")) == Errc::invalid_argument);
  CHECK(error_of(one.punsubscribe("a")) == Errc::invalid_argument);
  one.unsubscribe();
  CHECK(hub.num_sub("a") == 3);
  two.unsubscribe();
  CHECK(hub.num_sub("a") == 2);
  CHECK(hub.publish("a", 2) == 3);
}

TEST_CASE("PubSub: unsubscribing drops what waits") {
  PubSub<int> hub;
  auto sub = hub.subscribe({"a", "b"});
  hub.publish("a", 1);
  CHECK(sub.waiting() == 1);
  sub.unsubscribe();
  sub.unsubscribe();
  CHECK(sub.waiting() == 0);
  CHECK(error_of(sub.receive()) == Errc::closed);
  CHECK(error_of(sub.receive_batch()) == Errc::closed);
  CHECK(sub.reason() == Errc::cancelled);
  CHECK(error_of(sub.subscribe("c")) == Errc::closed);
  CHECK(hub.channels().empty());
}

TEST_CASE("PubSub: a subscription that never was has ended") {
  TopicSubscription<int> sub;
  CHECK(error_of(sub.receive()) == Errc::closed);
  CHECK(error_of(sub.subscribe("a")) == Errc::closed);
  CHECK(error_of(sub.punsubscribe("a")) == Errc::closed);
  CHECK(sub.reason() == Errc::cancelled);
  CHECK(sub.lost() + sub.waiting() == 0);
  sub.unsubscribe();
}

TEST_CASE("PubSub: subscriptions move") {
  PubSub<int> hub;
  auto one = hub.subscribe("a");
  auto other = std::move(one);
  CHECK(hub.publish("a", 1) == 1);
  CHECK(received(other) == Texts{"a=1"});
  other = hub.subscribe("b");
  CHECK(hub.channels() == Texts{"b"});
}

TEST_CASE("PubSub: closing") {
  PubSub<int> hub({.shards = 3});
  auto sub = hub.subscribe({"a", "b"}, {.patterns = {"*"}});
  hub.publish({"a", "b"}, 1);
  CHECK(!hub.closed());
  hub.close();
  hub.close();
  CHECK(hub.closed());
  CHECK(hub.publish("a", 2) == 0);
  CHECK(error_of(hub.publish("a", 2, Wait())) == Errc::closed);
  CHECK(error_of(hub.publish("nobody", 2, forever)) == Errc::closed);
  CHECK(sub.reason() == Errc::closed);
  CHECK(error_of(sub.subscribe("c")) == Errc::closed);
  CHECK(received(sub) == Texts{"a=1", "a~*=1", "b=1", "b~*=1"});
  CHECK(error_of(sub.receive()) == Errc::closed);
  auto late = hub.subscribe("x");
  CHECK(error_of(late.receive()) == Errc::closed);
  CHECK(late.reason() == Errc::closed);
  auto called = hub.subscribe({"x"}, [](int) {});
  CHECK(called.reason() == Errc::closed);
}

TEST_CASE("PubSub: receiving in a loop") {
  PubSub<int> hub;
  auto sub = hub.subscribe("a", {.patterns = {"?"}});
  hub.publish("a", 1);
  hub.publish("b", 2);
  hub.close();
  Texts texts;
  for (const auto& message : sub) texts.push_back(shown(message));
  CHECK(texts == Texts{"a=1", "a~?=1", "b~?=2"});
}

TEST_CASE("PubSub: receiving in batches") {
  PubSub<int> hub;
  auto sub = hub.subscribe("a", {.patterns = {"a"}});
  for (int i = 1; i <= 3; ++i) hub.publish("a", i);
  CHECK(batch(sub, 0).empty());
  CHECK(batch(sub, 2) == Texts{"a=1", "a~a=1"});
  CHECK(batch(sub) == Texts{"a=2", "a~a=2", "a=3", "a~a=3"});
  CHECK(sub.receive_batch(no_limit, Wait())->empty());
}

TEST_CASE("PubSub: a function is called on the publisher's thread, before publish returns") {
  PubSub<int> hub({.shards = 2});
  Texts seen;
  std::thread::id where;
  auto sub = hub.subscribe({"a", "b"},
                           [&](const Message<int>& message) {
                             seen.push_back(shown(message));
                             where = std::this_thread::get_id();
                           },
                           {"a*"});
  CHECK(hub.publish({"b", "a"}, 1) == 3);
  CHECK(seen == Texts{"b=1", "a=1", "a~a*=1"});
  CHECK(where == std::this_thread::get_id());
  CHECK(hub.num_sub("a") == 1);
  CHECK(hub.num_pat() == 1);
  sub.unsubscribe();
  CHECK(hub.publish("a", 2) == 0);
  CHECK(seen.size() == 3);
  CHECK(sub.reason() == Errc::cancelled);
  CHECK(hub.channels().empty());
}

TEST_CASE("PubSub: a function of what a pattern matches") {
  PubSub<int> hub;
  Texts seen;
  auto sub = hub.psubscribe("a*", [&](const Message<int>& message) { seen.push_back(shown(message)); },
                            {.thread = CallOn::publisher});
  CHECK(hub.num_pat() == 1);
  CHECK(hub.publish("ab", 1) == 1);
  CHECK(hub.publish("b", 2) == 0);
  CHECK(seen == Texts{"ab~a*=1"});
  sub.unsubscribe();
  CHECK(hub.num_pat() == 0);
}

TEST_CASE("PubSub: a function that is called on a thread of its own") {
  PubSub<int> hub;
  std::promise<std::pair<std::thread::id, Texts>> done;
  Texts seen;
  auto sub = hub.subscribe({"a"},
                           [&](const Message<int>& message) {
                             seen.push_back(shown(message));
                             if (*message == 3) done.set_value({std::this_thread::get_id(), seen});
                           },
                           {}, {.thread = CallOn::own_thread});
  for (int i = 1; i <= 3; ++i) hub.publish("a", i);
  const auto [thread, texts] = done.get_future().get();
  CHECK(thread != std::this_thread::get_id());
  CHECK(texts == Texts{"a=1", "a=2", "a=3"});
  sub.unsubscribe();
}

TEST_CASE("PubSub: a function that publishes, subscribes and unsubscribes") {
  PubSub<int> hub({.shards = 2});
  const auto& [here, there] = two_parts();
  Texts seen;
  std::optional<TopicSubscription<int>> made;
  auto plain = hub.subscribe(here);
  CallbackSubscription other = hub.subscribe({there}, [&](int value) { seen.push_back("other " + text_of(value)); });
  CallbackSubscription sub = hub.subscribe({here, there}, [&](const Message<int>& message) {
    seen.push_back(shown(message));
    if (*message == 1) {
      hub.publish(there, 2);
      CHECK(plain.subscribe("new"));
      made.emplace(hub.subscribe({here}, {.patterns = {"*"}}));
    }
    if (*message == 2) hub.publish({there, here}, 3);
    if (*message == 3) sub.unsubscribe();
  });
  hub.publish(here, 1);
  CHECK(seen == Texts{here + "=1", "other 2", there + "=2", "other 3", there + "=3"});
  CHECK(sub.reason() == Errc::cancelled);
  CHECK(hub.publish("new", 4) == 2);
  CHECK(received(plain) == Texts{here + "=1", here + "=3", "new=4"});
  CHECK(received(*made).size() == 4);
  CHECK(hub.num_sub(there) == 1);
}

TEST_CASE("PubSub: a function that closes the PubSub") {
  PubSub<int> hub;
  int calls = 0;
  auto sub = hub.subscribe({"a"}, [&](int) { ++calls, hub.close(); }, {"a", "*"});
  CHECK(hub.publish("a", 1) == 3);
  CHECK(calls == 3);
  CHECK(sub.reason() == Errc::closed);
}

TEST_CASE("PubSub: a function that throws") {
  PubSub<int> hub;
  int told = 0;
  auto bad = hub.subscribe({"a"}, [](int) { throw std::runtime_error("bad"); }, {},
                           {.on_error = [&](const std::exception_ptr&) { ++told; }});
  auto good = hub.subscribe("a");
  CHECK(hub.publish("a", 1) == 2);
  CHECK(hub.publish("a", 2) == 2);
  CHECK(told == 2);
  CHECK(bad.failures() == 2);
  CHECK(received(good).size() == 2);
}

namespace {

/// A value that does something when it dies.
class Dying {
 public:
  explicit Dying(std::function<void()> last) : last_(std::make_unique<std::function<void()>>(std::move(last))) {}
  Dying(Dying&&) noexcept = default;
  Dying& operator=(Dying&&) = delete;
  ~Dying() {
    if (last_ != nullptr) (*last_)();
  }

 private:
  std::unique_ptr<std::function<void()>> last_;
};

}  // namespace

TEST_CASE("PubSub: values are destroyed without a lock held") {
  PubSub<Dying> hub({.shards = 2});
  int died = 0;
  auto witness = hub.subscribe("elsewhere");
  const auto use_it_all = [&] {
    ++died;
    hub.publish("nobody", Dying([] {}));
    static_cast<void>(hub.channels());
    static_cast<void>(hub.num_sub("a") + hub.num_pat());
    CHECK(witness.subscribe("more"));
    CHECK(witness.unsubscribe("more"));
    auto another = hub.subscribe({"a"}, {.patterns = {"*"}});
  };
  const auto fill = [&](TopicSubscription<Dying>&, int count) {
    for (int i = 0; i < count; ++i) hub.publish("a", Dying(use_it_all));
  };
  auto sub = hub.subscribe("a");
  fill(sub, 3000);
  SECTION("received") {
    while (sub.try_receive()) {}
  }
  SECTION("received in batches") {
    while (!sub.receive_batch(100, Wait())->empty()) {}
  }
  SECTION("unsubscribed") { sub.unsubscribe(); }
  SECTION("destroyed") { sub = {}; }
  SECTION("dropped") {
    sub = hub.subscribe("a", {.backlog = 1});
    fill(sub, 3000);
    while (sub.try_receive()) {}
  }
  SECTION("disconnected") {
    sub = hub.subscribe("a", {.backlog = 1, .overflow = Overflow::disconnect});
    fill(sub, 3000);
    CHECK(!sub.try_receive());
  }
  SECTION("moved away, received") {
    auto other = hub.subscribe("a");
    CHECK(sub.subscribe("b"));
    other.unsubscribe();
    while (sub.try_receive()) {}
  }
  SECTION("moved away, unsubscribed") {
    auto other = hub.subscribe("a");
    CHECK(sub.subscribe("b"));
    CHECK(other.subscribe("c"));
    sub.unsubscribe();
  }
  CHECK(died > 0);
  sub = {};
  witness = {};
}

}  // namespace pubsub_test
