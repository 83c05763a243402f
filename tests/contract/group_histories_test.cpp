// Many short histories of real threads on one consumer group and its stream, each checked for linearizability. Two of
// the threads are the same consumer. The payload stalls now and then while it is moved, and so does the clock when it is
// read: this stops an appender between its claim and its publication, and a consumer while it holds the group's mutex,
// and makes those pass who need not wait for it: whoever acknowledges a delivery, adds, erases or trims. The clock stands
// still.
//
// An acknowledgement of several ids, by group.ack(ids), is taken for several, one after another in any order, and a trim
// for two steps. Deliveries::ack() is left out, because it is neither one step nor one for each id. Deliveries that do
// not count and deletions of consumers are not in one history: a delivery is known by its consumer's number and its
// count, and the number of a deleted consumer is given to others.

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>

#include "../catch.hpp"
#include "histories.hpp"
#include "linearizability.hpp"
#include "linearizability_group.hpp"

namespace group_histories_test {

namespace {

using brook::Id;
using brook::contract::Answer;
using brook::contract::check;
using brook::contract::GroupSpec;
using brook::contract::History;
using brook::contract::in_single_steps;
using Kind = GroupSpec::Kind;
using Operation = GroupSpec::Operation;

constexpr int threads = 3;
constexpr int calls_each = 5;
constexpr char names[threads] = {'a', 'b', 'b'};

thread_local std::minstd_rand stalls(1);

/// Gives other threads a chance, at random, and sometimes a long one.
void stall() {
  const auto dice = stalls() % 16;
  for (unsigned i = 0; dice == 0 && i < 20; ++i) std::this_thread::yield();
  if (dice == 1) std::this_thread::yield();
}

/// A value whose moves stall.
struct Stalling {
  explicit Stalling(int number) : value(number) {}
  Stalling(Stalling&& other) noexcept : value(other.value) { stall(); }
  Stalling& operator=(Stalling&&) = delete;
  ~Stalling() = default;
  int value;
};

/// A clock that stands still, and stalls who reads it. Nobody sleeps here.
class StillClock final : public brook::Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return stall(), 1; }
  [[nodiscard]] time_point now() const noexcept override { return stall(), time_point(std::chrono::milliseconds(1)); }
  void sleep(brook::sync::unique_lock<brook::sync::mutex>&, const Alarm&) override {}
};

using Stream = brook::Stream<Stalling>;
using Group = brook::Group<Stalling>;
using Deliveries = brook::Deliveries<Stalling>;

/// Makes one random call and tells what it was and what came of it. It keeps what was delivered to it.
class Caller {
 public:
  Caller(Stream& stream, const Group& group, int thread, std::uint64_t seed)
      : stream_(stream),
        group_(group),
        consumer_(group.consumer(std::string(1, names[thread]))),
        thread_(thread),
        uncounted_(seed / threads % 2 == 0),
        random_(seed) {}

  Operation operator()() {
    stall();
    switch (random_() % 24) {
      case 0: return add_range();
      case 1: return erase();
      case 2: return trim();
      case 3: return random_() % 4 == 0 ? close() : add();
      case 4: return add();
      case 5: return history();
      case 6:
      case 7: return claim();
      case 8:
      case 9: return sweep();
      case 10: return uncounted_ ? summary() : strike();
      case 11: return ack_some();
      case 12: return summary();
      case 13: return list();
      case 14: return info();
      case 15:
      case 16:
      case 17: return nack();
      case 18:
      case 19:
      case 20: return ack();
      default: return read();
    }
  }

  Operation add_range() {
    std::vector<int> values(2 + random_() % 4);
    for (int& value : values) value = number();
    const auto ids = stream_.add_range(values);
    if (!ids) return {.kind = Kind::refuse};
    Operation operation{.kind = Kind::append};
    for (std::size_t i = 0; i < values.size(); ++i) operation.entries.push_back({(*ids)[i], values[i]});
    return operation;
  }

