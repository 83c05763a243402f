// together.hpp — changes of several objects at one instant, for whoever looks at them in whichever order.
//
// Each change is prepared: whatever may fail is done, and it then lacks but the decision. A thread that must get past a
// prepared change may call the decision off, and then all begin anew. Changes are prepared in the order of the objects'
// addresses, so that of two threads with the same objects one waits for the other and not both for each other.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <brook/core/later.hpp>
#include <brook/core/recorder.hpp>
#include <brook/error.hpp>
#include <brook/log/joint.hpp>

namespace brook::log {

/// One object's change. Its functions are called by one thread.
class Change {
 public:
  Change() = default;
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  [[nodiscard]] virtual const void* object() const noexcept = 0;
  /// Where the object's changes are noted; null when they are not.
  [[nodiscard]] virtual core::Recorder* recorder() const noexcept { return nullptr; }
  /// The decision was made. What of the change was not noted when it was prepared is noted now, in one record with the others.
  virtual void note() noexcept {}
  /// Has the change wait for the decision. With an error, and when it throws, nothing waits.
  [[nodiscard]] virtual std::optional<Errc> prepare(const std::shared_ptr<Decision>& decision) = 0;
  /// The decision was made, or called off.
  virtual void finish() noexcept = 0;
  virtual void withdraw() noexcept = 0;
  /// All changes of the decision are finished; then, all have let go of what they kept locked.
  virtual void let_go() noexcept {}
  virtual void follow_up() noexcept {}

 protected:
  ~Change() = default;
};

/// Those changes that wait; called off unless they were made.
template <std::size_t size>
class Waiting {
 public:
  explicit Waiting(const std::array<Change*, size>& changes)
      : decision_(std::make_shared<Decision>()), changes_(changes) {}
  ~Waiting() {
    if (done_) return;
    decision_->call_off();
    while (waiting_ > 0) changes_[--waiting_]->withdraw();
  }

  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  [[nodiscard]] std::optional<Errc> prepare() {
    for (Change* const change : changes_) {
      if (const auto failed = change->prepare(decision_)) return failed;
      ++waiting_;
    }
    return std::nullopt;
  }
  /// False when somebody called it off.
  [[nodiscard]] bool make() noexcept {
    make_in_order();
    if (!done_) return false;
    for (Change* const change : changes_) change->finish();
    for (Change* const change : changes_) change->let_go();
    for (Change* const change : changes_) change->follow_up();
    return true;
  }

 private:
  // Of several journals whoever has one may wait for another, so all have them in the order of their addresses.
  void make_in_order(const core::Recorder* had = nullptr) noexcept {
    core::Recorder* next = nullptr;
    for (Change* const change : changes_) {
      core::Recorder* const one = change->recorder();
      const bool later = one != nullptr && (had == nullptr || std::less<>()(had, one));
      if (later && (next == nullptr || std::less<>()(one, next))) next = one;
    }
    if (next != nullptr) [[unlikely]] {
      const core::RecordingInOrder in_order(*next);
      return make_in_order(next);
    }
    done_ = decision_->make();
    if (!done_) return;
    for (Change* const change : changes_) {
      if (auto* const recorder = change->recorder()) recorder->adopt();
      change->note();
    }
  }

  std::shared_ptr<Decision> decision_;
  const std::array<Change*, size>& changes_;
  std::size_t waiting_ = 0;
  bool done_ = false;
};

/// Makes all changes at one instant, or none. Errors: what preparing answers; invalid_argument for two changes of one
/// object. Throws what preparing throws.
template <std::size_t size>
[[nodiscard]] std::optional<Errc> make_together(std::array<Change*, size>& changes) {
  for (std::size_t end = 1; end < size; ++end) {
    for (std::size_t at = end; at > 0; --at) {
      const void* const before = changes[at - 1]->object();
      const void* const object = changes[at]->object();
      if (object == before) return Errc::invalid_argument;
      if (std::less<>()(before, object)) break;
      std::swap(changes[at - 1], changes[at]);
    }
  }
  const core::Later later;  // until all that was locked is let go
  for (;;) {
    Waiting<size> waiting(changes);
    if (const auto failed = waiting.prepare()) return failed;
    if (waiting.make()) return std::nullopt;
  }
}

}  // namespace brook::log
