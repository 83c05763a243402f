// import.hpp — objects by name, as commands make them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/broker/named.hpp>
#include <brook/clock.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/import_list.hpp>
#include <brook/redis/import_stream.hpp>
#include <brook/redis/importing.hpp>
#include <brook/redis/options.hpp>
#include <brook/redis/read.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/single.hpp>
#include <brook/snapshot/sink.hpp>
#include <brook/stream.hpp>

namespace brook::redis {

/// All commands, applied to what they are about.
class Import {
 public:
  /// Makes an object of a kind, or nothing for one that is not asked for; or says that it cannot be.
  using Make = std::function<expected<std::unique_ptr<Importing>, SnapshotError>(ObjectKind, std::string_view)>;
  using Objects = std::map<std::string, std::unique_ptr<Importing>, std::less<>>;

  Import(std::uint64_t database, Make make) : database_(database), make_(std::move(make)) {}

  /// Reads to the end.
  [[nodiscard]] snapshot::Result run(ByteSource& source) {
    Reader reader(source);
    Command command;
    while (reader.next(command)) {
      ++commands_;
      if (const auto failed = apply(command); !failed)
        return unexpected(SnapshotError(failed.error().code(), failed.error().message(), command.offset()));
    }
    return reader.result();
  }

  [[nodiscard]] Objects& objects() noexcept { return objects_; }
  [[nodiscard]] RedisImported imported() const { return {commands_, {left_out_.begin(), left_out_.end()}}; }

 private:
  [[nodiscard]] snapshot::Result apply(const Command& command) {
    const std::string_view name = command[0];
    if (same_word(name, "SELECT") && command.size() == 2) {
      const auto number = number_of<std::uint64_t>(command[1]);
      if (!number) return not_understood(command);
      selected_ = *number;
      return {};
    }
    if (is_one_of(name, {"MULTI", "EXEC", "FUNCTION"})) return {};
    if (selected_ != database_) return {};
    if (command.size() < 2) return not_understood(command);
    if (is_one_of(name, {"DEL", "UNLINK"})) return forget(command);
    if (same_word(name, "PEXPIREAT")) return expire(command);
    if (is_one_of(name, {"RPUSH", "LPUSH"})) return apply(command, ObjectKind::list, command[1], true);
    if (is_one_of(name, {"XADD"})) return apply(command, ObjectKind::stream, command[1], true);
    if (is_one_of(name, {"XCLAIM", "XDEL", "XSETID", "XTRIM"}))
      return apply(command, ObjectKind::stream, command[1], false);
    if (same_word(name, "XGROUP") && command.size() > 2) {
      const bool makes = same_word(command[command.size() - 1], "MKSTREAM");
      return apply(command, ObjectKind::stream, command[2], makes);
    }
    if (!is_one_of(name, {"SET", "SADD", "HSET", "HMSET", "ZADD", "RESTORE"})) return not_understood(command);
    if (objects_.contains(command[1])) return not_understood(command);
    left_out_.emplace(command[1]);
    return {};
  }
  [[nodiscard]] snapshot::Result apply(const Command& command, ObjectKind kind, std::string_view key, bool makes) {
    auto found = objects_.find(key);
    if (found == objects_.end()) {
      if (left_out_.contains(key)) return {};
      if (!makes) return refuse(Errc::corrupt, core::text({"there is no '", key, "'"}));
      auto made = make_(kind, key);
      if (!made) return unexpected(made.error());
      if (*made == nullptr) {
        left_out_.emplace(key);
        return {};
      }
      found = objects_.emplace(std::string(key), *std::move(made)).first;
    }
    if (found->second->kind != kind)
      return refuse(Errc::corrupt, core::text({"'", key, "' is a ", to_string(found->second->kind)}));
    const auto applied = found->second->apply(command);
    return applied ? applied : snapshot::Result(about(key, applied.error()));
  }
  [[nodiscard]] snapshot::Result forget(const Command& command) {
    for (std::size_t i = 1; i < command.size(); ++i) {
      if (const auto found = objects_.find(command[i]); found != objects_.end()) objects_.erase(found);
    }
    return {};
  }
  [[nodiscard]] snapshot::Result expire(const Command& command) {
    const auto when = command.size() == 3 ? number_of<std::int64_t>(command[2]) : std::nullopt;
    if (!when) return not_understood(command);
    const auto found = objects_.find(command[1]);
    if (found != objects_.end()) found->second->expires_ms = when;
    return {};
  }
  [[nodiscard]] static bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) noexcept {
    return std::ranges::any_of(words, [&](std::string_view other) { return same_word(word, other); });
  }

  const std::uint64_t database_;
  const Make make_;
  Objects objects_;
  std::set<std::string, std::less<>> left_out_;
  std::uint64_t selected_ = 0;
  std::uint64_t commands_ = 0;
};

using ImportOutcome = expected<RedisImported, SnapshotError>;

/// An Import of one object, of which it makes an `Importer`.
template <class Make>
[[nodiscard]] Import import_of_one(ObjectKind wanted, std::string_view name, const RedisImportOptions& options,
                                   Make make) {
  return Import(options.database,
                [=, name = std::string(name)](
                    ObjectKind kind, std::string_view key) -> expected<std::unique_ptr<Importing>, SnapshotError> {
                  if (key != name) return nullptr;
                  if (kind == wanted) return make();
                  return refuse(Errc::wrong_type,
                                core::text({"'", key, "' is a ", to_string(kind), ", not a ", to_string(wanted)}));
                });
}
[[nodiscard]] inline unexpected<SnapshotError> not_found(std::string_view name) {
  return refuse(Errc::no_such_key, core::text({"there is no '", name, "'"}));
}

