// double.hpp — a stream as plainly as it can be written: one map, a few numbers, no cleverness. What Redis says a stream
// is, on one thread; the fuzzers hold brook's Stream against it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <brook/error.hpp>
#include <brook/id.hpp>

namespace fuzz {

/// Ids and values, in the order of a read.
using Listing = std::vector<std::pair<brook::Id, std::uint64_t>>;

struct PendingDouble {
  std::string owner;
  std::uint64_t count = 0;

  friend bool operator==(const PendingDouble&, const PendingDouble&) = default;
};

struct GroupDouble {
  brook::Id last_delivered;
  std::map<brook::Id, PendingDouble> pending{};
  std::set<std::string> consumers{};

  [[nodiscard]] std::map<std::string, std::uint64_t> pending_by_consumer() const {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [id, one] : pending) ++counts[one.owner];
    return counts;
  }

  std::size_t ack(const std::vector<brook::Id>& ids) {
    std::size_t count = 0;
    for (const brook::Id id : ids) count += pending.erase(id);
    return count;
  }
};

class StreamDouble {
 public:
  using Id = brook::Id;
  using Errc = brook::Errc;
  template <class T>
  using Expected = brook::expected<T, Errc>;

  std::map<Id, std::uint64_t> entries{};
  Id last_id{};
  Id max_deleted{};
  std::uint64_t entries_added = 0;
  bool closed = false;
  std::map<std::string, GroupDouble> groups{};

  // — adding: which id, and then the entry —

  [[nodiscard]] Expected<Id> id_at(std::uint64_t ms) const {
    if (closed) return refuse(Errc::closed);
    if (last_id == largest) return refuse(Errc::id_exhausted);
    if (ms > last_id.ms) return Id{ms, 0};
    return after(last_id);
  }

  [[nodiscard]] Expected<Id> id_in(std::uint64_t ms) const {
    if (closed) return refuse(Errc::closed);
    if (last_id == largest) return refuse(Errc::id_exhausted);
    if (ms < last_id.ms) return refuse(Errc::id_too_small);
    if (ms > last_id.ms) return Id{ms, 0};
    if (last_id.seq == largest.seq) return refuse(Errc::id_too_small);
    return Id{ms, last_id.seq + 1};
  }

  [[nodiscard]] Expected<Id> id_exactly(Id id) const {
    if (id == Id{0, 0}) return refuse(Errc::invalid_id);
    if (closed) return refuse(Errc::closed);
    if (last_id == largest) return refuse(Errc::id_exhausted);
    if (id <= last_id) return refuse(Errc::id_too_small);
    return id;
  }

  Expected<Id> add(Expected<Id> id, std::uint64_t value) {
    if (!id) return id;
    entries.emplace(*id, value);
    last_id = *id;
    ++entries_added;
    return id;
  }

  /// The first id of consecutive ones.
  Expected<Id> add_range(std::uint64_t ms, const std::vector<std::uint64_t>& values) {
    const Expected<Id> first = id_at(ms);
    if (!first || values.empty()) return first;
    if (first->ms == largest.ms && largest.seq - first->seq < values.size() - 1) return refuse(Errc::id_exhausted);
    Id id = *first;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) id = after(id);
      add(id, values[i]);
    }
    return first;
  }

  // — reading —

  [[nodiscard]] Listing range(Id first, Id last, std::size_t count) const {
    Listing found;
    if (first > last) return found;
    for (auto at = entries.lower_bound(first); at != entries.end() && at->first <= last; ++at) {
      if (found.size() == count) break;
      found.push_back(*at);
    }
    return found;
  }

  [[nodiscard]] Listing rev_range(Id last, Id first, std::size_t count) const {
    Listing found;
    if (first > last) return found;
    for (auto at = entries.upper_bound(last); at != entries.begin() && found.size() < count;) {
      --at;
      if (at->first < first) break;
      found.push_back(*at);
    }
    return found;
  }

  [[nodiscard]] Listing following(Id after, std::size_t count) const {
    Listing found;
    for (auto at = entries.upper_bound(after); at != entries.end() && found.size() < count; ++at) found.push_back(*at);
    return found;
  }

  [[nodiscard]] Id first_id() const { return entries.empty() ? Id{0, 0} : entries.begin()->first; }

  // — removing —

  std::size_t erase(const std::vector<Id>& ids) {
    std::size_t count = 0;
    for (const Id id : ids) {
      if (entries.erase(id) == 0) continue;
      ++count;
      if (id > max_deleted) max_deleted = id;
    }
    return count;
  }

  [[nodiscard]] std::uint64_t above(std::uint64_t max_len) const {
    return entries.size() > max_len ? entries.size() - max_len : 0;
  }
  [[nodiscard]] std::uint64_t below(Id min_id) const {
    std::uint64_t count = 0;
    for (auto at = entries.begin(); at != entries.end() && at->first < min_id; ++at) ++count;
    return count;
  }
  void remove_oldest(std::uint64_t count) {
    for (; count > 0; --count) entries.erase(entries.begin());
  }

  // — groups —

  Listing deliver(GroupDouble& group, const std::string& consumer, std::size_t count, bool no_ack) {
    Listing found = following(group.last_delivered, count);
    for (const auto& [id, value] : found) {
      group.last_delivered = id;
      if (!no_ack) group.pending[id] = PendingDouble{consumer, 1};
    }
    return found;
  }

  /// Ids and how often each was delivered, this time included.
  Listing history(GroupDouble& group, const std::string& consumer, Id after, std::size_t count) {
    Listing found;
    for (auto at = group.pending.upper_bound(after); at != group.pending.end() && found.size() < count; ++at) {
      if (at->second.owner != consumer || !entries.contains(at->first)) continue;
      found.emplace_back(at->first, ++at->second.count);
    }
    return found;
  }

 private:
  static constexpr Id largest{std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};

  static Id after(Id id) { return id.seq == largest.seq ? Id{id.ms + 1, 0} : Id{id.ms, id.seq + 1}; }
  static Expected<Id> refuse(Errc error) { return brook::unexpected(error); }
};

}  // namespace fuzz
