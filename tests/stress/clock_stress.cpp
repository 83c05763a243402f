// clock_stress.cpp — a group while the clock jumps: consumers die with what they have, others take over, entries are
// given back, given up, erased and trimmed, all at the same time. Whoever looks finds each entry in one state; at the
// end each was acknowledged once, or is one dead letter, or has left the stream.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>
#include <brook/testing/manual_clock.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using namespace std::chrono_literals;

using Value = std::uint64_t;
using Number = Made<Value>;
using Random = std::mt19937_64;

constexpr std::size_t producers = 2;
constexpr std::size_t consumers = 3;
constexpr std::uint64_t keys = 6;

struct Setting {
  StreamOptions stream{};
  GroupOptions<Value> group{};
  std::uint64_t room_for_dead = unlimited;
  bool deletes = true;   // consumers are deleted, dead or alive; else only its time brings back what died with one
  bool claims = true;    // others take over what somebody has
  bool erases = false;   // entries are erased and trimmed
  bool drops = false;    // what is pending with a consumer that is deleted is dropped
  bool patient = false;  // consumers wait for ever: nothing wakes them but what there is for them

  /// Whether all that leaves the stream is erased or trimmed by the test.
  [[nodiscard]] bool keeps() const { return stream.max_len == unlimited && stream.max_age == 0ms; }
};

// What became of each entry.
struct Fate {
  std::atomic<std::uint32_t> acknowledged = 0;
  std::atomic<std::uint32_t> died = 0;
  std::atomic<std::uint64_t> deliveries = 0;  // the n-th sets bit n
  Id id{};                                    // its producer's until that is joined
  Id died_as{};                               // the undertaker's
  [[nodiscard]] std::uint32_t decided() const { return acknowledged + died; }
};

struct Scene {
  Scene(const Setting& its_setting, std::uint64_t each, ManualClock& its_clock, Stream<DeadLetter<Value>>& its_dead)
      : setting(its_setting), per_producer(each), clock(its_clock), dead(its_dead) {}

  Fate& fate(Value value) {
    const std::size_t at = Number::producer(value) * per_producer + Number::sequence(value);
    expect(Number::producer(value) < producers && at < fates.size(), "a value is one that was added");
    return fates[at % fates.size()];
  }
  void acknowledged(Value value) {
    ++fate(value).acknowledged;
    ++decided;
  }

  const Setting setting;
  const std::uint64_t per_producer;
  ManualClock& clock;
  Stream<DeadLetter<Value>>& dead;
  Stream<Value> stream{setting.stream};
  Group<Value> group{stream.create_group("group", earliest, setting.group).value()};
  std::vector<Fate> fates = std::vector<Fate>(producers * per_producer);
  std::array<std::atomic<std::uint64_t>, consumers> lives{};
  std::atomic<std::uint64_t> decided = 0;  // not before it is so
  std::atomic<std::uint64_t> removed = 0;
  std::atomic<std::uint64_t> dropped = 0;
  std::atomic<bool> far_back = false;  // the wall clock is to be set back for good
  std::atomic<bool> over = false;
};

// Who only looks again and again lets those who work have the group's mutex.
void step_aside() {
  for (int i = 0; i < 5; ++i) std::this_thread::yield();
}

void produce(Scene& scene, std::size_t producer) {
  Random random(producer);
  Id last{};
  for (std::uint64_t i = 0; i < scene.per_producer;) {
    const Value value = Number::make(producer, i);
    const auto added = random() % 4 == 0 ? scene.stream.add(value, 1ms) : scene.stream.add(value);
    if (!added) {
      expect(added.error() == Errc::timed_out || added.error() == Errc::full, "an add fails for want of room only");
      continue;
    }
    expect(*added > last, "the ids of a producer increase, whatever the clock does");
    last = scene.fate(value).id = *added;
    // Not much faster than the consumers, who would else have nothing to wait for.
    if (++i % 8 == 0) {
      while (scene.group.info()->lag > 40) step_aside();
    }
  }
}

// Both clocks go forward, by little and sometimes by much; the wall clock alone also jumps to and fro.
void pass(ManualClock& clock, Random& random) {
  const auto what = random() % 512;
  if (what == 0) clock.advance(2s);
  else if (what < 16) clock.advance(std::chrono::milliseconds(random() % 10));
  else clock.advance(std::chrono::microseconds(random() % 100));
  if (random() % 256 != 0) return;
  const auto to_and_fro = std::chrono::milliseconds(random() % 2001) - 1s;
  clock.set_unix(std::chrono::milliseconds(clock.unix_ms()) + to_and_fro);
}

