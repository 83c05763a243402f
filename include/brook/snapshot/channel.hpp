// channel.hpp — a channel, or a PubSub, in a snapshot: its options. What is published is for who is there, and ends with them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <brook/channel.hpp>
#include <brook/options.hpp>
#include <brook/pubsub.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/reader.hpp>

namespace brook::snapshot {

[[nodiscard]] constexpr bool is_channel(ObjectKind kind) noexcept {
  return kind == ObjectKind::channel || kind == ObjectKind::pubsub;
}

/// What an object is made with. Of a channel as of a PubSub.
template <class T>
[[nodiscard]] PubSubOptions options_of(const Channel<T>& channel) {
  return {.spin = shared_state_of(channel)->options.spin};
}
template <class T>
[[nodiscard]] PubSubOptions options_of(const PubSub<T>& pubsub) {
  return {.shards = shared_state_of(pubsub)->shards(), .spin = shared_state_of(pubsub)->spin()};
}

/// Without asking a probe.
template <class T>
void close_unseen(const Channel<T>& channel) {
  shared_state_of(channel)->close();
}
template <class T>
void close_unseen(const PubSub<T>& pubsub) {
  const typename pubsub::Table<T>::Locked locked(*shared_state_of(pubsub));
  shared_state_of(pubsub)->close();
}

/// Nothing of other kinds. A shard takes a byte, so that what is read makes no more of them than it is long.
inline void write_channel_options(Encoder& out, ObjectKind kind, const PubSubOptions& options) {
  if (!is_channel(kind)) return;
  out.signed_size(options.spin.count());
  if (kind != ObjectKind::pubsub) return;
  out.size(options.shards);
  std::fill_n(out.room(options.shards), options.shards, std::byte{0});
}
/// Reads what write_channel_options() has written; the first version had none.
inline void read_channel_options(Reader& from, ObjectKind kind, PubSubOptions& options) {
  if (!is_channel(kind) || from.file_version() < version_of_channel_options) return;
  options.spin = std::chrono::microseconds(from.signed_size());
  if (kind != ObjectKind::pubsub) return;
  const std::uint64_t shards = from.size();
  const auto each = from.bytes(shards);
  if (!from.failed() && each.empty()) from.fail("a PubSub has no shard");
  if (std::ranges::any_of(each, [](std::byte shard) { return shard != std::byte{0}; }))
    from.fail("a shard is not what it can be");
  options.shards = each.size();
}

}  // namespace brook::snapshot
