// watching.hpp — how an operation is performed where a probe watches it: the probe performs it, and decides what is
// answered.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <vector>

#include <brook/core/config.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/probe.hpp>

namespace brook::probing {

/// What a result tells of an operation, and what is answered instead of it.
template <class Result>
struct Answer;

template <>
struct Answer<bool> {
  static void tell(bool result, Outcome& outcome) noexcept { outcome.size = result ? 1 : 0; }
  [[nodiscard]] static bool failed(Errc) noexcept { return false; }
  [[nodiscard]] static bool lost(const Call&) noexcept { return true; }
};
template <class Result>
requires(std::is_integral_v<Result>) struct Answer<Result> {
  static void tell(Result result, Outcome& outcome) noexcept { outcome.size = result; }
  [[nodiscard]] static Result failed(Errc) noexcept { return 0; }
  [[nodiscard]] static Result lost(const Call& call) noexcept { return static_cast<Result>(call.size); }
};
template <>
struct Answer<Id> {
  static void tell(Id result, Outcome& outcome) noexcept {
    outcome.size = 1;
    outcome.first = outcome.last = result;
  }
};
/// Of anything else it is known only whether it is there.
template <class Result>
struct Answer {
  static void tell(const Result&, Outcome& outcome) noexcept { outcome.size = 1; }
  [[nodiscard]] static Result lost(const Call&) { return Result(); }
};
template <class T>
struct Answer<std::vector<T>> {
  static void tell(const std::vector<T>& result, Outcome& outcome) noexcept { outcome.size = result.size(); }
  [[nodiscard]] static std::vector<T> failed(Errc) noexcept { return {}; }
  [[nodiscard]] static std::vector<T> lost(const Call&) noexcept { return {}; }
};
template <class T>
struct Answer<std::optional<T>> {
  static void tell(const std::optional<T>& result, Outcome& outcome) noexcept { outcome.size = result ? 1 : 0; }
  [[nodiscard]] static std::optional<T> failed(Errc) noexcept { return std::nullopt; }
  [[nodiscard]] static std::optional<T> lost(const Call&) noexcept { return std::nullopt; }
};
template <>
struct Answer<std::optional<Errc>> {
  static void tell(std::optional<Errc> result, Outcome& outcome) noexcept { outcome.failed = result; }
  [[nodiscard]] static std::optional<Errc> failed(Errc error) noexcept { return error; }
  [[nodiscard]] static std::optional<Errc> lost(const Call&) noexcept { return std::nullopt; }
};
template <class T>
struct Answer<expected<T, Errc>> {
  static void tell(const expected<T, Errc>& result, Outcome& outcome) noexcept {
    if (!result) outcome.failed = result.error();
    else if constexpr (std::is_void_v<T>) outcome.size = 1;
    else Answer<T>::tell(*result, outcome);
  }
  [[nodiscard]] static expected<T, Errc> failed(Errc error) noexcept { return unexpected(error); }
  [[nodiscard]] static expected<T, Errc> lost(const Call& call) {
    if constexpr (std::is_void_v<T>) return {};
    else if constexpr (std::is_default_constructible_v<T>) return Answer<T>::lost(call);
    else return unexpected(Errc::closed);
  }
};

/// The place of a result that is made anew, where it stands: no move of it can throw, nor be one of a type that cannot be
/// moved. Unless it was made when this ends, it is an answer that failed. (Of the result's type alone, as each operation
/// of each object would else have its own.)
template <class Result>
class Anew {
 public:
  explicit Anew(Result& result) noexcept : result_(std::addressof(result)) { std::destroy_at(result_); }
  ~Anew() {
    if (!made_) ::new (place()) Result(Answer<Result>::failed(Errc::closed));
  }
  Anew(const Anew&) = delete;
  Anew& operator=(const Anew&) = delete;

  [[nodiscard]] void* place() const noexcept { return result_; }
  void made() noexcept { made_ = true; }

