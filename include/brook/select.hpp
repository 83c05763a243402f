// select.hpp — waiting for several things at once, and being called instead of waiting.
//
//   auto got = brook::select(5s, worker, jobs, ticks);                    // a consumer, a list, a subscription: one of them
//   if (got && got->index() == 1) work(std::get<1>(*got));
//
//   auto handle = brook::on_ready([](brook::expected<Job, brook::Errc> job) { … }, 5s, jobs);
//   handle.cancel();
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include <brook/core/later.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/select/sources.hpp>
#include <brook/stream.hpp>
#include <brook/wait.hpp>
#include <brook/wait/choose.hpp>
#include <brook/wait/completion.hpp>
#include <brook/wait/selection.hpp>

namespace brook {

/// What is taken from one of several sources: a std::variant in their order, whose index() tells which one it was. Of one
/// source it is what is taken itself.
template <Selectable... Sources>
using Selected = selection::Taken<Sources...>;

/// Takes from exactly one source: from the first, in the order of the arguments, that has something, or, when none has, from
/// the first that will have. Sources are lists, subscriptions, consumers, and what from(), moving() and into() say. Nothing
/// is lost when it ends otherwise, and it stands in the line of each as who waits there alone does. Sources are asked one
/// after the other, not at one instant. A source that is closed and has nothing left is passed over. Time is that of the
/// clock of the first source whose object is there; what comes back to a group, or expires, by itself does so on its own clock.
/// Errors: timed_out; cancelled; when all sources are over what the first would answer, which is closed unless it says
/// otherwise. Throws what taking from a source throws, and then nothing was taken. O(sources), each as its own call.
template <Selectable... Sources>
requires(sizeof...(Sources) > 0)
    [[nodiscard]] expected<Selected<Sources...>, Errc> select(const Wait& wait, Sources&&... sources) {
  selection::SelectionOf<Sources...> selection(0, brook::from(std::forward<Sources>(sources))...);
  return wait::choose(selection, wait);
}

/// The same, asking the sources in turn.
template <Selectable... Sources>
requires(sizeof...(Sources) > 0)
    [[nodiscard]] expected<Selected<Sources...>, Errc> select(const Wait& wait, Rotation& turn, Sources&&... sources) {
  selection::SelectionOf<Sources...> selection(turn.next, brook::from(std::forward<Sources>(sources))...);
  auto selected = wait::choose(selection, wait);
  if (selected) turn.next = *selection.taken() + 1;
  return selected;
}

/// The wait comes first.
template <class WaitIsNotFirst, class... Others>
requires Selectable<WaitIsNotFirst> &&
    (!std::convertible_to<WaitIsNotFirst, const Wait&>)void select(WaitIsNotFirst&&, Others&&...) = delete;

/// Reads from several streams, of whatever types: waits until one of them has entries, and answers what each has then (XREAD
/// BLOCK with several keys), all empty only when the time is up: `read(5s, from(orders, a), from(refunds, b, 100))`. To a probe
/// that is a read of each stream, once there is something or the time is up. Errors: cancelled; closed when all are closed and nothing follows.
template <class... T>
requires(sizeof...(T) > 0)
    [[nodiscard]] expected<std::tuple<Entries<T>...>, Errc> read(const Wait& wait, stream::ReadFrom<T>... sources) {
  (sources.resolve(), ...);
  for (std::optional<Wait> until;;) {
    wait::Selection<stream::Reading<T>...> selection(0, sources...);
    if (!until) until = wait.until(selection.clock());
    std::optional<Wait> begun;
    const Errc why = wait::take_or_sleep(selection, *until, begun);
    const bool late = !selection.taken() && why == Errc::timed_out;
    if (!selection.taken() && !late) return unexpected(why);
    std::tuple<Entries<T>...> all{sources.entries()...};
    const bool some = std::apply([](const auto&... one) { return (!one.empty() || ...); }, all);
    if (!some && !late) continue;  // it was removed in between
    std::optional<Errc> failed;
    const auto pass = [&](auto&... entries) { static_cast<void>(((failed = sources.pass(entries, *until)) || ...)); };
    std::apply(pass, all);
    if (failed) return unexpected(*failed);
    return all;
  }
}

/// What can still be done about a completion. Dropping it does nothing: the completion goes on. Thread-safe; copies mean the
/// same completion.
class CancelHandle {
 public:
  /// Of no completion.
  CancelHandle() = default;

  /// Ends it with Errc::cancelled, unless it has ended: the handler tells. Called here, or, if another thread is at it, there.
  void cancel() const noexcept {
    if (const auto completion = completion_.lock()) completion->cancel();
  }

  /// For the library.
  explicit CancelHandle(const std::shared_ptr<wait::AnyCompletion>& completion) noexcept : completion_(completion) {}

 private:
  std::weak_ptr<wait::AnyCompletion> completion_;  // the handler may own whoever has this handle
};

namespace selection {

template <class F>
struct CallWithResult {
  F function;

  template <class Completion>
  void operator()(const Completion& completion) noexcept {
    function(completion->result_or_why_not());
  }
};

}  // namespace selection

/// A function that is called with what a select() of these sources would return.
template <class F, class... Sources>
concept ReadyHandler = std::move_constructible<F> && std::invocable<F&, expected<Selected<Sources...>, Errc>>;

/// As select(), but does not wait: `handler(expected<Selected, Errc>)` is called, exactly once, when there is something or
/// when not, and why: on the thread that brings that about, be it one that adds, pushes, publishes, closes, cancels or
/// requests a stop, or the clock's own; before its call returns, with no lock of brook's held. It may be called before
/// on_ready() returns, on this thread. It must not throw, nor block, nor destroy an object that it was called from, but may
/// use all of them. Handlers that become due while one runs on the same thread run after it.
///
/// What is taken is the handler's: nothing is lost when a completion is cancelled or its time is up. Completions stand in
/// line with calls that wait, and may outlive the objects, not their clocks. Errors further, where a call would have thrown:
/// out_of_memory; exception, when a value throws as it is copied or moved, which then stays where it was. Throws as select(), and std::bad_alloc; the handler is then not called.
template <class F, Selectable... Sources>
requires(sizeof...(Sources) > 0) && ReadyHandler<F, Sources...> CancelHandle
    on_ready(F handler, const Wait& wait, Sources&&... sources) {
  using Handler = selection::CallWithResult<F>;
  using Completion = wait::Completion<Handler, typename selection::KeptSourceOf<Sources>::Case...>;
  const core::Later later;  // a handler that comes here again is called again, and not within itself
  const auto completion = std::make_shared<Completion>(Handler{std::move(handler)}, wait, 0,
                                                       selection::kept(brook::from(std::forward<Sources>(sources)))...);
  if (Completion::start(completion)) Completion::call_later(completion);
  return CancelHandle(completion);
}

/// The wait comes before the sources.
template <class F, class WaitIsNotFirst, class... Others>
requires Selectable<WaitIsNotFirst> &&
    (!std::convertible_to<WaitIsNotFirst, const Wait&>)void on_ready(F, WaitIsNotFirst&&, Others&&...) = delete;

}  // namespace brook
