// undo.hpp — taking back what was begun, unless it succeeds.
#pragma once

#include <utility>

#include <brook/core/config.hpp>

namespace brook::core {

/// Calls `undo()`, which must not throw, when its scope is left, be it by an exception, unless it was told to keep.
template <class F>
class Undo {
 public:
  explicit Undo(F undo) : undo_(std::move(undo)) {}
  ~Undo() {
    if (!kept_) undo_();
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;

  /// What was done stays done.
  void keep() noexcept { kept_ = true; }

 private:
  F undo_;
  bool kept_ = false;
};

}  // namespace brook::core
