// inspect.hpp — what a group tells of itself.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <brook/core/late.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/redelivery.hpp>

namespace brook::group {

template <class T>
auto State<T>::progress(StreamState& stream) -> Progress {
  if (ahead_) static_cast<void>(seek(stream));  // the end may have come past it
  const auto rest = stream.rest_after(last_delivered, order.undelivered());
  const std::uint64_t lag = rest.entries;
  return {.lag = lag, .read = rest.added - lag, .lost = lost_ + (ahead_ ? 0 : rest.added - start_ - delivered_ - lag)};
}

template <class T>
PendingSummary State<T>::count_pending(std::vector<std::uint64_t>& counts) {
  PendingSummary summary{.count = unlimited};
  for (std::uint64_t before = 0; before != summary.count;) {
    before = summary.count;
    summary = {};
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

template <class T>
core::Late<T, std::vector<PendingEntry>> State<T>::list_pending(const PendingOptions& which, Instant now) {
  const Member* const only = which.consumer ? roster.find(*which.consumer) : nullptr;
  core::Late<T, std::vector<PendingEntry>> list;
  if (which.consumer && only == nullptr) return list;
  const auto same = [](const PendingEntry& a, const PendingEntry& b) { return a.id == b.id; };
  core::Late<T, std::vector<PendingEntry>> before;
  for (bool again = false;; again = true, before.swap(list)) {
    list.clear();
    ledger.each_pending(which.first, which.last, [&](const Place& place) {
      if (list.size() == which.count) return false;
      const Mark mark = place.mark();
      if (only != nullptr && mark.consumer() != only->number) return true;
      if (!idle_for(place, which.min_idle, now)) return true;
      PendingEntry entry{.id = place.id(), .deliveries = mark.count()};
      if (mark.consumer() != nobody) {
        entry.consumer = roster.member(mark.consumer()).name;
        entry.idle = std::chrono::milliseconds(now - std::min(now, mark.time()));
      }
      list.push_back(std::move(entry));
      return true;
    });
    // What is pending can only become less, so two equal lists tell what it was in between.
    if (again && std::equal(list.begin(), list.end(), before.begin(), before.end(), same)) return list;
  }
}

}  // namespace brook::group
