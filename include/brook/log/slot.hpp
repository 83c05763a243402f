// slot.hpp — the place of one entry in a segment: a state word and the payload beside it.
//
// States
//                   ┌── publish (owner) ──▶ ready ──erase──▶ ready, erased
//     empty ──claim─┤
//       (0)         ├── follow (owner) ───▶ follower of an earlier slot: ready when that one is, void when it is void
//                   ├── join (owner) ─────▶ waiting for a joint decision: ready when that is made, void when it is off
//                   └── void (owner, or whoever must pass a stalled owner) ──▶ void: never an entry
//
// A batch is published by its first slot alone: the others are followers and point back to it, so that all its
// entries appear at one instant. A slot is settled when its fate can no longer change: it is ready or void, or follows
// a settled slot, or waits for what has been decided. A waiting slot's word is the address of its Joint (log/joint.hpp);
// state() tells what it stands for at that instant, so that nobody else need know of it.
//
// Memory orders
//   row  thread   operation             order    meets  because
//   A    owner    empty -> ready        seq_cst  L      releases the payload; row A of wait/gate.hpp
//   L    reader   read the state        acquire  A      acquires the payload
//        owner    was it passed         acquire  N      the pin that the passer handed over precedes its dropping
//   N    passer   empty -> void         seq_cst  L, D   the same; and a sleeper may be looking at this slot for what
//                                                       will be published behind it
//   O    owner    empty -> follower     release  -      the payload; row A of the first slot publishes it as well
//   JA   owner    empty -> waiting      seq_cst  L, D   the payload, and the Joint; a sleeper that still sees the slot empty
//                                                       looked before the decision was made
//   JE   owner,   waiting -> ready,     release  L      the decision: who sees this entry ready sees the others
//        eraser   which was decided
//   P    eraser   add `erased`          release  L      whoever sees the mark sees when it was made (log/segment.hpp)
//   D    sleeper  look at the state     seq_cst  A      row D of wait/gate.hpp
//   AO   creator  fill or reset         relaxed  -      the segment is private until it is linked
//        anyone   others were faster    relaxed  -      nothing is learnt: an owner looks again, by L
// Proof     tests/model/append_log_model.cpp, tests/model/timeline_model.cpp, tests/model/joint_model.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <brook/core/sync.hpp>
#include <brook/log/joint.hpp>
#include <brook/log/word.hpp>

namespace brook::log {

/// What a slot's word says. The low bits of the word: four flags, and for a follower how far back its batch begins.
struct SlotState {
  static constexpr std::uint64_t ready_flag = 1;
  static constexpr std::uint64_t void_flag = 2;
  static constexpr std::uint64_t erased_flag = 4;
  static constexpr std::uint64_t follower_flag = 8;
  static constexpr unsigned distance_shift = 4;

  Word word;

  [[nodiscard]] bool empty() const noexcept { return word.bits == 0; }
  [[nodiscard]] bool ready() const noexcept { return (word.bits & ready_flag) != 0; }
  [[nodiscard]] bool is_void() const noexcept { return (word.bits & void_flag) != 0; }
  [[nodiscard]] bool erased() const noexcept { return (word.bits & erased_flag) != 0; }
  [[nodiscard]] bool follower() const noexcept { return (word.bits & follower_flag) != 0; }

  // What no other state has at once marks a slot that waits.
  static constexpr std::uint64_t waiting_flags = void_flag | erased_flag;

  /// How many slots before this one its batch begins; 0 for a slot that follows none.
  [[nodiscard]] std::uint32_t distance() const noexcept {
    return follower() ? static_cast<std::uint32_t>(word.low() >> distance_shift) : 0;
  }

  [[nodiscard]] static SlotState ready_with(Word claim) noexcept { return {claim.with_low(ready_flag)}; }
  [[nodiscard]] static SlotState following(Word claim, std::uint32_t distance) noexcept {
    return {claim.with_low((std::uint64_t{distance} << distance_shift) | follower_flag)};
  }
};

template <class Payload>
class Slot {
 public:
  // Not defaulted: that would be constexpr, and g++ 12 then evaluates the payload's bytes one by one while it compiles.
  Slot() noexcept {}

  [[nodiscard]] SlotState state() const noexcept { return told_by(word_.load(sync::acquire)); }  // L

