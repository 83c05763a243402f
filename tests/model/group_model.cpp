// group_model.cpp — group/page.hpp and group/state.hpp under the C++ memory model: are lines and segments there as long as
// somebody uses them, and is each entry delivered once and acknowledged once?
//
// A thread's program is a word, one letter an operation:
//   a add one   r read one more   k acknowledge all that was read   d drop all that was read   i acknowledge all, by ids
//   h read the history   c copy what was read   t trim to nothing   p count what is pending
//   w do the work and acknowledge    v use the work if nothing is pending    n use it if only a later entry is
//   s give a copy of what was read to thread 1   f forward it   g acknowledge it, or find what was forwarded
//   b give it back
//   o my last call is over   x when they all are, end the stream and the group
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "relacy_model.hpp"

#include <brook/stream.hpp>

#include "number.hpp"
#include "stopped_clock.hpp"

namespace {

using namespace brook;
using model::Number;
using model::StoppedClock;

template <class Self, int threads>
struct GroupClaim : model::Claim<Self, threads> {
  using Value = Number<2>;

  StoppedClock clock;
  std::optional<Stream<Value>> stream;
  std::optional<Group<Value>> group;
  std::optional<Stream<Value>> next;
  std::array<std::vector<Deliveries<Value>>, threads> read{};
  std::array<int, threads> delivered{};
  std::array<int, threads> acknowledged{};
  sync::plain<int> work{0};
  sync::atomic<unsigned> calls_over{0};

  void before() {
    stream.emplace(StreamOptions{.clock = &clock});
    next.emplace(StreamOptions{.clock = &clock});
    group.emplace(stream->create_group("group", earliest).value());
    for (const char letter : Self::prologue) run(0, letter);
  }

  void thread(unsigned id) {
    for (const char letter : Self::programs[id]) run(id, letter);
  }

  void after() {
    for (auto& mine : read) check(mine);
    if (stream) count_all();
    for (auto& mine : read) check(mine);
    for (auto& mine : read) mine.clear();
    next.reset();
  }

 private:
  void count_all() {
    int fresh = 0;
    int done = 0;
    for (const int count : delivered) fresh += count;
    for (const int count : acknowledged) done += count;
    model::demand(static_cast<int>(group->pending()->count) == fresh - done,
                  "an entry was delivered or acknowledged twice");
    stream.reset();
    group.reset();
  }

  void run(unsigned id, char letter) {
    auto& mine = read[id];
    switch (letter) {
      case 'a': model::demand(stream->add(Value(7)).has_value(), "an add fails for no reason"); break;
      case 'r': delivered[id] += keep(id, consumer(id).read({.count = 1})); break;
      case 'h': keep(id, consumer(id).history()); break;
      case 'k':
        for (const auto& batch : mine) acknowledged[id] += static_cast<int>(batch.ack());
        break;
      case 'i':
        for (const auto& batch : mine) {
          for (const auto& delivery : batch) acknowledged[id] += static_cast<int>(group->ack(delivery.id()));
        }
        break;
      case 'c':
        if (!mine.empty()) mine.push_back(mine.back());
        break;
      case 'd': mine.clear(); break;
      case 'w':
        work = 1;
        acknowledged[id] += static_cast<int>(mine.back().ack());
        break;
      case 'v':
        if (group->pending()->count == 0) model::demand(work == 1, "an entry is done with before its work");
        break;
      case 'n':
        if (const auto now = group->pending(); now->count == 1 && now->first > Id{1, 0})
          model::demand(work == 1, "an entry is done with before its work");
        break;
      case 's': read[1] = mine; break;
      case 'f':
        if (mine.back()[0].forward(*next, Value(7))) ++acknowledged[id];
        break;
      case 'b': static_cast<void>(mine.back()[0].nack()); break;
      case 'g':
        if (mine.back().ack() == 1) ++acknowledged[id];
        else model::demand(next->size() == 1, "an entry is done with before what it was forwarded as is there");
        break;
      case 'o': calls_over.fetch_add(1, sync::release); break;
      case 'x':
        while (calls_over.load(sync::acquire) < threads - 1) sync::yield();
        stream.reset();
        group.reset();
        break;
      case 't': static_cast<void>(stream->trim({.max_len = 0})); break;
      default: static_cast<void>(group->pending());
    }
    check(mine);
  }

