// Snapshots taken while everything moves are states that there were; and who is killed while saving leaves the old file or
// the new one.
//
// Brokers: producers add to a stream, workers pass its entries on to another, one by one and in order, and movers rotate and
// move elements between two lists. In each snapshot what a worker has acknowledged is in the other stream and nothing else is,
// what is pending has no gap, the lists have each element once, and what was added before the save is there; what was added
// under a key is known to have been, and nothing else is.
#include <brook/snapshot.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#endif

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using Number = std::uint64_t;
using Bytes = std::vector<std::byte>;

constexpr std::size_t producers = 2;
constexpr Number elements = 3000;

struct Scene {
  Scene() {
    expect(orders->create_group("workers", earliest).has_value(), "a group is made");
    for (Number n = 0; n < elements; ++n) left->rpush(n);
  }

  void produce(std::size_t producer) {
    for (Number sequence = 0; !over.load(); ++sequence) {
      begun[producer].store(sequence + 1);
      expect(orders->add(Made<Number>::make(producer, sequence)).has_value(), "an add succeeds");
      added[producer].store(sequence + 1);
      if (sequence % 64 == 0) std::this_thread::yield();
    }
  }
  void work() {
    const auto worker = orders->group("workers")->consumer("worker");
    while (!over.load()) {
      for (auto batch = worker.read({.count = 20}); const auto& delivery : *batch) {
        if (*delivery % 2 == 0) expect(delivery.forward(*done, *delivery).has_value(), "a forward succeeds");
        else delivery.ack();
      }
      for (const auto& stream : {orders, done}) {
        if (stream->size() > 20'000) static_cast<void>(stream->trim({.max_len = 15'000}));
      }
    }
  }
  void add_under_keys() {
    for (Number n = 0; !over.load(); ++n) {
      begun_under_keys.store(n + 1);
      const auto first = keyed->add(n, {.producer = "producer", .key = std::to_string(n)});
      const auto again = keyed->add(n, {.producer = "producer", .key = std::to_string(n)});
      expect(first && first == again, "an add under a key is made once");
      added_under_keys.store(n + 1);
      if (n % 1024 == 0) static_cast<void>(keyed->trim({.max_len = 500}));
      if (n % 16 == 0) std::this_thread::yield();
    }
  }
  void move() {
    std::mt19937 random(7);
    while (!over.load()) {
      BlockingList<Number>& from = random() % 2 == 0 ? *left : *right;
      BlockingList<Number>& to = random() % 8 == 0 ? from : &from == left.get() ? *right : *left;
      const Side side = random() % 8 == 0 ? Side::right : Side::left;
      static_cast<void>(from.lmove(to, side, opposite(side)));
    }
  }

  Broker broker;
  std::shared_ptr<Stream<Number>> orders = *broker.stream<Number>("orders");
  std::shared_ptr<Stream<Number>> done = *broker.stream<Number>("done");
  std::shared_ptr<Stream<Number>> keyed = *broker.stream<Number>("keyed");
  std::shared_ptr<BlockingList<Number>> left = *broker.list<Number>("left");
  std::shared_ptr<BlockingList<Number>> right = *broker.list<Number>("right");
  std::atomic<bool> over{false};
  std::atomic<Number> begun[producers]{};
  std::atomic<Number> added[producers]{};
  std::atomic<Number> begun_under_keys{0};
  std::atomic<Number> added_under_keys{0};
};

