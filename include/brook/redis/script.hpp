// script.hpp — a stream as commands make it, or as a reply tells it, but for its values: ids, counters, groups, what is pending.
// As Redis does it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/importing.hpp>
#include <brook/redis/read.hpp>
#include <brook/snapshot/error.hpp>

namespace brook::redis {

/// A group, as far as it is known. Times are in Unix milliseconds.
struct GroupScript {
  struct Consumer {
    std::uint32_t number = 0;  // when all are known
    std::optional<std::int64_t> seen_ms{};
    std::optional<std::int64_t> active_ms{};  // when it got the last that it still has
  };
  struct Pending {
    Consumer* consumer = nullptr;  // null is nobody
    std::int64_t since_ms = 0;
    std::uint64_t deliveries = 0;
  };

  Id last_delivered{};
  std::map<std::string, Consumer, std::less<>> consumers{};
  std::map<Id, Pending> pending{};
};

class StreamScript : public Importing {
 public:
  StreamScript(std::string returned_to, std::int64_t now_ms) noexcept
      : Importing(ObjectKind::stream), returned_to_(std::move(returned_to)), now_ms_(now_ms) {}

  inline snapshot::Result apply(const Command& command) override;

  // — what commands do, and replies tell. Errors: corrupt —

  [[nodiscard]] snapshot::Result add_entry(Id id, RedisFields fields, std::uint64_t offset);
  [[nodiscard]] snapshot::Result set_counters(Id last, std::uint64_t added, Id max_deleted);
  [[nodiscard]] snapshot::Result add_group(std::string_view name, GroupScript group);
  [[nodiscard]] std::uint64_t length() const noexcept { return length_; }
  /// Whether it is the consumer with whom what is pending with nobody was put.
  [[nodiscard]] bool is_nobody(std::string_view consumer) const noexcept { return consumer == returned_to_; }
  /// A time, or now when it cannot have been.
  [[nodiscard]] std::int64_t past(std::int64_t ms) const noexcept { return ms < 0 || ms > now_ms_ ? now_ms_ : ms; }

 protected:
  /// Keeps the value of one more entry, or that there cannot be one, which matters only if the entry stays.
  virtual void add_value(RedisFields fields, std::uint64_t offset) = 0;
  /// One is not wanted any more; or none of those so far.
  virtual void drop_value(std::size_t place) noexcept = 0;
  virtual void drop_values() noexcept = 0;

  [[nodiscard]] bool is_there(std::size_t place) const noexcept { return place >= first_ && !erased_[place]; }

  std::vector<Id> ids_;       // of all that were added
  std::vector<bool> erased_;  // of these, which were erased one by one
  std::uint64_t added_ = 0;
  Id last_id_{};
  Id max_deleted_{};
  std::map<std::string, GroupScript, std::less<>> groups_;

 private:
  using Result = snapshot::Result;

  [[nodiscard]] Result add(const Command& command);
  [[nodiscard]] Result trim(const Command& command, std::size_t& at);
  [[nodiscard]] Result erase(const Command& command);
  [[nodiscard]] Result set_id(const Command& command);
  [[nodiscard]] Result regroup(const Command& command);
  [[nodiscard]] Result create_group(const Command& command);
  [[nodiscard]] Result claim(const Command& command);
  struct Claiming {
    GroupScript::Pending to{};
    std::optional<std::uint64_t> deliveries{};
    std::optional<Id> last_id{};
    bool force = false;
    bool just_id = false;
  };
  [[nodiscard]] bool read_claim(const Command& command, std::size_t options_at, Claiming& claiming) const;
  void claim_one(GroupScript& group, Id id, const Claiming& claiming);

  [[nodiscard]] std::size_t find(Id id) const noexcept {
    const auto place = static_cast<std::size_t>(std::ranges::lower_bound(ids_, id) - ids_.begin());
    return place < ids_.size() && ids_[place] == id && is_there(place) ? place : ids_.size();
  }
  [[nodiscard]] GroupScript::Consumer* consumer(GroupScript& group, std::string_view name) {
    if (is_nobody(name)) return nullptr;
    return &group.consumers.try_emplace(std::string(name)).first->second;
  }
  void drop(std::size_t place) noexcept {
    drop_value(place);
    --length_;
  }