 private:
  Result* result_;
  bool made_ = false;
};

template <class Result>
void fail(Result& result, Errc error) {
  Anew<Result> anew(result);
  ::new (anew.place()) Result(Answer<Result>::failed(error));
  anew.made();
}

/// What a result says itself of an operation on `size` elements.
template <class Result>
struct Tell {
  const Result& result;
  std::uint64_t size;

  void operator()(Outcome& outcome) const {
    if constexpr (std::is_same_v<Result, std::optional<Errc>>) outcome.size = result ? 0 : size;  // all of them
    Answer<Result>::tell(result, outcome);
  }
};

/// What is answered for an operation that is to seem done.
template <class Result>
struct Lose {
  const Call& call;

  Result operator()() const { return Answer<Result>::lost(call); }
};

/// Has the probe of a watched object watch an operation whose answer goes to `result`, which holds some answer already.
/// `run(manner)` performs it, `tell(outcome)` says what came of it, `lost()` answers for one that is to seem done.
/// `object.ask(call, perform)` asks the probe.
template <class Result, class Object, class Run, class Tell, class Lost>
void watch(Result& result, Object& object, const Call& call, const Run& run, const Tell& tell, const Lost& lost) {
  Outcome told;
  const auto perform = [&](const Manner& manner) {
    Anew<Result> anew(result);
    ::new (anew.place()) Result(run(manner));
    anew.made();
    tell(told);
    told.done = true;
    return told;
  };
  const Outcome outcome = object.ask(call, Perform(perform));
  if (outcome.failed && outcome.failed != told.failed) return fail(result, *outcome.failed);
  if (outcome.done || outcome.failed) return;
  Anew<Result> anew(result);
  ::new (anew.place()) Result(lost());
  anew.made();
}

/// The same, for results that say themselves what came of it.
template <class Result, class Object, class Run, class Lost>
[[gnu::noinline, gnu::cold]] Result watched(Object& object, const Call& call, const Run& run, const Lost& lost) {
  Result result = Answer<Result>::failed(Errc::closed);
  watch(result, object, call, run, Tell<Result>{result, call.size}, lost);
  return result;
}

/// Performs an operation; where the object is watched, as its probe wants it.
template <class Object, class Run>
[[nodiscard]] auto perform(Object& object, const Call& call, const Run& run)
    -> std::invoke_result_t<const Run&, const Manner&> {
  using Result = std::invoke_result_t<const Run&, const Manner&>;
  if (!object.watched()) [[likely]]
    return run(Manner());
  return watched<Result>(object, call, run, Lose<Result>{call});
}

/// Has the probe of a watched object judge what a select or a completion has taken already: `outcome` of it is what performing
/// answers. What the probe does not perform is given back, by `give_back()`. Why the call has nothing, if it has not: `lost` when
/// it is to seem so. Throws what the probe throws, and then it is still the caller's.
template <class Object, class GiveBack>
[[nodiscard, gnu::noinline, gnu::cold]] std::optional<Errc> watch_taken(Object& object, const Call& call,
                                                                        Outcome outcome, const GiveBack& give_back,
                                                                        std::optional<Errc> lost = Errc::timed_out) {
  const auto run = [&](const Manner& manner) {
    if (manner.midway != nullptr) (*manner.midway)();
    outcome.done = true;
    return outcome;
  };
  const Outcome told = object.ask(call, Perform(run));
  if (!outcome.done) give_back();
  if (told.failed) return told.failed;
  return outcome.done ? std::nullopt : lost;
}

/// Closes an object, whatever its probe does.
template <class Object, class Close>
void close(Object& object, const Close& close_now) noexcept {
  bool done = false;
  const auto run = [&](const Manner&) { return close_now(), done = true; };
  BROOK_TRY { static_cast<void>(perform(object, {.operation = Operation::close}, run)); }
  BROOK_CATCH_ALL {}
  if (!done) close_now();
}

/// What midway means to an operation that has no middle.
inline void begin(const Manner& manner) {
  if (manner.midway != nullptr) (*manner.midway)();
}

}  // namespace brook::probing
