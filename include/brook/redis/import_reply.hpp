// import_reply.hpp — one object as a reply tells it: a stream as XRANGE or XINFO STREAM FULL, a list as LRANGE.
//
// Which of them it is, its first value says: XRANGE tells arrays, each an entry, and XINFO names and values. Names that are not
// known are passed over: later versions have more of them. Of what is told twice (what is pending, once in the group and once
// with each consumer) the group's is taken, and how many there are must agree.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/import_list.hpp>
#include <brook/redis/import_stream.hpp>
#include <brook/redis/importing.hpp>
#include <brook/redis/options.hpp>
#include <brook/redis/reply.hpp>
#include <brook/redis/script.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/single.hpp>
#include <brook/snapshot/sink.hpp>
#include <brook/stream.hpp>

namespace brook::redis {

[[nodiscard]] inline Id read_id(ReplyReader& from, std::string_view what) {
  const std::uint64_t where = from.offset();
  std::string text;
  if (!from.text(text, what)) return {};
  const auto id = Id::parse(text);
  if (!id) from.fail_as_no(what, where);
  return id.value_or(Id());
}

/// Calls `visit()` for each of so many values; it reads it.
template <class Visit>
void each_value(ReplyReader& from, std::uint64_t values, Visit&& visit) {
  for (; values > 0 && !from.failed(); --values) visit();
}
/// Calls `visit(name)` for each name of so many names and values; it reads the value.
template <class Visit>
void each_named(ReplyReader& from, std::uint64_t values, Visit&& visit) {
  std::string name;
  for (; values > 1 && !from.failed(); values -= 2) {
    if (from.text(name, "a name")) visit(std::string_view(name));
  }
  if (values == 1) from.fail_as_no("a value behind each name", from.offset());
}

/// One group of XINFO STREAM FULL.
class GroupReply {
 public:
  GroupReply(ReplyReader& from, const StreamScript& stream) noexcept : from_(from), stream_(stream) {}

  /// False when it fails, which the reader tells.
  [[nodiscard]] bool read() {
    offset_ = from_.offset();
    each_named(from_, from_.values("a group as names and values"), [&](std::string_view said) { read_value(said); });
    if (from_.failed()) return false;
    if (!name || !come_so_far_) return from_.fail(Errc::corrupt, "a group without a name, or an id", offset_);
    return has_all();
  }

  std::optional<std::string> name{};
  GroupScript group{};

 private:
  // How much is pending with a consumer: as is told of it, once it is, and as was found.
  struct With {
    std::optional<std::uint64_t> told{};
    std::uint64_t found = 0;
  };

