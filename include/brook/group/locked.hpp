// locked.hpp — holding a group's mutex, so that no code of the user's runs under it (log/end_later.hpp).
#pragma once

#include <brook/core/sync.hpp>
#include <brook/log/end_later.hpp>

namespace brook::group {

class Locked {
 public:
  explicit Locked(sync::mutex& mutex) : held_(mutex) {}

  void lock() { held_.lock(); }
  void unlock() {
    held_.unlock();
    later_.end_now();
  }

 private:
  log::EndLater later_;  // closes after the lock was dropped
  sync::unique_lock<sync::mutex> held_;
};

}  // namespace brook::group
