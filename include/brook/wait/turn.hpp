// turn.hpp — one thread at a time does what several ask for, and nobody waits for it.
//
// A thread that asks while another has the turn leaves: the other will do it. Whoever has the turn does all there is to
// do, and is done with as many requests as it knew of before; when there have been more, it has not finished.
//
//     63      62 … 0
//     ended   requests; not 0 while somebody has the turn
//
// Memory orders
//   row  thread  operation        order    meets  because
//   CJ   asker   word_ += 1       acq_rel  CK     what is asked for is there; and the turn before has been finished
//   CK   doer    word_ -= n       acq_rel  CJ,CL  sees what those asked for who came since; releases what the doer wrote
//   CL   ender   word_ |= ended   acquire  CK     the doer of a turn that was finished before is out
//   CM   anyone  read word_       relaxed  -      just a flag
// Proof    tests/model/turn_model.cpp
#pragma once

#include <cstdint>

#include <brook/core/sync.hpp>

namespace brook::wait {

class Turn {
 public:
  /// Whoever makes it has the turn, for one request.
  Turn() = default;

  /// Whether the caller has the turn, and must do what there is to do. False also when the turn has ended.
  [[nodiscard]] bool ask() noexcept { return word_.fetch_add(1, sync::acq_rel) == 0; }  // CJ

  enum class Done : unsigned char { finished, more, ended };
  /// For who has the turn, and has done what `requests` asked for: 1 at first, then what this answered to be done next.
  /// `ended`: finished, and an ender may be waiting for that.
  [[nodiscard]] Done done(std::uint64_t& requests) noexcept {
    const std::uint64_t left = word_.fetch_sub(requests, sync::acq_rel) - requests;  // CK
    requests = left & ~ended_bit;
    if (requests != 0) return Done::more;
    return left == 0 ? Done::finished : Done::ended;
  }

  /// Nobody gets the turn any more. Whether nobody has it; true means so, but only the first time does false mean that somebody
  /// has: requests still come in, and nobody takes them away.
  [[nodiscard]] bool end() noexcept { return (word_.fetch_or(ended_bit, sync::acquire) & ~ended_bit) == 0; }  // CL
  [[nodiscard]] bool ended() const noexcept { return (word_.load(sync::relaxed) & ended_bit) != 0; }          // CM

 private:
  static constexpr std::uint64_t ended_bit = std::uint64_t{1} << 63;

  sync::atomic<std::uint64_t> word_{1};
};

}  // namespace brook::wait
