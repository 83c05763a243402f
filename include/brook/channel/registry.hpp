// registry.hpp — who is subscribed, and what the log must keep for them.
//
// The list of subscriptions has a lock. Who publishes or receives never waits for it: what has to be dropped is dropped
// by who finds the lock free, and who finds it taken leaves word (due_), which whoever has the lock finds when it lets
// go.
//
// Memory orders
//   row  thread   operation   order    meets  because
//   CF   asker    due_ = 1    acq_rel  CG,CH  before it tries the lock. If CG comes before: the asker finds the lock free, which
//                                             was let go before. If CG comes after, the holder sees 1
//   CG   holder   due_ += 0   release  CF     after it let the lock go
//   CH   holder   due_ = 0    acquire  CF     with the lock, before it looks at what is to be dropped: sees what was passed
//                                             before CF. An exchange: it answers for the very requests that it takes away
//   CP   leaver   due_ = 1    relaxed  -      with the lock, and for itself. An exchange: what CF released is still there for CH
//   CI   anyone   audience_   relaxed  -      who subscribed before is there by the order of the subscriber's own making:
//                                             subscribe returned before publish began
//   CQ   holder   audience_ = seq_cst  CR     row C of wait/gate.hpp: then whom publishers call looks at the log, with seq_cst
//   CR   anyone   audience_   seq_cst  CQ     row B of wait/gate.hpp, after publishing: who was not seen before has seen the
//                                             message, or is seen now
// Locking  mutex_ is the last lock but that of a gate. What is dropped is destroyed without it (core/later.hpp).
// Proof    tests/model/registry_model.cpp, tests/model/channel_model.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <brook/channel/reader.hpp>
#include <brook/core/config.hpp>
#include <brook/core/later.hpp>
#include <brook/core/sync.hpp>
#include <brook/log/append_log.hpp>

namespace brook::channel {

/// Who is there, in one word.
struct Audience {
  static constexpr std::uint64_t blocks = 1;  // somebody makes publishers wait
  static constexpr std::uint64_t calls = 2;   // somebody is called by publishers
  static constexpr std::uint64_t probes = 4;  // a probe watches
  static constexpr std::uint64_t strict = 8;  // nobody comes or goes while something is published
  static constexpr unsigned size_shift = 4;

  std::uint64_t bits = 0;

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(bits >> size_shift); }
  [[nodiscard]] bool needs_care() const noexcept { return (bits & (blocks | calls | probes | strict)) != 0; }
  /// Whether nobody would know of a message.
  [[nodiscard]] bool nobody() const noexcept { return bits == 0; }
  [[nodiscard]] bool may_wait() const noexcept { return (bits & blocks) != 0; }
  /// Whether a publisher takes the lock.
  [[nodiscard]] bool needs_lock() const noexcept { return (bits & (blocks | strict)) != 0; }
  [[nodiscard]] bool has_calls() const noexcept { return (bits & calls) != 0; }
};

template <class Payload>
class Registry {
 public:
  using Log = log::AppendLog<Payload>;
  using Reader = channel::Reader<Payload>;

  /// `always` are bits of its audience.
  explicit Registry(Log& log, std::uint64_t always = 0) noexcept : log_(log), always_(always) {}

  [[nodiscard]] Audience audience() const noexcept { return {audience_.load(sync::relaxed)}; }  // CI

  /// The same, for a publisher that has published: it is either seen here who is to be called, or has seen what was published.
  [[nodiscard]] Audience audience_now() const noexcept { return {audience_.load(sync::seq_cst)}; }  // CR

  /// Drops what nobody needs any more, or has that done. Takes no lock that another thread has. O(1), but for
  /// O(subscriptions) once for each segment.
  void sweep() noexcept {
    due_.exchange(1, sync::acq_rel);  // CF
    sweep_if_due();
  }

  /// The lock.
  class Locked {
   public:
    explicit Locked(Registry& registry) : registry_(registry), held_(registry.mutex_) {}
    ~Locked() {
      held_.unlock();
      registry_.sweep_if_due();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

   private:
    const core::Later later_;
    Registry& registry_;
    sync::unique_lock<sync::mutex> held_;
  };

  // — with the lock —

  /// Throws std::bad_alloc, and then nothing has changed.
  void enter(std::shared_ptr<Reader> reader, bool called) {
    readers_.push_back({std::move(reader), called});
    count();
  }
  /// What is published from now on is not for this reader.
  void stop(Reader& reader) noexcept {
    reader.stop_at(log_.end().added());
    count();
  }
  void leave(const Reader& reader) noexcept {
    std::erase_if(readers_, [&](const Entry& entry) { return entry.reader.get() == &reader; });
    count();
    due_.exchange(1, sync::relaxed);  // CP
  }
  /// Whether so many more messages have room in the backlogs of all who make publishers wait.
  [[nodiscard]] bool has_room(std::size_t messages) {
    const std::uint64_t added = log_.end().added();
    return std::all_of(readers_.begin(), readers_.end(), [&](const Entry& entry) {
      return !entry.reader->blocks() || entry.reader->has_room(added, messages);
    });
  }
  /// How many messages are needed by somebody, of so many.
  [[nodiscard]] std::uint64_t needed(std::uint64_t added) const noexcept {
    std::uint64_t keep = added;
    for (const Entry& entry : readers_) keep = std::min(keep, entry.reader->needs(added));
    return added - keep;
  }

 private:
  struct Entry {
    std::shared_ptr<Reader> reader;
    bool called;
  };

  void count() noexcept {
    std::uint64_t bits = always_;
    for (const Entry& entry : readers_) {
      if (entry.reader->stopped()) continue;
      bits += std::uint64_t{1} << Audience::size_shift;
      bits |= (entry.reader->blocks() ? Audience::blocks : 0) | (entry.called ? Audience::calls : 0);
    }
    audience_.store(bits, sync::seq_cst);  // CQ
  }

  void sweep_if_due() noexcept {
    while (due_.fetch_add(0, sync::release) != 0) {  // CG
      const core::Later later;
      sync::unique_lock<sync::mutex> held(mutex_, std::try_to_lock);
      if (!held.owns_lock()) return;
      due_.exchange(0, sync::acquire);  // CH
      drop_what_nobody_needs();
    }
  }

  void drop_what_nobody_needs() noexcept {
    const std::uint64_t added = log_.end().added();
    while (!log_.head_is_tail()) {
      const auto* const next = Log::following(log_.head());
      if (next == nullptr || somebody_needs(next->life().added_before, added)) return;
      log_.drop_head();
    }
  }

  // Whether somebody needs a message before `end`. Who is found to need one is asked first the next time. Nobody begins
  // to need what was not needed before, so the subscriptions are gone through once for each segment, not once for each
  // that leaves it.
  [[nodiscard]] bool somebody_needs(std::uint64_t end, std::uint64_t added) noexcept {
    for (std::size_t asked = 0; asked < readers_.size(); ++asked, ++slow_) {
      if (slow_ >= readers_.size()) slow_ = 0;
      if (readers_[slow_].reader->needs(added) < end) return true;
    }
    return false;
  }

  Log& log_;
  const std::uint64_t always_;
  sync::atomic<std::uint64_t> audience_{always_};
  sync::atomic<std::uint32_t> due_{0};
  sync::mutex mutex_;
  std::vector<Entry> readers_;
  std::size_t slow_ = 0;  // in readers_, where to begin to ask
};

}  // namespace brook::channel
