// on_ready_test.cpp — being called instead of waiting. All on one thread, but where it says otherwise.
#include <brook/select.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace on_ready_test {

namespace {

using namespace brook;
using namespace brook::test;

// What handlers were told, in the order in which they were called.
struct Log {
  std::mutex mutex{};
  Texts texts{};

  auto handler(std::string name = {}) {
    return [this, name = std::move(name)](auto taken) {
      const std::unique_lock held(mutex);
      texts.push_back(name + told(taken));
    };
  }
  Texts take() { return std::exchange(texts, {}); }
  // When so many have been called, on whichever thread.
  Texts take_when(std::size_t calls) {
    for (;; std::this_thread::yield()) {
      const std::unique_lock held(mutex);
      if (texts.size() >= calls) return take();
    }
  }
};

struct Scene : Things {
  Log log{};

  template <class... Sources>
  CancelHandle ready(const Wait& wait, Sources&&... sources) {
    return on_ready(log.handler(), wait, std::forward<Sources>(sources)...);
  }
  [[nodiscard]] std::size_t waiting() const { return a.info().waiting_poppers + b.info().waiting_poppers; }
};

}  // namespace

TEST_CASE("Completion: called before on_ready returns when there is something, or there never will be") {
  Scene scene;
  REQUIRE(scene.a.rpush({1, 2}));
  std::stop_source stop;
  stop.request_stop();
  scene.ready(forever, scene.a);
  scene.ready({}, scene.b, scene.a);
  CHECK(scene.log.take() == Texts{"1", "1: 2"});
  scene.ready({}, scene.b, scene.a);
  scene.ready(-1s, scene.a);
  scene.ready(scene.clock.now(), scene.a);
  CHECK(scene.log.take() == Texts(3, told(Errc::timed_out)));
  scene.ready(Wait(forever, stop.get_token()), scene.b, scene.a);
  CHECK(scene.log.take() == Texts{told(Errc::cancelled)});
  REQUIRE(scene.a.rpush(3));
  scene.ready(Wait(forever, stop.get_token()), scene.b, scene.a);
  CHECK(scene.log.take() == Texts{"1: 3"});
  scene.a.close();
  Subscription<int> none;
  scene.ready(forever, scene.a, none, scene.a);
  CHECK(scene.log.take() == Texts{told(Errc::closed)});
  CHECK(scene.waiting() == 0);
  CHECK(scene.clock.timers() == 0);
}

TEST_CASE("Completion: called by whoever brings something, before that call returns, and once") {
  Scene scene;
  auto sub = scene.channel.subscribe();
  auto shared = scene.channel.subscribe({.share = "s"});
  auto topics = scene.pubsub.subscribe("t");
  const auto group = scene.group();
  const auto worker = group.consumer("c");
  const auto arm = [&] { return scene.ready(forever, scene.a, worker, sub, topics, from(scene.b, Side::right, 2)); };
  const auto expect = [&](const char* text) { CHECK(scene.log.take() == Texts{text}); };
  std::optional<CancelHandle> handle;
  const auto called_once = [&](const char* text, auto&& bring) {
    handle = arm();
    CHECK(scene.log.texts.empty());
    bring();
    expect(text);
    handle->cancel();
    CHECK(scene.log.texts.empty());
    CHECK(scene.waiting() == 0);
  };
  called_once("0: 1", [&] { REQUIRE(scene.a.rpush(1)); });
  called_once("0: 3", [&] { REQUIRE(scene.a.lpush({1, 2, 3})); });
  CHECK(all(scene.a) == Ints{2, 1});
  scene.a.clear();
  called_once("4: 3 2", [&] { REQUIRE(scene.b.rpush_range(numbers(1, 3))); });
  REQUIRE(scene.b.lpop() == 1);
  called_once("1: 5", [&] { REQUIRE(scene.stream.add(5)); });
  called_once("1: 6 7", [&] { REQUIRE(scene.stream.add_range(numbers(6, 7))); });
  const auto pending = *worker.history();
  called_once("1: 6", [&] { CHECK(pending[1].nack()); });
  called_once("2: 9", [&] { CHECK(scene.channel.publish(9) == 2); });
  called_once("2: 10", [&] { CHECK(scene.channel.publish_range(numbers(10, 11)) == 2); });
  CHECK(drained(sub) == Ints{11});
  called_once("3: t=1", [&] { CHECK(scene.pubsub.publish("t", 1) == 1); });
  Stream<int> other({.clock = &scene.clock});
  scene.ready(forever, from(other, earliest, 2));
  const auto seven = *worker.history(Id::min(), 3);
  CHECK(seven[2].forward(other, 8));
  expect("8");
  scene.ready(forever, scene.a);
  REQUIRE(scene.b.rpush(4));
  CHECK(scene.b.lmove(scene.a, Side::left, Side::left) == 4);
  expect("4");
  scene.ready(forever, moving(scene.b, scene.a, Side::left, Side::left));
  scene.ready(forever, scene.a);
  REQUIRE(scene.b.rpush(5));
  CHECK(scene.log.take() == Texts{"5", "5"});
  scene.ready(forever, shared);
  CHECK(scene.log.take() == Texts{"9"});
  CHECK(scene.clock.timers() == 0);
}

