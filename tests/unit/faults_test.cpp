#include <brook/testing.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace faults_test {

namespace {

using namespace brook;
using namespace brook::test;

constexpr auto start = 1'000'000ms;

/// A broker under a probe, with a stream "orders", and on it a group "billing".
struct Shop {
  Faults faults;
  WatchedClock clock{start};
  Broker broker{{.clock = &clock, .probe = &faults}};
  std::shared_ptr<Stream<int>> orders = *broker.stream<int>("orders");
  Group<int> billing = *orders->create_group("billing", earliest);

  void add(int first, int last) {
    for (const int n : numbers(first, last)) REQUIRE(orders->add(n));
  }
};

using Ints = std::vector<int>;

}  // namespace

TEST_CASE("Faults: the n-th add fails, and nothing has changed") {
  Shop shop;
  const Rule rule = shop.faults.fail({.operation = Operation::add, .name = "orders", .nth = 3, .with = Errc::full});
  shop.add(1, 2);
  const Seen before(*shop.orders);
  CHECK(error_of(shop.orders->add(3)) == Errc::full);
  CHECK(Seen(*shop.orders) == before);
  shop.add(4, 5);
  CHECK(values_of(shop.orders->range()) == Ints{1, 2, 4, 5});
  CHECK(rule.seen() == 5);
  CHECK(rule.hits() == 1);
}

TEST_CASE("Faults: a value that was to be moved in is unchanged when an add or a push fails") {
  Faults faults;
  faults.fail({.with = Errc::full});
  Stream<std::string> stream({.probe = &faults});
  std::string text(100, 'x');
  CHECK(error_of(stream.add(std::move(text))) == Errc::full);
  CHECK(text == std::string(100, 'x'));
  CHECK(error_of(stream.add(std::move(text), {.producer = "p", .key = "k"})) == Errc::full);
  CHECK(text == std::string(100, 'x'));
  BlockingList<std::string> list({.probe = &faults});
  CHECK(error_of(list.rpush(std::move(text))) == Errc::full);
  CHECK(text == std::string(100, 'x'));
  const auto refused = list.try_rpush(std::move(text));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error == Errc::full);
  CHECK(refused.error().value == std::string(100, 'x'));
  CHECK(stream.info().duplicates == 0);
  CHECK(list.empty());
}

TEST_CASE("Faults: every, skip, times, and a share that depends on the seed") {
  const auto hit = [](Fault fault) {
    Faults faults;
    Stream<int> stream({.probe = &faults});
    fault.operation = Operation::add;
    const Rule rule = faults.fail(fault);
    Ints failed;
    for (const int n : numbers(1, 12)) {
      if (!stream.add(n)) failed.push_back(n);
    }
    CHECK(rule.hits() == failed.size());
    CHECK(rule.seen() == 12);
    return failed;
  };
  CHECK(hit({}) == numbers(1, 12));
  CHECK(hit({.nth = 1}) == Ints{1});
  CHECK(hit({.nth = 13}).empty());
  CHECK(hit({.every = 5}) == Ints{5, 10});
  CHECK(hit({.skip = 2, .every = 5}) == Ints{7, 12});
  CHECK(hit({.skip = 3, .nth = 2}) == Ints{5});
  CHECK(hit({.skip = 10}) == Ints{11, 12});
  CHECK(hit({.times = 2}) == Ints{1, 2});
  CHECK(hit({.every = 3, .times = 2}) == Ints{3, 6});
  CHECK(hit({.fraction = 0}).empty());
  const Ints some = hit({.fraction = 0.5, .seed = 7});
  CHECK(some == hit({.fraction = 0.5, .seed = 7}));
  CHECK(some != hit({.fraction = 0.5, .seed = 8}));
  CHECK((!some.empty() && some.size() < 12));
}

