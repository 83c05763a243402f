// channel_history.hpp — what several threads did with one channel, and whether it keeps what channels promise.
//
// One subscription, the witness, is there from the beginning and loses nothing: what it received, and in which order,
// is what was published. Every other one received some of that: without gaps, but for those that it was told of.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <brook/error.hpp>
#include <brook/options.hpp>

namespace brook::contract {

/// When a call began and when it returned, on a clock that all threads share.
struct Span {
  std::uint64_t from = 0;
  std::uint64_t to = std::numeric_limits<std::uint64_t>::max();
};

class Ticks {
 public:
  std::uint64_t operator()() { return now_.fetch_add(1); }

 private:
  std::atomic<std::uint64_t> now_{1};
};

struct Published {
  Span when{};
  std::vector<int> values{};
  std::optional<std::size_t> receivers{};  // nothing when it failed, and then nobody may receive the values
};

/// One call that received, or tried to.
struct Receipt {
  Span when{};
  std::vector<int> values{};
  std::uint64_t lost = 0;
  bool over = false;  // there will be nothing any more
};

struct Subscribed {
  std::uint64_t backlog = unlimited;
  Overflow overflow = Overflow::drop_oldest;
  bool shares = false;
  bool called = false;  // receipts begin at 0, because nobody knows when
  Span began{};
  Span left{std::numeric_limits<std::uint64_t>::max()};
  std::vector<Receipt> receipts{};
  std::uint64_t lost = 0;
  std::optional<Errc> reason{};

  [[nodiscard]] bool stayed() const { return left.from == std::numeric_limits<std::uint64_t>::max(); }
};

struct ChannelHistory {
  std::vector<int> witness{};
  std::vector<Published> published{};
  std::vector<Subscribed> subscribed{};
};

/// Looks for a broken promise; the first that it finds is the answer, nothing else an empty text.
class ChannelCheck {
 public:
  explicit ChannelCheck(const ChannelHistory& history) : history_(history) {}

  [[nodiscard]] std::string operator()() {
    check_publications();
    std::vector<const Subscribed*> sharing;
    for (const Subscribed& one : history_.subscribed) {
      if (one.shares) sharing.push_back(&one);
      else check_alone(one);
    }
    if (!sharing.empty()) check_sharing(sharing);
    for (const Published& one : history_.published) check_receivers(one);
    return fault_;
  }

 private:
  using Position = std::uint64_t;

  void expect(bool holds, const std::string& what) {
    if (!holds && fault_.empty()) fault_ = what;
  }
  static std::string text(std::uint64_t number) { return std::to_string(number); }

  // — what was published —

  void check_publications() {
    for (const int value : history_.witness) {
      const Position next = positions_.size();
      expect(positions_.emplace(value, next).second, "the witness got a message twice");
    }
    when_.resize(positions_.size());
    std::size_t count = 0;
    for (const Published& one : history_.published) {
      if (!one.receivers) continue;
      count += one.values.size();
      for (std::size_t i = 0; i < one.values.size(); ++i) {
        const auto found = positions_.find(one.values[i]);
        if (found == positions_.end()) return expect(false, "a message is missing");
        when_[found->second] = one.when;
        expect(found->second == positions_.at(one.values.front()) + i,
               "something came between the messages of a batch");
      }
    }
    expect(count == positions_.size(), "the witness got what was not published");
    for (Position a = 0; a < when_.size(); ++a) {
      for (Position b = a + 1; b < when_.size(); ++b)
        expect(when_[b].to > when_[a].from, "what was published before something else comes behind it");
    }
  }

