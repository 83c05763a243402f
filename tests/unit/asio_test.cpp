// asio_test.cpp — operations of asio with several completion tokens; executors, allocators, cancellation, and contexts that die
// with operations in them. CMake leaves it out where there is no asio.
#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/deferred.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <brook/adapters/asio.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <brook/brook.hpp>

#include "../catch.hpp"
#include "list_support.hpp"

namespace asio_test {

namespace {

using namespace brook;
using namespace brook::test;

using Result = expected<int, Errc>;

template <class Io>
asio::awaitable<void> take_all(BlockingList<int>& list, Io&& where, Ints& got, std::optional<Errc>& end) {
  while (true) {
    const auto value = co_await async_ready(where, forever, list, asio::use_awaitable);
    if (!value) end = value.error();
    if (!value) co_return;
    got.push_back(*value);
  }
}

// Counts what is allocated through it.
template <class T>
struct Counting {
  using value_type = T;
  int* live;
  int* ever;

  Counting(int& living, int& all) : live(&living), ever(&all) {}
  template <class U>
  Counting(const Counting<U>& other) : live(other.live), ever(other.ever) {}
  T* allocate(std::size_t n) {
    ++*live;
    ++*ever;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* at, std::size_t n) {
    --*live;
    std::allocator<T>().deallocate(at, n);
  }
  template <class U>
  bool operator==(const Counting<U>& other) const {
    return live == other.live;
  }
};

struct WithAllocator {
  using allocator_type = Counting<void>;
  Counting<void> allocator;
  std::optional<Result>* result;
  int* live_when_called;

  [[nodiscard]] allocator_type get_allocator() const { return allocator; }
  void operator()(Result popped) const {
    *live_when_called = *allocator.live;
    result->emplace(popped);
  }
};

}  // namespace

TEST_CASE("asio: a coroutine takes what is there and what comes, until the list is closed") {
  BlockingList<int> list;
  REQUIRE(list.rpush({1, 2}));
  asio::io_context io;
  Ints got;
  std::optional<Errc> end;
  asio::co_spawn(io, take_all(list, io, got, end), asio::detached);
  io.poll();
  CHECK(got == Ints{1, 2});
  REQUIRE(list.rpush(3));
  CHECK(got == Ints{1, 2});
  io.poll();
  CHECK(got == Ints{1, 2, 3});
  CHECK(!io.stopped());
  list.close();
  io.run();
  CHECK(end == Errc::closed);
}

TEST_CASE("asio: further tokens") {
  BlockingList<int> list;
  Channel<std::string> channel;
  auto subscription = channel.subscribe();
  asio::io_context io;
  REQUIRE(list.rpush(1));
  SECTION("a future, of several sources, on an executor") {
    auto future = async_ready(io.get_executor(), forever, subscription, list, asio::use_future);
    io.run();
    CHECK(std::get<1>(future.get().value()) == 1);
  }
  SECTION("deferred") {
    auto later = async_ready(asio::any_io_executor(io.get_executor()), forever, list, asio::experimental::deferred);
    CHECK(list.size() == 1);
    std::optional<Result> result;
    std::move(later)([&](Result popped) { result = popped; });
    io.run();
    CHECK(*result == 1);
  }
  SECTION("a handler that can only be moved") {
    std::optional<Result> result;
    async_ready(io, Wait(), list, [&, owned = std::make_unique<int>(1)](Result popped) {
      if (owned) result = popped;
    });
    CHECK(!result);  // never from within the call
    io.run();
    CHECK(*result == 1);
  }
  SECTION("an error") {
    std::optional<Errc> error;
    async_ready(io, Wait(), subscription, [&](const auto& message) { error = message.error(); });
    io.run();
    CHECK(error == Errc::timed_out);
  }
  SECTION("on the threads of a pool") {
    asio::thread_pool pool(1);
    auto future = async_ready(pool, forever, subscription, asio::use_future);
    REQUIRE(channel.publish("news"));
    CHECK(**future.get() == "news");
  }
}

TEST_CASE("asio: the handler's own executor and allocator") {
  BlockingList<int> list;
  asio::io_context io;
  SECTION("executor") {
    asio::io_context own;
    std::optional<Result> result;
    async_ready(io, forever, list, asio::bind_executor(own, [&](Result popped) { result = popped; }));
    own.poll();
    CHECK(!own.stopped());  // there is work to come
    REQUIRE(list.rpush(1));
    io.run();
    CHECK(!result);
    own.run();
    CHECK(*result == 1);
  }
  SECTION("a strand") {
    auto strand = asio::make_strand(io);
    bool inside = false;
    async_ready(strand, forever, list, [&](const Result&) { inside = strand.running_in_this_thread(); });
    REQUIRE(list.rpush(1));
    io.run();
    CHECK(inside);
  }
  SECTION("allocator") {
    int live = 0;
    int ever = 0;
    int live_when_called = -1;
    std::optional<Result> result;
    async_ready(io, forever, list, WithAllocator{{live, ever}, &result, &live_when_called});
    REQUIRE(list.rpush(1));
    io.run();
    CHECK(*result == 1);
    CHECK(ever > 0);
    CHECK(live == 0);
    CHECK(live_when_called == 0);
  }
}

TEST_CASE("asio: a cancelled operation tells so, or has the item") {
  BlockingList<int> list;
  asio::io_context io;
  asio::cancellation_signal signal;
  std::optional<Result> result;
  async_ready(io, forever, list, asio::bind_cancellation_slot(signal.slot(), [&](Result popped) { result = popped; }));
  SECTION("before there is something") {
    signal.emit(asio::cancellation_type::terminal);
    REQUIRE(list.rpush(1));
    io.run();
    CHECK(result->error() == Errc::cancelled);
    CHECK(list.size() == 1);
  }
  SECTION("after that, before the handler ran") {
    REQUIRE(list.rpush(1));
    signal.emit(asio::cancellation_type::total);
    io.run();
    CHECK(*result == 1);
    CHECK(list.empty());
  }
  SECTION("not at all") {
    signal.emit(asio::cancellation_type::none);
    REQUIRE(list.rpush(1));
    io.run();
    CHECK(*result == 1);
    signal.emit(asio::cancellation_type::all);
  }
}

TEST_CASE("asio: a context that dies with operations in it loses nothing") {
  BlockingList<int> list;
  const auto owned = std::make_shared<int>(1);
  std::optional<asio::io_context> io(std::in_place);
  int calls = 0;
  for (int i = 0; i < 3; ++i) async_ready(*io, forever, list, [&calls, owned](const Result&) { ++calls; });
  CHECK(owned.use_count() == 4);
  CHECK(list.info().waiting_poppers == 3);
  SECTION("that wait") {}
  SECTION("whose handlers were not called yet") { REQUIRE(list.rpush({1, 2})); }
  const std::size_t given = 3 - list.info().waiting_poppers;
  CHECK(list.empty());
  io.reset();
  CHECK(owned.use_count() == 1);
  CHECK(list.info().waiting_poppers == 0);
  CHECK(list.size() == given);
  REQUIRE(list.rpush(3));
  CHECK(calls == 0);
}

}  // namespace asio_test
