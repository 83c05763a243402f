// saving.hpp — writing what was looked at: the file around the objects.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/files.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/progress.hpp>
#include <brook/snapshot/sink.hpp>
#include <brook/snapshot/writer.hpp>

namespace brook::snapshot {

using Savings = std::vector<std::unique_ptr<Saving>>;

/// Looks at all of them at one instant.
template <class Object, class Before>
void look_at_all(const std::vector<std::unique_ptr<Object>>& objects, Before&& before) {
  std::vector<Looking*> all;
  all.reserve(objects.size());
  for (const auto& object : objects) all.push_back(object.get());
  look_at_all(std::span<Looking* const>(all), before);
}
template <class Object>
void look_at_all(const std::vector<std::unique_ptr<Object>>& objects) {
  look_at_all(objects, [] {});
}

/// Writes objects that were looked at. Each is let go when it is written.
[[nodiscard]] inline Result write_all(ByteSink& to, Contents contents, Savings& objects, const SaveOptions& options) {
  Writer writer(to);
  SnapshotProgress progress;
  if (options.progress) {
    writer.on_piece = [&] {
      progress.bytes = writer.written();
      options.progress(progress);
    };
  }
  if (auto failed = writer.begin_file(contents, SystemClock::read_unix_ms()); !failed) return failed;
  for (auto& object : objects) {
    progress.object = object->head.name;
    if (auto failed = write_head(writer, object->head); !failed) return failed;
    if (auto failed = object->write(writer); !failed) return failed;
    progress.object = {};
    object.reset();
    ++progress.objects;
  }
  return writer.end_file(objects.size());
}

/// Writes to a file what `write(sink)` writes: all or nothing. A new one has the permissions of `like`, if there is such a file.
template <class Write>
[[nodiscard]] Result replace_file(Files& files, const std::filesystem::path& path, Write&& write,
                                  const std::filesystem::path& like = {}) {
  Replacement replacement(files, path, like);
  if (auto failed = replacement.open(); !failed) return failed;
  if (Result failed = write(static_cast<ByteSink&>(replacement)); !failed) return failed;
  return replacement.commit();
}

}  // namespace brook::snapshot
