// redelivery.hpp — what becomes of entries that were delivered and not acknowledged: options of groups, claims, nacks.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/delivery.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/options.hpp>

namespace brook {

template <class T>
class Stream;

/// How long an entry rests before it is delivered again.
struct RetryDelay {
  std::chrono::milliseconds first{0};  ///< after the first delivery
  double factor = 1;                   ///< by which each further delivery makes it longer; 1 for a fixed delay
  std::chrono::milliseconds most = std::chrono::hours(24);  ///< no longer than this
  double jitter = 0;       ///< as a share of the delay, up and down: 0.1 is 90 to 110 %
  std::uint64_t seed = 0;  ///< of the jitter, which depends on nothing but this, the id and the count

  RetryDelay() = default;
  /// A fixed delay.
  template <class Rep, class Period>
  RetryDelay(std::chrono::duration<Rep, Period> fixed) : first(std::chrono::ceil<std::chrono::milliseconds>(fixed)) {}
  /// A delay that grows, times 2 unless said otherwise, up to `most`.
  [[nodiscard]] static RetryDelay exponential(std::chrono::milliseconds first, std::chrono::milliseconds most,
                                              double factor = 2) {
    RetryDelay delay(first);
    delay.most = most;
    delay.factor = factor;
    return delay;
  }
  [[nodiscard]] RetryDelay with_jitter(double share, std::uint64_t its_seed = 0) const {
    RetryDelay delay = *this;
    delay.jitter = share;
    delay.seed = its_seed;
    return delay;
  }

  /// After so many deliveries of the entry with this id.
  [[nodiscard]] std::chrono::milliseconds after(std::uint64_t deliveries, Id id) const noexcept {
    const double grown = static_cast<double>(first.count()) * power(deliveries > 0 ? deliveries - 1 : 0);
    const double delay = std::min(grown, static_cast<double>(most.count())) * (1 + jitter * swing(deliveries, id));
    if (!(delay > 0)) return std::chrono::milliseconds(0);  // nor is what is no number a delay
    constexpr double farthest = 1e15;                       // 30,000 years
    return std::chrono::milliseconds(static_cast<std::int64_t>(std::min(delay, farthest)));
  }

 private:
  // Of the factor. Not std::pow: <cmath> has five thousand lines, which nothing else needs.
  [[nodiscard]] double power(std::uint64_t exponent) const noexcept {
    double product = 1;
    for (double square = factor; exponent > 0; exponent >>= 1, square *= square) {
      if ((exponent & 1) != 0) product *= square;
    }
    return product;
  }
  // From -1 to 1, by SplitMix64 (Steele, Lea, Flood 2014).
  [[nodiscard]] double swing(std::uint64_t deliveries, Id id) const noexcept {
    std::uint64_t x = seed ^ id.ms * 0x9e3779b97f4a7c15U ^ id.seq * 0xbf58476d1ce4e5b9U ^ deliveries;
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return static_cast<double>((x ^ (x >> 31)) >> 11) * 0x1p-52 - 1;
  }
};

/// Why an entry was given up.
enum class DeathReason : unsigned char {
  max_deliveries,  ///< it was delivered as often as the group allows, and not acknowledged
  fatal,           ///< a consumer said that it can never be processed: nack({.fatal = true})
};

/// How an entry ended as a dead letter.
struct Death {
  Id id{};                         ///< in the stream where it was delivered
  std::string group{};             ///< whose entry it was
  std::string consumer{};          ///< who had it last; empty when it had come back to the group before
  DeathReason reason{};            ///< why
  std::uint64_t deliveries = 0;    ///< 1,023 stands for more
  std::uint64_t delivered_ms = 0;  ///< the last time, in Unix milliseconds; the dead letter's own id tells when it died
};

/// What a dead-letter stream of the wrapping type holds.
template <class T>
struct DeadLetter : Death {
  T value;  ///< a copy of the entry's
};

/// Where dead letters go: a Stream<T>, or a Stream<DeadLetter<T>>, but not the group's own. What it refuses (because
/// it is full or closed) stays pending in the group, with nobody, and is tried again.
template <class T>
class DeadLetterTo {
 public:
  constexpr DeadLetterTo() = default;
  /// Nowhere.
  constexpr DeadLetterTo(std::nullptr_t) noexcept {}
  /// One that outlives the group.
  template <class Letter>
  requires std::same_as<Letter, T> || std::same_as<Letter, DeadLetter<T>> DeadLetterTo(Stream<Letter>* stream)
  noexcept : stream_(stream), add_(&add_to<Letter>), settle_(&settle_in<Letter>), wraps_(!std::same_as<Letter, T>) {}
  /// One that lives for as long as the group does.
  template <class Letter>
  requires std::same_as<Letter, T> || std::same_as<Letter, DeadLetter<T>> DeadLetterTo(
      std::shared_ptr<Stream<Letter>> stream)
  noexcept : DeadLetterTo(stream.get()) { kept_ = std::move(stream); }

