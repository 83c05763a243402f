// back_off.hpp — how threads that change the same word all the time take turns.
//
// Where two threads add to a word in turn, its cache line, and the lines of what they write next to each other, travel with
// every operation, which costs each of them several times what it costs one alone. Who meets another thread there and stands by
// for a while lets that one go on alone, for hundreds of operations. (Anderson, The performance of spin lock alternatives
// for shared-memory multiprocessors, 1990.) Where the others have other things to do as well, that is nothing but delay: so it
// is a trial, which pays if they do `enough` meanwhile, no fewer than would be done in all. Two that meet may both see it: who
// found an odd number gives way.
//
// Memory orders
//   row  thread  operation      order    meets  because
//   BO   waiter  read the word  relaxed  -      a hint
#pragma once

#include <chrono>
#include <cstdint>

#include <brook/core/sync.hpp>
#include <brook/core/trial.hpp>

namespace brook::core {

template <std::uint64_t enough>
class BackOff {
 public:
  static constexpr std::chrono::microseconds length{2};

  /// To be called, without a lock, by who has added to `word`, in whose lowest 16 bits operations are counted, and has met others
  /// there: with what it `found` before its own. Whether it stood by. Not inline: this is seldom to be done.
  [[gnu::noinline]] bool met(const sync::atomic<std::uint64_t>& word, std::uint64_t found) noexcept {
    if (sync::patient_pauses == 0 || found % 2 == 0 || !trial_.due()) return false;
    const std::uint64_t before = word.load(sync::relaxed);  // BO
    stand_by(length);
    const std::uint64_t after = word.load(sync::relaxed);  // BO
    trial_.end(static_cast<std::uint16_t>(after - before) >= enough);
    return true;
  }

 private:
  Trial trial_;
};

}  // namespace brook::core
