// order.hpp — the order of a group by a key, made anew: which entries are out, may be delivered, or wait behind others.
//
// A snapshot holds the hashes of keys, and another program's hash may be another one. So the keys are asked for again from
// entries that are there; entries that had one key must have one still, and no other key must have it. Where no entry of a
// key is there any more, its hash stays what it was.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <brook/entries.hpp>
#include <brook/group/image.hpp>
#include <brook/group/key_order.hpp>
#include <brook/id.hpp>
#include <brook/stream/state.hpp>

namespace brook::snapshot {

/// Why the order of a group cannot be made anew.
enum class OrderFault : unsigned char { none, other_keys, contradicts };

template <class T>
class RestoreOrder {
 public:
  using Entry = group::OrderedImage;
  using Key = group::KeyOrder::Key;

  RestoreOrder(stream::State<T>& stream, group::State<T>& group) : stream_(stream), group_(group) {}

  /// After what is pending was placed. Throws std::bad_alloc, and what the function of the keys throws.
  [[nodiscard]] OrderFault restore(std::span<const Entry> entries) {
    if (!find_keys(entries)) return OrderFault::other_keys;
    std::set<Id> ids;
    std::set<Key> busy;
    for (const Entry& entry : entries) {
      const Key key = keys_[entry.key];
      const bool pending = group_.ledger.find(entry.id).page != nullptr;
      const bool first = entry.stand != group::KeyOrder::Stand::waiting;
      if (pending != (entry.stand == group::KeyOrder::Stand::out)) return OrderFault::contradicts;
      if (!ids.insert(entry.id).second) return OrderFault::contradicts;
      if (!pending && entry.id > group_.last_delivered) return OrderFault::contradicts;  // the group has not come to it
      if (first ? !busy.insert(key).second : !busy.contains(key)) return OrderFault::contradicts;
      group_.order.admit(entry.id, key);
      if (pending) group_.order.deliver(entry.id);
    }
    return OrderFault::none;
  }

 private:
  [[nodiscard]] bool find_keys(std::span<const Entry> entries) {
    for (const Entry& entry : entries) {
      const std::optional<Key> key = key_now(entry.id);
      if (!key) continue;
      if (keys_.try_emplace(entry.key, *key).first->second != *key) return false;
    }
    for (const Entry& entry : entries) keys_.try_emplace(entry.key, entry.key);
    std::set<Key> different;
    for (const auto& [before, now] : keys_) {
      if (!different.insert(now).second) return false;
    }
    return true;
  }
  // Of an entry that is there.
  [[nodiscard]] std::optional<Key> key_now(Id id) {
    auto view = stream_.timeline.look();
    const Entries<T> entry = stream_.collect(view, id, id, 1);
    return entry.empty() ? std::nullopt : std::optional(group_.options.ordered_by(entry.front().value));
  }

  stream::State<T>& stream_;
  group::State<T>& group_;
  std::map<Key, Key> keys_;
};

}  // namespace brook::snapshot
