// timeline.hpp — an append log from which entries can be erased and trimmed, and read as it was at one instant.
//
// A view is the log's end together with the state of the edits, both at one instant: all that a read needs to know.
// However long the read then takes, it yields what the view says. Only when the segments it still has to visit have been
// trimmed away meanwhile is a new view taken, which is again an instant during the call.
//
// Linearizable   append at its publish, reads at their view. An erase and a trim decide what to remove at one instant and
//                remove it at a later one, both during the call; what is appended in between stays. The same is true of the
//                trim that an append with a bound does for it.
// Progress       append and read: lock-free; a read is tried again only if an edit was committed meanwhile. Erase and
//                trim take turns (log/edits.hpp). An append never waits for them.
// Memory orders
//   row  thread  operation             order    meets  because
//   BH   anyone  read, raise `oldest`  relaxed  -      the turn orders it for who trims (rows BG, BE of log/edits.hpp)
// Proof          tests/model/append_log_fibers.cpp, tests/model/edits_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/log/append_log.hpp>
#include <brook/log/edits.hpp>
#include <brook/log/rebuild.hpp>
#include <brook/log/runs.hpp>
#include <brook/log/seek.hpp>
#include <brook/log/witness.hpp>

namespace brook::log {

/// How much to trim: the oldest entries go while there are more than `max_len` or their ids are below `min_id`.
struct Cut {
  std::uint64_t max_len = std::numeric_limits<std::uint64_t>::max();
  Id min_id{};
  bool whole_segments = false;                                      // never part of one, nor the last one
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // at most so many entries
};

/// Whether a settled slot holds an entry that these edits have not erased. Trimming is another matter.
template <class Payload>
[[nodiscard]] bool shows(const EditState& edits, Segment<Payload>& segment, std::uint32_t at) noexcept {
  const SlotState state = segment.slot(at).state();
  return segment.holds_entry(at, state) && (!state.erased() || segment.erased_by(at) > edits.edit);
}

template <class Payload>
class Timeline {
 public:
  using Log = AppendLog<Payload>;
  using Segment = log::Segment<Payload>;
  using Hold = log::Hold<Payload>;
  using End = typename Log::End;

  struct View {
    EditState edits;
    End end;

    [[nodiscard]] std::uint64_t length() const noexcept { return end.added() - edits.removed; }

    /// Slots of `segment` that exist in this view.
    [[nodiscard]] std::uint32_t slots(const Segment& segment) const noexcept {
      return &segment == end.segment.get() ? end.slot : segment.capacity();
    }
    /// Of a slot that exists in this view.
    [[nodiscard]] bool shows(Segment& segment, std::uint32_t at) const noexcept {
      return log::shows(edits, segment, at);
    }
  };

  /// With a bound, each append that makes the log longer trims it.
  explicit Timeline(const Cut& bound = {}) : bound_(bound) {}
  /// One that begins with what was rebuilt, and with edits that were made before; these are taken as the first one.
  Timeline(const Cut& bound, Rebuilt<Payload> from) noexcept : log_(from.pool, from.first, from.last), bound_(bound) {
    edits_.commit({.edit = 1, .removed = from.removed, .max_deleted = from.max_deleted});
  }

  [[nodiscard]] expected<Appended, Errc> append(const Values<Payload>& values, const Request& request) {
    const expected<Appended, Errc> appended = append_only(values, request);
    if (appended) keep_bound(*appended);
    return appended;
  }
  /// As AppendLog::take_turns().
  void take_turns(const Appended& appended) noexcept { log_.take_turns(appended); }
  /// Appends; the bound is to be kept afterwards.
  [[nodiscard]] expected<Appended, Errc> append_only(const Values<Payload>& values, const Request& request) {
    return log_.append(values, request);
  }

  /// Has one value wait for a joint decision (log/joint.hpp). When that has been made, and the part is finished, the
  /// bound is to be kept.
  [[nodiscard]] expected<Appended, Errc> prepare(const Values<Payload>& value, const Request& request,
                                                 Part<Payload>& part) {
    return log_.prepare(value, request, part);
  }
  void keep_bound(const Appended& appended) noexcept {
    if (!too_long(appended)) return;
    const core::Later later;
    edits_.want([this] { keep_bounds(); });
  }

