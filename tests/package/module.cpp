// What a program sees of brook by `import brook;`: the three types, groups, a broker, waiting for several things, a snapshot
// and a journal's options, a type's own codec, a coroutine, a test's clock.
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

import brook;

using namespace std::chrono_literals;

struct Order {
  int number = 0;
  std::string what;

  bool operator==(const Order&) const = default;
};

template <>
struct brook::Codec<Order> : brook::MemberCodec<Order, &Order::number, &Order::what> {};

namespace {

void expect(bool holds, const char* what) {
  if (holds) return;
  std::cout << "FAILED: " << what << '\n';
  std::exit(1);
}

struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

Task take_one(brook::BlockingList<int>& from, int& to) {
  if (const auto got = co_await brook::ready(brook::forever, from)) to = *got;
}

void stream_and_group() {
  brook::Stream<Order> orders({.max_len = 10});
  const auto billing = orders.create_group("billing", brook::earliest, {.max_deliveries = 3});
  expect(billing && orders.add(brook::Id{5, 1}, {1, "tea"}) == brook::Id{5, 1}, "an entry has the id it was given");
  expect(orders.add(brook::Id{5, 1}, {1, "tea"}) == brook::unexpected(brook::Errc::id_too_small), "an id is used once");
  const auto worker = billing->consumer("worker");
  const auto batch = worker.read({.count = 10, .block = 1s});
  expect(batch && batch->size() == 1 && (*batch->begin())->what == "tea" && batch->ack() == 1, "it is delivered");
  for (const auto& [id, order] : orders.range()) expect(id.seq == 1 && order.number == 1, "and can be read again");
  const std::error_code code = brook::Errc::closed;
  expect(std::hash<brook::Id>{}(brook::Id{5, 1}) != 0 && code.category() == brook::category(),
         "std knows ids and errors");
}

void list_and_channel() {
  brook::BlockingList<int> jobs;
  brook::Channel<std::string> news;
  auto heard = news.subscribe({.backlog = 4, .overflow = brook::Overflow::drop_oldest});
  expect(jobs.rpush(7) == std::size_t{1} && jobs.lrange(0, -1) == std::vector{7}, "an element is in the list");
  expect(jobs.blpop(1s) == 7 && brook::blpop(brook::Wait(), jobs).error() == brook::Errc::timed_out,
         "and is taken once");
  expect(news.publish("rain") == 1, "one is subscribed");
  const auto got = brook::select(1s, jobs, heard);
  expect(got && got->index() == 1 && *std::get<1>(*got) == "rain", "and gets it");
  int taken = 0;
  take_one(jobs, taken);
  static_cast<void>(jobs.rpush(8));
  expect(taken == 8, "a coroutine goes on with what was pushed");
  brook::PubSub<int> topics;
  auto all = topics.subscribe({}, {.patterns = {"news.*"}});
  expect(topics.publish("news.sport", 3) == 1 && all.try_receive()->pattern() == "news.*", "a pattern matches");
#ifdef __linux__
  brook::ReadyFd ready(jobs, heard);
  expect(ready.fd() >= 0, "a loop can wait for them");
#endif
}

void broker_and_snapshot() {
  brook::ManualClock clock;
  brook::Broker broker({.clock = &clock});
  const auto orders = *broker.stream<Order>("orders");
  orders->add({2, "milk"});
  expect(broker.list<int>("orders").error() == brook::Errc::wrong_type, "a name is of one type");
  std::vector<std::byte> bytes;
  expect(brook::save(bytes, broker, brook::types<Order>).has_value(), "a broker is saved");
  brook::Broker other;
  expect(brook::load(bytes, other, brook::types<Order>).has_value(), "and loaded");
  expect((*other.stream<Order>("orders"))->range().front().value == Order{2, "milk"}, "with what was in it");
  std::vector<std::byte> commands;
  expect(brook::export_to_redis(commands, broker, brook::types<std::string>).error().code() == brook::Errc::wrong_type,
         "Redis is told of types that have a text");
  const brook::JournalOptions options{.flush = brook::Flush::always};
  expect(options.flush == brook::Flush::always, "a journal has options");
}

void time_and_faults() {
  brook::ManualClock clock;
  brook::Faults faults;
  brook::Stream<int> numbers({.clock = &clock, .probe = &faults});
  auto reader = clock.thread([&] { static_cast<void>(numbers.read(brook::latest, {.block = 1min})); });
  clock.advance(59s);
  expect(!reader.done(), "no time has passed that was not given");
  clock.advance(1s);
  expect(reader.done(), "and then it has");
  faults.fail({.operation = brook::Operation::add, .nth = 1, .with = brook::Errc::full});
  expect(numbers.add(1) == brook::unexpected(brook::Errc::full) && numbers.add(1), "one add fails");
  expect(brook::dump(numbers).find('1') != std::string::npos, "what is in it can be printed");
}

}  // namespace

int main() {
  stream_and_group();
  list_and_channel();
  broker_and_snapshot();
  time_and_faults();
  std::cout << "brook, imported\n";
  return 0;
}
