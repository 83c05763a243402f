// recorder.hpp — where changes are noted as they happen: what a journal (<brook/journal.hpp>) is to those who change objects.
//
// The notes of one thread, from begin() to the end() that belongs to it, become one record: after a crash all of them have
// happened or none. Records stand in the order in which their changes can be seen:
//   with a lock     who changes what only its lock shows ends the record before it lets go of the lock; a record within which that
//                   one was begun ends there, too, and what is noted afterwards is another one
//   without one     who changes what others see at once does so between lock() and unlock(), and notes it there; unlock() ends
//                   a record, with all that the thread has noted so far
// So whatever follows from a change is recorded behind it.
//
// A step that ends here and begins elsewhere may be refused there, after its first half was noted. Until that is decided it is
// a proposal: other records of the thread that end meanwhile are without it.
//
// Locking   lock() comes last: who has it takes no lock of an object's, and waits for none.
#pragma once

#include <utility>

#include <brook/core/config.hpp>

namespace brook::core {

/// Thread-safe, and none of it throws: what cannot be recorded ends the recording.
class Recorder {
 public:
  virtual void begin() noexcept = 0;
  virtual void end() noexcept = 0;
  /// May be called by who has it.
  virtual void lock() noexcept = 0;
  virtual void unlock() noexcept = 0;
  /// What the thread notes outside of lock() is a proposal from now on; until it is adopted, or to the drop() that belongs to it.
  virtual void propose() noexcept = 0;
  /// What was proposed, if anything was, has happened with what is noted next.
  virtual void adopt() noexcept = 0;
  /// What was proposed, and not adopted, has not happened.
  virtual void drop() noexcept = 0;
  /// Waits until all that has been recorded is as safe as was promised. With no lock held.
  virtual void settle() noexcept = 0;

 protected:
  ~Recorder() = default;
};

/// What is noted while it lives is one record. Null records nothing.
class Recording {
 public:
  Recording() = default;
  explicit Recording(Recorder* to) noexcept { start(to); }
  ~Recording() { stop(); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// Of one that has not begun, or was stopped.
  void start(Recorder* to) noexcept {
    to_ = to;
    if (to_ != nullptr) [[unlikely]]
      to_->begin();
  }
  void stop() noexcept {
    if (to_ != nullptr) [[unlikely]]
      std::exchange(to_, nullptr)->end();
  }

 private:
  Recorder* to_ = nullptr;
};

/// What is noted while it lives is a proposal, until it is adopted. Null records nothing.
class Proposal {
 public:
  Proposal() = default;
  explicit Proposal(Recorder* to) noexcept { start(to); }
  ~Proposal() { stop(); }
  Proposal(const Proposal&) = delete;
  Proposal& operator=(const Proposal&) = delete;

  /// Of one that has not begun, or was stopped.
  void start(Recorder* to) noexcept {
    to_ = to;
    if (to_ != nullptr) [[unlikely]]
      to_->propose();
  }
  void adopt() noexcept {
    if (to_ != nullptr) [[unlikely]]
      to_->adopt();
  }
  void stop() noexcept {
    if (to_ != nullptr) [[unlikely]]
      std::exchange(to_, nullptr)->drop();
  }

 private:
  Recorder* to_ = nullptr;
};

/// A change without a lock, and what is noted of it, at one place among the others. Null records nothing.
class RecordingInOrder {
 public:
  explicit RecordingInOrder(Recorder* to) noexcept : to_(to) {
    if (to_ != nullptr) to_->lock();
  }
  explicit RecordingInOrder(Recorder& to) noexcept : RecordingInOrder(&to) {}
  ~RecordingInOrder() {
    if (to_ != nullptr) to_->unlock();
  }
  RecordingInOrder(const RecordingInOrder&) = delete;
  RecordingInOrder& operator=(const RecordingInOrder&) = delete;

 private:
  Recorder* const to_;
};

}  // namespace brook::core
