// redelivery_test.cpp — what becomes of entries that were delivered and not acknowledged: nack, delays, visibility, dead
// letters, claims, deleted consumers.
#include <brook/group.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "../catch.hpp"
#include "scene.hpp"

namespace redelivery_test {

namespace {

using namespace brook;
using namespace brook::test;

}  // namespace

TEST_CASE("Nack: the entry goes to whoever reads next, before new ones") {
  Scene scene(4);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto first = *a.read({.count = 2});
  CHECK(first[0].nack());
  CHECK(group.pending()->count == 2);
  const auto again = *b.read({.count = 2});
  CHECK(values_of(again) == Ints{1, 3});
  CHECK(counts_of(again) == Counts{2, 1});
  CHECK(values_of(*b.history()) == Ints{1, 3});
  CHECK(values_of(*a.history()) == Ints{2});
}

TEST_CASE("Nack: only of what is pending with whom it was delivered to") {
  Scene scene(3);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto batch = *a.read();
  CHECK(batch[0].ack());
  CHECK_FALSE(batch[0].nack());
  CHECK(batch[1].nack());
  CHECK_FALSE(batch[1].nack());
  const auto again = *group.consumer("b").read();
  CHECK(values_of(again) == Ints{2});
  CHECK_FALSE(batch[1].nack());  // it is b's now
  CHECK(batch[1].ack());         // but whoever has processed it may say so
  CHECK_FALSE(again[0].nack());
  CHECK_FALSE(again[0].ack());
  CHECK(batch[2].ack());
  CHECK(group.pending()->count == 0);
  REQUIRE(group.set_id(earliest));
  const auto seen = *a.read({.no_ack = true});
  CHECK_FALSE(seen[0].nack());
}

TEST_CASE("Nack: not of what was delivered to a consumer that was deleted, whoever has its place now") {
  Scene scene(1);
  const auto group = scene.group();
  const auto mine = *group.consumer("a").read();
  SECTION("by a claim that does not count") {
    REQUIRE(group.consumer("b").claim({id(1)}, {.just_id = true})->size() == 1);
    CHECK(group.delete_consumer("a") == 0U);
    REQUIRE(group.consumer("c").claim({id(1)}, {.just_id = true})->size() == 1);
  }
  SECTION("by a nack that does not count") {
    REQUIRE(mine[0].nack({.uncounted = true}));
    CHECK(group.delete_consumer("a") == 0U);
    REQUIRE(group.consumer("c").read()->size() == 1);
  }
  CHECK_FALSE(mine[0].nack());
  Stream<int> next({.clock = &scene.clock});
  CHECK(error_of(mine[0].forward(next, 1)) == Errc::not_pending);
  CHECK(group.pending(PendingOptions{})->front().consumer == "c");
}

TEST_CASE("Nack: the delay is that of the call, or the group's") {
  Scene scene(2);
  const auto group = scene.group({.retry_delay = 10s});
  const auto w = group.consumer("w");
  const auto batch = *w.read();
  CHECK(batch[0].nack());
  CHECK(batch[1].nack({.delay = 3s}));
  CHECK(w.read()->empty());
  scene.clock.advance(2999ms);
  CHECK(w.read()->empty());
  scene.clock.advance(1ms);
  CHECK(values_of(*w.read()) == Ints{2});
  scene.clock.advance(6999ms);
  CHECK(w.read()->empty());
  scene.clock.advance(1ms);
  CHECK(values_of(*w.read()) == Ints{1});
}

TEST_CASE("Nack: a retry delay of numbers that cannot be reckoned with is none or the longest") {
  RetryDelay delay = RetryDelay::exponential(1s, 1h);
  delay.factor = std::numeric_limits<double>::infinity();
  CHECK(delay.after(3, Id{1, 1}) == 1h);
  delay.factor = std::numeric_limits<double>::quiet_NaN();
  CHECK(delay.after(3, Id{1, 1}) == 0ms);
  delay.factor = 2;
  delay.jitter = 1e300;
  for (std::uint64_t ms = 1; ms < 9; ++ms) CHECK(delay.after(3, Id{ms, 1}) >= 0ms);
  delay.jitter = 0;
  delay.most = std::chrono::milliseconds::min();
  CHECK(delay.after(3, Id{1, 1}) == 0ms);
}

TEST_CASE("Nack: uncounted, the delivery counts as none") {
  Scene scene(1);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  CHECK(w.read()->front().nack({.uncounted = true}));
  const auto again = *w.read();
  CHECK(counts_of(again) == Counts{1});
  CHECK(again.front().nack());
  CHECK(counts_of(*w.read()) == Counts{2});
}

TEST_CASE("Nack: a blocked consumer gets the entry when its delay is over") {
  Scene scene(1);
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[0].nack({.delay = 5s}));
  scene.clock.advance(5s);
  CHECK(values_of(blocked.get()) == Ints{1});
}

