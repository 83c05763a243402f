// completion.hpp — a selection (wait/selection.hpp) that no thread sleeps for: its handler is called when it has ended.
//
// Whoever wakes a completion looks for it, once it holds none of our locks (core/later.hpp): a thread that adds, pushes,
// publishes, closes, cancels, requests a stop, or runs the clock's timers. One does so at a time; who wakes it meanwhile
// leaves that to the first (wait/turn.hpp). The one who finds it ended takes it out of all lines, so that nobody else can
// come to it any more, settles what was taken (wait/case.hpp), has the handler called once no other is running on this thread,
// and never gives the turn back.
//
//     waiting ──look──▶ settling ──settle──▶ ended   the handler is called; it takes the result, or leaves it here until it
//        │                 │                         is wanted
//        └─────abandon─────┴──▶ abandoned            the handler is not called; what was given to it meanwhile goes back
//
// Settling may call functions of the user's, so nobody waits for it: who abandons it then leaves the rest to who settles.
// Whoever abandons it before waits for a look that goes on just then, but not for one that is due, nor for handlers: so that
// may be done anywhere, also by a handler, or by a function that a completion calls.
//
// Lifetime  It owns itself from when it stands in line until it has ended or is abandoned. Who wakes it either is kept out
//           of its line meanwhile, or is waited for (timer, stop token), or has a share of it (a handle).
// Locking   its mutex, then a source's. Who holds it has the turn, so those that it waits for, timer and stop token, do
//           not get as far as the mutex. Who abandons it has no turn, and waits for them without the mutex.
//
// Memory orders
//   row  thread  operation         order    meets  because
//   WF   anyone  cancelled_        relaxed  -      goes by the turn (row CJ of wait/turn.hpp)
// Proof    tests/stress/select_stress.cpp, tests/stress/coroutine_stress.cpp; the turn in tests/model/turn_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/alarm.hpp>
#include <brook/wait/selection.hpp>
#include <brook/wait/turn.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// A completion, whatever it waits for and calls.
class AnyCompletion : private Wakeable, private core::Task {
 public:
  AnyCompletion(const AnyCompletion&) = delete;
  AnyCompletion& operator=(const AnyCompletion&) = delete;
  virtual ~AnyCompletion() = default;

  /// Takes what is there, or waits for it; once. True when it has ended by that: then the handler is not called, unless
  /// call_later() is. False when it will be called, and it may have been; or when it was abandoned. Throws what looking throws,
  /// and std::bad_alloc; then nothing was taken.
  [[nodiscard]] static bool start(const std::shared_ptr<AnyCompletion>& self) {
    const core::Later later;
    if (self->selection_.poll(self->wait_)) self->finish(Errc::closed);
    else if (self->wait_.stop_requested()) self->finish(Errc::cancelled);
    else if (self->expired()) self->finish(Errc::timed_out);
    else if (!self->enlist(self)) return false;
    return self->settle();
  }
  /// Has the handler of one called that ended when it was started.
  static void call_later(const std::shared_ptr<AnyCompletion>& self) noexcept {
    self->self_ = self;
    core::Later::run(*self);
  }

  void cancel() noexcept {
    cancelled_.store(true, sync::relaxed);  // WF
    look_now();
  }

