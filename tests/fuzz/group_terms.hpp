// group_terms.hpp — what the double of a group was made with, what it hands out, and what it keeps.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <brook/id.hpp>

#include "bounded_double.hpp"

namespace fuzz {

/// Where the dead letters of a group go.
enum class Letters : unsigned char { nowhere, plain, wrapped };

/// What a group was made with.
struct Terms {
  std::uint64_t max_deliveries = 0;
  Letters letters = Letters::nowhere;
  milliseconds first_delay{0};
  std::int64_t factor = 1;
  milliseconds longest_delay{0};
  milliseconds visibility{0};
  std::uint64_t keys = 0;  // entries with the same remainder have the same key; 0 for a group without order
  std::size_t in_flight = 0;
  std::size_t in_flight_of_consumer = 0;

  [[nodiscard]] milliseconds delay_after(std::uint64_t deliveries) const {
    milliseconds delay = std::min(first_delay, longest_delay);
    for (std::uint64_t i = 1; i < deliveries; ++i) delay = std::min(delay * factor, longest_delay);
    return delay;
  }
};

/// What a delivery shows, and by what it is known when it is given back.
struct Hand {
  brook::Id id{};
  std::uint64_t value = 0;
  std::uint64_t count = 0;
  std::uint64_t member = 0;
  bool no_ack = false;
};

/// A pending entry.
struct Given {
  std::uint64_t value = 0;
  std::uint64_t count = 0;
  std::uint64_t member = 0;  // 0 is nobody
  Time since{};              // it was delivered
  Time due{};                // it may be delivered again, when it is with nobody
};

/// A consumer; one that is deleted and made anew has another number.
struct MemberDouble {
  std::uint64_t number = 0;
  Time seen{};
  std::optional<Time> active{};
};

}  // namespace fuzz
