// pins.hpp — who keeps a segment's memory, and the one thread that may take it back.
//
// States   spare ──raise──▶ live ──retire──▶ dead ──last pin gone, one winner──▶ spare
//          A pin holds a live segment, and keeps a dead one from becoming spare.
//
// A pin on a segment that its owner knows only by an unprotected pointer may hit a segment that has been recycled since.
// So pin() succeeds on whatever life the segment is in, and the caller then compares the segment's number with the one
// it came for; the number changes with each life, and cannot change while pinned.
//
// Memory orders
//   row  thread     operation             order    meets  because
//   F    pinner     count += 1            acquire  G      the fields of this life are visible to whoever pins it
//   G    creator    leave spare           release  F      they were written before
//   H    unpinner   count -= 1            release  J      every use of the segment is over before it is taken back
//   I    retirer    become dead           release  J      the same
//   J    winner     (dead, 0) -> spare    acquire  H, I   so that taking back happens after all uses: each H and I since
//                                                         is in one release sequence with what J reads
//   K    owner      count += 1            relaxed  -      a pin is copied by one who holds one: nothing to learn
// Proof    tests/model/append_log_model.cpp
#pragma once

#include <cstdint>

#include <brook/core/sync.hpp>

namespace brook::log {

class Pins {
 public:
  /// False when the segment is not live; there is then no pin to drop, but the caller must take the segment back when
  /// `last` says so.
  [[nodiscard]] bool pin(bool& last) noexcept {
    if ((word_.fetch_add(1, sync::acquire) & (spare | dead)) == 0) return true;  // F
    last = unpin();
    return false;
  }

  /// One more pin for somebody who already has one.
  void pin_again() noexcept { word_.fetch_add(1, sync::relaxed); }  // K

  /// True when the caller must take the segment back: it was the last pin of a dead segment.
  [[nodiscard]] bool unpin() noexcept {
    const std::uint64_t left = word_.fetch_sub(1, sync::release) - 1;  // H
    return left == dead && take_back();
  }

  /// The creator's last act before others can find the segment.
  void raise() noexcept { word_.fetch_sub(spare, sync::release); }  // G

  /// Ends the segment's life; true when nobody has it pinned and the caller must take it back.
  [[nodiscard]] bool retire() noexcept {
    return word_.fetch_add(dead, sync::release) == 0 && take_back();  // I
  }

 private:
  static constexpr std::uint64_t dead = std::uint64_t{1} << 32;
  static constexpr std::uint64_t spare = std::uint64_t{1} << 33;

  // Late pins of failed attempts may come and go at any time; whoever finds exactly (dead, 0) and wins takes it back.
  [[nodiscard]] bool take_back() noexcept {
    std::uint64_t expected = dead;
    return word_.compare_exchange_strong(expected, spare, sync::acquire, sync::relaxed);  // J
  }

  sync::atomic<std::uint64_t> word_{spare};
};

}  // namespace brook::log
