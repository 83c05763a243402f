// state.hpp — one consumer group: how far it has read, what is pending with whom. (What is delivered again: redelivery.hpp.)
//
// Every change but an acknowledgement is made with the mutex held; acknowledging clears a bit without it (group/lines.hpp).
// So with the mutex what is pending can only become less, and two equal counts tell what was pending in between.
//
// Lifetime  The state lives as long as a handle, the stream, or a delivery: each page that deliveries refer to owns a
//           share of it. When the last handle goes, the cursor gives up its page, which would otherwise keep the state.
//
// Memory orders
//   row  thread    operation    order    meets  because
//   GG   anyone    owners += 1  relaxed  -      by an owner
//   GH   owner     owners -= 1  acq_rel  GH     everything happened before the state ends
//   GI   caller    owners -= 1  relaxed  -      by who is another owner: not the last
//   GJ   caller    read standing relaxed -      only whether it is gone counts
//   GK   group     clears_early relaxed  GL     before a line is cleared
//                  := true
//   GL   acker     clears_early relaxed  GK     after it acquired the cleared line, by row GN of group/lines.hpp
// Proof    tests/model/group_model.cpp
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/late.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/group/batch.hpp>
#include <brook/group/key_order.hpp>
#include <brook/group/ledger.hpp>
#include <brook/group/locked.hpp>
#include <brook/group/mark.hpp>
#include <brook/group/notes.hpp>
#include <brook/group/page.hpp>
#include <brook/group/queue.hpp>
#include <brook/group/returned.hpp>
#include <brook/group/roster.hpp>
#include <brook/id.hpp>
#include <brook/log/cursor.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/redelivery.hpp>
#include <brook/stream/state.hpp>

namespace brook::group {

template <class T>
class State final : private Page<log::PayloadOf<T>>::Owner {
 public:
  using StreamState = stream::State<T>;
  using Payload = log::PayloadOf<T>;
  using Page = group::Page<Payload>;
  using Ledger = group::Ledger<Payload>;
  using Place = typename Ledger::Place;
  using Batch = group::Batch<Payload>;
  using Scan = log::Scan<Payload>;
  using Hold = log::Hold<Payload>;
  using View = typename StreamState::View;

  [[nodiscard]] static std::shared_ptr<State> make(const std::shared_ptr<StreamState>& stream, std::string_view name,
                                                   Id start, const GroupOptions<T>& options) {
    struct Abandon {
      void operator()(State* state) const noexcept {
        state->abandon();
        state->leave();
      }
    };
    std::shared_ptr<State> state(new State(stream, name, options), Abandon());
    state->start_after(*stream, start);
    return state;
  }

  /// Fills an empty batch with what there is for a member, which becomes pending with it: what came back to the group,
  /// what has been pending for `claim_idle`, and what is new. Throws std::bad_alloc, and then nothing was delivered.
  void take(StreamState& stream, Member& member, const ReadOptions& reading, Batch& batch) {
    if (reading.count == 0) return;
    stream.expire();
    const Forget forget{scan_};
    const Clock::time_point now = stream.clock().now();
    const Instant time = instant(now);
    batch.begin(member.recipient());
    if (returned.due() <= time || next_expiry_ <= time || reading.claim_idle || managed()) [[unlikely]] {
      take_with_care(stream, member, reading, now, batch);
    } else if (find_new(stream, reading.count)) {
      batch.reserve(scan_.run_count());
      prepare_pages(reading.no_ack);
      take_new(member, time, reading.no_ack, batch);
    }
    member.seen = now;
    if (!batch.empty()) member.active = now;
  }

  /// When there may be something for a blocked consumer that nobody announces: entries come back, or have been pending for
  /// long enough. time_point::max() when nothing of that kind is ahead.
  [[nodiscard]] Clock::time_point next_due(const Member& member, const ReadOptions& reading);

  /// Whether an entry has been with its consumer for so long, or is with nobody.
  [[nodiscard]] bool idle_for(const Place& place, std::chrono::milliseconds idle, Instant now) const noexcept {
    const Mark mark = place.mark();
    return mark.consumer() == nobody || is_idle(mark.time(), idle, now);
  }
  /// Makes an entry that is in the stream pending with a member, unless it is pending already (XCLAIM FORCE). What it
  /// returns must outlive the lock. Throws std::bad_alloc.
  [[nodiscard]] Share<Payload> force_pending(StreamState& stream, const Member& member, Id id);

