// failing_new.hpp — makes an allocation of one's choice fail. This program's operator new is in failing_new.cpp.
#pragma once

#include <cstdint>

namespace brook::contract {

/// Whether one allocation fails, or all that follow do too.
enum class Failing { once, from_then_on };

/// While it lives, the n-th allocation of this thread throws std::bad_alloc, counted from 1; none does for 0.
class FailingNew {
 public:
  explicit FailingNew(std::uint64_t n, Failing how = Failing::once) noexcept;
  ~FailingNew();
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;

  /// Whether it came to that. Kept when it ends.
  [[nodiscard]] static bool happened() noexcept;
};

/// Allocations of this thread, but for those that this thread has released.
[[nodiscard]] std::int64_t allocations_held() noexcept;

/// While it lives, allocations of this thread neither count nor fail.
class SafeNew {
 public:
  SafeNew() noexcept;
  ~SafeNew();
  SafeNew(const SafeNew&) = delete;
  SafeNew& operator=(const SafeNew&) = delete;

 private:
  std::uint64_t saved_;
  Failing how_;
};

}  // namespace brook::contract