TEST_CASE("Completion: cancelled, and nothing is lost") {
  Scene scene;
  const auto group = scene.group();
  auto sub = scene.channel.subscribe();
  auto shared = scene.channel.subscribe({.share = "s"});
  auto topics = scene.pubsub.subscribe("t");
  const CancelHandle handle = scene.ready(9s, scene.a, group.consumer("c"), sub, shared, topics,
                                          moving(scene.b, scene.a, Side::left, Side::left), from(scene.stream, latest));
  const CancelHandle same = handle;
  CHECK(scene.clock.timers() == 1);
  same.cancel();
  CHECK(scene.log.take() == Texts{told(Errc::cancelled)});
  handle.cancel();
  CancelHandle().cancel();
  CHECK(scene.waiting() == 0);
  CHECK(scene.clock.timers() == 0);
  REQUIRE(scene.a.rpush(1));
  REQUIRE(scene.b.rpush(2));
  REQUIRE(scene.stream.add(3));
  publish(scene.channel, 4, 4);
  scene.pubsub.publish("t", 5);
  scene.clock.advance(20s);
  CHECK(scene.log.texts.empty());
  CHECK(scene.a.lpop() == 1);
  CHECK(scene.b.lpop() == 2);
  CHECK(values_of(group.consumer("c").read()) == Ints{3});
  CHECK(drained(sub) == Ints{4});
  CHECK(drained(shared) == Ints{4});
  CHECK(received(topics) == Texts{"t=5"});
}

TEST_CASE("Completion: a dropped handle changes nothing") {
  Scene scene;
  { const CancelHandle handle = scene.ready(forever, scene.a, scene.b); }
  REQUIRE(scene.b.rpush(1));
  CHECK(scene.log.take() == Texts{"1: 1"});
}

TEST_CASE("Completion: ended by a request to stop, in that call") {
  Scene scene;
  std::optional<std::stop_source> stop(std::in_place);
  scene.ready(Wait(5s, stop->get_token()), scene.a, scene.b);
  scene.ready(Wait(forever, stop->get_token()), scene.b);
  CHECK(stop->request_stop());
  CHECK(scene.log.take() == Texts(2, told(Errc::cancelled)));
  CHECK(scene.clock.timers() == 0);
  stop.emplace();
  scene.ready(Wait(forever, stop->get_token()), scene.a, scene.b);
  stop.reset();  // no stop will ever be requested
  REQUIRE(scene.a.rpush(1));
  CHECK(scene.log.take() == Texts{"0: 1"});
  CHECK(scene.waiting() == 0);
}

TEST_CASE("Completion: ended when its time is up, by the clock") {
  Scene scene;
  scene.ready(5s, scene.a, scene.b);
  scene.ready(scene.clock.now() + 2s, scene.b);
  scene.ready(7s, scene.b);
  CHECK(scene.clock.timers() == 3);
  scene.clock.advance(1s);
  CHECK(scene.log.texts.empty());
  scene.clock.advance(1s);
  CHECK(scene.log.take() == Texts{told(Errc::timed_out)});
  REQUIRE(scene.b.rpush(1));
  CHECK(scene.log.take() == Texts{"1: 1"});
  CHECK(scene.clock.timers() == 1);
  scene.clock.advance(4s);
  CHECK(scene.log.texts.empty());
  scene.clock.advance(1s);
  CHECK(scene.log.take() == Texts{told(Errc::timed_out)});
  CHECK(scene.waiting() == 0);
}