// Time goes the faster the longer nothing has been decided: it is then time that all wait for.
void let_time_pass(Scene& scene, const std::atomic<bool>& over) {
  Random random(1);
  std::uint64_t idle = 0;
  for (std::uint64_t before = 0; !over; std::this_thread::yield()) {
    const std::uint64_t decided = scene.decided;
    idle = decided == before ? std::min<std::uint64_t>(4 * idle + 1, 255) : 0;
    before = decided;
    for (std::uint64_t i = 0; i <= idle; ++i) pass(scene.clock, random);
    if (scene.far_back.exchange(false)) scene.clock.set_unix(1s);
  }
}

// A read that waits in one of the ways there are, and not shorter than it was told.
expected<Deliveries<Value>, Errc> read_somehow(const Scene& scene, const Consumer<Value>& consumer, Random& random) {
  ReadOptions options{.count = 1 + random() % 20};
  if (scene.setting.claims && random() % 8 == 0) options.claim_idle = std::chrono::milliseconds(1 + random() % 3);
  const auto began = scene.clock.now();
  std::chrono::milliseconds least{random() % 4};
  switch (scene.setting.patient ? 2 : random() % 4) {
    case 0: options.block = least; break;
    case 1: options.block = began + least; break;
    case 2: options.block = forever; break;
    default:
      options.block = std::chrono::system_clock::time_point(std::chrono::milliseconds(scene.clock.unix_ms()) + least);
      least = 0ms;  // the wall clock jumps
  }
  auto batch = consumer.read(options);
  const bool for_ever = options.block.deadline(scene.clock) == Clock::time_point::max();
  if (batch && batch->empty()) expect(!for_ever && scene.clock.now() >= began + least, "a wait lasts as long as told");
  return batch;
}

// Acknowledges most; gives back, gives up or forgets the rest. False when it was the last that the consumer got.
bool work_on(Scene& scene, const Deliveries<Value>& batch, Random& random) {
  for (const auto& delivery : batch) {
    const std::uint64_t nth = std::uint64_t{1} << std::min<std::uint64_t>(delivery.count(), 63);
    const std::uint64_t before = scene.fate(*delivery).deliveries.fetch_or(nth);
    expect((before & nth) == 0 || delivery.count() >= 63, "each delivery of an entry goes to one consumer");
  }
  if (random() % 16 == 0) return false;
  for (const auto& delivery : batch) {
    const auto what = random() % 16;
    if (what == 0) static_cast<void>(delivery.nack({.delay = std::chrono::milliseconds(random() % 3)}));
    else if (what == 1) static_cast<void>(delivery.nack());
    else if (what == 2 && random() % 2 == 0) static_cast<void>(delivery.nack({.fatal = true}));
    else if (what == 3 && scene.group.ack(delivery.id()) == 1) scene.acknowledged(*delivery);
    else if (what > 4 && delivery.ack()) scene.acknowledged(*delivery);
  }
  return true;
}

std::string name_of(std::size_t number, std::uint64_t life) {
  return "consumer " + std::to_string(number) + "." + std::to_string(life);
}

// Lives, dies with what it has, and lives again under another name; some of the dead act once more.
void consume(Scene& scene, std::size_t number) {
  Random random(number + 10);
  std::vector<Deliveries<Value>> kept;
  for (;; ++scene.lives[number]) {
    const auto consumer = scene.group.consumer(name_of(number, scene.lives[number]));
    for (bool alive = true; alive;) {
      auto batch = read_somehow(scene, consumer, random);
      if (!batch) return expect(batch.error() == Errc::closed, "a consumer ends when all is done");
      alive = work_on(scene, *batch, random);
      if (random() % 8 == 0) kept.push_back(*std::move(batch));
      if (random() % 16 != 0) continue;
      alive = work_on(scene, *consumer.history(Id::min(), 5), random) && alive;
      for (const auto& stale : std::exchange(kept, {})) {
        for (const auto& delivery : stale) {
          if (delivery.ack()) scene.acknowledged(*delivery);
        }
      }
    }
  }
}

std::vector<Id> pending_ids(const Scene& scene, const PendingOptions& which) {
  const auto list = scene.group.pending(which);
  std::vector<Id> ids;
  for (const PendingEntry& entry : *list) ids.push_back(entry.id);
  return ids;
}

