// coroutine_test.cpp — co_await for lists, streams, groups and subscriptions; and what a coroutine that is destroyed gives back.
#include <brook/adapters/coroutine.hpp>

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <brook/brook.hpp>

#include "../catch.hpp"
#include "list_support.hpp"

namespace coroutine_test {

namespace {

using namespace brook;
using namespace brook::test;

// A coroutine that begins at once, and is destroyed with this.
class Task {
 public:
  struct promise_type {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { failed = std::current_exception(); }
    std::exception_ptr failed{};
  };
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task other) noexcept {
    std::swap(coroutine_, other.coroutine_);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }
  [[nodiscard]] bool done() const { return coroutine_.done(); }
  [[nodiscard]] bool failed() const { return coroutine_.promise().failed != nullptr; }

 private:
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<promise_type> coroutine_;
};

// An event loop that runs when it is told to.
struct Loop {
  std::deque<std::function<void()>> queue{};

  auto schedule() {
    return [this](const Resumption& resumption) { queue.emplace_back(resumption); };
  }
  void run() {
    for (; !queue.empty(); queue.pop_front()) queue.front()();
  }
};

struct Got {
  Ints values{};
  std::optional<Errc> end{};
};

Task take_all(BlockingList<int>& list, Got& got, Wait wait = forever) {
  while (true) {
    const auto value = co_await ready(wait, list);
    if (!value) got.end = value.error();
    if (!value) co_return;
    got.values.push_back(*value);
  }
}

template <class Awaited, class Result>
Task into_result(Awaited awaited, Result& result) {
  result.emplace(co_await awaited());
}

template <class T>
concept Awaited = requires(T&& awaited) {
  std::forward<T>(awaited).operator co_await();
};
using ReadyOfList = decltype(ready(forever, std::declval<BlockingList<int>&>()));
static_assert(Awaited<ReadyOfList> && !Awaited<ReadyOfList&>);

// Begins to wait for sources on a loop, has something come for it, and destroys it before it is resumed.
template <class Make, class Come>
void given_and_destroyed(Make make, Come come) {
  Loop loop;
  using Result = decltype(make(loop.schedule()).operator co_await().await_resume());
  std::optional<Result> result;
  {
    const Task task = into_result([&] { return make(loop.schedule()); }, result);
    REQUIRE(loop.queue.empty());
    come();
    REQUIRE(loop.queue.size() == 1);
  }
  loop.run();
  CHECK(!result);
}

}  // namespace

TEST_CASE("Coroutine: takes what is there without being suspended, and then what comes") {
  constexpr int many = 100'000;
  BlockingList<int> list;
  for (int i = 0; i < many; ++i) REQUIRE(list.rpush(i));
  Got got;
  const Task task = take_all(list, got);
  CHECK(got.values == numbers(0, many - 1));
  for (int i = many; i < many + 100; ++i) REQUIRE(list.rpush(i));
  CHECK(got.values.size() == many + 100);
  CHECK(list.info().waiting_poppers == 1);
  list.close();
  CHECK(got.end == Errc::closed);
  CHECK(task.done());
}

TEST_CASE("Coroutine: why there is nothing") {
  BlockingList<int> list;
  Got got;
  SECTION("it does not wait") {
    const Task task = take_all(list, got, Wait());
    CHECK(got.end == Errc::timed_out);
  }
  SECTION("a stop that was requested before") {
    std::stop_source stop;
    stop.request_stop();
    const Task task = take_all(list, got, {forever, stop.get_token()});
    CHECK(got.end == Errc::cancelled);
  }
  SECTION("a stop that is requested meanwhile") {
    std::stop_source stop;
    const Task task = take_all(list, got, {forever, stop.get_token()});
    CHECK(!got.end);
    stop.request_stop();
    CHECK(got.end == Errc::cancelled);
    CHECK(list.info().waiting_poppers == 0);
  }
}

TEST_CASE("Coroutine: the first of several sources") {
  BlockingList<int> list;
  Channel<std::string> channel;
  auto subscription = channel.subscribe();
  std::optional<expected<std::variant<int, Message<std::string>>, Errc>> result;
  const Task task = into_result([&] { return ready(forever, list, subscription); }, result);
  REQUIRE(channel.publish("news"));
  REQUIRE(result);
  REQUIRE(*result);
  CHECK(*std::get<1>(**result) == "news");
  CHECK(list.info().waiting_poppers == 0);
}

