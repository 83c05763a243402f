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

/// From when it starts until it stops, or dies, a recorder is in what `begin` begins and `end` ends. Null records nothing.
template <void (Recorder::*begin)() noexcept, void (Recorder::*end)() noexcept>
class During {
 public:
  During() = default;
  explicit During(Recorder* to) noexcept { start(to); }
  explicit During(Recorder& to) noexcept : During(&to) {}
  ~During() { stop(); }
  During(const During&) = delete;
  During& operator=(const During&) = delete;

  /// Of one that has not started, or was stopped.
  void start(Recorder* to) noexcept {
    to_ = to;
    if (to_ != nullptr) [[unlikely]]
      (to_->*begin)();
  }
  void stop() noexcept {
    if (to_ != nullptr) [[unlikely]]
      (std::exchange(to_, nullptr)->*end)();
  }

 private:
  Recorder* to_ = nullptr;
};

/// What is noted meanwhile is one record.
using Recording = During<&Recorder::begin, &Recorder::end>;
/// What is noted meanwhile is a proposal, unless it is adopted.
using Proposal = During<&Recorder::propose, &Recorder::drop>;
/// A change without a lock, and what is noted of it, at one place among the others.
using RecordingInOrder = During<&Recorder::lock, &Recorder::unlock>;

}  // namespace brook::core
