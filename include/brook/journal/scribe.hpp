// scribe.hpp — takes down what happens, in its order, and gives it to the disk.
//
// Order     Records are put one behind the other, in memory, under one mutex, which is held for as long as a copy takes; who
//           changes what others see at once has it from before the change until it is recorded (core/recorder.hpp).
// Writing   Whoever waits for a record, and finds nobody writing, writes all that there is, and flushes it if that was promised;
//           the others wait for him. So calls that come together share a write and a flush.
// Failing   A write or a flush that failed is not tried again: nobody knows what the system has kept. Nothing more is recorded
//           then, nobody waits any more, and who runs the journal is told. Where it is not the files that have failed, what was
//           recorded before is written and flushed as ever.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/later.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/journal/catalog.hpp>
#include <brook/journal/chunk.hpp>
#include <brook/journal/codes.hpp>
#include <brook/journal/log_file.hpp>
#include <brook/journal/note.hpp>
#include <brook/journal/options.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::journal {

class Scribe final : public core::Recorder, public std::enable_shared_from_this<Scribe> {
 public:
  Scribe(Clock& clock, Flush flush) noexcept : clock_(clock), flush_(flush) {}
  ~Scribe() = default;
  Scribe(const Scribe&) = delete;
  Scribe& operator=(const Scribe&) = delete;

  // — by who changes something —

  void begin() noexcept override {
    if (Note* const note = mine()) ++note->depth;
    else lose();
  }
  void end() noexcept override {
    Note* const note = mine();
    if (note == nullptr || note->depth == 0) return;
    --note->depth;
    if (note->locks == 0) record_alone(*note);
  }
  void lock() noexcept override {
    Note* const note = mine();
    if (note != nullptr && note->locks++ > 0) return;
    mutex_.lock();
    if (note == nullptr) fail_locked(too_many());
  }
  void unlock() noexcept override {
    Note* const note = mine();
    if (note != nullptr && note->locks > 0 && --note->locks > 0) return;
    const bool any = note != nullptr && note->changes.written_size() > 0;
    if (any) record(*note);
    mutex_.unlock();
    if (any) wait_later(*note);
  }
  void propose() noexcept override {
    if (Note* const note = mine()) ++note->proposals;
    else lose();
  }
  void adopt() noexcept override {
    Note* const note = mine();
    if (note == nullptr || note->proposals == 0 || note->adopted) return;
    note->adopted = true;
    BROOK_TRY { note->changes.bytes(note->proposed.written()); }
    BROOK_CATCH_ALL { fail(Errc::out_of_memory, "a change could not be noted"); }
  }
  void drop() noexcept override {
    Note* const note = mine();
    if (note == nullptr || note->proposals == 0 || --note->proposals > 0) return;
    note->adopted = false;
    note->proposed.clear();
  }
  void settle() noexcept override {
    std::uint64_t last = 0;
    {
      const sync::unique_lock held(mutex_);
      last = appended_;
    }
    wait_for(last);
  }

  /// Notes a change of an object or a group; `write(to)` says what further there is to be said.
  template <class Write>
  void note(Change change, Number of, Write&& write) noexcept {
    if (!recording_.load(sync::seq_cst)) return;
    Note* const note = mine();
    if (note == nullptr) return lose();
    ++note->depth;
    BROOK_TRY {
      Encoder& to = note->one;
      to.clear();
      to.number(static_cast<std::uint8_t>(change));
      to.size(of);
      write(to);
      Encoder& all = note->proposals > 0 && !note->adopted && note->locks == 0 ? note->proposed : note->changes;
      all.size(to.written_size());
      all.bytes(to.written());
      if (to.failed()) fail(Errc::codec_error, "a value could not be encoded");
    }
    BROOK_CATCH(const std::bad_alloc&) { fail(Errc::out_of_memory, "a change could not be noted"); }
    BROOK_CATCH_ALL { fail(Errc::codec_error, "a Codec threw"); }
    --note->depth;
    if (note->depth == 0 && note->locks == 0) record_alone(*note);
  }
  void note(Change change, Number of) noexcept {
    note(change, of, [](Encoder&) {});
  }

  /// With lock().
  [[nodiscard]] Catalog& catalog() noexcept { return catalog_; }
  [[nodiscard]] Clock& clock() const noexcept { return clock_; }

  /// Waits until a record is as safe as was promised, or the journal has failed.
  void wait_for(std::uint64_t record) noexcept {
    sync::unique_lock held(mutex_);
    const std::uint64_t& done = flush_ == Flush::always ? flushed_ : written_;
    advance_to(held, record, done, flush_ == Flush::always);
  }

  // — by who runs the journal —

