// list_against_redis.cpp — random operations on lists and on lists of a real redis-server 7.0, which this program
// starts for itself; all answers must be equal, and so must be who of several blocked clients gets what. Where hiredis or
// redis-server is absent it says so and succeeds.
//
//   list_against_redis [seed] [operations]
#include <cstdio>

#ifndef BROOK_TEST_HIREDIS

int main() {
  std::puts("list_against_redis: skipped: built without hiredis (apt-get install libhiredis-dev redis-server)");
  return 0;
}

#else

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#include "fuzz.hpp"
#include "redis.hpp"

namespace {

using namespace fuzz;
using brook::Errc;
using brook::forever;
using brook::no_limit;
using brook::Side;
using Command = Redis::Command;
using List = brook::BlockingList<std::string>;
using Texts = std::vector<std::string>;

std::string name_of(std::size_t list) { return "l" + std::to_string(list); }
std::string name_of(Side side) { return side == Side::left ? "LEFT" : "RIGHT"; }
std::string letter_of(Side side) { return side == Side::left ? "L" : "R"; }

std::string shown(const Texts& texts) {
  std::string line = "[";
  for (std::size_t i = 0; i < std::min<std::size_t>(texts.size(), 20); ++i) line += " " + texts[i];
  return line + (texts.size() > 20 ? " … ]" : " ]");
}
Texts texts_of(const Reply& reply) {
  Texts texts;
  for (std::size_t i = 0; i < reply.size(); ++i) texts.push_back(reply[i].text());
  return texts;
}
std::string shown(const std::optional<std::string>& value) { return value ? *value : "(nil)"; }

void demand_version(Redis& redis) {
  const std::string info = redis({"INFO", "server"}).text();
  if (info.find("redis_version:7.0.") == std::string::npos) throw Skipped("the redis-server is not a 7.0");
}

/// Lists on both sides from their beginning to their end.
class Life {
 public:
  Life(Redis& redis, Random& random, Journal& journal) : redis_(redis), random_(random), journal_(journal) {
    journal_.note("new lists");
    redis_({"FLUSHALL"});
    values_ = random_.between(2, 30);
  }

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 1; i <= operations; ++i) {
      which_ = static_cast<std::size_t>(random_.below(lists_.size()));
      step();
      if (i % 32 == 0) compare_all();
    }
    compare_all();
  }

 private:
  [[nodiscard]] List& list() { return lists_[which_]; }
  [[nodiscard]] std::string key() const { return name_of(which_); }

  void step() {
    switch (random_.below(16)) {
      case 0:
      case 1: return push();
      case 2: return push_several();
      case 3: return push_if_any();
      case 4: return pop();
      case 5: return pop_several();
      case 6: return range();
      case 7: return trim();
      case 8: return index();
      case 9: return set();
      case 10: return insert();
      case 11: return remove();
      case 12: return find();
      case 13:
      case 14: return move();
      default: return pop_from_several();
    }
  }

  Reply ask(const Command& command) {
    std::string line;
    for (std::size_t i = 0; i < std::min<std::size_t>(command.size(), 24); ++i) line += command[i] + " ";
    journal_.note(line);
    Reply reply = redis_(command);
    return reply;
  }

  // — pushing —

  void push() {
    const Side side = some_side();
    const std::string value = some_value();
    const Reply reply = ask({letter_of(side) + "PUSH", key(), value});
    const auto length = side == Side::left ? list().lpush(value) : list().rpush(value);
    same("length", std::uint64_t{*length}, reply.number());
  }
  void push_several() {
    const Side side = some_side();
    Command command{letter_of(side) + "PUSH", key()};
    const Texts values = some_values();
    command.insert(command.end(), values.begin(), values.end());
    const Reply reply = ask(command);
    const auto length = side == Side::left ? list().lpush_range(values) : list().rpush_range(values);
    same("length", std::uint64_t{*length}, reply.number());
  }
  void push_if_any() {
    const Side side = some_side();
    const std::string value = some_value();
    const Reply reply = ask({letter_of(side) + "PUSHX", key(), value});
    const auto length = side == Side::left ? list().lpushx(value) : list().rpushx(value);
    same("length", std::uint64_t{*length}, reply.number());
  }

  // — popping —

  void pop() {
    const Side side = some_side();
    compare("popped", side == Side::left ? list().lpop() : list().rpop(), ask({letter_of(side) + "POP", key()}));
  }
  void pop_several() {
    const Side side = some_side();
    const std::size_t count = static_cast<std::size_t>(random_.of_any_size(random_.one_in(3) ? 62 : 5));
    const Reply reply = ask({letter_of(side) + "POP", key(), std::to_string(count)});
    compare("popped", side == Side::left ? list().lpop(count) : list().rpop(count), reply);
  }
  void pop_from_several() {
    const Side side = some_side();
    const std::size_t count = static_cast<std::size_t>(random_.between(1, 6));
    const Reply reply = ask({"LMPOP", "3", "l0", "l1", "l2", name_of(side), "COUNT", std::to_string(count)});
    const auto popped = brook::lmpop(side, count, lists_[0], lists_[1], lists_[2]);
    same("whether there was one", popped.has_value(), !reply.is_nil());
    if (!popped) return;
    same("the list", name_of(popped->index), reply[0].text());
    compare("popped", popped->values, reply[1]);
  }
  void move() {
    const Side from = some_side();
    const Side to = some_side();
    const auto target = static_cast<std::size_t>(random_.below(lists_.size()));
    const bool old = random_.one_in(4);
    const Reply reply = old ? ask({"RPOPLPUSH", key(), name_of(target)})
                            : ask({"LMOVE", key(), name_of(target), name_of(from), name_of(to)});
    compare("moved", old ? list().rpoplpush(lists_[target]) : list().lmove(lists_[target], from, to), reply);
  }

  // — positions —

  void range() {
    const std::ptrdiff_t first = some_index();
    const std::ptrdiff_t last = some_index();
    const Reply reply = ask({"LRANGE", key(), std::to_string(first), std::to_string(last)});
    compare("range", list().lrange(first, last), reply);
  }
  void trim() {
    std::ptrdiff_t first = some_index();
    if (random_.one_in(2)) first = 0;
    const std::ptrdiff_t last = some_index();
    ask({"LTRIM", key(), std::to_string(first), std::to_string(last)});
    list().ltrim(first, last);
  }
  void index() {
    const std::ptrdiff_t at = some_index();
    compare("element", list().lindex(at), ask({"LINDEX", key(), std::to_string(at)}));
  }
  void set() {
    const std::ptrdiff_t at = some_index();
    const std::string value = some_value();
    const Reply reply = ask({"LSET", key(), std::to_string(at), value});
    const auto done = list().lset(at, value);
    same("whether it was set", done.has_value(), !reply.is_error());
    if (!done) same("why not", fuzz::text(done.error()), fuzz::text(Errc::invalid_argument));
  }
  void insert() {
    const std::string pivot = some_value();
    const std::string value = some_value();
    const bool after = random_.one_in(2);
    const Reply reply = ask({"LINSERT", key(), after ? "AFTER" : "BEFORE", pivot, value});
    const auto length = after ? list().linsert_after(pivot, value) : list().linsert_before(pivot, value);
    const bool absent = reply.text() == "-1" || reply.text() == "0";  // no such element, no such list
    same("length", *length ? std::to_string(**length) : "none", absent ? "none" : reply.text());
  }
  void remove() {
    const std::string value = some_value();
    const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(random_.below(9)) - 4;
    const Reply reply = ask({"LREM", key(), std::to_string(count), value});
    same("removed", std::uint64_t{list().lrem(count, value)}, reply.number());
  }
  void find() {
    const std::string value = some_value();
    const std::ptrdiff_t rank = random_.one_in(2) ? 1 : some_rank();
    const std::uint64_t count = random_.below(4);  // 0: all
    const std::uint64_t max_len = random_.one_in(2) ? 0 : random_.between(1, 30);
    const brook::LposOptions options{.rank = rank,
                                     .count = count == 0 ? no_limit : static_cast<std::size_t>(count),
                                     .max_len = max_len == 0 ? no_limit : static_cast<std::size_t>(max_len)};
    Command command{"LPOS", key(), value, "RANK", std::to_string(rank), "MAXLEN", std::to_string(max_len)};
    const auto one = list().lpos(value, options);
    const Reply reply = ask(command);
    same("position", one ? std::to_string(*one) : "(nil)", reply.text());
    command.insert(command.end(), {"COUNT", std::to_string(count)});
    Texts positions;
    for (const std::size_t position : list().lpos_all(value, options)) positions.push_back(std::to_string(position));
    compare("positions", positions, ask(command));
  }

  // — comparing —

  void compare_all() {
    for (which_ = 0; which_ < lists_.size(); ++which_) {
      same("length", std::uint64_t{list().size()}, ask({"LLEN", key()}).number());
      compare("all", list().lrange(0, -1), ask({"LRANGE", key(), "0", "-1"}));
    }
  }
  static void compare(std::string_view what, const Texts& ours, const Reply& theirs) {
    same(what, shown(ours), shown(texts_of(theirs)));
    same(what, ours == texts_of(theirs), true);
  }
  static void compare(std::string_view what, const std::optional<std::string>& ours, const Reply& theirs) {
    same(what, shown(ours), theirs.text());
  }

  // — chance —

  Side some_side() { return random_.one_of({Side::left, Side::right}); }
  std::string some_value() { return "v" + std::to_string(random_.below(values_)); }
  Texts some_values() {
    Texts values;
    const std::uint64_t count = random_.one_in(12) ? random_.between(1, 300) : random_.between(1, 8);
    while (values.size() < count) values.push_back(some_value());
    return values;
  }
  std::ptrdiff_t some_index() {
    const auto n = static_cast<std::int64_t>(list().size());
    if (random_.one_in(30))
      return random_.one_of(
          {std::numeric_limits<std::ptrdiff_t>::max(), std::numeric_limits<std::ptrdiff_t>::min() + 1});
    return static_cast<std::ptrdiff_t>(static_cast<std::int64_t>(random_.below(2 * list().size() + 5)) - n - 2);
  }
  std::ptrdiff_t some_rank() {
    const auto rank = static_cast<std::ptrdiff_t>(random_.between(1, 4));
    return random_.one_in(2) ? rank : -rank;
  }

  Redis& redis_;
  Random& random_;
  Journal& journal_;
  std::array<List, 3> lists_{};
  std::size_t which_ = 0;
  std::uint64_t values_ = 0;
};

