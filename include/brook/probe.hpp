// probe.hpp — who watches the operations of an object, and may disturb them: <brook/testing.hpp> has one that injects
// faults and one that records. An object without a probe pays nothing for it.
//
//   struct Count final : brook::Probe {
//     brook::Outcome watch(const brook::Call&, const brook::Perform& perform) override { return ++calls, perform(); }
//     std::atomic<int> calls = 0;
//   } count;
//   brook::Stream<Order> orders({.probe = &count});
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>
#include <brook/wait.hpp>

namespace brook {

/// What is watched: whatever changes an object, or takes from it. What only looks (range, size, info, pending, lrange …)
/// is not.
enum class Operation : unsigned char {
  add,        ///< to a stream, in whichever form; a dead letter too
  read,       ///< of a stream, or by a consumer: new entries or its history
  claim,      ///< of pending entries: claim, auto_claim
  ack,        ///< of one entry: a batch makes as many of them
  nack,       ///< of one entry
  forward,    ///< of one entry; what it adds elsewhere is an add or a push there, within this one
  erase,      ///< of entries or elements: erase, lrem, clear
  trim,       ///< of a stream or a list
  regroup,    ///< create_group, set_id, delete_consumer, destroy
  push,       ///< to a list, at an end or beside an element
  pop,        ///< from a list, or from several: of the first one
  move,       ///< from this list to another
  set,        ///< of an element of a list
  publish,    ///< to a channel, or to names of a PubSub
  subscribe,  ///< to them, also under further names
  receive,    ///< by a subscription; a call of its function
  close,      ///< of any of them; it cannot be kept from happening
};

[[nodiscard]] constexpr std::string_view to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::add: return "add";
    case Operation::read: return "read";
    case Operation::claim: return "claim";
    case Operation::ack: return "ack";
    case Operation::nack: return "nack";
    case Operation::forward: return "forward";
    case Operation::erase: return "erase";
    case Operation::trim: return "trim";
    case Operation::regroup: return "regroup";
    case Operation::push: return "push";
    case Operation::pop: return "pop";
    case Operation::move: return "move";
    case Operation::set: return "set";
    case Operation::publish: return "publish";
    case Operation::subscribe: return "subscribe";
    case Operation::receive: return "receive";
    case Operation::close: return "close";
  }
  return "unknown";
}

/// Of each type its own, as an address.
template <class T>
inline constexpr char type_mark{};

/// The values that a call adds, pushes or publishes, whatever their type. They are the caller's: look at them before the
/// operation is performed.
class GivenValues {
 public:
  GivenValues() = default;
  /// Values as the library stores them.
  template <class T>
  [[nodiscard]] static GivenValues of(const log::Values<log::PayloadOf<T>>& values) noexcept {
    const auto at = [](const void* all, std::size_t i) noexcept -> const void* {
      return std::addressof(log::value_of<T>((*static_cast<const log::Values<log::PayloadOf<T>>*>(all))[i]));
    };
    return {&values, values.size(), at, &type_mark<T>};
  }
  /// A single one.
  template <class T>
  [[nodiscard]] static GivenValues of_one(const T& value) noexcept {
    return {&value, 1, [](const void* one, std::size_t) noexcept { return one; }, &type_mark<T>};
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The i-th; null when there are not so many, or they are not of this type.
  template <class T>
  [[nodiscard]] const T* get(std::size_t i = 0) const noexcept {
    return type_ == &type_mark<T> && i < size_ ? static_cast<const T*>(at_(values_, i)) : nullptr;
  }
  /// `type_mark` of their type; null when there are none.
  [[nodiscard]] const void* type() const noexcept { return type_; }

 private:
  using At = const void* (*)(const void*, std::size_t) noexcept;

  GivenValues(const void* values, std::size_t size, At at, const void* type) noexcept
      : values_(values), size_(size), at_(at), type_(type) {}

  const void* values_ = nullptr;
  std::size_t size_ = 0;
  At at_ = nullptr;
  const void* type_ = nullptr;
};

/// One operation, as its caller asked for it. Valid while it is watched.
struct Call {
  Operation operation{};                          ///< what is done
  ObjectKind kind{};                              ///< to what
  const void* object = nullptr;                   ///< which it is: see Probed
  std::string_view name = {};                     ///< of the object; empty when it has none
  std::string_view group = {};                    ///< where a group or a consumer does it
  std::string_view consumer = {};                 ///< where a consumer does it
  std::span<const std::string_view> topics = {};  ///< the names in a PubSub that are published or subscribed to
  Id id{};                                        ///< the entry, or the first of them, where the caller names it
  std::uint64_t size = 0;      ///< how many values are given, entries are named, or are wanted at most
  GivenValues values = {};     ///< what is added, pushed or published
  const Wait* wait = nullptr;  ///< how long it may wait; null when it does not wait
  Clock* clock = nullptr;      ///< the object's
  /// It is part of another operation that holds a lock: it must not be delayed, and the objects must not be used.
  bool locked = false;
  /// No thread sleeps for it, as it belongs to a completion: it must not be delayed, as that would delay somebody else.
  bool prompt = false;
};

/// What came of an operation.
struct Outcome {
  bool done = false;             ///< it was performed
  std::optional<Errc> failed{};  ///< why it changed nothing, as its caller is told
  std::uint64_t size = 0;        ///< how many were added, taken, acknowledged, reached
  Id first{};                    ///< the id of the first of them, where they have ids
  Id last{};                     ///< the id of the last
};

/// How to perform an operation, if not as its caller asked for it.
struct Manner {
  const Wait* wait = nullptr;  ///< instead of the call's own; where that is null it means nothing
  /// Called in the middle of it: when a single value that is added to a stream, or published to a channel, has its slot
  /// in the log, and is not there yet for anybody. Of other operations before they begin.
  const std::function<void()>* midway = nullptr;
};

/// Performs the operation that is being watched: at most once, on the thread that called it. Throws what that throws.
class Perform {
 public:
  /// For the library: `run` performs it.
  template <class F>
  explicit Perform(const F& run) noexcept
      : run_(&run),
        call_([](const void* what, const Manner& how) -> Outcome { return (*static_cast<const F*>(what))(how); }) {}

