#include "failing_new.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

using brook::contract::Failing;

thread_local std::uint64_t until_failure = 0;  // 0: never
thread_local Failing how_failing = Failing::once;
thread_local bool has_failed = false;
thread_local std::int64_t held = 0;

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (until_failure != 0 && --until_failure == 0) {
    has_failed = true;
    if (how_failing == Failing::from_then_on) until_failure = 1;
    return nullptr;
  }
  ++held;
  if (size == 0) size = 1;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void release(void* memory) noexcept {
  held -= memory != nullptr ? 1 : 0;
  std::free(memory);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}

std::size_t number(std::align_val_t alignment) noexcept { return static_cast<std::size_t>(alignment); }

}  // namespace

namespace brook::contract {

FailingNew::FailingNew(std::uint64_t n, Failing how) noexcept {
  has_failed = false;
  until_failure = n;
  how_failing = how;
}
FailingNew::~FailingNew() { until_failure = 0; }
bool FailingNew::happened() noexcept { return has_failed; }

std::int64_t allocations_held() noexcept { return held; }

SafeNew::SafeNew() noexcept : saved_(std::exchange(until_failure, 0)), how_(how_failing) {}
SafeNew::~SafeNew() {
  until_failure = saved_;
  how_failing = how_;
}

}  // namespace brook::contract

void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t to) { return allocate_or_throw(size, number(to)); }
void* operator new[](std::size_t size, std::align_val_t to) { return allocate_or_throw(size, number(to)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t to, const std::nothrow_t&) noexcept {
  return allocate(size, number(to));
}
void* operator new[](std::size_t size, std::align_val_t to, const std::nothrow_t&) noexcept {
  return allocate(size, number(to));
}

void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept { release(memory); }
