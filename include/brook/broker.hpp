// broker.hpp — objects by name, made when they are first asked for, as in a Redis server.
//
//   brook::Broker broker;
//   auto orders = *broker.stream<Order>("orders");    // a std::shared_ptr<Stream<Order>>
//   auto jobs = *broker.list<Job>("jobs");
//   for (const std::string& name : broker.keys("job*")) std::cout << name << '\n';
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

#include <brook/blocking_list.hpp>
#include <brook/broker/expiries.hpp>
#include <brook/broker/keeper.hpp>
#include <brook/broker/named.hpp>
#include <brook/broker/names.hpp>
#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/deadlines.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/text.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/pubsub.hpp>
#include <brook/pubsub/glob.hpp>
#include <brook/stream.hpp>

namespace brook {

/// Why there is no object of a name. It is an Errc, and where that is wrong_type it says what the name holds.
class NameError {
 public:
  /// With the sentence for people, where the code does not say it all.
  NameError(Errc code, std::string text = {}) : code_(code), text_(std::move(text)) {}

  /// The code, so that it compares with one.
  operator Errc() const noexcept { return code_; }
  [[nodiscard]] Errc code() const noexcept { return code_; }
  /// For people: "'orders' is a stream of Order, not a list of Job".
  [[nodiscard]] std::string message() const { return text_.empty() ? std::string(brook::message(code_)) : text_; }

 private:
  Errc code_;
  std::string text_;
};

/// Names and their objects. Objects live on, for those who have them, when their name is erased or the broker is gone.
///
/// Thread-safety: any member may be called at any time from any thread, but for the destructor. Looking a name up takes no
/// lock, but when it is not found just as another name moves. Making, erasing and renaming take one; so does what tells of all
/// names, each for as long as that takes.
/// Exceptions: std::bad_alloc; nothing has changed then.
class Broker {
 public:
  Broker() : Broker(BrokerOptions{}) {}
  explicit Broker(const BrokerOptions& options) : options_(options), expiries_(*this, clock()) {}
  /// Closes everything. Precondition: no call of its own is running.
  ~Broker() { close(); }

  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // — objects —

  /// The stream of this name, made with these options if there is nothing of the name; what is there keeps its own. Errors:
  /// wrong_type when the name holds something else, or a stream of something else, or where the broker has a journal that was
  /// not told of the type; closed when it would have to be made and the
  /// broker is closed. O(1). An object that is made gets the broker's clock and probe, unless its options name one.
  template <class T>
  [[nodiscard]] expected<std::shared_ptr<Stream<T>>, NameError> stream(std::string_view name,
                                                                       const StreamOptions& options = {}) {
    return object<Stream<T>>(name, options);
  }
  /// The list of this name, as above.
  template <class T>
  [[nodiscard]] expected<std::shared_ptr<BlockingList<T>>, NameError> list(std::string_view name,
                                                                           const ListOptions& options = {}) {
    return object<BlockingList<T>>(name, options);
  }
  /// The channel of this name, as above.
  template <class T>
  [[nodiscard]] expected<std::shared_ptr<Channel<T>>, NameError> channel(std::string_view name,
                                                                         const ChannelOptions& options = {}) {
    return object<Channel<T>>(name, options);
  }
  /// The PubSub of this name, as above.
  template <class T>
  [[nodiscard]] expected<std::shared_ptr<PubSub<T>>, NameError> pubsub(std::string_view name,
                                                                       const PubSubOptions& options = {}) {
    return object<PubSub<T>>(name, options);
  }

  // — names —

  /// Names that match a pattern (glob, as PubSub), in byte order (KEYS). O(n log n).
  [[nodiscard]] std::vector<std::string> keys(std::string_view pattern = "*") const;
  /// What the name holds, as "stream of Order"; nothing when there is no such name (TYPE).
  [[nodiscard]] std::optional<std::string> type(std::string_view name) const {
    const auto named = find(name);
    return named == nullptr ? std::nullopt : std::optional(named->description());
  }
  [[nodiscard]] bool exists(std::string_view name) const { return find(name) != nullptr; }

  /// Takes a name away; whether there was one (DEL). The object is neither closed nor emptied: who has it goes on with it.
  bool erase(std::string_view name);
  /// Gives an object another name; what had that name loses it (RENAME). At one instant. To its probe it has the name that it
  /// was made under. Errors: no_such_key.
  expected<void, Errc> rename(std::string_view from, std::string_view to);

  /// A name goes by itself after so long, on the broker's clock (PEXPIRE), as if it were erased then, on a thread of the
  /// clock's; zero or less is at once. Whether there is the name.
  bool expire_after(std::string_view name, std::chrono::milliseconds time);
  /// It does not after all (PERSIST). Whether there is the name.
  bool persist(std::string_view name);
  /// How long a name has yet (PTTL): nothing when it does not go by itself. Errors: no_such_key.
  [[nodiscard]] expected<std::optional<std::chrono::milliseconds>, Errc> expires_in(std::string_view name) const;

