// replay.hpp — one object of a journal, as its changes are made again, before anybody else knows of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <brook/broker/named.hpp>
#include <brook/clock.hpp>
#include <brook/journal/codes.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/reader.hpp>

namespace brook::journal {

using snapshot::Reader;
using snapshot::Result;

/// What a change needs to know of everything else.
struct Scene {
  /// The time at which the record was made, on the clock of the objects as it is now.
  Clock::time_point now{};
};

/// What fails is noted in the reader.
class Replayed {
 public:
  explicit Replayed(std::shared_ptr<broker::Named> what) noexcept : named(std::move(what)) {}
  virtual ~Replayed() = default;
  Replayed(const Replayed&) = delete;
  Replayed& operator=(const Replayed&) = delete;

  /// Of the object itself.
  virtual void apply(Change change, Reader& from, const Scene&) {
    static_cast<void>(change);
    from.fail("a change that this object cannot have");
  }
  /// Of one of its groups.
  virtual void apply_to_group(Number, Change, Reader& from, const Scene&) {
    from.fail("a change of a group of something that has none");
  }
  /// A group is made, for which Policies tell functions under this name of the stream; its own name.
  [[nodiscard]] virtual std::string make_group(Number, const std::string&, Reader& from) {
    from.fail("a group of something that has none");
    return {};
  }
  /// A group was there in the snapshot under this name; whether it was.
  [[nodiscard]] virtual bool know_group(Number, const std::string&) { return false; }
  /// All changes have been made. False when what they lead to cannot be.
  [[nodiscard]] virtual bool finish() { return true; }

  const std::shared_ptr<broker::Named> named;
  std::string name{};
  bool has_name = false;
};

}  // namespace brook::journal
