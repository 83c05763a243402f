// select_subscriptions_test.cpp — what select() takes of subscriptions, and of questions and answers.
#include <brook/select.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_subscriptions_test {

namespace {

using namespace brook;
using namespace brook::test;

}  // namespace

TEST_CASE("Select: a subscription") {
  Things things;
  SECTION("one message or all, with what was lost") {
    auto sub = things.channel.subscribe({.backlog = 2});
    publish(things.channel, 1, 3);
    const auto got = select(Wait(), things.a, sub);
    REQUIRE(told(got) == "1: 2");
    CHECK(std::get<1>(*got).lost() == 1);
    CHECK(told(select(Wait(), things.a, from(sub, 0))) == "1: 3");  // at least one
    things.clock.meanwhile = {[&] { publish(things.channel, 4, 8); }};
    const auto batch = select(forever, from(sub, 5), things.a);
    REQUIRE(told(batch) == "0: 7 8");
    CHECK(std::get<0>(*batch).lost() == 3);
    things.channel.publish_range(numbers(9, 10));
    CHECK(told(select(forever, from(sub, 1), things.a)) == "0: 9");
  }
  SECTION("that is too slow ends") {
    auto sub = things.channel.subscribe({.backlog = 1, .overflow = Overflow::disconnect});
    publish(things.channel, 1, 2);
    CHECK(told(select(forever, sub)) == told(Errc::closed));
    CHECK(sub.reason() == Errc::full);
    auto other = things.channel.subscribe({.backlog = 1, .overflow = Overflow::disconnect});
    things.clock.meanwhile = {[&] { publish(things.channel, 1, 2); }, [&] { CHECK(things.a.rpush(3)); }};
    CHECK(told(select(forever, other, things.a)) == "1: 3");
    CHECK(other.reason() == Errc::full);
  }
  SECTION("that makes publishers wait gives way to them") {
    auto sub = things.channel.subscribe({.backlog = 1, .overflow = Overflow::block});
    publish(things.channel, 1, 1);
    CHECK(error_of(things.channel.publish(2, Wait())) == Errc::full);
    CHECK(told(select(Wait(), things.a, sub)) == "1: 1");
    CHECK(things.channel.publish(2, Wait()) == 1U);
  }
  SECTION("that is ended, alone or shared, while it waits") {
    auto alone = things.channel.subscribe();
    auto shared = things.channel.subscribe({.share = "s"});
    auto same = things.channel.subscribe({.share = "s"});
    things.clock.meanwhile = {[&] { alone.unsubscribe(); }, [&] { shared.unsubscribe(); },
                              [&] { publish(things.channel, 1, 1); }};
    CHECK(told(select(forever, alone, shared, same)) == "2: 1");
    things.clock.meanwhile = {[&] { same = Subscription<int>(); }};
    CHECK(told(select(forever, same, alone)) == told(Errc::closed));
  }
  SECTION("that has ended, or never was") {
    Subscription<int> none;
    TopicSubscription<int> no_topics;
    CHECK(told(select(forever, none)) == told(Errc::closed));
    CHECK(told(select(forever, no_topics, from(none, 3))) == told(Errc::closed));
    things.clock.meanwhile = {[&] { CHECK(things.a.rpush(3)); }};
    CHECK(told(select(forever, things.a, none, no_topics)) == "0: 3");
    auto moved = things.channel.subscribe();
    none = std::move(moved);
    publish(things.channel, 4, 4);
    CHECK(told(select(forever, moved, none)) == "1: 4");
  }
  SECTION("whose channel is gone: what was published is there") {
    std::optional<Channel<int>> channel;
    channel.emplace(ChannelOptions{.clock = &things.clock});
    auto sub = channel->subscribe();
    publish(*channel, 1, 1);
    channel.reset();
    CHECK(told(select(forever, sub)) == "1");
    CHECK(told(select(forever, sub)) == told(Errc::closed));
  }
}

