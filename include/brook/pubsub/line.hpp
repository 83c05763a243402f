// line.hpp — where a call waits for the messages of a subscription to a PubSub: at one feed after the other.
#pragma once

#include <cstdint>
#include <optional>

#include <brook/channel/line.hpp>
#include <brook/channel/state.hpp>
#include <brook/pubsub/feed.hpp>
#include <brook/pubsub/membership.hpp>
#include <brook/wait.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::pubsub {

template <class T>
class Line {
 public:
  using Payload = typename Feed<T>::Payload;
  using Membership = pubsub::Membership<T>;

  Line(Membership& membership, std::uint64_t most, channel::Batch<Payload>& batch) noexcept
      : membership_(membership), most_(most), batch_(batch) {}

  [[nodiscard]] wait::Found poll() {
    const auto failed = membership_.receive(most_, Wait(), batch_);
    if (!failed) return wait::Found::some;
    return failed == Errc::timed_out ? wait::Found::nothing : wait::Found::over;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) {
    call_ = &call;
    bid_ = bid;
    enlist_at_feed();
  }
  [[nodiscard]] wait::Found look() {
    for (;;) {
      const wait::Found found = at_feed_->look();
      if (found != wait::Found::over) return found;
      at_feed_.reset();  // before the feed goes
      if (!membership_.go_on()) return wait::Found::over;
      enlist_at_feed();
    }
  }
  void withdraw() noexcept { at_feed_.reset(); }

 private:
  void enlist_at_feed() {
    at_feed_.emplace(*membership_.at_, most_, batch_);
    at_feed_->enlist(*call_, bid_);
  }

  Membership& membership_;
  const std::uint64_t most_;
  channel::Batch<Payload>& batch_;
  wait::Wakeable* call_ = nullptr;
  wait::Bid bid_;
  std::optional<channel::Line<Payload>> at_feed_;
};

}  // namespace brook::pubsub
