// The strong guarantee: an operation that fails for want of memory, or because a value's constructor throws, has
// changed nothing, and works when it is called again.
#include <brook/stream.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "../unit/stream_support.hpp"
#include "failing_new.hpp"

namespace allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::FailingNew;
using brook::contract::SafeNew;

std::string text(int i) { return "a text that does not lie in the string itself, number " + std::to_string(i); }

Id id(int i) { return {static_cast<std::uint64_t>(i), 0}; }

// A clock on which whoever sleeps finds the time gone by at once; before the first sleep it does what it was told to.
class NimbleClock final : public Clock {
 public:
  std::function<void()> before_sleep{};

  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] time_point now() const noexcept override { return now_; }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    const SafeNew safe;
    if (before_sleep) {
      held.unlock();
      std::exchange(before_sleep, nullptr)();
      held.lock();
    } else {
      now_ = alarm.deadline;
    }
  }

 private:
  time_point now_{std::chrono::seconds(1000)};
};

struct SeenGroup {
  std::string name{};
  std::vector<std::string> consumers{};
  std::optional<Errc> error{};
  std::uint64_t pending = 0;
  Id first_pending{};
  Id last_pending{};
  std::vector<std::pair<std::string, std::uint64_t>> shares{};
  Id last_delivered_id{};
  std::uint64_t lag = 0;

  friend bool operator==(const SeenGroup&, const SeenGroup&) = default;
};

template <class T>
SeenGroup seen(const Group<T>& group) {
  SeenGroup seen{.name = group.name(), .consumers = group.consumers()};
  const auto pending = group.pending();
  const auto info = group.info();
  seen.error = error_of(pending);
  if (!pending || !info) return seen;
  seen.pending = pending->count;
  seen.first_pending = pending->first;
  seen.last_pending = pending->last;
  for (const auto& consumer : pending->consumers) seen.shares.emplace_back(consumer.name, consumer.count);
  seen.last_delivered_id = info->last_delivered_id;
  seen.lag = info->lag;
  return seen;
}

// A stream with a past: entries, gaps, two groups, of which one has entries pending with two consumers.
struct Scene {
  explicit Scene(const StreamOptions& options = {}, int entries = 40) {
    StreamOptions with_clock = options;
    with_clock.clock = &clock;
    with_clock.spin = std::chrono::microseconds(0);
    stream.emplace(with_clock);
    for (int i = 1; i <= entries; ++i) REQUIRE(stream->add(id(i), text(i)));
    stream->erase({id(7), id(8), id(20)});
    REQUIRE(stream->trim({.max_len = 30}));
    group.emplace(stream->create_group("group", earliest).value());
    group->consumer("a").read({.count = 5}).value();
    group->consumer("b").read({.count = 5}).value();
    idle.emplace(stream->create_group("idle", id(30)).value());
  }

  // All that can be seen without changing it.
  struct State {
    Seen<std::string> stream;
    std::vector<std::string> groups;
    SeenGroup group;
    SeenGroup idle;
    friend bool operator==(const State&, const State&) = default;
  };
  [[nodiscard]] State state() const { return {Seen(*stream), stream->groups(), seen(*group), seen(*idle)}; }

  // The rest, which only shows by use.
  struct Depths {
    State state;
    std::vector<std::pair<Id, std::uint64_t>> deliveries{};
    std::vector<std::string> to_come{};
    std::optional<Errc> add_error{};
    friend bool operator==(const Depths&, const Depths&) = default;
  };
  [[nodiscard]] Depths depths() {
    Depths depths{.state = state()};
    depths.add_error = error_of(stream->add(text(1000)));
    for (const Group<std::string>& each : {*group, *idle}) {
      for (const std::string& name : each.consumers()) {
        if (const auto history = each.consumer(name).history())
          for (const auto& delivery : *history) depths.deliveries.emplace_back(delivery.id(), delivery.count());
      }
      if (const auto rest = each.consumer("rest").read())
        for (const auto& delivery : *rest) depths.to_come.push_back(*delivery);
    }
    return depths;
  }

  NimbleClock clock{};
  std::optional<Stream<std::string>> stream{};
  std::optional<Group<std::string>> group{};
  std::optional<Group<std::string>> idle{};
};

