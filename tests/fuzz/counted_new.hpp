// counted_new.hpp — operator new replaced by one that counts what each thread has allocated. In one file of a program.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace fuzz {

// What this thread has allocated now, and the most since the last reset.
inline thread_local std::int64_t allocated = 0;
inline thread_local std::int64_t most_allocated = 0;

/// What is allocated by this thread from here on.
class Allocations {
 public:
  Allocations() noexcept : before_(allocated) { most_allocated = allocated; }
  /// The most at any time.
  [[nodiscard]] std::int64_t most() const noexcept { return most_allocated - before_; }

 private:
  const std::int64_t before_;
};

struct alignas(std::max_align_t) CountedBlock {
  std::size_t size;
};

}  // namespace fuzz

void* operator new(std::size_t size) {
  auto* const block = static_cast<fuzz::CountedBlock*>(std::malloc(size + sizeof(fuzz::CountedBlock)));
  if (block == nullptr) throw std::bad_alloc();
  block->size = size;
  fuzz::allocated += static_cast<std::int64_t>(size);
  fuzz::most_allocated = std::max(fuzz::most_allocated, fuzz::allocated);
  return block + 1;
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  auto* const block = static_cast<fuzz::CountedBlock*>(memory) - 1;
  fuzz::allocated -= static_cast<std::int64_t>(block->size);
  std::free(block);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
