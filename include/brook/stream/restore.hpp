// restore.hpp — a stream made anew from plain data, before anybody else knows of it.
//
// What is pending in a group and has left the stream is told of in pages of its own (group/page.hpp). The pages of a group lie
// side by side, so no such entry may lie between two of one segment: who rebuilds the log (log/rebuild.hpp) has a segment end
// where an entry that is pending somewhere is missing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/entries.hpp>
#include <brook/group/image.hpp>
#include <brook/id.hpp>
#include <brook/log/rebuild.hpp>
#include <brook/stream/producers.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/state.hpp>

namespace brook::stream {

/// A stream with entries that there are, of which so many were ever added. Throws std::bad_alloc.
template <class T>
[[nodiscard]] std::shared_ptr<State<T>> make_state(const StreamOptions& options,
                                                   log::Rebuild<log::PayloadOf<T>>& entries, std::uint64_t added,
                                                   Id max_deleted) {
  return std::shared_ptr<State<T>>(new State<T>(options, entries, added, max_deleted));
}

/// Makes adds under keys known, oldest first; how long ago each was. Throws std::bad_alloc.
template <class T>
void add_key(State<T>& stream, const Record& record, Clock::time_point added) {
  auto& producers = stream.make_keyed().producers;
  Producers::Draft draft(producers, record.producer, record.key, added);
  draft.keep(record.id);
}

/// Places what is pending in a group beside the entries that are there, and the others by themselves.
template <class T>
class PlacePending {
 public:
  using Image = group::Image<T>;
  using GroupState = group::State<T>;
  using Hold = typename GroupState::Hold;

  PlacePending(State<T>& stream, GroupState& group) noexcept
      : stream_(stream), group_(group), view_(stream.timeline.look()), now_(stream.clock().now()) {}

  /// By increasing ids. Throws std::bad_alloc.
  void place(std::span<const group::PendingImage> pending) {
    while (!pending.empty()) {
      const group::PendingImage& entry = pending.front();
      if (!next_slot(entry.id)) find(entry.id);
      const std::size_t placed = there_ == entry.id ? place_there(entry) : place_gone(pending);
      pending = pending.subspan(placed);
    }
    group_.ledger.tidy_unused();
  }

 private:
  static constexpr std::size_t most_in_page = 4096;

  // Whether the entry is that behind the last one.
  [[nodiscard]] bool next_slot(Id id) noexcept {
    if (!segment_ || at_ + 1 >= segment_->capacity()) return false;
    if (segment_->id(segment_->slot(at_ + 1).state()) != id) return false;
    ++at_;
    there_ = id;
    return true;
  }
  // The first entry from an id on.
  void find(Id id) {
    const Entries<T> found = stream_.collect(view_, id, Id::max(), 1);
    if (found.empty()) {
      there_ = Id::min();
      segment_ = {};
      return;
    }
    there_ = found.front().id;
    segment_ = found.runs().run(0).segment;
    at_ = found.runs().run(0).first;
  }
  std::size_t place_there(const group::PendingImage& entry) {
    auto& page = group_.ledger.page_beside(segment_, true);
    page.keep(segment_);
    Image::add_pending(group_, {&page, at_}, entry, now_);
    return 1;
  }
  // Those that are gone, up to the next one that is there.
  std::size_t place_gone(std::span<const group::PendingImage> pending) {
    std::vector<Id> ids;
    for (const group::PendingImage& entry : pending) {
      const bool before_next = there_ == Id::min() || entry.id < there_;
      if (!before_next || ids.size() == most_in_page) break;
      if (!ids.empty() && !group::page_can_tell(ids.front(), entry.id)) break;
      ids.push_back(entry.id);
    }
    auto& page = group_.ledger.page_of_gone(ids);
    for (std::uint32_t at = 0; at < ids.size(); ++at) Image::add_pending(group_, {&page, at}, pending[at], now_);
    segment_ = {};
    return ids.size();
  }

  State<T>& stream_;
  GroupState& group_;
  typename State<T>::View view_;
  const Clock::time_point now_;
  Hold segment_;
  std::uint32_t at_ = 0;
  Id there_{};
};

/// All groups are there: from now on it is a stream as any other.
template <class T>
void finish_restoring(State<T>& stream, bool closed) noexcept {
  if (closed) stream.close();
  want_sweep(stream);
  sweep(stream);
}

}  // namespace brook::stream
