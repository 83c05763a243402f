// codes.hpp — what a record says: the numbers that docs/journal-format.md lists.
#pragma once

#include <cstdint>

#include <brook/core/config.hpp>

namespace brook::journal {

/// A change. Each is followed by the number of the object or group that it is of.
enum class Change : std::uint8_t {
  object_made = 1,
  object_erased = 2,
  object_renamed = 3,
  object_expires = 4,
  added = 16,
  erased = 17,
  released = 18,
  trimmed = 19,
  keyed = 20,
  group_made = 32,
  group_destroyed = 33,
  pending = 34,
  finished = 35,
  progressed = 36,
  moved = 37,
  admitted = 38,
  dropped = 39,
  joined = 40,
  left = 41,
  pending_unnamed = 42,  // with the consumer whose name is empty; that of `pending` is nobody
  pushed = 48,
  popped = 49,
  inserted = 50,
  replaced = 51,
  removed = 52,
  cleared = 53,
};

/// Of an object, or of a group: none is used again.
using Number = std::uint64_t;

}  // namespace brook::journal
