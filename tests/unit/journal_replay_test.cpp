// What a journal's records were made of is judged by what there is at their end: groups that are gone want nothing any more.
#ifdef __linux__
#include <brook/adapters/eventfd.hpp>
#endif
#include <brook/journal.hpp>
#include <brook/select.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ios>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "journal_support.hpp"
#include "snapshot_support.hpp"

namespace journal_replay_test {

/// Calls somebody when it moves.
struct Watched {
  Watched() = default;
  explicit Watched(int its_number) : number(its_number) {}
  Watched(Watched&& other) noexcept : number(other.number) {
    if (on_move) on_move(number);
  }
  Watched(const Watched&) = default;
  Watched& operator=(const Watched&) = default;

  int number = 0;
  static inline std::function<void(int)> on_move{};
};

/// Takes its time to be read.
struct Slow {
  int number = 0;
  static inline std::function<void()> on_read{};
};

}  // namespace journal_replay_test

template <>
struct brook::Codec<journal_replay_test::Watched>
    : brook::MemberCodec<journal_replay_test::Watched, &journal_replay_test::Watched::number> {};

template <>
struct brook::Codec<journal_replay_test::Slow> {
  using Members = brook::MemberCodec<journal_replay_test::Slow, &journal_replay_test::Slow::number>;

  static void encode(Encoder& to, const journal_replay_test::Slow& value) { Members::encode(to, value); }
  static expected<journal_replay_test::Slow, Errc> decode(Decoder& from) {
    if (journal_replay_test::Slow::on_read) journal_replay_test::Slow::on_read();
    return Members::decode(from);
  }
  static std::string type() { return Members::type(); }
};