  [[nodiscard]] Consumer<Value> consumer(unsigned id) {
    return group->consumer(std::string(1, static_cast<char>('a' + id)));
  }

  int keep(unsigned id, expected<Deliveries<Value>, Errc> batch) {
    model::demand(batch.has_value(), "a read fails for no reason");
    const auto count = static_cast<int>(batch->size());
    if (count > 0) read[id].push_back(*std::move(batch));
    return count;
  }

  static void check(const std::vector<Deliveries<Value>>& mine) {
    for (const auto& batch : mine) {
      for (const auto& delivery : batch) model::demand(delivery->value() == 7, "a delivery shows another value");
    }
  }
};

using Word = std::string_view;

struct EntriesAreShared : GroupClaim<EntriesAreShared, 2> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"rkrd", "rkdrk"};
};

struct TheLogGrowsUnderReaders : GroupClaim<TheLogGrowsUnderReaders, 2> {
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"aaaa", "rrkrr"};
};

struct PagesComeAndGo : GroupClaim<PagesComeAndGo, 2> {
  static constexpr Word prologue = "aaaaa";
  static constexpr Word programs[] = {"rrrhdkrh", "rdhkdrcd"};
};

struct TrimmedEntriesStayPending : GroupClaim<TrimmedEntriesStayPending, 3> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"rrkd", "rhid", "ta"};
};

struct WhatIsPendingIsCountedAtOneInstant : GroupClaim<WhatIsPendingIsCountedAtOneInstant, 2> {
  static constexpr Word prologue = "aaarrr";
  static constexpr Word programs[] = {"kd", "pp"};
};

struct WorkPrecedesItsAcknowledgement : GroupClaim<WorkPrecedesItsAcknowledgement, 2> {
  static constexpr Word prologue = "ar";
  static constexpr Word programs[] = {"w", "vv"};
};

struct WorkPrecedesWhatIsPendingAfterIt : GroupClaim<WorkPrecedesWhatIsPendingAfterIt, 3> {
  static constexpr Word prologue = "aar";
  static constexpr Word programs[] = {"w", "r", "n"};
};

struct ForwardingIsOneStep : GroupClaim<ForwardingIsOneStep, 2> {
  static constexpr Word prologue = "ars";
  static constexpr Word programs[] = {"f", "g"};
};

struct WhatComesBackIsAcknowledgedOnce : GroupClaim<WhatComesBackIsAcknowledgedOnce, 3> {
  static constexpr Word prologue = "aaarrrs";
  static constexpr Word programs[] = {"bp", "kk", "i"};
};

struct WorkPrecedesItsAcknowledgementByWhomItWasTakenFrom
    : GroupClaim<WorkPrecedesItsAcknowledgementByWhomItWasTakenFrom, 3> {
  static constexpr Word prologue = "ars";
  static constexpr Word programs[] = {"b", "w", "v"};
};

struct DeliveriesOutliveAll : GroupClaim<DeliveriesOutliveAll, 3> {
  static constexpr Word prologue = "aaaaa";
  static constexpr Word programs[] = {"x", "rrokd", "rodk"};
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<EntriesAreShared>(30'000, 10'000);
  claims.random<TheLogGrowsUnderReaders>(30'000, 20'000);
  claims.random<PagesComeAndGo>(30'000, 20'000);
  claims.random<TrimmedEntriesStayPending>(30'000, 20'000);
  claims.random<WhatIsPendingIsCountedAtOneInstant>(30'000, 10'000);
  claims.random<WorkPrecedesItsAcknowledgement>(30'000, 10'000);
  claims.random<WorkPrecedesWhatIsPendingAfterIt>(30'000, 10'000);
  claims.random<ForwardingIsOneStep>(20'000, 10'000);
  claims.random<WhatComesBackIsAcknowledgedOnce>(30'000, 10'000);
  claims.random<WorkPrecedesItsAcknowledgementByWhomItWasTakenFrom>(30'000, 10'000);
  claims.random<DeliveriesOutliveAll>(30'000, 20'000);
  claims.result();
}
