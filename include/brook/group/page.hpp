// page.hpp — what a group knows of one segment's entries, and who still uses it.
//
// A page stands beside a segment of the log and has a line for each of its slots: 8 bytes for an entry that may be
// pending, found without a search by who holds the delivery. It is made at the first delivery from the segment, and goes
// when nothing in it is pending and nobody refers to it.
//
// References  Each run of deliveries has one, and the group's cursor has a stock of them for the page where it stands, so
//             that handing one out is not an atomic operation. While there are any, the page holds its segment: deliveries
//             show entries in place. Without any it does not, so that pending entries keep nothing but their lines, and the
//             ids, which the page then notes down, 6 bytes each.
//             Going from none to one takes the group's mutex; whoever drops the last one takes it too (Owner::idle).
//
// All is guarded by the group's mutex, but that who has a reference may read the segment and acknowledge.
//
// Memory orders
//   row  thread   operation            order    meets  because
//   GC   dropper  references -= n      release  GD     every use of the lines and the segment is over
//   GD   group    references are none  acquire  GC     before they go
//   GE   anyone   references += n      relaxed  -      by who has one, or with the mutex
// Proof    tests/model/group_model.cpp
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include <brook/core/owned.hpp>
#include <brook/core/sync.hpp>
#include <brook/group/lines.hpp>
#include <brook/group/mark.hpp>
#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/seek.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/word.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>

namespace brook::group {

/// To whom an entry was delivered, and as which delivery.
struct Delivered {
  Recipient to;
  std::uint64_t count = 1;
};

/// Whether a page that begins with one id can tell another, which is above it.
[[nodiscard]] constexpr bool page_can_tell(Id first, Id id) noexcept {
  return id.ms - first.ms <= log::Word::ms_mask &&
         (id.ms > first.ms ? id.seq : id.seq - first.seq) <= log::Word::seq_mask;
}

template <class Payload>
class Page {
 public:
  using Segment = log::Segment<Payload>;
  using Hold = log::Hold<Payload>;

  /// A call that may add to a stream; it says whether it did.
  struct Add {
    bool (*call)(void* context);
    void* context;
    bool operator()() const { return call(context); }
  };

  /// The owner of pages: who must come when the last reference is gone.
  class Owner {
   public:
    /// Called without the mutex, once for each time that the references became none.
    virtual void idle(Page& page) noexcept = 0;
    /// Whether the owner must know of each acknowledgement.
    [[nodiscard]] virtual bool managed() const noexcept = 0;
    /// Acknowledges lines, of a managed group or any; how many were pending until now.
    virtual std::uint32_t acknowledge(Page& page, std::uint32_t at, std::uint32_t count) noexcept = 0;
    /// Has the stream's probe watch an operation on an entry, if it still has one. Called without the mutex.
    virtual Outcome watch(Operation operation, Recipient by, Id id, const Perform& perform) = 0;
    /// Gives an entry back that was delivered to this consumer as the count-th time; false when it is not so any more.
    virtual bool nack(Page& page, std::uint32_t at, Delivered delivered, const NackOptions& options) = 0;
    /// Acknowledges an entry that was delivered so, and calls `add`, both at one instant; not when `add` says no or throws.
    /// False, without a call, when it is not with that consumer any more.
    virtual bool forward(Page& page, std::uint32_t at, Delivered delivered, Add add) = 0;
    /// Whether a line may have been cleared without being done with: for now only, or because it is with nobody.
    [[nodiscard]] virtual bool clears_early() const noexcept = 0;

   protected:
    ~Owner() = default;
  };

