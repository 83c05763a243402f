// seek.cpp — one entry by its id, at random, in logs of 10^5 to 10^7 entries; 64 ids share a millisecond.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <brook/stream.hpp>

#include "cases.hpp"
#include "harness.hpp"
#include "logs.hpp"

namespace bench {
namespace {

/// The same entries in every form, made when first asked for; value i has the i-th id.
class Library {
 public:
  explicit Library(std::size_t entries) : entries_(entries) {}

  [[nodiscard]] const brook::Stream<std::uint64_t>& stream() {
    if (!stream_) {
      stream_ = std::make_unique<brook::Stream<std::uint64_t>>(brook::StreamOptions{.clock = &clock_});
      fill([this](std::uint64_t i) { expect(stream_->add(i).has_value(), "an add failed"); });
    }
    return *stream_;
  }
  [[nodiscard]] LockedStream<std::uint64_t>& locked() {
    if (!locked_) {
      locked_ = std::make_unique<LockedStream<std::uint64_t>>(&clock_);
      fill([this](std::uint64_t i) { locked_->add(std::uint64_t{i}); });
    }
    return *locked_;
  }
  [[nodiscard]] const std::map<brook::Id, std::uint64_t>& map() {
    if (map_.empty()) {
      Ids ids;
      fill([&](std::uint64_t i) { map_.emplace_hint(map_.end(), ids.next(clock_.unix_ms()), i); });
    }
    return map_;
  }

  /// The ids to look for, with what should be found there.
  [[nodiscard]] const std::vector<Stored<std::uint64_t>>& wanted(std::size_t count) {
    if (!wanted_.empty()) return wanted_;
    std::vector<brook::Id> all;
    Ids ids;
    fill([&](std::uint64_t) { all.push_back(ids.next(clock_.unix_ms())); });
    std::mt19937_64 random(1);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = random() % entries_;
      wanted_.push_back({all[at], at});
    }
    return wanted_;
  }

 private:
  // The clock begins anew for each form, so the ids are the same.
  template <class Add>
  void fill(Add add) {
    clock_.begin_anew();
    for (std::size_t i = 0; i < entries_; ++i) {
      if (i % 64 == 0) clock_.step();
      add(i);
    }
  }

  std::size_t entries_;
  FixedClock clock_;
  std::unique_ptr<brook::Stream<std::uint64_t>> stream_{};
  std::unique_ptr<LockedStream<std::uint64_t>> locked_{};
  std::map<brook::Id, std::uint64_t> map_{};
  std::vector<Stored<std::uint64_t>> wanted_{};
};

/// Nanoseconds for one look-up; `find` answers with the value of the first entry from an id on.
template <class Find>
double seek(Library& library, std::size_t count, Find find) {
  const auto& wanted = library.wanted(count);
  bool right = true;
  const double ns = alone([&] {
    for (const auto& [id, value] : wanted) right = right && find(id) == value;
  });
  expect(right, "another entry was found than looked for");
  return ns / static_cast<double>(count);
}

void add_size(Suite& suite, const char* name, std::size_t entries) {
  const auto library = std::make_shared<Library>(entries);
  const std::size_t count = suite.work(200'000);
  suite.add(name)
      .peer("brook",
            [=] {
              const auto& stream = library->stream();
              return seek(*library, count,
                          [&](brook::Id id) { return stream.range(id, brook::Id::max(), 1).front().value; });
            })
      .peer("std::map, no lock",
            [=] {
              const auto& map = library->map();
              return seek(*library, count, [&](brook::Id id) { return map.lower_bound(id)->second; });
            })
      .peer("mutex + deque, binary search", [=] {
        auto& locked = library->locked();
        return seek(*library, count, [&](brook::Id id) { return locked.find(id).value; });
      });
}

}  // namespace

void add_seek(Suite& suite) {
  add_size(suite, "seek/u64/1e5", 100'000);
  add_size(suite, "seek/u64/1e6", 1'000'000);
  if (!suite.options().quick) add_size(suite, "seek/u64/1e7", 10'000'000);
}

}  // namespace bench
