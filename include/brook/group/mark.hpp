// mark.hpp — what a group notes of a pending entry: with whom, since when, how often delivered.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <brook/core/config.hpp>

namespace brook::group {

/// A consumer's number within its group. 0 is nobody.
using ConsumerNumber = std::uint32_t;
inline constexpr ConsumerNumber nobody = 0;
inline constexpr ConsumerNumber most_consumers = (1U << 14) - 1;

/// Milliseconds since 2^39 ms before the group was made, so that times of before can be told too; 17 years each way.
using Instant = std::uint64_t;
inline constexpr Instant group_made = Instant{1} << 39;
inline constexpr Instant last_instant = (Instant{1} << 40) - 1;

/// Whether it has been so long since an instant.
[[nodiscard]] constexpr bool is_idle(Instant since, std::chrono::milliseconds idle, Instant now) noexcept {
  return idle.count() <= 0 || (now >= since && now - since >= static_cast<Instant>(idle.count()));
}

/// One consumer, as its deliveries know it: numbers are used again when consumers were deleted, terms are not.
struct Recipient {
  ConsumerNumber number = nobody;
  std::uint32_t term = 0;

  friend bool operator==(const Recipient&, const Recipient&) = default;
};

/// One word for each pending entry.
struct Mark {
  static constexpr unsigned time_bits = 40;
  static constexpr unsigned count_bits = 10;
  static constexpr std::uint64_t most_counted = (std::uint64_t{1} << count_bits) - 1;

  std::uint64_t bits = 0;  // [consumer:14][count:10][time:40]

  /// Pending with a consumer since `time`; or with nobody, to be delivered from `time` on. Counts beyond most_counted, and
  /// times beyond last_instant, are told as those.
  [[nodiscard]] static constexpr Mark of(ConsumerNumber consumer, std::uint64_t count, Instant time) noexcept {
    return {(std::uint64_t{consumer} << (count_bits + time_bits)) | (std::min(count, most_counted) << time_bits) |
            std::min(time, last_instant)};
  }

  [[nodiscard]] constexpr ConsumerNumber consumer() const noexcept {
    return static_cast<ConsumerNumber>(bits >> (count_bits + time_bits));
  }
  [[nodiscard]] constexpr std::uint64_t count() const noexcept { return (bits >> time_bits) & most_counted; }
  [[nodiscard]] constexpr Instant time() const noexcept { return bits & last_instant; }
};

}  // namespace brook::group
