// group.hpp — a consumer group in a snapshot: what it is (group/image.hpp), as bytes and back.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <brook/group/image.hpp>
#include <brook/id.hpp>
#include <brook/redelivery.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/reader.hpp>

namespace brook::snapshot {

/// Where the dead letters of a group go.
enum class Letters : std::uint8_t { none, plain, wrapped };

/// What a snapshot says of a group.
struct GroupRecord {
  std::string name{};
  group::ProgressImage progress{};
  bool ordered = false;
  Letters letters = Letters::none;
  std::string letters_to{};  // the stream's name, if it is in the snapshot
  std::vector<group::MemberImage> members{};
  std::vector<group::PendingImage> pending{};
  std::vector<group::OrderedImage> order{};
  // Of its options:
  std::uint64_t max_deliveries = 0;
  RetryDelay retry_delay{};
  std::chrono::milliseconds visibility{0};
  std::uint64_t max_in_flight = 0;
  std::uint64_t max_in_flight_of_consumer = 0;

  /// As if it had been saved so long ago, which is no negative time.
  void grow_older(std::chrono::nanoseconds time) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const auto older = [](std::int64_t age, std::int64_t by) { return age > most - by ? most : age + by; };
    for (group::MemberImage& member : members) {
      member.seen = std::chrono::nanoseconds(older(member.seen.count(), time.count()));
      if (member.active) member.active = std::chrono::nanoseconds(older(member.active->count(), time.count()));
    }
    for (group::PendingImage& entry : pending)
      entry.age = older(entry.age, std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  }
};

/// Ids by increasing order, each as its distance from the one before.
class IdsOut {
 public:
  void write(Encoder& to, Id id) {
    to.size(id.ms - before_.ms);
    to.size(id.ms == before_.ms ? id.seq - before_.seq : id.seq);
    before_ = id;
  }
  /// The next one is told by its distance from this one.
  void pass(Id id) noexcept { before_ = id; }

 private:
  Id before_{};
};
class IdsIn {
 public:
  /// Fails for one that is not above the one before.
  [[nodiscard]] Id read(Reader& from) {
    const std::uint64_t ms = from.size();
    const std::uint64_t seq = from.size();
    const Id id{before_.ms + ms, ms == 0 ? before_.seq + seq : seq};
    if (!from.failed() && id <= before_) from.fail("ids do not increase");
    before_ = id;
    return id;
  }
  /// The same that follow the one that was read. Fails when there are not so many ids.
  void pass(Reader& from, std::uint64_t count) {
    if (from.failed() || count == 0) return;
    if (before_.seq + count < before_.seq) return from.fail("there are not so many ids");
    before_.seq += count;
  }

