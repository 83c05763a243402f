// running.hpp — a call on a thread of its own, which a manual clock knows from the start.
#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <type_traits>
#include <utility>
#include <variant>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/testing/activity.hpp>

namespace brook::testing {

/// A call that runs on a thread of its own. Its handle waits for the end of the call when it dies, having asked it to stop.
template <class Result>
class Running {
 public:
  /// Calls `f()`, or `f(stop_token)`. Throws std::bad_alloc and std::system_error.
  template <class F>
  Running(Activity& activity, F&& f) {
    {
      const Held held = lock();
      activity.expect();
    }
    core::Undo expected([&] {
      const Held held = lock();
      activity.stay_away();
    });
    thread_ =
        sync::thread([outcome = outcome_, &activity,
                      call = std::unique_ptr<Call>(std::make_unique<CallOf<std::decay_t<F>>>(std::forward<F>(f)))] {
          {
            const Held held = lock();
            activity.come(Thread::current());
          }
          outcome->run(*call);
        });
    expected.keep();
  }
  ~Running() {
    if (!thread_.joinable()) return;
    request_stop();
    join();
  }
  Running(Running&&) noexcept = default;
  Running& operator=(Running&&) = delete;

  /// Whether the call has ended. After run_until_idle() that does not depend on chance.
  [[nodiscard]] bool done() const noexcept { return outcome_->done.load(sync::seq_cst); }

  /// Asks the call to stop, if it takes a stop token.
  void request_stop() noexcept {
#ifdef __cpp_lib_jthread
    outcome_->stop.request_stop();
#endif
  }

  /// Waits until the call has ended. This thread is idle meanwhile. After 10 s it tells the standard error.
  void join() {
    const Away away;
    {
      Held held = lock();
      wait_and_tell(
          held, outcome_->ended, [this] { return done(); },
          [](std::ostream& out) {
            out << "brook: somebody has waited for the end of a ManualClock::thread() for 10 s\n"
                << "What waits for ever in it needs its stop token, or an object that is closed\n";
          });
    }
    thread_.join();
  }

  /// Waits until the call has ended, and returns what it returned, or throws what it threw; once.
  Result get() {
    if (thread_.joinable()) join();
    if (outcome_->thrown) std::rethrow_exception(std::exchange(outcome_->thrown, nullptr));
    if constexpr (!std::is_void_v<Result>) return *std::move(outcome_->value);
  }

 private:
  struct Outcome;

  // Erased, so that a program has the rest of this once for a result, and not for each function that it calls.
  struct Call {
    virtual ~Call() = default;
    virtual Result operator()(Outcome& outcome) = 0;
  };
  template <class F>
  struct CallOf final : Call {
    template <class G>
    explicit CallOf(G&& f) : function(std::forward<G>(f)) {}

    Result operator()([[maybe_unused]] Outcome& outcome) override {
#ifdef __cpp_lib_jthread
      if constexpr (std::invocable<F&, std::stop_token>) return function(outcome.stop.get_token());
      else return function();
#else
      return function();
#endif
    }

    F function;
  };

  struct Outcome {
    void run(Call& call) {
      BROOK_TRY {
        if constexpr (std::is_void_v<Result>) call(*this);
        else value.emplace(call(*this));
      }
      BROOK_CATCH_ALL { thrown = std::current_exception(); }
      const Held held = lock();
      done.store(true, sync::seq_cst);
      ended.notify_all();
    }

    sync::atomic<bool> done{false};
    sync::condition_variable ended;
    std::optional<std::conditional_t<std::is_void_v<Result>, std::monostate, Result>> value{};
    std::exception_ptr thrown{};
#ifdef __cpp_lib_jthread
    std::stop_source stop{};
#endif
  };

  std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
  sync::thread thread_;
};

/// What calling an F gives, with a stop token or without.
template <class F>
struct ResultOf : std::invoke_result<F&> {};
#ifdef __cpp_lib_jthread
template <std::invocable<std::stop_token> F>
struct ResultOf<F> : std::invoke_result<F&, std::stop_token> {};
#endif

}  // namespace brook::testing