  /// Whether a pending entry, whose segment is held, is still there after these edits.
  [[nodiscard]] static bool still_shown(const log::EditState& edits, log::Segment<Payload>& segment,
                                        const Place& place) noexcept {
    return edits.boundary <= place.page->first() + place.at && log::shows(edits, segment, place.at);
  }

  /// Ends a pending entry as a dead letter. Throws what copying the value throws, and then it is pending still.
  void bury(StreamState& stream, const Place& place, DeathReason reason, Clock::time_point now);

  /// Gives an entry that is with somebody back to the group after one delivery more or less. Throws what bury() does and
  /// std::bad_alloc, and then nothing has changed.
  void give_back(StreamState& stream, const Place& place, std::uint64_t count,
                 std::optional<std::chrono::milliseconds> delay, Clock::time_point now);

  /// Gives back what a consumer has who is to be deleted; how many were pending. Throws std::bad_alloc, and what copying a
  /// value throws; some may have become dead letters then.
  std::size_t hand_back(StreamState& stream, std::vector<Place>& places);

  // — what a managed group keeps count of: who has how many, and whose turn it is —

  /// Whether acknowledgements take the mutex, because something may be delivered only after them.
  [[nodiscard]] bool managed() const noexcept override { return managed_; }

  /// How many more entries may be with a member.
  [[nodiscard]] std::size_t room_for(const Member& member) const noexcept {
    const auto left = [](std::size_t most, std::size_t now) {
      return most == 0 ? no_limit : most - std::min(most, now);
    };
    return std::min(left(options.max_in_flight, in_flight_), left(options.max_in_flight_of_consumer, member.in_flight));
  }

  /// A pending entry is with somebody else from now on; or with nobody, and then that has been noted. Whether it is pending
  /// still.
  bool assign(const Place& place, Mark mark) noexcept;

  /// Lines that become pending, or are pending and delivered anew. Requires that the page has lines.
  void tell(Page& page, std::uint32_t first, std::uint32_t count, Mark mark) noexcept;

  /// Whether the group wants nothing more of an entry that is in the stream.
  [[nodiscard]] bool done_with(Id id) noexcept {
    return id <= last_delivered && ledger.find(id).page == nullptr && !order.undelivered().contains(id);
  }

  /// An entry is done with; whether it was pending until now.
  bool finish(const Place& place) noexcept {
    if (!place.page->end(place.at)) return false;
    note_end(place);
    return true;
  }

  /// The same for several at one instant. False, and nothing has changed, when one was not pending any more.
  [[nodiscard]] bool finish_all(const std::vector<Place>& places) noexcept;
  /// Where the group goes on; a look at whether it moved is made with seq_cst.
  [[nodiscard]] const log::Cursor<Payload>& cursor() const noexcept { return cursor_; }
  /// Whether there may be something after the cursor. With seq_cst.
  [[nodiscard]] bool moved() const noexcept { return cursor_.moved() && !at_last_end(); }
  /// Whether nothing will ever follow, be it new or again, but for what is with consumers. Asked when there was nothing.
  /// O(log n) for each entry that waits and has left the stream.
  [[nodiscard]] bool drained(StreamState& stream);

  /// How far the group has come, at an instant during the call.
  struct Progress {
    std::uint64_t lag = 0;   // entries that are yet to be delivered for the first time
    std::uint64_t read = 0;  // how many of all that were ever added are not
    std::uint64_t lost = 0;  // entries that left the stream before they were delivered
  };
  /// O(segments), or O(log n) for each entry that waits for its turn.
  [[nodiscard]] Progress progress(StreamState& stream);

  /// The group goes on after `id`.
  void move_to(StreamState& stream, Id id) {
    lost_ = progress(stream).lost;
    order.rewind();
    start_after(stream, id);
    if (auto* const witness = notes.witness()) witness->moved(progress_image());
  }
  void start_after(StreamState& stream, Id id) {
    const auto rest = stream.rest_after(id);
    last_delivered = id;
    sought_ = false;
    start_ = rest.added - rest.entries;
    ahead_ = id > rest.last;
    if (ahead_) stream.note_group_ahead();
    delivered_ = 0;
  }

  /// References to a page beside a segment that the caller holds.
  void refer(Page& page, std::uint64_t references, const Hold& held) noexcept {
    if (page.refer_anew(references, held)) owners_.fetch_add(1, sync::relaxed);  // GG
  }

