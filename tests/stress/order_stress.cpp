// order_stress.cpp — a bounded stream that is read by an ordered group, whose consumers fail, die and lose what they have,
// and by another group; entries leave when both are done with them. What the ordered group forwards must be each entry
// once, those of each key in their order.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <brook/stream.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using namespace std::chrono_literals;

constexpr std::uint64_t keys = 8;

std::uint64_t key_of(std::uint64_t value) { return value % keys; }

// Forwards most of what it gets; gives back, keeps for too long or forgets the rest, for which its time then runs out.
void forward_some(const Group<std::uint64_t>& group, Stream<std::uint64_t>& out, std::size_t number) {
  std::mt19937_64 random(number);
  const auto consumer = group.consumer("consumer " + std::to_string(number));
  std::vector<Deliveries<std::uint64_t>> kept;
  for (;;) {
    auto batch = consumer.read({.count = 1 + random() % 6, .block = 2ms});
    if (!batch) {
      expect(batch.error() == Errc::closed, "a consumer ends when all is delivered");
      return;
    }
    for (const auto& delivery : *batch) {
      const auto what = random() % 32;
      if (what == 0) static_cast<void>(delivery.nack({.delay = std::chrono::milliseconds(random() % 2)}));
      else if (what > 1) static_cast<void>(delivery.forward(out, *delivery));
    }
    if (random() % 32 == 0) kept.push_back(*std::move(batch));
    if (random() % 64 == 0) kept.clear();
  }
}

void acknowledge_all(const Group<std::uint64_t>& group) {
  const auto consumer = group.consumer("consumer");
  while (const auto batch = consumer.read({.count = 20, .block = forever})) batch->ack();
}

void disturb(const Stream<std::uint64_t>& stream, const Group<std::uint64_t>& group, std::size_t capacity,
             std::size_t most, const std::atomic<bool>& over) {
  std::mt19937_64 random(7);
  while (!over) {
    expect(stream.size() <= capacity, "a bounded stream is never longer than its capacity");
    const auto pending = group.pending();
    std::uint64_t in_flight = 0;
    for (const auto& consumer : pending->consumers) in_flight += consumer.count;
    expect(most == 0 || in_flight <= most, "no more is in flight than may be");
    expect(pending->count <= keys, "of each key one entry is out");
    expect(group.info()->lost == 0, "nothing is lost");
    if (random() % 16 == 0) static_cast<void>(group.delete_consumer("consumer " + std::to_string(random() % 4)));
  }
}

void forward_in_order(std::size_t consumers, std::uint64_t entries, std::size_t most) {
  constexpr std::size_t capacity = 200;
  Stream<std::uint64_t> stream({.capacity = capacity, .overflow = Overflow::block, .until_acked = true});
  Stream<std::uint64_t> out;
  const auto ordered =
      stream.create_group("ordered", earliest, {.visibility = 5ms, .ordered_by = key_of, .max_in_flight = most})
          .value();
  const auto other = stream.create_group("other", earliest).value();
  std::atomic<bool> over = false;
  Threads workers;
  workers.start(consumers, [&](std::size_t i) { forward_some(ordered, out, i); });
  workers.start([&] { acknowledge_all(other); });
  Threads disturber;
  disturber.start([&] { disturb(stream, ordered, capacity, most, over); });
  for (std::uint64_t i = 0; i < entries; ++i) expect(stream.add(i).has_value(), "an add fails");
  stream.close();
  workers.join();
  over = true;
  disturber.join();
  const auto last = ordered.consumer("last");
  while (ordered.pending()->count > 0) {
    const auto rest = last.claim(std::vector<Id>{ordered.pending()->first});
    for (const auto& delivery : *rest) static_cast<void>(delivery.forward(out, *delivery));
  }
  std::vector<std::uint64_t> next(keys);
  for (std::uint64_t key = 0; key < keys; ++key) next[key] = key;
  for (const auto& [id, value] : out.range()) {
    expect(value == next[key_of(value)], "the entries of a key come in their order, and once");
    next[key_of(value)] = value + keys;
  }
  expect(out.size() == entries, "every entry was forwarded");
  expect(stream.empty(), "entries that all are done with have left");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (const std::size_t consumers : {1U, 2U, 4U}) {
    forward_in_order(consumers, 10'000 * work, 0);
    forward_in_order(consumers, 10'000 * work, 3);
  }
  return verdict("order_stress");
}
