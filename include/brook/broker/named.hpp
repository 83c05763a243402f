// named.hpp — an object that has a name in a broker, whatever its type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/broker/type_name.hpp>
#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/core/deadlines.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/text.hpp>
#include <brook/options.hpp>
#include <brook/pubsub.hpp>
#include <brook/stream.hpp>

namespace brook::broker {

/// Something of which every type has its own.
template <class T>
inline constexpr char tag_of{};

class Contents;

/// As "stream of Order". Throws std::bad_alloc.
[[nodiscard]] inline std::string described(ObjectKind kind, std::string_view element) {
  return core::text({to_string(kind), " of ", element});
}

struct Named : core::Deadlines<Named>::Node {
  Named(ObjectKind what, const void* type, std::string_view element) noexcept
      : kind(what), tag(type), element_(element) {}
  virtual ~Named() = default;
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

  virtual void close() noexcept = 0;
  /// How much there is: entries, elements, messages that are kept, or names.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  [[nodiscard]] virtual bool closed() const = 0;

  /// As programs write it. Throws std::bad_alloc.
  [[nodiscard]] std::string element_type() const { return as_written(element_); }
  /// As "stream of Order". Throws std::bad_alloc.
  [[nodiscard]] std::string description() const { return described(kind, element_type()); }

  /// When the name goes, on the broker's clock; of an object that has its name already, the broker must know.
  void expire_at(Clock::time_point when) noexcept { expires_.store(when.time_since_epoch().count(), sync::seq_cst); }
  [[nodiscard]] Clock::time_point expires() const noexcept {
    return Clock::time_point(Clock::time_point::duration(expires_.load(sync::seq_cst)));
  }

  const ObjectKind kind;
  const void* const tag;
  // With the broker's lock, once it has a name.
  std::string name{};
  std::uint64_t number = 0;      // of the objects that were made
  Clock::time_point deadline{};  // among the names that expire

 private:
  const std::string_view element_;  // as the compiler calls it
  sync::atomic<Clock::time_point::rep> expires_{Clock::time_point::max().time_since_epoch().count()};
};

/// What a broker must know of a type of objects.
template <class Object>
struct Traits;

template <class T>
struct Traits<Stream<T>> {
  using Element = T;
  using Options = StreamOptions;
  static constexpr ObjectKind kind = ObjectKind::stream;
  [[nodiscard]] static std::uint64_t size(const Stream<T>& stream) { return stream.size(); }
};
template <class T>
struct Traits<BlockingList<T>> {
  using Element = T;
  using Options = ListOptions;
  static constexpr ObjectKind kind = ObjectKind::list;
  [[nodiscard]] static std::uint64_t size(const BlockingList<T>& list) { return list.size(); }
};
template <class T>
struct Traits<Channel<T>> {
  using Element = T;
  using Options = ChannelOptions;
  static constexpr ObjectKind kind = ObjectKind::channel;
  [[nodiscard]] static std::uint64_t size(const Channel<T>& channel) { return channel.info().kept; }
};
template <class T>
struct Traits<PubSub<T>> {
  using Element = T;
  using Options = PubSubOptions;
  static constexpr ObjectKind kind = ObjectKind::pubsub;
  [[nodiscard]] static std::uint64_t size(const PubSub<T>& pubsub) { return pubsub.channels().size(); }
};

template <class Object>
struct Holder final : Named {
  using Traits = broker::Traits<Object>;

  explicit Holder(const typename Traits::Options& options)
      : Named(Traits::kind, &tag_of<Object>, compilers_name<typename Traits::Element>()),
        object(std::make_shared<Object>(options)) {}

  void close() noexcept override { object->close(); }
  [[nodiscard]] std::uint64_t size() const override { return Traits::size(*object); }
  [[nodiscard]] bool closed() const override { return object->closed(); }

  const std::shared_ptr<Object> object;
};

/// The object in it, if it is one of these; else null.
template <class Object>
[[nodiscard]] const std::shared_ptr<Object>* object_in(const Named& named) noexcept {
  return named.tag == &tag_of<Object> ? &static_cast<const Holder<Object>&>(named).object : nullptr;
}

/// Whether it is an object of elements of this type.
template <class T>
[[nodiscard]] bool holds(const Named& named) noexcept {
  return named.tag == &tag_of<Stream<T>> || named.tag == &tag_of<BlockingList<T>> || named.tag == &tag_of<Channel<T>> ||
         named.tag == &tag_of<PubSub<T>>;
}

}  // namespace brook::broker
