// beside_redis.cpp — the same work by redis-server on a unix socket, with clients and server on one processor:
// appending, reading by pages, a consumer group; publishing; lists. Strings of 100 bytes; brook reads its clock as
// Redis does.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/channel.hpp>
#include <brook/pubsub.hpp>
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

bool info_says(RedisServer& redis, std::string_view line) {
  return text_of(*redis.call({"INFO", "clients"})).find(line) != std::string_view::npos;
}

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

// — publishing, in turns: a hundred messages, then every subscriber receives them —

constexpr std::size_t subscribers = 64;
const std::string topic = "topic";

/// How the clients of Redis receive: hiredis makes an object of each message; or they only count the bytes that come,
/// which is less than any client can do with.
enum class Client { parses, counts };

class RedisSubscribers {
 public:
  explicit RedisSubscribers(const RedisServer& redis) {
    for (std::size_t n = 0; n < subscribers; ++n) {
      connections_.push_back(redis.connect());
      static_cast<void>(connections_.back().call({"SUBSCRIBE", topic}));
    }
  }
  void receive(std::size_t messages, std::vector<Witness>& witnesses) {
    for (std::size_t n = 0; n < subscribers; ++n) {
      for (std::size_t i = 0; i < messages; ++i)
        witnesses[n].see(number_of(Text(text_of(*connections_[n].receive()->element[2]))));
    }
  }
  void count(std::size_t messages) {
    const std::size_t one = Text("*3\r\n$7\r\nmessage\r\n$5\r\ntopic\r\n$100\r\n").size() + 100 + 2;
    for (RedisConnection& connection : connections_) {
      for (std::size_t left = messages * one; left > 0;) {
        const std::size_t came = connection.receive_bytes(std::span(bytes_).first(std::min(left, bytes_.size())));
        left -= came;
      }
    }
  }

 private:
  std::vector<RedisConnection> connections_;
  std::vector<char> bytes_ = std::vector<char>(1 << 16);
};

double publish_to_redis(RedisServer& redis, std::size_t messages, Client how) {
  RedisSubscribers all(redis);
  std::vector<Witness> witnesses(subscribers, Witness(1));
  const double ns = alone([&] {
    for (std::size_t i = 0; i < messages; i += page) {
      for (std::size_t k = 0; k < page; ++k) redis.send({"PUBLISH", topic, make<Text>(i + k)});
      for (std::size_t k = 0; k < page; ++k)
        expect(redis.receive()->integer == static_cast<long long>(subscribers), "a PUBLISH did not reach everyone");
      if (how == Client::parses) all.receive(page, witnesses);
      else all.count(page);
    }
  });
  for (const Witness& witness : witnesses) {
    if (how == Client::parses) witness.expect_all(messages);
  }
  return ns / static_cast<double>(messages * subscribers);
}

enum class Taking { one_by_one, batches };

/// To subscriptions that `subscribe` makes. A client of Redis reads what has come at once, as receive_batch() does.
template <class Topics, class Subscribe, class Publish>
double publish_to_brook(std::size_t messages, Taking how, Subscribe subscribe, Publish publish) {
  Topics topics;
  std::vector<decltype(subscribe(topics))> subscriptions;
  for (std::size_t n = 0; n < subscribers; ++n) subscriptions.push_back(subscribe(topics));
  std::vector<Witness> witnesses(subscribers, Witness(1));
  const auto text_in = []<class Shown>(const Shown& shown) -> const Text& {
    if constexpr (std::is_same_v<Shown, Text>) return shown;
    else return *shown;
  };
  const auto receive = [&](std::size_t n) {
    if (how == Taking::one_by_one) {
      while (const auto message = subscriptions[n].try_receive()) witnesses[n].see(number_of(**message));
      return;
    }
    const auto batch = subscriptions[n].receive_batch(brook::no_limit, brook::Wait());
    if (!batch) return expect(false, "a subscription has ended");
    for (const auto& message : *batch) witnesses[n].see(number_of(text_in(message)));
  };
  const double ns = alone([&] {
    for (std::size_t i = 0; i < messages; i += page) {
      for (std::size_t k = 0; k < page; ++k)
        expect(publish(topics, make<Text>(i + k)) == subscribers, "a publish did not reach everyone");
      for (std::size_t n = 0; n < subscribers; ++n) receive(n);
    }
  });
  for (const Witness& witness : witnesses) witness.expect_all(messages);
  return ns / static_cast<double>(messages * subscribers);
}

