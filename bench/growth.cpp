// growth.cpp — what the next append costs when much is there already: entries in one stream, streams in one process,
// groups on one stream. The numbers of one peer should not grow.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "logs.hpp"

namespace bench {
namespace {

/// Nanoseconds for each of some appends to a log that holds `present` entries.
template <template <class> class Log>
double after_entries(std::size_t present, std::size_t more) {
  FixedClock clock;
  Log<std::uint64_t> log(&clock);
  for (std::size_t i = 0; i < present; ++i) log.add(std::uint64_t{i});
  const double ns = alone([&] {
    for (std::size_t i = 0; i < more; ++i) log.add(std::uint64_t{i});
  });
  expect(log.size() == present + more, "entries were lost");
  return ns / static_cast<double>(more);
}

/// Nanoseconds for each append when it goes to one log after the other.
template <template <class> class Log>
double among_logs(std::size_t count, std::size_t appends) {
  FixedClock clock;
  std::deque<Log<std::uint64_t>> logs;
  for (std::size_t i = 0; i < count; ++i) logs.emplace_back(&clock).add(0);
  const double ns = alone([&] {
    for (std::size_t i = 0; i < appends; ++i) logs[i % count].add(std::uint64_t{i});
  });
  std::size_t size = 0;
  for (auto& log : logs) size += log.size();
  expect(size == count + appends, "entries were lost");
  return ns / static_cast<double>(appends);
}

double beside_groups(std::size_t groups, std::size_t appends) {
  FixedClock clock;
  brook::Stream<std::uint64_t> stream({.clock = &clock});
  for (std::size_t i = 0; i < groups; ++i)
    expect(stream.create_group(std::to_string(i)).has_value(), "a group was not made");
  const double ns = alone([&] {
    for (std::size_t i = 0; i < appends; ++i) expect(stream.add(i).has_value(), "an add failed");
  });
  return ns / static_cast<double>(appends);
}

}  // namespace

void add_growth(Suite& suite) {
  const std::size_t appends = suite.work(100'000);
  const std::size_t most = suite.options().quick ? 1'000'000 : 10'000'000;
  for (std::size_t present = 1000; present <= most; present *= 10) {
    suite.add("growth/entries/" + std::to_string(present))
        .peer("brook", [=] { return after_entries<BrookLog>(present, appends); })
        .peer("spinlock + chunks", [=] { return after_entries<SpinLog>(present, appends); })
        .peer("mutex + deque", [=] { return after_entries<LockedStream>(present, appends); });
  }
  for (std::size_t logs = 1; logs <= most / 100; logs *= 10) {
    suite.add("growth/streams/" + std::to_string(logs))
        .peer("brook", [=] { return among_logs<BrookLog>(logs, std::max(appends, 4 * logs)); })
        .peer("mutex + deque", [=] { return among_logs<LockedStream>(logs, std::max(appends, 4 * logs)); });
  }
  for (const std::size_t groups : {1U, 10U, 100U, 1000U}) {
    suite.add("growth/groups/" + std::to_string(groups)).peer("brook", [=] { return beside_groups(groups, appends); });
  }
}

}  // namespace bench
