// What earlier versions of the format have written stays loadable, with all that was in it: the idempotency window, the policies of
// delivery, and from version 2 on the options of channels.
#include <brook/snapshot.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../catch.hpp"

namespace snapshot_kept_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;
TEST_CASE("a snapshot of each version is loaded with its idempotency window and its policies") {
  const int version = GENERATE(1, 2);
  ManualClock clock{1'800'000'000s};
  Broker broker({.clock = &clock});
  LoadOptions options;
  GroupOptions<std::string> by_length;
  by_length.ordered_by = [](const std::string& text) { return text.size(); };
  options.policies.group<std::string>("orders", "by length", by_length);
  const auto loaded = load(BROOK_TEST_DATA "/v" + std::to_string(version) + ".brook", broker,
                           types<std::string, DeadLetter<std::string>, std::uint32_t, int>, options);
  REQUIRE(loaded.has_value());
  CHECK(broker.keys("[dnjo]*") == std::vector<std::string>{"dead", "jobs", "numbers", "orders"});
  CHECK(snapshot::options_of(**broker.channel<int>("ticks")).spin == (version == 1 ? default_spin : 20us));
  CHECK(snapshot::options_of(**broker.pubsub<int>("topics")).shards == (version == 1 ? 1 : 16));
  CHECK(*broker.expires_in("jobs") == std::optional<std::chrono::milliseconds>(1h));
  CHECK((*broker.list<std::string>("jobs"))->lrange(0, -1) ==
        std::vector<std::string>{"sort", "wash", std::string("dry\n\"\x01", 6)});
  const auto numbers = (*broker.stream<std::uint32_t>("numbers"))->range();
  REQUIRE(numbers.size() == 40);
  CHECK(numbers.front().id == Id{1, 0});
  CHECK((*broker.stream<std::uint32_t>("numbers"))->range(Id{1522, 39}).front().value == 117);

  const auto orders = *broker.stream<std::string>("orders");
  CHECK(orders->closed());
  CHECK(orders->size() == 6);
  CHECK(orders->info().entries_added == 7);
  CHECK(orders->info().max_deleted_id == Id{1'700'000'000'030, 0});

  SECTION("what was added under a key is known for as long as the window lasts") {
    clock.advance(1h - 3s);
    CHECK(orders->add("again", {.producer = "web", .key = "k1"}) == Id{1'700'000'000'060, 0});
    clock.advance(3s);
    CHECK(orders->add("again", {.producer = "web", .key = "k1"}).error() == Errc::closed);
  }
  SECTION("an entry rests for as long as it had to, and its next failure is its last one") {
    const auto group = *orders->group("billing");
    CHECK(group.info()->pending == 3);
    CHECK(group.info()->returned == 1);
    const auto ann = group.consumer("ann");
    CHECK(ann.read()->size() == 2);  // what is new
    clock.advance(1s);
    const auto again = *ann.read({.count = 1});
    REQUIRE(again.size() == 1);
    CHECK(*again[0] == "tea");
    CHECK(again[0].count() == 2);
    CHECK(again[0].nack());
    const auto letters = (*broker.stream<DeadLetter<std::string>>("dead"))->range();
    REQUIRE(letters.size() == 2);
    const DeadLetter<std::string>& letter =
        (*broker.stream<DeadLetter<std::string>>("dead"))->rev_range().front().value;
    CHECK(letter.value == "tea");
    CHECK(letter.group == "billing");
    CHECK(letter.deliveries == 2);
  }
  SECTION("an order by a key goes on") {
    const auto group = *orders->group("by length");
    const auto batch = *group.consumer("dan").read();
    REQUIRE(batch.size() == 2);  // of the three lengths one is with cy
    CHECK(*batch[0] == "tea");
    CHECK(*batch[1] == "once");
  }
}

}  // namespace

}  // namespace snapshot_kept_test
