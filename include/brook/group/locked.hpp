// locked.hpp — holding a group's mutex, so that no code of the user's runs under it (core/later.hpp), and what happens
// meanwhile is one record (core/recorder.hpp).
#pragma once

#include <brook/core/later.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>

namespace brook::group {

class Locked {
 public:
  /// Of a group, or whatever has a mutex and perhaps a recorder.
  template <class Group>
  explicit Locked(Group& group) : recorder_(group.recorder()), held_(group.mutex), recording_(recorder_) {}

  void lock() {
    held_.lock();
    recording_.start(recorder_);
  }
  void unlock() {
    recording_.stop();
    held_.unlock();
    later_.run_now();
  }

 private:
  core::Recorder* const recorder_;
  core::Later later_;  // closes after the lock was dropped
  sync::unique_lock<sync::mutex> held_;
  core::Recording recording_;  // ends before that
};

}  // namespace brook::group