// Calls `operation` with the first allocation failing, then the second, until none is left to fail.
void check_every_failure(const std::function<void(Scene&)>& operation, const StreamOptions& options = {},
                         int entries = 40) {
  Scene smooth(options, entries);
  operation(smooth);
  const auto expected = smooth.depths();
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    Scene scene(options, entries);
    const auto before = scene.state();
    bool thrown = false;
    {
      const FailingNew failing(n);
      try {
        operation(scene);
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    if (thrown) {
      const auto after = scene.state();
      CHECK(after.stream == before.stream);
      CHECK(after.groups == before.groups);
      CHECK(after.group == before.group);
      CHECK(after.idle == before.idle);
      operation(scene);
    }
    CHECK(scene.depths() == expected);
    if (!failed) return;
    if (n > 10'000) FAIL("there is no end to the allocations");
  }
}

void wanted(bool done) {
  if (!done) throw std::logic_error("refused");
}

}  // namespace

TEST_CASE("failing_new: fails the allocation it is told to, on this thread") {
  const auto allocate = [] {  // twice, and not by new-expressions, which a compiler may leave out
    ::operator delete(::operator new(8));
    ::operator delete(::operator new(100));
  };
  for (const std::uint64_t n : {1U, 2U}) {
    const FailingNew failing(n);
    bool thrown = false;
    try {
      allocate();
    } catch (const std::bad_alloc&) { thrown = true; }
    const SafeNew safe;
    CHECK(thrown);
    CHECK(FailingNew::happened());
  }
  {
    const FailingNew failing(3);
    allocate();
  }
  CHECK_FALSE(FailingNew::happened());
}

TEST_CASE("No memory: adding one entry") {
  const std::string value = text(99);
  SECTION("a copy") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(value).has_value()); });
  }
  SECTION("moved in") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(text(99)).has_value()); });
  }
  SECTION("built in place") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->emplace(100U, 'x').has_value()); });
  }
  SECTION("an explicit id") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(Id{5000, 5}, value).has_value()); });
  }
  SECTION("a sequence number") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(AutoSeq{5000}, value).has_value()); });
  }
  SECTION("far in the future") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(Id::max().prev(), value).has_value()); });
  }
  SECTION("to a stream with a bound") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(value).has_value()); }, {.max_len = 20});
  }
  SECTION("to a stream with an approximate bound") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add(value).has_value()); },
                        {.max_len = 20, .approximate = true});
  }
}

TEST_CASE("No memory: adding many entries, wherever a piece of memory ends") {
  for (const StreamOptions& options :
       {StreamOptions{}, StreamOptions{.max_len = 10}, StreamOptions{.max_len = 10, .approximate = true}}) {
    Stream<int> stream(options);
    std::uint64_t failures = 0;
    for (int i = 1; i <= 20'000; ++i) {
      for (std::uint64_t n = 1;; ++n) {
        bool thrown = false;
        expected<Id, Errc> result = unexpected(Errc::closed);
        {
          const FailingNew failing(n);
          try {
            result = stream.add(id(i), i);
          } catch (const std::bad_alloc&) { thrown = true; }
        }
        if (!thrown) {
          REQUIRE(result.has_value());
          break;
        }
        ++failures;
        REQUIRE(stream.last_id() == (i == 1 ? Id::min() : id(i - 1)));
        REQUIRE(stream.range(id(i)).empty());
        REQUIRE(stream.info().entries_added == static_cast<std::uint64_t>(i - 1));
      }
    }
    CHECK(failures > 0);
    const int length = static_cast<int>(stream.size());
    CHECK(values_of(stream.range()) == numbers(20'001 - length, 20'000));
  }
}

TEST_CASE("No memory: add_range") {
  std::vector<std::string> few;
  for (int i = 1; i <= 5; ++i) few.push_back(text(i));
  std::vector<std::string> short_ones;
  for (int i = 1; i <= 5000; ++i) short_ones.push_back(std::to_string(i));
  SECTION("few") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add_range(few).has_value()); });
  }
  SECTION("many") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add_range(short_ones).has_value()); });
  }
  SECTION("many, to a stream with a bound") {
    check_every_failure([&](Scene& scene) { wanted(scene.stream->add_range(short_ones).has_value()); },
                        {.max_len = 20});
  }
}

