// stream.hpp — an append-only log with ids, range reads, blocking readers and consumer groups.
//
//   brook::Stream<std::string> news;
//   news.add("first");
//   for (const auto& [id, text] : news.range()) std::cout << id << ' ' << text << '\n';
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/late.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/group.hpp>
#include <brook/id.hpp>
#include <brook/id_range.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/state.hpp>
#include <brook/wait/await.hpp>

namespace brook {

/// A stream as in Redis: entries with increasing ids, added at the end, read from anywhere any number of times, removed
/// only by erase, trim and the bound on its length.
///
/// Thread-safety: any member may be called at any time from any thread, but for the destructor. Adding is lock-free and
/// reading takes no lock: a thread that stalls, wherever it stands, stops no other from either. erase and trim take
/// turns. Every operation takes effect at one instant between its call and its return; a trim, what an add with a bound
/// trims, and an erase are decided at one instant and take effect at a later one within the call.
///
/// Visibility: what a thread did before add() is visible to whoever reads the entry.
///
/// Exceptions: std::bad_alloc, and what T's constructors throw. Nothing has changed then. T's destructor must not throw,
/// and must not use the stream; values are destroyed when their segment is, which may be later than their removal.
///
/// Complexity: add O(1) amortised; reads O(log size) to find their start and O(1) per entry.
template <class T>
class Stream {
 public:
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "a Stream stores objects: T must be a non-const object type");

  Stream() : Stream(StreamOptions{}) {}
  // Not by std::make_shared: the counts would take a cache line of their own, as the state begins with one.
  explicit Stream(const StreamOptions& options) : state_(new stream::State<T>(options)) {}

  /// Closes the stream. Precondition: no call is running. Entries, groups, consumers and deliveries may live on.
  ~Stream() { leave(); }

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // — adding —

  /// Adds an entry under the clock's time (XADD *). Ids strictly increase, also when the clock steps back.
  /// Errors: closed; id_exhausted when the stream holds the largest id there is; full when it is bounded and rejects what
  /// it has no room for. A value that was to be moved in, of a type that moves without throwing, is then unchanged.
  /// Lock-free, unless the stream is bounded and has to wait for room.
  expected<Id, Errc> add(const T& value) requires std::copy_constructible<T> { return emplace(value); }
  expected<Id, Errc> add(T&& value) { return emplace(std::move(value)); }

  /// The same, building the value from `arguments`.
  template <class... Arguments>
  requires std::constructible_from<T, Arguments...> expected<Id, Errc> emplace(Arguments&&... arguments) {
    return append_one(log::Request::at_time(state_->unix_ms()), std::forward<Arguments>(arguments)...);
  }

  /// The same, waiting for room in a bounded stream for so long, whatever its `overflow` says. Waiting adds have no order.
  /// Errors further: timed_out; cancelled.
  expected<Id, Errc> add(const T& value, const Wait& wait) requires std::copy_constructible<T> {
    auto payload = log::make_payload<T>(value);
    return append_payload(log::Request::at_time(state_->unix_ms()), payload, &wait);
  }
  expected<Id, Errc> add(T&& value, const Wait& wait) {
    return append_movable(log::Request::at_time(state_->unix_ms()), std::move(value), &wait);
  }

  /// Adds an entry once: the same producer and key within the stream's idempotency window answer the id of the first time,
  /// whether that entry is still there or not, and also when the stream is closed (XADD IDMP, IDMPAUTO). Such adds take
  /// turns. Errors: invalid_argument for an empty producer or key, and without a key when T is neither a string nor of a
  /// type whose bytes are its value (std::has_unique_object_representations); closed; id_exhausted.
  expected<Id, Errc> add(const T& value, const Idempotent& as) requires std::copy_constructible<T> {
    return add_once(value, as);
  }
  expected<Id, Errc> add(T&& value, const Idempotent& as) { return add_once(std::move(value), as); }

  /// Adds an entry with this id (XADD 5-1). Errors: invalid_id for 0-0; id_too_small when it is not above last_id();
  /// id_exhausted; closed.
  expected<Id, Errc> add(Id id, const T& value) requires std::copy_constructible<T> { return add_exactly(id, value); }
  expected<Id, Errc> add(Id id, T&& value) { return add_exactly(id, std::move(value)); }