  /// Whether there is one.
  [[nodiscard]] explicit operator bool() const noexcept { return stream_ != nullptr; }
  /// Which stream it is, and whether that holds DeadLetter<T>.
  [[nodiscard]] const void* stream() const noexcept { return stream_; }
  [[nodiscard]] bool wraps() const noexcept { return wraps_; }
  /// With the group's mutex held.
  [[nodiscard]] bool add(const T& value, Death&& death) const { return add_(stream_, value, std::move(death)); }
  /// Does what follows when it dies; declare it before the lock.
  struct SettleAtEnd {
    /// For the library.
    explicit SettleAtEnd(const DeadLetterTo& where) noexcept : to(where) {}
    SettleAtEnd(const SettleAtEnd&) = delete;
    SettleAtEnd& operator=(const SettleAtEnd&) = delete;
    ~SettleAtEnd() { to.settle(); }
    const DeadLetterTo& to;  ///< whose
  };
  /// Removes letters that nobody wants (StreamOptions::until_acked). Without the mutex.
  void settle() const noexcept {
    if (stream_ != nullptr) settle_(stream_);
  }

 private:
  template <class Letter>
  static bool add_to(void* stream, const T& value, Death&& death) {
    static_assert(std::copy_constructible<T>, "dead letters are copies of entries: T must be copyable");
    if constexpr (std::copy_constructible<T>) return add_copy<Letter>(stream, value, std::move(death));
    else return false;
  }
  template <class Letter>
  static bool add_copy(void* stream, const T& value, Death&& death) {
    auto& to = *static_cast<Stream<Letter>*>(stream);
    auto payload = [&] {
      if constexpr (std::same_as<Letter, T>) return log::make_payload<T>(value);
      else return log::make_payload<Letter>(DeadLetter<T>{std::move(death), value});
    }();
    const bool added = watch_letter(*to.state_, {std::addressof(payload), 1}, [&] {
      return to.append_locked(log::Request::at_time(to.state_->unix_ms()), payload);
    });
    if (added) note_added(*to.state_);
    return added;
  }
  template <class Letter>
  static void settle_in(void* stream) noexcept {
    sweep(*static_cast<Stream<Letter>*>(stream)->state_);
  }

  void* stream_ = nullptr;
  bool (*add_)(void*, const T&, Death&&) = nullptr;
  void (*settle_)(void*) noexcept = nullptr;
  bool wraps_ = false;
  std::shared_ptr<void> kept_{};
};

/// By what a group is ordered: a function that tells the key of an entry, of any type that std::hash knows. Keys with the
/// same hash are ordered among each other too. It is called with the group's mutex held, once for each entry, so it must
/// not use the stream's groups; where it throws, the read that came to the entry throws, and nothing was delivered.
template <class T>
class KeyOf {
 public:
  KeyOf() = default;
  /// No order.
  KeyOf(std::nullptr_t) noexcept {}
  /// The function that tells it.
  template <class Function>
  requires std::invocable<const Function&, const T&> &&(!std::same_as<Function, KeyOf>)KeyOf(Function function)
      : hash_([function = std::move(function)](const T& value) {
          const auto& key = std::invoke(function, value);
          return std::uint64_t{std::hash<std::remove_cvref_t<decltype(key)>>()(key)};
        }) {}
  /// A function that takes no entry, or changes itself when it is called, cannot tell it.
  template <class NoFunctionOfConstT>
  requires(!std::invocable<const NoFunctionOfConstT&, const T&> && !std::derived_from<NoFunctionOfConstT, KeyOf>)
      KeyOf(NoFunctionOfConstT)
  = delete;

  /// Whether there is one.
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(hash_); }
  /// The hash of an entry's key.
  [[nodiscard]] std::uint64_t operator()(const T& value) const { return hash_(value); }

 private:
  std::function<std::uint64_t(const T&)> hash_;
};

