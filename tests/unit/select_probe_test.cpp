// select_probe_test.cpp — what select() and completions take and bring, as probes see it: Recorder and Faults.
#include <brook/select.hpp>
#include <brook/testing.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_probe_test {

namespace {

using namespace brook;
using namespace brook::test;

// One of each kind of object, watched.
struct Watched {
  Faults faults{};
  Recorder recorder{{.then = &faults}};
  SoleClock clock{};
  BlockingList<int> list{{.capacity = 3, .clock = &clock, .probe = &recorder}};
  BlockingList<int> other{{.clock = &clock, .probe = &recorder}};
  Stream<int> stream{{.capacity = 2, .clock = &clock, .spin = 0us, .probe = &recorder}};
  Channel<int> channel{{.clock = &clock, .spin = 0us, .probe = &recorder}};
  PubSub<int> pubsub{{.clock = &clock, .spin = 0us, .probe = &recorder}};
  Subscription<int> alone = channel.subscribe();
  Subscription<int> shared = channel.subscribe({.share = "s"});
  TopicSubscription<int> topic = pubsub.subscribe("t");
  Group<int> group = stream.create_group("g").value();
  Consumer<int> worker = group.consumer("w");

  // A step takes a 7 from an object that has it, or gets it; how it is put back is told by `left`.
  struct Step {
    Operation operation;
    std::function<void()> bring;
    std::function<std::string(const Wait&)> take;
    std::function<std::string()> left;
  };
  [[nodiscard]] std::vector<Step> steps() {
    const auto in_list = [this] { return told(list.lrange(0, -1)); };
    const auto push = [this] { CHECK(list.rpush_range(Ints{7, 8})); };
    const auto publish = [this] { channel.publish(7); };
    const auto add = [this] { CHECK(stream.add(7)); };
    return {
        {Operation::pop, push, [this](const Wait& wait) { return told(select(wait, list)); }, in_list},
        {Operation::pop, push, [this](const Wait& wait) { return told(select(wait, from(list, Side::left, 1))); },
         in_list},
        {Operation::receive, publish, [this](const Wait& wait) { return told(select(wait, alone)); },
         [this] { return told(drained(alone)); }},
        {Operation::receive, publish, [this](const Wait& wait) { return told(select(wait, shared)); },
         [this] { return told(drained(shared)); }},
        {Operation::receive, [this] { pubsub.publish("t", 7); },
         [this](const Wait& wait) { return told(select(wait, topic)).substr(2); },
         [this] { return told_each(values_of_topic()); }},
        {Operation::read, add, [this](const Wait& wait) { return told(select(wait, worker)); },
         [this] { return told(worker.read().value()); }},
        {Operation::read, add, [this](const Wait& wait) { return told(select(wait, from(stream, latest))); },
         [this] { return told(stream.range()); }},
    };
  }
  [[nodiscard]] Ints values_of_topic() {
    Ints values;
    while (const auto message = topic.try_receive()) values.push_back(**message);
    return values;
  }
};

}  // namespace

TEST_CASE("Probe: what select takes is seen as what a call of its own would take") {
  Watched things;
  for (const auto& step : things.steps()) {
    things.clock.meanwhile = {step.bring};
    things.recorder.clear();
    CHECK(step.take(1s) == "7");
    CHECK(things.recorder.count({.operation = step.operation}) == 1);
    const auto record = things.recorder.records({.operation = step.operation}).front();
    REQUIRE(record.outcome);
    CHECK(record.outcome->size == 1);
    CHECK(!record.outcome->failed);
    CHECK(step.take(Wait()).substr(0, 1) != "7");
    things.list.clear();
  }
  CHECK(things.group.pending()->count == 1);
}

