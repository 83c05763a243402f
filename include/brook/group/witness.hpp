// witness.hpp — who notes the changes of a group (core/recorder.hpp).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <brook/clock.hpp>
#include <brook/core/recorder.hpp>
#include <brook/id.hpp>

namespace brook::group {

/// How far a group has come: numbers as the group counts them.
struct ProgressImage {
  Id last_delivered{};
  std::uint64_t start = 0;      // how much had been added where it started
  std::uint64_t delivered = 0;  // for the first time, since
  std::uint64_t lost = 0;       // before it was moved
  bool ahead = false;           // it started at an id that was yet to come

  friend bool operator==(const ProgressImage&, const ProgressImage&) = default;
};

/// Called with the group's mutex.
class Witness {
 public:
  /// In whose hands pending entries are.
  struct Hands {
    std::string_view consumer{};  // empty: nobody's
    std::uint64_t deliveries = 0;
    Clock::time_point since{};  // or from when on it may be delivered again
  };

  virtual ~Witness() = default;
  [[nodiscard]] virtual core::Recorder& recorder() noexcept = 0;

  /// Entries are pending so, whatever they were before; none, when a consumer got some that are not pending.
  virtual void pending(std::span<const Id> ids, const Hands& hands) noexcept = 0;
  /// An entry is done with.
  virtual void finished(Id id) noexcept = 0;
  virtual void progressed(const ProgressImage& to) noexcept = 0;
  /// The group was moved: it goes on from there, and what waits in the order of keys is forgotten.
  virtual void moved(const ProgressImage& to) noexcept = 0;
  /// In a group that is ordered by a key: an entry takes its place; or, not being pending, is no more.
  virtual void admitted(Id id, std::uint64_t key) noexcept = 0;
  virtual void dropped(Id id) noexcept = 0;
  virtual void joined(std::string_view consumer) noexcept = 0;
  virtual void left(std::string_view consumer) noexcept = 0;
  virtual void destroyed() noexcept = 0;
};

}  // namespace brook::group
