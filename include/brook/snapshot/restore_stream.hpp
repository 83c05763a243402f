// restore_stream.hpp — a stream in a snapshot, as it is read and made anew. Nobody knows of it before it is whole.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/text.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/rebuild.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/redelivery.hpp>
#include <brook/snapshot/group.hpp>
#include <brook/snapshot/order.hpp>
#include <brook/snapshot/policies.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/values.hpp>
#include <brook/stream.hpp>
#include <brook/stream/restore.hpp>

namespace brook::snapshot {

/// The name under which Policies are asked about a group, of a stream with this name, that was saved under that one; nothing for
/// a group that is to be left out.
using NamedAtLast = std::function<std::optional<std::string>(const std::string&, const std::string&)>;

/// How an object is restored.
struct RestoreManner {
  std::chrono::nanoseconds elapsed{0};  // since it was saved
  bool reopen = false;                  // what was closed is open again
  Probe* probe = nullptr;               // watches it
  NamedAtLast named_at_last{};          // when its records rename it, or destroy groups, after all
};

/// Reads what write_stream_options() has written.
inline void read_stream_options(Reader& from, StreamOptions& options) {
  options.max_len = from.size();
  options.approximate = from.flag();
  options.capacity = from.size();
  const auto overflow = from.number<std::uint8_t>();
  if (overflow > static_cast<std::uint8_t>(Overflow::disconnect)) from.fail("there is no such overflow");
  options.overflow = static_cast<Overflow>(overflow);
  options.max_age = std::chrono::milliseconds(from.signed_size());
  options.until_acked = from.flag();
  options.spin = std::chrono::microseconds(from.signed_size());
  options.idempotency.duration = std::chrono::milliseconds(from.signed_size());
  options.idempotency.keys = static_cast<std::size_t>(std::min<std::uint64_t>(from.size(), no_limit));
}

/// The stream of this name in the snapshot, as where dead letters go, wrapped or not; nothing when there is no such one.
template <class T>
using FindLetters = std::function<DeadLetterTo<T>(const std::string&, bool)>;

template <class T>
class RestoringStream {
 public:
  using State = stream::State<T>;

  /// Reads its sections. False when that failed.
  [[nodiscard]] bool read(Reader& from, Clock* clock, const RestoreManner& manner = {}) {
    options_.clock = clock;
    options_.probe = manner.probe;
    named_at_last_ = manner.named_at_last;
    read_options(from);
    closed_ = closed_ && !manner.reopen;
    for (std::uint64_t i = 0; i < group_count_ && !from.failed(); ++i) {
      if (from.next() != group_section) from.fail("a group is missing");
      groups_.push_back(read_group(from));
      groups_.back().grow_older(manner.elapsed);
      check(groups_.back(), from);
    }
    std::vector<std::pair<stream::Record, std::chrono::nanoseconds>> ages;
    read_keys(from, ages);
    log::Rebuild<log::PayloadOf<T>> entries(length_ <= added_ ? added_ - length_ : 0);
    read_entries(from, entries);
    if (from.failed()) return false;
    entries.end(last_id_);
    state_ = stream::make_state<T>(options_, entries, added_, max_deleted_);
    const Clock::time_point now = state_->clock().now();
    for (const auto& [record, age] : ages) stream::add_key(*state_, record, now - age - manner.elapsed);
    if (duplicates_ > 0) state_->make_keyed().producers.count_duplicates(duplicates_);
    return true;
  }

  /// Makes the groups, and opens the stream to everybody. `name` is the stream's.
  [[nodiscard]] Result finish(const std::string& name, const Policies& policies, const FindLetters<T>& find_letters) {
    for (const GroupRecord& record : groups_) {
      const std::optional<std::string> asked = named_at_last_ ? named_at_last_(name, record.name) : name;
      if (!asked) continue;
      GroupOptions<T> options;
      if (auto failed = choose_options(record, *asked, policies, find_letters, options); !failed) return failed;
      if (auto failed = make_group(record, name, options); !failed) return failed;
    }
    groups_.clear();
    stream::finish_restoring(*state_, closed_);
    return {};
  }

