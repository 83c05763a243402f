// Caches that are told what has changed. Each node drops the keys that it hears of; a node that was too slow to hear of all of
// them knows how many it missed, and starts afresh. The work that follows a change, to compute the new value, is shared: each
// change goes to one of the workers.
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <brook/channel.hpp>

namespace {

struct Changed {
  std::string key;
  int version;
};

class Node {
 public:
  explicit Node(brook::Subscription<Changed> changes) : changes_(std::move(changes)) {}

  void fill(const std::map<std::string, int>& database) { cache_ = database; }

  // What the node has, after it has heard all the news.
  void catch_up(const std::string& name) {
    std::size_t dropped = 0;
    while (const auto change = changes_.try_receive()) {
      if (change->lost() > 0) {
        std::cout << name << " missed " << change->lost() << " changes: drops all it has\n";
        cache_.clear();
      }
      dropped += cache_.erase((*change)->key);
    }
    std::cout << name << " dropped " << dropped << " keys one by one, has " << cache_.size() << '\n';
  }

 private:
  brook::Subscription<Changed> changes_;
  std::map<std::string, int> cache_;
};

}  // namespace

int main() {
  brook::Channel<Changed> changes;
  std::map<std::string, int> database{{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};

  Node steady(changes.subscribe());
  Node slow(changes.subscribe({.backlog = 4}));
  steady.fill(database);
  slow.fill(database);

  std::vector<int> computed(3, 0);
  std::vector<std::thread> workers;
  for (int& mine : computed) {
    workers.emplace_back([&mine, work = changes.subscribe({.share = "recompute"})]() mutable {
      for (const auto& change : work) mine += change->version > 0 ? 1 : 0;
    });
  }

  for (int version = 2; version <= 4; ++version) {
    for (const char* key : {"a", "b"}) {
      database[key] = version;
      changes.publish({key, version});
    }
  }
  steady.catch_up("steady");
  slow.catch_up("slow");

  changes.close();
  for (auto& worker : workers) worker.join();
  int all = 0;
  for (const int mine : computed) all += mine;
  std::cout << "the workers computed " << all << " values, each once\n";
}
