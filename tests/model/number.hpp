// number.hpp — a payload whose every access Relacy checks, for logs whose segments have as many slots as a claim likes.
#pragma once

#include <cstddef>
#include <cstdint>

#include <brook/log/chain.hpp>

namespace brook::model {

/// A log of these has segments of `slots` slots.
template <std::uint32_t slots>
class Number {
 public:
  explicit Number(int number) : number_(number) {}
  Number(Number&& other) noexcept : number_(static_cast<int>(other.number_)) {}
  Number& operator=(Number&&) = delete;

  [[nodiscard]] int value() const { return number_; }

 private:
  sync::plain<int> number_;
};

}  // namespace brook::model

template <std::uint32_t slots>
struct brook::log::SegmentSizes<brook::model::Number<slots>> {
  static constexpr std::size_t smallest = slots;
  static constexpr std::size_t largest = slots;
  [[nodiscard]] static std::size_t after(std::uint32_t) noexcept { return slots; }
};
