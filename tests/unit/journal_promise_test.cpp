// What a journal promises to who calls: what has returned is safe, also when others have brought it about; and a value that cannot
// be encoded does no harm to anything else.
#include <brook/journal.hpp>
#include <brook/select.hpp>
#include <brook/testing.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "journal_support.hpp"
#include "snapshot_support.hpp"

namespace journal_promise_test {

namespace {

using namespace brook;
using namespace brook::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

// The system's files, which know whether all that was written is on the disk.
class WatchedFiles final : public snapshot::Files {
 public:
  std::function<void()> at_flush = [] {};

  [[nodiscard]] bool all_flushed() const noexcept { return all_flushed_.load(); }

  std::error_code write(Handle file, std::span<const std::byte> bytes, std::size_t& written) override {
    all_flushed_.store(false);
    return Files::write(file, bytes, written);
  }
  std::error_code flush(Handle file) override {
    at_flush();
    const auto failed = Files::flush(file);
    all_flushed_.store(!failed);
    return failed;
  }

 private:
  std::atomic<bool> all_flushed_{true};
};

// What is in the lists and streams of a broker, and how much is pending.
std::string seen(Broker& broker) {
  std::ostringstream out;
  for (const std::string& name : broker.keys()) {
    out << name;
    if (const auto list = broker.list<std::string>(name)) {
      for (const auto& text : (*list)->lrange(0, -1)) out << ' ' << text;
    } else if (const auto stream = broker.stream<std::string>(name)) {
      for (const auto& [id, text] : (*stream)->range()) out << ' ' << text;
      for (const auto& group : (*stream)->groups()) out << ' ' << (*stream)->group(group)->info()->pending;
    }
    out << '\n';
  }
  return out.str();
}

// A broker whose journal flushes always, and a list outside of it.
struct Scene {
  explicit Scene(Flush flush = Flush::always) : life(directory.path, options(flush), &clock) {
    static_cast<void>(stream->create_group("group"));
  }

  [[nodiscard]] JournalOptions options(Flush flush) {
    JournalOptions how{.flush = flush};
    how.files = &files;
    return how;
  }

  // What a machine that loses its power now would leave.
  struct Left {
    std::unique_ptr<Directory> copy = std::make_unique<Directory>();
    std::string seen{};
    bool all_flushed = false;

    // Whether nothing of what could be seen is lost.
    [[nodiscard]] std::string verdict() const {
      Life found(copy->path);
      if (!found.opened) return found.said();
      if (journal_promise_test::seen(found.broker) != seen) return "not written";
      return all_flushed ? "safe" : "not flushed";
    }
  };
  [[nodiscard]] Left left() {
    Left now;
    for (const auto& file : fs::directory_iterator(directory.path)) {
      if (file.path().filename() != "lock") fs::copy_file(file.path(), now.copy->path / file.path().filename());
    }
    now.seen = seen(life.broker);
    now.all_flushed = files.all_flushed();
    return now;
  }

  const Directory directory;
  WatchedFiles files;
  ManualClock clock{1000s};
  Life life;
  const std::shared_ptr<BlockingList<std::string>> list = life.list("list");
  const std::shared_ptr<BlockingList<std::string>> full = *life.broker.list<std::string>("full", {.capacity = 1});
  const std::shared_ptr<Stream<std::string>> stream = life.stream("stream");
  const std::shared_ptr<Stream<std::string>> one = *life.broker.stream<std::string>("one", {.capacity = 1});
  BlockingList<std::string> outside{{.clock = &clock}};
};

// A number, of which -1 cannot be encoded, -2 throws then, and -3 can only be encoded at first.
struct Picky {
  int number = 0;
  friend bool operator==(const Picky&, const Picky&) = default;
};
int encoded = 0;  // how many of them were
constexpr auto picky_types = types<Picky, DeadLetter<Picky>>;

}  // namespace

}  // namespace journal_promise_test

