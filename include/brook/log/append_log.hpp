// append_log.hpp — a log that any number of threads append to at once, and read while they do.
//
// Use it    where every reader must see every entry, in one order, at its own pace.
// Not for   taking entries away from the middle or either end: see log/timeline.hpp for erasing and trimming.
//
// Shape     head_ ─▶ segment ─▶ segment ─▶ … ─▶ segment ◀─ tail_
//           Segments grow from a few slots to a few thousand. All before the tail are full and settled.
//
// Append    claim     one fetch_add on the tail's claim word takes a slot and an id together. A claimed slot that is not
//                     settled keeps its segment from being retired, so no further protection is needed. Several slots, or
//                     an id that is not simply the next one, are claimed by compare-and-swap, with the tail held
//           fill      construct the payload in the slot
//           settle    see to it that all slots before are settled (log/settle.hpp)
//           publish   one compare-and-swap of the slot's state: the instant at which the append takes effect
//           A full tail is followed by a segment whose first slots already hold the values: linking it is the publish.
//
// Invariants
//   I1  The settled slots of a segment are its first ones.
//   I2  A segment is linked only after all slots of its predecessor are settled. So the log has one end.
//   I3  Ids increase with positions.
//   I4  A segment with a claimed, unsettled slot is not retired; the owner of a voided slot has a pin until it noticed.
//   I5  Headers are type-stable: the claim of a thread with an old pointer meets a word that is full or unopened, which
//       is harmless, or is a claim in the segment's present life, as good as any.
//
// Sealing   A sealed tail is full and linked to itself. Nothing can be linked behind it any more.
//
// Linearizable   append takes effect at its publish; a look at the end at its last load of an unsettled slot (or of a
//                null `next`): by I1 and I2 all before is there, and nothing behind it is.
// Lock-free      an append is undone only by a thread that claimed a later slot and publishes after bounded waiting,
//                which in turn is undone only by a still later one; a segment ends, and linking the next one completes
//                an append.
//
// Memory orders
//   row  thread    operation               order     meets  because
//   AF   appender  read tail_              acquire   AG     a base read before the claim; what counts is read after AH
//   AG   helper    move tail_              release   AF     the segment's header
//   AH   claimer   claim a slot            acquire   AI     the header and empty slots of the life that it claims in
//   AI   helper    open a segment          release   AH     the same; every later claim continues this release sequence
//   AJ   holder    claim several slots     relaxed   -      as AH, but the header came with the hold
//   A    linker    next: null -> segment   seq_cst   AK     releases header, ids, payloads; row A of wait/gate.hpp
//   AK   anyone    read next               acquire   A      acquires them
//   D    sleeper   look at next            seq_cst   A      row D of wait/gate.hpp
//   AL   holder    is it still the tail    acquire   AG     it is linked in this life: F hides the tails of earlier ones
//   AM   trimmer   move head_              release   AN     the segment's header
//   AN   reader    read head_              acquire   AM     the same
//   AD   passer    voids += n              relaxed   AE     before the slot is voided, and row N releases it
//   AE   counter   read voids              relaxed   AD     after a void slot was acquired, so 0 means that there is none
//   AO   anyone    private or failed       relaxed   -      nobody else has the segment, or nothing is learnt
//   AP   anyone    read claims, next,      relaxed   -      only the value counts: what lies behind it is acquired by AF,
//                  tail_                                  AH, F, with the slots, or with the end of a view
// Lifetime  no call is running when the log dies; holds may outlive it
// Proof     tests/model/append_log_model.cpp tests/model/append_log_fibers.cpp tests/model/group_model.cpp
// Tried     a lock around it all (bench/append.cpp); readers that settle, but a reader then may have to wait
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <brook/core/back_off.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/log/chain.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/part.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/pool.hpp>
#include <brook/log/request.hpp>
#include <brook/log/segment.hpp>
#include <brook/log/settle.hpp>

namespace brook::log {

template <class Payload>
class AppendLog {
 public:
  using Segment = log::Segment<Payload>;
  using Hold = log::Hold<Payload>;
  using Values = log::Values<Payload>;

  /// The end of the log at one instant: all before `slot` of `segment`, and nothing from there on.
  struct End {
    Hold segment;
    std::uint32_t slot = 0;
    bool sealed = false;  // nothing will ever follow

    /// Position in the log: how many slots there are before the end.
    [[nodiscard]] std::uint64_t position() const noexcept { return segment->life().first + slot; }
    /// Entries ever added before the end.
    [[nodiscard]] std::uint64_t added() const noexcept {
      return segment->life().added_before + entries_in(*segment, slot);
    }
    /// The id of the last entry before the end; 0-0 when there never was one.
    [[nodiscard]] Id last_id() const noexcept { return last_entry_before(*segment, slot); }
    /// For a sleeper: whether the log has grown or was sealed since. Reads what appenders write, with seq_cst.
    [[nodiscard]] bool moved() const noexcept {
      if (slot < segment->capacity()) return segment->slot(slot).settled_or_followed();
      return segment->next.load(sync::seq_cst) != nullptr;  // D
    }
  };

