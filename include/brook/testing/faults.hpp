// faults.hpp — things that go wrong when a test says so: operations that fail, get lost, take long or stop in the middle.
//
//   brook::Faults faults;
//   brook::Broker broker({.probe = &faults});
//   auto full = faults.fail({.operation = Operation::add, .name = "orders", .nth = 3, .with = Errc::full});
//   …
//   CHECK(full.hits() == 1);
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/probe.hpp>
#include <brook/testing/in_flight.hpp>
#include <brook/testing/named_probes.hpp>
#include <brook/testing/rule.hpp>
#include <brook/testing/where.hpp>
#include <brook/wait/gate.hpp>

namespace brook {

/// A probe that injects faults. Rules are asked in the order in which they were made: delays add up, and of the others the
/// first one that hits decides; those behind it do not count the operation. What is hit depends on nothing but the rules
/// and the order of the operations.
///
/// Thread-safe. It must outlive the objects that have it.
class Faults final : public Probe {
 public:
  Faults() = default;

  /// Operations fail: nothing changes, and the caller is answered `with`. One that knows no error answers as if there were
  /// nothing, or nobody (lpop, publish, ack).
  Rule fail(const Fault& fault) { return make(testing::Harm::fail, fault); }

  /// Operations get lost: nothing changes, and the caller is answered that it was done (an add, with the id that it would
  /// have got; a push, a publish, an ack, a nack), or at once that there is nothing (a read, a pop, a receive). A forward is
  /// not lost by halves: it answers not_pending. Of a function that is subscribed the message is lost.
  Rule drop(const Fault& fault) { return make(testing::Harm::drop, fault); }

  /// Answers get lost: the operation takes effect, and the caller is answered `with`. What was read is pending all the same,
  /// what was popped or received is gone.
  Rule hide(const Fault& fault) { return make(testing::Harm::hide, fault); }

  /// Operations take `delay` on the object's clock before they begin. It ends early when the call's own time is up
  /// (timed_out), its stop token says so (cancelled), its object is closed, or the rule is removed. Not of a dead letter,
  /// which is added with a lock held, nor of what a completion (on_ready, co_await, …) waits for: whoever brings that would be
  /// delayed. They do not count.
  Rule delay(const Fault& fault) { return make(testing::Harm::delay, fault); }

  /// Threads stop in the middle, until the rule says resume() or is removed: in an add or a publish of one value when its
  /// slot in the log is taken and it is not there yet for anybody; elsewhere before the operation begins. Nothing else lets
  /// them go on. Not in a dead letter, nor in a completion.
  Rule stall(const Fault& fault) { return make(testing::Harm::stall, fault); }

  /// The server is gone, or a consumer dies: all such operations fail, and calls that wait now are broken off, until the
  /// rule is removed. What a consumer has stays pending with it; what its deliveries still do fails.
  Rule take_down(const Where& where = {}, Errc with = Errc::closed) {
    const Rule rule = fail({where.operation, where.object, where.name, where.group, where.consumer, where.topic,
                            where.when, 0, 0, 1, 1, 0, unlimited, with});
    break_off(where, with);
    return rule;
  }
  /// One consumer, or several, of a stream: `faults.kill({.name = "orders", .consumer = "worker-1"})`.
  Rule kill(const Where& consumer) { return take_down(consumer); }

  /// Calls that wait now, or are delayed, answer `with`, and nothing has changed; unless they have got something already.
  /// How many. Of those that wait, only where there are stop tokens (std::stop_token). `where.when` sees no values of them.
  std::size_t break_off(const Where& where = {}, Errc with = Errc::closed) {
    const testing::Filter filter(where);
    std::size_t broken = 0;
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      for (testing::InFlight* const flight : in_flight_) {
        Call call = flight->call;
        call.values = {};  // by now they may be on their way into the object
        if (!filter.matches(call)) continue;
        flight->break_off(with);
        broken += flight->takes_time() ? 1 : 0;
      }
    }
    gate_->announce();
    return broken;
  }

