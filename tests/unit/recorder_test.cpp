#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../catch.hpp"

namespace recorder_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;

struct Cup {
  std::string of;
  friend std::ostream& operator<<(std::ostream& to, const Cup& cup) { return to << "a cup of " << cup.of; }
};

/// A broker whose operations are recorded and then meet faults, with a stream "orders", and on it a group "billing".
struct Shop {
  Faults faults;
  Recorder recorder{{.then = &faults}};
  ManualClock clock{1'000'000ms};
  Broker broker{{.clock = &clock, .probe = &recorder}};
  std::shared_ptr<Stream<std::string>> orders = *broker.stream<std::string>("orders");
  Group<std::string> billing = *orders->create_group("billing", earliest);
};

std::vector<std::uint64_t> numbers_of(const std::vector<Record>& records) {
  std::vector<std::uint64_t> numbers;
  for (const Record& record : records) numbers.push_back(record.number);
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("Recorder: every operation, with ids and times, in the order in which they began") {
  Shop shop;
  shop.recorder.clear();
  REQUIRE(shop.orders->add("tea"));
  shop.clock.advance(1500ms);
  const auto batch = *shop.billing.consumer("worker-1").read({.count = 10});
  REQUIRE(batch.ack() == 1);
  const auto records = shop.recorder.records();
  REQUIRE(records.size() == 3);
  CHECK(records[0].operation == Operation::add);
  CHECK(records[0].kind == ObjectKind::stream);
  CHECK(records[0].name == "orders");
  CHECK(records[0].began == 0ms);
  CHECK(records[0].outcome->first == Id{1'000'000, 0});
  CHECK(records[1].operation == Operation::read);
  CHECK(records[1].group == "billing");
  CHECK(records[1].consumer == "worker-1");
  CHECK(records[1].asked == 10);
  CHECK(records[1].began == 1500ms);
  CHECK(records[1].outcome->size == 1);
  CHECK(records[2].operation == Operation::ack);
  CHECK(records[2].id == Id{1'000'000, 0});
  for (const Record& record : records) {
    CHECK(record.over);
    CHECK(record.outcome->done);
    CHECK(record.thread == 1);
    CHECK(record.took == 0ms);
  }
}

TEST_CASE("Recorder: what each kind of object is asked") {
  ManualClock clock;
  Recorder recorder;
  BlockingList<int> jobs({.clock = &clock, .probe = recorder.named("jobs")});
  Channel<int> ticks({.clock = &clock, .probe = &recorder});
  PubSub<int> news({.clock = &clock, .probe = &recorder});
  auto ticked = ticks.subscribe();
  auto told = news.subscribe("a");
  REQUIRE(jobs.rpush({1, 2}));
  CHECK(jobs.lpop() == 1);
  CHECK(ticks.publish(3) == 1);
  CHECK(**ticked.receive() == 3);
  CHECK(news.publish("a", 4) == 1);
  CHECK(**told.receive() == 4);
  jobs.close();
  CHECK(recorder.story() ==
        "1  +0.000  T1  channel#1  subscribe      1\n"
        "2  +0.000  T1  pubsub#2   subscribe 'a'  1\n"
        "3  +0.000  T1  jobs       push 2         2\n"
        "4  +0.000  T1  jobs       pop            1\n"
        "5  +0.000  T1  channel#1  publish        1\n"
        "6  +0.000  T1  channel#1  receive        1\n"
        "7  +0.000  T1  pubsub#2   publish 'a'    1\n"
        "8  +0.000  T1  pubsub#2   receive        1\n"
        "9  +0.000  T1  jobs       close          1\n");
}

TEST_CASE("Recorder: how many elements were pushed and popped, also where they are numbers") {
  ManualClock clock;
  Recorder recorder;
  BlockingList<int> list({.clock = &clock, .probe = &recorder});
  BlockingList<int> other({.clock = &clock, .probe = &recorder});
  REQUIRE(list.rpush({50, 60, 70, 80, 90}));
  REQUIRE(list.rpushx(-5));
  REQUIRE(other.rpushx(-5) == 0U);
  CHECK(list.blpop(forever) == 50);
  CHECK(list.lpop() == 60);
  CHECK(list.blmove(other, Side::left, Side::right, forever) == 70);
  CHECK(list.pop_batch(1, 2, forever)->size() == 2);
  CHECK(lmpop(Side::left, 5, other, list)->values.size() == 1);
  CHECK(blpop(forever, other, list)->value == -5);
  CHECK_FALSE(list.lpop());
  CHECK(list.blpop(Wait()).error() == Errc::timed_out);
  Numbers sizes;
  for (const Record& record : recorder.records()) sizes.push_back(record.outcome->size);
  CHECK(sizes == Numbers{5, 1, 0, 1, 1, 1, 2, 1, 1, 0, 0});
}

TEST_CASE("Recorder: counts and records by what they are about") {
  Shop shop;
  const auto jobs = *shop.broker.list<int>("jobs");
  for (const char* const order : {"tea", "milk", "bread"}) REQUIRE(shop.orders->add(order));
  REQUIRE(jobs->rpush(1));
  REQUIRE(shop.billing.consumer("worker-1").read({.count = 2}));
  REQUIRE(shop.billing.consumer("worker-2").read({.count = 2}));
  CHECK(shop.recorder.count({.operation = Operation::add}) == 3);
  CHECK(shop.recorder.count({.operation = Operation::push, .name = "jobs"}) == 1);
  CHECK(shop.recorder.count({.object = *jobs}) == 1);
  CHECK(shop.recorder.count({.group = "bill*"}) == 3);  // it was made, too
  CHECK(shop.recorder.count({.consumer = "worker-2"}) == 1);
  CHECK(shop.recorder.count({.name = "nothing"}) == 0);
  CHECK(shop.recorder.records({.consumer = "worker-2"}).front().outcome->size == 1);
  CHECK(shop.recorder.count() == shop.recorder.records().size());
}

TEST_CASE("Recorder: the story of faults, errors and exceptions") {
  Shop shop;
  struct Picky final : Probe {
    Outcome watch(const Call& call, const Perform& perform) override {
      if (call.operation == Operation::trim) throw std::runtime_error("no");
      return perform();
    }
  } picky;
  Recorder recorder({.then = &picky});
  Stream<int> stream({.clock = &shop.clock, .probe = &recorder});
  CHECK_THROWS_AS(stream.trim({.max_len = 1}), std::runtime_error);
  CHECK(recorder.story() == "1  +0.000  T1  stream#1  trim  threw\n");

  shop.recorder.clear();
  shop.faults.drop({.operation = Operation::add, .nth = 1});
  shop.faults.fail({.operation = Operation::add, .nth = 1, .with = Errc::full});
  shop.faults.hide({.operation = Operation::add, .nth = 1, .with = Errc::timed_out});
  CHECK(shop.orders->add("lost"));
  CHECK_FALSE(shop.orders->add("refused"));
  CHECK_FALSE(shop.orders->add("hidden"));
  CHECK_FALSE(shop.orders->add(Id{1, 1}, "too late"));
  CHECK(shop.recorder.story() ==
        "2  +0.000  T1  orders  add  lost\n"
        "3  +0.000  T1  orders  add  the object is full (by a fault)\n"
        "4  +0.000  T1  orders  add  the wait timed out\n"
        "5  +0.000  T1  orders  add  the id is equal to or smaller than the last id of the stream\n");
}

TEST_CASE("Recorder: values are shown of types that it was told of") {
  ManualClock clock;
  Recorder recorder;
  Stream<Cup> cups({.clock = &clock, .probe = recorder.named("cups")});
  BlockingList<std::string> words({.clock = &clock, .probe = recorder.named("words")});
  REQUIRE(cups.add({"water"}));
  recorder.show<Cup>();
  REQUIRE(cups.add({"tea"}));
  REQUIRE(cups.add_range(std::vector<Cup>{{"tea"}, {"milk"}, {"cocoa"}, {"coffee"}}));
  REQUIRE(words.rpush("not told of"));
  const auto records = recorder.records();
  CHECK(records[0].values.empty());
  CHECK(records[1].values == "a cup of tea");
  CHECK(records[2].values == "a cup of tea, a cup of milk, a cup of cocoa, …");
  CHECK(records[3].values.empty());
}

TEST_CASE("Recorder: what still runs is told, and how long it took") {
  ManualClock clock;
  Recorder recorder;
  BlockingList<int> jobs({.clock = &clock, .probe = recorder.named("jobs")});
  auto worker = clock.thread([&] { return jobs.blpop(forever); });
  clock.advance(2s);
  CHECK(recorder.records()[0].running());
  CHECK(recorder.story() == "1  +0.000  T1  jobs  pop  … still running\n");
  REQUIRE(jobs.rpush(1));
  clock.run_until_idle();
  REQUIRE(worker.done());
  CHECK(recorder.story() ==
        "1  +0.000  T1  jobs  pop   1, after 2.000 s\n"
        "2  +2.000  T2  jobs  push  1\n");
}

TEST_CASE("Recorder: keeps so many, and tells how many are gone") {
  ManualClock clock;
  Recorder recorder({.capacity = 2});
  BlockingList<int> jobs({.clock = &clock, .probe = recorder.named("jobs")});
  for (int i = 0; i < 3; ++i) REQUIRE(jobs.rpush(i));
  CHECK(recorder.forgotten() == 1);
  CHECK(numbers_of(recorder.records()) == Numbers{2, 3});
  CHECK(recorder.story() ==
        "1 earlier one was forgotten\n"
        "2  +0.000  T1  jobs  push  1\n"
        "3  +0.000  T1  jobs  push  1\n");
  Recorder none({.capacity = 0});
  Channel<int> channel({.clock = &clock, .probe = &none});
  channel.publish(1);
  CHECK(none.count() == 0);
  CHECK(none.forgotten() == 1);
}

TEST_CASE("Recorder: clear forgets what is over, and no two records have the same number") {
  ManualClock clock;
  Recorder recorder({.capacity = 3});
  BlockingList<int> jobs({.clock = &clock, .probe = recorder.named("jobs")});
  for (int i = 0; i < 5; ++i) REQUIRE(jobs.rpush(i));
  CHECK(jobs.clear() == 5);
  auto worker = clock.thread([&] { return jobs.blpop(forever); });
  clock.advance(1s);
  recorder.clear();
  CHECK(recorder.forgotten() == 0);
  CHECK(numbers_of(recorder.records()) == Numbers{7});
  CHECK_FALSE(jobs.lpop());
  REQUIRE(jobs.rpush(1));
  clock.run_until_idle();
  CHECK(recorder.story() ==
        "7  +0.000  T2  jobs  pop   1, after 1.000 s\n"
        "8  +1.000  T1  jobs  pop   0\n"
        "9  +1.000  T1  jobs  push  1\n");
  REQUIRE(worker.done());
  recorder.clear();
  REQUIRE(jobs.rpush(2));
  CHECK(recorder.story() == "10  +0.000  T1  jobs  push  1\n");
}

TEST_CASE("Recorder: threads that come one after another are several") {
  Recorder recorder;
  BlockingList<int> list({.probe = &recorder});
  for (int i = 0; i < 3; ++i) std::thread([&] { static_cast<void>(list.rpush(i)); }).join();
  CHECK(list.lpop() == 0);
  std::vector<std::size_t> threads;
  for (const Record& record : recorder.records()) threads.push_back(record.thread);
  CHECK(threads == std::vector<std::size_t>{1, 2, 3, 4});
}

TEST_CASE("Recorder: each clock has its own beginning") {
  ManualClock early;
  ManualClock late{1h};
  Recorder recorder;
  BlockingList<int> here({.clock = &early, .probe = recorder.named("here")});
  BlockingList<int> there({.clock = &late, .probe = recorder.named("there")});
  REQUIRE(here.rpush(1));
  early.advance(1s);
  REQUIRE(there.rpush(1));
  REQUIRE(here.rpush(1));
  late.advance(5s);
  REQUIRE(there.rpush(1));
  std::vector<std::chrono::nanoseconds> began;
  for (const Record& record : recorder.records()) began.push_back(record.began);
  CHECK(began == std::vector<std::chrono::nanoseconds>{0s, 0s, 1s, 5s});
}

TEST_CASE("Recorder: many threads at once") {
  Recorder recorder;
  Channel<int> channel({.probe = &recorder});
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 300; ++n) channel.publish(n);
    });
  }
  for (auto& thread : threads) thread.join();
  const auto records = recorder.records({.operation = Operation::publish});
  REQUIRE(records.size() == 900);
  for (std::size_t i = 0; i < records.size(); ++i) {
    REQUIRE(records[i].number == i + 1);
    REQUIRE(records[i].over);
    REQUIRE((records[i].thread >= 1 && records[i].thread <= 3));
  }
}

}  // namespace recorder_test