  const std::string returned_to_;
  const std::int64_t now_ms_;
  std::size_t first_ = 0;  // place of the first that was not trimmed
  std::uint64_t length_ = 0;
};

inline snapshot::Result StreamScript::apply(const Command& command) {
  const std::string_view name = command[0];
  if (same_word(name, "XADD")) return add(command);
  if (same_word(name, "XCLAIM")) return claim(command);
  if (same_word(name, "XDEL")) return erase(command);
  if (same_word(name, "XSETID")) return set_id(command);
  if (same_word(name, "XGROUP")) return regroup(command);
  std::size_t at = 2;
  if (!same_word(name, "XTRIM") || command.size() < 4) return not_understood(command);
  if (auto failed = trim(command, at); !failed) return failed;
  return at == command.size() ? Result() : not_understood(command);
}

// XADD key [MAXLEN|MINID [=] threshold] id field value …
inline snapshot::Result StreamScript::add(const Command& command) {
  std::size_t at = 2;
  const std::string_view trims = command.size() > 2 ? command[2] : std::string_view();
  const bool trimmed = same_word(trims, "MAXLEN") || same_word(trims, "MINID");
  if (trimmed) at += command.size() > 3 && command[3] == "=" ? 3 : 2;
  if (at + 3 > command.size() || (command.size() - at) % 2 == 0) return not_understood(command);
  const auto id = Id::parse(command[at]);
  if (!id || *id == Id::min()) return not_understood(command);
  RedisFields fields;
  for (++at; at < command.size(); at += 2) fields.emplace_back(command[at], command[at + 1]);
  if (auto failed = add_entry(*id, std::move(fields), command.offset()); !failed) return failed;
  at = 2;
  return trimmed ? trim(command, at) : Result();
}

inline snapshot::Result StreamScript::add_entry(Id id, RedisFields fields, std::uint64_t offset) {
  if (id <= last_id_) return refuse(Errc::corrupt, core::text({"entry ", to_string(id), " is not above the last one"}));
  ids_.push_back(id);
  erased_.push_back(false);
  add_value(std::move(fields), offset);
  ++length_;
  ++added_;
  last_id_ = id;
  return {};
}

// MAXLEN|MINID [=] threshold
inline snapshot::Result StreamScript::trim(const Command& command, std::size_t& at) {
  const bool by_length = same_word(command[at], "MAXLEN");
  if (!by_length && !same_word(command[at], "MINID")) return not_understood(command);
  if (command[++at] == "=" && ++at == command.size()) return not_understood(command);
  const std::string_view threshold = command[at++];
  const auto most = by_length ? number_of<std::uint64_t>(threshold) : ~std::uint64_t{0};
  const auto from = by_length ? expected<Id, Errc>(Id::min()) : Id::parse(threshold);
  if (!most || !from) return not_understood(command);
  for (; first_ < ids_.size() && (length_ > *most || ids_[first_] < *from); ++first_) {
    if (is_there(first_)) drop(first_);
  }
  return {};
}

inline snapshot::Result StreamScript::erase(const Command& command) {
  for (std::size_t i = 2; i < command.size(); ++i) {
    const auto id = Id::parse(command[i]);
    if (!id) return not_understood(command);
    const std::size_t place = find(*id);
    if (place == ids_.size()) continue;
    drop(place);
    erased_[place] = true;
    max_deleted_ = std::max(max_deleted_, *id);
  }
  return {};
}

// XSETID key last-id [ENTRIESADDED n] [MAXDELETEDID id]
inline snapshot::Result StreamScript::set_id(const Command& command) {
  const auto last = command.size() > 2 ? Id::parse(command[2]) : expected<Id, Errc>(unexpected(Errc::invalid_id));
  if (!last || command.size() % 2 == 0) return not_understood(command);
  std::uint64_t added = added_;
  Id max_deleted = max_deleted_;
  for (std::size_t i = 3; i < command.size(); i += 2) {
    if (same_word(command[i], "ENTRIESADDED")) {
      const auto told = number_of<std::int64_t>(command[i + 1]);
      if (!told || *told < 0) return not_understood(command);
      added = static_cast<std::uint64_t>(*told);
    } else {
      const auto told = Id::parse(command[i + 1]);
      if (!told || !same_word(command[i], "MAXDELETEDID")) return not_understood(command);
      if (*told != Id::min()) max_deleted = *told;
    }
  }
  if (length_ == 0) {  // what is no more bounds nothing
    ids_.clear();
    erased_.clear();
    drop_values();
    first_ = 0;
  }
  return set_counters(*last, added, max_deleted);
}

inline snapshot::Result StreamScript::set_counters(Id last, std::uint64_t added, Id max_deleted) {
  if (added < length_ || last < max_deleted || (!ids_.empty() && last < ids_.back()))
    return refuse(Errc::corrupt, "the counters contradict what is there");
  last_id_ = last;
  added_ = added;
  max_deleted_ = max_deleted;
  return {};
}

inline snapshot::Result StreamScript::regroup(const Command& command) {
  if (command.size() < 4) return not_understood(command);
  const std::string_view what = command[1];
  if (same_word(what, "CREATE")) return create_group(command);
  const auto found = groups_.find(command[3]);
  if (found == groups_.end()) return refuse(Errc::corrupt, core::text({"there is no group '", command[3], "'"}));
  if (same_word(what, "DESTROY") && command.size() == 4) {
    groups_.erase(found);
  } else if (same_word(what, "CREATECONSUMER") && command.size() == 5) {
    static_cast<void>(consumer(found->second, command[4]));
  } else {
    return not_understood(command);
  }
  return {};
}

// XGROUP CREATE key group id [MKSTREAM] [ENTRIESREAD n]
inline snapshot::Result StreamScript::create_group(const Command& command) {
  if (command.size() < 5) return not_understood(command);
  const auto start = command[4] == "$" ? expected<Id, Errc>(last_id_) : Id::parse(command[4]);
  if (!start) return not_understood(command);
  for (std::size_t i = 5; i < command.size(); ++i) {
    // How much the group has read follows from what is behind it.
    if (same_word(command[i], "ENTRIESREAD") && ++i < command.size() && number_of<std::int64_t>(command[i])) continue;
    if (i == command.size() || !same_word(command[i], "MKSTREAM")) return not_understood(command);
  }
  return add_group(command[3], GroupScript{.last_delivered = *start});
}

inline snapshot::Result StreamScript::add_group(std::string_view name, GroupScript group) {
  if (groups_.try_emplace(std::string(name), std::move(group)).second) return {};
  return refuse(Errc::corrupt, core::text({"group '", name, "' is there already"}));
}

// XCLAIM key group consumer min-idle id … [IDLE ms] [TIME unix-ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id]
inline snapshot::Result StreamScript::claim(const Command& command) {
  if (command.size() < 6) return not_understood(command);
  const auto group = groups_.find(command[2]);
  if (group == groups_.end()) return refuse(Errc::corrupt, core::text({"there is no group '", command[2], "'"}));
  std::size_t ids_end = 5;
  while (ids_end < command.size() && Id::parse(command[ids_end])) ++ids_end;
  Claiming claiming;
  if (!read_claim(command, ids_end, claiming)) return not_understood(command);
  if (claiming.last_id) group->second.last_delivered = std::max(group->second.last_delivered, *claiming.last_id);
  claiming.to.consumer = consumer(group->second, command[3]);
  for (std::size_t i = 5; i < ids_end; ++i) claim_one(group->second, *Id::parse(command[i]), claiming);
  return {};
}

inline bool StreamScript::read_claim(const Command& command, std::size_t options_at, Claiming& claiming) const {
  std::int64_t since = now_ms_;
  for (std::size_t i = options_at; i < command.size(); ++i) {
    const std::string_view option = command[i];
    if (same_word(option, "FORCE")) {
      claiming.force = true;
    } else if (same_word(option, "JUSTID")) {
      claiming.just_id = true;
    } else if (++i == command.size()) {
      return false;
    } else if (same_word(option, "LASTID")) {
      const auto id = Id::parse(command[i]);
      if (!id) return false;
      claiming.last_id = *id;
    } else {
      const auto number = number_of<std::int64_t>(command[i]);
      if (!number) return false;
      if (same_word(option, "TIME")) since = *number;
      else if (same_word(option, "IDLE")) since = now_ms_ - std::clamp<std::int64_t>(*number, 0, now_ms_);
      else if (same_word(option, "RETRYCOUNT") && *number >= 0)
        claiming.deliveries = static_cast<std::uint64_t>(*number);
      else return false;
    }
  }
  claiming.to.since_ms = past(since);
  return true;
}

inline void StreamScript::claim_one(GroupScript& group, Id id, const Claiming& claiming) {
  auto pending = group.pending.find(id);
  if (find(id) == ids_.size()) {
    if (pending != group.pending.end()) group.pending.erase(pending);
    return;
  }
  if (pending == group.pending.end()) {
    if (!claiming.force) return;
    pending = group.pending.emplace(id, GroupScript::Pending{.deliveries = 1}).first;
  }
  GroupScript::Pending& entry = pending->second;
  const std::uint64_t counted = entry.deliveries + (claiming.just_id ? 0 : 1);
  entry = claiming.to;
  entry.deliveries = claiming.deliveries.value_or(counted);
  if (entry.consumer == nullptr) return;
  auto& active = entry.consumer->active_ms;
  active = std::max(active.value_or(entry.since_ms), entry.since_ms);
}

}  // namespace brook::redis
