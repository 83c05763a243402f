// select_test.cpp — waiting for several things at once: which is taken, in which order, and how that ends.
#include <brook/select.hpp>

#include <algorithm>
#include <cstddef>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_test {

namespace {

using namespace brook;
using namespace brook::test;

// A source of each kind, each of an object of its own; what brings it a 7, and how that is told.
struct Kinds : Things {
  static constexpr std::size_t kinds = 11;

  BlockingList<int> right{{.clock = &clock}};
  BlockingList<int> many{{.clock = &clock}};
  BlockingList<int> mover{{.clock = &clock}};
  bool begun = stream.add(1).has_value() && stream.add(2).has_value();
  Group<int> workers = stream.create_group("workers", latest).value();
  Consumer<int> worker = workers.consumer("worker");
  Stream<int> news{{.clock = &clock}};
  Channel<int> batches{{.clock = &clock}};
  Channel<int> tasks{{.clock = &clock}};
  PubSub<int> batched_topics{{.clock = &clock}};
  Subscription<int> alone = channel.subscribe();
  Subscription<int> batch = batches.subscribe();
  Subscription<int> shared = tasks.subscribe({.share = "s"});
  TopicSubscription<int> topics = pubsub.subscribe("t", {.patterns = {"u*"}});
  TopicSubscription<int> topic_batch = batched_topics.subscribe("u1");

  auto sources() {
    return std::tuple(from(a), from(right, Side::right), from(many, Side::left, 3),
                      moving(mover, b, Side::left, Side::right), from(worker), from(news, latest), from(alone),
                      from(batch, 5), from(shared), from(topics), from(topic_batch, 5));
  }
  void bring(std::size_t kind) {
    switch (kind) {
      case 0: CHECK(a.rpush(7)); return;
      case 1: CHECK(right.rpush(7)); return;
      case 2: CHECK(many.rpush(7)); return;
      case 3: CHECK(mover.rpush(7)); return;
      case 4: CHECK(stream.add(7)); return;
      case 5: CHECK(news.add(7)); return;
      case 6: CHECK(channel.publish(7) == 1); return;
      case 7: CHECK(batches.publish(7) == 1); return;
      case 8: CHECK(tasks.publish(7) == 1); return;
      case 9: CHECK(pubsub.publish("u1", 7) == 1); return;
      default: CHECK(batched_topics.publish("u1", 7) == 1); return;
    }
  }
  static std::string shown(std::size_t kind) { return kind < 9 ? "7" : kind == 9 ? "u1~u*=7" : "u1=7"; }
  [[nodiscard]] std::size_t waiting() const {
    return a.info().waiting_poppers + b.info().waiting_poppers + right.info().waiting_poppers +
           many.info().waiting_poppers + mover.info().waiting_poppers;
  }

  // select() of the source of one kind, or of all.
  std::string select_one(std::size_t kind, const Wait& wait) {
    std::string text;
    [&]<std::size_t... at>(std::index_sequence<at...>) {
      (void)((at == kind && (text = told(select(wait, std::get<at>(sources()))), true)) || ...);
    }
    (std::make_index_sequence<kinds>());
    return text;
  }
  std::string select_all(const Wait& wait) {
    return std::apply([&](auto&&... each) { return told(select(wait, std::move(each)...)); }, sources());
  }
};

}  // namespace

TEST_CASE("Select: one source of each kind, when there is something, and when it comes later") {
  const auto kind = GENERATE(range(std::size_t{0}, Kinds::kinds));
  const bool later = GENERATE(false, true);
  CAPTURE(kind, later);
  Kinds things;
  if (later) things.clock.meanwhile.emplace_back([&] { things.bring(kind); });
  else if (kind != 5) things.bring(kind);
  else return;  // what is there is not what comes after the latest
  CHECK(things.select_one(kind, forever) == Kinds::shown(kind));
  CHECK(things.clock.slept == (later ? 1 : 0));
  CHECK(things.select_one(kind, 1s) == told(Errc::timed_out));
  CHECK(things.b.size() == (kind == 3 ? 1 : 0));
  CHECK(things.waiting() == 0);
}

