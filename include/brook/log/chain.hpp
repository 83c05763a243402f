// chain.hpp — segments that already hold values, ready to be linked behind the tail at one stroke.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/id.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/pool.hpp>
#include <brook/log/segment.hpp>

namespace brook::log {

/// How many of the first `end` slots hold entries, erased ones included. All are settled. O(1) when none is void.
template <class Payload>
[[nodiscard]] std::uint32_t entries_in(Segment<Payload>& segment, std::uint32_t end) noexcept {
  if (segment.voids.load(sync::relaxed) == 0) return end;  // AE
  std::uint32_t entries = 0;
  for (std::uint32_t at = 0; at < end; ++at) entries += segment.holds_entry(at, segment.slot(at).state()) ? 1 : 0;
  return entries;
}

/// The id of the last entry, erased or not, before slot `end`; that of an earlier segment when there is none here.
template <class Payload>
[[nodiscard]] Id last_entry_before(Segment<Payload>& segment, std::uint32_t end) noexcept {
  while (end-- > 0) {
    const SlotState state = segment.slot(end).state();
    if (segment.holds_entry(end, state)) return segment.id(state);
  }
  return segment.last_before();
}

/// Segment sizes: small at first, so that a process can have 100,000 short streams, and doubling up to a bound in bytes,
/// which is what a reader that stopped can keep, or 16 entries where those are more.
template <class Payload>
struct SegmentSizes {
  static constexpr std::size_t smallest = std::clamp<std::size_t>(512 / sizeof(Slot<Payload>), 2, 8);
  static constexpr std::size_t largest =
      std::clamp<std::size_t>(65'536 / (sizeof(Slot<Payload>) + bytes_elsewhere<Payload>), 16, Segment<Payload>::full);

  [[nodiscard]] static std::size_t after(std::uint32_t entries) noexcept {
    return std::clamp(std::size_t{entries} * 2, smallest, largest);
  }
};

/// Where the jump of a segment behind `before` leads. Myers' rule: where two jumps of equal length end at `before`, over both;
/// else to `before`. A jump into what has been trimmed is as good as any: nobody will go there.
template <class Payload>
[[nodiscard]] typename Segment<Payload>::Reference jump_over(Segment<Payload>& before) noexcept {
  const auto one = before.jump();
  const auto two = one.segment->jump();
  const std::uint64_t number = before.life().number;
  if (one.segment->is(one.number) && number - one.number == one.number - two.number) return two;
  return {&before, number, before.life().base};
}

template <class Payload>
class Chain {
 public:
  using Segment = log::Segment<Payload>;

  /// Moves the values, be there none, into new segments that continue `tail`, which the caller holds and whose slots are all settled.
  /// Throws std::bad_alloc, and then the values are back.
  Chain(SegmentPool<Payload>& pool, Segment& tail, Id base, const Values<Payload>& values)
      : pool_(pool), values_(values) {
    core::Undo undo([this] { discard(); });
    Segment* before = &tail;
    std::uint32_t entries = entries_in(tail, tail.capacity());
    Id last = last_entry_before(tail, tail.capacity());
    std::size_t done = 0;
    do {
      Segment& segment = pool.take(capacity(values.size() - done, entries, base));
      entries = fill(segment, *before, base, last, entries, values.from(done));
      if (first_ == nullptr) first_ = &segment;
      else before->next.store(&segment, sync::relaxed);  // AO
      done += entries;
      last = {base.ms, base.seq + entries - 1};
      if (done < values.size()) base = last.next();
      before = &segment;
    } while (done < values.size());
    undo.keep();
  }

  /// Discards the segments and gives the values back, unless they were released.
  ~Chain() { discard(); }

  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  /// Whether `count` ids starting at `base` exist.
  [[nodiscard]] static bool ids_left(Id base, std::size_t count) noexcept {
    constexpr auto top = std::numeric_limits<std::uint64_t>::max();
    return base.ms != top || top - base.seq >= count - 1;
  }

  [[nodiscard]] Segment* first() const noexcept { return first_; }

  /// The chain is in the log. How many entries the log has ever got with it.
  [[nodiscard]] std::uint64_t release() noexcept {
    first_ = nullptr;
    return added_;
  }

 private:
  // At least the growing size, and all values if they fit; but no slot that would have no id left in its millisecond.
  [[nodiscard]] static std::uint32_t capacity(std::size_t values, std::uint32_t entries, Id base) noexcept {
    constexpr auto top = std::numeric_limits<std::uint64_t>::max();
    const std::size_t wanted =
        std::min(std::max(values, SegmentSizes<Payload>::after(entries)), SegmentSizes<Payload>::largest);
    return static_cast<std::uint32_t>(top - base.seq < wanted ? top - base.seq + 1 : wanted);
  }

  // Returns how many values went into the segment.
  std::uint32_t fill(Segment& segment, Segment& before, Id base, Id last, std::uint32_t entries_before,
                     const Values<Payload>& values) noexcept {
    const auto capacity = segment.slots_size();
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(values.size(), capacity));
    for (std::uint32_t i = 0; i < count; ++i) {
      values.move_to(i, segment.slot(i));
      segment.slot(i).prefill(SlotState::ready_with(Word{std::uint64_t{i} << Word::low_bits}));
    }
    const auto& previous = before.life();
    pool_.begin(segment,
                {.number = previous.number + 1,
                 .first = previous.first + previous.capacity,
                 .added_before = previous.added_before + entries_before,
                 .base = base,
                 .capacity = capacity,
                 .prefilled = count},
                last, &before, jump_over(before));
    added_ = previous.added_before + entries_before + count;
    return count;
  }

  void discard() noexcept {
    std::size_t i = 0;
    for (Segment* segment = std::exchange(first_, nullptr); segment != nullptr;) {
      for (std::uint32_t at = 0; at < segment->life().prefilled; ++at, ++i) {
        values_.take_back(i, segment->slot(at));
        segment->slot(at).reset();
      }
      Segment* const next = segment->next.load(sync::relaxed);  // AO
      if (segment->pins.retire()) pool_.end(*segment);
      segment = next;
    }
  }

  SegmentPool<Payload>& pool_;
  Values<Payload> values_;
  Segment* first_ = nullptr;
  std::uint64_t added_ = 0;
};

}  // namespace brook::log