TEST_CASE("Completion: what comes back to a group when its time has come") {
  Scene scene;
  REQUIRE(scene.stream.add_range(numbers(1, 3)));
  const auto passes = [&](std::chrono::seconds time, const char* text) {
    scene.clock.advance(time - 1s);
    CHECK(scene.log.texts.empty());
    scene.clock.advance(1s);
    CHECK(scene.log.take() == Texts{text});
    CHECK(scene.clock.timers() == 0);
  };
  SECTION("after a rest, also one that begins while it waits") {
    const auto group = scene.group();
    const auto batch = *group.consumer("other").read();
    REQUIRE(batch[0].nack({.delay = 5s}));
    scene.ready(20s, scene.a, group.consumer("me"));
    CHECK(scene.clock.timers() == 1);
    REQUIRE(batch[1].nack({.delay = 3s}));
    passes(3s, "1: 2");
    scene.ready(1s, scene.a, group.consumer("me"));
    passes(1s, "the wait timed out");
    scene.ready(forever, scene.a, group.consumer("me"));
    passes(1s, "1: 1");
  }
  SECTION("because its consumer has had it for too long") {
    const auto group = scene.group({.visibility = 3s});
    const auto batch = *group.consumer("other").read({.count = 2});
    scene.clock.advance(1s);
    REQUIRE(values_of(group.consumer("other").read()) == Ints{3});
    scene.ready(forever, scene.a, group.consumer("me"));
    CHECK(batch[0].ack());
    passes(2s, "1: 2");
  }
  SECTION("because it is claimed") {
    const auto group = scene.group();
    const auto batch = *group.consumer("other").read();
    scene.ready(forever, scene.a, from(group.consumer("me"), {.count = 2, .claim_idle = 4s}));
    passes(4s, "1: 1 2");
  }
  SECTION("never, because the group is destroyed") {
    const auto group = scene.group({.visibility = 3s});
    const auto batch = *group.consumer("other").read();
    scene.ready(forever, group.consumer("me"), scene.a);
    CHECK(scene.clock.timers() == 1);
    CHECK(group.destroy());
    CHECK(scene.clock.timers() == 0);
    REQUIRE(scene.a.rpush(1));
    CHECK(scene.log.take() == Texts{"1: 1"});
  }
  SECTION("and somebody else was faster") {
    const auto group = scene.group();
    const auto batch = *group.consumer("other").read();
    scene.ready(9s, from(group.consumer("me"), {.claim_idle = 4s}), scene.a);
    scene.clock.advance(2s);
    CHECK(group.consumer("thief").auto_claim({.min_idle = 1s})->deliveries.size() == 3);
    scene.clock.advance(3s);
    CHECK(scene.log.texts.empty());
    passes(1s, "0: 1 2 3");
  }
}