TEST_CASE("Coroutine: a value goes into a bounded list when there is room") {
  BlockingList<int> list({.capacity = 1});
  REQUIRE(list.rpush(1));
  std::optional<expected<std::monostate, Errc>> result;
  const Task task =
      into_result([&, value = 2]() mutable { return ready(forever, into(list, std::move(value))); }, result);
  CHECK(!result);
  CHECK(list.lpop() == 1);
  CHECK(result);
  CHECK(all(list) == Ints{2});
}

TEST_CASE("Coroutine: it is resumed where schedule has that done, once") {
  BlockingList<int> list;
  Loop loop;
  std::optional<expected<int, Errc>> result;
  const Task task = into_result([&] { return ready_on(loop.schedule(), forever, list); }, result);
  REQUIRE(list.rpush(1));
  CHECK(!result);
  REQUIRE(loop.queue.size() == 1);
  const auto resume = loop.queue.front();
  resume();
  CHECK(*result == 1);
  CHECK(task.done());
  resume();
  CHECK(list.empty());
}

TEST_CASE("Coroutine: what looking throws comes out of the co_await, and nothing is lost") {
  using Value = Fussy<true>;
  BlockingList<Value> from;
  BlockingList<Value> to;
  REQUIRE(from.remplace(1));
  std::optional<expected<Value, Errc>> result;
  Value::fuse = 1;
  const Task task = into_result([&] { return ready(forever, moving(from, to, Side::left, Side::right)); }, result);
  Value::fuse = 0;
  CHECK(task.failed());
  CHECK(from.size() == 1);
  CHECK(to.empty());
}

TEST_CASE("Coroutine: one that is destroyed while it waits is out of every line") {
  BlockingList<int> a;
  BlockingList<int> b;
  std::optional<expected<std::variant<int, int>, Errc>> result;
  {
    const Task task = into_result([&] { return ready(forever, a, b); }, result);
    CHECK(a.info().waiting_poppers + b.info().waiting_poppers == 2);
  }
  CHECK(a.info().waiting_poppers + b.info().waiting_poppers == 0);
  REQUIRE(a.rpush(1));
  CHECK(all(a) == Ints{1});
  CHECK(!result);
}

TEST_CASE("Coroutine: one that destroys another one which is due") {
  BlockingList<int> list;
  std::optional<Task> second;
  bool second_went_on = false;
  const auto first = [&]() -> Task {
    static_cast<void>(co_await ready(forever, list));
    second.reset();
  };
  const auto other = [&]() -> Task {
    static_cast<void>(co_await ready(forever, list));
    second_went_on = true;
  };
  const Task task = first();
  second.emplace(other());
  SECTION("both learn that there will be nothing") { list.close(); }
  SECTION("both are given something at once") {
    REQUIRE(list.rpush({1, 2}));
    CHECK(all(list) == Ints{2});
  }
  CHECK(task.done());
  CHECK(!second_went_on);
}

TEST_CASE("Coroutine: one that is destroyed by a function which is called with what it publishes") {
  Channel<int> channel;
  auto slow = channel.subscribe({.backlog = 1, .overflow = Overflow::block});
  std::optional<Task> task;
  bool went_on = false;
  const auto function = channel.subscribe([&](const int& value) {
    if (value == 2) task.reset();
  });
  REQUIRE(channel.publish(1) == 2);
  const auto publishes = [&]() -> Task {
    static_cast<void>(co_await ready(forever, into(channel, 2)));
    went_on = true;
  };
  task.emplace(publishes());
  CHECK(**slow.receive(Wait()) == 1);
  CHECK(!task);
  CHECK(!went_on);
  CHECK(**slow.receive(Wait()) == 2);
}

TEST_CASE("Coroutine: an element that was given to one that is destroyed is in the list again") {
  BlockingList<int> list;
  const Side side = GENERATE(Side::left, Side::right);
  SECTION("one") {
    given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, from(list, side)); },
                        [&] {
                          REQUIRE(list.rpush({1, 2, 3}));
                        });
    CHECK(all(list) == Ints{1, 2, 3});
  }
  SECTION("several") {
    given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, from(list, side, 2)); },
                        [&] {
                          REQUIRE(list.rpush({1, 2, 3}));
                        });
    CHECK(all(list) == Ints{1, 2, 3});
  }
  SECTION("of a list that was closed meanwhile") {
    given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, from(list, side)); },
                        [&] {
                          REQUIRE(list.rpush(1));
                          list.close();
                        });
    CHECK(list.lpop() == 1);
  }
  SECTION("where another one waits") {
    Got got;
    std::optional<Task> other;
    given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, from(list, side)); },
                        [&] {
                          other.emplace(take_all(list, got));
                          REQUIRE(list.rpush(1));
                          CHECK(got.values.empty());
                        });
    CHECK(got.values == Ints{1});
  }
}

