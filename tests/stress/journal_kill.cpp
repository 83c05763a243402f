// A process that journals, and is killed at any moment, loses nothing of what its calls had returned, and what is found is a
// state that there was.
//
// The child adds to a stream, passes its entries on to another one and to a list, each exactly once, moves elements between two
// lists, compacts now and then, and tells over a pipe how far it has come. It is killed after a random time; the parent, or the
// next child, finds what it left.
//
// usage: journal_kill [KILLS]
#include <brook/journal.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#endif

#include "stress.hpp"

#if defined(__unix__)

namespace {

using namespace brook;
using namespace brook::stress;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Number = std::uint64_t;

constexpr Number elements = 20;

// What the child has come to, each by one of its threads.
enum class Told : std::uint32_t { added, passed_on, pushed, popped };
struct Report {
  Told what{};
  std::uint32_t unused = 0;
  Number number = 0;
};

void tell(int to, Told what, Number number) {
  const Report report{what, 0, number};
  if (::write(to, &report, sizeof report) != sizeof report) ::_exit(2);
}

JournalOptions options_of(std::uint64_t kill) {
  JournalOptions options{.compact_min = 20'000};
  options.flush = kill % 16 == 0 ? Flush::always : kill % 2 == 0 ? Flush::every_second : Flush::never;
  return options;
}

// Numbers go on where they were: the values of `orders` are 0, 1, 2, …; each is passed on to `done`, and the even ones to `even`.
struct Shop {
  explicit Shop(const fs::path& directory, const JournalOptions& options) {
    auto opened = Journal::open(directory, broker, types<Number>, options);
    if (!opened) {
      expect(false, opened.error().message().c_str());
      return;
    }
    journal.emplace(*std::move(opened));
    orders = *broker.stream<Number>("orders");
    done = *broker.stream<Number>("done");
    even = *broker.list<Number>("even");
    left = *broker.list<Number>("left");
    right = *broker.list<Number>("right");
    queue = *broker.list<Number>("queue");
    if (!orders->group("workers")) static_cast<void>(orders->create_group("workers", earliest, {.visibility = 1ms}));
    if (left->empty() && right->empty()) {
      std::vector<Number> all;
      for (Number n = 0; n < elements; ++n) all.push_back(n);
      left->rpush_range(all);
    }
  }

  Broker broker;
  std::optional<Journal> journal;
  std::shared_ptr<Stream<Number>> orders;
  std::shared_ptr<Stream<Number>> done;
  std::shared_ptr<BlockingList<Number>> even;
  std::shared_ptr<BlockingList<Number>> left;
  std::shared_ptr<BlockingList<Number>> right;
  std::shared_ptr<BlockingList<Number>> queue;
};

Number last_of(const Stream<Number>& stream) {
  const auto last = stream.rev_range(Id::max(), Id::min(), 1);
  return last.empty() ? 0 : last.front().value + 1;
}

// What was promised, and what there is.
struct Account {
  std::map<Told, Number> told{};

  [[nodiscard]] Number of(Told what) const {
    const auto found = told.find(what);
    return found == told.end() ? 0 : found->second;
  }
};

void check_passing_on(const Shop& shop, const Account& account) {
  std::set<Number> ordered;
  for (const auto& [id, value] : shop.orders->range()) {
    expect(ordered.empty() || value == *ordered.rbegin() + 1, "orders have no gap");
    ordered.insert(value);
  }
  expect(last_of(*shop.orders) >= account.of(Told::added), "what was added is there");
  std::set<Number> passed_on;
  for (const auto& [id, value] : shop.done->range())
    expect(passed_on.insert(value).second, "each order is passed on once");
  std::set<Number> even;
  for (const Number value : shop.even->lrange(0, -1)) expect(even.insert(value).second, "each even one once, too");
  const auto pending = *(*shop.orders->group("workers")).pending(PendingOptions{});
  std::set<Number> left;
  for (const auto& entry : pending) {
    for (const auto& [id, value] : shop.orders->range(entry.id, entry.id)) left.insert(value);
  }
  for (const auto& [id, value] : shop.orders->range((*shop.orders->group("workers")).info()->last_delivered_id.next()))
    left.insert(value);
  for (const Number value : ordered) {
    const bool done = passed_on.contains(value);
    expect(done != left.contains(value), "an order is passed on, or left, and never both");
    expect(done || !even.contains(value), "what went to the list went to the stream");
    expect(!done || value % 2 == 1 || even.contains(value), "and the other way round");
  }
  for (Number n = 0; n < account.of(Told::passed_on); ++n) {
    if (ordered.contains(n)) expect(passed_on.contains(n), "what was passed on stays so");
  }
}

void check(const Shop& shop, const Account& account) {
  check_passing_on(shop, account);
  std::set<Number> all;
  for (const auto& list : {shop.left, shop.right}) {
    for (const Number value : list->lrange(0, -1)) expect(all.insert(value).second, "no element is there twice");
  }
  expect(all.size() == elements, "no element is lost");
  const auto queue = shop.queue->lrange(0, -1);
  if (!queue.empty()) {
    expect(queue.back() + 1 >= account.of(Told::pushed), "what was pushed is there");
    expect(queue.front() >= account.of(Told::popped), "what was popped is gone");
    for (std::size_t i = 1; i < queue.size(); ++i) expect(queue[i] == queue[i - 1] + 1, "the queue has no gap");
  } else {
    expect(account.of(Told::pushed) <= account.of(Told::popped) + 1, "a queue is not emptied by a crash");
  }
}

void add_orders(Shop& shop, int report) {
  for (Number n = last_of(*shop.orders);; ++n) {
    if (!shop.orders->add(n)) ::_exit(3);
    tell(report, Told::added, n + 1);
    if (n % 64 == 0) std::this_thread::yield();
  }
}
void pass_on(Shop& shop, int report) {
  const auto worker = shop.orders->group("workers")->consumer("worker");
  std::set<Number> before;
  for (const auto& [id, value] : shop.done->range()) before.insert(value);
  Number next = 0;
  while (before.contains(next)) ++next;
  for (;;) {
    const auto batch = worker.read({.count = 5, .block = 10ms});
    if (!batch) ::_exit(4);
    for (const auto& order : *batch) {
      const bool passed = *order % 2 == 0
                              ? order.forward(into(*shop.done, *order), into(*shop.even, *order)).has_value()
                              : order.forward(*shop.done, *order).has_value();
      if (!passed) continue;  // it came back meanwhile
      before.insert(*order);
      while (before.contains(next)) ++next;
      tell(report, Told::passed_on, next);
    }
  }
}
void move_elements(Shop& shop, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (;;) {
    auto& from = random() % 2 == 0 ? *shop.left : *shop.right;
    auto& to = random() % 8 == 0 ? from : &from == shop.left.get() ? *shop.right : *shop.left;
    static_cast<void>(
        from.lmove(to, random() % 2 == 0 ? Side::left : Side::right, random() % 2 == 0 ? Side::left : Side::right));
    if (random() % 8 == 0) std::this_thread::yield();
  }
}
void push(Shop& shop, int report, Number from) {
  for (Number n = from;; ++n) {
    if (!shop.queue->rpush(n)) ::_exit(5);
    tell(report, Told::pushed, n + 1);
    if (n % 16 == 0) std::this_thread::sleep_for(1ms);
  }
}
void pop(Shop& shop, int report) {
  for (;;) {
    const auto popped = shop.queue->blpop(forever);
    if (!popped) ::_exit(6);
    tell(report, Told::popped, *popped + 1);
  }
}

[[noreturn]] void live(const fs::path& directory, std::uint64_t kill, int report, const Account& account) {
  Shop shop(directory, options_of(kill));
  if (!shop.journal) ::_exit(7);
  const auto queue = shop.queue->lrange(0, -1);
  const Number pushed =
      std::max({queue.empty() ? 0 : queue.back() + 1, account.of(Told::pushed), account.of(Told::popped)});
  Threads threads;
  threads.start([&] { add_orders(shop, report); });
  threads.start([&] { pass_on(shop, report); });
  threads.start([&] { move_elements(shop, kill); });
  threads.start([&] { push(shop, report, pushed); });
  threads.start([&] { pop(shop, report); });
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1 + kill % 7));
    if (kill % 3 == 0 && !shop.journal->compact()) ::_exit(8);
  }
}

