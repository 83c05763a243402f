// gate.hpp — lets a thread sleep until something was published, at the price of one load to those who publish.
//
// Use it    when a lock-free structure needs a blocking read.
// Not for   mutual exclusion, nor for order among sleepers: whoever arms a ticket at the gate is woken by the next
//           announcement, and looks again. Who of several may take what is there is decided behind the gate.
//
// A ticket's states
//     idle ──arm──▶ armed ──announce──▶ fired (idle again: one announcement wakes a ticket once)
//       ▲             │
//       └───disarm────┘
//
// Invariants
//   I1  A thread that armed a ticket, looked, and found nothing is woken by whatever is published after its look.
//   I2  armed_ counts the tickets in the list; it is 0 when nobody sleeps.
//   I3  With armed_ == 0 an announcement is one load: no lock, no write.
//   I4  When disarm returned, no thread will touch the ticket again, nor its sleeper on its account.
//
// Memory orders (A and D are the caller's: it publishes and announces; it arms and looks)
//   row  thread     operation                 order    meets  because
//   A    publisher  write what is looked at   seq_cst  D      also releases the payload
//   B    publisher  read armed_               seq_cst  C      I3
//   C    sleeper    armed_ += 1               seq_cst  B      I2
//   D    sleeper    look                      seq_cst  A      also acquires the payload
//   E    either     armed_ -= n               relaxed  -      under mutex_; a late reader of the old count takes the
//                                                             lock in vain
//   Each side writes first, then reads. In the single order of seq_cst operations B sees C (the publisher wakes) or D
//   sees A (the sleeper stays up); never neither: I1. Operations, not fences: ThreadSanitizer cannot see fences.
//
// Locking   mutex_ guards the list, and is held while a sleeper is woken: I4. It is taken before a sleeper's mutex.
// Progress  announce: wait-free when nobody sleeps.
// Lifetime  every ticket is disarmed before the gate or the ticket dies.
// Proof     tests/model/gate_model.cpp
// Tried     one list entry for the whole sleep: each append in the 20 µs until the woken thread runs then takes the
//           lock again. A fired ticket leaves the list at once, so a sleeper costs its publishers one slow announcement.
#pragma once

#include <cstdint>

#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

class Gate {
 public:
  /// A sleeper's place in one gate; a call that waits for several sources has one for each.
  class Ticket {
   public:
    /// Nobody's yet.
    Ticket() = default;
    explicit Ticket(Wakeable& sleeper) : sleeper_(&sleeper) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    /// Whom to wake. While it is not armed.
    void belong_to(Wakeable& sleeper) noexcept { sleeper_ = &sleeper; }

   private:
    friend class Gate;
    Wakeable* sleeper_ = nullptr;
    Ticket* next_ = nullptr;
    Ticket** at_ = nullptr;  // what points to this ticket; null unless armed
  };

  /// Wakes everyone whose ticket is armed. Call it after publishing with a seq_cst write.
  void announce() {
    if (armed_.load(sync::seq_cst) == 0) return;  // B
    wake_all();
  }

  /// From now on the next announcement wakes the ticket's sleeper. Look again after this, with seq_cst reads.
  void arm(Ticket& ticket) {
    const sync::unique_lock held(mutex_);
    if (ticket.at_ != nullptr) return;
    ticket.next_ = first_;
    if (first_ != nullptr) first_->at_ = &ticket.next_;
    ticket.at_ = &first_;
    first_ = &ticket;
    armed_.fetch_add(1, sync::seq_cst);  // C
  }

  void disarm(Ticket& ticket) {
    const sync::unique_lock held(mutex_);
    if (ticket.at_ == nullptr) return;
    remove(ticket);
    armed_.fetch_sub(1, sync::relaxed);  // E
  }

 private:
  void wake_all() {
    const core::Later later;  // what is woken may be a completion, whose handler is the user's code
    const sync::unique_lock held(mutex_);
    std::uint32_t woken = 0;
    while (first_ != nullptr) {
      Ticket& ticket = *first_;
      remove(ticket);
      ticket.sleeper_->wake();
      ++woken;
    }
    armed_.fetch_sub(woken, sync::relaxed);  // E
  }

  static void remove(Ticket& ticket) {
    *ticket.at_ = ticket.next_;
    if (ticket.next_ != nullptr) ticket.next_->at_ = ticket.at_;
    ticket.at_ = nullptr;
  }

  sync::atomic<std::uint32_t> armed_{0};
  sync::mutex mutex_;
  Ticket* first_ = nullptr;
};

}  // namespace brook::wait