TEST_CASE("Coroutine: a message that was given to one that is destroyed is the next one") {
  Channel<int> channel;
  PubSub<int> news;
  const auto check = [](auto& subscription, auto publish, bool several) {
    const auto come = [&] {
      for (int i = 1; i <= 3; ++i) publish(i);
    };
    if (several) {
      given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, from(subscription, 2)); }, come);
    } else {
      given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, subscription); }, come);
    }
    CHECK(subscription.waiting() == 3);
    CHECK(**subscription.receive(Wait()) == 1);
    CHECK(subscription.waiting() == 2);
    CHECK(**subscription.try_receive() == 2);
    CHECK(**subscription.receive(Wait()) == 3);
    CHECK(subscription.receive(Wait()).error() == Errc::timed_out);
  };
  const bool several = GENERATE(false, true);
  SECTION("of a subscription") {
    auto subscription = channel.subscribe();
    check(
        subscription, [&](int i) { REQUIRE(channel.publish(i)); }, several);
  }
  SECTION("of one that shares") {
    auto subscription = channel.subscribe({.share = "all"});
    check(
        subscription, [&](int i) { REQUIRE(channel.publish(i)); }, several);
  }
  SECTION("of a PubSub's") {
    auto subscription = news.subscribe({"a"});
    check(
        subscription, [&](int i) { REQUIRE(news.publish("a", i)); }, several);
  }
  SECTION("another member of the share receives it") {
    auto subscription = channel.subscribe({.share = "all"});
    auto other = channel.subscribe({.share = "all"});
    given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, subscription); },
                        [&] { REQUIRE(channel.publish(1)); });
    CHECK(**other.receive(Wait()) == 1);
  }
  SECTION("not when it is unsubscribed") {
    auto subscription = channel.subscribe();
    given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, subscription); },
                        [&] { REQUIRE(channel.publish(1)); });
    CHECK(subscription.waiting() == 1);
    subscription.unsubscribe();
    CHECK(subscription.waiting() == 0);
    CHECK(subscription.receive(Wait()).error() == Errc::closed);
  }
}

TEST_CASE("Coroutine: deliveries that were given to one that is destroyed are with the group again") {
  Stream<int> stream;
  const auto group = stream.create_group("group", earliest).value();
  const auto worker = group.consumer("worker");
  given_and_destroyed([&](auto schedule) { return ready_on(schedule, forever, worker); },
                      [&] {
                        REQUIRE(stream.add(1));
                        CHECK(group.pending().value().consumers.size() == 1);
                      });
  const auto batch = group.consumer("other").read();
  REQUIRE(values_of(*batch) == Ints{1});
  CHECK(counts_of(*batch) == std::vector<std::uint64_t>{1});
}

TEST_CASE("Completion: a handler that waits again is not called within itself") {
  constexpr int many = 100'000;
  BlockingList<int> list;
  for (int i = 0; i < many; ++i) REQUIRE(list.rpush(i));
  Ints got;
  int depth = 0;
  int deepest = 0;
  std::function<void()> wait = [&] {
    on_ready(
        [&](expected<int, Errc> value) {
          deepest = std::max(deepest, ++depth);
          if (value) {
            got.push_back(*value);
            wait();
          }
          --depth;
        },
        forever, list);
  };
  wait();
  CHECK(got.size() == many);
  CHECK(deepest == 1);
  list.close();
}

TEST_CASE("Completion: its handle does not keep it") {
  BlockingList<int> list;
  const auto owned = std::make_shared<int>(1);
  const CancelHandle handle = on_ready([owned](const expected<int, Errc>&) {}, forever, list);
  CHECK(owned.use_count() == 2);
  REQUIRE(list.rpush(1));
  CHECK(owned.use_count() == 1);
  handle.cancel();
}

TEST_CASE("Completion: several flags of a list") {
  BlockingList<bool> list;
  std::vector<bool> got;
  on_ready([&](expected<std::vector<bool>, Errc> values) { got = std::move(values).value(); }, forever,
           from(list, Side::left, 2));
  REQUIRE(list.rpush({true, false, true}));
  CHECK(got == std::vector<bool>{true, false});
}

}  // namespace coroutine_test
