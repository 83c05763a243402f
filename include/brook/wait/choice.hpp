// choice.hpp — one call that waits for several things gets exactly one of them.
//
// Each source that the call stands in line at has a bid for it. A source that is about to give it something asks first,
// and so does the call itself before it takes something that is there for the taking. One at a time decides: it takes, and
// then all others find the choice over, or it passes, because there was nothing after all.
//
//     undecided ──ask──▶ deciding ──take──▶ taken
//         ▲                  │
//         └──────pass────────┘      who asked meanwhile has the call look again
//
// Who asks while another decides leaves its line as it is: the other's decision has the call leave that line, or, when it
// passes, come by and serve it. So nothing that is there stays undelivered.
//
// Memory orders
//   row  thread  operation    order    meets  because
//   WC   anyone  change word  relaxed  -      one decides at a time; what is given goes by the lock of the source that gave
//   WD   call    read word    relaxed  -      it, which the call takes before it uses that
// Proof    tests/model/choice_model.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <brook/core/sync.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

class Choice {
 public:
  enum class Asked : unsigned char { granted, busy, over };

  /// Whom to have look again. Before anybody can ask.
  void belong_to(Wakeable& call) noexcept { call_ = &call; }
  /// After everybody could.
  void belong_to_nobody() noexcept { call_ = nullptr; }

  /// Whether the caller decides now; it then takes or passes. `busy`: another one is deciding.
  [[nodiscard]] Asked ask() noexcept {
    for (std::uint32_t word = undecided;;) {
      if (word > knocked) return Asked::over;
      const std::uint32_t next = word == undecided ? deciding : knocked;
      if (word == next || word_.compare_exchange_weak(word, next, sync::relaxed, sync::relaxed))  // WC
        return next == deciding ? Asked::granted : Asked::busy;
    }
  }
  void take(std::uint32_t which) noexcept { word_.store(knocked + 1 + which, sync::relaxed); }  // WC
  void pass() {
    if (word_.exchange(undecided, sync::relaxed) == knocked) call_->wake();  // WC
  }

  /// Which one was taken, if any was.
  [[nodiscard]] std::optional<std::size_t> taken() const noexcept {
    const std::uint32_t word = word_.load(sync::relaxed);  // WD
    return word > knocked ? std::optional<std::size_t>(word - knocked - 1) : std::nullopt;
  }

 private:
  static constexpr std::uint32_t undecided = 0;
  static constexpr std::uint32_t deciding = 1;
  static constexpr std::uint32_t knocked = 2;  // deciding, and somebody has asked meanwhile

  sync::atomic<std::uint32_t> word_{undecided};
  Wakeable* call_ = nullptr;
};

/// What a source holds of a call that stands in its line. A call that waits for one thing only needs no choice: everything
/// is granted.
class Bid {
 public:
  Bid() = default;
  Bid(Choice& choice, std::uint32_t which) noexcept : choice_(&choice), which_(which) {}

  [[nodiscard]] Choice::Asked ask() const noexcept {
    return choice_ == nullptr ? Choice::Asked::granted : choice_->ask();
  }
  void take() const noexcept {
    if (choice_ != nullptr) choice_->take(which_);
  }
  void pass() const {
    if (choice_ != nullptr) choice_->pass();
  }

 private:
  Choice* choice_ = nullptr;
  std::uint32_t which_ = 0;
};

/// Deciding for a bid. Passes when it dies, unless it took.
class Decision {
 public:
  explicit Decision(const Bid& bid) noexcept : bid_(bid), asked_(bid.ask()) {}
  ~Decision() {
    if (granted()) bid_.pass();
  }
  Decision(const Decision&) = delete;
  Decision& operator=(const Decision&) = delete;

  [[nodiscard]] bool granted() const noexcept { return asked_ == Choice::Asked::granted; }
  /// The call has got something else, or has given up.
  [[nodiscard]] bool over() const noexcept { return asked_ == Choice::Asked::over; }

  void take() noexcept {
    bid_.take();
    asked_ = Choice::Asked::over;
  }

 private:
  const Bid bid_;
  Choice::Asked asked_;
};

}  // namespace brook::wait
