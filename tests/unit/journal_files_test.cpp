// The files of a journal: which are its own, what is refused, how they come onto the disk, and who may read them.
#include <brook/journal.hpp>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "../catch.hpp"
#include "journal_support.hpp"
#include "snapshot_support.hpp"

namespace journal_files_test {

namespace {

using namespace brook;
using namespace brook::test;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// A life in which so many elements are pushed.
void push(const fs::path& path, int count) {
  Life life(path);
  REQUIRE(life.said() == "opened");
  for (int i = 0; i < count; ++i) life.list("list")->rpush(std::to_string(i));
}

// Notes which directories are flushed.
struct FlushedDirectories final : snapshot::Files {
  std::error_code flush_directory(const fs::path& path) override {
    flushed.push_back(path.string());
    return failing ? std::make_error_code(std::errc::io_error) : Files::flush_directory(path);
  }
  Strings flushed{};
  bool failing = false;
};

// The working directory is another one for as long as it lives.
struct WorkingDirectory {
  explicit WorkingDirectory(const fs::path& path) : before(fs::current_path()) { fs::current_path(path); }
  ~WorkingDirectory() { fs::current_path(before); }
  WorkingDirectory(const WorkingDirectory&) = delete;
  WorkingDirectory& operator=(const WorkingDirectory&) = delete;
  const fs::path before;
};

constexpr std::size_t header = 32;
constexpr std::size_t beginning = header + 20 + 3;  // BEGN with three small numbers, one of which may be longer

}  // namespace

TEST_CASE("a journal of which a bit is wrong at the beginning is refused, and stays as it is") {
  const Directory directory;
  push(directory.path, 100);
  const fs::path file = directory.path / "1.journal";
  const std::string whole = Directory::read(file);
  std::string wrong;
  for (std::size_t at = 0; at < beginning; ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write(file, bytes);
    for (const IfDamaged if_damaged : {IfDamaged::cut, IfDamaged::refuse}) {
      const Life life(directory.path, {.flush = Flush::never, .if_damaged = if_damaged});
      if (life.opened || life.opened.error() != Errc::corrupt) wrong += ' ' + std::to_string(at);
    }
    if (Directory::read(file) != bytes || directory.files() != 2) wrong += " changed " + std::to_string(at);
  }
  CHECK(wrong == "");
  write(file, whole);
  CHECK(Life(directory.path).elements("list").size() == 100);
}

TEST_CASE("a crash that comes while the first file of a journal is made does no harm") {
  const Directory directory;
  push(directory.path, 0);
  const fs::path file = directory.path / "1.journal";
  const std::string whole = Directory::read(file).substr(0, beginning);
  std::string wrong;
  for (std::size_t size = 0; size < beginning; ++size) {
    for (const std::size_t zeros : {std::size_t{0}, beginning - size}) {
      fs::remove_all(directory.path);
      fs::create_directory(directory.path);
      write(file, whole.substr(0, size) + std::string(zeros, '\0'));
      Life life(directory.path, {.flush = Flush::never, .if_damaged = IfDamaged::refuse});
      if (life.opened) life.list("list")->rpush("x");
      else wrong += ' ' + std::to_string(size) + '+' + std::to_string(zeros) + ' ' + life.said();
    }
    if (wrong.empty() && Life(directory.path).elements("list") != Strings{"x"})
      wrong += " lost " + std::to_string(size);
  }
  CHECK(wrong == "");
}

TEST_CASE("a file of somebody else that is named as the first one of a journal is refused") {
  const Directory directory;
  const std::string theirs =
      GENERATE(std::string("dear diary"), std::string(3000, '\0'), std::string("\x89PNG\r\n", 6));
  write(directory.path / "1.journal", theirs);
  CHECK(Life(directory.path).opened.error() == Errc::corrupt);
  CHECK(Directory::read(directory.path / "1.journal") == theirs);
}

TEST_CASE("a journal is refused when its first file is gone, or empty, and others go on behind it") {
  const Directory directory;
  push(directory.path, 3);
  push(directory.path, 3);
  fs::remove(directory.path / "1.journal");
  if (GENERATE(false, true)) write(directory.path / "1.journal", "");
  const Life life(directory.path);
  CHECK_THAT(life.said(), ContainsSubstring("records that are missing"));
  CHECK(fs::exists(directory.path / "2.journal"));
}

TEST_CASE("a later file that is damaged at its beginning is a cut, and is set aside") {
  const Directory directory;
  push(directory.path, 3);
  push(directory.path, 3);
  const fs::path file = directory.path / "2.journal";
  std::string bytes = Directory::read(file);
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  write(file, bytes);
  CHECK_THAT(Life(directory.path, {.if_damaged = IfDamaged::refuse}).said(),
             ContainsSubstring("whole records are behind"));
  Life life(directory.path);
  REQUIRE(life.said() == "opened");
  REQUIRE(life.journal().recovery().cut);
  CHECK(life.journal().recovery().cut->whole_behind);
  CHECK(life.elements("list") == Strings{"0", "1", "2"});
  CHECK(life.journal().compact());
  CHECK(Directory::read(directory.path / "2.journal.cut") == bytes);
}

TEST_CASE("a journal removes what was left of its own snapshots, and nothing that others save beside it") {
  const Directory directory;
  const Strings others{"important.saving",
                       ".shop.brook.123.saving",
                       ".saving",
                       "..saving",
                       ".1.snapshot.saving",
                       ".1.snapshot..saving",
                       ".1.snapshot.notes.saving",
                       ".x.snapshot.123.saving",
                       ".01.snapshot.123.saving",
                       "1.snapshot.123.saving",
                       ".1.snapshot.123.saving~",
                       ".1.journal.123.saving"};
  for (const std::string& name : others) write(directory.path / name, "x");
  write(directory.path / ".1.snapshot.123.saving", "x");
  push(directory.path, 1);
  for (const std::string& name : others) CHECK(fs::exists(directory.path / name));
  CHECK_FALSE(fs::exists(directory.path / ".1.snapshot.123.saving"));
}

TEST_CASE("each directory that is made for a journal is on the disk before the journal is used") {
  const Directory directory;
  const WorkingDirectory working(directory.path);
  FlushedDirectories files;
  const auto flushed_by = [&](const fs::path& path) {
    files.flushed.clear();
    CHECK(Life(path, {.flush = Flush::never, .files = &files}).said() == "opened");
    return files.flushed;
  };
  CHECK(flushed_by("shop") == Strings{".", "shop"});
  CHECK(flushed_by("shop") == Strings{"shop"});
  CHECK(flushed_by("slash/") == Strings{".", "slash/"});
  CHECK(flushed_by("a/b/../c//") == Strings{".", "a", "a/b/..", "a/b/../c//"});
  CHECK(flushed_by("./d") == Strings{".", "./d"});
  const std::string top = directory.path.string();
  CHECK(flushed_by(directory.path / "e" / "f") == Strings{top, top + "/e", top + "/e/f"});
  CHECK(flushed_by(".") == Strings{"."});
  fs::remove("lock");
  CHECK(Life("").opened.error() == Errc::io_error);
  CHECK_FALSE(fs::exists("lock"));
}

TEST_CASE("a directory whose name could not be flushed is made, and flushed, again") {
  const Directory directory;
  FlushedDirectories files;
  files.failing = true;
  CHECK(Life(directory.path / "shop", {.files = &files}).opened.error() == Errc::io_error);
  CHECK_FALSE(fs::exists(directory.path / "shop"));
  files.failing = false;
  files.flushed.clear();
  CHECK(Life(directory.path / "shop", {.files = &files}).said() == "opened");
  CHECK(files.flushed.front() == directory.path.string());
}

TEST_CASE("a snapshot that is saved under a mere name flushes the directory that it is in") {
  const Directory directory;
  const WorkingDirectory working(directory.path);
  FlushedDirectories files;
  const auto nothing = [](ByteSink&) { return snapshot::Result(); };
  CHECK(snapshot::replace_file(files, "x.brook", nothing));
  CHECK(files.flushed == Strings{"."});
  CHECK(fs::exists(directory.path / "x.brook"));
}

#if defined(__unix__) || defined(__APPLE__)
TEST_CASE("a new file of records has the permissions of the newest one before it, and so has a snapshot") {
  const Directory directory;
  const auto only_mine = fs::perms::owner_read | fs::perms::owner_write;
  const auto of = [&](const char* name) { return fs::status(directory.path / name).permissions(); };
  push(directory.path, 1);
  write(directory.path / "theirs", "");
  CHECK(of("1.journal") == of("theirs"));
  fs::permissions(directory.path / "1.journal", only_mine);
  Life life(directory.path);
  REQUIRE(life.said() == "opened");
  CHECK(of("2.journal") == only_mine);
  fs::permissions(directory.path / "2.journal", only_mine | fs::perms::group_read);
  REQUIRE(life.journal().compact());
  CHECK(of("3.journal") == (only_mine | fs::perms::group_read));
  CHECK(of("3.snapshot") == (only_mine | fs::perms::group_read));
}

TEST_CASE("a journal whose files were deleted says so at the next flush") {
  const Directory directory;
  std::optional<SnapshotError> told;
  JournalOptions options{.flush = Flush::always};
  options.on_failure = [&](const SnapshotError& why) { told = why; };
  {
    Life life(directory.path, options);
    REQUIRE(life.list("list")->rpush("before"));
    CHECK_FALSE(life.journal().error());
    fs::remove_all(directory.path);
    static_cast<void>(life.list("list")->rpush("after"));
    REQUIRE(life.journal().error());
    CHECK_THAT(life.journal().error()->message(), ContainsSubstring("No such file or directory"));
  }
  REQUIRE(told);
  CHECK(told->code() == Errc::io_error);
}
#endif

}  // namespace journal_files_test
