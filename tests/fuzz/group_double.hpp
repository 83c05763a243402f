// group_double.hpp — a consumer group with all its options as plainly as the docstrings can be read: maps, and a loop for
// each sentence. On one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/redelivery.hpp>

#include "bounded_double.hpp"
#include "group_terms.hpp"

namespace fuzz {

class GroupWithOptions final : public Audience {
 public:
  using Id = brook::Id;
  using Errc = brook::Errc;
  template <class T>
  using Expected = brook::expected<T, Errc>;
  using Hands = std::vector<Hand>;

  GroupWithOptions(BoundedDouble& stream, std::string its_name, Id start, const Terms& its_terms)
      : name(std::move(its_name)),
        terms(its_terms),
        last_delivered(start),
        stood_ahead(start > stream.last_id),
        stream_(stream) {
    stream.audience.insert(this);
  }
  ~GroupWithOptions() override { stream_.audience.erase(this); }
  GroupWithOptions(const GroupWithOptions&) = delete;
  GroupWithOptions& operator=(const GroupWithOptions&) = delete;

  const std::string name;
  const Terms terms;
  Id last_delivered;
  std::map<Id, Given> pending{};
  std::set<Id> waiting{};  // passed by, because another entry of the key was out
  std::map<std::string, MemberDouble> members{};
  std::uint64_t lost = 0;
  bool stood_ahead = false;  // of the stream's last id
  bool destroyed = false;

  static constexpr std::uint64_t most_told = 1023;

  MemberDouble& enlist(const std::string& who) {
    const auto [at, fresh] = members.try_emplace(who);
    if (fresh) at->second = {++last_number_, stream_.now, {}};
    return at->second;
  }

  // — reading —

  Expected<Hands> read(const std::string& who, std::size_t count, bool no_ack, std::optional<milliseconds> claim_idle) {
    if (no_ack && terms.keys > 0) return brook::unexpected(Errc::invalid_argument);
    if (destroyed) return brook::unexpected(Errc::no_such_group);
    MemberDouble& member = enlist(who);
    if (count == 0) return Hands();
    member.seen = stream_.now;
    Hands hands;
    expire();
    const std::size_t most = std::min(count, room(member.number));
    dropped_.clear();
    take_returned(member, most, hands);
    if (claim_idle) take_idle(member, *claim_idle, most, hands);
    if (terms.keys == 0) take_new(member, most, no_ack, hands);
    else take_in_order(member, most, hands);
    dropped_.clear();
    if (terms.keys > 0 && hands.empty()) take_in_order(member, most, hands);
    if (hands.empty() && count > 0 && stream_.closed && !more_to_come()) return brook::unexpected(Errc::closed);
    return got(member, std::move(hands));
  }

  Expected<Hands> history(const std::string& who, Id after, std::size_t count) {
    if (destroyed) return brook::unexpected(Errc::no_such_group);
    MemberDouble& member = enlist(who);
    if (after == Id::max()) return Hands();
    member.seen = stream_.now;
    Hands hands;
    for (auto at = pending.upper_bound(after); at != pending.end() && hands.size() < count; ++at) {
      if (at->second.member != member.number || !stream_.entries.contains(at->first)) continue;
      hands.push_back(hand_over(*at, member, at->second.count + 1, stream_.tick));
    }
    return got(member, std::move(hands));
  }

  Expected<Hands> claim(const std::string& who, const std::vector<Id>& ids, const brook::ClaimOptions& options) {
    if (options.force && terms.keys > 0) return brook::unexpected(Errc::invalid_argument);
    if (destroyed) return brook::unexpected(Errc::no_such_group);
    MemberDouble& member = ask(who);
    Hands hands;
    for (const Id id : ids) {
      if (options.force && !pending.contains(id) && stream_.entries.contains(id))
        pending[id] = Given{stream_.entries.at(id), 1, 0, stream_.tick, stream_.tick};
      const auto at = pending.find(id);
      if (at == pending.end() || drop_if_gone(at) || !idle_for(at->second, options.min_idle)) continue;
      const std::uint64_t count = at->second.count + (options.just_id ? 0 : 1);
      hands.push_back(hand_over(*at, member, options.retry_count.value_or(count), since(options)));
    }
    if (options.last_id && *options.last_id > last_delivered) move_to(*options.last_id);
    return got(member, std::move(hands));
  }

