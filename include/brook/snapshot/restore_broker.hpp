// restore_broker.hpp — the objects of a broker's snapshot, made anew, and given their names when all of them are whole.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/broker/named.hpp>
#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/core/text.hpp>
#include <brook/pubsub.hpp>
#include <brook/redelivery.hpp>
#include <brook/snapshot/list.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/policies.hpp>
#include <brook/snapshot/progress.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/restore_stream.hpp>
#include <brook/snapshot/single.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/snapshot/unknown.hpp>
#include <brook/stream.hpp>

namespace brook::snapshot {

/// Objects by name; null for one that is not in the snapshot.
using FindNamed = std::function<std::shared_ptr<broker::Named>(const std::string&)>;

/// An object that is being made anew.
class Restoring {
 public:
  explicit Restoring(ObjectHead its_head) : head(std::move(its_head)) {}
  virtual ~Restoring() = default;
  Restoring(const Restoring&) = delete;
  Restoring& operator=(const Restoring&) = delete;

  /// Reads its sections. False when that failed.
  [[nodiscard]] virtual bool read(Reader& from, Clock* clock, const RestoreManner& manner) = 0;
  /// When all have been read.
  [[nodiscard]] virtual Result finish(const Policies&, const FindNamed&) { return {}; }

  const ObjectHead head;
  std::shared_ptr<broker::Named> named{};  // after read()
};

template <class T, class Letter>
[[nodiscard]] DeadLetterTo<T> letters_in(const std::shared_ptr<broker::Named>& to, const broker::Named* from) {
  if constexpr (std::copy_constructible<T>) {
    if (const auto* const stream = to != nullptr ? broker::object_in<Stream<Letter>>(*to) : nullptr)
      return to.get() == from ? DeadLetterTo<T>(stream->get()) : DeadLetterTo<T>(*stream);
  }
  return {};
}
/// An object as where dead letters of a stream go, wrapped or not; nothing when it cannot be that.
template <class T>
[[nodiscard]] DeadLetterTo<T> letters_to(const std::shared_ptr<broker::Named>& to, bool wrapped,
                                         const broker::Named* from) {
  return wrapped ? letters_in<T, DeadLetter<T>>(to, from) : letters_in<T, T>(to, from);
}

template <class T>
class RestoringNamedStream final : public Restoring {
 public:
  using Restoring::Restoring;

  [[nodiscard]] bool read(Reader& from, Clock* clock, const RestoreManner& manner) override {
    if (!stream_.read(from, clock, manner)) return false;
    auto holder = std::make_shared<broker::Holder<Stream<T>>>(StreamOptions{.clock = clock});
    replace_state(*holder->object, stream_.state());
    named = std::move(holder);
    return true;
  }
  [[nodiscard]] Result finish(const Policies& policies, const FindNamed& find) override {
    return stream_.finish(head.name, policies, [&](const std::string& name, bool wrapped) {
      return letters_to<T>(find(name), wrapped, named.get());
    });
  }

 private:
  RestoringStream<T> stream_;
};

template <class T>
class RestoringNamedList final : public Restoring {
 public:
  using Restoring::Restoring;

  [[nodiscard]] bool read(Reader& from, Clock* clock, const RestoreManner& manner) override {
    auto state = read_list<T>(from, {.clock = clock, .probe = manner.probe}, manner.reopen);
    if (state == nullptr) return false;
    auto holder = std::make_shared<broker::Holder<BlockingList<T>>>(ListOptions{.clock = clock});
    replace_state(*holder->object, std::move(state));
    named = std::move(holder);
    return true;
  }
};

/// A channel, or a PubSub.
template <class Object>
[[nodiscard]] auto make_channel(const PubSubOptions& options) {
  using Holder = broker::Holder<Object>;
  if constexpr (broker::Traits<Object>::kind == ObjectKind::pubsub) return std::make_shared<Holder>(options);
  else return std::make_shared<Holder>(ChannelOptions{options.clock, options.spin, options.probe});
}
template <class Object>
class RestoringName final : public Restoring {
 public:
  using Restoring::Restoring;

