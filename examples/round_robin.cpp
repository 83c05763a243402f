// A circular queue: several monitors take turns with a set of servers. Each takes the one that was looked at longest ago and
// puts it at the other end in the same step, so that no server is ever missing from the list, or in it twice.
#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <brook/blocking_list.hpp>

int main() {
  brook::BlockingList<std::string> servers;
  servers.rpush({"alpha", "beta", "gamma", "delta"});

  constexpr int monitors = 3;
  constexpr int looks_of_each = 400;
  std::map<std::string, int> looks;
  std::mutex looks_mutex;
  std::atomic<bool> complete{true};
  std::vector<std::thread> threads;
  for (int i = 0; i < monitors; ++i) {
    threads.emplace_back([&] {
      for (int look = 0; look < looks_of_each; ++look) {
        const auto server = servers.lmove(servers, brook::Side::left, brook::Side::right);
        if (!server || servers.size() != 4) complete = false;
        const std::lock_guard held(looks_mutex);
        ++looks[*server];
      }
    });
  }
  for (auto& thread : threads) thread.join();

  for (const auto& [server, count] : looks) std::cout << server << ": looked at " << count << " times\n";
  std::cout << (complete ? "no server was ever missing" : "A SERVER WAS MISSING") << '\n';
  auto rest = servers.lrange(0, -1);
  std::ranges::sort(rest);
  for (const std::string& server : rest) std::cout << server << ' ';
  std::cout << "are still there\n";
}