namespace journal_replay_test {

namespace {

using namespace brook;
using namespace brook::test;
namespace fs = std::filesystem;

const GroupOptions<std::string>& ordered() {
  static const GroupOptions<std::string> options{
      .ordered_by = [](const std::string& text) { return text.substr(0, 1); }};
  return options;
}
JournalOptions telling(const char* stream) {
  JournalOptions options{.flush = Flush::never};
  options.policies.group<std::string>(stream, "g", ordered());
  return options;
}
// What is saved, if it is to be, is there when the records begin.
void save_some(Life& life, bool compact) {
  if (compact) REQUIRE(life.journal().compact());
}

}  // namespace

TEST_CASE("a group that was made again is judged by what it is now") {
  const bool compact = GENERATE(false, true);
  const bool ordered_at_last = GENERATE(false, true);
  const Directory directory;
  {
    Life life(directory.path);
    const auto stream = life.stream("s");
    REQUIRE(stream->add_range(Strings{"a1", "a2", "b1"}));
    const auto before = *stream->create_group("g", earliest, ordered_at_last ? GroupOptions<std::string>() : ordered());
    CHECK(before.consumer("c").read({.count = 2})->size() == 2);
    save_some(life, compact);
    CHECK(before.consumer("d").read()->size() <= 1);
    REQUIRE(before.destroy());
    const auto group = *stream->create_group("g", earliest, ordered_at_last ? ordered() : GroupOptions<std::string>());
    CHECK(group.consumer("c").read()->size() == (ordered_at_last ? 2 : 3));
  }
  Life again(directory.path, ordered_at_last ? telling("s") : JournalOptions{.flush = Flush::never});
  REQUIRE(again.said() == "opened");
  CHECK(again.stream("s")->size() == 3);
  const auto group = again.stream("s")->group("g");
  CHECK(group->info()->consumers == 1);
  CHECK(group->info()->pending == (ordered_at_last ? 2 : 3));
  CHECK(group->consumer("c").history()->front().ack());
  CHECK(group->consumer("c").read()->size() == (ordered_at_last ? 1 : 0));
}

TEST_CASE("a group that is ordered by a key is asked about no more when it is gone") {
  const bool compact = GENERATE(false, true);
  const bool with_its_stream = GENERATE(false, true);
  const Directory directory;
  {
    Life life(directory.path);
    const auto stream = life.stream("s");
    REQUIRE(stream->add_range(Strings{"a1", "a2", "b1"}));
    const auto group = *stream->create_group("g", earliest, ordered());
    CHECK(group.consumer("c").read()->size() == 2);
    save_some(life, compact);
    if (with_its_stream) CHECK(life.broker.erase("s"));
    else REQUIRE(group.destroy());
    REQUIRE(stream->add("b2"));
  }
  for (const bool compact_again : {true, false}) {
    Life again(directory.path);
    REQUIRE(again.said() == "opened");
    CHECK(again.broker.keys().empty() == with_its_stream);
    if (!with_its_stream) {
      CHECK(again.stream("s")->size() == 4);
      CHECK(again.stream("s")->groups().empty());
    }
    save_some(again, compact_again);
  }
}

TEST_CASE("a group's functions are told under the name that its stream has at last") {
  const bool compact = GENERATE(false, true);
  const Directory directory;
  {
    Life life(directory.path);
    const auto a = life.stream("a");
    const auto b = life.stream("b");
    for (const auto& stream : {a, b}) REQUIRE(stream->add_range(Strings{"a1", "a2", "b1"}));
    CHECK(a->create_group("g", earliest, ordered())->consumer("c").read()->size() == 2);
    CHECK(b->create_group("g", earliest)->consumer("c").read()->size() == 3);
    save_some(life, compact);
    REQUIRE(life.broker.rename("a", "c"));
    REQUIRE(life.broker.rename("b", "a"));
    REQUIRE(life.broker.rename("c", "b"));
    REQUIRE(a->add("b2"));
    CHECK(a->group("g")->consumer("c").read()->empty());
  }
  CHECK(Life(directory.path, telling("a"))
            .said()
            .ends_with("group 'g' of 'b' is ordered by a key: say in Policies by which"));
  for (const bool compact_again : {true, false}) {
    Life again(directory.path, telling("b"));
    REQUIRE(again.said() == "opened");
    CHECK(again.stream("b")->group("g")->info()->pending == 2);
    CHECK(again.stream("b")->group("g")->consumer("c").read()->empty());
    CHECK(again.stream("a")->group("g")->info()->pending == 3);
    save_some(again, compact_again);
  }
}

TEST_CASE("an entry with the largest id comes back") {
  const Directory directory;
  {
    Life life(directory.path);
    REQUIRE(life.stream("s")->add(Id::max(), "last"));
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  CHECK(again.stream("s")->last_id() == Id::max());
  CHECK(again.stream("s")->range().front().value == "last");
}

TEST_CASE("a consumer without a name has what was pending with it") {
  const bool compact = GENERATE(false, true);
  const Directory directory;
  {
    Life life(directory.path);
    const auto stream = life.stream("s");
    REQUIRE(stream->add_range(Strings{"1", "2", "3"}));
    const auto group = *stream->create_group("g", earliest);
    auto read = *group.consumer("").read({.count = 2});
    CHECK(read[1].nack());
    CHECK(group.consumer("else").read({.count = 1})->size() == 1);
    save_some(life, compact);
    CHECK(group.consumer("").read({.count = 1})->size() == 1);
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  const auto group = *again.stream("s")->group("g");
  CHECK(group.info()->returned == 0);
  CHECK(group.consumer("").history()->size() == 2);
  CHECK(group.consumer("else").history()->size() == 1);
}

TEST_CASE("a forward to a list that drops its oldest element is recorded with what is dropped") {
  const Directory directory;
  {
    Life life(directory.path);
    const auto list = *life.broker.list<std::string>("done", {.capacity = 2, .overflow = Overflow::drop_oldest});
    REQUIRE(list->rpush_range(Strings{"a", "b"}));
    const auto orders = life.stream("orders");
    const auto next = life.stream("next");
    const auto worker = orders->create_group("g", earliest)->consumer("worker");
    REQUIRE(orders->add("c"));
    const auto batch = worker.read();
    const std::uint64_t before = life.journal().info().records;
    REQUIRE(batch->front().forward(into(*next, "c"), into(*list, "c")));
    CHECK(life.journal().info().records == before + 1);
    REQUIRE(life.journal().compact());
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  CHECK(again.elements("done") == Strings{"b", "c"});
}

TEST_CASE("an entry whose forward was refused keeps its turn") {
  const bool compact = GENERATE(false, true);
  const Directory directory;
  {
    Life life(directory.path);
    const auto stream = life.stream("s");
    REQUIRE(stream->add_range(Strings{"a1", "a2", "b1"}));
    const auto full = *life.broker.stream<std::string>("full", {.capacity = 1});
    REQUIRE(full->add("x"));
    const auto worker = stream->create_group("g", earliest, ordered())->consumer("worker");
    const auto batch = worker.read({.count = 1});
    CHECK(batch->front().forward(*full, "a1").error() == Errc::full);
    CHECK(batch->front().forward(into(*life.list("done"), "a1"), into(*full, "a1")).error() == Errc::full);
    save_some(life, compact);
  }
  Life again(directory.path, telling("s"));
  REQUIRE(again.said() == "opened");
  CHECK(again.list("done")->empty());
  const auto group = *again.stream("s")->group("g");
  CHECK(group.info()->pending == 1);
  CHECK(group.consumer("worker").history()->entries().front().value == "a1");
  const auto batch = group.consumer("other").read();
  REQUIRE(batch->size() == 1);
  CHECK(*(*batch)[0] == "b1");
}

TEST_CASE("nothing of a forward that may yet be refused is in a record before") {
  ManualClock clock{std::chrono::seconds(1'000)};
  const Directory directory;
  const fs::path file = directory.path / "1.journal";
  std::uintmax_t before = 0;
  {
    Life life(directory.path, {.flush = Flush::never}, &clock);
    const auto stream = life.stream("s");
    REQUIRE(stream->add("a"));
    // Which of the targets comes first is for their addresses to say.
    std::vector<std::shared_ptr<BlockingList<std::string>>> full;
    for (int i = 0; i < 8; ++i) {
      full.push_back(*life.broker.list<std::string>("full" + std::to_string(i), {.capacity = 1}));
      REQUIRE(full.back()->rpush("x"));
    }
    const auto other = life.list("done");
    std::vector<std::shared_ptr<Stream<std::string>>> old;  // each forgets something when it is asked for room
    for (const char* name : {"o1", "o2", "o3"}) {
      old.push_back(*life.broker.stream<std::string>(name, {.max_age = std::chrono::seconds(1)}));
      REQUIRE(old.back()->add("old"));
    }
    const auto batch = stream->create_group("g", earliest)->consumer("worker").read();
    before = fs::file_size(file);
    clock.advance(std::chrono::seconds(10));
    for (const auto& one : full) {
      const auto done = batch->front().forward(into(*other, "a"), into(*old[0], "a"), into(*old[1], "a"),
                                               into(*old[2], "a"), into(*one, "a"));
      CHECK(done.error() == Errc::full);
    }
  }
  const std::string whole = Directory::read(file);
  for (std::size_t size = whole.size(); size >= before; --size) {
    fs::remove_all(directory.path);
    fs::create_directory(directory.path);
    std::ofstream(file, std::ios::binary) << whole.substr(0, size);
    Life again(directory.path, {.flush = Flush::never}, &clock);
    REQUIRE(again.said() == "opened");
    CHECK(again.stream("s")->group("g")->info()->pending == 1);
    CHECK(again.list("done")->empty());
  }
}

TEST_CASE("what a forward gives to who waits at a list is recorded before anybody else changes the list") {
  const Directory directory;
  const auto numbers = [](BlockingList<Watched>& list) {
    std::vector<int> all;
    for (const Watched& one : list.lrange(0, -1)) all.push_back(one.number);
    return all;
  };
  std::string name;
  {
    Broker broker;
    const auto journal = Journal::open(directory.path, broker, types<Watched>, {.flush = Flush::never});
    REQUIRE(journal);
    auto first = *broker.list<Watched>("x");
    auto last = *broker.list<Watched>("y");
    const bool as_they_lie = shared_state_of(*first) < shared_state_of(*last);
    if (!as_they_lie) std::swap(first, last);
    name = as_they_lie ? "x" : "y";
    const auto stream = *broker.stream<Watched>("s");
    const auto worker = stream->create_group("g", earliest)->consumer("worker");
    REQUIRE(stream->add(Watched(0)));
    const auto batch = *worker.read();
    int came = 0;
    const auto take = [&](expected<Watched, Errc> element) { came += element->number; };
    const auto from_first = on_ready(take, forever, *first);
    const auto from_last = on_ready(take, forever, *last);
    // Somebody pushes as soon as the first list can be used again, which was served before the last one.
    std::thread other;
    Watched::on_move = [&, moves = 0](int number) mutable {
      if (number != 2 || ++moves != 3) return;
      other = std::thread([&] { static_cast<void>(first->lpush(Watched(7))); });
    };
    const auto forwarded = batch.front().forward(into(*first, Watched(1)), into(*last, Watched(2)));
    REQUIRE(other.joinable());
    other.join();
    Watched::on_move = nullptr;
    CHECK(forwarded);
    CHECK(came == 3);
    CHECK(numbers(*first) == std::vector<int>{7});
  }
  Broker broker;
  const auto journal = Journal::open(directory.path, broker, types<Watched>, {.flush = Flush::never});
  REQUIRE(journal);
  CHECK(numbers(**broker.list<Watched>(name)) == std::vector<int>{7});
}

TEST_CASE("a key that was used again is known by its last entry, however long it takes to read the first one") {
  ManualClock clock{std::chrono::seconds(1'000)};
  const Directory directory;
  const StreamOptions options{.idempotency = {.duration = std::chrono::seconds(10)}};
  const Idempotent as{.producer = "p", .key = "k"};
  Id second;
  {
    Broker broker({.clock = &clock});
    auto journal = Journal::open(directory.path, broker, types<Slow>, {.flush = Flush::never});
    REQUIRE(journal);
    const auto stream = *broker.stream<Slow>("s", options);
    const Id first = *stream->add(Slow{1}, as);
    REQUIRE(journal->compact());
    clock.advance(std::chrono::seconds(12));
    second = *stream->add(Slow{2}, as);
    CHECK(second != first);
  }
  Broker broker({.clock = &clock});
  Slow::on_read = [&] { clock.jump(std::chrono::seconds(5)); };
  const auto journal = Journal::open(directory.path, broker, types<Slow>, {.flush = Flush::never});
  Slow::on_read = nullptr;
  REQUIRE(journal);
  const auto stream = *broker.stream<Slow>("s");
  CHECK(stream->size() == 2);
  CHECK(stream->add(Slow{3}, as) == second);
}

TEST_CASE("a name may expire in a hundred years") {
  const bool compact = GENERATE(false, true);
  const auto century = std::chrono::hours(24 * 36'525);
  const Directory directory;
  {
    Life life(directory.path);
    REQUIRE(life.list("l")->rpush("a"));
    REQUIRE(life.broker.expire_after("l", century));
    save_some(life, compact);
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  const auto left = again.broker.expires_in("l");
  REQUIRE((left && *left));
  CHECK(**left > century / 2);
}

TEST_CASE("a consumer that acknowledges nothing has got something all the same") {
  ManualClock clock{std::chrono::seconds(1'000)};
  const Directory directory;
  const char* const name = GENERATE("c", "");
  {
    Life life(directory.path, {.flush = Flush::never}, &clock);
    const auto group = *life.stream("s")->create_group("g", earliest);
    const auto consumer = group.consumer(name);
    clock.advance(std::chrono::seconds(10));
    REQUIRE(life.stream("s")->add("a"));
    CHECK(consumer.read({.no_ack = true})->size() == 1);
    clock.advance(std::chrono::seconds(5));
    REQUIRE(life.stream("s")->add("b"));
  }
  Life again(directory.path, {.flush = Flush::never}, &clock);
  REQUIRE(again.said() == "opened");
  const auto group = *again.stream("s")->group("g");
  CHECK(group.info()->pending == 0);
  const auto told = *group.consumer_info();
  REQUIRE(told.size() == 1);
  CHECK(told[0].name == name);
  CHECK(told[0].idle == std::chrono::seconds(5));
  CHECK(told[0].inactive == std::chrono::seconds(5));
}

TEST_CASE("a forward that is refused is no delivery") {
  ManualClock clock{std::chrono::seconds(1'000)};
  const Directory directory;
  {
    Life life(directory.path, {.flush = Flush::never}, &clock);
    const auto full = *life.broker.stream<std::string>("full", {.capacity = 0});
    const auto worker = life.stream("s")->create_group("g", earliest)->consumer("worker");
    REQUIRE(life.stream("s")->add("a"));
    const auto batch = worker.read();
    clock.advance(std::chrono::seconds(5));
    const std::uint64_t before = life.journal().info().records;
    CHECK(batch->front().forward(*full, "a").error() == Errc::full);
    CHECK(batch->front().forward(into(*life.list("l"), "a"), into(*full, "a")).error() == Errc::full);
    CHECK(life.journal().info().records == before + 1);  // of the list
    REQUIRE(life.stream("s")->add("b"));
  }
  Life again(directory.path, {.flush = Flush::never}, &clock);
  REQUIRE(again.said() == "opened");
  const auto group = *again.stream("s")->group("g");
  CHECK(group.info()->pending == 1);
  CHECK(group.consumer_info()->front().inactive == std::chrono::seconds(5));
  CHECK(group.pending(PendingOptions{})->front().idle == std::chrono::seconds(5));
}

TEST_CASE("a claim that moves its group is one record, whatever is forgotten meanwhile") {
  ManualClock clock{std::chrono::seconds(1'000)};
  const Directory directory;
  const fs::path file = directory.path / "1.journal";
  std::uintmax_t before = 0;
  Id last;
  {
    Life life(directory.path, {.flush = Flush::never}, &clock);
    const auto stream = *life.broker.stream<std::string>("s", {.max_age = std::chrono::seconds(5)});
    const auto group = *stream->create_group("g", earliest);
    const auto bob = group.consumer("bob");
    REQUIRE(stream->add("old"));
    clock.advance(std::chrono::seconds(4));
    const Id id = *stream->add("a");
    last = *stream->add("b");
    CHECK(group.consumer("ann").read({.count = 2})->size() == 2);
    clock.advance(std::chrono::seconds(2));
    before = fs::file_size(file);
    CHECK(bob.claim({id}, {.last_id = last})->size() == 1);
    CHECK(stream->size() == 2);
    CHECK(group.info()->last_delivered_id == last);
  }
  const std::string whole = Directory::read(file);
  for (std::size_t size = whole.size(); size >= before; --size) {
    fs::remove_all(directory.path);
    fs::create_directory(directory.path);
    std::ofstream(file, std::ios::binary) << whole.substr(0, size);
    Life again(directory.path, {.flush = Flush::never}, &clock);
    REQUIRE(again.said() == "opened");
    const auto group = *again.stream("s")->group("g");
    const bool claimed = group.pending(PendingOptions{.consumer = "bob"})->size() == 1;
    REQUIRE((group.info()->last_delivered_id == last) == claimed);
  }
}

TEST_CASE("a handler may change objects of as many journals as there are") {
  const std::vector<std::unique_ptr<Directory>> directories = [] {
    std::vector<std::unique_ptr<Directory>> made;
    for (int i = 0; i < 6; ++i) made.push_back(std::make_unique<Directory>());
    return made;
  }();
  std::vector<std::unique_ptr<Life>> lives;
  for (const auto& directory : directories) lives.push_back(std::make_unique<Life>(directory->path));
  BlockingList<std::string> list;
  std::size_t added = 0;
  const auto add_everywhere = [&](const expected<std::string, Errc>& value) {
    for (const auto& life : lives) added += life->stream("s")->add(*value) ? 1 : 0;
  };
  const auto waiting = on_ready(add_everywhere, forever, list);
  REQUIRE(list.rpush("a"));
  CHECK(added == lives.size());
  for (const auto& life : lives) CHECK(!life->journal().error());
}

#ifdef __linux__
TEST_CASE("a list that is longer than it may be, since what was taken came back, comes back as it was") {
  const bool compact = GENERATE(false, true);
  const auto overflow = GENERATE(Overflow::reject, Overflow::drop_oldest);
  const Directory directory;
  {
    Life life(directory.path);
    const auto list = *life.broker.list<std::string>("l", {.capacity = 1, .overflow = overflow});
    {
      ReadyFd ready(*list);
      CHECK(!ready.take());
      REQUIRE(list->rpush("a"));  // is set aside
      REQUIRE(list->rpush("b"));
    }
    CHECK(life.elements("l") == Strings{"a", "b"});
    save_some(life, compact);
  }
  Life again(directory.path);
  REQUIRE(again.said() == "opened");
  CHECK(again.elements("l") == Strings{"a", "b"});
  const auto orders = again.stream("orders");
  REQUIRE(orders->add("c"));
  const auto batch = orders->create_group("g", earliest)->consumer("worker").read();
  const bool drops = overflow == Overflow::drop_oldest;
  CHECK(batch->front().forward(into(*again.list("l"), "c")).has_value() == drops);
  CHECK(again.elements("l") == (drops ? Strings{"c"} : Strings{"a", "b"}));
}
#endif

}  // namespace journal_replay_test
