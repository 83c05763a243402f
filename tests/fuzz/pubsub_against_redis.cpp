// pubsub_against_redis.cpp — random clients of a PubSub and of a real redis-server 7.0, which this program starts for
// itself: they must get the same messages in the same order, and the same answers. The order of patterns within one
// message is that of a hash table in Redis, so it is not compared; that the name comes first is. Where hiredis or
// redis-server is absent it says so and succeeds.
//
//   pubsub_against_redis [seed] [operations]
#include <cstdio>

#ifndef BROOK_TEST_HIREDIS

int main() {
  std::puts("pubsub_against_redis: skipped: built without hiredis (apt-get install libhiredis-dev redis-server)");
  return 0;
}

#else

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <brook/pubsub.hpp>

#include "fuzz.hpp"
#include "redis.hpp"

namespace {

using namespace fuzz;
using Command = Redis::Command;
using Texts = std::vector<std::string>;
using Hub = brook::PubSub<std::string>;

void demand_version(Redis& redis) {
  const std::string info = redis({"INFO", "server"}).text();
  if (info.find("redis_version:7.0.") == std::string::npos) throw Skipped("the redis-server is not a 7.0");
}

std::string shown(const Texts& texts) {
  std::string line = "[";
  for (const std::string& text : texts) line += " '" + text + "'";
  return line + " ]";
}

/// A message as a client gets it.
struct Arrival {
  std::string channel;
  std::string pattern;  // empty when it came by name
  std::string value;

  friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

std::string shown(const std::vector<Arrival>& arrivals) {
  std::string line;
  for (const auto& [channel, pattern, value] : arrivals) line += " " + channel + "~" + pattern + "=" + value;
  return line;
}

/// One client on both sides.
class Client {
 public:
  Client(const RedisServer& server, Hub& hub)
      : redis_(std::make_unique<Redis>(server)), brook_(hub.subscribe(Texts{})) {}

  /// SUBSCRIBE and its like; waits for the answers, so what has been sent before is there then. Names are confirmed one by
  /// one.
  void change(const std::string& verb, const Texts& words) {
    Command command{verb};
    command.insert(command.end(), words.begin(), words.end());
    redis_->send(command);
    for (std::size_t left = words.size(); left > 0;) left -= take() ? 1 : 0;
    for (const std::string& word : words) same(verb, brook_change(verb, word), true);
  }
  /// UNSUBSCRIBE or PUNSUBSCRIBE without arguments, from so many.
  void leave_all(const std::string& verb, const Texts& words) {
    redis_->send({verb});
    for (std::size_t left = std::max<std::size_t>(words.size(), 1); left > 0;) left -= take() ? 1 : 0;
    for (const std::string& word : words) same(verb, brook_change(verb, word), true);
  }

  /// Everything that came, until an answer to PING.
  void compare() {
    redis_->send({"PING"});
    while (!take()) {}
    std::vector<Arrival> brook;
    while (const auto message = brook_.try_receive())
      brook.push_back({std::string(message->channel()), std::string(message->pattern()), **message});
    sort_patterns(redis_arrivals_);
    sort_patterns(brook);
    if (brook != redis_arrivals_)
      throw Difference("messages:" + shown(brook) + "\n instead of" + shown(redis_arrivals_));
    redis_arrivals_.clear();
  }

  std::vector<std::string> names{};
  std::vector<std::string> patterns{};

 private:
  // One reply; whether it is an answer and not a message.
  bool take() {
    const Reply reply = redis_->receive();
    if (reply.is_error()) throw std::runtime_error("redis: " + reply.text());
    if (reply.is_status()) return true;
    const std::string kind = reply[std::size_t{0}].text();
    if (kind == "message") redis_arrivals_.push_back({reply[std::size_t{1}].text(), "", reply[std::size_t{2}].text()});
    else if (kind == "pmessage")
      redis_arrivals_.push_back(
          {reply[std::size_t{2}].text(), reply[std::size_t{1}].text(), reply[std::size_t{3}].text()});
    else return true;
    return false;
  }

  bool brook_change(const std::string& verb, const std::string& word) {
    if (verb == "SUBSCRIBE") return brook_.subscribe(word).has_value();
    if (verb == "PSUBSCRIBE") return brook_.psubscribe(word).has_value();
    if (verb == "UNSUBSCRIBE") return brook_.unsubscribe(word).has_value();
    return brook_.punsubscribe(word).has_value();
  }

  // Values are published once each, so those of one message are neighbours.
  static void sort_patterns(std::vector<Arrival>& arrivals) {
    for (auto at = arrivals.begin(); at != arrivals.end();) {
      const auto end = std::find_if(at, arrivals.end(), [&](const Arrival& other) {
        return other.value != at->value || other.channel != at->channel;
      });
      std::sort(at->pattern.empty() ? at + 1 : at, end);
      at = end;
    }
  }

  std::unique_ptr<Redis> redis_;
  brook::TopicSubscription<std::string> brook_;
  std::vector<Arrival> redis_arrivals_{};
};

/// A PubSub and some clients from their beginning to their end.
class Life {
 public:
  Life(const RedisServer& server, Redis& redis, Random& random, Journal& journal)
      : server_(server), redis_(redis), random_(random), journal_(journal) {
    journal_.note("new clients");
    hub_ = std::make_unique<Hub>(brook::PubSubOptions{.shards = random_.between(1, 4)});
    for (auto i = random_.between(1, 4); i > 0; --i) clients_.emplace_back(server_, *hub_);
  }

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 0; i < operations; ++i) step();
    for (Client& client : clients_) client.compare();
  }

