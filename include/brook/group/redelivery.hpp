// redelivery.hpp — what a group delivers again: entries that came back, that have been pending for too long, or that a
// reader claims by the way; and what it gives up.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/core/late.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/group/state.hpp>
#include <brook/group/takeover.hpp>
#include <brook/options.hpp>
#include <brook/redelivery.hpp>
#include <brook/stream/retention.hpp>

namespace brook::group {

template <class T>
Clock::time_point State<T>::next_due(const Member& member, const ReadOptions& reading) {
  const bool room = room_for(member) > 0;
  Instant due = room ? std::min(returned.due(), next_expiry_) : next_expiry_;
  if (reading.claim_idle && room) {
    const auto idle = static_cast<Instant>(std::max<std::int64_t>(0, reading.claim_idle->count()));
    ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
      if (place.mark().consumer() != nobody) due = std::min(due, place.mark().time() + idle);
      return true;
    });
  }
  return due == last_instant ? Clock::time_point::max() : time(due);
}

template <class T>
void State<T>::expire(StreamState& stream, Clock::time_point now) {
  Instant next = last_instant;
  std::vector<Place> expired;
  ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
    const Mark mark = place.mark();
    if (mark.consumer() == nobody) return true;
    if (mark.time() + visibility() > instant(now)) next = std::min(next, mark.time() + visibility());
    else expired.push_back(place);
    return true;
  });
  for (const Place& place : expired) give_back(stream, place, place.mark().count(), std::chrono::milliseconds(0), now);
  next_expiry_ = next;
}

// Entries that others have had for `claim_idle`, those that have been pending longest first.
template <class T>
void collect_idle(State<T>& group, Takeover<T>& takeover, const ReadOptions& reading, std::size_t most, Instant now) {
  using Place = typename State<T>::Place;
  const auto idle = static_cast<Instant>(std::max<std::int64_t>(0, reading.claim_idle->count()));
  std::vector<Place> found;
  group.ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
    if (place.mark().consumer() != nobody && place.mark().time() + idle <= now) found.push_back(place);
    return true;
  });
  std::sort(found.begin(), found.end(), [](const Place& a, const Place& b) {
    return a.mark().time() != b.mark().time() ? a.mark().time() < b.mark().time() : a.id() < b.id();
  });
  for (const Place& place : found) {
    if (takeover.size() == most) return;
    static_cast<void>(takeover.collect_or_drop(place));
  }
}

template <class T>
void State<T>::take_with_care(StreamState& stream, Member& member, const ReadOptions& reading, Clock::time_point now,
                              Batch& batch) {
  if (next_expiry_ <= instant(now)) expire(stream, now);
  const std::size_t most = std::min(reading.count, room_for(member));
  while (most > 0) {
    Takeover<T> takeover(stream);
    returned.each_due(instant(now), [&](const auto& entry) {
      if (takeover.size() == most) return false;
      static_cast<void>(takeover.collect_or_drop(ledger.find(entry.id)));
      return true;
    });
    if (reading.claim_idle) collect_idle(*this, takeover, reading, most, instant(now));
    const std::size_t left = most - takeover.size();
    std::vector<Ready> ready;
    bool found = false;
    if (options.ordered_by) ready = collect_ready(stream, left);
    else found = left > 0 && find_new(stream, left);
    takeover.reserve(batch, ready.size() + (found ? scan_.run_count() : 0));
    if (found) prepare_pages(reading.no_ack);
    if (!takeover.settle(*this)) continue;
    takeover.deliver(*this, batch, member, {.since = instant(now)});
    deliver_ready(ready, member, instant(now), batch);
    if (!batch.empty()) expect_expiry(instant(now));
    if (found) take_new(member, instant(now), reading.no_ack, batch);
    // An entry that was gone may have made way for one that is not.
    if (!batch.empty() || order.ready().empty()) break;
  }
  if (most == 0) look_for_new(stream);
  // Has the others hear that nothing will come any more, or take what is left.
  if (!batch.empty() && (!order.ready().empty() || drained(stream))) queue.wake_first();
}

// Without room for more: so that the cursor goes to the end if there is nothing.
template <class T>
void State<T>::look_for_new(StreamState& stream) {
  if (options.ordered_by) static_cast<void>(find_ready(stream, 1));
  else static_cast<void>(find_new(stream, 1));
}

template <class T>
std::size_t State<T>::hand_back(StreamState& stream, std::vector<Place>& places) {
  const Clock::time_point now = stream.clock().now();
  const Instant due = instant(now);
  std::size_t pending = 0;
  std::erase_if(places, [&](const Place& place) {
    if (!spent(place.mark().count())) return false;
    pending += place.page->pending(place.at) ? 1U : 0U;
    bury(stream, place, DeathReason::max_deliveries, now);
    return true;
  });
  core::Late<T, Returned> returns;  // all that may fail comes first
  for (const Place& place : places) returns.note(due, place.id());
  returned.note_all(std::move(returns));
  for (const Place& place : places) pending += assign(place, Mark::of(nobody, place.mark().count(), due)) ? 1U : 0U;
  return pending;
}

template <class T>
void State<T>::give_back(StreamState& stream, const Place& place, std::uint64_t count,
                         std::optional<std::chrono::milliseconds> delay, Clock::time_point now) {
  if (spent(count)) return bury(stream, place, DeathReason::max_deliveries, now);
  const auto rest = delay.value_or(options.retry_delay.after(count, place.id())).count();
  const Instant due = instant(now) + static_cast<Instant>(std::max<std::int64_t>(0, rest));
  const Mark mark = Mark::of(nobody, count, std::min(due, last_instant - 1));
  returned.note(mark.time(), place.id());
  assign(place, mark);
}