void check_lists(Broker& loaded) {
  std::vector<Number> all;
  for (const char* name : {"left", "right"}) {
    const auto some = (*loaded.list<Number>(name))->lrange(0, -1);
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  bool each_once = all.size() == elements;
  for (Number n = 0; n < elements && each_once; ++n) each_once = all[n] == n;
  expect(each_once, "the lists have each element once");
}

void check_keys(Broker& loaded, Number least, const Scene& scene) {
  const auto keyed = *loaded.stream<Number>("keyed");
  const auto newest = keyed->rev_range(Id::max(), Id::min(), 50);
  const Number next = newest.empty() ? 0 : newest.front().value + 1;
  expect(next >= least, "what was added under a key before the save is there");
  expect(next <= scene.begun_under_keys.load(), "nothing is there that was added under a key after it");
  const auto add = [&](Number n) { return keyed->add(n, {.producer = "producer", .key = std::to_string(n)}); };
  for (const auto& [id, value] : newest) expect(add(value) == id, "what was added under a key is known");
  const std::uint64_t added = keyed->info().entries_added;
  expect(add(next).has_value() && keyed->info().entries_added == added + 1, "what was not added is not known");
}

void check_streams(Broker& loaded, const Number (&least)[producers], const Scene& scene) {
  const auto orders = *loaded.stream<Number>("orders");
  Number count[producers]{};
  std::vector<bool> even;  // of the entries, in order
  std::vector<Id> ids;
  for (const auto& [id, value] : orders->range()) {
    const std::size_t producer = Made<Number>::producer(value);
    const Number sequence = Made<Number>::sequence(value);
    expect(count[producer] == 0 || sequence == count[producer], "a producer's entries are in order");
    count[producer] = sequence + 1;
    ids.push_back(id);
  }
  Number least_of_all = 0;
  for (std::size_t producer = 0; producer < producers; ++producer) {
    least_of_all += least[producer];
    // All that one has added may have been trimmed by now, if the others have added much since.
    expect(count[producer] == 0 || count[producer] >= least[producer], "what was added before the save is there");
    expect(count[producer] <= scene.begun[producer].load(), "nothing is there that was added after it");
  }
  expect(orders->info().entries_added >= least_of_all, "all that was added before the save is counted");
  const auto group = *orders->group("workers");
  const auto info = *group.info();
  const auto pending = *group.pending(PendingOptions{});
  expect(pending.empty() || pending.back().id == info.last_delivered_id, "one worker acknowledges in order");
  std::size_t at = 0;
  for (const auto& entry : pending) {
    while (at < ids.size() && ids[at] < entry.id) ++at;
    if (at == ids.size() || ids[at] != entry.id) continue;  // it was trimmed
    expect(&entry == &pending.front() || at == 0 || ids[at - 1] < pending.front().id ||
               std::any_of(pending.begin(), pending.end(), [&](const auto& one) { return one.id == ids[at - 1]; }),
           "what is pending has no gap");
  }
  const Id first_left = pending.empty() ? info.last_delivered_id.next() : pending.front().id;
  Number passed_on = 0;
  Number last = 0;
  for (const auto& entry : (*loaded.stream<Number>("done"))->range()) {
    ++passed_on;
    last = entry.value;
  }
  Number expected_last = 0;
  for (const auto& [id, value] : orders->range()) {
    if (id < first_left && value % 2 == 0) expected_last = value;
  }
  expect(passed_on == 0 || expected_last == 0 || last == expected_last, "what was acknowledged is what was passed on");
}

void save_while_used(std::uint64_t times) {
  Scene scene;
  Threads threads;
  threads.start(producers, [&](std::size_t producer) { scene.produce(producer); });
  threads.start([&] { scene.work(); });
  threads.start([&] { scene.move(); });
  threads.start([&] { scene.add_under_keys(); });
  for (std::uint64_t i = 0; i < times; ++i) {
    Number least[producers];
    for (std::size_t producer = 0; producer < producers; ++producer) least[producer] = scene.added[producer].load();
    const Number least_under_keys = scene.added_under_keys.load();
    Bytes bytes;
    const auto result = save(bytes, scene.broker, types<Number>);
    expect(result.has_value(), "a save succeeds");
    Broker loaded;
    const auto back = load(std::span<const std::byte>(bytes), loaded, types<Number>);
    expect(back.has_value(), "a load succeeds");
    if (!back) continue;
    check_lists(loaded);
    check_streams(loaded, least, scene);
    check_keys(loaded, least_under_keys, scene);
  }
  scene.over.store(true);
  threads.join();
}

#if defined(__unix__)

void save_until_killed(const std::filesystem::path& path, int report) {
  Stream<Number> stream;
  for (Number generation = 1;; ++generation) {
    for (Number n = 0; n < 2000; ++n) static_cast<void>(stream.add(generation));
    if (!save(path, stream)) ::_exit(1);
    if (::write(report, &generation, sizeof generation) != sizeof generation) ::_exit(1);
  }
}

// Returns the last generation that was reported as saved.
Number kill_one(const std::filesystem::path& path, std::chrono::microseconds after) {
  int ends[2];
  if (::pipe(ends) != 0) return 0;
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    save_until_killed(path, ends[1]);
  }
  ::close(ends[1]);
  std::this_thread::sleep_for(after);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  expect(WIFSIGNALED(status), "the saver saved until it was killed");
  Number last = 0;
  while (::read(ends[0], &last, sizeof last) == sizeof last) {}
  ::close(ends[0]);
  return last;
}

void kill_savers(std::uint64_t times) {
  namespace fs = std::filesystem;
  const fs::path directory = fs::temp_directory_path() / ("brook_killed_" + std::to_string(::getpid()));
  fs::create_directory(directory);
  std::mt19937 random(11);
  for (std::uint64_t i = 0; i < times; ++i) {
    const fs::path path = directory / "file";
    std::error_code ignored;
    fs::remove(path, ignored);
    const Number last = kill_one(path, std::chrono::microseconds(500 + random() % 30'000));
    if (last == 0 && !fs::exists(path)) continue;
    Stream<Number> stream;
    expect(load(path, stream).has_value(), "the file of a killed saver is whole");
    const Number generation = stream.empty() ? 0 : stream.rev_range(Id::max(), Id::min(), 1).front().value;
    expect(generation == last || generation == last + 1, "it is the last one that was saved, or the next");
    expect(stream.size() == generation * 2000, "it has all that was saved");
  }
  fs::remove_all(directory);
}

#else

void kill_savers(std::uint64_t) {}

#endif

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t times = factor(argc, argv);
  kill_savers(10 * times);
  save_while_used(30 * times);
  return verdict("snapshot_stress");
}
