// turn_model.cpp — wait/turn.hpp under the C++ memory model: is everything done that was asked for, by one thread at a time,
// and nothing any more once it has ended?
#include "relacy_model.hpp"

#include <brook/wait/turn.hpp>

namespace {

using namespace brook;
using wait::Turn;

constexpr int endless = 1'000;

// What is asked for is to be counted. Askers put it where it may be seen late, the more so as all is relaxed; and what the doer
// writes is checked for races with the doers before and after.
template <class Self, int threads>
struct TurnClaim : model::Claim<Self, threads> {
  Turn turn;
  sync::atomic<int> published[threads];
  sync::plain<int> counted[threads];
  int ends_itself_after = endless;  // so many have been counted

  TurnClaim() {
    for (auto& count : counted) count = 0;
  }

  void publish(unsigned id) {
    published[id].store(published[id].load(sync::relaxed) + 1, sync::relaxed);
    if (turn.ask()) do_turn();
  }

  void do_turn() {
    std::uint64_t requests = 1;
    Turn::Done done;
    do {
      doer_.store(sync::this_thread(), sync::relaxed);
      while (!turn.ended() && count_one()) {}
      doer_.store({}, sync::relaxed);
      done = turn.done(requests);
    } while (done == Turn::Done::more);
    if (done == Turn::Done::ended) out();
  }

  // As channel/callback.hpp does it.
  void end() {
    if (turn.end()) return out();
    if (doer_.load(sync::relaxed) == sync::this_thread()) return;
    sync::unique_lock held(mutex_);
    while (!is_out_) went_out_.wait(held);
  }

  // Whatever the doer uses is taken away; it must be out, and known to be.
  void end_and_take_away() {
    end();
    for (auto& count : counted) count = endless;
  }

  void all_is_counted() {
    for (int i = 0; i < threads; ++i)
      model::demand(counted[i] == published[i].load(sync::relaxed), "something that was asked for was not done");
  }

 private:
  bool count_one() {
    for (int i = 0; i < threads; ++i) {
      if (counted[i] == published[i].load(sync::relaxed)) continue;
      model::demand(counted[i] < published[i].load(sync::relaxed), "somebody does what is no longer to be done");
      ++counted[i];
      if (--ends_itself_after == 0) end();
      return true;
    }
    return false;
  }

  void out() {
    const sync::unique_lock held(mutex_);
    is_out_ = true;
    went_out_.notify_all();
  }

  sync::atomic<sync::thread::id> doer_{};
  sync::mutex mutex_;
  sync::condition_variable went_out_;
  bool is_out_ = false;
};

// The one who makes it begins with the turn.
struct WhatIsAskedForIsDone : TurnClaim<WhatIsAskedForIsDone, 2> {
  void thread(unsigned id) {
    if (id == 0) do_turn();
    publish(id);
  }
  void after() { all_is_counted(); }
};

struct WhoeverHasTheTurnServesAll : TurnClaim<WhoeverHasTheTurnServesAll, 3> {
  void before() { do_turn(); }
  void thread(unsigned id) {
    publish(id);
    publish(id);
  }
  void after() { all_is_counted(); }
};

struct OnceItHasEndedNobodyIsIn : TurnClaim<OnceItHasEndedNobodyIsIn, 3> {
  void before() { do_turn(); }
  void thread(unsigned id) {
    if (id == 0) return end_and_take_away();
    publish(id);
    publish(id);
  }
};

// An explicit end, and that of a destructor; the one who ends it may have had the turn before.
struct ItMayEndAgain : TurnClaim<ItMayEndAgain, 3> {
  void before() { do_turn(); }
  void thread(unsigned id) {
    publish(id);
    if (id == 2) return;
    end();
    end_and_take_away_once();
  }

  void end_and_take_away_once() {
    if (taken_.exchange(true, sync::acq_rel)) return end();
    end_and_take_away();
  }

 private:
  sync::atomic<bool> taken_{false};
};

struct TheDoerMayEndIt : TurnClaim<TheDoerMayEndIt, 3> {
  void before() {
    do_turn();
    ends_itself_after = 2;
  }
  void thread(unsigned id) {
    if (id == 0) return end_and_take_away();
    publish(id);
    publish(id);
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.exhaust_preemptions<WhatIsAskedForIsDone>(3);
  claims.random<WhatIsAskedForIsDone>(60'000);
  claims.random<WhoeverHasTheTurnServesAll>(60'000);
  claims.random<OnceItHasEndedNobodyIsIn>(60'000);
  claims.random<ItMayEndAgain>(60'000);
  claims.random<TheDoerMayEndIt>(60'000);
  claims.result();
}