TEST_CASE("No memory: reading") {
  SECTION("range") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->range().size() == 30); });
  }
  SECTION("rev_range") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->rev_range().size() == 30); });
  }
  SECTION("read") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->read(earliest, {.count = 10})->size() == 10); });
  }
  SECTION("read of nothing") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->read(latest)->empty()); });
  }
  SECTION("read that waits in vain") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->read(latest, {.block = 1s})->empty()); });
  }
  SECTION("info") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->info().length == 30); });
  }
  SECTION("size and last_id") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->size() == 30 && scene.stream->last_id() == id(40)); });
  }
}

TEST_CASE("No memory: range across many pieces of memory with gaps") {
  Stream<int> stream;
  const auto ids = stream.add_range(numbers(1, 20'000)).value();
  std::vector<Id> some;
  for (std::size_t i = 0; i < ids.size(); i += 100) some.push_back(ids[i]);
  REQUIRE(stream.erase(some) == some.size());
  for (std::uint64_t n = 1;; ++n) {
    std::size_t forwards = 0;
    std::size_t backwards = 0;
    {
      const FailingNew failing(n);
      try {
        forwards = stream.range().size();
        backwards = stream.rev_range().size();
      } catch (const std::bad_alloc&) { continue; }
    }
    CHECK(forwards == 19'800);
    CHECK(backwards == 19'800);
    if (!FailingNew::happened()) break;
  }
}

TEST_CASE("No memory: erase") {
  SECTION("one") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->erase(id(15)) == 1); });
  }
  SECTION("the first and the last") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->erase({id(40), id(11), id(40)}) == 2); });
  }
  SECTION("all") {
    check_every_failure([](Scene& scene) {
      std::vector<Id> all;
      {
        const SafeNew safe;
        all = ids_of(scene.stream->range());
      }
      wanted(scene.stream->erase(all) == 30);
    });
  }
  SECTION("scattered over many pieces of memory") {
    check_every_failure(
        [](Scene& scene) {
          std::vector<Id> some;
          {
            const SafeNew safe;
            for (int i = 1; i <= 3000; i += 7) some.push_back(id(i));
          }
          static_cast<void>(scene.stream->erase(some));
        },
        {}, 3000);
  }
}

TEST_CASE("No memory: trim") {
  SECTION("to a length") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->trim({.max_len = 10}).value() == 20); });
  }
  SECTION("below an id") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->trim({.min_id = id(40)}).value() == 29); });
  }
  SECTION("all") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->trim({.max_len = 0}).value() == 30); });
  }
  SECTION("approximately") {
    check_every_failure([](Scene& scene) { scene.stream->trim({.max_len = 0, .approximate = true}).value(); }, {},
                        3000);
  }
}

TEST_CASE("No memory: close") {
  check_every_failure([](Scene& scene) { scene.stream->close(); });
}

TEST_CASE("No memory: groups") {
  SECTION("create") {
    check_every_failure(
        [](Scene& scene) { wanted(scene.stream->create_group("a name that is too long for the string").has_value()); });
  }
  SECTION("create what exists") {
    check_every_failure(
        [](Scene& scene) { wanted(error_of(scene.stream->create_group("group")) == Errc::group_exists); });
  }
  SECTION("find") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->group("group").has_value()); });
  }
  SECTION("names") {
    check_every_failure([](Scene& scene) { wanted(scene.stream->groups().size() == 2); });
  }
  SECTION("a new consumer") {
    check_every_failure(
        [](Scene& scene) { wanted(!scene.group->consumer("a name that is too long for the string").name().empty()); });
  }
  SECTION("names of consumers") {
    check_every_failure([](Scene& scene) { wanted(scene.group->consumers().size() >= 2); });
  }
  SECTION("pending") {
    check_every_failure([](Scene& scene) { wanted(scene.group->pending()->count == 10); });
  }
  SECTION("info") {
    check_every_failure([](Scene& scene) { wanted(scene.group->info()->pending == 10); });
  }
  SECTION("acknowledge") {
    check_every_failure([](Scene& scene) { wanted(scene.group->ack({id(11), id(12), id(17), id(40)}) == 3); });
  }
  SECTION("set_id") {
    check_every_failure([](Scene& scene) { wanted(scene.group->set_id(earliest).has_value()); });
  }
  SECTION("destroy") {
    check_every_failure([](Scene& scene) { wanted(scene.group->destroy().value() == 10); });
  }
}

