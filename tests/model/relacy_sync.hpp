// relacy_sync.hpp — doubles of core/sync.hpp on top of Relacy, which explores what the C++ memory model allows: a load may
// see an old value, and an access that is not synchronized is a data race.
//
// Include it before any header of brook. Relacy's macros stop here. It also tracks the heap: an execution fails that
// leaks, frees twice, or touches an object after its destructor.
//
// What Relacy does not show: loads of values that are stored later, and modification orders other than the order of
// execution. It shows at most the last three values of an atomic.
#pragma once

#define BROOK_SYNC_HEADER "model/relacy_sync.hpp"
#define BROOK_ASSERT(condition) ((condition) ? void() : ::brook::model::demand(false, "BROOK_ASSERT(" #condition ")"))

#include <atomic>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

// Relacy replaces these with inline functions. The standard library's own code must find them too, so none may vanish.
[[gnu::used]] inline void* operator new(std::size_t);
[[gnu::used]] inline void* operator new[](std::size_t);
[[gnu::used]] inline void operator delete(void*) noexcept;
[[gnu::used]] inline void operator delete[](void*) noexcept;

#pragma push_macro("assert")
#pragma push_macro("errno")
#include <relacy/relacy.hpp>
#undef $
#undef VAR
#undef VAR_T
#undef TLS_T
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#pragma pop_macro("errno")
#pragma pop_macro("assert")

// The forms that Relacy leaves out: deletion with a size, and over-aligned types. The latter reserve enough room to align
// inside of it, and leave the block's own address before what they return.
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }
void operator delete[](void* block, std::size_t) noexcept { ::operator delete[](block); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  std::size_t room = size + align;
  void* const block = ::operator new(room + sizeof(void*));
  void* aligned = static_cast<std::byte*>(block) + sizeof(void*);
  std::align(align, size, aligned, room);
  static_cast<void**>(aligned)[-1] = block;
  return aligned;
}
void* operator new[](std::size_t size, std::align_val_t alignment) { return ::operator new(size, alignment); }
void operator delete(void* aligned, std::align_val_t) noexcept {
  if (aligned != nullptr) ::operator delete(static_cast<void**>(aligned)[-1]);
}
void operator delete[](void* aligned, std::align_val_t alignment) noexcept { ::operator delete(aligned, alignment); }
void operator delete(void* aligned, std::size_t, std::align_val_t alignment) noexcept {
  ::operator delete(aligned, alignment);
}
void operator delete[](void* aligned, std::size_t, std::align_val_t alignment) noexcept {
  ::operator delete(aligned, alignment);
}

namespace brook::model {

/// Where a double was called, in Relacy's terms: the history of a failure then shows lines of brook.
class Caller {
 public:
  Caller(std::source_location at = std::source_location::current())  // NOLINT: made at the call
      : info_(at.function_name(), at.file_name(), at.line()) {}
  operator const rl::debug_info&() const { return info_; }

 private:
  rl::debug_info info_;
};

/// Fails the execution unless `holds`.
inline void demand(bool holds, const char* otherwise, const Caller& at = {}) {
  if (!holds) rl::ctx().fail_test(otherwise, rl::test_result_user_assert_failed, at);
}

[[nodiscard]] constexpr rl::memory_order relacys(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed: return rl::mo_relaxed;
    case std::memory_order_consume: return rl::mo_consume;
    case std::memory_order_acquire: return rl::mo_acquire;
    case std::memory_order_release: return rl::mo_release;
    case std::memory_order_acq_rel: return rl::mo_acq_rel;
    case std::memory_order_seq_cst: break;
  }
  return rl::mo_seq_cst;
}

/// The order of a failed exchange for which none was given.
[[nodiscard]] constexpr std::memory_order on_failure(std::memory_order success) {
  if (success == std::memory_order_acq_rel) return std::memory_order_acquire;
  if (success == std::memory_order_release) return std::memory_order_relaxed;
  return success;
}

}  // namespace brook::model

namespace brook::sync {

using enum std::memory_order;
using std::adopt_lock;
using std::lock_guard;
using std::unique_lock;

using model::Caller;

/// What comes into being and dies is not atomic: who uses it must know that it was made, and is not yet gone.
class Lifetime {
 public:
  Lifetime() { access_(Caller()) = 1; }
  ~Lifetime() { access_(Caller()) = 1; }
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  void note_use(const Caller& at) const { static_cast<void>(access_(at).load()); }

