// retention.hpp — a stream from which an entry leaves when every group has acknowledged it.
//
// Whoever has acknowledged an entry in one group asks the others, one after the other, and removes the entry when all are
// done with it. So of those who acknowledge it last, in whichever groups, the one who asks last finds that all are done. A
// group that is moved back meanwhile may or may not see the entry again.
//
// Memory orders
//   row  thread  operation          order    meets  because
//   RF   anyone  set, take the flag  relaxed  -      what it is about is read with the mutexes
// Locking  the stream's list of groups, then one group's mutex at a time; none of them while the entry is removed.
#pragma once

#include <cstddef>
#include <cstdint>

#include <brook/core/sync.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/stream/state.hpp>

namespace brook::stream {

/// Whether there are groups, and each is done with an entry.
template <class T>
[[nodiscard]] bool acknowledged_by_all(State<T>& stream, Id id) noexcept {
  const sync::unique_lock groups(stream.groups_mutex);
  for (const auto& [name, group] : stream.groups) {
    const sync::unique_lock held(group->mutex);
    if (!group->done_with(id)) return false;
  }
  return !stream.groups.empty();
}

/// Has the next sweep look at all entries.
template <class T>
void want_sweep(State<T>& stream) noexcept {
  stream.sweep_due.store(true, sync::relaxed);  // RF
}

/// Removes an entry if it is not needed any more. Where memory is short it stays until the next sweep.
template <class T>
void release(State<T>& stream, Id id) noexcept {
  if (!stream.options.until_acked || !acknowledged_by_all(stream, id)) return;
  if (!stream.timeline.release(id)) want_sweep(stream);
  stream.announce_departure();
}

/// Removes all that is not needed any more, if something has happened after which there may be such entries. With no lock
/// held. O(entries) then.
template <class T>
void sweep(State<T>& stream) noexcept {
  if (!stream.options.until_acked || !stream.sweep_due.exchange(false, sync::relaxed)) return;  // RF
  for (Id after = Id::min(); after != Id::max();) {
    auto view = stream.timeline.look();
    Id next = Id::max();
    bool found = false;
    const auto see = [&](const auto& segment, std::uint32_t at, std::uint32_t) {
      next = segment->id(segment->slot(at).state());
      found = true;
    };
    if (!stream.timeline.visit(view, after.next(), Id::max(), 1, see)) continue;
    if (!found) return;
    release(stream, next);
    after = next;
  }
}

/// Sweeps when it dies, if somebody wants that by then, or if it is `wanted`; declare it before a lock.
template <class T>
class SweepAtEnd {
 public:
  explicit SweepAtEnd(State<T>& stream, bool wanted = false) noexcept : stream_(stream), wanted_(wanted) {}
  ~SweepAtEnd() {
    if (wanted_) want_sweep(stream_);
    sweep(stream_);
  }
  SweepAtEnd(const SweepAtEnd&) = delete;
  SweepAtEnd& operator=(const SweepAtEnd&) = delete;

 private:
  State<T>& stream_;
  const bool wanted_;
};

}  // namespace brook::stream
