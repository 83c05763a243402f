// reader.hpp — one subscription's place in a channel's log, and what becomes of a subscription that is too slow.
//
// Nobody writes to a log that has to drop something for a slow reader: which messages its backlog still has follows
// from where the log ends and where the reader stands, and it finds that out when it comes by. Of its backlog's
// messages the last are the log's last; so the log need keep no more than those for it (needs()).
//
// Memory orders
//   row  thread    operation           order    meets  because
//   CA   receiver  passed_             relaxed  -      a number by which others decide what need not be kept; what is being
//                                                      read is held
//   CB   anyone    write ended_,       seq_cst  CC     row A of wait/gate.hpp: the receiver may be about to sleep
//                  until_
//   CC   receiver  read them           seq_cst  CB     row D of wait/gate.hpp
//   CD   anyone    read them, lost_    relaxed  -      just flags and numbers. What is published after until_ was written
//                                                      brings it along, and a sleeper has looked by CC before it comes back
//   CE   receiver  read claims         relaxed  -      a bound: no fewer than have been published
// Proof    tests/model/channel_model.cpp, tests/contract/channel_histories_test.cpp
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/append_log.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/seek.hpp>
#include <brook/options.hpp>

namespace brook::channel {

template <class Payload>
class Reader {
 public:
  using Log = log::AppendLog<Payload>;
  using Hold = log::Hold<Payload>;
  using Segment = log::Segment<Payload>;

  /// What a look found: messages, or none yet, or that there will be none any more.
  enum class Found : unsigned char { some, nothing, over };

  /// Gets what is appended after `from`.
  Reader(typename Log::End from, std::uint64_t backlog, Overflow overflow) noexcept
      : cursor_(std::move(from)),
        here_(cursor_.added()),
        backlog_(std::max<std::uint64_t>(backlog, 1)),
        overflow_(overflow == Overflow::reject ? Overflow::disconnect : overflow) {
    passed_.store(here_, sync::relaxed);  // CA
  }

  // — by one thread at a time —

  /// Hands at most `most` messages to `use(hold, first slot, count)`, and goes past those for which it answers true;
  /// the first for which it does not are the last. It must not throw.
  template <class Use>
  [[nodiscard]] Found take(Log& log, std::uint64_t most, Use&& use) {
    if (ended() || !keep_up(log) || here_ >= until_.load(sync::relaxed)) return Found::over;  // CD
    std::uint64_t taken = 0;
    Found found = Found::nothing;
    while (found == Found::nothing && taken < most) {
      Segment& segment = *cursor_.segment;
      const auto room = std::min<std::uint64_t>(segment.capacity() - cursor_.slot, most - taken);
      const std::uint32_t there = entries_at(segment, cursor_.slot, cursor_.slot + static_cast<std::uint32_t>(room));
      if (const std::uint32_t count = before_end(there); count > 0) {
        if (!use(std::as_const(cursor_.segment), cursor_.slot, count)) break;
        cursor_.slot += count;
        here_ += count;
        taken += count;
      } else if (there > 0) {
        found = Found::over;
      } else if (cursor_.slot < segment.capacity()) {
        if (!segment.settled(cursor_.slot)) break;
        if (is_void(segment, cursor_.slot)) ++cursor_.slot;  // else it was published since it was looked at
      } else {
        found = go_on(log, taken > 0);
        if (found == Found::nothing) break;
        if (found == Found::some) found = Found::nothing;
      }
    }
    if (taken == 0) return found;
    passed_.store(here_, sync::relaxed);  // CA
    return Found::some;
  }

  /// How many messages were dropped since this was asked.
  [[nodiscard]] std::uint64_t lost_now() noexcept { return std::exchange(lost_now_, 0); }
  /// Whether it has left a segment since this was asked, which perhaps nobody needs any more.
  [[nodiscard]] bool left_segment() noexcept { return std::exchange(left_segment_, false); }
  /// Whether it has found itself too slow since this was asked.
  [[nodiscard]] bool gave_up() noexcept { return std::exchange(gave_up_, false); }