TEST_CASE("Completion: closed, one source after the other, or destroyed") {
  Scene scene;
  std::optional<BlockingList<int>> list(std::in_place, ListOptions{.clock = &scene.clock});
  std::optional<Stream<int>> stream(std::in_place, StreamOptions{.clock = &scene.clock});
  std::optional<Channel<int>> channel(std::in_place, ChannelOptions{.clock = &scene.clock});
  std::optional<PubSub<int>> pubsub(std::in_place, PubSubOptions{.clock = &scene.clock});
  const auto group = stream->create_group("g").value();
  auto alone = channel->subscribe();
  auto shared = channel->subscribe({.share = "s"});
  auto topics = pubsub->subscribe("t");
  SECTION("each by itself") {
    scene.ready(forever, *list);
    scene.ready(forever, moving(scene.a, *list, Side::left, Side::left));
    list.reset();
    CHECK(scene.log.take() == Texts(2, told(Errc::closed)));
    scene.ready(forever, group.consumer("c"));
    scene.ready(forever, group.consumer("d"));
    scene.ready(forever, from(*stream, latest));
    stream.reset();
    CHECK(scene.log.take() == Texts(3, told(Errc::closed)));
    scene.ready(forever, alone);
    scene.ready(forever, shared);
    scene.ready(forever, shared);
    channel.reset();
    CHECK(scene.log.take() == Texts(3, told(Errc::closed)));
    scene.ready(forever, topics);
    pubsub.reset();
    CHECK(scene.log.take() == Texts(1, told(Errc::closed)));
  }
  SECTION("all of one completion") {
    scene.ready(forever, *list, group.consumer("c"), from(*stream, latest), alone, shared, topics);
    list.reset();
    stream.reset();
    channel.reset();
    CHECK(scene.log.texts.empty());
    pubsub.reset();
    CHECK(scene.log.take() == Texts{told(Errc::closed)});
  }
  SECTION("and the one that is left serves") {
    scene.ready(forever, *list, group.consumer("c"), from(*stream, latest), alone, shared, scene.b);
    list.reset();
    stream.reset();
    channel.reset();
    REQUIRE(scene.b.rpush(3));
    CHECK(scene.log.take() == Texts{"5: 3"});
  }
  SECTION("subscriptions alone") {
    scene.ready(forever, alone, shared, topics);
    auto other = channel->subscribe({.share = "s"});
    alone = {};
    shared = {};
    CHECK(scene.log.texts.empty());
    topics = {};
    CHECK(scene.log.take() == Texts{told(Errc::closed)});
    CHECK(channel->publish(1) == 1);
    CHECK(taken(other) == 1);
  }
  SECTION("a group") {
    scene.ready(forever, group.consumer("c"));
    scene.ready(forever, scene.a, group.consumer("c"));
    scene.ready(forever, group.consumer("c"), scene.a);
    REQUIRE(stream->add(1));
    REQUIRE(scene.log.take().size() == 1);
    CHECK(group.ack(stream->last_id()) == 1);
    scene.ready(forever, group.consumer("c"));
    CHECK(group.destroy());
    CHECK(scene.log.take() == Texts{told(Errc::no_such_group)});
    scene.a.close();
    CHECK(scene.log.take() == Texts{told(Errc::closed), told(Errc::no_such_group)});
  }
  CHECK(scene.waiting() == 0);
}

TEST_CASE("Completion: of a stream that goes while its group has, or expects, something") {
  Scene scene;
  std::optional<Stream<int>> stream(std::in_place, StreamOptions{.clock = &scene.clock});
  REQUIRE(stream->add_range(numbers(1, 2)));
  SECTION("entries that nobody may have yet") {
    const auto group = stream->create_group("g", earliest, {.max_in_flight = 1}).value();
    const auto batch = *group.consumer("other").read();
    scene.ready(forever, group.consumer("c"));
    scene.ready(forever, group.consumer("d"));
    stream.reset();
    CHECK(scene.log.take() == Texts(2, told(Errc::closed)));
  }
  SECTION("an entry that is to come back") {
    const auto group = stream->create_group("g", earliest).value();
    const auto batch = *group.consumer("other").read();
    CHECK(batch[0].nack({.delay = 1h}));
    scene.ready(forever, scene.a, group.consumer("c"));
    scene.ready(forever, group.consumer("d"));
    stream.reset();
    CHECK(scene.log.take() == Texts{told(Errc::closed)});
    scene.a.close();
    CHECK(scene.log.take() == Texts{told(Errc::closed)});
  }
  CHECK(scene.clock.timers() == 0);
}

