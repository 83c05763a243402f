// Saving and loading: files, brokers, what must be told again, and what is refused.
#include <brook/snapshot.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/stat.h>
#endif

#include "../catch.hpp"
#include "snapshot_support.hpp"

namespace snapshot_test {

namespace {

using namespace brook;
using namespace brook::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

using Bytes = std::vector<std::byte>;
using Texts = BlockingList<std::string>;

std::string what(const expected<void, SnapshotError>& result) { return result ? "done" : result.error().message(); }
Errc code(const expected<void, SnapshotError>& result) { return result ? Errc{} : result.error().code(); }

Bytes saved(const auto& object) {
  Bytes bytes;
  const auto result = save(bytes, object);
  REQUIRE(what(result) == "done");
  return bytes;
}
Bytes saved(const Broker& broker) {
  Bytes bytes;
  const auto result = save(bytes, broker, all_types);
  REQUIRE(what(result) == "done");
  return bytes;
}
std::span<const std::byte> view(const Bytes& bytes) { return bytes; }

}  // namespace

TEST_CASE("a stream that was empty, or of which nothing is left, goes on after its last id") {
  Stream<std::string> empty;
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(empty)), loaded)) == "done");
  CHECK(loaded.info().entries_added == 0);
  CHECK(loaded.add(Id{0, 1}, "first"));

  Stream<std::string> used;
  for (std::uint64_t i = 1; i < 9; ++i) REQUIRE(used.add(Id{5, i}, "x"));
  REQUIRE(used.trim({.max_len = 0}) == 8U);
  REQUIRE(what(load(view(saved(used)), loaded)) == "done");
  CHECK(loaded.last_id() == Id{5, 8});
  CHECK(loaded.info().entries_added == 8);
  CHECK(loaded.add(Id{5, 8}, "y").error() == Errc::id_too_small);
  CHECK(loaded.add(Id{5, 9}, "y"));
  CHECK(loaded.size() == 1);
}

TEST_CASE("ids at the end of what there is are saved, and the stream then is as full as it was") {
  constexpr auto top = std::numeric_limits<std::uint64_t>::max();
  Stream<std::string> stream;
  for (const Id id : {Id{0, 1}, Id{7, top}, Id{8, 0}, Id{top, 0}, Id{top, top}}) REQUIRE(stream.add(id, to_string(id)));
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded)) == "done");
  std::string seen;
  for (const auto& [id, text] : loaded.range()) seen += (to_string(id) == text ? "" : "wrong ") + text + ' ';
  CHECK(loaded.size() == 5);
  CHECK_THAT(seen, !ContainsSubstring("wrong"));
  CHECK(loaded.add("more").error() == Errc::id_exhausted);
}

