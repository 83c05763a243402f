// export_stream.hpp — a stream as the commands that make it in a Redis that has nothing of its name: entries, counters, groups,
// consumers, what is pending.
//
// Entries that are pending and have left the stream: XCLAIM makes an entry pending only if it is there. So it is added, with
// nothing in it, in its place among the others, and removed again when all is pending. Those before the first entry go by a trim,
// which does not count as erasing; the others must have been erased, and XSETID says afterwards what the largest erased id was.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/group/image.hpp>
#include <brook/group/key_order.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/redis/exporting.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/write.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/stream.hpp>
#include <brook/stream/cut.hpp>

namespace brook::redis {

/// A group as it is told.
struct GroupExport {
  std::string name{};
  Id last_delivered{};
  std::vector<std::string> consumers{};
  std::vector<group::PendingImage> pending{};
  std::uint64_t delivered = 0;  // entries up to last_delivered, of those that are there
};

/// The commands about groups.
class GroupsOut {
 public:
  GroupsOut(Writer& to, const ExportHead& head, std::uint64_t unix_ms) noexcept
      : to_(to), head_(head), unix_ms_(static_cast<std::int64_t>(unix_ms)) {}

  [[nodiscard]] snapshot::Result write(const GroupExport& group, std::uint64_t entries_read) {
    if (auto failed =
            to_.command("XGROUP", "CREATE", head_.name, group.name, group.last_delivered, "ENTRIESREAD", entries_read);
        !failed)
      return failed;
    for (const std::string& consumer : group.consumers) {
      if (auto failed = to_.command("XGROUP", "CREATECONSUMER", head_.name, group.name, consumer); !failed)
        return failed;
    }
    for (std::span<const group::PendingImage> left = group.pending; !left.empty();) {
      const std::size_t alike = how_many_alike(left);
      if (auto failed = claim(group, left.first(alike)); !failed) return failed;
      left = left.subspan(alike);
    }
    return {};
  }

 private:
  [[nodiscard]] static std::size_t how_many_alike(std::span<const group::PendingImage> pending) noexcept {
    constexpr std::size_t most = 64;
    const auto other = [&](const group::PendingImage& entry) {
      const auto& first = pending.front();
      return entry.consumer != first.consumer || entry.deliveries != first.deliveries || entry.age != first.age;
    };
    const auto some = pending.first(std::min(pending.size(), most));
    return static_cast<std::size_t>(std::ranges::find_if(some, other) - some.begin());
  }
  [[nodiscard]] snapshot::Result claim(const GroupExport& group, std::span<const group::PendingImage> alike) {
    const group::PendingImage& first = alike.front();
    const std::string& consumer =
        first.consumer == group::PendingImage::nobody ? head_.options.returned_to : group.consumers[first.consumer - 1];
    const std::int64_t since = std::max<std::int64_t>(unix_ms_ - first.age, 0);
    to_.begin(alike.size() + 11).word("XCLAIM").word(head_.name).word(group.name).word(consumer).word("0");
    for (const group::PendingImage& entry : alike) to_.word(entry.id);
    to_.word("TIME").word(since).word("RETRYCOUNT").word(first.deliveries).word("JUSTID").word("FORCE");
    return to_.end();
  }

  Writer& to_;
  const ExportHead& head_;
  const std::int64_t unix_ms_;
};

template <class T>
class ExportingStream final : public Exporting {
 public:
  ExportingStream(std::shared_ptr<stream::State<T>> stream, ExportHead its_head)
      : Exporting(std::move(its_head)), stream_(stream), cut_(std::move(stream)) {}

  void lock() override { cut_.lock(); }
  void look() override { cut_.look(); }
  void note() override {
    unix_ms_ = stream_->clock().unix_ms();
    for (group::Image<T>& group : cut_.groups()) {
      if (!group.destroyed()) note_group(group);
    }
    std::ranges::sort(absent_);
    absent_.erase(std::unique(absent_.begin(), absent_.end()), absent_.end());
  }
  void unlock() noexcept override { cut_.unlock(); }

 protected:
  [[nodiscard]] snapshot::Result write(Writer& to) override {
    const auto& view = cut_.whole().view();
    const Id last = view.end.last_id();
    const Id max_deleted = view.edits.max_deleted;
    const std::uint64_t added = view.end.added();
    if (auto failed = write_entries(to); !failed) return failed;
    if (view.length() + absent_.size() == 0) {
      if (auto failed = make_empty(to); !failed) return failed;
    }
    const std::uint64_t added_now = std::max<std::uint64_t>(added, view.length() + absent_.size());
    if (auto failed = set_id(to, last, added_now, max_deleted); !failed) return failed;
    GroupsOut out(to, head, unix_ms_);
    for (const GroupExport& group : groups_) {
      const std::uint64_t lag = view.length() - group.delivered;
      if (auto failed = out.write(group, added - lag); !failed) return failed;
    }
    const bool erases = !absent_.empty() && absent_.back() > first_;
    if (auto failed = remove_absent(to); !failed) return failed;
    if (!erases && added == added_now) return {};
    return set_id(to, last, added, max_deleted);
  }

 private:
  using Payload = log::PayloadOf<T>;
  using Segment = log::Segment<Payload>;

