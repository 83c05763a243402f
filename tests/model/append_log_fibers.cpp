// append_log_fibers.cpp — log/append_log.hpp and log/timeline.hpp in all interleavings of small programs: are they
// linearizable, do payloads live as long as they must and no longer, and does a stopped thread stop nobody?
//
// A thread's program is a word, one letter an operation:
//   a append one       b append three at once    x append at an id that is given    s seal
//   r read all         p read from the middle    k read the last two, newest first  n length
//   t trim to one      w trim whole segments     e erase the oldest that it sees    h read all and hold on to it
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "explore.hpp"
#include "fiber_sync.hpp"

#include <brook/log/timeline.hpp>

#include "contract/linearizability_log.hpp"
#include "tracked.hpp"

namespace {

using namespace brook;
using contract::LogSpec;
using model::before;
using model::to_the_end;

struct Options {
  std::vector<std::string> programs;
  bool ticking = false;  // each append sees a later time than the one before
  bool whole_segments = false;
  std::uint64_t bound = LogSpec::no_bound;
  std::string prologue{};  // done before the threads start
  bool judged = true;      // by the checker of linearizability
};

template <std::uint32_t slots>
class Programs {
 public:
  explicit Programs(const Options& options)
      : options_(options), history_(static_cast<int>(options.programs.size())), held_(options.programs.size()) {
    Tracked::living = 0;
    timeline_ =
        std::make_unique<Timeline>(log::Cut{.max_len = options.bound, .whole_segments = options.whole_segments});
    for (const char letter : options.prologue) run(0, letter);
  }

  model::Threads threads() {
    return model::threads_of(options_.programs, [this](int thread, char letter) { run(thread, letter); });
  }

  void check() {
    const std::vector<LogSpec::Entry> left = read(Id::min(), LogSpec::no_bound);
    if (options_.bound != LogSpec::no_bound) {
      model::demand(left.size() == std::min<std::uint64_t>(options_.bound, appended_),
                    "a bounded log has another length");
    }
    model::demand(timeline_->look().length() == left.size(), "the length is not the number of entries");
    timeline_.reset();
    for (const auto& [runs, entries] : held_) model::demand(values(runs) == entries, "what is held has changed");
    held_.clear();
    model::demand(Tracked::living == 0, "payloads outlive the log and its holds: " + std::to_string(Tracked::living));
    if (!options_.judged) return;
    LogSpec::State start;
    start.bound = options_.bound;
    const auto verdict = contract::check<LogSpec>(contract::with_trims_in_two_steps(history_.calls()), start);
    model::demand(static_cast<bool>(verdict), verdict.explanation);
  }

 private:
  using Tracked = model::Tracked<slots>;
  using Timeline = log::Timeline<Tracked>;
  using View = typename Timeline::View;
  using Runs = log::Runs<Tracked>;
  using Kind = LogSpec::Kind;
  using Operation = LogSpec::Operation;

  struct Kept {
    Runs runs;
    std::vector<LogSpec::Entry> entries;
  };

  void run(int thread, char letter) {
    history_.record(thread, [&]() -> Operation {
      switch (letter) {
        case 'a': return append(thread, 1, log::Request::at_time(time()));
        case 'b': return append(thread, 3, log::Request::at_time(time()));
        case 'x': return append(thread, 1, log::Request::exactly({1, 4}));
        case 'r': return {.kind = Kind::read, .entries = read(Id::min(), LogSpec::no_bound)};
        case 'p': return read_middle();
        case 'k': return {.kind = Kind::read_back, .entries = read_back(2), .count = 2};
        case 'n': return {.kind = Kind::length, .count = timeline_->look().length()};
        case 't': return trim(thread, {.max_len = 1});
        case 'w': return trim(thread, {.max_len = 0, .whole_segments = true});
        case 'e': return erase_oldest();
        case 'h': return keep(thread);
        default: timeline_->seal(); return {.kind = Kind::close};
      }
    });
  }

  [[nodiscard]] std::uint64_t time() { return options_.ticking ? ++now_ : 1; }

  [[nodiscard]] Operation append(int thread, int count, const log::Request& request) {
    std::vector<Tracked> payloads;
    payloads.reserve(static_cast<std::size_t>(count));
    std::vector<LogSpec::Entry> entries;
    for (int i = 0; i < count; ++i) entries.push_back({{}, 100 * (thread + 1) + counter_++});
    for (const auto& entry : entries) payloads.emplace_back(entry.value);
    const auto appended = timeline_->append({payloads.data(), payloads.size()}, request);
    if (!appended) {
      for (int i = 0; i < count; ++i) {
        const auto at = static_cast<std::size_t>(i);
        model::demand(payloads[at].value() == entries[at].value, "a refused append loses its values");
      }
      if (appended.error() == Errc::closed) return {.kind = Kind::refuse_closed};
      return {.kind = Kind::refuse_small, .from = {1, 4}};
    }
    appended_ += static_cast<std::uint64_t>(count);
    Id id = appended->first;
    for (auto& entry : entries) entry.id = std::exchange(id, id.next());
    return {.kind = Kind::append, .entries = std::move(entries)};
  }

