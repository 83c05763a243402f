// file.hpp — replacing a file so that a crash, whenever it comes, leaves the old one or the new one; and reading one.
//
// The new one is written beside the old one, under a name of its own, and flushed to the disk; then it takes the old one's
// name, which is one step for everybody who looks; then the directory is flushed, so that the step outlasts a crash. A
// flush that failed is not tried again: what the system could not write it may have forgotten by then.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <brook/core/sync.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/files.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::snapshot {

[[nodiscard]] inline unexpected<SnapshotError> io_failed(std::string_view doing, const std::filesystem::path& path,
                                                         const std::error_code& why) {
  return unexpected(
      SnapshotError(Errc::io_error, core::text({doing, " '", path.string(), "' failed: ", why.message()})));
}

/// The next contents of a file. Unless they are committed, nothing is left of them.
class Replacement final : public ByteSink {
 public:
  /// It has the permissions of the file that it replaces; where there is none, those of `instead`, if there is such a file.
  Replacement(Files& files, const std::filesystem::path& path, std::filesystem::path instead = {})
      : files_(files), path_(behind_links(path)), instead_(std::move(instead)) {}
  ~Replacement() override { discard(); }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  /// To be called first.
  [[nodiscard]] Result open() {
    if (path_.filename().empty()) return io_failed("saving to", path_, std::make_error_code(std::errc::is_a_directory));
    if (const auto why = cannot_be_replaced()) return io_failed("saving to", path_, why);
    temporary_ = path_.parent_path() / name_of_temporary();
    std::error_code unknown;
    const bool is_new = !std::filesystem::exists(path_, unknown);
    const auto failed = files_.create(temporary_, is_new ? instead_ : path_, file_);
    if (failed) return io_failed("making", temporary_, failed);
    there_ = true;
    return {};
  }
  Result write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      std::size_t written = 0;
      if (const auto failed = files_.write(file_, bytes, written)) return io_failed("writing", temporary_, failed);
      bytes = bytes.subspan(written);
    }
    return {};
  }
  /// From now on the file has these contents. With an error the old ones are there still; unless it is that the directory
  /// could not be flushed, and then a crash may bring them back.
  [[nodiscard]] Result commit() {
    if (const auto failed = files_.flush(file_)) return io_failed("flushing", temporary_, failed);
    if (const auto failed = files_.close(std::exchange(file_, Files::none)))
      return io_failed("closing", temporary_, failed);
    if (const auto failed = files_.rename(temporary_, path_)) return io_failed("renaming to", path_, failed);
    there_ = false;
    const auto directory = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
    if (const auto failed = files_.flush_directory(directory)) return io_failed("flushing", directory, failed);
    return {};
  }

 private:
  // A link to a file stays a link, be there the file or not.
  [[nodiscard]] static std::filesystem::path behind_links(std::filesystem::path path) {
    constexpr int most = 40;  // as in Linux
    std::error_code failed;
    for (int i = 0; i < most && std::filesystem::is_symlink(path, failed); ++i) {
      const auto target = std::filesystem::read_symlink(path, failed);
      if (failed) break;
      path = path.parent_path() / target;
    }
    return path;
  }
  // A device, a pipe or a socket would be gone, and nobody would get the bytes.
  [[nodiscard]] std::error_code cannot_be_replaced() const noexcept {
    std::error_code failed;
    switch (std::filesystem::symlink_status(path_, failed).type()) {
      case std::filesystem::file_type::directory: return std::make_error_code(std::errc::is_a_directory);
      case std::filesystem::file_type::symlink: return std::make_error_code(std::errc::too_many_symbolic_link_levels);
      case std::filesystem::file_type::block:
      case std::filesystem::file_type::character:
      case std::filesystem::file_type::fifo:
      case std::filesystem::file_type::socket: return std::make_error_code(std::errc::operation_not_supported);
      default: return {};
    }
  }
  // Of nobody else, be it of another process.
  [[nodiscard]] std::filesystem::path name_of_temporary() const {
    static sync::atomic<std::uint32_t> number{0};
    const std::uint64_t chance = std::uint64_t{std::random_device()()} << 32 | number.fetch_add(1, sync::seq_cst);
    constexpr std::size_t most = 200;  // of the 255 bytes that a name may have, in whole characters
    std::string name = path_.filename().string();
    if (name.size() > most) {
      std::size_t end = most;
      while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0U) == 0x80U) --end;
      name.resize(end);
    }
    return '.' + name + '.' + std::to_string(chance) + ".saving";
  }
  void discard() noexcept {
    if (file_ != Files::none) static_cast<void>(files_.close(std::exchange(file_, Files::none)));
    if (std::exchange(there_, false)) files_.remove(temporary_);
  }

  Files& files_;
  const std::filesystem::path path_;
  const std::filesystem::path instead_;
  std::filesystem::path temporary_;
  Files::Handle file_ = Files::none;
  bool there_ = false;
};

/// A file that is read.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path) : path_(path), file_(std::fopen(path.string().c_str(), "rb")) {
    if (file_ == nullptr) failed_ = errno;
  }
  ~FileSource() override {
    if (file_ != nullptr) static_cast<void>(std::fclose(file_));
  }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  expected<std::size_t, SnapshotError> read(std::span<std::byte> to) override {
    if (file_ == nullptr) return io_failed("opening", path_, {failed_, std::generic_category()});
    errno = 0;
    const std::size_t count = std::fread(to.data(), 1, to.size(), file_);
    if (count == 0 && std::ferror(file_) != 0)
      return io_failed("reading", path_, {errno != 0 ? errno : EIO, std::generic_category()});
    return count;
  }

 private:
  const std::filesystem::path path_;
  std::FILE* const file_;
  int failed_ = 0;
};

}  // namespace brook::snapshot