TEST_CASE("numbers, which are read many at a time, come back with their ids and with what is pending of them") {
  constexpr auto top = std::numeric_limits<std::uint64_t>::max();
  Stream<int> stream;
  int next = 0;
  for (std::uint64_t seq = 1; seq <= 20'000; ++seq) REQUIRE(stream.add(Id{5, seq}, next++));
  for (const Id id : {Id{5, 30'000}, Id{5, std::uint64_t{1} << 40}, Id{6, 0}, Id{7, top - 1}, Id{7, top}, Id{8, 0},
                      Id{std::uint64_t{1} << 50, 3}, Id{top, top - 2}, Id{top, top - 1}, Id{top, top}})
    REQUIRE(stream.add(id, next++));
  const auto group = *stream.create_group("g", earliest);
  const auto batch = *group.consumer("ann").read({.count = 9'000});
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (i % 700 != 3) REQUIRE(batch[i].ack());
  }
  REQUIRE(stream.erase({Id{5, 704}, Id{5, 9'500}, Id{5, 1}, Id{7, top}}) == 4U);

  Stream<int> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded)) == "done");
  const auto entries = [](const Stream<int>& of) {
    std::vector<std::pair<Id, int>> seen;
    for (const auto& [id, value] : of.range()) seen.emplace_back(id, value);
    return seen;
  };
  CHECK(entries(loaded) == entries(stream));
  CHECK(loaded.info().entries_added == stream.info().entries_added);
  const auto pending = [](Stream<int>& of) {
    const auto listed = *of.group("g")->pending({.count = 100});
    std::vector<Id> ids;
    for (const PendingEntry& entry : listed) ids.push_back(entry.id);
    return ids;
  };
  CHECK(pending(loaded).size() == 13);
  CHECK(pending(loaded) == pending(stream));
  const auto reads = [](Stream<int>& of) { return of.group("g")->consumer("bob").read({.count = 1})->front().id(); };
  CHECK(reads(loaded) == reads(stream));
}

TEST_CASE("a bounded stream has the room that it had") {
  Stream<std::string> stream({.capacity = 3});
  for (int i = 0; i < 3; ++i) REQUIRE(stream.add("x"));
  stream.erase(stream.range().front().id);
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded)) == "done");
  CHECK(loaded.info().capacity == 3);
  CHECK(loaded.add("y"));
  CHECK(loaded.add("z").error() == Errc::full);
}

TEST_CASE("handles of what there was before a load answer closed") {
  Stream<std::string> stream;
  const auto group = stream.create_group("group").value();
  REQUIRE(what(load(view(saved(stream)), stream)) == "done");
  CHECK(group.info().error() == Errc::closed);
  CHECK(stream.group("group")->info().has_value());
}

TEST_CASE("a closed stream, and a closed list, are loaded as such") {
  Stream<std::string> stream;
  REQUIRE(stream.add("left"));
  stream.close();
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded)) == "done");
  CHECK(loaded.closed());
  CHECK(loaded.size() == 1);
  Texts list;
  list.rpush("left");
  list.close();
  Texts loaded_list;
  REQUIRE(what(load(view(saved(list)), loaded_list)) == "done");
  CHECK(loaded_list.closed());
  CHECK(loaded_list.lpop() == "left");
}

TEST_CASE("an unacknowledged entry that everybody is done with leaves a stream that is loaded") {
  ManualClock clock(1000s);
  Stream<std::string> stream({.until_acked = true, .clock = &clock});
  const auto worker = stream.create_group("group", earliest)->consumer("worker");
  for (int i = 0; i < 4; ++i) REQUIRE(stream.add("x"));
  const auto batch = worker.read({.count = 2});
  batch->front().ack();
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded, {.clock = &clock})) == "done");
  CHECK(loaded.size() == 3);
  CHECK(loaded.group("group")->consumer("worker").history()->ack() == 1);
  CHECK(loaded.size() == 2);
}

TEST_CASE("an idle time goes on where it was, on another clock too") {
  ManualClock before(1000s);
  Stream<std::string> stream({.clock = &before});
  const auto group = stream.create_group("group", earliest).value();
  REQUIRE(stream.add("x"));
  REQUIRE(group.consumer("worker").read()->size() == 1);
  before.advance(7s);
  ManualClock after(5s);
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded, {.clock = &after})) == "done");
  after.advance(1s);
  const auto pending = loaded.group("group")->pending(PendingOptions{}).value();
  REQUIRE(pending.size() == 1);
  CHECK(pending[0].idle == 8s);
  CHECK(loaded.group("group")->consumer_info()->front().idle == 8s);
}

TEST_CASE("a producer's keys are still known") {
  ManualClock clock(1000s);
  Stream<std::string> stream({.clock = &clock, .idempotency = {.duration = 10s}});
  const Id first = stream.add("x", {.producer = "till", .key = "1"}).value();
  clock.advance(6s);
  Stream<std::string> loaded;
  REQUIRE(what(load(view(saved(stream)), loaded, {.clock = &clock})) == "done");
  CHECK(loaded.add("x", {.producer = "till", .key = "1"}) == first);
  clock.advance(4s);
  CHECK(loaded.add("x", {.producer = "till", .key = "1"}) != first);
}

