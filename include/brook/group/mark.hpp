// mark.hpp — what a group knows of one entry: whether it is pending, with whom and since when.
//
// An entry's states in a group
//
//     untold ──deliver──▶ held by a consumer ◀──deliver── with nobody
//       ▲                    │          └──nack, expiry, its consumer deleted──▶ ▲
//       └──acknowledge, dead letter, deletion noticed──────────────────────────┘
//
// "Untold" is an entry that is not pending: above the group's cursor it is new, below it is done with.
#pragma once

#include <algorithm>
#include <cstdint>

namespace brook::group {

/// A consumer's number within its group. 0 is nobody.
using ConsumerNumber = std::uint32_t;
inline constexpr ConsumerNumber nobody = 0;
inline constexpr ConsumerNumber most_consumers = (1U << 20) - 1;

/// Milliseconds since 2^39 ms before the group was made, so that times of before can be told too; 17 years each way.
using Instant = std::uint64_t;
inline constexpr Instant first_instant = 0;
inline constexpr Instant group_made = Instant{1} << 39;
inline constexpr Instant last_instant = (Instant{1} << 40) - 1;

/// One word, so that it changes at one instant: [pending:1][forwarding:1][spare:2][consumer:20][time:40]. 0 is untold.
struct Mark {
  static constexpr unsigned time_bits = 40;
  static constexpr unsigned consumer_bits = 20;
  static constexpr std::uint64_t pending_flag = std::uint64_t{1} << 63;
  static constexpr std::uint64_t forwarding_flag = std::uint64_t{1} << 62;

  std::uint64_t bits = 0;

  /// Pending with a consumer since `time`; or with nobody, to be delivered from `time` on.
  [[nodiscard]] static constexpr Mark pending_with(ConsumerNumber consumer, Instant time) noexcept {
    return {pending_flag | (std::uint64_t{consumer} << time_bits) | std::min(time, last_instant)};
  }

  [[nodiscard]] constexpr bool pending() const noexcept { return (bits & pending_flag) != 0; }
  [[nodiscard]] constexpr bool forwarding() const noexcept { return (bits & forwarding_flag) != 0; }
  [[nodiscard]] constexpr ConsumerNumber consumer() const noexcept {
    return static_cast<ConsumerNumber>(bits >> time_bits) & most_consumers;
  }
  [[nodiscard]] constexpr Instant time() const noexcept { return bits & last_instant; }
  [[nodiscard]] constexpr Mark forwarded() const noexcept { return {bits | forwarding_flag}; }

  friend constexpr bool operator==(Mark, Mark) = default;
};

}  // namespace brook::group
