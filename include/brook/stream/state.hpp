// state.hpp — what a stream and its handles share: the entries, the gate where readers sleep, the groups.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/late.hpp>
#include <brook/core/later.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/entries.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/timeline.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/stream/producers.hpp>
#include <brook/stream/room.hpp>
#include <brook/stream/witness.hpp>
#include <brook/wait.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/gate.hpp>
#include <brook/wait/slip.hpp>

namespace brook::group {

template <class T>
class State;

}  // namespace brook::group

namespace brook::stream {

template <class T>
struct State {
  using Payload = log::PayloadOf<T>;
  using Timeline = log::Timeline<Payload>;
  using View = typename Timeline::View;

  explicit State(const StreamOptions& given) : options(given), room(capacity_of(given)), timeline(bound_of(given)) {}
  /// With what was there before (stream/restore.hpp): `added` entries were, at some time.
  State(const StreamOptions& given, log::Rebuild<Payload>& from, std::uint64_t added, Id max_deleted)
      : options(given),
        room(capacity_of(given), added),
        timeline(bound_of(given), from.release(added - from.entries(), max_deleted)) {}
  ~State() { delete keyed_.load(sync::seq_cst); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] Clock& clock() const noexcept { return clock_or_system(options.clock); }
  /// The same for handles that may outlive the stream: null when it is gone, and its clock perhaps with it.
  [[nodiscard]] Clock* clock_if_there() const noexcept {
    return standing.load(sync::seq_cst) == Standing::gone ? nullptr : &clock();
  }
  /// The default clock is read without a virtual call.
  [[nodiscard]] std::uint64_t unix_ms() const noexcept {
    return options.clock != nullptr ? options.clock->unix_ms() : SystemClock::read_unix_ms();
  }

  /// Appends; where there is no room it waits for some as `wait` says, or, when that is null, as the stream's options do.
  /// Errors: full, when it does not wait or never could fit; timed_out, cancelled; closed, id_exhausted, id_too_small.
  /// With `asked` a probe is not asked any more.
  [[nodiscard]] expected<log::Appended, Errc> append(const log::Values<Payload>& values, const log::Request& request,
                                                     const Wait* wait = nullptr, bool asked = false) {
    // One variable, written once: a copy would be read in wider words than it was written, which stalls the processor.
    expected<log::Appended, Errc> appended =
        plain_ ? timeline.append(values, request) : append_with_care(values, request, wait, asked);
    if (appended) gate.announce();
    return appended;
  }

  /// What an add would have answered; the values are gone, and nothing was added.
  [[nodiscard]] expected<log::Appended, Errc> lose(const log::Values<Payload>& values, const log::Request& request);

  /// Whether operations are to go by the probe.
  [[nodiscard]] bool watched() const noexcept { return standing.load(sync::seq_cst) == Standing::watched; }
  Outcome ask(Call call, const Perform& perform) {
    call.kind = ObjectKind::stream;
    call.object = this;
    call.clock = &clock();
    return options.probe->watch(call, perform);
  }

  /// Has all changes noted, before anybody else knows of the stream, and before it has groups.
  void keep_record(std::shared_ptr<Witness<T>> with) noexcept {
    witness_ = std::move(with);
    timeline.watch(witness_.get());
    plain_ = false;
  }
  /// Null where nobody notes what happens.
  [[nodiscard]] Witness<T>* witness() const noexcept { return witness_.get(); }
  [[nodiscard]] core::Recorder* recorder() const noexcept {
    return witness_ == nullptr ? nullptr : &witness_->recorder();
  }
  /// What was added while others kept this thread from waiting is as safe as was promised. Without a lock.
  void settle_record() const noexcept {
    if (witness_ != nullptr) [[unlikely]]
      witness_->recorder().settle();
  }

  /// How long an add waits for room when it is not told.
  [[nodiscard]] Wait patience() const { return options.overflow == Overflow::block ? Wait(forever) : Wait(); }

  /// Waits until there has been news of room since `news`, which was read before there was none. Errors: timed_out,
  /// cancelled.
  [[nodiscard]] std::optional<Errc> wait_for_news(std::uint64_t news, const Wait& wait, Clock::time_point deadline) {
    const auto come = [&] { return room.news() != news; };
    switch (wait::await(room.gate(), clock(), std::min(deadline, next_expiry()), wait, options.spin, come)) {
      case wait::Outcome::ready: return std::nullopt;
      case wait::Outcome::timed_out:
        expire();
        return come() || clock().now() < deadline ? std::nullopt : std::optional(Errc::timed_out);
      case wait::Outcome::cancelled: return Errc::cancelled;
    }
    return std::nullopt;
  }