TEST_CASE("a group's functions must be told again, and be the same") {
  const auto first_letter = [](const std::string& text) { return text.substr(0, 1); };
  const auto size = [](const std::string& text) { return text.size(); };
  Stream<std::string> dead;
  Stream<std::string> stream;
  const auto group = stream.create_group("group", earliest, {.dead_letter = &dead, .ordered_by = first_letter}).value();
  for (const char* text : {"a1", "a2", "b1", "ccc"}) REQUIRE(stream.add(text));
  const auto batch = group.consumer("worker").read();
  REQUIRE(batch->size() == 3);
  const Bytes bytes = saved(stream);

  Stream<std::string> loaded;
  CHECK_THAT(what(load(view(bytes), loaded)), ContainsSubstring("say in Policies"));
  const auto policy = [](const GroupOptions<std::string>& options) {
    LoadOptions how;
    how.policies.group<std::string>("group", options);
    return how;
  };
  CHECK_THAT(what(load(view(bytes), loaded, policy({.dead_letter = &dead}))), ContainsSubstring("ordered by a key"));
  CHECK_THAT(what(load(view(bytes), loaded, policy({.dead_letter = &dead, .ordered_by = size}))),
             ContainsSubstring("another key"));
  CHECK(loaded.groups().empty());
  REQUIRE(what(load(view(bytes), loaded, policy({.dead_letter = &dead, .ordered_by = first_letter}))) == "done");
  const auto worker = loaded.group("group")->consumer("worker");
  CHECK(worker.read()->empty());
  CHECK(worker.history()->front().ack());
  const auto next = worker.read();
  REQUIRE(next->size() == 1);
  CHECK(*next->front() == "a2");
}

TEST_CASE("a broker comes back with its names, when they expire, and where its dead letters go") {
  ManualClock clock(1000s);
  Broker broker({.clock = &clock});
  const auto orders = *broker.stream<std::string>("orders");
  const auto dead = *broker.stream<DeadLetter<std::string>>("dead");
  REQUIRE(orders->create_group("group", earliest, {.max_deliveries = 1, .dead_letter = dead}));
  REQUIRE(orders->add("order"));
  (*broker.list<std::string>("jobs", {.capacity = 9}))->rpush({"a", "b"});
  (*broker.channel<std::string>("news"))->close();
  REQUIRE(broker.pubsub<std::string>("topics"));
  REQUIRE(broker.expire_after("jobs", 9s));
  const Bytes bytes = saved(broker);

  Broker loaded({.clock = &clock});
  REQUIRE(what(load(view(bytes), loaded, all_types)) == "done");
  CHECK(loaded.keys() == broker.keys());
  CHECK(loaded.expires_in("jobs").value() == 9s);
  CHECK((*loaded.list<std::string>("jobs"))->info().capacity == 9);
  CHECK((*loaded.list<std::string>("jobs"))->lrange(0, -1) == std::vector<std::string>{"a", "b"});
  CHECK((*loaded.channel<std::string>("news"))->closed());
  const auto batch = (*loaded.stream<std::string>("orders"))->group("group")->consumer("worker").read();
  REQUIRE(batch->size() == 1);
  CHECK(batch->front().nack());
  const auto letters = (*loaded.stream<DeadLetter<std::string>>("dead"))->range();
  REQUIRE(letters.size() == 1);
  CHECK(letters.front().value.value == "order");

  CHECK_THAT(what(load(view(bytes), loaded, all_types)),
             ContainsSubstring("already: load into a broker that has none of these names"));
  Broker other;
  CHECK_THAT(what(load(view(bytes), other, types<int>)), ContainsSubstring("'jobs' (list of std::string)"));
  CHECK(other.keys().empty());
  Bytes none;
  CHECK(code(save(none, broker, types<int>)) == Errc::wrong_type);
  CHECK(none.empty());
}

TEST_CASE("what a broker cannot save says whether its type was not told, or has no Codec") {
  Broker broker;
  REQUIRE(broker.list<std::string>("jobs"));
  REQUIRE(broker.stream<std::string_view>("views"));
  Bytes none;
  CHECK(what(save(none, broker, types<std::string_view>)) ==
        "types that were not told in brook::types<...>: 'jobs' (list of std::string); "
        "types that have no Codec: 'views' (stream of std::string_view)");
  CHECK(what(save(none, broker, types<std::string, std::string_view>)) ==
        "types that have no Codec: 'views' (stream of std::string_view)");
}

