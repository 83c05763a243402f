// Journals: what comes back, what is promised, and what is said when it cannot be kept.
#include <brook/journal.hpp>
#include <brook/redis.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "journal_support.hpp"
#include "snapshot_support.hpp"
#include "stream_support.hpp"

namespace journal_test {

namespace {

using namespace brook;
using namespace brook::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

// The next file cannot be made.
struct RefusingOnce final : snapshot::Files {
  std::error_code create(const fs::path& path, const fs::path& like, Handle& made) override {
    if (std::exchange(refuse, false)) return std::make_error_code(std::errc::permission_denied);
    return Files::create(path, like, made);
  }
  bool refuse = false;
};

// As the next file is made somebody makes an object of a broker's.
struct Meddling final : snapshot::Files {
  std::error_code create(const fs::path& path, const fs::path& like, Handle& made) override {
    if (Broker* const with = std::exchange(broker, nullptr)) static_cast<void>(with->list<std::string>("list 0"));
    return Files::create(path, like, made);
  }
  Broker* broker = nullptr;
};

constexpr int many = 3000;

void make_many(const fs::path& directory) {
  Life life(directory);
  for (int i = 0; i < many; ++i) life.list(("list " + std::to_string(i)).c_str())->rpush("element");
}

}  // namespace

TEST_CASE("a journal makes again what there was") {
  const Directory directory;
  std::string before;
  {
    Life life(directory.path);
    REQUIRE(life.said() == "opened");
    const auto orders = life.stream("orders");
    const auto group = *orders->create_group(
        "g", earliest, {.max_deliveries = 1, .dead_letter = *life.broker.stream<DeadLetter<std::string>>("dead")});
    REQUIRE(orders->add_range(Strings{"a", "b", "c", "d"}));
    const auto batch = group.consumer("worker").read({.count = 3});
    CHECK(batch->front().ack());
    CHECK((*batch)[1].nack());
    life.list("jobs")->rpush({"1", "2", "3"});
    CHECK(life.list("jobs")->rpoplpush(*life.list("done")) == "3");
    CHECK((*batch)[2].forward(into(*life.stream("next"), "cc"), into(*life.list("done"), "ccc")));
    REQUIRE(life.broker.channel<std::string>("news", {.spin = 70us}));
    REQUIRE(life.broker.pubsub<std::string>("topics", {.shards = 5, .spin = 0us}));
    static_cast<void>(life.list("gone")->lpush("x"));
    CHECK(life.broker.erase("gone"));
    CHECK(life.broker.rename("next", "later"));
    before = dump<DeadLetter<std::string>>(life.broker, {.most = 9});
    life.broker.close();
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  CHECK(again.broker.keys() == Strings{"dead", "done", "jobs", "later", "news", "orders", "topics"});
  CHECK(snapshot::options_of(**again.broker.channel<std::string>("news")).spin == 70us);
  CHECK(snapshot::options_of(**again.broker.pubsub<std::string>("topics")).shards == 5);
  CHECK(snapshot::options_of(**again.broker.pubsub<std::string>("topics")).spin == 0us);
  CHECK(again.elements("jobs") == Strings{"1", "2"});
  CHECK(again.elements("done") == Strings{"3", "ccc"});
  CHECK(again.stream("later")->range().front().value == "cc");
  const auto info = again.stream("orders")->group("g")->info();
  CHECK(info->pending == 0);
  CHECK(info->lag == 1);
  CHECK((*again.broker.stream<DeadLetter<std::string>>("dead"))->range().front().value.value == "b");
  CHECK_FALSE(again.stream("orders")->closed());
  CHECK(again.journal().recovery().records > 0);
  CHECK_FALSE(again.journal().recovery().cut);
}

TEST_CASE("what a journal makes again is watched by the broker's probe") {
  const Directory directory;
  {
    Life life(directory.path);
    REQUIRE(life.stream("compacted")->add("x"));
    REQUIRE(life.journal().compact());
    REQUIRE(life.stream("recorded")->add("x"));
    life.list("jobs")->rpush("x");
    REQUIRE(life.broker.pubsub<std::string>("topics"));
  }
  Faults faults;
  Broker broker({.probe = &faults});
  const auto journal = Journal::open(directory.path, broker, all_types, {.flush = Flush::never});
  REQUIRE(journal);
  for (const char* name : {"compacted", "recorded", "jobs", "topics"})
    static_cast<void>(faults.fail({.name = name, .with = Errc::timed_out}));
  CHECK((*broker.stream<std::string>("compacted"))->add("y").error() == Errc::timed_out);
  CHECK((*broker.stream<std::string>("recorded"))->add("y").error() == Errc::timed_out);
  CHECK((*broker.list<std::string>("jobs"))->rpush("y").error() == Errc::timed_out);
  CHECK((*broker.pubsub<std::string>("topics"))->publish("goals", "y", Wait()).error() == Errc::timed_out);
  faults.clear();
  CHECK((*broker.stream<std::string>("recorded"))->add("y"));
}

TEST_CASE("a compaction that has failed is not tried again when that was to be left to compact()") {
  const Directory directory;
  ManualClock clock(1000s);
  RefusingOnce files;
  Life life(directory.path, {.flush = Flush::never, .compact_factor = 0, .files = &files}, &clock);
  life.list("jobs")->rpush("x");
  files.refuse = true;
  REQUIRE_FALSE(life.journal().compact());
  life.list("jobs")->rpush("y");
  clock.run_until_idle();
  CHECK(life.journal().info().compactions == 0);
  CHECK(life.journal().info().compaction_error);
  CHECK(life.journal().compact());
}

TEST_CASE("files that a journal has not named itself are nothing to it") {
  const Directory directory;
  const Strings others{"0.journal", "01.journal",    "x.journal", "18446744073709551615.journal",
                       ".journal",  "1.snapshot.old"};
  for (const std::string& name : others) std::ofstream(directory.path / name) << "x";
  {
    Life life(directory.path);
    REQUIRE(life.said() == "opened");
    life.list("jobs")->rpush("a");
    REQUIRE(life.journal().compact());
    life.list("jobs")->rpush("b");
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  CHECK(again.elements("jobs") == Strings{"a", "b"});
  for (const std::string& name : others) CHECK(Directory::read(directory.path / name) == "x");
}

TEST_CASE("what was compacted comes back with what was recorded behind it, and the old files go") {
  const Directory directory;
  {
    Life life(directory.path);
    const auto kept = life.list("kept");
    const auto gone = life.list("gone");
    kept->rpush({"a", "b"});
    gone->rpush({"x"});
    CHECK(life.broker.erase("gone"));
    REQUIRE(life.journal().compact());
    CHECK(life.journal().info().compactions == 1);
    CHECK(life.journal().info().snapshot_bytes > 0);
    gone->rpush("y");  // it has no name, and is in no snapshot
    kept->rpush("c");
    CHECK(kept->lpop() == "a");
    CHECK(directory.files() == 3);  // with the lock
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  CHECK(again.broker.keys() == Strings{"kept"});
  CHECK(again.elements("kept") == Strings{"b", "c"});
}

TEST_CASE("what is given to a blocked call is recorded") {
  const Directory directory;
  {
    Life life(directory.path);
    const auto list = life.list("list");
    const auto stream = life.stream("stream");
    const auto group = *stream->create_group("g");
    auto popped = on_a_thread([&] { return *list->blpop(forever); });
    auto read = on_a_thread([&] { return group.consumer("c").read({.block = forever})->size(); });
    while (list->info().waiting_poppers == 0) std::this_thread::yield();
    list->rpush({"a", "b"});
    CHECK(popped.get() == "a");
    static_cast<void>(stream->add("x"));
    CHECK(read.get() == 1);
  }
  Life again(directory.path);
  CHECK(again.elements("list") == Strings{"b"});
  CHECK(again.stream("stream")->group("g")->info()->pending == 1);
}

TEST_CASE("a journal is refused where it could not be kept") {
  const Directory directory;
  Life life(directory.path);
  REQUIRE(life.said() == "opened");
  const auto ints = life.broker.list<int>("ints");
  REQUIRE_FALSE(ints);
  CHECK(ints.error() == Errc::wrong_type);
  CHECK_THAT(ints.error().message(), ContainsSubstring("was not told"));
  CHECK_FALSE(life.broker.exists("ints"));

  Life second(directory.path);
  CHECK_THAT(second.said(), ContainsSubstring("is open already, in this process or another"));
  Broker used;
  REQUIRE(used.list<std::string>("list"));
  CHECK(Journal::open(directory.path / "other", used, all_types).error() == Errc::invalid_argument);

  Stream<std::string> stream;
  std::vector<std::byte> bytes;
  REQUIRE(save(bytes, stream));
  CHECK(load(std::span<const std::byte>(bytes), *life.stream("stream")).error() == Errc::invalid_argument);
  bytes.clear();
  REQUIRE(save(bytes, Broker(), all_types));
  CHECK(load(std::span<const std::byte>(bytes), life.broker, all_types).error() == Errc::invalid_argument);
}

TEST_CASE("what has a journal is not replaced by an import, which the journal would not know of") {
  const Directory directory;
  Life life(directory.path);
  const auto stream = life.stream("s");
  const auto list = life.list("l");
  const auto bytes_of = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  CHECK(import_redis_reply(bytes_of("*0\r\n"), *stream).error() == Errc::invalid_argument);
  CHECK(import_redis_reply(bytes_of("*0\r\n"), *list).error() == Errc::invalid_argument);
  const auto add = bytes_of("*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$3\r\n1-1\r\n$5\r\nvalue\r\n$1\r\nv\r\n");
  CHECK(import_from_redis(add, "s", *stream).error() == Errc::invalid_argument);
  const auto push = bytes_of("*3\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n$1\r\nv\r\n");
  CHECK(import_from_redis(push, "l", *list).error() == Errc::invalid_argument);
  Stream<std::string> other;
  BlockingList<std::string> plain;
  CHECK(import_from_redis(add, "s", other));
  CHECK(import_from_redis(push, "l", plain));
}

TEST_CASE("a group's functions must be told again when a journal is opened") {
  const Directory directory;
  const GroupOptions<std::string> ordered{.ordered_by = [](const std::string& text) { return text.substr(0, 1); }};
  {
    Life life(directory.path);
    const auto stream = life.stream("stream");
    const auto group = *stream->create_group("g", earliest, ordered);
    REQUIRE(stream->add_range(Strings{"a1", "a2", "b1"}));
    CHECK(group.consumer("c").read()->size() == 2);
  }
  CHECK_THAT(Life(directory.path).said(), ContainsSubstring("say in Policies"));
  JournalOptions options;
  options.policies.group<std::string>("stream", "g", ordered);
  Life again(directory.path, options);
  REQUIRE(again.said() == "opened");
  const auto consumer = again.stream("stream")->group("g")->consumer("c");
  CHECK(consumer.read()->empty());
  CHECK(consumer.history()->front().ack());
  CHECK(*consumer.read()->front() == "a2");
}

TEST_CASE("records are flushed with each call, after a second, or when that is asked for") {
  const Directory directory;
  ManualClock clock(1000s);
  {
    Life always(directory.path / "always", {.flush = Flush::always}, &clock);
    const auto list = always.list("list");
    const auto before = always.journal().info().flushes;
    list->rpush("a");
    CHECK(always.journal().info().flushes == before + 1);
  }
  Life life(directory.path / "second", {.flush = Flush::every_second}, &clock);
  const auto list = life.list("list");
  clock.advance(1s);
  const auto before = life.journal().info().flushes;
  list->rpush("a");
  clock.advance(999ms);
  CHECK(life.journal().info().flushes == before);
  clock.advance(1ms);
  CHECK(life.journal().info().flushes == before + 1);
  clock.advance(5s);
  CHECK(life.journal().info().flushes == before + 1);
  list->rpush("b");
  CHECK(life.journal().flush());
  CHECK(life.journal().info().flushes == before + 2);
}

TEST_CASE("a journal that has grown is compacted by itself") {
  const Directory directory;
  ManualClock clock(1000s);
  Life life(directory.path, {.flush = Flush::never, .compact_factor = 2, .compact_min = 4000}, &clock);
  const auto list = life.list("list");
  for (int i = 0; i < 300; ++i) {
    list->rpush("an element");
    static_cast<void>(list->lpop());
  }
  clock.run_until_idle();
  const auto info = life.journal().info();
  CHECK(info.compactions > 0);
  CHECK(info.bytes < 30'000);
  CHECK_FALSE(info.compaction_error);
}

TEST_CASE("a journal that is to be compacted as soon as it is opened has all that there was") {
  const Directory directory;
  make_many(directory.path);
  {
    ManualClock clock(1000s);
    Life life(directory.path, {.flush = Flush::never, .compact_min = 1}, &clock);
    clock.run_until_idle();
    CHECK(life.journal().info().compactions == 1);
  }
  Life life(directory.path);
  CHECK(life.broker.keys().size() == many);
}

TEST_CASE("a journal that is to be compacted, but cannot be opened, stays as it is") {
  const Directory directory;
  make_many(directory.path);
  {
    Broker broker;
    Meddling files;
    files.broker = &broker;
    const JournalOptions options{.flush = Flush::never, .compact_min = 1, .files = &files};
    CHECK_FALSE(Journal::open(directory.path, broker, all_types, options));
    CHECK(files.broker == nullptr);
  }
  Life life(directory.path);
  CHECK(life.broker.keys().size() == many);
}

TEST_CASE("a file is cut off behind its last whole record, and says where") {
  const Directory directory;
  {
    Life life(directory.path);
    for (const char* text : {"a", "b", "c"}) life.list("list")->rpush(text);
  }
  const fs::path file = directory.path / "1.journal";
  const auto size = fs::file_size(file);
  const auto records = [&] {
    Life life(directory.path);
    return life.opened ? life.journal().recovery() : JournalRecovery{};
  };
  SECTION("as a crash leaves it") {
    std::ofstream(file, std::ios::app | std::ios::binary) << std::string(30, '\0');
    const JournalRecovery found = records();
    REQUIRE(found.cut);
    CHECK(found.cut->file == file);
    CHECK(found.cut->offset == size);
    CHECK(found.cut->bytes == 30);
    CHECK_FALSE(found.cut->whole_behind);
    CHECK(found.records == 5);  // the list is made, three pushes, and the time at the end
    Life again(directory.path, {.if_damaged = IfDamaged::refuse});
    CHECK(again.elements("list") == Strings{"a", "b", "c"});
  }
  SECTION("damaged in the middle") {
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(170).put('\x55');
    CHECK_THAT(Life(directory.path, {.if_damaged = IfDamaged::refuse}).said(),
               ContainsSubstring("whole records are behind"));
    const JournalRecovery found = records();
    REQUIRE(found.cut);
    CHECK(found.cut->whole_behind);
    CHECK(found.cut->offset <= 170);
    CHECK(found.records < 5);
  }
}

TEST_CASE("with every write error the journal says so, and what was promised before is there") {
  std::string wrong;
  bool through = false;
  for (int n = 1; !through; ++n) {
    const Directory directory;
    FailingFiles files(n, Failing::from_then_on);
    std::promise<void> told;
    JournalOptions options{.flush = Flush::always, .on_failure = [&](const SnapshotError&) { told.set_value(); }};
    options.files = &files;
    std::size_t promised = 0;
    {
      Life life(directory.path, options);
      if (life.opened) {
        const auto list = life.list("list");
        for (int i = 0; i < 3; ++i) {
          const bool pushed = list->rpush(std::to_string(i)).has_value();
          if (pushed && !life.journal().error()) ++promised;
          if (i == 1 && !life.journal().compact() && !files.failed()) wrong += " compact " + std::to_string(n);
        }
        if (life.journal().error()) {
          told.get_future().get();
          if (!life.broker.closed() || list->rpush("more").has_value()) wrong += " open " + std::to_string(n);
        }
        through = !files.failed();
      } else if (life.opened.error() != Errc::io_error) {
        wrong += " " + life.said();
      }
    }
    Life again(directory.path);
    if (!again.opened) {
      wrong += " " + std::to_string(n) + ": " + again.said();
      continue;
    }
    const Strings found = promised > 0 ? again.elements("list") : Strings();
    if (found.size() < promised) wrong += " lost " + std::to_string(n);
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] != std::to_string(i)) wrong += " other " + std::to_string(n);
    }
  }
  CHECK(wrong == "");
}

TEST_CASE("a broker whose journal has failed goes on, if it is told to") {
  const Directory directory;
  FailingFiles files(9, Failing::from_then_on);
  std::promise<std::string> told;
  JournalOptions options{.flush = Flush::always,
                         .if_failed = IfFailed::go_on,
                         .on_failure = [&](const SnapshotError& why) { told.set_value(why.message()); }};
  options.files = &files;
  Life life(directory.path, options);
  REQUIRE(life.said() == "opened");
  const auto list = life.list("list");
  for (int i = 0; i < 9; ++i) CHECK(list->rpush("x"));
  CHECK_THAT(told.get_future().get(), ContainsSubstring("No space left"));
  CHECK_FALSE(life.broker.closed());
  CHECK(list->size() == 9);
  CHECK(life.journal().compact().error() == Errc::io_error);
}

TEST_CASE("a journal goes on when it cannot be compacted, and can be later") {
  // No snapshot can be made, while it is told so.
  struct NoSnapshots final : snapshot::Files {
    std::error_code create(const fs::path& path, const fs::path& like, Handle& made) override {
      if (none && path.extension() == ".saving") return std::make_error_code(std::errc::no_space_on_device);
      return Files::create(path, like, made);
    }
    bool none = true;
  } files;
  const Directory directory;
  JournalOptions options{.flush = Flush::never};
  options.files = &files;
  Strings expected;
  for (int life_number = 0; life_number < 3; ++life_number) {
    files.none = life_number < 2;
    Life life(directory.path, options);
    REQUIRE(life.said() == "opened");
    CHECK(life.elements("list") == expected);
    for (const char* text : {"before", "after"}) {
      life.list("list")->rpush(text);
      expected.push_back(text);
      CHECK(life.journal().compact().has_value() == !files.none);
      CHECK(life.journal().info().compaction_error.has_value() == files.none);
    }
    life.list("list")->rpush("last");
    expected.push_back("last");
    CHECK_FALSE(life.journal().error());
  }
  CHECK(Life(directory.path).elements("list") == expected);
}

}  // namespace journal_test