  [[nodiscard]] bool read(Reader&, Clock* clock, const RestoreManner& manner) override {
    PubSubOptions options = head.channel;
    options.clock = clock;
    options.probe = manner.probe;
    auto holder = make_channel<Object>(options);
    if (head.closed && !manner.reopen) close_unseen(*holder->object);
    named = std::move(holder);
    return true;
  }
};

/// Null when it is not of this type.
template <class T>
[[nodiscard]] std::unique_ptr<Restoring> restoring_of(const ObjectHead& head) {
  if (head.type != text_of_element<T>()) return nullptr;
  const auto make = [&]<class Made>(Made*) -> std::unique_ptr<Restoring> { return std::make_unique<Made>(head); };
  if constexpr (Encodable<T>) {
    const bool right_size = head.value_size == size_of_value<T>();
    if (head.kind == ObjectKind::stream && right_size) return make(static_cast<RestoringNamedStream<T>*>(nullptr));
    if (head.kind == ObjectKind::list && right_size) return make(static_cast<RestoringNamedList<T>*>(nullptr));
  }
  if constexpr (std::move_constructible<T>) {
    if (head.kind == ObjectKind::channel) return make(static_cast<RestoringName<Channel<T>>*>(nullptr));
    if (head.kind == ObjectKind::pubsub) return make(static_cast<RestoringName<PubSub<T>>*>(nullptr));
  }
  return nullptr;
}

/// All objects of a snapshot.
template <class... Ts>
class RestoringBroker {
 public:
  RestoringBroker(Reader& from, const Broker& to, SnapshotProgress& progress, const RestoreManner& manner = {})
      : from_(from), broker_(to), clock_(broker::Contents::clock_of(to)), progress_(progress), manner_(manner) {}

  /// Reads up to the end.
  [[nodiscard]] Result read() {
    from_.begin_file(snapshot::Contents::broker);
    Section section = from_.next();
    std::uint64_t objects = 0;
    while (!from_.failed() && section != end_section) {
      if (section != object_section) from_.fail("a section that belongs to no object: " + to_string(section));
      read_object(section);
      ++objects;
    }
    read_end(from_, objects);
    if (from_.failed() || unknown_.empty()) return from_.result();
    return unexpected(SnapshotError(Errc::wrong_type, not_known(unknown_)));
  }

  /// After read().
  [[nodiscard]] const std::vector<std::unique_ptr<Restoring>>& objects() const noexcept { return objects_; }

  /// Makes what is between them.
  [[nodiscard]] Result finish(const Policies& policies) {
    const auto find = [this](const std::string& name) {
      for (const auto& object : objects_) {
        if (object->head.name == name) return object->named;
      }
      return std::shared_ptr<broker::Named>();
    };
    const Clock::time_point now = clock_or_system(clock_).now();
    for (const auto& object : objects_) {
      if (auto failed = object->finish(policies, find); !failed) return failed;
      if (object->head.expires) object->named->expire_at(now + *object->head.expires - manner_.elapsed);
    }
    return {};
  }

  /// The same, and gives them their names.
  [[nodiscard]] Result insert(Broker& broker, const Policies& policies) {
    if (auto failed = finish(policies); !failed) return failed;
    std::vector<broker::Contents::Entry> entries;
    entries.reserve(objects_.size());
    for (const auto& object : objects_) entries.emplace_back(object->head.name, object->named);
    if (const auto inserted = broker::Contents::insert(broker, entries); !inserted)
      return unexpected(SnapshotError(inserted.error().code(), inserted.error().message()));
    return {};
  }

 private:
  // Reads an object's sections, and to the beginning of what follows.
  void read_object(Section& section) {
    const ObjectHead head = read_head(from_);
    if (from_.failed()) return;
    name_ = head.name;
    progress_.object = name_;
    if (!names_.insert(head.name).second) return from_.fail(core::text({"'", head.name, "' is there twice"}));
    std::unique_ptr<Restoring> object;
    const bool known = (((object = restoring_of<Ts>(head)) != nullptr) || ...);
    if (known) {
      manner_.probe = broker::Contents::probe_of(broker_, head.name);
      if (!object->read(from_, clock_, manner_)) return;
      objects_.push_back(std::move(object));
    } else {
      unknown_ += core::text({unknown_.empty() ? "'" : ", '", head.name, "' (", described(head), ")"});
    }
    section = from_.next();
    while (!known && !from_.failed() && section != object_section && section != end_section) {
      from_.skip();
      section = from_.next();
    }
    ++progress_.objects;
  }

  Reader& from_;
  const Broker& broker_;
  Clock* const clock_;
  SnapshotProgress& progress_;
  RestoreManner manner_;
  std::vector<std::unique_ptr<Restoring>> objects_;
  std::set<std::string> names_;
  std::string name_;
  std::string unknown_;
};

template <class... Ts>
[[nodiscard]] Result load_broker(ByteSource& source, bool whole, Broker& broker, const LoadOptions& options) {
  Reader from(source);
  SnapshotProgress progress;
  tell_progress(from, progress, options);
  RestoringBroker<Ts...> restoring(from, broker, progress);
  if (auto failed = restoring.read(); !failed) return failed;
  if (whole) from.end_file();
  if (from.failed()) return from.result();
  return restoring.insert(broker, options.policies);
}

}  // namespace brook::snapshot