TEST_CASE("channels and PubSubs are what they were made as") {
  Broker broker;
  REQUIRE(broker.channel<std::string>("news", {.spin = 70us}));
  const auto topics = *broker.pubsub<std::string>("topics", {.shards = 40, .spin = 0us});
  const auto reader = topics->subscribe("goals");
  topics->publish("goals", "1:0");
  Broker loaded;
  REQUIRE(what(load(view(saved(broker)), loaded, all_types)) == "done");
  const auto again = *loaded.pubsub<std::string>("topics");
  CHECK(snapshot::options_of(**loaded.channel<std::string>("news")).spin == 70us);
  CHECK(snapshot::options_of(*again).shards == 40);
  CHECK(snapshot::options_of(*again).spin == 0us);
  CHECK(again->channels().empty());
  const auto other = again->subscribe("goals", {.patterns = {"g*"}});
  CHECK(again->publish("goals", "2:0") == 2);
}

// A snapshot of a broker with one object, of which `write` writes what comes behind the size of the elements.
template <class Write>
Bytes with_object(ObjectKind kind, Write&& write) {
  Bytes bytes;
  snapshot::MemorySink sink(bytes);
  snapshot::Writer to(sink);
  static_cast<void>(to.begin_file(snapshot::Contents::broker, 0));
  to.begin(snapshot::object_section);
  to.out().text("name");
  to.out().number(static_cast<std::uint8_t>(kind));
  to.out().text(Codec<std::string>::type());
  to.out().size(0);
  write(to.out());
  static_cast<void>(to.end());
  static_cast<void>(to.end_file(1));
  return bytes;
}

TEST_CASE("a name that is said to expire when no clock can tell is there for long") {
  for (const std::int64_t when : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    const Bytes bytes = with_object(ObjectKind::channel, [when](Encoder& to) {
      to.value(true);
      to.signed_size(when);
      to.value(false);
      to.signed_size(5);
    });
    ManualClock clock(1000s);
    Broker loaded({.clock = &clock});
    REQUIRE(what(load(view(bytes), loaded, all_types)) == "done");
    CHECK(loaded.exists("name") == (when > 0));
  }
}

TEST_CASE("no snapshot makes more shards than it has bytes for") {
  const auto with_shards = [](std::uint64_t shards, std::uint8_t each) {
    const Bytes bytes = with_object(ObjectKind::pubsub, [shards, each](Encoder& to) {
      to.number(std::uint16_t{0});  // does not expire, is not closed
      to.signed_size(5);
      to.size(shards);
      for (int shard = 0; shard < 3; ++shard) to.number(each);
    });
    Broker loaded;
    return what(load(view(bytes), loaded, all_types));
  };
  CHECK(with_shards(3, 0) == "done");
  CHECK_THAT(with_shards(std::uint64_t{1} << 40, 0), ContainsSubstring("ends early"));
  CHECK_THAT(with_shards(2, 0), ContainsSubstring("longer than what it says"));
  CHECK_THAT(with_shards(0, 0), ContainsSubstring("no shard"));
  CHECK_THAT(with_shards(3, 1), ContainsSubstring("not what it can be"));
}