  /// Removes, as a bound does, the entries of milliseconds before this one, from now on until another one is told. Does
  /// nothing when it was told already. True when it did, or had it done.
  bool expire(std::uint64_t ms) {
    if (oldest_.load(sync::relaxed) == ms) return false;  // BH
    oldest_.store(ms, sync::relaxed);                     // BH
    const core::Later later;
    edits_.want([this] { keep_bounds(); });
    return true;
  }

  /// Removes what was added with an id that was too old then. True when there was such an entry.
  bool expire_added(const Appended& appended) {
    if (appended.first.ms >= oldest_.load(sync::relaxed)) return false;  // BH
    const core::Later later;
    edits_.want([this] { keep_bounds(); });
    return true;
  }

  /// The present. Lock-free.
  [[nodiscard]] View look() noexcept {
    for (;;) {
      View view{edits_.read(), log_.end()};
      if (edits_.still(view.edits.edit)) return view;
    }
  }

  /// The present, and holds on all the segments in which it lies, oldest first (log/whole.hpp).
  [[nodiscard]] View hold_all(std::vector<Hold>& segments);

  /// The edits up to now, and whether there have been none since. What was loaded in between belongs to that state.
  [[nodiscard]] EditState edits() const noexcept { return edits_.read(); }
  /// The same for a sleeper, who is told at a gate of what leaves later.
  [[nodiscard]] EditState edits_for_sleeper() const noexcept { return edits_.read_for_sleeper(); }
  [[nodiscard]] bool unchanged(const EditState& state) const noexcept { return edits_.still(state.edit); }

  /// The segment after one that is held; null when there is none yet, or never will be. Its number is the next one only
  /// if it was not trimmed since.
  [[nodiscard]] Segment* following(const Segment& segment) const noexcept { return Log::following(segment); }

  /// Where an entry with this id is, or would be. An empty hold when that was trimmed away meanwhile.
  [[nodiscard]] std::pair<Hold, std::uint32_t> place_of(const View& view, Id id) noexcept {
    Hold segment = start(view, id);
    const std::uint32_t at = segment ? first_slot_from(*segment, view.slots(*segment), id) : 0;
    return {std::move(segment), at};
  }

  /// Calls `found(hold, first slot, count)` for each run of entries with ids in [first, last], oldest first, until
  /// `count` entries. False when a part of the view has been trimmed away: what was found is then of no use.
  template <class Found>
  [[nodiscard]] bool visit(const View& view, Id first, Id last, std::uint64_t count, Found&& found);

  /// The same, newest first; `first slot` is still the run's oldest.
  template <class Found>
  [[nodiscard]] bool visit_backwards(const View& view, Id first, Id last, std::uint64_t count, Found&& found);

  /// Erases the entries with these ids that are there when it looks, all at one later instant; how many there were. Throws
  /// std::bad_alloc, and then none is erased. O(log n) for each.
  std::size_t erase(std::span<const Id> ids);

  /// Removes an entry that is not needed any more, as trimming does. False when there was no memory for that. O(log n).
  [[nodiscard]] bool release(Id id) noexcept;

  /// How many entries went.
  std::uint64_t trim(const Cut& cut_to) {
    const core::Later later;
    const typename Edits::template Turn<Trimmer> turn(edits_, Trimmer{this});
    return cut(cut_to);
  }

  /// Has edits noted, before anybody else knows of the log.
  void watch(Witness* witness) noexcept { witness_ = witness; }

  /// No append succeeds from now on.
  void seal() noexcept { log_.seal(); }
  [[nodiscard]] bool sealed() const noexcept { return log_.sealed(); }

  /// Holds the segment of this number, which was linked; an empty hold when it has been trimmed meanwhile.
  [[nodiscard]] Hold hold_linked(Segment* segment, std::uint64_t number) noexcept {
    return log::hold_linked(log_, segment, number);
  }

  /// How many segments the view's entries lie in, or lay in.
  [[nodiscard]] std::uint64_t segments(const View& view) const noexcept {
    const std::uint64_t newest = view.end.segment->life().number;
    const std::uint64_t oldest = log_.head().number();
    return oldest != 0 && oldest < newest ? newest - oldest + 1 : 1;
  }

 private:
  struct Trimmer {
    Timeline* timeline;
    void operator()() const { timeline->keep_bounds(); }
  };

  struct Place {
    Hold segment;
    std::uint32_t at = 0;
  };

  // With the turn.
  void keep_bounds() noexcept {
    Cut to = bound_;
    to.min_id = Id{oldest_.load(sync::relaxed), 0};  // BH
    cut(to);
  }