  AppendLog() : pool_(new SegmentPool<Payload>) {
    core::Undo undo([this] { pool_->leave(); });
    Segment& origin = pool_->begin_log();
    head_.store(&origin, sync::relaxed);  // AO
    tail_.store(&origin, sync::relaxed);  // AO
    undo.keep();
  }

  /// One that begins with segments that are made already (log/rebuild.hpp), and owns them and the pool.
  AppendLog(SegmentPool<Payload>& pool, Segment& first, Segment& last) noexcept : pool_(&pool) {
    head_.store(&first, sync::relaxed);  // AO
    tail_.store(&last, sync::relaxed);   // AO
  }

  ~AppendLog() {
    for (Segment* segment = head_.load(sync::relaxed); segment != nullptr;)  // AO
      retire(*std::exchange(segment, following(*segment)));
    pool_->leave();
  }

  AppendLog(const AppendLog&) = delete;
  AppendLog& operator=(const AppendLog&) = delete;

  /// Appends all values at one instant, with consecutive ids. On an error, and when it throws std::bad_alloc, nothing
  /// has changed and `values` are as they were; else they have been moved from. Requires at least one value.
  [[nodiscard]] expected<Appended, Errc> append(const Values& values, const Request& request) {
    expected<Appended, Errc> appended;
    if (!append_next(values, request, *appended)) appended = append_anyhow(values, request);
    return appended;
  }

  /// To be called behind an append, when no lock is held, and everybody knows of it: who has met others lets them go on.
  void take_turns(const Appended& appended) noexcept {
    if (appended.met) [[unlikely]]
      appenders_.met(tail_.load(sync::acquire)->claims, appended.added);  // AF
  }

  /// Appends one value, which is an entry only when the part's decision has been made (log/joint.hpp).
  [[nodiscard]] expected<Appended, Errc> prepare(const Values& value, const Request& request, Part<Payload>& part) {
    return append_anyhow(value, request, &part);
  }

  /// The end of the log at an instant during the call. Lock-free.
  [[nodiscard]] End end() noexcept {
    for (;;) {
      Hold tail = hold_tail();
      if (!tail) continue;
      const Word claims{tail->claims.load(sync::relaxed)};  // AP
      const std::uint32_t slot = settled_before(*tail, tail->slot_of(claims));
      if (slot < tail->capacity()) return {std::move(tail), slot};
      const Segment* const next = tail->next.load(sync::relaxed);  // AP
      if (next == nullptr || next == tail.get()) return {std::move(tail), slot, next != nullptr};
      advance(*tail);
    }
  }

  /// Ends the log for good, at one instant: every later append answers Errc::closed. Lock-free.
  void seal() noexcept {
    for (;;) {
      const Hold tail = hold_tail();
      if (!tail) continue;
      close(*tail, Word{tail->claims.load(sync::relaxed)});                                    // AP
      if (tail->slot_of(Word{tail->claims.load(sync::relaxed)}) < tail->capacity()) continue;  // AP
      settle(*tail, tail->capacity());
      Segment* next = nullptr;
      const bool won = tail->next.compare_exchange_strong(next, tail.get(), sync::seq_cst, sync::relaxed);  // A AP
      if (won || next == tail.get()) return;
      advance(*tail);
    }
  }

  [[nodiscard]] bool sealed() const noexcept { return tail_.load(sync::acquire)->sealed(); }  // AF

  /// The oldest segment that was not trimmed. Only a thread that may drop it can rely on what it reads there.
  [[nodiscard]] Segment& head() const noexcept { return *head_.load(sync::acquire); }  // AN

  /// The segment linked behind one that the caller holds; null when there is none.
  [[nodiscard]] static Segment* following(const Segment& segment) noexcept {
    Segment* const next = segment.next.load(sync::acquire);  // AK
    return next == &segment ? nullptr : next;
  }

  /// Unlinks and retires the head; for one thread at a time, and only while the head is not the tail. O(its slots) when
  /// nobody holds it.
  void drop_head() noexcept {
    Segment& head = *head_.load(sync::relaxed);                 // AO
    head_.store(head.next.load(sync::relaxed), sync::release);  // AP AM
    retire(head);
  }
  [[nodiscard]] bool head_is_tail() const noexcept {
    return head_.load(sync::relaxed) == tail_.load(sync::acquire);  // AO AF
  }

 private:
  struct Claim {
    Segment& segment;
    std::uint32_t at;
    Word word;  // with the id of the first value

