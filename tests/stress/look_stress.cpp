// look_stress.cpp — what a group tells of itself is true of one instant: two things that never are so at the same time
// are never told together, while others add, acknowledge, read and trim.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;

// Looks once for each time that it is met.
class Looker {
 public:
  explicit Looker(std::function<void()> look) {
    thread_.start([this, look = std::move(look)] {
      while (!over_) {
        if (!come_true([this] { return begun_ != wanted_; })) continue;
        ++begun_;
        look();
      }
    });
  }
  ~Looker() { over_ = true; }
  Looker(const Looker&) = delete;
  Looker& operator=(const Looker&) = delete;

  /// Returns soon after a look has begun, at various times.
  void meet() {
    const std::uint64_t wanted = ++wanted_;
    while (!come_true([&] { return begun_ == wanted; })) {}
    for (volatile std::uint64_t i = random_() % 512; i > 0;) i = i - 1;
  }

 private:
  // Waits awake for a while, as who is put to sleep misses the look; then lets others have the processor.
  template <class Condition>
  static bool come_true(Condition holds) {
    for (int i = 0; i < 5'000; ++i) {
      if (holds()) return true;
    }
    std::this_thread::yield();
    return holds();
  }

  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> wanted_ = 0;
  std::atomic<std::uint64_t> begun_ = 0;
  std::minstd_rand random_;
  Threads thread_;  // joined before the others end
};

// The next entry is there before the last one is acknowledged: there is always one. What is pending besides makes
// looking take a while.
void hand_over_hand(std::uint64_t steps, std::uint64_t besides) {
  Stream<std::uint64_t> stream;
  const auto group = stream.create_group("group", earliest).value();
  const auto consumer = group.consumer("consumer");
  for (std::uint64_t i = 0; i <= besides; ++i) expect(stream.add(0).has_value(), "an add fails");
  const auto aside = consumer.read({.count = besides});
  auto held = *consumer.read({.count = 1});
  const auto holds = [besides](const GroupInfo& told) {
    expect(told.lag + told.pending > besides, "an entry is to be delivered or pending");
    expect(told.pending <= besides + 1 && told.lag <= 1, "one entry at most is either");
    expect(told.lost == 0 && told.pending <= told.entries_read, "nothing is lost");
  };
  Looker looker([&] {
    holds(*group.info());
    const GroupFullInfo full = *group.full_info(1);
    holds(full);
    expect(full.entries.size() <= full.pending, "what is listed is pending");
  });
  for (std::uint64_t i = 1; i <= steps; ++i) {
    looker.meet();
    expect(stream.add(i).has_value(), "an add fails");
    expect(held.front().ack(), "an acknowledgement is the only one");
    held = *consumer.read({.count = 1});
    expect(held.size() == 1 && *held.front() == i, "the next one is there");
  }
}

// From the first on, so that what is pending are neighbours.
void one_after_the_other(std::uint64_t entries) {
  Stream<std::uint64_t> stream;
  const auto group = stream.create_group("group", earliest).value();
  for (std::uint64_t i = 1; i <= entries; ++i) expect(stream.add(Id{1, i}, i).has_value(), "an add fails");
  const auto all = group.consumer("consumer").read();
  Looker looker([&] {
    const PendingSummary told = *group.pending();
    expect(told.count == told.last.seq - told.first.seq + 1, "what is pending has no gaps");
    const auto list = *group.pending({.count = 100});
    expect(list.size() == list.back().id.seq - list.front().id.seq + 1, "the list has no gaps");
  });
  for (const auto& delivery : *all) {
    if (delivery.id().seq == entries) break;
    if (delivery.id().seq % 64 == 0) looker.meet();
    expect(delivery.ack(), "an acknowledgement is the only one");
  }
}

// Of a full stream nearly all waits for its turn; then all of it is gone at once.
void ordered_and_trimmed(std::uint64_t rounds) {
  constexpr std::uint64_t capacity = 100;
  Stream<std::uint64_t> stream({.capacity = capacity});
  const auto by_one_key = [](std::uint64_t) { return 0; };
  const auto group = stream.create_group("group", earliest, {.ordered_by = by_one_key}).value();
  const auto consumer = group.consumer("consumer");
  const auto fill = [&] { expect(stream.add_range(std::vector<std::uint64_t>(capacity)).has_value(), "an add fails"); };
  fill();
  Looker looker([&] {
    const GroupInfo told = *group.info();
    expect(told.lag <= capacity, "no more is to be delivered than there can be");
    expect(told.lost + told.pending <= told.entries_read, "what is lost is not pending");
  });
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto first = consumer.read({.count = 1});
    expect(first.has_value() && first->size() == 1, "one is out");
    expect(consumer.read()->empty(), "the others wait for it");
    looker.meet();
    expect(*stream.trim({.max_len = 0}) == capacity, "a trim removes all");
    fill();
    expect(first->ack() == 1, "what has left is pending until it is acknowledged");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  hand_over_hand(5'000 * work, 0);
  hand_over_hand(2'000 * work, 100);
  for (std::uint64_t i = 0; i < 30 * work; ++i) one_after_the_other(6'000);
  ordered_and_trimmed(2'000 * work);
  return verdict("look_stress");
}