  struct Swept {
    Id next{};
    Hands hands{};
    std::vector<Id> deleted{};
  };
  Expected<Swept> auto_claim(const std::string& who, const brook::AutoClaimOptions& options) {
    if (options.count == 0) return brook::unexpected(Errc::invalid_argument);
    if (destroyed) return brook::unexpected(Errc::no_such_group);
    MemberDouble& member = ask(who);
    Swept swept;
    for (auto at = pending.lower_bound(options.start); at != pending.end();) {
      if (swept.hands.size() + swept.deleted.size() == options.count) {
        swept.next = at->first;
        break;
      }
      const auto here = at++;
      const Id id = here->first;
      if (drop_if_gone(here)) swept.deleted.push_back(id);
      else if (idle_for(here->second, options.min_idle))
        swept.hands.push_back(hand_over(*here, member, here->second.count + (options.just_id ? 0 : 1), stream_.tick));
    }
    got(member, swept.hands);
    return swept;
  }

  // — being done with —

  std::size_t ack(const std::vector<Id>& ids) {
    std::size_t count = 0;
    for (const Id id : ids) count += pending.erase(id);
    return count;
  }

  /// Whether the entry is still with whom it was handed to.
  [[nodiscard]] bool holds(const Hand& hand) const {
    const auto at = pending.find(hand.id);
    return !hand.no_ack && at != pending.end() && at->second.member == hand.member && at->second.count == hand.count;
  }

  bool nack(const Hand& hand, const brook::NackOptions& options) {
    if (!holds(hand)) return false;
    Given& given = pending.at(hand.id);
    const std::uint64_t counted = given.count - (options.uncounted && given.count > 0 ? 1 : 0);
    if (options.fatal) die(hand.id, brook::DeathReason::fatal);
    else if (spent(counted)) die(hand.id, brook::DeathReason::max_deliveries);
    else {
      given.count = counted;
      give_back(given, options.delay.value_or(terms.delay_after(counted)));
    }
    return true;
  }

  template <class Add>
  Expected<Id> forward(const Hand& hand, Add add) {
    if (!holds(hand)) return brook::unexpected(Errc::not_pending);
    const Expected<Id> id = add();
    if (id) pending.erase(hand.id);
    return id;
  }

  // — administration —

  std::size_t delete_consumer(const std::string& who, bool drop) {
    const auto found = members.find(who);
    if (found == members.end()) return 0;
    std::size_t count = 0;
    for (auto at = pending.begin(); at != pending.end();) {
      const auto here = at++;
      if (here->second.member != found->second.number) continue;
      ++count;
      if (drop) pending.erase(here);
      else if (spent(here->second.count)) die(here->first, brook::DeathReason::max_deliveries);
      else give_back(here->second, milliseconds(0));
    }
    members.erase(found);
    return count;
  }

  void move_to(Id id) {
    stood_ahead = stood_ahead || id > stream_.last_id;
    last_delivered = id;
    waiting.clear();
  }

  /// Looks at more entries of an ordered group than the last read needed: those up to this one are waiting from now on.
  void look_ahead(Id id) {
    for (const auto& [next, value] : stream_.following(last_delivered, brook::no_limit)) {
      if (next > id) return;
      last_delivered = next;
      if (!pending.contains(next)) waiting.insert(next);
    }
  }

  std::size_t destroy() {
    destroyed = true;
    stream_.audience.erase(this);
    const std::size_t count = pending.size();
    pending.clear();
    return count;
  }

  // — what there is —