TEST_CASE("Faults: a share of many is about that share") {
  Faults faults;
  Channel<int> channel({.probe = &faults});
  const Rule rule = faults.drop({.operation = Operation::publish, .fraction = 0.1, .seed = 42});
  for (int i = 0; i < 10'000; ++i) channel.publish(i);
  CHECK(rule.hits() > 900);
  CHECK(rule.hits() < 1'100);
}

TEST_CASE("Faults: rules go by name, object, group, consumer, topic and value") {
  Shop shop;
  const auto invoices = *shop.broker.stream<int>("invoices");
  Stream<int> other({.probe = &shop.faults});
  SECTION("a pattern of names") {
    const Rule rule = shop.faults.fail({.operation = Operation::add, .name = "inv*"});
    CHECK(shop.orders->add(1));
    CHECK(other.add(1));
    CHECK_FALSE(invoices->add(1));
    CHECK(rule.seen() == 1);
  }
  SECTION("a name for an object that is in no broker") {
    Stream<int> named({.probe = shop.faults.named("inv")});
    shop.faults.fail({.name = "inv"});
    CHECK_FALSE(named.add(1));
    CHECK(invoices->add(1));
  }
  SECTION("an object") {
    shop.faults.fail({.object = *invoices});
    CHECK(shop.orders->add(1));
    CHECK_FALSE(invoices->add(1));
    shop.faults.fail({.object = other});
    CHECK_FALSE(other.add(1));
  }
  SECTION("a consumer") {
    shop.add(1, 2);
    shop.faults.fail(
        {.operation = Operation::read, .group = "billing", .consumer = "worker-?", .with = Errc::cancelled});
    CHECK(error_of(shop.billing.consumer("worker-1").read()) == Errc::cancelled);
    CHECK(shop.billing.consumer("clerk").read({.count = 1})->size() == 1);
    CHECK(shop.orders->read(earliest)->size() == 2);
  }
  SECTION("a topic") {
    const auto news = *shop.broker.pubsub<int>("news");
    auto all = news->psubscribe("*");
    shop.faults.fail({.operation = Operation::publish, .topic = "sport.*"});
    CHECK(news->publish("weather", 1) == 1);
    CHECK(news->publish("sport.chess", 1) == 0);
    CHECK(news->publish({"weather", "sport.go"}, 1) == 0);
    CHECK(error_of(news->publish("sport.go", 1, Wait())) == Errc::closed);
    CHECK(all.waiting() == 1);
  }
  SECTION("a value") {
    shop.faults.fail({.operation = Operation::add, .when = [](const Call& call) {
                        const int* const value = call.values.get<int>();
                        return value != nullptr && *value == 13;
                      }});
    CHECK(shop.orders->add(12));
    CHECK_FALSE(shop.orders->add(13));
    CHECK(shop.orders->add_range(Ints{12, 14}));
  }
}

TEST_CASE("Faults: a lost add answers as if it had been done") {
  Shop shop;
  shop.add(1, 1);
  const Seen before(*shop.orders);
  const Rule rule = shop.faults.drop({.operation = Operation::add});
  CHECK(shop.orders->add(2) == Id{1'000'000, 1});
  CHECK(shop.orders->add_range(Ints{3, 4})->size() == 2);
  CHECK(shop.orders->add(Id{2'000'000, 5}, 5) == Id{2'000'000, 5});
  CHECK(error_of(shop.orders->add(Id{1, 1}, 5)) == Errc::id_too_small);
  CHECK(shop.orders->add(6, {.producer = "p", .key = "k"}) == Id{1'000'000, 1});
  CHECK(Seen(*shop.orders) == before);
  CHECK(shop.orders->info().producers == 0);
  rule.remove();
  CHECK(shop.orders->add(7) == Id{1'000'000, 1});
  shop.orders->close();
  shop.faults.drop({});
  CHECK(error_of(shop.orders->add(8)) == Errc::closed);
}

TEST_CASE("Faults: lost reads and acknowledgements leave all as it was") {
  Shop shop;
  shop.add(1, 3);
  const auto worker = shop.billing.consumer("worker");
  Rule rule = shop.faults.drop({.operation = Operation::read});
  CHECK(worker.read()->empty());
  CHECK(shop.orders->read(earliest)->empty());
  CHECK(shop.billing.info()->lag == 3);
  rule.remove();

  const auto batch = *worker.read();
  rule = shop.faults.drop({.operation = Operation::ack, .nth = 2});
  CHECK(batch.ack() == 3);  // of which one got lost
  CHECK(rule.seen() == 3);
  CHECK(shop.billing.pending()->first == batch[1].id());
  CHECK(shop.billing.pending()->count == 1);

  rule.remove();
  rule = shop.faults.fail({.operation = Operation::ack, .nth = 1});
  CHECK_FALSE(batch[1].ack());
  CHECK(shop.billing.pending()->count == 1);
  CHECK(shop.billing.ack(batch[1].id()) == 1);
  CHECK(shop.billing.pending()->count == 0);
}

TEST_CASE("Faults: nack, claim and forward fail with nothing changed") {
  Shop shop;
  const auto invoices = *shop.broker.stream<int>("invoices");
  const auto jobs = *shop.broker.list<int>("jobs");
  shop.add(1, 1);
  const auto worker = shop.billing.consumer("worker");
  const auto batch = *worker.read();
  const auto order = batch[0];

  Rule rule = shop.faults.fail({.operation = Operation::nack});
  CHECK_FALSE(order.nack());
  rule.remove();
  rule = shop.faults.drop({.operation = Operation::nack});
  CHECK(order.nack());
  rule.remove();
  CHECK(shop.billing.info()->returned == 0);

  rule = shop.faults.fail({.operation = Operation::claim});
  CHECK(error_of(shop.billing.consumer("other").claim({order.id()})) == Errc::closed);
  rule.remove();

  rule = shop.faults.fail({.operation = Operation::forward, .with = Errc::not_pending});
  CHECK(error_of(order.forward(*invoices, 7)) == Errc::not_pending);
  rule.remove();
  rule = shop.faults.fail({.operation = Operation::add, .name = "invoices", .with = Errc::full});
  CHECK(error_of(order.forward(*invoices, 7)) == Errc::full);
  CHECK(order.forward(into(*jobs, 1), into(*invoices, 7)).error() == Errc::full);
  rule.remove();
  rule = shop.faults.fail({.operation = Operation::push, .name = "jobs", .with = Errc::full});
  CHECK(order.forward(into(*invoices, 7), into(*jobs, 1)).error() == Errc::full);
  rule.remove();
  rule = shop.faults.drop({.name = "jobs"});
  CHECK(order.forward(into(*invoices, 7), into(*jobs, 1)).error() == Errc::not_pending);
  rule.remove();

  CHECK(invoices->empty());
  CHECK(jobs->empty());
  CHECK(shop.billing.pending({.consumer = "worker"})->size() == 1);
  CHECK(order.forward(into(*invoices, 7), into(*jobs, 1)).has_value());
  CHECK(shop.billing.pending()->count == 0);
}

TEST_CASE("Faults: a dead letter that is refused stays pending with nobody") {
  Shop shop;
  const auto failed = *shop.broker.stream<int>("failed");
  const auto group = *shop.orders->create_group("strict", earliest, {.max_deliveries = 1, .dead_letter = failed.get()});
  shop.add(1, 1);
  const Rule rule = shop.faults.fail({.operation = Operation::add, .name = "failed", .with = Errc::full});
  shop.faults.delay({.operation = Operation::add, .name = "failed", .delay = 1h});  // has no effect: a lock is held
  CHECK((*group.consumer("worker").read())[0].nack());
  CHECK(rule.hits() == 1);
  CHECK(failed->empty());
  CHECK(group.info()->returned == 1);
  rule.remove();
  shop.clock.advance(1s);
  CHECK((*group.consumer("worker").read())[0].nack());
  CHECK(failed->size() == 1);
  CHECK(group.info()->pending == 0);
}

TEST_CASE("Faults: a lost answer, of an add that is tried again") {
  Shop shop;
  const Rule rule = shop.faults.hide({.operation = Operation::add, .nth = 1, .with = Errc::timed_out});
  SECTION("makes two entries") {
    CHECK(error_of(shop.orders->add(1)) == Errc::timed_out);
    CHECK(shop.orders->add(1));
    CHECK(shop.orders->size() == 2);
  }
  SECTION("makes one, when its producer has a key") {
    const Idempotent once{.producer = "till", .key = "receipt-1"};
    CHECK(error_of(shop.orders->add(1, once)) == Errc::timed_out);
    CHECK(shop.orders->add(1, once) == shop.orders->last_id());
    CHECK(shop.orders->size() == 1);
  }
  CHECK(rule.hits() == 1);
}

TEST_CASE("Faults: lost answers, of reads, acknowledgements and pops") {
  Shop shop;
  shop.add(1, 1);
  const auto jobs = *shop.broker.list<int>("jobs");
  REQUIRE(jobs->rpush({1, 2, 3}));
  shop.faults.hide({.times = 1});
  const auto worker = shop.billing.consumer("worker");
  CHECK(error_of(worker.read()) == Errc::closed);
  CHECK(shop.billing.pending({.consumer = "worker"})->size() == 1);  // it must look at its history
  const auto history = *worker.history();
  CHECK(history.size() == 1);
  shop.faults.hide({.times = 1});
  CHECK_FALSE(history[0].ack());
  CHECK(shop.billing.pending()->count == 0);
  shop.faults.hide({.operation = Operation::pop, .times = 2});
  CHECK_FALSE(jobs->lpop());
  CHECK(error_of(jobs->blpop(forever)) == Errc::closed);
  CHECK(jobs->lrange(0, -1) == Ints{3});
}

TEST_CASE("Faults: lists, whatever their type") {
  Faults faults;
  const auto check = [&]<class T>(T one) {
    BlockingList<T> list({.probe = &faults});
    BlockingList<T> other({.probe = &faults});
    REQUIRE(list.rpush(T(one)));
    {
      Rule rule = faults.fail({});
      CHECK(error_of(list.rpush(T(one))) == Errc::closed);
      CHECK(error_of(list.lpushx(T(one))) == Errc::closed);
      CHECK_FALSE(list.lpop());
      CHECK(list.rpop(5).empty());
      CHECK(error_of(list.blpop(forever)) == Errc::closed);
      CHECK(error_of(list.pop_batch(1, 5, forever)) == Errc::closed);
      CHECK(blpop(forever, list, other).error() == Errc::closed);
      CHECK_FALSE(lmpop(Side::left, 5, other, list));
      CHECK_FALSE(list.lmove(other, Side::left, Side::right));
      CHECK(error_of(list.blmove(other, Side::left, Side::right, forever)) == Errc::closed);
      CHECK(error_of(list.lset(0, T(one))) == Errc::closed);
      CHECK(error_of(list.linsert_after(one, T(one))) == Errc::closed);
      CHECK(list.lrem(0, one) == 0);
      CHECK(list.clear() == 0);
      list.ltrim(1, 0);
      CHECK(rule.hits() == 15);
      rule.remove();
    }
    CHECK(list.lrange(0, -1) == std::vector<T>{one});
    CHECK(other.empty());
    {
      Rule rule = faults.drop({});
      CHECK(list.rpush(T(one)));
      CHECK(list.rpushx(T(one)) == 2U);
      CHECK(list.linsert_before(one, T(one)) == 2U);
      CHECK(list.try_lpush(T(one)));
      CHECK_FALSE(list.rpop());
      CHECK(error_of(list.brpop(forever)) == Errc::timed_out);
      CHECK(list.pop_batch(1, 5, forever)->empty());
      CHECK(blpop(forever, list, other).error() == Errc::timed_out);
      CHECK(list.lset(0, T(one)));
      rule.remove();
    }
    CHECK(list.lrange(0, -1) == std::vector<T>{one});
    CHECK(list.rpush({one, one}));
    CHECK(list.lpop() == one);
    CHECK(*list.blpop(forever) == one);
    CHECK(list.lmove(other, Side::left, Side::left) == one);
    CHECK(blpop(forever, list, other)->index == 1);
    CHECK(list.empty());
    list.close();
    CHECK(error_of(list.rpush(T(one))) == Errc::closed);
  };
  check(7);
  check(std::string("seven"));
  struct Boxed {  // one that does not lie in a slot
    explicit Boxed(int n) : number(n) {}
    Boxed(const Boxed& other) : number(other.number) {}
    Boxed& operator=(const Boxed&) = default;
    bool operator==(const Boxed& other) const { return number == other.number; }
    int number;
  };
  check(Boxed(7));
}

TEST_CASE("Faults: channels and their subscriptions") {
  Faults faults;
  Channel<int> ticks({.probe = &faults});
  auto sub = ticks.subscribe();
  Rule rule = faults.drop({.operation = Operation::publish, .nth = 2});
  for (const int n : numbers(1, 3)) CHECK(ticks.publish(n) == 1);
  CHECK(**sub.receive(Wait()) == 1);
  CHECK(**sub.receive(Wait()) == 3);
  rule.remove();

  REQUIRE(ticks.publish_range(numbers(4, 6)) == 1);
  rule = faults.drop({.operation = Operation::receive, .times = 3});
  CHECK(error_of(sub.receive()) == Errc::timed_out);
  CHECK_FALSE(sub.try_receive());
  CHECK(sub.receive_batch()->empty());
  CHECK(sub.waiting() == 3);
  CHECK(sub.receive_batch()->size() == 3);
  rule.remove();

  rule = faults.fail({.operation = Operation::publish, .with = Errc::full});
  CHECK(ticks.publish(7) == 0);
  CHECK(error_of(ticks.publish(7, forever)) == Errc::full);
  CHECK(sub.waiting() == 0);
  rule.remove();

  rule = faults.fail({.operation = Operation::subscribe});
  CHECK(ticks.subscribe().reason() == Errc::cancelled);
  CHECK(ticks.subscriptions() == 1);
  rule.remove();

  Ints called;
  const auto call = ticks.subscribe([&](const int& tick) { called.push_back(tick); });
  rule = faults.drop({.operation = Operation::receive, .nth = 2});
  for (const int n : numbers(1, 3)) REQUIRE(ticks.publish(n) == 2);
  CHECK(called == Ints{1, 3});
  ticks.close();
  CHECK(sub.receive_batch()->size() == 3);
  CHECK(error_of(sub.receive()) == Errc::closed);
}

TEST_CASE("Faults: PubSub, where answers say how many would have got it") {
  Faults faults;
  PubSub<std::string> news({.probe = &faults});
  auto sub = news.subscribe({"a"}, {.patterns = {"*"}});
  Rule rule = faults.drop({.operation = Operation::publish});
  CHECK(news.publish("a", "lost") == 2);
  CHECK(news.publish({"a", "b"}, "lost") == 3);
  CHECK(sub.waiting() == 0);
  rule.remove();
  rule = faults.fail({.operation = Operation::subscribe});
  CHECK(error_of(sub.subscribe("c")) == Errc::closed);
  CHECK(news.subscribe("d").reason() == Errc::cancelled);
  rule.remove();
  CHECK(news.channels() == std::vector<std::string>{"a"});
  CHECK(news.publish("a", "there") == 2);
  rule = faults.hide({.operation = Operation::receive, .nth = 1, .with = Errc::cancelled});
  CHECK(error_of(sub.receive()) == Errc::cancelled);
  CHECK(**sub.receive() == "there");
}

TEST_CASE("Faults: a delay takes its time on the object's clock") {
  Shop shop;
  shop.faults.delay({.operation = Operation::add, .delay = 3s});
  shop.faults.delay({.operation = Operation::add, .delay = 2s});
  auto adding = on_a_thread([&] { return shop.orders->add(1); });
  shop.clock.wait_for_sleepers(1);
  CHECK(shop.orders->empty());
  shop.clock.advance(4999ms);
  CHECK(shop.clock.sleepers() == 1);
  CHECK(shop.orders->empty());
  shop.clock.advance(1ms);
  CHECK(adding.get());
  CHECK(shop.orders->size() == 1);
}

TEST_CASE(
    "Faults: a delay ends when the call's time is up, or it is stopped, or its object closed, or the rule removed") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  Rule rule = shop.faults.delay({.operation = Operation::pop, .delay = 1h});
  SECTION("time is up") {
    auto popping = on_a_thread([&] { return jobs->blpop(1s); });
    shop.clock.wait_for_sleepers(1);
    REQUIRE(jobs->rpush(7));
    shop.clock.advance(1s);
    CHECK(error_of(popping.get()) == Errc::timed_out);
    CHECK(jobs->size() == 1);
  }
  SECTION("time goes on for the wait that follows") {
    rule.remove();
    rule = shop.faults.delay({.operation = Operation::pop, .delay = 3s});
    auto popping = on_a_thread([&] { return jobs->blpop(5s); });
    shop.clock.wait_for_sleepers(1);
    shop.clock.advance(3s);
    shop.clock.wait_for_sleepers(1);
    shop.clock.advance(2s);
    CHECK(error_of(popping.get()) == Errc::timed_out);
  }
#ifdef __cpp_lib_jthread
  SECTION("stopped") {
    std::stop_source stop;
    auto popping = on_a_thread([&] { return jobs->blpop({forever, stop.get_token()}); });
    shop.clock.wait_for_sleepers(1);
    stop.request_stop();
    CHECK(error_of(popping.get()) == Errc::cancelled);
  }
#endif
  SECTION("closed") {
    auto popping = on_a_thread([&] { return jobs->blpop(forever); });
    shop.clock.wait_for_sleepers(1);
    jobs->close();
    CHECK(error_of(popping.get()) == Errc::closed);
  }
  SECTION("removed") {
    REQUIRE(jobs->rpush(7));
    auto popping = on_a_thread([&] { return jobs->blpop(forever); });
    shop.clock.wait_for_sleepers(1);
    rule.remove();
    CHECK(popping.get() == 7);
  }
}

#ifdef __cpp_lib_jthread

TEST_CASE("Faults: calls that wait are broken off with an error") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  const auto ticks = *shop.broker.channel<int>("ticks");
  const auto news = *shop.broker.pubsub<int>("news");
  auto sub = ticks->subscribe();
  auto topics = news->subscribe("a");
  std::vector<std::future<std::optional<Errc>>> calls;
  calls.push_back(on_a_thread([&] { return error_of(jobs->blpop(forever)); }));
  calls.push_back(on_a_thread([&] { return error_of(jobs->blmove(*jobs, Side::left, Side::right, 1h)); }));
  calls.push_back(on_a_thread([&] { return error_of(shop.orders->read(latest, {.block = forever})); }));
  calls.push_back(on_a_thread([&] { return error_of(shop.billing.consumer("worker").read({.block = forever})); }));
  calls.push_back(on_a_thread([&] { return error_of(sub.receive()); }));
  calls.push_back(on_a_thread([&] { return error_of(topics.receive_batch()); }));
  shop.clock.wait_for_sleepers(calls.size());
  CHECK(shop.faults.break_off({.name = "nothing"}) == 0);
  CHECK(shop.faults.break_off({}, Errc::io_error) == calls.size());
  for (auto& call : calls) CHECK(call.get() == Errc::io_error);
  CHECK(shop.faults.break_off() == 0);

  // Who waits afterwards waits as ever.
  auto popping = on_a_thread([&] { return jobs->blpop(1s); });
  shop.clock.wait_for_sleepers(1);
  shop.clock.advance(1s);
  CHECK(error_of(popping.get()) == Errc::timed_out);
}

