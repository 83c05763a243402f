// tracked.hpp — a payload that counts its living, for logs whose segments have as many slots as a scenario likes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <brook/log/chain.hpp>

#include "execution.hpp"

namespace brook::model {

/// Demands that nobody uses it before its constructor, after its destructor, or after it was moved from. A log of these
/// has segments of `slots` slots.
template <std::uint32_t slots>
class Tracked {
 public:
  static inline int living = 0;

  explicit Tracked(int value) : value_(value) { ++living; }
  Tracked(Tracked&& other) noexcept : value_(std::exchange(other.value_, moved_from)) {
    demand(other.mark_ == alive && value_ != moved_from, "a payload is moved that holds no value");
    ++living;
  }
  Tracked(const Tracked&) = delete;
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked() {
    demand(mark_ == alive, "a payload is destroyed that does not live");
    mark_ = 0;
    --living;
  }

  [[nodiscard]] int value() const {
    demand(mark_ == alive && value_ != moved_from, "a payload is read that holds no value");
    return value_;
  }

 private:
  static constexpr std::uint32_t alive = 0xa11fe;
  static constexpr int moved_from = -1;

  int value_;
  volatile std::uint32_t mark_ = alive;  // volatile, or the compiler would leave out the destructor's write
};

}  // namespace brook::model

template <std::uint32_t slots>
struct brook::log::SegmentSizes<brook::model::Tracked<slots>> {
  static constexpr std::size_t smallest = slots;
  static constexpr std::size_t largest = slots;
  [[nodiscard]] static std::size_t after(std::uint32_t) noexcept { return slots; }
};
