// gate_model.cpp — wait/gate.hpp under the C++ memory model: does anybody sleep on what was published?
//
// Stop tokens are left out: their state is the standard library's, which Relacy cannot see into.
#include "relacy_model.hpp"

#include <brook/wait/await.hpp>

namespace {

using namespace brook;
using wait::Outcome;

// Time stands still, but for the deadline of the one thread that has this clock: it may come whenever it sleeps.
class SleepersClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 0; }
  [[nodiscard]] time_point now() const noexcept override { return now_; }

  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override {
    if (alarm.deadline == time_point::max()) return alarm.awake.wait(held);
    if (alarm.awake.wait_until(held, alarm.deadline) == std::cv_status::timeout) now_ = alarm.deadline;
  }

 private:
  time_point now_{std::chrono::hours(1)};
};

// Entries that are published one by one, and a gate for those who wait for them.
struct Board {
  struct Entry {
    sync::plain<int> payload;
    sync::atomic<int> ready{0};
  };
  Entry entries[2];
  wait::Gate gate;

  void publish(int i) {
    entries[i].payload = 7;
    entries[i].ready.store(1, sync::seq_cst);  // row A
    gate.announce();
  }

  [[nodiscard]] bool has(int i) const { return entries[i].ready.load(sync::seq_cst) == 1; }  // row D

  [[nodiscard]] Outcome wait_for(int i, const Wait& wait) {
    SleepersClock clock;
    const std::chrono::microseconds no_spin(0);
    const Outcome outcome = wait::await(gate, clock, wait.deadline(clock), wait, no_spin, [&] { return has(i); });
    if (outcome == Outcome::ready) model::demand(entries[i].payload == 7, "an entry is there before its payload");
    return outcome;
  }
};

// A lost wake-up is a deadlock, which Relacy reports.
struct NobodySleepsOnWhatWasPublished : model::Claim<NobodySleepsOnWhatWasPublished, 2> {
  Board board;

  void thread(unsigned id) {
    if (id == 0) board.publish(0);
    else
      model::demand(board.wait_for(0, forever) == Outcome::ready, "a wait without limit ends with what it waits for");
  }
};

struct EachSleeperIsWoken : model::Claim<EachSleeperIsWoken, 3> {
  Board board;

  void thread(unsigned id) {
    if (id == 0) board.publish(0);
    else
      model::demand(board.wait_for(0, forever) == Outcome::ready, "a wait without limit ends with what it waits for");
  }
};

// The first announcement may fire the ticket for nothing; the second must find it armed again.
struct SleeperIsWokenAgain : model::Claim<SleeperIsWokenAgain, 3> {
  Board board;

  void thread(unsigned id) {
    if (id < 2) return board.publish(static_cast<int>(id));
    for (int i : {1, 0}) {
      model::demand(board.wait_for(i, forever) == Outcome::ready, "a wait without limit ends with what it waits for");
    }
  }
};

// A publisher that is about to wake a sleeper whose deadline has come must not touch it any more once it has left;
// and what was published before the call began is never reported as a timeout.
struct DeadlineMeetsWakeUp : model::Claim<DeadlineMeetsWakeUp, 3> {
  Board board;

  void thread(unsigned id) {
    if (id < 2) return board.publish(static_cast<int>(id));
    const bool there_before = board.has(0);
    const Outcome outcome = board.wait_for(0, std::chrono::seconds(1));
    model::demand(!there_before || outcome == Outcome::ready, "what is there is not waited for");
    model::demand(board.wait_for(1, forever) == Outcome::ready, "a wait without limit ends with what it waits for");
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.exhaust_preemptions<NobodySleepsOnWhatWasPublished>(3);
  claims.random<NobodySleepsOnWhatWasPublished>(200'000);
  claims.random<EachSleeperIsWoken>(200'000);
  claims.random<SleeperIsWokenAgain>(200'000);
  claims.random<DeadlineMeetsWakeUp>(200'000);
  claims.result();
}