TEST_CASE("No memory: a consumer's reads") {
  const auto consumer = [](Scene& scene, const char* name) {
    const SafeNew safe;
    return scene.group->consumer(name);
  };
  SECTION("some") {
    check_every_failure([&](Scene& scene) { wanted(consumer(scene, "a").read({.count = 3})->size() == 3); });
  }
  SECTION("all") {
    check_every_failure([&](Scene& scene) { wanted(consumer(scene, "b").read()->size() == 20); });
  }
  SECTION("without acknowledgement") {
    check_every_failure([&](Scene& scene) { wanted(consumer(scene, "a").read({.no_ack = true})->size() == 20); });
  }
  SECTION("again, what was pending with another one") {
    check_every_failure([&](Scene& scene) {
      {
        const SafeNew safe;
        wanted(scene.idle->set_id(earliest).has_value());
        scene.idle->consumer("x").read({.count = 4}).value();
        wanted(scene.idle->set_id(earliest).has_value());
        scene.idle->consumer("x").read({.count = 2}).value();
        wanted(scene.idle->set_id(earliest).has_value());
      }
      const Consumer<std::string> reader = [&] {
        const SafeNew safe;
        return scene.idle->consumer("y");
      }();
      SeenGroup before;
      {
        const SafeNew safe;
        before = seen(*scene.idle);
      }
      try {
        wanted(reader.read()->size() == 30);
      } catch (const std::bad_alloc&) {
        const SafeNew safe;
        CHECK(seen(*scene.idle) == before);
        wanted(reader.read()->size() == 30);
      }
    });
  }
  SECTION("with gaps, many") {
    check_every_failure([&](Scene& scene) { wanted(!consumer(scene, "a").read()->empty()); }, {}, 500);
  }
  SECTION("its history") {
    check_every_failure([&](Scene& scene) { wanted(consumer(scene, "a").history()->size() == 5); });
  }
  SECTION("acknowledging a batch") {
    check_every_failure([&](Scene& scene) {
      std::optional<Deliveries<std::string>> batch;
      {
        const SafeNew safe;
        batch = consumer(scene, "a").history().value();
        wanted(scene.group->set_id(scene.group->info()->last_delivered_id).has_value());
      }
      try {
        wanted(batch->ack() == 5);
      } catch (const std::bad_alloc&) {
        const SafeNew safe;
        CHECK(scene.group->pending()->count == 10);
        wanted(batch->ack() == 5);
      }
    });
  }
  SECTION("a wait in vain") {
    check_every_failure([&](Scene& scene) {
      {
        const SafeNew safe;
        if (scene.group->info()->lag > 0) consumer(scene, "a").read({.no_ack = true}).value();
      }
      try {
        wanted(consumer(scene, "a").read({.block = 1s})->empty());
      } catch (const std::bad_alloc&) {
        const SafeNew safe;
        wanted(consumer(scene, "a").read({.block = 1s})->empty());
      }
    });
  }
}

TEST_CASE("No memory: forwarding to several streams") {
  struct Boxed {
    explicit Boxed(int number) : value(number) {}
    Boxed(Boxed&& other) noexcept(false) : value(other.value) {}
    int value;
  };
  for (std::uint64_t n = 1;; ++n) {
    Stream<int> from;
    Stream<int> one;
    Stream<Boxed> other;
    REQUIRE(from.add(1));
    const auto group = from.create_group("group", earliest).value();
    const auto batch = *group.consumer("a").read();
    bool threw = false;
    bool forwarded = false;
    {
      const FailingNew failing(n);
      try {
        forwarded = batch[0].forward(into(one, 1), into(other, 2)).has_value();
      } catch (const std::bad_alloc&) { threw = true; }
    }
    CHECK(forwarded != threw);
    CHECK(one.size() == (threw ? 0 : 1));
    CHECK(other.size() == (threw ? 0 : 1));
    CHECK(group.pending()->count == (threw ? 1 : 0));
    CHECK(batch[0].ack() == threw);
    if (!FailingNew::happened()) break;
  }
}

