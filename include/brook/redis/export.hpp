// export.hpp — one object as commands, whatever its type; and the objects of a broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/broker/named.hpp>
#include <brook/clock.hpp>
#include <brook/redis/export_list.hpp>
#include <brook/redis/export_stream.hpp>
#include <brook/redis/exporting.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/options.hpp>
#include <brook/redis/write.hpp>
#include <brook/snapshot/saving.hpp>
#include <brook/snapshot/unknown.hpp>
#include <brook/stream.hpp>

namespace brook::redis {

using Exports = std::vector<std::unique_ptr<Exporting>>;
using Outcome = expected<RedisExported, SnapshotError>;

template <class T>
[[nodiscard]] std::unique_ptr<Exporting> exporting(const Stream<T>& stream, ExportHead head) {
  return std::make_unique<ExportingStream<T>>(shared_state_of(stream), std::move(head));
}
template <class T>
[[nodiscard]] std::unique_ptr<Exporting> exporting(const BlockingList<T>& list, ExportHead head) {
  return std::make_unique<ExportingList<T>>(shared_state_of(list), std::move(head));
}

/// Writes objects that were looked at. Each is let go when it is written.
[[nodiscard]] inline Outcome write_all(ByteSink& to, Exports& objects, std::vector<std::string> left_out) {
  Writer writer(to);
  for (auto& object : objects) {
    if (auto failed = object->write_whole(writer); !failed) return unexpected(failed.error());
    if (!object->is_there()) left_out.push_back(object->head.name);
    object.reset();
  }
  if (auto failed = writer.flush(); !failed) return unexpected(failed.error());
  return RedisExported{writer.commands(), std::move(left_out)};
}

template <class Object>
[[nodiscard]] Outcome export_object(ByteSink& to, std::string_view name, const Object& object,
                                    const RedisExportOptions& options) {
  Exports objects;
  objects.push_back(exporting(object, {.name = std::string(name), .options = options}));
  snapshot::look_at_all(objects);
  return write_all(to, objects, {});
}

/// Makes an Exporting of each object of a broker that can be told to Redis.
template <class... Ts>
class ExportingBroker {
 public:
  ExportingBroker(const Broker& broker, const broker::Contents& contents, const RedisExportOptions& options)
      : clock_(clock_or_system(broker::Contents::clock_of(broker))), options_(options) {
    for (const auto& [name, named] : contents.entries()) {
      if (named->kind == ObjectKind::channel || named->kind == ObjectKind::pubsub) left_out.push_back(name);
      else if (!(add_as<Ts>(name, *named) || ...)) unknown_.note<Ts...>(name, *named);
    }
  }

  [[nodiscard]] snapshot::Result result() const { return unknown_.result(); }

  Exports objects{};
  std::vector<std::string> left_out{};

 private:
  template <class T>
  [[nodiscard]] bool add_as(const std::string& name, const broker::Named& named) {
    if constexpr (RedisEntry<T>) {
      if (add<Stream<T>>(name, named)) return true;
    }
    if constexpr (RedisText<T>) return add<BlockingList<T>>(name, named);
    return false;
  }
  template <class Object>
  [[nodiscard]] bool add(const std::string& name, const broker::Named& named) {
    const auto* const object = broker::object_in<Object>(named);
    if (object == nullptr) return false;
    ExportHead head{.name = name, .options = options_};
    if (const Clock::time_point expires = named.expires(); expires != Clock::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(expires - clock_.now());
      head.expires_ms = clock_.unix_ms() + static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 1));
    }
    objects.push_back(exporting(**object, std::move(head)));
    return true;
  }

  const Clock& clock_;
  const RedisExportOptions& options_;
  snapshot::UnknownTypes unknown_{"RedisFormat"};
};

template <class... Ts>
[[nodiscard]] Outcome export_broker(ByteSink& to, const Broker& broker, const RedisExportOptions& options) {
  Exports objects;
  std::vector<std::string> left_out;
  {
    const broker::Contents contents(broker);
    ExportingBroker<Ts...> all(broker, contents, options);
    if (auto failed = all.result(); !failed) return unexpected(failed.error());
    objects = std::move(all.objects);
    left_out = std::move(all.left_out);
    snapshot::look_at_all(objects);
  }
  return write_all(to, objects, std::move(left_out));
}

/// Runs `write(sink)`, which answers an Outcome, into a file: all or nothing.
template <class Write>
[[nodiscard]] Outcome into_file(const std::filesystem::path& path, Write&& write) {
  RedisExported exported;
  const auto failed = snapshot::replace_file(snapshot::Files::of_system(), path, [&](ByteSink& to) -> snapshot::Result {
    Outcome outcome = write(to);
    if (!outcome) return unexpected(outcome.error());
    exported = *std::move(outcome);
    return {};
  });
  if (!failed) return unexpected(failed.error());
  return exported;
}

}  // namespace brook::redis
