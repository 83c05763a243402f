// joint_model.cpp — log/joint.hpp under the C++ memory model: do entries that are appended jointly to two logs appear at one
// instant, for whoever looks in whichever order, also when a thread in between is passed?
//
// A thread's program is a word, one letter an operation; the logs are the left and the right one:
//   j append jointly   a append left   b append right   s seal the right one   d drop the left one's head
//   r read left, right   q read right, left   k read left, and the right one's segment, which was held before
//   w sleep until all is there on the left
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "relacy_model.hpp"

#include <brook/log/append_log.hpp>
#include <brook/log/seek.hpp>
#include <brook/log/together.hpp>
#include <brook/wait/await.hpp>

#include "number.hpp"
#include "stopped_clock.hpp"

namespace {

using namespace brook;
using model::Number;
using model::StoppedClock;

constexpr int alone = 7;
constexpr int joint = 8;

template <class Payload>
class JointAppend final : public log::Change {
 public:
  using Log = log::AppendLog<Payload>;

  JointAppend(Log& log, wait::Gate& gate) : log_(log), gate_(gate) {}

  [[nodiscard]] const void* object() const noexcept override { return &log_; }
  [[nodiscard]] std::optional<Errc> prepare(const std::shared_ptr<log::Decision>& decision) override {
    part_.emplace(decision);
    const auto appended = log_.prepare({&value_, 1}, log::Request::at_time(1), *part_);
    return appended ? std::nullopt : std::optional(appended.error());
  }
  void finish() noexcept override {
    part_->finish();
    gate_.announce();
  }
  void withdraw() noexcept override {
    part_->withdraw({&value_, 1});
    model::demand(value_.value() == joint, "a value that was given back is another one");
  }

 private:
  Log& log_;
  wait::Gate& gate_;
  Payload value_{joint};
  std::optional<log::Part<Payload>> part_;
};

template <class Self, int threads, std::uint32_t slots>
struct JointClaim : model::Claim<Self, threads> {
  using Payload = Number<slots>;
  using Log = log::AppendLog<Payload>;
  using Hold = typename Log::Hold;
  using End = typename Log::End;

  static constexpr std::uint64_t awaited = 1'000;

  struct Seen {
    int alone = 0;
    int joint = 0;
  };

  std::array<std::optional<Log>, 2> logs;
  std::array<wait::Gate, 2> gates;
  std::array<Seen, threads> appended{};
  Seen dropped;

  void before() {
    for (auto& log : logs) log.emplace();
    for (const char letter : Self::prologue) run(0, letter);
  }

  void thread(unsigned id) {
    for (const char letter : Self::programs[id]) run(id, letter);
  }

  void after() {
    Seen expected;
    for (const Seen& one : appended) {
      expected.alone += one.alone;
      expected.joint += one.joint;
    }
    const Seen left = read(0);
    const Seen right = read(1);
    model::demand(left.joint + dropped.joint == expected.joint && right.joint == expected.joint,
                  "joint entries differ");
    model::demand(left.alone + dropped.alone + right.alone == expected.alone, "entries are lost or twice");
    for (auto& log : logs) log.reset();
  }

 private:
  void run(unsigned id, char letter) {
    switch (letter) {
      case 'j': return append_jointly(id);
      case 'a': return append(id, 0);
      case 'b': return append(id, 1);
      case 's': return seal();
      case 'd': return drop();
      case 'w': return sleep();
      case 'q': return look(1, 0);
      case 'k': return look_from_held();
      default: return look(0, 1);
    }
  }

  void append(unsigned id, int log) {
    Payload payload(alone);
    const auto result = logs[log]->append({&payload, 1}, log::Request::at_time(1));
    if (!result) return model::demand(result.error() == Errc::closed, "an append fails for no reason");
    ++appended[id].alone;
    gates[log].announce();
  }

  void append_jointly(unsigned id) {
    JointAppend<Payload> left(*logs[0], gates[0]);
    JointAppend<Payload> right(*logs[1], gates[1]);
    std::array<log::Change*, 2> changes{&left, &right};
    const auto failed = log::make_together(changes);
    if (failed) model::demand(*failed == Errc::closed, "a joint append fails for no reason");
    else ++appended[id].joint;
  }

  void seal() {
    logs[1]->seal();
    gates[1].announce();
  }

  // Only one thread of a claim drops.
  void drop() {
    if (logs[0]->head_is_tail()) return;
    const Seen gone = read_slots(logs[0]->head(), logs[0]->head().capacity());
    dropped.alone += gone.alone;
    dropped.joint += gone.joint;
    logs[0]->drop_head();
  }