template <class T>
[[nodiscard]] ImportOutcome import_object(ByteSource& source, std::string_view name, Stream<T>& stream,
                                          const RedisImportOptions& options) {
  if (const auto allowed = snapshot::not_recorded(stream); !allowed) return unexpected(allowed.error());
  auto import = import_of_one(ObjectKind::stream, name, options, [&options]() -> std::unique_ptr<Importing> {
    return std::make_unique<ImportingStream<T>>(options, options.stream);
  });
  if (const auto failed = import.run(source); !failed) return unexpected(failed.error());
  const auto found = import.objects().find(name);
  if (found == import.objects().end()) return not_found(name);
  auto state = static_cast<ImportingStream<T>&>(*found->second).finish({}, options.policies);
  if (!state) return unexpected(state.error());
  replace_state(stream, *std::move(state));
  return import.imported();
}
template <class T>
[[nodiscard]] ImportOutcome import_object(ByteSource& source, std::string_view name, BlockingList<T>& list,
                                          const RedisImportOptions& options) {
  if (const auto allowed = snapshot::not_recorded(list); !allowed) return unexpected(allowed.error());
  auto import = import_of_one(ObjectKind::list, name, options, [&options]() -> std::unique_ptr<Importing> {
    return std::make_unique<ImportingList<T>>(options.list);
  });
  if (const auto failed = import.run(source); !failed) return unexpected(failed.error());
  const auto found = import.objects().find(name);
  if (found == import.objects().end()) return not_found(name);
  replace_state(list, static_cast<ImportingList<T>&>(*found->second).state());
  return import.imported();
}

/// The first of some types that can be of a stream, or of a list; void when there is none.
template <class... Ts>
struct ElementTypes {
  using OfStream = void;
  using OfList = void;
};
template <class T, class... Others>
struct ElementTypes<T, Others...> {
  using OfStream = std::conditional_t<RedisEntry<T>, T, typename ElementTypes<Others...>::OfStream>;
  using OfList = std::conditional_t<RedisText<T>, T, typename ElementTypes<Others...>::OfList>;
};

/// The objects of a broker.
template <class... Ts>
class ImportBroker {
 public:
  ImportBroker(Broker& broker, const RedisImportOptions& options)
      : broker_(broker), options_(options), clock_(broker::Contents::clock_of(broker)) {}

  [[nodiscard]] ImportOutcome run(ByteSource& source) {
    Import import(options_.database, [this](ObjectKind kind, std::string_view name) { return make(kind, name); });
    if (const auto failed = import.run(source); !failed) return unexpected(failed.error());
    std::vector<broker::Contents::Entry> entries;
    for (const auto& [name, object] : import.objects()) {
      auto named = finish(name, *object);
      if (!named) return about(name, named.error());
      if (object->expires_ms) expire(**named, *object->expires_ms);
      entries.emplace_back(name, *std::move(named));
    }
    if (const auto inserted = broker::Contents::insert(broker_, entries); !inserted)
      return refuse(inserted.error().code(), inserted.error().message());
    return import.imported();
  }

 private:
  using OfStream = typename ElementTypes<Ts...>::OfStream;
  using OfList = typename ElementTypes<Ts...>::OfList;
  using Named = std::shared_ptr<broker::Named>;

  [[nodiscard]] expected<std::unique_ptr<Importing>, SnapshotError> make(ObjectKind kind, std::string_view name) const {
    if constexpr (!std::is_void_v<OfStream>) {
      if (kind == ObjectKind::stream)
        return std::make_unique<ImportingStream<OfStream>>(options_, in_broker(options_.stream, name));
    }
    if constexpr (!std::is_void_v<OfList>) {
      if (kind == ObjectKind::list) return std::make_unique<ImportingList<OfList>>(in_broker(options_.list, name));
    }
    return refuse(Errc::wrong_type, core::text({"none of the types can be of a ", to_string(kind)}));
  }
  template <class Options>
  [[nodiscard]] Options in_broker(Options options, std::string_view name) const {
    options.clock = clock_;
    if (options.probe == nullptr) options.probe = broker::Contents::probe_of(broker_, name);
    return options;
  }
  [[nodiscard]] expected<Named, SnapshotError> finish(const std::string& name, Importing& object) const {
    if constexpr (!std::is_void_v<OfStream>) {
      if (object.kind == ObjectKind::stream) {
        auto state = static_cast<ImportingStream<OfStream>&>(object).finish(name, options_.policies);
        if (!state) return unexpected(state.error());
        return hold<Stream<OfStream>>(StreamOptions{.clock = clock_}, *std::move(state));
      }
    }
    if constexpr (!std::is_void_v<OfList>) {
      if (object.kind == ObjectKind::list)
        return hold<BlockingList<OfList>>(ListOptions{.clock = clock_},
                                          static_cast<ImportingList<OfList>&>(object).state());
    }
    return Named();
  }
  template <class Object, class Options, class State>
  [[nodiscard]] static Named hold(const Options& options, State state) {
    auto holder = std::make_shared<broker::Holder<Object>>(options);
    replace_state(*holder->object, std::move(state));
    return holder;
  }
  void expire(broker::Named& named, std::int64_t when_ms) const {
    const Clock& clock = clock_or_system(clock_);
    const auto now_ms = static_cast<std::int64_t>(clock.unix_ms());
    constexpr std::int64_t farthest = std::int64_t{1} << 42;  // 140 years
    const std::int64_t left = std::clamp<std::int64_t>(when_ms, 0, now_ms + farthest) - now_ms;
    named.expire_at(clock.now() + std::chrono::milliseconds(left));
  }

  Broker& broker_;
  const RedisImportOptions& options_;
  Clock* const clock_;
};

}  // namespace brook::redis
