// snapshot_support.hpp — what the tests of snapshots and journals share: directories, and files that fail.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <system_error>

#include <brook/redelivery.hpp>
#include <brook/snapshot/files.hpp>
#include <brook/snapshot/types.hpp>

namespace brook::test {

inline constexpr auto all_types = types<std::string, DeadLetter<std::string>>;

/// A directory of its own, gone at the end.
struct Directory {
  Directory()
      : path(std::filesystem::temp_directory_path() /
             ("brook_test_" + std::to_string(std::random_device()()) + '_' + std::to_string(std::random_device()()))) {
    std::filesystem::create_directory(path);
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()));
  }
  [[nodiscard]] static std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const std::filesystem::path path;
};

/// Whether one call fails, or all that follow do too.
enum class Failing { once, from_then_on };

/// The system's files, until the n-th call that changes something, counted from 1, which fails.
class FailingFiles final : public snapshot::Files {
 public:
  explicit FailingFiles(int n, Failing how = Failing::once) noexcept : left_(n), how_(how) {}
  /// Whether it came to that.
  [[nodiscard]] bool failed() const noexcept { return left_ <= 0; }
  /// Whether it was a flush of a directory, which comes when a file is there already.
  [[nodiscard]] bool failed_at_directory() const noexcept { return at_directory_; }

  std::error_code create(const std::filesystem::path& path, const std::filesystem::path& like, Handle& made) override {
    return fails() ? no() : Files::create(path, like, made);
  }
  // A little at a time: write() may do so.
  std::error_code write(Handle file, std::span<const std::byte> bytes, std::size_t& written) override {
    return fails() ? no() : Files::write(file, bytes.first(std::min<std::size_t>(bytes.size(), 50)), written);
  }
  std::error_code flush(Handle file) override { return fails() ? no() : Files::flush(file); }
  std::error_code close(Handle file) override {
    const bool failing = fails();
    const auto closed = Files::close(file);
    return failing ? no() : closed;
  }
  std::error_code rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return fails() ? no() : Files::rename(from, to);
  }
  std::error_code flush_directory(const std::filesystem::path& path) override {
    at_directory_ = left_ == 1;
    return fails() ? no() : Files::flush_directory(path);
  }

 private:
  bool fails() noexcept {
    if (left_ > 0) return --left_ == 0;
    return how_ == Failing::from_then_on;
  }
  static std::error_code no() { return std::make_error_code(std::errc::no_space_on_device); }

  int left_;
  const Failing how_;
  bool at_directory_ = false;
};

}  // namespace brook::test
