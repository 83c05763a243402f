// line.hpp — where a call waits for the messages of a subscription, and perhaps for other things as well: a case of a
// selection (wait/selection.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include <brook/channel/membership.hpp>
#include <brook/channel/share.hpp>
#include <brook/channel/state.hpp>
#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/at_gate.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::channel {

/// For up to `most` messages, which then are in the batch.
template <class Payload>
class Line {
 public:
  using Membership = channel::Membership<Payload>;

  Line(Membership& membership, std::uint64_t most, Batch<Payload>& batch) noexcept
      : membership_(membership), most_(most), batch_(batch) {}

  [[nodiscard]] wait::Found poll() {
    const auto failed = membership_.receive(most_, Wait(), batch_);
    if (!failed) return wait::Found::some;
    return failed == Errc::timed_out ? wait::Found::nothing : wait::Found::over;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) {
    Share* const share = membership_.share_.get();
    if (share == nullptr) return at_gate_.enlist(membership_.state_->gate, call, bid);
    waiter_.emplace(call, most_, membership_.left_, batch_, bid);
    place_.emplace(*share, *waiter_);
  }
  [[nodiscard]] wait::Found look() {
    if (!place_) return at_gate_.look([this] { return membership_.reader_->moved(); }, [this] { return poll(); });
    if (!place_->serve([] { return std::optional<Errc>(); })) return wait::Found::nothing;
    if (waiter_->failed) return wait::Found::over;
    return batch_.runs.size() > 0 ? wait::Found::some : wait::Found::nothing;  // else it got something elsewhere
  }
  void withdraw() noexcept {
    at_gate_.withdraw();
    place_.reset();
  }

 private:
  using Share = channel::Share<Payload>;

  Membership& membership_;
  const std::uint64_t most_;
  Batch<Payload>& batch_;
  wait::AtGate at_gate_;
  std::optional<typename Share::Waiter> waiter_;
  std::optional<typename Share::Place> place_;
};

}  // namespace brook::channel
