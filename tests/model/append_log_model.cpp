// append_log_model.cpp — log/append_log.hpp and the files below it under the C++ memory model: does every thread see
// entries, segments and ids whole, and is nothing taken back that somebody uses?
//
// A thread's program is a word, one letter an operation:
//   a append one    b append three at once    s seal         d drop the head
//   r read all      w sleep until all is there, and read      h hold the end, and look at it again when all is over
//   c is it sealed  u look at what is held, and drop it       o my last call is over       x when they all are, end the log
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "relacy_model.hpp"

#include <brook/log/append_log.hpp>
#include <brook/log/seek.hpp>
#include <brook/wait/await.hpp>

#include "number.hpp"
#include "stopped_clock.hpp"

namespace {

using namespace brook;
using model::Number;
using model::StoppedClock;

template <class Self, int threads, std::uint32_t slots>
struct LogClaim : model::Claim<Self, threads> {
  using Payload = Number<slots>;
  using Log = log::AppendLog<Payload>;
  using Hold = typename Log::Hold;
  using End = typename Log::End;

  static constexpr std::uint64_t time = 1;
  static constexpr std::uint64_t awaited = 1'000;  // entries; more than there will be, so only a seal ends a sleep

  std::optional<Log> log;
  wait::Gate gate;
  std::array<std::optional<End>, threads> held;
  std::array<int, threads> appended{};
  int dropped = 0;
  sync::atomic<unsigned> calls_over{0};

  void before() {
    log.emplace();
    for (const char letter : Self::prologue) run(0, letter);
  }

  void thread(unsigned id) {
    for (const char letter : Self::programs[id]) run(id, letter);
  }

  void after() {
    if (log) {
      int expected = 0;
      for (const int count : appended) expected += count;
      const End end = log->end();
      model::demand(static_cast<int>(end.added()) == expected, "the log counts other entries than were appended");
      model::demand(walk(end) + dropped == expected, "the log holds other entries than were appended");
    }
    log.reset();
    for (unsigned id = 0; id < threads; ++id) unhold(id);
  }

 private:
  void run(unsigned id, char letter) {
    switch (letter) {
      case 'a': return append(id, 1);
      case 'b': return append(id, 3);
      case 's': return seal();
      case 'd': return drop();
      case 'w': return sleep();
      case 'c': return static_cast<void>(log->sealed());
      case 'h': held[id] = log->end(); break;
      case 'u': return unhold(id);
      case 'o': calls_over.fetch_add(1, sync::release); break;
      case 'x': return end_log();
      default: walk(log->end());
    }
  }

  void append(unsigned id, int count) {
    std::vector<Payload> payloads;
    payloads.reserve(3);
    for (int i = 0; i < count; ++i) payloads.emplace_back(7);
    const auto result = log->append({payloads.data(), payloads.size()}, log::Request::at_time(Self::time));
    if (!result) return model::demand(result.error() == Errc::closed, "an append fails for no reason");
    appended[id] += count;
    gate.announce();
    const End end = log->end();
    model::demand(end.last_id() >= result->first, "an append is not visible to its thread");
  }

  void seal() {
    log->seal();
    gate.announce();
    model::demand(log->sealed() && log->end().sealed, "a sealed log is not sealed");
  }

  // Only one thread of a claim drops.
  void drop() {
    if (log->head_is_tail()) return;
    dropped += read(log->head(), log->head().capacity());
    log->drop_head();
  }

  void unhold(unsigned id) {
    if (held[id]) read(*held[id]->segment, held[id]->slot);
    held[id].reset();
  }

  void end_log() {
    while (calls_over.load(sync::acquire) < threads - 1) sync::yield();
    log.reset();
  }

  // Sleeps at each end that it meets until everything was appended or the log is sealed.
  void sleep() {
    StoppedClock clock;
    for (End end = log->end(); end.added() < Self::awaited && !end.sealed; end = log->end()) {
      const auto moved = [&] { return end.moved(); };
      const auto outcome =
          wait::await(gate, clock, Clock::time_point::max(), forever, std::chrono::microseconds(0), moved);
      model::demand(outcome == wait::Outcome::ready, "a wait without limit ends with what it waits for");
    }
    walk(log->end());
  }

