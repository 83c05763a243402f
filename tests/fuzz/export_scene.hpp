// export_scene.hpp — streams and lists in random states, exported, and what of them outlasts that.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/redis.hpp>
#include <brook/testing.hpp>

#include "fuzz.hpp"
#include "snapshot_scene.hpp"

namespace fuzz {

/// All that outlasts an export and an import, as text; `of_gone` says whether what is pending and has left the stream does.
inline std::string lasting(const Text& stream, const brook::Clock& clock, bool of_gone) {
  std::ostringstream out;
  const auto info = stream.info();
  out << info.length << ' ' << info.entries_added << ' ' << info.first_id << ' ' << info.last_id << ' '
      << info.max_deleted_id << '\n';
  for (const auto& [id, value] : stream.range()) out << id << '=' << value << '\n';
  for (const std::string& name : stream.groups()) {
    const auto told = *stream.group(name)->full_info(brook::no_limit);
    out << name << ' ' << told.last_delivered_id << ' ' << told.entries_read << ' ' << told.lag << '\n';
    for (const auto& entry : told.entries) {
      if (!of_gone && stream.range(entry.id, entry.id).empty()) continue;
      out << ' ' << entry.id << ' ' << entry.consumer << ' ' << entry.deliveries << ' ';
      if (!entry.consumer.empty()) out << static_cast<std::int64_t>(clock.unix_ms()) - entry.idle.count();
      out << '\n';
    }
    for (const auto& member : told.members) out << ' ' << member.name << '\n';
  }
  return out.str();
}

/// Has a stream get into a random state that can be told to Redis exactly.
inline void live(Scene& scene) {
  for (std::uint64_t steps = scene.random.of_any_size(9); steps > 0; --steps) scene.step();
  static_cast<void>(scene.stream.group("ordered")->destroy());
}

/// A list in a random state.
inline void fill(Random& random, Texts& list) {
  for (std::uint64_t steps = random.of_any_size(9); steps > 0; --steps) {
    const std::string text = std::string(static_cast<std::size_t>(random.of_any_size(8)), '\n') + std::to_string(steps);
    switch (random.below(6)) {
      case 0: static_cast<void>(list.lpush(text)); break;
      case 1: static_cast<void>(list.lpop()); break;
      case 2: static_cast<void>(list.rpop()); break;
      default: static_cast<void>(list.rpush(text));
    }
  }
}

template <class Object>
Bytes exported(const Object& object, const brook::RedisExportOptions& options = {}) {
  Bytes bytes;
  const auto done = brook::export_to_redis(bytes, "key", object, options);
  if (!done) throw Difference("export: " + done.error().message());
  return bytes;
}

/// What an import says, or "done".
template <class Object>
std::string import_from(const Bytes& bytes, Object& object, const brook::RedisImportOptions& how) {
  const auto done = brook::import_from_redis(std::span<const std::byte>(bytes), "key", object, how);
  return done ? "done" : done.error().message();
}

}  // namespace fuzz
