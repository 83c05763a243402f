// inspect.hpp — what a group tells of itself.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>

namespace brook::group {

template <class T>
std::uint64_t State<T>::lag(StreamState& stream) {
  std::uint64_t waiting = 0;
  order.each_undelivered([&](Id id) {
    auto view = stream.timeline.look();
    waiting += stream.collect(view, id, id, 1).size();
  });
  return waiting + stream.count_after(last_delivered);
}

template <class T>
PendingSummary State<T>::count_pending(std::vector<std::uint64_t>& counts) {
  PendingSummary summary{.count = unlimited};
  for (std::uint64_t before = 0; before != summary.count;) {
    before = std::exchange(summary, {}).count;
    counts.assign(roster.numbers() + 1, 0);
    Place last;
    ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
      if (summary.count++ == 0) summary.first = place.id();
      last = place;
      ++counts[place.mark().consumer()];
      return true;
    });
    if (summary.count > 0) summary.last = last.id();
  }
  return summary;
}

}  // namespace brook::group
