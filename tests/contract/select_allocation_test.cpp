// The strong guarantee of select() and of completions: what fails for want of memory has taken nothing, and what is brought
// to who waits, by whom memory fails, is neither lost nor doubled; a handler is called once, or on_ready throws.
#include <brook/select.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "../catch.hpp"
#include "../unit/select_support.hpp"
#include "failing_new.hpp"

namespace select_allocation_test {

namespace {

using namespace brook;
using namespace brook::test;
using brook::contract::Failing;
using brook::contract::FailingNew;
using brook::contract::SafeNew;

std::string text(int i) { return "a text that does not lie in the string itself, number " + std::to_string(i); }

// What is brought: a text to a list, an entry of a group, a message to a share, a text to be moved on, a flag, a message.
struct Scene {
  SoleClock clock{};
  BlockingList<std::string> list{{.clock = &clock, .spin = 0us}};
  BlockingList<std::string> mover{{.clock = &clock, .spin = 0us}};
  BlockingList<std::string> target{{.clock = &clock, .spin = 0us}};
  BlockingList<bool> flags{{.clock = &clock, .spin = 0us}};
  Stream<std::string> stream{{.clock = &clock, .spin = 0us}};
  Channel<std::string> channel{{.clock = &clock, .spin = 0us}};
  Subscription<std::string> member = channel.subscribe({.share = "s"});
  Channel<std::string> ticks{{.clock = &clock, .spin = 0us}};
  Subscription<std::string> alone = ticks.subscribe();
  Group<std::string> group = stream.create_group("g").value();
  Consumer<std::string> worker = group.consumer("c");
  std::size_t got = 0;  // things that were taken

  void bring(int what) {
    const std::string value = (SafeNew(), text(what));
    for (bool again = true; again;) {
      again = false;
      try {
        if (what == 0) REQUIRE(list.rpush(value));
        if (what == 1) REQUIRE(stream.add(value));
        if (what == 2) REQUIRE(channel.publish(value) == 1);
        if (what == 3) REQUIRE(mover.rpush(value));
        if (what == 4) REQUIRE(flags.rpush({true, false}));
        if (what == 5) REQUIRE(ticks.publish(value) == 1);
      } catch (const std::bad_alloc&) { again = true; }
    }
  }
  void see(const std::string&) { ++got; }
  void see(const std::vector<std::string>& values) { got += values.size(); }
  void see(const std::vector<bool>& values) { got += values.size() / 2; }
  void see(const Deliveries<std::string>& values) { got += values.ack(); }
  void see(const Message<std::string>&) { ++got; }
  template <class... T>
  void see(const std::variant<T...>& one) {
    std::visit([this](const auto& value) { see(value); }, one);
  }

  auto sources() {
    return std::tuple(from(list, Side::left, 3), from(worker), from(member),
                      moving(mover, target, Side::left, Side::right), from(flags, Side::left, 3), from(alone));
  }
  // What nobody took.
  [[nodiscard]] std::size_t left() {
    std::size_t left = list.size() + mover.size() + flags.size() / 2 + worker.read()->size();
    while (member.try_receive()) ++left;
    while (alone.try_receive()) ++left;
    return left;
  }
  [[nodiscard]] std::size_t waiting() const {
    return list.info().waiting_poppers + mover.info().waiting_poppers + flags.info().waiting_poppers;
  }
};

int number_of(const Large& value) { return value.value(); }
int number_of(const Message<Large>& message) { return message->value(); }

// Lets nobody have what a call has taken.
class Refusing final : public Probe {
 public:
  bool refuses = false;

  Outcome watch(const Call& call, const Perform& perform) override {
    if (!refuses || (call.operation != Operation::receive && call.operation != Operation::pop)) return perform();
    return {.done = false, .failed = Errc::full};
  }
};

// Messages, in more than one segment, for subscriptions of each kind.
struct Refused {
  static constexpr int messages = 40;