  /// Adds an entry in this millisecond with the next sequence number (XADD 5-*). Errors: id_too_small when last_id() is
  /// in a later millisecond, or has the largest sequence number of this one; id_exhausted; closed.
  expected<Id, Errc> add(AutoSeq in, const T& value) requires std::copy_constructible<T> {
    return append_one(log::Request::in_millisecond(in.ms), value);
  }
  expected<Id, Errc> add(AutoSeq in, T&& value) {
    return append_one(log::Request::in_millisecond(in.ms), std::move(value));
  }

  /// Adds all values at one instant: a reader sees none or all, with consecutive ids and nothing between them, and
  /// sleepers are woken once. The ids, none for an empty range. Errors: closed, id_exhausted; full, timed_out and cancelled
  /// as add() with or without a Wait, and full for more values than a stream that does not drop the oldest can hold.
  template <std::ranges::input_range Range>
  requires std::constructible_from<T, std::ranges::range_reference_t<Range>> expected<IdRange, Errc> add_range(
      Range&& values) {
    return append_range(std::forward<Range>(values), nullptr);
  }
  template <std::ranges::input_range Range>
  requires std::constructible_from<T, std::ranges::range_reference_t<Range>> expected<IdRange, Errc> add_range(
      Range&& values, const Wait& wait) {
    return append_range(std::forward<Range>(values), &wait);
  }

  // — reading —

  /// Entries with ids from `first` to `last`, both included, oldest first, at most `count` (XRANGE). For an exclusive
  /// bound use id.next() or id.prev().
  [[nodiscard]] Entries<T> range(Id first = Id::min(), Id last = Id::max(), std::size_t count = no_limit) const {
    auto view = state_->look();
    return state_->collect(view, first, last, count);
  }

  /// The same, newest first; as in XREVRANGE the larger bound comes first.
  [[nodiscard]] Entries<T> rev_range(Id last = Id::max(), Id first = Id::min(), std::size_t count = no_limit) const {
    for (;;) {
      typename Entries<T>::Runs runs;
      const auto add = [&runs](const auto& segment, std::uint32_t at, std::uint32_t n) { runs.add(segment, at, n); };
      const auto view = state_->look();
      if (state_->timeline.visit_backwards(view, first, last, count, add)) return Entries<T>(std::move(runs), true);
    }
  }

  /// Entries after a position, oldest first (XREAD). When there are none it waits as `options.block` says, and answers
  /// with an empty batch when the time is up. Every blocked reader gets every entry. Errors: closed when the stream is
  /// closed and nothing follows; cancelled.
  [[nodiscard]] expected<Entries<T>, Errc> read(Position after, const ReadOptions& options = {}) const;

  /// Entries now (XLEN).
  [[nodiscard]] std::uint64_t size() const { return state_->look().length(); }
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// The id of the entry added last, be it still there or not; 0-0 when there never was one.
  [[nodiscard]] Id last_id() const { return state_->timeline.look().end.last_id(); }

  /// The stream at one instant (XINFO STREAM).
  [[nodiscard]] StreamInfo info() const;

  /// The stream, its first and last `count` entries, and its groups with as many pending ones (XINFO STREAM FULL), each part
  /// at an instant of its own during the call.
  [[nodiscard]] StreamFullInfo<T> full_info(std::size_t count = 10) const;

  // — removing —

  /// Removes the entries with these ids; how many there were (XDEL). They are looked up at one instant, and those that were
  /// found are removed at a later one, both during the call: one that is added in between stays. O(log size) each.
  std::size_t erase(std::span<const Id> ids) {
    const Call call{.operation = Operation::erase, .id = ids.empty() ? Id() : ids.front(), .size = ids.size()};
    return probing::perform(*state_, call, [&](const Manner& manner) {
      probing::begin(manner);
      const std::size_t erased = state_->timeline.erase(ids);
      state_->announce_departure();
      return erased;
    });
  }
  std::size_t erase(std::initializer_list<Id> ids) { return erase({ids.begin(), ids.size()}); }
  std::size_t erase(Id id) { return erase({id}); }
  template <std::ranges::input_range Range>
  requires std::convertible_to<std::ranges::range_reference_t<Range>, Id> std::size_t erase(const Range& ids) {
    if constexpr (std::ranges::contiguous_range<const Range> && std::ranges::sized_range<const Range> &&
                  std::same_as<std::ranges::range_value_t<const Range>, Id>) {
      return erase(std::span<const Id>(std::ranges::data(ids), static_cast<std::size_t>(std::ranges::size(ids))));
    } else {
      core::Late<T, std::vector<Id>> copies;
      for (const Id id : ids) copies.push_back(id);
      return erase({copies.data(), copies.size()});
    }
  }

