// The user's code never runs while the thread has one of brook's locks: handlers of completions, and destructors of values,
// on every way on which they can be come to. Each step also tells that it did come to some.
#define BROOK_SYNC_HEADER "stress/counting_sync.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/broker.hpp>
#include <brook/forward.hpp>
#include <brook/requests.hpp>
#include <brook/select.hpp>

#include "../unit/select_support.hpp"
#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::test;
using stress::expect;

std::atomic<int> handled{0};
std::atomic<int> destroyed{0};

void user_code_runs() { expect(sync::locks_held == 0, "no lock is held where the user's code runs"); }

// So large that a segment has room for few. One that was moved from does nothing when it dies, and counts as nothing.
class Value {
 public:
  explicit Value(int number) : alive_(true), number_(number) {}
  Value(const Value&) = default;
  Value(Value&& other) noexcept : alive_(std::exchange(other.alive_, false)), number_(other.number_) {}
  Value& operator=(const Value& other) { return *this = Value(other); }
  Value& operator=(Value&& other) noexcept {
    std::swap(alive_, other.alive_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~Value() {
    if (!alive_) return;
    user_code_runs();
    ++destroyed;
  }
  friend bool operator==(const Value& a, const Value& b) { return a.number_ == b.number_; }

 private:
  bool alive_;
  int number_;
  std::array<char, 5000> rest_{};
};

std::vector<Value> values(int count) { return std::vector<Value>(static_cast<std::size_t>(count), Value(1)); }

template <class... Sources>
CancelHandle arm(const Wait& wait, Sources&&... sources) {
  return on_ready(
      [](auto) {
        user_code_runs();
        ++handled;
      },
      wait, std::forward<Sources>(sources)...);
}

// Carries a step out, of which so many handlers and destructors at least are expected.
void step(const char* name, int handlers, int destructors, const std::function<void()>& run) {
  handled = destroyed = 0;
  run();
  if (handled < handlers || destroyed < destructors) {
    std::fprintf(stderr, "%s: %d handlers, %d destructors\n", name, handled.load(), destroyed.load());
    expect(false, "a step comes to the handlers and destructors that it is for");
  }
  expect(sync::locks_held == 0, "what was locked is let go");
}

using List = BlockingList<Value>;
using Step = void (*)(List&, List&);

void lists() {
  SoleClock clock;
  // What is pushed, to whom waits in all ways.
  const Step pushes[] = {[](List& a, List&) { a.rpush(Value(1)); },
                         [](List& a, List&) { a.lpush(Value(1)); },
                         [](List& a, List&) { a.rpush_range(values(5)); },
                         [](List& a, List&) { a.remplace(1); },
                         [](List& a, List&) { a.rpush(Value(1), forever); },
                         [](List& a, List&) { static_cast<void>(a.try_lpush(Value(1))); },
                         [](List& a, List& b) { b.rpush(Value(1)), b.lmove(a, Side::left, Side::left); },
                         [](List& a, List& b) {
                           arm(forever, moving(b, a, Side::left, Side::left));
                           b.rpush(Value(1));
                         },
                         [](List& a, List&) { a.close(); }};
  for (const Step push : pushes) {
    for (const bool by_moving : {false, true}) {
      List a({.clock = &clock}), b({.clock = &clock}), c({.clock = &clock});
      step("push", 1, 0, [&] {
        if (by_moving) arm(forever, moving(a, c, Side::left, Side::right));
        else arm(forever, b, from(a, Side::left, 3));
        arm(forever, a);
        arm(forever, c);
        push(a, b);
      });
    }
  }
  // What makes room, and what destroys elements.
  const Step pops[] = {[](List& a, List&) { static_cast<void>(a.lpop()); },
                       [](List& a, List&) { static_cast<void>(a.rpop(3)); },
                       [](List& a, List&) { static_cast<void>(a.blpop(forever)); },
                       [](List& a, List&) { static_cast<void>(a.pop_batch(1, 2, forever)); },
                       [](List& a, List& b) { static_cast<void>(lmpop(Side::left, 2, b, a)); },
                       [](List& a, List& b) { a.lmove(b, Side::left, Side::left), b.clear(); },
                       [](List& a, List&) { a.clear(); },
                       [](List& a, List&) { a.ltrim(1, 1); },
                       [](List& a, List&) { a.lrem(2, Value(1)); },
                       [](List& a, List&) { arm(forever, a); },
                       [](List& a, List& b) { static_cast<void>(select(forever, b, from(a, Side::right, 2))); }};
  for (const Step pop : pops) {
    List a({.capacity = 4, .clock = &clock}), b({.clock = &clock});
    a.rpush_range(values(4));
    Value more(1);
    step("pop", 1, 1, [&] {
      arm(forever, into(a, std::move(more)));
      pop(a, b);
    });
  }
  step("drops", 0, 4, [&] {
    List list({.capacity = 4, .overflow = Overflow::drop_oldest, .clock = &clock});
    list.rpush_range(values(4));
    list.rpush(Value(1));
    list.lpush_range(values(6));
    list.lset(0, Value(2));
    list.linsert_before(Value(1), Value(3));
    list.rpush(Value(1)), list.close();
    list.rpush(Value(1));
  });
  // Who leaves its place, for those behind it.
  List a({.clock = &clock}), b({.capacity = 1, .clock = &clock});
  std::stop_source stop;
  step("leaves", 5, 0, [&] {
    const auto first = arm(forever, moving(a, b, Side::left, Side::left), b);
    arm(Wait(forever, stop.get_token()), a, b);
    arm(1s, b, a);
    auto handle = arm(forever, a);
    first.cancel();
    stop.request_stop();
    clock.advance(1s);
    handle.cancel();
    arm({}, a);
  });
}

void streams() {
  SoleClock clock;
  std::optional<Stream<Value>> stream(
      std::in_place, StreamOptions{.max_len = 40, .clock = &clock, .spin = 0us, .idempotency = {.keys = 2}});
  const auto adds = [&](const char* name, const std::function<void()>& add) {
    step(name, 3, 0, [&] {
      arm(forever, from(*stream, latest));
      arm(forever, from(*stream, latest, 2));
      arm(9h, from(*stream, latest));
      add();
    });
  };
  adds("add", [&] { stream->add(Value(1)); });
  adds("add by id", [&] { stream->add(Id{stream->last_id().ms, 99}, Value(1)); });
  adds("add_range", [&] { stream->add_range(values(3)); });
  adds("add once", [&] { stream->add(Value(1), {.producer = "p", .key = "k"}); });
  step("trim", 0, 40, [&] {
    for (int i = 0; i < 60; ++i) stream->add(Value(1));
    stream->trim({.max_len = 1});
    for (int i = 0; i < 60; ++i) stream->add(Value(1), {.producer = "p", .key = std::to_string(i)});
    for (const auto& entry : stream->range()) stream->erase(entry.id);
    stream->add_range(values(40));
  });
  adds("close", [&] { stream->close(); });
  step("end", 0, 20, [&] { stream.reset(); });

  Stream<Value> bounded({.capacity = 1, .max_age = 5s, .clock = &clock, .spin = 0us});
  const auto makes_room = [&](const char* name, const std::function<void()>& make_room) {
    bounded.trim({.max_len = 0});
    bounded.add(Value(1));
    step(name, 1, 0, [&] {
      Value value(1);
      arm(forever, into(bounded, std::move(value)));
      make_room();
    });
  };
  makes_room("room by trim", [&] { bounded.trim({.max_len = 0}); });
  makes_room("room by erase", [&] { bounded.erase(bounded.last_id()); });
  makes_room("room by age", [&] { clock.advance(6s); });
  makes_room("none by close", [&] { bounded.close(); });
}

void groups() {
  SoleClock clock;
  Stream<Value> letters({.clock = &clock, .spin = 0us});
  Stream<Value> stream({.until_acked = true, .clock = &clock, .spin = 0us});
  Stream<Value> other({.clock = &clock, .spin = 0us});
  List list({.clock = &clock});
  for (const bool managed : {false, true}) {
    GroupOptions<Value> options{.max_deliveries = 3, .dead_letter = &letters, .visibility = 10s};
    if (managed) options.max_in_flight = 2;
    const auto group = stream.create_group("g", latest, options).value();
    const auto worker = group.consumer("w");
    const auto me = group.consumer("me");
    const auto with_two = [&](const char* name, int handlers, const std::function<void(Deliveries<Value>&)>& use) {
      stream.add_range(values(3));
      auto batch = worker.read({.count = 2}).value();
      if (const auto third = worker.read({.count = 1}); third) third->ack();
      handled = 0;
      step(name, handlers, 0, [&] {
        const CancelHandle handles[] = {arm(forever, list, from(me, {.count = 1})), arm(9h, from(me, {.count = 1})),
                                        arm(forever, from(letters, latest)), arm(forever, from(other, latest)),
                                        arm(forever, from(me, {.count = 1, .claim_idle = 3h}))};
        use(batch);
        for (const auto& handle : handles) handle.cancel();
      });
      while (group.info() && (group.info()->lag > 0 || group.info()->pending > 0)) {
        const auto pending = group.pending(PendingOptions{}).value();
        for (const PendingEntry& entry : pending) group.ack(entry.id);
        static_cast<void>(me.read());
      }
    };
    with_two("ack", 1, [](auto& batch) { batch.ack(); });
    with_two("ack of one", 1, [](auto& batch) { batch[1].ack(); });
    with_two("group ack", 1, [&](auto& batch) { group.ack(batch[0].id()); });
    with_two("nack", 1, [](auto& batch) { batch[0].nack(), batch[1].nack({.delay = 2s}); });
    with_two("nack and wait", 2, [&](auto& batch) { batch[0].nack({.delay = 2s}), clock.advance(3s); });
    with_two("too long", 2, [&](auto&) { clock.advance(10s); });
    with_two("dead", 1, [](auto& batch) { batch[0].nack({.fatal = true}); });
    with_two("dead in time", 1, [&](auto&) {
      for (int i = 0; i < 4; ++i) clock.advance(10s), static_cast<void>(worker.read({.count = 2}));
    });
    with_two("claim", 1, [&](auto&) {
      static_cast<void>(me.auto_claim({.min_idle = 0s}));
      static_cast<void>(me.history());
    });
    with_two("trimmed and claimed", 1, [&](auto&) {
      stream.trim({.max_len = 0});
      static_cast<void>(me.auto_claim({.min_idle = 0s}));
      stream.add(Value(1));
    });
    with_two("delete consumer", 1, [&](auto&) { group.delete_consumer("w"); });
    with_two("drop consumer", 1, [&](auto&) { group.delete_consumer("w", Orphans::drop); });
    with_two("set_id", 1, [&](auto&) { group.set_id(earliest), group.set_id(latest); });
    with_two("forward", 1, [&](auto& batch) { batch[0].forward(other, Value(1)); });
    with_two("forward to itself", 1, [&](auto& batch) { batch[0].forward(stream, Value(1)); });
    with_two("forward to several", 2, [&](auto& batch) {
      static_cast<void>(batch[0].forward(into(other, Value(1)), into(list, Value(1)), into(stream, Value(2))));
    });
    with_two("add", 1, [&](auto& batch) { stream.add(Value(1)), batch.ack(); });
    with_two("read by another", 1, [&](auto& batch) {
      stream.add_range(values(2));
      batch.ack();
      static_cast<void>(worker.read({.count = 1, .no_ack = true}));
    });
    with_two("destroy", 3, [&](auto&) { group.destroy(); });
  }
  step("the last ack", 0, 20, [&] {
    const auto group = stream.create_group("h", latest).value();
    stream.add_range(values(40));
    for (int i = 0; i < 40; ++i) group.consumer("c").read({.count = 1})->ack();
    group.destroy();
  });
}

void channels() {
  SoleClock clock;
  std::optional<Channel<Value>> channel(std::in_place, ChannelOptions{.clock = &clock, .spin = 0us});
  auto alone = channel->subscribe();
  auto shared = channel->subscribe({.share = "s"});
  auto same = channel->subscribe({.share = "s"});
  auto slow = channel->subscribe({.backlog = 1, .overflow = Overflow::block});
  int calls = 0;
  auto function = channel->subscribe([&](const Value&) {
    user_code_runs();
    ++calls;
  });
  const auto drain = [&] {
    static_cast<void>(alone.receive_batch(no_limit, Wait()));
    static_cast<void>(slow.receive_batch(no_limit, Wait()));
    static_cast<void>(same.receive_batch(no_limit, Wait()));
  };
  step("publish", 5, 0, [&] {
    arm(forever, alone);
    arm(forever, shared, from(slow, 2));
    arm(forever, from(same, 2));
    Value value(1);
    arm(forever, into(*channel, std::move(value)));
    arm(1h, shared);
    drain();
    channel->publish(Value(1));
    drain();
    channel->publish_range(values(2));
  });
  expect(calls == 4, "a function is called with each message, by completions as well");
  drain();
  step("room", 1, 0, [&] {
    Value value(1);
    channel->publish(Value(1));
    arm(forever, into(*channel, std::move(value)));
    static_cast<void>(slow.receive());
  });
  expect(calls == 6, "also when it waited for room, on the thread that made it");
  step("segments", 0, 20, [&] {
    for (int i = 0; i < 60; ++i) drain(), channel->publish(Value(1));
    function.unsubscribe();
    drain();
  });
  step("leave", 3, 1, [&] {
    const auto first = arm(forever, shared);
    arm(forever, same);
    arm(forever, alone);
    slow.unsubscribe();
    first.cancel();
    alone.unsubscribe();
    shared.unsubscribe();
    channel->publish_range(values(40));
    same.unsubscribe();
  });
  auto last = channel->subscribe();
  step("close", 1, 0, [&] {
    arm(forever, last);
    channel.reset();
  });

  std::optional<PubSub<Value>> pubsub(std::in_place, PubSubOptions{.shards = 4, .clock = &clock, .spin = 0us});
  auto a = pubsub->subscribe({"a", "b"}, {.patterns = {"?"}});
  auto b = pubsub->subscribe({"b", "c", "d"});
  auto c = pubsub->subscribe("c", {.share = "s"});
  auto d = pubsub->subscribe({"b", "c", "d"});
  auto called = pubsub->subscribe({"a", "d"}, [](const Value&) { user_code_runs(); });
  step("publish to names on several shards", 3, 0, [&] {
    arm(forever, from(a, 9));
    arm(forever, b);
    arm(forever, c);
    pubsub->publish({"a", "b", "c", "d", "e"}, Value(1));
  });
  step("change of names", 2, 1, [&] {
    while (a.try_receive() || b.try_receive() || c.try_receive() || d.try_receive()) {}
    arm(forever, b);
    arm(forever, a);
    b.subscribe("x");
    b.unsubscribe({"b", "c"});
    a.punsubscribe("?");
    for (int i = 0; i < 40; ++i) pubsub->publish("x", Value(1)), static_cast<void>(b.try_receive());
    a.unsubscribe();
    pubsub->publish({"x", "b"}, Value(1));
  });
  step("end of a PubSub", 3, 0, [&] {
    while (b.try_receive() || c.try_receive() || d.try_receive()) {}
    arm(forever, b);
    arm(forever, c);
    arm(forever, d, b);
    c.unsubscribe();
    called.unsubscribe();
    pubsub.reset();
  });

  using Box = std::unique_ptr<Value>;
  Requests<Box, Box> requests({.clock = &clock});
  auto service = requests.serve();
  step("requests", 3, 1, [&] {
    arm(forever, service);
    auto first = requests.send(std::make_unique<Value>(1));
    arm(forever, *first);
    auto second = requests.send(std::make_unique<Value>(2));
    arm(forever, *second);
    service.receive(Wait())->reply(std::make_unique<Value>(3));
  });
}

// A thread that blocks in a call of its own serves others too.
void threads() {
  WatchedClock clock;
  Stream<Value> stream({.clock = &clock, .spin = 0us});
  Channel<Value> channel({.clock = &clock, .spin = 0us});
  List list({.clock = &clock, .spin = 0us}), other({.clock = &clock});
  auto one = channel.subscribe({.share = "s"});
  const auto worker = stream.create_group("g")->consumer("c");
  step("beside threads", 12, 0, [&] {
    std::vector<std::jthread> sleepers;
    const auto sleeps = [&](std::function<void()> call) {
      sleepers.emplace_back(std::move(call));
      clock.wait_for_sleepers(sleepers.size());
    };
    const auto all_kinds = [&] {
      arm(forever, other, list, from(worker, {.count = 1}));
      arm(forever, other, one, from(worker, {.count = 1}));
    };
    all_kinds();
    sleeps([&] { static_cast<void>(list.blpop(forever)); });
    all_kinds();
    sleeps([&] { static_cast<void>(one.receive()); });
    all_kinds();
    sleeps([&] { static_cast<void>(worker.read({.count = 1, .block = forever})); });
    all_kinds();
    sleeps([&] { static_cast<void>(select(forever, list, from(worker, {.count = 1}), one)); });
    all_kinds();
    sleeps([&] { static_cast<void>(list.blmove(other, Side::left, Side::right, forever)); });
    all_kinds();
    stream.add_range(values(3));
    channel.publish_range(values(3));
    list.rpush_range(values(4));
    stream.close();
    channel.close();
    list.close();
    other.close();
  });
}

void names() {
  Broker broker;
  step("broker", 0, 10, [&] {
    broker.list<Value>("list").value()->rpush_range(values(5));
    broker.stream<Value>("stream").value()->add_range(values(5));
    const auto held = broker.channel<Value>("channel").value();
    auto sub = held->subscribe();
    held->publish_range(values(3));
    arm(forever, sub);
    arm(forever, from(*broker.stream<Value>("stream").value(), latest));
    for (const char* name : {"list", "stream", "channel"}) broker.erase(name);
  });
}

}  // namespace

int main() {
  lists();
  streams();
  groups();
  channels();
  threads();
  names();
  return stress::verdict("nothing_under_a_lock");
}
