// later.hpp — what must not be done while this thread has a lock of ours.
//
// Whoever drops the last pin of a retired segment ends its life, which runs the destructors of values; whoever brings what
// a completion waits for calls its handler. Both are the user's code: it may take any lock, or come back here. So a scope
// with Later collects what is to be done, of whatever objects, without memory of its own, and does it when it closes. What
// comes up meanwhile is done after that, not within it, so that nothing nests.
#pragma once

#include <utility>

#include <brook/core/sync.hpp>

namespace brook::core {

/// What a scope can collect.
struct Task {
  explicit Task(void (*how)(Task&) noexcept) noexcept : run(how) {}

  void (*const run)(Task&) noexcept;
  /// In a list of such: one thread's; or, of lives that are over, their owner's.
  sync::plain<Task*> next_task{nullptr};
};

/// Declare it before the lock. Within another one's scope it does nothing. On the stack of one thread.
class Later {
 public:
  Later() noexcept {
    if (here() == nullptr) here() = this;
  }
  ~Later() {
    if (here() != this) return;
    run_now();
    here() = nullptr;
  }
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;

  /// For a scope that goes on after the lock was dropped.
  void run_now() noexcept {
    while (first_ != nullptr) {
      Task& task = *first_;
      first_ = task.next_task;
      task.next_task = nullptr;
      task.run(task);
    }
  }

  /// Runs a task when the scope closes, in the order of these calls; at once where there is no scope.
  static void run(Task& task) noexcept {
    Later* const scope = here();
    if (scope == nullptr) return task.run(task);
    if (scope->first_ == nullptr) scope->first_ = &task;
    else scope->last_->next_task = &task;
    scope->last_ = &task;
  }
  /// Has a task not be run, if it was left to this thread. O(tasks that wait).
  static void forget(Task& task) noexcept {
    Later* const scope = here();
    if (scope == nullptr) return;
    Task* before = nullptr;
    for (Task* one = scope->first_; one != nullptr; before = one, one = one->next_task) {
      if (one != &task) continue;
      if (before == nullptr) scope->first_ = task.next_task;
      else before->next_task = static_cast<Task*>(task.next_task);
      if (scope->last_ == &task) scope->last_ = before;
      task.next_task = nullptr;  // it may be left to this thread again
      return;
    }
  }

 private:
  [[nodiscard]] static Later*& here() noexcept { return sync::of_this_thread<Later*>(); }

  Task* first_ = nullptr;
  Task* last_ = nullptr;
};

}  // namespace brook::core
