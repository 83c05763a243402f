// replay_stream.hpp — the changes of a stream, made again.
//
// A snapshot may have, of what is recorded behind it, some adds and removals already: they take no lock. What it has of them is
// all up to some id; so an id that is there is passed, and removing twice does no harm.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <brook/error.hpp>
#include <brook/group/image.hpp>
#include <brook/id.hpp>
#include <brook/journal/codes.hpp>
#include <brook/journal/keeper.hpp>
#include <brook/journal/replay.hpp>
#include <brook/journal/replay_group.hpp>
#include <brook/journal/witnesses.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/snapshot/group.hpp>
#include <brook/snapshot/policies.hpp>
#include <brook/snapshot/restore_broker.hpp>
#include <brook/snapshot/restore_stream.hpp>
#include <brook/snapshot/values.hpp>
#include <brook/stream.hpp>
#include <brook/stream/producers.hpp>
#include <brook/stream/retention.hpp>

namespace brook::journal {

/// The object of a number, as where dead letters may go; null when there is none.
using FindNumber = std::function<std::shared_ptr<broker::Named>(Number)>;

template <class T>
class ReplayedStream final : public Replayed {
 public:
  using State = stream::State<T>;

  ReplayedStream(std::shared_ptr<broker::Named> what, const Policies& policies, FindNumber find,
                 std::shared_ptr<Scribe> scribe)
      : Replayed(std::move(what)),
        policies_(policies),
        find_(std::move(find)),
        scribe_(std::move(scribe)),
        stream_(shared_state_of(**object_in<Stream<T>>(*named))),
        last_(stream_->timeline.look().end.last_id()) {}

  void apply(Change change, Reader& from, const Scene& scene) override {
    switch (change) {
      case Change::added: return add(from);
      case Change::erased: return erase(from);
      case Change::released: return static_cast<void>(stream_->timeline.release(from.id()));
      case Change::trimmed: return trim(from.id());
      case Change::keyed: return key(from, scene);
      default: from.fail("a stream cannot have this change");
    }
  }
  void apply_to_group(Number number, Change change, Reader& from, const Scene& scene) override {
    const auto found = groups_.find(number);
    if (found == groups_.end()) return from.fail("a change of a group that there is not");
    found->second.apply(change, from, scene);
  }
  // Before anybody knows of the stream: the group gets its witness only at the end.
  [[nodiscard]] std::string make_group(Number number, const std::string& stream_name, Reader& from) override {
    snapshot::GroupRecord record{.name = from.text()};
    record.progress = snapshot::read_progress(from);
    snapshot::read_policies(from, record);
    const Number letters = from.size();
    if (!from.failed()) make_group(number, record, stream_name, letters, from);
    return record.name;
  }
  [[nodiscard]] bool know_group(Number number, const std::string& group_name) override {
    const auto found = stream_->groups.find(group_name);
    if (found == stream_->groups.end()) return false;
    groups_.emplace(number, ReplayedGroup<T>(*stream_, found->second));
    return true;
  }
  [[nodiscard]] bool finish() override {
    bool possible = true;
    for (auto& [number, group] : groups_) {
      possible = group.finish() && possible;
      group.state()->notes.go_to(core::Owned<group::Witness>(new GroupWitness(scribe_, number, stream_->clock())));
    }
    groups_.clear();
    stream_->restoring = false;
    stream::want_sweep(*stream_);
    return possible;
  }

 private:
  using Payload = log::PayloadOf<T>;

  void add(Reader& from) {
    Id id = from.id();
    const std::uint64_t count = from.size();
    for (std::uint64_t i = 0; i < count && !from.failed(); ++i) {
      if (i > 0) {
        if (id == Id::max()) return from.fail("there are not so many ids");
        id = id.next();
      }
      auto value = snapshot::read_value<T>(from);
      if (!value || id <= last_) continue;
      auto payload = log::make_payload<T>(*std::move(value));
      const bool room =
          !stream_->room.bounded() || stream_->room.take(1, [&] { return stream_->timeline.edits().removed; });
      if (!room) return from.fail("a stream has more entries than it has room for");
      if (!stream_->timeline.append_only({std::addressof(payload), 1}, log::Request::exactly(id)))
        return from.fail("an entry has an id that it cannot have");
      last_ = id;
    }
  }
  void erase(Reader& from) {
    std::vector<Id> ids;
    for (std::uint64_t count = from.size(); count > 0 && !from.failed(); --count) ids.push_back(from.id());
    if (!from.failed()) static_cast<void>(stream_->timeline.erase(ids));
  }
  void trim(Id last) {
    log::Cut cut;
    if (last == Id::max()) cut.max_len = 0;
    else cut.min_id = last.next();
    static_cast<void>(stream_->timeline.trim(cut));
  }
  void key(Reader& from, const Scene& scene) {
    const std::string producer = from.text();
    const std::string key = from.text();
    const Id id = from.id();
    if (from.failed()) return;
    if (producer.empty() || key.empty()) return from.fail("a key is empty");
    auto& producers = stream_->make_keyed().producers;
    const std::uint64_t duplicates = producers.duplicates();
    const bool there = producers.find(producer, key, scene.now) != nullptr;
    producers.count_duplicates(duplicates);
    if (!there) stream::add_key(*stream_, {.producer = producer, .key = key, .id = id, .added = {}}, scene.now);
  }

  void make_group(Number number, const snapshot::GroupRecord& record, const std::string& stream_name, Number letters,
                  Reader& from) {
    const auto find_letters = [&](const std::string&, bool wrapped) {
      return snapshot::letters_to<T>(letters == 0 ? nullptr : find_(letters), wrapped, named.get());
    };
    GroupOptions<T> options;
    if (const auto failed =
            snapshot::RestoringStream<T>::choose_options(record, stream_name, policies_, find_letters, options);
        !failed)
      return from.fail(failed.error().code(), failed.error().message());
    auto group = group::Image<T>::make(stream_, record.name, record.progress, options);
    if (!stream_->groups.emplace(record.name, group).second || groups_.contains(number))
      return from.fail("a group is there twice");
    groups_.emplace(number, ReplayedGroup<T>(*stream_, std::move(group)));
  }

  const Policies& policies_;
  const FindNumber find_;
  const std::shared_ptr<Scribe> scribe_;
  const std::shared_ptr<State> stream_;
  Id last_;
  std::map<Number, ReplayedGroup<T>> groups_;
};

}  // namespace brook::journal
