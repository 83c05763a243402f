// Cuts of a list, begun at any time and passed bit by bit between operations of every kind, are what the list was when they
// began: a plain deque at that time says so.
//
// usage: list_cut_against_deque [SEED [OPERATIONS]]
#include <deque>
#include <memory>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/restore.hpp>

#include "fuzz.hpp"

namespace {

using namespace fuzz;
using brook::BlockingList;
using brook::Side;

// A type that may throw when it moves, and so never lies in a slot.
struct Heavy {
  int number;
  explicit Heavy(int n) : number(n) {}
  Heavy(const Heavy&) = default;
  Heavy(Heavy&& other) noexcept(false) : number(std::exchange(other.number, -1)) {}
  Heavy& operator=(const Heavy&) = default;
  friend bool operator==(const Heavy& a, const Heavy& b) { return a.number == b.number; }
};

int number_of(int n) { return n; }
int number_of(const Heavy& heavy) { return heavy.number; }

template <class T>
class Recording final : public brook::blocking_list::Cut<brook::log::PayloadOf<T>> {
 public:
  using Payload = brook::log::PayloadOf<T>;

  Recording(brook::blocking_list::State<T>& list, std::deque<int> now) : list_(list), wanted_(std::move(now)) {
    const brook::sync::unique_lock<brook::sync::mutex> held(list_.mutex());
    brook::blocking_list::begin_cut(list_, *this);
  }
  ~Recording() { brook::blocking_list::end_cut(list_, *this); }

  /// False when it is over.
  bool pass_some(std::uint64_t most) {
    return brook::blocking_list::pass_some(
        list_, *this, [&] { return most-- > 0; }, [] {});
  }
  void check() {
    while (!behind_.empty()) {
      passed_.push_back(behind_.back());
      behind_.pop_back();
    }
    if (this->from_right()) std::reverse(passed_.begin(), passed_.end());
    if (failed_) throw Difference("a cut was given up");
    if (!std::equal(passed_.begin(), passed_.end(), wanted_.begin(), wanted_.end())) {
      std::string text = "a cut is";
      for (const int n : passed_) text += ' ' + std::to_string(n);
      text += " instead of";
      for (const int n : wanted_) text += ' ' + std::to_string(n);
      throw Difference(text);
    }
  }

 private:
  void pass(const Payload& element) noexcept override {
    passed_.push_back(number_of(brook::log::value_of<T>(element)));
  }
  void pass_from_behind(const Payload& element) noexcept override {
    behind_.push_back(number_of(brook::log::value_of<T>(element)));
  }
  void give_up() noexcept override { failed_ = true; }

  brook::blocking_list::State<T>& list_;
  const std::deque<int> wanted_;
  std::vector<int> passed_;
  std::vector<int> behind_;
  bool failed_ = false;
};

template <class T>
class Run {
 public:
  Run(std::uint64_t seed, Journal& journal)
      : random_(seed),
        journal_(journal),
        list_({.capacity = random_.one_in(4) ? 40 : brook::no_limit, .overflow = brook::Overflow::drop_oldest}),
        favourite_(random_.one_in(2) ? Side::left : Side::right) {}

  void step() {
    if (cuts_.size() < 3 && random_.one_in(12)) {
      journal_.note("begin a cut of ", std::to_string(now().size()));
      cuts_.push_back(std::make_unique<Recording<T>>(state_of(list_), now()));
    }
    if (!cuts_.empty() && random_.one_in(3)) {
      const auto i = static_cast<std::size_t>(random_.below(cuts_.size()));
      journal_.note("pass");
      if (!cuts_[i]->pass_some(random_.below(6))) {
        cuts_[i]->check();
        cuts_.erase(cuts_.begin() + static_cast<std::ptrdiff_t>(i));
      } else if (random_.one_in(20)) {
        cuts_.erase(cuts_.begin() + static_cast<std::ptrdiff_t>(i));  // given up
      }
    }
    operate();
  }
  void finish() {
    for (auto& cut : cuts_) {
      while (cut->pass_some(5)) {}
      cut->check();
    }
    cuts_.clear();
  }

 private:
  // Without a change of how the elements lie: only what is seen before counts.
  std::deque<int> now() const { return double_; }

