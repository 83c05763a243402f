// part.hpp — one log's part in a joint append: a slot that is filled and waits for the decision (log/joint.hpp).
//
// The part holds the slot's segment, because a slot whose joint append was called off is settled for everybody but its
// owner, who is yet to take the value back. (Orders: rows JA, JE, L of log/slot.hpp, AD, K.)
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <brook/core/owned.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/joint.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/settle.hpp>

namespace brook::log {

template <class Payload>
class Part {
 public:
  using Segment = log::Segment<Payload>;
  using Hold = log::Hold<Payload>;

  /// Throws std::bad_alloc.
  explicit Part(std::shared_ptr<Decision> decision) : joint_(new Joint(std::move(decision))) {}

  /// Moves the value into a claimed slot, which then waits. False when the claim was passed: the value is back.
  [[nodiscard]] bool join(const Hold& segment, std::uint32_t at, Word claim, const Values<Payload>& value) noexcept {
    Slot<Payload>& slot = segment->slot(at);
    value.move_to(0, slot);
    settle(*segment, at);
    joint_->ready = SlotState::ready_with(claim).word;
    segment->voids.fetch_add(1, sync::relaxed);  // AD
    if (!slot.join(*joint_)) {
      value.take_back(0, slot);
      Hold::drop(*segment);
      return false;
    }
    segment->keep(std::move(joint_));
    held_ = segment;
    at_ = at;
    return true;
  }

  /// The decision was made.
  void finish() noexcept {
    held_->slot(at_).leave();
    held_ = {};
  }
  /// It was called off: the value goes back.
  void withdraw(const Values<Payload>& value) noexcept {
    value.take_back(0, held_->slot(at_));
    finish();
  }

 private:
  core::Owned<Joint> joint_;
  Hold held_;
  std::uint32_t at_ = 0;
};

}  // namespace brook::log
