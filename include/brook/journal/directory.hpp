// directory.hpp — the files of a journal: of each generation the records, and the snapshot that they follow, if there is one.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/files.hpp>

namespace brook::journal {

using snapshot::Result;

/// Throws std::bad_alloc.
class Directory {
 public:
  Directory(snapshot::Files& files, std::filesystem::path path) : files_(files), path_(std::move(path)) {}
  ~Directory() {
    if (lock_ != snapshot::Files::none) static_cast<void>(files_.close(lock_));
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] snapshot::Files& files() const noexcept { return files_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// Makes it if need be, and keeps everybody else out.
  [[nodiscard]] Result open() {
    if (auto failed = make(); !failed) return failed;
    const auto lock = path_ / "lock";
    const auto why = files_.lock(lock, lock_);
    if (why == std::errc::resource_unavailable_try_again)
      return unexpected(SnapshotError(Errc::io_error, core::text({"the journal in '", path_.string(),
                                                                  "' is open already, in this process or another"})));
    if (why) return snapshot::io_failed("locking", lock, why);
    return {};
  }

  [[nodiscard]] std::filesystem::path records(std::uint64_t generation) const { return named(generation, ".journal"); }
  [[nodiscard]] std::filesystem::path snapshot(std::uint64_t generation) const {
    return named(generation, ".snapshot");
  }

  /// The generations that have records, in order, and the last one that has a snapshot; 0 when none has.
  struct Found {
    std::vector<std::uint64_t> records{};
    std::uint64_t snapshot = 0;
  };
  [[nodiscard]] Result find(Found& found) {
    std::error_code failed;
    for (std::filesystem::directory_iterator at(path_, failed), end; !failed && at != end; at.increment(failed)) {
      const std::string name = at->path().filename().string();
      const std::uint64_t records = generation_of(name, ".journal");
      const std::uint64_t snapshot = generation_of(name, ".snapshot");
      if (records > 0) found.records.push_back(records);
      found.snapshot = std::max(found.snapshot, snapshot);
      const bool unfinished = is_unfinished_snapshot(name);
      if (records > 0 || snapshot > 0 || unfinished) there_.push_back({std::max(records, snapshot), at->path()});
    }
    if (failed) return snapshot::io_failed("reading", path_, failed);
    std::ranges::sort(found.records);
    return {};
  }
  /// There will be files of this generation. Throws std::bad_alloc.
  void expect(std::uint64_t generation) {
    there_.push_back({generation, records(generation)});
    there_.push_back({generation, snapshot(generation)});
  }
  /// Removes what is of before a generation, and what was found unfinished. What cannot be removed stays, and does no harm.
  void remove_before(std::uint64_t generation) noexcept {
    const auto is_old = [generation](const File& file) { return file.generation < generation; };
    for (const File& file : there_) {
      if (is_old(file)) files_.remove(file.path);
    }
    std::erase_if(there_, is_old);
  }
  /// Has records not be found any more.
  [[nodiscard]] Result set_aside(std::uint64_t generation) const {
    const auto from = records(generation);
    if (const auto failed = files_.rename(from, from.string() + ".cut"))
      return snapshot::io_failed("renaming", from, failed);
    return {};
  }
  /// The newest file of records beside one that is to be made, and older than it: who may read that may read this. Empty when
  /// there is none.
  // Generations follow each other closely: a gap is what failed compactions, and files that were set aside, have left. So the
  // names are tried; to list a directory ends the program in libstdc++ where there is no memory for it.
  [[nodiscard]] static std::filesystem::path newest_before(const std::filesystem::path& records) {
    constexpr std::string_view kind = ".journal";
    constexpr int most = 1000;
    std::uint64_t generation = generation_of(records.filename().string(), kind);
    for (int i = 0; i < most && generation > 1; ++i) {
      --generation;
      std::filesystem::path found = records.parent_path() / std::to_string(generation).append(kind);
      std::error_code unknown;
      if (std::filesystem::exists(found, unknown)) return found;
    }
    return {};
  }
  /// The names in it are on the disk.
  [[nodiscard]] Result flush() const {
    if (const auto failed = files_.flush_directory(path_)) return snapshot::io_failed("flushing", path_, failed);
    return {};
  }

 private:
  // Level by level, since each new name is to be on the disk, in the directory above it. A directory of which that cannot be
  // said is not left there: who tries again would take it for an old one.
  [[nodiscard]] Result make() const {
    if (path_.empty())
      return snapshot::io_failed("making", path_, std::make_error_code(std::errc::no_such_file_or_directory));
    std::filesystem::path at;
    for (const auto& part : path_) {
      const std::filesystem::path above = at.empty() ? std::filesystem::path(".") : at;
      at /= part;
      std::error_code failed;
      if (part.empty() || std::filesystem::is_directory(at, failed)) continue;
      const bool made = std::filesystem::create_directory(at, failed);
      if (failed) return snapshot::io_failed("making", at, failed);
      if (const auto why = files_.flush_directory(above)) {
        if (made) files_.remove(at);
        return snapshot::io_failed("flushing", above, why);
      }
    }
    return {};
  }

  [[nodiscard]] std::filesystem::path named(std::uint64_t generation, const char* kind) const {
    return path_ / (std::to_string(generation) + kind);
  }
  // 0 when it is none, or is not named as a journal names it: it is somebody else's.
  [[nodiscard]] static std::uint64_t generation_of(std::string_view name, std::string_view kind) noexcept {
    if (!name.ends_with(kind)) return 0;
    const std::string_view digits = name.substr(0, name.size() - kind.size());
    std::uint64_t generation = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), generation);
    const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
    return whole && digits.front() != '0' && generation <= largest ? generation : 0;
  }

  // Of who was killed while compacting: `.N.snapshot.` and a number (Replacement). Others save their files here, too.
  [[nodiscard]] static bool is_unfinished_snapshot(std::string_view name) noexcept {
    constexpr std::string_view ending = ".saving";
    if (!name.starts_with('.') || !name.ends_with(ending)) return false;
    name = name.substr(1, std::max(name.size(), ending.size() + 1) - ending.size() - 1);
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return false;
    const std::string_view number = name.substr(dot + 1);
    const bool is_number = !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
    return is_number && generation_of(name.substr(0, dot), ".snapshot") > 0;
  }

  static constexpr std::uint64_t largest = std::uint64_t{1} << 62;  // so that others may follow

  struct File {
    std::uint64_t generation;  // 0 when it is of none
    std::filesystem::path path;
  };

  snapshot::Files& files_;
  const std::filesystem::path path_;
  std::vector<File> there_;  // so that removing them takes no memory
  snapshot::Files::Handle lock_ = snapshot::Files::none;
};

}  // namespace brook::journal