  void note_group(group::Image<T>& group) {
    GroupExport& told =
        groups_.emplace_back(GroupExport{.name = group.name(), .last_delivered = group.progress().last_delivered});
    group.each_member([&](const group::MemberImage& member) { told.consumers.push_back(member.name); });
    group.each_pending([&](const group::PendingImage& entry) { told.pending.push_back(entry); });
    group.each_ordered([&](const group::OrderedImage& entry) {
      // Those that wait for their turn were not delivered, but the group has passed them.
      if (entry.stand != group::KeyOrder::Stand::out) told.pending.push_back({.id = entry.id});
    });
    std::ranges::sort(told.pending, {}, &group::PendingImage::id);
    for (group::PendingImage& entry : told.pending) {
      entry.age = std::max<std::int64_t>(entry.age, 0);  // Redis has none that rest: who would be free later is so now
      absent_.push_back(entry.id);
    }
  }

  // Of absent_, which has all ids that are pending somewhere, those stay that are not there.
  [[nodiscard]] snapshot::Result write_entries(Writer& to) {
    std::ranges::sort(groups_, {}, &GroupExport::last_delivered);
    snapshot::Result result;
    std::uint64_t passed = 0;
    std::size_t group = 0;
    std::size_t at = 0;
    std::size_t kept = 0;
    const auto write_one_absent = [&] {
      absent_[kept++] = absent_[at];
      result = to.command("XADD", head.name, absent_[at], "", "");
    };
    const auto write_absent = [&](Id before) {
      for (; at < absent_.size() && absent_[at] < before && result; ++at) write_one_absent();
      if (at < absent_.size() && absent_[at] == before) ++at;
    };
    const auto write_some = [&](const auto& segment, std::uint32_t first, std::uint32_t count) {
      for (std::uint32_t slot = first; slot < first + count && result; ++slot, ++passed) {
        const Id id = segment->id(segment->slot(slot).state());
        if (passed == 0) first_ = id;
        for (; group < groups_.size() && groups_[group].last_delivered < id; ++group) groups_[group].delivered = passed;
        write_absent(id);
        if (result) result = add(to, id, log::value_of<T>(std::as_const(segment->slot(slot).payload())));
      }
    };
    while (result && cut_.whole().next(write_some)) {}
    for (; group < groups_.size(); ++group) groups_[group].delivered = passed;
    for (; at < absent_.size() && result; ++at) write_one_absent();
    absent_.resize(kept);
    std::ranges::sort(groups_, {}, &GroupExport::name);
    return result;
  }

  [[nodiscard]] snapshot::Result add(Writer& to, Id id, const T& value) {
    if constexpr (RedisRow<T>) {
      const RedisFields& fields = RedisFormat<T>::fields(value);
      if (fields.empty()) {
        return unexpected(SnapshotError(Errc::codec_error, core::text({"entry ", to_string(id), " of '", head.name,
                                                                       "' has no fields, and Redis wants one"})));
      }
      to.begin(3 + 2 * fields.size()).word("XADD").word(head.name).word(id);
      for (const auto& [name, text] : fields) to.word(name).word(text);
      return to.end();
    } else {
      return to.command("XADD", head.name, id, head.options.field, std::string_view(RedisFormat<T>::text(value)));
    }
  }

  [[nodiscard]] snapshot::Result make_empty(Writer& to) {
    constexpr std::string_view passing = "brook-made-it";
    if (auto failed = to.command("XGROUP", "CREATE", head.name, passing, "0", "MKSTREAM"); !failed) return failed;
    return to.command("XGROUP", "DESTROY", head.name, passing);
  }
  [[nodiscard]] snapshot::Result set_id(Writer& to, Id last, std::uint64_t added, Id max_deleted) {
    return to.command("XSETID", head.name, last, "ENTRIESADDED", added, "MAXDELETEDID", max_deleted);
  }

  [[nodiscard]] snapshot::Result remove_absent(Writer& to) {
    std::span<const Id> left = absent_;
    const auto before_first = static_cast<std::size_t>(std::ranges::lower_bound(absent_, first_) - absent_.begin());
    if (first_ == Id::min() && !absent_.empty()) return to.command("XTRIM", head.name, "MAXLEN", "=", "0");
    if (before_first > 0) {
      if (auto failed = to.command("XTRIM", head.name, "MINID", "=", first_); !failed) return failed;
      left = left.subspan(before_first);
    }
    constexpr std::size_t most = 64;
    while (!left.empty()) {
      const auto some = left.first(std::min(left.size(), most));
      to.begin(some.size() + 2).word("XDEL").word(head.name);
      for (const Id id : some) to.word(id);
      if (auto failed = to.end(); !failed) return failed;
      left = left.subspan(some.size());
    }
    return {};
  }

  const std::shared_ptr<stream::State<T>> stream_;
  stream::Cut<T> cut_;
  std::uint64_t unix_ms_ = 0;
  std::vector<GroupExport> groups_;
  std::vector<Id> absent_;  // pending somewhere; after write_entries() those that are not there
  Id first_{};              // of the entries that are there; 0-0 when there is none
};

}  // namespace brook::redis