  // — all —

  /// Every object, in byte order of the names, each at an instant of its own.
  [[nodiscard]] std::vector<ObjectInfo> info() const;

  /// Nothing is made any more, and every object that has a name is closed, in the order in which they were made, so that what
  /// comes first in a pipeline ends first: every call that waits wakes, and what is there can still be drained. What is in
  /// somebody's hands stays pending. May be called again.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_.load(sync::seq_cst); }

 private:
  friend class broker::Contents;
  friend class broker::Expiries<Broker>;

  using Names = broker::Names<broker::Named>;
  using Ptr = Names::Ptr;

  [[nodiscard]] Clock& clock() const noexcept { return clock_or_system(options_.clock); }

  // What is destroyed with the lock held is destroyed after it.
  struct Locked {
    explicit Locked(const Broker& broker) : held(broker.mutex_) {}
    const core::Later later;
    const sync::unique_lock<sync::mutex> held;
  };

  // Most never do, and then nobody asks what time it is.
  [[nodiscard]] bool expired(const broker::Named& named) const noexcept {
    const Clock::time_point when = named.expires();
    return when != Clock::time_point::max() && clock().now() >= when;
  }
  [[nodiscard]] Ptr unless_expired(Ptr named) const noexcept {
    return named != nullptr && expired(*named) ? nullptr : std::move(named);
  }
  [[nodiscard]] Ptr find(std::string_view name) const {
    Ptr named;
    if (names_.find(name, [&](const Ptr& found) { named = found; }) != Names::Found::unknown)
      return unless_expired(std::move(named));
    const Locked locked(*this);
    return find_locked(name);
  }
  [[nodiscard]] Ptr find_locked(std::string_view name) const noexcept {
    return unless_expired(names_.find_surely(name));
  }

  // Whatever has the name, be it expired.
  void erase_locked(std::string_view name) {
    broker::Named* const named = names_.find_surely(name).get();  // it is there as long as it has the name
    if (named == nullptr) return;
    forget_expiry(*named);
    if (keeper_ != nullptr) keeper_->erased(*named);
    names_.erase(name);
  }

  // Names that expire, with the lock: what a name's object says of that has changed; the object has no name any more.
  void note_expiry(broker::Named& named) noexcept {
    forget_expiry(named);
    named.deadline = named.expires();
    if (named.deadline != Clock::time_point::max()) expiring_.add(named, named.number);
  }
  void forget_expiry(broker::Named& named) noexcept {
    if (expiring_.holds(named)) expiring_.remove(named);
  }
  // Without.
  void sweep() noexcept {
    const Locked locked(*this);
    const Clock::time_point now = clock().now();
    while (!expiring_.empty() && expiring_.first().deadline <= now) {
      const std::string& name = expiring_.first().name;
      erase_locked(name);
    }
  }
  [[nodiscard]] Clock::time_point next_expiry() const noexcept {
    const Locked locked(*this);
    return expiring_.empty() ? Clock::time_point::max() : expiring_.first().deadline;
  }
  // What has the name goes at this time.
  bool set_expiry(std::string_view name, Clock::time_point when);

  template <class Object>
  [[nodiscard]] expected<std::shared_ptr<Object>, NameError> object(
      std::string_view name, const typename broker::Traits<Object>::Options& options) {
    std::shared_ptr<Object> object;
    names_.find(name, [&](const Ptr& named) {
      const auto* const there = broker::object_in<Object>(*named);
      if (there != nullptr && !expired(*named)) object = *there;
    });
    if (object != nullptr) [[likely]]
      return object;
    return make<Object>(name, options);
  }
  template <class Object>
  [[nodiscard]] static expected<std::shared_ptr<Object>, NameError> as(std::string_view name,
                                                                       const broker::Named& named) {
    if (const auto* const there = broker::object_in<Object>(named)) return *there;
    return unexpected(wrong_type<Object>(name, named));
  }
  template <class Object>
  [[nodiscard]] static NameError wrong_type(std::string_view name, const broker::Named& named) {
    using Traits = broker::Traits<Object>;
    return {Errc::wrong_type,
            core::text({"'", name, "' is a ", named.description(), ", not a ",
                        broker::described(Traits::kind, broker::type_name<typename Traits::Element>())})};
  }
  // Unless there is something of the name after all, or something else.
  template <class Object>
  [[nodiscard, gnu::noinline, gnu::cold]] expected<std::shared_ptr<Object>, NameError> make(
      std::string_view name, typename broker::Traits<Object>::Options options) {
    if (const Ptr named = find(name)) return as<Object>(name, *named);
    if (options.clock == nullptr) options.clock = options_.clock;
    if (options.probe == nullptr && options_.probe != nullptr) options.probe = options_.probe->named(name);
    const auto made = std::make_shared<broker::Holder<Object>>(options);
    made->name = name;
    const Locked locked(*this);
    if (const Ptr named = find_locked(name)) return as<Object>(name, *named);
    erase_locked(name);  // it may have expired
    if (closed()) return unexpected(NameError(Errc::closed));
    if (keeper_ != nullptr) {
      if (std::string refused = keeper_->made(name, *made); !refused.empty())
        return unexpected(NameError(Errc::wrong_type, std::move(refused)));
    }
    core::Undo undo([&] {
      if (keeper_ != nullptr) keeper_->erased(*made);
    });
    names_.insert(name, made);
    undo.keep();
    made->number = ++made_;
    return made->object;
  }

