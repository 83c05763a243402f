#include <brook/testing/catch2.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <brook/select.hpp>

#include "../catch.hpp"

namespace matchers_test {

namespace {

using namespace brook;
using namespace brook::matchers;
using namespace std::chrono_literals;

template <class Object>
std::string shown_by_catch(const Object& object) {
  return Catch::StringMaker<Object>::convert(object);
}

using Ints = std::vector<int>;

}  // namespace

TEST_CASE("Matchers: streams and lists") {
  Stream<int> stream;
  BlockingList<std::string> list;
  CHECK_THAT(stream, IsEmpty() && HasLength(0) && !HasEntry(7));
  REQUIRE(stream.add(Id{5, 1}, 7));
  CHECK_THAT(stream, HasLength(1) && HasEntry(7) && HasEntry(Id{5, 1}) && !IsEmpty());
  CHECK_THAT(stream, !HasEntry(8) && !HasEntry(Id{5, 2}) && !HasLength(2));
  CHECK_THAT(stream, HasEntry(8) || HasEntry(7));
  CHECK_THAT(stream, !(HasEntry(8) || HasEntry(9)));
  REQUIRE(list.rpush("tea"));
  CHECK_THAT(list, HasLength(1) && HasEntry("tea") && !HasEntry("milk"));
  CHECK_THAT(list, !IsClosed());
  list.close();
  CHECK_THAT(list, IsClosed());
  CHECK(HasEntry("tea").toString() == "has entry \"tea\"");
  CHECK((HasLength(1) && !HasEntry(Id{5, 1})).toString() == "( has length 1 and not has entry 5-1 )");
  CHECK((IsEmpty() || HasLength(2)).toString() == "( is empty or has length 2 )");
}

TEST_CASE("Matchers: groups, and what is drained") {
  Stream<int> stream;
  const auto group = *stream.create_group("g", earliest);
  BlockingList<int> list;
  CHECK_THAT(group, IsDrained() && HasLag(0) && HasPending(0));
  REQUIRE(stream.add(1));
  REQUIRE(stream.add(2));
  REQUIRE(list.rpush(1));
  CHECK_THAT(group, HasLag(2) && !IsDrained());
  CHECK_THAT(list, !IsDrained());
  const auto batch = *group.consumer("a").read({.count = 1});
  const auto other = *group.consumer("b").read({.count = 1});
  CHECK_THAT(group, HasLag(0) && HasPending(2) && HasPending(1, "a") && !HasPending(2, "a") && !IsDrained());
  CHECK_THAT(stream, !IsDrained());
  CHECK(batch.ack() + other.ack() == 2);
  CHECK_THAT(group, IsDrained());
  CHECK_THAT(stream, IsDrained());
  Stream<int> without_groups;
  CHECK_THAT(without_groups, IsDrained());
  REQUIRE(without_groups.add(1));
  CHECK_THAT(without_groups, !IsDrained());
  CHECK(HasPending(1, "a").toString() == "has 1 pending with 'a'");
  REQUIRE(group.destroy());
  CHECK_THAT(group, !IsDrained() && !HasPending(0) && !HasLag(0));  // it is gone
}

TEST_CASE("Matchers: channels and subscriptions") {
  Channel<int> channel;
  CHECK_THAT(channel, HasSubscribers(0));
  auto sub = channel.subscribe({.backlog = 2});
  for (int n = 1; n <= 3; ++n) CHECK(channel.publish(n) == 1);
  CHECK_THAT(channel, HasSubscribers(1) && !HasSubscribers(2));
  CHECK_THAT(sub, HasWaiting(2) && !HasWaiting(3));
  CHECK_THAT(sub.receive(), Received(2));
  CHECK_THAT(sub, HasLost(1) && !HasLost(0));
  PubSub<int> news;
  const auto topics = news.subscribe("a");
  CHECK_THAT(news, HasSubscribers(1, "a") && HasSubscribers(0, "b") && !HasSubscribers(0, "a"));
  CHECK(HasSubscribers(1, "a").toString() == "has 1 subscriber to 'a'");
  CHECK(HasLost(2).toString() == "has lost 2 messages");
}

TEST_CASE("Matchers: Received, of one answer") {
  BlockingList<std::string> list;
  REQUIRE(list.rpush({"a", "b", "c"}));
  CHECK_THAT(list.lpop(), Received("a"));
  CHECK_THAT(list.blpop(forever), !Received("a"));
  CHECK_THAT(blpop(forever, list), Received("c"));
  CHECK_THAT(list.lpop(), !Received("c"));
  CHECK_THAT(list.blpop(Wait()), FailsWith(Errc::timed_out) && !FailsWith(Errc::closed) && !Received("c"));
  Channel<int> channel;
  auto sub = channel.subscribe();
  CHECK(channel.publish_range(Ints{1, 2, 3}) == 1);
  CHECK_THAT(sub.receive(), Received(1) && !Received(2));
  const auto message = *sub.receive();
  CHECK_THAT(message, Received(2) && !Received(1));
  CHECK_THAT(select(Wait(), sub), Received(3));
  CHECK_THAT(channel.publish(4, Wait()), !FailsWith(Errc::closed));
  CHECK(Received("a").toString() == "received \"a\"");
  CHECK_THAT((std::variant<std::string, int>("a")), Received("a") && !Received(97) && !Received('a'));
}

TEST_CASE("Matchers: numbers of any type, but no letters, truths or pointers to nothing") {
  Stream<unsigned> stream;
  REQUIRE(stream.add(7U));
  CHECK_THAT(stream, HasEntry(7) && HasEntry(7L) && !HasEntry(-7) && HasEntry(7.0));
  CHECK_THAT(std::size_t{7}, Received(7) && !Received(8));
  CHECK_THAT(std::vector<unsigned>{0xffffffffU}, !Received(-1));
  CHECK_THAT(std::vector<char>{'a'}, Received('a') && !Received(97));
  CHECK_THAT(std::optional<bool>(true), Received(true) && !Received(1));
  CHECK_THAT(std::shared_ptr<int>(), !Received(5));
  CHECK_THAT(std::make_shared<int>(5), Received(5) && !Received(6));
  CHECK_THAT(static_cast<const int*>(nullptr), !Received(5));
}

TEST_CASE("Matchers: Received, of several at once") {
  const auto only_two_and_three = Received(2) && Received(3) && !Received(1) && !Received(4);
  Stream<int> stream;
  const auto group = *stream.create_group("g", earliest);
  BlockingList<int> list;
  Channel<int> channel;
  auto sub = channel.subscribe();
  for (int n = 2; n <= 3; ++n) REQUIRE((stream.add(n) && list.rpush(n) && channel.publish(n) == 1));
  const auto worker = group.consumer("w");
  CHECK_THAT(stream.read(earliest), only_two_and_three);
  CHECK_THAT(stream.range(), only_two_and_three);
  CHECK_THAT(list.lrange(0, -1), only_two_and_three);
  CHECK_THAT(worker.read(), only_two_and_three);
  CHECK_THAT(*worker.history(), only_two_and_three);
  CHECK_THAT((*worker.history())[1], Received(3) && !Received(2));
  CHECK_THAT(sub.receive_batch(), only_two_and_three);
  CHECK_THAT(lmpop(Side::left, 5, list), only_two_and_three);
  CHECK_THAT(lmpop(Side::left, 5, list), !Received(2));
  CHECK_THAT(sub.receive_batch(5, Wait()), !Received(2));
}

TEST_CASE("Matchers: recorders and faults") {
  Recorder recorder;
  Faults faults;
  Recorder both({.then = &faults});
  BlockingList<int> list({.probe = recorder.named("jobs")});
  CHECK_THAT(recorder, !Saw({.operation = Operation::push}));
  REQUIRE(list.rpush(1));
  REQUIRE(list.rpush(1));
  CHECK_THAT(recorder, Saw({.operation = Operation::push}) && Saw(2, {.name = "jobs"}) && !Saw(1, {.name = "jobs"}));
  CHECK(Saw(2, {.operation = Operation::push, .name = "jobs"}).toString() == "saw push on 'jobs' 2 times");
  BlockingList<int> other({.probe = &both});
  CHECK_THAT(faults, AllHit());
  faults.fail({.operation = Operation::push, .nth = 1});
  CHECK_THAT(faults, !AllHit());
  CHECK_THAT(other.rpush(1), FailsWith(Errc::closed));
  CHECK_THAT(faults, AllHit());
}

TEST_CASE("Matchers: an assertion that fails shows what is in the object") {
  ManualClock clock{1000ms};
  Stream<int> stream({.clock = &clock});
  BlockingList<int> list;
  REQUIRE(stream.add(7));
  REQUIRE(list.rpush(8));
  CHECK(shown_by_catch(stream) == "\n" + dump(stream));
  CHECK(shown_by_catch(list) == "\n" + dump(list));
  CHECK(shown_by_catch(stream.range().front()) == "1000-0  7");
  const auto group = *stream.create_group("g", earliest);
  CHECK(shown_by_catch(group) == "\n" + dump(group));
  CHECK(shown_by_catch((*group.consumer("w").read())[0]) == "7");
  CHECK(shown_by_catch(list.blpop(Wait())) == "8");
  CHECK(shown_by_catch(list.blpop(Wait())) == "nothing: the wait timed out");
  CHECK(shown_by_catch(list.rpush(9)) == "1");
  CHECK(shown_by_catch(list.lset(0, 1)) == "done");
  CHECK(shown_by_catch(Errc::full) == "the object is full");
  list.clear();
  REQUIRE(list.rpush(5));
  BlockingList<std::string> other;
  CHECK(shown_by_catch(blpop(Wait(), list)) == "number 0: 5");
  REQUIRE(list.rpush({5, 6}));
  CHECK(shown_by_catch(blmpop(Wait(), Side::left, 2, list)) == "number 0: { 5, 6 }");
  REQUIRE(list.rpush(5));
  CHECK(shown_by_catch(select(Wait(), other, list)) == "number 1: 5");
  Broker broker;
  CHECK(shown_by_catch(broker.list<int>("jobs")) == "an object");
  CHECK(shown_by_catch(broker.stream<int>("jobs")) == "nothing: 'jobs' is a list of int, not a stream of int");
  CHECK(shown_by_catch(broker) == "\n" + dump(broker));
  Faults faults;
  const Rule rule = faults.fail({.operation = Operation::add});
  CHECK(shown_by_catch(faults) == "faults; these have hit nothing:\n  " + rule.text());
}

TEST_CASE("Matchers: the story of a test is told when an exception ends it, and not when all is well") {
  ManualClock clock;
  Recorder recorder;
  BlockingList<int> list({.clock = &clock, .probe = recorder.named("jobs")});
  std::ostringstream told;
  {
    const brook::testing::StoryOnFailure story(recorder, told);
    CHECK(list.rpush(1));
  }
  CHECK(told.str().empty());
  try {
    const brook::testing::StoryOnFailure story(recorder, told);
    CHECK(list.rpush(1));
    throw std::runtime_error("a test that fails");
  } catch (const std::runtime_error&) {}
  CHECK(told.str() == "what happened:\n" + recorder.story());
}

}  // namespace matchers_test