  /// When the oldest entry will be too old; time_point::max() when there is none, or never.
  [[nodiscard]] Clock::time_point next_expiry() {
    if (options.max_age.count() <= 0 || clock_if_there() == nullptr) return Clock::time_point::max();
    auto view = look();
    const Entries<T> oldest = collect(view, Id::min(), Id::max(), 1);
    if (oldest.empty()) return Clock::time_point::max();
    const std::uint64_t now = unix_ms();
    const std::uint64_t age = now - std::min(now, oldest.front().id.ms);
    const auto most = static_cast<std::uint64_t>(options.max_age.count());
    return Wait(std::chrono::milliseconds(most - std::min(most, age) + 1)).deadline(clock());
  }

  /// Removes what is too old.
  void expire() {
    if (options.max_age.count() > 0) [[unlikely]]
      expire_now();
  }

  /// The present, without what is too old.
  [[nodiscard]] View look() {
    expire();
    return timeline.look();
  }

  /// Entries with ids in [first, last] as of an instant during the call, which `view` then tells about.
  [[nodiscard]] Entries<T> collect(View& view, Id first, Id last, std::size_t count) {
    for (;; view = timeline.look()) {
      typename Entries<T>::Runs runs;
      const auto add = [&runs](const auto& segment, std::uint32_t at, std::uint32_t n) { runs.add(segment, at, n); };
      if (timeline.visit(view, first, last, count, add)) return Entries<T>(std::move(runs));
    }
  }

  /// How much there is after an id, how much was ever added, and the last id, at one instant.
  struct Rest {
    std::uint64_t entries = 0;
    std::uint64_t added = 0;
    Id last{};
  };
  /// With these ids before it, if they are still there. O(segments) after `after`, O(1) for each gap, O(log n) for each
  /// id.
  template <class Ids = std::initializer_list<Id>>
  [[nodiscard]] Rest rest_after(Id after, const Ids& before = {}) {
    for (;;) {
      const View view = look();
      Rest rest{0, view.end.added(), view.end.last_id()};
      const auto add = [&rest](const auto&, std::uint32_t, std::uint32_t n) { rest.entries += n; };
      bool seen = after == Id::max() || timeline.visit(view, after.next(), Id::max(), unlimited, add);
      for (const Id id : before) seen = seen && timeline.visit(view, id, id, 1, add);
      if (seen) return rest;
    }
  }

  /// Something may have left. When nothing is added any more, a consumer may wait for an entry that will not come again.
  void announce_departure() {
    room.announce();
    if (closing_.load(sync::seq_cst)) gate.announce();
  }

  // — of a stream whose entries leave when they are acknowledged: whether some group stands ahead of the end, so that what
  // is added may be wanted by nobody (stream/retention.hpp) —

  void note_group_ahead() noexcept {
    ahead_.fetch_add(2, sync::seq_cst);
    ahead_.fetch_or(1, sync::seq_cst);
  }
  /// Odd when there may be such a group; another number whenever there has been another one.
  [[nodiscard]] std::uint64_t group_ahead() const noexcept { return ahead_.load(sync::seq_cst); }
  /// There is none any more; false when there has been another one since `seen` was read.
  [[nodiscard]] bool forget_group_ahead(std::uint64_t seen) noexcept {
    return ahead_.compare_exchange_strong(seen, seen - 1, sync::seq_cst, sync::seq_cst);
  }

  // — adds with a key, for which most streams need no memory —

  struct Keyed {
    explicit Keyed(const IdempotencyWindow& window) noexcept : producers(window) {}

    sync::mutex mutex;  // held while adding with a key
    core::Late<T, Producers> producers;
  };
  /// Null when nothing was ever added with a key.
  [[nodiscard]] Keyed* keyed() const noexcept { return keyed_.load(sync::seq_cst); }
  /// Throws std::bad_alloc.
  [[nodiscard]] Keyed& make_keyed() {
    if (Keyed* const there = keyed()) return *there;
    auto made = std::make_unique<Keyed>(options.idempotency);
    Keyed* none = nullptr;
    return keyed_.compare_exchange_strong(none, made.get(), sync::seq_cst, sync::seq_cst) ? *made.release() : *none;
  }

  void close() {
    closing_.store(true, sync::seq_cst);
    timeline.seal();
    gate.announce();
    room.announce();
  }

  /// For a call that has found nothing, or little: lets entries gather, where that pays. For how long it is to poll then.
  [[nodiscard]] std::chrono::microseconds let_gather(Clock::time_point deadline) noexcept {
    return slip_.gather(options.spin, deadline, [this] { return look().end.added(); });
  }

  const StreamOptions options;
  Room room;
  bool restoring = false;  // before anybody else knows of it: nothing leaves by itself
  sync::atomic<Standing> standing{standing_with(options.probe)};  // gone: handles answer `closed`
  Timeline timeline;
  wait::Gate gate;
  sync::mutex groups_mutex;
  std::map<std::string, std::shared_ptr<group::State<T>>, std::less<>> groups;
  sync::atomic<bool> sweep_due{false};  // there may be entries that every group is done with (stream/retention.hpp)