TEST_CASE("Faults: those who wait for room are broken off, and keep what they had") {
  Faults faults;
  WatchedClock clock;
  Stream<std::string> stream({.capacity = 1, .overflow = Overflow::block, .clock = &clock, .probe = &faults});
  BlockingList<std::string> list({.capacity = 1, .overflow = Overflow::block, .clock = &clock, .probe = &faults});
  Channel<std::string> channel({.clock = &clock, .probe = &faults});
  const auto sub = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  CHECK(fill(stream) == 1);
  CHECK(fill(list) == 1);
  REQUIRE(channel.publish("first") == 1);
  std::string text(100, 'x');
  auto adding = on_a_thread([&] { return error_of(stream.add(std::move(text))); });
  auto adding_once = on_a_thread([&] { return error_of(stream.add(std::string(), {.producer = "p", .key = "k"})); });
  auto pushing = on_a_thread([&] { return error_of(list.rpush("x")); });
  auto publishing = on_a_thread([&] { return channel.publish("second"); });
  clock.wait_for_sleepers(4);
  CHECK(faults.break_off({}, Errc::io_error) == 4);
  CHECK(adding.get() == Errc::io_error);
  CHECK(adding_once.get() == Errc::io_error);
  CHECK(pushing.get() == Errc::io_error);
  CHECK(publishing.get() == 0);
  CHECK(text == std::string(100, 'x'));
  CHECK(stream.size() == 1);
  CHECK(list.size() == 1);
  CHECK(sub.waiting() == 1);
}

