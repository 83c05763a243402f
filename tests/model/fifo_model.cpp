// fifo_model.cpp — blocking_list/fifo.hpp under the C++ memory model: is every element popped once, in order, whole, whoever
// freezes, empties, turns and recycles the queue meanwhile?
//
// A thread's program is a word, one letter an operation:
//   p push one   b push three at once   o pop one   m pop up to two   w pop two or none   g take all with the lock
//   n pop one, e up to two, of a queue that is not empty   s pop two, of a queue that has two
//   f freeze, and open again   t turn the queue round if it is empty   c count with the lock   q seal the queue
//   F push one while pops are frozen: it must be there still when the lock takes all
//   P push one the other way, if the queue leads there: no pop without the lock gets it
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "relacy_model.hpp"

#include <brook/blocking_list/fifo.hpp>

#include "number.hpp"

template <std::uint32_t slots>
struct brook::blocking_list::SegmentSizes<brook::model::Number<slots>> {
  static constexpr std::uint32_t smallest = slots;
  static constexpr std::uint32_t largest = slots;
  [[nodiscard]] static std::uint32_t after(std::uint32_t) noexcept { return slots; }
};

namespace {

using namespace brook;
using model::Number;

constexpr int most_values = 16;       // of one thread
constexpr int the_other_way = 1'000;  // added to values that are pushed the other way

template <class Self, int threads, std::uint32_t slots>
struct FifoClaim : model::Claim<Self, threads> {
  using Payload = Number<slots>;
  using Fifo = blocking_list::Fifo<Payload>;
  using Outcome = typename Fifo::Outcome;

  std::optional<Fifo> fifo;
  sync::mutex mutex;
  bool direction = false;  // with the mutex
  bool pops_held = false;  // the same: nobody pops
  std::array<int, threads> pushed{};
  std::array<int, threads> others_pushed{};
  std::array<std::array<int, threads>, threads> last_popped{};  // by popper and pusher
  std::array<int, threads> popped{};

  void before() {
    fifo.emplace();
    fifo->open_pops();
    fifo->open_pushes();
    for (auto& mine : last_popped) mine.fill(-1);
    for (const char letter : Self::prologue) run(0, letter);
  }

  void thread(unsigned id) {
    for (const char letter : Self::programs[id]) run(id, letter);
  }

  void after() {
    int left = 0;
    fifo->freeze();
    const std::size_t counted = fifo->count();
    fifo->take_all(most_values * threads, most_values * threads, [&](Payload&&) noexcept { ++left; });
    model::demand(static_cast<int>(counted) == left, "the queue counts other elements than it has");
    for (unsigned id = 0; id < threads; ++id) left += popped[id] - pushed[id] - others_pushed[id];
    model::demand(left == 0, "elements are lost or twice");
    fifo.reset();
  }

 private:
  void run(unsigned id, char letter) {
    switch (letter) {
      case 'p': return push(id, 1);
      case 'b': return push(id, 3);
      case 'F': return push_while_frozen(id);
      case 'P': return push_the_other_way(id);
      case 'o': return pop(id);
      case 'm': return pop_some(id, 1, 2);
      case 'w': return pop_some(id, 2, 2);
      case 's': return pop_surely(id, 2, 2);
      case 'e': return pop_surely(id, 1, 2);
      case 'n': return pop_surely(id, 1, 1);
      case 'g': return locked([&] { fifo->take_all(most_values, most_values, taker(id)); });
      case 't':
        return locked([&] {
          if (!fifo->has(1)) turn(id, !direction);
        });
      case 'c': return locked([&] { static_cast<void>(fifo->count()); });
      case 'q': return seal();
      default: return locked([] {});
    }
  }

  template <class Do>
  void locked(Do act) {
    const sync::unique_lock held(mutex);
    fifo->freeze();
    act();
    fifo->open_pops();
    fifo->open_pushes();
  }

  // With the mutex, both ends frozen. Takes void slots out first.
  void turn(unsigned id, bool to) {
    fifo->take_all(most_values, most_values, taker(id));
    fifo->turn(to);
    direction = to;
  }

  void seal() {
    const sync::unique_lock held(mutex);
    fifo->seal();
    fifo->open_pushes();
  }

  void push_while_frozen(unsigned id) {
    {
      const sync::unique_lock held(mutex);
      fifo->freeze_pops();
      pops_held = true;
    }
    push(id, 1);
    const sync::unique_lock held(mutex);
    pops_held = false;
    const std::size_t there = fifo->take_all(most_values, most_values, taker(id));
    model::demand(there > 0, "a pop without the lock while pops are frozen");
    fifo->open_pops();
  }

  void push_the_other_way(unsigned id) {
    Payload value(the_other_way);
    blocking_list::Room<Payload> room;
    while (!fifo->push(value, true)) {
      room.make();
      const sync::unique_lock held(mutex);
      if (!direction) return;
      static_cast<void>(fifo->grow(1, room));
    }
    ++others_pushed[id];
  }

