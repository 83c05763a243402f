// fuzz.hpp — what the fuzzers share: chance that is the same everywhere, ids worth trying, and the account of a
// difference.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/error.hpp>
#include <brook/id.hpp>

namespace fuzz {

using brook::Errc;
using brook::Id;

inline constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();

/// The same numbers from the same seed with every standard library, which its distributions would not give.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t bits() { return engine_(); }
  /// Less than `n`, which is not 0.
  std::uint64_t below(std::uint64_t n) { return bits() % n; }
  std::uint64_t between(std::uint64_t from, std::uint64_t to) { return from + below(to - from + 1); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// Small more often than large: each number of binary digits up to `digits` is equally likely.
  std::uint64_t of_any_size(unsigned digits = 64) {
    const std::uint64_t wanted = below(digits + 1);
    return wanted == 0 ? 0 : bits() >> (64 - wanted);
  }
  template <class Container>
  const auto& one_of(const Container& choices) {
    return choices[static_cast<std::size_t>(below(std::size(choices)))];
  }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + below(choices.size()));
  }

 private:
  std::mt19937_64 engine_;
};

/// Ids for every purpose: those that were given out, their neighbours, and the ends of what can be told.
class Ids {
 public:
  explicit Ids(Random& random) : random_(random) {}

  void forget() { known_.clear(); }

  void remember(Id id) {
    constexpr std::size_t enough = 1024;
    if (known_.size() < enough) known_.push_back(id);
    else known_[static_cast<std::size_t>(random_.below(enough))] = id;
  }

  /// Any id, most often one that an entry has or had.
  Id any() {
    if (!known_.empty() && !random_.one_in(6)) return near(random_.one_of(known_));
    switch (random_.below(5)) {
      case 0: return Id::min();
      case 1: return Id::max();
      case 2: return {random_.of_any_size(), random_.of_any_size()};
      case 3: return {top - random_.of_any_size(), top - random_.of_any_size()};
      default: return {random_.below(4), random_.below(4)};
    }
  }

  /// An id for an entry after `last`, near or far; sometimes one that is not above it.
  Id after(Id last) {
    const std::uint64_t jump = far();
    switch (random_.below(12)) {
      case 0: return last;
      case 1: return random_.one_in(8) ? Id::min() : down(last);
      case 2: return {last.ms, plus(last.seq, jump)};
      case 3: return {plus(last.ms, jump), random_.one_in(2) ? 0 : random_.of_any_size()};
      case 4: return {plus(last.ms, 1), far()};
      case 5: return {last.ms, plus(last.seq, random_.below(5))};
      case 6: return {random_.one_in(2) ? last.ms : plus(last.ms, 1), top - random_.of_any_size(12)};
      case 7: return random_.one_in(4) ? Id{top, top - random_.of_any_size(14)} : up(last);
      default: return up(last);
    }
  }

  /// A distance that is small, or close to a power of two.
  std::uint64_t far() {
    const std::uint64_t power = std::uint64_t{1} << random_.below(64);
    switch (random_.below(4)) {
      case 0: return random_.below(8);
      case 1: return power;
      case 2: return power - 1;
      default: return plus(power, random_.below(3));
    }
  }

  static std::uint64_t plus(std::uint64_t a, std::uint64_t b) { return a > top - b ? top : a + b; }

 private:
  Id near(Id id) {
    switch (random_.below(12)) {
      case 0: return up(id);
      case 1: return down(id);
      case 2: return {id.ms, top};
      case 3: return {id.ms, 0};
      case 4: return {plus(id.ms, 1), 0};
      default: return id;
    }
  }
  static Id up(Id id) { return id.seq < top ? Id{id.ms, id.seq + 1} : Id{plus(id.ms, 1), 0}; }
  static Id down(Id id) {
    if (id.seq > 0) return {id.ms, id.seq - 1};
    return id.ms > 0 ? Id{id.ms - 1, top} : id;
  }

  Random& random_;
  std::vector<Id> known_;
};

/// Thrown when brook and what it is compared with differ.
struct Difference : std::exception {
  explicit Difference(std::string text) : what_(std::move(text)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// The last operations, to be printed with a difference.
class Journal {
 public:
  template <class... Parts>
  void note(const Parts&... parts) {
    std::ostringstream line;
    (line << ... << parts);
    lines_.push_back("  " + std::to_string(++number_) + ". " + line.str());
    if (lines_.size() > 20) lines_.pop_front();
  }
  /// How the noted operation went.
  template <class... Parts>
  void result(const Parts&... parts) {
    std::ostringstream line;
    (line << ... << parts);
    lines_.back() += " -> " + line.str();
  }
  void print() const {
    for (const std::string& line : lines_) std::fprintf(stderr, "%s\n", line.c_str());
  }

 private:
  std::deque<std::string> lines_;
  std::uint64_t number_ = 0;
};

inline std::string text(Id id) { return brook::to_string(id); }
inline std::string text(const std::string& value) { return value; }
inline std::string text(const char* value) { return value; }
inline std::string text(bool value) { return value ? "true" : "false"; }
inline std::string text(std::uint64_t value) { return std::to_string(value); }
inline std::string text(Errc error) { return "'" + std::string(brook::message(error)) + "'"; }
template <class T>
std::string text(const brook::expected<T, Errc>& outcome) {
  return outcome ? text(*outcome) : text(outcome.error());
}
inline std::string text(const brook::expected<void, Errc>& outcome) { return outcome ? "done" : text(outcome.error()); }

/// Demands that brook answers as it should.
template <class A, class B>
void same(std::string_view what, const A& brook, const B& wanted) {
  if (brook == wanted) return;
  throw Difference(std::string(what) + ": " + text(brook) + " instead of " + text(wanted));
}

struct Arguments {
  std::uint64_t seed;
  std::uint64_t operations;
};

inline Arguments arguments(int count, char** values, Arguments otherwise) {
  if (count > 1) otherwise.seed = std::strtoull(values[1], nullptr, 10);
  if (count > 2) otherwise.operations = std::strtoull(values[2], nullptr, 10);
  return otherwise;
}

/// Says what differed, after which operations, and how to see it again.
inline int report(const char* program, const Arguments& how, const Journal& journal, const std::exception& problem) {
  std::fprintf(stderr, "%s %llu %llu: %s\nThe last operations:\n", program, static_cast<unsigned long long>(how.seed),
               static_cast<unsigned long long>(how.operations), problem.what());
  journal.print();
  return 1;
}

}  // namespace fuzz
