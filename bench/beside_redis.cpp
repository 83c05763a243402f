// beside_redis.cpp — the same work by redis-server on a unix socket, with client and server on one processor: appending,
// reading by pages, a consumer group. Strings of 100 bytes; brook reads its clock as Redis does.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "payload.hpp"
#include "redis_server.hpp"

namespace bench {

#ifdef BROOK_BENCH_HIREDIS
namespace {

using Text = std::string;

/// Starts the server when it is first needed.
class Lazy {
 public:
  [[nodiscard]] RedisServer& server() {
    if (!server_) server_ = std::make_unique<RedisServer>();
    return *server_;
  }

 private:
  std::unique_ptr<RedisServer> server_{};
};

std::string_view text_of(const redisReply& reply) { return {reply.str, reply.len}; }

std::span<redisReply* const> elements_of(const redisReply& reply) {
  return {reply.element, reply.type == REDIS_REPLY_ARRAY ? reply.elements : 0};
}

/// What XRANGE and XREADGROUP answer for an entry: its id, then field and value.
std::string_view id_of(const redisReply& entry) { return text_of(*entry.element[0]); }
Text value_of(const redisReply& entry) { return Text(text_of(*entry.element[1]->element[1])); }

void fill(RedisServer& redis, std::size_t entries, std::size_t depth) {
  for (std::size_t i = 0; i < entries; i += depth) {
    for (std::size_t k = 0; k < depth; ++k) redis.send({"XADD", "stream", "*", "f", make<Text>(i + k)});
    for (std::size_t k = 0; k < depth; ++k) expect(redis.receive()->type == REDIS_REPLY_STRING, "an XADD failed");
  }
}

double append_to_redis(RedisServer& redis, std::size_t entries, std::size_t depth) {
  redis.call({"DEL", "stream"});
  const double ns = alone([&] { fill(redis, entries, depth); });
  expect(redis.call({"XLEN", "stream"})->integer == static_cast<long long>(entries), "entries were lost");
  return ns / static_cast<double>(entries);
}

void fill(brook::Stream<Text>& stream, std::size_t entries, std::size_t batch) {
  if (batch == 1) {
    for (std::size_t i = 0; i < entries; ++i) expect(stream.add(make<Text>(i)).has_value(), "an add failed");
    return;
  }
  std::vector<Text> texts(batch);
  for (std::size_t i = 0; i < entries; i += batch) {
    for (std::size_t k = 0; k < batch; ++k) texts[k] = make<Text>(i + k);
    expect(stream.add_range(texts).has_value(), "an add_range failed");
  }
}

double append_to_brook(std::size_t entries, std::size_t batch) {
  brook::Stream<Text> stream;
  const double ns = alone([&] { fill(stream, entries, batch); });
  expect(stream.size() == entries, "entries were lost");
  return ns / static_cast<double>(entries);
}

constexpr std::size_t page = 100;

double scan_redis(RedisServer& redis, std::size_t entries) {
  redis.call({"DEL", "stream"});
  fill(redis, entries, page);
  Witness witness(1);
  const double ns = alone([&] {
    Text from = "-";
    for (Reply reply;;) {
      reply = redis.call({"XRANGE", "stream", from, "+", "COUNT", std::to_string(page)});
      const auto found = elements_of(*reply);
      if (found.empty()) return;
      for (const redisReply* entry : found) witness.see(number_of(value_of(*entry)));
      from = '(' + Text(id_of(*found.back()));
    }
  });
  witness.expect_all(entries);
  return ns / static_cast<double>(entries);
}

double scan_brook(std::size_t entries) {
  brook::Stream<Text> stream;
  fill(stream, entries, 1);
  Witness witness(1);
  const double ns = alone([&] {
    for (brook::Id from = brook::Id::min();;) {
      const auto found = stream.range(from, brook::Id::max(), page);
      if (found.empty()) return;
      for (const auto& [id, text] : found) witness.see(number_of(text));
      from = found.back().id.next();
    }
  });
  witness.expect_all(entries);
  return ns / static_cast<double>(entries);
}

/// Each batch's XACK travels with the XREADGROUP of the next.
double group_of_redis(RedisServer& redis, std::size_t entries, std::size_t batch) {
  redis.call({"DEL", "stream"});
  fill(redis, entries, page);
  redis.call({"XGROUP", "CREATE", "stream", "group", "0"});
  const Text count = std::to_string(batch);
  const std::vector<std::string_view> read = {"XREADGROUP", "GROUP",   "group",  "consumer", "COUNT",
                                              count,        "STREAMS", "stream", ">"};
  Witness witness(1);
  const double ns = alone([&] {
    redis.send(read);
    for (Reply reply;;) {
      reply = redis.receive();
      if (elements_of(*reply).empty()) return;
      const auto found = elements_of(*reply->element[0]->element[1]);
      std::vector<std::string_view> ack = {"XACK", "stream", "group"};
      for (const redisReply* entry : found) {
        witness.see(number_of(value_of(*entry)));
        ack.push_back(id_of(*entry));
      }
      redis.send(ack);
      redis.send(read);
      expect(redis.receive()->integer == static_cast<long long>(found.size()), "an XACK failed");
    }
  });
  witness.expect_all(entries);
  return ns / static_cast<double>(entries);
}

double group_of_brook(std::size_t entries, std::size_t batch) {
  brook::Stream<Text> stream;
  fill(stream, entries, 1);
  const auto consumer = stream.create_group("group", brook::earliest).value().consumer("consumer");
  Witness witness(1);
  const double ns = alone([&] {
    for (;;) {
      const auto found = consumer.read({.count = batch});
      if (!found || found->empty()) return;
      for (const auto& delivery : *found) witness.see(number_of(*delivery));
      expect(found->ack() == found->size(), "an acknowledgement failed");
    }
  });
  witness.expect_all(entries);
  return ns / static_cast<double>(entries);
}

}  // namespace

void add_redis(Suite& suite) {
  if (!RedisServer::installed()) return suite.left_out("redis", "there is no redis-server in PATH");
  const auto redis = std::make_shared<Lazy>();
  const std::size_t many = suite.work(100'000);
  const std::size_t few = suite.work(10'000);
  suite.add("redis/append/pipelined100")
      .peer("brook, one by one", [=] { return append_to_brook(many, 1); })
      .peer("redis", [=] { return append_to_redis(redis->server(), many, 100); });
  suite.add("redis/append/batch100")
      .peer("brook, add_range", [=] { return append_to_brook(many, 100); })
      .peer("redis", [=] { return append_to_redis(redis->server(), many, 100); });
  suite.add("redis/append/one_at_a_time").peer("brook", [=] { return append_to_brook(many, 1); }).peer("redis", [=] {
    return append_to_redis(redis->server(), few, 1);
  });
  suite.add("redis/scan/pages100").peer("brook", [=] { return scan_brook(many); }).peer("redis", [=] {
    return scan_redis(redis->server(), many);
  });
  suite.add("redis/group/batch100").peer("brook", [=] { return group_of_brook(many, 100); }).peer("redis", [=] {
    return group_of_redis(redis->server(), many, 100);
  });
  suite.add("redis/group/batch1").peer("brook", [=] { return group_of_brook(many, 1); }).peer("redis", [=] {
    return group_of_redis(redis->server(), few, 1);
  });
}
#else
void add_redis(Suite&) {}
#endif

}  // namespace bench
