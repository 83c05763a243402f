// stream_support.hpp — what the tests of streams and groups share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/stream.hpp>
#include <brook/testing/manual_clock.hpp>

namespace brook::test {

using namespace std::chrono_literals;

/// A clock that the test moves. It does not begin in 1970, so that there are times before it.
class WatchedClock final : public ManualClock {
 public:
  explicit WatchedClock(std::chrono::milliseconds start = 1000ms) : ManualClock(start) {}
};

/// Why there is no value; nothing when there is one.
template <class T>
std::optional<Errc> error_of(const expected<T, Errc>& result) {
  return result ? std::optional<Errc>() : result.error();
}

template <class Range>
std::vector<Id> ids_of(const Range& entries) {
  std::vector<Id> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  return ids;
}

template <class T>
std::vector<Id> ids_of(const Deliveries<T>& deliveries) {
  return ids_of(deliveries.entries());
}

template <class T>
std::vector<T> values_of(const Entries<T>& entries) {
  std::vector<T> values;
  for (const auto& [id, value] : entries) values.push_back(value);
  return values;
}

template <class T>
std::vector<T> values_of(const Deliveries<T>& deliveries) {
  return values_of(deliveries.entries());
}

template <class T>
std::vector<T> values_of(const expected<Entries<T>, Errc>& entries) {
  return values_of(entries.value());
}

template <class T>
std::vector<T> values_of(const expected<Deliveries<T>, Errc>& deliveries) {
  return values_of(deliveries.value());
}

template <class T>
std::vector<std::uint64_t> counts_of(const Deliveries<T>& deliveries) {
  std::vector<std::uint64_t> counts;
  for (const auto& delivery : deliveries) counts.push_back(delivery.count());
  return counts;
}

/// A call on a thread of its own. Of a function of one type for all calls: a std::async of each would take long to compile.
template <class Call>
auto on_a_thread(Call call) {
  return std::async(std::launch::async, std::function<std::invoke_result_t<Call&>()>(std::move(call)));
}

/// A read on a thread of its own.
inline std::future<expected<Deliveries<int>, Errc>> reading(const Consumer<int>& consumer, ReadOptions options) {
  return on_a_thread([consumer, options] { return consumer.read(options); });
}

inline std::vector<int> numbers(int first, int last) {
  std::vector<int> numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

/// Everything that can be seen of a stream from outside, but for its memory.
template <class T>
struct Seen {
  std::vector<Id> ids;
  std::vector<T> values;
  std::uint64_t size;
  std::uint64_t length;
  std::uint64_t entries_added;
  Id first_id;
  Id last_id;
  Id max_deleted_id;
  std::size_t groups;
  bool closed;

  explicit Seen(const Stream<T>& stream)
      : ids(ids_of(stream.range())), values(values_of(stream.range())), size(stream.size()) {
    const StreamInfo info = stream.info();
    length = info.length;
    entries_added = info.entries_added;
    first_id = info.first_id;
    last_id = info.last_id;
    max_deleted_id = info.max_deleted_id;
    groups = info.groups;
    closed = info.closed;
  }

  friend bool operator==(const Seen&, const Seen&) = default;
};

template <class T>
Seen(const Stream<T>&) -> Seen<T>;

/// The objects of one test that are alive, by address: notices who is destroyed twice, or never was constructed.
class Census {
 public:
  void born(const void* who) {
    const std::unique_lock held(mutex_);
    if (!alive_.insert(who).second) faulty_ = true;
  }
  void died(const void* who) {
    const std::unique_lock held(mutex_);
    if (alive_.erase(who) != 1) faulty_ = true;
  }
  [[nodiscard]] std::size_t alive() const {
    const std::unique_lock held(mutex_);
    return alive_.size();
  }
  [[nodiscard]] bool sound() const {
    const std::unique_lock held(mutex_);
    return !faulty_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<const void*> alive_;
  bool faulty_ = false;
};

/// A number that a census counts; `nothrow` says how it moves.
template <bool nothrow = true>
class Counted {
 public:
  Counted(Census& census, int value) : census_(&census), value_(value) { census_->born(this); }
  Counted(const Counted& other) : census_(other.census_), value_(other.value_) { census_->born(this); }
  Counted(Counted&& other) noexcept(nothrow) : census_(other.census_), value_(std::exchange(other.value_, -1)) {
    census_->born(this);
  }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { census_->died(this); }

  [[nodiscard]] int value() const { return value_; }

 private:
  Census* census_;
  int value_;
};

}  // namespace brook::test
