// slip.hpp — how a thread that polls falls behind the one that it waits for, where that pays.
//
// Who takes each element the moment it comes reads cache lines that are still being written: both threads then go at the
// pace at which lines travel between processors, which is several times slower than they could. Who lets some elements
// gather first stays behind, and each has its lines to itself (Giacomoni, Moseley, Vachharajani: FastForward for efficient
// pipeline parallelism, PPoPP 2008, "temporal slipping"). Where elements come one at a time that is nothing but delay: so it is
// a trial.
#pragma once

#include <chrono>
#include <cstdint>

#include <brook/clock.hpp>
#include <brook/core/trial.hpp>

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
    return trial_.due();
  }
  void wait() const noexcept { core::stand_by(length); }
  /// How many elements have gathered.
  void end(std::uint64_t gathered) noexcept { trial_.end(gathered >= enough); }

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
  core::Trial trial_;
};

}  // namespace brook::wait
