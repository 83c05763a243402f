// coroutine.hpp — co_await for all that can be waited for. Needs the standard library only, and no coroutine type of its own.
//
//   while (auto job = co_await brook::ready(brook::forever, jobs)) work(*job);          // ends when jobs is closed
//   auto got = co_await brook::ready_on(post_to_ui, 5s, jobs, ticks);                   // goes on where post_to_ui() has it
#pragma once

#include <brook/core/config.hpp>  // before <coroutine>, which has its own error for an older C++

#include <concepts>
#include <coroutine>
#include <memory>
#include <tuple>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/select.hpp>
#include <brook/select/sources.hpp>
#include <brook/wait.hpp>
#include <brook/wait/completion.hpp>

namespace brook {

namespace coroutine {

// A coroutine that is suspended, until it is resumed or destroyed.
class Suspended {
 public:
  explicit Suspended(std::coroutine_handle<> which) noexcept : coroutine_(which) {}
  // Before anybody else knows of it.
  Suspended(Suspended&& other) noexcept : coroutine_(other.coroutine_) {}

  void resume() {
    if (leave()) coroutine_.resume();
  }
  // It is not suspended any more; whether it was.
  [[nodiscard]] bool leave() noexcept { return !left_.exchange(true, sync::seq_cst); }

 private:
  const std::coroutine_handle<> coroutine_;
  sync::atomic<bool> left_{false};
};

}  // namespace coroutine

/// Resumes a suspended coroutine when it is called. Copies mean the same: the first call does it, on its thread, and further
/// ones nothing, nor does a call when the coroutine is gone. One that is never called leaves the coroutine suspended.
class Resumption {
 public:
  /// Resumes it, here and now.
  void operator()() const { suspended_->resume(); }

  /// For the library.
  explicit Resumption(std::shared_ptr<coroutine::Suspended> suspended) noexcept : suspended_(std::move(suspended)) {}

 private:
  std::shared_ptr<coroutine::Suspended> suspended_;
};

/// Has resumptions called somewhere. It must not throw, nor block; it may call them itself.
template <class F>
concept Schedule = std::move_constructible<F> && std::invocable<F&, Resumption>;

namespace coroutine {

struct Here {
  void operator()(const Resumption& resumption) const { resumption(); }
};

template <Schedule F>
struct Resume {
  F schedule;
  Suspended suspended;

  template <class Completion>
  void operator()(const Completion& completion) noexcept {
    schedule(Resumption(std::shared_ptr<Suspended>(completion, &suspended)));
  }
};

template <Schedule F, Source... Sources>
class [[nodiscard]] Ready {
 public:
  Ready(F schedule, const Wait& wait, Sources... sources)
      : schedule_(std::move(schedule)), wait_(wait), sources_(std::move(sources)...) {}
  /// When the coroutine is destroyed before it is resumed.
  ~Ready() {
    if (completion_ == nullptr || !completion_->handler().suspended.leave()) return;
    if (!completion_->abandon()) completion_->give_back();
  }
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;

  class Awaiter {
   public:
    explicit Awaiter(Ready& what) noexcept : what_(what) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    [[nodiscard]] bool await_suspend(std::coroutine_handle<> coroutine) const { return what_.start(coroutine); }
    [[nodiscard]] auto await_resume() const { return std::exchange(what_.completion_, nullptr)->result(); }

   private:
    Ready& what_;
  };
  /// Once, as its sources are used up: so it takes an rvalue.
  [[nodiscard]] Awaiter operator co_await() && noexcept { return Awaiter(*this); }

 private:
  using Completion = wait::Completion<Resume<F>, typename Sources::Case...>;

  // Whether the coroutine is suspended.
  [[nodiscard]] bool start(std::coroutine_handle<> coroutine) {
    completion_ = std::apply(
        [&](Sources&... sources) {
          return std::make_shared<Completion>(Resume<F>{std::move(schedule_), Suspended(coroutine)}, wait_, 0,
                                              std::move(sources)...);
        },
        sources_);
    const auto completion = completion_;
    return !Completion::start(completion);  // when it does not end at once, the coroutine may be gone by now
  }

  F schedule_;
  const Wait wait_;
  std::tuple<Sources...> sources_;
  std::shared_ptr<Completion> completion_;
};

}  // namespace coroutine

/// `co_await ready(…)` is what select(…) would return, and throws what that would throw; the coroutine is suspended
/// meanwhile, and no thread waits. What is there at once does not suspend it. Otherwise it is resumed on the thread
/// that brings it about, as the handler of on_ready(), and until it is suspended again or ends that call of brook's does not
/// return: so it must not block, nor destroy an object that it was called from. An exception that leaves it there terminates.
/// What into() refers to must be there until then, as it is when it is all in one expression.
///
/// Destroying the coroutine while it is suspended here ends the wait. What had been taken for it by then can be taken again:
/// an element is at its end of the list again (which may so become longer than its bound; of several the last one that goes back
/// is the first), deliveries are with the group and
/// were not counted, a message is the next that is received. Only deliveries with no_ack are lost. Who destroys it must know
/// that it is not just being resumed: ready_on() puts that on the thread that does.
template <Selectable... Sources>
requires(sizeof...(Sources) > 0) [[nodiscard]] auto ready(const Wait& wait, Sources&&... sources) {
  return coroutine::Ready<coroutine::Here, selection::SourceOf<Sources>...>(
      {}, wait, brook::from(std::forward<Sources>(sources))...);
}

/// The same, resumed where `schedule` has that done: `schedule(Resumption)` is called, at most once, on the thread that
/// brings it about, and puts the Resumption, a copyable function, in the queue of an executor or an event loop.
template <Schedule F, Selectable... Sources>
requires(sizeof...(Sources) > 0) [[nodiscard]] auto ready_on(F schedule, const Wait& wait, Sources&&... sources) {
  return coroutine::Ready<F, selection::SourceOf<Sources>...>(std::move(schedule), wait,
                                                              brook::from(std::forward<Sources>(sources))...);
}

}  // namespace brook
