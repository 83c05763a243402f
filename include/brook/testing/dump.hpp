// dump.hpp — all that can be seen of an object, as text for people.
//
//   std::cout << dump(orders);
//   stream 'orders' of Order: 2 entries of 2 ever added, 1000-0 … 1000-1
//     1000-0  order 7
//     1000-1  order 8
//     group 'billing': delivered up to 1000-0, 1 read, lag 1, 1 pending
//       consumer 'worker-1': 1 pending, idle 5ms, inactive 5ms
//         1000-0  delivered 1 time, idle 5ms
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/channel.hpp>
#include <brook/error.hpp>
#include <brook/group.hpp>
#include <brook/options.hpp>
#include <brook/pubsub.hpp>
#include <brook/redelivery.hpp>
#include <brook/stream.hpp>
#include <brook/testing/shown.hpp>

namespace brook {

/// What dump() shows.
struct DumpOptions {
  std::string_view name = {};  ///< what to call the object
  std::size_t most = 100;      ///< of entries, elements and pending entries each; how many more there are is told
};

namespace testing {

template <class...>
struct Listed {};

/// Lines, each as far in as it is deep.
class Dumped {
 public:
  explicit Dumped(std::size_t depth = 0) : depth_(depth) {}

  /// Begins a line, to which the rest is to be added.
  std::ostream& line(std::size_t deeper = 0) {
    if (begun_) text_ << '\n';
    begun_ = true;
    return text_ << std::string(2 * (depth_ + deeper), ' ');
  }
  void more(std::uint64_t shown, std::uint64_t all, std::size_t deeper) {
    if (shown < all) line(deeper) << "… " << all - shown << " more";
  }
  void add(std::string_view rest) { text_ << rest; }
  [[nodiscard]] std::string text() const { return text_.str() + "\n"; }

  /// "stream 'orders' of Order: ".
  template <class T>
  void head(ObjectKind kind, std::string_view name, bool closed) {
    line() << to_string(kind);
    if (!name.empty()) text_ << ' ' << in_quotes(name);
    text_ << " of " << broker::type_name<T>() << (closed ? ", closed: " : ": ");
  }

