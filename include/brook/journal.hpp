// journal.hpp — every change of a broker's objects, written to files as it happens, and made again after a crash (AOF in
// Redis). Optional: nothing else includes it.
//
//   brook::Broker broker;                                        // empty: the journal fills it
//   auto journal = brook::Journal::open("shop", broker, brook::types<Order, Job>, {.flush = brook::Flush::always});
//   auto jobs = *broker.list<Job>("jobs");                       // what it was when the last process ended, or was killed
//   jobs->rpush(job);                                            // on the disk when it returns
//
// What is recorded   All that changes streams, their groups and lists that have a name, by whomever: adds, acknowledgements,
// deliveries and what becomes of them, pushes, pops, also those of blocked calls, selections and completions, dead letters,
// what leaves by a bound; objects as they are made, and what becomes of their names. Of channels names and options. Not recorded:
// closing (what was closed is open again), reads that leave no trace, when a consumer was last seen without getting anything,
// and how many adds were duplicates.
//
// What is promised   What is found after a crash is a state that there was: the records are in the order in which changes could
// be seen, and a change that is one step (a forward, a move, a dead letter, a batch) is there wholly or not at all. With each
// Flush it is at least the state when the last call returned that had returned when the process was killed; what a crash of the
// machine leaves, Flush says. A call that has taken effect cannot be refused any more when its record cannot be written: then
// error() says so, and what returned since may be forgotten. A value that cannot be encoded comes neither into a stream nor into
// a list: the call answers codec_error, lmove() nothing, and what its Codec throws comes out of it. What is moved on in a list, or
// from one that has no journal, is encoded when it is noted: where that fails then, the journal ends. Time stands still between
// the end of one process and the next.
//
// What it costs   Objects of a broker without a journal: a branch where a lock is held, else nothing. With one, changes take
// turns: a list is used with its lock, a group with its mutex, and each change takes the journal's for as long as its bytes are
// copied. Calls wait for the write that takes their record along; those that come together share it.
//
// Compacting   takes a snapshot (<brook/snapshot.hpp>) while everything is used, and begins anew behind it. By itself as
// JournalOptions say, or by compact().
//
// Values come in as in a snapshot: Codec<T> (<brook/snapshot/codec.hpp>). The format, byte by byte: docs/journal-format.md.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/error.hpp>
#include <brook/journal/keeper.hpp>
#include <brook/journal/options.hpp>
#include <brook/journal/recover.hpp>
#include <brook/journal/running.hpp>
#include <brook/journal/scan.hpp>
#include <brook/snapshot.hpp>

namespace brook {

/// The journal of a broker. Thread-safe, but for moving and destroying it.
class Journal {
 public:
  /// Opens the journal in a directory, which is made if there is none: makes the objects that are told of in it, and records
  /// what becomes of them, and of all that is made from then on. The types of elements must be told, those of channels too; an
  /// object of another type cannot be made then. Precondition: the broker lives longer than the journal, and nobody uses it
  /// before this returns. No other process has the journal open. Errors: invalid_argument when the broker has objects or a
  /// journal, or where Policies are missing; io_error, also when the journal is open already; corrupt when the files are damaged
  /// at their beginning, one of them is missing or is no journal's, or anywhere where that is to be refused
  /// (JournalOptions::if_damaged); unsupported_version; wrong_type for types that were not told; closed. Nothing has changed
  /// then. Throws std::bad_alloc, and what T's Codec throws.
  template <class... Ts>
  [[nodiscard]] static expected<Journal, SnapshotError> open(const std::filesystem::path& directory, Broker& broker,
                                                             Types<Ts...>, const JournalOptions& options = {});

  /// The other one is then closed.
  Journal(Journal&&) noexcept = default;
  Journal& operator=(Journal&& other) noexcept {
    close();
    running_ = std::move(other.running_);
    recovery_ = std::move(other.recovery_);
    return *this;
  }
  /// Flushes what was recorded. The objects go on, unrecorded.
  ~Journal() { close(); }

  /// What was found.
  [[nodiscard]] const JournalRecovery& recovery() const noexcept { return recovery_; }

  /// Waits until all that returned before is on the disk, whatever `flush` says. Errors: why the journal has failed.
  expected<void, SnapshotError> flush() { return running_->scribe()->flush_all(); }

  /// Takes a snapshot, and begins anew behind it (BGREWRITEAOF). Returns when the old files are not needed any more. Errors:
  /// io_error, codec_error; the journal goes on as before then, but for what info() says. Throws std::bad_alloc.
  expected<void, SnapshotError> compact() { return running_->compact(); }

  /// Why it has failed; nothing while it has not. It is never repaired: open another one.
  [[nodiscard]] std::optional<SnapshotError> error() const { return running_->scribe()->stand().error; }
  [[nodiscard]] JournalInfo info() const { return running_->info(); }

 private:
  Journal(std::unique_ptr<journal::Running> running, JournalRecovery recovery) noexcept
      : running_(std::move(running)), recovery_(std::move(recovery)) {}

  void close() noexcept {
    if (running_ == nullptr) return;
    running_->stop();
    static_cast<void>(broker::Contents::exchange_keeper(running_->broker(), nullptr));
  }

  std::unique_ptr<journal::Running> running_;
  JournalRecovery recovery_;
};

template <class... Ts>
expected<Journal, SnapshotError> Journal::open(const std::filesystem::path& directory, Broker& broker, Types<Ts...>,
                                               const JournalOptions& options) {
  using journal::Result;
  if (!broker::Contents::untouched(broker))
    return unexpected(SnapshotError(Errc::invalid_argument, "the broker has objects, or a journal"));
  auto running = std::make_unique<journal::Running>(broker, directory, options);
  if (const auto failed = running->directory().open(); !failed) return unexpected(failed.error());
  journal::Scan scan;
  if (const auto failed = journal::scan_all(running->directory(), scan); !failed) return unexpected(failed.error());
  if (scan.cut && scan.cut->whole_behind && options.if_damaged == IfDamaged::refuse)
    return unexpected(SnapshotError(
        Errc::corrupt,
        core::text({"'", scan.cut->file.string(), "' is damaged, and whole records are behind: ", scan.cut->why}),
        scan.cut->offset));
  auto keeper = std::make_shared<journal::Keeper<Ts...>>(running->scribe());
  journal::Recovery<Ts...> found(broker, running->scribe(), *keeper, running->options().policies);
  if (const auto failed = found.read(running->directory(), scan); !failed) return unexpected(failed.error());
  JournalRecovery recovery{.bytes = found.snapshot_bytes(), .cut = scan.cut};
  for (const auto& file : scan.files) {
    recovery.records += file.records;
    recovery.bytes += file.whole;
  }
  const auto look = [&broker](snapshot::Savings& objects, const std::function<void()>& at_instant) {
    return snapshot::look_at_broker<Ts...>(broker, objects, at_instant);
  };
  const auto held = running->hold();
  if (const auto failed = running->start(scan, found.snapshot_bytes(), look); !failed)
    return unexpected(failed.error());
  if (const auto failed = found.insert(); !failed) return unexpected(failed.error());
  running->objects_are_there();
  static_cast<void>(broker::Contents::exchange_keeper(broker, std::move(keeper)));
  return Journal(std::move(running), std::move(recovery));
}

}  // namespace brook
