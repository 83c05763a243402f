// bounded_double.hpp — a bounded stream as plainly as its docstrings can be read. On one thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/redelivery.hpp>

#include "double.hpp"

namespace fuzz {

using Time = std::chrono::nanoseconds;
using std::chrono::milliseconds;

/// What a stream was made with.
struct Bounds {
  std::uint64_t max_len = brook::unlimited;
  std::uint64_t capacity = brook::unlimited;
  bool drop_oldest = false;
  milliseconds max_age{0};
  bool until_acked = false;
};

struct Letter {
  brook::Death death{};
  std::uint64_t value = 0;
};

/// A group, as far as its stream knows it.
class Audience {
 public:
  virtual ~Audience() = default;
  [[nodiscard]] virtual bool wants(brook::Id id) const = 0;
  /// An entry has left the stream, and not because nobody wants it.
  virtual void removed(brook::Id id) = 0;
};

class BoundedDouble : public StreamDouble {
 public:
  explicit BoundedDouble(const Bounds& how) : bounds(how) {}

  const Bounds bounds;
  Time now{};
  Time tick{};  // the same, without what is less than a millisecond: the time of groups
  std::uint64_t unix_ms = 0;
  std::set<Audience*> audience{};
  StreamDouble plain_letters{};
  StreamDouble wrapped_letters{};  // the values are indices
  std::vector<Letter> letters{};

  Expected<Id> add_bounded(Expected<Id> id, const std::vector<std::uint64_t>& values) {
    if (!bounds.drop_oldest && values.size() > bounds.capacity) return brook::unexpected(Errc::full);
    if (closed) return brook::unexpected(Errc::closed);
    if (!bounds.drop_oldest && bounds.capacity != brook::unlimited && entries.size() + values.size() > bounds.capacity)
      return brook::unexpected(Errc::full);
    if (!id) return id;
    for (std::size_t i = 0; i < values.size(); ++i) add(i == 0 ? id : last_id.next(), values[i]);
    trim_to(std::min(bounds.max_len, bounds.capacity));
    settle();
    return id;
  }

  std::size_t erase_ids(const std::vector<Id>& ids) {
    for (const Id id : std::set<Id>(ids.begin(), ids.end())) {
      if (entries.contains(id)) tell_removed(id);
    }
    return erase(ids);
  }

  std::uint64_t trim_to(std::uint64_t max_len) {
    const std::uint64_t count = above(max_len);
    lose_oldest(count);
    return count;
  }
  std::uint64_t trim_below(Id min_id) {
    const std::uint64_t count = below(min_id);
    lose_oldest(count);
    return count;
  }

  /// Removes what is too old, and what every group is done with.
  void settle() {
    const auto age = static_cast<std::uint64_t>(bounds.max_age.count());
    if (age > 0 && unix_ms > age) trim_below({unix_ms - age, 0});
    if (!bounds.until_acked || audience.empty()) return;
    std::erase_if(entries, [this](const auto& entry) {
      return std::ranges::none_of(audience, [&](const Audience* group) { return group->wants(entry.first); });
    });
  }

 private:
  void tell_removed(Id id) {
    for (Audience* const group : audience) group->removed(id);
  }
  void lose_oldest(std::uint64_t count) {
    for (; count > 0; --count) {
      tell_removed(entries.begin()->first);
      entries.erase(entries.begin());
    }
  }
};

}  // namespace fuzz
