// heap.hpp — what the allocator has handed out and has in stock, by glibc's own account.
#pragma once

#include <cstddef>

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
#define BROOK_BENCH_HEAP
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace bench {

#ifdef BROOK_BENCH_HEAP
/// Bytes in use, with the allocator's own overhead for each piece.
inline double in_use() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}
#endif

/// What is allocated next is memory that nobody has touched.
inline void forget_free_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

}  // namespace bench