  // As a stream does it: a new view when the old one has been trimmed away.
  [[nodiscard]] Runs collect(Id from, std::uint64_t count) {
    for (;;) {
      const View view = timeline_->look();
      Runs runs;
      const auto add = [&](const auto& segment, std::uint32_t at, std::uint32_t n) { runs.add(segment, at, n); };
      if (!timeline_->visit(view, from, Id::max(), count, add)) continue;
      const bool all = from == Id::min() && count == LogSpec::no_bound;
      model::demand(!all || runs.size() == view.length(), "a view has another length than entries");
      return runs;
    }
  }

  [[nodiscard]] static std::vector<LogSpec::Entry> values(const Runs& runs) {
    std::vector<LogSpec::Entry> entries;
    for (std::size_t i = 0; i < runs.run_count(); ++i) {
      const auto& run = runs.run(i);
      for (std::uint32_t at = run.first; at < run.first + run.count; ++at) {
        auto& slot = run.segment->slot(at);
        entries.push_back({run.segment->id(slot.state()), slot.payload().value()});
      }
    }
    return entries;
  }

  [[nodiscard]] std::vector<LogSpec::Entry> read(Id from, std::uint64_t count) { return values(collect(from, count)); }

  [[nodiscard]] Operation read_middle() {
    const Id from = log_middle_;
    return {.kind = Kind::read, .entries = read(from, 2), .from = from, .count = 2};
  }

  [[nodiscard]] std::vector<LogSpec::Entry> read_back(std::uint64_t count) {
    for (;;) {
      const View view = timeline_->look();
      std::vector<LogSpec::Entry> entries;
      const auto add = [&](const auto& segment, std::uint32_t at, std::uint32_t n) {
        for (std::uint32_t i = at + n; i-- > at;) {
          entries.push_back({segment->id(segment->slot(i).state()), segment->slot(i).payload().value()});
        }
      };
      if (timeline_->visit_backwards(view, Id::min(), Id::max(), count, add)) return entries;
    }
  }

  [[nodiscard]] Operation trim(int thread, const log::Cut& cut) {
    return {.kind = Kind::trim,
            .thread = thread,
            .count = timeline_->trim(cut),
            .keep = cut.max_len,
            .approximate = cut.whole_segments};
  }

  // What it reads first is a call of its own, which need not be judged.
  [[nodiscard]] Operation erase_oldest() {
    const auto seen = read(Id::min(), 1);
    const std::vector<Id> ids{seen.empty() ? Id{1, 0} : seen.front().id, Id{1, 1}};
    return {.kind = Kind::erase, .count = timeline_->erase(ids), .ids = ids};
  }

  [[nodiscard]] Operation keep(int thread) {
    Kept& kept = held_[static_cast<std::size_t>(thread)];
    kept.runs = collect(Id::min(), LogSpec::no_bound);
    kept.entries = values(kept.runs);
    return {.kind = Kind::read, .entries = kept.entries};
  }

  static constexpr Id log_middle_{1, 2};

