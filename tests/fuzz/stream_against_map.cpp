// stream_against_map.cpp — random operations on one thread, on a Stream and on its double (double.hpp): each answer is
// compared, and every so often all that there is.
//
//   stream_against_map [seed] [operations]
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/brook.hpp>
#include <brook/testing/manual_clock.hpp>

#include "double.hpp"
#include "fuzz.hpp"

namespace {

using namespace fuzz;
using brook::no_limit;

/// A value whose every construction may throw, moves included. Throws when the fuse has burnt down.
class Fragile {
 public:
  struct Thrown {};

  explicit Fragile(std::uint64_t number) : number_((burn(), std::make_unique<std::uint64_t>(number))) {}
  Fragile(const Fragile& other) : number_((burn(), std::make_unique<std::uint64_t>(*other.number_))) {}
  Fragile(Fragile&& other) noexcept(false) : number_((burn(), std::move(other.number_))) {}
  Fragile& operator=(const Fragile&) = delete;
  Fragile& operator=(Fragile&&) = delete;
  ~Fragile() = default;

  [[nodiscard]] bool holds(std::uint64_t number) const { return number_ != nullptr && *number_ == number; }

  static inline std::uint64_t fuse = 0;  // constructions until one throws; 0 for never

 private:
  static void burn() {
    if (fuse > 0 && --fuse == 0) throw Thrown{};
  }

  std::unique_ptr<std::uint64_t> number_;
};
static_assert(!std::is_nothrow_move_constructible_v<Fragile>);

/// How a number becomes a T, and how a T is known to be that number.
template <class T>
struct As {
  static T make(std::uint64_t number) { return T(number); }
  static bool is(const T& value, std::uint64_t number) { return value == number; }
};
template <>
struct As<std::string> {
  static std::string make(std::uint64_t number) {
    return std::to_string(number) + std::string(static_cast<std::size_t>(number % 7 * 8), '.');
  }
  static bool is(const std::string& value, std::uint64_t number) { return value == make(number); }
};
template <>
struct As<Fragile> {
  static Fragile make(std::uint64_t number) { return Fragile(number); }
  static bool is(const Fragile& value, std::uint64_t number) { return value.holds(number); }
};

/// No segment has more entries.
constexpr std::uint64_t segment_entries = 4096;
/// More entries than this are trimmed, so that a run takes no longer at its end than at its beginning.
constexpr std::size_t enough_entries = 20000;

/// One stream from its beginning to its end.
template <class T>
class Life {
 public:
  using Stream = brook::Stream<T>;
  using Group = brook::Group<T>;
  template <class R>
  using Expected = brook::expected<R, Errc>;

  Life(Random& random, Journal& journal)
      : random_(random),
        journal_(journal),
        ids_(random),
        clock_(std::chrono::milliseconds(random.of_any_size(42))),
        options_(choose_options()),
        wild_ids_(random.one_in(3)),
        large_batches_(random.one_in(4)),
        stream_(std::make_unique<Stream>(options_)) {
    journal_.note("a new stream of ", name_of_type(), ", max_len ", options_.max_len,
                  options_.approximate ? " approximate" : "");
  }

  /// So many operations, and then its end.
  void run(std::uint64_t operations) {
    for (std::uint64_t i = 1; i <= operations; ++i) {
      step();
      if (i % 64 == 0) compare_all();
    }
    compare_all();
    if (random_.one_in(2)) run_closed();
    end();
  }

 private:
  // — what to do —

  void step() {
    if (double_.entries.size() > enough_entries) return trim_exactly(random_.below(enough_entries));
    const std::uint64_t choice = random_.below(100);
    if (choice < 24) add();
    else if (choice < 32) add_range();
    else if (choice < 36) move_clock();
    else if (choice < 44) range();
    else if (choice < 50) rev_range();
    else if (choice < 55) read();
    else if (choice < 62) erase();
    else if (choice < 66) trim();
    else if (choice < 69) trim_approximately();
    else if (choice < 70) trim_wrongly();
    else if (choice < 72) look_at_held();
    else if (choice < 76) create_group();
    else step_group();
  }