TEST_CASE("Faults: the server is gone, and comes back") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  auto popping = on_a_thread([&] { return jobs->blpop(forever); });
  shop.clock.wait_for_sleepers(1);
  Rule gone = shop.faults.take_down();
  CHECK(error_of(popping.get()) == Errc::closed);
  CHECK(error_of(shop.orders->add(1)) == Errc::closed);
  CHECK(error_of(jobs->blpop(forever)) == Errc::closed);
  gone.remove();
  CHECK(shop.orders->add(1));
  REQUIRE(jobs->rpush(2));
  CHECK(jobs->blpop(forever) == 2);
}

TEST_CASE("Faults: a call that comes while the server goes does not wait for ever") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  std::optional<Rule> gone;
  const auto goes_now = [&](const Call&) {  // asked when it is judged, by rules that were there before
    if (!gone) gone = shop.faults.take_down();
    return false;
  };
  SECTION("one that waits") {
    shop.faults.fail({.when = goes_now});
    auto popping = shop.clock.thread([&] { return error_of(jobs->blpop(forever)); });
    shop.clock.run_until_idle();
    CHECK(popping.done());
    jobs->close();  // or it would never end
    CHECK(popping.get() == Errc::closed);
  }
  SECTION("one that is delayed") {
    shop.faults.delay({.operation = Operation::add, .delay = 1h});
    shop.faults.fail({.when = goes_now});
    auto adding = shop.clock.thread([&] { return error_of(shop.orders->add(1)); });
    shop.clock.run_until_idle();
    CHECK(adding.done());
    shop.clock.advance(1h);
    CHECK(adding.get() == Errc::closed);
    CHECK(shop.orders->empty());
  }
}

