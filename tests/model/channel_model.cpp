// channel_model.cpp — channel/… together under the C++ memory model: does everybody get what is published, wake when there is
// something to wake for, and is no function called twice at once, or after its end?
#include <array>
#include <memory>
#include <optional>

#include "relacy_model.hpp"

#include <brook/channel/callback.hpp>
#include <brook/channel/membership.hpp>
#include <brook/subscription.hpp>

#include "number.hpp"
#include "stopped_clock.hpp"

namespace {

using namespace brook;
using model::Number;

// The messages are numbered; one thread publishes, unless a claim does not look at the numbers. Memberships and callbacks live
// as long as the claim: the counts of std::shared_ptr are not seen by Relacy.
template <class Self, int threads, std::uint32_t slots = 2>
struct ChannelClaim : model::Claim<Self, threads> {
  using Payload = Number<slots>;
  using State = channel::State<Payload>;
  using Membership = channel::Membership<Payload>;
  using Callback = channel::CalledByPublishers<Payload, channel::Source<Payload>>;

  model::StoppedClock clock;
  std::shared_ptr<State> state;
  std::array<std::optional<Membership>, 2> members;
  std::array<std::shared_ptr<Callback>, 2> callbacks;

  void open() {
    state = std::make_shared<State>(ChannelOptions{.clock = &clock, .spin = std::chrono::microseconds(0)});
  }
  void after() {
    static_cast<Self*>(this)->check();
    for (auto& callback : callbacks) {
      if (callback != nullptr) callback->end();
      callback.reset();
    }
    for (auto& member : members) member.reset();
    state.reset();
  }
  void check() {}

  void publish() {
    Payload payload(published_.fetch_add(1, sync::relaxed));
    const auto told = state->publish({&payload, 1});
    model::demand(told.has_value(), "a message is not published");
  }

  // Where something that was lost is counted too, the next one's number is known.
  std::optional<Errc> receive(int i, const Wait& wait = forever) {
    return members[i]->receive_one(wait, [&](const auto& hold, std::uint32_t slot, std::uint64_t lost) {
      next_ += static_cast<int>(lost);
      model::demand(hold->slot(slot).payload().value() == next_, "a message is missing, and nobody knows");
      ++next_;
    });
  }
  void receive_one(int i) { model::demand(receive(i) == std::nullopt, "who waits does not get a message"); }

  [[nodiscard]] int next() const { return next_; }

 private:
  sync::atomic<int> published_{0};
  sync::plain<int> next_{0};
};

// — receiving; a lost wake-up is a deadlock, which Relacy reports —

struct WhoWaitsGetsWhatIsPublished : ChannelClaim<WhoWaitsGetsWhatIsPublished, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{});
  }
  void thread(unsigned id) {
    for (int i = 0; i < 3; ++i) {
      if (id == 0) receive_one(0);
      else publish();
    }
  }
};

// Publishers that stand still are passed, and leave void slots.
struct NothingIsSkipped : ChannelClaim<NothingIsSkipped, 3, 8> {
  sync::plain<int> sum{0};

  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{});
    publish();
  }
  void thread(unsigned id) {
    if (id != 0) {
      publish();
      publish();
      return;
    }
    const auto add = [&](const auto& hold, std::uint32_t slot, std::uint64_t) {
      sum += hold->slot(slot).payload().value();
    };
    for (int i = 0; i < 5; ++i)
      model::demand(!members[0]->receive_one(forever, add), "who waits does not get a message");
  }
  void check() { model::demand(sum == 0 + 1 + 2 + 3 + 4, "messages are lost or twice"); }
};

struct WhoWaitsHearsOfItsEnd : ChannelClaim<WhoWaitsHearsOfItsEnd, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{});
  }
  void thread(unsigned id) {
    if (id == 0) model::demand(receive(0) == Errc::closed, "there are no messages");
    else members[0]->leave();
  }
};

struct WhoWaitsHearsThatNothingMoreIsForIt : ChannelClaim<WhoWaitsHearsThatNothingMoreIsForIt, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{});
  }
  void thread(unsigned id) {
    if (id == 0) model::demand(receive(0) == Errc::closed, "there are no messages");
    else members[0]->depart();
  }
};