  void step_group() {
    std::optional<Handle> handle = choose_group();
    if (!handle) return;
    const std::uint64_t choice = random_.below(100);
    if (choice < 35) read_group(*handle);
    else if (choice < 50) history(*handle);
    else if (choice < 70) ack(*handle);
    else if (choice < 80) set_id(*handle);
    else if (choice < 90) pending(*handle);
    else if (choice < 96) group_info(*handle);
    else destroy_group(*handle);
  }

  void run_closed() {
    journal_.note("close");
    stream_->close();
    double_.closed = true;
    for (std::uint64_t i = random_.below(40); i > 0; --i) step();
    compare_all();
  }

  // What was got from a stream outlives it.
  void end() {
    journal_.note("the end of the stream");
    std::optional<Group> group;
    if (!double_.groups.empty()) group = *stream_->group(random_.one_of(names()));
    stream_.reset();
    for (const Held& held : held_) check("entries of a stream that is gone", held.entries, held.wanted);
    if (!group) return;
    same("info of a group whose stream is gone", error_of(group->info()), Errc::closed);
    same("pending of a group whose stream is gone", error_of(group->pending()), Errc::closed);
    same("read of a group whose stream is gone", error_of(group->consumer("x").read()), Errc::closed);
    same("history of a group whose stream is gone", error_of(group->consumer("x").history()), Errc::closed);
    same("set_id of a group whose stream is gone", error_of(group->set_id(brook::earliest)), Errc::closed);
    same("destroy of a group whose stream is gone", error_of(group->destroy()), Errc::closed);
  }

  // — adding —

  void add() {
    const std::uint64_t number = next_value_++;
    light_fuse(4);
    Expected<Id> outcome = brook::unexpected(Errc::corrupt);
    Expected<Id> wanted = outcome;
    T value = unburnt(number);
    bool moved = false;
    try {
      switch (random_.below(wild_ids_ ? 8 : 5)) {
        case 0:
        case 1:
          journal_.note("add at ", clock_.unix_ms());
          wanted = double_.id_at(clock_.unix_ms());
          outcome = stream_->add(std::as_const(value));
          break;
        case 2:
          journal_.note("add by moving at ", clock_.unix_ms());
          wanted = double_.id_at(clock_.unix_ms());
          moved = true;
          outcome = stream_->add(std::move(value));
          break;
        case 3:
          journal_.note("emplace at ", clock_.unix_ms());
          wanted = double_.id_at(clock_.unix_ms());
          outcome = emplace(number);
          break;
        case 4: {
          const brook::AutoSeq in{wild_ids_ ? auto_ms() : Ids::plus(double_.last_id.ms, random_.below(3))};
          journal_.note("add ", in.ms, "-*");
          wanted = double_.id_in(in.ms);
          moved = random_.one_in(2);
          outcome = moved ? stream_->add(in, std::move(value)) : stream_->add(in, std::as_const(value));
          break;
        }
        default: {
          const Id id = ids_.after(double_.last_id);
          journal_.note("add ", id);
          wanted = double_.id_exactly(id);
          moved = random_.one_in(2);
          outcome = moved ? stream_->add(id, std::move(value)) : stream_->add(id, std::as_const(value));
        }
      }
    } catch (const Fragile::Thrown&) { return threw(); }
    Fragile::fuse = 0;
    journal_.result(text(outcome));
    same("add", outcome, wanted);
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      if (!outcome || !moved) same("a value that was not moved away is unchanged", As<T>::is(value, number), true);
    }
    double_.add(wanted, number);
    if (wanted) ids_.remember(*wanted);
    if (wanted) bound();
  }

  Expected<Id> emplace(std::uint64_t number) {
    if constexpr (std::is_same_v<T, std::string>) return stream_->emplace(As<T>::make(number).c_str());
    else return stream_->emplace(number);
  }