  // How many were published before, in any case or at most.
  [[nodiscard]] std::uint64_t surely(std::uint64_t tick) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(when_, [&](const Span& one) { return one.to < tick; }));
  }
  [[nodiscard]] std::uint64_t perhaps(std::uint64_t tick) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(when_, [&](const Span& one) { return one.from < tick; }));
  }

  // — what was received —

  void check_start(const Span& began, Position start) {
    for (Position at = 0; at < when_.size(); ++at) {
      if (at >= start) expect(when_[at].to > began.from, "somebody got a message from before it subscribed");
      else expect(when_[at].from < began.to, "somebody did not get the first message after it subscribed");
    }
  }

  // Where the receipt's messages are, from `next` on when that is known; goes past them.
  void check_receipt(const Subscribed& one, const Receipt& receipt, std::optional<Position>& next) {
    Position at = 0;
    for (std::size_t i = 0; i < receipt.values.size(); ++i) {
      const auto found = positions_.find(receipt.values[i]);
      if (found == positions_.end()) return expect(false, "somebody got what was not published");
      if (i == 0) at = found->second;
      expect(found->second == at + i, "a batch has a gap, or a wrong order");
      expect(when_[found->second].from < receipt.when.to, "somebody got a message before it was published");
    }
    if (!next) {
      if (receipt.lost > at) return expect(false, "somebody lost more than there was");
      check_start(one.began, at - receipt.lost);
    } else {
      expect(at == *next + receipt.lost,
             "after " + text(*next) + " comes " + text(at) + ", and " + text(receipt.lost) + " are said to be lost");
    }
    check_backlog(one, receipt, at);
    next = at + receipt.values.size();
  }
  void check_backlog(const Subscribed& one, const Receipt& receipt, Position at) {
    if (one.backlog == unlimited || one.overflow == Overflow::block)
      return expect(receipt.lost == 0, "somebody lost messages who must not");
    expect(surely(receipt.when.from) <= at + one.backlog, "somebody got what its backlog had no room for");
    if (receipt.lost > 0) expect(perhaps(receipt.when.to) >= at + one.backlog, "somebody lost what had room");
    expect(receipt.lost == 0 || one.overflow == Overflow::drop_oldest, "somebody lost messages instead of ending");
  }
  // A look that found nothing, when `next` is to come next.
  void check_nothing(const Subscribed& one, const Receipt& receipt, std::optional<Position> next) {
    for (Position at = next.value_or(0); at < when_.size(); ++at) {
      if (next || when_[at].from > one.began.to)
        expect(when_[at].to > receipt.when.from, "somebody did not find what was there");
    }
  }
  void check_over(const Subscribed& one, const Receipt& receipt, std::optional<Position> next) {
    if (one.reason == Errc::full) {
      expect(one.overflow == Overflow::disconnect, "somebody was ended who must not");
      if (next) expect(perhaps(receipt.when.to) > *next + one.backlog, "somebody was ended who had room");
      return;
    }
    expect(one.reason == (one.stayed() ? Errc::closed : Errc::cancelled), "it is over, and nobody knows why");
    if (next) return expect(*next == when_.size(), "the last messages are missing");
    for (const Span& when : when_) expect(when.from < one.began.to, "there was something to receive");
  }

  void check_alone(const Subscribed& one) {
    std::optional<Position> next;
    std::uint64_t lost = 0;
    for (const Receipt& receipt : one.receipts) {
      lost += receipt.lost;
      if (!receipt.values.empty()) check_receipt(one, receipt, next);
      else if (receipt.over) check_over(one, receipt, next);
      else check_nothing(one, receipt, next);
    }
    if (one.reason != Errc::full) expect(one.lost == lost, "lost() is another number than was told");
    if (one.stayed() && one.reason != Errc::full) expect(!next || *next == when_.size(), "the end is missing");
    if (one.overflow == Overflow::block && one.backlog != unlimited && !one.called) check_blocked(one);
  }

  // For a subscription that was there before anything was published: who published waited until it had room.
  void check_blocked(const Subscribed& one) {
    for (const Published& published : history_.published)
      if (published.when.from < one.began.to) return;
    std::map<Position, Span> received;
    for (const Receipt& receipt : one.receipts)
      for (const int value : receipt.values) received[positions_.at(value)] = receipt.when;
    for (const Published& published : history_.published) {
      if (!published.receivers || published.when.to > one.left.from) continue;
      const std::uint64_t room = std::max<std::uint64_t>(published.values.size(), one.backlog);
      const Position end = positions_.at(published.values.back()) + 1;
      if (end <= room) continue;
      const auto gone = received.find(end - room - 1);
      expect(gone != received.end() && gone->second.from < published.when.to, "a publisher did not wait for room");
    }
  }

  // Together, those who share have what one would have, who was there as long as the last of them.
  void check_sharing(const std::vector<const Subscribed*>& members) {
    std::vector<const Receipt*> all;
    for (const Subscribed* member : members) {
      for (const Receipt& receipt : member->receipts) {
        if (!receipt.values.empty()) all.push_back(&receipt);
        if (receipt.over && member->stayed())
          expect(member->reason == Errc::closed, "a share ends when all is received");
      }
    }
    const auto position = [&](const Receipt* receipt) { return positions_.at(receipt->values.front()); };
    std::ranges::sort(all, {}, position);
    std::optional<Position> next;
    for (std::size_t i = 0; i < all.size(); ++i) {
      check_receipt(*members.back(), *all[i], next);
      for (std::size_t j = 0; j < i; ++j)
        expect(all[i]->when.to > all[j]->when.from, "a share gave a later message first");
    }
    if (next) expect(*next == when_.size(), "a share lost its last messages");
  }

  // — how many were told that there were —

  void check_receivers(const Published& one) {
    if (!one.receivers) return;
    std::size_t least = 1;  // the witness
    std::size_t most = 1;
    bool shares = false;
    for (const Subscribed& each : history_.subscribed) {
      const bool there = each.began.to < one.when.from && each.left.from > one.when.to && each.reason != Errc::full;
      const bool perhaps_there = each.began.from < one.when.to && each.left.to > one.when.from;
      if (each.shares) {
        shares = true;  // one of them is there all the time
        continue;
      }
      least += there ? 1 : 0;
      most += perhaps_there ? 1 : 0;
    }
    if (shares) ++least, ++most;
    expect(least <= *one.receivers && *one.receivers <= most,
           "there were " + text(least) + " to " + text(most) + " subscriptions, not " + text(*one.receivers));
  }

  const ChannelHistory& history_;
  std::map<int, Position> positions_;
  std::vector<Span> when_;  // by position
  std::string fault_;
};

}  // namespace brook::contract
