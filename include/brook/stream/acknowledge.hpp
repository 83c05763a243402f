// acknowledge.hpp — the operations on a group's state that its several handles share.
#pragma once

#include <cstddef>
#include <optional>
#include <ranges>

#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/stream/group_state.hpp>

namespace brook::stream {

/// The ids of entries, as a range.
template <class T>
[[nodiscard]] auto ids_of(const Entries<T>& entries) noexcept {
  return std::views::transform(entries, [](const Entry<T>& entry) { return entry.id; });
}

/// Ends the pending state of these entries, all at one instant; how many of them were pending.
template <class T, class Ids>
std::size_t acknowledge(GroupState<T>& group, const Ids& ids) {
  const sync::unique_lock held(group.mutex);
  std::size_t count = 0;
  for (const Id id : ids) {
    const auto found = group.pending.find(id);
    if (found == group.pending.end()) continue;
    --group.consumers.find(*found->second.consumer)->second.pending;
    group.pending.erase(found);
    ++count;
  }
  return count;
}

/// Why an operation on the group cannot take place, if so. The caller holds the group's mutex.
template <class T>
[[nodiscard]] std::optional<Errc> refusal(const State<T>& stream, const GroupState<T>& group) noexcept {
  if (stream.gone.load(sync::seq_cst)) return Errc::closed;
  if (group.destroyed) return Errc::no_such_group;
  return std::nullopt;
}

}  // namespace brook::stream