TEST_CASE("Completion: stands in line with calls that wait, of every kind") {
  WatchedClock clock;
  BlockingList<int> list({.clock = &clock, .spin = 0us}), other({.clock = &clock});
  Channel<int> channel({.clock = &clock, .spin = 0us});
  Stream<int> stream({.clock = &clock, .spin = 0us});
  auto shared = channel.subscribe({.share = "s"});
  auto member = channel.subscribe({.share = "s"});
  const auto worker = stream.create_group("g")->consumer("c");
  Log log;
  std::size_t waiting = 0;
  const auto blocked = [&](auto call) {
    auto future = on_a_thread(call);
    clock.wait_for_sleepers(++waiting);
    return future;
  };
  on_ready(log.handler("first "), forever, other, list);
  auto second = blocked([&] { return told(select(forever, list, other)); });
  auto third = blocked([&] { return told(list.blpop(forever)); });
  const auto gives_up = on_ready(log.handler("fourth "), forever, list);
  on_ready(log.handler("fifth "), forever, from(list, Side::right, 2), other);
  gives_up.cancel();
  CHECK(log.take() == Texts{"fourth " + told(Errc::cancelled)});
  REQUIRE(list.rpush_range(numbers(1, 6)));
  CHECK(log.take() == Texts{"first 1: 1", "fifth 0: 6 5"});
  CHECK(second.get() == "0: 2");
  CHECK(third.get() == "3");
  CHECK(all(list) == Ints{4});
  waiting = 0;

  on_ready(log.handler("first "), forever, other, shared);
  second = blocked([&] { return told(member.receive()); });
  on_ready(log.handler("third "), forever, from(shared, 2));
  channel.publish_range(numbers(1, 4));
  CHECK(log.take() == Texts{"first 1: 1", "third 3 4"});
  CHECK(second.get() == "2");
  waiting = 0;

  on_ready(log.handler("first "), forever, other, from(worker, {.count = 1}));
  second = blocked([&] { return told(worker.read({.count = 1, .block = forever})); });
  on_ready(log.handler("third "), forever, from(worker, {.count = 2}));
  on_ready(log.handler("fourth "), forever, from(worker, {.count = 1, .no_ack = true}), other);
  REQUIRE(stream.add_range(numbers(1, 5)));
  CHECK(second.get() == "2");
  Texts texts = log.take();
  std::ranges::sort(texts);  // the second thread may be faster
  CHECK(texts == Texts{"first 1: 1", "fourth 0: 5", "third 3 4"});
}

TEST_CASE("Completion: handlers run in order, and none within another") {
  Scene scene;
  Texts order;
  int depth = 0;
  const auto step = [&](std::string name, auto then) {
    return [&, name = std::move(name), then](const auto& taken) {
      CHECK(++depth == 1);
      order.push_back(name + " " + told(taken));
      then();
      order.push_back(name + " ends");
      --depth;
    };
  };
  const auto nothing = [] {};
  SECTION("when one brings what another waits for") {
    on_ready(step("first", [&] { CHECK(scene.b.rpush(2)); }), forever, scene.a);
    on_ready(step("second", [&] { CHECK(scene.stream.add(3)); }), forever, scene.b);
    on_ready(step("third", nothing), forever, from(scene.stream, latest));
    REQUIRE(scene.a.rpush(1));
    CHECK(order == Texts{"first 1", "first ends", "second 2", "second ends", "third 3", "third ends"});
  }
  SECTION("when several become due at once") {
    for (const char* name : {"1", "2", "3"}) on_ready(step(name, nothing), forever, scene.a);
    REQUIRE(scene.a.rpush({7, 8, 9}));
    CHECK(order == Texts{"1 7", "1 ends", "2 8", "2 ends", "3 9", "3 ends"});
  }
  SECTION("when one is made in another, and there is something already") {
    REQUIRE(scene.b.rpush({2, 3}));
    on_ready(step("first",
                  [&] {
                    on_ready(step("second", nothing), forever, scene.b);
                    on_ready(step("third", nothing), Wait(), scene.b);
                    on_ready(step("fourth", nothing), Wait(), scene.b);
                  }),
             forever, scene.a);
    REQUIRE(scene.a.rpush(1));
    CHECK(order == Texts{"first 1", "first ends", "second 2", "second ends", "third 3", "third ends",
                         "fourth " + told(Errc::timed_out), "fourth ends"});
  }
  SECTION("when the first is called by on_ready itself") {
    REQUIRE(scene.a.rpush(1));
    on_ready(step("second", nothing), forever, scene.b);
    on_ready(step("first",
                  [&] {
                    CHECK(scene.b.rpush(2));
                    REQUIRE(scene.a.rpush(3));
                    on_ready(step("third", nothing), forever, scene.a);
                  }),
             forever, scene.a);
    CHECK(order == Texts{"first 1", "first ends", "second 2", "second ends", "third 3", "third ends"});
  }
  SECTION("when one cancels, stops or closes others") {
    std::stop_source stop;
    const auto other = on_ready(step("second", nothing), forever, scene.b);
    on_ready(step("third", nothing), Wait(forever, stop.get_token()), scene.b);
    on_ready(step("fourth", nothing), forever, scene.b);
    on_ready(step("first",
                  [&] {
                    other.cancel();
                    stop.request_stop();
                    CHECK(scene.b.rpush(5));
                  }),
             1s, scene.a);
    scene.clock.advance(1s);
    CHECK(order == Texts{"first " + told(Errc::timed_out), "first ends", "second " + told(Errc::cancelled),
                         "second ends", "third " + told(Errc::cancelled), "third ends", "fourth 5", "fourth ends"});
  }
  CHECK(depth == 0);
}