  void push(unsigned id, int count) {
    std::vector<Payload> values;
    values.reserve(3);
    for (int i = 0; i < count; ++i) values.emplace_back(static_cast<int>(id) * most_values + pushed[id] + i);
    blocking_list::Room<Payload> room;
    const auto push_now = [&] {
      return count == 1 ? fifo->push(values.front(), false) : fifo->push({values.data(), values.size()}, false);
    };
    while (!push_now()) {
      room.make();
      const sync::unique_lock held(mutex);
      if (fifo->sealed()) return;
      if (!direction) static_cast<void>(fifo->grow(values.size(), room));
      else if (!turned_back(id)) return;
    }
    pushed[id] += count;
  }

  // With the mutex. A queue that is pushed to at the other end is not for this push, but if it is empty.
  bool turned_back(unsigned id) {
    fifo->freeze();
    if (!fifo->has(1)) turn(id, false);
    fifo->open_pops();
    fifo->open_pushes();
    return !direction;
  }

  void pop(unsigned id) {
    for (bool way = true; way; way = make_way()) {
      static_cast<void>(fifo->ahead());
      const auto popped = fifo->pop(false);
      if (popped) {
        model::demand((*popped).value() < the_other_way, "a pop at the wrong end");
        taker(id)(std::move(*popped));
      }
      if (popped.outcome() != Outcome::closed) return;
    }
    pop_locked(id, 1);
  }

  bool make_way() {
    const sync::unique_lock held(mutex);
    if (pops_held) return false;
    const bool way = !direction && fifo->go_on();
    fifo->open_pops();
    return way;
  }

  void pop_some(unsigned id, std::size_t least, std::size_t most) {
    const int before = popped[id];
    std::size_t promised = 0;
    const auto prepare = [&promised](std::size_t count) { promised = count; };
    const Outcome outcome = fifo->pop_some(least, most, false, prepare, taker(id));
    if (outcome == Outcome::closed || outcome == Outcome::more) return pop_locked(id, most);
    const auto count = static_cast<std::size_t>(popped[id] - before);
    model::demand(count == 0 || (count >= least && count <= most && count == promised), "a pop of too few or too many");
  }

  void pop_locked(unsigned id, std::size_t most) {
    const sync::unique_lock held(mutex);
    if (pops_held) return;
    fifo->freeze_pops();
    fifo->take_all(most, most_values, taker(id));
    fifo->open_pops();
  }

  void pop_surely(unsigned id, std::size_t least, std::size_t most) {
    const int before = popped[id];
    most == 1 ? pop(id) : pop_some(id, least, most);
    model::demand(popped[id] >= before + static_cast<int>(least), "a queue that never had fewer seems to have");
  }

  auto taker(unsigned id) {
    return [this, id](Payload&& payload) noexcept {
      const int value = payload.value();
      ++popped[id];
      if (value == the_other_way) return;
      const auto pusher = static_cast<std::size_t>(value / most_values);
      model::demand(value >= 0 && pusher < threads, "a value that nobody pushed");
      model::demand(value % most_values > last_popped[id][pusher], "a pusher's elements are out of order");
      last_popped[id][pusher] = value % most_values;
    };
  }
};

using Word = std::string_view;

struct PushersAndPoppers : FifoClaim<PushersAndPoppers, 3, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"pp", "po", "oo"};
};

struct StalledPushersArePassed : FifoClaim<StalledPushersArePassed, 3, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"pp", "pp", "ooo"};
};

struct BatchesAppearWhole : FifoClaim<BatchesAppearWhole, 3, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"b", "bo", "mm"};
};

struct SegmentsAreUsedAgain : FifoClaim<SegmentsAreUsedAgain, 3, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"pppp", "oooo", "oo"};
};

struct SegmentsOfSeveralAreUsedAgain : FifoClaim<SegmentsOfSeveralAreUsedAgain, 3, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"pppppp", "mmmm", "mm"};
};

struct PoppersOfASegmentThatLeaves : FifoClaim<PoppersOfASegmentThatLeaves, 3, 2> {
  static constexpr Word prologue = "ppp";
  static constexpr Word programs[] = {"oppo", "opop", "o"};
};

// One thread has segments used up until the tail is one that was the tail before; the other may still see the pointer of then.
struct AnOldTailIsNotTakenForItsNextLife : FifoClaim<AnOldTailIsNotTakenForItsNextLife, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"p", "pgpp"};
};

struct AnOldTailIsNotTakenByABatch : FifoClaim<AnOldTailIsNotTakenByABatch, 2, 3> {
  static constexpr Word prologue = "ppp";
  static constexpr Word programs[] = {"b", "pgppp"};
};

struct AnOldHeadIsNotTakenForItsNextLife : FifoClaim<AnOldHeadIsNotTakenForItsNextLife, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"o", "poooppoop"};
};

struct WhatWasNeverEmptyDoesNotLookSo : FifoClaim<WhatWasNeverEmptyDoesNotLookSo, 2, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"n", "popo"};
};

struct WhatWasNeverEmptyDoesNotLookSoBehindAnEnd : FifoClaim<WhatWasNeverEmptyDoesNotLookSoBehindAnEnd, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"n", "popopopopo"};
};

