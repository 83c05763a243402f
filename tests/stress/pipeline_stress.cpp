// pipeline_stress.cpp — a pipeline of three stages, each a group that forwards to the next stream, while its consumers
// are killed, inherited from, robbed and haunted. Whoever sees an entry done with sees it further down, and the reverse;
// in the end each has its effect once.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
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
using namespace std::chrono_literals;

using Random = std::mt19937_64;
using Flags = std::vector<std::atomic<bool>>;
using Seen = std::vector<bool>;

constexpr std::uint64_t keys = 8;

struct Setting {
  std::chrono::milliseconds visibility{0};
  std::uint64_t capacity = unlimited;  // of all streams but the last; entries then leave when they are done with
  bool ordered = false;
};

template <class T>
std::uint64_t number_of(const T& value) {
  expect(Made<T>::intact(value), "a value is whole");
  return Made<T>::sequence(value);
}

// Which values are in a stream now.
template <class T>
Seen seen_in(const Stream<T>& stream, std::size_t values) {
  Seen seen(values);
  for (const auto& [id, value] : stream.range()) seen.at(number_of(value)) = true;
  return seen;
}

// A stream and the group that forwards from it. An entry ends by that, or because a ghost acknowledges it.
template <class T>
struct Stage {
  Stage(const Setting& setting, Overflow overflow, std::size_t values)
      : stream({.capacity = setting.capacity, .overflow = overflow, .until_acked = setting.capacity != unlimited}),
        group(stream.create_group("group", earliest, options(setting)).value()),
        delivered(values),
        haunted(values),
        taken(values) {}

  static GroupOptions<T> options(const Setting& setting) {
    GroupOptions<T> options{.visibility = setting.visibility};
    if (setting.ordered) options.ordered_by = [](const T& value) { return number_of(value) % keys; };
    return options;
  }

  Stream<T> stream;
  Group<T> group;
  Flags delivered;                        // once it was
  Flags haunted;                          // before a ghost acknowledges it
  Flags taken;                            // after it was acknowledged by one
  std::atomic<std::uint64_t> haunts = 0;  // the same in numbers, before and after
  std::atomic<std::uint64_t> takes = 0;
  std::mutex mutex;
  std::optional<Deliveries<T>> for_ghost;     // what a consumer is at work on
  std::function<bool(std::uint64_t)> beyond;  // whether a value is further down, or may have been taken there
};

// Forwards most of a batch; false when the consumer dies on it.
template <class T, class U>
bool forward(Stage<T>& stage, Stream<U>& to, const Deliveries<T>& batch, Random& random) {
  for (const auto& delivery : batch) stage.delivered[number_of(*delivery)] = true;
  if (random() % 4 == 0) {
    const std::scoped_lock held(stage.mutex);
    stage.for_ghost = batch;
  }
  for (const auto& delivery : batch) {
    const auto what = random() % 64;
    if (what == 0) return false;
    if (what == 1) static_cast<void>(delivery.nack({.delay = std::chrono::milliseconds(random() % 2)}));
    if (what < 3) continue;
    U value = Made<U>::make(0, number_of(*delivery));
    const auto forwarded = delivery.forward(to, std::move(value));
    if (forwarded) continue;
    expect(forwarded.error() == Errc::not_pending || forwarded.error() == Errc::full, "a forward fails for a reason");
    expect(number_of(value) == number_of(*delivery), "what was not forwarded is as it was");
  }
  return true;
}

// Takes over what a dead consumer had, in one of the ways there are, or leaves it to its time and to others.
template <class T, class U>
void inherit(Stage<T>& stage, Stream<U>& to, const Consumer<T>& heir, const std::string& dead, Random& random) {
  switch (random() % 4) {
    case 0: static_cast<void>(stage.group.delete_consumer(dead)); break;
    case 1: {
      const auto list = stage.group.pending({.consumer = dead});
      std::vector<Id> ids;
      for (const PendingEntry& entry : *list) ids.push_back(entry.id);
      static_cast<void>(forward(stage, to, *heir.claim(ids), random));
      break;
    }
    case 2: {
      const auto idle = std::chrono::milliseconds(random() % 2);
      static_cast<void>(forward(stage, to, heir.auto_claim({.min_idle = idle, .count = 20})->deliveries, random));
      break;
    }
    default: break;
  }
}