TEST_CASE("Select: a shared subscription gives to who has waited longest, however it waits") {
  WatchedClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  BlockingList<int> list({.clock = &clock});
  auto a = channel.subscribe({.share = "s"});
  auto b = channel.subscribe({.share = "s"});
  std::size_t waiting = 0;
  const auto blocked = [&](auto call) {
    auto future = on_a_thread(call);
    clock.wait_for_sleepers(++waiting);
    return future;
  };
  auto first = blocked([&] { return told(select(forever, list, a)); });
  auto second = blocked([&] { return told(b.receive()); });
  auto third = blocked([&] { return told(select(forever, from(a, 2), list)); });
  auto fourth = blocked([&] { return told(select(forever, list, b)); });
  channel.publish_range(numbers(1, 5));
  CHECK(first.get() == "1: 1");
  CHECK(second.get() == "2");
  CHECK(third.get() == "0: 3 4");
  CHECK(fourth.get() == "1: 5");
}

TEST_CASE("Select: names that change while it waits") {
  Things things;
  auto sub = things.pubsub.subscribe("a");
  auto other = things.pubsub.subscribe("a");  // so that a change means a move to another feed
  const auto waits = [&] { return told(select(forever, things.a, sub)); };
  const auto sent = [&](const char* name, int value) { things.pubsub.publish(name, value); };
  things.clock.meanwhile = {[&] {
                              CHECK(sub.subscribe("b"));
                              CHECK(sub.unsubscribe("a"));
                              sent("a", 1);
                            },
                            [&] { sent("b", 2); }};
  CHECK(waits() == "1: b=2");
  things.clock.meanwhile = {[&] {
    sent("b", 3);
    CHECK(sub.psubscribe("*"));
    sent("c", 4);
  }};
  CHECK(waits() == "1: b=3");
  CHECK(waits() == "1: c~*=4");
  things.clock.meanwhile = {[&] {
                              CHECK(sub.punsubscribe("*"));
                              CHECK(sub.unsubscribe("b"));
                              CHECK(sub.unsubscribe("c"));
                              sent("b", 5);
                            },
                            [&] {
                              CHECK(sub.subscribe({"c", "d"}));
                            },
                            [&] {
                              things.pubsub.publish({"d", "c"}, 6);
                            }};
  CHECK(told(select(forever, from(sub, 4), things.a)) == "0: d=6 c=6");
  CHECK(received(other) == Texts{"a=1"});
  things.clock.meanwhile = {[&] { sub.unsubscribe(); }};
  CHECK(told(select(forever, sub)) == told(Errc::closed));
  auto shared = things.pubsub.subscribe("a", {.share = "s"});
  auto same = things.pubsub.subscribe("a", {.share = "s"});
  things.clock.meanwhile = {[&] { sent("a", 7); }, [&] { things.pubsub.close(); }};
  CHECK(told(select(forever, things.a, shared, same)).substr(3) == "a=7");
  CHECK(told(select(forever, shared, other)) == "1: a=7");
  CHECK(told(select(forever, shared, other)) == told(Errc::closed));
}

TEST_CASE("Select: questions and answers") {
  SoleClock clock;
  BlockingList<int> a({.clock = &clock});
  Requests<int, int> requests({.clock = &clock, .spin = 0us});
  auto service = requests.serve();
  std::vector<Reply<int>> replies;
  clock.meanwhile = {[&] { replies.push_back(*requests.send(20)); }};
  auto asked = select(forever, a, service);
  REQUIRE(asked);
  auto& request = std::get<1>(*asked);
  CHECK(*request == 20);
  CHECK(request.reply(1));
  auto answer = requests.send(21);
  REQUIRE(answer);
  clock.meanwhile = {[&] { CHECK(a.rpush(1)); }, [&] { CHECK(service.receive(Wait())->reply(42)); }};
  CHECK(told(select(forever, a, *answer)) == "0: 1");
  CHECK(told(select(1s, *answer, a)) == "0: 42");
  auto refused = requests.send(22);
  auto dropped = requests.send(23);
  CHECK(service.receive(Wait())->refuse(Errc::full));
  CHECK(service.receive(Wait()));
  CHECK(told(select(forever, *refused)) == told(Errc::full));
  CHECK(told(select(forever, a, *dropped)) == told(Errc::unanswered));
  auto late = requests.send(24);
  CHECK(told(select(1s, *late, a)) == told(Errc::timed_out));
  CHECK(service.receive(Wait())->reply(43));
  CHECK(told(select(1s, *late, a)) == "0: 43");
}

}  // namespace select_subscriptions_test