/// Knows how many threads sleep; its time stands still.
class StandingClock final : public brook::Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1000; }
  [[nodiscard]] time_point now() const noexcept override { return time_point(std::chrono::seconds(1)); }
  void sleep(brook::sync::unique_lock<brook::sync::mutex>& held, const Alarm& alarm) override {
    asleep_.fetch_add(1);
    alarm.awake.wait(held);
    asleep_.fetch_sub(1);
  }
  void wait_for(std::size_t count) const {
    while (asleep_.load() != count) std::this_thread::yield();
  }

 private:
  std::atomic<std::size_t> asleep_{0};
};

/// Clients that block on both sides, in the same order, until one push after another has served them all.
class Waiters {
 public:
  Waiters(const RedisServer& server, Redis& redis, Random& random, Journal& journal)
      : server_(server), redis_(redis), random_(random), journal_(journal) {
    for (auto& list : lists_) list.emplace(brook::ListOptions{.clock = &clock_, .spin = std::chrono::microseconds(0)});
  }

  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;
  ~Waiters() {
    for (auto& list : lists_) list->close();  // so that after a difference nobody waits on
  }

  void run() {
    journal_.note("new lists, and clients that block");
    redis_({"FLUSHALL"});
    const auto count = static_cast<std::size_t>(random_.between(1, 6));
    while (waiters_.size() < count) block();
    for (std::uint64_t n = random_.between(1, 3); n > 0; --n) push();
    while (redis_blocked() > 0) push();
    for (Waiter& waiter : waiters_) {
      const Reply reply = waiter.connection->receive();
      same("client " + std::to_string(waiter.number), waiter.ours.get(), flat(reply));
    }
    for (std::size_t i = 0; i < lists_.size(); ++i)
      same(name_of(i), shown(lists_[i]->lrange(0, -1)), shown(texts_of(redis_({"LRANGE", name_of(i), "0", "-1"}))));
  }