TEST_CASE("Nack: at once, to a blocked consumer") {
  Scene scene(1);
  const auto group = scene.group();
  const auto batch = *group.consumer("a").read();
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(batch[0].nack());
  CHECK(values_of(blocked.get()) == Ints{1});
}

TEST_CASE("Nack: what was removed meanwhile is not delivered again, and not pending any more") {
  Scene scene(3);
  const auto group = scene.group();
  const auto w = group.consumer("w");
  const auto batch = *w.read();
  for (const auto& delivery : batch) CHECK(delivery.nack());
  CHECK(scene.stream.erase(id(2)) == 1);
  CHECK(*scene.stream.trim({.max_len = 1}) == 1);
  CHECK(group.pending()->count == 3);
  CHECK(values_of(*w.read()) == Ints{3});
  CHECK(group.pending()->count == 1);
}

TEST_CASE("Nack: after the stream is gone it does nothing") {
  std::optional<Scene> scene(std::in_place, 1);
  const auto batch = *scene->group().consumer("w").read();
  scene.reset();
  CHECK_FALSE(batch[0].nack());
}

TEST_CASE("RetryDelay: fixed, growing, capped, with jitter that can be repeated") {
  CHECK(RetryDelay(2s).after(1, id(1)) == 2s);
  CHECK(RetryDelay(2s).after(9, id(1)) == 2s);
  const auto growing = RetryDelay::exponential(100ms, 1s);
  CHECK(growing.after(1, id(1)) == 100ms);
  CHECK(growing.after(2, id(1)) == 200ms);
  CHECK(growing.after(4, id(1)) == 800ms);
  CHECK(growing.after(5, id(1)) == 1s);
  CHECK(growing.after(5000, id(1)) == 1s);
  CHECK(RetryDelay::exponential(100ms, 1h, 3).after(3, id(1)) == 900ms);
  const auto jittered = RetryDelay(10s).with_jitter(0.1, 7);
  std::vector<std::chrono::milliseconds> delays;
  for (std::uint64_t n = 0; n < 1000; ++n) delays.push_back(jittered.after(1, id(n)));
  const auto [least, most] = std::minmax_element(delays.begin(), delays.end());
  CHECK(*least >= 9s);
  CHECK(*least < 9100ms);
  CHECK(*most <= 11s);
  CHECK(*most > 10900ms);
  CHECK(jittered.after(1, id(5)) == delays[5]);
  CHECK(RetryDelay(10s).with_jitter(0.1, 8).after(1, id(5)) != delays[5]);
}

