// A test program whose tests fail, to show what it prints then: the story of each, and of no other. The first line is for
// Catch2 2.13, which has listeners only then.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "../catch.hpp"

#include <stdexcept>

#include <brook/testing/catch2.hpp>

namespace {

using namespace brook;

/// A list under a recorder.
struct Scene {
  ManualClock clock;
  Recorder recorder;
  BlockingList<int> jobs{{.clock = &clock, .probe = recorder.named("jobs")}};
  testing::StoryOnFailure story{recorder};
};

}  // namespace

using brook::testing::FailureListener;
CATCH_REGISTER_LISTENER(FailureListener)

TEST_CASE("a check that fails in the middle") {
  Scene scene;
  CHECK(scene.jobs.rpush({1, 2}));
  CHECK(scene.jobs.size() == 3);
  CHECK(scene.jobs.lpop());
}

TEST_CASE("a requirement that fails") {
  Scene scene;
  REQUIRE(scene.jobs.lpop());
}

TEST_CASE("an exception") {
  Scene scene;
  static_cast<void>(scene.jobs.rpush({1, 2, 3}));
  throw std::runtime_error("thrown");
}

TEST_CASE("nothing fails") {
  Scene scene;
  CHECK(scene.jobs.rpush({1, 2, 3, 4}));
}
