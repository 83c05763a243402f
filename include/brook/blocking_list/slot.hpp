// slot.hpp — the place of one element in a list's queue: a state beside the payload.
//
// States
//                  ┌── publish (pusher) ──▶ ready, batch ──take (popper)──▶ taken; of several the last counted, the others as
//     empty ─claim─┤                                                        they were
//                  ├── follow (pusher) ───▶ follower of the slot before it: ready when that one is, void when it is void
//                  └── void (who must get past a stalled pusher) ──▶ void: never an element; its pusher begins anew
//
// A slot is used again without being written: it says in which of two phases it was used last, and its segment in which
// one it is. What a slot says of the other phase means that it is empty.
//
// Several elements that are pushed at once are published by their first slot, which says how many follow, so that who takes
// them all need look at no other; these followers are written before it.
// Slots are voided in their order (blocking_list/fifo.hpp), so a follower is voided only when its first slot was:
// what its pusher then writes over that says the same. It is taken only when the first one was published; so then it says that
// of the followers behind it, and who looks back from these has not far to go.
//
// Memory orders
//   row  thread  operation           order    meets  because
//   LA   pusher  empty -> ready,     release  LB     the payload, the followers, and how many they are
//                batch
//   LB   popper  read the state      acquire  LA,LE  the payload; or that an element is taken out
//   LC   pusher  empty -> follower   relaxed  -      LA of the first slot releases it
//   LD   passer  empty -> void       relaxed  -      tells but itself; who is done with such a slot says so by LO, LP
//   LE   popper  -> taken, counted   release  LB     the payload has been moved out before the segment is used again
//   AO   anyone  private or failed   relaxed  -      nobody else has the segment, or nothing is learnt
// Proof    tests/model/fifo_model.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include <brook/core/sync.hpp>

namespace brook::blocking_list {

// gone: void. batch: ready, and the first of several. counted: taken, and its segment counts it. What is, or may be, an element
// is odd.
enum class SlotState : std::uint8_t { empty, ready, gone, batch, taken, follower, counted };

template <class Payload>
class Slot {
 public:
  using State = SlotState;

  // Not defaulted: that would be constexpr, and g++ 12 then evaluates the payload's bytes one by one while it compiles.
  Slot() noexcept {}

  /// The state. `phase` is the segment's.
  [[nodiscard]] State told(unsigned phase) const noexcept {
    const unsigned bits = bits_.load(sync::acquire);  // LB
    return (bits & phase_bit) == phase ? static_cast<State>(bits >> state_shift) : State::empty;
  }
  [[nodiscard]] bool ready(unsigned phase) const noexcept {
    return bits_.load(sync::acquire) == bits_of(State::ready, phase);  // LB
  }
  /// How many elements begin here, if all before have been seen: of a batch all. A follower is one (blocking_list/fifo.hpp, I2).
  [[nodiscard]] std::uint32_t elements(unsigned phase) const noexcept {
    constexpr unsigned asked = 1U << state_shift | phase_bit;
    const unsigned bits = bits_.load(sync::acquire);  // LB
    if ((bits & asked) != bits_of(State::ready, phase)) return 0;
    return bits == bits_of(State::batch, phase) ? 1U + followers_ : 1;
  }
  [[nodiscard]] bool taken(unsigned phase) const noexcept {
    return bits_.load(sync::acquire) == bits_of(State::taken, phase);  // LB
  }

  /// False when the slot was voided.
  [[nodiscard]] bool publish(unsigned phase) noexcept { return publish_as(State::ready, phase); }
  /// The same of a batch.
  [[nodiscard]] bool publish(unsigned phase, std::uint32_t followers) noexcept {
    followers_ = static_cast<std::uint16_t>(followers);
    return publish_as(State::batch, phase);
  }
  void follow(unsigned phase) noexcept { bits_.store(bits_of(State::follower, phase), sync::relaxed); }  // LC
  /// Does nothing when the slot is not empty.
  void make_void(unsigned phase) noexcept {
    std::uint8_t before = bits_.load(sync::relaxed);  // AO
    if ((before & phase_bit) == phase) return;
    bits_.compare_exchange_strong(before, bits_of(State::gone, phase), sync::relaxed, sync::relaxed);  // LD AO
  }
  void take(unsigned phase, State as = State::taken) noexcept {
    bits_.store(bits_of(as, phase), sync::release);  // LE
  }

  [[nodiscard]] void* room() noexcept { return payload_; }
  [[nodiscard]] Payload& payload() noexcept { return *std::launder(reinterpret_cast<Payload*>(payload_)); }

 private:
  static constexpr unsigned phase_bit = 1;
  static constexpr unsigned state_shift = 1;

  [[nodiscard]] static constexpr std::uint8_t bits_of(State state, unsigned phase) noexcept {
    return static_cast<std::uint8_t>(static_cast<unsigned>(state) << state_shift | phase);
  }

  [[nodiscard]] bool publish_as(State state, unsigned phase) noexcept {
    std::uint8_t before = bits_.load(sync::relaxed);  // AO
    return (before & phase_bit) != phase &&
           bits_.compare_exchange_strong(before, bits_of(state, phase), sync::release, sync::relaxed);  // LA AO
  }

  sync::atomic<std::uint8_t> bits_{0};
  sync::plain<std::uint16_t> followers_;
  alignas(Payload) std::byte payload_[sizeof(Payload)];
};

/// The slots of a segment: none, or an array of them, which are empty in phase 1 at first.
template <class Payload>
class Slots {
 public:
  Slots() = default;
  Slots(Slots&& other) noexcept : slots_(std::move(other.slots_)), size_(std::exchange(other.size_, 0)) {}
  Slots& operator=(Slots&& other) noexcept {
    slots_ = std::move(other.slots_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  /// Throws std::bad_alloc, and then there are none.
  void make(std::uint32_t count) {
    drop();
    if (count > 0) slots_.reset(new Slot<Payload>[count]);
    size_ = count;
  }
  void drop() noexcept {
    slots_.reset();
    size_ = 0;
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] Slot<Payload>& operator[](std::uint32_t at) const noexcept { return slots_[at]; }

 private:
  std::unique_ptr<Slot<Payload>[]> slots_;
  std::uint32_t size_ = 0;
};

/// Slots for a segment that a queue is going to need. To be made without the queue's lock: pages that are touched for the first
/// time take longer than others should wait for it.
template <class Payload>
struct Room {
  std::uint32_t wanted = 0;
  Slots<Payload> slots{};

  /// Makes what is wanted. Throws std::bad_alloc.
  void make() {
    if (wanted != slots.size()) slots.make(wanted);
  }
};

}  // namespace brook::blocking_list