TEST_CASE("what is loaded into a broker is watched by its probe, as what it makes itself") {
  Broker broker;
  REQUIRE((*broker.stream<std::string>("orders"))->add("x"));
  REQUIRE((*broker.list<std::string>("jobs"))->rpush("x"));
  REQUIRE(broker.channel<std::string>("news"));
  REQUIRE(broker.pubsub<std::string>("topics"));
  (*broker.channel<std::string>("old news"))->close();
  (*broker.pubsub<std::string>("old topics"))->close();
  Faults faults;
  const Rule all = faults.hide({.operation = Operation::close, .with = Errc::full});
  Broker loaded({.probe = &faults});
  REQUIRE(what(load(view(saved(broker)), loaded, all_types)) == "done");
  CHECK(all.hits() == 0);
  CHECK((*loaded.channel<std::string>("old news"))->closed());
  CHECK((*loaded.pubsub<std::string>("old topics"))->closed());
  faults.clear();
  for (const char* name : {"orders", "jobs", "news", "topics"})
    static_cast<void>(faults.fail({.name = name, .with = Errc::timed_out}));
  CHECK((*loaded.stream<std::string>("orders"))->add("y").error() == Errc::timed_out);
  CHECK((*loaded.list<std::string>("jobs"))->rpush("y").error() == Errc::timed_out);
  CHECK((*loaded.channel<std::string>("news"))->publish("y", Wait()).error() == Errc::timed_out);
  CHECK((*loaded.pubsub<std::string>("topics"))->publish("goals", "y", Wait()).error() == Errc::timed_out);
  faults.clear();
}

TEST_CASE("a snapshot of one type is not loaded as another") {
  Stream<std::string> stream;
  const Bytes bytes = saved(stream);
  Texts list;
  CHECK_THAT(what(load(view(bytes), list)), ContainsSubstring("it holds a stream of string, not a list of string"));
  Stream<DeadLetter<std::string>> letters;
  CHECK(code(load(view(bytes), letters)) == Errc::wrong_type);
  Broker broker;
  CHECK(code(load(view(bytes), broker, all_types)) == Errc::wrong_type);
  Stream<std::string> loaded;
  CHECK(code(load(view(saved(Broker())), loaded)) == Errc::wrong_type);
}

TEST_CASE("snapshots go to and come from files, streams, memory and functions") {
  Stream<std::string> stream;
  REQUIRE(stream.add("text"));
  const Directory directory;
  const fs::path path = directory.path / "file";
  Stream<std::string> loaded;
  REQUIRE(what(save(path, stream)) == "done");
  CHECK(directory.files() == 1);
  CHECK(what(load(path.string(), loaded)) == "done");

  std::stringstream text;
  REQUIRE(what(save(text, stream)) == "done");
  REQUIRE(what(save(text, stream)) == "done");  // one behind the other
  CHECK(what(load(text, loaded)) == "done");
  CHECK(what(load(text, loaded)) == "done");

  std::size_t taken = 0;
  std::size_t told = 0;
  const auto take = [&](std::span<const std::byte> bytes) {
    taken += bytes.size();
    return taken < 300;
  };
  const SaveOptions how{.progress = [&](const SnapshotProgress& progress) { told = progress.bytes; }};
  CHECK(what(save(take, stream, how)) == "done");
  CHECK(told == taken);
  taken = 200;
  CHECK(code(save(take, stream)) == Errc::io_error);
  CHECK(loaded.range().front().value == "text");
}