TEST_CASE("Select: each kind beside all others") {
  const auto kind = GENERATE(range(std::size_t{0}, Kinds::kinds));
  CAPTURE(kind);
  Kinds things;
  const std::string expected = std::to_string(kind) + ": " + Kinds::shown(kind);
  things.clock.meanwhile.emplace_back([&] { things.bring(kind); });
  CHECK(things.select_all(forever) == expected);
  CHECK(things.select_all(Wait()) == told(Errc::timed_out));
  CHECK(things.waiting() == 0);
  // Nobody is left in the way of who comes later.
  for (std::size_t other = 0; other < Kinds::kinds; ++other) {
    if (other == 5) continue;
    things.bring(other);
    CHECK(things.select_one(other, Wait()) == Kinds::shown(other));
  }
  // What comes in the instant in which the time is up, or with a request to stop, is taken.
  std::stop_source stop;
  things.clock.meanwhile.emplace_back([&] {
    things.clock.advance(10s);
    stop.request_stop();
    things.bring(kind);
  });
  CHECK(things.select_all(Wait(1s, stop.get_token())) == expected);
}

TEST_CASE("Select: what is taken is of the type of its source, alone of one, a variant of several") {
  using List = BlockingList<std::string>;
  STATIC_REQUIRE(std::is_same_v<Selected<List&>, std::string>);
  STATIC_REQUIRE(std::is_same_v<Selected<List&, Consumer<int>&, Subscription<int>&, List&>,
                                std::variant<std::string, Deliveries<int>, Message<int>, std::string>>);
  STATIC_REQUIRE(std::is_same_v<Selected<const Consumer<int>&>, Deliveries<int>>);
  STATIC_REQUIRE_FALSE(Selectable<List>);         // would be gone
  STATIC_REQUIRE_FALSE(Selectable<const List&>);  // cannot be taken from
  STATIC_REQUIRE_FALSE(Selectable<int&>);
  STATIC_REQUIRE_FALSE(Selectable<BlockingList<Fussy<false>>&>);  // may throw when it is taken out
}

TEST_CASE("Select: the first in the order of the arguments that has something") {
  Kinds things;
  for (const std::size_t kind : {0U, 4U, 6U, 9U}) things.bring(kind);
  const auto all = [&] { return select(Wait(), things.alone, things.worker, things.topics, things.a); };
  CHECK(told(all()) == "0: 7");
  CHECK(told(all()) == "1: 7");
  CHECK(told(all()) == "2: u1~u*=7");
  CHECK(told(all()) == "3: 7");
  CHECK(told(all()) == told(Errc::timed_out));
  for (const std::size_t kind : {0U, 4U, 6U, 9U}) things.bring(kind);
  const auto turned = [&] { return select(1s, things.a, things.topics, things.worker, things.alone); };
  CHECK(told(turned()) == "0: 7");
  CHECK(told(turned()) == "1: u1~u*=7");
  CHECK(told(turned()) == "2: 7");
  CHECK(told(turned()) == "3: 7");
  CHECK(things.clock.slept == 0);
}

TEST_CASE("Select: several things that come at once go one to each call") {
  Kinds things;
  things.clock.meanwhile.emplace_back([&] {
    for (const std::size_t kind : {9U, 6U, 4U, 0U}) things.bring(kind);
  });
  std::vector<std::size_t> order;
  for (int i = 0; i < 4; ++i) {
    const auto got = select(forever, things.a, things.worker, things.alone, things.topics);
    REQUIRE(got);
    order.push_back(got->index());
  }
  std::ranges::sort(order);
  CHECK(order == Positions{0, 1, 2, 3});
  CHECK(things.clock.slept == 1);
  CHECK(told(select(Wait(), things.a, things.worker, things.alone, things.topics)) == told(Errc::timed_out));
}

TEST_CASE("Select: in turn, so that one that never runs dry does not keep the others waiting") {
  Things things;
  auto sub = things.channel.subscribe();
  Rotation turn;
  REQUIRE(things.a.rpush_range(numbers(1, 9)));
  REQUIRE(things.b.rpush(11));
  publish(things.channel, 21, 22);
  const auto next = [&] { return told(select(Wait(), turn, things.a, things.b, sub)); };
  CHECK(next() == "0: 1");
  CHECK(next() == "1: 11");
  CHECK(next() == "2: 21");
  CHECK(next() == "0: 2");
  CHECK(next() == "2: 22");
  CHECK(next() == "0: 3");
  things.a.clear();
  CHECK(next() == told(Errc::timed_out));
  CHECK(turn.next % 3 == 1);  // as it was
  REQUIRE(things.a.rpush(5));
  REQUIRE(things.b.rpush(15));
  CHECK(next() == "1: 15");
  things.clock.meanwhile.emplace_back([&] { publish(things.channel, 23, 23); });
  REQUIRE(things.a.lpop() == 5);
  CHECK(told(select(forever, turn, things.a, things.b, sub)) == "2: 23");
  CHECK(turn.next == 3);
  Rotation far{.next = no_limit};
  REQUIRE(things.a.rpush(6));
  CHECK(told(select(Wait(), far, things.a, things.b)) == "0: 6");
}

