// Clicks on ads are billed strictly in order for each ad, and in parallel across ads: each click's price depends on how many
// came before it. A worker that dies in between holds up the ads that it had in hand, and no others.
#include <chrono>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <brook/stream.hpp>

using namespace std::chrono_literals;

namespace {

struct Click {
  std::string ad;
  int number;  // 1, 2, 3, … of this ad
};

struct Account {
  int clicks = 0;
  int cents = 0;
  bool in_order = true;

  void bill(const Click& click) {
    in_order = in_order && click.number == clicks + 1;
    ++clicks;
    cents += clicks <= 100 ? 10 : 5;  // the first hundred clicks are dearer
  }
};

class Accounts {
 public:
  void bill(const Click& click) {
    const std::lock_guard held(mutex_);
    accounts_[click.ad].bill(click);
  }
  void print() {
    for (const auto& [ad, account] : accounts_) {
      std::cout << ad << ": " << account.clicks << " clicks, " << account.cents << " cents, "
                << (account.in_order ? "in order" : "OUT OF ORDER") << '\n';
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Account> accounts_;
};

}  // namespace

int main() {
  brook::Stream<Click> clicks;
  const auto billing = clicks.create_group("billing", brook::earliest,
                                           {.visibility = 50ms, .ordered_by = [](const Click& c) { return c.ad; }});

  for (int number = 1; number <= 250; ++number) {
    for (const char* ad : {"bakery", "florist", "garage"}) clicks.add({ad, number});
  }
  clicks.close();

  // It dies with the first click of each ad in hand: they come back to the group, and are still the first of their ads.
  const auto lost = billing->consumer("died").read({.count = 3});
  std::cout << lost->size() << " clicks were in the hands of a worker that died\n";

  Accounts accounts;
  std::vector<std::thread> workers;
  for (const char* name : {"worker-1", "worker-2", "worker-3"}) {
    workers.emplace_back([&accounts, me = billing->consumer(name)] {
      while (const auto batch = me.read({.count = 8, .block = 1s})) {
        for (const auto& click : *batch) {
          accounts.bill(*click);
          click.ack();
        }
      }
    });
  }
  for (auto& worker : workers) worker.join();
  accounts.print();
  std::cout << billing->info()->pending << " pending, " << billing->info()->lag << " not yet delivered\n";
}