// Lives, is killed with what it has, and is followed by an heir; until there is nothing that anybody has.
template <class T, class U>
void work(Stage<T>& stage, Stream<U>& to, std::size_t number) {
  Random random(number);
  std::string dead = "nobody";
  for (std::uint64_t life = 0;; ++life) {
    const auto consumer = stage.group.consumer(std::to_string(number) + "." + std::to_string(life));
    inherit(stage, to, consumer, dead, random);
    dead = consumer.name();
    for (bool alive = true; alive;) {
      const auto batch = consumer.read({.count = 1 + random() % 10, .block = 1ms});
      if (!batch) {
        expect(batch.error() == Errc::closed, "a consumer ends when all is delivered");
        if (stage.group.pending()->count == 0) return;
      }
      const bool nothing = !batch || batch->empty();
      alive = forward(stage, to, nothing ? consumer.auto_claim({.count = 10})->deliveries : *batch, random);
    }
  }
}

// Acknowledges what a consumer is forwarding: one of the two ends the entry, and each knows which.
template <class T>
void haunt(Stage<T>& stage, const std::atomic<bool>& over) {
  Random random(13);
  while (!over) {
    std::optional<Deliveries<T>> batch;
    {
      const std::scoped_lock held(stage.mutex);
      batch = std::exchange(stage.for_ghost, std::nullopt);
    }
    if (!batch || batch->empty()) {
      std::this_thread::yield();
      continue;
    }
    const auto delivery = (*batch)[random() % batch->size()];
    const std::uint64_t value = number_of(*delivery);
    if (stage.haunted[value].exchange(true)) continue;
    ++stage.haunts;
    if (!delivery.ack()) {
      expect(stage.beyond(value), "what is done with, and not by an acknowledgement, was forwarded");
      continue;
    }
    stage.taken[value] = true;
    ++stage.takes;
  }
}

// Looks at both sides of a stage, one after the other. What is done with there is, at any time after, further down;
// what is further down is, at any time after, done with.
template <class T, class U>
void look(const Stage<T>& stage, const Stream<U>& to) {
  const std::size_t values = stage.delivered.size();
  const auto entries = stage.stream.range();
  Seen was_delivered(values);
  for (std::size_t i = 0; i < values; ++i) was_delivered[i] = stage.delivered[i];
  const Seen forwarded = seen_in(to, values);
  const auto pending = stage.group.pending(PendingOptions{});
  const Seen forwarded_by_now = seen_in(to, values);
  for (const auto& [id, entry] : entries) {
    const std::uint64_t value = number_of(entry);
    if (std::ranges::binary_search(*pending, id, {}, &PendingEntry::id)) {
      expect(!forwarded[value], "what was forwarded is not pending");
    } else if (was_delivered[value] && !forwarded_by_now[value] && !stage.haunted[value]) {
      expect(stage.beyond(value), "what is done with was forwarded");
    }
  }
}

// The same in numbers, which is quick, and so comes by more often.
template <class T, class U>
void count(const Stage<T>& stage, const Stream<U>& to) {
  const auto done = [&stage] {
    const GroupInfo info = *stage.group.info();
    expect(info.lost == 0, "nothing leaves before it was delivered");
    return info.entries_read - info.pending;
  };
  const std::uint64_t takes = stage.takes;
  const std::uint64_t forwarded = to.info().entries_added;
  const std::uint64_t ended = done();
  expect(forwarded + takes <= ended, "what was forwarded is done with");
  const std::uint64_t haunts = stage.haunts;
  expect(ended <= to.info().entries_added + haunts, "what is done with was forwarded");
}

struct Pipeline {
  Pipeline(const Setting& its_setting, std::size_t its_values)
      : setting(its_setting),
        values(its_values),
        first(setting, Overflow::block, values),
        second(setting, Overflow::reject, values),
        third(setting, Overflow::reject, values) {
    third.beyond = [this](std::uint64_t value) -> bool { return seen_in(last, values)[value]; };
    second.beyond = [this](std::uint64_t value) { return is_in(third, value); };
    first.beyond = [this](std::uint64_t value) { return is_in(second, value); };
  }