  /// Records go to a file from now on, the first of which have the number `first`, at this time of the journal. Throws
  /// std::bad_alloc.
  void start(std::shared_ptr<LogFile> file, std::uint64_t generation, std::uint64_t first,
             std::chrono::nanoseconds time);
  /// The same for another file; what came before goes to the one before. With what all numbers mean. Throws std::bad_alloc, and
  /// then nothing has changed.
  void go_on_in(std::shared_ptr<LogFile> file, std::uint64_t generation);
  /// Waits until all that was recorded is on the disk. Errors: why the journal has failed.
  [[nodiscard]] Result flush_all() noexcept {
    sync::unique_lock held(mutex_);
    advance_to(held, appended_, flushed_, true);
    if (error_) return unexpected(*error_);
    return {};
  }
  /// Nothing is recorded any more but what time it is, and nobody waits.
  void stop() noexcept {
    {
      const sync::unique_lock held(mutex_);
      Note none;
      record(none);
      recording_.store(false, sync::seq_cst);
    }
    static_cast<void>(flush_all());
  }
  void fail(Errc code, const char* why) noexcept {
    Note* const note = mine();
    const bool had = note != nullptr && note->locks > 0;
    if (!had) mutex_.lock();
    fail_locked(failure(code, why));
    if (!had) mutex_.unlock();
  }

  /// Whom to wake when something is to be done: when it has failed, is long enough to be compacted, or is to be flushed.
  void set_helper(wait::Wakeable* helper) noexcept {
    const sync::unique_lock held(mutex_);
    helper_ = helper;
  }
  /// How many bytes of records there are since the last snapshot, and at how many the helper is to be woken.
  void set_size(std::uint64_t bytes, std::uint64_t enough) noexcept {
    const sync::unique_lock held(mutex_);
    bytes_ = bytes;
    enough_ = enough;
    told_ = false;
  }

  /// A snapshot has what came before the last file began.
  void forget_before_snapshot(std::uint64_t enough) noexcept {
    const sync::unique_lock held(mutex_);
    bytes_ -= bytes_before_;
    bytes_before_ = 0;
    enough_ = enough;
    told_ = false;
  }

  struct Stand {
    std::uint64_t records = 0;  // since it was started
    std::uint64_t next = 0;     // the number of the next one
    std::uint64_t bytes = 0;
    bool enough = false;
    std::uint64_t flushes = 0;
    std::optional<Clock::time_point> unflushed_since{};
    std::optional<SnapshotError> error{};
  };
  [[nodiscard]] Stand stand() const {
    const sync::unique_lock held(mutex_);
    return {next_record_ - first_record_, next_record_, bytes_, bytes_ >= enough_, flushes_, unflushed_since_, error_};
  }
  /// The time of the journal: it stands still while there is no program that has it open.
  [[nodiscard]] std::chrono::nanoseconds time() const noexcept { return clock_.now() - origin_; }

 private:
  [[nodiscard]] Note* mine() const noexcept { return note_for(*this); }
  // This thread has no note for what it is about to do.
  void lose() noexcept {
    if (!recording_.load(sync::seq_cst)) return;
    const sync::unique_lock held(mutex_);
    fail_locked(too_many());
  }
  [[nodiscard]] static SnapshotError too_many() noexcept {
    return failure(Errc::invalid_argument, "a step changes objects of too many journals");
  }
  // Without the text, where there is no memory for it.
  [[nodiscard]] static SnapshotError failure(Errc code, const char* why) noexcept {
    BROOK_TRY { return SnapshotError(code, why); }
    BROOK_CATCH_ALL {}
    return SnapshotError(code);
  }
  // What this thread has noted without lock().
  void record_alone(Note& note) noexcept {
    if (note.changes.written_size() == 0) return;
    {
      const sync::unique_lock held(mutex_);
      record(note);
    }
    wait_later(note);
  }
  void wait_later(Note& note) noexcept {
    if (note.wait.for_whom != nullptr) return;  // in line already
    note.wait.for_whom = shared_from_this();
    core::Later::run(note.wait);
  }

  // — with the mutex —
  void record(Note& note) noexcept;
  void fail_locked(SnapshotError why) noexcept {
    recording_.store(false, sync::seq_cst);
    if (!error_) error_.emplace(std::move(why));
    progress_.notify_all();
    if (helper_ != nullptr) helper_->wake();
  }
  // Has `done`, which is of what was written or of what was flushed, come to `record`.
  void advance_to(sync::unique_lock<sync::mutex>& held, std::uint64_t record, const std::uint64_t& done,
                  bool to_disk) noexcept {
    while (done < record && !broken_) {
      if (writing_) progress_.wait(held);
      else write_all(held, to_disk);
    }
  }
  void write_all(sync::unique_lock<sync::mutex>& held, bool to_disk) noexcept;

