// group_against_double.cpp — random operations on one thread, on a Stream whose groups have options of every kind, and on
// its double (group_double.hpp): each answer is compared, and every so often all that there is.
//
//   group_against_double [seed] [operations]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/brook.hpp>
#include <brook/testing/manual_clock.hpp>

#include "bounded_double.hpp"
#include "double.hpp"
#include "fuzz.hpp"
#include "group_double.hpp"
#include "group_terms.hpp"

namespace {

using namespace fuzz;
using brook::no_limit;

/// A value of which sixteen fill a segment.
struct Large {
  std::uint64_t number = 0;
  std::array<char, 5000> rest{};

  Large(std::uint64_t its_number) : number(its_number) {}
  operator std::uint64_t() const { return number; }
};

/// More entries than this are trimmed, so that a run takes no longer at its end than at its beginning.
constexpr std::size_t enough_entries = 400;
constexpr std::size_t enough_held = 24;

/// One stream from its beginning to its end.
template <class T>
class Life {
 public:
  using Stream = brook::Stream<T>;
  using Group = brook::Group<T>;
  using Consumer = brook::Consumer<T>;
  using Deliveries = brook::Deliveries<T>;
  using Hands = GroupWithOptions::Hands;
  template <class R>
  using Expected = brook::expected<R, Errc>;

  Life(Random& random, Journal& journal)
      : random_(random),
        journal_(journal),
        ids_(random),
        clock_(milliseconds(1'000'000 + random.below(1000))),
        double_(choose_bounds()),
        plain_letters_({.clock = &clock_}),
        wrapped_letters_({.clock = &clock_}),
        next_({.clock = &clock_}),
        stream_(std::make_unique<Stream>(stream_options())) {
    journal_.note("a new stream of ", std::is_same_v<T, Large> ? "large values" : "numbers", told(double_.bounds));
    read_clock();
  }

  /// So many operations, and then its end.
  void run(std::uint64_t operations) {
    for (std::uint64_t i = 1; i <= operations; ++i) {
      step();
      double_.settle();
      if (i % 32 == 0) compare_all();
    }
    compare_all();
    if (random_.one_in(2)) run_closed();
  }

 private:
  /// A group, and what it should be.
  struct Handle {
    Group group;
    std::shared_ptr<GroupWithOptions> wanted;
  };
  struct Held {
    Deliveries batch;
    Hands hands;
    std::shared_ptr<GroupWithOptions> group;
  };
  struct Worker {
    Consumer consumer;
    std::shared_ptr<GroupWithOptions> group;
  };

  // — what to do —

  void step() {
    if (double_.entries.size() > enough_entries) return trim_to(random_.below(enough_entries));
    if (groups_.empty()) create_group();
    const std::uint64_t choice = random_.below(100);
    if (choice < 20) add();
    else if (choice < 25) add_range();
    else if (choice < 36) move_clock();
    else if (choice < 39) erase();
    else if (choice < 41) trim();
    else if (choice < 42) create_group();
    else if (choice < 60) use_held();
    else if (std::optional<Handle> handle = choose_group()) step_group(*handle);
  }

  void step_group(const Handle& on) {
    const std::uint64_t choice = random_.below(100);
    if (choice < 50) read(on);
    else if (choice < 58) history(on);
    else if (choice < 68) claim(on);
    else if (choice < 76) auto_claim(on);
    else if (choice < 84) ack(on);
    else if (choice < 89) delete_consumer(on);
    else if (choice < 93) set_id(on);
    else if (choice < 94) destroy(on);
    else if (choice < 97) list_pending(on);
    else compare_group(on);
  }

  void run_closed() {
    journal_.note("close");
    stream_->close();
    double_.closed = true;
    for (std::uint64_t i = random_.below(60); i > 0; --i) {
      step();
      double_.settle();
    }
    compare_all();
  }

  // — the stream —

  void add() {
    const std::uint64_t number = next_value_++;
    const bool exactly = random_.one_in(12);
    const Id id = exactly ? some_next_id() : Id{};
    journal_.note("add ", number, exactly ? " as " + text(id) : "", " at ", clock_.unix_ms());
    const Expected<Id> outcome = exactly ? stream_->add(id, T(number)) : stream_->add(T(number));
    journal_.result(text(outcome));
    const Expected<Id> at = exactly ? double_.id_exactly(id) : double_.id_at(clock_.unix_ms());
    same("add", outcome, double_.add_bounded(at, {number}));
    if (outcome) ids_.remember(*outcome);
  }