// Who is killed has told how far it had come.
void kill_one(const fs::path& directory, std::uint64_t kill, std::chrono::microseconds after, Account& account) {
  int ends[2];
  if (::pipe(ends) != 0) return expect(false, "there is a pipe");
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    live(directory, kill, ends[1], account);
  }
  ::close(ends[1]);
  std::thread reader([&, from = ends[0]] {
    for (Report report; ::read(from, &report, sizeof report) == sizeof report;)
      account.told[report.what] = std::max(account.told[report.what], report.number);
  });
  std::this_thread::sleep_for(after);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  reader.join();
  ::close(ends[0]);
  if (!WIFSIGNALED(status)) std::fprintf(stderr, "the child ended with %d\n", WEXITSTATUS(status));
  expect(WIFSIGNALED(status), "the child lived until it was killed");
}

void kill_many(std::uint64_t kills) {
  const fs::path directory = fs::temp_directory_path() / ("brook_journal_kill_" + std::to_string(::getpid()));
  fs::remove_all(directory);
  std::mt19937_64 random(13);
  Account account;
  for (std::uint64_t kill = 1; kill <= kills && faults.load() == 0; ++kill) {
    if (kill % 10 == 1) {
      fs::remove_all(directory);
      account = {};
    }
    kill_one(directory, kill, std::chrono::microseconds(200 + random() % 40'000), account);
    Shop shop(directory, options_of(kill));
    if (!shop.journal) continue;
    if (const auto& cut = shop.journal->recovery().cut)
      expect(!cut->whole_behind, "a crash leaves nothing whole behind");
    check(shop, account);
    if (faults.load() > 0) std::fprintf(stderr, "after kill %llu\n", static_cast<unsigned long long>(kill));
  }
  if (faults.load() == 0) fs::remove_all(directory);
}

}  // namespace

int main(int argc, char** argv) {
  kill_many(argc > 1 ? factor(argc, argv) : 12);
  return verdict("journal_kill");
}

#else

int main() { return brook::stress::verdict("journal_kill"); }

#endif