TEST_CASE("Faults: which calls are broken off may be said by a function, that sees none of their values") {
  Faults faults;
  WatchedClock clock;
  BlockingList<int> list({.capacity = 1, .overflow = Overflow::block, .clock = &clock, .probe = &faults});
  fill(list);
  auto pushing = clock.thread([&] { return error_of(list.rpush(7)); });
  clock.run_until_idle();
  CHECK(faults.break_off({.when = [](const Call& call) { return call.values.size() > 0; }}) == 0);
  CHECK(faults.break_off({.when = [](const Call& call) { return call.operation == Operation::push; }}) == 1);
  CHECK(pushing.get() == Errc::closed);
}

#endif

TEST_CASE("Faults: a consumer dies with what it has, and others take it over") {
  Shop shop;
  shop.add(1, 4);
  const auto invoices = *shop.broker.stream<int>("invoices");
  const auto worker = shop.billing.consumer("worker-1");
  const auto held = *worker.read({.count = 3});
  Rule death = shop.faults.kill({.name = "orders", .group = "billing", .consumer = "worker-1"});
  CHECK(error_of(worker.read()) == Errc::closed);
  CHECK(error_of(worker.history()) == Errc::closed);
  CHECK_FALSE(held[0].ack());
  CHECK(held.ack() == 0);
  CHECK_FALSE(held[1].nack());
  CHECK(error_of(held[2].forward(*invoices, 3)) == Errc::closed);
  CHECK(shop.billing.pending({.consumer = "worker-1"})->size() == 3);
  CHECK(shop.billing.info()->returned == 0);
  CHECK(invoices->empty());

  shop.clock.advance(1min);
  const auto second = shop.billing.consumer("worker-2");
  const auto taken = second.auto_claim({.min_idle = 1min})->deliveries;
  CHECK(values_of(taken) == Ints{1, 2, 3});
  CHECK(held.ack() == 0);  // the dead one, though its acknowledgement would count from whoever lives
  CHECK(taken.ack() == 3);
  CHECK(values_of(second.read()) == Ints{4});

  death.remove();
  CHECK(worker.read()->empty());
}