double publish_to_channel(std::size_t messages, Taking how) {
  return publish_to_brook<brook::Channel<Text>>(
      messages, how, [](auto& channel) { return channel.subscribe(); },
      [](auto& channel, Text&& text) { return channel.publish(std::move(text)); });
}

double publish_to_name(std::size_t messages, Taking how) {
  return publish_to_brook<brook::PubSub<Text>>(
      messages, how, [](auto& topics) { return topics.subscribe(topic); },
      [](auto& topics, Text&& text) { return topics.publish(topic, std::move(text)); });
}

// — lists —

double push_to_redis(RedisServer& redis, std::size_t elements) {
  redis.call({"DEL", "list"});
  const double ns = alone([&] {
    for (std::size_t i = 0; i < elements; i += page) {
      for (std::size_t k = 0; k < page; ++k) redis.send({"LPUSH", "list", make<Text>(i + k)});
      for (std::size_t k = 0; k < page; ++k) expect(redis.receive()->type == REDIS_REPLY_INTEGER, "an LPUSH failed");
    }
  });
  expect(redis.call({"LLEN", "list"})->integer == static_cast<long long>(elements), "elements were lost");
  return ns / static_cast<double>(elements);
}

double push_to_brook(std::size_t elements) {
  brook::BlockingList<Text> list;
  const double ns = alone([&] {
    for (std::size_t i = 0; i < elements; ++i) expect(list.lpush(make<Text>(i)).has_value(), "an lpush failed");
  });
  expect(list.size() == elements, "elements were lost");
  return ns / static_cast<double>(elements);
}

double pop_from_redis(RedisServer& redis, std::size_t elements) {
  static_cast<void>(push_to_redis(redis, elements));
  Witness witness(1);
  const double ns = alone([&] {
    for (std::size_t i = 0; i < elements; i += page) {
      for (std::size_t k = 0; k < page; ++k) redis.send({"BRPOP", "list", "0"});
      for (std::size_t k = 0; k < page; ++k) witness.see(number_of(Text(text_of(*redis.receive()->element[1]))));
    }
  });
  witness.expect_all(elements);
  return ns / static_cast<double>(elements);
}

double pop_from_brook(std::size_t elements) {
  brook::BlockingList<Text> list;
  for (std::size_t i = 0; i < elements; ++i) expect(list.lpush(make<Text>(i)).has_value(), "an lpush failed");
  Witness witness(1);
  const double ns = alone([&] {
    for (std::size_t i = 0; i < elements; ++i) witness.see(number_of(list.brpop(brook::forever).value()));
  });
  witness.expect_all(elements);
  return ns / static_cast<double>(elements);
}

/// A push and the pop after it, each waiting for its answer.
double push_and_pop_redis(RedisServer& redis, std::size_t elements) {
  redis.call({"DEL", "list"});
  Witness witness(1);
  const double ns = alone([&] {
    for (std::size_t i = 0; i < elements; ++i) {
      static_cast<void>(redis.call({"LPUSH", "list", make<Text>(i)}));
      witness.see(number_of(Text(text_of(*redis.call({"BRPOP", "list", "0"})->element[1]))));
    }
  });
  witness.expect_all(elements);
  return ns / static_cast<double>(elements);
}

double push_and_pop_brook(std::size_t elements) {
  brook::BlockingList<Text> list;
  Witness witness(1);
  const double ns = alone([&] {
    for (std::size_t i = 0; i < elements; ++i) {
      static_cast<void>(list.lpush(make<Text>(i)));
      witness.see(number_of(list.brpop(brook::forever).value()));
    }
  });
  witness.expect_all(elements);
  return ns / static_cast<double>(elements);
}

