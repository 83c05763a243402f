// activity.hpp — which of the threads that a manual clock knows have something to do.
//
// A thread is idle while it sleeps on a manual clock, be it another one, and while it says that it waits for something
// else (Away). Whoever wakes a sleeper makes it active at once, before it lets go of what it has for it: so there is no
// instant at which work is under way and nobody active.
//
// A call waits until nobody is active but its own thread. Calls may meet, for a thread that is waited for may itself move
// the time. Then the later one takes who waits in an earlier one for idle, and not the other way round: it comes to its
// end first. Nobody waits for a thread that the clock does not know; calls of such threads take turns. One that is within
// a call already, of whichever clock, waits for no turn: somebody may wait for it.
//
// Locking   one mutex for all manual clocks, because a thread may use several. It is taken with a sleeper's mutex held, and
// nothing is taken while it is held.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <ostream>
#include <sstream>
#include <utility>
#include <vector>

#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>

namespace brook::testing {

class Activity;

using Held = sync::unique_lock<sync::mutex>;

/// The lock on all that the manual clocks know. It is there as long as the process: threads may end late.
[[nodiscard]] inline Held lock() {
  static sync::mutex& mutex = *new sync::mutex;
  return Held(mutex);
}

/// A thread, for all manual clocks.
struct Thread {
  Thread() = default;
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  [[nodiscard]] static Thread& current() noexcept { return sync::of_this_thread<Thread>(); }

  /// One more reason to be idle, and one less.
  void rest() noexcept {
    ++idle;
    tell();
  }
  void rise() noexcept { --idle; }

  /// Has those who wait look at it again.
  void tell() const noexcept;

  const sync::thread::id id = sync::this_thread();
  unsigned idle = 0;               // for how many reasons
  unsigned calls = 0;              // that it is in, one within the other
  std::uint64_t waits = 0;         // the call in which it waits for the others, by its number; 0 when it does not
  std::vector<Activity*> known{};  // to these
};

/// Real time decides nothing; but a test that hangs for so long should not do so in silence.
inline constexpr std::chrono::seconds long_silence{10};

/// Tells the standard error what `describe(stream)` says.
template <class Describe>
void tell(Describe describe) noexcept {
  BROOK_TRY {
    std::ostringstream text;
    describe(text);
    std::fputs(text.str().c_str(), stderr);
  }
  BROOK_CATCH_ALL {}
}

/// Waits at `changed` until `ready()`. When that takes long it tells once what `describe(stream)` says.
template <class Ready, class Describe>
void wait_and_tell(Held& held, sync::condition_variable& changed, Ready ready, Describe describe) {
  while (!ready()) {
    if (changed.wait_for(held, long_silence) == std::cv_status::no_timeout || ready()) continue;
    tell(describe);
    while (!ready()) changed.wait(held);
  }
}

/// The threads that one clock knows. Everything happens with lock() held.
class Activity {
 public:
  class Guest;
  class Call;

  Activity() = default;
  ~Activity() {
    Held held = lock();
    wait(held, [this] { return expected_ == 0; });  // they are about to come
    while (!threads_.empty()) forget(*threads_.back());
  }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;

  [[nodiscard]] bool knows(const Thread& thread) const { return std::ranges::count(threads_, &thread) > 0; }

  /// May throw std::bad_alloc.
  void know(Thread& thread) {
    if (knows(thread)) return;
    threads_.reserve(threads_.size() + 1);
    thread.known.push_back(this);
    threads_.push_back(&thread);
  }
  void forget(Thread& thread) noexcept {
    std::erase(threads_, &thread);
    std::erase(thread.known, this);
    changed();
  }

  /// A thread that is to come is active; then it has come, or there could be none.
  void expect() noexcept { ++expected_; }
  void come(Thread& thread) noexcept {
    BROOK_TRY { know(thread); }
    BROOK_CATCH_ALL {}  // it is known when it first waits
    stay_away();
  }
  void stay_away() noexcept {
    --expected_;
    changed();
  }