TEST_CASE("Visibility: what a consumer keeps for too long comes back") {
  Scene scene(3);
  const auto group = scene.group({.visibility = 30s});
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto early = *a.read({.count = 1});
  scene.clock.advance(10s);
  const auto late = *a.read({.count = 1});
  CHECK(late[0].ack());
  scene.clock.advance(19'999ms);
  CHECK(values_of(*b.read()) == Ints{3});
  scene.clock.advance(1ms);
  const auto again = *b.read();
  CHECK(values_of(again) == Ints{1});
  CHECK(counts_of(again) == Counts{2});
  CHECK_FALSE(early[0].nack());
  scene.clock.advance(30s);
  CHECK(values_of(*a.read()) == Ints{1, 3});
}

TEST_CASE("Visibility: a blocked consumer wakes for it") {
  Scene scene(1);
  const auto group = scene.group({.visibility = 30s});
  const auto lost = *group.consumer("a").read();
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(30s);
  CHECK(values_of(blocked.get()) == Ints{1});
}

TEST_CASE("Visibility: what was claimed comes back as well") {
  Scene scene(1);
  const auto group = scene.group({.visibility = 30s});
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  auto left = 30'000ms;
  SECTION("before it was read") {
    CHECK(a.claim({id(1)}, {.force = true})->size() == 1);
    REQUIRE(group.set_id(latest));
  }
  SECTION("while it rested") {
    CHECK(a.read()->front().nack({.delay = 1h}));
    scene.clock.advance(40s);
    CHECK(b.read()->empty());
    SECTION("by its id") { CHECK(a.claim({id(1)})->size() == 1); }
    SECTION("by a sweep") { CHECK(a.auto_claim({})->deliveries.size() == 1); }
  }
  SECTION("as if it had been with its consumer before") {
    static_cast<void>(a.read());
    CHECK(a.claim({id(1)}, {.idle = 20s})->size() == 1);
    left = 10s;
  }
  scene.clock.advance(left - 1ms);
  CHECK(b.read()->empty());
  scene.clock.advance(1ms);
  CHECK(values_of(*b.read()) == Ints{1});
}

TEST_CASE("Visibility: a blocked consumer wakes for what was claimed") {
  Scene scene(1);
  const auto group = scene.group({.visibility = 30s});
  REQUIRE(group.set_id(latest));
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(group.consumer("a").claim({id(1)}, {.force = true})->size() == 1);
  scene.clock.advance(30s);
  CHECK(values_of(blocked.get()) == Ints{1});
}

TEST_CASE("Dead letters: after so many deliveries, to a stream of the same type") {
  Scene scene(2);
  Stream<int> dead({.clock = &scene.clock});
  const auto group = scene.group({.max_deliveries = 2, .dead_letter = &dead});
  const auto w = group.consumer("w");
  CHECK(w.read({.count = 1})->front().nack());
  CHECK(dead.empty());
  const auto second = *w.read({.count = 1});
  CHECK(counts_of(second) == Counts{2});
  CHECK(second[0].nack());
  CHECK(dead.size() == 1);
  CHECK(dead.range().front().value == 1);
  CHECK(group.pending()->count == 0);
  CHECK(values_of(*w.read()) == Ints{2});
}

TEST_CASE("Dead letters: not to the stream that they come from") {
  Stream<int> stream;
  CHECK(stream.create_group("g", earliest, {.max_deliveries = 1, .dead_letter = &stream}).error() ==
        Errc::invalid_argument);
  CHECK(stream.groups().empty());
}

TEST_CASE("Dead letters: the wrapping type tells how it came to that") {
  Scene scene(2);
  Stream<DeadLetter<int>> dead({.clock = &scene.clock});
  const auto group = scene.group({.max_deliveries = 1, .dead_letter = &dead, .visibility = 10s});
  const auto w = group.consumer("worker");
  const auto batch = *w.read();
  CHECK(batch[0].nack({.fatal = true}));
  scene.clock.advance(10s);
  CHECK(w.read()->empty());  // and finds that the other one's time is over
  const auto letters = dead.range();
  REQUIRE(letters.size() == 2);
  const DeadLetter<int>& fatal = letters[0].value;
  CHECK(fatal.value == 1);
  CHECK(fatal.id == id(1));
  CHECK(fatal.group == "group");
  CHECK(fatal.consumer == "worker");
  CHECK(fatal.reason == DeathReason::fatal);
  CHECK(fatal.deliveries == 1);
  CHECK(fatal.delivered_ms == 1'000'000);
  const DeadLetter<int>& expired = letters[1].value;
  CHECK(expired.value == 2);
  CHECK(expired.reason == DeathReason::max_deliveries);
  CHECK(expired.delivered_ms == 1'000'000);
  CHECK(letters[1].id.ms == 1'010'000);
  CHECK(group.pending()->count == 0);
}

TEST_CASE("Dead letters: without a stream for them they are gone") {
  Scene scene(1);
  const auto group = scene.group({.max_deliveries = 1});
  const auto w = group.consumer("w");
  CHECK(w.read()->front().nack());
  CHECK(group.pending()->count == 0);
  CHECK(w.read()->empty());
}

TEST_CASE("Dead letters: one that is refused is not lost") {
  Scene scene(1);
  Stream<int> dead({.clock = &scene.clock});
  dead.close();
  const auto group = scene.group({.max_deliveries = 1, .dead_letter = &dead});
  const auto w = group.consumer("w");
  CHECK(w.read()->front().nack());
  CHECK(group.pending()->count == 1);
  scene.clock.advance(1s);
  const auto again = *w.read();  // for want of a better place
  CHECK(values_of(again) == Ints{1});
}

TEST_CASE("Claim: takes over, with all its options") {
  Scene scene(5);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  REQUIRE(a.read({.count = 4}));
  scene.clock.advance(10s);
  CHECK(b.claim({id(1)}, {.min_idle = 11s})->empty());
  const auto claimed = *b.claim({id(1), id(5), Id{9, 9}}, {.min_idle = 10s});
  CHECK(values_of(claimed) == Ints{1});
  CHECK(counts_of(claimed) == Counts{2});
  CHECK(b.claim({id(1)}, {.min_idle = 1ms})->empty());  // it has just been claimed
  CHECK(counts_of(*b.claim({id(2)}, {.just_id = true})) == Counts{1});
  CHECK(counts_of(*b.claim({id(2)}, {.retry_count = 7})) == Counts{7});
  REQUIRE(b.claim({id(3)}, {.idle = 5s}));
  REQUIRE(b.claim({id(4)}, {.time = 1'002'000}));
  const auto listed = *group.pending({.consumer = "b"});
  REQUIRE(listed.size() == 4);
  CHECK(listed[0].idle == 0s);
  CHECK(listed[2].idle == 5s);
  CHECK(listed[3].idle == 8s);
  REQUIRE(b.claim({id(4)}, {.time = 9'999'999}));  // in the future: now
  CHECK(group.pending({.first = id(4)})->front().idle == 0s);
  CHECK(values_of(*a.history()).empty());
}

TEST_CASE("Claim: force makes pending what is not, and last_id only moves forward") {
  Scene scene(5);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  CHECK(a.claim({id(3)})->empty());
  const auto forced = *a.claim({id(3), id(99)}, {.force = true});
  CHECK(values_of(forced) == Ints{3});
  CHECK(counts_of(forced) == Counts{2});
  CHECK(counts_of(*a.claim({id(4)}, {.force = true, .just_id = true})) == Counts{1});
  CHECK(group.pending()->count == 2);
  CHECK(values_of(*a.claim({id(2), id(3)}, {.min_idle = 1s, .force = true})) == Ints{2});  // nobody had it
  CHECK(group.pending()->count == 3);
  REQUIRE(a.claim({}, {.last_id = id(4)}));
  CHECK(group.info()->last_delivered_id == id(4));
  REQUIRE(a.claim({}, {.last_id = id(2)}));
  CHECK(group.info()->last_delivered_id == id(4));
  CHECK(values_of(*a.read()) == Ints{5});
}

TEST_CASE("Claim: what has left the stream is not pending any more") {
  Scene scene(3);
  const auto group = scene.group();
  REQUIRE(group.consumer("a").read());
  CHECK(scene.stream.erase(id(2)) == 1);
  CHECK(values_of(*group.consumer("b").claim({id(1), id(2), id(3)})) == Ints{1, 3});
  CHECK(group.pending()->count == 2);
}

TEST_CASE("Claim: what has left the stream is dropped however long it was pending") {
  Scene scene(4);
  const auto group = scene.group();
  const auto b = group.consumer("b");
  REQUIRE(group.consumer("a").read());
  CHECK(scene.stream.erase({id(1), id(3)}) == 2);
  SECTION("by its id") {
    CHECK(b.claim({id(1), id(2)}, {.min_idle = 1h})->empty());
    CHECK(group.pending()->count == 3);
  }
  SECTION("by a sweep") {
    const auto swept = *b.auto_claim({.min_idle = 1h, .count = 1});
    CHECK(swept.deliveries.empty());
    CHECK(swept.deleted == std::vector<Id>{id(1)});
    CHECK(swept.next == id(2));
    CHECK(b.auto_claim({.min_idle = 1h, .start = swept.next})->deleted == std::vector<Id>{id(3)});
    CHECK(group.pending()->count == 2);
  }
}

TEST_CASE("Claim: an id that is named twice is claimed by one after the other") {
  Scene scene(2);
  const auto group = scene.group();
  const auto b = group.consumer("b");
  REQUIRE(group.consumer("a").read({.count = 1})->size() == 1);
  scene.clock.advance(10s);
  SECTION("who has just been claimed is not idle") {
    const auto claimed = *b.claim({id(1), id(1)}, {.min_idle = 1ms});
    CHECK(counts_of(claimed) == Counts{2});
  }
  SECTION("unless that is said") {
    CHECK(counts_of(*b.claim({id(1), id(1)}, {.min_idle = 5s, .idle = 5s})) == Counts{2, 3});
  }
  SECTION("or not asked for") { CHECK(counts_of(*b.claim({id(1), id(1)})) == Counts{2, 3}); }
  SECTION("also by force") { CHECK(b.claim({id(2), id(2)}, {.min_idle = 1ms, .force = true})->size() == 1); }
}

TEST_CASE("Claim: ids in any order, of several segments, some of them gone") {
  Scene scene(40);
  const auto group = scene.group();
  REQUIRE(group.consumer("a").read());
  CHECK(scene.stream.erase({id(31), id(32)}) == 2);
  const auto claimed = *group.consumer("b").claim({id(1), id(31), id(2), id(32), id(40), id(3)});
  CHECK(values_of(claimed) == Ints{1, 2, 40, 3});
  CHECK(group.pending()->count == 38);
  // The place of an entry that is there, in a segment where the same place was erased.
  CHECK(scene.stream.erase({id(9), id(10), id(11), id(12)}) == 4);
  CHECK(values_of(*group.consumer("c").claim({id(1), id(9), id(2), id(10), id(3), id(11), id(4), id(12)})) ==
        Ints{1, 2, 3, 4});
  CHECK(group.pending()->count == 34);
}

TEST_CASE("auto_claim: sweeps, and lists what has been deleted") {
  Scene scene(10);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  REQUIRE(a.read({.count = 6}));
  scene.clock.advance(10s);
  REQUIRE(a.read());
  CHECK(scene.stream.erase({id(2), id(3)}) == 2);
  const auto first = *b.auto_claim({.min_idle = 10s, .count = 3});
  CHECK(values_of(first.deliveries) == Ints{1});
  CHECK(first.deleted == std::vector<Id>{id(2), id(3)});
  CHECK(first.next == id(4));
  const auto second = *b.auto_claim({.min_idle = 10s, .start = first.next, .count = 3});
  CHECK(values_of(second.deliveries) == Ints{4, 5, 6});
  CHECK(second.deleted.empty());
  CHECK(second.next == id(7));
  const auto third = *b.auto_claim({.min_idle = 10s, .start = second.next});
  CHECK(third.deliveries.empty());
  CHECK(third.next == Id::min());
  CHECK(group.pending()->count == 8);
  CHECK(b.auto_claim({.count = 0}).error() == Errc::invalid_argument);
}

TEST_CASE("Read with claim_idle: what others have had for too long comes first, longest first") {
  Scene scene(5);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  REQUIRE(a.read({.count = 2}));
  scene.clock.advance(1s);
  REQUIRE(a.claim({id(1)}));
  scene.clock.advance(9s);
  const auto batch = *b.read({.count = 3, .claim_idle = 9s});
  CHECK(values_of(batch) == Ints{2, 1, 3});
  CHECK(counts_of(batch) == Counts{2, 3, 1});
  CHECK(values_of(*b.read({.claim_idle = 1s})) == Ints{4, 5});
}

TEST_CASE("Read with claim_idle: wakes when an entry has become old enough") {
  Scene scene(1);
  const auto group = scene.group();
  REQUIRE(group.consumer("a").read());
  auto blocked = reading(group.consumer("b"), {.block = forever, .claim_idle = 20s});
  scene.clock.wait_for_sleepers(1);
  scene.clock.advance(20s);
  CHECK(values_of(blocked.get()) == Ints{1});
}

TEST_CASE("Pending: the list, filtered") {
  Scene scene(6);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  REQUIRE(a.read({.count = 3}));
  scene.clock.advance(5s);
  REQUIRE(group.consumer("b").read({.count = 2}));
  const auto all = *group.pending(PendingOptions{});
  REQUIRE(all.size() == 5);
  CHECK(all[0].id == id(1));
  CHECK(all[0].consumer == "a");
  CHECK(all[0].idle == 5s);
  CHECK(all[0].deliveries == 1);
  CHECK(all[4].consumer == "b");
  CHECK(group.pending({.min_idle = 1s})->size() == 3);
  CHECK(group.pending({.first = id(2), .last = id(4)})->size() == 3);
  CHECK(group.pending({.count = 2})->size() == 2);
  CHECK(group.pending({.consumer = "b"})->size() == 2);
  CHECK(group.pending({.consumer = "nobody"})->empty());
  CHECK(a.history()->front().nack({.delay = 1h}));
  const auto returned = group.pending({.count = 1})->front();
  CHECK(returned.consumer.empty());
  CHECK(returned.deliveries == 2);
}

TEST_CASE("delete_consumer: hands back what is pending, or drops it") {
  Scene scene(6);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto b = group.consumer("b");
  const auto c = group.consumer("c");
  const auto held = *a.read({.count = 2});
  REQUIRE(b.read({.count = 2}));
  CHECK(*group.delete_consumer("a") == 2);
  CHECK(group.consumers() == std::vector<std::string>{"b", "c"});
  CHECK(group.pending()->count == 4);
  CHECK(held[0].ack());  // whoever has processed it may still say so
  CHECK(values_of(*c.read({.count = 2})) == Ints{2, 5});
  CHECK(*group.delete_consumer("b", Orphans::drop) == 2);
  CHECK(group.pending()->count == 2);
  CHECK(*group.delete_consumer("b") == 0);
  CHECK(values_of(*b.read()) == Ints{6});  // its handle makes it anew
  CHECK(group.consumers() == std::vector<std::string>{"b", "c"});
}

TEST_CASE("delete_consumer: what was delivered as often as it may becomes a dead letter") {
  Scene scene(2);
  Stream<DeadLetter<int>> dead({.clock = &scene.clock});
  const auto group = scene.group({.max_deliveries = 2, .dead_letter = &dead});
  REQUIRE(group.consumer("a").read({.count = 1})->size() == 1);
  CHECK(*group.delete_consumer("a") == 1);
  CHECK(dead.empty());
  REQUIRE(group.consumer("b").read()->size() == 2);
  CHECK(*group.delete_consumer("b") == 2);
  REQUIRE(dead.size() == 1);
  const DeadLetter<int> letter = dead.range().front().value;
  CHECK(letter.value == 1);
  CHECK(letter.consumer == "b");
  CHECK(letter.reason == DeathReason::max_deliveries);
  CHECK(letter.deliveries == 2);
  CHECK(group.pending()->count == 1);
  CHECK(values_of(*group.consumer("c").read()) == Ints{2});
}

TEST_CASE("delete_consumer: what it hands back wakes a blocked consumer") {
  Scene scene(1);
  const auto group = scene.group();
  REQUIRE(group.consumer("a").read());
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(*group.delete_consumer("a") == 1);
  CHECK(values_of(blocked.get()) == Ints{1});
}

TEST_CASE("delete_consumer: one that is blocked is made anew when something comes") {
  Scene scene(0);
  const auto group = scene.group();
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(*group.delete_consumer("b") == 0);
  REQUIRE(scene.stream.add(7));
  CHECK(values_of(blocked.get()) == Ints{7});
  CHECK(group.pending()->consumers.front().name == "b");
}

TEST_CASE("Closed: not before what came back was delivered") {
  Scene scene(2);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  const auto batch = *a.read();
  scene.stream.close();
  CHECK(batch[0].ack());
  CHECK(batch[1].nack({.delay = 5s}));
  CHECK(a.read()->empty());
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  auto other = reading(group.consumer("c"), {.block = forever});
  scene.clock.wait_for_sleepers(2);
  scene.clock.advance(5s);
  CHECK(values_of(blocked.get()) == Ints{2});
  CHECK(error_of(other.get()) == Errc::closed);
  CHECK(error_of(a.read()) == Errc::closed);
}

TEST_CASE("Closed: what came back and is done with, or has left the stream, is not waited for") {
  WatchedClock clock{start};
  Stream<int> stream({.max_age = 10min, .clock = &clock});
  REQUIRE(stream.add(1));
  const Id only = stream.last_id();
  const auto group = stream.create_group("group", earliest).value();
  const auto batch = *group.consumer("a").read();
  const auto copy = batch;
  CHECK(batch[0].nack({.delay = 1h}));
  const auto end_it = [&] {
    SECTION("acknowledged by its delivery") { CHECK(batch[0].ack()); }
    SECTION("acknowledged with its batch") { CHECK(copy.ack() == 1); }
    SECTION("acknowledged by its id") { CHECK(group.ack(only) == 1); }
    SECTION("claimed, and acknowledged") { CHECK(group.consumer("c").claim({only})->ack() == 1); }
    SECTION("claimed, and not acknowledged") { CHECK(group.consumer("c").claim({only})->size() == 1); }
    SECTION("erased") { CHECK(stream.erase(only) == 1); }
    SECTION("trimmed") { CHECK(*stream.trim({.max_len = 0}) == 1); }
    SECTION("too old") {
      clock.advance(11min);
      CHECK(stream.empty());
    }
  };
  SECTION("before a read") {
    end_it();
    stream.close();
    CHECK(error_of(group.consumer("b").read()) == Errc::closed);
  }
  SECTION("while consumers sleep") {
    stream.close();
    auto first = reading(group.consumer("b"), {.block = forever});
    clock.wait_for_sleepers(1);
    auto second = reading(group.consumer("b"), {.block = forever});
    clock.wait_for_sleepers(2);
    end_it();
    CHECK(error_of(first.get()) == Errc::closed);
    CHECK(error_of(second.get()) == Errc::closed);
  }
}

TEST_CASE("Closed: told when all that waits for its turn has left the stream") {
  Scene scene(2);
  const auto group = scene.group({.ordered_by = [](int) { return 0; }});
  const auto mine = *group.consumer("a").read();
  scene.stream.close();
  CHECK(group.consumer("b").read()->empty());
  auto blocked = reading(group.consumer("b"), {.block = forever});
  scene.clock.wait_for_sleepers(1);
  CHECK(scene.stream.erase(id(2)) == 1);
  CHECK(error_of(blocked.get()) == Errc::closed);
  CHECK(mine.ack() == 1);
}

TEST_CASE("Closed: told also to a consumer that has no room for more") {
  Scene scene(3);
  const auto group = scene.group({.ordered_by = [](int value) { return value; }, .max_in_flight = 1});
  REQUIRE(group.consumer("a").read({.count = 1})->size() == 1);
  CHECK(group.consumer("b").read()->empty());
  CHECK(scene.stream.erase({id(2), id(3)}) == 2);
  scene.stream.close();
  CHECK(error_of(group.consumer("b").read()) == Errc::closed);
}

TEST_CASE("Nack: what came back and was passed by again is delivered once") {
  Scene scene(2);
  const auto group = scene.group();
  const auto a = group.consumer("a");
  CHECK(a.read({.count = 1})->front().nack({.delay = 5s}));
  REQUIRE(group.set_id(earliest));
  CHECK(values_of(*a.read()) == Ints{1, 2});
  scene.clock.advance(5s);
  CHECK(a.read()->empty());
  scene.stream.close();
  CHECK(error_of(a.read()) == Errc::closed);
}

namespace {

// Calls back when it ends, unless it was moved from.
struct Farewell {
  std::shared_ptr<std::function<void()>> call;
  explicit Farewell(std::shared_ptr<std::function<void()>> what) : call(std::move(what)) {}
  Farewell(Farewell&&) noexcept = default;
  Farewell(const Farewell&) = default;
  Farewell& operator=(const Farewell&) = delete;
  ~Farewell() {
    if (call && *call) (*call)();
  }
};

}  // namespace

TEST_CASE("Dead letters: those that make way for others end without a lock of the group's held") {
  WatchedClock clock;
  Stream<DeadLetter<Farewell>> dead({.max_len = 1, .clock = &clock});
  Stream<Farewell> stream({.clock = &clock});
  const auto group = stream.create_group("group", earliest, {.max_deliveries = 1, .dead_letter = &dead}).value();
  int calls = 0;
  const auto call = std::make_shared<std::function<void()>>();
  for (int i = 0; i < 40; ++i) REQUIRE(stream.emplace(call));
  const auto batch = *group.consumer("a").read();
  *call = [&] {
    ++calls;
    static_cast<void>(group.pending());  // takes the group's mutex
  };
  for (const auto& delivery : batch) CHECK(delivery.nack());
  CHECK(calls > 0);
  *call = nullptr;
}

}  // namespace redelivery_test
