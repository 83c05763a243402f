// slot.hpp — the place of one element in a list's queue: a state beside the payload.
//
// States
//                  ┌── publish (pusher) ──▶ ready ──take (popper)──▶ taken, or as it was (a popper of several)
//     empty ─claim─┤
//                  ├── follow (pusher) ───▶ follower of an earlier slot: ready when that one is, void when it is void
//                  └── void (who must get past a stalled pusher) ──▶ void: never an element; its pusher begins anew
//
// A slot is used again without being written: it says in which of two phases it was used last, and its segment in which
// one it is. What a slot says of the other phase means that it is empty.
//
// Several elements that are pushed at once are published by their first slot; the others are followers, written before
// it. Slots are voided in their order (blocking_list/fifo.hpp), so a follower is voided only when its first slot was:
// what its pusher then writes over that says the same.
//
// Memory orders
//   row  thread  operation           order    meets  because
//   LA   pusher  empty -> ready      release  LB     the payload, and the followers
//   LB   popper  read the state      acquire  LA,LE  the payload; or that an element is taken out
//   LC   pusher  empty -> follower   relaxed  -      LA of the first slot releases it
//   LD   passer  empty -> void       relaxed  -      tells but itself; who is done with such a slot says so by LO, LP
//   LE   popper  ready -> taken      release  LB     the payload has been moved out before the segment is used again
//   AO   anyone  private or failed   relaxed  -      nobody else has the segment, or nothing is learnt
// Proof    tests/model/fifo_model.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <brook/core/sync.hpp>

namespace brook::blocking_list {

// gone: void. A follower has ready's bits and one more.
enum class SlotState : std::uint32_t { empty, ready, gone, taken, follower = 5 };

template <class Payload>
class Slot {
 public:
  using State = SlotState;

  // Not defaulted: that would be constexpr, and g++ 12 then evaluates the payload's bytes one by one while it compiles.
  Slot() noexcept {}

  /// The state, and for a follower how many slots before this one its first slot is. `phase` is the segment's.
  struct Told {
    State state;
    std::uint32_t distance;
  };
  [[nodiscard]] Told told(std::uint32_t phase) const noexcept {
    const std::uint32_t bits = bits_.load(sync::acquire);  // LB
    if ((bits & phase_bit) != phase) return {State::empty, 0};
    return {static_cast<State>(bits >> state_shift & state_mask), bits >> distance_shift};
  }
  [[nodiscard]] bool ready(std::uint32_t phase) const noexcept {
    return bits_.load(sync::acquire) == bits_of(State::ready, phase);  // LB
  }
  /// Whether it is ready or a follower, which behind an element means one (blocking_list/fifo.hpp, I2).
  [[nodiscard]] bool element_behind_one(std::uint32_t phase) const noexcept {
    constexpr std::uint32_t either =
        static_cast<std::uint32_t>(State::ready) ^ static_cast<std::uint32_t>(State::follower);
    constexpr std::uint32_t asked = (state_mask & ~either) << state_shift | phase_bit;
    return (bits_.load(sync::acquire) & asked) == bits_of(State::ready, phase);  // LB
  }
  [[nodiscard]] bool taken(std::uint32_t phase) const noexcept {
    return bits_.load(sync::acquire) == bits_of(State::taken, phase);  // LB
  }

  /// False when the slot was voided.
  [[nodiscard]] bool publish(std::uint32_t phase) noexcept {
    std::uint32_t before = bits_.load(sync::relaxed);  // AO
    return (before & phase_bit) != phase &&
           bits_.compare_exchange_strong(before, bits_of(State::ready, phase), sync::release, sync::relaxed);  // LA AO
  }
  void follow(std::uint32_t distance, std::uint32_t phase) noexcept {
    bits_.store(distance << distance_shift | bits_of(State::follower, phase), sync::relaxed);  // LC
  }
  /// Does nothing when the slot is not empty.
  void make_void(std::uint32_t phase) noexcept {
    std::uint32_t before = bits_.load(sync::relaxed);  // AO
    if ((before & phase_bit) == phase) return;
    bits_.compare_exchange_strong(before, bits_of(State::gone, phase), sync::relaxed, sync::relaxed);  // LD AO
  }
  void take(std::uint32_t phase) noexcept { bits_.store(bits_of(State::taken, phase), sync::release); }  // LE

  [[nodiscard]] void* room() noexcept { return payload_; }
  [[nodiscard]] Payload& payload() noexcept { return *std::launder(reinterpret_cast<Payload*>(payload_)); }

 private:
  static constexpr std::uint32_t phase_bit = 1;
  static constexpr unsigned state_shift = 1;
  static constexpr std::uint32_t state_mask = 7;
  static constexpr unsigned distance_shift = 4;

  [[nodiscard]] static constexpr std::uint32_t bits_of(State state, std::uint32_t phase) noexcept {
    return static_cast<std::uint32_t>(state) << state_shift | phase;
  }

  sync::atomic<std::uint32_t> bits_{0};
  alignas(Payload) std::byte payload_[sizeof(Payload)];
};

}  // namespace brook::blocking_list