    [[nodiscard]] Appended appended(std::size_t count) const noexcept {
      return {word.id(segment.life().base), segment.life().added_before + at + count};
    }
  };

  // One append on its way. Each step that it tries answers whether it is over, with `result`.
  struct Attempt {
    Values values;
    Request request;
    Part<Payload>* part = nullptr;  // in a joint append
    expected<Appended, Errc> result{};
  };

  static void retire(Segment& segment) noexcept {
    if (segment.pins.retire()) core::Later::run(segment);
  }

  // Holds the tail, if it still is that once it is held; else an empty hold.
  [[nodiscard]] Hold hold_tail() const noexcept {
    Segment* const tail = tail_.load(sync::acquire);  // AF
    Hold hold = Hold::of_any_life(tail);
    return hold && tail_.load(sync::acquire) == tail ? std::move(hold) : Hold();  // AL
  }

  // The common case: one value into the next slot with the next id, by one fetch_add. False when it is another case.
  [[nodiscard]] bool append_next(const Values& values, const Request& request, Appended& appended) noexcept {
    Segment& tail = *tail_.load(sync::acquire);        // AF
    const Word seen{tail.claims.load(sync::relaxed)};  // AP
    const bool next_will_do = values.size() == 1 && request.any_time() && request.ms() <= tail.base_ms() + seen.ms();
    if (seen.low() >= Segment::full || !next_will_do) return false;
    const Word word{tail.claims.fetch_add(Word::one_entry, sync::acquire)};  // AH
    if (word.low() >= Segment::full) return false;
    const Claim claim{tail, tail.slot_of(word), word};
    appended = claim.appended(1);
    if (appended.first.ms >= request.ms()) [[likely]]
      return publish_one(claim, values, appended.met);
    // The header was recycled between the look and the claim, and the id is behind the clock: give the slot up.
    settle(tail, claim.at);
    abandon(tail, claim.at, claim.at + 1);
    return false;
  }

  // Every case. Not inline: it would cost the common one its registers.
  [[nodiscard, gnu::noinline]] expected<Appended, Errc> append_anyhow(Values values, Request request,
                                                                      Part<Payload>* part = nullptr) {
    Attempt attempt{values, request, part};
    while (part != nullptr || !append_next(values, request, *attempt.result)) {
      Segment& tail = *tail_.load(sync::acquire);        // AF
      const Word seen{tail.claims.load(sync::relaxed)};  // AP
      if (seen.low() < Segment::full ? append_exactly(tail, attempt) : roll(tail, attempt)) break;
    }
    return attempt.result;
  }

  // Several slots, or an id that is not simply the next one: by compare-and-swap, with the tail held.
  [[nodiscard]] bool append_exactly(Segment& tail, Attempt& attempt) noexcept {
    const Hold hold = hold_tail();
    if (!hold || hold.get() != &tail) return false;
    const std::size_t count = attempt.values.size();
    const Id base = tail.life().base;
    Word seen{tail.claims.load(sync::relaxed)};  // AP
    while (seen.low() < Segment::full) {
      const expected<Id, Errc> id = attempt.request.after(seen.id(base).prev());
      if (!id && refused(tail, tail.slot_of(seen), attempt)) return true;
      const bool room = Segment::full - seen.low() >= count;
      Word word;
      if (!id || !room || !Word::tell(base, *id, seen.low(), word)) {
        close(tail, seen);
        return false;
      }
      const std::uint64_t taken = word.bits + count * Word::one_entry;
      if (!tail.claims.compare_exchange_strong(seen.bits, taken, sync::relaxed, sync::relaxed)) continue;  // AJ AP
      const Claim claim{tail, tail.slot_of(word), word};
      attempt.result = claim.appended(count);
      if (attempt.part != nullptr) return attempt.part->join(hold, claim.at, claim.word, attempt.values);
      return count == 1 ? publish_one(claim, attempt.values, attempt.result->met)
                        : publish_batch(claim, attempt.values);
    }
    return false;
  }

  // Whether no entry can have the id that is asked for, given those that are there. A claim that was voided, or will be,
  // may have taken a higher id than any entry has.
  [[nodiscard]] static bool refused(Segment& segment, std::uint32_t end, Attempt& attempt) noexcept {
    settle(segment, end);
    const expected<Id, Errc> id = attempt.request.after(last_entry_before(segment, end));
    if (!id) attempt.result = unexpected(id.error());
    return !id;
  }

  // Claims what is left of the tail and makes it void, so that the next segment can start with another base id.
  static void close(Segment& tail, Word seen) noexcept {
    if (seen.low() >= Segment::full) return;
    if (!tail.claims.compare_exchange_strong(seen.bits, seen.with_low(Segment::full).bits, sync::relaxed,  // AJ
                                             sync::relaxed))                                               // AO
      return;
    settle(tail, tail.slot_of(seen));
    abandon(tail, tail.slot_of(seen), tail.capacity());
  }

