// segment.hpp — a run of slots of a list's queue, and the words by which they are claimed.
// (Orders: blocking_list/fifo.hpp.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <brook/blocking_list/claims.hpp>
#include <brook/blocking_list/slot.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>

namespace brook::blocking_list {

/// Sizes of segments: small at first, then doubling, up to a bound in bytes.
template <class Payload>
struct SegmentSizes {
  static constexpr std::uint32_t smallest = 8;
  static constexpr std::uint32_t largest =
      static_cast<std::uint32_t>(std::clamp<std::size_t>(65'536 / sizeof(Slot<Payload>), 16, Claims::full));

  [[nodiscard]] static std::uint32_t after(std::uint32_t slots) noexcept {
    return std::clamp(slots * 2, smallest, largest);
  }
};

template <class Payload>
struct Segment {
  // The pushers' line.
  alignas(core::cache_line) sync::atomic<std::uint64_t> pushes{Claims::frozen_bit | Claims::full};
  sync::atomic<std::uint32_t> withdrawn{0};  // void slots with which their pushers are done
  // The poppers' line.
  alignas(core::cache_line) sync::atomic<std::uint64_t> pops{Claims::frozen_bit | Claims::full};
  sync::atomic<std::uint64_t> known{0};    // as `pops`, a hint: slots before it have been claimed by pushers
  sync::atomic<std::uint32_t> skipped{0};  // void slots with which poppers are done
  sync::atomic<std::uint32_t> taken{0};    // slots with which poppers are done that do not say so themselves
  sync::atomic<std::uint32_t> lookers{0};  // poppers that look at slots which they have not claimed yet
  std::uint32_t first = Claims::full;      // with the lock, while pops are frozen: poppers have claimed those before it
  // What nobody writes while others look.
  alignas(core::cache_line) sync::plain<std::uint32_t> capacity{0};
  sync::plain<std::uint32_t> phase{0};  // of the slots: 0 and 1 in turn, one for each life
  Slots<Payload> slots;                 // a segment that is not used may have none
  bool direction = false;               // in all its lives
  Segment* next = nullptr;
  Segment* made_before = nullptr;

  [[nodiscard]] std::uint32_t slot_of(std::uint32_t at) const noexcept { return at + capacity - Claims::full; }

  /// How many slots are known to have been claimed by pushers, and have not been by poppers.
  [[nodiscard]] std::uint32_t known_after(Claims claims) const noexcept {
    const std::uint64_t known_slots = known.load(sync::relaxed) - claims.bits;  // LR: of another life it is far away
    return known_slots <= Claims::full ? static_cast<std::uint32_t>(known_slots) : 0;
  }
  /// Whether the next slot for a popper is one of these.
  [[nodiscard]] bool knows(Claims claims) const noexcept { return known_after(claims) > 0; }
  void know_end(Claims claims, std::uint32_t end) noexcept {
    known.store(claims.bits - claims.at() + end, sync::relaxed);  // LR
  }

  // With the lock.
  [[nodiscard]] std::uint32_t pushed() const noexcept { return Claims{pushes.load(sync::relaxed)}.end(); }  // LS
};

}  // namespace brook::blocking_list