  /// Of one that was started: the handler is not called, and what was taken goes back. False, and does nothing, when it has
  /// ended before: then the handler was called, or is about to be.
  [[nodiscard]] bool abandon() noexcept {
    const core::Later later;
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      if (phase_ == Phase::ended) return false;
      if (std::exchange(phase_, Phase::abandoned) == Phase::settling) return true;  // who settles does the rest
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
  /// Of one that has ended, when nobody wants what came of it: what was taken goes back.
  void give_back() noexcept {
    const core::Later later;
    selection_.give_back();
  }

 protected:
  /// The selection must be there already.
  AnyCompletion(AnySelection& selection, const Wait& wait)
      : Task([](core::Task& task) noexcept {
          const core::Later later;
          static_cast<AnyCompletion&>(task).run();
        }),
        selection_(selection),
        clock_(selection_.clock()),
        wait_(wait.until(clock_)),
        deadline_(wait_.deadline(clock_)),
        alarm_(clock_, ring_) {
    selection_.be_prompt();
  }

  /// With no lock of ours held, when it has ended. It must not throw.
  virtual void call(const std::shared_ptr<AnyCompletion>& self) noexcept = 0;

  /// Of one that has ended: why, when nothing was taken.
  [[nodiscard]] Errc why() const noexcept { return why_; }
  /// What was thrown by what it looked at, if that is why.
  [[nodiscard]] const std::exception_ptr& thrown() const noexcept { return thrown_; }
  /// Of the exception that is just handled.
  [[nodiscard]] static Errc why_of_thrown() noexcept {
    BROOK_TRY { BROOK_RETHROW; }
    BROOK_CATCH(const std::bad_alloc&) { return Errc::out_of_memory; }
    BROOK_CATCH_ALL {}
    return Errc::exception;
  }

 private:
  enum class Phase : unsigned char { waiting, settling, ended, abandoned };

  // The clock, or a stop request.
  struct Ring final : Wakeable {
    explicit Ring(AnyCompletion& whose) noexcept : completion(whose) {}
    void wake() override { completion.look_now(); }
    AnyCompletion& completion;
  };
  struct Stop {
    AnyCompletion* completion;
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

  // Who made it has the turn. Whether it has ended.
  [[nodiscard]] bool enlist(const std::shared_ptr<AnyCompletion>& self) {
    self_ = self;
    BROOK_TRY {
      selection_.enlist(*this);
#ifdef __cpp_lib_jthread
      if (wait_.stop().stop_possible()) on_stop_.emplace(wait_.stop(), Stop{this});
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
    const std::shared_ptr<AnyCompletion> self = self_;
    if (!finished_ && !work()) return;
    const bool wanted = settle();
    self_.reset();
    if (wanted) call(self);
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
  // Whether it has ended. With the mutex.
  [[nodiscard]] bool look() noexcept {
    std::optional<Errc> why;
    BROOK_TRY {
      if (selection_.look()) why = Errc::closed;
      else if (cancelled_.load(sync::relaxed) || wait_.stop_requested()) why = Errc::cancelled;  // WF
      else if (expired()) why = Errc::timed_out;
      else alarm_.set(std::min(deadline_, selection_.due()));
    }
    BROOK_CATCH_ALL { why = note_thrown(); }
    if (why) finish(*why);
    return why.has_value();
  }
  [[nodiscard]] Errc note_thrown() noexcept {
    thrown_ = std::current_exception();
    return why_of_thrown();
  }

  // What was taken wins over the reason. With the mutex, or before anybody else knows of it.
  void finish(Errc why) noexcept {
    leave();
    if (selection_.taken()) thrown_ = nullptr;
    why_ = why;
    phase_ = Phase::settling;
    finished_ = true;
  }
  // Nobody comes to it any more.
  void leave() noexcept {
    selection_.withdraw();
    alarm_.unset();
#ifdef __cpp_lib_jthread
    on_stop_.reset();
#endif
  }
  // Without the mutex. Whether anybody wants to know what came of it.
  [[nodiscard]] bool settle() noexcept {
    if (ended()) return true;
    BROOK_TRY { selection_.settle(wait_); }
    BROOK_CATCH_ALL { why_ = note_thrown(); }
    {
      const sync::unique_lock<sync::mutex> held(mutex_);
      if (phase_ == Phase::settling) phase_ = Phase::ended;
      if (phase_ == Phase::ended) return true;
    }
    selection_.give_back();
    return false;
  }

  [[nodiscard]] bool expired() const noexcept {
    return deadline_ != Clock::time_point::max() && clock_.now() >= deadline_;
  }

  AnySelection& selection_;
  Clock& clock_;
  const Wait wait_;
  const Clock::time_point deadline_;
  Ring ring_{*this};
  Alarm alarm_;
  Turn turn_;
  bool finished_ = false;  // only who has the turn
  mutable sync::mutex mutex_;
  Phase phase_ = Phase::waiting;
  Errc why_ = Errc::closed;
  std::exception_ptr thrown_;
  std::shared_ptr<AnyCompletion> self_;
  sync::atomic<bool> cancelled_{false};
#ifdef __cpp_lib_jthread
  std::optional<std::stop_callback<Stop>> on_stop_;
#endif
};

// A selection that is there before what uses it.
template <class... Cases>
struct WithSelection {
  template <class... Sources>
  explicit WithSelection(std::size_t first, Sources&&... sources)
      : selection(first, std::forward<Sources>(sources)...) {}

  Selection<Cases...> selection;
};

/// `handler(completion)`, of a shared pointer, is called with no lock of ours held when it has ended. It must not throw.
template <class Handler, class... Cases>
class Completion final : private WithSelection<Cases...>, public AnyCompletion {
 public:
  using Result = expected<TakenOf<Cases...>, Errc>;

  template <class... Sources>
  Completion(Handler&& handler, const Wait& wait, std::size_t first, Sources&&... sources)
      : WithSelection<Cases...>(first, std::forward<Sources>(sources)...),
        AnyCompletion(this->selection, wait),
        handler_(std::move(handler)) {}

  [[nodiscard]] Handler& handler() noexcept { return handler_; }

  /// Of one that has ended: what came of it; once. Throws what was thrown by what it looked at, and what taking the result
  /// throws.
  [[nodiscard]] Result result() {
    if (thrown()) std::rethrow_exception(thrown());
    return this->selection.result(why());
  }
  /// The same, for who cannot be thrown at. Errors further: out_of_memory; exception, for anything else that was thrown.
  [[nodiscard]] Result result_or_why_not() noexcept {
    BROOK_TRY { return thrown() ? Result(unexpected(why())) : this->selection.result(why()); }
    BROOK_CATCH_ALL { return Result(unexpected(why_of_thrown())); }
  }

 private:
  void call(const std::shared_ptr<AnyCompletion>& self) noexcept override {
    handler_(std::static_pointer_cast<Completion>(self));
  }

  Handler handler_;
};

}  // namespace brook::wait
