// select_gone_test.cpp — select() and completions of sources whose objects are gone, and their clocks with them.
#include <brook/select.hpp>
#include <brook/testing.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"
#include "select_support.hpp"

namespace select_gone_test {

namespace {

using namespace brook;
using namespace brook::test;

// A clock that tells when it is used though it is gone.
class Mortal final : public Clock {
 public:
  explicit Mortal(bool& used_dead) : used_dead_(used_dead) {}
  void die() noexcept { dead_ = true; }
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override {
    note();
    return 1000;
  }
  [[nodiscard]] time_point now() const noexcept override {
    note();
    return time_point(1s);
  }
  void sleep(sync::unique_lock<sync::mutex>&, const Alarm&) override { note(); }
  void set(Timer&) override { note(); }
  void unset(Timer&) noexcept override { note(); }

 private:
  void note() const noexcept {
    if (dead_) used_dead_ = true;
  }
  bool& used_dead_;
  bool dead_ = false;
};

// What is left of objects of every kind, all of which lived by one clock and had one probe.
struct Left {
  bool used_dead = false;
  Mortal clock{used_dead};
  Recorder recorder{};
  Subscription<int> alone{}, shared{}, unsubscribed{};
  TopicSubscription<int> topic{};
  std::optional<Consumer<int>> worker{};
  std::optional<Group<int>> group{};
  std::optional<blocking_list::PopFrom<int>> popping{};
  std::optional<blocking_list::MoveFrom<int>> moving{};
  std::optional<stream::ReadFrom<int>> reading{};
  std::optional<Reply<std::size_t>> reply{};
  std::optional<Requests<std::string, std::size_t>> requests{};

  explicit Left(bool with_probe) {
    Probe* const probe = with_probe ? &recorder : nullptr;
    {
      Channel<int> channel({.clock = &clock, .probe = probe});
      PubSub<int> pubsub({.clock = &clock, .probe = probe});
      Stream<int> stream({.max_age = 1h, .clock = &clock, .probe = probe});
      BlockingList<int> list({.clock = &clock, .probe = probe}), other({.clock = &clock, .probe = probe});
      Requests<std::string, std::size_t> asked({.clock = &clock});
      alone = channel.subscribe();
      shared = channel.subscribe({.share = "s"});
      unsubscribed = channel.subscribe();
      unsubscribed.unsubscribe();
      topic = pubsub.subscribe("t");
      group = stream.create_group("g").value();
      worker = group->consumer("w");
      popping = from(list);
      moving = brook::moving(list, other, Side::left, Side::right);
      reading = from(stream, latest);
      auto service = asked.serve();
      reply = asked.send("x").value();
      static_cast<void>(service.receive(Wait()));
    }
    clock.die();
    recorder.clear();
  }
};

}  // namespace

TEST_CASE("Select: sources whose objects are gone, and their clocks with them, are over") {
  Left left(GENERATE(false, true));
  CHECK(told(select(1h, left.alone)) == told(Errc::closed));
  CHECK(told(select(1h, left.shared)) == told(Errc::closed));
  CHECK(told(select(1h, left.unsubscribed)) == told(Errc::closed));
  CHECK(told(select(1h, left.topic)) == told(Errc::closed));
  CHECK(told(select(1h, *left.worker)) == told(Errc::closed));
  CHECK(told(select(1h, *left.popping)) == told(Errc::closed));
  CHECK(told(select(1h, *left.moving)) == told(Errc::closed));
  CHECK(told(select(1h, *left.reading)) == told(Errc::closed));
  CHECK(told(select(1h, *left.reply)) == told(Errc::unanswered));
  CHECK(read(1h, *left.reading).error() == Errc::closed);
  CHECK(left.shared.receive(1h).error() == Errc::closed);
  CHECK(left.worker->read({.block = 1h}).error() == Errc::closed);
  CHECK(left.reply->get(1h).error() == Errc::unanswered);
  static_cast<void>(left.group->consumer("another"));
  CHECK_FALSE(left.used_dead);
}

TEST_CASE("Completion: sources whose objects are gone, and their clocks with them, are over") {
  Left left(GENERATE(false, true));
  std::vector<std::string> got;
  const auto note = [&](const auto& taken) { got.push_back(told(taken)); };
  on_ready(note, 1h, left.alone);
  on_ready(note, 1h, left.shared, left.unsubscribed);
  on_ready(note, 1h, left.topic);
  on_ready(note, 1h, *left.worker, *left.popping);
  on_ready(note, 1h, *left.moving);
  on_ready(note, 1h, *left.reading);
  CHECK(got == std::vector<std::string>(6, told(Errc::closed)));
  on_ready(note, 1h, *left.reply);
  CHECK(got.back() == told(Errc::unanswered));
  CHECK_FALSE(left.used_dead);
}

TEST_CASE("Select: time is that of the first source whose object is there") {
  Left left(false);
  ManualClock clock;
  BlockingList<int> list({.clock = &clock});
  auto waits = clock.thread([&] { return told(select(1h, left.unsubscribed, left.alone, *left.reply, list)); });
  clock.advance(1h);
  CHECK(waits.get() == told(Errc::unanswered));  // the reply is over, which it answers before that

  auto really_waits = clock.thread([&] { return told(select(1h, left.unsubscribed, left.alone, list)); });
  clock.advance(1h - 1ns);
  CHECK_FALSE(really_waits.done());
  clock.advance(1ns);
  CHECK(really_waits.get() == told(Errc::timed_out));
  CHECK_FALSE(left.used_dead);
}

TEST_CASE("Select: what is left in a list that is gone can be drained, and no probe is asked") {
  std::optional<blocking_list::PopFrom<int>> popping;
  {
    Recorder recorder;
    BlockingList<int> list({.probe = &recorder});
    CHECK(list.rpush(7));
    popping = from(list);
  }
  CHECK(told(select(Wait(), *popping)) == "7");
  CHECK(told(select(Wait(), *popping)) == told(Errc::closed));
}

}  // namespace select_gone_test
