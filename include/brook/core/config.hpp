// config.hpp — the version, the machine's constants, and the only macros of brook.
#pragma once

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#error "brook needs C++20: compile with -std=c++20 or later"
#define BROOK_NEEDS_CXX20 <brook-needs-C++20>
#include BROOK_NEEDS_CXX20  // there is no such file: here compilers stop, where an #error lets them go on to a thousand more
#endif

#include <cassert>
#include <cstddef>

/// The version of the library; CMake reads it from here, so that it is written once.
#define BROOK_VERSION_MAJOR 0
#define BROOK_VERSION_MINOR 1
#define BROOK_VERSION_PATCH 0

/// Checks a precondition in debug builds. A program defines it before the first include to use its own handler.
#ifndef BROOK_ASSERT
#define BROOK_ASSERT(condition) assert(condition)
#endif

// For code that must end what it has begun; without exceptions nothing is ever thrown.
#ifdef __cpp_exceptions
#define BROOK_TRY try
#define BROOK_CATCH(what) catch (what)
#define BROOK_CATCH_ALL catch (...)
#define BROOK_RETHROW throw
#else
#define BROOK_TRY if constexpr (true)
#define BROOK_CATCH(what) else if constexpr (false)
#define BROOK_CATCH_ALL else
#define BROOK_RETHROW static_cast<void>(0)
#endif

namespace brook::core {

/// Distance in bytes that keeps two words written by different threads from sharing a cache line.
/// A constant and not std::hardware_destructive_interference_size, whose value depends on compiler flags
/// and would give two translation units two layouts of one class.
inline constexpr std::size_t cache_line = 64;

/// Has the line of `address` fetched while other work goes on. Any address will do.
inline void prefetch([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  __builtin_prefetch(address);
#endif
}

/// What was read, where that was hard to guess; else the guess, with which work can begin before what was read is there: only
/// the processor, which predicts the branch, then waits for it. (Value speculation.)
template <class T>
[[gnu::always_inline]] inline T read_or_guess(T read, [[maybe_unused]] T guess) noexcept {
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (sizeof(T) <= sizeof(void*)) {  // it lies in one register
    T same = guess;
    asm("" : "+r"(same));  // else the compiler would find out that what was read will do in both cases
    if (read == guess) [[likely]] {
      asm volatile("" : "+r"(same));  // else it would do without a branch
      return same;
    }
  }
#endif
  return read;
}

}  // namespace brook::core
