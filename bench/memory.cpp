// memory.cpp — bytes that the allocator has handed out: for an empty stream, an entry, a pending entry, and what is kept
// when everything has been trimmed. By glibc's own account.
#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "logs.hpp"
#include "payload.hpp"

namespace bench {

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
namespace {

/// Bytes in use, with the allocator's own overhead for each piece.
double in_use() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

template <template <class> class Log>
double empty_log() {
  constexpr std::size_t count = 1000;
  std::vector<std::unique_ptr<Log<std::uint64_t>>> logs(count);
  const double with_table = in_use();
  for (auto& log : logs) log = std::make_unique<Log<std::uint64_t>>();
  const double bytes = in_use() - with_table;
  logs.clear();
  expect(in_use() - with_table < 64.0 * 1024, "memory of empty logs was not given back");
  return bytes / count;
}

/// Bytes for an entry beyond the value's own size, and for strings beyond what they allocate.
template <class T, template <class> class Log>
double entry(std::size_t count) {
  FixedClock clock;
  double text = 0;
  if constexpr (std::is_same_v<T, std::string>) {
    T one = make<T>(0);
    text = static_cast<double>(malloc_usable_size(one.data()) + sizeof(std::size_t));
  }
  const double before = in_use();
  Log<T> log(&clock);
  for (std::size_t i = 0; i < count; ++i) log.add(make<T>(i));
  return (in_use() - before) / static_cast<double>(count) - sizeof(T) - text;
}

double pending_in_brook(std::size_t count) {
  FixedClock clock;
  brook::Stream<std::uint64_t> stream({.clock = &clock});
  for (std::size_t i = 0; i < count; ++i) expect(stream.add(i).has_value(), "an add failed");
  const auto consumer = stream.create_group("group", brook::earliest).value().consumer("consumer");
  const double before = in_use();
  for (std::size_t done = 0; done < count;) done += consumer.read({.count = 100}).value().size();
  return (in_use() - before) / static_cast<double>(count);
}

double pending_by_hand(std::size_t count) {
  FixedClock clock;
  LockedStream<std::uint64_t> stream(&clock);
  for (std::size_t i = 0; i < count; ++i) stream.add(std::uint64_t{i});
  const double before = in_use();
  {
    std::vector<Stored<std::uint64_t>> batch;
    for (std::size_t done = 0; done < count; done += batch.size()) stream.deliver(0, batch, 100);
  }
  return (in_use() - before) / static_cast<double>(count);
}

/// Bytes of a stream that has had many entries and has none any more.
double after_trimming(std::size_t count) {
  FixedClock clock;
  const double before = in_use();
  brook::Stream<std::uint64_t> stream({.clock = &clock});
  for (std::size_t i = 0; i < count; ++i) expect(stream.add(i).has_value(), "an add failed");
  expect(stream.trim({.max_len = 0}).value() == count, "a trim left something");
  return in_use() - before;
}

}  // namespace

void add_memory(Suite& suite) {
  const std::size_t count = suite.work(1'000'000);
  const std::vector<std::string> bytes = {"bytes"};
  suite.add("memory/empty", bytes).peer("brook", empty_log<BrookLog>).peer("mutex + deque", empty_log<LockedStream>);
  suite.add("memory/entry/u64", bytes)
      .peer("brook", [=] { return entry<std::uint64_t, BrookLog>(count); })
      .peer("spinlock + chunks", [=] { return entry<std::uint64_t, SpinLog>(count); })
      .peer("mutex + deque", [=] { return entry<std::uint64_t, LockedStream>(count); });
  suite.add("memory/entry/block64", bytes)
      .peer("brook", [=] { return entry<Block64, BrookLog>(count); })
      .peer("mutex + deque", [=] { return entry<Block64, LockedStream>(count); });
  suite.add("memory/entry/string100", bytes)
      .peer("brook", [=] { return entry<std::string, BrookLog>(count / 4); })
      .peer("mutex + deque", [=] { return entry<std::string, LockedStream>(count / 4); });
  suite.add("memory/pending", bytes)
      .peer("brook", [=] { return pending_in_brook(count); })
      .peer("mutex + deque + map", [=] { return pending_by_hand(count); });
  suite.add("memory/trimmed", bytes).peer("brook", [=] { return after_trimming(count); });
}
#else
void add_memory(Suite& suite) { suite.left_out("memory", "it is counted by glibc 2.33 or later"); }
#endif

}  // namespace bench
