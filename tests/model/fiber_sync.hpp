// fiber_sync.hpp — doubles of core/sync.hpp whose every operation is a step of the running execution (execution.hpp).
//
// Include it before any header of brook. Outside of an execution the operations just take place, so a test can build and
// take down its objects. Memory orders are demanded and checked for legality, but make no difference here.
#pragma once

#define BROOK_SYNC_HEADER "model/fiber_sync.hpp"
#define BROOK_ASSERT(condition) ((condition) ? void() : ::brook::model::demand(false, "BROOK_ASSERT(" #condition ")"))

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <source_location>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "execution.hpp"

namespace brook::model {

/// Notices an object that is used before its constructor or after its destructor.
class Alive {
 public:
  ~Alive() { mark_ = 0; }
  void check() const { demand(mark_ == alive, "a double is used that is not alive"); }

 private:
  static constexpr std::uint32_t alive = 0x600dbeef;
  volatile std::uint32_t mark_ = alive;  // volatile, or the compiler would leave out the destructor's write
};

template <class T>
[[nodiscard]] std::string shown(const T& value) {
  std::ostringstream text;
  if constexpr (std::is_pointer_v<T>) text << static_cast<const void*>(value);
  else if constexpr (std::is_enum_v<T>) text << +static_cast<std::underlying_type_t<T>>(value);
  else if constexpr (std::is_integral_v<T>) text << "0x" << std::hex << +value;
  else text << "…";
  return text.str();
}

inline void step(const char* what, const void* object, const std::source_location& at) {
  if (Execution* const execution = Execution::current()) execution->step({what, object, at});
}

/// Adds what a step did to the trace; `tell` makes the text only when there is a trace.
template <class Tell>
void told(Tell tell) {
  Execution* const execution = Execution::current();
  if (execution != nullptr && execution->trace() != nullptr) execution->trace()->result(tell());
}

}  // namespace brook::model

namespace brook::sync {

using enum std::memory_order;
using std::adopt_lock;
using std::lock_guard;
using std::unique_lock;

using Caller = std::source_location;

template <class T>
using plain = T;  // that every access is synchronized is for Relacy to prove

template <class T>
class atomic {
 public:
  constexpr atomic() noexcept = default;
  constexpr atomic(T value) noexcept : value_(value) {}
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order, Caller at = Caller::current()) const {
    model::demand(order != release && order != acq_rel, "a load cannot release");
    begin("load", at);
    model::told([&] { return "= " + model::shown(value_); });
    return value_;
  }

  void store(T value, std::memory_order order, Caller at = Caller::current()) {
    model::demand(order != acquire && order != acq_rel && order != consume, "a store cannot acquire");
    begin("store", at);
    write(value);
  }

  T exchange(T value, std::memory_order, Caller at = Caller::current()) {
    begin("exchange", at);
    return write(value);
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order, Caller at = Caller::current()) {
    begin("compare_exchange", at);
    return swap(expected, desired);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order, std::memory_order failure,
                               Caller at = Caller::current()) {
    model::demand(failure != release && failure != acq_rel, "a failed exchange cannot release");
    begin("compare_exchange", at);
    return swap(expected, desired);
  }

  // Never fails without need: a schedule in which it would has the same effect as one more round of the caller's loop.
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order, Caller at = Caller::current()) {
    return compare_exchange_strong(expected, desired, order, at);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             Caller at = Caller::current()) {
    return compare_exchange_strong(expected, desired, success, failure, at);
  }

  T fetch_add(T by, std::memory_order, Caller at = Caller::current()) requires std::integral<T> {
    begin("fetch_add", at);
    return write(static_cast<T>(value_ + by));
  }
  T fetch_sub(T by, std::memory_order, Caller at = Caller::current()) requires std::integral<T> {
    begin("fetch_sub", at);
    return write(static_cast<T>(value_ - by));
  }
  T fetch_or(T bits, std::memory_order, Caller at = Caller::current()) requires std::integral<T> {
    begin("fetch_or", at);
    return write(static_cast<T>(value_ | bits));
  }
  T fetch_and(T bits, std::memory_order, Caller at = Caller::current()) requires std::integral<T> {
    begin("fetch_and", at);
    return write(static_cast<T>(value_ & bits));
  }

 private:
  void begin(const char* what, const Caller& at) const {
    alive_.check();
    model::step(what, this, at);
    alive_.check();  // it may have died while others went on
  }

  T write(T value) {
    const T old = value_;
    value_ = value;
    model::told([&] { return model::shown(old) + " -> " + model::shown(value); });
    return old;
  }

  bool swap(T& expected, T desired) {
    if (value_ == expected) {
      write(desired);
      return true;
    }
    model::told([&] { return "fails: " + model::shown(value_) + ", not " + model::shown(expected); });
    expected = value_;
    return false;
  }

  T value_{};
  model::Alive alive_;
};

