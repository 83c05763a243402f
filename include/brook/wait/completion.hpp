// completion.hpp — a selection (wait/selection.hpp) that no thread sleeps for: its handler is called when it has ended.
//
// Whoever wakes a completion looks for it, once it holds none of our locks (core/later.hpp): a thread that adds, pushes,
// publishes, closes, cancels, requests a stop, or runs the clock's timers. One does so at a time; who wakes it meanwhile
// leaves that to the first (wait/turn.hpp). The one who finds it ended takes it out of all lines, so that nobody else can
// come to it any more, has the handler called once no other is running on this thread, and never gives the turn back.
//
//     waiting ──look──▶ ended      the handler is called; it takes the result, or leaves it here until it is wanted
//        └────abandon──▶ abandoned  the handler is not called; what was given to it meanwhile goes back
//
// Whoever abandons it waits for a look that goes on just then, but not for one that is due, nor for handlers: so that may be
// done anywhere, also by a handler.
//
// Lifetime  It owns itself from when it stands in line until it has ended or is abandoned. Who wakes it either is kept out
//           of its line meanwhile, or is waited for (timer, stop token), or has a share of it (a handle).
// Locking   its mutex, then a source's. Who holds it has the turn, so those that it waits for, timer and stop token, do
//           not get as far as the mutex. Who abandons it has no turn, and waits for them without the mutex.
//
// Memory orders
//   row  thread  operation         order    meets  because
//   WF   anyone  cancelled_        relaxed  -      goes by the turn (row CJ of wait/turn.hpp)
//   WR   timer   rang_             relaxed  -      the same
// Proof    tests/stress/select_stress.cpp, tests/stress/coroutine_stress.cpp; the turn in tests/model/turn_model.cpp
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/selection.hpp>
#include <brook/wait/turn.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// What a handle knows of a completion.
class AnyCompletion {
 public:
  virtual ~AnyCompletion() = default;
  virtual void cancel() noexcept = 0;
  /// Of one that was started: the handler is not called, and what was taken goes back. False, and does nothing, when it has
  /// ended before: then the handler was called, or is about to be.
  [[nodiscard]] virtual bool abandon() noexcept = 0;
};

/// `handler(completion)`, of a shared pointer, is called with no lock of ours held when it has ended. It must not throw.
template <class Handler, class... Cases>
class Completion final : public AnyCompletion, private Wakeable, private core::Task {
 public:
  using Result = expected<typename Selection<Cases...>::Value, Errc>;

  template <class... Sources>
  Completion(Handler&& handler, const Wait& wait, std::size_t first, Sources&&... sources)
      : Task([](core::Task& task) noexcept {
          const core::Later later;
          static_cast<Completion&>(task).run();
        }),
        selection_(first, std::forward<Sources>(sources)...),
        clock_(selection_.clock()),
        wait_(wait),
        deadline_(wait.deadline(clock_)),
        timer_(*this),
        handler_(std::move(handler)) {}
  ~Completion() override = default;

  /// Takes what is there, or waits for it; once. True when it has ended by that: then the handler is not called, unless
  /// call_later() is. False when it will be called; it may have been. Throws what looking throws, and std::bad_alloc; then
  /// nothing was taken.
  [[nodiscard]] static bool start(const std::shared_ptr<Completion>& self) {
    const core::Later later;
    if (self->selection_.poll()) self->finish(Errc::closed);
    else if (self->wait_.stop_requested()) self->finish(Errc::cancelled);
    else if (self->expired()) self->finish(Errc::timed_out);
    else return self->enlist(self);
    return true;
  }
  /// Has the handler of one called that ended when it was started.
  static void call_later(const std::shared_ptr<Completion>& self) noexcept {
    self->self_ = self;
    core::Later::run(*self);
  }

  void cancel() noexcept override {
    cancelled_.store(true, sync::relaxed);  // WF
    look_now();
  }

