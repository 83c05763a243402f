// options.hpp — how something is told to Redis, or made of what Redis tells.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <brook/options.hpp>
#include <brook/snapshot/policies.hpp>

namespace brook {

/// Options of an export.
struct RedisExportOptions {
  /// The field of a stream's entries that are told as one text.
  std::string field = "value";
  /// The consumer that gets what is pending with nobody: Redis has no such entries. Who works there claims them from it.
  std::string returned_to = "brook-returned";
  /// First delete what has the name already; else Redis adds to it, or refuses.
  bool replace = false;
};

/// What was exported.
struct RedisExported {
  std::uint64_t commands = 0;         ///< as `redis-cli --pipe` counts replies
  std::vector<std::string> left_out;  ///< names of channels, of which Redis keeps nothing, and of empty lists
};

/// Options of an import.
struct RedisImportOptions {
  /// As in RedisExportOptions.
  std::string field = "value";
  std::string returned_to = "brook-returned";
  /// Of the databases that the commands select.
  std::uint64_t database = 0;
  /// Of what is made. Their clocks are for objects that are imported by themselves; a broker's get that of the broker.
  StreamOptions stream = {};
  ListOptions list = {};
  /// Options of groups; those of a stream that is imported by itself have no name of a stream. None may be ordered by a key.
  Policies policies = {};
};

/// What was imported.
struct RedisImported {
  std::uint64_t commands = 0;         ///< that were read
  std::vector<std::string> left_out;  ///< names of what is no stream and no list, or was not asked for
};

}  // namespace brook
