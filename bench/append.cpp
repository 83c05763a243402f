// append.cpp — producers that add to one log which nobody reads: u64, 64 bytes, strings of 100 bytes; alone, in twos
// and fours; one by one and in batches; with and without the price of reading the clock; with a bound on the length.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cases.hpp"
#include "harness.hpp"
#include "logs.hpp"
#include "payload.hpp"

namespace bench {
namespace {

template <class T, class Log>
void expect_everything(Log& log, std::size_t producers, std::size_t each) {
  Witness witness(producers);
  brook::Id last{};
  bool increasing = true;
  log.visit([&](brook::Id id, const T& value) {
    increasing = increasing && id > last;
    last = id;
    witness.see(number_of(value));
  });
  expect(increasing, "ids do not increase");
  witness.expect_all(each);
}

enum class Time { stands, passes };

/// Nanoseconds an entry.
template <class T, template <class> class Log>
double append(std::size_t producers, std::size_t each, Time time) {
  FixedClock clock;
  Log<T> log(time == Time::stands ? &clock : nullptr);
  const double ns = together(producers, [&](std::size_t producer) {
    for (std::size_t i = 0; i < each; ++i) log.add(make<T>(message(producer, i)));
  });
  expect_everything<T>(log, producers, each);
  return ns / static_cast<double>(producers * each);
}

template <class T, template <class> class Log>
double append_in_batches(std::size_t producers, std::size_t each, std::size_t size) {
  FixedClock clock;
  Log<T> log(&clock);
  const double ns = together(producers, [&](std::size_t producer) {
    std::vector<T> batch(size);
    for (std::size_t i = 0; i < each; i += size) {
      for (std::size_t k = 0; k < size; ++k) batch[k] = make<T>(message(producer, i + k));
      log.add_range(batch);
    }
  });
  expect_everything<T>(log, producers, each);
  return ns / static_cast<double>(producers * each);
}

/// Adds to a log that holds 1,000 entries at most, or a little more where that is `approximate`.
template <template <class> class Log>
double append_capped(std::size_t count, bool approximate) {
  constexpr std::size_t bound = 1000;
  FixedClock clock;
  Log<std::uint64_t> log(&clock, bound, approximate);
  const double ns = together(1, [&](std::size_t) {
    for (std::size_t i = 0; i < count; ++i) log.add(std::uint64_t{i});
  });
  const std::size_t size = log.size();
  expect(size >= bound && (approximate ? size < bound + 10'000 : size == bound),
         "the bound on the length does not hold");
  std::size_t next = count - size;
  bool right = true;
  log.visit([&](brook::Id, std::uint64_t value) { right = right && value == next++; });
  expect(right && next == count, "the newest entries are not what is left");
  return ns / static_cast<double>(count);
}

template <class T>
void add_one_by_one(Suite& suite, const std::string& payload, std::size_t count) {
  for (const Time time : {Time::stands, Time::passes}) {
    for (const std::size_t producers : {1U, 2U, 4U}) {
      const std::size_t each = count / producers;
      std::string name = "append/" + payload + '/' + std::to_string(producers);
      if (time == Time::passes) name += "/clock";
      suite.add(std::move(name))
          .peer(BrookLog<T>::name, [=] { return append<T, BrookLog>(producers, each, time); })
          .peer(SpinLog<T>::name, [=] { return append<T, SpinLog>(producers, each, time); })
          .peer(LockedStream<T>::name, [=] { return append<T, LockedStream>(producers, each, time); });
    }
  }
}

template <class T>
void add_batches(Suite& suite, const std::string& payload, std::size_t count) {
  constexpr std::size_t size = 64;
  for (const std::size_t producers : {1U, 2U, 4U}) {
    const std::size_t each = count / producers / size * size;
    suite.add("append/" + payload + '/' + std::to_string(producers) + "/batch64")
        .peer(BrookLog<T>::name, [=] { return append_in_batches<T, BrookLog>(producers, each, size); })
        .peer(SpinLog<T>::name, [=] { return append_in_batches<T, SpinLog>(producers, each, size); })
        .peer(LockedStream<T>::name, [=] { return append_in_batches<T, LockedStream>(producers, each, size); });
  }
}

}  // namespace

void add_append(Suite& suite) {
  const std::size_t count = suite.work(1'000'000);
  add_one_by_one<std::uint64_t>(suite, "u64", count);
  add_one_by_one<Block64>(suite, "block64", count / 2);
  add_one_by_one<std::string>(suite, "string100", count / 4);
  add_batches<std::uint64_t>(suite, "u64", count);
  add_batches<std::string>(suite, "string100", count / 4);
  for (const bool approximate : {false, true}) {
    suite.add(std::string("append/u64/1/capped1000/") + (approximate ? "approximate" : "exact"))
        .peer(BrookLog<std::uint64_t>::name, [=] { return append_capped<BrookLog>(count, approximate); })
        .peer(LockedStream<std::uint64_t>::name, [=] { return append_capped<LockedStream>(count, approximate); });
  }
}

}  // namespace bench