  void add_range() {
    const auto size =
        static_cast<std::size_t>(large_batches_ && random_.one_in(3) ? random_.below(10001) : random_.below(40));
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < size; ++i) numbers.push_back(next_value_++);
    journal_.note("add_range of ", size, " at ", clock_.unix_ms());
    light_fuse(size + 1);
    Expected<brook::IdRange> outcome = brook::unexpected(Errc::corrupt);
    try {
      outcome = add_numbers(numbers);
    } catch (const Fragile::Thrown&) { return threw(); }
    Fragile::fuse = 0;
    journal_.result(outcome ? text(std::uint64_t{outcome->size()}) : text(outcome.error()));
    if (numbers.empty() && !double_.closed) {
      same("an empty add_range succeeds", outcome.has_value(), true);
      return same("the ids of an empty add_range", std::uint64_t{outcome->size()}, std::uint64_t{0});
    }
    const Expected<Id> wanted = double_.add_range(clock_.unix_ms(), numbers);
    same("add_range", outcome.map([](const brook::IdRange& ids) { return ids.front(); }), wanted);
    if (!wanted) return;
    check_range(*outcome, numbers.size());
    bound();
  }

  Expected<brook::IdRange> add_numbers(const std::vector<std::uint64_t>& numbers) {
    const auto made = std::views::transform(numbers, [](std::uint64_t number) { return As<T>::make(number); });
    if (random_.one_in(2)) return stream_->add_range(made);
    const std::vector<T> copies = copies_of(numbers);
    return stream_->add_range(copies);
  }

  void check_range(const brook::IdRange& ids, std::size_t size) {
    same("the number of ids of add_range", std::uint64_t{ids.size()}, std::uint64_t{size});
    const Listing added = double_.range(ids.front(), Id::max(), no_limit);
    same("add_range lists all its entries", std::uint64_t{added.size()}, std::uint64_t{size});
    std::size_t i = 0;
    for (const Id id : ids) {
      same("an id of add_range", id, added[i].first);
      same("the same id by its number", ids[i], added[i].first);
      if (random_.one_in(16)) ids_.remember(id);
      ++i;
    }
    same("the last id of add_range", ids.back(), double_.last_id);
  }

  // What the bound on the stream's length removes after an add.
  void bound() {
    if (options_.max_len == brook::unlimited) return;
    const std::uint64_t excess = double_.above(options_.max_len);
    if (!options_.approximate) return double_.remove_oldest(excess);
    const std::uint64_t left = stream_->size();
    const std::uint64_t had = double_.entries.size();
    same("an approximate bound adds nothing", left <= had, true);
    same("an approximate bound removes no more than an exact one", had - std::min(left, had) <= excess, true);
    same("an approximate bound leaves two segments too much at most", left <= options_.max_len + 2 * segment_entries,
         true);
    double_.remove_oldest(had - left);
  }

  void move_clock() {
    switch (random_.below(wild_ids_ ? 6 : 4)) {
      case 0: clock_.advance(std::chrono::microseconds(random_.below(5000))); break;
      case 1: clock_.advance(std::chrono::milliseconds(random_.of_any_size(20))); break;
      case 2: clock_.advance(std::chrono::hours(random_.below(400))); break;
      case 3: set_clock(clock_.unix_ms() - std::min(clock_.unix_ms(), random_.of_any_size(34))); break;
      case 4: set_clock(random_.of_any_size(62)); break;
      default: set_clock(std::min(Ids::plus(double_.last_id.ms, ids_.far()), top >> 2)); break;
    }
    journal_.note("the clock says ", clock_.unix_ms());
  }
  void set_clock(std::uint64_t ms) { clock_.set_unix(std::chrono::milliseconds(static_cast<std::int64_t>(ms))); }

  // — reading —

  void range() {
    const auto [first, last] = bounds();
    const std::size_t count = some_count();
    journal_.note("range ", first, " ", last, " count ", count);
    compare("range", stream_->range(first, last, count), double_.range(first, last, count));
  }

  void rev_range() {
    const auto [first, last] = bounds();
    const std::size_t count = some_count();
    journal_.note("rev_range ", last, " ", first, " count ", count);
    compare("rev_range", stream_->rev_range(last, first, count), double_.rev_range(last, first, count));
  }

  void read() {
    const brook::Position position = some_position();
    const Id after = position.after(double_.last_id);
    const std::size_t count = some_count();
    journal_.note("read after ", after, position.is_latest() ? " (latest)" : "", " count ", count);
    const Expected<brook::Entries<T>> outcome = stream_->read(position, {.count = count});
    const Listing wanted = double_.following(after, count);
    if (wanted.empty() && double_.closed && count > 0)
      return same("read of a closed stream", error_of(outcome), Errc::closed);
    same("read succeeds", outcome.has_value(), true);
    compare("read", *outcome, wanted);
  }

  // What was read stays as it was, whatever happens to the stream.
  void look_at_held() {
    journal_.note("look at ", held_.size(), " earlier reads");
    for (const Held& held : held_) check("an earlier read", held.entries, held.wanted);
    if (!held_.empty()) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(random_.below(held_.size())));
  }

  void compare(const char* what, const brook::Entries<T>& entries, Listing wanted) {
    check(what, entries, wanted);
    if (held_.size() < 8 && random_.one_in(8)) held_.push_back({entries, std::move(wanted)});
  }

  void check(const char* what, const brook::Entries<T>& entries, const Listing& wanted) {
    same(std::string(what) + ": size", std::uint64_t{entries.size()}, std::uint64_t{wanted.size()});
    same(std::string(what) + ": empty", entries.empty(), wanted.empty());
    std::size_t i = 0;
    for (const auto& [id, value] : entries) {
      if (i == wanted.size()) throw Difference(std::string(what) + ": more entries than size() says");
      if (id != wanted[i].first || !As<T>::is(value, wanted[i].second)) wrong(what, i, id, wanted[i].first);
      ++i;
    }
    same(std::string(what) + ": entries", std::uint64_t{i}, std::uint64_t{wanted.size()});
    if (wanted.empty()) return;
    same(std::string(what) + ": front", entries.front().id, wanted.front().first);
    same(std::string(what) + ": back", entries.back().id, wanted.back().first);
    i = static_cast<std::size_t>(random_.below(wanted.size()));
    const auto one = entries[i];
    if (one.id != wanted[i].first || !As<T>::is(one.value, wanted[i].second)) wrong(what, i, one.id, wanted[i].first);
  }

  [[noreturn]] static void wrong(const char* what, std::size_t i, Id id, Id wanted) {
    throw Difference(std::string(what) + ": entry " + std::to_string(i) + " is " + text(id) +
                     (id == wanted ? " with another value" : " instead of " + text(wanted)));
  }

  // — removing —

  void erase() {
    const std::vector<Id> ids = some_ids();
    journal_.note("erase ", listed(ids));
    const std::size_t wanted = double_.erase(ids);
    const std::size_t outcome = ids.size() == 1 ? stream_->erase(ids.front()) : stream_->erase(ids);
    journal_.result(outcome);
    same("erase", std::uint64_t{outcome}, std::uint64_t{wanted});
  }

  void trim() {
    if (random_.one_in(2)) return trim_exactly(some_length());
    const Id min_id = some_min_id();
    journal_.note("trim min_id ", min_id);
    const std::uint64_t wanted = double_.below(min_id);
    double_.remove_oldest(wanted);
    same("trim min_id", stream_->trim({.min_id = min_id}), Expected<std::uint64_t>(wanted));
  }

  void trim_exactly(std::uint64_t max_len) {
    journal_.note("trim max_len ", max_len);
    const std::uint64_t wanted = double_.above(max_len);
    double_.remove_oldest(wanted);
    same("trim max_len", stream_->trim({.max_len = max_len}), Expected<std::uint64_t>(wanted));
  }

  void trim_approximately() {
    brook::TrimOptions options{.approximate = true};
    if (random_.one_in(2)) options.max_len = some_length();
    else options.min_id = some_min_id();
    if (random_.one_in(2)) options.limit = random_.of_any_size(15);
    journal_.note("trim ~ ", options.max_len ? "max_len " + text(*options.max_len) : "min_id " + text(*options.min_id),
                  options.limit ? " limit " + text(*options.limit) : "");
    const std::uint64_t most = options.max_len ? double_.above(*options.max_len) : double_.below(*options.min_id);
    const Expected<std::uint64_t> outcome = stream_->trim(options);
    journal_.result(text(outcome));
    same("an approximate trim succeeds", outcome.has_value(), true);
    same("an approximate trim removes no more than an exact one", *outcome <= most, true);
    same("an approximate trim obeys its limit", *outcome <= (options.limit.value_or(0) > 0 ? *options.limit : most),
         true);
    if (!options.limit) same("what it leaves is in two segments", most - *outcome <= 2 * segment_entries, true);
    double_.remove_oldest(*outcome);
    same("the first id after an approximate trim", stream_->info().first_id, double_.first_id());
  }

  void trim_wrongly() {
    brook::TrimOptions options;
    switch (random_.below(3)) {
      case 0: break;
      case 1:
        options.max_len = 0;
        options.min_id = Id::max();
        break;
      default: options.max_len = 0; options.limit = 1;
    }
    journal_.note("trim with options that contradict each other");
    same("trim", error_of(stream_->trim(options)), Errc::invalid_argument);
  }

  // — groups —

  /// A group's handle, with the double's group; null when the group was destroyed.
  struct Handle {
    Group group;
    GroupDouble* wanted;
  };

  void create_group() {
    const std::string name = some_name();
    const brook::Position position = some_position();
    const Id start = position.after(double_.last_id);
    journal_.note("create_group ", name, " ", start);
    const Expected<Group> outcome = stream_->create_group(name, position);
    if (double_.closed) return same("create_group", error_of(outcome), Errc::closed);
    if (double_.groups.contains(name)) return same("create_group", error_of(outcome), Errc::group_exists);
    same("create_group succeeds", outcome.has_value(), true);
    same("its name", outcome->name(), name);
    double_.groups.emplace(name, GroupDouble{start});
  }

  // Now and then one that was destroyed.
  std::optional<Handle> choose_group() {
    if (!destroyed_.empty() && random_.one_in(12)) return Handle{random_.one_of(destroyed_), nullptr};
    const std::string name = some_name();
    const Expected<Group> outcome = stream_->group(name);
    const auto wanted = double_.groups.find(name);
    same("there is a group " + name, outcome.has_value(), wanted != double_.groups.end());
    if (outcome) return Handle{*outcome, &wanted->second};
    same("no group", outcome.error(), Errc::no_such_group);
    return std::nullopt;
  }

  void read_group(Handle& on) {
    const std::string who = some_consumer(on);
    const brook::ReadOptions options{.count = some_count(), .no_ack = random_.one_in(4)};
    journal_.note("read of group ", on.group.name(), " consumer ", who, " count ", options.count,
                  options.no_ack ? " no_ack" : "");
    const Expected<brook::Deliveries<T>> outcome = on.group.consumer(who).read(options);
    if (on.wanted == nullptr) return same("read", error_of(outcome), Errc::no_such_group);
    const Listing wanted = double_.deliver(*on.wanted, who, options.count, options.no_ack);
    if (wanted.empty() && double_.closed && options.count > 0)
      return same("read of a closed stream's group", error_of(outcome), Errc::closed);
    same("read of a group succeeds", outcome.has_value(), true);
    check("read of a group", outcome->entries(), wanted);
    check_deliveries(*outcome, wanted, nullptr);
    ack_some(*on.wanted, *outcome, options.no_ack);
  }

  void history(Handle& on) {
    const std::string who = some_consumer(on);
    const Id after = random_.one_in(2) ? Id::min() : ids_.any();
    const std::size_t count = some_count();
    journal_.note("history of group ", on.group.name(), " consumer ", who, " after ", after, " count ", count);
    const Expected<brook::Deliveries<T>> outcome = on.group.consumer(who).history(after, count);
    if (on.wanted == nullptr) return same("history", error_of(outcome), Errc::no_such_group);
    const Listing counts = double_.history(*on.wanted, who, after, count);
    Listing wanted;
    for (const auto& [id, times] : counts) wanted.emplace_back(id, double_.entries.at(id));
    same("history succeeds", outcome.has_value(), true);
    check("history", outcome->entries(), wanted);
    check_deliveries(*outcome, wanted, &counts);
    ack_some(*on.wanted, *outcome);
  }

  // `counts`: how often each was delivered; once, where it is null.
  void check_deliveries(const brook::Deliveries<T>& batch, const Listing& wanted, const Listing* counts) {
    same("deliveries", std::uint64_t{batch.size()}, std::uint64_t{wanted.size()});
    std::size_t i = 0;
    for (const auto& delivery : batch) {
      same("a delivery's id", delivery.id(), wanted.at(i).first);
      same("a delivery's value", As<T>::is(*delivery, wanted[i].second), true);
      same("a delivery's count", delivery.count(), counts == nullptr ? 1 : (*counts)[i].second);
      ++i;
    }
    same("deliveries met", std::uint64_t{i}, std::uint64_t{wanted.size()});
    if (wanted.empty()) return;
    same("the first delivery", batch.front().id(), wanted.front().first);
    same("the last delivery", batch.back().id(), wanted.back().first);
  }

  // What was delivered with no_ack is not pending with whom it was delivered to, and acknowledging it does nothing.
  void ack_some(GroupDouble& group, const brook::Deliveries<T>& batch, bool no_ack = false) {
    if (random_.one_in(3)) {
      std::vector<Id> ids;
      for (const auto& delivery : batch) ids.push_back(delivery.id());
      journal_.note("ack of the batch");
      const std::size_t wanted = no_ack ? 0 : group.ack(ids);
      same("ack of a batch", std::uint64_t{batch.ack()}, std::uint64_t{wanted});
    } else if (!batch.empty() && random_.one_in(2)) {
      const auto delivery = batch[static_cast<std::size_t>(random_.below(batch.size()))];
      journal_.note("ack of the delivery ", delivery.id());
      const bool wanted = !no_ack && group.ack({delivery.id()}) == 1;
      same("ack of a delivery", delivery.ack(), wanted);
      same("ack of a delivery again", delivery.ack(), false);
    }
  }

  void ack(Handle& on) {
    std::vector<Id> ids = some_ids();
    if (on.wanted != nullptr && !on.wanted->pending.empty()) {
      auto at = on.wanted->pending.lower_bound(ids_.any());
      for (std::uint64_t n = random_.below(8); n > 0 && at != on.wanted->pending.end(); --n)
        ids.push_back((at++)->first);
    }
    journal_.note("ack in group ", on.group.name(), " ", listed(ids));
    const std::size_t wanted = on.wanted != nullptr ? on.wanted->ack(ids) : 0;
    same("ack", std::uint64_t{on.group.ack(ids)}, std::uint64_t{wanted});
  }

  void set_id(Handle& on) {
    const brook::Position position = some_position();
    const Id to = position.after(double_.last_id);
    journal_.note("set_id of group ", on.group.name(), " ", to);
    const Expected<void> outcome = on.group.set_id(position);
    if (on.wanted == nullptr) return same("set_id", error_of(outcome), Errc::no_such_group);
    same("set_id succeeds", outcome.has_value(), true);
    on.wanted->last_delivered = to;
  }

  void pending(Handle& on) {
    journal_.note("pending of group ", on.group.name());
    const Expected<brook::PendingSummary> outcome = on.group.pending();
    if (on.wanted == nullptr) return same("pending", error_of(outcome), Errc::no_such_group);
    same("pending succeeds", outcome.has_value(), true);
    const auto& all = on.wanted->pending;
    same("pending: count", outcome->count, std::uint64_t{all.size()});
    same("pending: first", outcome->first, all.empty() ? Id::min() : all.begin()->first);
    same("pending: last", outcome->last, all.empty() ? Id::min() : all.rbegin()->first);
    std::string listing, wanted;
    for (const auto& one : outcome->consumers) listing += one.name + ":" + text(one.count) + " ";
    for (const auto& [name, count] : on.wanted->pending_by_consumer()) wanted += name + ":" + text(count) + " ";
    same("pending: consumers", listing, wanted);
  }

  void group_info(Handle& on) {
    journal_.note("info of group ", on.group.name());
    const Expected<brook::GroupInfo> outcome = on.group.info();
    if (on.wanted == nullptr) return same("info", error_of(outcome), Errc::no_such_group);
    same("info succeeds", outcome.has_value(), true);
    same("info: name", outcome->name, on.group.name());
    same("info: consumers", std::uint64_t{outcome->consumers}, std::uint64_t{on.wanted->consumers.size()});
    same("info: pending", outcome->pending, std::uint64_t{on.wanted->pending.size()});
    same("info: last_delivered_id", outcome->last_delivered_id, on.wanted->last_delivered);
    same("info: lag", outcome->lag, std::uint64_t{double_.following(on.wanted->last_delivered, no_limit).size()});
    const std::vector<std::string> consumers(on.wanted->consumers.begin(), on.wanted->consumers.end());
    same("consumers", on.group.consumers() == consumers, true);
  }

  void destroy_group(Handle& on) {
    journal_.note("destroy group ", on.group.name());
    const Expected<std::size_t> outcome = on.group.destroy();
    if (on.wanted == nullptr) return same("destroy", error_of(outcome), Errc::no_such_group);
    same("destroy succeeds", outcome.has_value(), true);
    same("destroy", std::uint64_t{*outcome}, std::uint64_t{on.wanted->pending.size()});
    double_.groups.erase(on.group.name());
    if (destroyed_.size() < 4) destroyed_.push_back(on.group);
  }

  // — all there is —

  void compare_all() {
    const brook::StreamInfo info = stream_->info();
    same("info: length", info.length, std::uint64_t{double_.entries.size()});
    same("info: entries_added", info.entries_added, double_.entries_added);
    same("info: first_id", info.first_id, double_.first_id());
    same("info: last_id", info.last_id, double_.last_id);
    same("info: max_deleted_id", info.max_deleted_id, double_.max_deleted);
    same("info: groups", std::uint64_t{info.groups}, std::uint64_t{double_.groups.size()});
    same("info: closed", info.closed, double_.closed);
    same("closed", stream_->closed(), double_.closed);
    same("size", stream_->size(), std::uint64_t{double_.entries.size()});
    same("empty", stream_->empty(), double_.entries.empty());
    same("last_id", stream_->last_id(), double_.last_id);
    check("all entries", stream_->range(), double_.range(Id::min(), Id::max(), no_limit));
    check("all entries backwards", stream_->rev_range(), double_.rev_range(Id::max(), Id::min(), no_limit));
    same("groups", stream_->groups() == names(), true);
    for (auto& [name, wanted] : double_.groups) {
      Handle handle{*stream_->group(name), &wanted};
      pending(handle);
      group_info(handle);
    }
  }

  // — chance —

  brook::StreamOptions choose_options() {
    brook::StreamOptions options{.clock = &clock_};
    if (!random_.one_in(3)) return options;
    options.max_len = random_.of_any_size(13);
    options.approximate = random_.one_in(2);
    return options;
  }

  // The value is made again, by copying, for a T whose moves may throw.
  T unburnt(std::uint64_t number) {
    const std::uint64_t fuse = std::exchange(Fragile::fuse, 0);
    T value = As<T>::make(number);
    Fragile::fuse = fuse;
    return value;
  }
  std::vector<T> copies_of(const std::vector<std::uint64_t>& numbers) {
    const std::uint64_t fuse = std::exchange(Fragile::fuse, 0);
    std::vector<T> copies;
    copies.reserve(numbers.size());
    for (const std::uint64_t number : numbers) copies.push_back(As<T>::make(number));
    Fragile::fuse = fuse;
    return copies;
  }
  void light_fuse(std::uint64_t longest) {
    if (std::is_same_v<T, Fragile> && random_.one_in(4)) Fragile::fuse = random_.between(1, longest);
  }
  void threw() {
    Fragile::fuse = 0;
    journal_.result("thrown");
    same("size after an exception", stream_->size(), std::uint64_t{double_.entries.size()});
    same("last_id after an exception", stream_->last_id(), double_.last_id);
    same("entries_added after an exception", stream_->info().entries_added, double_.entries_added);
  }

  std::uint64_t auto_ms() {
    switch (random_.below(4)) {
      case 0: return Ids::plus(double_.last_id.ms, ids_.far());
      case 1: return double_.last_id.ms - std::min(double_.last_id.ms, random_.below(3));
      default: return double_.last_id.ms;
    }
  }
  std::pair<Id, Id> bounds() {
    if (random_.one_in(4)) return {Id::min(), Id::max()};
    const Id a = random_.one_in(4) ? Id::min() : ids_.any();
    const Id b = random_.one_in(4) ? Id::max() : ids_.any();
    return a <= b || random_.one_in(8) ? std::pair(a, b) : std::pair(b, a);
  }
  std::size_t some_count() {
    switch (random_.below(6)) {
      case 0: return 0;
      case 1: return 1;
      case 2: return static_cast<std::size_t>(random_.of_any_size());
      case 3: return static_cast<std::size_t>(random_.below(20));
      default: return no_limit;
    }
  }
  std::uint64_t some_length() {
    const std::uint64_t length = double_.entries.size();
    if (random_.one_in(8)) return random_.of_any_size(14);
    return length - std::min(length, random_.one_in(4) ? random_.of_any_size(14) : random_.below(30));
  }
  // Most often one that removes few.
  Id some_min_id() {
    if (random_.one_in(6) || double_.entries.empty()) return ids_.any();
    const auto few = static_cast<std::size_t>(random_.below(std::min<std::uint64_t>(double_.entries.size(), 500)));
    return std::next(double_.entries.begin(), static_cast<std::ptrdiff_t>(few))->first;
  }
  std::vector<Id> some_ids() {
    std::vector<Id> ids;
    for (std::uint64_t n = random_.below(random_.one_in(10) ? 400 : 5); n > 0; --n)
      ids.push_back(!ids.empty() && random_.one_in(5) ? Id(random_.one_of(ids)) : ids_.any());
    return ids;
  }
  brook::Position some_position() {
    switch (random_.below(4)) {
      case 0: return brook::earliest;
      case 1: return brook::latest;
      default: return ids_.any();
    }
  }
  std::string some_name() { return random_.one_of({"billing", "shipping", "stock"}); }
  std::string some_consumer(Handle& on) {
    std::string name = random_.one_of({"ann", "bob", "Cleo", ""});
    if (on.wanted != nullptr) on.wanted->consumers.insert(name);
    return name;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& group : double_.groups) names.push_back(group.first);
    return names;
  }

  static std::string listed(const std::vector<Id>& ids) {
    std::string list = std::to_string(ids.size()) + " ids";
    for (std::size_t i = 0; i < std::min<std::size_t>(ids.size(), 12); ++i)
      list += (i == 0 ? ": " : " ") + text(ids[i]);
    return ids.size() > 12 ? list + " …" : list;
  }
  template <class R>
  static Errc error_of(const Expected<R>& outcome) {
    if (outcome) throw Difference("a success where an error was due");
    return outcome.error();
  }
  static const char* name_of_type() {
    if constexpr (std::is_same_v<T, std::string>) return "std::string";
    else if constexpr (std::is_same_v<T, Fragile>) return "a type whose moves throw";
    else return "std::uint64_t";
  }

  struct Held {
    brook::Entries<T> entries;
    Listing wanted;
  };

  Random& random_;
  Journal& journal_;
  Ids ids_;
  brook::ManualClock clock_;
  const brook::StreamOptions options_;
  const bool wild_ids_;
  const bool large_batches_;
  std::unique_ptr<Stream> stream_;
  StreamDouble double_;
  std::vector<Held> held_;
  std::vector<Group> destroyed_;
  std::uint64_t next_value_ = 1;
};

void fuzz_streams(const Arguments& how, Random& random, Journal& journal) {
  for (std::uint64_t left = how.operations; left > 0;) {
    const std::uint64_t operations = std::min<std::uint64_t>(left, random.between(1, 600));
    switch (random.below(3)) {
      case 0: Life<std::string>(random, journal).run(operations); break;
      case 1: Life<std::uint64_t>(random, journal).run(operations); break;
      default: Life<Fragile>(random, journal).run(operations);
    }
    left -= operations;
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 20000});
  Random random(how.seed);
  Journal journal;
  try {
    fuzz_streams(how, random, journal);
  } catch (const std::exception& problem) { return report("stream_against_map", how, journal, problem); }
  std::printf("stream_against_map: seed %llu, %llu operations, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  return 0;
}
