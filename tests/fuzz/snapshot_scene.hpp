// snapshot_scene.hpp — streams in random states, what there is to be seen of them, and snapshots whose checksums were mended.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <brook/snapshot.hpp>
#include <brook/testing.hpp>

#include "fuzz.hpp"

namespace fuzz {

using Bytes = std::vector<std::byte>;
using Text = brook::Stream<std::string>;
using Texts = brook::BlockingList<std::string>;

/// All that can be seen of a stream, as text.
inline std::string seen(const Text& stream) {
  std::ostringstream out;
  const auto info = stream.info();
  out << info.length << ' ' << info.capacity << ' ' << info.entries_added << ' ' << info.first_id << ' ' << info.last_id
      << ' ' << info.max_deleted_id << ' ' << info.groups << ' ' << info.producers << ' ' << info.producer_keys << ' '
      << info.duplicates << ' ' << info.closed << '\n';
  for (const auto& [id, value] : stream.range()) out << id << '=' << value << '\n';
  for (const std::string& name : stream.groups()) {
    const auto group = *stream.group(name);
    const auto told = *group.full_info(brook::no_limit);
    out << name << ' ' << told.pending << ' ' << told.returned << ' ' << told.last_delivered_id << ' '
        << told.entries_read << ' ' << told.lag << ' ' << told.lost << '\n';
    for (const auto& entry : told.entries)
      out << ' ' << entry.id << ' ' << entry.consumer << ' ' << entry.idle.count() << ' ' << entry.deliveries << '\n';
    for (const auto& member : told.members)
      out << ' ' << member.name << ' ' << member.pending << ' ' << member.idle.count() << ' '
          << (member.inactive ? member.inactive->count() : -1) << '\n';
  }
  return out.str();
}

inline std::size_t length_of(const std::string& text) { return text.size() % 5; }

/// A stream in which much has happened, with three groups: a plain one, one in order, one with delays.
struct Scene {
  explicit Scene(Random& with, brook::ManualClock& its_clock)
      : random(with),
        clock(its_clock),
        stream({.max_len = with.one_in(3) ? with.between(1, 200) : brook::unlimited,
                .until_acked = with.one_in(6),
                .clock = &its_clock,
                .idempotency = {.keys = 5}}) {
    for (const char* name : {"plain", "ordered", "delayed"})
      static_cast<void>(stream.create_group(name, brook::earliest, options(name)));
  }

  static brook::GroupOptions<std::string> options(std::string_view name) {
    brook::GroupOptions<std::string> options;
    if (name == "ordered") options.ordered_by = length_of;
    if (name == "delayed") {
      options.retry_delay = std::chrono::seconds(3);
      options.max_deliveries = 4;
      options.visibility = std::chrono::seconds(50);
    }
    return options;
  }
  [[nodiscard]] brook::LoadOptions loading() const {
    brook::LoadOptions how;
    how.clock = &clock;
    how.policies.group<std::string>("ordered", options("ordered"));
    return how;
  }

  void step() {
    const auto group = *stream.group(random.one_of<const char*>({"plain", "ordered", "delayed"}));
    const auto consumer = group.consumer(random.one_of<const char*>({"ann", "bob", "cy"}));
    switch (random.below(16)) {
      case 0: clock.advance(std::chrono::milliseconds(random.below(4000))); break;
      case 1: {
        std::vector<brook::Id> ids;
        for (const auto& entry : stream.range(brook::Id::min(), brook::Id::max(), 30)) {
          if (random.one_in(4)) ids.push_back(entry.id);
        }
        stream.erase(ids);
        break;
      }
      case 2:
        if (random.one_in(3)) static_cast<void>(stream.trim({.max_len = random.below(100)}));
        break;
      case 3:
        static_cast<void>(
            stream.add(std::to_string(random.below(50)),
                       {.producer = random.one_of<const char*>({"p", "q"}), .key = std::to_string(random.below(9))}));
        break;
      case 4:
        static_cast<void>(
            stream.add(brook::Id{stream.last_id().ms + random.of_any_size(33), random.of_any_size(20) + 1}, "far"));
        break;
      case 5:
        if (random.one_in(6)) static_cast<void>(group.set_id(brook::Id{random.below(2) * stream.last_id().ms, 0}));
        break;
      case 6:
        if (random.one_in(4)) static_cast<void>(group.delete_consumer("cy"));
        break;
      case 7:
        static_cast<void>(consumer.auto_claim({.min_idle = std::chrono::seconds(random.below(9)), .count = 3}));
        break;
      case 8:
      case 9:
      case 10:
        for (auto batch = consumer.read({.count = random.between(1, 20)}); const auto& delivery : *batch) {
          if (random.one_in(3)) delivery.ack();
          else if (random.one_in(4)) static_cast<void>(delivery.nack());
        }
        break;
      default: {
        std::vector<std::string> batch(static_cast<std::size_t>(random.between(1, 12)));
        for (auto& text : batch)
          text =
              std::string(static_cast<std::size_t>(random.of_any_size(7)), 'a') + std::to_string(random.bits() % 100);
        static_cast<void>(stream.add_range(batch));
      }
    }
  }

  Random& random;
  brook::ManualClock& clock;
  Text stream;
};

/// What a load says, or "done".
template <class Object>
std::string load_from(const Bytes& bytes, Object& object, const brook::LoadOptions& how) {
  const auto loaded = brook::load(std::span<const std::byte>(bytes), object, how);
  return loaded ? "done" : loaded.error().message();
}

/// Calls `use(payload offset, payload size, offset of the header)` for each piece, as far as they are there.
template <class Use>
void each_piece(const Bytes& bytes, Use&& use) {
  using namespace brook::snapshot;
  for (std::size_t at = header_size; at + piece_header_size <= bytes.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at + 4, 4);
    if (size > bytes.size() - at - piece_header_size) return;
    use(at + piece_header_size, std::size_t{size}, at);
    at += piece_header_size + size;
  }
}

/// Makes all checksums right again.
inline void mend(Bytes& bytes) {
  using namespace brook::snapshot;
  const std::span<std::byte> all(bytes);
  const auto put = [&](std::size_t at, std::uint32_t sum) { std::memcpy(all.data() + at, &sum, 4); };
  if (bytes.size() >= header_size) put(header_size - 4, crc32c(all.first(header_size - 4)));
  each_piece(bytes, [&](std::size_t payload, std::size_t size, std::size_t header) {
    put(header + 16, crc32c(all.subspan(payload, size), crc32c(all.subspan(header, 16))));
  });
}

/// Changes some bytes.
inline void mutate(Random& random, Bytes& bytes) {
  for (std::uint64_t n = random.between(1, 4); n > 0 && !bytes.empty(); --n) {
    const auto at = static_cast<std::size_t>(random.below(bytes.size()));
    switch (random.below(6)) {
      case 0: bytes.resize(at); break;
      case 1:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::size_t>(random.between(1, 9)),
                     std::byte{0xff});
        break;
      case 2: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 3:
        bytes[at] =
            random.one_of<std::byte>({std::byte{0}, std::byte{1}, std::byte{0x7f}, std::byte{0x80}, std::byte{0xff}});
        break;
      default: bytes[at] ^= static_cast<std::byte>(1U << random.below(8));
    }
  }
}

}  // namespace fuzz
