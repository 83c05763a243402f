// timeline_model.cpp — log/timeline.hpp under the C++ memory model: does a reader see exactly what its view says, while
// others append, erase and trim?
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "relacy_model.hpp"

#include <brook/log/timeline.hpp>

#include "number.hpp"

namespace {

using namespace brook;
using log::Edits;
using log::EditState;
using model::Number;

/// A thread's program is a word, one letter an operation:
///   a append   e erase the oldest two   t trim to one   w trim whole segments   r read all   k read all, newest first
template <class Self, int threads, std::uint32_t slots>
struct TimelineClaim : model::Claim<Self, threads> {
  using Payload = Number<slots>;
  using Timeline = log::Timeline<Payload>;
  using View = typename Timeline::View;

  static constexpr std::uint64_t bound = log::Cut{}.max_len;
  static constexpr bool erased_together = false;  // the first two ids are erased by one call, and not trimmed

  std::optional<Timeline> timeline;
  std::array<int, threads> left{};  // entries that a thread added, less those that it removed

  void before() {
    timeline.emplace(log::Cut{.max_len = Self::bound});
    for (const char letter : Self::prologue) run(0, letter);
  }

  void thread(unsigned id) {
    for (const char letter : Self::programs[id]) run(id, letter);
  }

  void after() {
    const auto entries = read();
    int expected = 0;
    for (const int count : left) expected += count;
    if (Self::bound == log::Cut{}.max_len)
      model::demand(static_cast<int>(entries) == expected, "entries are lost or twice");
    else model::demand(entries == Self::bound, "a bounded log has another length");
    timeline.reset();
  }

 private:
  void run(unsigned id, char letter) {
    switch (letter) {
      case 'a': return append(id);
      case 'e': left[id] -= static_cast<int>(timeline->erase(std::array{Id{1, 0}, Id{1, 1}})); break;
      case 't': left[id] -= static_cast<int>(timeline->trim({.max_len = 1})); break;
      case 'w': left[id] -= static_cast<int>(timeline->trim({.max_len = 0, .whole_segments = true})); break;
      case 'k': read_back(); break;
      default: read();
    }
  }

  void append(unsigned id) {
    Payload payload(7);
    const auto appended = timeline->append({&payload, 1}, log::Request::at_time(1));
    model::demand(appended.has_value(), "an append fails for no reason");
    ++left[id];
  }

  // How many entries there are, in the view that could be read to its end.
  std::uint64_t read() {
    for (;;) {
      const View view = timeline->look();
      std::vector<Id> ids;
      const auto add = [&](const auto& segment, std::uint32_t first, std::uint32_t count) {
        for (std::uint32_t at = first; at < first + count; ++at) ids.push_back(read_slot(*segment, at));
      };
      if (!timeline->visit(view, Id::min(), Id::max(), log::Cut{}.limit, add)) continue;
      check(view, ids);
      return ids.size();
    }
  }

  void read_back() {
    for (;;) {
      const View view = timeline->look();
      std::vector<Id> ids;
      const auto add = [&](const auto& segment, std::uint32_t first, std::uint32_t count) {
        for (std::uint32_t at = first + count; at-- > first;) ids.insert(ids.begin(), read_slot(*segment, at));
      };
      if (timeline->visit_backwards(view, Id::min(), Id::max(), log::Cut{}.limit, add)) return check(view, ids);
    }
  }

  [[nodiscard]] static Id read_slot(typename Timeline::Segment& segment, std::uint32_t at) {
    model::demand(segment.slot(at).payload().value() == 7, "an entry has another value than was appended");
    return segment.id(segment.slot(at).state());
  }

  static void check(const View& view, const std::vector<Id>& ids) {
    model::demand(ids.size() == view.length(), "a view has another length than entries");
    for (std::size_t i = 1; i < ids.size(); ++i) model::demand(ids[i - 1] < ids[i], "ids do not increase");
    if (!Self::erased_together) return;
    const bool first = !ids.empty() && ids[0] == Id{1, 0};
    const bool second = (!ids.empty() && ids[0] == Id{1, 1}) || (ids.size() > 1 && ids[1] == Id{1, 1});
    model::demand(first == second, "of two entries that are erased together one is there");
  }
};

using Word = std::string_view;

struct ErasuresTakeEffectTogether : TimelineClaim<ErasuresTakeEffectTogether, 3, 4> {
  static constexpr bool erased_together = true;
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"e", "rr", "ak"};
};

struct ErasuresInSeveralSegments : TimelineClaim<ErasuresInSeveralSegments, 3, 2> {
  static constexpr Word prologue = "aaa";
  static constexpr Word programs[] = {"et", "rk", "aa"};
};

struct TrimsUnderReaders : TimelineClaim<TrimsUnderReaders, 3, 2> {
  static constexpr Word prologue = "aaaaa";
  static constexpr Word programs[] = {"taaa", "rk", "w"};
};

struct BoundedLogsTrimThemselves : TimelineClaim<BoundedLogsTrimThemselves, 3, 2> {
  static constexpr std::uint64_t bound = 1;
  static constexpr Word prologue = "a";
  static constexpr Word programs[] = {"aa", "aa", "r"};
};

}  // namespace

int main(int argc, char** argv) {
  model::Claims claims(argc, argv);
  claims.random<ErasuresTakeEffectTogether>(50'000);
  claims.random<ErasuresInSeveralSegments>(50'000);
  claims.random<TrimsUnderReaders>(50'000);
  claims.random<BoundedLogsTrimThemselves>(50'000);
  claims.result();
}
