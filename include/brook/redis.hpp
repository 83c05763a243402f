// redis.hpp — streams and lists as commands for a real Redis, and made of what Redis has written. Optional: nothing else
// includes it.
//
//   brook::export_to_redis("shop.resp", broker, brook::types<Order, std::string>);   // $ redis-cli --pipe < shop.resp
//   brook::import_from_redis("appendonlydir/appendonly.aof.1.base.aof", broker, brook::types<Order, std::string>);
//
//   brook::export_to_redis("orders.resp", "orders", orders);                         // one stream, or one list
//   brook::import_from_redis("orders.resp", "orders", orders);
//   brook::import_redis_reply("reply.resp", orders);                                 // what XINFO STREAM FULL answers
//
// What is exported   of a stream its entries, ids and counters, its groups with how far they have come, their consumers, and what
// is pending with whom, since when and how often delivered, also where the entry itself has left the stream; of a list its elements;
// when names expire. As of one instant, like a snapshot, and others go on meanwhile. XINFO STREAM FULL then tells the same of it,
// but for what Redis cannot be told: when a consumer was last seen. For Redis 7.0 and later.
//
// What Redis does not have, and so is lost: bounds and ages of streams and lists; delays, delivery limits, dead-letter streams and
// other options of groups; the idempotency window; what groups have missed (GroupInfo::lost); that something is closed; channels.
// What is pending with nobody, because it came back, rests, or waits for its turn in an ordered group, goes to a consumer whose name
// the options tell; who works in Redis claims it from there (XAUTOCLAIM), and an import gives it back to nobody.
//
// What is imported   what an export has written, or Redis itself when it rewrites its append-only file as commands
// (aof-use-rdb-preamble no, BGREWRITEAOF, then the file whose name ends in .base.aof). Of other kinds of values only the names are
// told. Other commands than those, as they follow in the file of increments, are refused. An entry counts 1023 deliveries at most.
//
// Replies are imported too, as they come over a connection, in RESP2 or RESP3: import_redis_reply. What they do not tell is lost:
//
//   XINFO STREAM key FULL COUNT 0   a stream with all of the above, times at which consumers were seen, and what is pending and has
//                                   left the stream. Not its name and when that expires; how much a group has read is counted anew
//   XRANGE key - +                  its entries alone: the last of them tells the last id, and how many they are how many were added
//   LRANGE key 0 -1                 a list
//
// How values are told: RedisFormat<T> (<brook/redis/format.hpp>).
#pragma once

#include <filesystem>
#include <string_view>
#include <type_traits>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/redis/export.hpp>
#include <brook/redis/format.hpp>
#include <brook/redis/import.hpp>
#include <brook/redis/import_reply.hpp>
#include <brook/redis/options.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/sink.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/stream.hpp>

