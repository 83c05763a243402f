// inspect.hpp — what a stream tells of itself (XINFO STREAM). Part of stream.hpp, which includes it.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/entries.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/stream.hpp>

namespace brook {

template <class T>
StreamInfo Stream<T>::info() const {
  auto view = state_->look();
  const Entries<T> first = state_->collect(view, Id::min(), Id::max(), 1);
  StreamInfo info{.length = view.length(),
                  .capacity = state_->options.capacity == unlimited ? 0 : state_->options.capacity,
                  .entries_added = view.end.added(),
                  .first_id = first.empty() ? Id::min() : first.front().id,
                  .last_id = view.end.last_id(),
                  .max_deleted_id = view.edits.max_deleted,
                  .segments = state_->timeline.segments(view),
                  .closed = view.end.sealed};
  if (auto* const keyed = state_->keyed()) {
    const sync::unique_lock held(keyed->mutex);
    info.producers = keyed->producers.producers();
    info.producer_keys = keyed->producers.keys();
    info.duplicates = keyed->producers.duplicates();
  }
  const sync::unique_lock held(state_->groups_mutex);
  info.groups = state_->groups.size();
  return info;
}

template <class T>
StreamFullInfo<T> Stream<T>::full_info(std::size_t count) const {
  StreamFullInfo<T> full{info(), range(Id::min(), Id::max(), count), rev_range(Id::max(), Id::min(), count), {}};
  for (const std::string& name : groups()) {
    const auto found = group(name);
    if (!found) continue;
    if (auto told = found->full_info(count)) full.consumer_groups.push_back(*std::move(told));
  }
  return full;
}

}  // namespace brook
