// hold.hpp — one pin on a segment, dropped when the hold dies.
#pragma once

#include <cstdint>
#include <utility>

#include <brook/core/later.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// Keeps a segment, its slots and their payloads alive, also when the log has trimmed it or is gone. Copying costs one
/// atomic increment. One hold is for one thread at a time; several holds on one segment know nothing of each other.
template <class Payload>
class Hold {
 public:
  using Segment = log::Segment<Payload>;

  Hold() = default;
  Hold(const Hold& other) noexcept : segment_(other.segment_) {
    if (segment_ != nullptr) segment_->pins.pin_again();
  }
  Hold(Hold&& other) noexcept : segment_(std::exchange(other.segment_, nullptr)) {}
  Hold& operator=(Hold other) noexcept {
    std::swap(segment_, other.segment_);
    return *this;
  }
  ~Hold() {
    if (segment_ != nullptr) drop(*segment_);
  }

  /// Holds `segment` if it is live; else an empty hold. Which life it is in is for the caller to check, now that it
  /// cannot change any more.
  [[nodiscard]] static Hold of_any_life(Segment* segment) noexcept {
    bool last = false;
    if (segment->pins.pin(last)) return Hold(segment);
    if (last) core::Later::run(*segment);
    return {};
  }

  /// Holds `segment` if it is in a life of this number, be it linked or not; else an empty hold. (log/seek.hpp has more.)
  [[nodiscard]] static Hold of(Segment* segment, std::uint64_t number) noexcept {
    Hold hold = of_any_life(segment);
    return hold && hold->life().number == number ? std::move(hold) : Hold();
  }

  /// Drops one pin that is not in any hold: one that a passer handed over.
  static void drop(Segment& segment) noexcept {
    if (segment.pins.unpin()) core::Later::run(segment);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return segment_ != nullptr; }
  [[nodiscard]] Segment* operator->() const noexcept { return segment_; }
  [[nodiscard]] Segment& operator*() const noexcept { return *segment_; }
  [[nodiscard]] Segment* get() const noexcept { return segment_; }

 private:
  explicit Hold(Segment* segment) noexcept : segment_(segment) {}

  Segment* segment_ = nullptr;
};

}  // namespace brook::log