  [[nodiscard]] bool too_long(const Appended& appended) const noexcept {
    if (bound_.max_len == std::numeric_limits<std::uint64_t>::max()) return false;
    if (bound_.whole_segments && !appended.rolled) return false;
    const std::uint64_t removed = edits_.removed();  // others may have added and removed more since
    return appended.added > removed && appended.added - removed > bound_.max_len;
  }

  // Those slots of a segment that are not trimmed and not above `last`: [from, to).
  [[nodiscard]] static std::pair<std::uint32_t, std::uint32_t> slots_up_to(const View& view, Segment& segment,
                                                                           Id last) noexcept {
    std::uint32_t to = view.slots(segment);
    if (last != Id::max()) to = first_slot_from(segment, to, last.next());
    const std::uint64_t start = segment.life().first;
    const std::uint64_t trimmed = view.edits.boundary > start ? view.edits.boundary - start : 0;
    return {static_cast<std::uint32_t>(std::min<std::uint64_t>(trimmed, to)), to};
  }

  // The segment in which a read that starts at `id` finds its first entry; empty when it is gone.
  [[nodiscard]] Hold start(const View& view, Id id) noexcept {
    Hold segment = segment_of(view.end.segment, log_.head().number(), id);
    // What was found as the oldest segment is so in this view only if nothing before it is left.
    const bool right = segment && (segment->life().base <= id || segment->life().first <= view.edits.boundary);
    return right ? std::move(segment) : Hold();
  }

  [[nodiscard]] std::optional<Place> find(const View& view, Id id) noexcept {
    const Hold segment = start(view, id);
    const auto [from, to] = slots_up_to(view, *segment, Id::max());
    const std::uint32_t at = first_slot_from(*segment, to, id);
    if (at < from || at >= to || !view.shows(*segment, at)) return std::nullopt;
    if (segment->id(segment->slot(at).state()) != id) return std::nullopt;
    return Place{segment, at};
  }

  static void mark(const Place& place, EditState& next) noexcept;
  // What a cut takes away.
  struct Gone {
    std::uint64_t entries = 0;
    Id last{};
  };

  std::uint64_t cut(const Cut& to) noexcept;
  Gone cut_entries(const View& view, const Cut& to, EditState& next) noexcept;
  Gone cut_segments(const View& view, const Cut& to, EditState& next) noexcept;
  void commit(const View& view, const EditState& next) noexcept;
  // The same, and `note(witness)` is called, if there is one.
  template <class Note>
  void commit(const View& view, const EditState& next, const Note& note) noexcept {
    if (witness_ == nullptr) [[likely]]
      return commit(view, next);
    const core::RecordingInOrder in_order(witness_->recorder());
    commit(view, next);
    note(*witness_);
  }

  Log log_;
  Edits edits_;
  const Cut bound_;
  Witness* witness_ = nullptr;
  sync::atomic<std::uint64_t> oldest_{0};  // entries of milliseconds before this one are too old
};

template <class Payload>
template <class Found>
bool Timeline<Payload>::visit(const View& view, Id first, Id last, std::uint64_t count, Found&& found) {
  if (first > last || count == 0) return true;
  Hold segment = start(view, first);
  if (!segment) return false;
  std::uint32_t skip = first_slot_from(*segment, view.slots(*segment), first);
  for (;;) {
    const auto [from, to] = slots_up_to(view, *segment, last);
    if (!runs_between(view, segment, std::max(from, skip), to, count, found)) return true;
    if (segment.get() == view.end.segment.get() || to < segment->capacity()) return true;
    segment = hold_reached(segment->next.load(sync::relaxed), segment->life().number + 1);  // AP
    if (!segment) return false;
    skip = 0;
  }
}

template <class Payload>
template <class Found>
bool Timeline<Payload>::visit_backwards(const View& view, Id first, Id last, std::uint64_t count, Found&& found) {
  if (first > last || count == 0) return true;
  Hold segment = start(view, last);
  if (!segment) return false;
  for (;;) {
    const auto [from, to] = slots_up_to(view, *segment, last);
    const std::uint32_t skip = first_slot_from(*segment, view.slots(*segment), first);
    if (!runs_before(view, segment, std::max(from, skip), to, count, found)) return true;
    if (skip > 0 || segment->life().first <= view.edits.boundary) return true;
    segment = hold_reached(segment->previous(), segment->life().number - 1);
    if (!segment) return false;
  }
}

}  // namespace brook::log

#include <brook/log/removal.hpp>
