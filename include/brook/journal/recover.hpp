// recover.hpp — the objects of a journal as they were: the snapshot, and what is recorded behind it.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/broker/named.hpp>
#include <brook/clock.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/journal/directory.hpp>
#include <brook/journal/keeper.hpp>
#include <brook/journal/options.hpp>
#include <brook/journal/replay.hpp>
#include <brook/journal/replay_fates.hpp>
#include <brook/journal/replay_list.hpp>
#include <brook/journal/replay_records.hpp>
#include <brook/journal/replay_stream.hpp>
#include <brook/journal/scan.hpp>
#include <brook/journal/scribe.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/snapshot/channel.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/list.hpp>
#include <brook/snapshot/progress.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/restore_broker.hpp>
#include <brook/snapshot/restore_stream.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/snapshot/unknown.hpp>

namespace brook::journal {

/// For one thread. Throws std::bad_alloc, and what T's Codec throws; nobody knows of anything then.
template <class... Ts>
class Recovery {
 public:
  Recovery(Broker& broker, std::shared_ptr<Scribe> scribe, Keeper<Ts...>& keeper, const Policies& policies)
      : broker_(broker),
        clock_(broker::Contents::clock_of(broker)),
        scribe_(std::move(scribe)),
        keeper_(keeper),
        policies_(policies) {}

  /// Makes the objects. Errors: what Journal::open() answers.
  [[nodiscard]] Result read(const Directory& directory, const Scan& scan) {
    scan_ = &scan;
    if (scan.base > 0) {
      if (auto failed = read_catalog(scan.files.front()); !failed) return failed;
      if (auto failed = read_snapshot(directory.snapshot(scan.base), scan); !failed) return failed;
    }
    start_ = clock_or_system(clock_).now() - scan.ends;  // nothing of the snapshot, however long it took, seems younger
    for (const Scanned& file : scan.files) {
      if (!file.begun) continue;
      if (auto failed = read_records(file, [this](Reader& from) { read_record(from); }); !failed) return failed;
    }
    for (auto& [number, object] : objects_) {
      if (!object->finish())
        return unexpected(
            SnapshotError(Errc::corrupt, core::text({"what '", object->name, "' has come to cannot be"})));
    }
    return {};
  }

  /// Gives them their names, and the scribe what all numbers mean. With an error nothing has changed but that.
  [[nodiscard]] Result insert() {
    std::vector<broker::Contents::Entry> entries;
    Catalog& catalog = scribe_->catalog();
    for (auto& [number, object] : objects_) {
      if (!object->has_name) continue;
      entries.emplace_back(object->name, object->named);
      catalog.add_object(number, object->name, Keeper<Ts...>::address_of(*object->named));
    }
    for (const auto& [number, group] : groups_) {
      if (const auto stream = objects_.find(group.stream); stream != objects_.end() && stream->second->has_name)
        catalog.add_group(number, group.stream, group.name);
    }
    catalog.begin_after(last_);
    if (const auto inserted = broker::Contents::insert(broker_, entries); !inserted)
      return unexpected(SnapshotError(inserted.error().code(), inserted.error().message()));
    return {};
  }

  /// Of the snapshot.
  [[nodiscard]] std::uint64_t snapshot_bytes() const noexcept { return snapshot_bytes_; }

 private:
  // Only where there are groups: the records are read once more for it.
  [[nodiscard]] Result foresee() { return std::exchange(foreseen_, true) ? Result() : fates_.read(*scan_); }

  // — what there is when the records begin —

  [[nodiscard]] Result read_catalog(const Scanned& file) {
    snapshot::FileSource source(file.path);
    Reader from(source);
    Scanned again = file;
    read_begin(from, again);
    if (from.next() != snapshot::catalog_section) from.fail("what its numbers mean is missing");
    last_ = from.size();
    for (auto kind = from.number<std::uint8_t>(); kind != 0 && !from.failed(); kind = from.number<std::uint8_t>()) {
      const Number number = from.size();
      if (number == 0 || number > last_) from.fail("a number is too large");
      if (kind == 2) {
        const Number stream = from.size();
        if (!from.failed()) groups_.try_emplace(number, Catalog::OfGroup{stream, from.text()});
      } else {
        const std::string name = from.text();
        if (!from.failed()) names_[name] = number;
      }
    }
    from.end();
    return from.failed() ? failed_in(file.path, from.error()) : Result();
  }