// Takes over from the dead and from the living, and deletes them.
void sweep(Scene& scene) {
  Random random(99);
  const auto sweeper = scene.group.consumer("sweeper");
  for (Id next = Id::min(); !scene.over;) {
    if (scene.setting.claims) {
      const auto idle = std::chrono::milliseconds(random() % 8);
      const auto claimed = sweeper.auto_claim({.min_idle = idle, .start = next, .count = 20});
      expect(claimed.has_value(), "a sweep succeeds");
      next = claimed->next;
      static_cast<void>(work_on(scene, claimed->deliveries, random));
      const auto ids = pending_ids(scene, {.min_idle = idle, .first = next, .count = 5});
      static_cast<void>(work_on(scene, *sweeper.claim(ids, {.min_idle = idle}), random));
    }
    if (!scene.setting.deletes || random() % 8 != 0) continue;
    const std::size_t number = random() % consumers;
    const std::string name = name_of(number, random() % (scene.lives[number] + 1));
    const Orphans orphans = scene.setting.drops ? Orphans::drop : Orphans::hand_back;
    const std::size_t orphaned = *scene.group.delete_consumer(name, orphans);
    if (scene.setting.drops) scene.dropped += orphaned;
  }
}

// Removes a part of what is added, be it new, pending or done with.
void remove(Scene& scene) {
  Random random(5);
  while (!scene.over) {
    if (scene.removed * 8 >= scene.stream.info().entries_added) {
      step_aside();
      continue;
    }
    auto ids = pending_ids(scene, {.count = 1 + random() % 3});
    for (const auto& entry : scene.stream.rev_range(Id::max(), Id::min(), 1 + random() % 3)) ids.push_back(entry.id);
    scene.removed += scene.stream.erase(ids);
    if (random() % 8 != 0) continue;
    const auto oldest = scene.stream.range(Id::min(), Id::max(), 4);
    if (random() % 2 == 0 && !oldest.empty()) scene.removed += *scene.stream.trim({.min_id = oldest.back().id});
    else scene.removed += *scene.stream.trim({.max_len = scene.stream.size()});
  }
}

// Collects the dead letters, and makes room for more.
void bury(Scene& scene, bool all) {
  Id last{};
  do {
    for (const auto& [id, letter] : scene.dead.range()) {
      expect(std::exchange(last, id) < id, "the ids of dead letters increase");
      const std::uint64_t most = scene.setting.group.max_deliveries;
      expect(letter.reason == DeathReason::fatal || (most > 0 && letter.deliveries >= most), "nothing dies too early");
      Fate& fate = scene.fate(letter.value);
      fate.died_as = letter.id;
      ++fate.died;
      ++scene.decided;
      expect(scene.dead.erase(id) == 1, "a dead letter is there once");
    }
    step_aside();
  } while (!all && !scene.over);
}

// Every entry is seen in the order of the ids, by a reader whose waits end.
void follow(Scene& scene) {
  Order<Value> order(producers, true);
  Id last{};
  for (;;) {
    const auto began = scene.clock.now();
    const auto batch = scene.stream.read(last, {.count = 50, .block = 2ms});
    if (!batch) return expect(batch.error() == Errc::closed, "a reader ends when all is read");
    expect(!batch->empty() || scene.clock.now() >= began + 2ms, "a reader waits as long as told");
    for (const auto& [id, value] : *batch) order.see(id, value);
    if (!batch->empty()) last = batch->back().id;
  }
}

void look_at_pending(const Scene& scene) {
  const auto summary = scene.group.pending();
  std::uint64_t with_consumers = 0;
  for (const auto& consumer : summary->consumers) with_consumers += consumer.count;
  expect(with_consumers <= summary->count, "what is pending is pending with one at most");
  expect((summary->count == 0) == (summary->first == Id::min()), "what is pending has an id");
  const auto list = scene.group.pending(PendingOptions{});
  expect(std::ranges::is_sorted(*list, std::ranges::less_equal(), &PendingEntry::id), "nothing is pending twice");
  if (scene.setting.group.ordered_by) expect(list->size() <= keys, "of each key one entry is out");
}

// What is told of the group holds together, and only grows where nothing can shrink it.
void observe(const Scene& scene) {
  GroupInfo before{};
  while (!scene.over) {
    look_at_pending(scene);
    const std::uint64_t decided = scene.decided;
    const std::uint64_t added = scene.stream.info().entries_added;
    const GroupInfo now = *scene.group.info();
    const StreamInfo later = scene.stream.info();
    expect(now.entries_read + now.lag >= added && now.entries_read + now.lag <= later.entries_added,
           "an entry is to be delivered or not");
    expect(now.lag <= scene.setting.stream.capacity, "no more is to be delivered than there can be");
    expect(now.returned <= now.pending, "what came back is pending");
    expect(now.pending + now.lost + decided <= now.entries_read, "what is pending or lost is not done with");
    expect(now.entries_read >= before.entries_read && now.lost >= before.lost, "nothing becomes undelivered again");
    expect(now.last_delivered_id >= before.last_delivered_id, "a group goes forward");
    expect(now.last_delivered_id <= later.last_id && later.first_id <= later.last_id, "nothing comes after the last");
    expect(later.length <= scene.setting.stream.capacity, "a stream is not longer than it may be");
    before = now;
    step_aside();
  }
}

