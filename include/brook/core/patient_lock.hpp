// patient_lock.hpp — locking a mutex that others hold for a moment only.
#pragma once

#include <brook/core/sync.hpp>

namespace brook::core {

/// A lock of a mutex that is seldom held for more than some microseconds. It polls for about as long, and sleeps only then: two
/// threads that meet now and then would else wait tens of microseconds for each other.
[[nodiscard]] inline sync::unique_lock<sync::mutex> lock_patiently(sync::mutex& mutex) {
  for (int pauses = 0; pauses < sync::patient_pauses; ++pauses) {
    if (mutex.try_lock()) return sync::unique_lock<sync::mutex>(mutex, sync::adopt_lock);
    sync::pause();
  }
  return sync::unique_lock<sync::mutex>(mutex);
}

}  // namespace brook::core
