// options.hpp — what a journal is told, and what it tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <brook/snapshot/error.hpp>
#include <brook/snapshot/files.hpp>
#include <brook/snapshot/policies.hpp>

namespace brook {

/// When what is recorded is on the disk (appendfsync). With each of them a call returns when its record has been given to the
/// operating system: a process that is killed loses nothing that returned. A call that waits, or the handler of a completion, for
/// which others get something, hears of it only then, too. Of a call that the handler makes this is true when the call returns
/// that has called the handler. Who merely looks may see what is not safe yet.
enum class Flush : unsigned char {
  always,  ///< when the call returns: a machine that loses its power loses nothing that returned. Calls share a flush
  every_second,  ///< a second later at the latest
  never,         ///< when the operating system thinks fit
};

/// What becomes of the broker when its journal has failed.
enum class IfFailed : unsigned char {
  close,  ///< it is closed: nothing more is accepted that would be forgotten, and what is there can still be drained
  go_on,  ///< it goes on, and nothing more is recorded
};

/// What is done about a file that is damaged behind its last whole record.
enum class IfDamaged : unsigned char {
  cut,     ///< it is cut off there, and JournalRecovery says where
  refuse,  ///< unless nothing whole is behind it, as a crash leaves it, the journal is not opened: corrupt
};

/// Options of a journal.
struct JournalOptions {
  Flush flush = Flush::every_second;
  /// The journal is compacted when it is `compact_factor` times as long as the snapshot that it begins with, and longer than
  /// `compact_min` bytes (auto-aof-rewrite-percentage, -min-size). A factor of 0 leaves that to compact().
  double compact_factor = 2;
  std::uint64_t compact_min = 64 * 1024 * 1024;
  IfFailed if_failed = IfFailed::close;
  IfDamaged if_damaged = IfDamaged::cut;
  /// Called once when the journal has failed, with no lock of brook's held, on the journal's own thread. It must not destroy
  /// the journal.
  std::function<void(const SnapshotError&)> on_failure = {};
  /// What cannot be recorded of groups: their functions, and dead letters that go to streams outside of the broker or whose name
  /// was erased. By the names that streams have at the end of the journal.
  Policies policies = {};
  /// Who writes; null is the system. For tests.
  snapshot::Files* files = nullptr;
};

/// What was found when a journal was opened.
struct JournalRecovery {
  std::uint64_t records = 0;  ///< of the files, that were made again
  std::uint64_t bytes = 0;    ///< of these files, the snapshot included
  /// Where a file was cut off, as a crash may leave it or damage may force it.
  struct Cut {
    std::filesystem::path file{};
    std::uint64_t offset = 0;   ///< the end of the last whole record
    std::uint64_t bytes = 0;    ///< how much is behind it, in this file and in those that follow it
    std::string why{};          ///< for people
    bool whole_behind = false;  ///< there are whole records among it: this is damage, and no mere crash of the process
  };
  std::optional<Cut> cut{};
};

/// What a journal can tell.
struct JournalInfo {
  std::uint64_t records = 0;         ///< made since it was opened
  std::uint64_t bytes = 0;           ///< of them that follow the last snapshot, those from before included
  std::uint64_t snapshot_bytes = 0;  ///< of the snapshot that they follow; 0 when there is none
  std::uint64_t flushes = 0;         ///< how often the disk was waited for
  std::uint64_t compactions = 0;
  bool compacting = false;
  std::optional<SnapshotError> error{};             ///< why it has failed
  std::optional<SnapshotError> compaction_error{};  ///< why the last compaction has; the journal goes on then
};

}  // namespace brook
