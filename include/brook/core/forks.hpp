// forks.hpp — whether this process is still the one that started a thread.
#pragma once

#include <brook/core/sync.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace brook::core {

/// How many forks lie between the process that asked first and this one. A child has none of its parent's threads, and a
/// mutex that one of them held stays locked in it.
[[nodiscard]] inline unsigned forks() noexcept {
  static sync::atomic<unsigned> count{0};
#if defined(__unix__) || defined(__APPLE__)
  [[maybe_unused]] static const int asked = pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1, sync::seq_cst); });
#endif
  return count.load(sync::seq_cst);
}

}  // namespace brook::core
