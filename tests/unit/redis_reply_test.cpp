// Import of what Redis answers: XINFO STREAM FULL, XRANGE and LRANGE, in both protocols, byte by byte, and what is refused.
#include <brook/redis.hpp>
#include <brook/testing.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../catch.hpp"

namespace redis_reply_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Parts = std::initializer_list<std::string>;

std::string joined(char kind, std::size_t count, Parts parts) {
  std::string all = kind + std::to_string(count) + "\r\n";
  for (const std::string& part : parts) all += part;
  return all;
}
std::string bulk(std::string_view text) { return joined('$', text.size(), {std::string(text), "\r\n"}); }
std::string number(std::int64_t value) { return ':' + std::to_string(value) + "\r\n"; }
std::string array(Parts parts) { return joined('*', parts.size(), parts); }

/// How RESP2 or RESP3 tells names and values, and nothing.
struct Protocol {
  bool maps = true;

  [[nodiscard]] std::string named(Parts parts) const {
    return maps ? joined('%', parts.size() / 2, parts) : array(parts);
  }
  [[nodiscard]] std::string nil() const { return maps ? "_\r\n" : "$-1\r\n"; }
};

std::string entry(std::string_view id, std::string_view value) {
  return array({bulk(id), array({bulk("value"), bulk(value)})});
}
std::string pending(std::string_view id, std::string_view consumer, std::int64_t since, std::int64_t deliveries) {
  return array({bulk(id), bulk(consumer), number(since), number(deliveries)});
}
std::string consumer(Protocol in, std::string_view name, std::int64_t seen, std::int64_t count,
                     const std::string& has) {
  return in.named({bulk("name"), bulk(name), bulk("seen-time"), number(seen), bulk("pel-count"), number(count),
                   bulk("pending"), has});
}

