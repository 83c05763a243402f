// Many short histories of real threads on one stream, each checked for linearizability. The payload stalls now and then
// while it is moved, which stops an appender between its claim and its publication and makes others pass it.

#include <barrier>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <brook/stream.hpp>
#include <brook/testing/manual_clock.hpp>

#include "../catch.hpp"
#include "histories.hpp"
#include "linearizability.hpp"
#include "linearizability_log.hpp"

namespace stream_histories_test {

namespace {

using brook::Id;
using brook::contract::History;
using brook::contract::LogSpec;
using Kind = LogSpec::Kind;
using Operation = LogSpec::Operation;

constexpr int threads = 3;
constexpr int calls_each = 4;

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

using Stream = brook::Stream<Stalling>;

std::vector<LogSpec::Entry> shown(const brook::Entries<Stalling>& entries) {
  std::vector<LogSpec::Entry> all;
  for (const auto& [id, value] : entries) all.push_back({id, value.value});
  return all;
}

/// Makes one random call and tells what it was and what came of it.
class Caller {
 public:
  Caller(Stream& stream, int thread, std::uint64_t seed) : stream_(stream), thread_(thread), random_(seed) {}

  Operation operator()() {
    stall();
    switch (random_() % 12) {
      case 0: return add_range();
      case 1: return add_at(Id{1, random_() % 12});
      case 2: return {.kind = Kind::read, .entries = shown(stream_.range())};
      case 3: return read_some();
      case 4:
        return {.kind = Kind::read_back, .entries = shown(stream_.rev_range(Id::max(), Id::min(), 3)), .count = 3};
      case 5: return {.kind = Kind::length, .count = stream_.size()};
      case 6: return erase();
      case 7: return trim();
      case 8: return random_() % 8 == 0 ? close() : add();
      default: return add();
    }
  }

 private:
  Operation add() {
    const int value = number();
    const auto id = stream_.emplace(value);
    if (!id) return {.kind = Kind::refuse_closed};
    return {.kind = Kind::append, .entries = {{*id, value}}};
  }

  Operation add_at(Id id) {
    const int value = number();
    const auto added = stream_.add(id, Stalling(value));
    if (added) return {.kind = Kind::append, .entries = {{*added, value}}};
    if (added.error() == brook::Errc::closed) return {.kind = Kind::refuse_closed};
    return {.kind = Kind::refuse_small, .from = id};
  }

  Operation add_range() {
    std::vector<int> values(2 + random_() % 12);
    for (int& value : values) value = number();
    const auto ids = stream_.add_range(values);
    if (!ids) return {.kind = Kind::refuse_closed};
    Operation operation{.kind = Kind::append};
    for (std::size_t i = 0; i < values.size(); ++i) operation.entries.push_back({(*ids)[i], values[i]});
    return operation;
  }

  Operation read_some() {
    const Id from{1, random_() % 8};
    return {.kind = Kind::read, .entries = shown(stream_.range(from, Id::max(), 3)), .from = from, .count = 3};
  }

  Operation erase() {
    Operation operation{.kind = Kind::erase, .ids = {{1, random_() % 10}, {1, random_() % 10}}};
    operation.count = stream_.erase(operation.ids);
    return operation;
  }

  Operation trim() {
    const std::uint64_t keep = random_() % 6;
    const auto removed = stream_.trim({.max_len = keep});
    return {.kind = Kind::trim, .thread = thread_, .count = removed.value(), .keep = keep};
  }

  Operation close() {
    stream_.close();
    return {.kind = Kind::close};
  }

  int number() { return thread_ * 1000 + count_++; }

  Stream& stream_;
  int thread_;
  std::mt19937_64 random_;
  int count_ = 0;
};

}  // namespace

TEST_CASE("Concurrent histories of a stream are linearizable") {
  const std::uint64_t histories = brook::contract::how_many_histories(12'000);
  brook::ManualClock clock(std::chrono::milliseconds(1));
  std::string failure;
  std::size_t undecided = 0;
  for (std::uint64_t number = 0; number < histories && failure.empty();) {
    // Threads are made once for a hundred histories, because making them takes longer than a history.
    constexpr std::uint64_t in_a_row = 100;
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<std::unique_ptr<History<Operation>>> recorded;
    for (std::uint64_t i = 0; i < in_a_row; ++i) {
      streams.push_back(std::make_unique<Stream>(brook::StreamOptions{.clock = &clock}));
      recorded.push_back(std::make_unique<History<Operation>>(threads));
    }
    std::barrier together(threads);
    std::vector<std::thread> running;
    for (int thread = 0; thread < threads; ++thread) {
      running.emplace_back([&, thread] {
        for (std::uint64_t i = 0; i < in_a_row; ++i) {
          const std::uint64_t seed = (number + i) * threads + static_cast<std::uint64_t>(thread);
          stalls.seed(static_cast<unsigned>(seed * 7919 + 1));
          Caller caller(*streams[i], thread, seed);
          together.arrive_and_wait();
          for (int call = 0; call < calls_each; ++call) recorded[i]->record(thread, caller);
        }
      });
    }
    for (auto& thread : running) thread.join();
    for (const auto& history : recorded) {
      ++number;
      const auto verdict = brook::contract::check<LogSpec>(brook::contract::with_trims_in_two_steps(history->calls()));
      undecided += verdict.answer == brook::contract::Answer::undecided ? 1 : 0;
      if (verdict.answer == brook::contract::Answer::not_linearizable && failure.empty()) failure = verdict.explanation;
    }
  }
  INFO(failure);
  CHECK(failure.empty());
  CHECK(undecided == 0);
}

}  // namespace stream_histories_test
