// idling.hpp — what polls, and finds nothing.
#pragma once

#include <thread>

#include <brook/core/sync.hpp>

namespace bench {

/// What a reader does between two looks that found nothing.
class Idling {
 public:
  void found() noexcept { misses_ = 0; }
  void missed() noexcept {
    if (++misses_ < 64) brook::sync::pause();
    else std::this_thread::yield();
  }

 private:
  int misses_ = 0;
};

}  // namespace bench