  /// Performs it, and tells what came of it.
  Outcome operator()(const Manner& how = {}) const { return call_(run_, how); }

 private:
  const void* run_;
  Outcome (*call_)(const void*, const Manner&);
};

/// Who watches. It must outlive every object that has it, and is called by all threads that use them, by several at once.
class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;

  /// Called for each operation, instead of it. What is returned is what the operation's caller is told:
  ///   of what was performed   its outcome; with another error in `failed` the answer is lost: it has taken effect, and its
  ///                           caller is told that it has not
  ///   of what was not         `failed`, and nothing has changed; without an error it is lost: its caller is told that it was
  ///                           done (an add, a push, a publish, an ack), or that there is nothing (a read, a pop, a receive)
  /// An operation that knows no error answers that there is nothing, or that nothing was done.
  virtual Outcome watch(const Call& call, const Perform& perform) = 0;

  /// The probe of an object that has this name; it lives as long as this one. Called when a broker makes an object.
  [[nodiscard]] virtual Probe* named(std::string_view) { return this; }
};

/// Which object it is, for who compares it with Call::object.
class Probed {
 public:
  Probed() = default;
  /// A stream, a list, a channel, a PubSub.
  template <class Object>
  requires requires(const Object& object) { probed_as(object); }
  Probed(const Object& object) noexcept : object_(probed_as(object)) {}
  /// As in Call::object; null for none.
  [[nodiscard]] const void* get() const noexcept { return object_; }

 private:
  const void* object_ = nullptr;
};

/// How an object's operations begin: straight away, unless it is watched, or gone while handles of it live on.
enum class Standing : unsigned char { plain, watched, gone };

[[nodiscard]] constexpr Standing standing_with(const Probe* probe) noexcept {
  return probe != nullptr ? Standing::watched : Standing::plain;
}

namespace probing {

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

/// Makes `result` anew, in place: no move of it can throw, nor be one of a type that cannot be moved.
template <class Result, class Make>
void remake(Result& result, Make&& make) {
  std::destroy_at(std::addressof(result));
  void* const here = std::addressof(result);
  core::Undo undo([&] { ::new (here) Result(Answer<Result>::failed(Errc::closed)); });
  ::new (here) Result(make());
  undo.keep();
}

/// Has the probe of a watched object watch an operation whose answer goes to `result`, which holds some answer already.
/// `run(manner)` performs it, `tell(outcome)` says what came of it, `lost()` answers for one that is to seem done.
/// `object.ask(call, perform)` asks the probe.
template <class Result, class Object, class Run, class Tell, class Lost>
void watch(Result& result, Object& object, const Call& call, const Run& run, const Tell& tell, const Lost& lost) {
  Outcome told;
  const auto perform = [&](const Manner& manner) {
    remake(result, [&] { return run(manner); });
    tell(told);
    told.done = true;
    return told;
  };
  const Outcome outcome = object.ask(call, Perform(perform));
  if (outcome.failed && outcome.failed != told.failed)
    remake(result, [&] { return Answer<Result>::failed(*outcome.failed); });
  else if (!outcome.done && !outcome.failed) remake(result, lost);
}

/// The same, for results that say themselves what came of it.
template <class Result, class Object, class Run, class Lost>
[[gnu::noinline, gnu::cold]] Result watched(Object& object, const Call& call, const Run& run, const Lost& lost) {
  Result result = Answer<Result>::failed(Errc::closed);
  const auto tell = [&](Outcome& outcome) {
    if constexpr (std::is_same_v<Result, std::optional<Errc>>) outcome.size = result ? 0 : call.size;  // all of them
    Answer<Result>::tell(result, outcome);
  };
  watch(result, object, call, run, tell, lost);
  return result;
}

/// Performs an operation; where the object is watched, as its probe wants it.
template <class Object, class Run>
[[nodiscard]] auto perform(Object& object, const Call& call, const Run& run)
    -> std::invoke_result_t<const Run&, const Manner&> {
  using Result = std::invoke_result_t<const Run&, const Manner&>;
  if (!object.watched()) [[likely]]
    return run(Manner());
  return watched<Result>(object, call, run, [&] { return Answer<Result>::lost(call); });
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

}  // namespace probing

}  // namespace brook