  [[nodiscard]] Result read_snapshot(const std::filesystem::path& path, const Scan& scan) {
    if (!groups_.empty()) {
      if (auto failed = foresee(); !failed) return failed;
    }
    snapshot::FileSource source(path);
    Reader from(source);
    SnapshotProgress progress;
    const snapshot::RestoreManner manner{.elapsed = std::max(std::chrono::nanoseconds(0), scan.ends - scan.begins()),
                                         .reopen = true,
                                         .named_at_last = names_at_last()};
    snapshot::RestoringBroker<Ts...> restoring(from, broker_, progress, manner);
    if (const auto failed = restoring.read(); !failed) return failed_in(path, failed.error());
    from.end_file();
    if (from.failed()) return failed_in(path, from.error());
    snapshot_bytes_ = from.bytes_read();
    for (const auto& object : restoring.objects()) {
      const auto found = names_.find(object->head.name);
      if (found == names_.end())
        return failed_in(path, SnapshotError(Errc::corrupt, core::text({"'", object->head.name, "' has no number"})));
      if (!keeper_.watch(*object->named, found->second, true)) return unexpected(SnapshotError(Errc::wrong_type));
    }
    if (const auto failed = restoring.finish(policies_); !failed) return failed_in(path, failed.error());
    const auto numbers = std::exchange(names_, {});
    for (const auto& object : restoring.objects())
      know(numbers.at(object->head.name), object->named, object->head.name);
    std::erase_if(groups_, [this](const auto& group) {
      const auto stream = objects_.find(group.second.stream);
      return stream == objects_.end() || !stream->second->know_group(group.first, group.second.name);
    });
    return {};
  }

  // Where Policies are asked about the groups of the snapshot, of the streams' names in it.
  [[nodiscard]] snapshot::NamedAtLast names_at_last() const {
    std::set<std::pair<Number, std::string>> gone;
    for (const auto& [number, group] : groups_) {
      if (!fates_.stays(number, group.stream)) gone.emplace(group.stream, group.name);
    }
    return [this, gone = std::move(gone)](const std::string& stream, const std::string& group) {
      const Number number = names_.at(stream);
      return gone.contains({number, group}) ? std::nullopt : std::optional(fates_.name_at_end(number, stream));
    };
  }

  // — the records —

  void read_record(Reader& from) {
    const Scene scene{start_ + read_time(from)};
    read_changes(from, [&](Change change, Number number) {
      last_ = std::max(last_, number);
      const bool of_group = change >= Change::group_made && change <= Change::pending_unnamed;
      return of_group ? read_group(change, number, from, scene) : read_object(change, number, from, scene);
    });
  }
  // False for a group that is not known: it is gone at the end, or its stream was already when the records began.
  [[nodiscard]] bool read_group(Change change, Number number, Reader& from, const Scene& scene) {
    if (change == Change::group_made) {
      const Number stream = from.size();
      const auto found = objects_.find(stream);
      if (const auto failed = foresee(); !failed)
        return from.fail(failed.error().code(), failed.error().message()), true;
      if (found == objects_.end() || !fates_.stays(number, stream)) return false;
      if (groups_.contains(number)) from.fail("a group is there twice");
      if (from.failed()) return true;
      const std::string& stream_name = fates_.name_at_end(stream, found->second->name);
      groups_.emplace(number, Catalog::OfGroup{stream, found->second->make_group(number, stream_name, from)});
      return true;
    }
    const auto group = groups_.find(number);
    if (group == groups_.end()) return false;
    objects_.at(group->second.stream)->apply_to_group(number, change, from, scene);
    return true;
  }
  // False for an object that is not known: it has lost its name before the snapshot.
  [[nodiscard]] bool read_object(Change change, Number number, Reader& from, const Scene& scene) {
    if (change == Change::object_made) return make_object(number, from), true;
    const auto found = objects_.find(number);
    if (found == objects_.end()) return false;
    Replayed& object = *found->second;
    if (change == Change::object_erased) {
      forget_name(object);
    } else if (change == Change::object_renamed) {
      forget_name(object);
      object.name = from.text();
      object.has_name = names_.emplace(object.name, number).second;
      if (!object.has_name) from.fail("two objects have one name");
    } else if (change == Change::object_expires) {
      const bool ever = from.flag();
      object.named->expire_at(ever ? scene.now + from.time() : Clock::time_point::max());
    } else {
      object.apply(change, from, scene);
    }
    return true;
  }
  void make_object(Number number, Reader& from) {
    const std::string name = from.text();
    const auto kind = from.number<std::uint8_t>();
    if (kind > static_cast<std::uint8_t>(ObjectKind::pubsub)) from.fail("there is no such kind of object");
    snapshot::ObjectHead head{.name = name, .kind = ObjectKind{kind}, .type = from.text()};
    head.value_size = from.size();
    if (from.failed()) return;
    if (objects_.contains(number) || names_.contains(name)) return from.fail("an object is there twice");
    std::shared_ptr<broker::Named> named;
    static_cast<void>((((named = make_one<Ts>(head, from)) != nullptr) || ...));
    if (from.failed()) return;
    if (named == nullptr || !keeper_.watch(*named, number, true))
      return from.fail(Errc::wrong_type,
                       snapshot::not_known(core::text({"'", name, "' (", snapshot::described(head), ")"})));
    know(number, named, name);
  }

