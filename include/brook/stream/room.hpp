// room.hpp — how much room there is in a bounded stream, and who waits for some.
//
// Who adds first takes room, of which there is as much as the capacity and what was ever removed, less what was ever taken.
// So the stream is never longer than its capacity: an entry that is seen was given room, and the removal that made it is
// seen with it. Who reads how much was removed a little late, or while another add has room that it then does not use, finds
// the stream full for a moment without its being so; who waits for room is told, and looks again.
//
// Memory orders
//   row  thread   operation         order    meets  because
//   RA   remover  news += 1         seq_cst  RB     row A of wait/gate.hpp; releases the removal
//   RB   waiter   read news         seq_cst  RA     row D of wait/gate.hpp; acquires it
//   RC   adder,   read, add to and  relaxed  -      a count. That too much was removed for what was taken shows that it is
//        maker    take from `taken`                 an old one, and then the exchange fails
// Proof    tests/model/room_model.cpp
#pragma once

#include <cstdint>

#include <brook/core/owned.hpp>
#include <brook/core/sync.hpp>
#include <brook/options.hpp>
#include <brook/wait/gate.hpp>

namespace brook::stream {

class Room {
 public:
  /// A capacity beyond 2^63 - 1 is no bound. Room for so many entries has been taken before. Throws std::bad_alloc.
  explicit Room(std::uint64_t capacity, std::uint64_t taken = 0)
      : capacity_(capacity > most ? unlimited : capacity), counts_(bounded() ? new Counts : nullptr) {
    if (bounded()) counts_->taken.store(taken, sync::relaxed);  // RC
  }

  [[nodiscard]] bool bounded() const noexcept { return capacity_ != unlimited; }
  [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }

  // — of a room that is bounded —

  /// Takes room for so many entries, at most the capacity, if it is there; `removed()` tells how many have ever been removed.
  /// Lock-free.
  template <class Removed>
  [[nodiscard]] bool take(std::uint64_t entries, Removed removed) noexcept {
    std::uint64_t taken = counts_->taken.load(sync::relaxed);  // RC
    do {
      if (static_cast<std::int64_t>(taken - removed()) > static_cast<std::int64_t>(capacity_ - entries)) return false;
    } while (!counts_->taken.compare_exchange_weak(taken, taken + entries, sync::relaxed, sync::relaxed));  // RC
    return true;
  }
  void give_back(std::uint64_t entries) noexcept {
    counts_->taken.fetch_sub(entries, sync::relaxed);  // RC
    announce();
  }

  [[nodiscard]] wait::Gate& gate() noexcept { return counts_->gate; }

  // — of any —

  /// Something was removed, or nothing will ever be added again.
  void announce() {
    if (!bounded()) return;
    counts_->news.fetch_add(1, sync::seq_cst);  // RA
    counts_->gate.announce();
  }
  /// How often that was announced; to be read before one tries to take room.
  [[nodiscard]] std::uint64_t news() const noexcept {
    return bounded() ? counts_->news.load(sync::seq_cst) : 0;  // RB
  }

 private:
  static constexpr std::uint64_t most = unlimited / 2;

  struct Counts {
    sync::atomic<std::uint64_t> taken{0};
    sync::atomic<std::uint64_t> news{0};
    wait::Gate gate;
  };

  const std::uint64_t capacity_;
  const core::Owned<Counts> counts_;  // streams without a bound, which are most, need none
};

}  // namespace brook::stream
