// wait.hpp — how long a blocking call may wait, and what else may end the wait.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include <brook/clock.hpp>

namespace brook {

struct Forever {};

/// Waits without a limit of time.
inline constexpr Forever forever{};

/// Ends a wait: a duration, a time point, `forever`, or nothing, which does not wait at all; and optionally a
/// std::stop_token (where the library has it). Zero and negative durations do not wait; Redis' `BLOCK 0` is `forever`.
/// Time is that of the object's clock.
class Wait {
 public:
  constexpr Wait() = default;
  /// Until there is something.
  constexpr Wait(Forever) noexcept : kind_(Kind::until), until_(Clock::time_point::max()) {}
  /// Until then, on the object's clock.
  constexpr Wait(Clock::time_point until) noexcept : kind_(Kind::until), until_(until) {}

  /// For so long; zero or less does not wait.
  template <class Rep, class Period>
  constexpr Wait(std::chrono::duration<Rep, Period> time) noexcept : kind_(Kind::lasting), lasting_(clamped(time)) {}

  /// Until then, by the wall clock.
  template <class Duration>
  constexpr Wait(std::chrono::time_point<std::chrono::system_clock, Duration> until) noexcept
      : kind_(Kind::until_wall), lasting_(clamped(until.time_since_epoch())) {}

#ifdef __cpp_lib_jthread
  template <class Limit>
  Wait(Limit limit, std::stop_token stop) : Wait(limit) {
    stop_ = std::move(stop);
  }

  [[nodiscard]] const std::stop_token& stop() const noexcept { return stop_; }

  /// The same limit of time with another stop token.
  [[nodiscard]] Wait with(std::stop_token stop) const {
    Wait wait = *this;
    wait.stop_ = std::move(stop);
    return wait;
  }
#endif

  /// Whether the stop token says so.
  [[nodiscard]] bool stop_requested() const noexcept {
#ifdef __cpp_lib_jthread
    return stop_.stop_requested();
#else
    return false;
#endif
  }

  /// Whether it waits at all, as far as that is known without a clock.
  [[nodiscard]] bool may_wait() const noexcept {
    switch (kind_) {
      case Kind::none: return false;
      case Kind::until: return until_ != Clock::time_point::min();
      case Kind::lasting: return lasting_.count() > 0;
      case Kind::until_wall: break;
    }
    return true;
  }

  /// The same wait, of which the time begins now.
  [[nodiscard]] Wait until(const Clock& clock) const {
    Wait wait = *this;
    wait.kind_ = Kind::until;
    wait.until_ = deadline(clock);
    return wait;
  }

  /// When the wait ends on `clock`: time_point::min() when it does not wait, time_point::max() when it never ends.
  [[nodiscard]] Clock::time_point deadline(const Clock& clock) const noexcept {
    switch (kind_) {
      case Kind::none: return Clock::time_point::min();
      case Kind::until: return until_;
      case Kind::until_wall: {
        const std::chrono::nanoseconds wall = since_epoch(clock.unix_ms());
        return lasting_ > wall ? after(clock.now(), lasting_ - wall) : Clock::time_point::min();
      }
      case Kind::lasting: break;
    }
    return lasting_.count() > 0 ? after(clock.now(), lasting_) : Clock::time_point::min();
  }

 private:
  enum class Kind : unsigned char { none, until, until_wall, lasting };

  static constexpr std::chrono::nanoseconds longest = std::chrono::nanoseconds::max();

  template <class Rep, class Period>
  static constexpr std::chrono::nanoseconds clamped(std::chrono::duration<Rep, Period> time) noexcept {
    using Seconds = std::chrono::duration<double>;
    if (Seconds(time) >= Seconds(longest)) return longest;
    if (!(Seconds(time) > -Seconds(longest))) return -longest;  // not a number does not wait
    return std::chrono::ceil<std::chrono::nanoseconds>(time);
  }

  static constexpr std::chrono::nanoseconds since_epoch(std::uint64_t unix_ms) noexcept {
    constexpr std::int64_t ns = 1'000'000;
    constexpr auto most = static_cast<std::uint64_t>(longest.count() / ns);
    return unix_ms < most ? std::chrono::nanoseconds(static_cast<std::int64_t>(unix_ms) * ns) : longest;
  }

  static constexpr Clock::time_point after(Clock::time_point now, std::chrono::nanoseconds time) noexcept {
    constexpr auto last = Clock::time_point::max();
    return now.time_since_epoch().count() > 0 && time >= last - now ? last : now + time;
  }

  Kind kind_ = Kind::none;
  Clock::time_point until_{};
  std::chrono::nanoseconds lasting_{};
#ifdef __cpp_lib_jthread
  std::stop_token stop_;
#endif
};

}  // namespace brook
