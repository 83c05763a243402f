// import_stream.hpp — a stream as commands make it, or as a reply tells it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/group/image.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/rebuild.hpp>
#include <brook/redelivery.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/importing.hpp>
#include <brook/redis/options.hpp>
#include <brook/redis/script.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/stream.hpp>
#include <brook/stream/restore.hpp>

namespace brook::redis {

template <class T>
class ImportingStream final : public StreamScript {
 public:
  using State = stream::State<T>;

  /// `stream` are the options of the stream, clock and probe included.
  ImportingStream(const RedisImportOptions& options, const StreamOptions& stream)
      : StreamScript(options.returned_to, static_cast<std::int64_t>(clock_or_system(stream.clock).unix_ms())),
        field_(options.field),
        options_(stream) {}

  /// Makes it, when all is known. `name` is that for which the policies are told. Errors: codec_error, or what
  /// from_fields() or from_text() said, for an entry that no value can be made of; invalid_argument for a group that is to be
  /// ordered by a key; corrupt for more consumers than there can be, and for what is pending and was never added. Throws
  /// std::bad_alloc.
  [[nodiscard]] expected<std::shared_ptr<State>, SnapshotError> finish(const std::string& name,
                                                                       const Policies& policies) {
    if (auto failed = check_values(); !failed) return unexpected(failed.error());
    log::Rebuild<log::PayloadOf<T>> entries(this->added_ - this->length());
    move_entries(entries);
    entries.end(this->last_id_);
    auto state = stream::make_state<T>(options_, entries, this->added_, this->max_deleted_);
    for (auto& [group_name, group] : this->groups_) {
      const GroupOptions<T>* const told = policies.find<T>(name, group_name);
      const GroupOptions<T> group_options = told != nullptr ? *told : GroupOptions<T>();
      if (auto failed = make_group(state, group_name, group, group_options); !failed) return unexpected(failed.error());
    }
    stream::finish_restoring(*state, false);
    return state;
  }

 protected:
  void add_value(RedisFields fields, std::uint64_t offset) override {
    if (auto value = value_of(std::move(fields))) {
      values_.emplace_back(log::make_payload<T>(*std::move(value)));
    } else {
      wrong_.push_back({values_.size(), offset, value.error()});
      values_.emplace_back();
    }
  }
  void drop_value(std::size_t place) noexcept override { values_[place].reset(); }
  void drop_values() noexcept override {
    values_.clear();
    wrong_.clear();
  }

 private:
  // An entry that no value could be made of.
  struct Wrong {
    std::size_t place;
    std::uint64_t offset;
    Errc why;
  };

  using Image = group::Image<T>;

  [[nodiscard]] expected<T, Errc> value_of(RedisFields fields) const {
    if constexpr (RedisRow<T>) {
      return RedisFormat<T>::from_fields(std::move(fields));
    } else {
      if (fields.size() != 1 || fields.front().first != field_) return unexpected(Errc::codec_error);
      return RedisFormat<T>::from_text(fields.front().second);
    }
  }

  [[nodiscard]] snapshot::Result check_values() const {
    for (const Wrong& wrong : wrong_) {
      if (!this->is_there(wrong.place)) continue;
      const std::string id = to_string(this->ids_[wrong.place]);
      return unexpected(SnapshotError(wrong.why, core::text({"no value can be made of entry ", id}), wrong.offset));
    }
    return {};
  }

  // A segment ends where an entry that is pending somewhere is missing (stream/restore.hpp).
  void move_entries(log::Rebuild<log::PayloadOf<T>>& entries) {
    std::vector<Id> pending;
    for (const auto& [name, group] : this->groups_) {
      for (const auto& [id, entry] : group.pending) pending.push_back(id);
    }
    std::ranges::sort(pending);
    std::size_t at = 0;
    for (std::size_t place = 0; place < this->ids_.size(); ++place) {
      if (!this->is_there(place)) continue;
      const Id id = this->ids_[place];
      bool gone = false;
      for (; at < pending.size() && pending[at] < id; ++at) gone = true;
      while (at < pending.size() && pending[at] == id) ++at;
      if (gone) entries.split();
      entries.add(id, *std::move(values_[place]));
    }
  }

  [[nodiscard]] snapshot::Result make_group(const std::shared_ptr<State>& state, const std::string& name,
                                            GroupScript& script, const GroupOptions<T>& options) const {
    if (options.ordered_by)
      return refuse(Errc::invalid_argument,
                    core::text({"group '", name, "' is to be ordered by a key, and Redis knows no order"}));
    const auto rest = state->rest_after(script.last_delivered);
    const group::ProgressImage progress{.last_delivered = script.last_delivered,
                                        .start = rest.added - rest.entries,
                                        .ahead = script.last_delivered > rest.last};
    const auto made = Image::make(state, name, progress, options);
    const auto now_ms = static_cast<std::int64_t>(state->clock().unix_ms());
    std::uint32_t number = 0;
    for (auto& [consumer_name, consumer] : script.consumers) {
      consumer.number = ++number;
      group::MemberImage member{.name = consumer_name};
      if (consumer.seen_ms) member.seen = std::chrono::milliseconds(now_ms - *consumer.seen_ms);
      if (consumer.active_ms) member.active = std::chrono::milliseconds(now_ms - *consumer.active_ms);
      if (!Image::add_member(*made, member, state->clock()))
        return refuse(Errc::corrupt, core::text({"group '", name, "' has too many consumers"}));
    }
    std::vector<group::PendingImage> pending;
    pending.reserve(script.pending.size());
    for (const auto& [id, entry] : script.pending) {
      pending.push_back({.id = id,
                         .consumer = entry.consumer == nullptr ? group::PendingImage::nobody : entry.consumer->number,
                         .deliveries = entry.deliveries,
                         .age = now_ms - entry.since_ms});
    }
    if (!pending.empty() && pending.back().id > this->last_id_)
      return refuse(Errc::corrupt, core::text({"in group '", name, "' an entry is pending that was never added"}));
    stream::PlacePending<T>(*state, *made).place(pending);
    state->groups.emplace(name, made);
    return {};
  }

  const std::string field_;
  StreamOptions options_;
  std::vector<std::optional<log::PayloadOf<T>>> values_;
  std::vector<Wrong> wrong_;
};

}  // namespace brook::redis
