// files.hpp — what replacing a file asks of the system, each call checked; a test puts a failing one in its place.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <system_error>

#include <brook/core/config.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace brook::snapshot {

/// The system's files. Each call says what went wrong.
class Files {
 public:
  /// An open file.
  using Handle = std::intptr_t;
  static constexpr Handle none = -1;

  virtual ~Files() = default;

  /// Makes a file that there is not, for writing, with the permissions of `like`, if there is such a file. Nobody can open it
  /// before it has them.
  [[nodiscard]] inline virtual std::error_code create(const std::filesystem::path& path,
                                                      const std::filesystem::path& like, Handle& made);
  /// Writes some of the bytes, one at least; how many.
  [[nodiscard]] inline virtual std::error_code write(Handle file, std::span<const std::byte> bytes,
                                                     std::size_t& written);
  /// What was written is on the disk when it returns. An error, where that can be told, when the file was deleted meanwhile.
  [[nodiscard]] inline virtual std::error_code flush(Handle file);
  [[nodiscard]] inline virtual std::error_code close(Handle file);
  /// Makes a file if there is none, and keeps others from locking it, until it is closed or the process ends; an error when
  /// somebody has it. Without POSIX nobody is kept.
  [[nodiscard]] inline virtual std::error_code lock(const std::filesystem::path& path, Handle& locked);
  /// `from` takes the name of `to`.
  [[nodiscard]] virtual std::error_code rename(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code failed;
    std::filesystem::rename(from, to, failed);
    return failed;
  }
  /// The names in the directory are on the disk when it returns.
  [[nodiscard]] inline virtual std::error_code flush_directory(const std::filesystem::path& path);
  virtual void remove(const std::filesystem::path& path) noexcept {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }

  [[nodiscard]] static Files& of_system() noexcept {
    static Files files;
    return files;
  }

 protected:
  [[nodiscard]] static std::error_code last_error() noexcept {
    return {errno != 0 ? errno : EIO, std::generic_category()};
  }
};

#if defined(__unix__) || defined(__APPLE__)

// Not open to others first and restricted then: who has a file open may go on reading it.
inline std::error_code Files::create(const std::filesystem::path& path, const std::filesystem::path& like,
                                     Handle& made) {
  constexpr ::mode_t all = 07777;
  struct stat before {};
  const bool alike = ::stat(like.c_str(), &before) == 0;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, alike ? 0600 : 0666);
  if (file < 0) return last_error();
  made = file;
  struct stat now {};
  if (!alike || (::fstat(file, &now) == 0 && (now.st_mode & all) == (before.st_mode & all))) return {};
  if (::fchmod(file, before.st_mode & all) == 0) return {};
  const std::error_code failed = last_error();
  made = none;
  ::close(file);
  ::unlink(path.c_str());
  return failed;
}

inline std::error_code Files::write(Handle file, std::span<const std::byte> bytes, std::size_t& written) {
  ::ssize_t count = -1;
  do {
    errno = 0;
    count = ::write(static_cast<int>(file), bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return last_error();
  written = static_cast<std::size_t>(count);
  return {};
}

inline std::error_code Files::flush(Handle file) {
  const int flushed = static_cast<int>(file);
#ifdef F_FULLFSYNC
  const bool safe = ::fcntl(flushed, F_FULLFSYNC) == 0;
#else
  const bool safe = false;
#endif
  if (!safe && ::fsync(flushed) != 0) return last_error();
  struct stat now {};
  const bool deleted = ::fstat(flushed, &now) == 0 && now.st_nlink == 0;
  return deleted ? std::make_error_code(std::errc::no_such_file_or_directory) : std::error_code();
}

// The file is closed whatever close() says, and may be somebody else's by now: no second try.
inline std::error_code Files::close(Handle file) {
  return ::close(static_cast<int>(file)) == 0 || errno == EINTR ? std::error_code() : last_error();
}

inline std::error_code Files::lock(const std::filesystem::path& path, Handle& locked) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) return last_error();
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    const std::error_code failed = last_error();
    ::close(file);
    return failed;
  }
  locked = file;
  return {};
}

inline std::error_code Files::flush_directory(const std::filesystem::path& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return last_error();
  std::error_code failed;
  // Some file systems cannot flush a directory, and say so; they have nothing to flush then.
  if (::fsync(directory) != 0 && errno != EINVAL && errno != ENOTSUP) failed = last_error();
  ::close(directory);
  return failed;
}

#else

// Without POSIX: files can be flushed to the system only, and directories not at all.

inline std::error_code Files::create(const std::filesystem::path& path, const std::filesystem::path&, Handle& made) {
  std::FILE* const file = std::fopen(path.string().c_str(), "wbx");
  if (file == nullptr) return last_error();
  made = reinterpret_cast<Handle>(file);
  return {};
}
inline std::error_code Files::write(Handle file, std::span<const std::byte> bytes, std::size_t& written) {
  written = std::fwrite(bytes.data(), 1, bytes.size(), reinterpret_cast<std::FILE*>(file));
  return written > 0 ? std::error_code() : last_error();
}
inline std::error_code Files::flush(Handle file) {
  return std::fflush(reinterpret_cast<std::FILE*>(file)) == 0 ? std::error_code() : last_error();
}
inline std::error_code Files::close(Handle file) {
  return std::fclose(reinterpret_cast<std::FILE*>(file)) == 0 ? std::error_code() : last_error();
}
inline std::error_code Files::lock(const std::filesystem::path& path, Handle& locked) {
  std::FILE* const file = std::fopen(path.string().c_str(), "ab");
  if (file == nullptr) return last_error();
  locked = reinterpret_cast<Handle>(file);
  return {};
}
inline std::error_code Files::flush_directory(const std::filesystem::path&) { return {}; }

#endif

}  // namespace brook::snapshot
