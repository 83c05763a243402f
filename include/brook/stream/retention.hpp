// retention.hpp — a stream from which an entry leaves when every group has acknowledged it.
//
// Whoever has acknowledged an entry in one group asks the others, one after the other, and removes the entry when all are
// done with it. So of those who acknowledge it last, in whichever groups, the one who asks last finds that all are done. A
// group that is moved back meanwhile may or may not see the entry again.
//
// What is added while every group stands ahead of the end is wanted by nobody, and nobody will acknowledge it. So whoever
// adds while some group does removes it again; and a group that comes to stand there sweeps, up to an end that it reads with
// seq_cst after it said so. One of the two sees the other.
//
// Memory orders
//   row  thread  operation          order    meets  because
//   RF   anyone  set, take the flag  relaxed  -      what it is about is read with the mutexes
// Locking  the stream's list of groups, then one group's mutex at a time; none of them while the entry is removed.
#pragma once

#include <algorithm>
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

/// Whether some group goes on only after a later id than this one.
template <class T>
[[nodiscard]] bool stands_ahead(State<T>& stream, Id id) noexcept {
  const sync::unique_lock groups(stream.groups_mutex);
  return std::any_of(stream.groups.begin(), stream.groups.end(), [id](const auto& one) {
    const sync::unique_lock held(one.second->mutex);
    return one.second->last_delivered > id;
  });
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
  if (!stream.options.until_acked || stream.restoring) return;
  if (!stream.sweep_due.exchange(false, sync::relaxed)) return;  // RF
  for (Id after = Id::min(); after != Id::max();) {
    auto view = stream.timeline.look();
    Id next = Id::max();
    bool found = false;
    const auto see = [&](const auto& segment, std::uint32_t at, std::uint32_t) {
      next = segment->id(segment->slot(at).state());
      found = true;
    };
    if (!stream.timeline.visit(view, after.next(), Id::max(), 1, see)) continue;
    if (!found && (view.end.sealed || !view.end.moved())) return;
    if (!found) continue;
    release(stream, next);
    after = next;
  }
}

/// Removes entries that have just been added, if nobody wants them. With no lock held. O(groups) for each then.
template <class T>
void settle_added(State<T>& stream, Id first, std::size_t count) noexcept {
  if (!stream.options.until_acked) return;
  const std::uint64_t seen = stream.group_ahead();
  if (seen % 2 == 0) return;
  Id last = first;
  for (std::size_t i = 0; i < count; ++i) release(stream, i == 0 ? first : last = last.next());
  // An add before this one may not have asked yet, and will not when that is forgotten.
  if (!stands_ahead(stream, last) && stream.forget_group_ahead(seen)) want_sweep(stream);
  sweep(stream);
}

/// The same where a lock is held: somebody will have to sweep.
template <class T>
void note_added(State<T>& stream) noexcept {
  if (stream.options.until_acked && stream.group_ahead() % 2 == 1) want_sweep(stream);
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
