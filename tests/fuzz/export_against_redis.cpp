// export_against_redis.cpp — streams and lists in random states, told to a real redis-server 7.0, which this program starts for
// itself: XINFO STREAM FULL and LRANGE then tell the same as brook; and what Redis writes when it rewrites its append-only file
// is imported the same. Where hiredis or redis-server is absent it says so and succeeds.
//
//   export_against_redis [seed] [states]
#include <cstdio>

#ifndef BROOK_TEST_HIREDIS

int main() {
  std::puts("export_against_redis: skipped: built without hiredis (apt-get install libhiredis-dev redis-server)");
  return 0;
}

#else

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "export_scene.hpp"
#include "fuzz.hpp"
#include "redis.hpp"
#include "snapshot_scene.hpp"

namespace {

using namespace fuzz;
namespace fs = std::filesystem;

/// Where nobody's entries go.
const std::string returned_to = brook::RedisExportOptions().returned_to;

/// A server, and the program that feeds it.
class Servant {
 public:
  Servant() : redis_(server_) {
    const std::string info = redis_({"INFO", "server"}).text();
    if (info.find("redis_version:7.0.") == info.npos) throw Skipped("the redis-server is no 7.0");
    redis_({"CONFIG", "SET", "aof-use-rdb-preamble", "no"});
    redis_({"CONFIG", "SET", "loglevel", "warning"});  // nobody reads what it would say of rewriting
  }

  Reply operator()(const Redis::Command& command) { return redis_(command); }

  /// Has redis-cli --pipe load a file; it must count so many answers, and no error.
  void load(const fs::path& file, std::uint64_t commands) {
    const fs::path said = file.string() + ".said";
    const std::string line =
        "redis-cli -s '" + server_.socket() + "' --pipe < '" + file.string() + "' > '" + said.string() + "' 2>&1";
    if (std::system(line.c_str()) == -1) throw std::runtime_error("no shell");
    std::ifstream in(said);
    const std::string told{std::istreambuf_iterator<char>(in), {}};
    const std::string wanted = "errors: 0, replies: " + std::to_string(commands) + "\n";
    if (told.find(wanted) == told.npos) throw Difference("redis-cli --pipe: " + told + "instead of " + wanted);
  }

  /// Has the server write all that it has as commands; the file.
  [[nodiscard]] fs::path rewrite() {
    redis_({"CONFIG", "SET", "appendonly", "no"});
    redis_({"CONFIG", "SET", "appendonly", "yes"});
    for (;;) {
      const std::string info = redis_({"INFO", "persistence"}).text();
      if (info.find("aof_rewrite_in_progress:0") == info.npos) continue;
      if (info.find("aof_rewrite_scheduled:0") != info.npos && info.find("aof_last_bgrewrite_status:ok") != info.npos)
        break;
    }
    for (const auto& file : fs::directory_iterator(directory() / "appendonlydir")) {
      if (file.path().string().ends_with(".base.aof")) return file.path();
    }
    throw Difference("redis has written no base file");
  }

  [[nodiscard]] fs::path directory() const { return fs::path(server_.socket()).parent_path(); }

 private:
  const RedisServer server_;
  Redis redis_;
};

void compare_entries(const Text& stream, const Reply& theirs) {
  const auto ours = stream.range();
  same("entries", std::uint64_t{ours.size()}, std::uint64_t{theirs.size()});
  std::size_t i = 0;
  for (const auto& [id, value] : ours) {
    const Reply entry = theirs[i++];
    same("an entry's id", brook::to_string(id), entry[0].text());
    same("an entry's fields", std::uint64_t{entry[1].size()}, std::uint64_t{2});
    same("an entry's value", value, entry[1][1].text());
  }
}

void compare_pending(const brook::GroupFullInfo& group, const Reply& theirs, std::uint64_t now_ms) {
  same("pending", std::uint64_t{group.entries.size()}, std::uint64_t{theirs.size()});
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const brook::PendingEntry& entry = group.entries[i];
    const bool returned = entry.consumer.empty();
    same("a pending id", brook::to_string(entry.id), theirs[i][0].text());
    same("with whom it is", returned ? returned_to : entry.consumer, theirs[i][1].text());
    if (!returned) same("since when", now_ms - static_cast<std::uint64_t>(entry.idle.count()), theirs[i][2].number());
    same("how often", entry.deliveries, theirs[i][3].number());
  }
}