 private:
  std::ostringstream text_;
  std::size_t depth_;
  bool begun_ = false;
};

inline void dump_pending(Dumped& to, const std::vector<PendingEntry>& entries, std::size_t deep) {
  for (const PendingEntry& entry : entries) {
    auto& line = to.line(deep) << entry.id << "  delivered " << counted(entry.deliveries, "time", "times");
    if (!entry.consumer.empty()) line << ", idle " << entry.idle.count() << "ms";
  }
}

inline void dump_group(Dumped& to, const GroupFullInfo& group) {
  auto& line = to.line(1) << "group " << in_quotes(group.name) << ": delivered up to " << group.last_delivered_id
                          << ", " << group.entries_read << " read, lag " << group.lag << ", " << group.pending
                          << " pending";
  if (group.returned > 0) line << ", " << group.returned << " with nobody";
  if (group.lost > 0) line << ", " << group.lost << " lost";
  for (const ConsumerFullInfo& consumer : group.members) {
    auto& told = to.line(2) << "consumer " << in_quotes(consumer.name) << ": " << consumer.pending << " pending, idle "
                            << consumer.idle.count() << "ms";
    if (consumer.inactive) told << ", inactive " << consumer.inactive->count() << "ms";
    dump_pending(to, consumer.entries, 3);
    to.more(consumer.entries.size(), consumer.pending, 3);
  }
  if (group.returned == 0) return;
  to.line(2) << "with nobody:";
  std::vector<PendingEntry> nobodys;
  for (const PendingEntry& entry : group.entries) {
    if (entry.consumer.empty()) nobodys.push_back(entry);
  }
  dump_pending(to, nobodys, 3);
  to.more(nobodys.size(), group.returned, 3);
}

template <class T>
void dump_to(Dumped& to, const Group<T>& group, const DumpOptions& options) {
  if (const auto info = group.full_info(options.most)) dump_group(to, *info);
  else to.line(1) << "group " << in_quotes(group.name()) << ": " << message(info.error());
}

template <class T>
void dump_to(Dumped& to, const Stream<T>& stream, const DumpOptions& options) {
  const StreamFullInfo<T> info = stream.full_info(options.most);
  to.template head<T>(ObjectKind::stream, options.name, info.closed);
  std::ostringstream rest;
  rest << counted(info.length, "entry", "entries") << " of " << info.entries_added << " ever added";
  if (info.length > 0) rest << ", " << info.first_id << " … " << info.last_id;
  else if (info.entries_added > 0) rest << ", the last was " << info.last_id;
  if (info.capacity > 0) rest << ", capacity " << info.capacity;
  if (info.max_deleted_id > Id()) rest << ", erased up to " << info.max_deleted_id;
  if (info.duplicates > 0) rest << ", " << counted(info.duplicates, "duplicate", "duplicates");
  to.add(rest.str());
  for (const auto& [id, value] : info.first) to.line(1) << id << "  " << shown(value);
  to.more(info.first.size(), info.length, 1);
  for (const GroupFullInfo& group : info.consumer_groups) dump_group(to, group);
}

template <class T>
void dump_to(Dumped& to, const BlockingList<T>& list, const DumpOptions& options) {
  const ListInfo info = list.info();
  to.template head<T>(ObjectKind::list, options.name, info.closed);
  std::ostringstream rest;
  rest << counted(info.length, "element", "elements");
  if (info.capacity > 0) rest << ", capacity " << info.capacity;
  if (info.waiting_poppers > 0) rest << ", " << info.waiting_poppers << " waiting for elements";
  if (info.waiting_pushers > 0) rest << ", " << info.waiting_pushers << " waiting for room";
  to.add(rest.str());
  if constexpr (std::copy_constructible<T>) {
    if (options.most == 0) return;
    const auto elements =
        list.lrange(0, static_cast<std::ptrdiff_t>(std::min<std::size_t>(options.most, 1U << 30)) - 1);
    for (std::size_t i = 0; i < elements.size(); ++i) to.line(1) << i << "  " << shown<T>(elements[i]);
    to.more(elements.size(), info.length, 1);
  }
}

template <class T>
void dump_to(Dumped& to, const Channel<T>& channel, const DumpOptions& options) {
  const ChannelInfo info = channel.info();
  to.template head<T>(ObjectKind::channel, options.name, info.closed);
  to.add(counted(info.subscriptions, "subscription", "subscriptions") + ", " +
         counted(info.published, "message", "messages") + ", " + std::to_string(info.kept) + " kept");
}

template <class T>
void dump_to(Dumped& to, const PubSub<T>& pubsub, const DumpOptions& options) {
  to.template head<T>(ObjectKind::pubsub, options.name, pubsub.closed());
  const std::vector<std::string> names = pubsub.channels();
  to.add(counted(names.size(), "name", "names") + ", " + counted(pubsub.num_pat(), "pattern", "patterns"));
  for (std::size_t i = 0; i < std::min(names.size(), options.most); ++i) {
    to.line(1) << in_quotes(names[i]) << "  " << counted(pubsub.num_sub(names[i]), "subscription", "subscriptions");
  }
  to.more(std::min(names.size(), options.most), names.size(), 1);
}

/// Dumps the object of this name, if it is one of these; whether it was.
template <class Object>
bool dump_named(Dumped& to, const Broker& broker, const DumpOptions& options) {
  const auto object = broker::Contents::find<Object>(broker, options.name);
  if (object != nullptr) dump_to(to, *object, options);
  return object != nullptr;
}
template <class T>
bool dump_object(Dumped& to, const Broker& broker, ObjectKind kind, const DumpOptions& options) {
  switch (kind) {
    case ObjectKind::stream: return dump_named<Stream<T>>(to, broker, options);
    case ObjectKind::list: return dump_named<BlockingList<T>>(to, broker, options);
    case ObjectKind::channel: return dump_named<Channel<T>>(to, broker, options);
    case ObjectKind::pubsub: return dump_named<PubSub<T>>(to, broker, options);
  }
  return false;
}

}  // namespace testing

/// All that info() tells of a stream, a group, a list, a channel or a PubSub, and what it holds: entries and their groups,
/// consumers and what is pending with whom, or elements. Stable: the same contents give the same text. How values are
/// printed: Shown. Each part is as of an instant of its own.
template <class Object>
requires requires(testing::Dumped& to, const Object& object) { testing::dump_to(to, object, DumpOptions()); }
[[nodiscard]] std::string dump(const Object& object, const DumpOptions& options = {}) {
  testing::Dumped text;
  testing::dump_to(text, object, options);
  return text.text();
}

/// All objects of a broker, in byte order of their names. Those of int, std::string and of the types that are named,
/// `dump<Order, Job>(broker)`, with all that they hold; of others their type and how much that is.
template <class... Types>
[[nodiscard]] std::string dump(const Broker& broker, const DumpOptions& options = {}) {
  testing::Dumped text;
  const std::vector<ObjectInfo> objects = broker.info();
  text.line() << "broker" << (broker.closed() ? ", closed: " : ": ")
              << testing::counted(objects.size(), "object", "objects");
  testing::Dumped inner(1);
  for (const ObjectInfo& info : objects) {
    const DumpOptions how{.name = info.name, .most = options.most};
    const auto one_of = [&]<class... Ts>(testing::Listed<Ts...>) {
      return (testing::dump_object<Ts>(inner, broker, info.kind, how) || ...);
    };
    if (one_of(testing::Listed<Types..., int, std::string>())) continue;
    inner.line() << to_string(info.kind) << ' ' << testing::in_quotes(info.name) << " of " << info.element_type << ": "
                 << info.size << " inside" << (info.closed ? ", closed" : "");
  }
  return text.text() + (objects.empty() ? "" : inner.text());
}

}  // namespace brook
