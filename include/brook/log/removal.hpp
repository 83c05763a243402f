// removal.hpp — what a timeline takes away: erasing, releasing, trimming. Part of log/timeline.hpp, which includes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/id.hpp>
#include <brook/log/edits.hpp>
#include <brook/log/runs.hpp>
#include <brook/log/timeline.hpp>
#include <brook/log/witness.hpp>

namespace brook::log {

template <class Payload>
std::size_t Timeline<Payload>::erase(std::span<const Id> ids) {
  const core::Later later;
  const typename Edits::template Turn<Trimmer> turn(edits_, Trimmer{this});
  const View view = look();
  std::vector<Place> places;
  places.reserve(ids.size());
  for (const Id id : ids) {
    std::optional<Place> place = find(view, id);
    if (!place) continue;
    place->segment->prepare_erasures();
    places.push_back(std::move(*place));
  }
  std::vector<Id> found;
  if (witness_ != nullptr) {
    for (const Place& place : places) found.push_back(place.segment->id(place.segment->slot(place.at).state()));
  }
  EditState next = view.edits;
  ++next.edit;
  for (const Place& place : places) mark(place, next);
  if (next.removed != view.edits.removed) commit(view, next, [&](auto& witness) { witness.erased(found); });
  return static_cast<std::size_t>(next.removed - view.edits.removed);
}

template <class Payload>
bool Timeline<Payload>::release(Id id) noexcept {
  const core::Later later;
  const typename Edits::template Turn<Trimmer> turn(edits_, Trimmer{this});
  const View view = look();
  const std::optional<Place> place = find(view, id);
  if (!place) return true;
  if (!place->segment->try_prepare_erasures()) return false;
  EditState next = view.edits;
  ++next.edit;
  mark(*place, next);
  next.max_deleted = view.edits.max_deleted;
  commit(view, next, [id](Witness& witness) { witness.released(id); });
  return true;
}

// Marks an entry as erased by the edit that is being made, unless it was named before.
template <class Payload>
void Timeline<Payload>::mark(const Place& place, EditState& next) noexcept {
  Segment& segment = *place.segment;
  if (segment.erased_by(place.at) == next.edit) return;
  segment.record_erasure(place.at, next.edit);
  segment.slot(place.at).mark_erased();
  ++next.removed;
  next.max_deleted = std::max(next.max_deleted, segment.id(segment.slot(place.at).state()));
}

// The caller has the turn.
template <class Payload>
std::uint64_t Timeline<Payload>::cut(const Cut& to) noexcept {
  const View view = look();
  EditState next = view.edits;
  ++next.edit;
  const Gone gone = to.whole_segments ? cut_segments(view, to, next) : cut_entries(view, to, next);
  next.removed += gone.entries;
  if (gone.entries > 0) commit(view, next, [&](Witness& witness) { witness.trimmed(gone.last); });
  return gone.entries;
}

// Moves the boundary of `next` past the entries that go; which they are. Who has the turn needs no hold on a segment:
// nobody else retires one.
template <class Payload>
auto Timeline<Payload>::cut_entries(const View& view, const Cut& to, EditState& next) noexcept -> Gone {
  const std::uint64_t length = view.length();
  const std::uint64_t excess = length > to.max_len ? length - to.max_len : 0;
  Gone gone;
  for (Segment* segment = &log_.head();; segment = segment->next.load(sync::relaxed)) {  // AP
    const auto [from, end] = slots_up_to(view, *segment, Id::max());
    for (std::uint32_t at = from; at < end; ++at) {
      if (view.shows(*segment, at)) {
        const Id id = segment->id(segment->slot(at).state());
        const bool goes = gone.entries < excess || id < to.min_id;
        if (!goes || gone.entries == to.limit) return gone;
        gone = {gone.entries + 1, id};
      }
      next.boundary = segment->life().first + at + 1;
    }
    if (segment == view.end.segment.get()) return gone;
  }
}

template <class Payload>
auto Timeline<Payload>::cut_segments(const View& view, const Cut& to, EditState& next) noexcept -> Gone {
  const std::uint64_t length = view.length();
  Gone gone;
  for (Segment* segment = &log_.head(); segment != view.end.segment.get();) {
    const auto [from, end] = slots_up_to(view, *segment, Id::max());
    std::uint64_t entries = 0;
    for (std::uint32_t at = from; at < end; ++at) entries += view.shows(*segment, at) ? 1 : 0;
    const std::uint64_t left = length - gone.entries;
    const Id last = last_entry_before(*segment, end);
    const bool goes = (left > to.max_len && left - entries >= to.max_len) || last < to.min_id;
    if (!goes || entries > to.limit - gone.entries) return gone;
    gone = {gone.entries + entries, last};
    segment = segment->next.load(sync::relaxed);  // AP
    next.boundary = segment->life().first;
  }
  return gone;
}

// Moves the boundary past what is dead at the front, commits, and retires the segments that nobody can see any more.
template <class Payload>
void Timeline<Payload>::commit(const View& view, const EditState& next) noexcept {
  View after{next, view.end};
  for (Segment* segment = &log_.head();; segment = segment->next.load(sync::relaxed)) {  // AP
    auto [at, end] = slots_up_to(after, *segment, Id::max());
    while (at < end && !after.shows(*segment, at)) ++at;
    after.edits.boundary = std::max(after.edits.boundary, segment->life().first + at);
    if (at < end || segment == view.end.segment.get()) break;
  }
  edits_.commit(after.edits);
  while (!log_.head_is_tail()) {
    const Segment& head = log_.head();
    if (head.life().first + head.capacity() > after.edits.boundary) break;
    log_.drop_head();
  }
}

}  // namespace brook::log