  // The entries from the head to `end`; none when a segment was dropped meanwhile.
  int walk(const End& end) {
    int entries = 0;
    for (Hold segment = log::segment_of(end.segment, log->head().number(), Id::min()); segment;) {
      const bool last = segment.get() == end.segment.get();
      entries += read(*segment, last ? end.slot : segment->capacity());
      if (last) return entries;
      segment = Hold::of(segment->next.load(sync::acquire), segment->life().number + 1);
    }
    return 0;
  }

  // The entries in the first `end` slots.
  int read(typename Log::Segment& segment, std::uint32_t end) {
    int entries = 0;
    Id last{};
    for (std::uint32_t at = 0; at < end; ++at) {
      const log::SlotState state = segment.slot(at).state();
      model::demand(!state.empty(), "a slot before the end is empty");
      if (!segment.holds_entry(at, state)) continue;
      model::demand(segment.slot(at).payload().value() == 7, "an entry has another value than was appended");
      model::demand(segment.id(state) > last, "ids do not increase");
      last = segment.id(state);
      ++entries;
    }
    return entries;
  }
};

using Word = std::string_view;

struct AppendersAndAReader : LogClaim<AppendersAndAReader, 3, 2> {
  static constexpr Word prologue = "";
  static constexpr Word programs[] = {"aa", "aa", "rr"};
};

// Longer segments, where appenders pass each other; the last slot's owner meets whoever links the next segment.
struct StalledAppendersArePassed : LogClaim<StalledAppendersArePassed, 3, 4> {
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"aa", "aa", "ar"};
};

struct BatchesAppearWhole : LogClaim<BatchesAppearWhole, 3, 8> {
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"b", "ab", "rr"};
};

struct SegmentsAreRecycled : LogClaim<SegmentsAreRecycled, 3, 2> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"aaaa", "dddr", "ar"};
};

// One thread fills and drops segments until the tail is one that has been the tail before; the other may still see the
// pointer of then.
struct AnOldTailIsNotTakenForItsNextLife : LogClaim<AnOldTailIsNotTakenForItsNextLife, 2, 2> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"aadddaaa", "rrr"};
};

struct ReadersKeepWhatTheyHold : LogClaim<ReadersKeepWhatTheyHold, 4, 2> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"aaa", "ddd", "rr", "h"};
};

struct SleepersSeeTheEndMove : LogClaim<SleepersSeeTheEndMove, 2, 2> {
  static constexpr std::uint64_t awaited = 4;
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"aaa", "w"};
};

// What a sleeper watches may be a slot that is passed, and the entry that it waits for lies behind.
struct SleepersSeeWhatLiesBehindAPassedSlot : LogClaim<SleepersSeeWhatLiesBehindAPassedSlot, 3, 4> {
  static constexpr std::uint64_t awaited = 3;
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"a", "a", "w"};
};

struct SealEndsTheLog : LogClaim<SealEndsTheLog, 3, 2> {
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"aa", "s", "cw"};
};

struct HoldsOutliveTheLog : LogClaim<HoldsOutliveTheLog, 3, 2> {
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"x", "hou", "ahou"};
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<AppendersAndAReader>(100'000);
  claims.random<StalledAppendersArePassed>(100'000);
  claims.random<BatchesAppearWhole>(100'000);
  claims.random<SegmentsAreRecycled>(100'000);
  claims.random<AnOldTailIsNotTakenForItsNextLife>(400'000);
  claims.random<ReadersKeepWhatTheyHold>(100'000);
  claims.random<SleepersSeeTheEndMove>(100'000);
  claims.random<SleepersSeeWhatLiesBehindAPassedSlot>(100'000);
  claims.random<SealEndsTheLog>(100'000);
  claims.random<HoldsOutliveTheLog>(100'000);
  claims.result();
}