TEST_CASE("Completion: one that makes the next, a hundred thousand times over", "[repeats]") {
  Scene scene;
  constexpr int many = 100'000;
  std::function<void()> arm;
  int count = 0;
  SECTION("what is there already") {
    for (int i = 0; i < many; ++i) REQUIRE(scene.a.rpush(i));
    arm = [&] {
      on_ready(
          [&](expected<int, Errc> got) {
            if (got && *got == count) ++count, arm();
          },
          Wait(), scene.a);
    };
    arm();
  }
  SECTION("what each brings for the next") {
    arm = [&] {
      on_ready(
          [&](const auto& got) {
            if (!got || ++count == many) return;
            arm();
            CHECK(scene.a.rpush(count));
          },
          forever, scene.b, scene.a);
    };
    arm();
    REQUIRE(scene.a.rpush(0));
  }
  CHECK(count == many);
}

TEST_CASE("Completion: a handler that cancels itself, ends its own source, or starts anew") {
  Scene scene;
  auto handle = std::make_shared<CancelHandle>();
  int calls = 0;
  *handle = on_ready(
      [&, handle](const auto& got) {
        ++calls;
        CHECK(told(got) == "0: 1");
        handle->cancel();
        scene.a.close();
        scene.b.close();
      },
      forever, scene.a, scene.b);
  REQUIRE(scene.a.rpush(1));
  CHECK(calls == 1);
  CHECK(handle.use_count() == 1);  // what a handler holds goes when it was called
  auto sub = std::make_unique<Subscription<int>>(scene.channel.subscribe());
  on_ready(
      [&](const auto& got) {
        CHECK(told(got) == "5");
        sub->unsubscribe();
      },
      forever, *sub);
  CHECK(scene.channel.publish(5) == 1);
  CHECK(scene.channel.subscriptions() == 0);
}

TEST_CASE("Completion: a handler may be movable only, and keeps what it holds until it is called, not longer") {
  Scene scene;
  const auto held = std::make_shared<int>(0);
  CancelHandle handle;
  {
    auto own = std::make_unique<int>(41);
    handle = on_ready([&, held, own = std::move(own)](expected<int, Errc> got) mutable { *held = ++*own + *got; },
                      forever, scene.a);
  }
  CHECK(held.use_count() == 2);
  REQUIRE(scene.a.rpush(1));
  CHECK(*held == 43);
  CHECK(held.use_count() == 1);
  handle.cancel();
  on_ready([held](auto) {}, forever, scene.b).cancel();
  CHECK(held.use_count() == 1);
}

TEST_CASE("Completion: names that change, feeds that end, while it waits") {
  Scene scene;
  auto sub = scene.pubsub.subscribe("a");
  auto other = scene.pubsub.subscribe("a");
  scene.ready(forever, scene.a, sub);
  CHECK(sub.subscribe("b"));
  CHECK(sub.unsubscribe("a"));
  scene.pubsub.publish("a", 1);
  CHECK(scene.log.texts.empty());
  scene.pubsub.publish("b", 2);
  CHECK(scene.log.take() == Texts{"1: b=2"});
  scene.ready(forever, from(sub, 9));
  CHECK(sub.psubscribe({"b*", "c"}));
  CHECK(scene.pubsub.publish({"c", "a", "bb"}, 3) == 3);
  CHECK(scene.log.take() == Texts{"c~c=3 bb~b*=3"});
  scene.ready(forever, scene.a, sub);
  CHECK(sub.punsubscribe({"b*", "c"}));
  CHECK(sub.unsubscribe("b"));
  scene.pubsub.publish("b", 3);
  CHECK(scene.log.texts.empty());
  sub.unsubscribe();
  scene.a.close();
  CHECK(scene.log.take() == Texts{told(Errc::closed)});
  CHECK(received(other) == Texts{"a=1", "a=3"});
}