  Page(Owner& owner, const Hold& held) noexcept
      : owner_(&owner),
        managed_(owner.managed()),
        where_(held.get()),
        number_(held->life().number),
        first_(held->life().first),
        base_(held->life().base),
        capacity_(held->capacity()) {}
  /// A page of entries that have left the stream, of which there are but the ids; each page_can_tell(first, id). Throws
  /// std::bad_alloc.
  Page(Owner& owner, std::span<const Id> ids)
      : owner_(&owner),
        managed_(owner.managed()),
        base_(ids.front()),
        capacity_(static_cast<std::uint32_t>(ids.size())),
        keys_(new Key[ids.size()]) {
    for (std::size_t i = 0; i < ids.size(); ++i) keys_[i] = noted(log::Word::key(base_, ids[i]));
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  [[nodiscard]] Id base() const noexcept { return base_; }
  /// Position in the log of line 0.
  [[nodiscard]] std::uint64_t first() const noexcept { return first_; }
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

  // — for who has a reference —

  [[nodiscard]] Owner& owner() const noexcept { return *owner_; }
  void refer() noexcept { references_.fetch_add(1, sync::relaxed); }  // GE
  void release() noexcept {
    if (withdraw(1)) owner_->idle(*this);
  }
  [[nodiscard]] Segment& segment() const noexcept { return *segment_; }
  [[nodiscard]] const Hold& hold() const noexcept { return segment_; }
  /// How many of these lines, which have been told, were pending until now. Lock-free, unless the group is managed, or one
  /// of them is not pending with anybody and lines have been cleared that were not done with.
  [[gnu::always_inline]] std::uint32_t acknowledge(std::uint32_t at, std::uint32_t count) noexcept {
    const std::uint32_t cleared = managed_ ? 0 : lines_.clear(at, count);
    if (!managed_ && (cleared == count || !owner_->clears_early())) return cleared;
    return cleared + owner_->acknowledge(*this, at, count);
  }

  // — with the group's mutex —

  /// The segment, if its entries are still there.
  [[nodiscard]] Hold look() const noexcept {
    if (where_ == nullptr) return {};
    return segment_ ? segment_ : log::hold_reached(where_, number_);
  }
  /// Whether this is the page beside a segment. Requires a reference.
  [[nodiscard]] bool beside(const Segment& segment) const noexcept { return where_ == &segment; }

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

  /// Holds the segment, which is that of the page, until the page lets go of it.
  void keep(const Hold& held) noexcept {
    if (!segment_) segment_ = held;
  }
  /// Gives up the segment of an unused page, if the ids of what is pending can be noted down.
  void let_go() noexcept {
    if (segment_ && (idle_lines() || note_keys())) segment_ = {};
  }

  /// A page has lines once something is to be told in it.
  [[nodiscard]] bool has_lines() const noexcept { return lines_.size() > 0; }
  void give_lines(Lines lines) noexcept { lines_ = std::move(lines); }
  [[nodiscard]] Lines take_lines() noexcept { return std::exchange(lines_, Lines()); }

  /// Until it is told again, a pending line is acknowledged with the mutex only. Whether it is pending.
  bool hold_back(std::uint32_t at) noexcept { return lines_.hold_back(at); }

  /// A line, which has been told, is not pending any more; whether it was. The group's own acknowledgement.
  [[nodiscard]] bool end(std::uint32_t at) noexcept { return lines_.end(at); }

  /// Lines that were delivered, once more or for the first time; or, with nobody's mark, that are to be.
  void tell(std::uint32_t first, std::uint32_t count, Mark mark) noexcept {
    low_ = low_ == high_ ? first : std::min(low_, first);
    high_ = std::max(high_, first + count);
    lines_.set(first, count, mark);
  }
  void remark(std::uint32_t at, Mark mark) noexcept { lines_.remark(at, mark); }

  [[nodiscard]] bool pending(std::uint32_t at) const noexcept { return at < high_ && lines_.pending(at); }
  [[nodiscard]] Mark mark(std::uint32_t at) const noexcept { return lines_.mark(at); }

  /// Calls `visit(line)` for the pending lines from `from` on, until it answers false; whether it never did.
  template <class Visit>
  bool each_pending(std::uint32_t from, Visit&& visit) {
    bool lowest = from <= low_;
    return lines_.each_pending(std::max(from, low_), high_, [&](std::uint32_t at) {
      if (std::exchange(lowest, false)) low_ = at;
      return visit(at);
    });
  }
  [[nodiscard]] bool idle_lines() noexcept {
    low_ = lines_.next_pending(low_, high_);
    return low_ == high_;
  }

  /// The id of an entry that has been told.
  [[nodiscard]] Id id(std::uint32_t at) const noexcept { return log::Word{key(at) << log::Word::low_bits}.id(base_); }

  /// The first line that has been told whose id is at least `id`; one beyond them when there is none. O(log n).
  [[nodiscard]] std::uint32_t first_from(Id id) const noexcept {
    if (segment_) return log::first_slot_from(*segment_, high_, id);
    const std::uint64_t wanted = log::Word::key(base_, id);
    std::uint32_t from = noted_from_;
    for (std::uint32_t to = high_; from < to;) {
      const std::uint32_t middle = from + (to - from) / 2;
      if (key(middle) < wanted) from = middle + 1;
      else to = middle;
    }
    return from;
  }
  /// The line of a pending entry; capacity() when there is none.
  [[nodiscard]] std::uint32_t find(Id id) const noexcept {
    const std::uint32_t at = first_from(id);
    return at < high_ && pending(at) && this->id(at) == id ? at : capacity_;
  }

 private:
  using Key = std::array<std::uint16_t, 3>;  // log::Word::key() has 47 bits

  [[nodiscard]] static Key noted(std::uint64_t key) noexcept {
    return {static_cast<std::uint16_t>(key >> 32), static_cast<std::uint16_t>(key >> 16),
            static_cast<std::uint16_t>(key)};
  }

  [[nodiscard]] std::uint64_t key(std::uint32_t at) const noexcept {
    if (segment_) return segment_->slot(at).state().word.key();
    const Key& noted = keys_[at - noted_from_];
    return (std::uint64_t{noted[0]} << 32) | (std::uint64_t{noted[1]} << 16) | noted[2];
  }

  // Of the lines that may be pending. A void slot has no key, and takes on the one before it.
  [[nodiscard]] bool note_keys() noexcept {
    core::Owned<Key[]> keys(new (std::nothrow) Key[high_ - low_]);
    if (!keys) return false;
    std::uint64_t last = 0;
    for (std::uint32_t at = low_; at < high_; ++at) {
      const log::SlotState state = segment_->slot(at).state();
      if (!state.is_void()) last = state.word.key();
      keys[at - low_] = noted(last);
    }
    keys_ = std::move(keys);
    noted_from_ = low_;
    return true;
  }

  Owner* const owner_;
  const bool managed_;
  Segment* const where_ = nullptr;  // null for a page beside nothing
  const std::uint64_t number_ = 0;
  const std::uint64_t first_ = 0;
  const Id base_;
  const std::uint32_t capacity_;
  std::uint32_t low_ = 0;   // what may be pending is in [low_, high_)
  std::uint32_t high_ = 0;  // no line from here on has been told
  std::uint32_t due_ = 0;   // calls of idle() that will come
  std::uint32_t noted_from_ = 0;
  sync::atomic<std::uint64_t> references_{0};
  Hold segment_;
  Lines lines_;
  core::Owned<Key[]> keys_;  // from noted_from_ on, while there is no segment
};

}  // namespace brook::group
