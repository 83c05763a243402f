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

#include <brook/clock.hpp>
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

}  // namespace brook
