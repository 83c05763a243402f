// ordered.hpp — a group that delivers in the order of a key: what is new waits for its turn (group/key_order.hpp), and is
// not pending before it was delivered.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <brook/core/late.hpp>
#include <brook/group/key_order.hpp>
#include <brook/group/state.hpp>

namespace brook::group {

// Lets new entries take their places, in stream order, until so many may be delivered. An exception, be it the user's key
// function's, leaves those before it admitted, and the group goes on after them.
template <class T>
void State<T>::admit_new(StreamState& stream, std::size_t count) {
  struct Passed {
    State& group;
    bool all = false;
    ~Passed() {
      if (!all) group.sought_ = false;
      group.note_progress();
    }
  };
  while (order.ready().size() < count && find_new(stream, count - order.ready().size())) {
    Passed passed{*this};
    for (std::size_t i = 0; i < scan_.run_count(); ++i) {
      const auto& run = scan_.run(i);
      for (std::uint32_t at = run.first; at < run.end; ++at) {
        auto& slot = run.segment->slot(at);
        const Id id = run.segment->id(slot.state());
        const auto key = options.ordered_by(log::value_of<T>(slot.payload()));
        if (!order.knows(id, key)) {
          order.admit(id, key);
          if (auto* const witness = notes.witness()) witness->admitted(id, key);
        } else {
          ++delivered_;  // it is still out, and the group was moved back
        }
        last_delivered = id;
      }
    }
    scan_.move(cursor_);
    passed.all = true;
  }
}

// Finds up to `count` entries that may be delivered. Those that have left the stream are done with.
template <class T>
auto State<T>::find_ready(StreamState& stream, std::size_t count) -> std::vector<Ready> {
  std::vector<Ready> found;
  for (bool all = false; !all;) {
    admit_new(stream, count);
    found.clear();
    core::Late<T, std::vector<Id>> gone;
    auto view = stream.timeline.look();
    for (const auto& [id, key] : order.ready()) {
      if (found.size() == count) break;
      const Entries<T> entry = stream.collect(view, id, id, 1);
      if (entry.empty()) {
        gone.push_back(id);
      } else {
        const auto& run = entry.runs().run(0);
        found.push_back({id, run.segment, {nullptr, run.first}});
      }
    }
    for (const Id id : gone) {
      order.finish(id);
      if (auto* const witness = notes.witness()) witness->dropped(id);
    }
    all = gone.empty();
  }
  return found;
}

// The same, and makes their pages.
template <class T>
auto State<T>::collect_ready(StreamState& stream, std::size_t count) -> std::vector<Ready> {
  std::vector<Ready> found = find_ready(stream, count);
  ledger.tidy_unused();
  for (Ready& ready : found) ready.place.page = &ledger.page_beside(ready.segment, true);
  return found;
}

template <class T>
void State<T>::deliver_ready(std::vector<Ready>& ready, const Member& member, Instant now, Batch& batch) noexcept {
  for (Ready& entry : ready) {
    order.deliver(entry.id);
    refer(*entry.place.page, 1, entry.segment);
    tell(*entry.place.page, entry.place.at, 1, Mark::of(member.number, 1, now));
    batch.add(*entry.place.page, entry.place.at, 1, true);
    ++delivered_;
  }
  if (!ready.empty()) note_progress();
}

}  // namespace brook::group