template <>
struct brook::Codec<journal_promise_test::Picky> {
  using Picky = journal_promise_test::Picky;
  static void encode(Encoder& to, const Picky& value) {
    static int times = 0;
    ++journal_promise_test::encoded;
    if (value.number == -1 || (value.number == -3 && ++times > 1)) to.fail();
    if (value.number == -2) throw std::runtime_error("picky");
    to.number(value.number);
  }
  static expected<Picky, Errc> decode(Decoder& from) {
    const auto number = from.number<int>();
    if (!number) return from.fail();
    return Picky{*number};
  }
  static std::string type() { return "picky"; }
};

namespace journal_promise_test {

namespace {

struct PickyLife {
  explicit PickyLife(const fs::path& path, const JournalOptions& options = {}, Clock* clock = nullptr)
      : broker({.clock = clock}), journal(*Journal::open(path, broker, picky_types, options)) {}

  [[nodiscard]] std::vector<int> all() {
    std::vector<int> numbers;
    for (const auto& picky : list->lrange(0, -1)) numbers.push_back(picky.number);
    for (const auto& [id, picky] : stream->range()) numbers.push_back(picky.number);
    return numbers;
  }

  Broker broker;
  Journal journal;
  const std::shared_ptr<BlockingList<Picky>> list = *broker.list<Picky>("list");
  const std::shared_ptr<Stream<Picky>> stream = *broker.stream<Picky>("stream");
};

}  // namespace

TEST_CASE("a completion's handler is called only when the record is safe on the disk") {
  Scene scene;
  REQUIRE(scene.full->rpush("1"));
  REQUIRE(scene.one->add("1"));
  std::optional<Scene::Left> left;
  const auto handler = [&](const auto& taken) {
    if (taken) left = scene.left();
  };
  const auto after = [&](const auto& act) -> std::string {
    left.reset();
    act();
    return left ? left->verdict() : "nothing was taken";
  };
  const auto outside = [&] { return scene.outside.rpush("b"); };

  on_ready(handler, forever, *scene.list);
  CHECK(after([&] { scene.list->rpush("a"); }) == "safe");
  on_ready(handler, forever, moving(*scene.list, *scene.life.list("other"), Side::left, Side::right));
  CHECK(after([&] { scene.list->rpush("b"); }) == "safe");
  on_ready(handler, forever, moving(scene.outside, *scene.list, Side::left, Side::right));
  CHECK(after(outside) == "safe");
  on_ready(handler, forever, from(scene.stream->group("group")->consumer("c")));
  CHECK(after([&] { static_cast<void>(scene.stream->add("a")); }) == "safe");
  on_ready(handler, forever, into(*scene.full, "2"));
  CHECK(after([&] { static_cast<void>(scene.full->lpop()); }) == "safe");
  on_ready(handler, forever, into(*scene.one, "2"));
  CHECK(after([&] { static_cast<void>(scene.one->trim({.max_len = 0})); }) == "safe");
  CHECK(after([&] { on_ready(handler, forever, *scene.list); }) == "safe");
}

TEST_CASE("a call that others serve returns only when the record is safe on the disk") {
  Scene scene;
  REQUIRE(scene.full->rpush("1"));
  REQUIRE(scene.one->add("1"));
  // The disk is slow, so that who does not wait for it has returned before.
  const auto when = [&](const auto& waits, const auto& serve) {
    std::promise<void> returned;
    const auto has_returned = returned.get_future().share();
    scene.files.at_flush = [has_returned] { static_cast<void>(has_returned.wait_for(10ms)); };
    scene.clock.run_until_idle();
    const std::size_t others = scene.clock.asleep();
    auto call = scene.clock.thread([&] {
      const bool got = waits();
      const std::string verdict = scene.left().verdict();
      returned.set_value();
      return got ? verdict : "nothing was got";
    });
    scene.clock.wait_for_sleepers(others + 1);
    serve();
    const ManualClock::Away away;
    return call.get();
  };
  const auto rpush = [&](auto& list) { return [&list] { static_cast<void>(list.rpush("a")); }; };

  CHECK(when([&] { return scene.list->blpop(forever).has_value(); }, rpush(*scene.list)) == "safe");
  CHECK(when([&] { return select(forever, *scene.list).has_value(); }, rpush(*scene.list)) == "safe");
  CHECK(when([&] { return scene.outside.blmove(*scene.list, Side::left, Side::left, forever).has_value(); },
             rpush(scene.outside)) == "safe");
  const auto consumer = scene.stream->group("group")->consumer("c");
  CHECK(when([&] { return consumer.read({.block = forever})->size() == 1; },
             [&] { static_cast<void>(scene.stream->add("a")); }) == "safe");
  CHECK(when([&] { return select(forever, from(consumer)).has_value(); },
             [&] { static_cast<void>(scene.stream->add("a")); }) == "safe");
  CHECK(when([&] { return select(forever, into(*scene.full, "2")).has_value(); },
             [&] { static_cast<void>(scene.full->lpop()); }) == "safe");
  CHECK(when([&] { return select(forever, into(*scene.one, "2")).has_value(); },
             [&] { static_cast<void>(scene.one->trim({.max_len = 0})); }) == "safe");
}

TEST_CASE("a value that cannot be encoded is refused, and nothing else comes to harm") {
  const Directory directory;
  std::vector<int> before;
  {
    PickyLife life(directory.path);
    const Picky bad{-1};
    const std::vector<Picky> some{{1}, bad};
    REQUIRE(life.stream->add(Picky{1}));
    CHECK(life.stream->add(bad).error() == Errc::codec_error);
    CHECK(life.stream->add_range(some).error() == Errc::codec_error);
    CHECK(life.stream->add(bad, {.producer = "p", .key = "k"}).error() == Errc::codec_error);
    CHECK(life.stream->add(Picky{2}, {.producer = "p", .key = "k"}));  // not the one before
    REQUIRE(life.list->rpush(Picky{3}));
    CHECK(life.list->rpush(bad).error() == Errc::codec_error);
    CHECK(life.list->lpush_range(some).error() == Errc::codec_error);
    CHECK(life.list->lpushx(bad).error() == Errc::codec_error);
    CHECK(life.list->lset(0, bad).error() == Errc::codec_error);
    CHECK(life.list->linsert_before(Picky{3}, bad).error() == Errc::codec_error);
    const auto refused = life.list->try_rpush(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().value == bad);

    BlockingList<Picky> outside;
    REQUIRE(outside.rpush(bad));
    CHECK_FALSE(outside.lmove(*life.list, Side::left, Side::left));
    CHECK(outside.blmove(*life.list, Side::left, Side::left, forever).error() == Errc::codec_error);
    CHECK(outside.size() == 1);
    Stream<Picky> orders;
    const auto worker = orders.create_group("group")->consumer("worker");
    REQUIRE(orders.add(bad));
    const auto order = worker.read();
    CHECK(order->front().forward(*life.stream, bad).error() == Errc::codec_error);
    CHECK(order->front().forward(into(*life.list, bad), into(*life.stream, Picky{4})).error() == Errc::codec_error);
    CHECK(order->front().forward(into(*life.list, Picky{4}), into(*life.stream, bad)).error() == Errc::codec_error);
    CHECK(order->front().ack());

    CHECK_FALSE(life.journal.error());
    CHECK_FALSE(life.broker.closed());
    before = life.all();
    CHECK(before == std::vector<int>{3, 1, 2});
  }
  CHECK(PickyLife(directory.path).all() == before);
}

TEST_CASE("what a Codec throws comes out of the call, and nothing else comes to harm") {
  const Directory directory;
  PickyLife life(directory.path);
  const Picky bad{-2};
  REQUIRE(life.list->rpush(Picky{1}));
  CHECK_THROWS_AS(life.stream->add(bad), std::runtime_error);
  CHECK_THROWS_AS(life.stream->add(bad, {.producer = "p", .key = "k"}), std::runtime_error);
  CHECK_THROWS_AS(life.list->rpush(bad), std::runtime_error);
  CHECK_THROWS_AS(life.list->lset(0, bad), std::runtime_error);
  Stream<Picky> orders;
  const auto worker = orders.create_group("group")->consumer("worker");
  REQUIRE(orders.add(bad));
  const auto order = worker.read();
  CHECK_THROWS_AS(order->front().forward(*life.stream, bad), std::runtime_error);
  CHECK_THROWS_AS(order->front().forward(into(*life.list, Picky{2}), into(*life.stream, bad)), std::runtime_error);
  CHECK(order->front().ack());
  CHECK_FALSE(life.journal.error());
  CHECK(life.all() == std::vector<int>{1});
  CHECK(life.stream->add(Picky{2}, {.producer = "p", .key = "k"}));
}

TEST_CASE("what comes into a stream or a list is encoded once") {
  const Directory directory;
  ManualClock clock{1000s};
  PickyLife life(directory.path, {.flush = Flush::never}, &clock);
  const auto times = [](const auto& call) {
    encoded = 0;
    REQUIRE(call());
    return encoded;
  };
  const std::vector<Picky> some{{1}, {2}, {3}};
  auto& list = *life.list;
  CHECK(times([&] { return life.stream->add(Picky{1}); }) == 1);
  CHECK(times([&] { return life.stream->add_range(some); }) == 3);
  CHECK(times([&] { return list.rpush(Picky{1}); }) == 1);
  CHECK(times([&] { return list.lpush_range(some); }) == 3);
  CHECK(times([&] { return list.lpushx(Picky{4}); }) == 1);
  CHECK(times([&] { return list.lset(0, Picky{5}); }) == 1);
  CHECK(times([&] { return list.linsert_before(Picky{5}, Picky{6}); }) == 1);
  const auto worker = life.stream->create_group("group", earliest)->consumer("worker");
  const auto order = worker.read({.count = 1});
  CHECK(times([&] { return order->front().forward(into(list, Picky{7}), into(*life.stream, Picky{8})); }) == 2);

  auto& full = *(*life.broker.list<Picky>("full", {.capacity = 1}));
  REQUIRE(full.rpush(Picky{1}));
  clock.run_until_idle();
  const std::size_t others = clock.asleep();
  auto call = clock.thread([&] { return full.rpush(Picky{2}, forever).has_value(); });
  clock.wait_for_sleepers(others + 1);
  encoded = 0;
  CHECK(full.lpop() == Picky{1});
  CHECK(call.get());
  CHECK(encoded == 0);  // that was before it waited
}

TEST_CASE("a journal that fails, but not its files, has flushed what was recorded before") {
  const Directory directory;
  WatchedFiles files;
  ManualClock clock{1000s};
  std::promise<bool> told;
  {
    JournalOptions options{.on_failure = [&](const SnapshotError& why) {
      told.set_value(why.code() == Errc::codec_error && files.all_flushed());
    }};
    options.files = &files;
    PickyLife life(directory.path, options, &clock);
    REQUIRE(life.list->rpush(Picky{1}));
    CHECK_FALSE(files.all_flushed());
    BlockingList<Picky> outside;
    REQUIRE(outside.rpush(Picky{-3}));
    CHECK(outside.lmove(*life.list, Side::left, Side::left));  // when it is noted it is too late
    REQUIRE(life.journal.error());
    CHECK(life.journal.error()->code() == Errc::codec_error);
    CHECK(told.get_future().get());
    clock.run_until_idle();
    CHECK(life.broker.closed());
    CHECK(life.journal.compact().error() == Errc::codec_error);
  }
  CHECK(PickyLife(directory.path).all() == std::vector<int>{1});
}

TEST_CASE("who changes objects of more journals at once than there is room for hears of it") {
  const Directory directory;
  std::vector<std::unique_ptr<Life>> lives;
  for (int i = 0; i < 6; ++i) lives.push_back(std::make_unique<Life>(directory.path / std::to_string(i)));
  const auto to = [&](std::size_t i) { return lives[i]->stream("stream"); };
  Stream<std::string> orders;
  const auto worker = orders.create_group("group")->consumer("worker");
  REQUIRE(orders.add("order"));
  const auto order = worker.read();
  CHECK(order->front().forward(into(*to(0), "x"), into(*to(1), "x"), into(*to(2), "x"), into(*to(3), "x"),
                               into(*to(4), "x"), into(*to(5), "x")));
  std::vector<bool> failed;
  for (const auto& life : lives) failed.push_back(life->journal().error().has_value());
  lives.clear();
  for (std::size_t i = 0; i < failed.size(); ++i) {
    Life again(directory.path / std::to_string(i));
    CHECK((again.stream("stream")->size() == 1 || failed[i]));
  }
}

}  // namespace journal_promise_test
