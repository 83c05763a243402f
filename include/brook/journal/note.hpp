// note.hpp — what one thread has noted for a journal and not recorded yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <brook/core/later.hpp>
#include <brook/snapshot/bytes.hpp>

namespace brook::journal {

class Scribe;

/// Of one thread and one journal at a time.
struct Note {
  /// Waits, when the thread has no lock any more, until what it has recorded is safe.
  struct Wait : core::Task {
    Wait() noexcept : core::Task(&run_one) {}
    static void run_one(core::Task& task) noexcept;  // journal/scribe.hpp
    /// Waits now instead.
    void run_now() noexcept {
      core::Later::forget(*this);
      run_one(*this);
    }

    std::shared_ptr<Scribe> for_whom{};  // while it is in line
    std::uint64_t record = 0;
  };

  [[nodiscard]] bool idle() const noexcept { return depth == 0 && locks == 0 && proposals == 0; }

  const Scribe* of = nullptr;
  int depth = 0;  // how many records were begun, one within the other
  int locks = 0;
  int proposals = 0;     // one within the other
  bool adopted = false;  // the outermost one was
  Encoder changes;
  Encoder proposed;
  Encoder one;  // change, for a moment
  Wait wait;
};

/// The note of this thread for a journal; null when it writes for too many at a time, one within the other.
[[nodiscard]] inline Note* note_for(const Scribe& scribe) noexcept {
  constexpr std::size_t most_at_once = 4;
  thread_local std::array<Note, most_at_once> notes;
  for (Note& note : notes) {
    if (note.of == &scribe) return &note;
  }
  Note* free = nullptr;
  for (Note& note : notes) {
    if (note.idle() && (free == nullptr || free->wait.for_whom != nullptr)) free = &note;
  }
  if (free == nullptr) return nullptr;
  if (free->wait.for_whom != nullptr)
    free->wait.run_now();  // in a handler, say, that has changed things of many journals
  free->of = &scribe;
  free->changes.clear();
  free->proposed.clear();
  return free;
}

}  // namespace brook::journal
