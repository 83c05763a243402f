// room_model.cpp — stream/room.hpp under the C++ memory model: does who waits for room get it, and nobody too much?
#include "relacy_model.hpp"

#include <brook/stream/room.hpp>
#include <brook/wait/await.hpp>

#include "stopped_clock.hpp"

namespace {

using namespace brook;

// A stream of room for one, whose removals are counted as the log's edits count them.
struct Bounded {
  stream::Room room{1};
  sync::atomic<std::uint64_t> removed{0};
  sync::atomic<int> entries{0};

  [[nodiscard]] bool add() {
    if (!room.take(1, [this] { return removed.load(sync::acquire); })) return false;
    model::demand(entries.fetch_add(1, sync::relaxed) == 0, "there are more entries than there may be");
    return true;
  }
  void remove() {
    entries.fetch_sub(1, sync::relaxed);
    removed.fetch_add(1, sync::release);
    room.announce();
  }
  void add_when_there_is_room() {
    model::StoppedClock clock;
    for (;;) {
      const std::uint64_t news = room.news();
      if (add()) return;
      const std::chrono::microseconds no_spin(0);
      static_cast<void>(wait::await(room.gate(), clock, Clock::time_point::max(), forever, no_spin,
                                    [&] { return room.news() != news; }));
    }
  }
};

// A lost wake-up is a deadlock, which Relacy reports.
struct WhoWaitsGetsRoom : model::Claim<WhoWaitsGetsRoom, 2> {
  Bounded stream;

  void before() { model::demand(stream.add(), "an empty stream has room"); }
  void thread(unsigned id) {
    if (id == 0) stream.remove();
    else stream.add_when_there_is_room();
  }
};

struct WhatIsGivenBackIsRoom : model::Claim<WhatIsGivenBackIsRoom, 2> {
  Bounded stream;

  void before() {
    model::demand(stream.room.take(1, [] { return std::uint64_t{0}; }), "an empty stream has room");
  }
  void thread(unsigned id) {
    if (id == 0) stream.room.give_back(1);
    else stream.add_when_there_is_room();
  }
};

struct NeverTooLong : model::Claim<NeverTooLong, 3> {
  Bounded stream;

  void thread(unsigned) {
    for (int i = 0; i < 2; ++i) {
      if (stream.add()) stream.remove();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<WhoWaitsGetsRoom>(60'000);
  claims.random<WhatIsGivenBackIsRoom>(30'000);
  claims.random<NeverTooLong>(60'000);
  claims.result();
}
