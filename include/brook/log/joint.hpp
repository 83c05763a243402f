// joint.hpp — one decision about slots of several logs: the entries in them all appear at one instant, or none does.
//
// Who appends jointly fills a slot in each log and has it wait for the decision, then decides. A slot that waits is not
// settled; whoever must pass it (log/settle.hpp) calls the whole thing off, which makes all these slots void at once. So
// nobody waits for a thread that has stalled between its slots.
//
// Lifetime  A Joint, which is what a waiting slot points to, belongs to the slot's segment until the end of its life:
//           threads that read the slot while it waited may still be looking at it after it was settled.
//
// Memory orders
//   row  thread   operation             order    meets  because
//   JB   owner    undecided -> made     seq_cst  JD     releases that all slots wait for this: who sees one entry sees the
//                                                       others; row A of wait/gate.hpp
//   JC   passer,  undecided -> off      seq_cst  JD     a sleeper may be looking at this slot for what will be published
//        owner                                          behind it: row N of log/slot.hpp
//   JD   anyone   read the decision     seq_cst  JB,JC  acquires it; row D of wait/gate.hpp
//   AO   anyone   others were faster    relaxed  -      nothing is learnt: who cares looks again, by JD
// Proof    tests/model/joint_model.cpp
#pragma once

#include <cstdint>
#include <memory>

#include <brook/core/sync.hpp>
#include <brook/log/word.hpp>

namespace brook::log {

class Decision {
 public:
  enum class State : std::uint32_t { open, made, off };

  /// False when it was called off before.
  [[nodiscard]] bool make() noexcept { return decide(State::made); }
  /// Does nothing when it was decided before.
  void call_off() noexcept { static_cast<void>(decide(State::off)); }

  [[nodiscard]] State state() const noexcept { return static_cast<State>(state_.load(sync::seq_cst)); }  // JD

 private:
  bool decide(State to) noexcept {
    auto open = static_cast<std::uint32_t>(State::open);
    return state_.compare_exchange_strong(open, static_cast<std::uint32_t>(to), sync::seq_cst,  // JB JC
                                          sync::relaxed);                                       // AO
  }

  sync::atomic<std::uint32_t> state_{static_cast<std::uint32_t>(State::open)};
};

/// What a slot waits for, and what it is to say then. Aligned so that a slot's flags fit below its address.
struct alignas(16) Joint {
  explicit Joint(std::shared_ptr<Decision> whose) noexcept : decision(std::move(whose)) {}

  std::shared_ptr<Decision> decision;
  Word ready{};           // the slot's word when the decision was made
  Joint* next = nullptr;  // of the same segment
};

}  // namespace brook::log
