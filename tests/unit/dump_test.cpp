#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "../catch.hpp"

namespace dump_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;

struct Order {
  int number = 0;
};
struct Unknown {
  char bytes[24] = {};
};

}  // namespace

}  // namespace dump_test

template <>
struct brook::Shown<dump_test::Order> {
  static void print(std::ostream& to, const dump_test::Order& order) { to << "order " << order.number; }
};

namespace dump_test {

TEST_CASE("Dump: a stream, its groups, and what is pending with whom") {
  ManualClock clock{1000ms};
  Stream<Order> orders({.clock = &clock});
  CHECK(dump(orders, {.name = "orders"}).starts_with("stream 'orders' of "));
  for (int n = 1; n <= 4; ++n) REQUIRE(orders.add({n}));
  const auto billing = *orders.create_group("billing", earliest);
  const auto read = billing.consumer("worker-1").read({.count = 3});
  REQUIRE((*read)[0].nack());
  REQUIRE((*read)[1].ack());
  clock.advance(5ms);
  const std::string text = dump(orders, {.name = "orders"});
  CHECK(text.substr(text.find('\n')) ==
        "\n"
        "  1000-0  order 1\n"
        "  1000-1  order 2\n"
        "  1000-2  order 3\n"
        "  1000-3  order 4\n"
        "  group 'billing': delivered up to 1000-2, 3 read, lag 1, 2 pending, 1 with nobody\n"
        "    consumer 'worker-1': 1 pending, idle 5ms, inactive 5ms\n"
        "      1000-2  delivered 1 time, idle 5ms\n"
        "    with nobody:\n"
        "      1000-0  delivered 1 time\n");
  CHECK(text.find(": 4 entries of 4 ever added, 1000-0 … 1000-3\n") != std::string::npos);
  CHECK(dump(orders, {.name = "orders"}) == text);  // time after time
  CHECK(dump(billing) == text.substr(text.find("  group")));
  orders.close();
  CHECK(dump(orders).find(", closed: 4 entries") != std::string::npos);
}

TEST_CASE("Dump: no more than asked for") {
  Stream<int> stream;
  BlockingList<int> list;
  for (int n = 1; n <= 5; ++n) REQUIRE((stream.add(n) && list.rpush(n)));
  const std::string entries = dump(stream, {.most = 2});
  CHECK(entries.find("  2\n  … 3 more\n") != std::string::npos);
  CHECK(dump(list, {.most = 2}) == "list of int: 5 elements\n  0  1\n  1  2\n  … 3 more\n");
  CHECK(dump(list, {.most = 0}) == "list of int: 5 elements\n");
}

TEST_CASE("Dump: a list, and who waits at it") {
  ManualClock clock;
  BlockingList<std::string> list({.capacity = 2, .overflow = Overflow::block, .clock = &clock});
  auto popper = clock.thread([&] { return list.blpop(forever); });
  clock.run_until_idle();
  CHECK(dump(list) == "list of std::string: 0 elements, capacity 2, 1 waiting for elements\n");
  REQUIRE(list.rpush("tea"));
  clock.run_until_idle();
  REQUIRE(list.rpush("in \"quotes\""));
  REQUIRE(list.rpush("two\nlines\x01"));
  auto pusher = clock.thread([&] { return list.rpush("more").has_value(); });
  clock.run_until_idle();
  CHECK(dump(list, {.name = "words"}) ==
        "list 'words' of std::string: 2 elements, capacity 2, 1 waiting for room\n"
        "  0  \"in \\\"quotes\\\"\"\n"
        "  1  \"two\\nlines\\x01\"\n");
  list.close();
}

TEST_CASE("Dump: what cannot be copied or printed") {
  BlockingList<std::unique_ptr<int>> owners;
  REQUIRE(owners.rpush(std::make_unique<int>(1)));
  CHECK(dump(owners).find(": 1 element\n") != std::string::npos);
  Stream<Unknown> unknown;
  REQUIRE(unknown.add({}));
  CHECK(dump(unknown).find(", 24 bytes>\n") != std::string::npos);
}

TEST_CASE("Dump: a dead letter, and how it ended") {
  DeadLetter<int> letter{};
  letter.id = {5, 1};
  letter.group = "billing";
  letter.consumer = "worker-1";
  letter.deliveries = 3;
  letter.value = 7;
  CHECK(testing::shown(letter) == "7, too often: 5-1 in 'billing', delivery 3 to 'worker-1'");
  letter.reason = DeathReason::fatal;
  letter.consumer.clear();
  CHECK(testing::shown(letter) == "7, fatal: 5-1 in 'billing', delivery 3");
}

TEST_CASE("Dump: channels and PubSub") {
  Channel<int> channel;
  const auto sub = channel.subscribe();
  CHECK(channel.publish(1) == 1);
  CHECK(dump(channel) == "channel of int: 1 subscription, 1 message, 1 kept\n");
  PubSub<int> news;
  const auto topics = news.subscribe({"b", "a"}, {.patterns = {"*"}});
  CHECK(dump(news, {.name = "news"}) ==
        "pubsub 'news' of int: 2 names, 1 pattern\n  'a'  1 subscription\n  'b'  1 subscription\n");
}

TEST_CASE("Dump: a broker, object after object") {
  ManualClock clock{1000ms};
  Broker broker({.clock = &clock});
  CHECK(dump(broker) == "broker: 0 objects\n");
  const auto orders = *broker.stream<Order>("orders");
  const auto jobs = *broker.list<int>("jobs");
  const auto unknown = *broker.list<Unknown>("unknown");
  REQUIRE(orders->add({7}));
  REQUIRE(jobs->rpush(1));
  REQUIRE(unknown->rpush(Unknown()));
  const std::string text = dump<Order>(broker);
  CHECK(text.starts_with("broker: 3 objects\n  list 'jobs' of int: 1 element\n    0  1\n  stream 'orders' of "));
  CHECK(text.find("\n    1000-0  order 7\n  list 'unknown' of ") != std::string::npos);
  CHECK(text.ends_with(": 1 inside\n"));
  const std::string without = dump(broker);
  CHECK(without.find("order 7") == std::string::npos);  // a type that it was not told of
  broker.close();
  CHECK(dump(broker).starts_with("broker, closed: "));
}

TEST_CASE("Fill: a bounded stream or list is full, with what is made for it") {
  Stream<int> stream({.capacity = 3});
  REQUIRE(stream.add(7));
  CHECK(fill(stream) == 2);
  CHECK(stream.range().back().value == 1);
  CHECK(stream.add(1).error() == Errc::full);
  CHECK(fill(stream) == 0);
  BlockingList<std::string> list({.capacity = 2});
  CHECK(fill(list, [](std::size_t n) { return "job " + std::to_string(n); }) == 2);
  CHECK(list.lrange(0, -1) == std::vector<std::string>{"job 0", "job 1"});
  CHECK(list.rpush("more").error() == Errc::full);
  BlockingList<std::string> unbounded;
  CHECK(fill(unbounded) == 0);
  CHECK(unbounded.empty());
}

TEST_CASE("Fill: those who wait get theirs first, and then it is full") {
  ManualClock clock;
  BlockingList<int> list({.capacity = 3, .clock = &clock});
  auto waits = clock.thread([&] { return list.blpop(1h); });
  clock.run_until_idle();
  CHECK(fill(list) == 4);
  CHECK(list.size() == 3);
  clock.run_until_idle();
  CHECK(waits.get() == 0);
  BlockingList<int> newest({.capacity = 2, .overflow = Overflow::drop_oldest});
  CHECK(fill(newest) == 2);
  CHECK(fill(newest) == 0);
}

TEST_CASE("Dump: names are on one line, whatever is in them") {
  Broker broker;
  const std::string name("a\n'b'\0\x1b[1m", 10);
  REQUIRE((*broker.stream<int>(name))->create_group("g\n"));
  const std::string text = dump(broker);
  CHECK(text.find("stream 'a\\n\\'b\\'\\x00\\x1b[1m' of int") != std::string::npos);
  CHECK(text.find("group 'g\\n'") != std::string::npos);
}

TEST_CASE("Dump: makes nothing that is not there") {
  const Broker broker;
  CHECK(dump(broker).find("0 objects") != std::string::npos);
  CHECK(broker::Contents::find<Stream<int>>(broker, "x") == nullptr);
  CHECK_FALSE(broker.exists("x"));
}

TEST_CASE("Fill: goes by the probe, as any other add") {
  Faults faults;
  faults.fail({.operation = Operation::add, .nth = 3});
  Stream<int> stream({.capacity = 10, .probe = &faults});
  CHECK(fill(stream) == 2);
}

TEST_CASE("Damage: of each kind, told, and the same for the same seed") {
  const std::string whole = "0123456789";
  const auto damaged = [&](const DamageOptions& options) {
    std::string bytes = whole;
    const std::string told = damage(bytes, options);
    std::string again = whole;
    CHECK(damage(again, options) == told);
    CHECK(again == bytes);
    return std::pair{bytes, told};
  };
  const auto differing = [&](const std::string& bytes) {
    int count = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) count += bytes[i] != whole[i] ? 1 : 0;
    return count;
  };
  const auto [flipped, flip] = damaged({.seed = 3});
  CHECK(differing(flipped) == 1);
  CHECK(flip.starts_with("flipped bit "));
  CHECK(flip.ends_with(" of 10"));
  CHECK(damaged({.seed = 4}).first != flipped);
  CHECK(differing(damaged({.how = Damage::overwrite, .seed = 3}).first) == 1);
  const auto [cut, truncated] = damaged({.how = Damage::truncate, .times = 5, .seed = 3});
  CHECK((cut.size() < 10 && whole.starts_with(cut)));
  CHECK(truncated == "truncated before byte " + std::to_string(cut.size()) + " of 10");
  CHECK(damaged({.how = Damage::insert, .times = 2, .seed = 3}).first.size() == 12);
  CHECK(damaged({.how = Damage::remove, .times = 3, .seed = 3}).first.size() == 7);
}

