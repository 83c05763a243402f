// watched.hpp — what a stream does that has a probe. Part of stream/state.hpp, which includes it.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/id_range.hpp>
#include <brook/log/halves.hpp>
#include <brook/log/part.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream/state.hpp>
#include <brook/wait.hpp>

namespace brook::probing {

template <class T>
struct Answer<Entries<T>> {
  static void tell(const Entries<T>& result, Outcome& outcome) noexcept {
    outcome.size = result.size();
    if (!result.empty()) outcome.first = result.front().id, outcome.last = result.back().id;
  }
  [[nodiscard]] static Entries<T> lost(const Call&) noexcept { return {}; }
};

}  // namespace brook::probing

namespace brook::stream {

/// A read, with the wait that the probe wants it to have. It has been seen that the stream is watched.
template <class T, class Run>
[[gnu::noinline, gnu::cold]] auto watch_read(State<T>& stream, Call call, const ReadOptions& options, const Run& run) {
  const Wait wait = options.wait();
  call.size = options.count;
  call.wait = &wait;
  return probing::perform(stream, call, [&](const Manner& manner) {
    probing::begin(manner);
    return run(options.with(manner.wait));
  });
}

/// An add of which `run(manner)` makes a `Result`, an expected that knows the ids; `lost()` answers for one that is lost.
template <class Result, class T, class Run, class Ids, class Lost>
[[nodiscard]] Result watch_adding(State<T>& stream, const log::Values<log::PayloadOf<T>>& values, const Wait* wait,
                                  const Run& run, const Ids& ids_of, const Lost& lost, bool locked = false) {
  const Call call{.operation = Operation::add,
                  .size = values.size(),
                  .values = GivenValues::of<T>(values),
                  .wait = wait,
                  .locked = locked};
  Result added = unexpected(Errc::closed);
  const auto tell = [&](Outcome& outcome) {
    if (!added) {
      outcome.failed = added.error();
      return;
    }
    const IdRange ids(ids_of(*added), values.size());
    outcome = {.size = ids.size(), .first = ids[0], .last = ids[ids.size() - 1]};
  };
  probing::watch(added, stream, call, run, tell, lost);
  return added;
}

/// An add of one value. It has been seen that the stream is watched.
template <class T, class Run>
[[nodiscard]] expected<Id, Errc> watch_add(State<T>& stream, const log::Values<log::PayloadOf<T>>& value,
                                           const Wait& wait, const Run& run) {
  return watch_adding<expected<Id, Errc>>(
      stream, value, stream.room.bounded() ? &wait : nullptr, run, [](Id id) { return id; },
      [&]() -> expected<Id, Errc> {
        const auto lost = stream.lose(value, log::Request::at_time(stream.unix_ms()));
        if (!lost) return unexpected(lost.error());
        return lost->first;
      });
}

/// An add that is part of another operation: `run()` performs all of it, or tells why not, and `id()` then knows the entry.
template <class T, class Run, class ThatId>
[[gnu::noinline, gnu::cold]] std::optional<Errc> watch_part_now(State<T>& stream,
                                                                const log::Values<log::PayloadOf<T>>& value,
                                                                bool locked, const Run& run, const ThatId& id,
                                                                std::optional<Errc> lost) {
  const Call call{.operation = Operation::add, .size = 1, .values = GivenValues::of<T>(value), .locked = locked};
  std::optional<Errc> failed;
  const auto perform = [&](const Manner& manner) {
    probing::begin(manner);
    return run();
  };
  const auto tell = [&](Outcome& outcome) {
    if (failed) outcome.failed = failed;
    else outcome = {.size = 1, .first = id(), .last = id()};
  };
  probing::watch(failed, stream, call, perform, tell, [&] { return lost; });
  return failed;
}
template <class T, class Run, class ThatId>
[[nodiscard]] std::optional<Errc> watch_part(State<T>& stream, const log::Values<log::PayloadOf<T>>& value,
                                             const Run& run, const ThatId& id) {
  if (!stream.watched()) return run();
  return watch_part_now(stream, value, false, run, id, Errc::not_pending);
}
/// A dead letter, with its group's mutex held. Whether it was added.
template <class T, class Run>
[[nodiscard]] bool watch_letter(State<T>& stream, const log::Values<log::PayloadOf<T>>& letter, const Run& add) {
  if (!stream.watched()) [[likely]]
    return add().has_value();
  expected<Id, Errc> added;
  const auto run = [&] {
    added = add();
    return added ? std::nullopt : std::optional(added.error());
  };
  return !watch_part_now(
      stream, letter, true, run, [&] { return *added; }, std::nullopt);
}

template <class T>
expected<log::Appended, Errc> State<T>::append_watched(const log::Values<Payload>& values, const log::Request& request,
                                                       const Wait* wait) {
  const Wait patient = wait != nullptr ? *wait : patience();
  const auto run = [&](const Manner& manner) {
    const Wait* const how = manner.wait != nullptr && room.bounded() ? manner.wait : wait;
    if (manner.midway == nullptr) return append_unwatched(values, request, how);
    if (values.size() == 1 && witness_ == nullptr) {
      return append_by(1, request, how, [&](const log::Request& as) {
        const auto prepare = [&](log::Part<Payload>& part) { return timeline.prepare(values, as, part); };
        const auto appended = log::append_by_halves(values, prepare, *manner.midway);
        if (appended) timeline.keep_bound(*appended);
        return appended;
      });
    }
    probing::begin(manner);
    return append_unwatched(values, request, how);
  };
  return watch_adding<expected<log::Appended, Errc>>(
      *this, values, room.bounded() ? &patient : nullptr, run,
      [](const log::Appended& appended) { return appended.first; }, [&] { return lose(values, request); });
}

// What an add would have answered; the values are gone.
template <class T>
expected<log::Appended, Errc> State<T>::lose(const log::Values<Payload>& values, const log::Request& request) {
  if (timeline.sealed()) return unexpected(Errc::closed);
  const auto end = timeline.look().end;
  const expected<Id, Errc> id = request.after(end.last_id());
  if (!id) return unexpected(id.error());
  for (std::size_t i = 0; i < values.size(); ++i) static_cast<void>(Payload(std::move(values[i])));
  return log::Appended{*id, end.added() + values.size()};
}

}  // namespace brook::stream