  void read_value(std::string_view said) {
    if (said == "name") {
      static_cast<void>(from_.text(name.emplace(), "the name of a group"));
    } else if (said == "last-delivered-id") {
      come_so_far_ = true;
      group.last_delivered = read_id(from_, "the id that a group has come to");
    } else if (said == "pel-count") {
      pending_ = from_.count("how much is pending");
    } else if (said == "pending") {
      each_value(from_, from_.array("what is pending"), [this] { read_pending(); });
    } else if (said == "consumers") {
      each_value(from_, from_.array("consumers"), [this] { read_consumer(); });
    } else {
      from_.skip();
    }
  }
  // [id, consumer, since when, how often]
  void read_pending() {
    const std::uint64_t where = from_.offset();
    constexpr std::string_view what = "a pending entry of four values";
    if (from_.array(what) != 4) return static_cast<void>(from_.fail_as_no(what, where));
    const Id id = read_id(from_, "the id of a pending entry");
    std::optional<std::string> who;
    if (!from_.text_or_nil(who, "the consumer of a pending entry")) return;
    GroupScript::Pending entry;
    entry.since_ms = stream_.past(from_.number("when an entry was delivered"));
    entry.deliveries = from_.count("how often an entry was delivered");
    if (from_.failed()) return;
    if (who) ++with_[*who].found;
    if (who && !stream_.is_nobody(*who)) {
      auto& consumer = group.consumers.try_emplace(*std::move(who)).first->second;
      consumer.active_ms = std::max(consumer.active_ms.value_or(entry.since_ms), entry.since_ms);
      entry.consumer = &consumer;
    }
    if (!group.pending.try_emplace(id, entry).second)
      from_.fail(Errc::corrupt, core::text({"entry ", to_string(id), " is pending twice"}), where);
  }
  void read_consumer() {
    const std::uint64_t where = from_.offset();
    std::optional<std::string> who;
    std::optional<std::int64_t> seen;
    std::optional<std::int64_t> active;
    std::optional<std::uint64_t> pending;
    each_named(from_, from_.values("a consumer as names and values"), [&](std::string_view said) {
      if (said == "name") static_cast<void>(from_.text(who.emplace(), "the name of a consumer"));
      else if (said == "seen-time") seen = from_.number("when a consumer was seen");
      else if (said == "active-time") active = from_.number("when a consumer was active");
      else if (said == "pel-count") pending = from_.count("how much is pending with a consumer");
      else from_.skip();
    });
    if (from_.failed()) return;
    if (!who || !pending)
      return static_cast<void>(from_.fail(Errc::corrupt, "a consumer without a name, or how much it has", where));
    if (std::exchange(with_[*who].told, pending))
      return static_cast<void>(from_.fail(Errc::corrupt, core::text({"consumer '", *who, "' is there twice"}), where));
    if (stream_.is_nobody(*who)) return;
    auto& consumer = group.consumers.try_emplace(*std::move(who)).first->second;
    if (seen) consumer.seen_ms = stream_.past(*seen);
    if (!active) return;  // Redis 7.0 does not say it, and it was when it got the last that it still has
    active_[&consumer] = *active < 0 ? std::nullopt : std::optional(stream_.past(*active));
  }
  [[nodiscard]] bool has_all() {
    for (const auto& [consumer, active] : active_) consumer->active_ms = active;
    // Redis 8.8 tells what came back as pending with a consumer that has no name, and is none.
    if (const auto nameless = with_.find(""); nameless != with_.end() && !nameless->second.told) give_back();
    for (const auto& [who, with] : with_) {
      if (with.told && *with.told == with.found) continue;
      return from_.fail(
          Errc::corrupt,
          core::text({"what is pending with consumer '", who, "' is not all told: COUNT 0 is to be asked for"}),
          offset_);
    }
    if (!pending_ || *pending_ == group.pending.size()) return true;
    return from_.fail(Errc::corrupt, "what is pending is not all told: COUNT 0 is to be asked for", offset_);
  }
  void give_back() {
    with_.erase("");
    const auto nameless = group.consumers.find("");
    if (nameless == group.consumers.end()) return;
    for (auto& [id, entry] : group.pending) {
      if (entry.consumer == &nameless->second) entry.consumer = nullptr;
    }
    group.consumers.erase(nameless);
  }

  ReplyReader& from_;
  const StreamScript& stream_;
  std::uint64_t offset_ = 0;
  bool come_so_far_ = false;
  std::optional<std::uint64_t> pending_;
  std::map<std::string, With, std::less<>> with_;
  std::map<GroupScript::Consumer*, std::optional<std::int64_t>> active_;
};

/// A reply about a stream.
class StreamReply {
 public:
  StreamReply(ReplyReader& from, StreamScript& to) noexcept : from_(from), to_(to) {}

  void read() {
    const std::uint64_t where = from_.offset();
    const bool is_map = from_.kind() == '%';
    const std::uint64_t values = from_.values("entries (XRANGE), or names and values (XINFO STREAM FULL),");
    if (from_.failed()) return;
    if (is_map || (values > 0 && from_.kind() != '*')) return read_info(values, where);
    each_value(from_, values, [this] { read_entry(); });
  }