  Options options_;
  std::unique_ptr<Timeline> timeline_;
  contract::History<Operation> history_;
  std::vector<Kept> held_;
  std::uint64_t now_ = 0;
  std::uint64_t appended_ = 0;
  int counter_ = 0;
};

// Segments of two slots, of which one is claimed and the other links the segment; and longer ones, where appenders pass
// each other.
void appends_and_reads(model::Suite& suite) {
  suite.exhaust<Programs<2>>("append, append, read", 2, 100'000, Options{{"a", "a", "r"}});
  suite.exhaust<Programs<2>>("read your own", 3, 100'000, Options{{"ar", "ar"}});
  suite.exhaust<Programs<2>>("fill segments while reading", 2, 250'000, Options{{"aa", "aa", "rr"}});
  suite.exhaust<Programs<2>>("clock moves", 2, 250'000, Options{{"a", "ar", "ar"}, true});
  suite.exhaust<Programs<2>>("given ids", 2, 250'000, Options{{"xa", "ax", "r"}});
  suite.exhaust<Programs<2>>("seal", 2, 250'000, Options{{"aa", "sr", "ar"}});
  suite.exhaust<Programs<4>>("pass each other", 3, 100'000, Options{{"aa", "a", "ar"}});
  suite.exhaust<Programs<4>>("pass each other while reading", 2, 100'000, Options{{"aa", "aa", "aa", "rr"}});
  suite.exhaust<Programs<8>>("batches", 2, 250'000, Options{{"ab", "b", "rr"}});
  suite.priorities<Programs<2>>("many appends", 5, 30'000, Options{{"aaa", "aba", "rkr"}, true});
  suite.priorities<Programs<4>>("many appends", 5, 30'000, Options{{"aaa", "aaa", "aar", "rr"}});
  suite.random<Programs<4>>("everything that appends and reads", 20'000, Options{{"aar", "bxa", "raa", "rn"}, true});
  suite.random<Programs<8>>("everything that appends and reads", 20'000, Options{{"abr", "bab", "raa", "rs"}});
}

void edits(model::Suite& suite) {
  suite.exhaust<Programs<2>>("erase while reading", 2, 50'000, Options{{"aaae", "nr", "k"}});
  suite.exhaust<Programs<4>>("erase while reading", 2, 50'000, Options{{"aaae", "nr", "k"}});
  suite.exhaust<Programs<2>>("trim while appending", 2, 50'000, Options{{"aaa", "aa", "tt"}});
  suite.exhaust<Programs<2>>("trim while reading", 2, 100'000, Options{{"aaaa", "t", "rr"}});
  suite.exhaust<Programs<2>>("trim under a reader that holds on", 2, 50'000, Options{{"aaaaha", "twa", "p"}});
  suite.priorities<Programs<2>>("recycled segments", 5, 30'000, Options{{"aaaaa", "aaa", "twt", "rpk"}});
  suite.priorities<Programs<2>>("recycled segments, clock moves", 6, 30'000,
                                Options{{"aaaa", "ba", "wtw", "rh", "r"}, true});
  suite.priorities<Programs<4>>("recycled segments", 6, 30'000, Options{{"abaa", "aaba", "wtw", "rkp"}});
  suite.random<Programs<2>>("everything", 15'000, Options{{"aaaaa", "aaxe", "ttw", "rhk", "rn"}, true});
  suite.random<Programs<4>>("everything", 15'000, Options{{"aabaa", "aaxe", "ttw", "rhk", "rp"}});
  suite.exhaust<Programs<2>>("a bound", 2, 50'000, Options{.programs = {"aa", "aa", "r"}, .bound = 1});
  suite.random<Programs<2>>("a bound", 20'000, Options{.programs = {"aaa", "aba", "rrn"}, .bound = 2});
  suite.random<Programs<2>>("a bound, whole segments", 20'000,
                            Options{.programs = {"aaaa", "aba", "rhr"}, .whole_segments = true, .judged = false});
}

void stopped_threads(model::Suite& suite) {
  suite.freeze<Programs<2>>("an appender or a reader stops", 3, 15, Options{{"aaa", "rb", "ara"}});
  suite.freeze<Programs<4>>("an appender among others stops", 1, 30, Options{{"aaa", "aaar", "aaa"}});
  suite.freeze<Programs<8>>("a batch or a given id stops", 2, 20, Options{{"abx", "xb", "ara", "r"}});
  suite.freeze<Programs<2>>("a trimmer stops", 1, 20, Options{{"aaate", "aar", "ara"}});
  suite.freeze<Programs<2>>("an appender to a bounded log stops", 1, 20,
                            Options{.programs = {"aaa", "aaa", "ar"}, .bound = 1});
  suite.freeze<Programs<2>>("whoever seals stops", 1, 50, Options{{"as", "aa", "ra"}});
}

// A thread stops with an old pointer to the tail, whose header meanwhile begins another life. No other strategy comes by
// these places often enough.
void recycled_headers(model::Suite& suite) {
  const auto pin = before("pins.hpp", "F");
  const auto claim = before("append_log.hpp", "AH");
  const auto second_link = before("append_log.hpp", "A", 2);
  suite.direct<Programs<2>>("what was a full tail is the tail again, with room",
                            {{0, pin}, {1, to_the_end}, {0, to_the_end}}, Options{{"a", "aata"}});
  suite.direct<Programs<2>>("a reader pins what is not linked yet",
                            {{0, pin}, {1, second_link}, {0, to_the_end}, {1, to_the_end}}, Options{{"r", "aata"}});
  suite.direct<Programs<2>>("whoever links pins what is not linked yet",
                            {{0, pin}, {1, second_link}, {0, to_the_end}, {1, to_the_end}}, Options{{"a", "aata"}});
  suite.direct<Programs<2>>("a claim of what is not linked yet",
                            {{0, claim}, {1, second_link}, {0, to_the_end}, {1, to_the_end}},
                            Options{.programs = {"a", "aataa"}, .prologue = "a"});
  // The appender looked when nothing followed the tail; what followed has been trimmed when it takes the header of that.
  suite.direct<Programs<2>>("a reader finds what has the number that it looks for, and will never be linked",
                            {{0, before("pool.hpp", "X")},
                             {1, before("edits.hpp", "BE")},
                             {2, before("pins.hpp", "F", 3)},
                             {1, to_the_end},
                             {0, before("append_log.hpp", "A")},
                             {2, to_the_end},
                             {0, to_the_end}},
                            Options{{"a", "aaat", "r"}});
}

}  // namespace

int main(int argc, char** argv) {
  model::Suite suite(argc, argv);
  appends_and_reads(suite);
  edits(suite);
  recycled_headers(suite);
  stopped_threads(suite);
  return suite.result();
}
