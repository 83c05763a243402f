// end_later.hpp — ending segments where it does no harm.
//
// Whoever drops the last pin of a retired segment ends its life, which runs the destructors of values: the user's code. It
// may take any lock, or come back here, so it must not run while this thread has a lock of ours. A scope with EndLater
// collects the segments that end in it, without memory of its own, and ends them when it closes.
#pragma once

#include <utility>

#include <brook/core/sync.hpp>
#include <brook/log/pool.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// Declare it before the lock. Within another one's scope it does nothing. On the stack of one thread.
template <class Payload>
class EndLater {
 public:
  using Segment = log::Segment<Payload>;

  EndLater() noexcept {
    if (here() == nullptr) here() = this;
  }
  ~EndLater() {
    if (here() != this) return;
    end_now();
    here() = nullptr;
  }
  EndLater(const EndLater&) = delete;
  EndLater& operator=(const EndLater&) = delete;

  /// For a scope that goes on after the lock was dropped.
  void end_now() noexcept {
    while (first_ != nullptr) {
      Segment& segment = *first_;
      first_ = std::exchange(segment.next_over, nullptr);
      segment.pool().end(segment);
    }
  }

  /// Ends a segment whose last pin is gone: at once, or when the scope closes.
  static void end(Segment& segment) noexcept {
    if (EndLater* const scope = here()) {
      segment.next_over = std::exchange(scope->first_, &segment);
    } else {
      segment.pool().end(segment);
    }
  }

 private:
  [[nodiscard]] static EndLater*& here() noexcept { return sync::of_this_thread<EndLater*>(); }

  Segment* first_ = nullptr;
};

}  // namespace brook::log
