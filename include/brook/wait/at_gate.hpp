// at_gate.hpp — a case of a selection (wait/selection.hpp) whose source announces at a gate, and whose thing is there for
// the taking: the call takes it itself when it was woken.
#pragma once

#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

class AtGate {
 public:
  AtGate() = default;
  ~AtGate() { withdraw(); }
  AtGate(const AtGate&) = delete;
  AtGate& operator=(const AtGate&) = delete;

  void enlist(Gate& gate, Wakeable& call, const Bid& bid) {
    gate_ = &gate;
    bid_ = bid;
    ticket_.belong_to(call);
  }
  /// `ready()` reads with seq_cst what is announced at the gate, and is false while `take()` would find nothing.
  template <class Ready, class Take>
  [[nodiscard]] Found look(Ready&& ready, Take&& take) {
    for (;;) {
      gate_->arm(ticket_);
      if (!ready()) return Found::nothing;
      Decision decision(bid_);
      if (!decision.granted()) return Found::nothing;  // another one has it, or has the call look again
      const Found found = take();
      if (found == Found::some) decision.take();
      if (found != Found::nothing) return found;
    }
  }
  void withdraw() noexcept {
    if (gate_ != nullptr) gate_->disarm(ticket_);
    gate_ = nullptr;
  }

 private:
  Gate* gate_ = nullptr;
  Bid bid_;
  Gate::Ticket ticket_;
};

}  // namespace brook::wait
