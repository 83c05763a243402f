// object.hpp — one object of a snapshot as it is saved, whatever its type; and how all of them are looked at together.
//
// The instant   All groups of all streams stand still; then all lists are locked; then everything is looked at; then the lists
// go on, and the groups, one after the other, as soon as what they are has been noted. So nothing that takes effect at one
// instant in several objects (a forward, a dead letter, a move from list to list) is in one of them and not in the other. Plain
// adds and pushes go on all the while: of a stream they notice nothing, of a list the lock for a moment.
//
// Locking   streams' groups (stream/cut.hpp), then lists in the order of their addresses. Who has a group's mutex may wait for a
// list; who has a list's never waits for a group.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <brook/core/later.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/snapshot/channel.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/writer.hpp>

namespace brook::snapshot {

/// What a snapshot says of an object, whatever it is.
struct ObjectHead {
  std::string name{};  ///< empty for one that has none
  ObjectKind kind{};
  std::string type{};                                 ///< of the elements
  std::uint64_t value_size = 0;                       ///< of each element in bytes; 0 when they differ
  std::optional<std::chrono::nanoseconds> expires{};  ///< how long the name has yet
  // Of those that have no sections of their own, channels and PubSubs:
  bool closed = false;
  PubSubOptions channel{};
};

[[nodiscard]] inline Result write_head(Writer& to, const ObjectHead& head) {
  to.begin(object_section);
  Encoder& out = to.out();
  out.text(head.name);
  out.number(static_cast<std::uint8_t>(head.kind));
  out.text(head.type);
  out.size(head.value_size);
  out.value(head.expires.has_value());
  if (head.expires) out.signed_size(head.expires->count());
  out.value(head.closed);
  write_channel_options(out, head.kind, head.channel);
  return to.end();
}
[[nodiscard]] inline ObjectHead read_head(Reader& from) {
  ObjectHead head{.name = from.text()};
  const auto kind = from.number<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(ObjectKind::pubsub)) from.fail("there is no such kind of object");
  head.kind = static_cast<ObjectKind>(kind);
  head.type = from.text();
  head.value_size = from.size();
  if (from.flag()) head.expires = from.time();
  head.closed = from.flag();
  read_channel_options(from, head.kind, head.channel);
  from.end();
  return head;
}

/// An object that is looked at, at an instant that it has in common with others. For one thread.
class Looking {
 public:
  Looking() = default;
  virtual ~Looking() = default;
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;

  // Unlocking may be called again.
  virtual void lock() {}
  /// Of a list; in the order of what list() answers.
  virtual void lock_list() {}
  [[nodiscard]] virtual const void* list() const noexcept { return nullptr; }
  virtual void look() {}
  virtual void unlock_list() noexcept {}
  virtual void note() {}
  virtual void unlock() noexcept {}
};

/// An object that is being saved.
class Saving : public Looking {
 public:
  explicit Saving(ObjectHead its_head) : head(std::move(its_head)) {}

  ObjectHead head;

  /// Afterwards: its sections.
  [[nodiscard]] virtual Result write(Writer& to) = 0;
};

/// Looks at all of them at one instant; `before()` is called when all of them stand still. Throws std::bad_alloc, and what
/// that throws.
template <class Before>
void look_at_all(std::span<Looking* const> objects, Before&& before) {
  const core::Later later;
  std::vector<Looking*> lists(objects.begin(), objects.end());
  std::erase_if(lists, [](const Looking* object) { return object->list() == nullptr; });
  std::ranges::sort(lists, std::less<>(), &Looking::list);
  const core::Undo unlock([&] {
    for (Looking* const object : objects) object->unlock_list();
    for (Looking* const object : objects) object->unlock();
  });
  for (Looking* const object : objects) object->lock();
  for (Looking* const list : lists) list->lock_list();
  before();
  for (Looking* const object : objects) object->look();
  for (Looking* const list : lists) list->unlock_list();
  for (Looking* const object : objects) {
    object->note();
    object->unlock();
  }
}

}  // namespace brook::snapshot
