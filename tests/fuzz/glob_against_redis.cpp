// glob_against_redis.cpp — random patterns and names: brook must find the same matches as a real redis-server 7, which
// this program starts for itself, among its PSUBSCRIBEs and PUBLISHes; but for those in known_differences.hpp. Where
// hiredis or redis-server is absent it says so and succeeds.
//
//   glob_against_redis [seed] [pairs]
#include <cstdio>

#ifndef BROOK_TEST_HIREDIS

int main() {
  std::puts("glob_against_redis: skipped: built without hiredis (apt-get install libhiredis-dev redis-server)");
  return 0;
}

#else

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <brook/pubsub/glob.hpp>

#include "fuzz.hpp"
#include "glob_double.hpp"
#include "redis.hpp"

namespace {

using namespace fuzz;
using Command = Redis::Command;
using Patterns = std::set<std::string>;

// Older ones let `*` match the empty name.
void demand_version(Redis& redis) {
  const std::string info = redis({"INFO", "server"}).text();
  if (info.find("redis_version:7.") == std::string::npos) throw Skipped("the redis-server is not a 7");
}

/// Whether a range in it might reach from the lower half of the bytes into the upper one: what is in that range depends
/// on the machine of the server.
bool may_cross_halves(const std::string& pattern) {
  const bool has_upper =
      std::any_of(pattern.begin(), pattern.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return has_upper && pattern.find('-') != pattern.npos;
}

/// Some patterns, all of them subscribed to, and names that are published to all of them.
class Round {
 public:
  Round(Redis& publisher, Redis& subscriber, Random& random, Journal& journal)
      : publisher_(publisher), subscriber_(subscriber), journal_(journal), texts_(random) {
    for (int i = 0; i < 32; ++i) names_.push_back(i == 0 ? std::string() : texts_.name());
    while (patterns_.size() < 32) {
      std::string pattern = random.one_in(2) ? texts_.pattern() : texts_.pattern_like(random.one_of(names_));
      if (!may_cross_halves(pattern)) patterns_.insert(std::move(pattern));
    }
  }

  /// How many pairs were compared.
  std::uint64_t run() {
    subscribe();
    for (const std::string& name : names_) compare(name, publish(name));
    subscriber_({"RESET"});
    return names_.size() * patterns_.size();
  }

 private:
  void subscribe() {
    Command command{"PSUBSCRIBE"};
    command.insert(command.end(), patterns_.begin(), patterns_.end());
    subscriber_.send(command);
    for (std::size_t i = 0; i < patterns_.size(); ++i) subscriber_.receive();
  }

  // The patterns under which it arrives.
  Patterns publish(const std::string& name) {
    journal_.note("PUBLISH ", GlobTexts::shown(name));
    const std::uint64_t times = publisher_({"PUBLISH", name, "a message"}).number();
    journal_.result(times);
    Patterns arrived;
    for (std::uint64_t i = 0; i < times; ++i) {
      const Reply message = subscriber_.receive();
      same("what arrives", message[std::size_t{0}].text(), std::string("pmessage"));
      same("where it was published", message[std::size_t{2}].text(), name);
      arrived.insert(message[std::size_t{1}].text());
    }
    return arrived;
  }

  void compare(const std::string& name, const Patterns& arrived) const {
    for (const std::string& pattern : patterns_)
      same("whether " + GlobTexts::shown(pattern) + " matches " + GlobTexts::shown(name),
           brook::pubsub::matches(pattern, name), arrived.contains(pattern));
  }

  Redis& publisher_;
  Redis& subscriber_;
  Journal& journal_;
  GlobTexts texts_;
  std::vector<std::string> names_;
  Patterns patterns_;
};

void fuzz_globs(const Arguments& how, Random& random, Journal& journal) {
  const RedisServer server;
  Redis publisher(server);
  demand_version(publisher);
  Redis subscriber(server);
  for (std::uint64_t done = 0; done < how.operations;) done += Round(publisher, subscriber, random, journal).run();
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 200'000});
  Random random(how.seed);
  Journal journal;
  try {
    fuzz_globs(how, random, journal);
  } catch (const Skipped& reason) {
    std::printf("glob_against_redis: skipped: %s\n", reason.what());
    return 0;
  } catch (const std::exception& problem) { return report("glob_against_redis", how, journal, problem); }
  std::printf("glob_against_redis: seed %llu, %llu pairs, no difference\n", static_cast<unsigned long long>(how.seed),
              static_cast<unsigned long long>(how.operations));
  return 0;
}

#endif
