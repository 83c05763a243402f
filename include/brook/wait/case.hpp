// case.hpp — one of the things that a selection (wait/selection.hpp) waits for: a source, with what the call holds there.
#pragma once

#include <cstdint>
#include <optional>

#include <brook/clock.hpp>
#include <brook/core/owned.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/alarm.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// What a look at a case found: it took something; or there is nothing yet; or there will be nothing any more.
enum class Found : unsigned char { some, nothing, over };

/// Each has further a type Value, what is taken; and result(): what was taken, by whomever, or, when look() or poll() said
/// `over`, why there will be nothing. Virtual, so that what waits is compiled once, and not for each mix of cases.
class Case {
 public:
  Case() = default;
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  /// The clock that it lives by; null when its object is gone, and the clock perhaps with it.
  [[nodiscard]] virtual Clock* clock() const noexcept = 0;
  /// Takes what is there now, before the call stands in any line.
  [[nodiscard]] virtual Found poll() = 0;
  /// Stands in line; whoever serves the line asks the bid first (wait/choice.hpp).
  virtual void enlist(Wakeable& call, const Bid& bid) = 0;
  /// The call was woken: takes what is there, by the bid, or sees to it that it is woken again. It calls no function of the
  /// user's, as who looks may have a lock.
  [[nodiscard]] virtual Found look() = 0;
  /// When to look again, even if nobody wakes the call.
  [[nodiscard]] virtual Clock::time_point due() const { return Clock::time_point::max(); }
  /// Is in no line any more, and nobody refers to the call.
  virtual void withdraw() noexcept = 0;
  /// Once, out of line, when the selection has ended, with no lock held: what there is to do for the user's functions, be they
  /// called because something was taken, or a probe that has a say in that (`taken`). Why it is not taken after all, when it
  /// has been given back.
  [[nodiscard]] virtual std::optional<Errc> settle([[maybe_unused]] bool taken, const Wait&) { return std::nullopt; }
  /// Instead of result(), when nobody wants that: what was taken can be taken again, by anyone. Only where it would be lost
  /// otherwise.
  virtual void give_back() noexcept {}

 protected:
  ~Case() = default;

  /// Whether the call stands in line when nothing was found: then it leaves what there is to those who do already.
  [[nodiscard]] bool waits() const noexcept { return waits_; }
  /// Whether no thread sleeps for the call, as Call::prompt.
  [[nodiscard]] bool prompt() const noexcept { return prompt_; }

 private:
  friend class AnySelection;

  Case* next_ = nullptr;  // in a circle
  bool waits_ = true;
  bool prompt_ = false;
  bool over_ = false;
  core::Owned<Alarm> alarm_;  // of one that lives by another clock than the first
};

}  // namespace brook::wait
