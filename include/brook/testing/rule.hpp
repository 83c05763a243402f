// rule.hpp — one fault: which operations it hits, and how often it has.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/testing/activity.hpp>
#include <brook/testing/where.hpp>
#include <brook/wait/gate.hpp>

namespace brook {

/// Which operations a fault hits: those that a Where means, and of these, in their order, those that the rest says.
struct Fault {
  std::optional<Operation> operation = std::nullopt;  ///< as Where
  Probed object = {};                                 ///< as Where
  std::string_view name = {};                         ///< as Where
  std::string_view group = {};                        ///< as Where
  std::string_view consumer = {};                     ///< as Where
  std::string_view topic = {};                        ///< as Where
  std::function<bool(const Call&)> when = {};         ///< as Where

  std::uint64_t skip = 0;           ///< not the first so many; what follows counts from there
  std::uint64_t nth = 0;            ///< only this one, counted from 1; 0 is all
  std::uint64_t every = 1;          ///< only each so-many-th
  double fraction = 1;              ///< only such a share of them, which …
  std::uint64_t seed = 0;           ///< … depends on nothing but this and how many there were before
  std::uint64_t times = unlimited;  ///< no more than so many

  Errc with = Errc::closed;           ///< of a failure: what the caller is answered
  std::chrono::nanoseconds delay{0};  ///< of a delay: how long, on the object's clock

  /// Which operations it is about.
  [[nodiscard]] Where where() const { return {operation, object, name, group, consumer, topic, when}; }
};

namespace testing {

/// What a fault does to an operation.
enum class Harm : unsigned char { fail, drop, hide, delay, stall };

[[nodiscard]] constexpr std::string_view to_string(Harm harm) noexcept {
  switch (harm) {
    case Harm::fail: return "fail";
    case Harm::drop: return "drop";
    case Harm::hide: return "hide";
    case Harm::delay: return "delay";
    case Harm::stall: return "stall";
  }
  return "unknown";
}

/// A rule's own state. Thread-safe.
class RuleState {
 public:
  /// `gate` is where those sleep whom it delays or has stopped.
  RuleState(Harm what, const Fault& which, std::shared_ptr<wait::Gate> gate)
      : harm(what),
        with(which.with),
        delay(which.delay),
        gate_(std::move(gate)),
        filter_(which.where()),
        falls_{which.skip, which.nth, which.every, which.fraction, which.seed, which.times},
        text_(describe(which)) {}

  /// Whether it hits this operation, which is then counted.
  [[nodiscard]] bool hits(const Call& call) {
    if (removed() || !filter_.matches(call)) return false;
    const sync::unique_lock<sync::mutex> held(mutex_);
    const bool hit = falls_.on(++seen_) && hits_ < falls_.times;
    hits_ += hit ? 1 : 0;
    return hit;
  }

  [[nodiscard]] std::uint64_t seen() const {
    const sync::unique_lock<sync::mutex> held(mutex_);
    return seen_;
  }
  [[nodiscard]] std::uint64_t hit() const {
    const sync::unique_lock<sync::mutex> held(mutex_);
    return hits_;
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  void remove() {
    removed_.store(true, sync::seq_cst);
    gate_->announce();
  }
  [[nodiscard]] bool removed() const noexcept { return removed_.load(sync::seq_cst); }

  // — of threads that it has stopped —

  /// How often those have been let go that were stopped by then.
  [[nodiscard]] std::uint64_t resumed() const noexcept { return resumed_.load(sync::seq_cst); }
  void resume() {
    resumed_.fetch_add(1, sync::seq_cst);
    gate_->announce();
  }
  void count_stopped(std::ptrdiff_t more) {
    const sync::unique_lock<sync::mutex> held(mutex_);
    stopped_ += static_cast<std::size_t>(more);
    changed_.notify_all();
  }
  [[nodiscard]] std::size_t stopped() const {
    const sync::unique_lock<sync::mutex> held(mutex_);
    return stopped_;
  }
  void await_stopped(std::size_t threads) {
    const Away away;  // a thread that a manual clock knows may wait here
    sync::unique_lock<sync::mutex> held(mutex_);
    while (stopped_ < threads) changed_.wait(held);
  }

  const Harm harm;
  const Errc with;
  const std::chrono::nanoseconds delay;

 private:
  // Which of those that match are hit.
  struct Falls {
    std::uint64_t skip;
    std::uint64_t nth;
    std::uint64_t every;
    double fraction;
    std::uint64_t seed;
    std::uint64_t times;

    [[nodiscard]] bool on(std::uint64_t at) const noexcept {
      if (at <= skip) return false;
      at -= skip;
      return (nth == 0 || at == nth) && (every == 0 || at % every == 0) && share_of(at) < fraction;
    }
    // From 0 to 1, by SplitMix64 (Steele, Lea, Flood 2014).
    [[nodiscard]] double share_of(std::uint64_t at) const noexcept {
      std::uint64_t x = (seed * 0xd1342543de82ef95U + at) * 0x9e3779b97f4a7c15U;
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
      return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-53;
    }
  };

  [[nodiscard]] std::string describe(const Fault& which) const {
    std::string text = std::string(to_string(harm)) + " " + Filter(which.where()).text();
    const auto add = [&text](std::string_view word, std::uint64_t number) {
      text.append(word).append(std::to_string(number));
    };
    if (which.skip > 0) add(", after ", which.skip);
    if (which.nth > 0) add(", number ", which.nth);
    if (which.every > 1) add(", every ", which.every);
    if (which.fraction < 1) add(", a share with seed ", which.seed);
    if (which.times != unlimited) add(", at most ", which.times);
    if (harm == Harm::fail || harm == Harm::hide) text.append(": ").append(message(which.with));
    return text;
  }

  const std::shared_ptr<wait::Gate> gate_;
  const Filter filter_;
  const Falls falls_;
  const std::string text_;
  sync::atomic<bool> removed_{false};
  sync::atomic<std::uint64_t> resumed_{0};
  mutable sync::mutex mutex_;
  sync::condition_variable changed_;
  std::uint64_t seen_ = 0;
  std::uint64_t hits_ = 0;
  std::size_t stopped_ = 0;
};

}  // namespace testing

/// A fault that was made. A cheap handle: copies mean the same, and dropping it removes nothing. It may outlive its Faults.
/// Thread-safe.
class Rule {
 public:
  /// How many operations were of the kind that it is about.
  [[nodiscard]] std::uint64_t seen() const { return state_->seen(); }
  /// How many of these it hit.
  [[nodiscard]] std::uint64_t hits() const { return state_->hit(); }
  /// What it is, for people: "fail add on 'orders', number 3: the object is full".
  [[nodiscard]] const std::string& text() const noexcept { return state_->text(); }

  /// It hits nothing any more, and whoever it delays or has stopped goes on. May be called again.
  void remove() const { state_->remove(); }

  /// Of a stall: how many threads are stopped now; waiting until there are so many; letting those go on.
  [[nodiscard]] std::size_t stopped() const { return state_->stopped(); }
  void await_stopped(std::size_t threads = 1) const { state_->await_stopped(threads); }
  void resume() const { state_->resume(); }

 private:
  friend class Faults;
  explicit Rule(std::shared_ptr<testing::RuleState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<testing::RuleState> state_;
};

}  // namespace brook
