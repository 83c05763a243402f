// select_sources_test.cpp — what select() takes of lists, streams and groups; and read() of several streams.
#include <brook/select.hpp>

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_sources_test {

namespace {

using namespace brook;
using namespace brook::test;

}  // namespace

TEST_CASE("Select: moving an element on") {
  Things things;
  BlockingList<int> full({.capacity = 1, .clock = &things.clock});
  REQUIRE(full.rpush(0));
  const auto moved = [&] { return moving(things.a, things.b, Side::left, Side::right); };
  REQUIRE(things.a.rpush({1, 2}));
  CHECK(told(select(Wait(), moved())) == "1");
  CHECK(told(select(Wait(), moving(things.a, things.a, Side::left, Side::right))) == "2");
  CHECK(all(things.a) == Ints{2});
  SECTION("to where there is no room") {
    CHECK(told(select(Wait(), moving(things.a, full, Side::left, Side::left))) == told(Errc::full));
    REQUIRE(things.b.rpush(9));
    CHECK(told(select(Wait(), moving(things.a, full, Side::left, Side::left), things.b)) == "1: 1");
    REQUIRE(things.a.lpop() == 2);
    things.clock.meanwhile = {[&] { CHECK(things.a.rpush(3)); }};
    CHECK(told(select(forever, moving(things.a, full, Side::left, Side::left))) == told(Errc::full));
    CHECK(all(things.a) == Ints{3});
    CHECK(all(full) == Ints{0});
    things.clock.meanwhile = {[&] { CHECK(things.a.rpush(4)); }, [&] { things.b.close(); }};
    REQUIRE(things.a.lpop() == 3);
    things.b.clear();
    CHECK(told(select(forever, moving(things.a, full, Side::left, Side::left), things.b)) == told(Errc::full));
    CHECK(all(things.a) == Ints{4});
  }
  SECTION("to what is closed") {
    REQUIRE(things.a.lpop() == 2);
    things.clock.meanwhile = {[&] { things.b.close(); }};
    CHECK(told(select(forever, moved())) == told(Errc::closed));
    REQUIRE(things.a.rpush(5));
    CHECK(told(select(forever, moved())) == told(Errc::closed));
    CHECK(told(select(forever, moved(), things.a)) == "1: 5");
    things.clock.meanwhile = {[&] { CHECK(things.a.rpush(6)); }};
    CHECK(told(select(forever, moved(), things.a)) == "1: 6");
  }
  SECTION("to where somebody waits in the same call") {
    REQUIRE(things.a.lpop() == 2);
    REQUIRE(things.b.lpop() == 1);
    things.clock.meanwhile = {[&] { CHECK(things.a.rpush(7)); }};
    CHECK(told(select(forever, things.b, moved())) == "1: 7");
    CHECK(all(things.b) == Ints{7});
  }
  SECTION("in a ring") {
    REQUIRE(things.a.lpop() == 2);
    REQUIRE(things.b.lpop() == 1);
    things.clock.meanwhile = {[&] { CHECK(things.a.rpush(8)); }};
    CHECK(told(select(forever, moved(), moving(things.b, things.a, Side::left, Side::right))) == "0: 8");
    CHECK(things.a.size() + things.b.size() == 1);
  }
  CHECK(things.a.info().waiting_poppers + things.b.info().waiting_poppers == 0);
}

TEST_CASE("Select: what comes back to a group") {
  Things things;
  REQUIRE(things.stream.add_range(numbers(1, 3)));
  SECTION("at once, and before new entries") {
    const auto group = things.group();
    const auto batch = *group.consumer("other").read({.count = 1});
    REQUIRE(values_of(group.consumer("other").read()) == Ints{2, 3});
    things.clock.meanwhile = {[&] { CHECK(batch[0].nack()); }};
    const auto got = select(forever, things.a, group.consumer("me"));
    REQUIRE(told(got) == "1: 1");
    CHECK(std::get<1>(*got)[0].count() == 2);
    CHECK(std::get<1>(*got)[0].ack());
  }
  SECTION("after a rest, for which nobody calls") {
    const auto group = things.group();
    const auto batch = *group.consumer("other").read();
    REQUIRE(batch[0].nack({.delay = 5s}));
    REQUIRE(batch[1].nack({.delay = 2s}));
    const auto begin = things.clock.now();
    CHECK(told(select(1s, things.a, group.consumer("me"))) == told(Errc::timed_out));
    CHECK(told(select(forever, things.a, group.consumer("me"))) == "1: 2");
    CHECK(things.clock.now() - begin == 2s);
    CHECK(told(select(10s, things.a, group.consumer("me"))) == "1: 1");
    CHECK(things.clock.now() - begin == 5s);
  }
  SECTION("after a rest that is begun while it waits") {
    const auto group = things.group();
    const auto batch = *group.consumer("other").read();
    things.clock.meanwhile = {[&] { CHECK(batch[2].nack({.delay = 2s})); }};
    const auto begin = things.clock.now();
    CHECK(told(select(forever, group.consumer("me"), things.a)) == "0: 3");
    CHECK(things.clock.now() - begin == 2s);
  }
  SECTION("because its consumer has had it for too long") {
    const auto group = things.group({.visibility = 3s});
    const auto batch = *group.consumer("other").read();
    const auto begin = things.clock.now();
    CHECK(told(select(forever, things.a, group.consumer("me"))) == "1: 1 2 3");
    CHECK(things.clock.now() - begin == 3s);
  }
  SECTION("never, because the group is destroyed meanwhile") {
    const auto group = things.group();
    const auto batch = *group.consumer("other").read();
    REQUIRE(batch[0].nack({.delay = 2s}));
    things.clock.meanwhile = {[&] { CHECK(group.destroy()); }, [&] { things.clock.advance(3s); },
                              [&] { CHECK(things.a.rpush(5)); }};
    CHECK(told(select(forever, group.consumer("me"), things.a)) == "1: 5");
  }
  SECTION("because it is claimed") {
    const auto group = things.group();
    const auto batch = *group.consumer("other").read();
    const auto begin = things.clock.now();
    CHECK(told(select(1s, from(group.consumer("me"), {.claim_idle = 2s}), things.a)) == told(Errc::timed_out));
    CHECK(told(select(forever, from(group.consumer("me"), {.count = 2, .claim_idle = 2s}), things.a)) == "0: 1 2");
    CHECK(things.clock.now() - begin == 2s);
  }
  SECTION("because its consumer was deleted") {
    const auto group = things.group();
    const auto batch = *group.consumer("other").read();
    things.clock.meanwhile = {[&] { CHECK(group.delete_consumer("other") == 3U); }};
    CHECK(told(select(forever, from(group.consumer("me"), {.count = 2}), things.a)) == "0: 1 2");
    CHECK(told(select(Wait(), from(group.consumer("me"), {.count = 0}), things.a)) == "0: 3");  // at least one
  }
}

TEST_CASE("Select: a consumer") {
  Things things;
  SECTION("whose entries are pending then, unless it says otherwise") {
    const auto group = things.group();
    things.clock.meanwhile = {[&] { CHECK(things.stream.add_range(numbers(1, 3))); }};
    CHECK(told(select(forever, things.a, from(group.consumer("c"), {.count = 1}))) == "1: 1");
    CHECK(told(select(forever, things.a, from(group.consumer("c"), {.count = 1, .no_ack = true}))) == "1: 2");
    CHECK(group.pending()->count == 1);
  }
  SECTION("whose options to wait do not count") {
    std::stop_source stop;
    stop.request_stop();
    const auto group = things.group();
    things.clock.meanwhile = {[&] { CHECK(things.stream.add(1)); }};
    CHECK(told(select(1s, from(group.consumer("c"), {.block = 0s, .stop = stop.get_token()}))) == "1");
    CHECK(told(select(1s, from(group.consumer("c"), {.block = forever}))) == told(Errc::timed_out));
  }
  SECTION("that has as many as it may have, until one is acknowledged") {
    REQUIRE(things.stream.add_range(numbers(1, 3)));
    const auto group = things.group({.max_in_flight = 1});
    const auto first = *group.consumer("c").read();
    REQUIRE(values_of(first) == Ints{1});
    CHECK(told(select(1s, group.consumer("d"), things.a)) == told(Errc::timed_out));
    things.clock.meanwhile = {[&] { CHECK(first[0].ack()); }};
    CHECK(told(select(1s, group.consumer("d"), things.a)) == "0: 2");
  }
  SECTION("that waits for the turn of a key") {
    REQUIRE(things.stream.add_range(Ints{10, 20, 11}));
    const auto group = things.group({.ordered_by = [](int i) { return i / 10; }});
    const auto first = *group.consumer("c").read();
    REQUIRE(values_of(first) == Ints{10, 20});
    things.clock.meanwhile = {[&] { CHECK(first[1].ack()); }, [&] { CHECK(first[0].ack()); }};
    CHECK(told(select(forever, things.a, group.consumer("d"))) == "1: 11");
  }
  SECTION("that waits for the turn of a key, and for room") {
    REQUIRE(things.stream.add_range(Ints{10, 20}));
    const auto group = things.group({.ordered_by = [](int i) { return i / 10; }, .max_in_flight = 1});
    const auto first = *group.consumer("c").read();
    REQUIRE(values_of(first) == Ints{10});
    things.clock.meanwhile = {[] {}, [&] { CHECK(first[0].ack()); }};
    CHECK(values_of(group.consumer("d").read({.block = forever})) == Ints{20});
    CHECK(things.clock.slept == 2);
  }
  SECTION("that is deleted while it waits, and made anew") {
    const auto group = things.group();
    things.clock.meanwhile = {[&] { CHECK(group.delete_consumer("c") == 0U); }, [&] { CHECK(things.stream.add(1)); }};
    CHECK(told(select(forever, things.a, group.consumer("c"))) == "1: 1");
    CHECK(group.consumers() == Texts{"c"});
  }
  SECTION("whose group is moved, or destroyed") {
    REQUIRE(things.stream.add_range(numbers(1, 3)));
    const auto group = things.stream.create_group("g", latest).value();
    things.clock.meanwhile = {[&] { CHECK(group.set_id(earliest)); }, [&] { CHECK(group.destroy()); }};
    CHECK(told(select(forever, things.a, group.consumer("c"))) == "1: 1 2 3");
    CHECK(told(select(forever, group.consumer("c"))) == told(Errc::no_such_group));
    CHECK(told(select(1s, group.consumer("c"), things.a)) == told(Errc::timed_out));
  }
  SECTION("whose stream is closed: that waits for what may come back") {
    REQUIRE(things.stream.add(1));
    const auto group = things.group({.max_deliveries = 2});
    const auto first = *group.consumer("c").read();
    REQUIRE(first[0].nack({.delay = 1s}));
    things.clock.meanwhile = {[&] { things.stream.close(); }};
    CHECK(told(select(forever, group.consumer("c"), things.a)) == "0: 1");
    CHECK(told(select(forever, group.consumer("c"))) == told(Errc::closed));
  }
  SECTION("whose stream is gone") {
    std::optional<Stream<int>> stream;
    stream.emplace(StreamOptions{.clock = &things.clock});
    const auto worker = stream->create_group("g")->consumer("c");
    auto source = from(worker);
    stream.reset();
    CHECK(told(select(forever, source)) == told(Errc::closed));
    REQUIRE(things.a.rpush(1));
    CHECK(told(select(forever, source, things.a)) == "1: 1");
  }
}

TEST_CASE("Select: consumers of a group are served in the order in which they came, however they wait") {
  WatchedClock clock;
  Stream<int> stream({.clock = &clock, .spin = 0us});
  BlockingList<int> list({.clock = &clock});
  const auto group = stream.create_group("g", earliest).value();
  std::size_t waiting = 0;
  const auto blocked = [&](auto call) {
    auto future = on_a_thread(call);
    clock.wait_for_sleepers(++waiting);
    return future;
  };
  auto first = blocked([&] { return told(select(forever, list, from(group.consumer("a"), {.count = 1}))); });
  auto second = blocked([&] { return told(group.consumer("b").read({.count = 1, .block = forever})); });
  auto third = blocked([&] { return told(select(forever, from(group.consumer("a"), {.count = 2}), list)); });
  REQUIRE(stream.add_range(numbers(1, 5)));
  CHECK(first.get() == "1: 1");
  CHECK(second.get() == "2");
  CHECK(third.get() == "0: 3 4");
}

TEST_CASE("Select: of a list, who has waited longest is served first, however it waits") {
  WatchedClock clock;
  BlockingList<int> list({.clock = &clock, .spin = 0us}), other({.clock = &clock, .spin = 0us});
  std::size_t waiting = 0;
  const auto blocked = [&](auto call) {
    auto future = on_a_thread(call);
    clock.wait_for_sleepers(++waiting);
    return future;
  };
  auto first = blocked([&] { return told(list.blpop(forever)); });
  auto second = blocked([&] { return told(select(forever, other, list)); });
  auto third = blocked([&] { return told(list.brpop(forever)); });
  auto fourth = blocked([&] { return told(select(forever, from(list, Side::left, 2), other)); });
  auto fifth = blocked([&] { return blpop(forever, other, list)->value; });
  CHECK(list.info().waiting_poppers == 5);
  REQUIRE(list.rpush(1));
  CHECK(first.get() == "1");
  REQUIRE(list.rpush({2, 3, 4, 5, 6, 7}));
  CHECK(second.get() == "1: 2");
  CHECK(third.get() == "7");
  CHECK(fourth.get() == "0: 3 4");
  CHECK(fifth.get() == 5);
  CHECK(all(list) == Ints{6});
  CHECK(other.info().waiting_poppers == 0);
}

TEST_CASE("Select: entries of a stream stay, and are shown from where one says") {
  Things things;
  REQUIRE(things.stream.add({1, 1}, 1));
  REQUIRE(things.stream.add({1, 2}, 2));
  REQUIRE(things.stream.add({1, 3}, 3));
  const auto at = [&](Position after, std::size_t count = no_limit) {
    return told(select(1s, things.a, from(things.stream, after, count)));
  };
  CHECK(at(earliest) == "1: 1 2 3");
  CHECK(at(Id{1, 1}) == "1: 2 3");
  CHECK(at(Id{1, 1}, 1) == "1: 2");
  CHECK(at(Id{1, 1}, 0) == "1: 2");  // at least one
  CHECK(at(Id{1, 3}) == told(Errc::timed_out));
  CHECK(at(Id::max()) == told(Errc::timed_out));
  CHECK(at(latest) == told(Errc::timed_out));
  things.clock.meanwhile = {[&] { CHECK(things.stream.add_range(numbers(4, 6))); }};
  CHECK(at(latest, 2) == "1: 4 5");
  const auto early = from(things.stream, latest);
  REQUIRE(things.stream.add(7));
  CHECK(told(select(1s, early)) == told(Errc::timed_out));  // the latest when the call begins
  things.clock.meanwhile = {[&] { CHECK(things.stream.add(8)); }};
  CHECK(told(select(1s, from(things.stream, Id{9'000'000, 0}), early)) == "1: 8");
  CHECK(things.stream.size() == 8);
}

TEST_CASE("Select: entries that are gone when it looks are not there, and it goes on waiting") {
  Things things;
  REQUIRE(things.stream.add({1, 1}, 1));
  const auto waits = [&] { return told(select(forever, things.a, from(things.stream, Id{1, 1}))); };
  const auto add = [&](int value) { CHECK(things.stream.add(value)); };
  things.clock.meanwhile = {[&] {
                              const auto id = things.stream.add(2);
                              CHECK(things.stream.erase(*id) == 1);
                            },
                            [&] {
                              add(3);
                              CHECK(things.stream.trim({.max_len = 0}) == 2U);
                            },
                            [&] { add(4); }};
  CHECK(waits() == "1: 4");
  CHECK(things.clock.slept == 3);
  things.stream.trim({.max_len = 0});
  things.clock.meanwhile = {[&] {
    add(5);
    things.stream.close();
    CHECK(things.stream.trim({.max_len = 0}) == 1U);
    CHECK(things.a.rpush(6));
  }};
  CHECK(waits() == "0: 6");
  CHECK(told(select(forever, from(things.stream, earliest))) == told(Errc::closed));
  Stream<int> brief({.max_age = 1s, .clock = &things.clock});
  things.clock.meanwhile = {[&] {
                              CHECK(brief.add(1));
                              things.clock.advance(5s);
                            },
                            [&] { CHECK(brief.add(2)); }};
  CHECK(told(select(forever, from(brief, earliest))) == "2");
}

TEST_CASE("Read of several streams: what each has") {
  Things things;
  Stream<std::string> texts({.clock = &things.clock});
  REQUIRE(things.stream.add({1, 1}, 1));
  REQUIRE(things.stream.add({1, 2}, 2));
  const auto reads = [&](const Wait& wait, Position a = earliest, Position b = earliest, std::size_t most = no_limit) {
    const auto got = read(wait, from(things.stream, a, most), from(texts, b));
    if (!got) return told(got.error());
    std::string text = told(std::get<0>(*got)) + "|";
    for (const auto& [id, value] : std::get<1>(*got)) text += value;
    return text;
  };
  CHECK(reads({}) == "1 2|");
  CHECK(reads({}, Id{1, 1}) == "2|");
  CHECK(reads({}, earliest, earliest, 1) == "1|");
  CHECK(reads({}, earliest, earliest, 0) == "1|");
  CHECK(reads({}, latest, latest) == "|");
  CHECK(reads(1s, Id::max(), Id::max()) == "|");
  REQUIRE(texts.add("x"));
  CHECK(reads({}) == "1 2|x");
  things.clock.meanwhile = {[&] {
    CHECK(texts.add("y"));
    CHECK(things.stream.add(3));
  }};
  CHECK(reads(forever, latest, latest) == "3|y");
  things.clock.meanwhile = {[&] {
                              const auto id = texts.add("gone");
                              texts.erase(*id);
                            },
                            [&] { CHECK(texts.add("z")); }};
  CHECK(reads(forever, latest, latest) == "|z");
  std::stop_source stop;
  things.clock.meanwhile = {[&] { stop.request_stop(); }};
  CHECK(reads(Wait(forever, stop.get_token()), latest, latest) == told(Errc::cancelled));
  CHECK(reads(Wait(forever, stop.get_token())) == "1 2 3|xyz");
  things.stream.close();
  CHECK(reads(1s, latest, latest) == "|");
  things.clock.meanwhile = {[&] { CHECK(texts.add("!")); }, [&] { texts.close(); }};
  CHECK(reads(forever, latest, latest) == "|!");
  CHECK(reads(forever, latest, latest) == told(Errc::closed));
  CHECK(reads(forever, Id{1, 2}, latest) == "3|");
  CHECK(told(std::get<0>(*read(Wait(), from(things.stream, earliest)))) == "1 2 3");
}

TEST_CASE("Read of several streams: what is gone before it could be read is waited for anew") {
  Things things;
  Stream<int> other({.clock = &things.clock});
  things.clock.meanwhile = {[&] {
                              CHECK(things.stream.add(1));
                              things.clock.awake = [&] { CHECK(things.stream.trim({.max_len = 0}) == 1U); };
                            },
                            [&] { CHECK(other.add(2)); }};
  const auto begin = things.clock.now();
  const auto got = read(5s, from(things.stream, earliest), from(other, earliest));
  REQUIRE(got);
  CHECK(std::get<0>(*got).empty());
  CHECK(told(std::get<1>(*got)) == "2");
  CHECK(things.clock.now() == begin);
  things.clock.meanwhile = {[&] {
    things.clock.advance(2s);
    CHECK(things.stream.add(1));
    things.clock.awake = [&] { CHECK(things.stream.trim({.max_len = 0}) == 1U); };
  }};
  const auto none = read(5s, from(things.stream, latest), from(other, latest));
  REQUIRE(none);
  CHECK(std::get<1>(*none).empty());
  CHECK(things.clock.now() - begin == 5s);  // of all the waiting
}

TEST_CASE("Select: what comes back to a group that lives by another clock comes by that") {
  Things things;
  SoleClock late;
  late.advance(500s);
  Stream<int> stream({.clock = &late});
  REQUIRE(stream.add(1));
  const auto group = stream.create_group("g", earliest).value();
  const auto batch = *group.consumer("other").read();
  REQUIRE(batch[0].nack({.delay = 5s}));
  const auto begin = things.clock.now();
  SECTION("for a call that waits") {
    things.clock.meanwhile = {[&] { late.advance(4s); }, [&] { late.advance(1s); }};
    CHECK(told(select(1h, things.a, group.consumer("me"))) == "1: 1");
    CHECK(things.clock.slept == 2);
  }
  SECTION("for a completion") {
    std::string got;
    on_ready([&](const auto& taken) { got = told(taken); }, 1h, things.a, group.consumer("me"));
    CHECK(late.timers() == 1);
    late.advance(4s);
    CHECK(got.empty());
    late.advance(1s);
    CHECK(got == "1: 1");
    CHECK(things.clock.timers() == 0);
  }
  CHECK(late.timers() == 0);
  CHECK(things.clock.now() == begin);
}

}  // namespace select_sources_test
