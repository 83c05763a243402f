// Journals when memory is short: a compaction that runs out of it has lost nothing, and who asks why a journal has failed is told.
#include <brook/journal.hpp>

#include <cstdint>
#include <new>
#include <string>
#include <system_error>

#include "../catch.hpp"
#include "../unit/journal_support.hpp"
#include "failing_new.hpp"

namespace journal_allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::Failing;
using brook::contract::FailingNew;

std::string text(std::uint64_t i) {
  return "a text that does not lie in the string itself, number " + std::to_string(i);
}

TEST_CASE("a compaction that runs out of memory has lost nothing, and what comes then is recorded") {
  for (const Failing how : {Failing::once, Failing::from_then_on}) {
    const Directory directory;
    Strings pushed;
    std::uint64_t failures = 0;
    bool happened = true;
    for (std::uint64_t n = 1; happened; ++n) {
      Life life(directory.path);
      REQUIRE(life.said() == "opened");
      REQUIRE(life.elements("jobs") == pushed);
      const auto push = [&] {
        pushed.push_back(text(pushed.size()));
        REQUIRE(life.list("jobs")->rpush(pushed.back()));
      };
      push();
      bool compacted = false;
      {
        const FailingNew failing(n, how);
        try {
          compacted = life.journal().compact().has_value();
        } catch (const std::bad_alloc&) {}
      }
      happened = FailingNew::happened();
      CHECK_FALSE(life.journal().info().compacting);
      CHECK(life.journal().info().compactions == (compacted ? 1U : 0U));
      failures += compacted ? 0 : 1;
      if (!life.journal().error()) push();  // else its records could not be written, and those of before are there
    }
    CHECK(failures > 10);
  }
}

/// Files of which nothing can be flushed any more, from some time on.
struct Unflushable final : snapshot::Files {
  std::error_code flush(Handle file) override {
    return broken ? std::make_error_code(std::errc::no_space_on_device) : Files::flush(file);
  }
  bool broken = false;
};

TEST_CASE("who asks why a journal has failed is told when there is no memory left") {
  const Directory directory;
  Unflushable files;
  Life life(directory.path, {.flush = Flush::never, .if_failed = IfFailed::go_on, .files = &files});
  REQUIRE(life.list("jobs")->rpush("x"));
  files.broken = true;
  REQUIRE_FALSE(life.journal().flush());
  expected<void, SnapshotError> told;
  JournalInfo info;
  {
    const FailingNew failing(1, Failing::from_then_on);
    told = life.journal().flush();
    info = life.journal().info();
  }
  CHECK_FALSE(FailingNew::happened());
  REQUIRE_FALSE(told);
  CHECK(told.error().code() == Errc::io_error);
  CHECK_THAT(told.error().message(), Catch::Matchers::ContainsSubstring("No space"));
  REQUIRE(info.error);
  CHECK(info.error->message() == told.error().message());
}

}  // namespace

}  // namespace journal_allocation_test
