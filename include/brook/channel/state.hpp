// state.hpp — what a channel and its subscriptions share: the log, who is subscribed, the gates where calls sleep.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/channel/reader.hpp>
#include <brook/channel/registry.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/log/append_log.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/log/runs.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/wait.hpp>
#include <brook/wait/await.hpp>
#include <brook/wait/gate.hpp>

namespace brook::channel {

/// What one call received.
template <class Payload>
struct Batch {
  log::Runs<Payload> runs;
  std::uint64_t lost = 0;  // messages, right before the first of these
};

/// A subscription that publishers call.
struct Called {
  virtual ~Called() = default;
  /// Calls for all that has been published, unless another thread does already.
  virtual void call() noexcept = 0;
};

template <class Payload>
class Share;

template <class Payload>
class State {
 public:
  using Log = log::AppendLog<Payload>;
  using Values = log::Values<Payload>;
  using Reader = channel::Reader<Payload>;
  using Locked = typename Registry<Payload>::Locked;
  using CalledOnes = std::vector<std::shared_ptr<Called>>;

  /// `strict`: a message that was published to somebody is for who was there just then, and had not been told to stop.
  explicit State(const ChannelOptions& given, bool strict = false)
      : options(given),
        registry(log, (options.probe != nullptr ? channel::Audience::probes : 0) |
                          (strict ? channel::Audience::strict : 0)) {}

  [[nodiscard]] Clock& clock() const noexcept { return clock_or_system(options.clock); }
  /// The same for handles that may outlive the channel: null when it is gone, and its clock perhaps with it.
  [[nodiscard]] Clock* clock_if_there() const noexcept {
    return standing.load(sync::seq_cst) == Standing::gone ? nullptr : &clock();
  }

  /// Whether operations are to go by the probe.
  [[nodiscard]] bool watched() const noexcept { return standing.load(sync::seq_cst) == Standing::watched; }
  Outcome ask(Call call, const Perform& perform) {
    call.kind = ObjectKind::channel;
    call.object = this;
    call.clock = &clock();
    return options.probe->watch(call, perform);
  }

  /// Publishes, and says how many subscriptions there were; with none nothing is stored. When somebody's backlog has no
  /// room it waits as `wait` says, or, when that is null, for ever. Errors: closed; full, when it does not wait;
  /// timed_out, cancelled. Throws std::bad_alloc, and then nothing has changed. The values are payloads of T's.
  template <class T = Payload>
  [[nodiscard]] expected<std::size_t, Errc> publish(const Values& values, const Wait* wait = nullptr) {
    const Audience audience = registry.audience();
    if (audience.needs_care()) [[unlikely]]
      return watched() ? publish_watched<T>(values, wait) : publish_with_care(values, wait);
    if (audience.size() == 0) return nobody();
    const auto appended = append(values);
    if (!appended) [[unlikely]]
      return unexpected(appended.error());
    tell(*appended);
    log.take_turns(*appended);
    return audience.size();
  }

  // — publishing by steps —