class mutex {
 public:
  mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  ~mutex() { model::demand(owner_ == nobody, "a mutex dies while it is locked"); }

  void lock(Caller at = Caller::current()) {
    begin("lock", at);
    model::demand(owner_ != caller(), "a mutex is locked twice by one thread");
    if (model::Execution* const execution = model::Execution::current()) execution->block([this] { return free(); });
    owner_ = caller();
  }

  bool try_lock(Caller at = Caller::current()) {
    begin("try_lock", at);
    if (!free()) return false;
    owner_ = caller();
    return true;
  }

  void unlock(Caller at = Caller::current()) {
    begin("unlock", at);
    release_lock();
  }

 private:
  friend class condition_variable;

  static constexpr int nobody = -2;
  static constexpr int outside = -1;

  [[nodiscard]] static int caller() {
    const model::Execution* const execution = model::Execution::current();
    return execution == nullptr ? outside : execution->thread();
  }

  [[nodiscard]] bool free() const { return owner_ == nobody; }

  void release_lock() {
    model::demand(owner_ == caller(), "a mutex is unlocked by a thread that does not hold it");
    owner_ = nobody;
  }

  void begin(const char* what, const Caller& at) const {
    alive_.check();
    model::step(what, this, at);
    alive_.check();
  }

  int owner_ = nobody;
  model::Alive alive_;
};

class condition_variable {
 public:
  condition_variable() = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;
  ~condition_variable() { model::demand(sleepers_.empty(), "a condition variable dies with sleepers"); }

  void wait(unique_lock<mutex>& held, Caller at = Caller::current()) {
    bool woken = false;
    fall_asleep(held, woken, at);
    model::Execution::current()->block([&] { return woken; });
    held.mutex()->lock(at);
  }

  template <std::predicate Ready>
  void wait(unique_lock<mutex>& held, Ready ready, Caller at = Caller::current()) {
    while (!ready()) wait(held, at);
  }

  std::cv_status wait_until(unique_lock<mutex>& held, model::Execution::Time deadline, Caller at = Caller::current()) {
    bool woken = false;
    fall_asleep(held, woken, at);
    const bool in_time = model::Execution::current()->block([&] { return woken; }, deadline);
    if (!in_time) std::erase(sleepers_, &woken);
    held.mutex()->lock(at);
    return in_time ? std::cv_status::no_timeout : std::cv_status::timeout;
  }

  void notify_one(Caller at = Caller::current()) {
    begin("notify_one", at);
    if (sleepers_.empty()) return;
    const model::Execution* const execution = model::Execution::current();
    wake(execution == nullptr ? 0 : model::Execution::current()->choose(sleepers_.size()));
  }

  void notify_all(Caller at = Caller::current()) {
    begin("notify_all", at);
    while (!sleepers_.empty()) wake(0);
  }

 private:
  // Unlocks and goes to sleep in one step, as a condition variable must.
  void fall_asleep(unique_lock<mutex>& held, bool& woken, const Caller& at) {
    model::demand(model::Execution::current() != nullptr, "nobody could end a sleep outside of an execution");
    begin("sleep", at);
    sleepers_.push_back(&woken);
    held.mutex()->release_lock();
  }

  void wake(std::size_t sleeper) {
    *sleepers_[sleeper] = true;
    sleepers_.erase(sleepers_.begin() + static_cast<std::ptrdiff_t>(sleeper));
  }

  void begin(const char* what, const Caller& at) const {
    alive_.check();
    model::step(what, this, at);
    alive_.check();
  }

  std::vector<bool*> sleepers_;
  model::Alive alive_;
};

inline void yield(Caller at = Caller::current()) {
  if (model::Execution* const execution = model::Execution::current()) execution->yield({"yield", nullptr, at});
}
inline void pause(Caller at = Caller::current()) { yield(at); }

template <class T>
[[nodiscard]] T& of_this_thread() noexcept {
  static T values[8] = {};
  const model::Execution* const execution = model::Execution::current();
  return values[execution == nullptr ? 0 : execution->thread() + 1];
}

/// The threads of an execution are its own: nothing else starts any.
class thread {
 public:
  enum class id : int {};

  thread() = default;
  template <class Body>
  explicit thread(Body&&) {
    model::demand(false, "a thread is started in an execution");
  }

  [[nodiscard]] bool joinable() const noexcept { return false; }
  [[nodiscard]] id get_id() const noexcept { return {}; }
  void join() {}
  void detach() {}
};
[[nodiscard]] inline thread::id this_thread() noexcept {
  const model::Execution* const execution = model::Execution::current();
  return thread::id{execution == nullptr ? 1 : static_cast<int>(execution->thread()) + 2};
}

inline constexpr std::uint64_t reference_stock = 2;
inline constexpr int patient_pauses = 0;
inline constexpr int patient_yields = 0;

}  // namespace brook::sync
