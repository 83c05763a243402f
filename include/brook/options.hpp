// options.hpp — the aggregates that a caller fills with designated initialisers: one field for each keyword of a
// command.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

#include <brook/clock.hpp>
#include <brook/id.hpp>
#include <brook/wait.hpp>

namespace brook {

class Probe;

/// No bound, in entries.
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
/// All there are, for the number of entries that a call may return.
inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

struct Earliest {};
struct Latest {};
/// Before the first entry there can be: `0` in XREAD and XGROUP CREATE.
inline constexpr Earliest earliest{};
/// After the last entry there is when the call is made: `$`.
inline constexpr Latest latest{};

/// Where reading starts: after an id, after nothing, or after all that is there.
class Position {
 public:
  /// Behind this id.
  constexpr Position(Id after) noexcept : after_(after) {}
  constexpr Position(Earliest) noexcept : after_(Id::min()) {}
  constexpr Position(Latest) noexcept {}

  /// The id that reading starts after, in a stream whose last id is `last`.
  [[nodiscard]] constexpr Id after(Id last) const noexcept { return after_.value_or(last); }
  [[nodiscard]] constexpr bool is_latest() const noexcept { return !after_.has_value(); }

 private:
  std::optional<Id> after_;
};

/// How long a reader polls before it sleeps, unless the stream's options say otherwise: waking a sleeping thread takes
/// tens of microseconds, so an entry that comes within a few is better waited for awake. Part of it may be spent on letting
/// several gather, where they come in less than 0.1 µs each (wait/slip.hpp).
inline constexpr std::chrono::microseconds default_spin{5};

/// For how long an add under a key of its producer is not made again (XCFGSET).
struct IdempotencyWindow {
  /// Since it was added.
  std::chrono::milliseconds duration{100'000};
  /// Of each producer; the oldest are forgotten. At least 1.
  std::size_t keys = 100;
};

/// Who adds an entry, and what the producer calls it, so that the same add made twice adds it once (XADD IDMP).
struct Idempotent {
  /// Keys are of one producer.
  std::string_view producer;
  /// Without one the content is the key, for strings and for types whose bytes are their value (XADD IDMPAUTO).
  std::optional<std::string_view> key = std::nullopt;
};

/// What an add does when a bounded object is full, and a publish when a subscription's backlog is.
enum class Overflow : unsigned char {
  reject,       ///< answers Errc::full; of a subscription as disconnect
  block,        ///< waits until there is room
  drop_oldest,  ///< makes room: the oldest go
  disconnect,   ///< ends the subscription; elsewhere as reject
};

/// Options of a stream, fixed for its life.
struct StreamOptions {
  /// Entries; each add that makes the stream longer removes the oldest (XADD MAXLEN).
  std::uint64_t max_len = unlimited;
  /// With max_len: trim only whole segments (XADD MAXLEN ~), which costs an add nothing; the stream is then longer by
  /// up to one segment or two.
  bool approximate = false;
  /// Entries; the stream is never longer: with 0 every add answers `full`. Room comes from erase, trim and max_age. With
  /// drop_oldest it is a max_len.
  std::uint64_t capacity = unlimited;
  Overflow overflow = Overflow::reject;
  /// Entries whose ids are older than this, by the wall clock of `clock`, are removed by whoever next adds or reads. 0
  /// is for ever. With `approximate` whole segments go.
  std::chrono::milliseconds max_age{0};
  /// An entry leaves when every group there is has acknowledged it, let it die, or stands behind it from the beginning;
  /// with no group nothing leaves. With it acknowledging takes mutexes: of the group, of each group in turn, and that
  /// of erase; and so does adding while a group stands ahead of the last id.
  bool until_acked = false;
  /// The source of ids and timeouts; it must outlive the stream. Null is SystemClock.
  Clock* clock = nullptr;
  /// How long a blocking call polls before it sleeps; 0 to sleep at once.
  std::chrono::microseconds spin = default_spin;
  /// For adds with a producer and a key.
  IdempotencyWindow idempotency = {};
  /// Watches every operation (probe.hpp), for tests; it must outlive the stream.
  Probe* probe = nullptr;
};

/// An end of a list.
enum class Side : unsigned char { left, right };

[[nodiscard]] constexpr Side opposite(Side side) noexcept { return side == Side::left ? Side::right : Side::left; }

/// Options of a list, fixed for its life.
struct ListOptions {
  /// Elements; the list is never longer: with 0 it takes none. A bounded list takes its lock for each push and pop.
  std::size_t capacity = no_limit;
  /// What a push does when the list is full; drop_oldest drops at the other end, and only what nobody waits for.
  Overflow overflow = Overflow::reject;
  /// The source of timeouts; it must outlive the list. Null is SystemClock.
  Clock* clock = nullptr;
  /// How long a blocking call polls before it sleeps; 0 to sleep at once.
  std::chrono::microseconds spin = default_spin;
  /// Watches every operation (probe.hpp), for tests; it must outlive the list. A watched list takes its lock for each.
  Probe* probe = nullptr;
};

/// Options of a channel, fixed for its life.
struct ChannelOptions {
  /// The source of timeouts; it must outlive the channel, and functions that are called on a thread of their own. Null is
  /// SystemClock.
  Clock* clock = nullptr;
  /// How long a blocking call polls before it sleeps; 0 to sleep at once.
  std::chrono::microseconds spin = default_spin;
  /// Watches every operation (probe.hpp), for tests; it must outlive the channel.
  Probe* probe = nullptr;
};

/// Options of a subscription, fixed for its life.
struct SubscribeOptions {
  /// Messages that may wait for this subscription; at least 1.
  std::uint64_t backlog = unlimited;
  /// What happens when one more is published: the oldest that waits is lost (Subscription::lost), or the subscription
  /// ends, or the publisher waits.
  Overflow overflow = Overflow::drop_oldest;
  /// Subscriptions with the same name here share their messages: each goes to one of them. What the first of them says
  /// of its backlog counts. An empty name shares with nobody.
  std::string_view share = {};
};

/// Which thread calls a callback.
enum class CallOn : unsigned char {
  /// One that publishes, before its publish returns; and the one that subscribes, for what is published before
  /// subscribe() has returned. A publisher that finds another thread calling leaves its message to that one, which so
  /// works for all who publish meanwhile. With Overflow::block a function must not publish to its own channel, nor may
  /// functions of two channels publish to each other's: they would wait for each other's room.
  publisher,
  /// One that is the subscription's own. Subscribing throws std::system_error when it cannot be started, and then
  /// nothing has changed.
  own_thread,
};

/// Options of a subscription with a callback.
struct CallbackOptions {
  std::uint64_t backlog = unlimited;          ///< as SubscribeOptions
  Overflow overflow = Overflow::drop_oldest;  ///< as SubscribeOptions
  CallOn thread = CallOn::publisher;          ///< which thread calls
  /// Called, where the callback was, with what it threw. It must not throw itself.
  std::function<void(std::exception_ptr)> on_error = {};
};

/// Options of a PubSub, fixed for its life.
struct PubSubOptions {
  /// Names are spread over so many parts by hash_slot(); who publishes to names of different parts shares nothing,
  /// unless somebody is subscribed to both. At least 1. Subscribing takes the locks of all at once, of which
  /// ThreadSanitizer can follow 64.
  std::size_t shards = 1;
  /// The source of timeouts; it must outlive the PubSub, and functions that are called on a thread of their own. Null is
  /// SystemClock.
  Clock* clock = nullptr;
  /// How long a blocking call polls before it sleeps; 0 to sleep at once.
  std::chrono::microseconds spin = default_spin;
  /// Watches every operation (probe.hpp), for tests; it must outlive the PubSub.
  Probe* probe = nullptr;
};

/// Options of a subscription to a PubSub.
struct TopicOptions {
  /// Patterns of names, as in Redis: `* ? [abc] [^a] [a-z] \x`, byte by byte (PSUBSCRIBE).
  std::vector<std::string> patterns = {};
  /// As SubscribeOptions. When names or patterns change while messages wait, as many again may wait from after that.
  std::uint64_t backlog = unlimited;
  Overflow overflow = Overflow::drop_oldest;  ///< as SubscribeOptions
  /// As SubscribeOptions, among subscriptions to the same names and patterns, which then stay what they are.
  std::string_view share = {};
};

/// A channel at one instant.
struct ChannelInfo {
  std::size_t subscriptions = 0;  ///< those that share count as one
  std::uint64_t published = 0;    ///< messages that somebody was there for
  std::uint64_t kept = 0;         ///< of these, messages that are still kept, for those who have not received them
  bool closed = false;            ///< nothing is published any more
};

/// Options of a broker, fixed for its life.
struct BrokerOptions {
  /// The clock of the broker, and of all objects that it makes; it must outlive them. Null is SystemClock.
  Clock* clock = nullptr;
  /// Watches all objects that it makes, by their names (probe.hpp), for tests; it must outlive them.
  Probe* probe = nullptr;
};

/// What a name in a broker can hold.
enum class ObjectKind : unsigned char { stream, list, channel, pubsub };

[[nodiscard]] constexpr std::string_view to_string(ObjectKind kind) noexcept {
  switch (kind) {
    case ObjectKind::stream: return "stream";
    case ObjectKind::list: return "list";
    case ObjectKind::channel: return "channel";
    case ObjectKind::pubsub: return "pubsub";
  }
  return "unknown";
}

/// One object of a broker.
struct ObjectInfo {
  std::string name{};          ///< in the broker
  ObjectKind kind{};           ///< what it is
  std::string element_type{};  ///< as a program writes it, where the compiler tells
  std::uint64_t size = 0;      ///< entries, elements, messages that are kept, or names that are subscribed to
  bool closed = false;         ///< nothing is added any more
};

/// Has each call begin with the source behind the one that served the last: so one that never runs dry does not keep
/// the others from being served. One for each consumer; not for several threads.
struct Rotation {
  std::size_t next = 0;  ///< the source that is asked first, counted on and on
};

/// Options of a read (XREAD, XREADGROUP).
struct ReadOptions {
  /// At most so many entries. 0 reads nothing, and does not wait.
  std::size_t count = no_limit;
  /// How long to wait when there is nothing. The default does not wait.
  Wait block = {};
#ifdef __cpp_lib_jthread
  /// Ends the wait with Errc::cancelled. Entries that are there are read all the same.
  std::stop_token stop = {};
#endif
  /// For a consumer: first, but after what came back to the group, take over entries that have been pending, with
  /// whomever, for at least so long; those that have waited longest first. They count towards `count` (XREADGROUP
  /// CLAIM).
  std::optional<std::chrono::milliseconds> claim_idle = std::nullopt;
  /// For a consumer: deliver new entries without making them pending; each is lost if its consumer dies (XREADGROUP
  /// NOACK). What came back, or is taken over by `claim_idle`, is pending as ever.
  bool no_ack = false;