TEST_CASE("Completion: a message to many wakes all who wait for it, and each has it in place") {
  Scene scene;
  std::vector<Subscription<int>> subs;
  for (int i = 0; i < 5; ++i) subs.push_back(scene.channel.subscribe());
  std::vector<const int*> seen;
  for (auto& sub : subs) on_ready([&](const auto& got) { seen.push_back(&**got); }, forever, sub);
  scene.ready(forever, from(scene.stream, latest));
  scene.ready(forever, from(scene.stream, latest), scene.a);
  CHECK(scene.channel.publish(5) == 5);
  CHECK(seen.size() == 5);
  CHECK(std::ranges::count(seen, seen.front()) == 5);
  REQUIRE(scene.stream.add(1));
  CHECK(scene.log.take().size() == 2);
}

TEST_CASE("Completion: woken with nothing there, it goes on") {
  Scene scene;
  const auto group = scene.group();
  const auto handle = scene.ready(forever, scene.a, group.consumer("c"), from(scene.stream, latest));
  bool stolen = false;
  const auto thief = on_ready([&](const auto& got) { stolen = got.has_value(); }, forever, from(scene.stream, latest));
  const auto id = scene.stream.add(1);
  CHECK(scene.log.take() == Texts{"1: 1"});
  CHECK(stolen);
  auto sub = scene.channel.subscribe({.share = "s"});
  auto other = scene.channel.subscribe({.share = "s"});
  scene.ready(forever, scene.a, sub, from(scene.stream, *id));
  CHECK(scene.stream.erase(*id) == 1);
  CHECK(scene.stream.trim({.max_len = 0}) == 0U);
  other.unsubscribe();
  CHECK(scene.a.info().waiting_poppers == 1);
  CHECK(scene.log.texts.empty());
  publish(scene.channel, 7, 7);
  CHECK(scene.log.take() == Texts{"1: 7"});
}

TEST_CASE("Completion: consumers that may have few at a time, each of which acknowledges and asks again") {
  Scene scene;
  const auto group = scene.group({.ordered_by = [](int i) { return i % 2; }, .max_in_flight = 1});
  Ints seen;
  std::function<void()> arm = [&] {
    on_ready(
        [&](expected<Deliveries<int>, Errc> got) {
          if (!got) return;
          for (auto& delivery : *got) {
            seen.push_back(*delivery);
            CHECK(delivery.ack());
          }
          arm();
        },
        forever, group.consumer("c"));
  };
  arm();
  arm();
  REQUIRE(scene.stream.add_range(numbers(1, 50)));
  REQUIRE(scene.stream.add(51));
  CHECK(seen == numbers(1, 51));
  CHECK(group.pending()->count == 0);
  CHECK(group.destroy());
}

TEST_CASE("Completion: without memory for its timer it says so") {
  class Poor final : public Clock {
   public:
    [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1; }
    [[nodiscard]] time_point now() const noexcept override { return time_point(1000s); }
    void sleep(sync::unique_lock<sync::mutex>&, const Alarm&) override {}
    void set(Timer&) override { throw std::bad_alloc(); }
  };
  Poor clock;
  Log log;
  BlockingList<int> list({.clock = &clock}), other({.clock = &clock});
  on_ready(log.handler(), 1s, list, other);
  CHECK(log.take() == Texts{told(Errc::out_of_memory)});
  CHECK(list.info().waiting_poppers + other.info().waiting_poppers == 0);
}

TEST_CASE("Completion: ended by the clock of a test") {
  ManualClock clock;
  BlockingList<int> list({.clock = &clock}), other({.clock = &clock});
  Stream<int> stream({.clock = &clock});
  REQUIRE(stream.add(1));
  const auto group = stream.create_group("g", earliest).value();
  const auto batch = *group.consumer("other").read();
  REQUIRE(batch[0].nack({.delay = 4s}));
  Log log;
  on_ready(log.handler("a "), 5s, list, other);
  on_ready(log.handler("b "), 3s, list);
  on_ready(log.handler("c "), forever, other, group.consumer("c"));
  clock.advance(2s);
  CHECK(log.take_when(0) == Texts{});
  clock.advance(1s);
  CHECK(log.take_when(1) == Texts{"b " + told(Errc::timed_out)});
  clock.advance(3s);
  CHECK(log.take_when(2) == Texts{"c 1: 1", "a " + told(Errc::timed_out)});
}

}  // namespace on_ready_test