 private:
  rl::var<int> access_;
};

template <class T>
class atomic {
 public:
  atomic(T value = T{}) { word_.store(stored(value), rl::mo_relaxed, Caller()); }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order, Caller at = {}) const {
    lifetime_.note_use(at);
    model::demand(order != release && order != acq_rel, "a load cannot release", at);
    return static_cast<T>(word_.load(model::relacys(order), at));
  }
  void store(T value, std::memory_order order, Caller at = {}) {
    lifetime_.note_use(at);
    model::demand(order != acquire && order != acq_rel && order != consume, "a store cannot acquire", at);
    word_.store(stored(value), model::relacys(order), at);
  }
  T exchange(T value, std::memory_order order, Caller at = {}) {
    lifetime_.note_use(at);
    return static_cast<T>(word_.exchange(stored(value), model::relacys(order), at));
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               Caller at = {}) {
    lifetime_.note_use(at);
    model::demand(failure != release && failure != acq_rel, "a failed exchange cannot release", at);
    return looks_different(expected, failure, at) ? false : swap(expected, desired, success, failure, at);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             Caller at = {}) {
    T seen = expected;
    if (rl::rand(4) == 0) {  // fails without need
      seen = load(failure, at);
      expected = seen;
      return false;
    }
    return compare_exchange_strong(expected, desired, success, failure, at);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order, Caller at = {}) {
    return compare_exchange_strong(expected, desired, order, model::on_failure(order), at);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order, Caller at = {}) {
    return compare_exchange_weak(expected, desired, order, model::on_failure(order), at);
  }

  T fetch_add(T by, std::memory_order order, Caller at = {}) requires std::integral<T> {
    lifetime_.note_use(at);
    return word_.fetch_add(by, model::relacys(order), at);
  }
  T fetch_sub(T by, std::memory_order order, Caller at = {}) requires std::integral<T> {
    lifetime_.note_use(at);
    return word_.fetch_sub(by, model::relacys(order), at);
  }
  T fetch_or(T bits, std::memory_order order, Caller at = {}) requires std::integral<T> {
    lifetime_.note_use(at);
    return word_.fetch_or(bits, model::relacys(order), at);
  }
  T fetch_and(T bits, std::memory_order order, Caller at = {}) requires std::integral<T> {
    lifetime_.note_use(at);
    return word_.fetch_and(bits, model::relacys(order), at);
  }

 private:
  struct Itself {
    using type = T;
  };
  // Relacy prints what it stores, which it cannot do with an enumeration.
  using Word = typename std::conditional_t<std::is_enum_v<T>, std::underlying_type<T>, Itself>::type;

  static Word stored(T value) { return static_cast<Word>(value); }

  // A failed exchange is a load, and may see an old value; Relacy by itself only lets it see the newest. True when it
  // did and is thereby over. Not always tried, because an old value that is as expected may bring along an acquisition
  // that the exchange itself would not.
  bool looks_different(T& expected, std::memory_order failure, const Caller& at) {
    if (!rl::ctx().is_random_sched() || rl::rand(4) != 0) return false;
    const T seen = load(failure, at);
    if (seen == expected) return false;
    expected = seen;
    return true;
  }

  // Relacy refuses a failure order that is stronger than the success order. So find out which it will be, before
  // anybody else can move, and ask for that half alone.
  bool swap(T& expected, T desired, std::memory_order success, std::memory_order failure, const Caller& at) {
    rl::ctx().sched();
    const rl::preemption_disabler alone(rl::ctx());
    Word word = stored(expected);
    const bool fits = word_.debug_value() == word;
    word_.compare_exchange_strong(word, stored(desired), fits ? model::relacys(success) : rl::mo_seq_cst, at,
                                  fits ? rl::mo_relaxed : model::relacys(failure), at);
    expected = static_cast<T>(word);
    return fits;
  }

  Lifetime lifetime_;
  rl::atomic<Word> word_;
};

