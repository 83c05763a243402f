// running.hpp — a journal that is open, but for the types of the objects: its files, and the thread that flushes, compacts, and
// tells of a failure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/sync.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/journal/directory.hpp>
#include <brook/journal/log_file.hpp>
#include <brook/journal/options.hpp>
#include <brook/journal/scan.hpp>
#include <brook/journal/scribe.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/saving.hpp>
#include <brook/wait.hpp>
#include <brook/wait/sleeper.hpp>

namespace brook::journal {

class Running {
 public:
  /// Looks at all objects of the broker at one instant, calls `at_instant()` at it, and leaves what is to be saved.
  using Look = std::function<Result(snapshot::Savings&, const std::function<void()>& at_instant)>;

  Running(Broker& broker, const std::filesystem::path& path, const JournalOptions& options)
      : options_(options),
        broker_(broker),
        clock_(clock_or_system(broker::Contents::clock_of(broker))),
        directory_(options.files != nullptr ? *options.files : snapshot::Files::of_system(), path),
        scribe_(std::make_shared<Scribe>(clock_, options.flush)) {}
  ~Running() { stop(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] const JournalOptions& options() const noexcept { return options_; }
  [[nodiscard]] Broker& broker() const noexcept { return broker_; }
  [[nodiscard]] Directory& directory() noexcept { return directory_; }
  [[nodiscard]] const std::shared_ptr<Scribe>& scribe() const noexcept { return scribe_; }

  /// Until what this returns has died the journal's thread does nothing: a compaction would save objects that are not there yet.
  /// It ends then, unless they are.
  [[nodiscard]] sync::unique_lock<sync::mutex> hold() { return sync::unique_lock(compacting_); }
  void objects_are_there() noexcept { opened_ = true; }
  /// Begins to record behind what was found, in a file of its own. Throws std::bad_alloc.
  [[nodiscard]] Result start(const Scan& scan, std::uint64_t snapshot_bytes, Look look);
  /// Nothing is recorded any more. May be called again.
  void stop() noexcept;

  /// Takes a snapshot, behind which a new file of records begins, and removes what was before. Throws std::bad_alloc.
  [[nodiscard]] Result compact();
  [[nodiscard]] JournalInfo info() const;

 private:
  [[nodiscard]] Result make_file(std::uint64_t generation, std::shared_ptr<LogFile>& file) {
    directory_.expect(generation);
    file = std::make_shared<LogFile>(directory_.files(), directory_.records(generation));
    if (auto failed = file->open(); !failed) return failed;
    return directory_.flush();
  }
  [[nodiscard]] Result compact_now();
  // At how many bytes it is to be compacted.
  [[nodiscard]] std::uint64_t enough(std::uint64_t snapshot_bytes) const noexcept {
    if (!(options_.compact_factor > 0)) return std::numeric_limits<std::uint64_t>::max();
    const double grown = options_.compact_factor * static_cast<double>(snapshot_bytes);
    return std::max(options_.compact_min, static_cast<std::uint64_t>(std::min(grown, 9e18)));
  }

  // — the thread —
  [[nodiscard]] Result start_thread();
  void run();
  // What is to be done now is done; when there will be something again.
  [[nodiscard]] Clock::time_point work();
  void tell_failure(const SnapshotError& why);

  const JournalOptions options_;
  Broker& broker_;
  Clock& clock_;
  Directory directory_;
  const std::shared_ptr<Scribe> scribe_;
  Look look_;
  sync::mutex compacting_;        // held while it is, and while the journal is opened
  bool opened_ = false;           // with that
  std::uint64_t generation_ = 0;  // the same
  mutable sync::mutex mutex_;     // guards what follows
  std::uint64_t snapshot_bytes_ = 0;
  std::uint64_t compactions_ = 0;
  bool in_compaction_ = false;
  std::optional<SnapshotError> compaction_error_;
  wait::Wakeable* sleeper_ = nullptr;
  bool stopping_ = false;
  bool told_ = false;  // of the failure; only the thread
  sync::thread thread_;
};

inline Result Running::start(const Scan& scan, std::uint64_t snapshot_bytes, Look look) {
  look_ = std::move(look);
  for (const std::uint64_t generation : scan.behind) {
    if (auto failed = directory_.set_aside(generation); !failed) return failed;
  }
  generation_ = scan.newest + 1;
  std::shared_ptr<LogFile> file;
  if (auto failed = make_file(generation_, file); !failed) return failed;
  directory_.remove_before(std::max<std::uint64_t>(scan.base, 1));
  std::uint64_t bytes = 0;
  for (const Scanned& one : scan.files) bytes += one.whole;
  snapshot_bytes_ = snapshot_bytes;
  scribe_->start(std::move(file), generation_, scan.records, scan.ends);
  scribe_->set_size(bytes, enough(snapshot_bytes));
  if (auto failed = scribe_->flush_all(); !failed) return failed;
  return start_thread();
}

inline Result Running::start_thread() {
  clock_.expect_thread();
  core::Undo undo([this] { clock_.thread_failed(); });
  BROOK_TRY {
    thread_ = sync::thread([this] { run(); });
  }
  BROOK_CATCH_ALL {
    return unexpected(SnapshotError(Errc::out_of_memory, "the journal's thread could not be started"));
  }
  undo.keep();
  return {};
}

inline void Running::stop() noexcept {
  scribe_->stop();
  if (!thread_.joinable()) return;
  {
    const sync::unique_lock held(mutex_);
    stopping_ = true;
    if (sleeper_ != nullptr) sleeper_->wake();
  }
  thread_.join();
}

inline Result Running::compact() {
  {
    const sync::unique_lock held(mutex_);
    in_compaction_ = true;
  }
  const core::Undo over([this] {
    const sync::unique_lock held(mutex_);
    in_compaction_ = false;
  });
  Result result;
  {
    const sync::unique_lock one_at_a_time(compacting_);
    result = compact_now();
  }
  const Scribe::Stand stand = scribe_->stand();
  const sync::unique_lock held(mutex_);
  if (result) {
    ++compactions_;
    compaction_error_.reset();
  } else {
    compaction_error_ = result.error();
    // Not at once again: when it has grown by as much once more.
    const std::uint64_t more = enough(snapshot_bytes_);
    scribe_->set_size(stand.bytes, more > ~stand.bytes ? ~std::uint64_t{0} : stand.bytes + more);
  }
  return result;
}

// Records go to the next file from the instant on. Until the snapshot has its name, what counts is the old one with both files.
inline Result Running::compact_now() {
  if (const auto stand = scribe_->stand(); stand.error) return unexpected(*stand.error);
  const std::uint64_t next = generation_ + 1;
  std::shared_ptr<LogFile> file;
  generation_ = next;
  if (auto failed = make_file(next, file); !failed) return failed;
  snapshot::Savings objects;
  if (auto failed = look_(objects, [&] { scribe_->go_on_in(std::move(file), next); }); !failed) {
    directory_.files().remove(directory_.records(next));
    return failed;
  }
  if (auto failed = scribe_->flush_all(); !failed) return failed;
  std::uint64_t bytes = 0;
  SaveOptions saving;
  saving.progress = [&bytes](const SnapshotProgress& progress) { bytes = progress.bytes; };
  const auto write = [&](ByteSink& to) { return snapshot::write_all(to, snapshot::Contents::broker, objects, saving); };
  const auto path = directory_.snapshot(next);
  if (auto failed = snapshot::replace_file(directory_.files(), path, write, directory_.records(next)); !failed)
    return failed;
  directory_.remove_before(next);
  scribe_->forget_before_snapshot(enough(bytes));
  const sync::unique_lock held(mutex_);
  snapshot_bytes_ = bytes;
  return {};
}

inline JournalInfo Running::info() const {
  const Scribe::Stand stand = scribe_->stand();
  const sync::unique_lock held(mutex_);
  return {.records = stand.records,
          .bytes = stand.bytes,
          .snapshot_bytes = snapshot_bytes_,
          .flushes = stand.flushes,
          .compactions = compactions_,
          .compacting = in_compaction_,
          .error = stand.error,
          .compaction_error = compaction_error_};
}

inline void Running::run() {
  clock_.thread_came();
  {
    const auto opened = hold();
    if (!opened_) return;
  }
  wait::Sleeper sleeper(clock_, Clock::time_point::max(), Wait());
  const auto listen = [&](wait::Wakeable* to) {
    scribe_->set_helper(to);
    const sync::unique_lock held(mutex_);
    sleeper_ = to;
  };
  listen(&sleeper);
  for (bool going = true; going;) {
    sleeper.set_deadline(work());
    {
      const sync::unique_lock held(mutex_);
      going = !stopping_;
    }
    if (going) static_cast<void>(sleeper.sleep());
  }
  listen(nullptr);
}

inline Clock::time_point Running::work() {
  const Scribe::Stand stand = scribe_->stand();
  if (stand.error) {
    if (std::exchange(told_, true)) return Clock::time_point::max();
    static_cast<void>(scribe_->flush_all());  // what came before
    tell_failure(*stand.error);
    return Clock::time_point::max();
  }
  if (stand.enough) {
    BROOK_TRY { static_cast<void>(compact()); }
    BROOK_CATCH_ALL { scribe_->set_size(stand.bytes, 2 * stand.bytes); }
  }
  if (!stand.unflushed_since) return Clock::time_point::max();
  const Clock::time_point due = *stand.unflushed_since + std::chrono::seconds(1);
  if (clock_.now() < due) return due;
  static_cast<void>(scribe_->flush_all());
  return work();
}

inline void Running::tell_failure(const SnapshotError& why) {
  if (options_.if_failed == IfFailed::close) broker_.close();
  if (options_.on_failure) options_.on_failure(why);
}

}  // namespace brook::journal