// The segment that one thread looks at begins its next life, with as few changes of its words as can be.
struct ANextLifeDoesNotLookEmpty : FifoClaim<ANextLifeDoesNotLookEmpty, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"n", "pmpppp"};
};

struct ANextLifeDoesNotLookEmptyForSeveral : FifoClaim<ANextLifeDoesNotLookEmptyForSeveral, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"e", "pmpppp"};
};

struct OfTwoNoneIsMissed : FifoClaim<OfTwoNoneIsMissed, 3, 8> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"s", "po", "p"};
};

struct OfTwoNoneIsMissedInBatches : FifoClaim<OfTwoNoneIsMissedInBatches, 3, 16> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"s", "bo", "bm"};
};

struct OfTwoNoneIsMissedWhereSegmentsEnd : FifoClaim<OfTwoNoneIsMissedWhereSegmentsEnd, 2, 3> {
  static constexpr Word prologue = "ppp";
  static constexpr Word programs[] = {"s", "popopopopo"};
};

struct SlotsThatAreLookedAtStay : FifoClaim<SlotsThatAreLookedAtStay, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"w", "poooppoop"};
};

struct PoppersOfSeveralBesideOthers : FifoClaim<PoppersOfSeveralBesideOthers, 3, 3> {
  static constexpr Word prologue = "ppp";
  static constexpr Word programs[] = {"mpm", "wpo", "pbp"};
};

struct TheLockTakesAll : FifoClaim<TheLockTakesAll, 3, 4> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"pp", "oo", "gg"};
};

struct FrozenInBetween : FifoClaim<FrozenInBetween, 3, 4> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"pb", "om", "fcf"};
};

struct TurnedRoundInBetween : FifoClaim<TurnedRoundInBetween, 3, 8> {
  static constexpr Word prologue = "";
  static constexpr Word programs[] = {"pp", "oo", "tt"};
};

struct TurnedRoundBesideBatches : FifoClaim<TurnedRoundBesideBatches, 3, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"pb", "om", "tct"};
};

// One thread has segments used up, each way, until the head is one that was the head before, or would be if it led both ways.
struct AnOldHeadDoesNotLeadTheOtherWay : FifoClaim<AnOldHeadDoesNotLeadTheOtherWay, 2, 2> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"o", "gtPPoP"};
};

// Poppers of one claim what the others have seen; the slots behind are claimed by a batch, or frozen.
struct PoppersClaimBeforeABatch : FifoClaim<PoppersClaimBeforeABatch, 4, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"b", "o", "o", "oo"};
};

struct PoppersClaimBeforeTheLock : FifoClaim<PoppersClaimBeforeTheLock, 3, 8> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"o", "o", "Fbg"};
};

struct PoppersClaimWhereSegmentsEnd : FifoClaim<PoppersClaimWhereSegmentsEnd, 3, 2> {
  static constexpr Word prologue = "p";
  static constexpr Word programs[] = {"oppo", "oo", "poop"};
};

struct NothingIsPushedToASealedQueue : FifoClaim<NothingIsPushedToASealedQueue, 3, 4> {
  static constexpr Word prologue = "pp";
  static constexpr Word programs[] = {"pbp", "oqo", "omo"};
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<PushersAndPoppers>(50'000);
  claims.random<StalledPushersArePassed>(50'000);
  claims.random<BatchesAppearWhole>(50'000);
  claims.random<SegmentsAreUsedAgain>(50'000);
  claims.random<SegmentsOfSeveralAreUsedAgain>(50'000);
  claims.random<PoppersOfASegmentThatLeaves>(50'000);
  claims.random<AnOldTailIsNotTakenForItsNextLife>(400'000);
  claims.random<AnOldTailIsNotTakenByABatch>(400'000);
  claims.random<AnOldHeadIsNotTakenForItsNextLife>(400'000);
  claims.random<WhatWasNeverEmptyDoesNotLookSo>(100'000);
  claims.random<WhatWasNeverEmptyDoesNotLookSoBehindAnEnd>(100'000);
  claims.random<ANextLifeDoesNotLookEmpty>(400'000);
  claims.random<ANextLifeDoesNotLookEmptyForSeveral>(400'000);
  claims.random<OfTwoNoneIsMissed>(50'000);
  claims.random<OfTwoNoneIsMissedInBatches>(50'000);
  claims.random<OfTwoNoneIsMissedWhereSegmentsEnd>(200'000);
  claims.random<SlotsThatAreLookedAtStay>(400'000);
  claims.random<PoppersOfSeveralBesideOthers>(50'000);
  claims.random<TheLockTakesAll>(50'000);
  claims.random<FrozenInBetween>(50'000);
  claims.random<TurnedRoundInBetween>(50'000);
  claims.random<TurnedRoundBesideBatches>(50'000);
  claims.random<AnOldHeadDoesNotLeadTheOtherWay>(400'000);
  claims.random<PoppersClaimBeforeABatch>(50'000);
  claims.random<PoppersClaimBeforeTheLock>(50'000);
  claims.random<PoppersClaimWhereSegmentsEnd>(50'000);
  claims.random<NothingIsPushedToASealedQueue>(50'000);
  claims.result();
}