TEST_CASE("Select: the time is up, by the first source's clock, and nothing was taken") {
  Kinds things;
  SoleClock late;
  BlockingList<int> other({.clock = &late});
  const auto waits = [&](const Wait& wait) {
    return told(select(wait, things.a, things.worker, things.alone, things.shared, things.topics, other,
                       from(things.stream, latest), moving(things.a, things.b, Side::left, Side::left)));
  };
  const auto begin = things.clock.now();
  CHECK(waits({}) == told(Errc::timed_out));
  CHECK(waits(0s) == told(Errc::timed_out));
  CHECK(waits(-1s) == told(Errc::timed_out));
  CHECK(waits(things.clock.now()) == told(Errc::timed_out));
  CHECK(things.clock.slept == 0);
  CHECK(waits(5s) == told(Errc::timed_out));
  CHECK(waits(things.clock.now() + 1s) == told(Errc::timed_out));
  CHECK(things.clock.now() - begin == 6s);
  CHECK(late.slept == 0);
  CHECK(things.a.info().waiting_poppers + other.info().waiting_poppers + things.a.info().waiting_poppers == 0);
  for (const std::size_t kind : {0U, 4U, 6U, 9U}) things.bring(kind);
  CHECK(all(things.a) == Ints{7});
  CHECK(values_of(things.worker.read()) == Ints{7});
  CHECK(drained(things.alone) == Ints{7});
  CHECK(received(things.topics) == Texts{"u1~u*=7"});
}

TEST_CASE("Select: stopped, before and meanwhile, and what is there goes before") {
  Kinds things;
  std::stop_source stop;
  const auto waits = [&] {
    return told(select(Wait(forever, stop.get_token()), things.a, things.worker, things.shared, things.alone));
  };
  things.clock.meanwhile.emplace_back([&] { stop.request_stop(); });
  CHECK(waits() == told(Errc::cancelled));
  CHECK(waits() == told(Errc::cancelled));
  CHECK(things.clock.slept == 1);
  things.bring(6);
  things.bring(8);
  CHECK(waits() == "2: 7");
  CHECK(waits() == "3: 7");
  CHECK(waits() == told(Errc::cancelled));
  stop = {};
  things.clock.meanwhile.emplace_back([&] {
    stop.request_stop();
    things.bring(4);
  });
  CHECK(waits() == "1: 7");
  CHECK(things.a.info().waiting_poppers == 0);
}

TEST_CASE("Select: a wait without a limit of time ends by a stop on another thread") {
  WatchedClock clock;
  BlockingList<int> a({.clock = &clock}), b({.clock = &clock});
  Channel<int> channel({.clock = &clock});
  auto shared = channel.subscribe({.share = "s"});
  std::stop_source stop;
  auto waits = on_a_thread([&] { return told(select(Wait(forever, stop.get_token()), a, shared, b)); });
  clock.wait_for_sleepers(1);
  stop.request_stop();
  CHECK(waits.get() == told(Errc::cancelled));
  waits = on_a_thread([&] { return told(select(5s, a, shared, b)); });
  clock.wait_for_sleepers(1);
  clock.advance(5s);
  CHECK(waits.get() == told(Errc::timed_out));
  waits = on_a_thread([&] { return told(select(forever, a, shared, b)); });
  clock.wait_for_sleepers(1);
  REQUIRE(b.rpush(3));
  CHECK(waits.get() == "2: 3");
}

