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
#include <cstddef>
#include <cstdint>

#include <brook/core/sync.hpp>

namespace brook::wait {

class Slip {
 public:
  /// Lets elements gather, if it is time to try. `budget` is how long the caller would poll; what is left of it is returned.
  [[nodiscard]] std::chrono::microseconds begin(std::chrono::microseconds budget) noexcept {
    const std::uint32_t left = left_.load(sync::relaxed);  // SL
    if (left > 0) left_.store(left - 1, sync::relaxed);    // SL
    if (left > 0 || budget < 2 * length) return budget;
    const auto end = std::chrono::steady_clock::now() + length;
    do sync::pause();
    while (std::chrono::steady_clock::now() < end);
    return budget - length;
  }
  /// Of a wait that was given less than its budget: how many elements there were in the end.
  void end(std::size_t gathered) noexcept {
    const std::uint32_t pause = gathered >= enough ? 0 : std::min(pause_.load(sync::relaxed) * 2 + 1, longest);  // SL
    pause_.store(pause, sync::relaxed);                                                                          // SL
    left_.store(pause, sync::relaxed);                                                                           // SL
  }

 private:
  static constexpr std::chrono::microseconds length{2};
  static constexpr std::size_t enough = 16;       // elements: they come faster than lines travel
  static constexpr std::uint32_t longest = 1023;  // waits: a message in a thousand is late

  sync::atomic<std::uint32_t> left_{0};   // waits until the next try
  sync::atomic<std::uint32_t> pause_{0};  // between the last two
};

}  // namespace brook::wait