// What is published before it departs is for it, and what is published after is not.
struct WhoDepartsGetsWhatWasThere : ChannelClaim<WhoDepartsGetsWhatWasThere, 3, 4> {
  sync::atomic<bool> departed{false};

  void before() {
    open();
    for (auto& member : members) member.emplace(state, SubscribeOptions{});
    publish();
  }
  void thread(unsigned id) {
    if (id == 0) {
      while (receive(0) == std::nullopt) {}
      model::demand(next() == 1, "it does not get just what was there");
    } else if (id == 1) {
      members[0]->depart();
      departed.store(true, sync::release);
    } else if (departed.load(sync::acquire)) {
      publish();
    }
  }
};

struct WhoWaitsHearsThatItIsClosed : ChannelClaim<WhoWaitsHearsThatItIsClosed, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{});
  }
  void thread(unsigned id) {
    if (id == 0) {
      receive_one(0);
      model::demand(receive(0) == Errc::closed, "there is but one message");
    } else {
      publish();
      state->close();
    }
  }
};

struct WhatIsLostIsTold : ChannelClaim<WhatIsLostIsTold, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{.backlog = 1});
  }
  void thread(unsigned id) {
    if (id == 0) {
      while (next() < 3) receive_one(0);
    } else {
      for (int i = 0; i < 3; ++i) publish();
    }
  }
};

struct WhoIsTooSlowHearsOfIt : ChannelClaim<WhoIsTooSlowHearsOfIt, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{.backlog = 1, .overflow = Overflow::disconnect});
  }
  void thread(unsigned id) {
    if (id == 1) {
      for (int i = 0; i < 3; ++i) publish();
      return;
    }
    while (next() < 3) {
      if (const auto failed = receive(0)) {
        model::demand(failed == Errc::closed && members[0]->reason() == Errc::full, "it ended for no reason");
        return;
      }
    }
  }
};

// Of what was dropped somebody is told: there is the reason, or nobody was there any more.
struct WhoLeavesInTimeHasLostNothing : ChannelClaim<WhoLeavesInTimeHasLostNothing, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{.backlog = 1, .overflow = Overflow::disconnect});
    publish();
    publish();
  }
  void thread(unsigned id) {
    if (id == 0) model::demand(receive(0) == Errc::closed, "who is too slow receives something");
    else members[0]->leave();
  }
  void check() {
    const bool too_slow = members[0]->reason() == Errc::full;
    model::demand(members[0]->lost() == (too_slow ? 2U : 0U), "messages are lost, and nobody is told");
  }
};

// — publishers that wait —

struct WhoMakesRoomWakesPublishers : ChannelClaim<WhoMakesRoomWakesPublishers, 2> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{.backlog = 1, .overflow = Overflow::block});
  }
  void thread(unsigned id) {
    for (int i = 0; i < 3; ++i) {
      if (id == 0) receive_one(0);
      else publish();
    }
  }
};

struct WhoLeavesMakesRoom : ChannelClaim<WhoLeavesMakesRoom, 3> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{.backlog = 1, .overflow = Overflow::block});
    publish();
  }
  void thread(unsigned id) {
    if (id == 0) members[0]->leave();
    else publish();
  }
};

// — shares —

struct AMessageWakesOneOfAShare : ChannelClaim<AMessageWakesOneOfAShare, 3> {
  sync::atomic<int> received{0};

  void before() {
    open();
    for (auto& member : members) member.emplace(state, SubscribeOptions{.share = "s"});
  }
  void thread(unsigned id) {
    if (id == 2) {
      publish();
      publish();
      return;
    }
    const auto failed = members[id]->receive_one(forever, [&](const auto& hold, std::uint32_t slot, std::uint64_t) {
      received.fetch_add(hold->slot(slot).payload().value() + 1, sync::relaxed);
    });
    model::demand(!failed, "who waits does not get a message");
  }
  void check() { model::demand(received.load(sync::relaxed) == 3, "messages are lost or twice"); }
};

