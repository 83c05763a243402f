// recorder.hpp — writes down every operation of the objects that it watches, and tells the story of a test.
//
//   brook::Recorder recorder({.then = &faults});                 // what it records goes on to the faults, if there are any
//   brook::Broker broker({.clock = &clock, .probe = &recorder});
//   …
//   std::cout << recorder.story();
//    1  +0.000  T1  orders                   add 1              1000-0
//    2  +0.000  T2  orders billing/worker-1  read 10            1: 1000-0
//    3  +5.000  T2  orders billing/worker-1  ack 1000-0         done
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/probe.hpp>
#include <brook/testing/named_probes.hpp>
#include <brook/testing/record.hpp>
#include <brook/testing/shown.hpp>
#include <brook/testing/where.hpp>

namespace brook {

namespace testing {

/// Of each thread its own, also when its id was another one's before.
struct ThreadNumber {
  const std::uint64_t value = last.fetch_add(1, sync::seq_cst) + 1;

 private:
  static inline sync::atomic<std::uint64_t> last{0};
};

}  // namespace testing

/// Options of a recorder, fixed for its life.
struct RecorderOptions {
  /// Records to keep; the oldest go first.
  std::size_t capacity = 10'000;
  /// Who is asked next: Faults, for example. It must outlive the recorder.
  Probe* then = nullptr;
};

/// A probe that records. What is still running is there too, and so a story tells who is blocked.
///
/// Thread-safe. It must outlive the objects that have it. Where there is no memory for a record, it is left out.
class Recorder final : public Probe {
 public:
  Recorder() : Recorder(RecorderOptions{}) {}
  explicit Recorder(const RecorderOptions& options) : options_(options) {}

  /// Values of this type that are added, pushed or published are shown in the records from now on, as Shown prints them.
  template <class T>
  void show() {
    const sync::unique_lock<sync::mutex> held(mutex_);
    printers_[&type_mark<T>] = [](const GivenValues& values, std::size_t i) {
      return testing::shown(*values.get<T>(i));
    };
  }

  /// What happened, in the order in which it began. `where.when` is not asked, as the calls are over.
  [[nodiscard]] std::vector<Record> records(const Where& where = {}) const {
    const testing::Filter filter(where);
    const sync::unique_lock<sync::mutex> held(mutex_);
    std::vector<Record> found;
    for (const Record& record : records_) {
      if (record.matches(filter)) found.push_back(record);
    }
    return found;
  }
  /// How many of them there are.
  [[nodiscard]] std::size_t count(const Where& where = {}) const { return records(where).size(); }
  /// How many records were dropped, because there were more than it keeps; since clear().
  [[nodiscard]] std::uint64_t forgotten() const {
    const sync::unique_lock<sync::mutex> held(mutex_);
    return forgotten_;
  }

  /// The same as text: number, time on the object's clock since the first record, thread, object and who does it, what
  /// with which values, and what came of it.
  [[nodiscard]] std::string story(const Where& where = {}) const {
    const std::uint64_t gone = forgotten();
    const std::string before =
        gone > 0 ? testing::counted(gone, "earlier one was", "earlier ones were") + " forgotten\n" : "";
    return before + testing::tell_story(records(where));
  }

  /// Forgets all that is over. Numbers go on, so that no two records ever have the same one; times begin anew, unless
  /// something is still running.
  void clear() {
    const sync::unique_lock<sync::mutex> held(mutex_);
    std::erase_if(records_, [](const Record& record) { return !record.running(); });
    forgotten_ = 0;
    if (records_.empty()) began_.clear();
  }

  /// For an object that is in no broker: `Stream<Order> orders({.probe = recorder.named("orders")})`.
  [[nodiscard]] Probe* named(std::string_view name) override { return named_.of(name); }

  Outcome watch(const Call& call, const Perform& perform) override {
    struct End {
      Recorder& recorder;
      const Call& call;
      const Clock::time_point began = call.clock->now();
      const std::uint64_t number = recorder.begin(call, began);
      std::optional<Outcome> outcome{};
      ~End() { recorder.end(number, call.clock->now() - began, outcome); }
    } end{*this, call};
    end.outcome = options_.then != nullptr ? options_.then->watch(call, perform) : perform();
    return *end.outcome;
  }

 private:
  using Printer = std::string (*)(const GivenValues&, std::size_t);

  // The number of the record, 0 when there is none.
  [[nodiscard]] std::uint64_t begin(const Call& call, Clock::time_point now) noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    BROOK_TRY {
      Record record(call);
      record.began = now - began_.try_emplace(call.clock, now).first->second;
      record.thread = thread_number();
      if (record.name.empty()) record.name = name_of(call);
      record.values = values_of(call.values);
      record.number = numbers_ + 1;
      records_.push_back(std::move(record));
    }
    BROOK_CATCH_ALL { return 0; }
    if (records_.size() > options_.capacity) {
      records_.pop_front();
      ++forgotten_;
    }
    return ++numbers_;
  }

  void end(std::uint64_t number, std::chrono::nanoseconds took, const std::optional<Outcome>& outcome) noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    const auto found = std::ranges::lower_bound(records_, number, {}, &Record::number);
    if (found == records_.end() || found->number != number) return;
    found->took = took;
    found->outcome = outcome;
    found->over = true;
  }

  // Threads and objects without names are numbered as they come.
  [[nodiscard]] std::size_t thread_number() {
    return threads_.try_emplace(sync::of_this_thread<testing::ThreadNumber>().value, threads_.size() + 1).first->second;
  }
  [[nodiscard]] std::string name_of(const Call& call) {
    const std::size_t number = objects_.try_emplace(call.object, objects_.size() + 1).first->second;
    return std::string(to_string(call.kind)) + "#" + std::to_string(number);
  }
  [[nodiscard]] std::string values_of(const GivenValues& values) const {
    const auto printer = printers_.find(values.type());
    if (printer == printers_.end()) return {};
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 3); ++i)
      text += (i > 0 ? ", " : "") + printer->second(values, i);
    return values.size() > 3 ? text + ", …" : text;
  }

  const RecorderOptions options_;
  testing::NamedProbes named_{*this};
  mutable sync::mutex mutex_;  // guards what follows
  std::deque<Record> records_;
  std::uint64_t numbers_ = 0;
  std::uint64_t forgotten_ = 0;
  std::map<const Clock*, Clock::time_point> began_;  // the first record on each clock
  std::map<std::uint64_t, std::size_t> threads_;
  std::map<const void*, std::size_t> objects_;
  std::map<const void*, Printer> printers_;
};

}  // namespace brook