// With nobody at work any more.
void settle(Scene& scene) {
  bury(scene, true);
  const std::uint64_t all = scene.fates.size();
  const GroupInfo info = *scene.group.info();
  std::uint64_t undecided = 0;
  std::uint64_t undelivered = 0;
  for (const Fate& fate : scene.fates) {
    expect(fate.decided() <= 1, "an entry is acknowledged or dead, and once");
    expect(fate.died == 0 || fate.died_as == fate.id, "a dead letter tells where it was");
    undecided += fate.decided() == 0 ? 1 : 0;
    undelivered += fate.deliveries == 0 ? 1 : 0;
  }
  std::uint64_t left = 0;
  Id last{};
  for (const auto& [id, value] : scene.stream.range()) {
    expect(id > last && id == scene.fate(value).id, "an entry stands where it was added");
    last = id;
    left += scene.fate(value).decided() == 0 ? 1 : 0;
  }
  expect(left == scene.dropped, "what is still there has met its fate");
  expect(info.lag == 0 && info.pending == 0 && info.entries_read == all, "nothing is left");
  expect(info.lost == undelivered, "what was not delivered was lost");
  if (scene.setting.keeps()) expect(undecided <= scene.removed + scene.dropped, "nothing gets lost by itself");
  const bool there = !scene.setting.keeps() || scene.stream.size() + scene.removed == all;
  expect(scene.setting.stream.until_acked ? scene.stream.empty() : there, "what was added is there or was removed");
}

void run(Setting setting, std::uint64_t entries) {
  ManualClock clock{1'000'000s};
  Stream<DeadLetter<Value>> dead({.capacity = setting.room_for_dead, .clock = &clock});
  setting.stream.clock = &clock;
  setting.group.dead_letter = &dead;
  Scene scene(setting, entries / producers, clock, dead);
  std::atomic<bool> stopped = false;
  Threads time;
  time.start([&] { let_time_pass(scene, stopped); });
  Threads helpers;
  helpers.start([&] { bury(scene, false); });
  helpers.start([&] { observe(scene); });
  if (setting.deletes || setting.claims) helpers.start([&] { sweep(scene); });
  if (setting.erases) helpers.start([&] { remove(scene); });
  Threads workers;
  workers.start(consumers, [&](std::size_t i) { consume(scene, i); });
  workers.start([&] { follow(scene); });
  Threads adders;
  adders.start(producers, [&](std::size_t i) { produce(scene, i); });
  adders.join();
  scene.far_back = true;
  // Before the stream is closed: whoever waits for ever is woken by what comes back, and by nothing else.
  for (auto info = scene.group.info(); info->lag + info->pending > 0; info = scene.group.info()) step_aside();
  scene.stream.close();
  workers.join();
  scene.over = true;
  helpers.join();
  stopped = true;
  time.join();
  settle(scene);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  const auto key = [](Value value) { return Number::sequence(value) % keys; };
  const Setting settings[] = {
      {.group = {.visibility = 3ms}, .deletes = false, .claims = false},
      {.group = {.retry_delay = 2ms, .visibility = 3ms}, .deletes = false, .claims = false, .patient = true},
      {.group = {.max_deliveries = 3, .retry_delay = 1ms, .visibility = 3ms}, .room_for_dead = 5},
      {.group = {.max_deliveries = 3}, .erases = true},
      {.group = {.retry_delay = 2ms}, .claims = false, .patient = true},
      {.group = {.visibility = 5ms}, .drops = true},
      {.stream = {.max_age = 3s}, .group = {.max_deliveries = 2, .visibility = 3ms}, .erases = true},
      {.stream = {.capacity = 100, .overflow = Overflow::block, .max_age = 20ms},
       .group = {.retry_delay = RetryDelay::exponential(1ms, 20ms).with_jitter(0.5), .visibility = 3ms}},
      {.group = {.max_deliveries = 3, .visibility = 3ms, .ordered_by = key}, .erases = true},
      {.stream = {.max_len = 50},
       .group = {.visibility = 3ms, .ordered_by = key, .max_in_flight = 4},
       .deletes = false,
       .claims = false},
      {.stream = {.capacity = 100, .overflow = Overflow::block, .until_acked = true},
       .group = {.max_deliveries = 3, .visibility = 3ms, .max_in_flight_of_consumer = 10}},
  };
  for (const Setting& setting : settings) run(setting, 6'000 * work);
  return verdict("clock_stress");
}
