// progress.hpp — a bar on the terminal while something runs; nothing where standard error is no terminal.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace shop {

[[nodiscard]] inline bool stderr_is_a_terminal() {
#if __has_include(<unistd.h>)
  return isatty(STDERR_FILENO) == 1;
#else
  return false;
#endif
}

/// Shows what `done`, a number between 0 and 1, comes to, from now until it is destroyed.
class Progress {
 public:
  explicit Progress(std::function<double()> done) : done_(std::move(done)) {
    if (stderr_is_a_terminal()) painter_ = std::jthread([this](std::stop_token stop) { paint_until(stop); });
  }

 private:
  void paint_until(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock held(mutex);
    while (!stop.stop_requested()) {
      paint();
      stopped.wait_for(held, stop, std::chrono::milliseconds(50), [] { return false; });
    }
    paint();
    std::cerr << '\n';
  }

  void paint() const {
    constexpr std::size_t columns = 40;
    const double part = std::clamp(done_(), 0.0, 1.0);
    const auto full = static_cast<std::size_t>(part * columns);
    const auto percent = static_cast<int>(part * 100);
    std::cerr << "\r[" + std::string(full, '#') + std::string(columns - full, '.') + "] " + std::to_string(percent) +
                     " %"
              << std::flush;
  }

  std::function<double()> done_;
  std::jthread painter_;  // last, so that it ends before what it uses
};

}  // namespace shop
