// page.hpp — the marks of one segment's entries in one group, and who still uses them.
//
// A page stands beside a segment of the log and has a line for each of its slots: 16 bytes for each entry that may be
// pending, found without a search by who holds the delivery. It is made at the first delivery from the segment, and goes
// when nothing in it is pending and nobody refers to it.
//
// References  Each run of deliveries has one, and the group's cursor has a stock of them for the page where it stands, so
//             that handing one out is not an atomic operation. While there are any, the page holds its segment: deliveries
//             show entries in place. Without any it does not, so that pending entries keep no memory but their lines.
//             Going from none to one takes the group's mutex; whoever drops the last one takes it too (Owner::idle).
//
// Who may touch what
//   mark       a consumer may acknowledge without the mutex: pending -> untold, by compare-and-swap. All else happens with
//              the group's mutex, also by compare-and-swap where a mark is pending already
//   the rest   with the group's mutex; `segment` may be read by who has a reference
//
// Memory orders
//   row  thread    operation                order    meets  because
//   GA   consumer  pending -> untold        release  GB     what was done for the entry precedes its being done with
//   GB   group     read a mark              acquire  GA     the same
//   GC   dropper   references -= n          release  GD     every use of the lines and the segment is over
//   GD   group     references are none      acquire  GC     before they go
//   GE   anyone    references += n          relaxed  -      by who has one, or with the mutex
//   GF   group     write a mark             relaxed  -      only the mark itself counts; deliveries go by the mutex
// Proof    tests/model/group_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/group/mark.hpp>
#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/word.hpp>

namespace brook::group {

/// What a group knows of one slot.
class Line {
 public:
  [[nodiscard]] Mark mark() const noexcept { return {mark_.load(sync::acquire)}; }  // GB

  /// Acknowledges whatever the mark says; false when the entry was not pending, or is just being forwarded.
  [[nodiscard]] bool clear() noexcept {
    Mark seen{mark_.load(sync::relaxed)};  // GF
    while (seen.pending() && !seen.forwarding()) {
      if (mark_.compare_exchange_strong(seen.bits, 0, sync::release, sync::relaxed)) return true;  // GA GF
    }
    return false;
  }

  // — with the group's mutex —

  /// Changes a mark that may be acknowledged at the same time; false when it was.
  [[nodiscard]] bool change(Mark from, Mark to) noexcept {
    return mark_.compare_exchange_strong(from.bits, to.bits, sync::relaxed, sync::relaxed);  // GF
  }
  /// Writes the first mark of an entry that is not pending.
  void deliver(Mark mark, std::uint64_t key, std::uint64_t count) noexcept {
    told_ = (key << count_bits) | std::min(count, most_counted);
    mark_.store(mark.bits, sync::relaxed);  // GF
  }

  /// Where the entry's id stands in the order of its segment; see log::Word::key().
  [[nodiscard]] std::uint64_t key() const noexcept { return told_ >> count_bits; }
  /// How often the entry was delivered.
  [[nodiscard]] std::uint64_t count() const noexcept { return told_ & most_counted; }
  void set_count(std::uint64_t count) noexcept { told_ = (key() << count_bits) | std::min(count, most_counted); }

  static constexpr unsigned count_bits = 16;
  static constexpr std::uint64_t most_counted = (std::uint64_t{1} << count_bits) - 1;

 private:
  sync::atomic<std::uint64_t> mark_{0};
  std::uint64_t told_ = 0;
};

template <class Payload>
class Page {
 public:
  using Segment = log::Segment<Payload>;
  using Hold = log::Hold<Payload>;

  /// The owner of pages: who must come when the last reference is gone.
  class Owner {
   public:
    /// Called without the mutex, once for each time that the references became none.
    virtual void idle(Page& page) noexcept = 0;

   protected:
    ~Owner() = default;
  };

  Page(Owner& owner, const Hold& held) noexcept
      : owner_(&owner),
        where_(held.get()),
        number_(held->life().number),
        first_(held->life().first),
        base_(held->life().base),
        capacity_(held->capacity()) {}
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  [[nodiscard]] Id base() const noexcept { return base_; }
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] Line& line(std::uint32_t at) noexcept { return lines_[at]; }
  [[nodiscard]] const Line& line(std::uint32_t at) const noexcept { return lines_[at]; }
  /// The id of an entry that has been told.
  [[nodiscard]] Id id(std::uint32_t at) const noexcept {
    return log::Word{lines_[at].key() << log::Word::low_bits}.id(base_);
  }