  /// Removes the oldest entries; how many (XTRIM). Errors: invalid_argument unless exactly one of max_len and min_id is
  /// given, and for a limit without `approximate`. O(removed).
  expected<std::uint64_t, Errc> trim(const TrimOptions& options);

  // — closing —

  /// From now on nothing is added, and every blocked call wakes; what is there can still be read. Takes effect at one
  /// instant. May be called again.
  void close() {
    probing::close(*state_, [this] { state_->close(); });
  }
  [[nodiscard]] bool closed() const noexcept { return state_->timeline.sealed(); }

  // — groups —

  /// Makes a consumer group that reads what follows `start` (XGROUP CREATE). Errors: group_exists, closed; invalid_argument
  /// when its dead letters would go to this stream, where the group would read them again.
  expected<Group<T>, Errc> create_group(std::string_view name, Position start = latest,
                                        const GroupOptions<T>& options = {}) {
    if (options.dead_letter.stream() == this) return unexpected(Errc::invalid_argument);
    return probing::perform(*state_, {.operation = Operation::regroup, .group = name}, [&](const Manner& manner) {
      probing::begin(manner);
      return Group<T>::create(state_, name, start, options);
    });
  }

  /// The group of this name. Errors: no_such_group.
  [[nodiscard]] expected<Group<T>, Errc> group(std::string_view name) const { return Group<T>::find(state_, name); }

  /// Names of the groups, in byte order.
  [[nodiscard]] std::vector<std::string> groups() const {
    const sync::unique_lock held(state_->groups_mutex);
    core::Late<T, std::vector<std::string>> names;
    for (const auto& group : state_->groups) names.push_back(group.first);
    return names;
  }

 private:
  friend const void* probed_as(const Stream& stream) noexcept { return stream.state_.get(); }

  template <class U>
  friend class Delivery;
  template <class Target, class Value>
  friend class Into;
  template <class U>
  friend class DeadLetterTo;
  // For stream/cut.hpp, stream/restore.hpp.
  friend const std::shared_ptr<stream::State<T>>& shared_state_of(const Stream& stream) noexcept {
    return stream.state_;
  }
  friend void replace_state(Stream& stream, std::shared_ptr<stream::State<T>> state) noexcept {
    stream.leave();
    stream.state_ = std::move(state);
  }

  void leave() noexcept {
    state_->close();
    state_->standing.store(Standing::gone, sync::seq_cst);
    state_->gate.announce();  // to completions that wait for what its groups could still have given
  }

  [[nodiscard]] expected<Entries<T>, Errc> read_now(Position after, const ReadOptions& options) const;

  template <class Range>
  expected<IdRange, Errc> append_range(Range&& values, const Wait* wait) {
    auto payloads = log::make_payloads<T>(std::forward<Range>(values));
    if (payloads.empty()) return closed() ? expected<IdRange, Errc>(unexpected(Errc::closed)) : IdRange();
    const auto appended =
        state_->append({payloads.data(), payloads.size()}, log::Request::at_time(state_->unix_ms()), wait);
    if (!appended) return unexpected(appended.error());
    stream::settle_added(*state_, appended->first, payloads.size());
    return IdRange(appended->first, payloads.size());
  }

  template <class Value>
  expected<Id, Errc> add_exactly(Id id, Value&& value) {
    if (id == Id::min()) return unexpected(Errc::invalid_id);
    return append_one(log::Request::exactly(id), std::forward<Value>(value));
  }

  template <class Value>
  expected<Id, Errc> add_once(Value&& value, const Idempotent& as) {
    const std::string key = stream::key_of<T>(as, value);
    if (as.producer.empty() || key.empty()) return unexpected(Errc::invalid_argument);
    if constexpr (std::is_same_v<Value, log::PayloadOf<T>>) {
      return add_payload_once(as.producer, key, value);  // which keeps it when there is an error
    } else {
      auto payload = log::make_payload<T>(std::forward<Value>(value));
      return add_payload_once(as.producer, key, payload);
    }
  }

  // stream/once.hpp
  expected<Id, Errc> add_payload_once(std::string_view producer, std::string_view key, log::PayloadOf<T>& payload);
  expected<Id, Errc> add_or_wait(std::string_view producer, std::string_view key, log::PayloadOf<T>& payload,
                                 const Wait& wait);
  expected<Id, Errc> add_unless_known(std::string_view producer, std::string_view key, log::PayloadOf<T>& payload);