TEST_CASE("Damage: only where it may be") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::string bytes(10, 'x');
    damage(bytes, {.how = Damage::overwrite, .times = 4, .seed = seed, .first = 3, .end = 5});
    REQUIRE(bytes.substr(0, 3) == "xxx");
    REQUIRE(bytes.substr(5) == "xxxxx");
    REQUIRE(bytes.find_first_not_of('x') != std::string::npos);
  }
  std::vector<std::byte> none;
  CHECK(damage(none).empty());
  std::string few = "ab";
  CHECK(damage(few, {.first = 2}).empty());
  CHECK(few == "ab");
}

TEST_CASE("Damage: something is always other than it was") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    for (const Damage how : {Damage::flip, Damage::overwrite}) {
      std::string bytes = "x";
      const std::string told = damage(bytes, {.how = how, .times = 2, .seed = seed});
      CHECK(bytes != "x");
      CHECK(told.size() > 0);
    }
  }
}

TEST_CASE("Damage: of a directory") { CHECK(damage(std::filesystem::temp_directory_path()).error() == Errc::io_error); }

TEST_CASE("Damage: of a file") {
  const auto path = std::filesystem::temp_directory_path() / "brook_damage_test";
  std::ofstream(path, std::ios::binary) << "0123456789";
  CHECK(damage(path, {.how = Damage::remove}).value().ends_with(" of 10"));
  CHECK(std::filesystem::file_size(path) == 9);
  std::filesystem::remove(path);
  CHECK(damage(path).error() == Errc::io_error);
  CHECK_FALSE(std::filesystem::exists(path));
}

}  // namespace dump_test
