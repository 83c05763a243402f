// scan.cpp — reading a full log from one end to the other: in one read, and by a cursor of 100 entries at a time.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "logs.hpp"

namespace bench {
namespace {

template <template <class> class Log>
struct Full {
  explicit Full(std::size_t entries) {
    for (std::size_t i = 0; i < entries; ++i) {
      if (i % 64 == 0) clock.step();
      log.add(std::uint64_t{i});
    }
  }
  FixedClock clock;
  Log<std::uint64_t> log{&clock};
};

/// A log that is filled when it is first asked for, once for all rounds.
template <template <class> class Log>
class Prepared {
 public:
  explicit Prepared(std::size_t entries) : entries_(entries) {}
  [[nodiscard]] Log<std::uint64_t>& log() {
    if (!full_) full_ = std::make_unique<Full<Log>>(entries_);
    return full_->log;
  }
  [[nodiscard]] std::size_t entries() const noexcept { return entries_; }

 private:
  std::size_t entries_;
  std::unique_ptr<Full<Log>> full_{};
};

/// The numbers 0, 1, 2, … in this order.
struct Count {
  std::uint64_t next = 0;
  bool right = true;
  void see(std::uint64_t value) noexcept { right = right && value == next++; }
  void expect_all(std::size_t entries) const {
    expect(right && next == entries, "a scan saw other entries than it should");
  }
};

template <template <class> class Log>
double scan(Prepared<Log>& prepared) {
  auto& log = prepared.log();
  Count count;
  const double ns = alone([&] {
    Count seen;  // a local one, which can be in registers
    log.visit([&](brook::Id, std::uint64_t value) { seen.see(value); });
    count = seen;
  });
  count.expect_all(prepared.entries());
  return ns / static_cast<double>(prepared.entries());
}

double page(Prepared<BrookLog>& prepared, std::size_t size) {
  const brook::Stream<std::uint64_t>& stream = prepared.log().stream();
  Count count;
  const double ns = alone([&] {
    Count seen;
    for (brook::Id from = brook::Id::min();;) {
      const auto entries = stream.range(from, brook::Id::max(), size);
      if (entries.empty()) break;
      for (const auto& [id, value] : entries) seen.see(value);
      from = entries.back().id.next();
    }
    count = seen;
  });
  count.expect_all(prepared.entries());
  return ns / static_cast<double>(prepared.entries());
}

double page(Prepared<LockedStream>& prepared, std::size_t size) {
  auto& log = prepared.log();
  Count count;
  const double ns = alone([&] {
    Count seen;
    std::vector<Stored<std::uint64_t>> batch;
    for (std::size_t cursor = 0;;) {
      log.read(cursor, batch, size, false);
      if (batch.empty()) break;
      for (const auto& entry : batch) seen.see(entry.value);
    }
    count = seen;
  });
  count.expect_all(prepared.entries());
  return ns / static_cast<double>(prepared.entries());
}

}  // namespace

void add_scan(Suite& suite) {
  const std::size_t entries = suite.work(1'000'000);
  const auto ours = std::make_shared<Prepared<BrookLog>>(entries);
  const auto chunks = std::make_shared<Prepared<SpinLog>>(entries);
  const auto locked = std::make_shared<Prepared<LockedStream>>(entries);
  suite.add("scan/u64/whole")
      .peer("brook", [=] { return scan(*ours); })
      .peer("spinlock + chunks", [=] { return scan(*chunks); })
      .peer("mutex + deque", [=] { return scan(*locked); });
  suite.add("scan/u64/pages100").peer("brook", [=] { return page(*ours, 100); }).peer("mutex + deque, copied", [=] {
    return page(*locked, 100);
  });
}

}  // namespace bench
