// timers.hpp — the thread that rings a clock's timers.
// Part of clock.hpp, which includes it.
//
// Lifetime   A clock's own part is dead before ~Clock can end the thread, so nobody may be in the clock's functions then.
// With no timer set the thread waits by itself, not on the clock; who unsets the last timer waits for it to come out.
// A clock that leaves no trace needs nothing of this: whatever is begun in it, is begun while a timer is set.
//
// Fork   A child has no such thread, and perhaps a mutex that nobody will unlock. It leaves all as it is, and begins anew.
#pragma once

#include <cstdint>
#include <utility>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/forks.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/timer_queue.hpp>
#include <brook/core/undo.hpp>

namespace brook {

class Clock::Timers {
 public:
  explicit Timers(Clock& clock) noexcept : clock_(clock), leaves_no_trace_(clock.leaves_no_trace()) {}
  ~Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  /// Whether they are this process's, and not those of one that it was forked from.
  [[nodiscard]] bool here() const noexcept { return forks_ == core::forks(); }

  void set(Timer& timer) {
    const Held held(mutex_);
    if (!thread_.joinable()) thread_ = sync::thread([this, ends = ends_] { run(ends); });
    queue_.add(timer, ++sets_);
    if (!queue_.empty() && &queue_.first() == &timer) wake();
  }

  void unset(Timer& timer) noexcept {
    Held held(mutex_);
    queue_.remove(timer, held);
    while (queue_.empty() && inside_) {
      wake();
      came_out_.wait(held);
    }
  }

  /// Ends the thread; the next set() starts another. False when the thread ends itself, for then it needs this further.
  [[nodiscard]] bool end() noexcept {
    sync::thread thread;
    {
      const Held held(mutex_);
      ++ends_;
      wake();
      std::swap(thread, thread_);
      needed_ = needed_ || thread.get_id() == sync::this_thread();
    }
    if (thread.joinable()) needed_ ? thread.detach() : thread.join();
    return !needed_;
  }

 private:
  using Held = sync::unique_lock<sync::mutex>;

  void run(std::uint64_t ends) noexcept {
    Held held(mutex_);
    while (ends_ == ends) {
      if (queue_.empty()) awake_.wait(held);
      else if (queue_.first().deadline <= clock_.now()) queue_.ring_first(held);
      else sleep(held);
    }
  }

  // Until the first timer is due, or another one is the first; or not so long.
  void sleep(Held& held) noexcept {
    alarm_.deadline = queue_.first().deadline;
    if (leaves_no_trace_) return clock_.sleep(held, alarm_);
    const std::uint64_t ends = ends_;
    inside_ = true;
    held.unlock();
    BROOK_TRY {
      clock_.enroll(alarm_);
      const core::Undo enrolled([&] {
        if (held.owns_lock()) held.unlock();
        clock_.dismiss(alarm_);
      });
      held.lock();
      asleep_ = ends_ == ends && !queue_.empty() && queue_.first().deadline == alarm_.deadline;
      if (asleep_) clock_.sleep(held, alarm_);
      asleep_ = false;
    }
    BROOK_CATCH_ALL { sync::yield(); }  // there was no memory to sleep with: it looks again
    held.lock();
    inside_ = false;
    came_out_.notify_all();
  }

  void wake() noexcept {
    if (std::exchange(asleep_, false)) clock_.woken(alarm_);
    awake_.notify_one();
  }

  Clock& clock_;
  const bool leaves_no_trace_;
  const unsigned forks_ = core::forks();
  sync::mutex mutex_;
  sync::condition_variable awake_;     // for the thread
  sync::condition_variable came_out_;  // for those who wait for it
  Alarm alarm_{mutex_, awake_, {}};
  core::TimerQueue<Timer> queue_;
  std::uint64_t sets_ = 0;
  std::uint64_t ends_ = 0;
  bool inside_ = false;  // the thread may be in the clock's functions
  bool asleep_ = false;  // and in there sleep
  bool needed_ = false;  // by the thread, whatever becomes of the clock
  sync::thread thread_;
};

inline Clock::~Clock() {
  Timers* const timers = timers_.load(sync::seq_cst);
  if (timers != nullptr && timers->here() && timers->end()) delete timers;
}

inline Clock::Timers& Clock::timers() {
  Timers* there = timers_.load(sync::seq_cst);
  while (there == nullptr || !there->here()) {
    auto* const made = new Timers(*this);
    if (timers_.compare_exchange_strong(there, made, sync::seq_cst)) return *made;
    delete made;
  }
  return *there;
}

inline void Clock::set(Timer& timer) { timers().set(timer); }

inline void Clock::unset(Timer& timer) noexcept {
  Timers* const timers = timers_.load(sync::seq_cst);
  if (timers != nullptr && timers->here()) timers->unset(timer);
}

inline void Clock::stop_timers() noexcept {
  Timers* const timers = timers_.load(sync::seq_cst);
  if (timers != nullptr && timers->here()) static_cast<void>(timers->end());
}

/// The instance. It never dies, so that what dies at the end of the process may still use it; its thread ends then.
class SystemClock::Shared final : public SystemClock {
 public:
  void set(Timer& timer) override {
    static const core::Undo at_the_end([this] { stop_timers(); });
    SystemClock::set(timer);
  }

 private:
  [[nodiscard]] bool leaves_no_trace() const noexcept override { return true; }
};

inline SystemClock& SystemClock::instance() noexcept {
  union Immortal {
    Shared clock{};
    ~Immortal() {}
  };
  static Immortal immortal;
  return immortal.clock;
}

}  // namespace brook