TEST_CASE("No memory: a reader that was woken loses nothing") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    Scene scene;
    scene.clock.before_sleep = [&] { wanted(scene.stream->add(text(99)).has_value()); };
    std::optional<std::vector<std::string>> found;
    {
      const FailingNew failing(n);
      try {
        const auto batch = scene.stream->read(id(40), {.block = forever});
        const SafeNew safe;
        found = values_of(batch);
      } catch (const std::bad_alloc&) {}
    }
    const bool failed = FailingNew::happened();
    if (!found) found = values_of(scene.stream->read(id(40), {.block = forever}));
    CHECK(*found == std::vector<std::string>{text(99)});
    if (!failed) break;
  }
}

TEST_CASE("No memory: a consumer that was woken loses nothing, and takes nothing along") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    Scene scene;
    scene.clock.before_sleep = [&] { wanted(scene.stream->add(text(99)).has_value()); };
    const auto consumer = scene.group->consumer("a");
    REQUIRE(consumer.read({.no_ack = true}));
    std::optional<std::vector<std::string>> found;
    {
      const FailingNew failing(n);
      try {
        const auto batch = consumer.read({.block = forever});
        const SafeNew safe;
        found = values_of(batch);
      } catch (const std::bad_alloc&) {}
    }
    const bool failed = FailingNew::happened();
    if (!found) {
      CHECK(scene.group->pending()->count == 10);
      found = values_of(consumer.read({.block = forever}));
    }
    CHECK(*found == std::vector<std::string>{text(99)});
    CHECK(scene.group->pending()->count == 11);
    if (!failed) break;
  }
}