  Operation read() {
    const std::size_t count = 1 + random_() % 3;
    auto batch = consumer_.read({.count = count});
    if (!batch) return {.kind = Kind::read_closed, .who = name(), .count = count};
    return {.kind = Kind::read, .who = name(), .entries = kept(*std::move(batch)), .count = count};
  }

  Operation list() {
    std::string text = "pending";
    const auto pending = group_.pending(brook::PendingOptions{}).value();
    for (const auto& [id, consumer, idle, count] : pending)
      text += GroupSpec::line(id, consumer.empty() ? GroupSpec::nobody : consumer[0], count);
    return {.kind = Kind::list, .text = text};
  }

  Operation info() {
    const auto info = group_.info().value();
    return {.kind = Kind::info,
            .text = GroupSpec::info({.consumers = info.consumers,
                                     .pending = info.pending,
                                     .returned = info.returned,
                                     .read = info.entries_read,
                                     .lag = info.lag,
                                     .lost = info.lost,
                                     .last = info.last_delivered_id})};
  }

 private:
  Operation add() {
    const int value = number();
    const auto id = stream_.emplace(value);
    if (!id) return {.kind = Kind::refuse};
    return {.kind = Kind::append, .entries = {{*id, value}}};
  }

  Operation close() {
    stream_.close();
    return {.kind = Kind::close};
  }

  Operation erase() {
    Operation operation{.kind = Kind::erase, .thread = thread_, .ids = some_ids()};
    operation.count = stream_.erase(operation.ids);
    return operation;
  }

  Operation trim() {
    const std::uint64_t keep = random_() % 6;
    const auto removed = stream_.trim({.max_len = keep});
    return {.kind = Kind::trim, .thread = thread_, .count = removed.value(), .keep = keep};
  }

  Operation history() {
    const Id after{1, random_() % 4};
    const std::size_t count = 1 + random_() % 4;
    auto batch = consumer_.history(after, count).value();
    return {.kind = Kind::history, .who = name(), .entries = kept(std::move(batch)), .from = after, .count = count};
  }

  Operation claim() {
    Operation operation{.kind = Kind::claim, .who = name(), .ids = some_ids(), .uncounted = some_uncounted()};
    operation.entries = kept(consumer_.claim(operation.ids, {.just_id = operation.uncounted}).value());
    return operation;
  }

  Operation sweep() {
    const Id from{1, random_() % 4};
    const std::size_t count = 1 + random_() % 3;
    auto swept = consumer_.auto_claim({.start = from, .count = count}).value();
    return {.kind = Kind::sweep,
            .who = name(),
            .entries = kept(std::move(swept.deliveries)),
            .ids = std::move(swept.deleted),
            .from = from,
            .next = swept.next,
            .count = count};
  }

  Operation ack() {
    if (held_.empty()) return read();
    const Held& held = one_held();
    const auto delivery = held.batch[held.at];
    return {.kind = Kind::ack, .ids = {delivery.id()}, .count = delivery.ack() ? 1U : 0U};
  }

  Operation nack() {
    if (held_.empty()) return read();
    const Held& held = one_held();
    const auto delivery = held.batch[held.at];
    Operation operation{.kind = Kind::nack, .who = name(), .uncounted = some_uncounted()};
    operation.entries = {{delivery.id(), delivery->value, delivery.count()}};
    operation.count = delivery.nack({.uncounted = operation.uncounted}) ? 1 : 0;
    return operation;
  }

  Operation ack_some() {
    Operation operation{.kind = Kind::ack_several, .thread = thread_, .ids = some_ids()};
    operation.count = group_.ack(operation.ids);
    return operation;
  }

  Operation strike() {
    const char who = names[random_() % threads];
    return {.kind = Kind::strike, .who = who, .count = group_.delete_consumer(std::string(1, who)).value()};
  }

  Operation summary() {
    const auto pending = group_.pending().value();
    std::string text = GroupSpec::summary(pending.count, pending.first, pending.last);
    for (const auto& [who, count] : pending.consumers) text += GroupSpec::share(who[0], count);
    return {.kind = Kind::summary, .text = text};
  }