 private:
  wait::Slip slip_;  // of who reads
  // Adding asks neither for room nor for what is too old, nor a probe, and nobody notes it.
  bool plain_ = !room.bounded() && options.max_age.count() <= 0 && options.probe == nullptr;
  sync::atomic<bool> closing_{false};
  std::shared_ptr<Witness<T>> witness_;
  sync::atomic<Keyed*> keyed_{nullptr};
  sync::atomic<std::uint64_t> ahead_{0};

  [[gnu::noinline]] expected<log::Appended, Errc> append_with_care(const log::Values<Payload>& values,
                                                                   const log::Request& request, const Wait* wait,
                                                                   bool asked) {
    return watched() && !asked ? append_watched(values, request, wait) : append_unwatched(values, request, wait);
  }
  // stream/watched.hpp
  [[nodiscard, gnu::cold]] expected<log::Appended, Errc> append_watched(const log::Values<Payload>& values,
                                                                        const log::Request& request, const Wait* wait);
  expected<log::Appended, Errc> append_unwatched(const log::Values<Payload>& values, const log::Request& request,
                                                 const Wait* wait) {
    return append_by(values.size(), request, wait, [&](const log::Request& as) {
      return witness_ == nullptr ? timeline.append(values, as) : append_noted(values, as);
    });
  }
  expected<log::Appended, Errc> append_noted(const log::Values<Payload>& values, const log::Request& request);
  // `append(request)` appends what there is room for.
  template <class Append>
  expected<log::Appended, Errc> append_by(std::size_t count, const log::Request& request, const Wait* wait,
                                          Append&& append) {
    if (!room.bounded()) expire();
    expected<log::Appended, Errc> appended =
        room.bounded() ? append_bounded(count, request, wait, append) : append(request);
    if (appended && timeline.expire_added(*appended)) announce_departure();
    return appended;
  }

  [[nodiscard]] static log::Cut bound_of(const StreamOptions& given) noexcept {
    const bool drops = given.overflow == Overflow::drop_oldest && given.capacity != unlimited;
    return {.max_len = drops ? std::min(given.capacity, given.max_len) : given.max_len,
            .whole_segments = given.approximate && !drops};
  }
  [[nodiscard]] static std::uint64_t capacity_of(const StreamOptions& given) noexcept {
    const bool always_room = !given.approximate && given.max_len <= given.capacity;
    return given.overflow == Overflow::drop_oldest || always_room ? unlimited : given.capacity;
  }

  template <class Append>
  [[gnu::noinline]] expected<log::Appended, Errc> append_bounded(std::size_t count, log::Request request,
                                                                 const Wait* told, Append& append) {
    const Wait wait = told != nullptr ? *told : patience();
    if (count > room.capacity()) return unexpected(Errc::full);
    const Clock::time_point deadline = wait.deadline(clock());
    for (expire();; expire()) {
      const std::uint64_t news = room.news();
      if (timeline.sealed()) return unexpected(Errc::closed);
      if (room.take(count, [this] { return timeline.edits().removed; })) break;
      if (deadline == Clock::time_point::min()) return unexpected(Errc::full);
      if (const auto failed = wait_for_news(news, wait, deadline)) return unexpected(*failed);
      if (request.any_time()) request = log::Request::at_time(unix_ms());
    }
    struct GiveBack {
      Room& room;
      std::uint64_t entries;
      ~GiveBack() {
        if (entries > 0) room.give_back(entries);
      }
    } unused{room, count};
    expected<log::Appended, Errc> appended = append(request);
    if (!appended) return appended;
    unused.entries = 0;
    return appended;
  }

  [[gnu::noinline]] void expire_now() {
    if (restoring || clock_if_there() == nullptr) return;
    const std::uint64_t now = unix_ms();
    const auto age = static_cast<std::uint64_t>(options.max_age.count());
    const std::uint64_t before = timeline.edits().edit;
    if (now <= age || !timeline.expire(now - age)) return;
    if (timeline.edits().edit != before) announce_departure();
    else room.announce();
  }
};

// What the record is waited for with comes after everything else, and without a lock.
template <class T>
expected<log::Appended, Errc> State<T>::append_noted(const log::Values<Payload>& values, const log::Request& request) {
  std::vector<std::byte> encoded;
  if (!witness_->encode(values, encoded)) return unexpected(Errc::codec_error);
  const core::Later later;
  expected<log::Appended, Errc> appended;
  {
    const core::RecordingInOrder in_order(witness_->recorder());
    appended = timeline.append_only(values, request);
    if (appended) {
      witness_->recorder().adopt();
      witness_->added(appended->first, values.size(), encoded);
    }
  }
  if (!appended) return appended;
  timeline.keep_bound(*appended);
  gate.announce();
  return appended;
}

}  // namespace brook::stream

#include <brook/stream/watched.hpp>
