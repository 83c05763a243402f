// witness.hpp — who notes the changes of a stream (core/recorder.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <brook/core/owned.hpp>
#include <brook/group/witness.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/witness.hpp>

namespace brook {

template <class T>
struct GroupOptions;

}  // namespace brook

namespace brook::stream {

// What answers something is not abstract: of a T that is known in one translation unit only, g++ 12 knows that there is no
// witness where none is made there, and warns of the answer.
template <class T>
class Witness : public log::Witness {
 public:
  using Values = log::Values<log::PayloadOf<T>>;

  virtual ~Witness() = default;

  /// Values that are to be added, as bytes. False when they cannot be told so. Throws std::bad_alloc, and what T's Codec throws.
  [[nodiscard]] virtual bool encode(const Values&, std::vector<std::byte>&) { return false; }
  /// They were added, with consecutive ids.
  virtual void added(Id first, std::size_t count, std::span<const std::byte> encoded) noexcept = 0;
  /// The entry was added under a key.
  virtual void keyed(std::string_view producer, std::string_view key, Id id) noexcept = 0;
  /// Throws std::bad_alloc, and then nothing is noted.
  [[nodiscard]] virtual core::Owned<group::Witness> group_made(std::string_view, const GroupOptions<T>&,
                                                               const group::ProgressImage&) {
    return {};
  }
};

}  // namespace brook::stream
