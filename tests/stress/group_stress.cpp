// group_stress.cpp — a group whose consumers fail, die and take over from each other, while the stream is trimmed: each
// entry is, at the end, acknowledged once, a dead letter, or deleted, and none is twice of these.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <brook/stream.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using namespace std::chrono_literals;

// What became of the entries, by their values.
class Fates {
 public:
  explicit Fates(std::size_t entries) : fates_(entries) {}

  void acknowledged(std::uint64_t value) { count(value, 1); }
  void died(std::uint64_t value) { count(value, 1U << 16); }

  [[nodiscard]] bool decided_at_most_once() const {
    for (const auto& fate : fates_) {
      const std::uint32_t seen = fate.load();
      if ((seen & 0xffff) + (seen >> 16) > 1) return false;
    }
    return true;
  }
  [[nodiscard]] std::size_t decided() const {
    std::size_t count = 0;
    for (const auto& fate : fates_) count += fate.load() != 0 ? 1 : 0;
    return count;
  }

 private:
  void count(std::uint64_t value, std::uint32_t by) {
    expect(value < fates_.size(), "a value is one that was added");
    if (value < fates_.size()) fates_[value].fetch_add(by);
  }

  std::vector<std::atomic<std::uint32_t>> fates_;
};

// One consumer: works, gives back, keeps for too long, dies with what it has and is born again.
void consume(const Group<std::uint64_t>& group, Fates& fates, std::size_t number) {
  std::mt19937_64 random(number);
  auto consumer = group.consumer("consumer " + std::to_string(number));
  std::vector<Deliveries<std::uint64_t>> kept;
  for (;;) {
    auto batch = consumer.read({.count = 1 + random() % 50, .block = 1ms});
    if (!batch) {
      expect(batch.error() == Errc::closed, "a consumer ends when all is delivered");
      return;
    }
    for (const auto& delivery : *batch) {
      const auto what = random() % 16;
      if (what == 0) static_cast<void>(delivery.nack({.delay = std::chrono::milliseconds(random() % 2)}));
      else if (what == 1) static_cast<void>(delivery.nack({.fatal = true}));
      else if (what > 2 && delivery.ack()) fates.acknowledged(*delivery);
    }
    if (random() % 8 == 0) kept.push_back(*std::move(batch));
    if (random() % 64 == 0) kept.clear();
    if (random() % 32 == 0) {
      const auto history = consumer.history(Id::min(), 20);
      for (const auto& delivery : *history) {
        if (delivery.ack()) fates.acknowledged(*delivery);
      }
    }
  }
}

// Sweeps over what others have left behind.
void sweep(const Group<std::uint64_t>& group, Fates& fates, const std::atomic<bool>& over) {
  std::mt19937_64 random(99);
  const auto sweeper = group.consumer("sweeper");
  Id next = Id::min();
  while (!over) {
    const auto claimed = sweeper.auto_claim({.min_idle = 1ms, .start = next, .count = 50});
    expect(claimed.has_value(), "a sweep succeeds");
    next = claimed->next;
    for (const auto& delivery : claimed->deliveries) {
      if (random() % 4 != 0 && delivery.ack()) fates.acknowledged(*delivery);
    }
    static_cast<void>(group.delete_consumer("consumer " + std::to_string(random() % 4)));
    const auto pending = group.pending();
    std::uint64_t with_consumers = 0;
    for (const auto& consumer : pending->consumers) with_consumers += consumer.count;
    expect(with_consumers <= pending->count, "what is pending is pending with one at most");
    static_cast<void>(group.info()->lag);
  }
}

void failing_consumers(std::size_t consumers, std::uint64_t entries, bool trimmed) {
  Stream<std::uint64_t> stream(StreamOptions{.max_len = trimmed ? 500 : unlimited});
  Stream<DeadLetter<std::uint64_t>> dead;
  const auto group =
      stream.create_group("group", earliest, {.max_deliveries = 5, .dead_letter = &dead, .visibility = 20ms}).value();
  Fates fates(entries);
  std::atomic<bool> over = false;
  Threads workers;
  workers.start(consumers, [&](std::size_t i) { consume(group, fates, i); });
  Threads sweeper;
  sweeper.start([&] { sweep(group, fates, over); });
  Threads producer;
  producer.start([&] {
    for (std::uint64_t i = 0; i < entries; ++i) expect(stream.add(i).has_value(), "an add fails");
  });
  producer.join();
  stream.close();
  workers.join();
  over = true;
  sweeper.join();
  // What is left comes back when its time is over; it then dies, or is acknowledged here.
  const auto last = group.consumer("last");
  while (group.pending()->count > 0) {
    const auto rest = last.claim(std::vector<Id>{group.pending()->first});
    for (const auto& delivery : *rest) {
      if (delivery.ack()) fates.acknowledged(*delivery);
    }
  }
  for (const auto& [id, letter] : dead.range()) fates.died(letter.value);
  expect(fates.decided_at_most_once(), "an entry is acknowledged or dead, and once");
  expect(trimmed || fates.decided() == entries, "every entry has met its fate");
  expect(group.info()->lag == 0, "nothing is left");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (const std::size_t consumers : {1U, 2U, 4U}) {
    failing_consumers(consumers, 60'000 * work, false);
    failing_consumers(consumers, 60'000 * work, true);
  }
  return verdict("group_stress");
}