  /// For a sleeper: whether there may be something to find.
  [[nodiscard]] bool moved() const noexcept {
    return ended_.load(sync::seq_cst) != Ended::no || here_ >= until_.load(sync::seq_cst) || cursor_.moved();  // CC
  }

  // — by anyone —

  enum class Ended : unsigned char { no, unsubscribed, too_slow };

  /// Nothing is received any more. Announce it at the channel's gate. False when it had ended.
  bool stop(Ended why) noexcept {
    Ended not_yet = Ended::no;
    return ended_.compare_exchange_strong(not_yet, why, sync::seq_cst, sync::relaxed);  // CB CD
  }
  /// Only what was published before this message is received any more, be it all that is there. Announce it at the
  /// gate.
  void stop_at(std::uint64_t message) noexcept { until_.store(message, sync::seq_cst); }  // CB
  /// Whether what is published from now on is not for it.
  [[nodiscard]] bool stopped() const noexcept { return ended() || until_.load(sync::relaxed) != unlimited; }  // CD
  [[nodiscard]] bool ended() const noexcept { return why_ended() != Ended::no; }
  [[nodiscard]] Ended why_ended() const noexcept { return ended_.load(sync::relaxed); }  // CD

  /// Whether it was told to stop, and has got all that was published before.
  [[nodiscard]] bool done() const noexcept {
    return passed_.load(sync::relaxed) >= until_.load(sync::relaxed);  // CA CD
  }

  [[nodiscard]] bool blocks() const noexcept { return overflow_ == Overflow::block; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(sync::relaxed); }  // CD

  /// The log need keep nothing before this message for it, when it has got so many. For one that is too slow it keeps a
  /// backlog until that has found out: it may be passing some right now, and have room then.
  [[nodiscard]] std::uint64_t needs(std::uint64_t added) const noexcept {
    const std::uint64_t passed = passed_.load(sync::relaxed);  // CA
    const std::uint64_t until = until_.load(sync::relaxed);    // CD
    if (ended() || passed >= until) return added;
    const std::uint64_t last = std::min(added, until);
    if (last <= passed || last - passed <= backlog_ || overflow_ == Overflow::block) return std::min(passed, added);
    return last - backlog_;
  }
  /// How many messages it will get of those.
  [[nodiscard]] std::uint64_t waiting(std::uint64_t added) const noexcept {
    const std::uint64_t passed = passed_.load(sync::relaxed);                // CA
    const std::uint64_t last = std::min(added, until_.load(sync::relaxed));  // CD
    if (last <= passed || (overflow_ == Overflow::disconnect && last - passed > backlog_)) return 0;
    return last - std::min(needs(added), last);
  }
  /// Whether so many more have room in the backlog. Those that never could have wait until it is empty.
  [[nodiscard]] bool has_room(std::uint64_t added, std::uint64_t messages) const noexcept {
    const std::uint64_t before = waiting(added);
    return before == 0 || stopped() || (before < backlog_ && messages <= backlog_ - before);
  }

 private:
  // How many neighbouring messages there are from slot `from` on, and before `end`.
  [[nodiscard]] static std::uint32_t entries_at(Segment& segment, std::uint32_t from, std::uint32_t end) noexcept {
    std::uint32_t at = from;
    while (at < end && (segment.slot(at).plain() || segment.holds_entry(at, segment.slot(at).state()))) ++at;
    return at - from;
  }

  // Asked of a settled slot.
  [[nodiscard]] static bool is_void(Segment& segment, std::uint32_t at) noexcept {
    return !segment.holds_entry(at, segment.slot(at).state());
  }

  // How many of so many messages, which have been seen, were published before it was told to stop. Looked up after
  // them: who sees a message from after that sees that too.
  [[nodiscard]] std::uint32_t before_end(std::uint32_t there) const noexcept {
    const std::uint64_t until = until_.load(sync::relaxed);  // CD
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(there, until - std::min(here_, until)));
  }