  /// After finish().
  [[nodiscard]] const std::shared_ptr<State>& state() const noexcept { return state_; }

  /// What options a group gets that was saved. Errors: invalid_argument.
  [[nodiscard]] static Result choose_options(const GroupRecord& record, const std::string& name,
                                             const Policies& policies, const FindLetters<T>& find_letters,
                                             GroupOptions<T>& options);

 private:
  using Image = group::Image<T>;

  void read_options(Reader& from) {
    if (from.next() != stream_section) from.fail("the stream is missing");
    read_stream_options(from, options_);
    added_ = from.size();
    length_ = from.size();
    last_id_ = from.id();
    max_deleted_ = from.id();
    closed_ = from.flag();
    duplicates_ = from.size();
    group_count_ = from.size();
    if (length_ > added_ || max_deleted_ > last_id_) from.fail("the counters contradict each other");
    from.end();
  }

  void check(const GroupRecord& group, Reader& from) const {
    if (!group.pending.empty() && group.pending.back().id > last_id_)
      from.fail("an entry is pending that was never added");
    if (!group.ordered && !group.order.empty()) from.fail("entries are in order in a group that has none");
  }

  void read_keys(Reader& from, std::vector<std::pair<stream::Record, std::chrono::nanoseconds>>& keys) {
    if (from.next() != keys_section) from.fail("the keys are missing");
    const std::uint64_t count = from.size();
    for (std::uint64_t i = 0; i < count && !from.failed(); ++i) {
      stream::Record record{.producer = from.text(), .key = from.text(), .id = from.id(), .added = {}};
      const std::chrono::nanoseconds age = from.time();
      if (record.producer.empty() || record.key.empty()) from.fail("a key is empty");
      keys.emplace_back(std::move(record), age);
    }
    from.end();
  }

  void read_entries(Reader& from, log::Rebuild<log::PayloadOf<T>>& entries) {
    if (from.next() != entries_section) from.fail("the entries are missing");
    at_.assign(groups_.size(), 0);
    find_next_pending();
    IdsIn ids;
    while (!from.at_end()) {
      const std::uint64_t count = from.size();
      Id id = ids.read(from);
      if (count == 0 || count > length_ - entries.entries()) from.fail("there are not just so many entries");
      ids.pass(from, count - 1);
      for (std::uint64_t left = count; left > 0 && !from.failed();) {
        if (id >= next_pending_ && passes_gone(id)) entries.split();
        const std::size_t some = up_to_pending(id, left);
        read_some(from, id, some, entries);
        id.seq += some;
        left -= some;
      }
    }
    if (from.failed()) return;
    if (entries.entries() != length_) from.fail("entries are missing");
    if (entries.last() > last_id_) from.fail("the last id is too small");
  }

  // How many of the next entries, whose ids count up from this one, are read at once: none that is pending but the first.
  [[nodiscard]] std::size_t up_to_pending(Id id, std::uint64_t left) const noexcept {
    const std::uint64_t some = std::min<std::uint64_t>(left, values_at_once<T>);
    if (next_pending_.ms > id.ms) return static_cast<std::size_t>(some);
    return static_cast<std::size_t>(std::min(some, std::max<std::uint64_t>(next_pending_.seq - id.seq, 1)));
  }
  static void read_some(Reader& from, Id id, std::size_t count, log::Rebuild<log::PayloadOf<T>>& entries) {
    if constexpr (AsInMemory<T>) {
      const std::span<const std::byte> values = from.bytes(count * sizeof(T));
      if (!from.failed())
        entries.add(id, count, [&](std::size_t i) noexcept { return in_memory<T>(values.data() + i * sizeof(T)); });
    } else {
      auto value = read_value<T>(from);
      if (value) entries.add(id, log::make_payload<T>(*std::move(value)));
    }
  }