  /// Whether it is an entry about which nothing else need be asked: ready by itself, and not erased.
  [[nodiscard]] bool plain() const noexcept {
    constexpr std::uint64_t ready = SlotState::ready_flag;
    return (word_.load(sync::acquire) & (ready | SlotState::erased_flag)) == ready;  // L
  }

  /// For a sleeper's last look.
  [[nodiscard]] bool settled_or_followed() const noexcept { return !told_by(word_.load(sync::seq_cst)).empty(); }  // D

  /// True when the entry is now in the log; false when somebody voided the slot and handed its pin to the owner.
  [[nodiscard]] bool publish(Word claim) noexcept {
    std::uint64_t empty = 0;
    return word_.compare_exchange_strong(empty, SlotState::ready_with(claim).word.bits, sync::seq_cst,  // A
                                         sync::relaxed) ||                                              // AO
           !state().is_void();
  }

  /// The same for a slot that becomes an entry when the slot `distance` before it does. Void if somebody was faster.
  void follow(Word claim, std::uint32_t distance) noexcept {
    std::uint64_t empty = 0;
    word_.compare_exchange_strong(empty, SlotState::following(claim, distance).word.bits, sync::release,  // O
                                  sync::relaxed);                                                         // AO
  }

  /// False when the slot was no longer empty.
  [[nodiscard]] bool make_void() noexcept {
    std::uint64_t empty = 0;
    return word_.compare_exchange_strong(empty, SlotState::void_flag, sync::seq_cst, sync::relaxed);  // N AO
  }
  /// For an owner who gives up: makes the slot void. True when somebody else did, whose pin is then the owner's.
  [[nodiscard]] bool made_void_by_another() noexcept { return !make_void() && state().is_void(); }

  // — joint appends —

  /// Has an empty slot wait for the joint's decision. False when somebody voided the slot and handed its pin to the owner.
  [[nodiscard]] bool join(Joint& joint) noexcept {
    std::uint64_t empty = 0;
    const auto waiting = reinterpret_cast<std::uintptr_t>(&joint) | SlotState::waiting_flags;
    return word_.compare_exchange_strong(empty, waiting, sync::seq_cst, sync::relaxed) ||  // JA AO
           !state().is_void();
  }
  /// What the slot waits for; null when it does not.
  [[nodiscard]] Joint* joint() const noexcept { return joint_of(word_.load(sync::acquire)); }  // L
  /// Once that was decided, the slot says by itself what it says by its joint. Of a slot of whichever state.
  void leave() noexcept {
    std::uint64_t seen = word_.load(sync::acquire);  // L
    if (joint_of(seen) != nullptr)
      word_.compare_exchange_strong(seen, told_by(seen).word.bits, sync::release, sync::relaxed);  // JE AO
  }

  void mark_erased() noexcept {
    leave();
    word_.fetch_or(SlotState::erased_flag, sync::release);  // P
  }

  /// Before others can see the slot: ready from the start, or empty again.
  void prefill(SlotState state) noexcept { word_.store(state.word.bits, sync::relaxed); }  // AO
  void reset() noexcept { word_.store(0, sync::relaxed); }                                 // AO

  [[nodiscard]] void* room() noexcept { return payload_; }
  [[nodiscard]] Payload& payload() noexcept { return *std::launder(reinterpret_cast<Payload*>(payload_)); }

 private:
  [[nodiscard]] static Joint* joint_of(std::uint64_t bits) noexcept {
    if ((bits & (SlotState::ready_flag | SlotState::waiting_flags)) != SlotState::waiting_flags) [[likely]]
      return nullptr;
    return reinterpret_cast<Joint*>(static_cast<std::uintptr_t>(bits & ~SlotState::waiting_flags));
  }
  [[nodiscard]] static SlotState told_by(std::uint64_t bits) noexcept {
    const Joint* const joint = joint_of(bits);
    return joint == nullptr ? SlotState{{bits}} : decided(*joint);
  }
  [[nodiscard, gnu::noinline]] static SlotState decided(const Joint& joint) noexcept {
    switch (joint.decision->state()) {
      case Decision::State::made: return {joint.ready};
      case Decision::State::off: return {{SlotState::void_flag}};
      case Decision::State::open: break;
    }
    return {};
  }

  sync::atomic<std::uint64_t> word_{0};
  alignas(Payload) std::byte payload_[sizeof(Payload)];
};

}  // namespace brook::log
