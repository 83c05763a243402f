// wakeable.hpp — what a source wakes when there may be what it waits for.
#pragma once

#include <brook/core/config.hpp>

namespace brook::wait {

/// A blocked call, or a completion. To be woken means to look again; it may find nothing.
class Wakeable {
 public:
  /// By any thread, also with locks of ours held.
  virtual void wake() = 0;

 protected:
  ~Wakeable() = default;
};

}  // namespace brook::wait
