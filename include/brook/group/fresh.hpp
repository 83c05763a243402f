// fresh.hpp — delivering what is new: from where the group's cursor stands, with references that are drawn in stock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/group/mark.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>

namespace brook::group {

// Scans from the cursor, which may have to be sought first. False when there is nothing.
template <class T>
bool State<T>::find_new(StreamState& stream, std::size_t count) {
  for (;; sought_ = false) {
    if (!sought_ && !seek(stream)) return false;
    if (!scan_.read(stream.timeline, cursor_, count)) continue;
    if (!scan_.empty()) return true;
    scan_.move(cursor_);
    return false;
  }
}

// Puts the cursor behind `last_delivered`. A group may start at an id that is yet to come: then it is put at the end of
// the log, and the answer is false.
template <class T>
[[gnu::noinline]] bool State<T>::seek(StreamState& stream) {
  for (;;) {
    View view = stream.timeline.look();
    const Id last = view.end.last_id();
    if (last > last_delivered) {
      auto [segment, slot] = stream.timeline.place_of(view, last_delivered.next());
      if (!segment) continue;
      view.end = {std::move(segment), slot};
    }
    cursor_ = std::move(view.end);
    sought_ = last >= last_delivered;
    if (sought_ && std::exchange(ahead_, false)) {
      start_ = cursor_.added();
      note_progress();
    }
    return sought_;
  }
}

// Pages for what the scan found. Throws std::bad_alloc; with room in the batch, take_new() then cannot fail.
template <class T>
void State<T>::prepare_pages(bool no_ack) {
  if (!scan_.one_run() || !stands_beside(scan_.run(0)) || (!no_ack && !page_->has_lines())) make_pages(no_ack);
}

// The page in stock may be one of them and must not end meanwhile for want of references, so it is given up first.
template <class T>
[[gnu::noinline]] void State<T>::make_pages(bool no_ack) {
  if (!stands_beside(scan_.run(0))) give_up_stock();
  ledger.tidy_unused();
  for (std::size_t i = 0; i < scan_.run_count(); ++i) static_cast<void>(ledger.page_beside(scan_.held(i), !no_ack));
}

// Makes the page beside a run the one whose references are in stock.
template <class T>
[[gnu::noinline]] void State<T>::stand_beside(std::size_t i) noexcept {
  if (!stands_beside(scan_.run(i))) {
    give_up_stock();
    page_ = &ledger.page_beside(scan_.held(i), false);
  }
  stock_ += sync::reference_stock;
  refer(*page_, sync::reference_stock, scan_.held(i));
}

template <class T>
void State<T>::tell(Page& page, std::uint32_t first, std::uint32_t count, Mark mark) noexcept {
  const bool with_care = managed();
  for (std::uint32_t at = first; (with_care || !returned.empty()) && at < first + count; ++at) {
    if (!page.pending(at)) continue;
    count_in_flight(page.mark(at), -1);
    if (page.mark(at).consumer() == nobody) returned.forget({page.mark(at).time(), page.id(at)});
  }
  if (!with_care) return page.tell(first, count, mark);
  count_in_flight(mark, count);
  page.tell(first, count, mark);
  note_pending(page, first, count);
}

// Delivers what the scan found. Requires pages for it and room in the batch.
template <class T>
void State<T>::take_new(const Member& member, Instant now, bool no_ack, Batch& batch) noexcept {
  std::size_t i = 0;
  do {
    const auto& run = scan_.run(i);
    if (!stands_beside(run) || stock_ == 1) [[unlikely]]
      stand_beside(i);  // the last reference keeps the page
    --stock_;
    if (!no_ack) tell(*page_, run.first, run.count(), Mark::of(member.number, 1, now));
    batch.add(*page_, run.first, run.count(), !no_ack);
    delivered_ += run.count();
    last_delivered = run.segment->id(run.segment->slot(run.end - 1).state());
  } while (!scan_.one_run() && ++i < scan_.run_count());
  scan_.move(cursor_);
  if (!no_ack) expect_expiry(now);
  if (!managed()) [[likely]]
    return;
  if (no_ack) note_served(member, now);
  note_progress();
}

}  // namespace brook::group
