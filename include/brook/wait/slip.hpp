// slip.hpp — how a thread that polls falls behind the one that it waits for, where that pays.
//
// Who takes each element the moment it comes reads cache lines that are still being written: both threads then go at the
// pace at which lines travel between processors, which is several times slower than they could. Who lets some elements
// gather first stays behind, and each has its lines to itself (Giacomoni, Moseley, Vachharajani: FastForward for efficient
// pipeline parallelism, PPoPP 2008, "temporal slipping"). Where elements come one at a time that is nothing but delay. So it is
// tried: again at once as long as it pays, and less and less often where it does not.
//
// Memory orders
//   row  thread  operation     order    meets  because
//   SL   waiter  both numbers  relaxed  -      hints; what several threads make of them at once is as good
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>

namespace brook::wait {

class Slip {
 public:
  static constexpr std::chrono::microseconds length{2};
  /// So many that gather while one lasts come faster than cache lines travel.
  static constexpr std::uint64_t enough = 16;

  /// Whether a call that has found too few elements is to let them gather: one that polls for so long when there are none, and
  /// whose deadline lets it wait. Then wait() and end() are due, and the poll is the shorter.
  [[nodiscard]] bool due(std::chrono::microseconds spin, Clock::time_point deadline) noexcept {
    if (deadline == Clock::time_point::min() || spin < 2 * length) return false;
    const std::uint32_t left = left_.load(sync::relaxed);  // SL
    if (left > 0) left_.store(left - 1, sync::relaxed);    // SL
    return left == 0;
  }
  void wait() const noexcept {
    const auto end = std::chrono::steady_clock::now() + length;
    do sync::pause();
    while (std::chrono::steady_clock::now() < end);
  }
  /// How many elements have gathered.
  void end(std::uint64_t gathered) noexcept {
    const std::uint32_t before = pause_.load(sync::relaxed);  // SL
    const std::uint32_t pause = gathered >= enough ? 0 : std::min(before * 2 + 1, longest);
    if (pause == 0 && before == 0) return;  // who adds elements may have something on the same cache line
    pause_.store(pause, sync::relaxed);     // SL
    left_.store(pause, sync::relaxed);      // SL
  }

  /// All that: for how long the call is to poll then. `count()` tells how many elements there are, or ever were.
  template <class Count>
  [[nodiscard]] std::chrono::microseconds gather(std::chrono::microseconds spin, Clock::time_point deadline,
                                                 const Count& count) noexcept {
    if (!due(spin, deadline)) return spin;
    const std::uint64_t before = count();
    wait();
    end(count() - before);
    return spin - length;
  }

 private:
  static constexpr std::uint32_t longest = 1023;  // waits: a message in a thousand is late

  sync::atomic<std::uint32_t> left_{0};   // waits until the next try
  sync::atomic<std::uint32_t> pause_{0};  // between the last two
};

}  // namespace brook::wait