  // What is there first is there in the other log as well, later.
  void look(int first, int then) {
    const int before = read(first).joint;
    model::demand(read(then).joint >= before, "of two joint entries one is there");
  }

  // Without another pin on the right, so that nothing but the slots tells of each other.
  void look_from_held() {
    const End held = logs[1]->end();
    const int before = read(0).joint;
    std::uint32_t settled = 0;
    while (settled < held.segment->capacity() && held.segment->settled(settled)) ++settled;
    model::demand(read_slots(*held.segment, settled).joint >= before, "of two joint entries one is there");
  }

  void sleep() {
    StoppedClock clock;
    for (End end = logs[0]->end(); end.added() < Self::awaited; end = logs[0]->end()) {
      const auto moved = [&] { return end.moved(); };
      const auto outcome =
          wait::await(gates[0], clock, Clock::time_point::max(), forever, std::chrono::microseconds(0), moved);
      model::demand(outcome == wait::Outcome::ready, "a wait without limit ends with what it waits for");
    }
  }

  // What is between the head and the end; nothing when a segment was dropped meanwhile.
  Seen read(int log) {
    const End end = logs[log]->end();
    Seen seen;
    for (Hold segment = log::segment_of(end.segment, logs[log]->head().number(), Id::min()); segment;) {
      const bool last = segment.get() == end.segment.get();
      const Seen here = read_slots(*segment, last ? end.slot : segment->capacity());
      seen.alone += here.alone;
      seen.joint += here.joint;
      if (last) return seen;
      segment = Hold::of(segment->next.load(sync::acquire), segment->life().number + 1);
    }
    return {};
  }

  Seen read_slots(typename Log::Segment& segment, std::uint32_t end) {
    Seen seen;
    Id last{};
    for (std::uint32_t at = 0; at < end; ++at) {
      const log::SlotState state = segment.slot(at).state();
      model::demand(!state.empty(), "a slot before the end is not settled");
      if (!segment.holds_entry(at, state)) {
        model::demand(segment.voids.load(sync::relaxed) > 0, "a void slot was not counted");
        continue;
      }
      if (segment.slot(at).payload().value() == joint) ++seen.joint;
      else ++seen.alone;
      model::demand(segment.id(state) > last, "ids do not increase");
      last = segment.id(state);
      if (seen.joint > 0) segment.slot(at).mark_erased();
    }
    return seen;
  }
};

using Word = std::string_view;

struct JointEntriesAppearTogether : JointClaim<JointEntriesAppearTogether, 3, 8> {
  static constexpr Word prologue = "ab";
  static constexpr Word programs[] = {"jj", "kr", "q"};
};

struct StalledJointAppendsAreCalledOff : JointClaim<StalledJointAppendsAreCalledOff, 3, 8> {
  static constexpr Word prologue = "ab";
  static constexpr Word programs[] = {"j", "ab", "rq"};
};

struct JointAppendsPassEachOther : JointClaim<JointAppendsPassEachOther, 3, 8> {
  static constexpr Word prologue = "ab";
  static constexpr Word programs[] = {"j", "j", "rq"};
};

struct JointEntriesInNewSegments : JointClaim<JointEntriesInNewSegments, 3, 2> {
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"jj", "ab", "rq"};
};

struct SegmentsEndUnderJointAppends : JointClaim<SegmentsEndUnderJointAppends, 3, 2> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"jj", "aadd", "aa"};
};

struct SleepersSeeJointEntries : JointClaim<SleepersSeeJointEntries, 2, 8> {
  static constexpr std::uint64_t awaited = 2;
  static constexpr Word prologue = "ab";
  static constexpr Word programs[] = {"j", "w"};
};

// What a sleeper watches may be a slot that is called off, and the entry that it waits for lies behind.
struct SleepersSeeWhatLiesBehind : JointClaim<SleepersSeeWhatLiesBehind, 3, 8> {
  static constexpr std::uint64_t awaited = 3;
  static constexpr Word prologue = "ab";
  static constexpr Word programs[] = {"j", "a", "w"};
};

struct ASealedLogGetsNone : JointClaim<ASealedLogGetsNone, 3, 8> {
  static constexpr Word prologue = "ab";
  static constexpr Word programs[] = {"jj", "s", "rq"};
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<JointEntriesAppearTogether>(50'000);
  claims.random<StalledJointAppendsAreCalledOff>(50'000);
  claims.random<JointAppendsPassEachOther>(50'000);
  claims.random<JointEntriesInNewSegments>(50'000);
  claims.random<SegmentsEndUnderJointAppends>(50'000);
  claims.random<SleepersSeeJointEntries>(50'000);
  claims.random<SleepersSeeWhatLiesBehind>(50'000);
  claims.random<ASealedLogGetsNone>(50'000);
  claims.result();
}