 private:
  struct Waiter {
    std::size_t number;
    std::unique_ptr<Redis> connection;
    std::future<std::string> ours;
  };

  void block() {
    const auto on = static_cast<std::size_t>(random_.below(lists_.size()));
    const auto to = static_cast<std::size_t>(random_.below(lists_.size()));
    const Side side = random_.one_of({Side::left, Side::right});
    const Side to_side = random_.one_of({Side::left, Side::right});
    Waiter waiter{waiters_.size(), std::make_unique<Redis>(server_), {}};
    List& list = *lists_[on];
    Command command;
    switch (random_.below(4)) {
      case 0:
        command = {"BLMOVE", name_of(on), name_of(to), name_of(side), name_of(to_side), "0"};
        waiter.ours = std::async(std::launch::async, [&list, &target = *lists_[to], side, to_side] {
          return list.blmove(target, side, to_side, forever).value();
        });
        break;
      case 1:
        command = {"BLMPOP", "0", "1", name_of(on), name_of(side), "COUNT", "2"};
        waiter.ours = std::async(std::launch::async, [&list, on, side] {
          const auto got = brook::blmpop(forever, side, 2, list).value();
          std::string line = name_of(on);
          for (const std::string& value : got.values) line += " " + value;
          return line;
        });
        break;
      case 2:
        command = {"B" + letter_of(side) + "POP", name_of(on), name_of(to), "0"};
        waiter.ours = std::async(std::launch::async, [&list, &other = *lists_[to], on, to, side] {
          const auto got = side == Side::left ? brook::blpop(forever, list, other) : brook::brpop(forever, list, other);
          return name_of(got.value().index == 0 ? on : to) + " " + got->value;
        });
        break;
      default:
        command = {"B" + letter_of(side) + "POP", name_of(on), "0"};
        waiter.ours = std::async(std::launch::async, [&list, on, side] {
          return name_of(on) + " " + (side == Side::left ? list.blpop(forever) : list.brpop(forever)).value();
        });
    }
    block_there(std::move(waiter), command);
  }