template <class T>
auto State<T>::force_pending(StreamState& stream, const Member& member, Id id) -> Share<Payload> {
  auto view = stream.timeline.look();
  const Entries<T> entry = stream.collect(view, id, id, 1);
  if (entry.empty()) return {};
  const auto& run = entry.runs().run(0);
  Page& page = ledger.page_beside(run.segment, true);
  refer(page, 1, run.segment);
  tell(page, run.first, 1, Mark::of(member.number, 1, instant(stream.clock().now())));
  return {page, run.first, 1, true};
}

// The entry stops being pending before it is added elsewhere, so that nobody can acknowledge it in between.
template <class T>
void State<T>::bury(StreamState& stream, const Place& place, DeathReason reason, Clock::time_point now) {
  stream::want_sweep(stream);
  const Mark mark = place.mark();
  const Hold held = place.page->look();
  const log::EditState edits = stream.timeline.edits();
  if (!held || !still_shown(edits, *held, place) || !options.dead_letter) {
    static_cast<void>(finish(place));
    return;
  }
  const auto age = std::chrono::floor<std::chrono::milliseconds>(now - time(mark.time())).count();
  const std::uint64_t wall = stream.unix_ms();
  Death death{.id = place.id(),
              .group = name,
              .consumer = mark.consumer() == nobody ? std::string() : roster.member(mark.consumer()).name,
              .reason = reason,
              .deliveries = mark.count(),
              .delivered_ms = wall - std::min(wall, static_cast<std::uint64_t>(std::max<std::int64_t>(0, age)))};
  const Mark refused = Mark::of(nobody, mark.count(), std::min(instant(now) + dead_letter_pause, last_instant - 1));
  returned.note(refused.time(), place.id());
  move_out(place, refused,
           [&] { return options.dead_letter.add(log::value_of<T>(held->slot(place.at).payload()), std::move(death)); });
}

// Ends an entry that is with somebody and adds it elsewhere, at one instant for whoever looks at both: they take the mutex
// for that. An acknowledgement that finds a line not pending must know whether it was, or is only for now, and then takes
// it too. When `add` says no or throws, the entry is pending again, with the mark `refused`, which is noted if it is
// nobody's.
template <class T>
template <class AddTo>
void State<T>::move_out(const Place& place, Mark refused, AddTo&& add) {
  struct End {
    State& group;
    const Place& place;
    Mark refused;
    bool cleared = false;
    bool added = false;
    ~End() {
      if (added) group.order.finish(place.id());
      if (cleared && !added) put_back();
      else if (refused.consumer() == nobody) group.returned.forget({refused.time(), place.id()});
    }
    // To whom it is with nothing has happened: that it had ended was a proposal.
    void put_back() noexcept {
      if (refused.consumer() == nobody) return group.tell(*place.page, place.at, 1, refused);
      group.count_in_flight(refused, 1);
      place.page->tell(place.at, 1, refused);
    }
  } end{*this, place, refused};
  clears_early_.store(true, sync::relaxed);  // GK
  const Mark mark = place.mark();
  end.cleared = place.page->end(place.at);
  if (!end.cleared) return;
  count_in_flight(mark, -1);
  core::Recorder* const recorder = notes.recorder();
  const core::Proposal proposal(recorder);
  if (auto* const witness = notes.witness()) witness->finished(place.id());
  end.added = add();
  if (end.added && recorder != nullptr) recorder->adopt();
}

template <class T>
bool State<T>::forward(Page& page, std::uint32_t at, Delivered delivered, typename Page::Add add) {
  {
    const Locked held(*this);
    const Place place{&page, at};
    if (!still_with(place, delivered)) return false;
    move_out(place, place.mark(), add);
    if (managed()) queue.wake_first();
  }
  release_lines(page, at, 1);
  return true;
}

// Without the mutex. The caller has a reference to the page.
template <class T>
void State<T>::release_lines(const Page& page, std::uint32_t at, std::uint32_t count) noexcept {
  if (!managed()) return;
  const std::shared_ptr<StreamState> stream = stream_.lock();
  if (!stream || !stream->options.until_acked) return;
  for (const std::uint32_t end = at + count; at < end; ++at) stream::release(*stream, page.id(at));
  stream::sweep(*stream);
}

// Without the mutex.
template <class T>
Outcome State<T>::watch(Operation operation, Recipient by, Id id, const Perform& perform) {
  const std::shared_ptr<StreamState> stream = stream_.lock();
  if (!stream || !stream->watched()) return perform();
  std::string consumer;
  {
    const sync::unique_lock held(mutex);
    if (const Member* const member = roster.find(by)) consumer = member->name;
  }
  return stream->ask({.operation = operation, .group = name, .consumer = consumer, .id = id, .size = 1}, perform);
}

template <class T>
bool State<T>::nack(Page& page, std::uint32_t at, Delivered delivered, const NackOptions& how) {
  const std::shared_ptr<StreamState> stream = stream_.lock();
  if (!stream || stream->standing.load(sync::relaxed) == Standing::gone) return false;  // GJ
  {
    const Locked held(*this);
    const Place place{&page, at};
    if (!still_with(place, delivered)) return false;
    const Clock::time_point now = stream->clock().now();
    const std::uint64_t count = delivered.count - (how.uncounted && delivered.count > 0 ? 1 : 0);
    if (how.fatal) bury(*stream, place, DeathReason::fatal, now);
    else give_back(*stream, place, count, how.delay, now);
    queue.wake_first();
  }
  stream::sweep(*stream);
  options.dead_letter.settle();
  return true;
}

}  // namespace brook::group
