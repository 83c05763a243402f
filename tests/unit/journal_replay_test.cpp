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

}  // namespace journal_replay_test
