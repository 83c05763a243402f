// producers.hpp — what producers have added under keys of theirs, so that an add that is tried again is not made again.
//
// A record is kept for a time, on the clock that does not step back, and for so many keys of a producer; the oldest go.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>

namespace brook::stream {

/// Types whose bytes, or characters, are their value.
template <class T>
concept HasContent = std::convertible_to<const T&, std::string_view> || std::has_unique_object_representations_v<T>;

/// Under which key an add is recorded; empty when it has none. Throws std::bad_alloc.
template <class T>
[[nodiscard]] std::string key_of(const Idempotent& as, const T& value) {
  if (as.key) return as.key->empty() ? std::string() : 'k' + std::string(*as.key);
  if constexpr (std::convertible_to<const T&, std::string_view>) {
    return 'c' + std::string(static_cast<std::string_view>(value));
  } else if constexpr (HasContent<T>) {
    return 'c' + std::string(reinterpret_cast<const char*>(std::addressof(value)), sizeof value);
  } else {
    return {};
  }
}

/// An add under a key.
struct Record {
  std::string producer;
  std::string key;
  Id id;
  Clock::time_point added;
  std::uint64_t number = 0;  // of the adds under keys
};

/// Guarded by a mutex of the stream's. A template, so that only streams that are added to under keys have its maps compiled.
template <class Record>
class BasicProducers {
  using Records = std::list<Record>;
  using Keys = std::map<std::string_view, typename Records::iterator, std::less<>>;  // views of the records' own keys
  struct Producer {
    Keys keys{};
    std::list<typename Records::iterator> oldest_first{};
  };

 public:
  explicit BasicProducers(const IdempotencyWindow& window) noexcept : window_(window) {}
  BasicProducers(const BasicProducers&) = delete;
  BasicProducers& operator=(const BasicProducers&) = delete;

  /// The id of what was added under this key within the window; null when nothing was. O(log keys), and O(1) for each
  /// record that is too old.
  [[nodiscard]] const Id* find(std::string_view producer, std::string_view key, Clock::time_point now) {
    const auto age = [now](const Record& record) {
      return std::chrono::floor<std::chrono::milliseconds>(now - record.added);
    };
    while (!records_.empty() && age(records_.front()) >= window_.duration) forget(records_.begin());
    const auto found = producers_.find(producer);
    if (found == producers_.end()) return nullptr;
    const auto record = found->second.keys.find(key);
    if (record == found->second.keys.end()) return nullptr;
    ++duplicates_;
    return &record->second->id;
  }

  /// A record that is ready to be kept, of a key that is not there.
  class Draft {
   public:
    /// Throws std::bad_alloc, and then nothing has changed.
    Draft(BasicProducers& producers, std::string_view producer, std::string_view key, Clock::time_point now)
        : producers_(producers) {
      record_.push_back({std::string(producer), std::string(key), Id{}, now, 0});
      order_.push_back(record_.begin());
      Keys keys;
      keys.emplace(record_.front().key, record_.begin());
      key_ = keys.extract(keys.begin());
      of_ = producers.producers_.try_emplace(std::string(producer)).first;
    }
    ~Draft() {
      if (of_->second.keys.empty()) producers_.producers_.erase(of_);
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    /// The entry was added.
    void keep(Id id) noexcept {
      record_.front().id = id;
      record_.front().number = ++producers_.added_;
      Producer& producer = of_->second;
      producer.keys.insert(std::move(key_));
      producer.oldest_first.splice(producer.oldest_first.end(), order_);
      producers_.records_.splice(producers_.records_.end(), record_);
      if (producer.keys.size() > std::max<std::size_t>(1, producers_.window_.keys))
        producers_.forget(producer.oldest_first.front());
    }

   private:
    BasicProducers& producers_;
    Records record_{};
    std::list<typename Records::iterator> order_{};
    typename Keys::node_type key_{};
    typename std::map<std::string, Producer, std::less<>>::iterator of_{};
  };

  /// Who reads the records as they are when he begins, some at a time, while others add and forget: what is forgotten before
  /// he comes to it is noted for him. With the mutex, each member, but for taken().
  class Reading {
   public:
    Reading() = default;
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;

    void begin(BasicProducers& producers) noexcept {
      producers_ = &producers;
      at_ = producers.records_.begin();
      end_ = producers.added_;
      next_ = std::exchange(producers.readings_, this);
    }
    /// Takes some more; false when there are none left. Throws std::bad_alloc.
    [[nodiscard]] bool take(std::size_t most) {
      for (; most > 0 && left(); --most, ++at_) taken_.push_back(*at_);
      return left();
    }
    /// Whether memory was short when something had to be noted.
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    /// Does nothing when it has not begun, or has ended.
    void end() noexcept {
      if (producers_ == nullptr) return;
      Reading** link = &producers_->readings_;
      while (*link != this) link = &(*link)->next_;
      *link = next_;
      producers_ = nullptr;
    }
    [[nodiscard]] std::vector<Record>& taken() noexcept { return taken_; }

   private:
    friend class BasicProducers;

    [[nodiscard]] bool left() const noexcept { return at_ != producers_->records_.end() && at_->number <= end_; }
    void lose(typename Records::iterator record) noexcept {
      const bool wanted = left() && record->number >= at_->number && record->number <= end_;
      if (record == at_) ++at_;  // also where it stands behind all that it reads
      if (!wanted) return;
      BROOK_TRY { taken_.push_back(*record); }
      BROOK_CATCH_ALL { failed_ = true; }
    }

    BasicProducers* producers_ = nullptr;
    Reading* next_ = nullptr;
    typename Records::iterator at_{};
    std::uint64_t end_ = 0;
    std::vector<Record> taken_;
    bool failed_ = false;
  };

  /// As if so many adds had not been made again.
  void count_duplicates(std::uint64_t duplicates) noexcept { duplicates_ = duplicates; }

  [[nodiscard]] std::size_t producers() const noexcept { return producers_.size(); }
  [[nodiscard]] std::size_t keys() const noexcept { return records_.size(); }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

 private:
  // It is the oldest of its producer too.
  void forget(typename Records::iterator record) noexcept {
    for (Reading* reading = readings_; reading != nullptr; reading = reading->next_) reading->lose(record);
    const auto of = producers_.find(record->producer);
    of->second.keys.erase(record->key);
    of->second.oldest_first.pop_front();
    if (of->second.keys.empty()) producers_.erase(of);
    records_.erase(record);
  }

  const IdempotencyWindow window_;
  std::map<std::string, Producer, std::less<>> producers_;
  Records records_;  // oldest first
  std::uint64_t added_ = 0;
  std::uint64_t duplicates_ = 0;
  Reading* readings_ = nullptr;
};
using Producers = BasicProducers<Record>;

}  // namespace brook::stream