 private:
  Id before_{};
};

template <class T>
void write_members(Encoder& to, group::Image<T>& group) {
  to.size(group.members());
  group.each_member([&](const group::MemberImage& member) {
    to.text(member.name);
    to.signed_size(member.seen.count());
    to.value(member.active.has_value());
    if (member.active) to.signed_size(member.active->count());
  });
  IdsOut ids;
  group.each_pending([&](const group::PendingImage& entry) {
    to.size(std::uint64_t{entry.consumer} + 1);
    ids.write(to, entry.id);
    to.size(entry.deliveries);
    to.signed_size(entry.age);
  });
  to.size(0);
  std::vector<group::OrderedImage> order;
  group.each_ordered([&](const group::OrderedImage& entry) { order.push_back(entry); });
  std::ranges::sort(order, {}, [](const auto& entry) { return std::pair(entry.stand, entry.id); });
  for (const group::OrderedImage& entry : order) {
    to.size(static_cast<std::uint64_t>(entry.stand) + 1);
    to.value(entry.id);
    to.number(entry.key);
  }
  to.size(0);
}

inline void write_progress(Encoder& to, const group::ProgressImage& progress) {
  to.value(progress.last_delivered);
  to.size(progress.start);
  to.size(progress.delivered);
  to.size(progress.lost);
  to.value(progress.ahead);
}

/// All but where dead letters go.
template <class T>
void write_policies(Encoder& to, const GroupOptions<T>& options) {
  to.size(options.max_deliveries);
  to.signed_size(options.retry_delay.first.count());
  to.value(options.retry_delay.factor);
  to.signed_size(options.retry_delay.most.count());
  to.value(options.retry_delay.jitter);
  to.size(options.retry_delay.seed);
  to.signed_size(options.visibility.count());
  to.size(options.max_in_flight);
  to.size(options.max_in_flight_of_consumer);
  to.value(static_cast<bool>(options.ordered_by));
  const auto& letters = options.dead_letter;
  to.value(!letters ? Letters::none : letters.wraps() ? Letters::wrapped : Letters::plain);
}

/// Writes a group that stands still. `name_of(stream)` is the name of a dead-letter stream, empty when it has none.
template <class T, class NameOf>
void write_group(Encoder& to, group::Image<T>& group, NameOf&& name_of) {
  to.text(group.name());
  write_progress(to, group.progress());
  write_policies(to, group.options());
  const auto& letters = group.options().dead_letter;
  to.text(letters ? name_of(letters.stream()) : std::string());
  write_members(to, group);
}

[[nodiscard]] inline group::ProgressImage read_progress(Reader& from) {
  group::ProgressImage progress{.last_delivered = from.id()};
  progress.start = from.size();
  progress.delivered = from.size();
  progress.lost = from.size();
  progress.ahead = from.flag();
  return progress;
}

inline void read_policies(Reader& from, GroupRecord& group) {
  const auto real = [&from] { return std::bit_cast<double>(from.number<std::uint64_t>()); };
  group.max_deliveries = from.size();
  group.retry_delay.first = std::chrono::milliseconds(from.signed_size());
  group.retry_delay.factor = real();
  group.retry_delay.most = std::chrono::milliseconds(from.signed_size());
  group.retry_delay.jitter = real();
  group.retry_delay.seed = from.size();
  group.visibility = std::chrono::milliseconds(from.signed_size());
  group.max_in_flight = from.size();
  group.max_in_flight_of_consumer = from.size();
  group.ordered = from.flag();
  const auto letters = from.number<std::uint8_t>();
  if (letters > static_cast<std::uint8_t>(Letters::wrapped)) from.fail("there are no such dead letters");
  group.letters = static_cast<Letters>(letters);
  group.letters_to = from.text();
}

inline void read_members(Reader& from, GroupRecord& group) {
  const std::uint64_t members = from.size();
  for (std::uint64_t i = 0; i < members && !from.failed(); ++i) {
    group::MemberImage member{.name = from.text()};
    member.seen = from.time();
    if (from.flag()) member.active = from.time();
    group.members.push_back(std::move(member));
  }
  IdsIn ids;
  for (std::uint64_t with = from.size(); with > 0 && !from.failed(); with = from.size()) {
    if (with - 1 > group.members.size()) return from.fail("an entry is pending with a consumer that there is not");
    group::PendingImage entry{.id = ids.read(from), .consumer = static_cast<std::uint32_t>(with - 1)};
    entry.deliveries = from.size();
    entry.age = from.signed_size();
    group.pending.push_back(entry);
  }
  for (std::uint64_t stand = from.size(); stand > 0 && !from.failed(); stand = from.size()) {
    if (stand > 3) return from.fail("an entry stands where there is nothing");
    const Id id = from.id();
    group.order.push_back({id, from.number<std::uint64_t>(), static_cast<group::KeyOrder::Stand>(stand - 1)});
  }
}

/// Reads what write_group() has written. The section must end there.
[[nodiscard]] inline GroupRecord read_group(Reader& from) {
  GroupRecord group{.name = from.text()};
  group.progress = read_progress(from);
  read_policies(from, group);
  read_members(from, group);
  from.end();
  return group;
}

}  // namespace brook::snapshot