  // All that have a name now. With the lock.
  [[nodiscard]] std::vector<std::pair<std::string, Ptr>> all(std::string_view pattern = "*") const {
    std::vector<std::pair<std::string, Ptr>> found;
    names_.each([&](const std::string& name, const Ptr& named) {
      if (!expired(*named) && (pattern == "*" || pubsub::matches(pattern, name))) found.emplace_back(name, named);
    });
    return found;
  }

  const BrokerOptions options_;
  mutable sync::mutex mutex_;
  mutable Names names_;
  std::shared_ptr<broker::Keeper> keeper_;
  sync::atomic<bool> closed_{false};
  std::uint64_t made_ = 0;
  core::Deadlines<broker::Named> expiring_;
  broker::Expiries<Broker> expiries_;
};

inline std::vector<std::string> Broker::keys(std::string_view pattern) const {
  std::vector<std::string> names;
  {
    const Locked locked(*this);
    for (auto& [name, named] : all(pattern)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

inline bool Broker::erase(std::string_view name) {
  const Locked locked(*this);
  const bool there = find_locked(name) != nullptr;
  erase_locked(name);
  return there;
}

inline expected<void, Errc> Broker::rename(std::string_view from, std::string_view to) {
  std::string name(to);
  Ptr replaced;
  const Locked locked(*this);
  const Ptr named = find_locked(from);
  if (named == nullptr) return unexpected(Errc::no_such_key);
  if (from == to) return {};
  replaced = names_.find_surely(to);
  names_.move(from, to);
  named->name.swap(name);
  if (replaced != nullptr) forget_expiry(*replaced);
  if (keeper_ != nullptr) keeper_->renamed(*named, to, replaced.get());
  return {};
}

inline bool Broker::expire_after(std::string_view name, std::chrono::milliseconds time) {
  return time.count() <= 0 ? erase(name) : set_expiry(name, Wait(time).deadline(clock()));
}

inline bool Broker::persist(std::string_view name) { return set_expiry(name, Clock::time_point::max()); }

inline bool Broker::set_expiry(std::string_view name, Clock::time_point when) {
  {
    const Locked locked(*this);
    const Ptr named = find_locked(name);
    if (named == nullptr) return false;
    named->expire_at(when);
    note_expiry(*named);
    if (keeper_ != nullptr) keeper_->expires(*named);
  }
  expiries_.changed();
  return true;
}

inline expected<std::optional<std::chrono::milliseconds>, Errc> Broker::expires_in(std::string_view name) const {
  const Ptr named = find(name);
  if (named == nullptr) return unexpected(Errc::no_such_key);
  const Clock::time_point when = named->expires();
  if (when == Clock::time_point::max()) return std::nullopt;
  const Clock::time_point now = clock().now();
  if (when <= now) return unexpected(Errc::no_such_key);
  return std::chrono::ceil<std::chrono::milliseconds>(when - now);
}

inline std::vector<ObjectInfo> Broker::info() const {
  std::vector<std::pair<std::string, Ptr>> objects;
  {
    const Locked locked(*this);
    objects = all();
  }
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<ObjectInfo> infos;
  infos.reserve(objects.size());
  for (const auto& [name, named] : objects) {
    infos.push_back({.name = name,
                     .kind = named->kind,
                     .element_type = named->element_type(),
                     .size = named->size(),
                     .closed = named->closed()});
  }
  return infos;
}

inline void Broker::close() noexcept {
  BROOK_TRY {
    std::vector<std::pair<std::string, Ptr>> objects;
    {
      const Locked locked(*this);
      closed_.store(true, sync::seq_cst);
      objects = all();
    }
    std::sort(objects.begin(), objects.end(),
              [](const auto& a, const auto& b) { return a.second->number < b.second->number; });
    for (const auto& [name, named] : objects) named->close();
    return;
  }
  BROOK_CATCH_ALL {}
  // There is no memory for a list of them: each is looked for when it is its turn.
  for (std::uint64_t closed = 0;;) {
    Ptr next;
    {
      const Locked locked(*this);
      names_.each([&](const std::string&, const Ptr& named) {
        if (named->number > closed && (next == nullptr || named->number < next->number)) next = named;
      });
    }
    if (next == nullptr) return;
    next->close();
    closed = next->number;
  }
}

}  // namespace brook