TEST_CASE("Faults: a producer stopped in the middle of an add stops no other producer and no reader") {
  Shop shop;
  Rule stall = shop.faults.stall({.operation = Operation::add, .name = "orders", .nth = 2});
  shop.add(1, 1);
  auto stopped = on_a_thread([&] { return shop.orders->add(2); });
  stall.await_stopped();
  CHECK(stall.stopped() == 1);
  CHECK(values_of(shop.orders->range()) == Ints{1});  // its slot is taken, and it is not there

  // An add that comes later goes past it, and is there for everybody.
  CHECK(shop.orders->add(3) == Id{1'000'000, 2});
  CHECK(values_of(shop.orders->range()) == Ints{1, 3});
  CHECK(values_of(shop.orders->read(Id{1'000'000, 0})) == Ints{3});
  const auto worker = shop.billing.consumer("worker");
  CHECK(values_of(worker.read()) == Ints{1, 3});
  CHECK(shop.orders->trim({.max_len = 1}) == 1U);

  stall.resume();
  CHECK(stopped.get() == Id{1'000'000, 3});  // it had to begin anew
  CHECK(values_of(shop.orders->range()) == Ints{3, 2});
  CHECK(values_of(worker.read()) == Ints{2});
  CHECK(stall.stopped() == 0);
}

