// cut.hpp — a stream and its groups at one instant, for who saves them while others go on.
//
// The instant   All groups stand still first, the list of them too, and adds under keys, which record what they add. Then the
// log is looked at, which is the instant: what every group is at it is what it is from before it until it may move again. Adds
// without a key go on all the while, and take no notice; who reads or acknowledges in a group waits until its state has been
// noted, which is O(pending).
//
// What is gone through later is kept, not copied: the log by holds on its segments (log/whole.hpp), the keys by being noted
// when they are forgotten (stream/producers.hpp). So memory grows by what leaves the stream meanwhile, and no more.
//
// Locking   the list of groups, then the groups in the order of their names, then the keys. Nobody who has a group's mutex takes
// another's, or that of the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/sync.hpp>
#include <brook/group/image.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/whole.hpp>
#include <brook/stream/producers.hpp>
#include <brook/stream/state.hpp>

namespace brook::stream {

/// For one thread, and in this order: lock(), look(), then what the groups are, unlock(), then the rest.
template <class T>
class Cut {
 public:
  using Whole = log::Whole<log::PayloadOf<T>>;

  explicit Cut(std::shared_ptr<State<T>> stream) : stream_(std::move(stream)) {}
  ~Cut() { end_keys(); }
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;

  [[nodiscard]] const StreamOptions& options() const noexcept { return stream_->options; }

  /// Has the groups stand still. From before it until after unlock() there must be a core::Later. Throws std::bad_alloc.
  void lock() {
    stream_->expire();
    groups_held_ = sync::unique_lock<sync::mutex>(stream_->groups_mutex);
    groups_.reserve(stream_->groups.size());
    for (const auto& entry : stream_->groups) groups_.emplace_back(entry.second, *stream_);
  }
  /// The instant. Throws std::bad_alloc.
  void look() {
    auto* const keyed = stream_->keyed();
    if (keyed == nullptr) return static_cast<void>(whole_.emplace(stream_->timeline));
    const sync::unique_lock held(keyed->mutex);
    whole_.emplace(stream_->timeline);
    duplicates_ = keyed->producers.duplicates();
    keys_.begin(keyed->producers);
    now_ = stream_->clock().now();
  }
  [[nodiscard]] std::vector<group::Image<T>>& groups() noexcept { return groups_; }
  void unlock() noexcept {
    groups_.clear();
    groups_held_ = {};
  }

  // — after look() —
  [[nodiscard]] Whole& whole() noexcept { return *whole_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

  /// All adds under keys within the window, oldest first or not, and the time of the instant. In steps, so that nobody waits for
  /// long. Nothing when memory was short where something had to be noted. Throws std::bad_alloc.
  [[nodiscard]] std::optional<std::vector<Record>> keys() {
    auto* const keyed = stream_->keyed();
    for (bool more = keyed != nullptr && has_begun(); more;) {
      const sync::unique_lock held(keyed->mutex);
      more = keys_.take(some);
    }
    end_keys();
    if (keys_.failed()) return std::nullopt;
    return std::move(keys_.taken());
  }
  [[nodiscard]] Clock::time_point now() const noexcept { return now_; }

 private:
  static constexpr std::size_t some = 64;

  // Whether the keys are read: a stream may have got its first one later.
  [[nodiscard]] bool has_begun() const noexcept { return now_ != Clock::time_point::min(); }
  void end_keys() noexcept {
    auto* const keyed = stream_->keyed();
    if (keyed == nullptr) return;
    const sync::unique_lock held(keyed->mutex);
    keys_.end();
  }

  const std::shared_ptr<State<T>> stream_;
  sync::unique_lock<sync::mutex> groups_held_;
  std::vector<group::Image<T>> groups_;  // let go before the list of them
  std::optional<Whole> whole_;
  Producers::Reading keys_;
  std::uint64_t duplicates_ = 0;
  Clock::time_point now_ = Clock::time_point::min();
};

}  // namespace brook::stream