  std::vector<GroupSpec::Entry> kept(Deliveries batch) {
    std::vector<GroupSpec::Entry> entries;
    for (const auto& delivery : batch) entries.push_back({delivery.id(), delivery->value, delivery.count()});
    for (std::size_t i = 0; i < batch.size(); ++i) held_.push_back({batch, i});
    return entries;
  }

  // One to three different ones, by increasing or decreasing ids.
  std::vector<Id> some_ids() {
    std::vector<Id> ids;
    const std::uint64_t first = random_() % 8;
    for (std::uint64_t n = 1 + random_() % 3; n > 0; --n) ids.push_back({1, first + n});
    if (random_() % 2 == 0) std::ranges::reverse(ids);
    return ids;
  }

  bool some_uncounted() { return uncounted_ && random_() % 2 == 0; }

  struct Held {
    Deliveries batch;
    std::size_t at;
  };
  const Held& one_held() { return held_[random_() % held_.size()]; }
  [[nodiscard]] char name() const { return names[thread_]; }
  int number() { return thread_ * 1000 + count_++; }

  Stream& stream_;
  Group group_;
  brook::Consumer<Stalling> consumer_;
  int thread_;
  bool uncounted_;  // some are; otherwise consumers are deleted
  std::mt19937_64 random_;
  int count_ = 0;
  std::deque<Held> held_;
};

/// A stream with a group, who will use it, and what was recorded. It begins with entries of which each thread has some.
struct Round {
  explicit Round(std::uint64_t seed) : stream(brook::StreamOptions{.clock = &clock()}) {
    const Group group = stream.create_group("group", brook::earliest).value();
    for (int i = 0; i < threads; ++i) {
      const auto own = seed * threads + static_cast<std::uint64_t>(i);
      callers.push_back(std::make_unique<Caller>(stream, group, i, own));
    }
    recorded.record(threads, [&] { return callers[0]->add_range(); });
    for (const auto& caller : callers) recorded.record(threads, [&] { return caller->read(); });
  }

  void run(int thread) {
    auto& caller = *callers[static_cast<std::size_t>(thread)];
    for (int call = 0; call < calls_each; ++call) recorded.record(thread, [&] { return caller(); });
  }

  /// With what the group tells in the end.
  [[nodiscard]] brook::contract::Verdict verdict() {
    recorded.record(threads, [&] { return callers[0]->list(); });
    recorded.record(threads, [&] { return callers[0]->info(); });
    return check<GroupSpec>(in_single_steps(recorded.calls()), {.consumers = "ab"});
  }

  static StillClock& clock() {
    static StillClock still;
    return still;
  }

  Stream stream;
  std::vector<std::unique_ptr<Caller>> callers;
  History<Operation> recorded{threads + 1};
};

// Whether the specification allows these steps one after another, behind a's read of two entries of three.
bool allowed(const std::vector<Operation>& steps) {
  History<Operation> history(1);
  history.record(0, [] {
    return Operation{.kind = Kind::append, .entries = {{{1, 0}, 10}, {{1, 1}, 11}, {{1, 2}, 12}}};
  });
  history.record(0, [] {
    return Operation{.kind = Kind::read, .who = 'a', .entries = {{{1, 0}, 10, 1}, {{1, 1}, 11, 1}}, .count = 2};
  });
  for (const auto& step : steps) history.record(0, [&] { return step; });
  return static_cast<bool>(check<GroupSpec>(in_single_steps(history.calls()), {.consumers = "ab"}));
}

Operation b_reads(std::vector<GroupSpec::Entry> entries) {
  return {.kind = Kind::read, .who = 'b', .entries = std::move(entries), .count = 1};
}
Operation b_claims(std::vector<GroupSpec::Entry> entries) {
  return {.kind = Kind::claim, .who = 'b', .entries = std::move(entries), .ids = {{1, 0}}};
}
Operation a_nacks(std::uint64_t result) {
  return {.kind = Kind::nack, .who = 'a', .entries = {{{1, 0}, 10, 1}}, .count = result};
}
Operation ack(Id id, std::uint64_t result) { return {.kind = Kind::ack, .ids = {id}, .count = result}; }
Operation told(const std::string& text) { return {.kind = Kind::summary, .text = text}; }

}  // namespace