TEST_CASE("Faults: a stopped producer that nobody passes goes on where it stopped") {
  Shop shop;
  Rule stall = shop.faults.stall({.operation = Operation::add});
  auto stopped = on_a_thread([&] { return shop.orders->add(1); });
  stall.await_stopped();
  CHECK(shop.orders->empty());
  stall.remove();
  CHECK(stopped.get() == Id{1'000'000, 0});
}

TEST_CASE("Faults: a producer stopped in the middle of a publish stops no other one") {
  Faults faults;
  Channel<std::string> channel({.probe = &faults});
  auto sub = channel.subscribe();
  Rule stall = faults.stall({.operation = Operation::publish, .nth = 1});
  auto stopped = on_a_thread([&] { return channel.publish("slow"); });
  stall.await_stopped();
  CHECK_FALSE(sub.try_receive());
  CHECK(channel.publish("fast") == 1);
  CHECK(**sub.try_receive() == "fast");
  stall.resume();
  CHECK(stopped.get() == 1);
  CHECK(**sub.try_receive() == "slow");
}

TEST_CASE("Faults: a stream that closes while a producer is stopped does not wait for it") {
  Shop shop;
  Rule stall = shop.faults.stall({.operation = Operation::add});
  std::string kept;
  auto stopped = on_a_thread([&] { return shop.orders->add(1); });
  stall.await_stopped();
  shop.orders->close();
  CHECK(error_of(shop.orders->read(earliest, {.block = forever})) == Errc::closed);
  stall.resume();
  CHECK(error_of(stopped.get()) == Errc::closed);
  CHECK(shop.orders->empty());
}

TEST_CASE("Faults: a stall of several values, and of other operations, is before they begin") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  Rule stall = shop.faults.stall({});
  auto adding = on_a_thread([&] { return shop.orders->add_range(numbers(1, 3)).has_value(); });
  stall.await_stopped(1);
  auto pushing = on_a_thread([&] { return jobs->rpush(1).has_value(); });
  stall.await_stopped(2);
  CHECK(jobs->empty());
  stall.remove();
  CHECK(adding.get());
  CHECK(pushing.get());
  CHECK(shop.orders->size() == 3);
  CHECK(jobs->size() == 1);
}

TEST_CASE("Faults: what only looks is never disturbed, nor counted") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  shop.add(1, 1);
  REQUIRE(jobs->rpush(1));
  const Rule rule = shop.faults.fail({});
  CHECK(shop.orders->size() == 1);
  CHECK(shop.orders->range().size() == 1);
  CHECK(shop.orders->rev_range().size() == 1);
  CHECK(shop.orders->full_info().first.size() == 1);
  CHECK(shop.orders->group("billing").has_value());
  CHECK(shop.billing.info()->lag == 1);
  CHECK(shop.billing.pending({})->empty());
  CHECK(jobs->lrange(0, -1) == Ints{1});
  CHECK(jobs->lindex(0) == 1);
  CHECK(jobs->lpos(1) == 0U);
  CHECK(jobs->info().length == 1);
  CHECK(rule.seen() == 0);
}

TEST_CASE("Faults: groups are made, moved and ended under the same rules") {
  Shop shop;
  shop.add(1, 2);
  static_cast<void>(shop.billing.consumer("worker").read());
  Rule rule = shop.faults.fail({.operation = Operation::regroup, .with = Errc::no_such_group});
  CHECK(shop.orders->create_group("audit").error() == Errc::no_such_group);
  CHECK(error_of(shop.billing.delete_consumer("worker")) == Errc::no_such_group);
  CHECK(error_of(shop.billing.destroy()) == Errc::no_such_group);
  CHECK(shop.billing.set_id(earliest).error() == Errc::no_such_group);
  CHECK(rule.hits() == 4);
  rule.remove();
  CHECK(shop.orders->groups() == std::vector<std::string>{"billing"});
  CHECK(shop.billing.pending()->count == 2);
  rule = shop.faults.fail({.with = Errc::invalid_argument});
  CHECK(error_of(shop.orders->trim({.max_len = 0})) == Errc::invalid_argument);
  CHECK(shop.orders->erase(shop.orders->last_id()) == 0);
  CHECK(shop.orders->size() == 2);
}

