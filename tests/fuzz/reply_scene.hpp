// reply_scene.hpp — what Redis would answer about a stream or a list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <brook/redis.hpp>

#include "export_scene.hpp"

namespace fuzz {

/// A reply, part by part, in RESP3, which has maps, or RESP2.
class ReplyWriter {
 public:
  explicit ReplyWriter(bool maps) noexcept : maps_(maps) {}

  [[nodiscard]] Bytes bytes() const {
    Bytes all(out_.size());
    std::memcpy(all.data(), out_.data(), out_.size());
    return all;
  }
  ReplyWriter& array(std::size_t values) { return line('*', values); }
  ReplyWriter& named(std::size_t pairs) { return maps_ ? line('%', pairs) : array(2 * pairs); }
  ReplyWriter& text(std::string_view value) {
    line('$', value.size());
    out_.append(value).append("\r\n");
    return *this;
  }
  ReplyWriter& id(brook::Id id) { return text(brook::to_string(id)); }
  ReplyWriter& number(std::uint64_t value) { return line(':', value); }

 private:
  ReplyWriter& line(char kind, std::uint64_t value) {
    out_.append(1, kind).append(std::to_string(value)).append("\r\n");
    return *this;
  }

  const bool maps_;
  std::string out_;
};

inline void write_entries(ReplyWriter& to, const Text& stream) {
  const auto entries = stream.range();
  to.array(entries.size());
  for (const auto& [id, value] : entries) to.array(2).id(id).array(2).text("value").text(value);
}

inline void write_group(ReplyWriter& to, const brook::GroupFullInfo& group, std::uint64_t now_ms) {
  const std::string nobody = brook::RedisExportOptions().returned_to;
  const auto since = [&](const brook::PendingEntry& entry) {
    return entry.consumer.empty() ? 0 : now_ms - static_cast<std::uint64_t>(entry.idle.count());
  };
  to.named(7).text("name").text(group.name).text("last-delivered-id").id(group.last_delivered_id);
  to.text("entries-read").number(group.entries_read).text("lag").number(group.lag);
  to.text("pel-count").number(group.entries.size()).text("pending").array(group.entries.size());
  for (const auto& entry : group.entries) {
    to.array(4).id(entry.id).text(entry.consumer.empty() ? nobody : entry.consumer);
    to.number(since(entry)).number(entry.deliveries);
  }
  const auto consumer = [&](std::string_view name, std::string_view as, std::uint64_t seen, std::uint64_t count) {
    to.named(4).text("name").text(name).text("seen-time").number(seen);
    to.text("pel-count").number(count).text("pending").array(count);
    for (const auto& entry : group.entries) {
      if (entry.consumer == as) to.array(3).id(entry.id).number(since(entry)).number(entry.deliveries);
    }
  };
  to.text("consumers").array(group.members.size() + (group.returned > 0 ? 1 : 0));
  for (const auto& member : group.members)
    consumer(member.name, member.name, now_ms - static_cast<std::uint64_t>(member.idle.count()), member.pending);
  if (group.returned > 0) consumer(nobody, "", 0, group.returned);
}

/// XINFO STREAM FULL COUNT 0.
inline Bytes replied(const Text& stream, const brook::Clock& clock, bool maps) {
  ReplyWriter to(maps);
  const auto info = stream.info();
  to.named(7).text("length").number(info.length).text("last-generated-id").id(info.last_id);
  to.text("max-deleted-entry-id").id(info.max_deleted_id).text("entries-added").number(info.entries_added);
  to.text("recorded-first-entry-id").id(info.first_id).text("entries");
  write_entries(to, stream);
  const auto names = stream.groups();
  to.text("groups").array(names.size());
  for (const std::string& name : names)
    write_group(to, *stream.group(name)->full_info(brook::no_limit), clock.unix_ms());
  return to.bytes();
}
/// XRANGE - +.
inline Bytes replied_entries(const Text& stream) {
  ReplyWriter to(true);
  write_entries(to, stream);
  return to.bytes();
}
/// LRANGE 0 -1.
inline Bytes replied(const Texts& list) {
  ReplyWriter to(true);
  const auto elements = list.lrange(0, -1);
  to.array(elements.size());
  for (const std::string& element : elements) to.text(element);
  return to.bytes();
}

/// What the import of a reply says, or "done".
template <class Object>
std::string import_reply(const Bytes& bytes, Object& object, const brook::RedisImportOptions& how) {
  const auto done = brook::import_redis_reply(std::span<const std::byte>(bytes), object, how);
  return done ? "done" : done.error().message();
}

}  // namespace fuzz