  void forget_name(Replayed& object) {
    if (std::exchange(object.has_name, false)) names_.erase(object.name);
  }

  // Null when it is of another type.
  template <class T>
  [[nodiscard]] std::shared_ptr<broker::Named> make_one(const snapshot::ObjectHead& head, Reader& from) {
    if (head.type != snapshot::text_of_element<T>()) return nullptr;
    if constexpr (Encodable<T>) {
      const bool right_size = head.value_size == snapshot::size_of_value<T>();
      if (head.kind == ObjectKind::stream && right_size) {
        StreamOptions options{.clock = clock_, .probe = probe_of(head)};
        snapshot::read_stream_options(from, options);
        return from.failed() ? nullptr : std::make_shared<broker::Holder<Stream<T>>>(options);
      }
      if (head.kind == ObjectKind::list && right_size) {
        ListOptions options{.clock = clock_, .probe = probe_of(head)};
        snapshot::read_list_options(from, options);
        return from.failed() ? nullptr : std::make_shared<broker::Holder<BlockingList<T>>>(options);
      }
    }
    if constexpr (std::move_constructible<T>) {
      PubSubOptions options{.clock = clock_, .probe = probe_of(head)};
      snapshot::read_channel_options(from, head.kind, options);
      if (from.failed()) return nullptr;
      if (head.kind == ObjectKind::channel) return snapshot::make_channel<Channel<T>>(options);
      if (head.kind == ObjectKind::pubsub) return snapshot::make_channel<PubSub<T>>(options);
    }
    return nullptr;
  }
  [[nodiscard]] Probe* probe_of(const snapshot::ObjectHead& head) const {
    return broker::Contents::probe_of(broker_, head.name);
  }

  void know(Number number, const std::shared_ptr<broker::Named>& named, const std::string& name) {
    std::unique_ptr<Replayed> object;
    static_cast<void>((((object = replayed_of<Ts>(named)) != nullptr) || ...));
    if (object == nullptr) object = std::make_unique<Replayed>(named);
    object->name = name;
    object->has_name = true;
    names_.emplace(name, number);
    objects_.emplace(number, std::move(object));
  }
  template <class T>
  [[nodiscard]] std::unique_ptr<Replayed> replayed_of(const std::shared_ptr<broker::Named>& named) {
    if constexpr (Encodable<T>) {
      const auto find = [this](Number number) {
        const auto found = objects_.find(number);
        return found == objects_.end() ? nullptr : found->second->named;
      };
      if (object_in<Stream<T>>(*named) != nullptr)
        return std::make_unique<ReplayedStream<T>>(named, policies_, find, scribe_);
      if (object_in<BlockingList<T>>(*named) != nullptr) return std::make_unique<ReplayedList<T>>(named);
    }
    return nullptr;
  }

  Broker& broker_;
  Clock* const clock_;
  const std::shared_ptr<Scribe> scribe_;
  Keeper<Ts...>& keeper_;
  const Policies& policies_;
  const Scan* scan_ = nullptr;  // during read()
  bool foreseen_ = false;
  Fates fates_;
  Clock::time_point start_{};  // of the journal's time
  std::map<std::string, Number> names_;
  std::map<Number, Catalog::OfGroup> groups_;
  std::map<Number, std::unique_ptr<Replayed>> objects_;  // also those that have no name any more
  Number last_ = 0;
  std::uint64_t snapshot_bytes_ = 0;
};

}  // namespace brook::journal
