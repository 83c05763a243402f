// sync.hpp — the one doorway to atomics, mutexes and condition variables.
//
// A model checker names its own header in BROOK_SYNC_HEADER and gets every concurrency primitive of the
// library replaced by a checked double of the same shape; library code cannot tell the difference.
#pragma once

#ifdef BROOK_SYNC_HEADER
#include BROOK_SYNC_HEADER
#else

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include <brook/core/config.hpp>

namespace brook::sync {

using std::adopt_lock;
using std::atomic;
using std::condition_variable;
using std::lock_guard;
using std::mutex;
using std::thread;
using std::unique_lock;

/// A field that one thread writes and others read only after they synchronized with it. A checker sees each access.
template <class T>
using plain = T;

using enum std::memory_order;

/// Tells the processor that this thread polls.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

/// One T for each thread, zero at first.
template <class T>
[[nodiscard]] T& of_this_thread() noexcept {
  thread_local T value{};
  return value;
}

/// Whose thread runs.
[[nodiscard]] inline thread::id this_thread() noexcept { return std::this_thread::get_id(); }

/// Lets another thread run on this core.
inline void yield() noexcept { std::this_thread::yield(); }

/// How often a thread polls another thread's unfinished step before it goes on without that thread. Going on is
/// always correct, so this is a matter of speed alone, and a checker sets both to 0 to see every such case; then nobody stands by
/// for others either (core/back_off.hpp).
inline constexpr int patient_pauses = 128;
inline constexpr int patient_yields = 4;

/// How many references to a page a group draws at a time, so that handing one out costs nothing. A checker draws few.
inline constexpr std::uint64_t reference_stock = std::uint64_t{1} << 32;

static_assert(atomic<std::uint64_t>::is_always_lock_free && atomic<void*>::is_always_lock_free,
              "brook needs lock-free 64-bit and pointer atomics");

}  // namespace brook::sync
#endif