  // Goes on to the next segment: `some` when there is one. When it has been dropped, messages have been lost, which is
  // to be told with the next one: so not when there are others already.
  [[nodiscard]] Found go_on(Log& log, bool has_some) {
    Segment& segment = *cursor_.segment;
    Segment* const next = Log::following(segment);
    if (next == nullptr) return segment.sealed() ? Found::over : Found::nothing;
    Hold hold = log::hold_linked(log, next, segment.life().number + 1);
    if (hold) {
      cursor_.segment = std::move(hold);
      cursor_.slot = 0;
      left_segment_ = true;
      return Found::some;
    }
    if (has_some) return Found::nothing;
    if (ended()) return Found::over;
    return keep_up(log) ? Found::some : Found::over;
  }

  // Goes past what the backlog had no room for; false when that ends the subscription.
  [[nodiscard]] bool keep_up(Log& log) {
    if (backlog_ == unlimited || overflow_ == Overflow::block || surely_has_room()) return true;
    for (;;) {
      const typename Log::End end = log.end();
      const std::uint64_t until = until_.load(sync::relaxed);  // CD; after the end, as in before_end()
      const std::uint64_t last = std::min(end.added(), until);
      if (last - here_ <= backlog_) return true;
      if (overflow_ == Overflow::disconnect) {
        lose(last - here_);  // before others see why it ended
        gave_up_ = stop(Ended::too_slow);
        if (!gave_up_) lose(here_ - last);  // it was left meanwhile: nobody has lost anything
        return false;
      }
      if (!go_back(end, last - backlog_)) {
        if (ended()) return false;  // nothing is kept for it any more
        continue;
      }
      lose(last - backlog_ - here_);
      here_ = last - backlog_;
      passed_.store(here_, sync::relaxed);  // CA
      return true;
    }
  }
  void lose(std::uint64_t messages) noexcept {
    lost_now_ += messages;
    lost_.store(lost_.load(sync::relaxed) + messages, sync::relaxed);  // CD
  }

  // Without a look at what others have: the log ends in this segment, and there is room for all that was ever claimed
  // there.
  [[nodiscard]] bool surely_has_room() const noexcept {
    const log::Word claims{cursor_.segment->claims.load(sync::relaxed)};  // CE
    return claims.low() < Segment::full && cursor_.segment->slot_of(claims) - cursor_.slot <= backlog_;
  }

  // Puts the cursor before message `target`, which is one of the last before `end`. False when it has been dropped
  // since.
  [[nodiscard]] bool go_back(const typename Log::End& end, std::uint64_t target) {
    Hold hold = end.segment;
    while (hold->life().added_before > target) {
      hold = log::hold_reached(hold->previous(), hold->life().number - 1);
      if (!hold) return false;
    }
    std::uint32_t slot = 0;
    for (std::uint64_t seen = hold->life().added_before; seen < target; ++slot)
      seen += hold->holds_entry(slot, hold->slot(slot).state()) ? 1 : 0;
    cursor_.segment = std::move(hold);
    cursor_.slot = slot;
    left_segment_ = true;
    return true;
  }

  // Only the receiver.
  typename Log::End cursor_;
  std::uint64_t here_;  // messages passed, of all that the log ever got
  std::uint64_t lost_now_ = 0;
  bool left_segment_ = false;
  bool gave_up_ = false;
  const std::uint64_t backlog_;
  const Overflow overflow_;
  // Written by the receiver, read by others.
  alignas(core::cache_line) sync::atomic<std::uint64_t> passed_{0};
  sync::atomic<std::uint64_t> lost_{0};
  sync::atomic<std::uint64_t> until_{unlimited};
  sync::atomic<Ended> ended_{Ended::no};
};

}  // namespace brook::channel
