// joint_stress.cpp — two groups forward jointly to the same two streams, to which others add as well: what is in one of the
// streams is in the other, for whoever looks in whichever order, and whoever sees either sees it acknowledged.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;

constexpr std::uint64_t alone = ~std::uint64_t{0};

thread_local std::minstd_rand stalls(1);

// A number whose moves stall now and then, so that its owner is passed.
struct Stalling {
  explicit Stalling(std::uint64_t number) : value(number) {}
  Stalling(Stalling&& other) noexcept : value(std::exchange(other.value, 0)) {
    const auto dice = stalls() % 256;
    for (unsigned i = 0; dice == 0 && i < 20; ++i) std::this_thread::yield();
  }
  Stalling& operator=(Stalling&&) = delete;
  ~Stalling() = default;
  std::uint64_t value;
};

struct Scene {
  Stream<std::uint64_t> from;
  Stream<Stalling> left;
  Stream<Stalling> right;
  std::atomic<bool> over{false};
};

// Each entry of the group, jointly to both; half of the groups name them the other way round.
void forward_all(Scene& scene, const Group<std::uint64_t>& group, std::uint64_t number) {
  stalls.seed(static_cast<unsigned>(number + 1));
  const auto consumer = group.consumer("consumer");
  while (const auto batch = consumer.read({.count = 8, .block = forever})) {
    for (const auto& delivery : *batch) {
      const std::uint64_t value = *delivery << 1 | number;
      const bool forwarded = number == 0
                                 ? delivery.forward(into(scene.left, value), into(scene.right, value)).has_value()
                                 : delivery.forward(into(scene.right, value), into(scene.left, value)).has_value();
      expect(forwarded, "a forward fails");
    }
  }
}

void add_alone(Scene& scene, Stream<Stalling>& to, unsigned seed, std::uint64_t most) {
  stalls.seed(seed);
  for (std::uint64_t i = 0; i < most && !scene.over; ++i) {
    expect(to.emplace(alone).has_value(), "an add fails");
    if (i % 16 == 0) std::this_thread::yield();
  }
}

[[nodiscard]] std::uint64_t joint_in(const Stream<Stalling>& stream) {
  std::uint64_t count = 0;
  for (const auto& [id, number] : stream.range()) count += number.value != alone ? 1 : 0;
  return count;
}

[[nodiscard]] std::uint64_t acknowledged(const Scene& scene, const std::vector<Group<std::uint64_t>>& groups) {
  std::uint64_t count = 0;
  for (const auto& group : groups) count += scene.from.size() - group.pending()->count - group.info()->lag;
  return count;
}

// What is looked at later shows at least what was seen before; the lag is read last, for entries that are being delivered
// are in neither.
void watch(const Scene& scene, const std::vector<Group<std::uint64_t>>& groups) {
  std::mt19937_64 random(3);
  while (!scene.over) {
    switch (random() % 3) {
      case 0: {
        const std::uint64_t seen = joint_in(scene.left);
        expect(joint_in(scene.right) >= seen, "what is on the left is on the right");
        break;
      }
      case 1: {
        const std::uint64_t seen = joint_in(scene.right);
        expect(joint_in(scene.left) >= seen, "what is on the right is on the left");
        break;
      }
      default: {
        const std::uint64_t seen = joint_in(scene.left);
        expect(acknowledged(scene, groups) >= seen, "what was forwarded is acknowledged");
      }
    }
  }
}

void check_all(const Stream<Stalling>& stream, std::uint64_t entries) {
  std::vector<unsigned> seen(2 * entries);
  for (const auto& [id, number] : stream.range()) {
    if (number.value == alone) continue;
    expect(number.value < seen.size(), "a value is one that was forwarded");
    if (number.value < seen.size()) ++seen[number.value];
  }
  bool once = true;
  for (const unsigned count : seen) once = once && count == 1;
  expect(once, "each entry is forwarded once by each group");
}

void forward_jointly(std::uint64_t entries) {
  Scene scene;
  std::vector<Group<std::uint64_t>> groups;
  for (const char* name : {"one", "other"}) groups.push_back(scene.from.create_group(name, earliest).value());
  for (std::uint64_t i = 0; i < entries; ++i) expect(scene.from.add(i).has_value(), "an add fails");
  scene.from.close();
  Threads forwarders;
  forwarders.start(2, [&](std::size_t i) { forward_all(scene, groups[i], i); });
  Threads others;
  others.start([&] { add_alone(scene, scene.left, 11, entries); });
  others.start([&] { add_alone(scene, scene.right, 12, entries); });
  others.start([&] { watch(scene, groups); });
  forwarders.join();
  scene.over = true;
  others.join();
  check_all(scene.left, entries);
  check_all(scene.right, entries);
  for (const auto& group : groups) expect(group.pending()->count == 0, "nothing is left");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (std::uint64_t round = 0; round < 4 * work; ++round) forward_jointly(1'500);
  return verdict("joint_stress");
}
