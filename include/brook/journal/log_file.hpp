// log_file.hpp — one file of a journal, as it is written: sections as of a snapshot, of which the last one may be cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/journal/directory.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/files.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/sink.hpp>
#include <brook/snapshot/writer.hpp>

namespace brook::journal {

using snapshot::Result;

/// For one thread at a time. Throws std::bad_alloc.
class LogFile {
 public:
  LogFile(snapshot::Files& files, std::filesystem::path path) : files_(files), path_(std::move(path)) {}
  ~LogFile() { static_cast<void>(close()); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Makes the file, which there is not, with its header, on the disk but for its name, and with the permissions of the newest
  /// one before it. To be called first.
  [[nodiscard]] Result open() {
    const auto why = files_.create(path_, Directory::newest_before(path_), file_);
    if (why) return snapshot::io_failed("making", path_, why);
    static_cast<void>(writer_.begin_file(snapshot::Contents::journal, SystemClock::read_unix_ms()));
    if (auto failed = write(); !failed) return failed;
    return flush();
  }
  /// A section that is to be written.
  void add(snapshot::Section section, std::span<const std::byte> bytes) {
    writer_.begin(section);
    static_cast<void>(writer_.append(bytes));
    static_cast<void>(writer_.end());
  }
  /// Gives what was added to the system.
  [[nodiscard]] Result write() {
    std::span<const std::byte> bytes(out_);
    while (!bytes.empty()) {
      std::size_t written = 0;
      if (const auto failed = files_.write(file_, bytes, written)) return snapshot::io_failed("writing", path_, failed);
      bytes = bytes.subspan(written);
    }
    out_.clear();
    return {};
  }
  [[nodiscard]] Result flush() {
    if (const auto failed = files_.flush(file_)) return snapshot::io_failed("flushing", path_, failed);
    return {};
  }
  [[nodiscard]] Result close() {
    const auto file = std::exchange(file_, snapshot::Files::none);
    if (file == snapshot::Files::none) return {};
    if (const auto failed = files_.close(file)) return snapshot::io_failed("closing", path_, failed);
    return {};
  }

 private:
  snapshot::Files& files_;
  const std::filesystem::path path_;
  snapshot::Files::Handle file_ = snapshot::Files::none;
  std::vector<std::byte> out_;
  snapshot::MemorySink sink_{out_};
  snapshot::Writer writer_{sink_};
};

}  // namespace brook::journal
