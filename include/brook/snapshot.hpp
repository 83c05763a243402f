// snapshot.hpp — saving a broker, a stream or a list while it is used, and loading it again. Optional: nothing else includes it.
//
//   brook::save("shop.brook", broker, brook::types<Order, Job>);
//   brook::load("shop.brook", broker, brook::types<Order, Job>);  // into a broker that has none of these names
//
//   brook::save("orders.brook", orders);                          // one stream, or one list
//   brook::load("orders.brook", orders);
//
// What a snapshot is   the state at one instant during the save: of a stream its entries, ids and counters, its options, its
// groups with how far they have come, their consumers, what is pending with whom, since when and how often delivered, what
// waits for its turn or for a delay, and the keys of its producers; of a list its elements and options; of a broker all of
// that, at the same instant for all of its objects, with their names and when those expire. All that returned before save()
// was called is in it, and nothing that was called after it returned. Of channels and PubSubs there are names, options, and
// whether they are closed: what is published is for who is there, so neither subscriptions nor messages are saved, nor how many
// there were. A group's functions and dead-letter streams cannot be saved: see Policies. Clocks and probes are the program's own.
//
// What a save costs others   Adds to streams and pushes to lists go on; a push may wait while 64 elements are encoded. Pops of
// a list take its lock while it is saved. Who reads or acknowledges in a group waits while what is pending in it is noted, some
// ten nanoseconds an entry. Memory: a few buffers of 64 KiB, up to some thirteen bytes for each pending entry, and what leaves
// the objects while they are saved.
//
// Times are saved as how long ago they were, so time stands still between save and load.
//
// Where values come in: Codec<T> (<brook/snapshot/codec.hpp>). The format, byte by byte: docs/snapshot-format.md.
#pragma once

#include <filesystem>
#include <type_traits>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/error.hpp>
#include <brook/snapshot/broker.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/containers.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/files.hpp>
#include <brook/snapshot/policies.hpp>
#include <brook/snapshot/progress.hpp>
#include <brook/snapshot/restore_broker.hpp>
#include <brook/snapshot/saving.hpp>
#include <brook/snapshot/single.hpp>
#include <brook/snapshot/sink.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/stream.hpp>

namespace brook {

// — saving (SAVE, BGSAVE) —

/// Saves a stream, or a list, to a file. The file is replaced when all is written and on the disk: until then, with any error,
/// and after a crash at any instant, it is what it was; and there is no temporary file left but after a crash. The directory
/// must exist. A link to a file stays one; a device or a pipe is not replaced: open it, and save to what was opened. Thread-safe;
/// several may save at a time. Errors: io_error; codec_error when a value could not be encoded. Throws std::bad_alloc, and what T's
/// Codec throws; nothing is left then either. O(n).
template <class T>
requires Encodable<T> expected<void, SnapshotError> save(const std::filesystem::path& path, const Stream<T>& stream,
                                                         const SaveOptions& options = {}) {
  return snapshot::replace_file(snapshot::Files::of_system(), path,
                                [&](ByteSink& to) { return snapshot::save_object(to, stream, options); });
}
template <class T>
requires Encodable<T> expected<void, SnapshotError> save(const std::filesystem::path& path, const BlockingList<T>& list,
                                                         const SaveOptions& options = {}) {
  return snapshot::replace_file(snapshot::Files::of_system(), path,
                                [&](ByteSink& to) { return snapshot::save_object(to, list, options); });
}
/// The same to any sink, which gets the bytes in order, and has some of them when there is an error.
template <SnapshotSink To, class T>
requires Encodable<T> expected<void, SnapshotError> save(To&& to, const Stream<T>& stream,
                                                         const SaveOptions& options = {}) {
  auto&& sink = snapshot::sink_of(to);
  return snapshot::save_object(sink, stream, options);
}
template <SnapshotSink To, class T>
requires Encodable<T> expected<void, SnapshotError> save(To&& to, const BlockingList<T>& list,
                                                         const SaveOptions& options = {}) {
  auto&& sink = snapshot::sink_of(to);
  return snapshot::save_object(sink, list, options);
}

/// Saves all that has a name in a broker, as above; the types of its elements must be told. While it is looked at, which takes
/// as long as it takes to note what is pending everywhere, nobody makes, erases or renames. Errors further: wrong_type, which
/// says what it is, for an object of a type that was not told, or has no Codec and needs one.
template <class... Ts>
expected<void, SnapshotError> save(const std::filesystem::path& path, const Broker& broker, Types<Ts...>,
                                   const SaveOptions& options = {}) {
  return snapshot::replace_file(snapshot::Files::of_system(), path,
                                [&](ByteSink& to) { return snapshot::save_broker<Ts...>(to, broker, options); });
}
template <SnapshotSink To, class... Ts>
expected<void, SnapshotError> save(To&& to, const Broker& broker, Types<Ts...>, const SaveOptions& options = {}) {
  auto&& sink = snapshot::sink_of(to);
  return snapshot::save_broker<Ts...>(sink, broker, options);
}

// — loading —

/// Makes a stream, or a list, what was saved: as if it had been destroyed, and made anew with the options that were saved, but
/// for its clock, which `options` name, and its probe, which it has no more. Handles of before answer closed. Precondition: no
/// other call is running. Whatever the bytes are, they are not trusted. Errors: corrupt, unsupported_version, io_error; wrong_type
/// for a snapshot of something else; invalid_argument where Policies are missing, and for an object of a broker that has a
/// journal. With an error, and when it throws std::bad_alloc
/// or what T's Codec throws, nothing has changed. O(n).
template <class T>
requires Encodable<T> expected<void, SnapshotError> load(const std::filesystem::path& path, Stream<T>& stream,
                                                         const LoadOptions& options = {}) {
  snapshot::FileSource source(path);
  return snapshot::load_object(source, true, stream, options);
}
template <class T>
requires Encodable<T> expected<void, SnapshotError> load(const std::filesystem::path& path, BlockingList<T>& list,
                                                         const LoadOptions& options = {}) {
  snapshot::FileSource source(path);
  return snapshot::load_object(source, true, list, options);
}
/// The same from any source, of which no more is read than the snapshot.
template <SnapshotSource From, class T>
requires Encodable<T> expected<void, SnapshotError> load(From&& from, Stream<T>& stream,
                                                         const LoadOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return snapshot::load_object(source, false, stream, options);
}
template <SnapshotSource From, class T>
requires Encodable<T> expected<void, SnapshotError> load(From&& from, BlockingList<T>& list,
                                                         const LoadOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return snapshot::load_object(source, false, list, options);
}

/// Gives a broker all objects that were saved, at one instant, with its clock and probe; what it has already stays. Thread-safe.
/// Errors further: invalid_argument when it has one of the names; closed; wrong_type, which says what they are, for types that were
/// not told.
template <class... Ts>
expected<void, SnapshotError> load(const std::filesystem::path& path, Broker& broker, Types<Ts...>,
                                   const LoadOptions& options = {}) {
  snapshot::FileSource source(path);
  return snapshot::load_broker<Ts...>(source, true, broker, options);
}
template <SnapshotSource From, class... Ts>
expected<void, SnapshotError> load(From&& from, Broker& broker, Types<Ts...>, const LoadOptions& options = {}) {
  auto&& source = snapshot::source_of(from);
  return snapshot::load_broker<Ts...>(source, false, broker, options);
}

}  // namespace brook
