// Snapshots of random states are loaded and look the same; damaged ones, be their checksums right or not, are refused or
// loaded, but never crash, change nothing when they are refused, and take no more memory than they justify.
//
// usage: snapshot_fuzz [SEED [STATES]]
#include "counted_new.hpp"
#include "snapshot_scene.hpp"

namespace {

using namespace fuzz;

template <class Object>
Bytes saved(const Object& object) {
  Bytes bytes;
  if (const auto done = brook::save(bytes, object); !done) throw Difference("save: " + done.error().message());
  return bytes;
}

// But for when they were saved.
bool same_contents(const Bytes& a, const Bytes& b) {
  return std::equal(a.begin() + brook::snapshot::header_size, a.end(), b.begin() + brook::snapshot::header_size,
                    b.end());
}

Bytes round_trip(Scene& scene) {
  const Bytes bytes = saved(scene.stream);
  Text loaded;
  same("loading", load_from(bytes, loaded, scene.loading()), std::string("done"));
  same("what is seen", seen(loaded), seen(scene.stream));
  // Ids that follow each other are told as runs, which end where segments do; those of what was loaded are its own.
  const Bytes again = saved(loaded);
  same("loading again", load_from(again, loaded, scene.loading()), std::string("done"));
  if (!same_contents(again, saved(loaded))) throw Difference("what was loaded is saved differently");
  return bytes;
}

// The loaded stream goes on as the other one does.
void go_on(Scene& scene, std::uint64_t seed) {
  const Bytes bytes = saved(scene.stream);
  Scene other(scene.random, scene.clock);
  same("loading", load_from(bytes, other.stream, scene.loading()), std::string("done"));
  for (Scene* const one : {&scene, &other}) {
    Random same_for_both(seed);
    one->clock.advance(std::chrono::seconds(0));
    const auto group = *one->stream.group("plain");
    for (int i = 0; i < 20; ++i) {
      static_cast<void>(
          one->stream.add(brook::Id{one->stream.last_id().ms, one->stream.last_id().seq + 1}, std::to_string(i)));
      for (const char* name : {"plain", "ordered", "delayed"}) {
        const auto batch = one->stream.group(name)->consumer("ann").read({.count = 1 + same_for_both.below(9)});
        for (const auto& delivery : *batch) {
          if (same_for_both.one_in(2)) delivery.ack();
        }
      }
      static_cast<void>(group.consumer("bob").auto_claim({.count = 2}));
    }
  }
  same("what is seen later", seen(other.stream), seen(scene.stream));
}

void damage(Random& random, const Scene& scene, const Bytes& whole) {
  Bytes bytes = whole;
  mutate(random, bytes);
  if (!random.one_in(4)) mend(bytes);
  Text target;
  static_cast<void>(target.add("before"));
  const std::string before = seen(target);
  const Allocations allocations;
  const std::string said = load_from(bytes, target, scene.loading());
  const auto limit = static_cast<std::int64_t>(bytes.size() * 200 + 1'000'000);
  if (allocations.most() > limit)
    throw Difference("a load took " + std::to_string(allocations.most()) + " bytes for " +
                     std::to_string(bytes.size()));
  if (said != "done") same("a stream after a refused load", seen(target), before);
  else static_cast<void>(seen(target));
}

// A group whose first consumer is there twice, and has with both what is pending: found by ./dev fuzz.
void a_consumer_is_there_once() {
  Text stream;
  for (int i = 0; i < 4; ++i) static_cast<void>(stream.add("entry"));
  const auto group = *stream.create_group("g", brook::earliest);
  for (const char* name : {"first", "other"}) static_cast<void>(group.consumer(name).read({.count = 2}));
  Bytes bytes = saved(stream);
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::memcpy(bytes.data() + all.find("other"), "first", 5);
  mend(bytes);
  Text loaded;
  same("loading", load_from(bytes, loaded, {}), std::string("group 'g' of '' has a consumer twice, or too many"));
}

// How much memory a save and a load take beside what there is before and afterwards.
template <class Object>
void memory_stays_bounded(const Object& object) {
  const auto forget = [](std::span<const std::byte>) { return true; };
  const Allocations saving;
  if (!brook::save(forget, object)) throw Difference("a save failed");
  const std::int64_t by_save = saving.most();
  const Bytes bytes = saved(object);
  Object loaded;
  const std::int64_t before = allocated;
  const Allocations loading;
  same("loading", load_from(bytes, loaded, {}), std::string("done"));
  const std::int64_t by_load = loading.most() - (allocated - before);
  constexpr std::int64_t most = 512 * 1024;
  if (by_save > most || by_load > most)
    throw Difference("a save of " + std::to_string(object.size()) + " values took " + std::to_string(by_save) +
                     " bytes, and a load " + std::to_string(by_load));
}
void memory_stays_bounded() {
  for (const std::uint64_t values : {1'000U, 100'000U}) {
    Text stream;
    Texts list;
    static_cast<void>(stream.create_group("g", brook::earliest));
    for (std::uint64_t i = 0; i < values; ++i) {
      static_cast<void>(stream.add("value number " + std::to_string(i)));
      static_cast<void>(list.rpush("value number " + std::to_string(i)));
    }
    memory_stays_bounded(stream);
    memory_stays_bounded(list);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments how = arguments(argc, argv, {1, 60});
  Journal journal;
  try {
    memory_stays_bounded();
    a_consumer_is_there_once();
  } catch (const std::exception& problem) { return report("snapshot_fuzz", {how.seed, 0}, journal, problem); }
  for (std::uint64_t state = 0; state < how.operations; ++state) {
    try {
      Random random(how.seed + state);
      brook::ManualClock clock{std::chrono::seconds(1000)};
      Scene scene(random, clock);
      journal.note("state ", state);
      for (std::uint64_t steps = random.of_any_size(9); steps > 0; --steps) scene.step();
      const Bytes bytes = round_trip(scene);
      for (int i = 0; i < 60; ++i) damage(random, scene, bytes);
      go_on(scene, how.seed + state);
    } catch (const std::exception& problem) { return report("snapshot_fuzz", {how.seed + state, 1}, journal, problem); }
  }
  return 0;
}