  Refusing probe{};
  SoleClock clock{};
  Channel<Large> channel{{.clock = &clock, .spin = 0us, .probe = &probe}};
  PubSub<Large> pubsub{{.clock = &clock, .spin = 0us, .probe = &probe}};
  Subscription<Large> alone = channel.subscribe();
  Subscription<Large> member = channel.subscribe({.share = "s"});
  TopicSubscription<Large> topic = pubsub.subscribe("t");

  void bring() {
    const SafeNew safe;
    for (int i = 1; i <= messages; ++i) {
      channel.publish(Large(i));
      pubsub.publish("t", Large(i));
    }
  }
  template <class Use>
  void with(int which, const Use& use) {
    if (which == 0) use(alone);
    if (which == 1) use(member);
    if (which == 2) use(topic);
  }
};

}  // namespace

TEST_CASE("No memory: a select takes one thing or none") {
  const int what = GENERATE(range(0, 6));
  const bool later = GENERATE(false, true);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(what, later, n);
    Scene scene;
    if (later) scene.clock.meanwhile.emplace_back([&] { (SafeNew(), scene.bring(what)); });
    else scene.bring(what);
    bool thrown = false;
    {
      const FailingNew failing(n, how);
      try {
        const auto got = std::apply([](auto&&... each) { return select(1s, std::move(each)...); }, scene.sources());
        const SafeNew safe;
        REQUIRE(got);
        scene.see(*got);
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    if (later && !scene.clock.meanwhile.empty()) scene.bring(what);  // it did not come to waiting
    CHECK(scene.got + scene.left() == 1);
    CHECK(thrown == (scene.got == 0));
    CHECK(scene.waiting() == 0);
    if (!failed) break;
  }
}

TEST_CASE("No memory: a completion that is made takes one thing or none") {
  const int what = GENERATE(range(0, 6));
  const bool later = GENERATE(false, true);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(what, later, n);
    Scene scene;
    if (!later) scene.bring(what);
    int calls = 0;
    std::optional<Errc> why;
    const auto handler = [&](const auto& got) {
      const SafeNew safe;
      ++calls;
      if (got) scene.see(*got);
      else why = got.error();
    };
    bool thrown = false;
    {
      const FailingNew failing(n, how);
      try {
        std::apply([&](auto&&... each) { on_ready(handler, 1h, std::move(each)...); }, scene.sources());
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    if (later) scene.bring(what);
    CHECK(calls == (thrown ? 0 : 1));
    CHECK((!why || why == Errc::out_of_memory));
    CHECK(scene.got + scene.left() == 1);
    CHECK(scene.waiting() == 0);
    CHECK(scene.clock.timers() == 0);
    if (!failed) break;
  }
}

TEST_CASE("No memory: what is brought to a completion is not lost") {
  const int what = GENERATE(range(0, 6));
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  for (std::uint64_t n = 1;; ++n) {
    CAPTURE(what, n);
    Scene scene;
    int calls = 0;
    std::optional<Errc> why;
    std::apply(
        [&](auto&&... each) {
          on_ready(
              [&](const auto& got) {
                const SafeNew safe;
                ++calls;
                if (got) scene.see(*got);
                else why = got.error();
              },
              1h, std::move(each)...);
        },
        scene.sources());
    {
      const FailingNew failing(n, how);
      try {
        const std::string value = (SafeNew(), text(what));
        if (what == 0) static_cast<void>(scene.list.rpush(value));
        if (what == 1) static_cast<void>(scene.stream.add(value));
        if (what == 2) static_cast<void>(scene.channel.publish(value));
        if (what == 3) static_cast<void>(scene.mover.rpush(value));
        if (what == 4) static_cast<void>(scene.flags.rpush({true, false}));
        if (what == 5) static_cast<void>(scene.ticks.publish(value));
      } catch (const std::bad_alloc&) {}
    }
    const bool failed = FailingNew::happened();
    if (calls == 0) scene.bring(what);
    CHECK(calls == 1);
    CHECK((!why || why == Errc::out_of_memory));
    CHECK(scene.got + scene.left() == 1);
    CHECK(scene.waiting() == 0);
    CHECK(scene.clock.timers() == 0);
    if (!failed) break;
  }
}

TEST_CASE("No memory: messages that a call may not have are received again, all of them") {
  const int which = GENERATE(range(0, 3));
  const bool completion = GENERATE(false, true);
  const bool later = GENERATE(false, true);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  const auto check = [&](auto& subscription, Refused& scene, std::uint64_t n) {
    std::optional<Errc> why;
    const auto see = [&](const auto& got) { why = got ? std::nullopt : std::optional(got.error()); };
    scene.probe.refuses = true;
    if (later && !completion) scene.clock.meanwhile.emplace_back([&] { scene.bring(); });
    if (!later) scene.bring();
    bool thrown = false;
    {
      const FailingNew failing(n, how);
      try {
        if (completion) on_ready(see, 1h, from(subscription, 100));
        else see(select(1h, from(subscription, 100)));
        if (completion && later) scene.bring();
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    const bool failed = FailingNew::happened();
    if (subscription.waiting() == 0) scene.bring();
    CHECK((thrown || why == Errc::full || why == Errc::out_of_memory));
    CHECK(subscription.waiting() == Refused::messages);
    scene.probe.refuses = false;
    Ints seen;
    for (std::uint64_t i = 1; seen.size() < Refused::messages; ++i) {
      const FailingNew failing_again(i % 4, how);
      const auto batch = subscription.receive_batch(i % 7 + 1, Wait());
      const SafeNew safe;
      REQUIRE(!batch->empty());
      for (const auto& message : *batch) seen.push_back(number_of(message));
      REQUIRE(subscription.waiting() == Refused::messages - seen.size());
    }
    Ints all(Refused::messages);
    std::iota(all.begin(), all.end(), 1);
    CHECK(seen == all);
    return failed;
  };
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    CAPTURE(which, completion, later, n);
    Refused scene;
    scene.with(which, [&](auto& subscription) { failed = check(subscription, scene, n); });
  }
}

TEST_CASE("No memory: elements that a call may not have are in the list again, all of them") {
  const Side side = GENERATE(Side::left, Side::right);
  const std::size_t most = GENERATE(0U, 2U, 100U);  // 0: one, as one
  const bool completion = GENERATE(false, true);
  const bool later = GENERATE(false, true);
  const Failing how = GENERATE(Failing::once, Failing::from_then_on);
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    CAPTURE(most, completion, later, n);
    Refusing probe;
    SoleClock clock;
    BlockingList<std::string> list({.clock = &clock, .spin = 0us, .probe = &probe});
    const auto bring = [&] {
      const SafeNew safe;
      for (int i = 1; i <= 5; ++i) REQUIRE(list.rpush(text(i)));
    };
    std::optional<Errc> why;
    const auto see = [&](const auto& got) { why = got ? std::nullopt : std::optional(got.error()); };
    const auto take = [&](auto source) {
      if (completion) on_ready(see, 1h, std::move(source));
      else see(select(1h, std::move(source)));
    };
    if (later && !completion) clock.meanwhile.emplace_back(bring);
    if (!later) bring();
    probe.refuses = true;
    bool thrown = false;
    {
      const FailingNew failing(n, how);
      try {
        if (most == 0) take(from(list, side));
        else take(from(list, side, most));
        if (completion && later) bring();
      } catch (const std::bad_alloc&) { thrown = true; }
    }
    failed = FailingNew::happened();
    probe.refuses = false;
    if (list.empty()) bring();
    CHECK((thrown || why == Errc::full || why == Errc::out_of_memory));
    CHECK(list.size() == 5);
    std::vector<std::string> all;
    {
      const FailingNew failing(1, how);  // one more chance to lose them
      try {
        if (auto first = list.lpop()) all.push_back((SafeNew(), *std::move(first)));
      } catch (const std::bad_alloc&) {}
    }
    while (auto next = list.lpop()) all.push_back(*std::move(next));
    if (later) std::ranges::sort(all);  // who waited at the right got the first one there
    CHECK(all == std::vector{text(1), text(2), text(3), text(4), text(5)});
    CHECK(list.empty());
  }
}

}  // namespace select_allocation_test
