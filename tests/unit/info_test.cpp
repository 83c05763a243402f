// info_test.cpp — what streams, groups and consumers tell of themselves.
#include <brook/stream.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "scene.hpp"

namespace info_test {

namespace {

using namespace brook;
using namespace brook::test;

}  // namespace

TEST_CASE("Group info: how far it has come, also after deletions") {
  Scene scene(10);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  CHECK(group.info()->lag == 10);
  CHECK(group.info()->entries_read == 0);
  static_cast<void>(a.read({.count = 4}));
  CHECK(scene.stream.erase({id(2), id(6), id(9)}) == 3);
  const auto info = *group.info();
  CHECK(info.pending == 4);
  CHECK(info.lag == 4);
  CHECK(info.entries_read == 6);
  CHECK(info.lost == 2);
  CHECK(info.last_delivered_id == id(4));
  CHECK(values_of(*a.read()) == Ints{5, 7, 8, 10});
  CHECK(group.info()->lag == 0);
  CHECK(group.info()->entries_read == 10);
  CHECK(group.info()->lost == 2);
}

TEST_CASE("Group info: what a group has lost that stood ahead of the end") {
  Scene scene(2);
  const auto group = scene.stream.create_group("group", id(4)).value();
  for (std::uint64_t n = 3; n <= 6; ++n) REQUIRE(scene.stream.add(id(n), static_cast<int>(n)));
  CHECK(scene.stream.erase({id(1), id(3)}) == 2);
  CHECK(group.info()->lost == 0);
  CHECK(scene.stream.erase(id(6)) == 1);
  CHECK(group.info()->lost == 1);
  REQUIRE(group.set_id(id(9)));
  REQUIRE(scene.stream.add(id(8), 8));
  CHECK(scene.stream.erase(id(8)) == 1);
  CHECK(group.info()->lost == 1);
}

TEST_CASE("Group info: what a slow group has lost") {
  WatchedClock clock(start);
  Stream<int> stream({.capacity = 5, .overflow = Overflow::drop_oldest, .clock = &clock});
  for (int i = 1; i <= 3; ++i) REQUIRE(stream.add(i));
  const auto slow = stream.create_group("slow", earliest).value();
  const auto late = stream.create_group("late", latest).value();
  const auto quick = stream.create_group("quick", earliest).value();
  static_cast<void>(slow.consumer("c").read({.count = 1}));
  for (int i = 4; i <= 20; ++i) {
    static_cast<void>(quick.consumer("c").read());
    REQUIRE(stream.add(i));
  }
  CHECK(slow.info()->lost == 14);
  CHECK(slow.info()->lag == 5);
  CHECK(late.info()->lost == 12);
  CHECK(quick.info()->lost == 0);
  CHECK(values_of(*slow.consumer("c").read()) == Ints{16, 17, 18, 19, 20});
  CHECK(slow.info()->lost == 14);
}

TEST_CASE("Group info: moving the group loses nothing") {
  Scene scene(10);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  static_cast<void>(a.read({.count = 2}));
  REQUIRE(scene.stream.erase(id(3)) == 1);
  REQUIRE(group.set_id(id(6)));
  CHECK(group.info()->lost == 1);
  CHECK(group.info()->lag == 4);
  REQUIRE(group.set_id(earliest));
  CHECK(group.info()->lost == 1);
  CHECK(group.info()->lag == 9);
  REQUIRE(group.set_id(id(12)));
  CHECK(group.info()->lag == 0);
  for (std::uint64_t i = 11; i <= 14; ++i) REQUIRE(scene.stream.add(id(i), static_cast<int>(i)));
  CHECK(group.info()->lag == 2);
  CHECK(group.info()->lost == 1);
  CHECK(values_of(*a.read()) == Ints{13, 14});
  CHECK(group.info()->lost == 1);
}

TEST_CASE("Group info: an ordered group that is moved back loses nothing either") {
  Scene scene(3);
  const auto group = scene.group({.ordered_by = [](int) { return 0; }});
  const auto batch = *group.consumer("a").read();
  REQUIRE(group.set_id(earliest));
  CHECK(group.info()->lag == 3);
  CHECK(group.consumer("a").read()->empty());
  CHECK(group.info()->lag == 2);
  CHECK(group.info()->lost == 0);
  CHECK(batch.ack() == 1);
}

TEST_CASE("Consumer info: idle since it asked, inactive since it got something") {
  Scene scene(2);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto batch = *a.read({.count = 1});
  scene.clock.advance(5s);
  static_cast<void>(b.read({.count = 1}));
  scene.clock.advance(1s);
  CHECK(a.read()->empty());
  CHECK(batch[0].nack({.delay = 1s}));
  static_cast<void>(group.consumer("c"));
  scene.clock.advance(500ms);
  const auto infos = *group.consumer_info();
  REQUIRE(infos.size() == 3);
  CHECK(infos[0].name == "a");
  CHECK(infos[0].pending == 0);
  CHECK(infos[0].idle == 500ms);
  CHECK(infos[0].inactive == 6500ms);
  CHECK(infos[1].pending == 1);
  CHECK(infos[1].idle == 1500ms);
  CHECK(infos[1].inactive == 1500ms);
  CHECK(infos[2].idle == 500ms);
  CHECK(infos[2].inactive == std::nullopt);
  CHECK(group.info()->returned == 1);
  CHECK(group.info()->pending == 2);
  CHECK(group.info()->consumers == 3);
}

TEST_CASE("Full info: the stream, its groups, their consumers, and what is pending") {
  Scene scene(20);
  const auto group = scene.group();
  static_cast<void>(group.consumer("a").read({.count = 12}));
  static_cast<void>(group.consumer("b").read({.count = 1}));
  REQUIRE(scene.stream.create_group("other"));
  scene.clock.advance(3s);
  const auto full = scene.stream.full_info();
  CHECK(full.length == 20);
  CHECK(values_of(full.first) == numbers(1, 10));
  CHECK(full.last.front().value == 20);
  REQUIRE(full.consumer_groups.size() == 2);
  const auto& told = full.consumer_groups[0];
  CHECK(told.name == "group");
  CHECK(told.pending == 13);
  CHECK(told.entries.size() == 10);
  REQUIRE(told.members.size() == 2);
  CHECK(told.members[0].name == "a");
  CHECK(told.members[0].pending == 12);
  CHECK(told.members[0].entries.size() == 10);
  CHECK(told.members[0].entries[0].idle == 3s);
  CHECK(told.members[1].entries.size() == 1);
  CHECK(told.members[1].entries[0].id == id(13));
  CHECK(full.consumer_groups[1].name == "other");
  CHECK(scene.stream.full_info(2).consumer_groups[0].members[0].entries.size() == 2);
}

}  // namespace info_test
