// choice_model.cpp — wait/choice.hpp under the C++ memory model: does exactly one source give something to a call, and does
// whatever is there go to somebody?
//
// The word is relaxed already, so there is no order to weaken: what a source gives goes by the source's lock. The proof rests
// on the states. Changed by hand, each of these is rejected:
//   who asks while another decides leaves no trace (no `knocked`), or pass() wakes nobody   WhoPassesHasTheCallLookAgain
//   who asks while another decides, or what was taken, is granted                           ExactlyOneGives
//   who asks while another decides is told that it is over                                  WhoPassesHasTheCallLookAgain
#include "relacy_model.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <brook/wait/choice.hpp>
#include <brook/wait/sleeper.hpp>

#include "stopped_clock.hpp"

namespace {

using namespace brook;
using wait::Bid;
using wait::Choice;

// A source with a lock, as a list is: elements, and two calls at most that stand in line, the first of which is served by
// whoever comes by.
struct Source {
  struct Place {
    Place(wait::Wakeable& who, const Bid& its_bid) : call(who), bid(its_bid) {}

    wait::Wakeable& call;
    const Bid bid;
    sync::plain<int> got{0};
    bool in_line = false;
  };

  void push() {
    const sync::unique_lock held(mutex_);
    elements_ = elements_ + 1;
    serve();
  }
  /// Asks for a call, and finds that there is nothing for it.
  void pass() {
    const sync::unique_lock held(mutex_);
    if (first_ == nullptr || elements_ > 0) return;
    const wait::Decision decision(first_->bid);
  }
  void enlist(Place& place) {
    const sync::unique_lock held(mutex_);
    place.in_line = true;
    (first_ == nullptr ? first_ : second_) = &place;
    serve();
  }
  void look() {
    const sync::unique_lock held(mutex_);
    serve();
  }
  void withdraw(Place& place) {
    const sync::unique_lock held(mutex_);
    leave(place);
    serve();
  }
  [[nodiscard]] int elements() const { return elements_; }
  [[nodiscard]] bool deserted() const { return first_ == nullptr; }

 private:
  void serve() {
    while (elements_ > 0 && first_ != nullptr) {
      Place& place = *first_;
      wait::Decision decision(place.bid);
      if (!decision.over() && !decision.granted()) return;
      if (decision.granted()) {
        decision.take();
        place.got = place.got + 1;
        elements_ = elements_ - 1;
        place.call.wake();
      }
      leave(place);
    }
  }
  void leave(Place& place) {
    if (!std::exchange(place.in_line, false)) return;
    if (first_ == &place) first_ = std::exchange(second_, nullptr);
    else second_ = nullptr;
  }

  sync::mutex mutex_;
  sync::plain<int> elements_{0};
  Place* first_ = nullptr;
  Place* second_ = nullptr;
};

// Sources, and calls that wait at all of them.
template <class Self, int threads, std::size_t n>
struct ChoiceClaim : model::Claim<Self, threads> {
  Source sources[n];
  int got[threads] = {};

  /// Waits until it has something, or looks but once.
  void wait(unsigned id, bool gives_up = false) {
    model::StoppedClock clock;
    wait::Sleeper sleeper(clock, Clock::time_point::max(), forever);
    Choice choice;
    choice.belong_to(sleeper);
    std::optional<Source::Place> places[n];
    for (std::size_t i = 0; i < n; ++i) places[i].emplace(sleeper, Bid(choice, static_cast<std::uint32_t>(i)));
    for (std::size_t i = 0; i < n && !choice.taken(); ++i) sources[i].enlist(*places[i]);
    while (!choice.taken()) {
      for (Source& source : sources) source.look();
      if (choice.taken() || gives_up) break;
      static_cast<void>(sleeper.sleep());
    }
    for (std::size_t i = 0; i < n; ++i) sources[i].withdraw(*places[i]);
    for (std::size_t i = 0; i < n; ++i) {
      got[id] += places[i]->got;
      model::demand(places[i]->got == (choice.taken() == i ? 1 : 0), "the choice says who gave something");
    }
    model::demand(gives_up || got[id] == 1, "a call gets exactly one thing");
  }

  void check(int pushed) {
    for (const Source& source : sources) {
      pushed -= source.elements();
      model::demand(source.deserted(), "nobody who has left stands in line");
    }
    for (const int each : got) pushed -= each;
    model::demand(pushed == 0, "what is there goes to one call, or stays");
  }
};

struct ExactlyOneGives : ChoiceClaim<ExactlyOneGives, 3, 2> {
  void thread(unsigned id) {
    if (id == 2) wait(id);
    else sources[id].push();
  }
  void after() { check(2); }
};

struct OneOfThreeGives : ChoiceClaim<OneOfThreeGives, 4, 3> {
  void thread(unsigned id) {
    if (id == 3) wait(id);
    else sources[id].push();
  }
  void after() { check(3); }
};

// A lost element, or call, is a deadlock, which Relacy reports.
struct WhoPassesHasTheCallLookAgain : ChoiceClaim<WhoPassesHasTheCallLookAgain, 3, 2> {
  void thread(unsigned id) {
    if (id == 2) wait(id);
    else if (id == 1) sources[1].push();
    else sources[0].pass();
  }
  void after() { check(1); }
};

struct WhatOneCallLeavesGoesToTheOther : ChoiceClaim<WhatOneCallLeavesGoesToTheOther, 4, 2> {
  void thread(unsigned id) {
    if (id >= 2) wait(id);
    else sources[id].push();
  }
  void after() { check(2); }
};

struct WhoGivesUpLosesNothing : ChoiceClaim<WhoGivesUpLosesNothing, 4, 2> {
  void thread(unsigned id) {
    if (id == 3) wait(id, true);
    else if (id == 2) wait(id);
    else sources[id].push(), sources[1 - id].pass();
  }
  void after() { check(2); }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<WhoPassesHasTheCallLookAgain>(60'000);
  claims.random<ExactlyOneGives>(60'000);
  claims.random<OneOfThreeGives>(60'000);
  claims.random<WhatOneCallLeavesGoesToTheOther>(60'000);
  claims.random<WhoGivesUpLosesNothing>(60'000);
  claims.result();
}
