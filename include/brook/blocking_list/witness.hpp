// witness.hpp — who notes the changes of a list (core/recorder.hpp).
#pragma once

#include <cstddef>

#include <brook/core/recorder.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>

namespace brook::blocking_list {

/// Called with the list's lock, but for encodable(). Positions count from the left.
template <class Payload>
class Witness {
 public:
  virtual ~Witness() = default;
  [[nodiscard]] virtual core::Recorder& recorder() noexcept = 0;

  /// Whether values that are to come can be told as bytes. Throws std::bad_alloc, and what T's Codec throws. (Not abstract, as in
  /// stream/witness.hpp.)
  [[nodiscard]] virtual bool encodable(const log::Values<Payload>&) { return true; }

  /// Before it is.
  virtual void pushed(Side side, const Payload& element) noexcept = 0;
  virtual void popped(Side side) noexcept = 0;
  /// Before they are.
  virtual void inserted(std::size_t at, const Payload& element) noexcept = 0;
  virtual void replaced(std::size_t at, const Payload& element) noexcept = 0;
  virtual void removed(std::size_t at) noexcept = 0;
  virtual void cleared() noexcept = 0;
};

}  // namespace brook::blocking_list