  /// What is pending at an instant during the call; `counts` is filled with how much by consumers' numbers. What is pending
  /// can only become less meanwhile, so two equal counts tell what it was in between. Throws std::bad_alloc.
  [[nodiscard]] PendingSummary count_pending(std::vector<std::uint64_t>& counts);

  /// Pending entries, at an instant during the call as well. Throws std::bad_alloc.
  [[nodiscard]] core::Late<T, std::vector<PendingEntry>> list_pending(const PendingOptions& which, Instant now);

  /// Ends the group: nothing is pending any more, and the cursor keeps nothing. How much was pending.
  std::size_t end() noexcept;

  [[nodiscard]] Instant instant(Clock::time_point time) const noexcept {
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(time - made_).count();
    constexpr auto most = static_cast<std::int64_t>(group_made);
    return static_cast<Instant>(std::clamp<std::int64_t>(ms, -most, most - 1) + most);
  }

  /// Why an operation cannot take place, if so.
  [[nodiscard]] std::optional<Errc> refusal(const StreamState& stream) const noexcept {
    if (stream.standing.load(sync::relaxed) == Standing::gone) return Errc::closed;  // GJ
    if (destroyed) return Errc::no_such_group;
    return std::nullopt;
  }

  [[nodiscard]] Clock::time_point time(Instant instant) const noexcept {
    using std::chrono::milliseconds;
    return made_ + milliseconds(static_cast<std::int64_t>(instant) - static_cast<std::int64_t>(group_made));
  }

  const std::string name;
  const GroupOptions<T> options;
  sync::mutex mutex;  // guards all that follows
  Id last_delivered{};
  core::Late<T, Ledger> ledger;
  core::Late<T, Roster> roster;
  core::Late<T, Returned> returned;
  core::Late<T, KeyOrder> order;
  Queue<State> queue;
  core::Late<T, Notes> notes;
  bool destroyed = false;

  [[nodiscard]] core::Recorder* recorder() const noexcept { return notes.recorder(); }
  [[nodiscard]] ProgressImage progress_image() const noexcept {
    return {last_delivered, start_, delivered_, lost_, ahead_};
  }

  /// As of the roster; who comes anew is noted.
  [[nodiscard]] std::shared_ptr<Member> enlist(std::string_view member_name, const Clock& clock);
  [[nodiscard]] Member* present(const std::shared_ptr<Member>& member, const Clock& clock) {
    return member->number != nobody ? member.get() : come_again(member, clock);
  }

 private:
  template <class U>
  friend class Image;
  static constexpr Instant dead_letter_pause = 100;  // ms until a dead letter that was refused is offered again

  // Whether the cursor stands where the log was sealed.
  [[nodiscard]] bool at_last_end() const noexcept {
    return cursor_.segment && cursor_.slot == cursor_.segment->capacity() && cursor_.segment->sealed();
  }

  // Drops, at the end of a read, what the scan held for it.
  struct Forget {
    Scan& scan;
    ~Forget() { scan.clear(); }
  };

  State(const std::shared_ptr<StreamState>& stream, std::string_view its_name, const GroupOptions<T>& given)
      : name(its_name),
        options(given),
        ledger(*this),
        managed_(given.ordered_by || given.max_in_flight > 0 || given.max_in_flight_of_consumer > 0 ||
                 stream->options.until_acked || stream->recorder() != nullptr),
        stream_(stream),
        made_(std::chrono::floor<std::chrono::milliseconds>(stream->clock().now())) {}
  ~State() = default;

  void idle(Page& page) noexcept override;
  std::uint32_t acknowledge(Page& page, std::uint32_t at, std::uint32_t count) noexcept override;
  void release_lines(const Page& page, std::uint32_t at, std::uint32_t count) noexcept;

  Outcome watch(Operation operation, Recipient by, Id id, const Perform& perform) override;
  bool nack(Page& page, std::uint32_t at, Delivered delivered, const NackOptions& how) override;
  bool forward(Page& page, std::uint32_t at, Delivered delivered, typename Page::Add add) override;
  [[nodiscard]] bool clears_early() const noexcept override { return clears_early_.load(sync::relaxed); }  // GL

  // Whether an entry is still with the consumer to whom it was delivered, by this delivery.
  [[nodiscard]] bool still_with(const Place& place, Delivered delivered) const noexcept {
    return !destroyed && place.page->pending(place.at) && place.mark().consumer() == delivered.to.number &&
           roster.member(delivered.to.number).term == delivered.to.term &&
           place.mark().count() == std::min(delivered.count, Mark::most_counted);
  }
  template <class AddTo>
  void move_out(const Place& place, Mark refused, AddTo&& add);