TEST_CASE("Select: a source that is over is passed over, and when all are, so is the call") {
  Kinds things;
  SECTION("from the beginning") {
    things.a.close();
    things.alone.unsubscribe();
    REQUIRE(things.workers.destroy());
    CHECK(told(select(forever, things.a, things.alone, things.worker)) == told(Errc::closed));
    CHECK(told(select(forever, things.worker, things.a)) == told(Errc::no_such_group));
    things.clock.meanwhile.emplace_back([&] { things.bring(1); });
    CHECK(told(select(forever, things.a, things.alone, things.worker, things.right)) == "3: 7");
  }
  SECTION("one after the other, while it waits") {
    things.clock.meanwhile = {[&] { things.a.close(); }, [&] { things.channel.close(); }, [&] { things.tasks.close(); },
                              [&] { things.pubsub.close(); }, [&] { things.stream.close(); }};
    CHECK(told(select(forever, things.a, things.worker, things.alone, things.shared, things.topics,
                      from(things.stream, latest))) == told(Errc::closed));
    CHECK(things.clock.slept == 5);
  }
  SECTION("and the last one that is not brings something") {
    things.clock.meanwhile = {[&] { things.a.close(); }, [&] { things.channel.close(); }, [&] { things.bring(4); }};
    CHECK(told(select(forever, things.a, things.alone, things.shared, things.worker)) == "3: 7");
  }
  SECTION("what the first says tells why") {
    things.clock.meanwhile = {[&] { things.a.close(); }, [&] { REQUIRE(things.workers.destroy()); }};
    CHECK(told(select(forever, things.worker, things.a)) == told(Errc::no_such_group));
    const Consumer<int> ordered =
        things.stream.create_group("ordered", latest, {.ordered_by = [](int i) { return i; }})->consumer("c");
    CHECK(told(select(forever, from(ordered, {.no_ack = true}), things.a)) == told(Errc::invalid_argument));
  }
}

TEST_CASE("Select: what is left of a closed thing is taken first") {
  Kinds things;
  for (const std::size_t kind : {0U, 4U, 6U, 8U, 9U}) things.bring(kind);
  things.a.close();
  things.stream.close();
  things.channel.close();
  things.tasks.close();
  things.pubsub.close();
  const auto next = [&] {
    return told(select(forever, things.a, things.worker, things.alone, things.shared, things.topics));
  };
  for (int i = 0; i < 4; ++i) CHECK(next() == std::to_string(i) + ": 7");
  CHECK(next() == "4: u1~u*=7");
  CHECK(next() == told(Errc::closed));
}

TEST_CASE("Select: the same source twice") {
  Kinds things;
  const auto check = [&](std::size_t kind, auto source) {
    things.clock.meanwhile.emplace_back([&] { things.bring(kind); });
    CHECK(told(select(forever, source, source)).substr(1) == ": 7");
    CHECK(told(select(1s, source, source)) == told(Errc::timed_out));
  };
  check(0, from(things.a));
  check(3, moving(things.mover, things.b, Side::left, Side::right));
  check(4, from(things.worker));
  check(5, from(things.news, latest));
  check(8, from(things.shared));
  CHECK(things.b.size() == 1);
  CHECK(things.workers.pending()->count == 1);
  CHECK(things.waiting() == 0);
}

TEST_CASE("Select: a list from either side, one or many") {
  Things things;
  REQUIRE(things.a.rpush({1, 2, 3, 4, 5, 6}));
  CHECK(told(select(Wait(), from(things.a, Side::right))) == "6");
  CHECK(told(select(Wait(), from(things.a, Side::left, 2))) == "1 2");
  CHECK(told(select(Wait(), from(things.a, Side::right, 2))) == "5 4");
  CHECK(told(select(Wait(), from(things.a, Side::left, 0))) == "3");  // at least one
  CHECK(told(select(1s, from(things.a, Side::left, no_limit))) == told(Errc::timed_out));
  for (const std::size_t most : {std::size_t{0}, std::size_t{2}, no_limit}) {
    things.clock.meanwhile.emplace_back([&] { CHECK(things.a.rpush({1, 2, 3})); });
    CHECK(told(select(1s, things.b, from(things.a, Side::right, most))) == (most == 0   ? "1: 3"
                                                                            : most == 2 ? "1: 3 2"
                                                                                        : "1: 3 2 1"));
    things.a.clear();
  }
}

TEST_CASE("Select: woken with nothing there, it waits on, and the time does not begin anew") {
  Kinds things;
  const auto begin = things.clock.now();
  for (int i = 0; i < 3; ++i) {
    things.clock.meanwhile.emplace_back([&] {
      things.clock.advance(1s);
      CHECK(things.stream.add(1));
      CHECK(things.stream.trim({.max_len = 0}));
    });
    things.clock.meanwhile.emplace_back([&] {
      publish(things.channel, 1, 1);
      CHECK(drained(things.alone) == Ints{1});
    });
  }
  CHECK(told(select(10s, things.worker, things.a, from(things.stream, latest), things.alone)) == told(Errc::timed_out));
  CHECK(things.clock.now() - begin == 10s);
  CHECK(things.clock.slept == 7);
}

}  // namespace select_test