TEST_CASE("An entry goes to one consumer, and comes back before what is new") {
  CHECK(allowed({b_reads({{{1, 2}, 12, 1}})}));
  CHECK_FALSE(allowed({b_reads({{{1, 1}, 11, 1}})}));
  CHECK_FALSE(allowed({b_reads({})}));
  CHECK(allowed({a_nacks(1), b_reads({{{1, 0}, 10, 2}}), a_nacks(0)}));
  CHECK_FALSE(allowed({a_nacks(1), b_reads({{{1, 2}, 12, 1}})}));
  CHECK_FALSE(allowed({a_nacks(1), b_reads({{{1, 0}, 10, 2}}), a_nacks(1)}));
  CHECK_FALSE(allowed({b_claims({{{1, 0}, 10, 1}})}));  // the count
  CHECK(allowed({{.kind = Kind::strike, .who = 'a', .count = 2}, b_reads({{{1, 0}, 10, 2}})}));
}

TEST_CASE("An entry is acknowledged once, and what is pending is told exactly") {
  CHECK(allowed({ack({1, 0}, 1), ack({1, 0}, 0), b_claims({}), told("pending 1 from 1-1 to 1-1, a1")}));
  CHECK_FALSE(allowed({ack({1, 0}, 1), ack({1, 0}, 1)}));
  CHECK_FALSE(allowed({ack({1, 0}, 1), b_claims({{{1, 0}, 10, 2}})}));
  CHECK_FALSE(allowed({ack({1, 0}, 1), a_nacks(1)}));
  CHECK_FALSE(allowed({told("pending 3 from 1-0 to 1-2, a3")}));
  CHECK(allowed({{.kind = Kind::ack_several, .ids = {{1, 0}, {1, 1}, {1, 2}}, .count = 2}}));
  CHECK_FALSE(allowed({{.kind = Kind::ack_several, .ids = {{1, 0}, {1, 1}, {1, 2}}, .count = 3}}));
}

TEST_CASE("What has left the stream is not delivered again, and may be pending no more") {
  const Operation erased{.kind = Kind::erase, .ids = {{1, 0}}, .count = 1};
  const Operation swept{.kind = Kind::sweep, .who = 'b', .ids = {{1, 0}}, .next = {1, 1}, .count = 1};
  CHECK(allowed({erased, told("pending 2 from 1-0 to 1-1, a2"), swept, ack({1, 0}, 0)}));
  CHECK_FALSE(allowed({swept}));
  CHECK_FALSE(allowed({erased, swept, ack({1, 0}, 1)}));
  CHECK_FALSE(allowed({erased, b_claims({{{1, 0}, 10, 2}})}));
}

TEST_CASE("Concurrent histories of a group are linearizable") {
  const std::uint64_t histories = brook::contract::how_many_histories(24'000);
  std::string failure;
  std::size_t undecided = 0;
  for (std::uint64_t number = 0; number < histories && failure.empty();) {
    // Threads are made once for a hundred histories, because making them takes longer than a history.
    std::vector<std::unique_ptr<Round>> rounds;
    for (std::uint64_t i = 0; i < 100; ++i) rounds.push_back(std::make_unique<Round>(number++));
    std::barrier together(threads);
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread, seed = number] {
        stalls.seed(static_cast<unsigned>(seed * 7919) + static_cast<unsigned>(thread) + 1);
        for (const auto& round : rounds) {
          together.arrive_and_wait();
          round->run(thread);
        }
      });
    }
    for (auto& thread : running) thread.join();
    for (const auto& round : rounds) {
      const auto verdict = round->verdict();
      undecided += verdict.answer == Answer::undecided ? 1 : 0;
      if (verdict.answer == Answer::not_linearizable && failure.empty()) failure = verdict.explanation;
    }
  }
  INFO(failure);
  CHECK(failure.empty());
  CHECK(undecided == 0);
}

}  // namespace group_histories_test