TEST_CASE("Probe: what a select may not take can be taken again") {
  Watched things;
  for (const bool dropped : {false, true}) {
    for (const auto& step : things.steps()) {
      CAPTURE(to_string(step.operation), dropped);
      const Fault fault{.operation = step.operation, .times = 1, .with = Errc::full};
      const Rule rule = dropped ? things.faults.drop(fault) : things.faults.fail(fault);
      things.clock.meanwhile = {step.bring};
      const std::string answer = step.take(1s);
      const std::string expected = told(dropped ? Errc::timed_out : Errc::full);
      CHECK(answer == (answer.size() < expected.size() ? expected.substr(2) : expected));
      CHECK(rule.hits() == 1);
      CHECK(step.left().substr(0, 1) == "7");
      things.list.clear();
      things.stream.trim({.max_len = 0});
      static_cast<void>(drained(things.alone));
      static_cast<void>(drained(things.shared));
    }
  }
}

TEST_CASE("Probe: an answer of a select that is hidden is lost, and what was taken is gone") {
  Watched things;
  things.faults.hide({.operation = Operation::pop, .with = Errc::closed});
  CHECK(things.list.rpush_range(Ints{1, 2}));
  CHECK(told(select(Wait(), things.other, things.list)) == told(Errc::closed));
  CHECK(told(things.list.lrange(0, -1)) == "2");
}

TEST_CASE("Probe: a completion is told what its probe says, with no lock held") {
  Watched things;
  std::string got;
  const auto handler = [&](const auto& taken) { got = told(taken); };
  int seen = 0;
  things.faults.fail({.operation = Operation::pop,
                      .when = [&](const Call& call) { return ++seen, things.list.size() == 0 && !call.locked; },
                      .times = 1,
                      .with = Errc::full});
  on_ready(handler, forever, things.other, things.list);
  CHECK(things.list.rpush(5));
  CHECK(got == told(Errc::full));
  CHECK(told(things.list.lrange(0, -1)) == "5");
  on_ready(handler, forever, things.other, things.list);
  CHECK(got == "1: 5");
  CHECK(seen == 2);
}

TEST_CASE("Probe: a completion is neither delayed nor stalled, as that would hold up who brings what it waits for") {
  for (const bool stalled : {false, true}) {
    Watched things;
    std::vector<Rule> rules;
    for (const Operation operation :
         {Operation::pop, Operation::receive, Operation::read, Operation::push, Operation::add, Operation::publish}) {
      const Fault fault{
          .operation = operation, .when = [](const Call& call) { return call.prompt || call.locked; }, .delay = 1h};
      rules.push_back(stalled ? things.faults.stall(fault) : things.faults.delay(fault));
    }
    std::string got;
    const auto handler = [&](const auto& taken) { got += told(taken) + " "; };
    for (const std::size_t kind : {0U, 2U, 4U, 5U}) things.steps()[kind].bring();
    on_ready(handler, forever, things.list);
    on_ready(handler, forever, things.alone);
    on_ready(handler, forever, things.shared);
    on_ready(handler, forever, things.worker);
    on_ready(handler, forever, from(things.stream, earliest, 1));
    on_ready(handler, forever, from(things.list, Side::left, 9));
    on_ready(handler, forever, things.list);
    REQUIRE(things.list.rpush(9));
    on_ready(handler, forever, things.alone, from(things.stream, latest), things.other);
    REQUIRE(things.other.rpush(8));
    CHECK(got == "7 7 7 7 7 8 9 2: 8 ");
    CHECK(things.clock.slept == 0);
    for (const Rule& rule : rules) CHECK(rule.hits() == 0);
  }
}

TEST_CASE("Probe: the delay of what a select has taken ends with the call's own time") {
  Watched things;
  things.faults.delay({.operation = Operation::pop, .delay = 10s});
  const auto begin = things.clock.now();
  things.clock.meanwhile = {[&] {
    things.clock.advance(3s);
    CHECK(things.list.rpush(7));
  }};
  CHECK(told(select(5s, things.other, things.list)) == told(Errc::timed_out));
  CHECK(things.clock.now() - begin == 5s);
  CHECK(told(things.list.lrange(0, -1)) == "7");
}

TEST_CASE("Probe: a push that is lost, and was made by who made room, is answered as one that was done") {
  Watched things;
  REQUIRE(things.list.rpush_range(Ints{1, 2, 3}));
  const Rule rule =
      things.faults.drop({.operation = Operation::push, .when = [](const Call& call) { return call.wait != nullptr; }});
  std::optional<std::optional<Errc>> got;
  on_ready([&](const auto& pushed) { got = pushed ? std::nullopt : std::optional(pushed.error()); }, forever,
           into(things.list, 4));
  CHECK_FALSE(got);
  CHECK(things.list.lpop() == 1);
  REQUIRE(got);
  CHECK(*got == std::nullopt);
  CHECK(rule.hits() == 1);
  CHECK(told(things.list.lrange(0, -1)) == "2 3 4");
}