  /// Removes all rules.
  void clear() {
    std::vector<std::shared_ptr<testing::RuleState>> rules;
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      rules.swap(rules_);
    }
    for (const auto& rule : rules) rule->remove();
  }

  /// Those rules that have hit nothing, and were not removed: for a test that wants each of its faults to have happened.
  [[nodiscard]] std::vector<std::string> unused() const {
    const sync::unique_lock<sync::mutex> held(mutex_);
    std::vector<std::string> texts;
    for (const auto& rule : rules_) {
      if (rule->hit() == 0 && !rule->removed()) texts.push_back(rule->text());
    }
    return texts;
  }

  /// For an object that is in no broker: `Stream<Order> orders({.probe = faults.named("orders")})`.
  [[nodiscard]] Probe* named(std::string_view name) override { return named_.of(name); }

  inline Outcome watch(const Call& call, const Perform& perform) override;

 private:
  using RulePtr = std::shared_ptr<testing::RuleState>;

  // What is to become of one operation.
  struct Verdict {
    std::chrono::nanoseconds delay{0};
    std::vector<RulePtr> delays{};
    RulePtr decided{};

    [[nodiscard]] bool is(testing::Harm harm) const noexcept { return decided != nullptr && decided->harm == harm; }
  };

  // Its place among those that can be broken off.
  class Listed {
   public:
    Listed(Faults& faults, testing::InFlight& flight) : faults_(faults) {
      const sync::unique_lock<sync::mutex> held(faults_.mutex_);
      at_ = faults_.in_flight_.insert(faults_.in_flight_.end(), &flight);
    }
    ~Listed() {
      const sync::unique_lock<sync::mutex> held(faults_.mutex_);
      faults_.in_flight_.erase(at_);
    }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

   private:
    Faults& faults_;
    std::list<testing::InFlight*>::iterator at_;
  };

  Rule make(testing::Harm harm, const Fault& fault) {
    auto rule = std::make_shared<testing::RuleState>(harm, fault, gate_);
    const sync::unique_lock<sync::mutex> held(mutex_);
    std::erase_if(rules_, [](const RulePtr& one) { return one->removed(); });
    rules_.push_back(rule);
    return Rule(std::move(rule));
  }

  [[nodiscard]] Verdict judge(const Call& call) const {
    std::vector<RulePtr> rules;
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      rules = rules_;
    }
    Verdict verdict;
    for (RulePtr& rule : rules) {
      const bool takes_time = rule->harm == testing::Harm::delay || rule->harm == testing::Harm::stall;
      if ((takes_time && (call.locked || call.prompt)) || !rule->hits(call)) continue;
      if (rule->harm != testing::Harm::delay) {
        verdict.decided = std::move(rule);
        break;
      }
      verdict.delay += rule->delay;
      verdict.delays.push_back(std::move(rule));
    }
    return verdict;
  }

  void note_close(const void* object) {
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      for (testing::InFlight* const flight : in_flight_) {
        if (flight->call.object == object) flight->note_close();
      }
    }
    gate_->announce();
  }

  [[nodiscard]] Outcome perform_as(const Verdict& verdict, testing::InFlight& flight, const Perform& perform);
  [[nodiscard]] Outcome perform_and_stop(testing::InFlight& flight, const Perform& perform, Manner& manner,
                                         testing::RuleState& stall);

  const std::shared_ptr<wait::Gate> gate_ = std::make_shared<wait::Gate>();
  testing::NamedProbes named_{*this};
  mutable sync::mutex mutex_;  // guards what follows
  std::vector<RulePtr> rules_;
  std::list<testing::InFlight*> in_flight_;
};

inline Outcome Faults::watch(const Call& call, const Perform& perform) {
  if (call.operation == Operation::close) {
    const Outcome outcome = perform();
    note_close(call.object);
    return outcome;
  }
  // It is listed before it is judged: a take_down() that comes meanwhile finds it here, or its rule is there to judge it.
  testing::InFlight flight(call);
  const Listed listed(*this, flight);
  const Verdict verdict = judge(call);
  Outcome outcome = perform_as(verdict, flight, perform);
  if (outcome.done && !outcome.failed && verdict.is(testing::Harm::hide)) outcome.failed = verdict.decided->with;
  return outcome;
}

inline Outcome Faults::perform_as(const Verdict& verdict, testing::InFlight& flight, const Perform& perform) {
  if (!verdict.delays.empty()) {
    flight.note_delay();
    const auto over = [&] {
      return std::ranges::any_of(verdict.delays, [](const RulePtr& rule) { return rule->removed(); });
    };
    if (const auto failed = flight.pass_time(verdict.delay, *gate_, over)) return {.failed = failed};
  }
  if (verdict.is(testing::Harm::fail)) return {.failed = verdict.decided->with};
  if (verdict.is(testing::Harm::drop)) return {};
  const Wait wait = flight.wait();
  Manner manner{.wait = flight.may_wait() ? &wait : nullptr};
  Outcome outcome =
      verdict.is(testing::Harm::stall) ? perform_and_stop(flight, perform, manner, *verdict.decided) : perform(manner);
  if (outcome.failed == Errc::cancelled && flight.broken()) outcome.failed = flight.broken();
  return outcome;
}

inline Outcome Faults::perform_and_stop(testing::InFlight& flight, const Perform& perform, Manner& manner,
                                        testing::RuleState& stall) {
  const std::function<void()> stop = [&] {
    const std::uint64_t resumed = stall.resumed();
    stall.count_stopped(1);
    flight.stand_still(*gate_, [&] { return stall.removed() || stall.resumed() != resumed; });
    stall.count_stopped(-1);
  };
  manner.midway = &stop;
  return perform(manner);
}

}  // namespace brook
