// channel_test.cpp — channels whose subscribers do not wait: every operation, option and error; types; memory.
#include <brook/channel.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "channel_support.hpp"

namespace channel_test {

namespace {

using namespace brook;
using namespace brook::test;

// A value whose end is told.
struct Told {
  explicit Told(int value, std::function<void(int)> on_end = {}) : number(value), tell(std::move(on_end)) {}
  Told(Told&& other) noexcept : number(other.number), tell(std::exchange(other.tell, nullptr)) {}
  Told& operator=(Told&&) = delete;
  ~Told() {
    if (tell) tell(number);
  }
  [[nodiscard]] int value() const { return number; }

  int number;
  std::function<void(int)> tell;
};

void publish_counted(Channel<Big>& channel, Census& census, int first, int last) {
  for (int i = first; i <= last; ++i) channel.publish(Big(census, i));
}

}  // namespace

static_assert(std::input_iterator<Subscription<int>::iterator>);
static_assert(std::ranges::input_range<Subscription<int>>);
static_assert(std::ranges::forward_range<const Messages<int>>);
static_assert(std::movable<Subscription<int>> && !std::copyable<Subscription<int>>);
static_assert(std::movable<CallbackSubscription> && !std::copyable<CallbackSubscription>);
static_assert(std::copyable<Message<MoveOnly>> && std::copyable<Messages<MoveOnly>>);
static_assert(!std::is_copy_constructible_v<Channel<int>> && !std::is_move_constructible_v<Channel<int>>);

TEST_CASE("Channel: all who are subscribed receive what is published, in its order") {
  Channel<int> channel;
  auto a = channel.subscribe();
  auto b = channel.subscribe();
  CHECK(channel.subscriptions() == 2);
  CHECK(channel.publish(1) == 2);
  const int two = 2;
  CHECK(channel.publish(two) == 2);
  auto c = channel.subscribe();
  CHECK(channel.publish(3) == 3);
  CHECK(a.waiting() == 3);
  CHECK(drained(a) == Ints{1, 2, 3});
  CHECK(a.waiting() == 0);
  CHECK(drained(b) == Ints{1, 2, 3});
  CHECK(drained(c) == Ints{3});
  CHECK(!a.try_receive());
  CHECK(a.lost() == 0);
  CHECK(a.reason() == std::nullopt);
}

TEST_CASE("Channel: what is published to nobody is gone") {
  Channel<int> channel;
  CHECK(channel.publish(1) == 0);
  CHECK(channel.publish(1, forever) == 0U);
  CHECK(channel.publish_range(numbers(1, 3)) == 0);
  auto subscription = channel.subscribe();
  CHECK(!subscription.try_receive());
  CHECK(channel.info().published == 0);
}

TEST_CASE("Channel: there is no history") {
  Channel<int> channel;
  auto early = channel.subscribe();
  for (int i = 1; i <= 1000; ++i) {
    channel.publish(i);
    if (i % 7 != 0) continue;
    auto late = channel.subscribe();
    REQUIRE(late.waiting() == 0);
    REQUIRE(!late.try_receive());
    channel.publish(++i);
    REQUIRE(drained(late) == Ints{i});
  }
  CHECK(drained(early) == numbers(1, 1000));
}

TEST_CASE("Channel: several values at once") {
  Channel<int> channel;
  auto a = channel.subscribe();
  auto b = channel.subscribe();
  CHECK(channel.publish_range(numbers(1, 3)) == 2);
  CHECK(channel.publish_range(Ints{}) == 2);
  CHECK(channel.publish_range(std::views::iota(4, 5001), forever) == 2U);
  CHECK(channel.publish_range(Ints{}, forever) == 2U);
  CHECK(drained(a) == numbers(1, 5000));
  const auto all = b.receive_batch();
  REQUIRE(all);
  CHECK(all->size() == 5000);
  CHECK(values_of(*all) == numbers(1, 5000));
}

TEST_CASE("Channel: values are moved out of a range of rvalues") {
  Channel<std::unique_ptr<int>> channel;
  auto subscription = channel.subscribe();
  std::vector<std::unique_ptr<int>> values;
  for (int i = 0; i < 3; ++i) values.push_back(std::make_unique<int>(i));
  CHECK(channel.publish_range(values | std::views::transform([](auto& value) { return std::move(value); })) == 1);
  CHECK(values.back() == nullptr);
  const auto batch = subscription.receive_batch();
  REQUIRE(batch->size() == 3);
  CHECK(**batch->begin() == 0);
}

TEST_CASE("Subscription: batches") {
  Channel<int> channel;
  auto subscription = channel.subscribe();
  CHECK(subscription.receive_batch(0, forever)->empty());
  CHECK(subscription.receive_batch(no_limit, Wait())->empty());
  publish(channel, 1, 1000);
  CHECK(subscription.receive_batch(0, forever)->empty());
  CHECK(values_of(*subscription.receive_batch(1)) == numbers(1, 1));
  CHECK(values_of(*subscription.receive_batch(10)) == numbers(2, 11));
  CHECK(taken(subscription) == 12);
  const auto rest = subscription.receive_batch();
  CHECK(values_of(*rest) == numbers(13, 1000));
  CHECK(rest->lost() == 0);
  const Messages<int> copy = *rest;
  CHECK(values_of(copy) == numbers(13, 1000));
  CHECK(std::ranges::distance(copy.begin(), copy.end()) == 988);
  CHECK(*std::ranges::next(copy.begin(), 987) == 1000);
  CHECK(Messages<int>().empty());
  CHECK(Messages<int>().begin() == Messages<int>().end());
}

TEST_CASE("Subscription: a loop over it ends when the channel has been closed and all was received") {
  Channel<int> channel;
  auto subscription = channel.subscribe();
  publish(channel, 1, 100);
  channel.close();
  Ints seen;
  for (const auto& message : subscription) seen.push_back(*message);
  CHECK(seen == numbers(1, 100));
  CHECK(subscription.begin() == subscription.end());
}

TEST_CASE("Message: stays as it is when all else has gone") {
  Census census;
  std::optional<Message<Big>> kept;
  Messages<Big> batch;
  {
    Channel<Big> channel;
    auto subscription = channel.subscribe();
    publish_counted(channel, census, 1, 100);
    kept = subscription.try_receive();
    batch = *subscription.receive_batch(2);
    const Message<Big> copy = *kept;
    CHECK(&*copy == &**kept);
    CHECK(copy->value() == 1);
    CHECK(copy.lost() == 0);
    CHECK(copy.channel().empty());
    CHECK(copy.pattern().empty());
  }
  CHECK((*kept)->value() == 1);
  CHECK(values_of(batch) == Ints{2, 3});
  CHECK(census.alive() <= 2 * Big::in_a_segment);
  kept.reset();
  batch = {};
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("Channel: a message is stored once, and read where it lies") {
  Channel<std::string> channel;
  auto a = channel.subscribe();
  auto b = channel.subscribe();
  channel.publish("one");
  const auto at_a = a.try_receive();
  const auto at_b = b.try_receive();
  CHECK(&**at_a == &**at_b);
  CHECK((*at_a)->size() == 3);
}

TEMPLATE_TEST_CASE("Channel: types of every kind", "", MoveOnly, Large, Constant, Fussy<true>, Fussy<false>) {
  Channel<TestType> channel;
  auto a = channel.subscribe();
  auto b = channel.subscribe({.backlog = 10});
  publish(channel, 1, 100);
  CHECK(drained(a) == numbers(1, 100));
  CHECK(drained(b) == numbers(91, 100));
  CHECK(channel.publish_range(numbers(1, 50)) == 2);
  CHECK(values_of(*a.receive_batch()) == numbers(1, 50));
}

TEST_CASE("Channel: of bool") {
  Channel<bool> channel;
  auto subscription = channel.subscribe();
  channel.publish(true);
  channel.publish_range(std::vector<bool>{false, true});
  CHECK(**subscription.try_receive());
  const auto rest = subscription.receive_batch();
  CHECK(std::vector<bool>(rest->begin(), rest->end()) == std::vector<bool>{false, true});
}

TEMPLATE_TEST_CASE("Channel: a value that throws is not published", "", Fussy<true>, Fussy<false>) {
  Channel<TestType> channel;
  auto subscription = channel.subscribe();
  TestType::fuse = 0;
  TestType value(1);
  TestType::fuse = 1;
  CHECK_THROWS_AS(channel.publish(value), typename TestType::Thrown);
  TestType::fuse = 3;
  CHECK_THROWS_AS(channel.publish_range(numbers(1, 3)), typename TestType::Thrown);
  TestType::fuse = 0;
  CHECK(!subscription.try_receive());
  CHECK(channel.info().published == 0);
  channel.publish(value);
  CHECK(drained(subscription) == Ints{1});
}

TEST_CASE("Channel: a move that throws leaves nothing behind") {
  Channel<Fussy<false>> channel;
  auto subscription = channel.subscribe();
  Fussy<false> value(1);
  Fussy<false>::fuse = 1;
  CHECK_THROWS_AS(channel.publish(std::move(value)), Fussy<false>::Thrown);
  Fussy<false>::fuse = 0;
  CHECK(!subscription.try_receive());
}

TEST_CASE("Channel: values are constructed and destroyed once each") {
  Census census;
  {
    Channel<Counted<false>> boxed;
    Channel<Counted<>> channel;
    auto a = boxed.subscribe();
    auto b = channel.subscribe({.backlog = 7});
    for (int i = 0; i < 500; ++i) {
      boxed.publish(Counted<false>(census, i));
      channel.publish(Counted<>(census, i));
    }
    CHECK(drained(a) == numbers(0, 499));
    CHECK(drained(b) == numbers(493, 499));
  }
  CHECK(census.alive() == 0);
  CHECK(census.sound());
}

TEST_CASE("Channel: memory is freed when the slowest has passed") {
  Census census;
  Channel<Big> channel;
  auto fast = channel.subscribe();
  std::optional slow(channel.subscribe());
  publish_counted(channel, census, 1, 1000);
  CHECK(census.alive() == 1000);
  CHECK(channel.info().kept == 1000);
  CHECK(drained(fast) == numbers(1, 1000));
  CHECK(census.alive() == 1000);
  SECTION("by receiving one by one") {
    for (int i = 1; i <= 1000; ++i) {
      REQUIRE(taken(*slow) == i);
      REQUIRE(census.alive() <= static_cast<std::size_t>(1000 - i) + 2 * Big::in_a_segment);
    }
    CHECK(channel.info().kept == 0);
  }
  SECTION("by receiving all") { CHECK(slow->receive_batch()->size() == 1000); }
  SECTION("by unsubscribing") { slow->unsubscribe(); }
  SECTION("by dying") { slow.reset(); }
  if (slow) CHECK(census.alive() <= 2 * Big::in_a_segment);
  slow.reset();
  CHECK(census.alive() <= Big::in_a_segment);
  CHECK(census.sound());
}

TEST_CASE("Channel: of large messages whose moves may throw no more stay than of others") {
  struct Boxed : Big {
    using Big::Big;
    Boxed(Boxed&& other) noexcept(false) : Big(std::move(other)) {}
  };
  Census census;
  Channel<Boxed> channel;
  auto subscription = channel.subscribe();
  for (int i = 1; i <= 1000; ++i) {
    channel.publish(Boxed(census, i));
    REQUIRE(taken(subscription) == i);
    REQUIRE(census.alive() <= 2 * Boxed::in_a_segment);
  }
}

TEST_CASE("Channel: who does not receive keeps no more than its backlog, and what it stands in") {
  Census census;
  Channel<Big> channel;
  auto fast = channel.subscribe();
  const Overflow overflow = GENERATE(Overflow::drop_oldest, Overflow::disconnect, Overflow::reject);
  const std::uint64_t backlog = GENERATE(1U, 40U);
  auto slow = channel.subscribe({.backlog = backlog, .overflow = overflow});
  for (int i = 1; i <= 1000; ++i) {
    channel.publish(Big(census, i));
    REQUIRE(taken(fast) == i);
    REQUIRE(census.alive() <= backlog + 4 * Big::in_a_segment);
    REQUIRE(channel.info().kept <= backlog);
  }
  const auto found = slow.receive(Wait());
  CHECK(found.has_value() == (overflow == Overflow::drop_oldest));
}

TEST_CASE("Channel: when the last has gone, nothing is kept but the end") {
  Census census;
  Channel<Big> channel;
  {
    auto subscription = channel.subscribe();
    publish_counted(channel, census, 1, 1000);
  }
  CHECK(census.alive() <= Big::in_a_segment);
  CHECK(channel.info().kept == 0);
  publish_counted(channel, census, 1, 100);
  CHECK(census.alive() <= Big::in_a_segment);
}

TEST_CASE("Subscription: drops the oldest when its backlog has no room") {
  Channel<int> channel;
  auto all = channel.subscribe();
  auto subscription = channel.subscribe({.backlog = 3});
  publish(channel, 1, 3);
  CHECK(subscription.waiting() == 3);
  CHECK(subscription.try_receive()->lost() == 0);
  publish(channel, 4, 10);
  CHECK(subscription.waiting() == 3);
  CHECK(subscription.lost() == 0);
  const auto first = subscription.try_receive();
  CHECK(**first == 8);
  CHECK(first->lost() == 6);
  CHECK(subscription.lost() == 6);
  const auto second = subscription.try_receive();
  CHECK(**second == 9);
  CHECK(second->lost() == 0);
  publish(channel, 11, 13);
  const auto batch = subscription.receive_batch();
  CHECK(values_of(*batch) == numbers(11, 13));
  CHECK(batch->lost() == 1);
  CHECK(subscription.lost() == 7);
  CHECK(subscription.reason() == std::nullopt);
  CHECK(drained(all) == numbers(1, 13));
  CHECK(all.lost() == 0);
}

TEST_CASE("Subscription: every size of a backlog, however many are published") {
  for (const std::uint64_t backlog : {0U, 1U, 2U, 7U, 8U, 9U, 24U, 25U, 100U, 1000U, 5000U}) {
    Channel<int> channel;
    auto subscription = channel.subscribe({.backlog = backlog});
    const int room = static_cast<int>(std::max<std::uint64_t>(backlog, 1));
    int last = 0;
    int expected = 1;
    for (const int more : {1, 3, 8, 9, 1, 55, 300, 2, 4000, 1, 4097}) {
      CAPTURE(backlog, more, last);
      if (more % 2 == 0) publish(channel, last + 1, last + more);
      else channel.publish_range(numbers(last + 1, last + more));
      last += more;
      const int next = std::max(expected, last - room + 1);
      const auto message = subscription.try_receive();
      REQUIRE(message);
      REQUIRE(**message == next);
      REQUIRE(message->lost() == static_cast<std::uint64_t>(next - expected));
      expected = next + 1;
      if (more == 300) {
        REQUIRE(drained(subscription) == numbers(expected, last));
        expected = last + 1;
      }
    }
    REQUIRE(drained(subscription) == numbers(expected, last));
  }
}

TEST_CASE("Subscription: ends when its backlog has no room") {
  const Overflow overflow = GENERATE(Overflow::disconnect, Overflow::reject);
  Channel<int> channel;
  auto all = channel.subscribe();
  auto subscription = channel.subscribe({.backlog = 3, .overflow = overflow});
  publish(channel, 1, 3);
  CHECK(drained(subscription) == numbers(1, 3));
  publish(channel, 4, 6);
  CHECK(taken(subscription) == 4);
  CHECK(subscription.waiting() == 2);
  CHECK(channel.publish(7) == 2);
  CHECK(taken(subscription) == 5);
  publish(channel, 8, 9);
  CHECK(subscription.waiting() == 0);
  CHECK(error_of(subscription.receive(forever)) == Errc::closed);
  CHECK(subscription.reason() == Errc::full);
  CHECK(subscription.lost() == 4);
  CHECK(error_of(subscription.receive_batch()) == Errc::closed);
  CHECK(channel.subscriptions() == 1);
  CHECK(channel.publish(10) == 1);
  subscription.unsubscribe();
  CHECK(subscription.reason() == Errc::full);
  CHECK(channel.subscriptions() == 1);
  CHECK(drained(all) == numbers(1, 10));
}

TEST_CASE("Subscription: what had no room ends it, however much at once") {
  Channel<int> channel;
  auto subscription = channel.subscribe({.backlog = 100, .overflow = Overflow::disconnect});
  channel.publish_range(numbers(1, 100));
  CHECK(subscription.receive_batch()->size() == 100);
  channel.publish_range(numbers(1, 101));
  CHECK(!subscription.try_receive());
  CHECK(subscription.reason() == Errc::full);
}

TEST_CASE("Subscription: one that ended as it was too slow keeps nothing") {
  Census census;
  Channel<Big> channel;
  auto fast = channel.subscribe();
  auto slow = channel.subscribe({.backlog = 500, .overflow = Overflow::disconnect});
  publish_counted(channel, census, 1, 600);
  CHECK(drained(fast) == numbers(1, 600));
  CHECK(!slow.try_receive());
  CHECK(census.alive() <= 2 * Big::in_a_segment);
}

TEST_CASE("Subscription: one that is too slow and catches up while it receives goes on") {
  Channel<Told> channel;
  auto subscription = channel.subscribe({.backlog = 40, .overflow = Overflow::disconnect});
  int next = 1;
  // The end of the first message, which comes when the receiver goes on to the next segment, publishes more.
  const auto more = [&](int) {
    while (next <= 60) channel.publish(Told(next++));
  };
  channel.publish(Told(next++, more));
  while (next <= 20) channel.publish(Told(next++));
  CHECK(values_of(*subscription.receive_batch(8)) == numbers(1, 8));
  while (next <= 30) channel.publish(Told(next++));
  Ints seen;
  while (next <= 60 || seen.back() < 60) {
    const auto batch = subscription.receive_batch(no_limit, Wait());
    REQUIRE(batch);
    for (const Told& value : *batch) seen.push_back(value.number);
  }
  CHECK(seen == numbers(9, 60));
}

TEST_CASE("Subscription: its messages may end while it receives, and look for more") {
  const Overflow overflow = GENERATE(Overflow::drop_oldest, Overflow::disconnect, Overflow::block);
  const std::uint64_t backlog = GENERATE(100U, 1000U, unlimited);
  Channel<Told> channel;
  auto subscription = channel.subscribe({.backlog = backlog, .overflow = overflow});
  std::size_t asked = 0;
  const int messages = backlog == 100 ? 100 : 500;
  for (int i = 1; i <= messages; ++i) {
    channel.publish(Told(i, [&](int) {
      ++asked;
      if (!subscription.reason()) return;
      if (subscription.try_receive()) asked += 1'000'000;
    }));
  }
  CHECK(taken(subscription) == 1);
  subscription.unsubscribe();
  CHECK(asked > 0);
  CHECK(asked < 1'000'000);
  CHECK(!subscription.try_receive());
  subscription = {};
}

TEST_CASE("Channel: publishes to who makes it wait only what has room, when it shall not wait") {
  Channel<std::unique_ptr<int>> channel;
  auto slow = channel.subscribe({.backlog = 2, .overflow = Overflow::block});
  auto other = channel.subscribe();
  CHECK(channel.publish(std::make_unique<int>(1), Wait()) == 2U);
  CHECK(channel.publish(std::make_unique<int>(2), Wait()) == 2U);
  auto value = std::make_unique<int>(3);
  CHECK(error_of(channel.publish(std::move(value), Wait())) == Errc::full);
  REQUIRE(value);
  CHECK(slow.waiting() == 2);
  CHECK(**slow.try_receive()->operator->() == 1);
  CHECK(channel.publish(std::move(value), Wait()) == 2U);
  CHECK(value == nullptr);
  CHECK(other.receive_batch()->size() == 3);
  slow.unsubscribe();
  for (int i = 0; i < 10; ++i) CHECK(channel.publish(std::make_unique<int>(i), Wait()) == 1U);
}

TEST_CASE("Channel: more than a backlog holds is published when that is empty") {
  Channel<int> channel;
  auto slow = channel.subscribe({.backlog = 3, .overflow = Overflow::block});
  CHECK(channel.publish_range(numbers(1, 3), Wait()) == 1U);
  CHECK(taken(slow) == 1);
  CHECK(error_of(channel.publish_range(numbers(4, 5), Wait())) == Errc::full);
  CHECK(channel.publish_range(numbers(4, 4), Wait()) == 1U);
  CHECK(drained(slow) == numbers(2, 4));
  CHECK(channel.publish_range(numbers(5, 5000), Wait()) == 1U);
  CHECK(error_of(channel.publish(1, Wait())) == Errc::full);
  CHECK(drained(slow) == numbers(5, 5000));
  CHECK(slow.lost() == 0);
}

TEST_CASE("Subscription: ends") {
  Channel<int> channel;
  auto other = channel.subscribe();
  auto subscription = channel.subscribe();
  publish(channel, 1, 3);
  CHECK(taken(subscription) == 1);
  SECTION("by unsubscribe") {
    subscription.unsubscribe();
    subscription.unsubscribe();
  }
  SECTION("by assignment") { subscription = Subscription<int>(); }
  SECTION("by being moved from, and the other's end") {
    Subscription<int> moved(std::move(subscription));
    CHECK(channel.subscriptions() == 2);
    CHECK(taken(moved) == 2);
  }
  CHECK(channel.subscriptions() == 1);
  CHECK(!subscription.try_receive());
  CHECK(error_of(subscription.receive(forever)) == Errc::closed);
  CHECK(error_of(subscription.receive_batch(no_limit, forever)) == Errc::closed);
  CHECK(subscription.reason() == Errc::cancelled);
  CHECK(subscription.waiting() == 0);
  CHECK(subscription.begin() == subscription.end());
  subscription.unsubscribe();
  CHECK(channel.publish(4) == 1);
  CHECK(drained(other) == numbers(1, 4));
}

TEST_CASE("Subscription: one that was never made has ended") {
  Subscription<int> none;
  CHECK(error_of(none.receive(forever)) == Errc::closed);
  CHECK(none.reason() == Errc::cancelled);
  CHECK(none.lost() == 0);
  CallbackSubscription nobody;
  nobody.unsubscribe();
  CHECK(nobody.reason() == Errc::cancelled);
  CHECK(nobody.failures() == 0);
  CHECK(nobody.lost() == 0);
}

TEST_CASE("Channel: a closed channel is drained") {
  Channel<int> channel;
  auto subscription = channel.subscribe();
  auto shared = channel.subscribe({.share = "group"});
  publish(channel, 1, 3);
  CHECK(!channel.closed());
  channel.close();
  channel.close();
  CHECK(channel.closed());
  CHECK(channel.publish(4) == 0);
  CHECK(error_of(channel.publish(4, forever)) == Errc::closed);
  CHECK(error_of(channel.publish_range(numbers(1, 3), forever)) == Errc::closed);
  CHECK(error_of(channel.publish_range(Ints{}, forever)) == Errc::closed);
  CHECK(channel.publish_range(numbers(1, 3)) == 0);
  CHECK(drained(subscription) == numbers(1, 3));
  CHECK(error_of(subscription.receive(forever)) == Errc::closed);
  CHECK(error_of(subscription.receive_batch()) == Errc::closed);
  CHECK(subscription.reason() == Errc::closed);
  CHECK(drained(shared) == numbers(1, 3));
  CHECK(error_of(shared.receive(forever)) == Errc::closed);
  CHECK(shared.reason() == Errc::closed);
}

TEST_CASE("Channel: a subscription to a closed channel has ended") {
  Channel<int> channel;
  auto before = channel.subscribe();
  publish(channel, 1, 3);
  channel.close();
  auto subscription = channel.subscribe();
  CHECK(error_of(subscription.receive(forever)) == Errc::closed);
  CHECK(subscription.reason() == Errc::closed);
  auto called = channel.subscribe([](int) {});
  CHECK(called.reason() == Errc::closed);
  auto by_itself = channel.subscribe([](int) {}, {.thread = CallOn::own_thread});
  CHECK(by_itself.reason() == Errc::closed);
}

TEST_CASE("Subscription: outlives its channel") {
  std::optional<Subscription<std::string>> subscription;
  std::optional<Subscription<std::string>> bounded;
  {
    Channel<std::string> channel;
    subscription.emplace(channel.subscribe());
    bounded.emplace(channel.subscribe({.backlog = 5}));
    for (int i = 0; i < 300; ++i) channel.publish(std::to_string(i));
  }
  CHECK(subscription->waiting() == 300);
  for (int i = 0; i < 300; ++i) REQUIRE(**subscription->try_receive() == std::to_string(i));
  CHECK(error_of(subscription->receive(forever)) == Errc::closed);
  CHECK(subscription->reason() == Errc::closed);
  CHECK(bounded->receive_batch()->lost() == 295);
  bounded->unsubscribe();
  CHECK(bounded->reason() == Errc::cancelled);
}

TEST_CASE("Subscription: a message that is there wins over a stop and no time") {
  Channel<int> channel;
  auto subscription = channel.subscribe();
  std::stop_source stop;
  stop.request_stop();
  const Wait stopped(1s, stop.get_token());
  publish(channel, 1, 2);
  CHECK(**subscription.receive(stopped) == 1);
  CHECK(subscription.receive_batch(1, stopped)->size() == 1);
  CHECK(error_of(subscription.receive(stopped)) == Errc::cancelled);
  CHECK(error_of(subscription.receive_batch(1, stopped)) == Errc::cancelled);
  CHECK(error_of(subscription.receive(0s)) == Errc::timed_out);
  channel.close();
  CHECK(error_of(subscription.receive(stopped)) == Errc::closed);
}

TEST_CASE("Channel: tells of itself") {
  Channel<int> channel;
  CHECK(channel.info().subscriptions == 0);
  CHECK(!channel.info().closed);
  auto a = channel.subscribe();
  auto b = channel.subscribe({.backlog = 5});
  auto c = channel.subscribe({.share = "group"});
  auto d = channel.subscribe({.share = "group"});
  publish(channel, 1, 10);
  CHECK(drained(a).size() == 10);
  CHECK(channel.info().subscriptions == 3);
  CHECK(channel.info().published == 10);
  CHECK(channel.info().kept == 10);
  CHECK(drained(c).size() == 10);
  CHECK(channel.info().kept == 5);
  b.unsubscribe();
  CHECK(channel.info().kept == 0);
  channel.close();
  CHECK(channel.info().closed);
  CHECK(channel.info().published == 10);
}

}  // namespace channel_test
