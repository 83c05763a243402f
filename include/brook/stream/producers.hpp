// producers.hpp — what producers have added under keys of theirs, so that an add that is tried again is not made again.
//
// A record is kept for a time, on a clock that does not step back, and for so many keys of a producer; the oldest go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <brook/clock.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>

namespace brook::stream {

/// Guarded by a mutex of the stream's.
class Producers {
 public:
  explicit Producers(const IdempotencyWindow& window) : window_(window) {}

  /// The id of what was added under this key within the window; nothing when it was not.
  [[nodiscard]] const Id* find(std::string_view producer, std::string_view key, Clock::time_point now) {
    forget_old(now);
    const auto keys = producers_.find(producer);
    if (keys == producers_.end()) return nullptr;
    const auto record = keys->second.find(key);
    if (record == keys->second.end()) return nullptr;
    ++duplicates_;
    return &record->second->id;
  }

  /// A place for a key that is not there. Throws std::bad_alloc, and then nothing has changed.
  class Place {
   public:
    Place(Producers& producers, std::string_view producer, std::string_view key, Clock::time_point now)
        : producers_(producers) {
      made_.push_back({std::string(producer), std::string(key), Id{}, now});
      Keys keys;
      keys.emplace(made_.front().key, made_.begin());
      node_ = keys.extract(keys.begin());
      in_ = producers_.producers_.try_emplace(std::string(producer)).first;
      in_->second.reserve(in_->second.size() + 1);
    }
    ~Place() {
      if (in_->second.empty()) producers_.producers_.erase(in_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// The entry was added.
    void keep(Id id) noexcept {
      made_.front().id = id;
      in_->second.insert(std::move(node_));
      producers_.records_.splice(producers_.records_.end(), made_);
      ++producers_.added_;
      producers_.forget_beyond(in_);
    }

   private:
    Producers& producers_;
    std::list<Record> made_{};
    typename Keys::node_type node_{};
    typename std::map<std::string, Keys, std::less<>>::iterator in_{};
  };

  [[nodiscard]] std::size_t producers() const noexcept { return producers_.size(); }
  [[nodiscard]] std::size_t keys() const noexcept { return records_.size(); }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

 private:
  IdempotencyWindow window_;
};

}  // namespace brook::stream