  /// As publish(), without waiting, but tells nobody: what is in `appended` then is to be told, once no lock is held.
  [[nodiscard]] expected<std::size_t, Errc> offer(const Values& values, std::optional<log::Appended>& appended) {
    return append_if_room(values, appended).value_or(unexpected(Errc::full));
  }
  /// What a publish would have answered; the values are gone (channel/watched.hpp).
  [[nodiscard, gnu::cold]] expected<std::size_t, Errc> lose(const Values& values);
  [[nodiscard]] expected<log::Appended, Errc> append(const Values& values) {
    return log.append(values, log::Request::at_time(0));
  }
  /// What follows an append: those who sleep are woken, and those called who want to be. Also one that has come since the
  /// publish began: it has the message, and perhaps nobody else publishes for long.
  void tell(const log::Appended& appended) {
    gate.announce();
    if (appended.rolled) [[unlikely]]
      registry.sweep();
    if (registry.audience_now().has_calls()) [[unlikely]]
      call();
  }
  /// Waits until there has been news of room since `news`, which was read before there was none. Errors: full when it
  /// does not wait; timed_out, cancelled.
  [[nodiscard]] std::optional<Errc> wait_for_room(std::uint64_t news, const Wait& wait, Clock::time_point deadline) {
    if (deadline == Clock::time_point::min()) return Errc::full;
    const auto come = [&] { return room_news() != news; };
    switch (wait::await(room_gate_, clock(), deadline, wait, options.spin, come)) {
      case wait::Outcome::ready: break;
      case wait::Outcome::timed_out: return Errc::timed_out;
      case wait::Outcome::cancelled: return Errc::cancelled;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t room_news() const noexcept { return news_.load(sync::seq_cst); }
  [[nodiscard]] wait::Gate& room_gate() noexcept { return room_gate_; }

  /// Has a reader go on, as Reader::take; what that means to others is seen to.
  template <class Use>
  [[nodiscard]] typename Reader::Found take(Reader& reader, std::uint64_t most, Use&& use) noexcept {
    const auto found = reader.take(log, most, use);
    if (reader.left_segment()) [[unlikely]]
      registry.sweep();
    if (reader.gave_up()) [[unlikely]]
      forget(reader);
    if (reader.blocks() && found == Reader::Found::some) [[unlikely]]
      announce_room();
    return found;
  }
  /// Up to `most` messages; those that there was memory to refer to. To an empty batch the first of them need none (log/runs.hpp):
  /// so who finds nothing may sleep until there is something.
  [[nodiscard]] typename Reader::Found take(Reader& reader, std::uint64_t most, Batch<Payload>& batch) noexcept {
    return take(reader, most, [&](const auto& hold, std::uint32_t slot, std::uint32_t count) noexcept {
      BROOK_TRY { batch.runs.add(hold, slot, count); }
      BROOK_CATCH_ALL { return false; }
      batch.lost += reader.lost_now();
      return true;
    });
  }

  /// What a reader gets has changed from outside: it looks, and so does who waits for room in its backlog.
  void announce_change(const Reader& reader) {
    gate.announce();
    if (reader.blocks()) announce_room();
  }
  /// Somebody who makes publishers wait has received something, or left.
  void announce_room() {
    news_.fetch_add(1, sync::seq_cst);
    room_gate_.announce();
  }

  /// Calls the functions that are subscribed for all that has been published.
  void call() {
    std::shared_ptr<const CalledOnes> all;
    {
      const Locked locked(registry);
      all = called;
    }
    if (all == nullptr) return;
    for (const auto& one : *all) one->call();
  }

  /// The channel dies: nobody will call those who were to be called, though some may have stayed on the list.
  void let_go() noexcept {
    standing.store(Standing::gone, sync::seq_cst);
    std::shared_ptr<const CalledOnes> before;
    const Locked locked(registry);
    before = std::exchange(called, nullptr);
  }

  /// Nothing is published any more.
  void close() {
    log.seal();
    gate.announce();
    announce_room();
  }

  const ChannelOptions options;
  Log log;
  wait::Gate gate;
  Registry<Payload> registry;
  sync::atomic<Standing> standing{standing_with(options.probe)};  // gone: subscriptions live on

  // With the registry's lock.
  std::map<std::string, std::weak_ptr<Share<Payload>>, std::less<>> shares;
  std::shared_ptr<const CalledOnes> called;

 private:
  [[nodiscard, gnu::noinline]] expected<std::size_t, Errc> publish_with_care(const Values& values, const Wait* told) {
    const Wait wait = told != nullptr ? *told : Wait(forever);
    const Clock::time_point deadline = wait.deadline(clock());
    std::optional<log::Appended> appended;
    for (bool tried = false;;) {
      const std::uint64_t news = room_news();
      if (const auto done = append_if_room(values, appended)) {
        if (appended) tell(*appended);
        return *done;
      }
      // Perhaps a function that was called publishes, and the one that has no room is to be called by this thread after it.
      if (!std::exchange(tried, true)) {
        call();
        continue;
      }
      if (const auto failed = wait_for_room(news, wait, deadline)) return unexpected(*failed);
    }
  }

  // Nothing where there is no room, which is asked with the lock so that nobody else publishes meanwhile. Else what a publish
  // answers; what is in `appended` then is to be told.
  [[nodiscard]] std::optional<expected<std::size_t, Errc>> append_if_room(const Values& values,
                                                                          std::optional<log::Appended>& appended) {
    if (!registry.audience().needs_lock()) return append_to_somebody(values, appended);
    const Locked locked(registry);
    if (!log.sealed() && !registry.has_room(values.size())) return std::nullopt;
    return append_to_somebody(values, appended);
  }
  [[nodiscard]] expected<std::size_t, Errc> append_to_somebody(const Values& values,
                                                               std::optional<log::Appended>& appended) {
    const std::size_t size = registry.audience().size();
    if (size == 0) return nobody();
    const auto done = append(values);
    if (!done) return unexpected(done.error());
    appended = *done;
    return size;
  }

  // channel/watched.hpp
  template <class T>
  [[nodiscard, gnu::cold]] expected<std::size_t, Errc> publish_watched(const Values& values, const Wait* told);
  [[nodiscard, gnu::cold]] expected<std::size_t, Errc> publish_by_halves(const Values& value,
                                                                         const std::function<void()>& midway);

  void forget(const Reader& reader) noexcept {
    const Locked locked(registry);
    registry.leave(reader);
  }

  [[nodiscard]] expected<std::size_t, Errc> nobody() const {
    if (log.sealed()) return unexpected(Errc::closed);
    return 0;
  }

  sync::atomic<std::uint64_t> news_{0};
  wait::Gate room_gate_;
};

}  // namespace brook::channel

#include <brook/channel/watched.hpp>
