// progress.hpp — what may be said when something is saved or loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <brook/clock.hpp>
#include <brook/snapshot/policies.hpp>

namespace brook {

/// How far saving or loading has come.
struct SnapshotProgress {
  std::string_view object{};  ///< the name of the object that it is at, while the callback runs
  std::size_t objects = 0;    ///< how many are done
  std::uint64_t bytes = 0;    ///< written or read so far
};

/// Options of a save.
struct SaveOptions {
  /// Called every 64 KiB, and at the end of each section, by the thread that saves, with no lock of brook's held.
  std::function<void(const SnapshotProgress&)> progress = {};
};

/// Options of a load.
struct LoadOptions {
  /// What could not be saved of groups.
  Policies policies = {};
  /// The clock of a stream or a list that is loaded by itself; null is SystemClock. A broker's objects get that of the broker.
  Clock* clock = nullptr;
  /// As SaveOptions.
  std::function<void(const SnapshotProgress&)> progress = {};
};

}  // namespace brook
