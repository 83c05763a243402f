// end_later.hpp — ending lives where it does no harm.
//
// Whoever drops the last pin of a retired segment ends its life, which runs the destructors of values: the user's code. It
// may take any lock, or come back here, so it must not run while this thread has a lock of ours. A scope with EndLater
// collects what ends in it, segments of whatever streams, without memory of its own, and ends them when it closes.
#pragma once

#include <utility>

#include <brook/core/sync.hpp>

namespace brook::log {

/// What a scope can collect.
struct Ending {
  explicit Ending(void (*how)(Ending&) noexcept) noexcept : end(how) {}

  void (*const end)(Ending&) noexcept;
  /// In a list of those whose lives are over: a pool's, or one thread's.
  sync::plain<Ending*> next_over{nullptr};
};

/// Declare it before the lock. Within another one's scope it does nothing. On the stack of one thread.
class EndLater {
 public:
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
      Ending& over = *first_;
      first_ = over.next_over;
      over.next_over = nullptr;
      over.end(over);
    }
  }

  /// Ends a life that nobody keeps any more: at once, or when the scope closes.
  static void end(Ending& over) noexcept {
    if (EndLater* const scope = here()) {
      over.next_over = scope->first_;
      scope->first_ = &over;
    } else {
      over.end(over);
    }
  }

 private:
  [[nodiscard]] static EndLater*& here() noexcept { return sync::of_this_thread<EndLater*>(); }

  Ending* first_ = nullptr;
};

}  // namespace brook::log