 private:
  void step() {
    switch (random_.below(16)) {
      case 0:
      case 1: return change("SUBSCRIBE", &Client::names);
      case 2:
      case 3: return change("PSUBSCRIBE", &Client::patterns);
      case 4: return change("UNSUBSCRIBE", &Client::names);
      case 5: return change("PUNSUBSCRIBE", &Client::patterns);
      case 6: return leave_all();
      case 7: return channels();
      case 8: return count_names();
      case 9: return count_patterns();
      case 10: return some_client().compare();
      case 11: return come_or_go();
      default: publish();
    }
  }

  Client& some_client() { return clients_[static_cast<std::size_t>(random_.below(clients_.size()))]; }

  std::string some_name() {
    static const Texts names{"a", "b", "news.x", "news.y", "A", std::string("a\0b", 3), "*", "\xff", "x y", "[a]", ""};
    return random_.one_of(names);
  }
  std::string some_pattern() {
    static const Texts patterns{"*",   "a",   "?",   "news.*", "[ab]", "[^a]",  "*.x",
                                "\\*", "a*b", "*x*", "[a]",    "\xff", "n??s.?"};
    return random_.one_of(patterns);
  }

  void change(const std::string& verb, Texts Client::*what) {
    Client& client = some_client();
    Texts words;
    for (auto i = random_.between(1, 3); i > 0; --i)
      words.push_back(what == &Client::names ? some_name() : some_pattern());
    journal_.note(verb, " ", shown(words));
    client.change(verb, words);
    for (const std::string& word : words) {
      std::erase(client.*what, word);
      if (verb.find("UN") == verb.npos) (client.*what).push_back(word);
    }
  }
  void leave_all() {
    const bool by_name = random_.one_in(2);
    Client& client = some_client();
    auto& all = by_name ? client.names : client.patterns;
    journal_.note(by_name ? "UNSUBSCRIBE" : "PUNSUBSCRIBE");
    client.leave_all(by_name ? "UNSUBSCRIBE" : "PUNSUBSCRIBE", all);
    all.clear();
  }

  void publish() {
    const std::string name = some_name();
    const std::string value = "v" + std::to_string(++published_);
    journal_.note("PUBLISH '", name, "' ", value);
    const std::uint64_t wanted = redis_({"PUBLISH", name, value}).number();
    same("deliveries", std::uint64_t{hub_->publish(name, value)}, wanted);
    journal_.result(wanted);
  }
  void channels() {
    const bool all = random_.one_in(3);
    const std::string pattern = some_pattern();
    Command command{"PUBSUB", "CHANNELS"};
    if (!all) command.push_back(pattern);
    journal_.note("PUBSUB CHANNELS ", all ? "" : pattern);
    const Reply reply = redis_(command);
    Texts wanted;
    for (std::size_t i = 0; i < reply.size(); ++i) wanted.push_back(reply[i].text());
    std::sort(wanted.begin(), wanted.end());
    const Texts brook = all ? hub_->channels() : hub_->channels(pattern);
    if (brook != wanted) throw Difference("channels: " + shown(brook) + " instead of " + shown(wanted));
  }
  void count_names() {
    const Texts names{some_name(), some_name()};
    journal_.note("PUBSUB NUMSUB ", shown(names));
    const Reply reply = redis_({"PUBSUB", "NUMSUB", names[0], names[1]});
    for (std::size_t i = 0; i < 2; ++i)
      same("subscriptions", std::uint64_t{hub_->num_sub(names[i])}, reply[2 * i + 1].number());
  }
  void count_patterns() {
    journal_.note("PUBSUB NUMPAT");
    same("patterns", std::uint64_t{hub_->num_pat()}, redis_({"PUBSUB", "NUMPAT"}).number());
  }

  // A client that goes is to have nothing left: the server notices some time that it has gone.
  void come_or_go() {
    journal_.note("a client comes or goes");
    if (clients_.size() < 5 && random_.one_in(2)) {
      clients_.emplace_back(server_, *hub_);
      return;
    }
    Client& client = some_client();
    client.leave_all("UNSUBSCRIBE", client.names);
    client.leave_all("PUNSUBSCRIBE", client.patterns);
    client.compare();
    if (clients_.size() > 1) std::swap(client, clients_.back()), clients_.pop_back();
    else client.names.clear(), client.patterns.clear();
  }

  const RedisServer& server_;
  Redis& redis_;
  Random& random_;
  Journal& journal_;
  std::unique_ptr<Hub> hub_;
  std::deque<Client> clients_{};
  std::uint64_t published_ = 0;
};

void wait_until_gone(Redis& redis) {
  while (redis({"PUBSUB", "NUMPAT"}).number() > 0 || redis({"PUBSUB", "CHANNELS"}).size() > 0) {}
}

void fuzz_pubsub(const Arguments& how, Random& random, Journal& journal) {
  const RedisServer server;
  Redis redis(server);
  demand_version(redis);
  for (std::uint64_t left = how.operations; left > 0;) {
    const std::uint64_t operations = std::min<std::uint64_t>(left, random.between(1, 300));
    Life(server, redis, random, journal).run(operations);
    wait_until_gone(redis);
    left -= operations;
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 20'000});
  Random random(how.seed);
  Journal journal;
  try {
    fuzz_pubsub(how, random, journal);
  } catch (const Skipped& reason) {
    std::printf("pubsub_against_redis: skipped: %s\n", reason.what());
    return 0;
  } catch (const std::exception& problem) { return report("pubsub_against_redis", how, journal, problem); }
  std::printf("pubsub_against_redis: seed %llu, %llu operations, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  return 0;
}

#endif