/// Options of a group, fixed for its life.
template <class T>
struct GroupOptions {
  /// An entry that was delivered so often, and comes back to the group once more, becomes a dead letter. 0 is no limit.
  std::uint64_t max_deliveries = 0;
  /// Where dead letters go. Without one they are acknowledged, and thereby gone.
  DeadLetterTo<T> dead_letter = {};
  /// How long an entry that was given back rests before it is delivered again.
  RetryDelay retry_delay = {};
  /// How long a consumer may keep an entry: after that it comes back to the group by itself, and whoever reads next gets
  /// it. Until somebody reads it is still its consumer's, for info, pending, history, ack and nack too.
  /// Rounded up to milliseconds; 0 is for ever.
  std::chrono::milliseconds visibility{0};
  /// Entries with the same key are processed in the order of the stream, one at a time: the next one is delivered when the
  /// one before it was acknowledged, or became a dead letter. Whoever has it, and however often it comes back, those behind
  /// it wait, and entries with other keys do not. What waits takes some 100 bytes an entry.
  KeyOf<T> ordered_by = {};
  /// How many entries may be with consumers at a time: with all together, and with each. A read beyond that finds nothing,
  /// or waits. Claims do not ask. 0 is no limit. With one of these three options acknowledging takes the group's mutex.
  std::size_t max_in_flight = 0;
  std::size_t max_in_flight_of_consumer = 0;
};

/// Options of a claim (XCLAIM).
struct ClaimOptions {
  /// Only entries that have been with their consumer for so long, or with nobody.
  std::chrono::milliseconds min_idle{0};
  /// How long the new consumer has had them, instead of 0; or since when, in Unix milliseconds. What lies in the future
  /// counts as now.
  std::optional<std::chrono::milliseconds> idle = std::nullopt;
  std::optional<std::uint64_t> time = std::nullopt;
  /// How often they were delivered, instead of once more than before.
  std::optional<std::uint64_t> retry_count = std::nullopt;
  /// Entries that are in the stream and not pending become pending.
  bool force = false;
  /// The claim does not count as a delivery.
  bool just_id = false;
  /// The group goes on after this id at least.
  std::optional<Id> last_id = std::nullopt;
};

/// Options of a sweep over what is pending (XAUTOCLAIM).
struct AutoClaimOptions {
  std::chrono::milliseconds min_idle{0};  ///< as ClaimOptions::min_idle
  /// Where to begin: `next` of the sweep before.
  Id start = Id::min();
  /// At most so many entries, claimed and deleted together.
  std::size_t count = 100;
  bool just_id = false;
};

/// What a sweep found.
template <class T>
struct AutoClaimed {
  Id next{};                   ///< where the next sweep begins; 0-0 when this one reached the end
  Deliveries<T> deliveries{};  ///< what was taken over
  std::vector<Id> deleted{};   ///< were pending, but have left the stream; they are not pending any more
};

/// Which pending entries to list (XPENDING with a range).
struct PendingOptions {
  /// Only entries that have been with their consumer for so long, or are with nobody.
  std::chrono::milliseconds min_idle{0};
  Id first = Id::min();          ///< from this id on
  Id last = Id::max();           ///< up to this one
  std::size_t count = no_limit;  ///< at most so many
  /// Only those of this consumer.
  std::optional<std::string_view> consumer = std::nullopt;
};

/// One pending entry.
struct PendingEntry {
  Id id{};                 ///< in the stream
  std::string consumer{};  ///< empty when it is with nobody: it came back to the group, and is to be delivered again
  std::chrono::milliseconds idle{0};  ///< since it was delivered; for one with nobody 0
  std::uint64_t deliveries = 0;       ///< how often it was delivered; 1,023 stands for more
};

/// What XINFO STREAM FULL tells of a consumer.
struct ConsumerFullInfo : ConsumerInfo {
  std::vector<PendingEntry> entries{};  ///< the first ones that are pending with it
};

/// What XINFO STREAM FULL tells of a group.
struct GroupFullInfo : GroupInfo {
  std::vector<PendingEntry> entries{};      ///< the first ones that are pending
  std::vector<ConsumerFullInfo> members{};  ///< in byte order of their names
};

/// What XINFO STREAM FULL tells of a stream.
template <class T>
struct StreamFullInfo : StreamInfo {
  Entries<T> first{};                            ///< oldest first
  Entries<T> last{};                             ///< newest first
  std::vector<GroupFullInfo> consumer_groups{};  ///< in byte order of their names
};

/// What deleting a consumer does with what is pending with it.
enum class Orphans : unsigned char {
  hand_back,  ///< to the group, which delivers it to others at once
  drop,       ///< as if acknowledged (XGROUP DELCONSUMER)
};

}  // namespace brook
