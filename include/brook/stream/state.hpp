// state.hpp — what a stream and its handles share: the entries, the gate where readers sleep, the groups.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/entries.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/timeline.hpp>
#include <brook/options.hpp>
#include <brook/stream/producers.hpp>
#include <brook/wait/gate.hpp>

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

  explicit State(const StreamOptions& given)
      : options(given),
        timeline({.max_len = given.max_len, .whole_segments = given.approximate}),
        producers(given.idempotency) {}

  [[nodiscard]] Clock& clock() const noexcept {
    return options.clock != nullptr ? *options.clock : static_cast<Clock&>(SystemClock::instance());
  }
  /// The default clock is read without a virtual call.
  [[nodiscard]] std::uint64_t unix_ms() const noexcept {
    return options.clock != nullptr ? options.clock->unix_ms() : SystemClock::read_unix_ms();
  }

  [[nodiscard]] expected<log::Appended, Errc> append(const log::Values<Payload>& values, const log::Request& request) {
    expected<log::Appended, Errc> appended = timeline.append(values, request);
    if (appended) gate.announce();
    return appended;
  }

  /// Entries with ids in [first, last] as of an instant during the call, which `view` then tells about.
  [[nodiscard]] Entries<T> collect(View& view, Id first, Id last, std::size_t count) {
    for (;; view = timeline.look()) {
      typename Entries<T>::Runs runs;
      const auto add = [&runs](const auto& segment, std::uint32_t at, std::uint32_t n) { runs.add(segment, at, n); };
      if (timeline.visit(view, first, last, count, add)) return Entries<T>(std::move(runs));
    }
  }

  /// How many entries have ids above `after`. O(that many).
  [[nodiscard]] std::uint64_t count_after(Id after) {
    if (after == Id::max()) return 0;
    for (;;) {
      std::uint64_t entries = 0;
      const auto add = [&entries](const auto&, std::uint32_t, std::uint32_t n) { entries += n; };
      const View view = timeline.look();
      if (timeline.visit(view, after.next(), Id::max(), unlimited, add)) return entries;
    }
  }

  void close() {
    timeline.seal();
    gate.announce();
  }

  const StreamOptions options;
  Timeline timeline;
  wait::Gate gate;

  sync::mutex producers_mutex;  // held while adding with a key
  Producers producers;

  sync::mutex groups_mutex;
  std::map<std::string, std::shared_ptr<group::State<T>>, std::less<>> groups;
  sync::atomic<bool> gone{false};  // the stream itself was destroyed; handles answer `closed`
};

}  // namespace brook::stream