TEST_CASE("how far a save and a load have come is told, and what is thrown then leaves all as it was") {
  Broker broker;
  for (const char* name : {"a", "b"}) {
    for (int i = 0; i < 300; ++i) REQUIRE((*broker.stream<std::string>(name))->add(std::string(1000, 'x')));
  }
  std::vector<std::string> names;
  SnapshotProgress last;
  const auto tell = [&](const SnapshotProgress& progress) {
    if (progress.bytes < last.bytes || progress.objects < last.objects) names.push_back("it went back");
    if (!progress.object.empty() && (names.empty() || names.back() != progress.object))
      names.emplace_back(progress.object);
    last = progress;
  };
  const Directory directory;
  const fs::path path = directory.path / "file";
  REQUIRE(what(save(path, broker, all_types, {.progress = tell})) == "done");
  CHECK(names == std::vector<std::string>{"a", "b"});
  CHECK(last.bytes == fs::file_size(path));
  CHECK(last.objects == 2);

  names.clear();
  last = {};
  Broker loaded;
  LoadOptions loading;
  loading.progress = tell;
  REQUIRE(what(load(path, loaded, all_types, loading)) == "done");
  CHECK(names == std::vector<std::string>{"a", "b"});
  CHECK(last.bytes == fs::file_size(path));

  const auto stop = [](const SnapshotProgress& progress) {
    if (progress.bytes > 100'000) throw std::runtime_error("stop");
  };
  const std::string before = Directory::read(path);
  CHECK_THROWS_AS(save(path, broker, all_types, {.progress = stop}), std::runtime_error);
  CHECK(Directory::read(path) == before);
  CHECK(directory.files() == 1);
  Broker empty;
  loading.progress = stop;
  CHECK_THROWS_AS(load(path, empty, all_types, loading), std::runtime_error);
  CHECK(empty.keys().empty());
}

TEST_CASE("a file that cannot be written stays what it was, and nothing is left beside it") {
  Stream<std::string> stream;
  REQUIRE(stream.add(std::string(1000, 'x')));
  const Directory directory;
  const fs::path path = directory.path / "file";
  std::ofstream(path) << "old";
  const auto write = [&](ByteSink& to) { return snapshot::save_object(to, stream, {}); };
  std::string wrong;
  for (int n = 1;; ++n) {
    FailingFiles files(n);
    const auto result = snapshot::replace_file(files, path, write);
    if (result) break;
    if (code(result) != Errc::io_error || directory.files() != 1) wrong += ' ' + std::to_string(n);
    if (!files.failed_at_directory() && Directory::read(path) != "old") wrong += " changed at " + std::to_string(n);
  }
  CHECK(wrong.empty());
  Stream<std::string> loaded;
  CHECK(what(load(path, loaded)) == "done");
}

TEST_CASE("what cannot be read or written says why") {
  Stream<std::string> stream;
  const Directory directory;
  CHECK_THAT(what(save(directory.path / "none" / "file", stream)), ContainsSubstring("No such file"));
  CHECK_THAT(what(load(directory.path / "none", stream)), ContainsSubstring("No such file"));
  CHECK(code(load(directory.path, stream)) == Errc::io_error);
  CHECK(code(save(directory.path, stream)) == Errc::io_error);
  CHECK(directory.files() == 0);
}

TEST_CASE("a link to a snapshot stays a link") {
  Stream<std::string> stream;
  const Directory directory;
  std::ofstream(directory.path / "file") << "old";
  fs::create_symlink("file", directory.path / "link");
  REQUIRE(what(save(directory.path / "link", stream)) == "done");
  CHECK(fs::is_symlink(directory.path / "link"));
  CHECK(what(load(directory.path / "file", stream)) == "done");

  fs::remove(directory.path / "file");
  fs::create_symlink("link", directory.path / "link to link");
  REQUIRE(what(save(directory.path / "link to link", stream)) == "done");
  CHECK(fs::is_symlink(directory.path / "link to link"));
  CHECK(fs::is_symlink(directory.path / "link"));
  CHECK(what(load(directory.path / "file", stream)) == "done");

  fs::create_symlink("circle", directory.path / "circle");
  CHECK(code(save(directory.path / "circle", stream)) == Errc::io_error);
  CHECK(directory.files() == 4);
}

TEST_CASE("a file that could not be opened is no damaged snapshot") {
  std::ifstream in("there is no such file");
  Stream<std::string> stream;
  CHECK(code(load(in, stream)) == Errc::io_error);
}

TEST_CASE("a file may have the longest name that there can be") {
  const Directory directory;
  const std::string letters[] = {"x", "\xc3\xa9"};
  for (const std::string& letter : letters) {
    std::string name;
    while (name.size() + letter.size() <= 255) name += letter;
    CHECK(save(directory.path / name, Stream<std::string>()));
  }
  CHECK(directory.files() == 2);
}

#if defined(__unix__) || defined(__APPLE__)
TEST_CASE("a pipe or a device is not replaced by a file") {
  const Directory directory;
  const fs::path path = directory.path / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(code(save(path, Stream<std::string>())) == Errc::io_error);
  CHECK(fs::is_fifo(path));
  CHECK(directory.files() == 1);
}
#endif

}  // namespace snapshot_test