TEST_CASE("Faults: closing cannot be kept from happening") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  const auto ticks = *shop.broker.channel<int>("ticks");
  const auto news = *shop.broker.pubsub<int>("news");
  const Rule rule = shop.faults.drop({});
  shop.broker.close();
  CHECK(shop.orders->closed());
  CHECK(jobs->closed());
  CHECK(ticks->closed());
  CHECK(news->closed());
  CHECK(rule.seen() == 0);
}

TEST_CASE("Faults: rules are asked in their order, and tell whether they hit") {
  Faults faults;
  Stream<int> stream({.probe = &faults});
  const Rule first = faults.fail({.operation = Operation::add, .nth = 1, .with = Errc::full});
  const Rule second = faults.fail({.operation = Operation::add, .nth = 1, .with = Errc::timed_out});
  const Rule never = faults.drop({.operation = Operation::trim, .object = stream, .group = "g", .skip = 2, .every = 3});
  CHECK(error_of(stream.add(1)) == Errc::full);
  CHECK(error_of(stream.add(2)) == Errc::timed_out);  // the first that the second rule saw
  CHECK(stream.add(3));
  CHECK(first.text() == "fail add, number 1: the object is full");
  CHECK(never.text() == "drop trim on one object in 'g', after 2, every 3");
  CHECK(faults.unused() == std::vector<std::string>{never.text()});
  faults.clear();
  CHECK(faults.unused().empty());
  CHECK(stream.trim({.max_len = 0}) == 1U);
}

TEST_CASE("Faults: handles that outlive a watched object ask nobody any more") {
  std::optional<Deliveries<int>> deliveries;
  std::optional<Consumer<int>> worker;
  std::optional<Subscription<int>> subscription;
  std::optional<TopicSubscription<int>> topics;
  {
    Faults faults;
    faults.hide({.operation = Operation::ack});
    {
      Stream<int> stream({.probe = &faults});
      REQUIRE(stream.add(1));
      worker = stream.create_group("g", earliest)->consumer("worker");
      deliveries = *worker->read();
      Channel<int> channel({.probe = &faults});
      subscription = channel.subscribe();
      REQUIRE(channel.publish(1) == 1);
      PubSub<int> news({.probe = &faults});
      topics = news.subscribe("a");
      REQUIRE(news.publish("a", 1) == 1);
    }
  }
  CHECK(*deliveries->front() == 1);
  CHECK(deliveries->ack() == 1);
  CHECK_FALSE(deliveries->front().nack());
  CHECK(error_of(worker->read({.block = forever})) == Errc::closed);
  CHECK(error_of(worker->history()) == Errc::closed);
  CHECK(**subscription->receive() == 1);
  CHECK(error_of(subscription->receive()) == Errc::closed);
  CHECK(**topics->receive() == 1);
  CHECK(error_of(topics->receive()) == Errc::closed);
  CHECK(error_of(topics->subscribe("b")) == Errc::closed);
}

TEST_CASE("Faults: many threads under many rules lose nothing that was not said to be") {
  Faults faults;
  Broker broker({.probe = &faults});
  const auto orders = *broker.stream<int>("orders");
  const auto group = *orders->create_group("g", earliest);
  const Rule failing = faults.fail({.operation = Operation::add, .fraction = 0.2, .seed = 1, .with = Errc::full});
  const Rule dropping = faults.drop({.operation = Operation::add, .fraction = 0.2, .seed = 2});
  const Rule lost_acks = faults.drop({.operation = Operation::ack, .every = 7});
  constexpr int threads = 3;
  constexpr int each = 300;
  std::atomic<int> accepted{0};
  std::vector<std::thread> producers;
  for (int t = 0; t < threads; ++t) {
    producers.emplace_back([&] {
      for (int i = 0; i < each; ++i) accepted += orders->add(i) ? 1 : 0;
    });
  }
  std::atomic<int> delivered{0};
  std::thread consumer([&, worker = group.consumer("worker")] {
    while (const auto batch = worker.read({.count = 16, .block = forever})) {
      delivered += static_cast<int>(batch->size());
      for (const auto& delivery : *batch) delivery.ack();
    }
  });
  for (auto& producer : producers) producer.join();
  orders->close();
  consumer.join();
  const auto stored = static_cast<int>(orders->size());
  CHECK(accepted == threads * each - static_cast<int>(failing.hits()));
  CHECK(stored == accepted - static_cast<int>(dropping.hits()));
  CHECK(delivered == stored);
  CHECK(group.pending()->count == lost_acks.hits());
}

}  // namespace faults_test
