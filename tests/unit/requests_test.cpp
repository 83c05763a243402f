#include <brook/probe.hpp>
#include <brook/requests.hpp>
#include <brook/select.hpp>
#include <brook/testing/manual_clock.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "list_support.hpp"
#include "stream_support.hpp"

namespace requests_test {

namespace {

using namespace brook;
using namespace brook::test;

using Lengths = Requests<std::string, std::size_t>;

/// Others go on while it is moved.
struct Slow {
  Slow() = default;
  Slow(Slow&&) noexcept { std::this_thread::yield(); }
};

}  // namespace

TEST_CASE("Requests: a question is answered by who serves") {
  Lengths lengths;
  auto service = lengths.serve();
  auto reply = lengths.send("brook");
  REQUIRE(reply);
  CHECK_FALSE(reply->ready());

  auto request = service.receive(Wait());
  REQUIRE(request);
  CHECK(**request == "brook");
  CHECK((*request)->size() == 5);
  CHECK_FALSE(request->over());
  CHECK(request->reply(5));
  CHECK(request->over());
  CHECK_FALSE(request->reply(6));

  CHECK(reply->ready());
  CHECK(*reply->get(Wait()) == 5);
}

TEST_CASE("Requests: where nobody serves a question is refused at once") {
  Lengths lengths;
  CHECK(error_of(lengths.ask("x")) == Errc::no_subscriber);
  { const auto service = lengths.serve(); }
  CHECK(error_of(lengths.ask("x")) == Errc::no_subscriber);
}

TEST_CASE("Requests: who gets a question and gives it up says so") {
  Lengths lengths;
  auto service = lengths.serve();
  auto reply = lengths.send("x");
  REQUIRE(reply);
  { const auto request = service.receive(Wait()); }
  CHECK(error_of(reply->get()) == Errc::unanswered);
}

TEST_CASE("Requests: an answer is there once") {
  Lengths lengths;
  auto service = lengths.serve();
  for (const bool waits : {false, true}) {
    auto reply = lengths.send("brook");
    REQUIRE(reply);
    CHECK(service.receive(Wait())->reply(5));
    CHECK((waits ? reply->get() : select(Wait(), *reply)).value() == 5);
    CHECK(error_of(reply->get()) == Errc::unanswered);
    CHECK(error_of(select(Wait(), *reply)) == Errc::unanswered);
  }
  auto late = lengths.send("brook");
  REQUIRE(late);
  CHECK(error_of(late->get(Wait())) == Errc::timed_out);
  CHECK_FALSE(service.receive(Wait()));
  CHECK(error_of(late->get()) == Errc::unanswered);
}

TEST_CASE("Requests: a question is refused with an error") {
  Lengths lengths;
  auto service = lengths.serve();
  auto reply = lengths.send("x");
  CHECK(service.receive(Wait())->refuse(Errc::no_such_key));
  CHECK(error_of(reply->get()) == Errc::no_such_key);
}

TEST_CASE("Requests: an answer that comes too late is dropped") {
  WatchedClock clock;
  Lengths lengths({.clock = &clock});
  auto service = lengths.serve();
  auto reply = lengths.send("x");
  auto request = service.receive(Wait());

  std::thread asker([&] {
    if (error_of(reply->get(5s)) != Errc::timed_out) std::abort();
  });
  clock.wait_for_sleepers(1);
  clock.advance(5s);
  asker.join();
  CHECK(request->over());
  CHECK_FALSE(request->reply(1));
}

TEST_CASE("Requests: a question that nobody waits for any more is passed over") {
  Lengths lengths;
  auto service = lengths.serve();
  CHECK(error_of(lengths.ask("late", Wait())) == Errc::timed_out);
  auto reply = lengths.send("x");
  auto request = service.receive(Wait());
  REQUIRE(request);
  CHECK(**request == "x");
}

TEST_CASE("Requests: nobody waits for an answer whose reply has died, nor what selects from it") {
  Lengths lengths;
  auto service = lengths.serve();
  auto reply = lengths.send("x");
  auto request = service.receive(Wait());
  REQUIRE(request);
  std::optional source = source_of(*reply);
  std::optional copy = *std::move(reply);
  reply = unexpected(Errc::closed);
  CHECK_FALSE(request->over());
  copy.reset();
  CHECK_FALSE(request->over());
  source.reset();
  CHECK(request->over());
  CHECK_FALSE(request->reply(1));

  static_cast<void>(lengths.send("passed over"));
  CHECK(error_of(service.receive(Wait())) == Errc::timed_out);
}

TEST_CASE("Requests: questions that are passed over do not lengthen the wait") {
  // Time passes before each message that is received, and none is waited for.
  struct Slow final : Probe {
    Outcome watch(const Call& call, const Perform& perform) override {
      if (call.operation != Operation::receive) return perform();
      clock.advance(60ms);
      until.push_back(call.wait->deadline(clock));
      const Wait none;
      return perform({.wait = &none});
    }
    ManualClock clock;
    std::vector<Clock::time_point> until;
  } probe;
  Lengths lengths({.clock = &probe.clock, .probe = &probe});
  auto service = lengths.serve();
  for (int i = 0; i < 2; ++i) CHECK(error_of(lengths.ask("late", Wait())) == Errc::timed_out);
  const Clock::time_point end = probe.clock.now() + 100ms;
  CHECK(error_of(service.receive(100ms)) == Errc::timed_out);
  CHECK(probe.until == std::vector<Clock::time_point>(3, end));
}

TEST_CASE("Requests: a question that nobody has received is unanswered once nobody serves") {
  Lengths lengths;
  std::optional first(lengths.serve());
  std::optional second(lengths.serve());
  auto reply = lengths.send("x");
  REQUIRE(reply);
  first.reset();
  CHECK_FALSE(reply->ready());
  second.reset();
  CHECK(error_of(reply->get(Wait())) == Errc::unanswered);

  auto third = lengths.serve();  // who comes later is not one of those
  auto another = lengths.send("y");
  REQUIRE(another);
  CHECK(**third.receive(Wait()) == "y");
  third.unsubscribe();
  CHECK(error_of(lengths.ask("z")) == Errc::no_subscriber);
}

TEST_CASE("Requests: a question is unanswered when all who serve leave at once", "[repeats]") {
  int unanswered = 0;
  constexpr int times = 200;
  for (int i = 0; i < times; ++i) {
    Lengths lengths;
    auto one = lengths.serve();
    auto other = lengths.serve();
    auto reply = lengths.send("x").value();
    std::atomic<int> ready{0};
    const auto leave = [&](auto& service) {
      ++ready;
      while (ready < 2) std::this_thread::yield();
      service.unsubscribe();
    };
    std::thread thread([&] { leave(one); });
    leave(other);
    thread.join();
    unanswered += error_of(reply.get(Wait())) == Errc::unanswered ? 1 : 0;
  }
  CHECK(unanswered == times);
}

TEST_CASE("Requests: who asks hears of it when the one who serves comes and goes", "[repeats]") {
  Requests<Slow, int> requests;
  std::atomic<bool> over{false};
  std::thread server([&] {
    while (!over) static_cast<void>(requests.serve());
  });
  std::vector<Reply<int>> replies;
  for (int i = 0; i < 3000; ++i) {
    if (auto reply = requests.send({})) replies.push_back(*std::move(reply));
  }
  over = true;
  server.join();
  CHECK(std::ranges::all_of(replies, [](auto& reply) { return error_of(reply.get(Wait())) == Errc::unanswered; }));
}

TEST_CASE("Requests: a service that is assigned to leaves") {
  Lengths lengths;
  Lengths others;
  auto service = lengths.serve();
  auto reply = lengths.send("x");
  service = others.serve();
  CHECK(error_of(reply->get(Wait())) == Errc::unanswered);
  auto& same = service;
  service = std::move(same);
  CHECK(others.send("y"));
}

TEST_CASE("Requests: those who serve share the questions, and each asker gets its own answer") {
  Lengths lengths;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([service = lengths.serve()]() mutable {
      service.run([](const std::string& question) { return question.size(); });
    });
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> askers;
  for (std::size_t asker = 1; asker <= 3; ++asker) {
    askers.emplace_back([&, asker] {
      for (int i = 0; i < 200; ++i) {
        const auto answer = lengths.ask(std::string(asker, 'x'));
        if (!answer || *answer != asker) ++wrong;
      }
    });
  }
  for (auto& thread : askers) thread.join();
  lengths.close();
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("Requests: what was asked before the close can still be answered") {
  Lengths lengths;
  auto service = lengths.serve();
  auto reply = lengths.send("x");
  lengths.close();
  CHECK(error_of(lengths.send("y")) == Errc::closed);
  auto request = service.receive();
  REQUIRE(request);
  CHECK(request->reply(1));
  CHECK(*reply->get() == 1);
  CHECK(service.receive().error() == Errc::closed);
}

TEST_CASE("Requests: values that can only be moved") {
  Requests<std::unique_ptr<int>, std::unique_ptr<int>> doubles;
  auto service = doubles.serve();
  auto reply = doubles.send(std::make_unique<int>(21));
  auto request = service.receive(Wait());
  CHECK(request->reply(std::make_unique<int>(2 * ***request)));
  CHECK(**reply->get() == 42);
}

TEST_CASE("Requests: what throws as it is moved was not asked, not answered, and is not lost") {
  using Sore = Fussy<false>;
  static_assert(Selectable<Reply<int>&> && !Selectable<Reply<Sore>&>);
  // How often it threw, with the first construction throwing, then the second, until none is left to throw.
  const auto throws = [](const auto& operation, const auto& check) {
    for (int n = 1;; ++n) {
      Sore::fuse = n;
      try {
        operation();
        Sore::fuse = 0;
        return n - 1;
      } catch (const Sore::Thrown&) { check(); }
    }
  };
  Requests<Sore, Sore> doubles;
  auto service = doubles.serve();
  std::optional<Reply<Sore>> reply;
  CHECK(throws([&] { reply.emplace(doubles.send(Sore(21)).value()); }, [&] { CHECK(!service.receive(Wait())); }) > 1);
  auto request = service.receive(Wait());
  REQUIRE(request);
  bool replied = false;
  CHECK(throws([&] { replied = request->reply(Sore(2 * (*request)->value())); }, [&] { CHECK(!reply->ready()); }) > 1);
  CHECK(replied);
  int got = 0;
  CHECK(throws([&] { got = reply->get()->value(); }, [&] { CHECK(reply->ready()); }) == 1);
  CHECK(got == 42);
  CHECK(reply->get(Wait()).error() == Errc::unanswered);
}

#ifdef __cpp_lib_jthread
TEST_CASE("Requests: waiting for an answer can be stopped") {
  WatchedClock clock;
  Lengths lengths({.clock = &clock});
  const auto service = lengths.serve();
  std::stop_source stop;
  std::thread asker([&] {
    if (error_of(lengths.ask("x", {forever, stop.get_token()})) != Errc::cancelled) std::abort();
  });
  clock.wait_for_sleepers(1);
  stop.request_stop();
  asker.join();
}
#endif

}  // namespace requests_test
