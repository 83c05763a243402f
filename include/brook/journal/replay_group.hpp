// replay_group.hpp — the changes of a group, made again.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <brook/clock.hpp>
#include <brook/entries.hpp>
#include <brook/group/image.hpp>
#include <brook/group/state.hpp>
#include <brook/id.hpp>
#include <brook/journal/codes.hpp>
#include <brook/journal/replay.hpp>
#include <brook/snapshot/group.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/stream/state.hpp>

namespace brook::journal {

template <class T>
class ReplayedGroup {
 public:
  using Image = group::Image<T>;
  using Place = typename group::State<T>::Place;

  ReplayedGroup(stream::State<T>& stream, std::shared_ptr<group::State<T>> group) noexcept
      : stream_(stream), group_(std::move(group)) {}

  [[nodiscard]] const std::shared_ptr<group::State<T>>& state() const noexcept { return group_; }

  void apply(Change change, Reader& from, const Scene& scene) {
    switch (change) {
      case Change::pending:
      case Change::pending_unnamed: return pending(change, from, scene);
      case Change::finished: return finish(from.id());
      case Change::progressed: return Image::set_progress(*group_, snapshot::read_progress(from));
      case Change::moved: {
        group_->order.rewind();
        Image::set_progress(*group_, snapshot::read_progress(from));
        if (group_->progress_image().ahead) stream_.note_group_ahead();
        return;
      }
      case Change::admitted: return admit(from);
      case Change::dropped: return group_->order.finish(from.id());
      case Change::joined: return static_cast<void>(consumer(from.text(), from, scene));
      case Change::left: return leave(from.text(), from);
      default: from.fail("a group cannot have this change");
    }
  }
  /// False when an entry has its place in the order and the group has not come to it.
  [[nodiscard]] bool finish() {
    group_->ledger.tidy_unused();
    const std::set<Id>& undelivered = group_->order.undelivered();
    return undelivered.empty() || *undelivered.rbegin() <= group_->last_delivered;
  }

 private:
  void pending(Change change, Reader& from, const Scene& scene) {
    const std::string whose = from.text();
    group::PendingImage image{.deliveries = from.size()};
    image.age = from.signed_size();
    const bool nobody = whose.empty() && change == Change::pending;
    group::Member* const member = nobody ? nullptr : consumer(whose, from, scene);
    if (member != nullptr) {
      image.consumer = member->number;
      member->seen = scene.now;
      member->active = scene.now;
    }
    snapshot::IdsIn ids;
    for (std::uint64_t count = from.size(); count > 0 && !from.failed(); --count) {
      image.id = ids.read(from);
      if (!from.failed()) hand(image, from, scene);
    }
  }
  // An entry that was erased in the instant before it was delivered is not there, and then not pending either.
  void hand(const group::PendingImage& image, Reader& from, const Scene& scene) {
    if (const Place place = group_->ledger.find(image.id); place.page != nullptr)
      return Image::move_pending(*group_, place, image, scene.now);
    auto view = stream_.timeline.look();
    const Entries<T> entry = stream_.collect(view, image.id, image.id, 1);
    if (entry.empty()) return group_->order.finish(image.id);
    if (group_->order.ready().contains(image.id)) group_->order.deliver(image.id);
    else if (group_->order.undelivered().contains(image.id)) return from.fail("an entry is delivered before its turn");
    const auto& run = entry.runs().run(0);
    auto& page = group_->ledger.page_beside(run.segment, true);
    page.keep(run.segment);
    Image::add_pending(*group_, {&page, run.first}, image, scene.now);
  }
  void finish(Id id) {
    const Place place = group_->ledger.find(id);
    if (place.page == nullptr) return group_->order.finish(id);
    static_cast<void>(group_->finish(place));
    group_->ledger.tidy(*place.page);
  }
  // Another program's hash of a key may be another one.
  void admit(Reader& from) {
    const Id id = from.id();
    auto key = from.number<std::uint64_t>();
    if (from.failed()) return;
    auto view = stream_.timeline.look();
    const Entries<T> entry = stream_.collect(view, id, id, 1);
    if (!group_->options.ordered_by) return from.fail("an entry is in order in a group that has none");
    if (!entry.empty()) key = group_->options.ordered_by(entry.front().value);
    if (group_->ledger.find(id).page == nullptr && !group_->order.undelivered().contains(id))
      group_->order.admit(id, key);
  }
  [[nodiscard]] group::Member* consumer(const std::string& name, Reader& from, const Scene& scene) {
    if (from.failed()) return nullptr;
    const auto member = group_->roster.enlist(name, stream_.clock());
    if (member->number == group::nobody) from.fail("a group has too many consumers");
    if (member->active == Clock::time_point()) member->seen = scene.now;
    return member->number == group::nobody ? nullptr : member.get();
  }
  void leave(const std::string& name, Reader& from) {
    group::Member* const member = group_->roster.find(name);
    if (member == nullptr) return;
    bool has_some = false;
    group_->ledger.each_pending(Id::min(), Id::max(), [&](const Place& place) {
      has_some = place.mark().consumer() == member->number;
      return !has_some;
    });
    if (has_some) return from.fail("a consumer leaves with what is pending with it");
    group_->roster.strike(*member);
  }

  stream::State<T>& stream_;
  const std::shared_ptr<group::State<T>> group_;
};

}  // namespace brook::journal