  // Makes slots void that the caller has claimed. All before are settled.
  static void abandon(Segment& segment, std::uint32_t from, std::uint32_t to) noexcept {
    segment.voids.fetch_add(to - from, sync::relaxed);  // AD
    std::uint32_t passed = 0;
    for (std::uint32_t at = from; at < to; ++at) passed += segment.slot(at).made_void_by_another() ? 1 : 0;
    while (passed-- > 0) Hold::drop(segment);
  }

  // False when the claim was passed: the values are back where they were.
  [[nodiscard]] static bool publish_one(const Claim& claim, const Values& values, bool& met) noexcept {
    Segment& segment = claim.segment;
    Slot<Payload>& slot = segment.slot(claim.at);
    values.move_to(0, slot);
    met = settle(segment, claim.at);
    if (slot.publish(claim.word)) [[likely]]
      return true;
    values.take_back(0, slot);
    Hold::drop(segment);
    return false;
  }

  [[nodiscard]] static bool publish_batch(const Claim& claim, const Values& values) noexcept {
    Segment& segment = claim.segment;
    const auto count = static_cast<std::uint32_t>(values.size());
    for (std::uint32_t i = 0; i < count; ++i) values.move_to(i, segment.slot(claim.at + i));
    for (std::uint32_t i = 1; i < count; ++i)
      segment.slot(claim.at + i).follow(Word{claim.word.bits + i * Word::one_entry}, i);
    settle(segment, claim.at);
    // A follower is passed only after the first slot was, so this fails whenever one of them was.
    if (segment.slot(claim.at).publish(claim.word)) return true;
    for (std::uint32_t i = count; i-- > 0;) {  // the first slot, which is void, has the last pin
      values.take_back(i, segment.slot(claim.at + i));
      if (segment.slot(claim.at + i).state().is_void()) Hold::drop(segment);
    }
    return false;
  }

  // Links a segment that starts with the values after a full tail, or helps whoever did so. For a joint append it links an
  // empty one, and a slot of it is still to be claimed.
  [[nodiscard]] bool roll(Segment& tail, Attempt& attempt) {
    const Hold hold = hold_tail();
    if (!hold || hold.get() != &tail) return false;
    // The look that brought us here may have been at an earlier life; slots that nobody claimed must not be passed.
    if (Word{tail.claims.load(sync::relaxed)}.low() < Segment::full) return false;  // AP
    if (tail.next.load(sync::relaxed) == nullptr) {                                 // AP
      if (refused(tail, tail.capacity(), attempt)) return true;
      const Id base = *attempt.request.after(last_entry_before(tail, tail.capacity()));
      if (!Chain<Payload>::ids_left(base, attempt.values.size())) {
        attempt.result = unexpected(Errc::id_exhausted);
        return true;
      }
      Chain<Payload> chain(*pool_, tail, base, attempt.part != nullptr ? Values(nullptr, 0) : attempt.values);
      Segment* none = nullptr;
      if (tail.next.compare_exchange_strong(none, chain.first(), sync::seq_cst, sync::relaxed)) {  // A AP
        attempt.result = Appended{base, chain.release(), true};
        advance(tail);
        return attempt.part == nullptr;
      }
    }
    if (tail.sealed()) {
      attempt.result = unexpected(Errc::closed);
      return true;
    }
    advance(tail);
    return false;
  }

  // Opens the successor of a full segment for claims and makes it the tail, unless that has been done. The caller holds
  // `full`. The successor is held before it is opened, so it cannot have begun another life by then.
  void advance(Segment& full) noexcept {
    Segment* const next = full.next.load(sync::acquire);  // AK
    const Hold hold = Hold::of_any_life(next);
    if (!hold || tail_.load(sync::relaxed) != &full) return;  // AP
    const auto& life = hold->life();
    const std::uint64_t opened =
        (std::uint64_t{life.prefilled} << Word::low_bits) | (Segment::full - life.capacity + life.prefilled);
    Word claims{next->claims.load(sync::relaxed)};                                                         // AP
    while (claims.unopened() && !next->claims.compare_exchange_strong(claims.bits, opened, sync::release,  // AI
                                                                      sync::relaxed)) {                    // AP
    }
    Segment* expected = &full;
    tail_.compare_exchange_strong(expected, next, sync::release, sync::relaxed);  // AG AO
  }

  // All change once a segment at most, or seldom, so they share a line that every thread can keep.
  alignas(core::cache_line) sync::atomic<Segment*> tail_{nullptr};
  sync::atomic<Segment*> head_{nullptr};
  SegmentPool<Payload>* const pool_;
  core::BackOff<20> appenders_;
};

}  // namespace brook::log
