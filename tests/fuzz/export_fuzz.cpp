// Streams and lists in random states are exported as commands for Redis, and imported the same, and so are replies that tell
// them; those that were damaged are refused or imported, but never crash, change nothing when they are refused, and take no more
// memory than they justify.
//
// usage: export_fuzz [SEED [STATES]]
#include "counted_new.hpp"
#include "export_scene.hpp"
#include "reply_scene.hpp"

namespace {

using namespace fuzz;

brook::RedisImportOptions importing(brook::Clock& clock) {
  brook::RedisImportOptions options;
  options.stream.clock = &clock;
  return options;
}

template <class Import>
void damage(Random& random, brook::Clock& clock, const Bytes& whole, Import import) {
  Bytes bytes = whole;
  mutate(random, bytes);
  Text target;
  static_cast<void>(target.add("before"));
  const std::string before = seen(target);
  const Allocations allocations;
  const std::string said = import(bytes, target, importing(clock));
  const auto limit = static_cast<std::int64_t>(bytes.size() * 100 + 1'000'000);
  if (allocations.most() > limit)
    throw Difference("an import took " + std::to_string(allocations.most()) + " bytes for " +
                     std::to_string(bytes.size()));
  if (said != "done") same("a stream after a refused import", seen(target), before);
  else static_cast<void>(seen(target));
}

void round_trip(Random& random, std::uint64_t state, Journal& journal) {
  brook::ManualClock clock{std::chrono::seconds(1'700'000'000)};
  Scene scene(random, clock);
  journal.note("state ", state);
  live(scene);
  const Bytes bytes = exported(scene.stream);
  Text stream;
  same("importing", import_from(bytes, stream, importing(clock)), std::string("done"));
  same("what lasts", lasting(stream, clock, true), lasting(scene.stream, clock, true));
  const auto as_text = [](const Bytes& commands) {
    return std::string(reinterpret_cast<const char*>(commands.data()), commands.size());
  };
  same("exporting again", as_text(exported(stream)), as_text(bytes));
  for (int i = 0; i < 60; ++i) damage(random, clock, bytes, import_from<Text>);
  for (const bool maps : {false, true}) {
    const Bytes reply = replied(scene.stream, clock, maps);
    Text as_told;
    same("importing a reply", import_reply(reply, as_told, importing(clock)), std::string("done"));
    same("what a reply tells", lasting(as_told, clock, true), lasting(scene.stream, clock, true));
    same("telling it again", as_text(replied(as_told, clock, maps)), as_text(reply));
    for (int i = 0; i < 60; ++i) damage(random, clock, reply, import_reply<Text>);
  }
  Text entries;
  same("importing entries", import_reply(replied_entries(scene.stream), entries, importing(clock)),
       std::string("done"));
  same("entries", as_text(replied_entries(entries)), as_text(replied_entries(scene.stream)));

  Texts list;
  fill(random, list);
  Texts other;
  same("importing elements", import_reply(replied(list), other, {}), std::string("done"));
  same("elements", as_text(replied(other)), as_text(replied(list)));
  if (list.empty()) return;
  same("importing a list", import_from(exported(list), other, {}), std::string("done"));
  if (other.lrange(0, -1) != list.lrange(0, -1)) throw Difference("a list came back differently");
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments how = arguments(argc, argv, {1, 100});
  Journal journal;
  for (std::uint64_t state = 0; state < how.operations; ++state) {
    try {
      Random random(how.seed + state);
      round_trip(random, state, journal);
    } catch (const std::exception& problem) { return report("export_fuzz", {how.seed + state, 1}, journal, problem); }
  }
  return 0;
}