  [[nodiscard]] bool abandon() noexcept override {
    const core::Later later;
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      if (phase_ != Phase::waiting) return false;
      phase_ = Phase::abandoned;
    }
    leave();
    selection_.give_back();
    if (turn_.end()) self_.reset();  // else who has the turn does it
    return true;
  }

  [[nodiscard]] bool ended() const noexcept {
    const sync::unique_lock<sync::mutex> held(mutex_);
    return phase_ == Phase::ended;
  }
  [[nodiscard]] Handler& handler() noexcept { return handler_; }

  /// Of one that has ended: what came of it; once.
  [[nodiscard]] Result result() noexcept {
    BROOK_TRY { return selection_.result(why_); }
    BROOK_CATCH_ALL {}
    return unexpected(Errc::out_of_memory);
  }
  /// Of one that has ended, when nobody wants what came of it: what was taken goes back.
  void give_back() noexcept {
    const core::Later later;
    selection_.give_back();
  }

 private:
  enum class Phase : unsigned char { waiting, ended, abandoned };

  struct Timer final : Clock::Timer {
    explicit Timer(Completion& whose) noexcept : Clock::Timer(Clock::time_point::max()), completion(whose) {}
    void ring() noexcept override {
      completion.rang_.store(true, sync::relaxed);  // WR
      completion.look_now();
    }
    Completion& completion;
  };
  struct Wake {
    Completion* completion;
    void operator()() const noexcept { completion->look_now(); }
  };

  void wake() noexcept override {
    if (turn_.ask()) core::Later::run(*this);
  }
  // For who has no lock: what follows must find it ended, though the handler has to wait for another one.
  void look_now() noexcept {
    const core::Later later;
    if (turn_.ask() && work()) core::Later::run(*this);
  }

  // Who made it has the turn.
  [[nodiscard]] bool enlist(const std::shared_ptr<Completion>& self) {
    self_ = self;
    BROOK_TRY {
      selection_.enlist(*this);
#ifdef __cpp_lib_jthread
      if (wait_.stop().stop_possible()) on_stop_.emplace(wait_.stop(), Wake{this});
#endif
    }
    BROOK_CATCH_ALL {
      selection_.withdraw();
      self_.reset();
      if (!selection_.taken()) BROOK_RETHROW;
      finish(Errc::closed);  // it would be lost
      return true;
    }
    if (!work()) return false;
    self_.reset();
    return true;
  }

  // Who has the turn.
  void run() noexcept {
    const std::shared_ptr<Completion> self = self_;
    if (!ended() && !work()) return;
    self_.reset();
    handler_(self);
  }
  // Looks until nobody wants that any more. Whether it has ended, and the turn is kept.
  [[nodiscard]] bool work() noexcept {
    Turn::Done done = Turn::Done::more;
    for (std::uint64_t requests = 1; done == Turn::Done::more; done = turn_.done(requests)) {
      const sync::unique_lock<sync::mutex> held(mutex_);
      if (phase_ == Phase::waiting && look()) return true;
    }
    if (done == Turn::Done::ended) self_.reset();  // it was abandoned
    return false;
  }
  // Whether it has ended.
  [[nodiscard]] bool look() noexcept {
    std::optional<Errc> why;
    BROOK_TRY {
      if (selection_.look()) why = Errc::closed;
      else if (cancelled_.load(sync::relaxed) || wait_.stop_requested()) why = Errc::cancelled;  // WF
      else if (expired()) why = Errc::timed_out;
      else set_timer(std::min(deadline_, selection_.due()));
    }
    BROOK_CATCH_ALL { why = Errc::out_of_memory; }
    if (why) finish(*why);
    return why.has_value();
  }

  // What was taken wins over the reason.
  void finish(Errc why) noexcept {
    leave();
    why_ = why;
    phase_ = Phase::ended;
  }
  // Nobody comes to it any more.
  void leave() noexcept {
    selection_.withdraw();
    if (timer_.deadline != Clock::time_point::max()) clock_.unset(timer_);
#ifdef __cpp_lib_jthread
    on_stop_.reset();
#endif
  }

  [[nodiscard]] bool expired() const noexcept {
    return deadline_ != Clock::time_point::max() && clock_.now() >= deadline_;
  }
  void set_timer(Clock::time_point due) {
    if (due == timer_.deadline && !rang_.load(sync::relaxed)) return;  // WR
    if (timer_.deadline != Clock::time_point::max()) clock_.unset(timer_);
    timer_.deadline = Clock::time_point::max();
    rang_.store(false, sync::relaxed);  // WR
    if (due == Clock::time_point::max()) return;
    timer_.deadline = due;
    clock_.set(timer_);
  }

  Selection<Cases...> selection_;
  Clock& clock_;
  const Wait wait_;
  const Clock::time_point deadline_;
  Timer timer_;
  Handler handler_;
  Turn turn_;
  mutable sync::mutex mutex_;
  Phase phase_ = Phase::waiting;
  Errc why_ = Errc::closed;
  std::shared_ptr<Completion> self_;
  sync::atomic<bool> cancelled_{false};
  sync::atomic<bool> rang_{false};
#ifdef __cpp_lib_jthread
  std::optional<std::stop_callback<Wake>> on_stop_;
#endif
};

}  // namespace brook::wait