void compare_consumers(const brook::GroupFullInfo& group, const Reply& theirs) {
  std::size_t others = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    if (theirs[i]["name"].text() == returned_to) {
      same("returned", group.returned, theirs[i]["pel-count"].number());
      ++others;
      continue;
    }
    const auto& member = group.members[i - others];
    same("a consumer", member.name, theirs[i]["name"].text());
    same("how much a consumer has", member.pending, theirs[i]["pel-count"].number());
  }
  same("consumers", std::uint64_t{group.members.size() + others}, std::uint64_t{theirs.size()});
  same("whether anything came back", group.returned > 0, others > 0);
}

void compare(const Text& stream, const Reply& theirs, std::uint64_t now_ms) {
  const auto info = stream.info();
  same("length", info.length, theirs["length"].number());
  same("entries added", info.entries_added, theirs["entries-added"].number());
  same("last id", brook::to_string(info.last_id), theirs["last-generated-id"].text());
  same("largest erased id", brook::to_string(info.max_deleted_id), theirs["max-deleted-entry-id"].text());
  same("first id", brook::to_string(info.first_id), theirs["recorded-first-entry-id"].text());
  compare_entries(stream, theirs["entries"]);
  const auto names = stream.groups();
  same("groups", std::uint64_t{names.size()}, std::uint64_t{theirs["groups"].size()});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto group = *stream.group(names[i])->full_info(brook::no_limit);
    const Reply row = theirs["groups"][i];
    same("a group", group.name, row["name"].text());
    same("how far a group is", brook::to_string(group.last_delivered_id), row["last-delivered-id"].text());
    same("how much a group has read", group.entries_read, row["entries-read"].number());
    if (!row["lag"].is_nil()) same("lag", group.lag, row["lag"].number());
    same("how much is pending", group.pending, row["pel-count"].number());
    compare_pending(group, row["pending"], now_ms);
    compare_consumers(group, row["consumers"]);
  }
}

void one_state(Servant& redis, Random& random) {
  brook::ManualClock clock{std::chrono::seconds(1'700'000'000)};
  Scene scene(random, clock);
  live(scene);
  Texts list;
  fill(random, list);
  const fs::path file = redis.directory() / "commands";
  for (const char* const key : {"key", "list"}) {
    const bool is_list = key == std::string_view("list");
    const brook::RedisExportOptions options{.replace = true};
    const auto done = is_list ? brook::export_to_redis(file, key, list, options)
                              : brook::export_to_redis(file, key, scene.stream, options);
    if (!done) throw Difference("export: " + done.error().message());
    redis.load(file, done->commands);
  }
  compare(scene.stream, redis({"XINFO", "STREAM", "key", "FULL", "COUNT", "0"}), clock.unix_ms());
  const Reply elements = redis({"LRANGE", "list", "0", "-1"});
  const auto ours = list.lrange(0, -1);
  same("elements", std::uint64_t{ours.size()}, std::uint64_t{elements.size()});
  for (std::size_t i = 0; i < ours.size(); ++i) same("an element", ours[i], elements[i].text());

  const fs::path rewritten = redis.rewrite();
  brook::RedisImportOptions how;
  how.stream.clock = &clock;
  Text stream;
  if (const auto done = brook::import_from_redis(rewritten, "key", stream, how); !done)
    throw Difference("import: " + done.error().message());
  same("what Redis gave back", lasting(stream, clock, true), lasting(scene.stream, clock, false));
  Texts other;
  const auto listed = brook::import_from_redis(rewritten, "list", other, how);
  same("whether there is a list", listed.has_value(), !ours.empty());
  if (other.lrange(0, -1) != ours) throw Difference("Redis gave back another list");
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 8});
  Journal journal;
  std::uint64_t state = 0;
  try {
    Servant redis;
    for (; state < how.operations; ++state) {
      Random random(how.seed + state);
      one_state(redis, random);
    }
  } catch (const Skipped& reason) {
    std::printf("export_against_redis: skipped: %s\n", reason.what());
    return 0;
  } catch (const std::exception& problem) {
    return report("export_against_redis", {how.seed + state, 1}, journal, problem);
  }
  std::printf("export_against_redis: seed %llu, %llu states, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  return 0;
}

#endif
