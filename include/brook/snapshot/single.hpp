// single.hpp — one stream or one list as a snapshot of its own.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/core/text.hpp>
#include <brook/options.hpp>
#include <brook/snapshot/list.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/progress.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/restore_stream.hpp>
#include <brook/snapshot/saving.hpp>
#include <brook/snapshot/stream.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/snapshot/values.hpp>
#include <brook/stream.hpp>

namespace brook::snapshot {

template <class T>
[[nodiscard]] ObjectHead head_of(ObjectKind kind, std::string name) {
  return {.name = std::move(name), .kind = kind, .type = text_of_element<T>(), .value_size = size_of_value<T>()};
}

template <class T>
[[nodiscard]] std::unique_ptr<Saving> saving(const Stream<T>& stream) {
  const auto no_name = [](const void*) { return std::string(); };
  return std::make_unique<SavingStream<T>>(head_of<T>(ObjectKind::stream, {}), shared_state_of(stream), no_name);
}
template <class T>
[[nodiscard]] std::unique_ptr<Saving> saving(const BlockingList<T>& list) {
  return std::make_unique<SavingList<T>>(head_of<T>(ObjectKind::list, {}), shared_state_of(list));
}

template <class Object>
[[nodiscard]] Result save_object(ByteSink& to, const Object& object, const SaveOptions& options) {
  Savings objects;
  objects.push_back(saving(object));
  look_at_all(objects);
  return write_all(to, Contents::object, objects, options);
}

/// Reads up to the sections of the one object, which must be this one.
template <class T>
[[nodiscard]] bool open_object(Reader& from, ObjectKind kind) {
  from.begin_file(Contents::object);
  if (!from.failed() && from.next() != object_section) from.fail("the object is missing");
  const ObjectHead head = read_head(from);
  const std::string wanted = text_of_element<T>();
  if (head.kind != kind || head.type != wanted) {
    from.fail(Errc::wrong_type, core::text({"it holds a ", to_string(head.kind), " of ", head.type, ", not a ",
                                            to_string(kind), " of ", wanted}));
  }
  if (head.value_size != size_of_value<T>()) from.fail("values of another size");
  return !from.failed();
}
/// Reads the end, which says how many objects and sections there were.
inline void read_end(Reader& from, std::uint64_t objects) {
  const std::uint64_t sections = from.sections() - 1;
  if (from.size() != objects || from.size() != sections) from.fail("something is missing");
  from.end();
}
[[nodiscard]] inline Result close_object(Reader& from, bool whole) {
  if (!from.failed() && from.next() != end_section) from.fail("the end is missing");
  read_end(from, 1);
  if (whole) from.end_file();
  return from.result();
}

/// Has `progress` called for what a reader reads.
inline void tell_progress(Reader& reader, SnapshotProgress& progress, const LoadOptions& options) {
  if (!options.progress) return;
  reader.on_piece = [&] {
    progress.bytes = reader.bytes_read();
    options.progress(progress);
  };
}

/// A journal would go on with what an object was.
template <class Object>
[[nodiscard]] Result not_recorded(const Object& object) {
  if (shared_state_of(object)->recorder() == nullptr) return {};
  return unexpected(SnapshotError(Errc::invalid_argument, "the object is in a broker that has a journal"));
}

/// `whole` says that nothing may follow.
template <class T>
[[nodiscard]] Result load_object(ByteSource& source, bool whole, Stream<T>& stream, const LoadOptions& options) {
  if (auto failed = not_recorded(stream); !failed) return failed;
  Reader from(source);
  SnapshotProgress progress;
  tell_progress(from, progress, options);
  RestoringStream<T> restoring;
  if (!open_object<T>(from, ObjectKind::stream) || !restoring.read(from, options.clock)) return from.result();
  if (auto failed = close_object(from, whole); !failed) return failed;
  const auto no_letters = [](const std::string&, bool) { return DeadLetterTo<T>(); };
  if (auto failed = restoring.finish({}, options.policies, no_letters); !failed) return failed;
  replace_state(stream, restoring.state());
  return {};
}
template <class T>
[[nodiscard]] Result load_object(ByteSource& source, bool whole, BlockingList<T>& list, const LoadOptions& options) {
  if (auto failed = not_recorded(list); !failed) return failed;
  Reader from(source);
  SnapshotProgress progress;
  tell_progress(from, progress, options);
  if (!open_object<T>(from, ObjectKind::list)) return from.result();
  auto state = read_list<T>(from, {.clock = options.clock});
  if (auto failed = close_object(from, whole); !failed) return failed;
  replace_state(list, std::move(state));
  return {};
}

}  // namespace brook::snapshot
