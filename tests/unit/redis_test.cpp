// Export for Redis and import of what Redis writes: the commands word by word, and what is refused.
#include <brook/redis.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../catch.hpp"

namespace redis_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Map = std::map<std::string, std::string>;

struct Order {
  int number = 0;
  std::string item;
};

}  // namespace

}  // namespace redis_test

template <>
struct brook::RedisFormat<redis_test::Order> {
  using Order = redis_test::Order;
  static RedisFields fields(const Order& order) {
    return {{"number", std::to_string(order.number)}, {"item", order.item}};
  }
  static expected<Order, Errc> from_fields(RedisFields fields) {
    if (fields.size() != 2) return unexpected(Errc::codec_error);
    return Order{std::stoi(fields[0].second), fields[1].second};
  }
};

namespace redis_test {

namespace {

// The commands of an export, one a line, words between blanks; an empty word is ''.
std::string lines(const std::string& commands) {
  std::istringstream in(commands);
  std::string told;
  std::string head;
  for (std::string line; std::getline(in, line);) {
    line.pop_back();
    if (line[0] == '*') {
      told += told.empty() ? "" : "\n";
      continue;
    }
    head = line;
    std::getline(in, line);
    line.pop_back();
    told += (told.empty() || told.back() == '\n' ? "" : " ") + (line.empty() ? "''" : line);
  }
  return told;
}
// And back.
std::string commands(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string all;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string bulks;
    int count = 0;
    for (std::string word; words >> word; ++count) {
      if (word == "''") word.clear();
      bulks += '$' + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    all += '*' + std::to_string(count) + "\r\n" + bulks;
  }
  return all;
}

template <class Object>
std::string exported(const Object& object, const RedisExportOptions& options = {}) {
  std::ostringstream out;
  const auto done = export_to_redis(out, "key", object, options);
  return done ? lines(out.str()) : done.error().message();
}

template <class Object>
std::string import_bytes(const std::string& bytes, Object& object, const RedisImportOptions& options = {}) {
  std::istringstream in(bytes);
  const auto done = import_from_redis(in, "key", object, options);
  return done ? "done" : done.error().message();
}
template <class Object>
std::string import_lines(std::string_view text, Object& object, const RedisImportOptions& options = {}) {
  return import_bytes(commands(text), object, options);
}

TEST_CASE("an empty stream keeps its counters in Redis") {
  Stream<std::string> stream;
  static_cast<void>(stream.add(Id{5, 1}, "a"));
  static_cast<void>(stream.trim({.max_len = 0}));
  CHECK(exported(stream, {.replace = true}) ==
        "DEL key\nXGROUP CREATE key brook-made-it 0 MKSTREAM\nXGROUP DESTROY key brook-made-it\n"
        "XSETID key 5-1 ENTRIESADDED 1 MAXDELETEDID 0-0");
}

TEST_CASE("a stream, its groups and what is pending as commands") {
  ManualClock clock{1000s};
  Stream<std::string> stream({.clock = &clock});
  for (std::uint64_t i = 1; i <= 5; ++i)
    static_cast<void>(stream.add(Id{i, 0}, std::string(1, static_cast<char>('`' + i))));
  const auto group = *stream.create_group("g", earliest);
  const auto ann = group.consumer("ann");
  const auto bob = group.consumer("bob");
  auto batch = *ann.read({.count = 4});
  static_cast<void>(batch[1].nack({.delay = 1h}));
  clock.advance(2s);
  static_cast<void>(stream.erase({Id{3, 0}}));
  static_cast<void>(stream.trim({.max_len = 3}));
  const std::string told =
      "XADD key 1-0 '' ''\nXADD key 2-0 value b\nXADD key 3-0 '' ''\nXADD key 4-0 value d\nXADD key 5-0 value e\n"
      "XSETID key 5-0 ENTRIESADDED 5 MAXDELETEDID 3-0\n"
      "XGROUP CREATE key g 4-0 ENTRIESREAD 4\nXGROUP CREATECONSUMER key g ann\nXGROUP CREATECONSUMER key g bob\n"
      "XCLAIM key g ann 0 1-0 TIME 1000000 RETRYCOUNT 1 JUSTID FORCE\n"
      "XCLAIM key g brook-returned 0 2-0 TIME 1002000 RETRYCOUNT 1 JUSTID FORCE\n"
      "XCLAIM key g ann 0 3-0 4-0 TIME 1000000 RETRYCOUNT 1 JUSTID FORCE\n"
      "XTRIM key MINID = 2-0\nXDEL key 3-0\nXSETID key 5-0 ENTRIESADDED 5 MAXDELETEDID 3-0";
  CHECK(exported(stream) == told);

  SECTION("and back") {
    Stream<std::string> other;
    RedisImportOptions options;
    options.stream.clock = &clock;
    CHECK(import_lines(told, other, options) == "done");
    CHECK(exported(other) == told);
    CHECK(other.group("g")->info()->returned == 1);
    CHECK(other.group("g")->info()->lag == 1);
    const auto again = *other.group("g")->consumer("bob").read();
    REQUIRE(again.size() == 2);
    CHECK(*again[0] == "b");
    CHECK(again[0].count() == 2);
    CHECK(*again[1] == "e");
    CHECK(other.add("f").has_value());
  }
}

TEST_CASE("entries that wait for their turn go to where what came back goes") {
  ManualClock clock{1000s};
  Stream<std::string> stream({.clock = &clock});
  for (std::uint64_t i = 1; i <= 3; ++i) static_cast<void>(stream.add(Id{i, 0}, "same"));
  GroupOptions<std::string> options;
  options.ordered_by = [](const std::string& text) { return text.size(); };
  const auto group = *stream.create_group("g", earliest, options);
  const auto batch = *group.consumer("ann").read();
  REQUIRE(batch.size() == 1);
  CHECK_THAT(exported(stream), ContainsSubstring("XCLAIM key g ann 0 1-0 TIME 1000000 RETRYCOUNT 1 JUSTID FORCE\n"
                                                 "XCLAIM key g brook-returned 0 2-0 3-0 TIME 1000000 RETRYCOUNT 0"));
}

TEST_CASE("field maps, user types and numbers") {
  Stream<RedisFields> rows;
  static_cast<void>(rows.add(Id{1, 0}, RedisFields{{"a", "1"}, {"a", "2"}}));
  const std::string told = "XADD key 1-0 a 1 a 2\nXSETID key 1-0 ENTRIESADDED 1 MAXDELETEDID 0-0";
  CHECK(exported(rows) == told);
  CHECK(import_lines(told, rows) == "done");
  CHECK(rows.range().front().value == RedisFields{{"a", "1"}, {"a", "2"}});
  static_cast<void>(rows.add(Id{2, 0}, RedisFields{}));
  CHECK(exported(rows) == "entry 2-0 of 'key' has no fields, and Redis wants one");

  Stream<Map> maps;
  CHECK_THAT(import_lines(told, maps), ContainsSubstring("at byte 0: no value can be made of entry 1-0"));
  CHECK(import_lines("XADD key 1-0 b 1 a 2", maps) == "done");
  CHECK(maps.range().front().value == Map{{"a", "2"}, {"b", "1"}});

  Stream<Order> orders;
  static_cast<void>(orders.add(Id{1, 0}, Order{7, "tea"}));
  CHECK_THAT(exported(orders), ContainsSubstring("XADD key 1-0 number 7 item tea"));
  CHECK(import_lines("XADD key 9-0 number 8 item cup", orders) == "done");
  CHECK(orders.range().front().value.number == 8);

  BlockingList<int> numbers;
  CHECK(import_lines("RPUSH key 1 -2\nLPUSH key 3", numbers) == "done");
  CHECK(numbers.lrange(0, -1) == std::vector{3, 1, -2});
  CHECK(exported(numbers) == "RPUSH key 3 1 -2");
  CHECK(import_lines("RPUSH key 1x", numbers) == "at byte 0: 'key': an element that no value can be made of");
  CHECK(numbers.lrange(0, -1).size() == 3);
}

TEST_CASE("a broker, with when its names expire") {
  ManualClock clock{1000s};
  Broker broker({.clock = &clock});
  static_cast<void>((*broker.stream<std::string>("news"))->add(Id{1, 0}, "a"));
  static_cast<void>((*broker.list<std::string>("jobs"))->rpush("b"));
  static_cast<void>(broker.list<std::string>("nothing"));
  static_cast<void>(broker.channel<int>("ticks"));
  broker.expire_after("jobs", 5s);
  std::ostringstream out;
  const auto done = export_to_redis(out, broker, types<std::string>);
  REQUIRE(done.has_value());
  CHECK(done->left_out == std::vector<std::string>{"ticks", "nothing"});
  CHECK(done->commands == 4);
  CHECK_THAT(lines(out.str()), ContainsSubstring("RPUSH jobs b\nPEXPIREAT jobs 1005000"));

  Broker other({.clock = &clock});
  std::istringstream in(out.str());
  REQUIRE(import_from_redis(in, other, types<std::string>).has_value());
  CHECK(other.keys() == std::vector<std::string>{"jobs", "news"});
  CHECK(*other.expires_in("jobs") == std::optional(5000ms));
  std::istringstream again(out.str());
  CHECK(import_from_redis(again, other, types<std::string>).error().code() == Errc::invalid_argument);
  static_cast<void>(broker.list<double>("rates"));
  CHECK_THAT(export_to_redis(out, broker, types<std::string>).error().message(), ContainsSubstring("'rates'"));
}

TEST_CASE("what is imported into a broker is watched by its probe") {
  Faults faults;
  Broker broker({.probe = &faults});
  std::istringstream from(commands("XADD orders 1-1 value x\nRPUSH jobs x"));
  REQUIRE(import_from_redis(from, broker, types<std::string>));
  const Rule failing = faults.fail({.with = Errc::timed_out});
  CHECK((*broker.stream<std::string>("orders"))->add("y").error() == Errc::timed_out);
  CHECK((*broker.list<std::string>("jobs"))->rpush("y").error() == Errc::timed_out);
  faults.clear();
}

TEST_CASE("what Redis writes of an empty stream, of other kinds and other databases") {
  Broker broker;
  std::istringstream in("#TS:1700000000\r\n" + commands("SELECT 0\nSET name x\nHMSET h a b\nXADD s MAXLEN 0 0-1 x y\n"
                                                        "XSETID s 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0\n"
                                                        "XGROUP CREATE s g 0-0 ENTRIESREAD -1\nSELECT 3\nRPUSH l a"));
  const auto done = import_from_redis(in, broker, types<std::string>);
  REQUIRE(done.has_value());
  CHECK(done->left_out == std::vector<std::string>{"h", "name"});
  CHECK(broker.keys() == std::vector<std::string>{"s"});
  const auto stream = *broker.stream<std::string>("s");
  CHECK(stream->last_id() == Id{0, 0});
  CHECK(stream->groups() == std::vector<std::string>{"g"});
}

TEST_CASE("what is no command, contradicts itself or is not understood is refused, and changes nothing") {
  Stream<std::string> stream;
  static_cast<void>(stream.add(Id{1, 0}, "before"));
  const std::string first = commands("XADD key 5-0 value a");  // 46 bytes
  const std::string at = "at byte " + std::to_string(first.size()) + ": ";
  const auto then = [&](std::string_view line) { return import_bytes(first + commands(line), stream); };
  CHECK(then("XADD key 5-0 value b") == at + "'key': entry 5-0 is not above the last one");
  CHECK(then("XADD key 6-0 value") == at + "'key': not understood: XADD key 6-0 value");
  CHECK(then("XADD key * value b") == at + "'key': not understood: XADD key * value b");
  CHECK(then("XADD key 6-0 other b") == at + "no value can be made of entry 6-0");
  CHECK(then("XSETID key 4-0") == at + "'key': the counters contradict what is there");
  CHECK(then("XSETID key 9-0 ENTRIESADDED -1") == at + "'key': not understood: XSETID key 9-0 ENTRIESADDED -1");
  CHECK(then("XCLAIM key g c 0 5-0") == at + "'key': there is no group 'g'");
  CHECK(then("RPUSH key a") == at + "'key' is a stream");
  CHECK(then("XSETID other 4-0") == at + "there is no 'other'");
  CHECK(then("FLUSHALL now") == at + "not understood: FLUSHALL now");
  CHECK(then("DEL key") == "there is no 'key'");
  CHECK(then("XGROUP CREATE key g 0\nXCLAIM key g c 0 5-0 FORCE JUSTID\nXTRIM key MAXLEN 0\nXSETID key 4-0") ==
        "in group 'g' an entry is pending that was never added");
  CHECK(import_lines("RPUSH key a", stream) == "at byte 0: 'key' is a list, not a stream");
  CHECK(import_bytes("REDIS0010", stream) ==
        "at byte 0: a command begins with '*', and an RDB file as this does (aof-use-rdb-preamble no)");
  const auto into_broker = [](std::string_view text) {
    Broker broker;
    std::istringstream in(commands(text));
    return import_from_redis(in, broker, types<std::string>).error().message();
  };
  CHECK(into_broker("XADD a 5-0 value a\nXADD b 5-0 other a") == "at byte 48: 'b': no value can be made of entry 5-0");
  CHECK(into_broker("XADD a 5-0 value a\nXGROUP CREATE a g 0\nXCLAIM a g c 0 5-0 FORCE JUSTID\nXTRIM a MAXLEN 0\n"
                    "XSETID a 4-0") == "'a': in group 'g' an entry is pending that was never added");
  std::ifstream unopened("there is no such file");
  CHECK(import_from_redis(unopened, "key", stream).error().code() == Errc::io_error);
  CHECK(import_redis_reply(unopened, stream).error().code() == Errc::io_error);
  CHECK(import_bytes(first + "*1\r\n$4\r\nPI", stream) ==
        "at byte " + std::to_string(first.size() + 10) + ": the commands end early");
  CHECK(import_bytes("*1\r\n$536870913\r\n", stream) == "at byte 16: a word is too long");
  CHECK(import_bytes("*2000000000\r\n", stream) == "at byte 13: the commands end early");
  CHECK(import_bytes("*99999999999\r\n", stream) == "at byte 11: a number is too long");
  CHECK(import_bytes("PING\r\n", stream) ==
        "at byte 0: a command was to begin here, with '*' and how many words it has");
  CHECK(import_bytes("*0\r\n", stream) == "at byte 4: a command without words");
  GroupOptions<std::string> ordered;
  ordered.ordered_by = [](const std::string& text) { return text.size(); };
  RedisImportOptions options;
  options.policies.group<std::string>("g", ordered);
  CHECK_THAT(import_lines("XADD key 5-0 value a\nXGROUP CREATE key g 0", stream, options),
             ContainsSubstring("Redis knows no order"));
  REQUIRE(stream.size() == 1);
  CHECK(stream.range().front().value == "before");
}

}  // namespace

}  // namespace redis_test