// As Redis 7.0 answers to XINFO STREAM FULL COUNT 0. 2-0 was erased, and is pending; 1-0 was trimmed.
std::string full_info(Protocol in) {
  const std::string cy = consumer(in, "cy", 999'000, 0, array({}));
  const std::string ann = consumer(
      in, "ann", 998'000, 2,
      array({array({bulk("2-0"), number(997'000), number(1)}), array({bulk("3-0"), number(996'000), number(7)})}));
  const std::string nobody = consumer(in, "brook-returned", 1, 1, array({array({bulk("4-0"), number(0), number(2)})}));
  const std::string g = in.named({bulk("name"), bulk("g"), bulk("last-delivered-id"), bulk("4-0"), bulk("entries-read"),
                                  number(4), bulk("lag"), number(1), bulk("pel-count"), number(3), bulk("pending"),
                                  array({pending("2-0", "ann", 997'000, 1), pending("3-0", "ann", 996'000, 7),
                                         pending("4-0", "brook-returned", 0, 2)}),
                                  bulk("consumers"), array({ann, nobody, cy})});
  const std::string h = in.named({bulk("name"), bulk("h"), bulk("last-delivered-id"), bulk("3-1"), bulk("entries-read"),
                                  in.nil(), bulk("lag"), in.nil(), bulk("pel-count"), number(0), bulk("pending"),
                                  array({}), bulk("consumers"), array({})});
  return in.named({bulk("length"), number(3), bulk("radix-tree-keys"), number(1), bulk("radix-tree-nodes"), number(2),
                   bulk("last-generated-id"), bulk("6-0"), bulk("max-deleted-entry-id"), bulk("2-0"),
                   bulk("entries-added"), number(6), bulk("recorded-first-entry-id"), bulk("3-0"), bulk("entries"),
                   array({entry("3-0", "c"), entry("4-0", ""), entry("5-0", "e\r\n")}), bulk("groups"), array({g, h})});
}
// The least that a stream's reply tells, with more at its end.
std::string small_info(Parts more, std::string_view last = "6-0", const std::string& groups = array({})) {
  std::string all = joined(
      '%', 3 + more.size() / 2,
      {bulk("last-generated-id"), bulk(last), bulk("entries"), array({entry("5-0", "a")}), bulk("groups"), groups});
  for (const std::string& part : more) all += part;
  return all;
}
std::string small_group(Parts more) {
  std::string all = joined('%', 2 + more.size() / 2, {bulk("name"), bulk("g"), bulk("last-delivered-id"), bulk("5-0")});
  for (const std::string& part : more) all += part;
  return small_info({}, "6-0", array({all}));
}

template <class Object>
std::string import_bytes(const std::string& bytes, Object& object, const RedisImportOptions& options = {}) {
  const auto done = import_redis_reply(std::as_bytes(std::span(bytes)), object, options);
  return done ? "done" : done.error().message();
}

// What an export tells, one command a line.
template <class Object>
std::string told(const Object& object) {
  std::ostringstream out;
  REQUIRE(export_to_redis(out, "key", object).has_value());
  std::istringstream in(out.str());
  std::string all;
  for (std::string line; std::getline(in, line);) {
    line.pop_back();
    if (!line.empty() && line[0] == '*') all += all.empty() ? "" : "\n";
    else if (line.empty() || line[0] != '$') all += line + ' ';
  }
  return all;
}

TEST_CASE("all that XINFO STREAM FULL tells of a stream, its groups and what is pending") {
  const Protocol in{GENERATE(false, true)};
  ManualClock clock{1000s};
  RedisImportOptions options;
  options.stream.clock = &clock;
  Stream<std::string> stream;
  REQUIRE(import_bytes(full_info(in), stream, options) == "done");

  const auto info = stream.info();
  CHECK(info.length == 3);
  CHECK(info.entries_added == 6);
  CHECK(info.last_id == Id{6, 0});
  CHECK(info.max_deleted_id == Id{2, 0});
  CHECK(stream.range().back().value == "e\r\n");
  CHECK(stream.groups() == std::vector<std::string>{"g", "h"});

  const auto g = *stream.group("g")->full_info(no_limit);
  CHECK(g.last_delivered_id == Id{4, 0});
  CHECK(g.lag == 1);
  CHECK(g.entries_read == 5);  // counted anew, and 6-0 is behind it
  REQUIRE(g.entries.size() == 3);
  CHECK(g.entries[0].id == Id{2, 0});
  CHECK(g.entries[0].consumer == "ann");
  CHECK(g.entries[0].idle == 3s);
  CHECK(g.entries[1].deliveries == 7);
  CHECK(g.entries[1].idle == 4s);
  CHECK(g.entries[2].consumer.empty());
  CHECK(g.returned == 1);
  REQUIRE(g.members.size() == 2);
  CHECK(g.members[0].name == "ann");
  CHECK(g.members[0].idle == 2s);
  CHECK(g.members[0].inactive == std::optional<std::chrono::milliseconds>(3s));
  CHECK(g.members[1].idle == 1s);
  CHECK_FALSE(g.members[1].inactive.has_value());
  CHECK(stream.group("h")->info()->lag == 2);

  const auto again = *stream.group("g")->consumer("bob").read();
  REQUIRE(again.size() == 2);
  CHECK(again[0].id() == Id{4, 0});
  CHECK(again[1].id() == Id{5, 0});
  CHECK(stream.add("f").has_value());
}

TEST_CASE("XRANGE tells entries, and LRANGE elements") {
  Stream<std::string> stream;
  REQUIRE(import_bytes(array({entry("1-0", "a"), entry("1-7", "b")}), stream) == "done");
  CHECK(stream.info().entries_added == 2);
  CHECK(stream.last_id() == Id{1, 7});
  CHECK(stream.groups().empty());

  Stream<RedisFields> rows;
  REQUIRE(import_bytes(array({array({bulk("1-0"), array({bulk("a"), bulk("1"), bulk("a"), bulk("2")})})}), rows) ==
          "done");
  CHECK(rows.range().front().value == RedisFields{{"a", "1"}, {"a", "2"}});

  BlockingList<std::string> list;
  REQUIRE(import_bytes(array({bulk("a"), bulk(""), bulk("\r\n")}), list) == "done");
  CHECK(list.lrange(0, -1) == std::vector<std::string>{"a", "", "\r\n"});
  BlockingList<int> numbers;
  REQUIRE(import_bytes(array({bulk("7"), bulk("-8")}), numbers) == "done");
  CHECK(numbers.lrange(0, -1) == std::vector{7, -8});

  REQUIRE(import_bytes("*0\r\n", stream) == "done");
  CHECK(stream.size() == 0);
  CHECK(stream.last_id() == Id::min());
  REQUIRE(import_bytes("*0\r\n", list) == "done");
  CHECK(list.size() == 0);
}

TEST_CASE("what is said around a reply, and beside it, is passed over") {
  BlockingList<std::string> list;
  const std::string push = ">2\r\n" + bulk("invalidate") + array({bulk("k")});
  const std::string attribute = "|1\r\n" + bulk("ttl") + "|1\r\n+x\r\n#t\r\n,3.5\r\n";
  CHECK(import_bytes(
            "+OK\r\n" + push + "+OK\r\n" + attribute + "*2\r\n" + push + bulk("a") + attribute + bulk("b") + "+OK\r\n",
            list) == "done");
  CHECK(list.lrange(0, -1) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a reply in a file, with texts of any size") {
  const auto path =
      std::filesystem::temp_directory_path() / ("brook_redis_reply_test_" + std::to_string(std::random_device()()));
  const std::string large(100'000, '\n');
  const auto write = [&](const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; };
  write(array({bulk(large), bulk("a"), bulk(large)}) + "+OK\r\n");
  BlockingList<std::string> list;
  REQUIRE(import_redis_reply(path, list).has_value());
  CHECK(list.lrange(0, -1) == std::vector<std::string>{large, "a", large});
  write(array({entry("1-0", large), entry("2-0", "b")}));
  Stream<std::string> stream;
  REQUIRE(import_redis_reply(path, stream).has_value());
  CHECK(stream.range().front().value == large);
  write(array({bulk(large)}) + "*");
  CHECK(import_redis_reply(path, list).error().message() == "at byte 100015: something comes behind the reply");
  std::filesystem::remove(path);
  CHECK(import_redis_reply(path, stream).error().code() == Errc::io_error);
  CHECK(list.size() == 3);
  CHECK(stream.size() == 2);
}

TEST_CASE("a connection is asked for no more when the reply is there") {
  const std::string reply = full_info({});
  std::size_t at = 0;
  std::size_t most = 1;
  const auto receive = [&](std::span<std::byte> to) {
    REQUIRE(at < reply.size());  // it would wait for ever
    const std::size_t some = std::min({most, to.size(), reply.size() - at});
    std::memcpy(to.data(), reply.data() + at, some);
    at += some;
    return some;
  };
  Stream<std::string> stream;
  REQUIRE(import_redis_reply(receive, stream).has_value());
  CHECK(stream.size() == 3);
  most = reply.size();
  at = 0;
  CHECK(import_redis_reply(receive, stream).has_value());
}

TEST_CASE("what earlier and later versions tell otherwise") {
  ManualClock clock{1000s};
  RedisImportOptions options;
  options.stream.clock = &clock;
  Stream<std::string> stream;
  // 6.2 has no counters.
  REQUIRE(import_bytes(small_info({}), stream, options) == "done");
  CHECK(stream.info().entries_added == 1);
  CHECK(stream.last_id() == Id{6, 0});

  // Names of which nothing is known yet, with values of all kinds.
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += i % 2 == 0 ? "*1\r\n" : "|0\r\n%1\r\n+x\r\n";
  const std::string values = "~8\r\n(123\r\n,inf\r\n#f\r\n_\r\n=6\r\ntxt:ab\r\n!2\r\nno\r\n-no\r\n*-1\r\n";
  REQUIRE(import_bytes(small_info({bulk("idmp"), values, bulk("deep"), deep + ":-1\r\n"}), stream, options) == "done");

  // 7.2 tells when a consumer got something, and 8.8 what is pending with nobody.
  const auto member = [](std::string_view name, std::int64_t active, std::int64_t count) {
    return joined('%', 4,
                  {bulk("name"), bulk(name), bulk("seen-time"), number(999'000), bulk("active-time"), number(active),
                   bulk("pel-count"), number(count)});
  };
  REQUIRE(
      import_bytes(small_group({bulk("pending"), array({pending("4-0", "", 0, 3), pending("5-0", "ann", 995'000, 1)}),
                                bulk("consumers"), array({member("ann", 996'000, 1), member("bob", -1, 0)})}),
                   stream, options) == "done");
  auto g = *stream.group("g")->full_info(no_limit);
  CHECK(g.returned == 1);
  REQUIRE(g.members.size() == 2);
  CHECK(g.members[0].inactive == std::optional<std::chrono::milliseconds>(4s));
  CHECK_FALSE(g.members[1].inactive.has_value());

  // A consumer may have no name, and be one.
  REQUIRE(import_bytes(small_group({bulk("consumers"), array({member("", -1, 1)}), bulk("pending"),
                                    array({pending("5-0", "", 995'000, 1)})}),
                       stream, options) == "done");
  g = *stream.group("g")->full_info(no_limit);
  CHECK(g.returned == 0);
  CHECK(g.members.size() == 1);
}

TEST_CASE("an error that Redis answered is told") {
  Stream<std::string> stream;
  const auto said = [&](const std::string& bytes) {
    return import_redis_reply(std::as_bytes(std::span(bytes)), stream).error();
  };
  CHECK(said("-ERR no such key\r\n").code() == Errc::no_such_key);
  CHECK(said("-WRONGTYPE Operation against\r\n").code() == Errc::wrong_type);
  CHECK(said("+OK\r\n-NOAUTH who?\r\n").code() == Errc::io_error);
  CHECK(said("+OK\r\n-NOAUTH who?\r\n").message() == "at byte 5: Redis answered: NOAUTH who?");
  CHECK(said("!5\r\nERR x\r\n").message() == "at byte 0: Redis answered: ERR x");
}

TEST_CASE("what is no reply, contradicts itself or does not tell all is refused, and changes nothing") {
  Stream<std::string> stream;
  static_cast<void>(stream.add(Id{1, 0}, "before"));
  const auto import = [&](const std::string& bytes) { return import_bytes(bytes, stream); };
  CHECK(import("") == "at byte 0: there is no reply");
  CHECK(import("+OK\r\n") == "at byte 5: there is no reply");
  CHECK(import("1) 1) \"1-0\"\n") ==
        "at byte 0: a reply was to begin here, as the bytes that Redis sends and not as a program shows it");
  CHECK(import(":3\r\n") == "at byte 0: entries (XRANGE), or names and values (XINFO STREAM FULL), was to be here");
  CHECK(import("*-1\r\n") == "at byte 0: entries (XRANGE), or names and values (XINFO STREAM FULL), was to be here");
  CHECK(import("*-2\r\n") == "at byte 0: a length must not be negative");
  CHECK(import("*x\r\n") == "at byte 1: a number was to be here");
  CHECK(import("*99999999999\r\n") == "at byte 11: a number is too long");
  CHECK(import("*9999999999\r\n") == "at byte 13: the reply ends early");
  CHECK(import("*1\n") == "at byte 2: a line was to end here");
  const std::string one = array({entry("5-0", "a")});
  const std::string behind = "at byte " + std::to_string(one.size()) + ": ";
  CHECK(import(one + "*0\r\n") == behind + "something comes behind the reply");
  CHECK(import(one + "\n") == behind + "something comes behind the reply");
  CHECK(import("*2\r\n" + entry("5-0", "a") + entry("5-0", "b")) == behind + "entry 5-0 is not above the last one");
  CHECK(import(array({entry("0-0", "a")})) == "at byte 4: entry 0-0 is not above the last one");
  CHECK(import(array({entry("5-x", "a")})) == "at byte 8: the id of an entry was to be here");
  CHECK(import(array({array({bulk("5-0")})})) == "at byte 4: an entry of an id and fields was to be here");
  CHECK(import(array({array({bulk("5-0"), "*-1\r\n"})})) == "at byte 17: the fields of an entry was to be here");
  CHECK(import(array({array({bulk("5-0"), array({})})})) == "at byte 4: an entry without fields");
  CHECK(import(array({array({bulk("5-0"), array({bulk("value")})})})) ==
        "at byte 21: a value behind each name was to be here");
  CHECK(import(array({array({bulk("5-0"), array({bulk("other"), bulk("a")})})})) ==
        "at byte 4: no value can be made of entry 5-0");
  CHECK(import(array({array({bulk("5-0"), array({bulk("value"), "$536870913\r\n"})})})) ==
        "at byte 44: a word is too long");
  CHECK(import(array({bulk("a"), bulk("b")})) ==
        "at byte 0: this does not tell entries, groups and the last id: XINFO STREAM is to be asked for FULL");
  CHECK(import("%0\r\n") ==
        "at byte 0: this does not tell entries, groups and the last id: XINFO STREAM is to be asked for FULL");
  CHECK(import(small_info({bulk("length"), number(11)})) ==
        "at byte 0: 1 entries are told of 11: COUNT 0 is to be asked for");
  CHECK_THAT(import(small_info({bulk("length"), number(-1)})),
             ContainsSubstring("how many entries there are was to be"));
  CHECK_THAT(import(small_info({bulk("length"), ":9223372036854775808\r\n"})),
             ContainsSubstring("a number is too large"));
  CHECK(import(small_info({bulk("entries-added"), number(0)})) == "at byte 0: the counters contradict what is there");
  CHECK(import(small_info({}, "4-0")) == "at byte 0: the counters contradict what is there");
  CHECK(import(small_info({bulk("max-deleted-entry-id"), bulk("7-0")})) ==
        "at byte 0: the counters contradict what is there");
  CHECK(import("%1\r\n" + bulk("x") + "?") == "at byte 11: a value was to begin here");

  const std::string eleven = number(11);
  const std::string list = array({pending("5-0", "c", 1, 1)});
  const std::string c = array({joined('%', 2, {bulk("name"), bulk("c"), bulk("pel-count"), number(1)})});
  CHECK_THAT(import(small_group({bulk("pel-count"), eleven})), ContainsSubstring("what is pending is not all told"));
  CHECK_THAT(import(small_group({bulk("pending"), list})), ContainsSubstring("with consumer 'c' is not all told"));
  CHECK_THAT(import(small_group({bulk("consumers"), c})), ContainsSubstring("with consumer 'c' is not all told"));
  CHECK_THAT(import(small_group({bulk("consumers"), array({bulk("c")})})),
             ContainsSubstring("a consumer as names and"));
  CHECK_THAT(import(small_group({bulk("consumers"), array({joined('%', 0, {})})})),
             ContainsSubstring("without a name"));
  CHECK_THAT(import(small_group({bulk("consumers"), c, bulk("consumers"), c})),
             ContainsSubstring("'c' is there twice"));
  CHECK_THAT(import(small_group({bulk("pending"), list, bulk("pending"), list})),
             ContainsSubstring("5-0 is pending twice"));
  CHECK_THAT(import(small_group({bulk("pending"), array({array({bulk("5-0")})})})),
             ContainsSubstring("of four values"));
  CHECK_THAT(import(small_group({bulk("pending"), array({pending("7-0", "", 1, 1)})})),
             ContainsSubstring("in group 'g' an entry is pending that was never added"));
  CHECK_THAT(import(small_info({}, "6-0", array({joined('%', 0, {})}))), ContainsSubstring("a group without a name"));
  const std::string g = joined('%', 2, {bulk("name"), bulk("g"), bulk("last-delivered-id"), bulk("5-0")});
  CHECK_THAT(import(small_info({}, "6-0", array({g, g}))), ContainsSubstring("group 'g' is there already"));

  BlockingList<int> numbers;
  static_cast<void>(numbers.rpush(1));
  CHECK(import_bytes("*2\r\n" + bulk("7") + bulk("x"), numbers) ==
        "at byte 11: an element that no value can be made of");
  CHECK(import_bytes(one, numbers) == "at byte 4: an element was to be here");
  CHECK(import_bytes("$-1\r\n", numbers) == "at byte 0: elements (LRANGE) was to be here");
  CHECK(numbers.lrange(0, -1) == std::vector{1});
  RedisImportOptions small;
  small.list.capacity = 1;
  CHECK(import_bytes(array({bulk("7"), bulk("8")}), numbers, small) ==
        "at byte 11: the list has more elements than its options allow");
  REQUIRE(stream.size() == 1);
  CHECK(stream.range().front().value == "before");
}

TEST_CASE("a reply that is cut off anywhere is refused, and one that is damaged changes all or nothing") {
  const std::string whole = full_info({GENERATE(false, true)});
  Stream<std::string> stream;
  static_cast<void>(stream.add(Id{1, 0}, "before"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string said = import_bytes(whole.substr(0, size), stream);
    INFO(size);
    REQUIRE(said != "done");
    REQUIRE(said.starts_with("at byte " + std::to_string(size)));
  }
  REQUIRE(stream.range().front().value == "before");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char other : {'0', '9', '-', '\r', '*', '%', '$', '|', '>', '_'}) {
      std::string bytes = whole;
      bytes[at] = other;
      Stream<std::string> target;
      static_cast<void>(target.add(Id{1, 0}, "before"));
      if (import_bytes(bytes, target) == "done") continue;
      REQUIRE(target.size() == 1);
      REQUIRE(target.last_id() == Id{1, 0});
    }
  }
}

}  // namespace

}  // namespace redis_reply_test