 private:
  // [id, [name, value, …]]
  void read_entry() {
    const std::uint64_t where = from_.offset();
    if (from_.array("an entry of an id and fields") != 2)
      return static_cast<void>(from_.fail_as_no("an entry of an id and fields", where));
    const Id id = read_id(from_, "the id of an entry");
    RedisFields fields;
    each_named(from_, from_.values("the fields of an entry"), [&](std::string_view name) {
      auto& field = fields.emplace_back(name, std::string());
      static_cast<void>(from_.text(field.second, "the value of a field"));
    });
    if (from_.failed()) return;
    if (fields.empty()) return static_cast<void>(from_.fail(Errc::corrupt, "an entry without fields", where));
    if (const auto added = to_.add_entry(id, std::move(fields), where); !added) from_.fail(added, where);
  }
  void read_info(std::uint64_t values, std::uint64_t where) {
    each_named(from_, values, [&](std::string_view said) { read_value(said); });
    if (from_.failed()) return;
    if (!last_ || !entries_ || !groups_) {
      from_.fail(Errc::corrupt,
                 "this does not tell entries, groups and the last id: XINFO STREAM is to be asked for FULL", where);
    } else if (length_ && *length_ != to_.length()) {
      from_.fail(Errc::corrupt,
                 core::text({std::to_string(to_.length()), " entries are told of ", std::to_string(*length_),
                             ": COUNT 0 is to be asked for"}),
                 where);
    } else if (const auto set = to_.set_counters(*last_, added_.value_or(to_.length()), max_deleted_); !set) {
      from_.fail(set, where);
    }
  }
  void read_value(std::string_view said) {
    if (said == "length") {
      length_ = from_.count("how many entries there are");
    } else if (said == "last-generated-id") {
      last_ = read_id(from_, "the last id");
    } else if (said == "max-deleted-entry-id") {
      max_deleted_ = read_id(from_, "the largest id that was erased");
    } else if (said == "entries-added") {
      added_ = from_.count("how many entries were added");
    } else if (said == "entries") {
      entries_ = true;
      each_value(from_, from_.array("entries"), [this] { read_entry(); });
    } else if (said == "groups" && from_.kind() == '*') {
      groups_ = true;
      each_value(from_, from_.array("groups"), [this] { read_group(); });
    } else {
      from_.skip();
    }
  }
  void read_group() {
    const std::uint64_t where = from_.offset();
    GroupReply reply(from_, to_);
    if (!reply.read()) return;
    if (const auto added = to_.add_group(*reply.name, std::move(reply.group)); !added) from_.fail(added, where);
  }

  ReplyReader& from_;
  StreamScript& to_;
  std::optional<std::uint64_t> length_;
  std::optional<std::uint64_t> added_;
  std::optional<Id> last_;
  Id max_deleted_{};
  bool entries_ = false;
  bool groups_ = false;
};

/// Whether a source is to be read to its end: what is in memory, or a file, ends with the reply. Others may be a connection.
template <class From>
inline constexpr bool ends_with_reply = !snapshot::GivesBytes<From> && !std::derived_from<From, ByteSource>;

template <class T>
[[nodiscard]] snapshot::Result import_reply(ByteSource& source, bool to_the_end, Stream<T>& stream,
                                            const RedisImportOptions& options) {
  if (auto failed = snapshot::not_recorded(stream); !failed) return failed;
  ReplyReader from(source);
  ImportingStream<T> importing(options, options.stream);
  if (from.begin()) StreamReply(from, importing).read();
  if (from.failed() || !from.end(to_the_end)) return from.result();
  auto state = importing.finish({}, options.policies);
  if (!state) return unexpected(state.error());
  replace_state(stream, *std::move(state));
  return {};
}
template <class T>
[[nodiscard]] snapshot::Result import_reply(ByteSource& source, bool to_the_end, BlockingList<T>& list,
                                            const RedisImportOptions& options) {
  if (auto failed = snapshot::not_recorded(list); !failed) return failed;
  ReplyReader from(source);
  ImportingList<T> importing(options.list);
  std::string text;
  if (from.begin()) {
    each_value(from, from.array("elements (LRANGE)"), [&] {
      const std::uint64_t where = from.offset();
      if (!from.text(text, "an element")) return;
      if (const auto pushed = importing.push(Side::right, text); !pushed) from.fail(pushed, where);
    });
  }
  if (from.failed() || !from.end(to_the_end)) return from.result();
  replace_state(list, importing.state());
  return {};
}

}  // namespace brook::redis