  void add_range() {
    std::vector<std::uint64_t> numbers(static_cast<std::size_t>(1 + random_.below(random_.one_in(8) ? 80 : 12)));
    for (std::uint64_t& number : numbers) number = next_value_++;
    journal_.note("add_range of ", numbers.size(), " at ", clock_.unix_ms());
    const Expected<brook::IdRange> outcome = stream_->add_range(numbers);
    const Expected<Id> first = outcome.map([](const brook::IdRange& ids) { return ids.front(); });
    journal_.result(text(first));
    same("add_range", first, double_.add_bounded(double_.id_at(clock_.unix_ms()), numbers));
    if (!outcome) return;
    for (const Id id : *outcome) ids_.remember(id);
  }

  void move_clock() {
    switch (random_.below(12)) {
      case 0: clock_.advance(milliseconds(random_.below(2000))); break;
      case 1: {
        const std::uint64_t back = std::min(clock_.unix_ms(), random_.below(300));
        clock_.set_unix(milliseconds(static_cast<std::int64_t>(clock_.unix_ms() - back)));
        break;
      }
      case 2: clock_.set_unix(milliseconds(static_cast<std::int64_t>(clock_.unix_ms() + random_.below(300)))); break;
      case 3: clock_.advance(std::chrono::microseconds(random_.below(3000))); break;
      default: clock_.advance(milliseconds(random_.below(20)));
    }
    read_clock();
    journal_.note("the clock says ", clock_.unix_ms(), ", ", double_.now.count() / 1000, " us");
    double_.settle();
    same("size", stream_->size(), std::uint64_t{double_.entries.size()});
  }
  void read_clock() {
    double_.now = clock_.now().time_since_epoch();
    double_.tick = std::chrono::floor<milliseconds>(double_.now);
    double_.unix_ms = clock_.unix_ms();
  }

  void erase() {
    std::vector<Id> ids;
    for (std::uint64_t n = 1 + random_.below(4); n > 0; --n) ids.push_back(some_id());
    journal_.note("erase ", listed(ids));
    same("erase", std::uint64_t{stream_->erase(ids)}, std::uint64_t{double_.erase_ids(ids)});
  }

  void trim() {
    if (random_.one_in(2)) return trim_to(double_.entries.size() - std::min(double_.entries.size(), few(12)));
    const Id min_id = some_id();
    journal_.note("trim min_id ", min_id);
    same("trim min_id", stream_->trim({.min_id = min_id}), Expected<std::uint64_t>(double_.trim_below(min_id)));
  }
  void trim_to(std::uint64_t max_len) {
    journal_.note("trim max_len ", max_len);
    same("trim max_len", stream_->trim({.max_len = max_len}), Expected<std::uint64_t>(double_.trim_to(max_len)));
  }

  // — groups —

  void create_group() {
    const std::string name = random_.one_of({"billing", "shipping", "stock"});
    const brook::Position position = some_position();
    const Id start = position.after(double_.last_id);
    const Terms terms = choose_terms();
    journal_.note("create_group ", name, " ", start, told(terms));
    const Expected<Group> outcome =
        stream_->create_group(name, position.is_latest() ? position : brook::Position(start), options_of(terms));
    if (double_.closed) return same("create_group", error_of(outcome), Errc::closed);
    if (groups_.contains(name)) return same("create_group", error_of(outcome), Errc::group_exists);
    same("create_group succeeds", outcome.has_value(), true);
    groups_.emplace(name, std::make_shared<GroupWithOptions>(double_, name, start, terms));
    double_.settle();
  }