  // Whether an entry is pending somewhere that has an id between the last one and this one.
  [[nodiscard]] bool passes_gone(Id id) {
    bool gone = false;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const auto& pending = groups_[i].pending;
      for (; at_[i] < pending.size() && pending[at_[i]].id < id; ++at_[i]) gone = true;
      if (at_[i] < pending.size() && pending[at_[i]].id == id) ++at_[i];
    }
    find_next_pending();
    return gone;
  }
  void find_next_pending() {
    next_pending_ = Id::max();
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (at_[i] < groups_[i].pending.size()) next_pending_ = std::min(next_pending_, groups_[i].pending[at_[i]].id);
    }
  }

  [[nodiscard]] static unexpected<SnapshotError> refused(Errc why, const GroupRecord& record, const std::string& stream,
                                                         const char* text) {
    return unexpected(SnapshotError(why, core::text({"group '", record.name, "' of '", stream, "' ", text})));
  }

  [[nodiscard]] Result make_group(const GroupRecord& record, const std::string& name, const GroupOptions<T>& options) {
    const auto group = Image::make(state_, record.name, record.progress, options);
    for (const group::MemberImage& member : record.members) {
      if (!Image::add_member(*group, member, state_->clock()))
        return refused(Errc::corrupt, record, name, "has a consumer twice, or too many");
    }
    stream::PlacePending<T>(*state_, *group).place(record.pending);
    switch (RestoreOrder<T>(*state_, *group).restore(record.order)) {
      case OrderFault::none: break;
      case OrderFault::other_keys:
        return refused(Errc::invalid_argument, record, name, "was ordered by another key than that in Policies");
      case OrderFault::contradicts: return refused(Errc::corrupt, record, name, "has an order that cannot be");
    }
    if (!state_->groups.emplace(record.name, group).second)
      return refused(Errc::corrupt, record, name, "is there twice");
    return {};
  }

  StreamOptions options_{};
  NamedAtLast named_at_last_;
  std::uint64_t added_ = 0;
  std::uint64_t length_ = 0;
  Id last_id_{};
  Id max_deleted_{};
  bool closed_ = false;
  std::uint64_t duplicates_ = 0;
  std::uint64_t group_count_ = 0;
  std::vector<GroupRecord> groups_;
  std::vector<std::size_t> at_;  // in each group, the first pending entry that was not come to
  Id next_pending_{};
  std::shared_ptr<State> state_;
};

template <class T>
Result RestoringStream<T>::choose_options(const GroupRecord& record, const std::string& name, const Policies& policies,
                                          const FindLetters<T>& find_letters, GroupOptions<T>& options) {
  if (const GroupOptions<T>* const told = policies.find<T>(name, record.name)) {
    options = *told;
  } else {
    options.max_deliveries = record.max_deliveries;
    options.retry_delay = record.retry_delay;
    options.visibility = record.visibility;
    options.max_in_flight = static_cast<std::size_t>(std::min<std::uint64_t>(record.max_in_flight, no_limit));
    options.max_in_flight_of_consumer =
        static_cast<std::size_t>(std::min<std::uint64_t>(record.max_in_flight_of_consumer, no_limit));
    if (record.letters != Letters::none) {
      options.dead_letter = find_letters(record.letters_to, record.letters == Letters::wrapped);
      if (!options.dead_letter)
        return refused(Errc::invalid_argument, record, name, "has dead letters: say in Policies where they go");
    }
  }
  if (record.ordered && !options.ordered_by)
    return refused(Errc::invalid_argument, record, name, "is ordered by a key: say in Policies by which");
  if (!record.ordered && options.ordered_by)
    return refused(Errc::invalid_argument, record, name, "was not ordered by a key");
  return {};
}

}  // namespace brook::snapshot