  [[nodiscard]] std::uint64_t lag() const {
    return waiting.size() + stream_.following(last_delivered, brook::no_limit).size();
  }
  [[nodiscard]] std::uint64_t returned() const { return pending_with(0); }
  [[nodiscard]] std::uint64_t pending_with(std::uint64_t member) const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(pending, [member](const auto& one) { return one.second.member == member; }));
  }
  [[nodiscard]] std::string owner_of(const Given& given) const {
    for (const auto& [who, member] : members) {
      if (member.number == given.member) return who;
    }
    return "";
  }
  [[nodiscard]] milliseconds idle_of(const Given& given) const {
    return given.member == 0 ? milliseconds(0) : std::chrono::floor<milliseconds>(stream_.tick - given.since);
  }
  [[nodiscard]] bool idle_for(const Given& given, milliseconds least) const {
    return given.member == 0 || stream_.tick - given.since >= least;
  }
  [[nodiscard]] bool wants(Id id) const override {
    return id > last_delivered || waiting.contains(id) || pending.contains(id);
  }

  void removed(Id id) override {
    if (waiting.erase(id) == 1 || id > last_delivered) ++lost;
  }

 private:
  MemberDouble& ask(const std::string& who) {
    MemberDouble& member = enlist(who);
    member.seen = stream_.now;
    return member;
  }
  Hands got(MemberDouble& member, Hands hands) {
    if (!hands.empty()) member.active = stream_.now;
    return hands;
  }

  // In an ordered group what is pending is not delivered again because the group was moved back.
  [[nodiscard]] bool more_to_come() const {
    const auto comes_again = [this](const auto& one) {
      return one.second.member == 0 && stream_.entries.contains(one.first);
    };
    if (!waiting.empty() || std::ranges::any_of(pending, comes_again)) return true;
    return std::ranges::any_of(stream_.following(last_delivered, brook::no_limit),
                               [this](const auto& entry) { return terms.keys == 0 || !pending.contains(entry.first); });
  }
  [[nodiscard]] bool spent(std::uint64_t count) const {
    return terms.max_deliveries > 0 && count >= terms.max_deliveries;
  }
  [[nodiscard]] std::size_t room(std::uint64_t member) const {
    const auto left = [](std::size_t most, std::size_t out) {
      return most == 0 ? brook::no_limit : most - std::min(most, out);
    };
    return std::min(left(terms.in_flight, pending.size() - returned()),
                    left(terms.in_flight_of_consumer, pending_with(member)));
  }

  [[nodiscard]] Time since(const brook::ClaimOptions& options) const {
    const auto unix_now = milliseconds(static_cast<std::int64_t>(stream_.unix_ms));
    milliseconds idle = options.idle.value_or(milliseconds(0));
    if (options.time) idle = unix_now - milliseconds(static_cast<std::int64_t>(*options.time));
    return stream_.tick - std::max(idle, milliseconds(0));
  }

  Hand hand_over(std::pair<const Id, Given>& one, const MemberDouble& to, std::uint64_t count, Time since) {
    Given& given = one.second;
    given.count = std::min(count, most_told);
    given.member = to.number;
    given.since = since;
    return {one.first, given.value, given.count, to.number};
  }

  void give_back(Given& given, milliseconds delay) {
    given.member = 0;
    given.due = stream_.tick + std::max(delay, milliseconds(0));
  }

  void die(Id id, brook::DeathReason reason) {
    const Given given = pending.at(id);
    pending.erase(id);
    if (!stream_.entries.contains(id)) return;
    const auto idle = std::chrono::floor<milliseconds>(stream_.tick - given.since).count();
    const std::uint64_t delivered_ms = stream_.unix_ms - static_cast<std::uint64_t>(idle);
    if (terms.letters == Letters::plain)
      stream_.plain_letters.add(stream_.plain_letters.id_at(stream_.unix_ms), given.value);
    if (terms.letters != Letters::wrapped) return;
    stream_.wrapped_letters.add(stream_.wrapped_letters.id_at(stream_.unix_ms), stream_.letters.size());
    stream_.letters.push_back({{id, name, owner_of(given), reason, given.count, delivered_ms}, given.value});
  }

  bool drop_if_gone(std::map<Id, Given>::iterator at) {
    if (stream_.entries.contains(at->first)) return false;
    dropped_.push_back(at->second.value);
    pending.erase(at);
    return true;
  }

  void expire() {
    if (terms.visibility == milliseconds(0)) return;
    std::vector<Id> over;
    for (const auto& [id, given] : pending) {
      if (given.member != 0 && stream_.tick - given.since >= terms.visibility) over.push_back(id);
    }
    for (const Id id : over) {
      Given& given = pending.at(id);
      if (spent(given.count)) die(id, brook::DeathReason::max_deliveries);
      else give_back(given, milliseconds(0));
    }
  }

  void take_idle(const MemberDouble& member, milliseconds idle, std::size_t most, Hands& hands) {
    std::set<std::pair<Time, Id>> longest_first;
    for (const auto& [pending_id, given] : pending) {
      const Id id = pending_id;
      const bool just_taken = std::ranges::any_of(hands, [&](const Hand& hand) { return hand.id == id; });
      if (given.member != 0 && !just_taken && stream_.tick - given.since >= idle)
        longest_first.emplace(given.since, id);
    }
    for (const auto& [since, id] : longest_first) {
      if (hands.size() == most) return;
      const auto at = pending.find(id);
      if (!drop_if_gone(at)) hands.push_back(hand_over(*at, member, at->second.count + 1, stream_.tick));
    }
  }

  void take_returned(const MemberDouble& member, std::size_t most, Hands& hands) {
    std::set<std::pair<Time, Id>> earliest_first;
    for (const auto& [id, given] : pending) {
      if (given.member == 0 && given.due <= stream_.tick) earliest_first.emplace(given.due, id);
    }
    for (const auto& [due, id] : earliest_first) {
      if (hands.size() == most) return;
      const auto at = pending.find(id);
      if (drop_if_gone(at)) continue;
      hands.push_back(hand_over(*at, member, at->second.count + 1, stream_.tick));
    }
  }

  Hand deliver(Id id, const MemberDouble& member) {
    const auto at = pending.insert_or_assign(id, Given{.value = stream_.entries.at(id)}).first;
    return hand_over(*at, member, 1, stream_.tick);
  }

  void take_new(const MemberDouble& member, std::size_t most, bool no_ack, Hands& hands) {
    for (const auto& [id, value] : stream_.following(last_delivered, most - hands.size())) {
      last_delivered = id;
      if (no_ack) hands.push_back({id, value, 1, member.number, true});
      else hands.push_back(deliver(id, member));
    }
  }

  void take_in_order(const MemberDouble& member, std::size_t most, Hands& hands) {
    std::set<Id> candidates = waiting;
    for (const auto& [id, value] : stream_.following(last_delivered, brook::no_limit)) candidates.insert(id);
    for (const Id id : candidates) {
      if (hands.size() == most) return;
      last_delivered = std::max(last_delivered, id);
      waiting.erase(id);
      if (pending.contains(id)) continue;
      if (out(stream_.entries.at(id) % terms.keys)) waiting.insert(id);
      else hands.push_back(deliver(id, member));
    }
  }
  [[nodiscard]] bool out(std::uint64_t key) const {
    const auto same_key = [&](std::uint64_t value) { return value % terms.keys == key; };
    return std::ranges::any_of(pending, [&](const auto& one) { return same_key(one.second.value); }) ||
           std::ranges::any_of(dropped_, same_key);
  }

  BoundedDouble& stream_;
  std::vector<std::uint64_t> dropped_{};  // in this read: it may leave those behind them for the next one
  std::uint64_t last_number_ = 0;
};

}  // namespace fuzz
