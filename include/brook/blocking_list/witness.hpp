// witness.hpp — who notes the changes of a list (core/recorder.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <brook/core/recorder.hpp>
#include <brook/log/payload.hpp>
#include <brook/options.hpp>

namespace brook::blocking_list {

/// Elements that are to come in, as the bytes that will be noted of them: made without the list's lock, and once. Empty where that
/// is left to who notes them.
struct Told {
  std::vector<std::byte> bytes{};
  std::vector<std::size_t> ends{};  // of each element's

  [[nodiscard]] std::span<const std::byte> of(std::size_t i) const noexcept {
    if (ends.empty()) return {};
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::span(bytes).subspan(begin, ends[i] - begin);
  }
};

/// Called with the list's lock, but for encode(). Positions count from the left.
template <class Payload>
class Witness {
 public:
  virtual ~Witness() = default;
  [[nodiscard]] virtual core::Recorder& recorder() noexcept = 0;

  /// Tells values that are to come as bytes; false when one cannot be. Throws std::bad_alloc, and what T's Codec throws. (Not
  /// abstract, as in stream/witness.hpp.)
  [[nodiscard]] virtual bool encode(const log::Values<Payload>&, Told&) { return true; }

  /// Before it is. `told` is what encode() has made of it, or empty.
  virtual void pushed(Side side, const Payload& element, std::span<const std::byte> told) noexcept = 0;
  virtual void popped(Side side) noexcept = 0;
  /// Before they are.
  virtual void inserted(std::size_t at, const Payload& element, std::span<const std::byte> told) noexcept = 0;
  virtual void replaced(std::size_t at, const Payload& element, std::span<const std::byte> told) noexcept = 0;
  virtual void removed(std::size_t at) noexcept = 0;
  virtual void cleared() noexcept = 0;
};

}  // namespace brook::blocking_list
