// edits.hpp — what was taken away from a log, as one state that changes at one instant.
//
// Erasing and trimming are edits. They are made one at a time, by whoever has the turn, and numbered. An entry's erasure
// carries the number of its edit, so a reader that noted the current number sees exactly the erasures up to then, however
// long it reads. The state lies in two buffers that the edits fill alternately; storing the new number is the commit.
//
// The turn   A word of two flags. An editor takes `held` and waits if need be. An appender that made the log too long must
//            not wait: it leaves `wanted` if somebody else has the turn, and the holder trims once more before it leaves.
//
// Memory orders
//   row  thread    operation             order    meets  because
//   BA   editor    write the state       release  BC     a reader that sees a newer state sees the number change too
//   BB   editor    commit: number += 1   release  BC     the state, and the marks on slots
//   BC   reader    read number, state    acquire  BA, BB the same
//   BD   reader    read number again     relaxed  -      the acquire loads before it keep it behind them
//   BE   editor    take the turn         acquire  BF     the last holder's edits
//   BF   editor    leave the turn        seq_cst  BE, BI the same; row A of wait/gate.hpp for who announces edits
//   BG   appender  leave `wanted`        release  BE     its entry is counted by whoever trims for it
//   BI   sleeper   look at the turn      seq_cst  BF     row D of wait/gate.hpp: also acquires the edits
// Proof    tests/model/edits_model.cpp
#pragma once

#include <array>
#include <cstdint>

#include <brook/core/sync.hpp>
#include <brook/id.hpp>

namespace brook::log {

/// What has been taken away up to one edit.
struct EditState {
  std::uint64_t edit = 0;      // how many edits there were
  std::uint64_t boundary = 0;  // the first position in the log that was not trimmed
  std::uint64_t removed = 0;   // entries trimmed or erased
  Id max_deleted{};            // the largest id that was ever erased
};

class Edits {
 public:
  /// The state at an instant during the call. Lock-free: it is tried again only when an edit was committed meanwhile.
  [[nodiscard]] EditState read() const noexcept {
    for (;;) {
      EditState state;
      state.edit = number_.load(sync::acquire);  // BC
      const Buffer& buffer = buffers_[state.edit & 1];
      state.boundary = buffer.boundary.load(sync::acquire);        // BC
      state.removed = buffer.removed.load(sync::acquire);          // BC
      state.max_deleted.ms = buffer.max_ms.load(sync::acquire);    // BC
      state.max_deleted.seq = buffer.max_seq.load(sync::acquire);  // BC
      if (still(state.edit)) return state;
    }
  }

  /// The same for a sleeper, who is told of later edits at a gate.
  [[nodiscard]] EditState read_for_sleeper() const noexcept {
    static_cast<void>(turn_.load(sync::seq_cst));  // BI
    return read();
  }

  /// Whether no edit was committed since `edit` was read; what was loaded in between with acquire belongs to it.
  [[nodiscard]] bool still(std::uint64_t edit) const noexcept { return number_.load(sync::relaxed) == edit; }  // BD

  /// How many entries were removed, for a guess: no other part of the state is consistent with it.
  [[nodiscard]] std::uint64_t removed() const noexcept {
    return buffers_[number_.load(sync::relaxed) & 1].removed.load(sync::relaxed);  // BD
  }

  /// Makes `state`, whose number is one more than the current one, the current state. The caller has the turn.
  void commit(const EditState& state) noexcept {
    Buffer& buffer = buffers_[state.edit & 1];
    buffer.boundary.store(state.boundary, sync::release);        // BA
    buffer.removed.store(state.removed, sync::release);          // BA
    buffer.max_ms.store(state.max_deleted.ms, sync::release);    // BA
    buffer.max_seq.store(state.max_deleted.seq, sync::release);  // BA
    number_.store(state.edit, sync::release);                    // BB
  }

  /// The right to edit, until destruction. `leave` runs for each appender that wanted the turn meanwhile.
  template <class OnWanted>
  class Turn {
   public:
    /// Waits for the turn.
    Turn(Edits& edits, OnWanted on_wanted) : edits_(edits), on_wanted_(on_wanted), queue_(edits.editors_) {
      while ((edits_.turn_.fetch_or(held, sync::acquire) & held) != 0) sync::yield();  // BE
    }
    ~Turn() { edits_.leave(on_wanted_); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Edits& edits_;
    OnWanted on_wanted_;
    sync::unique_lock<sync::mutex> queue_;  // editors sleep here; the flag is contended only by appenders, for moments
  };

  /// Runs `work` with the turn, or has the present holder run it. Never waits.
  template <class Work>
  void want(Work&& work) {
    std::uint32_t expected = 0;
    if (!turn_.compare_exchange_strong(expected, held, sync::acquire, sync::relaxed)) {  // BE BD
      if ((turn_.fetch_or(wanted, sync::release) & held) != 0) return;                   // BG
      expected = wanted;
      if (!turn_.compare_exchange_strong(expected, held, sync::acquire, sync::relaxed)) return;  // BE BD
    }
    work();
    leave(work);
  }

 private:
  struct Buffer {
    sync::atomic<std::uint64_t> boundary{0};
    sync::atomic<std::uint64_t> removed{0};
    sync::atomic<std::uint64_t> max_ms{0};
    sync::atomic<std::uint64_t> max_seq{0};
  };

  static constexpr std::uint32_t held = 1;
  static constexpr std::uint32_t wanted = 2;

  template <class Work>
  void leave(Work& work) {
    std::uint32_t expected = held;
    while (!turn_.compare_exchange_strong(expected, 0, sync::seq_cst, sync::relaxed)) {  // BF BD
      turn_.fetch_and(held, sync::acquire);                                              // BE
      work();
      expected = held;
    }
  }

  sync::atomic<std::uint64_t> number_{0};
  std::array<Buffer, 2> buffers_{};
  sync::atomic<std::uint32_t> turn_{0};
  sync::mutex editors_;
};

}  // namespace brook::log