/// Each access is checked against those of other threads. Converting to a reference counts as reading, and dying as
/// writing.
template <class T>
class plain {
 public:
  plain() = default;
  plain(T value) : value_(std::move(value)) { note_write(); }
  plain(const plain& other) : plain(static_cast<const T&>(other)) {}
  plain& operator=(const plain& other) { return *this = static_cast<const T&>(other); }
  plain& operator=(T value) {
    note_write();
    value_ = std::move(value);
    return *this;
  }
  ~plain() { note_write(); }

  operator const T&() const {
    note_read();
    return value_;
  }
  const T& operator->() const { return *this; }
  decltype(auto) operator[](std::size_t i) const { return static_cast<const T&>(*this)[i]; }
  plain& operator+=(T by) { return *this = static_cast<T>(static_cast<const T&>(*this) + by); }
  plain& operator-=(T by) { return *this = static_cast<T>(static_cast<const T&>(*this) - by); }
  plain& operator++() { return *this += 1; }
  plain& operator--() { return *this -= 1; }

 private:
  void note_write() { access_(Caller()) = 1; }
  void note_read() const { static_cast<void>(access_(Caller()).load()); }

  T value_{};
  rl::var<int> access_;
};

/// try_lock does not fail without need, as the standard would let it; but a thread that does not know of the last unlock, by
/// what it has synchronized with, may find the mutex locked.
class mutex {
 public:
  mutex() { mutex_.init(false, false, false, false, Caller()); }
  ~mutex() { mutex_.deinit(Caller()); }
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  void lock(Caller at = {}) { mutex_.lock(at); }
  bool try_lock(Caller at = {}) { return !looks_locked() && mutex_.try_lock_exclusive(at); }
  void unlock(Caller at = {}) {
    const rl::thread_info_base& self = *rl::ctx().threadx_;
    unlocker_ = self.index_;
    unlocked_at_ = self.own_acq_rel_order_ + 1;
    mutex_.unlock(at);
  }

 private:
  friend class condition_variable;

  [[nodiscard]] bool looks_locked() const {
    return rl::ctx().threadx_->acq_rel_order_[unlocker_] < unlocked_at_ && rl::rand(2) == 0;
  }

  rl::generic_mutex<rl::mutex_tag_std> mutex_;
  rl::thread_id_t unlocker_ = 0;
  rl::timestamp_t unlocked_at_ = 0;
};

/// Wakes without need now and then. A wait with a deadline may end at any time.
class condition_variable {
 public:
  condition_variable() { sleepers_.init(true, Caller()); }
  ~condition_variable() { sleepers_.deinit(Caller()); }
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;

  void wait(unique_lock<mutex>& held, Caller at = {}) { sleepers_.wait(held.mutex()->mutex_, false, at); }

  template <std::predicate Ready>
  void wait(unique_lock<mutex>& held, Ready ready, Caller at = {}) {
    while (!ready()) wait(held, at);
  }

  template <class Time>
  std::cv_status wait_until(unique_lock<mutex>& held, const Time&, Caller at = {}) {
    const bool late = sleepers_.wait(held.mutex()->mutex_, true, at) == rl::sema_wakeup_reason_timeout;
    return late ? std::cv_status::timeout : std::cv_status::no_timeout;
  }

  void notify_one(Caller at = {}) { sleepers_.notify_one(at); }
  void notify_all(Caller at = {}) { sleepers_.notify_all(at); }

 private:
  rl::condvar<rl::condvar_tag_std> sleepers_;
};

inline void yield(Caller at = {}) { rl::yield(1, at); }
inline void pause(Caller at = {}) { rl::yield(1, at); }

/// The threads of a claim are Relacy's; a claim cannot start others.
class thread {
 public:
  enum class id : unsigned {};

  thread() = default;
  template <std::invocable Run>
  explicit thread(Run) {
    model::demand(false, "a claim cannot start threads");
  }

  [[nodiscard]] bool joinable() const noexcept { return false; }
  [[nodiscard]] id get_id() const noexcept { return id{}; }
  void join() {}
  void detach() {}
};

[[nodiscard]] inline thread::id this_thread() noexcept { return thread::id{rl::thread_index() + 1U}; }

template <class T>
[[nodiscard]] T& of_this_thread() noexcept {
  static T values[8] = {};
  return values[rl::thread_index()];
}

inline constexpr std::uint64_t reference_stock = 2;
inline constexpr int patient_pauses = 0;
inline constexpr int patient_yields = 0;

}  // namespace brook::sync