TEST_CASE("Probe: a read of several streams is one of each") {
  Faults faults;
  Recorder recorder({.then = &faults});
  SoleClock clock;
  Broker broker({.clock = &clock, .probe = &recorder});
  auto& a = **broker.stream<int>("a");
  auto& b = **broker.stream<int>("b");
  const auto both = [&]() -> std::string {
    const auto got = read(5s, from(a, earliest, 2), from(b, earliest));
    return got ? told(std::get<0>(*got)) + " | " + told(std::get<1>(*got)) : told(got.error());
  };
  REQUIRE((a.add(1) && a.add(2) && a.add(3) && b.add(4)));
  recorder.clear();
  CHECK(both() == "1 2 | 4");
  REQUIRE(recorder.count({.operation = Operation::read}) == 2);
  const auto records = recorder.records({.operation = Operation::read});
  CHECK(records[0].name + records[1].name == "ab");
  CHECK(records[0].outcome->size == 2);
  CHECK(records[1].outcome->size == 1);

  Rule rule = faults.drop({.operation = Operation::read, .name = "a", .times = 1});
  CHECK(both() == " | 4");
  rule = faults.drop({.operation = Operation::read, .times = 2});
  CHECK(both() == " | ");
  rule = faults.fail({.operation = Operation::read, .name = "b", .times = 1, .with = Errc::full});
  CHECK(both() == told(Errc::full));
  rule = faults.hide({.operation = Operation::read, .name = "a", .times = 1, .with = Errc::closed});
  CHECK(both() == told(Errc::closed));
  CHECK(both() == "1 2 | 4");
  CHECK(clock.slept == 0);
}

TEST_CASE("Probe: what select and completions bring") {
  Watched things;
  struct Way {
    Operation operation;
    std::function<std::string()> bring;
  };
  const Way ways[] = {
      {Operation::push, [&] { return told(select(Wait(), into(things.list, 1)).transform([](auto) { return 0; })); }},
      {Operation::add, [&] { return told(select(Wait(), into(things.stream, 1)).transform([](auto) { return 0; })); }},
      {Operation::publish, [&] { return told(select(Wait(), into(things.channel, 1))); }},
      {Operation::publish, [&] { return told(select(Wait(), into(things.pubsub, "t", 1))); }}};
  for (const Way& way : ways) {
    things.recorder.clear();
    const Rule rule = things.faults.fail({.operation = way.operation, .times = 1, .with = Errc::full});
    CHECK(way.bring() == told(Errc::full));
    CHECK(way.bring().size() == 1);
    CHECK(things.recorder.count({.operation = way.operation}) == 2);
  }
  CHECK(things.list.size() == 1);
  CHECK(things.stream.size() == 1);
  CHECK(told(drained(things.alone)) == "1");
  CHECK(told(things.values_of_topic()) == "1");
}

TEST_CASE("Probe: one that throws takes nothing from a select, and a completion learns of it") {
  class Throws final : public Probe {
   public:
    Outcome watch(const Call& call, const Perform& perform) override {
      if (call.operation == Operation::pop) throw std::logic_error("no");
      return perform();
    }
  };
  Throws probe;
  SoleClock clock;
  BlockingList<int> list({.clock = &clock, .probe = &probe}), other({.clock = &clock});
  CHECK(list.rpush_range(Ints{1, 2}));
  CHECK_THROWS_AS(static_cast<void>(select(Wait(), other, list)), std::logic_error);
  CHECK(told(list.lrange(0, -1)) == "1 2");
  std::string got;
  on_ready([&](const auto& taken) { got = told(taken); }, Wait(), other, list);
  CHECK(got == told(Errc::exception));
  CHECK(told(list.lrange(0, -1)) == "1 2");
}

}  // namespace select_probe_test