  // — references —

  /// By who has one.
  void refer() noexcept { references_.fetch_add(1, sync::relaxed); }  // GE
  void release(std::uint64_t references = 1) noexcept {
    if (withdraw(references)) owner_->idle(*this);
  }
  /// The segment, for who has a reference.
  [[nodiscard]] Segment& segment() const noexcept { return *segment_; }
  [[nodiscard]] const Hold& hold() const noexcept { return segment_; }

  // — with the group's mutex —

  /// The segment, if its entries are still there.
  [[nodiscard]] Hold look() const noexcept { return segment_ ? segment_ : Hold::of(where_, number_); }

  /// Takes references when there may be none. `held` is the segment, which may be retired already and is kept by this. True
  /// when they are the first ones: an idle() is then due.
  [[nodiscard]] bool refer_anew(std::uint64_t references, const Hold& held) noexcept {
    if (!segment_) segment_ = held;
    if (references_.fetch_add(references, sync::relaxed) != 0) return false;  // GE
    ++due_;
    return true;
  }
  /// Gives references back; true when they were the last, and idle() is not called for them.
  [[nodiscard]] bool withdraw(std::uint64_t references) noexcept {
    return references_.fetch_sub(references, sync::release) == references;  // GC
  }
  /// An idle() has come. True when nobody refers to the page, and no other idle() is on its way.
  [[nodiscard]] bool came_idle() noexcept {
    --due_;
    return unused();
  }
  [[nodiscard]] bool unused() const noexcept { return due_ == 0 && references_.load(sync::acquire) == 0; }  // GD
  /// Gives up the segment of an unused page.
  [[nodiscard]] Hold let_go() noexcept { return std::exchange(segment_, Hold()); }

  /// The lines that may be pending: [low, high). Those from `high` on have never been told.
  [[nodiscard]] std::uint32_t low() const noexcept { return low_; }
  [[nodiscard]] std::uint32_t high() const noexcept { return high_; }
  /// Forgets the acknowledged lines at the front; true when nothing is pending any more. O(those), in all.
  bool sweep() noexcept {
    while (low_ < high_ && !lines_[low_].mark().pending()) ++low_;
    return low_ == high_;
  }

  /// Marks a slot that is delivered for the first time, or again after set_id. Lines that were left out before it take on
  /// the key of the last one told, so that keys never decrease.
  void tell(std::uint32_t at, Mark mark, std::uint64_t key, std::uint64_t count) noexcept {
    low_ = low_ == high_ ? at : std::min(low_, at);
    if (at >= high_) {
      const std::uint64_t before = high_ > 0 ? lines_[high_ - 1].key() : 0;
      for (; high_ < at; ++high_) lines_[high_].deliver({}, before, 0);
      high_ = at + 1;
    }
    lines_[at].deliver(mark, key, count);
  }

  /// The line of an id that has been told; capacity() when there is none. O(log n).
  [[nodiscard]] std::uint32_t find(Id id) const noexcept {
    const std::uint32_t at = first_from(id);
    return at < high_ && this->id(at) == id ? at : capacity_;
  }

  /// The first line whose id is at least `id`, or a line left out before it.
  [[nodiscard]] std::uint32_t first_from(Id id) const noexcept {
    const std::uint64_t key = log::Word::key(base_, id);
    const Line* const from = lines_.get();
    const Line* const line = std::lower_bound(from, from + high_, key, by_key);
    return static_cast<std::uint32_t>(line - from);
  }

  /// A page has lines once something is to be told in it.
  [[nodiscard]] bool has_lines() const noexcept { return lines_ != nullptr; }
  void give_lines(std::unique_ptr<Line[]> lines) noexcept {
    if (lines) lines_ = std::move(lines);
  }
  [[nodiscard]] std::unique_ptr<Line[]> take_lines() noexcept { return std::move(lines_); }

 private:
  static bool by_key(const Line& line, std::uint64_t key) noexcept { return line.key() < key; }

  Owner* const owner_;
  Segment* const where_;
  const std::uint64_t number_;
  const std::uint64_t first_;
  const Id base_;
  const std::uint32_t capacity_;
  std::uint32_t low_ = 0;
  std::uint32_t high_ = 0;
  std::uint32_t due_ = 0;  // calls of idle() that will come
  sync::atomic<std::uint64_t> references_{0};
  Hold segment_;
  std::unique_ptr<Line[]> lines_;
};

}  // namespace brook::group
