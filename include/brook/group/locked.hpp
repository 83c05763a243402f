// locked.hpp — holding a group's mutex, so that no code of the user's runs under it (core/later.hpp).
#pragma once

#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>

namespace brook::group {

class Locked {
 public:
  explicit Locked(sync::mutex& mutex) : held_(mutex) {}

  void lock() { held_.lock(); }
  void unlock() {
    held_.unlock();
    later_.run_now();
  }

 private:
  core::Later later_;  // closes after the lock was dropped
  sync::unique_lock<sync::mutex> held_;
};

}  // namespace brook::group
