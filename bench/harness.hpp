// harness.hpp — measures one thing for several peers side by side, checks what it measures, and says how sure it is.
//
// A case is one piece of work; a peer is one way of doing it; brook comes first. Within each round every peer is
// measured once, each round beginning with another peer, so that what happens to the machine happens to all. The ratio
// brook/peer is taken round by round.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/clock.hpp>

namespace bench {

struct Options {
  int rounds = 7;
  bool quick = false;  // a tenth of the work
  bool pin = true;     // thread n stays on processor n
  bool list = false;
  bool help = false;
  std::string only = "*";
  std::string csv{};
};

/// Remembers and reports a failure unless `ok`; the program then ends with 1. Thread-safe.
void expect(bool ok, std::string_view what);
[[nodiscard]] int failures();

/// What one measurement yields: a number for each of the case's metrics.
using Sample = std::vector<double>;

struct Peer {
  std::string name;
  std::function<Sample()> measure;
};

struct Case {
  std::string name;
  std::vector<std::string> metrics;
  std::vector<Peer> peers{};

  template <std::invocable Measure>
  Case& peer(std::string peer_name, Measure measure) {
    if constexpr (std::same_as<std::invoke_result_t<Measure>, double>) {
      peers.push_back({std::move(peer_name), [measure]() mutable { return Sample{measure()}; }});
    } else {
      peers.push_back({std::move(peer_name), std::move(measure)});
    }
    return *this;
  }
};

class Suite {
 public:
  explicit Suite(Options options) : options_(std::move(options)) {}

  [[nodiscard]] const Options& options() const noexcept { return options_; }

  /// `full`, or what is left of it for a quick run.
  [[nodiscard]] std::size_t work(std::size_t full) const noexcept { return options_.quick ? full / 10 : full; }

  /// A case whose peers are added to what this returns. Less is better in every metric.
  Case& add(std::string name, std::vector<std::string> metrics = {"ns"}) {
    return cases_.emplace_back(Case{std::move(name), std::move(metrics)});
  }

  /// Says that a peer takes no part, and why.
  void left_out(std::string peer, std::string why) { left_out_.push_back(std::move(peer) + ": " + std::move(why)); }

  void list() const;

  /// Measures the cases that `options.only` names; false when there is none, or when the file cannot be written.
  [[nodiscard]] bool run();

 private:
  Options options_;
  std::deque<Case> cases_;
  std::vector<std::string> left_out_;
};

// — for the bodies of cases —

/// Stays on processor `n` from now on, unless the run is not pinned.
void pin(std::size_t n);
void allow_pinning(bool allowed);

/// Runs the body `n(0)` … `n(count - 1)` in threads of their own, which start together; nanoseconds from the first
/// start to the last end.
double together(std::size_t count, const std::function<void(std::size_t)>& body);

/// Nanoseconds that a call takes, on processor 0.
double alone(const std::function<void()>& body);

/// Makes the compiler believe that the value is used.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

[[nodiscard]] std::int64_t now_ns();

/// The p-th percentile, 0 ≤ p ≤ 100. Reorders the samples.
[[nodiscard]] double percentile(std::vector<double>& samples, double p);

/// Time that stands still, but that the wall clock can be told to move: for work without the price of reading the time.
class FixedClock final : public brook::SystemClock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return ms_; }
  [[nodiscard]] time_point now() const noexcept override { return time_point(std::chrono::hours(1)); }
  /// By one thread, while no other reads.
  void step() noexcept { ++ms_; }
  void begin_anew() noexcept { ms_ = start; }

 private:
  static constexpr std::uint64_t start = 1'700'000'000'000;
  std::uint64_t ms_ = start;
};

}  // namespace bench
