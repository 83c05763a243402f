// list_fibers.cpp — a whole BlockingList in random interleavings of small programs: is it linearizable, with pushers and poppers
// that stop anywhere, batches that are popped in part, and whatever takes the lock in between; and do elements live as long as
// they must, and no longer?
//
// A thread's program is a word, one letter an operation; those in capitals are of the right end:
//   p P push one   b B push three at once   o O pop one   m M pop up to two   a A pop all
//   k gather two or three, without waiting   s size   r range of all   v V move to the other end   t trim one at the left
//   c clear   q close
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "explore.hpp"
#include "fiber_sync.hpp"
#include "stopped_clock.hpp"

#include <brook/blocking_list.hpp>

#include "contract/linearizability_list.hpp"

namespace {

using namespace brook;
using contract::ListSpec;

// An element that other threads may overtake while it moves.
class Element {
 public:
  static inline int living = 0;

  explicit Element(int value) : value_(value) { ++living; }
  Element(const Element& other) : value_(other.value()) { ++living; }
  Element(Element&& other) noexcept {
    model::point("move");
    model::demand(other.mark_ == alive, "an element is moved that does not live");
    value_ = std::exchange(other.value_, moved_from);
    ++living;
  }
  Element& operator=(const Element&) = default;
  Element& operator=(Element&& other) noexcept {
    value_ = std::exchange(other.value_, moved_from);
    return *this;
  }
  ~Element() {
    model::demand(mark_ == alive, "an element is destroyed that does not live");
    mark_ = 0;
    --living;
  }

  [[nodiscard]] int value() const {
    model::demand(mark_ == alive && value_ != moved_from, "an element is read that holds no value");
    return value_;
  }

 private:
  static constexpr std::uint32_t alive = 0xa11fe;
  static constexpr int moved_from = -1;

  int value_ = moved_from;
  volatile std::uint32_t mark_ = alive;  // volatile, or the compiler would leave out the destructor's write
};

}  // namespace

// Room for two batches.
template <>
struct brook::blocking_list::SegmentSizes<Element> {
  static constexpr std::uint32_t smallest = 6;
  static constexpr std::uint32_t largest = 6;
  [[nodiscard]] static std::uint32_t after(std::uint32_t) noexcept { return largest; }
};

namespace {

struct Options {
  std::vector<std::string> programs;
  std::string prologue{};  // done before the threads start
};

class Programs {
 public:
  explicit Programs(const Options& options) : options_(options), history_(static_cast<int>(options.programs.size())) {
    Element::living = 0;
    list_ = std::make_unique<List>(ListOptions{.clock = &clock_, .spin = std::chrono::microseconds(0)});
    for (const char letter : options.prologue) run(0, letter);
  }

  model::Threads threads() {
    return model::threads_of(options_.programs, [this](int thread, char letter) { run(thread, letter); });
  }

  void check() {
    for (const char letter : {'s', 'r', 'a', 's'}) run(0, letter);
    list_.reset();
    model::demand(Element::living == 0, "elements outlive their list: " + std::to_string(Element::living));
    const ListSpec::State start;
    const auto verdict = contract::check<ListSpec>(contract::in_steps(history_.calls(), start), start);
    model::demand(static_cast<bool>(verdict), verdict.explanation);
  }

 private:
  using List = BlockingList<Element>;
  using Kind = ListSpec::Kind;
  using Operation = ListSpec::Operation;
  using Result = ListSpec::Result;

  void run(int thread, char letter) {
    history_.record(thread, [&]() -> Operation {
      switch (letter) {
        case 'p': return push(thread, Side::left, 1);
        case 'P': return push(thread, Side::right, 1);
        case 'b': return push(thread, Side::left, 3);
        case 'B': return push(thread, Side::right, 3);
        case 'o': return {.kind = Kind::pop, .side = Side::left, .values = values(list_->lpop())};
        case 'O': return {.kind = Kind::pop, .side = Side::right, .values = values(list_->rpop())};
        case 'm': return {.kind = Kind::pop, .side = Side::left, .values = values(list_->lpop(2)), .count = 2};
        case 'M': return {.kind = Kind::pop, .side = Side::right, .values = values(list_->rpop(2)), .count = 2};
        case 'a': return {.kind = Kind::pop, .side = Side::left, .values = values(list_->lpop(100)), .count = 100};
        case 'A': return {.kind = Kind::pop, .side = Side::right, .values = values(list_->rpop(100)), .count = 100};
        case 'k': return gather(thread);
        case 's': return {.kind = Kind::size, .number = list_->size()};
        case 'r': return {.kind = Kind::range, .values = values(list_->lrange(0, -1)), .first = 0, .last = -1};
        case 'v': return move(Side::left, Side::right);
        case 'V': return move(Side::right, Side::left);
        case 't': list_->ltrim(1, -1); return {.kind = Kind::trim, .first = 1, .last = -1};
        case 'c': return {.kind = Kind::clear, .number = list_->clear()};
        default: list_->close(); return {.kind = Kind::close};
      }
    });
  }