  void abandon() noexcept {
    const Locked held(*this);
    give_up();
  }

  // The cursor keeps nothing any more.
  void give_up() noexcept {
    give_up_stock();
    cursor_ = {};
    sought_ = false;
  }

  void leave() noexcept {
    if (owners_.fetch_sub(1, sync::acq_rel) == 1) delete this;  // GH
  }

  // group/redelivery.hpp
  [[nodiscard]] bool spent(std::uint64_t count) const noexcept {
    return options.max_deliveries > 0 && count >= options.max_deliveries;
  }
  void take_with_care(StreamState& stream, Member& member, const ReadOptions& reading, Clock::time_point now,
                      Batch& batch);
  void look_for_new(StreamState& stream);
  // A line was cleared, and its entry is done with.
  void note_end(const Place& place) noexcept;
  // Brings back what has been with its consumer for longer than it may.
  void expire(StreamState& stream, Clock::time_point now);

  // group/ordered.hpp
  struct Ready {
    Id id;
    Hold segment;
    Place place;
  };
  void admit_new(StreamState& stream, std::size_t count);
  [[nodiscard]] std::vector<Ready> find_ready(StreamState& stream, std::size_t count);
  [[nodiscard]] std::vector<Ready> collect_ready(StreamState& stream, std::size_t count);
  void deliver_ready(std::vector<Ready>& ready, const Member& member, Instant now, Batch& batch) noexcept;

  // group/hands.hpp
  [[nodiscard]] Member* come_again(const std::shared_ptr<Member>& member, const Clock& clock);
  void note_pending(const Page& page, std::uint32_t first, std::uint32_t count) noexcept;
  void note_served(const Member& member, Instant now) noexcept;
  void note_progress() noexcept {
    if (auto* const witness = notes.witness()) witness->progressed(progress_image());
  }
  void count_in_flight(Mark mark, std::ptrdiff_t more) noexcept {
    if (!managed() || mark.consumer() == nobody) return;
    in_flight_ += static_cast<std::size_t>(more);
    roster.member(mark.consumer()).in_flight += static_cast<std::size_t>(more);
  }

  // group/fresh.hpp
  [[nodiscard]] bool find_new(StreamState& stream, std::size_t count);
  [[nodiscard]] bool seek(StreamState& stream);
  void prepare_pages(bool no_ack);
  void make_pages(bool no_ack);
  void stand_beside(std::size_t i) noexcept;
  void take_new(const Member& member, Instant now, bool no_ack, Batch& batch) noexcept;

  // Something has become pending.
  void expect_expiry(Instant now) noexcept {
    if (options.visibility.count() > 0) next_expiry_ = std::min(next_expiry_, now + visibility());
  }
  [[nodiscard]] Instant visibility() const noexcept { return static_cast<Instant>(options.visibility.count()); }

  [[nodiscard]] bool stands_beside(const typename Scan::Run& run) const noexcept {
    return page_ != nullptr && page_->beside(*run.segment);
  }

  void give_up_stock() noexcept {
    Page* const page = std::exchange(page_, nullptr);
    if (page == nullptr || !page->withdraw(std::exchange(stock_, 0))) return;
    if (page->came_idle()) ledger.tidy(*page);
    owners_.fetch_sub(1, sync::relaxed);  // GI
  }

  const bool managed_;
  const std::weak_ptr<StreamState> stream_;
  const Clock::time_point made_;
  sync::atomic<std::uint32_t> owners_{1};
  sync::atomic<bool> clears_early_{false};  // has ever cleared a line that was not done with, or not yet
  log::Cursor<Payload> cursor_;
  Scan scan_;
  bool sought_ = false;  // what comes after the cursor comes after last_delivered
  Page* page_ = nullptr;
  std::uint64_t stock_ = 0;
  std::uint64_t start_ = 0;             // how much had been added where the group started
  std::uint64_t delivered_ = 0;         // for the first time, since
  std::uint64_t lost_ = 0;              // before it was moved
  bool ahead_ = false;                  // it started at an id that is yet to come
  Instant next_expiry_ = last_instant;  // no visibility ends before
  std::size_t in_flight_ = 0;           // pending with somebody; counted in a managed group only
};

}  // namespace brook::group