  /// `block`, with `stop` where it is given, instead of a stop token that `block` has.
  [[nodiscard]] Wait wait() const {
#ifdef __cpp_lib_jthread
    if (stop.stop_possible()) return block.with(stop);
#endif
    return block;
  }
  /// The same options with another wait, if there is one.
  [[nodiscard]] ReadOptions with(const Wait* other) const {
    ReadOptions options = *this;
    if (other == nullptr) return options;
    options.block = *other;
#ifdef __cpp_lib_jthread
    options.stop = {};
#endif
    return options;
  }
};

/// How to give an entry back (XNACK).
struct NackOptions {
  /// How long the entry rests; without it, what the group's retry_delay says.
  std::optional<std::chrono::milliseconds> delay = std::nullopt;
  /// This delivery does not count.
  bool uncounted = false;
  /// The entry can never be processed: a dead letter at once; if it has left the stream it is done with, without a
  /// letter.
  bool fatal = false;
};

/// Options of a trim (XTRIM): exactly one of `max_len` and `min_id`.
struct TrimOptions {
  /// Entries to keep; the oldest go.
  std::optional<std::uint64_t> max_len = std::nullopt;
  /// Entries with smaller ids go.
  std::optional<Id> min_id = std::nullopt;
  /// Remove only whole segments, and so perhaps less (`~`).
  bool approximate = false;
  /// With `approximate`: at most so many entries (LIMIT). 0 is no limit, as in Redis.
  std::optional<std::uint64_t> limit = std::nullopt;
};

/// What XINFO STREAM tells.
struct StreamInfo {
  std::uint64_t length = 0;         ///< entries now
  std::uint64_t capacity = 0;       ///< entries there can be; 0 when the stream is not bounded
  std::uint64_t entries_added = 0;  ///< entries ever added
  Id first_id{};                    ///< of the oldest entry; 0-0 when there is none
  Id last_id{};                     ///< of the entry added last, erased or not; 0-0 when there never was one
  Id max_deleted_id{};              ///< the largest id ever erased; trimming does not count
  std::size_t groups = 0;           ///< consumer groups
  std::uint64_t segments = 0;       ///< pieces of memory that hold the entries
  std::size_t producers = 0;        ///< those with keys within the idempotency window, as of the last add with one
  std::size_t producer_keys = 0;    ///< their keys
  std::uint64_t duplicates = 0;     ///< adds that were not made again
  bool closed = false;              ///< nothing is added any more
};

/// What XPENDING tells of a group as a whole.
struct PendingSummary {
  /// How many one consumer has.
  struct OfConsumer {
    std::string name{};       ///< of the consumer
    std::uint64_t count = 0;  ///< entries pending with it
  };
  std::uint64_t count = 0;              ///< entries delivered and not acknowledged
  Id first{};                           ///< the smallest of their ids; 0-0 when there is none
  Id last{};                            ///< the largest
  std::vector<OfConsumer> consumers{};  ///< those that have any, in byte order
};

/// What XINFO GROUPS tells of a group.
struct GroupInfo {
  std::string name{};              ///< of the group
  std::size_t consumers = 0;       ///< those that it knows
  std::uint64_t pending = 0;       ///< entries delivered and not acknowledged
  std::uint64_t returned = 0;      ///< of these, entries with nobody: they came back, and will be delivered again
  Id last_delivered_id{};          ///< new entries are those above it
  std::uint64_t entries_read = 0;  ///< of all entries ever added, those that are not yet to be delivered
  std::uint64_t lag = 0;           ///< entries not yet delivered; exact, also after deletions
  /// Entries that were trimmed or erased before this group got them. Of a group that stood ahead of the last id perhaps
  /// fewer: those that were trimmed, with the place that it stood at, before it read or was asked for this are not
  /// counted.
  std::uint64_t lost = 0;
};

/// What XINFO CONSUMERS tells of a consumer.
struct ConsumerInfo {
  std::string name{};                                   ///< of the consumer
  std::uint64_t pending = 0;                            ///< entries delivered to it and not acknowledged
  std::chrono::milliseconds idle{0};                    ///< since it last asked for something
  std::optional<std::chrono::milliseconds> inactive{};  ///< since it last got something; nothing when it never did
};

}  // namespace brook