  /// Has those who wait look again.
  void changed() noexcept { changed_.notify_all(); }

  /// Waits until `ready()`.
  template <class Ready>
  void wait(Held& held, Ready ready) {
    wait_and_tell(held, changed_, ready, [this](std::ostream& out) {
      out << "brook: somebody has waited for the threads of a ManualClock for 10 s\n"
          << *this << "Who waits for something that is not brook's says so: ManualClock::Away\n";
    });
  }

  friend std::ostream& operator<<(std::ostream& out, const Activity& activity) {
    for (const Thread* const thread : activity.threads_) {
      const char* const state = thread->idle > 0 ? "idle" : thread->waits > 0 ? "waiting for the others" : "active";
      out << "thread " << thread->id << ": " << state << '\n';
    }
    if (activity.expected_ > 0) out << "threads to come: " << activity.expected_ << '\n';
    if (activity.turns_ > activity.turn_) out << "waiting for their turn: " << activity.turns_ - activity.turn_ << '\n';
    return out;
  }

 private:
  std::vector<Thread*> threads_;
  std::size_t expected_ = 0;
  std::size_t calls_ = 0;
  std::uint64_t turns_ = 0;  // that were given to calls of unknown threads
  std::uint64_t turn_ = 0;
  sync::condition_variable changed_;
};

/// While it lives its thread is known, and not idle.
class Activity::Guest {
 public:
  /// May throw std::bad_alloc.
  explicit Guest(Activity& activity) : activity_(activity), stranger_(!activity.knows(thread_)) {
    if (stranger_) activity_.know(thread_);
    idle_ = std::exchange(thread_.idle, 0);
  }
  ~Guest() {
    thread_.idle = idle_;
    thread_.tell();
    if (stranger_) activity_.forget(thread_);
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

 private:
  Activity& activity_;
  Thread& thread_ = Thread::current();
  const bool stranger_;
  unsigned idle_ = 0;  // what its thread was before
};

/// A call that waits for the others, perhaps several times.
class Activity::Call {
 public:
  /// May throw std::bad_alloc.
  Call(Activity& activity, Held& held) : activity_(activity), held_(held) {
    if (!activity.knows(thread_) && thread_.calls == 0) take_turn();
    guest_.emplace(activity);
    ++activity_.calls_;
    ++thread_.calls;
  }
  ~Call() {
    --activity_.calls_;
    --thread_.calls;
    activity_.changed();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void wait_until_idle() {
    thread_.waits = number_;
    thread_.tell();
    activity_.wait(held_, [this] {
      return activity_.expected_ == 0 && std::ranges::all_of(activity_.threads_, [this](const Thread* thread) {
               return thread == &thread_ || thread->idle > 0 || (thread->waits > 0 && thread->waits < number_);
             });
    });
    thread_.waits = 0;
  }

 private:
  void take_turn() {
    const std::uint64_t turn = activity_.turns_++;
    activity_.wait(held_, [&] { return activity_.turn_ == turn && activity_.calls_ == 0; });
    ++activity_.turn_;
    activity_.changed();  // for it may not come to more
  }

  Activity& activity_;
  Held& held_;
  Thread& thread_ = Thread::current();
  const std::uint64_t number_ = ++last_number_;
  std::optional<Guest> guest_;
  static inline std::uint64_t last_number_ = 0;
};

inline void Thread::tell() const noexcept {
  for (Activity* const activity : known) activity->changed();
}

inline Thread::~Thread() {
  const Held held = lock();
  while (!known.empty()) known.back()->forget(*this);
}

/// While it lives, this thread waits for something that is not brook's, and is idle: a future, a latch, another thread.
class Away {
 public:
  Away() {
    const Held held = lock();
    thread_.rest();
  }
  ~Away() {
    const Held held = lock();
    thread_.rise();
  }
  Away(const Away&) = delete;
  Away& operator=(const Away&) = delete;

 private:
  Thread& thread_ = Thread::current();
};

}  // namespace brook::testing
