// key_order.hpp — in a group that is ordered by a key: which entry of each key may be processed, and which wait behind it.
//
// Of each key one entry at a time is out: from when it may be delivered until it is done with, in whichever hands it is by
// then. Those that come after it wait, in the order of their ids; they have been passed by the group's cursor, but have not
// been delivered. States of an entry:
//
//     admit ──▶ waiting ──its predecessors are done with──▶ ready ──deliver──▶ out ──finish──▶ forgotten
//          └──────────── the first of its key ─────────────▲
//
// A node is made when an entry is admitted, and moves from map to map, so that nothing after that can fail.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <brook/id.hpp>

namespace brook::group {

/// Guarded by the group's mutex.
template <class Id>
class BasicKeyOrder {
 public:
  /// The hash of a key. Keys that have the same one are ordered among each other too.
  using Key = std::uint64_t;
  using Entries = std::map<Id, Key>;

  /// Whether the entry has been admitted, and is not done with.
  [[nodiscard]] bool knows(Id id, Key key) const {
    const auto behind = busy_.find(key);
    return behind != busy_.end() && (ready_.contains(id) || out_.contains(id) || behind->second.contains(id));
  }

  /// An entry has come by. Throws std::bad_alloc, and then it has not.
  void admit(Id id, Key key) {
    Entries made;
    made.emplace(id, key);
    std::set<Id> named{id};
    const auto [behind, first] = busy_.try_emplace(key);
    (first ? ready_ : behind->second).insert(made.extract(made.begin()));
    undelivered_.merge(named);
  }

  /// Those that may be delivered, oldest first.
  [[nodiscard]] const Entries& ready() const noexcept { return ready_; }

  /// A ready one has been delivered.
  void deliver(Id id) noexcept {
    out_.insert(ready_.extract(id));
    undelivered_.erase(id);
  }

  /// An entry is done with, or is no more: the next of its key is ready. Ignores one that is neither ready nor out.
  void finish(Id id) noexcept {
    auto entry = out_.extract(id);
    if (entry.empty()) {
      entry = ready_.extract(id);
      if (entry.empty()) return;
      undelivered_.erase(id);
    }
    const auto behind = busy_.find(entry.mapped());
    if (behind->second.empty()) busy_.erase(behind);
    else ready_.insert(behind->second.extract(behind->second.begin()));
  }

  /// Those that have been admitted and not been delivered.
  [[nodiscard]] const std::set<Id>& undelivered() const noexcept { return undelivered_; }

  /// Where an entry stands.
  enum class Stand : unsigned char { out, ready, waiting };
  /// Calls `visit(id, key, stand)` for each that is not done with: first those that are out, then those that are ready.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& [id, key] : out_) visit(id, key, Stand::out);
    for (const auto& [id, key] : ready_) visit(id, key, Stand::ready);
    for (const auto& [key, behind] : busy_) {
      for (const auto& entry : behind) visit(entry.first, key, Stand::waiting);
    }
  }

  /// Forgets what was not delivered.
  void rewind() noexcept {
    for (auto& key : busy_) key.second.clear();
    for (const auto& entry : ready_) busy_.erase(entry.second);
    ready_.clear();
    undelivered_.clear();
  }

  void clear() noexcept {
    rewind();
    out_.clear();
    busy_.clear();
  }

 private:
  std::unordered_map<Key, Entries> busy_;  // the keys of which one is ready or out, with those that wait behind it
  Entries ready_;
  Entries out_;
  std::set<Id> undelivered_;
};
using KeyOrder = BasicKeyOrder<Id>;

}  // namespace brook::group