/// From a push to the answer of a BRPOP that waits for it, on another connection.
double hand_over_by_redis(RedisServer& redis, std::size_t elements) {
  redis.call({"DEL", "list"});
  RedisConnection waiting = redis.connect();
  Witness witness(1);
  double ns = 0;
  for (std::size_t i = 0; i < elements; ++i) {
    waiting.send({"BRPOP", "list", "0"});
    waiting.flush();
    while (!info_says(redis, "blocked_clients:1")) {}
    ns += alone([&] {
      static_cast<void>(redis.call({"LPUSH", "list", make<Text>(i)}));
      witness.see(number_of(Text(text_of(*waiting.receive()->element[1]))));
    });
  }
  witness.expect_all(elements);
  return ns / static_cast<double>(elements);
}

/// The same, half of the way there and back between two threads that wait for each other: each on a processor of its
/// own, or both on one, as Redis and its clients, where there is nothing to be had by polling.
double hand_over_by_brook(std::size_t elements, std::size_t processors) {
  const brook::ListOptions options{.spin = processors > 1 ? brook::default_spin : std::chrono::microseconds(0)};
  brook::BlockingList<Text> there(options);
  brook::BlockingList<Text> back(options);
  std::array<Witness, 2> witnesses = {Witness(1), Witness(1)};
  const double ns = together(2, [&](std::size_t side) {
    pin(side % processors);
    for (std::size_t i = 0; i < elements; ++i) {
      if (side == 0) static_cast<void>(there.lpush(make<Text>(i)));
      witnesses[side].see(number_of((side == 0 ? back : there).brpop(brook::forever).value()));
      if (side == 1) static_cast<void>(back.lpush(make<Text>(i)));
    }
  });
  for (const Witness& witness : witnesses) witness.expect_all(elements);
  return ns / static_cast<double>(2 * elements);
}

void add_lists(Suite& suite, const std::shared_ptr<Lazy>& redis) {
  const std::size_t many = suite.work(100'000);
  const std::size_t few = suite.work(5'000);
  suite.add("redis/list/push/pipelined100")
      .peer("brook, one by one", [=] { return push_to_brook(many); })
      .peer("redis", [=] { return push_to_redis(redis->server(), many); });
  suite.add("redis/list/pop/pipelined100")
      .peer("brook, one by one", [=] { return pop_from_brook(many); })
      .peer("redis", [=] { return pop_from_redis(redis->server(), many); });
  suite.add("redis/list/push_and_pop").peer("brook", [=] { return push_and_pop_brook(many); }).peer("redis", [=] {
    return push_and_pop_redis(redis->server(), few);
  });
  suite.add("redis/list/hand_over")
      .peer("brook", [=] { return hand_over_by_brook(few, 2); })
      .peer("brook, one processor, no spin", [=] { return hand_over_by_brook(few, 1); })
      .peer("redis", [=] { return hand_over_by_redis(redis->server(), few); });
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
  const std::size_t messages = suite.work(5'000);
  suite.add("redis/publish/64", {"ns a delivery"})
      .peer("brook, batches", [=] { return publish_to_channel(messages, Taking::batches); })
      .peer("brook, one by one", [=] { return publish_to_channel(messages, Taking::one_by_one); })
      .peer("brook, by name, batches", [=] { return publish_to_name(messages, Taking::batches); })
      .peer("brook, by name, one by one", [=] { return publish_to_name(messages, Taking::one_by_one); })
      .peer("redis, by hiredis", [=] { return publish_to_redis(redis->server(), messages, Client::parses); })
      .peer("redis, bytes counted", [=] { return publish_to_redis(redis->server(), messages, Client::counts); });
  add_lists(suite, redis);
}
#else
void add_redis(Suite&) {}
#endif

}  // namespace bench