  template <class... Arguments>
  expected<Id, Errc> append_one(const log::Request& request, Arguments&&... arguments) {
    auto payload = log::make_payload<T>(std::forward<Arguments>(arguments)...);
    return append_payload(request, payload);
  }
  expected<Id, Errc> append_one(const log::Request& request, T&& value) {
    return append_movable(request, std::move(value));
  }

  // A value that can lie in a slot as it is goes straight from the caller's object.
  expected<Id, Errc> append_movable(const log::Request& request, T&& value, const Wait* wait = nullptr) {
    if constexpr (std::is_same_v<log::PayloadOf<T>, T>) {
      return append_payload(request, value, wait);
    } else {
      auto payload = log::make_payload<T>(std::move(value));
      return append_payload(request, payload, wait);
    }
  }

  expected<Id, Errc> append_payload(const log::Request& request, log::PayloadOf<T>& payload,
                                    const Wait* wait = nullptr) {
    const auto appended = state_->append({std::addressof(payload), 1}, request, wait);
    if (!appended) return unexpected(appended.error());
    stream::settle_added(*state_, appended->first, 1);
    state_->timeline.take_turns(*appended);
    return appended->first;
  }
  // The same without waiting, where a lock may be held, and the probe has been asked; settle_added() or sweep() is due when
  // the lock is not held any more.
  expected<Id, Errc> append_locked(const log::Request& request, log::PayloadOf<T>& payload) {
    const Wait none;
    const auto appended = state_->append({std::addressof(payload), 1}, request, &none, true);
    if (!appended) return unexpected(appended.error());
    return appended->first;
  }

  std::shared_ptr<stream::State<T>> state_;
};

template <class T>
[[gnu::always_inline]] inline expected<Entries<T>, Errc> Stream<T>::read_now(Position after,
                                                                             const ReadOptions& options) const {
  stream::State<T>& state = *state_;
  auto view = state.look();
  const Id from = after.after(view.end.last_id());
  const Wait wait = options.wait();
  const Clock::time_point deadline = wait.deadline(state.clock());
  std::chrono::microseconds spin = state.options.spin;
  for (;; view = state.look()) {
    Entries<T> entries;
    if (from != Id::max()) entries = state.collect(view, from.next(), Id::max(), options.count);
    const bool few = entries.size() < std::min<std::uint64_t>(options.count, wait::Slip::enough) && !view.end.sealed;
    if (few && spin == state.options.spin) {
      spin = state.let_gather(deadline);
      if (spin != state.options.spin) continue;
    }
    if (!entries.empty() || options.count == 0) return entries;
    if (view.end.sealed) return unexpected(Errc::closed);
    const auto moved = [&view] { return view.end.moved(); };
    switch (wait::await(state.gate, state.clock(), deadline, wait, spin, moved)) {
      case wait::Outcome::ready: break;
      case wait::Outcome::timed_out: return entries;
      case wait::Outcome::cancelled: return unexpected(Errc::cancelled);
    }
  }
}

template <class T>
expected<Entries<T>, Errc> Stream<T>::read(Position after, const ReadOptions& options) const {
  if (state_->watched()) [[unlikely]]
    return stream::watch_read(*state_, {.operation = Operation::read}, options,
                              [&](const ReadOptions& how) { return read_now(after, how); });
  return read_now(after, options);
}

template <class T>
expected<std::uint64_t, Errc> Stream<T>::trim(const TrimOptions& options) {
  const bool one_of_both = options.max_len.has_value() != options.min_id.has_value();
  if (!one_of_both || (options.limit && !options.approximate)) return unexpected(Errc::invalid_argument);
  log::Cut cut{.whole_segments = options.approximate};
  if (options.max_len) cut.max_len = *options.max_len;
  if (options.min_id) cut.min_id = *options.min_id;
  if (options.limit.value_or(0) > 0) cut.limit = *options.limit;
  return probing::perform(*state_, {.operation = Operation::trim}, [&](const Manner& manner) {
    probing::begin(manner);
    const std::uint64_t trimmed = state_->timeline.trim(cut);
    state_->announce_departure();
    return expected<std::uint64_t, Errc>(trimmed);
  });
}

}  // namespace brook

#include <brook/forward.hpp>
#include <brook/stream/inspect.hpp>
#include <brook/stream/once.hpp>
