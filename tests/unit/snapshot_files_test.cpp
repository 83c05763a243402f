// Who may read a file that is saved: never anybody who could not read the one that it replaces.
#include <brook/snapshot.hpp>

#include "../catch.hpp"
#include "snapshot_support.hpp"

#if defined(__linux__)
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

namespace snapshot_files_test {

namespace {

// What the files' permissions were when others were asked for.
std::optional<::mode_t> permissions_before;
bool refusing = false;

}  // namespace

}  // namespace snapshot_files_test

// In the place of the system's: between its being opened and this nothing else can look.
extern "C" int fchmod(int file, ::mode_t permissions) noexcept {
  struct stat now {};
  if (::fstat(file, &now) == 0) snapshot_files_test::permissions_before = now.st_mode & 07777;
  if (snapshot_files_test::refusing) {
    errno = EPERM;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fchmod, file, permissions));
}

namespace snapshot_files_test {

namespace {

using namespace brook;
using namespace brook::test;
namespace fs = std::filesystem;

fs::perms of(const fs::path& path) { return fs::status(path).permissions(); }

}  // namespace

TEST_CASE("a file that replaces another has its permissions, and is open to nobody else before") {
  const Directory directory;
  const fs::path path = directory.path / "file";
  const auto kept = static_cast<fs::perms>(GENERATE(0600, 0640, 0444, 0666, 0000));
  std::ofstream(path) << "old";
  fs::permissions(path, kept);
  permissions_before.reset();
  CHECK(save(path, Stream<std::string>()));
  CHECK(of(path) == kept);
  CHECK(permissions_before.value_or(0600) == 0600);
  CHECK(directory.files() == 1);
}

TEST_CASE("a new file has the permissions that the process gives to new files") {
  const Directory directory;
  const ::mode_t before = ::umask(027);
  const auto saved = save(directory.path / "file", Stream<std::string>());
  ::umask(before);
  CHECK(saved);
  CHECK(static_cast<unsigned>(of(directory.path / "file")) == 0640);
}

TEST_CASE("a file that cannot be given the permissions of the one that it replaces is not saved") {
  const Directory directory;
  const fs::path path = directory.path / "file";
  std::ofstream(path) << "old";
  fs::permissions(path, static_cast<fs::perms>(0640));
  refusing = true;
  const auto saved = save(path, Stream<std::string>());
  refusing = false;
  REQUIRE_FALSE(saved);
  CHECK(saved.error() == Errc::io_error);
  CHECK(Directory::read(path) == "old");
  CHECK(directory.files() == 1);
}

}  // namespace snapshot_files_test
#endif