  void block_there(Waiter waiter, const Command& command) {
    std::string line;
    for (const std::string& word : command) line += word + " ";
    journal_.note("client ", waiter.number, ": ", line);
    waiters_.push_back(std::move(waiter));
    clock_.wait_for(waiters_.size());
    // A connection's commands are sent with the first receive(), which would block: a ping comes back before it.
    Redis& connection = *waiters_.back().connection;
    connection.send({"PING"});
    connection.send(command);
    connection.receive();
    while (redis_blocked() != waiters_.size()) std::this_thread::yield();
  }

  void push() {
    const auto on = static_cast<std::size_t>(random_.below(lists_.size()));
    const Side side = random_.one_of({Side::left, Side::right});
    Texts values;
    for (std::uint64_t n = random_.between(1, 4); n > 0; --n) values.push_back("v" + std::to_string(next_value_++));
    Command command{letter_of(side) + "PUSH", name_of(on)};
    command.insert(command.end(), values.begin(), values.end());
    journal_.note(command[0], " ", command[1], " ", shown(values));
    redis_(command);
    if (side == Side::left) static_cast<void>(lists_[on]->lpush_range(values));
    else static_cast<void>(lists_[on]->rpush_range(values));
  }

  [[nodiscard]] std::size_t redis_blocked() {
    const std::string info = redis_({"INFO", "clients"}).text();
    const std::string before = "blocked_clients:";
    return std::strtoull(info.c_str() + info.find(before) + before.size(), nullptr, 10);
  }
  static std::string flat(const Reply& reply) {
    std::string line;
    try {
      for (std::size_t i = 0; i < reply.size(); ++i) line += (i == 0 ? "" : " ") + flat(reply[i]);
    } catch (const std::runtime_error&) { return reply.text(); }
    return line;
  }

  const RedisServer& server_;
  Redis& redis_;
  Random& random_;
  Journal& journal_;
  StandingClock clock_;
  std::array<std::optional<List>, 3> lists_{};
  std::vector<Waiter> waiters_;
  std::uint64_t next_value_ = 1;
};

void fuzz_lists(const Arguments& how, Random& random, Journal& journal) {
  const RedisServer server;
  Redis redis(server);
  demand_version(redis);
  for (std::uint64_t left = how.operations; left > 0;) {
    const std::uint64_t operations = std::min<std::uint64_t>(left, random.between(1, 600));
    Life(redis, random, journal).run(operations);
    left -= operations;
    for (int i = 0; i < 4; ++i) Waiters(server, redis, random, journal).run();
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 10'000});
  Random random(how.seed);
  Journal journal;
  try {
    fuzz_lists(how, random, journal);
  } catch (const Skipped& reason) {
    std::printf("list_against_redis: skipped: %s\n", reason.what());
    return 0;
  } catch (const std::exception& problem) { return report("list_against_redis", how, journal, problem); }
  std::printf("list_against_redis: seed %llu, %llu operations, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  return 0;
}

#endif