  Clock& clock_;
  const Flush flush_;
  mutable sync::mutex mutex_;
  sync::condition_variable progress_;
  sync::atomic<bool> recording_{false};
  bool writing_ = false;
  bool broken_ = false;           // its files are
  std::vector<Chunk> chunks_;     // one at least, once it was started
  std::vector<std::byte> spare_;  // room for the next one
  std::uint64_t appended_ = 0;    // sections
  std::uint64_t written_ = 0;
  std::uint64_t flushed_ = 0;
  std::uint64_t first_record_ = 0;
  std::uint64_t next_record_ = 0;
  std::uint64_t flushes_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t enough_ = ~std::uint64_t{0};
  bool told_ = false;               // that it is enough
  std::uint64_t bytes_before_ = 0;  // the last file began
  std::optional<Clock::time_point> unflushed_since_;
  std::optional<SnapshotError> error_;
  wait::Wakeable* helper_ = nullptr;
  Clock::time_point origin_{};
  Catalog catalog_;
  Encoder scratch_;
};

inline void Note::Wait::run_one(core::Task& task) noexcept {
  auto& wait = static_cast<Wait&>(task);
  const std::shared_ptr<Scribe> scribe = std::move(wait.for_whom);
  wait.for_whom = nullptr;
  scribe->wait_for(wait.record);
}

inline void Scribe::record(Note& note) noexcept {
  if (recording_.load(sync::seq_cst)) {
    BROOK_TRY {
      scratch_.clear();
      scratch_.signed_size(time().count());
      scratch_.bytes(note.changes.written());
      chunks_.back().append(snapshot::record_section, scratch_.written());
      ++appended_;
      ++next_record_;
      bytes_ += scratch_.written_size() + snapshot::piece_header_size;
    }
    BROOK_CATCH_ALL { fail_locked(failure(Errc::out_of_memory, "a change could not be recorded")); }
    if (bytes_ >= enough_ && helper_ != nullptr && !told_) {
      told_ = true;
      helper_->wake();
    }
    if (flush_ == Flush::every_second && !unflushed_since_) {
      unflushed_since_ = clock_.now();
      if (helper_ != nullptr) helper_->wake();
    }
  }
  note.changes.clear();
  note.wait.record = appended_;
}

inline void Scribe::start(std::shared_ptr<LogFile> file, std::uint64_t generation, std::uint64_t first,
                          std::chrono::nanoseconds time) {
  const sync::unique_lock held(mutex_);
  origin_ = clock_.now() - time;
  first_record_ = next_record_ = first;
  Encoder begin;
  begin.size(generation);
  begin.size(first);
  begin.signed_size(time.count());
  chunks_.push_back({std::move(file), {}});
  chunks_.back().append(snapshot::begin_section, begin.written());
  ++appended_;
  recording_.store(true, sync::seq_cst);
}

inline void Scribe::go_on_in(std::shared_ptr<LogFile> file, std::uint64_t generation) {
  const core::RecordingInOrder in_order(*this);
  if (error_) return;
  Encoder begin, names;
  begin.size(generation);
  begin.size(next_record_);
  begin.signed_size(time().count());
  catalog_.write(names);
  Chunk next{std::move(file), {}};
  next.append(snapshot::begin_section, begin.written());
  next.append(snapshot::catalog_section, names.written());
  chunks_.push_back(std::move(next));
  appended_ += 2;
  bytes_before_ = bytes_;
}

inline void Scribe::write_all(sync::unique_lock<sync::mutex>& held, bool to_disk) noexcept {
  writing_ = true;
  const std::uint64_t up_to = appended_;
  Result result;
  BROOK_TRY {
    std::vector<Chunk> next;
    next.push_back({chunks_.back().file, std::move(spare_)});
    std::vector<Chunk> chunks = std::exchange(chunks_, std::move(next));
    if (to_disk) unflushed_since_.reset();
    held.unlock();
    result = write_out(chunks, to_disk);
    held.lock();
    spare_ = std::move(chunks.back().sections);
    spare_.clear();
  }
  BROOK_CATCH_ALL {
    if (!held.owns_lock()) held.lock();
    result = unexpected(failure(Errc::out_of_memory, "records could not be written"));
  }
  writing_ = false;
  if (!result) {
    broken_ = true;
    return fail_locked(std::move(result.error()));
  }
  written_ = up_to;
  if (to_disk) flushed_ = up_to;
  flushes_ += to_disk ? 1 : 0;
  progress_.notify_all();
}

}  // namespace brook::journal
