// The strong guarantee of Broker's names where memory fails; and close(), which needs none.
#include <brook/broker.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "../unit/select_support.hpp"
#include "failing_new.hpp"

namespace broker_allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::Failing;
using brook::contract::FailingNew;
using brook::contract::SafeNew;

// Names that do not lie in their strings, so that each of them needs memory.
std::string name_of(int i) { return "a name that is too long to lie in its string, number " + std::to_string(i); }

}  // namespace

TEST_CASE("Allocation: a broker that is closed without memory closes all, in the order in which they were made") {
  Recorder recorder;
  Broker broker({.probe = &recorder});
  for (const int i : {3, 1, 2}) REQUIRE(broker.list<int>(name_of(i)));
  REQUIRE(broker.erase(name_of(1)));
  REQUIRE(broker.stream<int>(name_of(0)));
  recorder.clear();
  {
    const FailingNew failing(GENERATE(1U, 2U), Failing::from_then_on);
    broker.close();
  }
  REQUIRE(FailingNew::happened());
  CHECK(broker.closed());
  CHECK((*broker.list<int>(name_of(3)))->closed());
  CHECK((*broker.list<int>(name_of(2)))->closed());
  CHECK((*broker.stream<int>(name_of(0)))->closed());
  CHECK(broker.list<int>("another").error() == Errc::closed);
}

TEST_CASE("Allocation: a broker that dies without memory closes all") {
  std::optional<Broker> broker(std::in_place);
  const auto list = *broker->list<int>("list");
  {
    const FailingNew failing(1, Failing::from_then_on);
    broker.reset();
  }
  CHECK(list->closed());
}

TEST_CASE("Allocation: names of a broker are made, renamed and expire wholly or not at all") {
  for (std::uint64_t n = 1;; ++n) {
    SoleClock clock;
    Broker broker({.clock = &clock});
    REQUIRE(broker.list<int>(name_of(0)));
    REQUIRE(broker.list<int>(name_of(1)));
    REQUIRE(broker.expire_after(name_of(1), 1h));
    const std::string names[] = {name_of(0), name_of(1), name_of(2), name_of(3)};
    int done = 0;
    {
      const FailingNew failing(n);
      try {
        static_cast<void>(broker.list<int>(names[2]));
        done = 1;
        static_cast<void>(broker.rename(names[2], names[3]));
        done = 2;
        static_cast<void>(broker.rename(names[0], names[1]));
        done = 3;
        static_cast<void>(broker.expire_after(names[1], 2h));
        done = 4;
      } catch (const std::bad_alloc&) {}
    }
    CAPTURE(n, done);
    CHECK(broker.exists(names[0]) == (done < 3));
    CHECK(broker.exists(names[1]));
    CHECK(broker.exists(names[2]) == (done == 1));
    CHECK(broker.exists(names[3]) == (done >= 2));
    clock.advance(1h);
    CHECK(broker.exists(names[1]) == (done >= 3));
    clock.advance(1h);
    CHECK(broker.exists(names[1]) == (done == 3));
    if (!FailingNew::happened()) break;
  }
}

}  // namespace broker_allocation_test