TEST_CASE("No memory: set_id back, while a consumer is blocked") {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    WatchedClock clock;
    Stream<std::string> stream({.clock = &clock, .spin = std::chrono::microseconds(0)});
    for (int i = 1; i <= 10; ++i) REQUIRE(stream.add(id(i), text(i)));
    const auto group = stream.create_group("group", latest).value();
    auto reader = std::async(std::launch::async, [consumer = group.consumer("w")] {
      return values_of(consumer.read({.block = forever})).size();
    });
    clock.wait_for_sleepers(1);
    bool thrown = false;
    {
      const FailingNew failing(n);
      try {
        wanted(group.set_id(id(3)).has_value());
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    if (thrown) {
      CHECK(group.info()->last_delivered_id == id(10));
      CHECK(group.pending()->count == 0);
      REQUIRE(group.set_id(id(3)));
    }
    CHECK(reader.get() == 7);
    CHECK(group.pending()->count == 7);
    CHECK(group.info()->last_delivered_id == id(10));
    if (!failed) break;
  }
}

TEST_CASE("No memory: making a stream") {
  for (std::uint64_t n = 1;; ++n) {
    std::optional<Stream<std::string>> stream;
    {
      const FailingNew failing(n);
      try {
        stream.emplace();
      } catch (const std::bad_alloc&) { continue; }
    }
    REQUIRE(stream->add("works"));
    CHECK(stream->size() == 1);
    if (!FailingNew::happened()) break;
  }
}

namespace {

// Counts every construction; the n-th throws.
struct Fuse {
  static inline std::uint64_t left = 0;  // 0: none throws
  static inline bool blown = false;
  static void burn() {
    if (left != 0 && --left == 0) {
      blown = true;
      throw std::runtime_error("blown");
    }
  }
};

// `moves_surely` says whether a move may throw too.
template <bool moves_surely>
class Fussy {
 public:
  Fussy(Census& census, int value) : census_(&census), value_(value) {
    Fuse::burn();
    census_->born(this);
  }
  Fussy(const Fussy& other) : census_(other.census_), value_(other.value_) {
    Fuse::burn();
    census_->born(this);
  }
  Fussy(Fussy&& other) noexcept(moves_surely) : census_(other.census_), value_(other.value_) {
    if constexpr (!moves_surely) Fuse::burn();
    census_->born(this);
  }
  Fussy& operator=(const Fussy&) = delete;
  ~Fussy() { census_->died(this); }

  friend bool operator==(const Fussy& a, const Fussy& b) { return a.value_ == b.value_; }

 private:
  Census* census_;
  int value_;
};

template <class T>
void check_every_throw(const std::function<bool(Stream<T>&, Census&, const std::vector<T>&)>& operation,
                       const StreamOptions& options = {}) {
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(n);
    Census census;
    bool blown = false;
    {
      Stream<T> stream(options);
      for (int i = 0; i < 10; ++i) REQUIRE(stream.emplace(census, i));
      std::vector<T> values;
      values.reserve(100);
      for (int i = 10; i < 110; ++i) values.emplace_back(census, i);
      const auto alive = census.alive();
      const auto last = stream.last_id();
      const auto size = stream.size();
      const auto added = stream.info().entries_added;
      bool thrown = false;
      bool done = false;
      Fuse::blown = false;
      Fuse::left = n;
      try {
        done = operation(stream, census, values);
      } catch (const std::runtime_error&) { thrown = true; }
      Fuse::left = 0;
      blown = Fuse::blown;
      if (thrown) {
        CHECK(census.alive() == alive);
        CHECK(stream.last_id() == last);
        CHECK(stream.size() == size);
        CHECK(stream.range(Id::min(), Id::max()).size() == size);
        CHECK(stream.info().entries_added == added);
        CHECK(operation(stream, census, values));
      } else {
        CHECK(done);
      }
      CHECK(stream.last_id() > last);
      CHECK(stream.info().entries_added > added);
      CHECK(stream.size() == stream.range().size());
    }
    CHECK(census.sound());
    CHECK(census.alive() == 0);
    if (!blown) return;
    if (n > 1000) FAIL("there is no end to the constructions");
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A value's constructor throws", "", Fussy<true>, Fussy<false>) {
  using T = TestType;
  for (const StreamOptions& options : {StreamOptions{}, StreamOptions{.max_len = 5}}) {
    check_every_throw<T>([](auto& stream, Census&, const auto& values) { return !!stream.add(values[0]); }, options);
    check_every_throw<T>([](auto& stream, Census& census, const auto&) { return !!stream.add(T(census, 5)); }, options);
    check_every_throw<T>([](auto& stream, Census& census, const auto&) { return !!stream.emplace(census, 5); },
                         options);
    check_every_throw<T>(
        [](auto& stream, Census&, const auto& values) {
          return !!stream.add(Id{stream.last_id().ms + 1, 0}, values[0]);
        },
        options);
    check_every_throw<T>(
        [](auto& stream, Census&, const auto& values) { return !!stream.add(AutoSeq{stream.last_id().ms}, values[0]); },
        options);
    check_every_throw<T>([](auto& stream, Census&, const auto& values) { return !!stream.add_range(values); }, options);
  }
}

// A consumer that is served may go on to serve the next one, and run out of memory there.
TEST_CASE("Failing allocation: blocked consumers lose nothing, and nobody sleeps on") {
  for (std::uint64_t n = 1; n <= 40; ++n) {
    WatchedClock clock;
    Stream<int> stream({.clock = &clock});
    const auto group = stream.create_group("group", earliest).value();
    const auto a = group.consumer("a");
    const auto c = group.consumer("c");
    std::atomic<bool> over = false;
    std::size_t got_a = 0;
    std::size_t got_c = 0;
    std::thread first([&] {
      const FailingNew failing(n);
      try {
        got_a = a.read({.count = 1, .block = forever})->size();
      } catch (const std::bad_alloc&) {}
      over = true;
    });
    while (clock.asleep() == 0 && !over) std::this_thread::yield();
    std::thread second([&] { got_c = c.read({.count = 100'000, .block = forever})->size(); });
    while (clock.asleep() + (over ? 1 : 0) < 2) std::this_thread::yield();
    const std::vector<int> values(9'000, 7);
    REQUIRE(stream.add_range(values));
    first.join();
    second.join();
    INFO("the " << n << "-th allocation");
    CHECK(got_c > 0);
    CHECK(group.pending()->count == got_a + got_c);
    CHECK(group.info()->lag == 9'000 - got_a - got_c);
  }
}

}  // namespace allocation_test
