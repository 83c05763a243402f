// counting_sync.hpp — doubles of core/sync.hpp that count how many locks each thread has.
//
// Define BROOK_SYNC_HEADER as this file before any header of brook is included.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace brook::sync {

/// Locks of brook's that this thread has.
inline thread_local int locks_held = 0;

class mutex {
 public:
  void lock() {
    mutex_.lock();
    ++locks_held;
  }
  bool try_lock() {
    const bool locked = mutex_.try_lock();
    locks_held += locked ? 1 : 0;
    return locked;
  }
  void unlock() {
    --locks_held;
    mutex_.unlock();
  }

 private:
  std::mutex mutex_;
};

using condition_variable = std::condition_variable_any;
using std::adopt_lock;
using std::atomic;
using std::lock_guard;
using std::thread;
using std::unique_lock;

template <class T>
using plain = T;

using enum std::memory_order;

inline void pause() noexcept {}
inline void yield() noexcept { std::this_thread::yield(); }

template <class T>
[[nodiscard]] T& of_this_thread() noexcept {
  thread_local T value{};
  return value;
}
[[nodiscard]] inline thread::id this_thread() noexcept { return std::this_thread::get_id(); }

inline constexpr int patient_pauses = 8;
inline constexpr int patient_yields = 4;
inline constexpr std::uint64_t reference_stock = std::uint64_t{1} << 32;

}  // namespace brook::sync
