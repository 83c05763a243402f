// stopped_clock.hpp — a clock that stands, for the models.
#pragma once

#include <chrono>
#include <cstdint>

#include <brook/clock.hpp>

namespace brook::model {

class StoppedClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t unix_ms() const noexcept override { return 1; }
  [[nodiscard]] time_point now() const noexcept override { return time_point(std::chrono::hours(1)); }
  void sleep(sync::unique_lock<sync::mutex>& held, const Alarm& alarm) override { alarm.awake.wait(held); }
};

}  // namespace brook::model