  Side side() { return random_.one_in(6) ? brook::opposite(favourite_) : favourite_; }
  T next() { return T(++last_); }

  void push(Side at) {
    journal_.note(at == Side::left ? "lpush" : "rpush");
    static_cast<void>(at == Side::left ? list_.lpush(next()) : list_.rpush(next()));
    if (at == Side::left) double_.push_front(last_);
    else double_.push_back(last_);
    if (list_bound() < double_.size()) at == Side::left ? double_.pop_back() : double_.pop_front();
  }
  void pop(Side at, std::size_t count) {
    journal_.note(at == Side::left ? "lpop " : "rpop ", std::to_string(count));
    const auto popped = at == Side::left ? list_.lpop(count) : list_.rpop(count);
    for (const T& value : popped) {
      const int wanted = at == Side::left ? double_.front() : double_.back();
      if (number_of(value) != wanted) throw Difference("a wrong element was popped");
      at == Side::left ? double_.pop_front() : double_.pop_back();
    }
  }
  std::size_t list_bound() const {
    const std::size_t capacity = list_.info().capacity;
    return capacity == 0 ? brook::no_limit : capacity;
  }

  void operate() {
    switch (random_.below(40)) {
      case 0: {
        if (double_.empty()) break;
        const auto i = static_cast<std::size_t>(random_.below(double_.size()));
        journal_.note("lset ", std::to_string(i));
        static_cast<void>(list_.lset(static_cast<std::ptrdiff_t>(i), next()));
        double_[i] = last_;
        break;
      }
      case 1: {
        if (double_.empty() || double_.size() >= list_bound()) break;
        const auto i = static_cast<std::size_t>(random_.below(double_.size()));
        journal_.note("linsert ", std::to_string(i));
        static_cast<void>(list_.linsert_before(T(double_[i]), next()));
        double_.insert(double_.begin() + static_cast<std::ptrdiff_t>(i), last_);
        break;
      }
      case 2: {
        if (double_.empty()) break;
        const auto i = static_cast<std::size_t>(random_.below(double_.size()));
        journal_.note("lrem ", std::to_string(i));
        list_.lrem(1, T(double_[i]));
        double_.erase(double_.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
      case 3: {
        journal_.note("ltrim");
        const auto from = static_cast<std::ptrdiff_t>(random_.below(4));
        list_.ltrim(from, -2);
        for (std::ptrdiff_t n = from; n > 0 && !double_.empty(); --n) double_.pop_front();
        if (!double_.empty()) double_.pop_back();
        break;
      }
      case 4: {
        journal_.note("rotate");
        static_cast<void>(list_.lmove(list_, Side::left, Side::right));
        if (double_.empty()) break;
        double_.push_back(double_.front());
        double_.pop_front();
        break;
      }
      case 5:
        journal_.note("move away");
        if (list_.lmove(other_, Side::right, Side::left)) double_.pop_back();
        break;
      case 6:
        if (!random_.one_in(10)) break;
        journal_.note("clear");
        list_.clear();
        double_.clear();
        break;
      case 7: favourite_ = brook::opposite(favourite_); break;
      default:
        if (random_.one_in(2)) push(side());
        else pop(brook::opposite(side()), static_cast<std::size_t>(random_.between(1, 4)));
    }
  }

  Random random_;
  Journal& journal_;
  BlockingList<T> list_;
  BlockingList<T> other_;
  std::deque<int> double_;
  std::vector<std::unique_ptr<Recording<T>>> cuts_;
  Side favourite_;
  int last_ = 0;
};

template <class T>
void run(std::uint64_t seed, Journal& journal) {
  Run<T> it(seed, journal);
  for (int i = 0; i < 600; ++i) it.step();
  it.finish();
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments how = arguments(argc, argv, {1, 300});
  Journal journal;
  for (std::uint64_t seed = how.seed; seed < how.seed + how.operations; ++seed) {
    try {
      run<int>(seed, journal);
      run<Heavy>(seed, journal);
    } catch (const std::exception& problem) { return report("list_cut_against_deque", {seed, 1}, journal, problem); }
  }
  return 0;
}
