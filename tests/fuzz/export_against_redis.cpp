// export_against_redis.cpp — streams and lists in random states, told to a real redis-server 7.0, which this program starts for
// itself: XINFO STREAM FULL and LRANGE then tell the same as brook; what Redis writes when it rewrites its append-only file is
// imported the same; and so are its replies, in RESP2 and RESP3, also about streams in states that Redis came to by itself, which
// are then told to it again. Where hiredis or redis-server is absent it says so and succeeds.
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
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "export_scene.hpp"
#include "fuzz.hpp"
#include "redis.hpp"
#include "snapshot_scene.hpp"

namespace {

using namespace fuzz;
namespace fs = std::filesystem;

/// Where nobody's entries go.
const std::string returned_to = brook::RedisExportOptions().returned_to;

/// A connection on which nobody looks at what comes: replies as they are.
class Line {
 public:
  /// In RESP2, or RESP3.
  Line(const std::string& path, bool maps) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("no connection to redis-server");
    if (!maps) return;
    send("HELLO 3");
    auto source = brook::snapshot::source_of(*this);
    brook::redis::ReplyReader(source).skip();
  }
  ~Line() { ::close(socket_); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void send(std::string command) const {
    command += "\r\n";
    if (::send(socket_, command.data(), command.size(), 0) != static_cast<ssize_t>(command.size()))
      throw std::runtime_error("redis-server takes no command");
  }
  /// Receives some.
  std::size_t operator()(std::span<std::byte> to) const {
    const ssize_t size = ::recv(socket_, to.data(), to.size(), 0);
    if (size <= 0) throw std::runtime_error("redis-server says no more");
    return static_cast<std::size_t>(size);
  }

 private:
  const int socket_;
};

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

  [[nodiscard]] std::string socket() const { return server_.socket(); }
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

void compare_consumers(const brook::GroupFullInfo& group, const Reply& theirs, bool counted) {
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
  if (counted) same("whether anything came back", group.returned > 0, others > 0);
}

/// `counted` says whether it is as brook told it: Redis by itself counts otherwise how much a group has read.
void compare(const Text& stream, const Reply& theirs, std::uint64_t now_ms, bool counted = true) {
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
    if (counted) same("how much a group has read", group.entries_read, row["entries-read"].number());
    if (counted && !row["lag"].is_nil()) same("lag", group.lag, row["lag"].number());
    same("how much is pending", group.pending, row["pel-count"].number());
    compare_pending(group, row["pending"], now_ms);
    compare_consumers(group, row["consumers"], counted);
  }
}

/// What a command is answered is imported, from a connection that stays open.
template <class Object>
void import_answer(const Line& line, const std::string& command, Object& object, brook::Clock& clock) {
  brook::RedisImportOptions how;
  how.stream.clock = &clock;
  line.send(command);
  if (const auto done = brook::import_redis_reply(line, object, how); !done)
    throw Difference("the reply to " + command + ": " + done.error().message());
}

void export_as(Servant& redis, const std::string& key, const Text& stream) {
  const fs::path file = redis.directory() / "commands";
  const auto done = brook::export_to_redis(file, key, stream, {.replace = true});
  if (!done) throw Difference("export: " + done.error().message());
  redis.load(file, done->commands);
}

void compare_seen(const Text& stream, const Reply& groups, std::uint64_t now_ms) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto group = *stream.group(groups[i]["name"].text())->full_info(brook::no_limit);
    const Reply consumers = groups[i]["consumers"];
    for (std::size_t k = 0, own = 0; k < consumers.size(); ++k) {
      if (consumers[k]["name"].text() == returned_to) continue;
      const auto seen = now_ms - static_cast<std::uint64_t>(group.members[own++].idle.count());
      same("when a consumer was seen", seen, consumers[k]["seen-time"].number());
    }
  }
}

/// What Redis tells of a stream is imported, and told to it again.
void replies(Servant& redis, const Line& line, const std::string& key, brook::Clock& clock, bool counted) {
  const Reply told = redis({"XINFO", "STREAM", key, "FULL", "COUNT", "0"});
  Text stream;
  import_answer(line, "XINFO STREAM " + key + " FULL COUNT 0", stream, clock);
  compare(stream, told, clock.unix_ms(), counted);
  if (!counted) compare_seen(stream, told["groups"], clock.unix_ms());
  export_as(redis, "again", stream);
  compare(stream, redis({"XINFO", "STREAM", "again", "FULL", "COUNT", "0"}), clock.unix_ms());

  Text entries;
  import_answer(line, "XRANGE " + key + " - +", entries, clock);
  compare_entries(entries, redis({"XRANGE", key, "-", "+"}));
}

/// Has Redis do things to a stream of its own.
void live(Servant& redis, Random& random, const std::string& key) {
  const auto id = [&] { return std::to_string(random.below(40)) + "-0"; };
  const auto name = [&](const char* kind) { return kind + std::to_string(random.below(3)); };
  redis({"DEL", key});
  redis({"XGROUP", "CREATE", key, "g0", "0", "MKSTREAM"});
  for (std::uint64_t steps = random.of_any_size(8); steps > 0; --steps) {
    const std::string group = name("g");
    const std::string consumer = random.one_in(9) ? returned_to : name("c");
    switch (random.below(12)) {  // errors are answers too
      case 0: redis({"XGROUP", "CREATE", key, group, random.one_in(2) ? "$" : id()}); break;
      case 1: redis({"XGROUP", "CREATECONSUMER", key, group, consumer}); break;
      case 2: redis({"XGROUP", random.one_in(3) ? "DELCONSUMER" : "CREATECONSUMER", key, group, consumer}); break;
      case 3: redis({"XDEL", key, id(), id()}); break;
      case 4: redis({"XTRIM", key, "MAXLEN", std::to_string(random.below(30))}); break;
      case 5: redis({"XACK", key, group, id(), id(), id()}); break;
      case 6: redis({"XCLAIM", key, group, consumer, "0", id(), id(), "TIME", "1700000000000", "FORCE"}); break;
      case 7: redis({"XAUTOCLAIM", key, group, consumer, "0", id(), "COUNT", "2"}); break;
      case 8: redis({"XGROUP", "SETID", key, group, id()}); break;
      case 9:
      case 10: redis({"XREADGROUP", "GROUP", group, consumer, "COUNT", "3", "STREAMS", key, ">"}); break;
      default: redis({"XADD", key, std::to_string(steps < 40 ? 40 - steps : 0) + "-*", "value", std::to_string(steps)});
    }
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

  const Line line(redis.socket(), random.one_in(2));
  Text answered;
  import_answer(line, "XINFO STREAM key FULL COUNT 0", answered, clock);
  same("what Redis answers", lasting(answered, clock, true), lasting(scene.stream, clock, true));
  import_answer(line, "LRANGE list 0 -1", other, clock);
  if (other.lrange(0, -1) != ours) throw Difference("Redis answers another list");
  replies(redis, line, "key", clock, true);
  live(redis, random, "own");
  brook::ManualClock now{std::chrono::ceil<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())};
  replies(redis, line, "own", now, false);
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