  // Now and then one that was destroyed.
  std::optional<Handle> choose_group() {
    if (!destroyed_.empty() && random_.one_in(24)) return random_.one_of(destroyed_);
    if (groups_.empty()) return std::nullopt;
    auto at = groups_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(groups_.size())));
    const Expected<Group> outcome = stream_->group(at->first);
    same("there is a group " + at->first, outcome.has_value(), true);
    return Handle{*outcome, at->second};
  }

  // Now and then by a handle that may be older than the consumer.
  Consumer consumer(const Handle& on, const std::string& who) {
    for (const Worker& worker : workers_) {
      if (worker.group == on.wanted && worker.consumer.name() == who && random_.one_in(2)) return worker.consumer;
    }
    const Consumer consumer = on.group.consumer(who);
    on.wanted->enlist(who);
    if (workers_.size() < 6) workers_.push_back({consumer, on.wanted});
    else if (random_.one_in(8)) workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(random_.below(6)));
    return consumer;
  }

  void read(const Handle& on) {
    const std::string who = some_consumer();
    brook::ReadOptions options{.count = some_count(), .no_ack = random_.one_in(10)};
    if (random_.one_in(6)) options.claim_idle = milliseconds(random_.below(60));
    journal_.note("read of ", on.wanted->name, " ", who, " count ", options.count, options.no_ack ? " no_ack" : "",
                  options.claim_idle ? " claim_idle " + std::to_string(options.claim_idle->count()) : "");
    const Expected<Deliveries> outcome = consumer(on, who).read(options);
    const auto wanted = on.wanted->read(who, options.count, options.no_ack, options.claim_idle);
    check("read", on, outcome, wanted);
    if (on.wanted->terms.keys > 0 && !on.wanted->destroyed) on.wanted->look_ahead(on.group.info()->last_delivered_id);
  }

  void history(const Handle& on) {
    const std::string who = some_consumer();
    const Id after = random_.one_in(2) ? Id::min() : some_id();
    const std::size_t count = some_count();
    journal_.note("history of ", on.wanted->name, " ", who, " after ", after, " count ", count);
    const Expected<Deliveries> outcome = consumer(on, who).history(after, count);
    check("history", on, outcome, on.wanted->history(who, after, count));
  }

  void claim(const Handle& on) {
    const std::string who = some_consumer();
    const std::vector<Id> ids = some_ids(*on.wanted);
    brook::ClaimOptions options{.force = random_.one_in(5), .just_id = random_.one_in(4)};
    if (random_.one_in(2)) options.min_idle = milliseconds(random_.below(60));
    if (random_.one_in(5)) options.idle = milliseconds(random_.below(100));
    else if (random_.one_in(5)) options.time = clock_.unix_ms() + 20 - std::min(clock_.unix_ms(), random_.below(120));
    if (random_.one_in(6)) options.retry_count = random_.one_in(6) ? random_.of_any_size() : random_.below(5);
    if (random_.one_in(8)) options.last_id = some_id();
    journal_.note("claim of ", on.wanted->name, " ", who, " ", listed(ids), " min_idle ", options.min_idle.count(),
                  options.idle ? " idle " + std::to_string(options.idle->count()) : "",
                  options.time ? " time " + std::to_string(*options.time) : "",
                  options.retry_count ? " retry_count " + std::to_string(*options.retry_count) : "",
                  options.force ? " force" : "", options.just_id ? " just_id" : "",
                  options.last_id ? " last_id " + text(*options.last_id) : "");
    const Expected<Deliveries> outcome = consumer(on, who).claim(ids, options);
    check("claim", on, outcome, on.wanted->claim(who, ids, options));
  }

  void auto_claim(const Handle& on) {
    const std::string who = some_consumer();
    brook::AutoClaimOptions options{.count = some_count(), .just_id = random_.one_in(4)};
    if (random_.one_in(2)) options.min_idle = milliseconds(random_.below(60));
    if (random_.one_in(2)) options.start = some_id();
    journal_.note("auto_claim of ", on.wanted->name, " ", who, " from ", options.start, " min_idle ",
                  options.min_idle.count(), " count ", options.count, options.just_id ? " just_id" : "");
    const Expected<brook::AutoClaimed<T>> outcome = consumer(on, who).auto_claim(options);
    const auto wanted = on.wanted->auto_claim(who, options);
    if (!wanted) return same("auto_claim", error_of(outcome), wanted.error());
    same("auto_claim succeeds", outcome.has_value(), true);
    check("auto_claim", on, Expected<Deliveries>(outcome->deliveries), wanted->hands);
    same("auto_claim: deleted", listed(outcome->deleted), listed(wanted->deleted));
    same("auto_claim: next", outcome->next, wanted->next);
  }

  void ack(const Handle& on) {
    const std::vector<Id> ids = some_ids(*on.wanted);
    journal_.note("ack in ", on.wanted->name, " ", listed(ids));
    same("ack", std::uint64_t{on.group.ack(ids)}, std::uint64_t{on.wanted->ack(ids)});
  }

  void delete_consumer(const Handle& on) {
    const std::string who = some_consumer();
    const bool drop = random_.one_in(3);
    journal_.note("delete_consumer of ", on.wanted->name, " ", who, drop ? " drop" : "");
    const auto outcome = on.group.delete_consumer(who, drop ? brook::Orphans::drop : brook::Orphans::hand_back);
    if (on.wanted->destroyed) return same("delete_consumer", error_of(outcome), Errc::no_such_group);
    same("delete_consumer succeeds", outcome.has_value(), true);
    same("delete_consumer", std::uint64_t{*outcome}, std::uint64_t{on.wanted->delete_consumer(who, drop)});
  }

  void set_id(const Handle& on) {
    const brook::Position position = some_position();
    const Id to = position.after(double_.last_id);
    journal_.note("set_id of ", on.wanted->name, " ", to);
    const Expected<void> outcome = position.is_latest() ? on.group.set_id(position) : on.group.set_id(to);
    if (on.wanted->destroyed) return same("set_id", error_of(outcome), Errc::no_such_group);
    same("set_id succeeds", outcome.has_value(), true);
    on.wanted->move_to(to);
  }

  void destroy(const Handle& on) {
    journal_.note("destroy ", on.wanted->name);
    const Expected<std::size_t> outcome = on.group.destroy();
    if (on.wanted->destroyed) return same("destroy", error_of(outcome), Errc::no_such_group);
    same("destroy succeeds", outcome.has_value(), true);
    same("destroy", std::uint64_t{*outcome}, std::uint64_t{on.wanted->destroy()});
    groups_.erase(on.wanted->name);
    if (destroyed_.size() < 4) destroyed_.push_back(on);
  }

  // — what was delivered —

  void check(const char* what, const Handle& on, const Expected<Deliveries>& outcome, const Expected<Hands>& wanted) {
    const std::string name(what);
    if (!wanted) return same(what, error_of(outcome), wanted.error());
    same(name + " succeeds", outcome.has_value(), true);
    std::string got, should;
    for (const auto& delivery : *outcome) got += told(delivery.id(), *delivery, delivery.count());
    for (const Hand& hand : *wanted) should += told(hand.id, hand.value, hand.count);
    journal_.result(got);
    same(name, got, should);
    same(name + ": size", std::uint64_t{outcome->size()}, std::uint64_t{wanted->size()});
    if (outcome->empty()) return;
    if (held_.size() == enough_held)
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(random_.below(enough_held)));
    held_.push_back({*outcome, *wanted, on.wanted});
  }

  void use_held() {
    if (held_.empty()) return;
    Held& held = held_[static_cast<std::size_t>(random_.below(held_.size()))];
    if (random_.one_in(6)) return ack_batch(held);
    const auto i = static_cast<std::size_t>(random_.below(held.hands.size()));
    const brook::Delivery<T> delivery = held.batch[i];
    const Hand& hand = held.hands[i];
    same("a delivery's id", delivery.id(), hand.id);
    same("a delivery's value", std::uint64_t{*delivery}, hand.value);
    same("a delivery's count", delivery.count(), hand.count);
    switch (random_.below(5)) {
      case 0: return forward(held, delivery, hand);
      case 1: {
        journal_.note("ack of the delivery ", hand.id, " in ", held.group->name);
        return same("ack of a delivery", delivery.ack(), !hand.no_ack && held.group->ack({hand.id}) == 1);
      }
      default: nack(held, delivery, hand);
    }
  }

  void ack_batch(Held& held) {
    journal_.note("ack of a batch of ", held.group->name, " from ", held.hands.front().id);
    std::size_t wanted = 0;
    for (const Hand& hand : held.hands) wanted += hand.no_ack ? 0 : held.group->ack({hand.id});
    same("ack of a batch", std::uint64_t{held.batch.ack()}, std::uint64_t{wanted});
  }

  void nack(const Held& held, const brook::Delivery<T>& delivery, const Hand& hand) {
    brook::NackOptions options{.uncounted = random_.one_in(5), .fatal = random_.one_in(8)};
    if (random_.one_in(3)) options.delay = milliseconds(random_.below(60));
    journal_.note("nack of ", hand.id, " in ", held.group->name, options.uncounted ? " uncounted" : "",
                  options.fatal ? " fatal" : "",
                  options.delay ? " delay " + std::to_string(options.delay->count()) : "");
    const bool outcome = delivery.nack(options);
    journal_.result(text(outcome));
    same("nack", outcome, held.group->nack(hand, options));
  }

  void forward(const Held& held, const brook::Delivery<T>& delivery, const Hand& hand) {
    const std::uint64_t number = next_value_++;
    const bool elsewhere = random_.one_in(2);
    journal_.note("forward of ", hand.id, " in ", held.group->name, elsewhere ? "" : " to the same stream", " at ",
                  clock_.unix_ms());
    const Expected<Id> outcome = elsewhere ? delivery.forward(next_, number) : delivery.forward(*stream_, T(number));
    journal_.result(text(outcome));
    same("forward", outcome, held.group->forward(hand, [&] {
      if (elsewhere) return double_next_.add(double_next_.id_at(clock_.unix_ms()), number);
      return double_.add_bounded(double_.id_at(clock_.unix_ms()), {number});
    }));
  }

  // — all there is —

  void compare_all() {
    same("size", stream_->size(), std::uint64_t{double_.entries.size()});
    const brook::StreamFullInfo<T> info = stream_->full_info();
    same("info: length", info.length, std::uint64_t{double_.entries.size()});
    same("info: entries_added", info.entries_added, double_.entries_added);
    same("info: first_id", info.first_id, double_.first_id());
    same("info: last_id", info.last_id, double_.last_id);
    same("info: max_deleted_id", info.max_deleted_id, double_.max_deleted);
    same("info: groups", std::uint64_t{info.groups}, std::uint64_t{groups_.size()});
    same("info: closed", info.closed, double_.closed);
    check_entries("all entries", stream_->range(), double_.range(Id::min(), Id::max(), no_limit));
    check_entries("the first entries", info.first, double_.range(Id::min(), Id::max(), 10));
    check_entries("the last entries", info.last, double_.rev_range(Id::max(), Id::min(), 10));
    check_entries("what was forwarded", next_.range(), double_next_.range(Id::min(), Id::max(), no_limit));
    check_letters();
    same("full groups", std::uint64_t{info.consumer_groups.size()}, std::uint64_t{groups_.size()});
    std::size_t i = 0;
    for (const auto& [name, wanted] : groups_) {
      compare_group({*stream_->group(name), wanted});
      compare_full(info.consumer_groups[i++], *wanted);
    }
  }

  template <class U>
  static void check_entries(const char* what, const brook::Entries<U>& entries, const Listing& wanted) {
    std::string got, should;
    for (const auto& [id, value] : entries) got += told(id, value, 0);
    for (const auto& [id, value] : wanted) should += told(id, value, 0);
    same(what, got, should);
  }

  void check_letters() {
    check_entries("plain dead letters", plain_letters_.range(),
                  double_.plain_letters.range(Id::min(), Id::max(), no_limit));
    std::string got, should;
    for (const auto& [id, letter] : wrapped_letters_.range()) got += told(id, letter, letter.value);
    for (const auto& [id, i] : double_.wrapped_letters.entries)
      should += told(id, double_.letters[static_cast<std::size_t>(i)].death,
                     double_.letters[static_cast<std::size_t>(i)].value);
    same("dead letters", got, should);
  }

  void compare_group(const Handle& on) {
    const GroupWithOptions& wanted = *on.wanted;
    const Expected<brook::GroupInfo> info = on.group.info();
    if (wanted.destroyed) return same("info", error_of(info), Errc::no_such_group);
    same("info succeeds", info.has_value(), true);
    check_info(*info, wanted);
    std::vector<std::string> names;
    for (const auto& member : wanted.members) names.push_back(member.first);
    same("consumers", on.group.consumers() == names, true);
    check_consumers(*on.group.consumer_info(), wanted);
    check_summary(*on.group.pending(), wanted);
    check_pending("pending", *on.group.pending(brook::PendingOptions{}), wanted, {});
  }

  void check_info(const brook::GroupInfo& info, const GroupWithOptions& wanted) {
    same("info: name", info.name, wanted.name);
    same("info: consumers", std::uint64_t{info.consumers}, std::uint64_t{wanted.members.size()});
    same("info: pending of " + wanted.name, info.pending, std::uint64_t{wanted.pending.size()});
    same("info: returned of " + wanted.name, info.returned, wanted.returned());
    same("info: last_delivered_id of " + wanted.name, info.last_delivered_id, wanted.last_delivered);
    same("info: lag of " + wanted.name, info.lag, wanted.lag());
    same("info: entries_read of " + wanted.name, info.entries_read, double_.entries_added - wanted.lag());
    // Where the end came past a group is not known any more when it was trimmed before the group looked.
    const bool in_part = wanted.stood_ahead && info.lost < wanted.lost;
    same("info: lost of " + wanted.name, info.lost, in_part ? info.lost : wanted.lost);
  }

  void check_consumers(const std::vector<brook::ConsumerInfo>& infos, const GroupWithOptions& wanted) {
    std::string got, should;
    for (const auto& info : infos) got += told(info.name, info.pending, info.idle, info.inactive);
    for (const auto& [name, member] : wanted.members) {
      std::optional<milliseconds> inactive;
      if (member.active) inactive = std::chrono::floor<milliseconds>(double_.now - *member.active);
      should += told(name, wanted.pending_with(member.number),
                     std::chrono::floor<milliseconds>(double_.now - member.seen), inactive);
    }
    same("consumers of " + wanted.name, got, should);
  }

  void check_summary(const brook::PendingSummary& summary, const GroupWithOptions& wanted) {
    const auto& all = wanted.pending;
    same("pending: count", summary.count, std::uint64_t{all.size()});
    same("pending: first", summary.first, all.empty() ? Id::min() : all.begin()->first);
    same("pending: last", summary.last, all.empty() ? Id::min() : all.rbegin()->first);
    std::string got, should;
    for (const auto& one : summary.consumers) got += one.name + ":" + text(one.count) + " ";
    for (const auto& [name, member] : wanted.members) {
      const std::uint64_t count = wanted.pending_with(member.number);
      if (count > 0) should += name + ":" + text(count) + " ";
    }
    same("pending: consumers", got, should);
  }

  void list_pending(const Handle& on) {
    brook::PendingOptions options{.count = some_count()};
    if (random_.one_in(2)) options.min_idle = milliseconds(random_.below(60));
    if (random_.one_in(2)) options.first = some_id();
    if (random_.one_in(2)) options.last = some_id();
    const std::string who = some_consumer();
    if (random_.one_in(2)) options.consumer = who;
    journal_.note("pending of ", on.wanted->name, " ", options.first, " ", options.last, " count ", options.count,
                  " min_idle ", options.min_idle.count(), options.consumer ? " of " + who : "");
    const auto outcome = on.group.pending(options);
    if (on.wanted->destroyed) return same("pending", error_of(outcome), Errc::no_such_group);
    same("pending succeeds", outcome.has_value(), true);
    check_pending("pending, filtered", *outcome, *on.wanted, options);
  }

  static void check_pending(const char* what, const std::vector<brook::PendingEntry>& listing,
                            const GroupWithOptions& wanted, const brook::PendingOptions& options) {
    std::string got, should;
    for (const auto& one : listing) got += told(one);
    std::size_t count = 0;
    for (const auto& [id, given] : wanted.pending) {
      const std::string owner = wanted.owner_of(given);
      if (id < options.first || id > options.last || !wanted.idle_for(given, options.min_idle)) continue;
      if (options.consumer && (given.member == 0 || owner != *options.consumer)) continue;
      if (count++ == options.count) break;
      should += told(brook::PendingEntry{id, owner, wanted.idle_of(given), given.count});
    }
    same(std::string(what) + " of " + wanted.name, got, should);
  }

  void compare_full(const brook::GroupFullInfo& info, const GroupWithOptions& wanted) {
    check_info(info, wanted);
    check_pending("the first pending", info.entries, wanted, {.count = 10});
    check_consumers({info.members.begin(), info.members.end()}, wanted);
    for (const auto& member : info.members)
      check_pending("the first pending of a consumer", member.entries, wanted, {.count = 10, .consumer = member.name});
  }

  // — chance —

  Bounds choose_bounds() {
    Bounds bounds;
    switch (random_.below(8)) {
      case 0: bounds.max_len = random_.between(1, 40); break;
      case 1: bounds.capacity = random_.between(1, 40); break;
      case 2:
        bounds.capacity = random_.between(1, 40);
        bounds.drop_oldest = true;
        break;
      default: break;
    }
    if (random_.one_in(6)) bounds.max_age = milliseconds(random_.between(1, 500));
    bounds.until_acked = random_.one_in(3);
    return bounds;
  }
  brook::StreamOptions stream_options() {
    const Bounds& bounds = double_.bounds;
    return {.max_len = bounds.max_len,
            .capacity = bounds.capacity,
            .overflow = bounds.drop_oldest ? brook::Overflow::drop_oldest : brook::Overflow::reject,
            .max_age = bounds.max_age,
            .until_acked = bounds.until_acked,
            .clock = &clock_};
  }

  Terms choose_terms() {
    Terms terms;
    if (random_.one_in(2)) terms.max_deliveries = random_.between(1, 4);
    terms.letters = random_.one_of({Letters::nowhere, Letters::plain, Letters::wrapped});
    if (random_.one_in(2)) terms.first_delay = milliseconds(random_.below(40));
    terms.longest_delay = std::chrono::hours(24);
    if (random_.one_in(2)) {
      terms.factor = static_cast<std::int64_t>(random_.between(1, 3));
      terms.longest_delay = milliseconds(random_.below(200));
    }
    if (random_.one_in(3)) terms.visibility = milliseconds(random_.between(1, 100));
    if (random_.one_in(3)) terms.keys = random_.between(1, 5);
    if (random_.one_in(4)) terms.in_flight = static_cast<std::size_t>(random_.between(1, 8));
    if (random_.one_in(4)) terms.in_flight_of_consumer = static_cast<std::size_t>(random_.between(1, 5));
    return terms;
  }
  brook::GroupOptions<T> options_of(const Terms& terms) {
    brook::GroupOptions<T> options{.max_deliveries = terms.max_deliveries, .visibility = terms.visibility};
    options.retry_delay =
        brook::RetryDelay::exponential(terms.first_delay, terms.longest_delay, static_cast<double>(terms.factor));
    if (terms.letters == Letters::plain) options.dead_letter = &plain_letters_;
    if (terms.letters == Letters::wrapped) options.dead_letter = &wrapped_letters_;
    if (terms.keys > 0)
      options.ordered_by = [keys = terms.keys](const T& value) { return std::uint64_t{value} % keys; };
    options.max_in_flight = terms.in_flight;
    options.max_in_flight_of_consumer = terms.in_flight_of_consumer;
    return options;
  }

  Id some_next_id() {
    const Id last = double_.last_id;
    return {last.ms + random_.below(2), last.seq + random_.below(4)};
  }
  Id some_id() { return ids_.any(); }
  std::vector<Id> some_ids(const GroupWithOptions& group) {
    std::vector<Id> ids;
    for (std::uint64_t n = random_.below(4); n > 0; --n) ids.push_back(some_id());
    if (group.pending.empty()) return ids;
    auto at = group.pending.lower_bound(some_id());
    for (std::uint64_t n = random_.below(8); n > 0 && at != group.pending.end(); --n) ids.push_back((at++)->first);
    return ids;
  }
  brook::Position some_position() {
    switch (random_.below(4)) {
      case 0: return brook::earliest;
      case 1: return brook::latest;
      default: return some_id();
    }
  }
  std::size_t some_count() {
    switch (random_.below(8)) {
      case 0: return static_cast<std::size_t>(random_.below(2));
      case 1: return static_cast<std::size_t>(random_.of_any_size());
      case 2:
      case 3: return no_limit;
      default: return static_cast<std::size_t>(1 + random_.below(8));
    }
  }
  std::size_t few(std::size_t most) { return static_cast<std::size_t>(random_.below(most)); }
  std::string some_consumer() { return random_.one_of({"ann", "bob", "Cleo", ""}); }

  // — in words —

  static std::string listed(const std::vector<Id>& ids) {
    std::string list = std::to_string(ids.size()) + " ids";
    for (const Id id : ids) list += " " + text(id);
    return list;
  }
  static std::string told(Id id, std::uint64_t value, std::uint64_t count) {
    return text(id) + "=" + text(value) + (count > 0 ? "#" + text(count) : "") + " ";
  }
  static std::string told(Id id, const brook::Death& death, std::uint64_t value) {
    return text(id) + "=" + text(value) + " (" + text(death.id) + " of " + death.group + " " + death.consumer + " " +
           (death.reason == brook::DeathReason::fatal ? "fatal" : "max") + " #" + text(death.deliveries) + " at " +
           text(death.delivered_ms) + ") ";
  }
  static std::string told(const brook::PendingEntry& entry) {
    return text(entry.id) + " " + entry.consumer + " " + std::to_string(entry.idle.count()) + "ms #" +
           text(entry.deliveries) + ", ";
  }
  static std::string told(const std::string& name, std::uint64_t pending, milliseconds idle,
                          std::optional<milliseconds> inactive) {
    return name + " " + text(pending) + " " + std::to_string(idle.count()) + "ms " +
           (inactive ? std::to_string(inactive->count()) + "ms" : "never") + ", ";
  }
  static std::string told(const Bounds& bounds) {
    std::string list;
    if (bounds.max_len != brook::unlimited) list += ", max_len " + text(bounds.max_len);
    if (bounds.capacity != brook::unlimited) list += ", capacity " + text(bounds.capacity);
    if (bounds.drop_oldest) list += " drop_oldest";
    if (bounds.max_age.count() > 0) list += ", max_age " + std::to_string(bounds.max_age.count());
    return list + (bounds.until_acked ? ", until_acked" : "");
  }
  static std::string told(const Terms& terms) {
    std::string list = ", retry_delay " + std::to_string(terms.first_delay.count()) + " times " +
                       std::to_string(terms.factor) + " most " + std::to_string(terms.longest_delay.count());
    if (terms.max_deliveries > 0) list += ", max_deliveries " + text(terms.max_deliveries);
    if (terms.letters != Letters::nowhere) list += terms.letters == Letters::plain ? ", letters" : ", wrapped letters";
    if (terms.visibility.count() > 0) list += ", visibility " + std::to_string(terms.visibility.count());
    if (terms.keys > 0) list += ", keys " + text(terms.keys);
    if (terms.in_flight > 0) list += ", max_in_flight " + std::to_string(terms.in_flight);
    if (terms.in_flight_of_consumer > 0) list += ", of each consumer " + std::to_string(terms.in_flight_of_consumer);
    return list;
  }
  template <class R>
  static Errc error_of(const Expected<R>& outcome) {
    if (outcome) throw Difference("a success where an error was due");
    return outcome.error();
  }

  Random& random_;
  Journal& journal_;
  Ids ids_;
  brook::ManualClock clock_;
  BoundedDouble double_;
  StreamDouble double_next_;
  brook::Stream<T> plain_letters_;
  brook::Stream<brook::DeadLetter<T>> wrapped_letters_;
  brook::Stream<std::uint64_t> next_;
  std::unique_ptr<Stream> stream_;
  std::map<std::string, std::shared_ptr<GroupWithOptions>> groups_;
  std::vector<Held> held_;
  std::vector<Worker> workers_;
  std::vector<Handle> destroyed_;
  std::uint64_t next_value_ = 1;
};

void fuzz_groups(const Arguments& how, Random& random, Journal& journal) {
  for (std::uint64_t left = how.operations; left > 0;) {
    const std::uint64_t operations = std::min<std::uint64_t>(left, random.between(1, 800));
    if (random.one_in(3)) Life<Large>(random, journal).run(operations);
    else Life<std::uint64_t>(random, journal).run(operations);
    left -= operations;
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 200000});
  Random random(how.seed);
  Journal journal;
  try {
    fuzz_groups(how, random, journal);
  } catch (const std::exception& problem) { return report("group_against_double", how, journal, problem); }
  std::printf("group_against_double: seed %llu, %llu operations, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  return 0;
}
