// slot.hpp — the place of one element in a list's queue: a state beside the payload.
//
// States
//                  ┌── publish (pusher) ──▶ ready ──take (popper)──▶ taken
//     empty ─claim─┤
//                  ├── follow (pusher) ───▶ follower of an earlier slot: ready when that one is, void when it is void
//                  └── void (who must get past a stalled pusher) ──▶ void: never an element; its pusher begins anew
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

template <class Payload>
class Slot {
 public:
  enum class State : std::uint32_t { empty, ready, gone, taken, follower };  // gone: void

  // Not defaulted: that would be constexpr, and g++ 12 then evaluates the payload's bytes one by one while it compiles.
  Slot() noexcept {}

  /// The state, and for a follower how many slots before this one its first slot is.
  struct Told {
    State state;
    std::uint32_t distance;
  };
  [[nodiscard]] Told told() const noexcept {
    const std::uint32_t bits = bits_.load(sync::acquire);  // LB
    return {static_cast<State>(bits & state_mask), bits >> distance_shift};
  }

  /// False when the slot was voided.
  [[nodiscard]] bool publish() noexcept {
    std::uint32_t empty = 0;
    return bits_.compare_exchange_strong(empty, bits_of(State::ready), sync::release, sync::relaxed);  // LA AO
  }
  void follow(std::uint32_t distance) noexcept {
    bits_.store(distance << distance_shift | bits_of(State::follower), sync::relaxed);  // LC
  }
  /// Does nothing when the slot is not empty.
  void make_void() noexcept {
    std::uint32_t empty = 0;
    bits_.compare_exchange_strong(empty, bits_of(State::gone), sync::relaxed, sync::relaxed);  // LD AO
  }
  void take() noexcept { bits_.store(bits_of(State::taken), sync::release); }  // LE

  /// Before others can see the slot.
  void reset() noexcept { bits_.store(0, sync::relaxed); }  // AO

  [[nodiscard]] void* room() noexcept { return payload_; }
  [[nodiscard]] Payload& payload() noexcept { return *std::launder(reinterpret_cast<Payload*>(payload_)); }

 private:
  static constexpr std::uint32_t state_mask = 7;
  static constexpr unsigned distance_shift = 3;

  [[nodiscard]] static constexpr std::uint32_t bits_of(State state) noexcept {
    return static_cast<std::uint32_t>(state);
  }

  sync::atomic<std::uint32_t> bits_{0};
  alignas(Payload) std::byte payload_[sizeof(Payload)];
};

}  // namespace brook::blocking_list