  [[nodiscard]] static std::vector<int> values(const std::vector<Element>& elements) {
    std::vector<int> all;
    for (const Element& element : elements) all.push_back(element.value());
    return all;
  }
  template <class Popped>
  [[nodiscard]] static std::vector<int> values(const Popped& element) {
    return element ? std::vector{element->value()} : std::vector<int>();
  }

  [[nodiscard]] Operation push(int thread, Side side, int count) {
    Operation op{.kind = Kind::push, .side = side};
    std::vector<Element> elements;
    elements.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      op.values.push_back(100 * (thread + 1) + counter_++);
      elements.emplace_back(op.values.back());
    }
    const bool left = side == Side::left;
    const bool pushed =
        count > 1
            ? (left ? list_->lpush_range(std::move(elements)) : list_->rpush_range(std::move(elements))).has_value()
            : (left ? list_->lpush(std::move(elements[0])) : list_->rpush(std::move(elements[0]))).has_value();
    if (pushed) return op;
    op.result = Result::closed;
    model::demand(values(elements) == op.values, "a refused push loses its elements");
    return op;
  }

  [[nodiscard]] Operation gather(int thread) {
    const auto batch = list_->pop_batch(2, 3, Wait());
    Operation op{.kind = Kind::batch, .count = 3, .least = 2, .thread = thread};
    if (batch) op.values = values(*batch);
    if (!batch) op.result = batch.error() == Errc::closed ? Result::closed : Result::invalid;
    else if (op.values.size() < op.least) op.result = Result::timed_out;
    return op;
  }

  [[nodiscard]] Operation move(Side from, Side to) {
    const auto moved = list_->lmove(*list_, from, to);
    return {.kind = Kind::move,
            .side = from,
            .values = values(moved),
            .result = moved ? Result::done : Result::nothing,
            .to_side = to};
  }

  const Options options_;
  model::StoppedClock clock_;
  std::unique_ptr<List> list_;
  contract::History<Operation> history_;
  int counter_ = 0;
};

void queue(model::Suite& suite) {
  suite.exhaust<Programs>("push and pop", 2, 20'000, Options{{"PP", "oo"}});
  suite.random<Programs>("segments end", 20'000, Options{{"PPPPP", "PBP", "ooomo", "moam"}});
  suite.random<Programs>("everyone", 20'000, Options{{"PBPP", "BP", "ooma", "mko"}});
  suite.priorities<Programs>("everyone", 4, 20'000, Options{{"PBPP", "BP", "ooma", "mko"}});
  suite.random<Programs>("batches that are popped in part", 20'000, Options{{"BBP", "mmo", "omk", "am"}, "B"});
  suite.priorities<Programs>("batches behind a pusher that stops", 3, 20'000, Options{{"P", "BBs", "mam", "ok"}});
  suite.random<Programs>("from right to left", 20'000, Options{{"pbp", "bpp", "OOM", "AMs"}});
}

void with_the_lock(model::Suite& suite) {
  suite.random<Programs>("looked at meanwhile", 20'000, Options{{"PBPB", "msr", "rso"}, "PB"});
  suite.random<Programs>("edited meanwhile", 20'000, Options{{"BPB", "tmo", "vcm"}, "B"});
  suite.random<Programs>("both ends", 20'000, Options{{"PpO", "oBM", "bVa"}});
  suite.random<Programs>("turned round", 20'000, Options{{"PoPpb", "pOpP", "oOs"}});
  suite.priorities<Programs>("turned round", 4, 20'000, Options{{"BAp", "pbO", "oMP"}});
  suite.random<Programs>("closed meanwhile", 20'000, Options{{"PBP", "qr", "omk", "ao"}, "P"});
}

}  // namespace

int main(int argc, char** argv) {
  model::Suite suite(argc, argv);
  queue(suite);
  with_the_lock(suite);
  return suite.result();
}
