// select_into_test.cpp — what waits for room: values on their way into streams, lists, channels and names of a PubSub, by
// select() and by completions.
#include <brook/select.hpp>

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_into_test {

namespace {

using namespace brook;
using namespace brook::test;

// What handlers were told.
struct Log {
  Texts texts{};

  auto handler() {
    return [this](const auto& done) { texts.push_back(done ? "done" : told(done.error())); };
  }
  Texts take() { return std::exchange(texts, {}); }
};

}  // namespace

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

TEST_CASE("Completion: it keeps the values that it brings") {
  Log log;
  SoleClock clock;
  Stream<MoveOnly> stream({.capacity = 1, .clock = &clock});
  BlockingList<MoveOnly> list({.capacity = 1, .clock = &clock});
  Channel<MoveOnly> channel({.clock = &clock, .spin = 0us});
  PubSub<MoveOnly> pubsub({.clock = &clock, .spin = 0us});
  auto sub = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  auto topic = pubsub.subscribe("t", {.backlog = 1, .overflow = Overflow::block});
  REQUIRE(stream.add(MoveOnly(1)));
  REQUIRE(list.rpush(MoveOnly(1)));
  REQUIRE(channel.publish(MoveOnly(1)) == 1);
  REQUIRE(pubsub.publish("t", MoveOnly(1)) == 1);
  {
    std::optional<MoveOnly> given[] = {MoveOnly(2), MoveOnly(3), MoveOnly(4), MoveOnly(5)};
    on_ready(log.handler(), forever, into(stream, *std::move(given[0])));
    on_ready(log.handler(), forever, into(list, *std::move(given[1])));
    on_ready(log.handler(), forever, into(channel, *std::move(given[2])));
    on_ready(log.handler(), forever, into(pubsub, "t", *std::move(given[3])));
    for (auto& one : given) CHECK(one->value() == -1);
  }
  CHECK(log.texts.empty());
  CHECK(stream.trim({.max_len = 0}) == 1U);
  CHECK(list.lpop()->value() == 1);
  CHECK((*sub.receive(Wait()))->value() == 1);
  CHECK((*topic.receive(Wait()))->value() == 1);
  CHECK(log.take() == Texts(4, "done"));
  CHECK(stream.range().front().value.value() == 2);
  CHECK(list.lpop()->value() == 3);
  CHECK((*sub.receive(Wait()))->value() == 4);
  CHECK((*topic.receive(Wait()))->value() == 5);
}

TEST_CASE("Completion: functions are called of what it publishes, before its handler, and may do anything") {
  Texts order;
  SoleClock clock;
  Channel<int> channel({.clock = &clock, .spin = 0us});
  BlockingList<int> list({.clock = &clock});
  auto slow = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  CancelHandle handle;
  bool published_again = false;
  auto function = channel.subscribe([&](const int& value) {
    order.push_back("called " + std::to_string(value));
    handle.cancel();
    if (!std::exchange(published_again, true)) {
      on_ready([&](const auto&) { order.push_back("second"); }, 1s, into(channel, 3));
      CHECK(list.rpush(9));
    }
  });
  const auto first = [&](const auto&) { order.push_back("first"); };
  SECTION("at once") { handle = on_ready(first, forever, into(channel, 1), list); }
  SECTION("when there is room") {
    CHECK(channel.publish(1) == 2);
    handle = on_ready(first, forever, into(channel, 2));
    order.clear();
    published_again = false;
    CHECK(slow.receive(Wait()));
    CHECK(order == Texts{"called 2", "first"});
    return;
  }
  CHECK(order == Texts{"called 1", "first"});
  CHECK(**slow.receive(Wait()) == 1);
  CHECK(order == Texts{"called 1", "first", "called 3", "second"});
  CHECK(all(list) == Ints{9});
}

TEST_CASE("Select: a message for a name of a PubSub") {
  SoleClock clock;
  PubSub<MoveOnly> pubsub({.shards = 2, .clock = &clock, .spin = 0us});
  BlockingList<int> list({.clock = &clock});
  MoveOnly value(1);
  const auto waits = [&](const Wait& wait) { return select(wait, list, into(pubsub, "t", std::move(value))); };
  const auto told_count = [](const auto& done) { return done ? int(std::get<1>(*done)) : -int(done.error()); };
  SECTION("nobody is there, or many are") {
    CHECK(told_count(waits(Wait())) == 0);
    CHECK(value.value() == 1);
    auto a = pubsub.subscribe("t"), b = pubsub.subscribe({"t", "u"}, {.patterns = {"*"}});
    CHECK(told_count(waits(Wait())) == 3);
    CHECK(value.value() == -1);
    CHECK(shown(a.receive(Wait())) == "t=1");
  }
  SECTION("there is room in one backlog, then in the other") {
    auto a = pubsub.subscribe("t", {.backlog = 1, .overflow = Overflow::block});
    auto b = pubsub.psubscribe("*", {.backlog = 1, .overflow = Overflow::block});
    CHECK(pubsub.publish("t", MoveOnly(0)) == 2);
    CHECK(told_count(waits(Wait())) == -int(Errc::timed_out));
    CHECK(told_count(waits(1s)) == -int(Errc::timed_out));
    CHECK(value.value() == 1);
    std::stop_source stop;
    const bool a_first = GENERATE(false, true);
    const auto receive = [&](bool from_a) {
      return [&, from_a] { CHECK(shown((from_a ? a : b).receive(Wait())).back() == '0'); };
    };
    clock.meanwhile = {receive(a_first), [&] { stop.request_stop(); }};
    CHECK(told_count(waits(Wait(forever, stop.get_token()))) == -int(Errc::cancelled));
    CHECK(value.value() == 1);
    clock.meanwhile = {receive(!a_first)};
    CHECK(told_count(waits(forever)) == 2);
    CHECK(shown(a.receive(Wait())) == "t=1");
    value = MoveOnly(2);
    CHECK(pubsub.publish("t", MoveOnly(0), Wait()).error() == Errc::full);
    CHECK(shown(b.receive(Wait())) == "t~*=1");
    CHECK(pubsub.publish("t", MoveOnly(0), Wait()) == 2U);
    clock.meanwhile = {receive(a_first), receive(!a_first)};
    CHECK(told_count(waits(forever)) == 2);
    CHECK(shown(b.receive(Wait())) == "t~*=2");
  }
  SECTION("it is closed, before or while it waits") {
    auto a = pubsub.subscribe("t", {.backlog = 1, .overflow = Overflow::block});
    CHECK(pubsub.publish("t", MoveOnly(0)) == 1);
    clock.meanwhile = {[&] { pubsub.close(); }, [&] { CHECK(list.rpush(7)); }};
    CHECK(waits(forever)->index() == 0);
    CHECK(told(select(forever, into(pubsub, "t", std::move(value)))) == told(Errc::closed));
    CHECK(value.value() == 1);
  }
  SECTION("something else comes") {
    auto a = pubsub.subscribe("t", {.backlog = 1, .overflow = Overflow::block});
    CHECK(pubsub.publish("t", MoveOnly(0)) == 1);
    clock.meanwhile = {[&] { CHECK(list.rpush(7)); }};
    CHECK(waits(forever)->index() == 0);
    CHECK(value.value() == 1);
  }
}

TEMPLATE_TEST_CASE("Select: a message that throws as it is copied or moved is not published", "", Fussy<true>,
                   Fussy<false>) {
  using T = TestType;
  const bool completion = GENERATE(false, true);
  const auto publish = [&](auto&& into_it) {
    std::optional<Errc> failed;
    const auto see = [&](const auto& done) { failed = done ? std::nullopt : std::optional(done.error()); };
    if (completion) on_ready(see, Wait(), std::move(into_it));
    else see(select(Wait(), std::move(into_it)));
    CHECK(!failed);
  };
  for (int n = 1, left = 4; left > 0; ++n) {
    CAPTURE(completion, n);
    left = 4;  // ways that did not throw, as no constructions were left to
    for (const int way : {0, 1, 2, 3}) {
      Channel<T> channel;
      PubSub<T> hub;
      auto sub = channel.subscribe();
      auto topic = hub.subscribe("a", {.patterns = {"*"}});
      T value(7);
      T::fuse = n;
      try {
        if (way == 0) publish(into(channel, std::as_const(value)));
        if (way == 1) publish(into(channel, std::move(value)));
        if (way == 2) publish(into(hub, "a", std::as_const(value)));
        if (way == 3) publish(into(hub, "a", std::move(value)));
        left -= T::fuse > 0 ? 1 : 0;
      } catch (const typename T::Thrown&) {}
      const bool thrown = T::fuse == 0;
      T::fuse = 0;
      CHECK(sub.waiting() == (way < 2 && !thrown ? 1 : 0));
      CHECK(topic.waiting() == (way >= 2 && !thrown ? 2 : 0));
    }
  }
}

}  // namespace select_into_test
