// completion.hpp — a selection (wait/selection.hpp) that no thread sleeps for: its handler is called with what came of it.
//
// Whoever wakes a completion looks for it, once it holds none of our locks (core/later.hpp): a thread that adds, pushes,
// publishes, closes, cancels, requests a stop, or runs the clock's timers. One does so at a time; who wakes it meanwhile
// leaves that to the first (wait/turn.hpp). The one who finds it ended takes it out of all lines, so that nobody else can
// come to it any more, has the handler called once no other is running on this thread, and never gives the turn back.
//
// Lifetime  It owns itself from when it stands in line until it has ended. Who wakes it either is kept out of its line
//           meanwhile, or is waited for (timer, stop token), or has a share of it (a handle).
//
// Memory orders
//   row  thread  operation         order    meets  because
//   WF   anyone  cancelled_        relaxed  -      goes by the turn (row CJ of wait/turn.hpp)
//   WR   timer   rang_             relaxed  -      the same
// Proof    tests/stress/completion_stress.cpp; the turn in tests/model/turn_model.cpp
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
};

template <class Handler, class... Cases>
class Completion final : public AnyCompletion, private Wakeable, private core::Task {
 public:
  template <class... Sources>
  Completion(Handler&& handler, const Wait& wait, std::size_t first, Sources&&... sources)
      : Task([](core::Task& task) noexcept {
          const core::Later later;
          static_cast<Completion&>(task).take_turn();
        }),
        selection_(std::in_place, first, std::forward<Sources>(sources)...),
        clock_(selection_->clock()),
        wait_(wait),
        deadline_(wait.deadline(clock_)),
        timer_(*this),
        handler_(std::move(handler)) {}
  ~Completion() override = default;

  /// Takes what is there, or waits for it. The handler may be called before it returns. Throws what looking throws, and
  /// std::bad_alloc; then nothing was taken, and the handler will not be called.
  static std::shared_ptr<AnyCompletion> start(const std::shared_ptr<Completion>& self) {
    const core::Later later;
    if (self->begin(self)) core::Later::run(*self);
    return self;
  }

  void cancel() noexcept override {
    cancelled_.store(true, sync::relaxed);  // WF
    look_now();
  }

 private:
  using Result = expected<typename Selection<Cases...>::Value, Errc>;

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
    if (turn_.ask() && look_until_done()) core::Later::run(*this);
  }

  // Who has the turn, as has who made it; each tells whether it has ended, and the turn is then kept.
  [[nodiscard]] bool begin(const std::shared_ptr<Completion>& self) {
    const bool found = selection_->poll();
    self_ = self;
    if (found) return end(Errc::closed);
    if (wait_.stop_requested()) return end(Errc::cancelled);
    return expired() ? end(Errc::timed_out) : enlist();
  }
  [[nodiscard]] bool enlist() {
    BROOK_TRY {
      selection_->enlist(*this);
#ifdef __cpp_lib_jthread
      if (wait_.stop().stop_possible()) on_stop_.emplace(wait_.stop(), Wake{this});
#endif
    }
    BROOK_CATCH_ALL {
      selection_->withdraw();
      if (selection_->taken()) return end(Errc::closed);  // it would be lost
      self_.reset();
      BROOK_RETHROW;
    }
    return look_until_done();
  }
  void take_turn() noexcept {
    if (why_ || look_until_done()) call();
  }
  [[nodiscard]] bool look_until_done() noexcept {
    const std::shared_ptr<Completion> self = self_;
    std::uint64_t requests = 1;
    do {
      if (look()) return true;
    } while (turn_.done(requests) == Turn::Done::more);
    return false;
  }
  [[nodiscard]] bool look() noexcept {
    std::optional<Errc> why;
    BROOK_TRY {
      if (selection_->look()) why = Errc::closed;
      else if (cancelled_.load(sync::relaxed) || wait_.stop_requested()) why = Errc::cancelled;  // WF
      else if (expired()) why = Errc::timed_out;
      else set_timer(std::min(deadline_, selection_->due()));
    }
    BROOK_CATCH_ALL { why = Errc::out_of_memory; }
    return why && end(*why);
  }
  // What was taken wins over all of these.
  bool end(Errc why) noexcept {
    selection_->withdraw();
    if (timer_.deadline != Clock::time_point::max()) clock_.unset(timer_);
#ifdef __cpp_lib_jthread
    on_stop_.reset();
#endif
    why_ = why;
    return true;
  }
  void call() noexcept {
    const std::shared_ptr<Completion> self = std::move(self_);
    Handler handler = std::move(handler_);
    Result taken = result();
    selection_.reset();  // a handle may live long
    handler(std::move(taken));
  }
  [[nodiscard]] Result result() noexcept {
    BROOK_TRY { return selection_->result(*why_); }
    BROOK_CATCH_ALL {}  // what was taken is back where it was
    return unexpected(Errc::out_of_memory);
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

  std::optional<Selection<Cases...>> selection_;
  Clock& clock_;
  const Wait wait_;
  const Clock::time_point deadline_;
  Timer timer_;
  Handler handler_;
  Turn turn_;
  std::shared_ptr<Completion> self_;
  std::optional<Errc> why_;  // it has ended
  sync::atomic<bool> cancelled_{false};
  sync::atomic<bool> rang_{false};
#ifdef __cpp_lib_jthread
  std::optional<std::stop_callback<Wake>> on_stop_;
#endif
};

}  // namespace brook::wait
