// scene.hpp — a stream with a few entries, and a clock that the test moves.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <brook/stream.hpp>

#include "../catch.hpp"
#include "stream_support.hpp"

namespace brook::test {

constexpr auto start = std::chrono::milliseconds(1'000'000);

inline Id id(std::uint64_t n) { return {1, n}; }

/// A stream of 1 … n with ids 1-1 … 1-n.
struct Scene {
  explicit Scene(int entries) {
    for (int i = 1; i <= entries; ++i) REQUIRE(stream.add(id(static_cast<std::uint64_t>(i)), i));
  }
  [[nodiscard]] Group<int> group(const GroupOptions<int>& options = {}) {
    return stream.create_group("group", earliest, options).value();
  }

  WatchedClock clock{start};
  Stream<int> stream{{.clock = &clock}};
};

using Ints = std::vector<int>;
using Counts = std::vector<std::uint64_t>;

}  // namespace brook::test
