// What the first version of the format has recorded is found, and goes on in a file of the version that there is now.
#include <brook/journal.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "../catch.hpp"
#include "journal_support.hpp"
#include "snapshot_support.hpp"

namespace journal_kept_test {

namespace {

using namespace brook;
using namespace brook::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("a journal of version 1 is opened, and goes on in the version that there is now") {
  const Directory directory;
  for (const char* file : {"2.journal", "2.snapshot"})
    fs::copy_file(fs::path(BROOK_TEST_DATA "/v1.journal") / file, directory.path / file);
  ManualClock clock{1'900'000'000s};
  {
    Life life(directory.path, {.flush = Flush::never}, &clock);
    REQUIRE(life.said() == "opened");
    CHECK(life.broker.keys() == Strings{"dead", "jobs", "orders", "ticks", "topics"});
    CHECK(*life.broker.expires_in("topics") == std::optional<std::chrono::milliseconds>(1h));
    CHECK(life.elements("jobs") == Strings{"wash"});
    CHECK(life.list("jobs")->info().capacity == 9);
    CHECK(life.stream("orders")->range().size() == 4);
    CHECK(life.stream("orders")->add("bread", {.producer = "web", .key = "k1"}) == life.stream("orders")->last_id());
    const auto group = *life.stream("orders")->group("billing");
    CHECK(group.info()->pending == 1);
    CHECK(group.info()->returned == 1);
    CHECK(group.info()->lag == 2);
    REQUIRE(life.broker.pubsub<std::string>("more topics", {.shards = 7}));
  }
  Life again(directory.path, {.flush = Flush::never}, &clock);
  REQUIRE(again.said() == "opened");
  CHECK(snapshot::options_of(**again.broker.pubsub<std::string>("topics")).shards == 1);
  CHECK(snapshot::options_of(**again.broker.pubsub<std::string>("more topics")).shards == 7);
}

}  // namespace

}  // namespace journal_kept_test