namespace brook {

// — to Redis —

/// Writes a stream, or a list, as commands that make it under this name, to a file, which is replaced as by save(). Thread-safe.
/// Errors: io_error; codec_error for a value without fields, and when memory was short for an element. Throws std::bad_alloc, and
/// what RedisFormat<T> throws. O(n); memory: two buffers of 64 KiB, some 60 bytes for each pending entry, and what leaves the object
/// while it is written.
template <RedisEntry T>
expected<RedisExported, SnapshotError> export_to_redis(const std::filesystem::path& path, std::string_view name,
                                                       const Stream<T>& stream,
                                                       const RedisExportOptions& options = {}) {
  return redis::into_file(path, [&](ByteSink& to) { return redis::export_object(to, name, stream, options); });
}
template <RedisText T>
expected<RedisExported, SnapshotError> export_to_redis(const std::filesystem::path& path, std::string_view name,
                                                       const BlockingList<T>& list,
                                                       const RedisExportOptions& options = {}) {
  return redis::into_file(path, [&](ByteSink& to) { return redis::export_object(to, name, list, options); });
}
/// The same to any sink, which gets the bytes in order, and has some of them when there is an error.
template <SnapshotSink To, RedisEntry T>
expected<RedisExported, SnapshotError> export_to_redis(To&& to, std::string_view name, const Stream<T>& stream,
                                                       const RedisExportOptions& options = {}) {
  auto&& sink = snapshot::sink_of(to);
  return redis::export_object(sink, name, stream, options);
}
template <SnapshotSink To, RedisText T>
expected<RedisExported, SnapshotError> export_to_redis(To&& to, std::string_view name, const BlockingList<T>& list,
                                                       const RedisExportOptions& options = {}) {
  auto&& sink = snapshot::sink_of(to);
  return redis::export_object(sink, name, list, options);
}

/// Writes all streams and lists of a broker, at one instant, as above; the types of their elements must be told. Errors further:
/// wrong_type, which says what it is, for one of a type that was not told, or has no RedisFormat.
template <class... Ts>
expected<RedisExported, SnapshotError> export_to_redis(const std::filesystem::path& path, const Broker& broker,
                                                       Types<Ts...>, const RedisExportOptions& options = {}) {
  return redis::into_file(path, [&](ByteSink& to) { return redis::export_broker<Ts...>(to, broker, options); });
}
template <SnapshotSink To, class... Ts>
expected<RedisExported, SnapshotError> export_to_redis(To&& to, const Broker& broker, Types<Ts...>,
                                                       const RedisExportOptions& options = {}) {
  auto&& sink = snapshot::sink_of(to);
  return redis::export_broker<Ts...>(sink, broker, options);
}

// — from Redis —

/// Makes a stream, or a list, what commands make under this name: as if it had been destroyed, and made anew with the options told.
/// Handles of before answer closed. Precondition: no other call is running. Whatever the bytes are, they are not trusted: errors tell
/// at which byte. corrupt for what is no command, is not understood, or contradicts what came before; codec_error for a value
/// that no T can be made of; wrong_type for something else of this name; no_such_key when there is nothing of it; invalid_argument
/// for what the options do not allow, and for an object of a broker that has a journal; io_error. With an error, and when it throws std::bad_alloc, nothing has changed. O(n log n).
template <RedisEntry T>
expected<RedisImported, SnapshotError> import_from_redis(const std::filesystem::path& path, std::string_view name,
                                                         Stream<T>& stream, const RedisImportOptions& options = {}) {
  snapshot::FileSource source(path);
  return redis::import_object(source, name, stream, options);
}
template <RedisText T>
expected<RedisImported, SnapshotError> import_from_redis(const std::filesystem::path& path, std::string_view name,
                                                         BlockingList<T>& list,
                                                         const RedisImportOptions& options = {}) {
  snapshot::FileSource source(path);
  return redis::import_object(source, name, list, options);
}
/// The same from any source, which is read to its end.
template <SnapshotSource From, RedisEntry T>
expected<RedisImported, SnapshotError> import_from_redis(From&& from, std::string_view name, Stream<T>& stream,
                                                         const RedisImportOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return redis::import_object(source, name, stream, options);
}
template <SnapshotSource From, RedisText T>
expected<RedisImported, SnapshotError> import_from_redis(From&& from, std::string_view name, BlockingList<T>& list,
                                                         const RedisImportOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return redis::import_object(source, name, list, options);
}

/// Gives a broker all streams and lists that commands make: streams of the first of the types that a stream can be told of, lists of
/// the first that has a text. What the broker has already stays. Thread-safe. Errors further: invalid_argument when it has one of
/// the names; closed; wrong_type when there is no such type.
template <class... Ts>
expected<RedisImported, SnapshotError> import_from_redis(const std::filesystem::path& path, Broker& broker,
                                                         Types<Ts...>, const RedisImportOptions& options = {}) {
  snapshot::FileSource source(path);
  return redis::ImportBroker<Ts...>(broker, options).run(source);
}
template <SnapshotSource From, class... Ts>
expected<RedisImported, SnapshotError> import_from_redis(From&& from, Broker& broker, Types<Ts...>,
                                                         const RedisImportOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return redis::ImportBroker<Ts...>(broker, options).run(source);
}

/// Makes a stream what a reply says, of XINFO STREAM key FULL COUNT 0 or of XRANGE key - +, which it sees; or a list, of LRANGE
/// key 0 -1. A reply without entries or elements makes it empty. As import_from_redis(): precondition, what becomes of handles,
/// trust, and that nothing changes with an error, which tells the byte. Errors: corrupt for what is no such reply, is cut off,
/// contradicts itself, or does not tell all, as without COUNT 0; codec_error for a value that no T can be made of;
/// invalid_argument for what the options do not allow; no_such_key, wrong_type, or else io_error for an error that Redis
/// answered; io_error. +OK lines before and behind the reply are passed over, as AUTH, SELECT and QUIT answer; anything else
/// behind it is corrupt. Memory: what it makes, and what is pending. O(n log n).
template <RedisEntry T>
expected<void, SnapshotError> import_redis_reply(const std::filesystem::path& path, Stream<T>& stream,
                                                 const RedisImportOptions& options = {}) {
  snapshot::FileSource source(path);
  return redis::import_reply(source, true, stream, options);
}
template <RedisText T>
expected<void, SnapshotError> import_redis_reply(const std::filesystem::path& path, BlockingList<T>& list,
                                                 const RedisImportOptions& options = {}) {
  snapshot::FileSource source(path);
  return redis::import_reply(source, true, list, options);
}
/// The same from any source. A function and a ByteSource, which may be a connection, are asked for no more when the reply is there.
template <SnapshotSource From, RedisEntry T>
expected<void, SnapshotError> import_redis_reply(From&& from, Stream<T>& stream,
                                                 const RedisImportOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return redis::import_reply(source, redis::ends_with_reply<std::remove_reference_t<From>>, stream, options);
}
template <SnapshotSource From, RedisText T>
expected<void, SnapshotError> import_redis_reply(From&& from, BlockingList<T>& list,
                                                 const RedisImportOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return redis::import_reply(source, redis::ends_with_reply<std::remove_reference_t<From>>, list, options);
}

}  // namespace brook
