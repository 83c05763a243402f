// group.cpp — consumers of one group who share a full stream: each entry delivered to one of them, and acknowledged.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "logs.hpp"

namespace bench {
namespace {

using Entry = Stored<std::uint64_t>;

/// What each consumer got; together it must be everything, once, and for each consumer in order.
void expect_shared(const std::vector<std::vector<std::uint64_t>>& got, std::size_t entries) {
  std::vector<bool> seen(entries, false);
  std::size_t count = 0;
  bool right = true;
  for (const auto& mine : got) {
    for (std::size_t i = 0; i < mine.size(); ++i, ++count) {
      right = right && mine[i] < entries && !seen[mine[i]] && (i == 0 || mine[i - 1] < mine[i]);
      if (mine[i] < entries) seen[mine[i]] = true;
    }
  }
  expect(right, "an entry was delivered twice, or out of order");
  expect(count == entries, "entries were not delivered");
}

std::vector<std::vector<std::uint64_t>> rooms(std::size_t consumers, std::size_t entries) {
  std::vector<std::vector<std::uint64_t>> got(consumers);
  for (auto& mine : got) mine.reserve(entries);
  return got;
}

enum class Time { stands, passes };

double with_brook(std::size_t consumers, std::size_t entries, std::size_t batch, Time time) {
  FixedClock clock;
  brook::Stream<std::uint64_t> stream({.clock = time == Time::stands ? &clock : nullptr});
  for (std::size_t i = 0; i < entries; ++i) expect(stream.add(i).has_value(), "an add failed");
  const auto group = stream.create_group("group", brook::earliest).value();
  auto got = rooms(consumers, entries);
  const double ns = together(consumers, [&](std::size_t n) {
    const auto consumer = group.consumer(std::to_string(n));
    for (;;) {
      const auto deliveries = consumer.read({.count = batch});
      if (!deliveries || deliveries->empty()) return;
      for (const auto& delivery : *deliveries) got[n].push_back(*delivery);
      expect(deliveries->ack() == deliveries->size(), "an acknowledgement failed");
    }
  });
  expect_shared(got, entries);
  expect(group.pending().value().count == 0, "something is still pending");
  return ns / static_cast<double>(entries);
}

double by_hand(std::size_t consumers, std::size_t entries, std::size_t batch, Time time) {
  FixedClock clock;
  LockedStream<std::uint64_t> stream(time == Time::stands ? &clock : nullptr);
  for (std::size_t i = 0; i < entries; ++i) stream.add(std::uint64_t{i});
  auto got = rooms(consumers, entries);
  const double ns = together(consumers, [&](std::size_t n) {
    std::vector<Entry> deliveries;
    for (;;) {
      stream.deliver(n, deliveries, batch);
      if (deliveries.empty()) return;
      for (const Entry& entry : deliveries) got[n].push_back(entry.value);
      expect(stream.ack(deliveries) == deliveries.size(), "an acknowledgement failed");
    }
  });
  expect_shared(got, entries);
  return ns / static_cast<double>(entries);
}

// Of many pending entries the few of one consumer: nanoseconds for each that is pending.
constexpr std::size_t of_the_other = 11;

double list_with_brook(std::size_t entries) {
  FixedClock clock;
  brook::Stream<std::uint64_t> stream({.clock = &clock});
  for (std::size_t i = 0; i < entries; ++i) expect(stream.add(i).has_value(), "an add failed");
  const auto group = stream.create_group("group", brook::earliest).value();
  expect(group.consumer("one").read({.count = entries - of_the_other})->size() == entries - of_the_other, "too few");
  expect(group.consumer("other").read()->size() == of_the_other, "too few");
  std::size_t found = 0;
  const double ns = alone([&] { found = group.pending({.consumer = "other"}).value().size(); });
  expect(found == of_the_other, "what is pending with one consumer is wrong");
  return ns / static_cast<double>(entries);
}

double list_by_hand(std::size_t entries) {
  FixedClock clock;
  LockedStream<std::uint64_t> stream(&clock);
  for (std::size_t i = 0; i < entries; ++i) stream.add(std::uint64_t{i});
  std::vector<Entry> deliveries;
  stream.deliver(0, deliveries, entries - of_the_other);
  stream.deliver(1, deliveries, of_the_other);
  std::size_t found = 0;
  const double ns = alone([&] { found = stream.pending_of(1).size(); });
  expect(found == of_the_other, "what is pending with one consumer is wrong");
  return ns / static_cast<double>(entries);
}

}  // namespace

void add_group(Suite& suite) {
  const std::size_t pending = suite.work(1'000'000);
  suite.add("group/pending_of_one/1M")
      .peer("brook", [=] { return list_with_brook(pending); })
      .peer("mutex + deque + map", [=] { return list_by_hand(pending); });
  for (const std::size_t batch : {1U, 100U}) {
    const std::size_t entries = suite.work(batch == 1 ? 200'000 : 500'000);
    for (const Time time : {Time::stands, Time::passes}) {
      for (const std::size_t consumers : {1U, 2U, 4U}) {
        std::string name = "group/u64/" + std::to_string(consumers) + "/batch" + std::to_string(batch);
        if (time == Time::passes) name += "/clock";
        suite.add(std::move(name))
            .peer("brook", [=] { return with_brook(consumers, entries, batch, time); })
            .peer("mutex + deque + map", [=] { return by_hand(consumers, entries, batch, time); });
      }
    }
  }
}

}  // namespace bench
