// trial.hpp — doing something that costs a little time where it pays, and hardly ever where it does not.
//
// Memory orders
//   row  thread  operation     order    meets  because
//   TR   anyone  both numbers  relaxed  -      hints; what several threads make of them at once is as good
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <brook/core/sync.hpp>

namespace brook::core {

/// Says when it is to be done: again at once as long as it pays; else once in 1, 3, 7 … 1,023 times.
class Trial {
 public:
  [[nodiscard]] bool due() noexcept {
    const std::uint32_t left = left_.load(sync::relaxed);  // TR
    if (left > 0) left_.store(left - 1, sync::relaxed);    // TR
    return left == 0;
  }
  void end(bool paid) noexcept {
    const std::uint32_t before = pause_.load(sync::relaxed);  // TR
    const std::uint32_t pause = paid ? 0 : std::min(before * 2 + 1, longest);
    if (pause == 0 && before == 0) return;  // others may have something on the same cache line
    pause_.store(pause, sync::relaxed);     // TR
    left_.store(pause, sync::relaxed);      // TR
  }

 private:
  static constexpr std::uint32_t longest = 1023;  // times: what does not pay is done once in a thousand

  sync::atomic<std::uint32_t> left_{0};   // times until it is due
  sync::atomic<std::uint32_t> pause_{0};  // between the last two that were
};

/// Lets others go on meanwhile, for less time than a sleep takes.
inline void stand_by(std::chrono::nanoseconds length) noexcept {
  const auto end = std::chrono::steady_clock::now() + length;
  do sync::pause();
  while (std::chrono::steady_clock::now() < end);
}

}  // namespace brook::core
