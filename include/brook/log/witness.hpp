// witness.hpp — who notes what is taken away from a log (core/recorder.hpp).
#pragma once

#include <span>

#include <brook/core/recorder.hpp>
#include <brook/id.hpp>

namespace brook::log {

/// Called with the turn to edit (log/edits.hpp), between lock() and unlock() of the recorder.
class Witness {
 public:
  [[nodiscard]] virtual core::Recorder& recorder() noexcept = 0;

  virtual void erased(std::span<const Id> ids) noexcept = 0;
  /// Not needed any more, which is no erasing.
  virtual void released(Id id) noexcept = 0;
  /// Everything up to this id.
  virtual void trimmed(Id last) noexcept = 0;

 protected:
  ~Witness() = default;
};

}  // namespace brook::log
