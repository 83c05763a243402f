// What records may hold that is seldom, made again as it was.
#include <brook/journal.hpp>

#include <string>

#include "../catch.hpp"
#include "journal_support.hpp"
#include "snapshot_support.hpp"

namespace journal_replay_test {

namespace {

using namespace brook;
using namespace brook::test;

// What is saved, if it is to be, is there when the records begin.
void save_some(Life& life, bool compact) {
  if (compact) REQUIRE(life.journal().compact());
}

}  // namespace

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

}  // namespace journal_replay_test