  // Down the stream, as the entries go, so that none slips through.
  template <class T>
  bool is_in(const Stage<T>& stage, std::uint64_t value) const {
    return seen_in(stage.stream, values)[value] || stage.haunted[value] || stage.beyond(value);
  }

  [[nodiscard]] std::uint64_t ended() const { return last.size() + first.takes + second.takes + third.takes; }

  const Setting setting;
  const std::size_t values;
  Stream<std::uint64_t> last;
  Stage<std::uint64_t> first;
  Stage<std::string> second;
  Stage<std::string> third;
};

void watch(const Pipeline& pipeline, const std::atomic<bool>& over) {
  for (Random random(3); !over;) {
    count(pipeline.first, pipeline.second.stream);
    count(pipeline.second, pipeline.third.stream);
    count(pipeline.third, pipeline.last);
    if (random() % 16 != 0) continue;
    look(pipeline.first, pipeline.second.stream);
    look(pipeline.second, pipeline.third.stream);
    look(pipeline.third, pipeline.last);
  }
}

template <class T>
void settle(const Stage<T>& stage) {
  const GroupInfo info = *stage.group.info();
  expect(info.lag == 0 && info.pending == 0, "nothing is left");
  const bool bounded = stage.stream.info().capacity > 0;
  expect(!bounded || stage.stream.empty(), "what is done with has left");
}

void settle(const Pipeline& pipeline) {
  settle(pipeline.first);
  settle(pipeline.second);
  settle(pipeline.third);
  std::vector<int> effects(pipeline.values);
  std::vector<std::uint64_t> next(keys);
  for (const auto& [id, value] : pipeline.last.range()) {
    const std::uint64_t number = number_of(value);
    ++effects.at(number);
    if (!pipeline.setting.ordered) continue;
    expect(number >= next[number % keys], "the entries of a key come in their order");
    next[number % keys] = number + 1;
  }
  for (std::size_t i = 0; i < pipeline.values; ++i) {
    const int taken =
        (pipeline.first.taken[i] ? 1 : 0) + (pipeline.second.taken[i] ? 1 : 0) + (pipeline.third.taken[i] ? 1 : 0);
    expect(effects[i] + taken == 1, "each has its effect once");
  }
}

void run(const Setting& setting, std::size_t consumers, std::size_t values) {
  Pipeline pipeline(setting, values);
  std::atomic<bool> over = false;
  Threads others;
  others.start([&] { watch(pipeline, over); });
  others.start([&] { haunt(pipeline.first, over); });
  others.start([&] { haunt(pipeline.second, over); });
  others.start([&] { haunt(pipeline.third, over); });
  Threads first;
  Threads second;
  Threads third;
  first.start(consumers, [&](std::size_t i) { work(pipeline.first, pipeline.second.stream, i); });
  second.start(consumers, [&](std::size_t i) { work(pipeline.second, pipeline.third.stream, i); });
  third.start(consumers, [&](std::size_t i) { work(pipeline.third, pipeline.last, i); });
  for (std::uint64_t i = 0; i < values; ++i) {
    expect(pipeline.first.stream.add(Made<std::uint64_t>::make(0, i)).has_value(), "an add fails");
    // Not much faster than the consumers, so that all stages are at work at a time.
    while (i > pipeline.ended() + 60) std::this_thread::yield();
  }
  pipeline.first.stream.close();
  first.join();
  pipeline.second.stream.close();
  second.join();
  pipeline.third.stream.close();
  third.join();
  over = true;
  others.join();
  settle(pipeline);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (const std::size_t consumers : {1U, 3U}) {
    run({}, consumers, 5'000 * work);
    run({.visibility = 2ms}, consumers, 5'000 * work);
    run({.capacity = 64}, consumers, 5'000 * work);
    run({.visibility = 2ms, .capacity = 64, .ordered = true}, consumers, 5'000 * work);
  }
  return verdict("pipeline_stress");
}