struct WhoLeavesAShareTakesNothingAlong : ChannelClaim<WhoLeavesAShareTakesNothingAlong, 3> {
  void before() {
    open();
    for (auto& member : members) member.emplace(state, SubscribeOptions{.share = "s"});
  }
  void thread(unsigned id) {
    const auto use = [](const auto&, std::uint32_t, std::uint64_t) {};
    if (id == 2) {
      publish();
      members[0]->leave();
      publish();
    } else if (const auto failed = members[id]->receive_one(forever, use)) {
      model::demand(id == 0 && failed == Errc::closed, "who waits does not get a message");
    }
  }
};

// — callbacks —

template <class Self, int threads, std::uint32_t slots = 2>
struct CallbackClaim : ChannelClaim<Self, threads, slots> {
  using Base = ChannelClaim<Self, threads, slots>;
  using typename Base::Callback;
  using typename Base::Payload;

  sync::plain<int> calls{0};
  int ends_itself_after = 1'000;

  void begin() {
    this->open();
    make();
    start();
  }
  void make() {
    this->callbacks[0] = std::make_shared<Callback>(
        [this](const Message<Payload>&) {
          ++calls;
          if (calls == ends_itself_after) this->callbacks[0]->end();
        },
        CallbackOptions{});
  }
  void start() { this->callbacks[0]->start(this->callbacks[0], CallbackOptions{}, this->state); }

  // What the function writes to is taken away.
  void end() {
    this->callbacks[0]->end();
    calls = 1'000;
  }
};

struct EachMessageIsCalledFor : CallbackClaim<EachMessageIsCalledFor, 3> {
  void before() { begin(); }
  void thread(unsigned) { publish(); }
  void check() { model::demand(calls == 3, "messages are not called for, or twice"); }
};

struct OnceItHasEndedItIsNotCalled : CallbackClaim<OnceItHasEndedItIsNotCalled, 3> {
  void before() { begin(); }
  void thread(unsigned id) {
    if (id == 0) end();
    else publish();
  }
};

struct AFunctionMayEndItself : CallbackClaim<AFunctionMayEndItself, 3> {
  void before() {
    ends_itself_after = 1;
    begin();
  }
  void thread(unsigned) { publish(); }
  void check() { model::demand(calls == 1, "it is called after its end"); }
};

// The message goes into a segment that is there: a publisher that makes a new one asks the registry for a sweep, and so meets the
// subscriber there.
struct WhatComesWhileItBeginsIsCalledFor : CallbackClaim<WhatComesWhileItBeginsIsCalledFor, 2, 4> {
  void before() {
    open();
    members[0].emplace(state, SubscribeOptions{});
    publish();
    make();
  }
  void thread(unsigned id) {
    if (id == 0) start();
    else publish();
  }
  void check() { model::demand(callbacks[0]->waiting() == 0, "a message waits for a call that nobody makes"); }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<WhoWaitsGetsWhatIsPublished>(20'000);
  claims.random<NothingIsSkipped>(10'000);
  claims.random<WhoWaitsHearsOfItsEnd>(30'000);
  claims.random<WhoWaitsHearsThatNothingMoreIsForIt>(20'000);
  claims.random<WhoDepartsGetsWhatWasThere>(20'000);
  claims.random<WhoWaitsHearsThatItIsClosed>(20'000);
  claims.random<WhatIsLostIsTold>(20'000);
  claims.random<WhoIsTooSlowHearsOfIt>(20'000);
  claims.random<WhoLeavesInTimeHasLostNothing>(10'000);
  claims.random<WhoMakesRoomWakesPublishers>(10'000);
  claims.random<WhoLeavesMakesRoom>(10'000);
  claims.random<AMessageWakesOneOfAShare>(10'000);
  claims.random<WhoLeavesAShareTakesNothingAlong>(10'000);
  claims.random<EachMessageIsCalledFor>(10'000);
  claims.random<OnceItHasEndedItIsNotCalled>(20'000);
  claims.random<AFunctionMayEndItself>(10'000);
  claims.random<WhatComesWhileItBeginsIsCalledFor>(20'000);
  claims.result();
}
