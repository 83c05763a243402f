// list_against_deque.cpp — random operations on one thread, on a few lists and on deques: each answer is compared, and
// every so often all that there is.
//
//   list_against_deque [seed] [operations]
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>

#include "fuzz.hpp"

namespace {

using namespace fuzz;
using brook::ListOptions;
using brook::no_limit;
using brook::Overflow;
using brook::Side;
using Numbers = std::deque<std::uint64_t>;
using Positions = std::vector<std::uint64_t>;

/// A value whose move may throw, as the library must suppose.
struct Heavy {
  explicit Heavy(std::uint64_t given) : number(given), copy(std::make_unique<std::uint64_t>(given)) {}
  Heavy(const Heavy& other) : number(other.number), copy(std::make_unique<std::uint64_t>(*other.copy)) {}
  Heavy& operator=(const Heavy&) = delete;
  ~Heavy() = default;
  friend bool operator==(const Heavy& a, const Heavy& b) { return a.number == b.number; }

  std::uint64_t number;
  std::unique_ptr<std::uint64_t> copy;
};

/// How a number becomes a T, and what number a T is.
template <class T>
struct As {
  static T make(std::uint64_t number) { return T(number); }
  static std::uint64_t number(const T& value) { return value; }
};
template <>
struct As<std::string> {
  static std::string make(std::uint64_t number) {
    return std::to_string(number) + std::string(static_cast<std::size_t>(number % 7 * 8), '.');
  }
  static std::uint64_t number(const std::string& value) { return std::strtoull(value.c_str(), nullptr, 10); }
};
template <>
struct As<Heavy> {
  static Heavy make(std::uint64_t number) { return Heavy(number); }
  static std::uint64_t number(const Heavy& value) { return value.copy == nullptr ? 0 : *value.copy; }
};

std::string text(const Numbers& numbers) {
  std::string shown = std::to_string(numbers.size()) + " numbers";
  for (std::size_t i = 0; i < std::min<std::size_t>(numbers.size(), 16); ++i)
    shown += (i == 0 ? ": " : " ") + std::to_string(numbers[i]);
  return shown;
}
std::string text(const Positions& positions) { return text(Numbers(positions.begin(), positions.end())); }
std::string text(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "nothing"; }
template <class T>
std::string text(const brook::expected<T, Errc>& outcome) {
  return outcome ? text(*outcome) : fuzz::text(outcome.error());
}
template <class A, class B>
void equal(std::string_view what, const A& brook, const B& wanted) {
  if (brook == wanted) return;
  throw Difference(std::string(what) + ": " + text(brook) + " instead of " + text(wanted));
}

/// A list as plainly as its docstrings can be read.
struct Double {
  ListOptions options{};
  Numbers numbers{};
  bool closed = false;

  [[nodiscard]] bool drops() const { return options.overflow == Overflow::drop_oldest; }
  [[nodiscard]] bool fits(std::size_t more) const {
    return options.capacity == no_limit || numbers.size() + more <= options.capacity;
  }
  void put(Side side, std::uint64_t number) {
    if (side == Side::left) numbers.push_front(number);
    else numbers.push_back(number);
  }
  std::optional<std::uint64_t> take(Side side) {
    if (numbers.empty()) return std::nullopt;
    const std::uint64_t number = side == Side::left ? numbers.front() : numbers.back();
    if (side == Side::left) numbers.pop_front();
    else numbers.pop_back();
    return number;
  }
  Numbers take(Side side, std::size_t count) {
    Numbers taken;
    while (taken.size() < count && !numbers.empty()) taken.push_back(*take(side));
    return taken;
  }
  std::optional<Errc> push(Side side, const Numbers& values, bool told_to_wait = false) {
    if (closed) return Errc::closed;
    if ((!drops() || told_to_wait) && !fits(values.size())) return Errc::full;
    for (const std::uint64_t value : values) put(side, value);
    while (numbers.size() > options.capacity) take(brook::opposite(side));
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::size_t> position(std::ptrdiff_t at) const {
    const auto n = static_cast<std::ptrdiff_t>(numbers.size());
    if (at >= n || at < -n) return std::nullopt;
    return static_cast<std::size_t>(at < 0 ? at + n : at);
  }
  [[nodiscard]] std::pair<std::size_t, std::size_t> range(std::ptrdiff_t first, std::ptrdiff_t last) const {
    const auto n = static_cast<std::ptrdiff_t>(numbers.size());
    if (first < 0) first = std::max<std::ptrdiff_t>(0, first + n);
    if (last < 0) last += n;
    last = std::min(last, n - 1);
    if (first > last) return {0, 0};
    return {static_cast<std::size_t>(first), static_cast<std::size_t>(last) + 1};
  }
};

/// Lists from their beginning to their end.
template <class T>
class Life {
 public:
  Life(Random& random, Journal& journal) : random_(random), journal_(journal) {
    for (std::uint64_t n = random.between(1, 3); n > 0; --n) {
      Double twin;
      if (random.one_in(3)) twin.options.capacity = static_cast<std::size_t>(random.of_any_size(7));
      twin.options.overflow = random.one_of({Overflow::reject, Overflow::drop_oldest});
      twin.options.spin = std::chrono::microseconds(0);
      twins_.push_back(twin);
      lists_.push_back(std::make_unique<brook::BlockingList<T>>(twin.options));
      journal_.note("a new list, capacity ", twin.options.capacity, twin.drops() ? ", drops" : "");
    }
    choose_habits();
  }

  void run(std::uint64_t operations) {
    for (std::uint64_t i = 1; i <= operations; ++i) {
      if (random_.one_in(50)) choose_habits();
      which_ = random_.one_in(8) ? static_cast<std::size_t>(random_.below(lists_.size())) : which_;
      step();
      if (i % 64 == 0) compare_all();
    }
    compare_all();
    if (random_.one_in(2)) return;
    const std::size_t closed = which_;
    journal_.note("close ", closed);
    list().close();
    twin().closed = true;
    for (std::uint64_t i = random_.below(60); i > 0; --i) step();
    compare_all();
  }

 private:
  using List = brook::BlockingList<T>;

  [[nodiscard]] List& list() { return *lists_[which_]; }
  [[nodiscard]] Double& twin() { return twins_[which_]; }

  // Lists are used in one way for a while, so that they get into all their states: as a queue, mirrored or not, as a
  // stack, or in any way.
  void choose_habits() {
    habit_ = random_.below(6);
    batches_ = random_.one_in(3);
    growth_ = random_.between(1, 3);
    positions_ = random_.one_in(3) ? random_.between(2, 40) : 0;
  }
  Side side_to_push() { return habit_ == 0 || habit_ == 2 ? Side::right : habit_ == 1 ? Side::left : any_side(); }
  Side side_to_pop() { return habit_ == 0 ? Side::left : habit_ == 1 || habit_ == 2 ? Side::right : any_side(); }
  Side any_side() { return random_.one_of({Side::left, Side::right}); }

  void step() {
    which_ = std::min(which_, lists_.size() - 1);
    if (positions_ > 0 && random_.one_in(positions_)) return step_positions();
    if (twin().numbers.size() > enough) return trim();
    if (random_.below(4) < growth_) return random_.one_in(batches_ ? 3 : 40) ? push_several() : push();
    if (random_.one_in(12)) return move();
    if (random_.one_in(30)) return pop_from_several();
    if (random_.one_in(60)) return gather();
    return random_.one_in(batches_ ? 3 : 40) ? pop_several() : pop();
  }
  void step_positions() {
    switch (random_.below(10)) {
      case 0: return range();
      case 1: return index();
      case 2: return set();
      case 3: return insert();
      case 4: return remove();
      case 5: return random_.one_in(5) ? trim() : index();
      case 6: return find();
      case 7: return move();
      case 8: return random_.one_in(10) ? clear() : compare_size();
      default: return push_if_any();
    }
  }

  // — pushing —

  void push() {
    const Side side = side_to_push();
    const std::uint64_t number = next_value_++;
    const std::uint64_t way = random_.below(5);
    journal_.note(side == Side::left ? "lpush " : "rpush ", which_, " ", number, ", way ", way);
    const auto wanted = twin().push(side, {number}, way == 3);
    std::optional<Errc> outcome;
    T value = As<T>::make(number);
    const bool left = side == Side::left;
    switch (way) {
      case 0: outcome = error_of(left ? list().lpush(std::as_const(value)) : list().rpush(std::as_const(value))); break;
      case 1: outcome = error_of(left ? list().lpush(std::move(value)) : list().rpush(std::move(value))); break;
      case 2: outcome = error_of(left ? list().lemplace(value) : list().remplace(value)); break;
      case 3: outcome = error_of(left ? list().lpush(value, brook::Wait()) : list().rpush(value, brook::Wait())); break;
      default: {
        const auto pushed = left ? list().try_lpush(std::move(value)) : list().try_rpush(std::move(value));
        if (!pushed) {
          outcome = pushed.error().error;
          equal("what try_push hands back", As<T>::number(pushed.error().value), number);
        }
      }
    }
    compare_errors("push", outcome, wanted);
  }
  void push_several() {
    const Side side = side_to_push();
    Numbers numbers;
    const std::uint64_t count = random_.one_in(20) ? random_.of_any_size(13) : random_.below(12);
    for (std::uint64_t i = 0; i < count; ++i) numbers.push_back(next_value_++);
    journal_.note(side == Side::left ? "lpush_range " : "rpush_range ", which_, " ", text(numbers));
    std::vector<T> values;
    for (const std::uint64_t number : numbers) values.push_back(As<T>::make(number));
    const auto wanted = twin().push(side, numbers);
    const auto pushed = side == Side::left ? list().lpush_range(values) : list().rpush_range(values);
    compare_errors("push of several", error_of(pushed), wanted);
    if (pushed && random_.one_in(4)) equal("its length", std::uint64_t{*pushed}, std::uint64_t{twin().numbers.size()});
  }
  void push_if_any() {
    const Side side = any_side();
    const std::uint64_t number = next_value_++;
    journal_.note(side == Side::left ? "lpushx " : "rpushx ", which_, " ", number);
    brook::expected<std::uint64_t, Errc> wanted = std::uint64_t{0};
    if (twin().closed) wanted = brook::unexpected(Errc::closed);
    else if (!twin().numbers.empty()) {
      if (const auto failed = twin().push(side, {number})) wanted = brook::unexpected(*failed);
      else wanted = std::uint64_t{twin().numbers.size()};
    }
    const auto outcome = side == Side::left ? list().lpushx(As<T>::make(number)) : list().rpushx(As<T>::make(number));
    equal("push if any", outcome.map([](std::size_t n) { return std::uint64_t{n}; }), wanted);
  }

  // — popping —

  void pop() {
    const Side side = side_to_pop();
    const bool may_wait = random_.one_in(10);
    journal_.note(may_wait ? "b" : "", side == Side::left ? "lpop " : "rpop ", which_);
    const auto wanted = twin().take(side);
    if (may_wait) {
      const brook::Wait none;
      const auto value = side == Side::left ? list().blpop(none) : list().brpop(none);
      equal("pop", number_of(value), wanted);
      if (!value) compare_errors("why", value.error(), none_left());
    } else {
      equal("pop", number_of(side == Side::left ? list().lpop() : list().rpop()), wanted);
    }
  }
  void pop_several() {
    const Side side = side_to_pop();
    const std::size_t count = some_count();
    journal_.note(side == Side::left ? "lpop " : "rpop ", which_, " ", count);
    const Numbers wanted = twin().take(side, count);
    equal("pop of several", numbers_of(side == Side::left ? list().lpop(count) : list().rpop(count)), wanted);
  }
  void gather() {
    const std::size_t least = some_count();
    const std::size_t most = some_count();
    journal_.note("pop_batch ", which_, " ", least, " ", most);
    const Numbers wanted = twin().take(Side::left, most);
    const auto got = list().pop_batch(least, most, brook::Wait());
    if (got) return equal("pop_batch", numbers_of(*got), wanted);
    compare_errors("why", got.error(), twin().closed && wanted.empty() ? std::optional(Errc::closed) : std::nullopt);
  }
  void pop_from_several() {
    if (lists_.size() < 2) return;
    const Side side = any_side();
    const std::size_t count = std::max<std::size_t>(1, some_count());
    journal_.note("lmpop of lists 0 and 1, ", count);
    const std::size_t from = twins_[0].numbers.empty() ? 1 : 0;
    const auto got = random_.one_in(2) ? brook::lmpop(side, count, *lists_[0], *lists_[1])
                                       : optional_of(brook::blmpop(brook::Wait(), side, count, *lists_[0], *lists_[1]));
    equal("lmpop", got ? numbers_of(got->values) : Numbers(), twins_[from].take(side, count));
    if (got) equal("its list", std::uint64_t{got->index}, std::uint64_t{from});
    if (random_.one_in(2)) return;
    const std::size_t next = twins_[0].numbers.empty() ? 1 : 0;
    const auto one = brook::blpop(brook::Wait(), *lists_[0], *lists_[1]);
    equal("blpop of several", one ? std::optional(As<T>::number(one->value)) : std::nullopt,
          twins_[next].take(Side::left));
    if (one) equal("its list", std::uint64_t{one->index}, std::uint64_t{next});
  }

  // — moving —

  void move() {
    const auto to = static_cast<std::size_t>(random_.below(lists_.size()));
    const Side from_side = any_side();
    const Side to_side = random_.one_in(2) ? brook::opposite(from_side) : any_side();
    const bool may_wait = random_.one_in(3);
    journal_.note(may_wait ? "b" : "", "lmove ", which_, from_side == Side::left ? " left to " : " right to ", to,
                  to_side == Side::left ? " left" : " right");
    std::optional<Errc> failed;
    std::optional<std::uint64_t> wanted;
    if (twins_[to].closed) failed = Errc::closed;
    else if (twin().numbers.empty()) failed = none_left();
    else if (to != which_ && !twins_[to].fits(1)) failed = Errc::full;
    else {
      wanted = twin().take(from_side);
      twins_[to].put(to_side, *wanted);
    }
    if (may_wait) {
      const auto moved = list().blmove(*lists_[to], from_side, to_side, brook::Wait());
      equal("blmove", number_of(moved), wanted);
      if (!moved) compare_errors("why", moved.error(), failed);
    } else {
      equal("lmove", number_of(list().lmove(*lists_[to], from_side, to_side)), wanted);
    }
  }

  // — positions —

  void range() {
    const std::ptrdiff_t first = some_index();
    const std::ptrdiff_t last = some_index();
    journal_.note("lrange ", which_, " ", first, " ", last);
    const auto [from, to] = twin().range(first, last);
    const auto begin = twin().numbers.begin();
    equal("lrange", numbers_of(list().lrange(first, last)),
          Numbers(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to)));
  }
  void trim() {
    std::ptrdiff_t first = some_index();
    std::ptrdiff_t last = some_index();
    if (twin().numbers.size() > enough) first = 0, last = static_cast<std::ptrdiff_t>(random_.below(enough));
    journal_.note("ltrim ", which_, " ", first, " ", last);
    const auto [from, to] = twin().range(first, last);
    const auto begin = twin().numbers.begin();
    twin().numbers = Numbers(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to));
    list().ltrim(first, last);
  }
  void index() {
    const std::ptrdiff_t at = some_index();
    journal_.note("lindex ", which_, " ", at);
    const auto position = twin().position(at);
    equal("lindex", number_of(list().lindex(at)), position ? std::optional(twin().numbers[*position]) : std::nullopt);
  }
  void set() {
    const std::ptrdiff_t at = some_index();
    const std::uint64_t number = some_number();
    journal_.note("lset ", which_, " ", at, " ", number);
    const auto position = twin().position(at);
    std::optional<Errc> wanted;
    if (twin().closed) wanted = Errc::closed;
    else if (!position) wanted = Errc::invalid_argument;
    else twin().numbers[*position] = number;
    compare_errors("lset", error_of(list().lset(at, As<T>::make(number))), wanted);
  }
  void insert() {
    const std::uint64_t pivot = some_number();
    const bool after = random_.one_in(2);
    const std::uint64_t number = some_number();
    journal_.note(after ? "linsert_after " : "linsert_before ", which_, " ", pivot, " ", number);
    using Length = std::optional<std::uint64_t>;
    brook::expected<Length, Errc> wanted = Length();
    Numbers& numbers = twin().numbers;
    const auto found = std::ranges::find(numbers, pivot);
    if (twin().closed) wanted = brook::unexpected(Errc::closed);
    else if (found != numbers.end() && !twin().fits(1)) wanted = brook::unexpected(Errc::full);
    else if (found != numbers.end()) {
      numbers.insert(after ? std::next(found) : found, number);
      wanted = Length(numbers.size());
    }
    const T where = As<T>::make(pivot);
    const auto outcome =
        after ? list().linsert_after(where, As<T>::make(number)) : list().linsert_before(where, As<T>::make(number));
    equal("linsert", outcome.map([](std::optional<std::size_t> n) { return n ? Length(*n) : Length(); }), wanted);
  }
  void remove() {
    const std::uint64_t number = some_number();
    const std::ptrdiff_t count = random_.one_in(3) ? 0 : some_index();
    journal_.note("lrem ", which_, " ", count, " ", number);
    Numbers& numbers = twin().numbers;
    std::uint64_t gone = 0;
    if (count < 0) std::ranges::reverse(numbers);
    std::erase_if(numbers, [&](std::uint64_t each) {
      const bool goes =
          each == number && (count == 0 || gone < static_cast<std::uint64_t>(std::abs(count + (count == lowest))));
      gone += goes ? 1 : 0;
      return goes;
    });
    if (count < 0) std::ranges::reverse(numbers);
    equal("lrem", std::uint64_t{list().lrem(count, As<T>::make(number))}, gone);
  }
  void find() {
    const std::uint64_t number = some_number();
    brook::LposOptions options{.rank = random_.one_in(2) ? 1 : some_index()};
    if (random_.one_in(2)) options.count = some_count();
    if (random_.one_in(2)) options.max_len = some_count();
    journal_.note("lpos ", which_, " ", number, " rank ", options.rank, " count ", options.count, " max_len ",
                  options.max_len);
    const Numbers& numbers = twin().numbers;
    const bool backwards = options.rank < 0;
    std::uint64_t rank =
        backwards ? 0 - static_cast<std::uint64_t>(options.rank) : static_cast<std::uint64_t>(options.rank);
    Positions found;
    for (std::size_t seen = 0; seen < numbers.size() && seen < options.max_len; ++seen) {
      const std::size_t i = backwards ? numbers.size() - 1 - seen : seen;
      if (numbers[i] != number) continue;
      if (rank > 1) --rank;
      else found.push_back(i);
    }
    const T value = As<T>::make(number);
    const auto one = list().lpos(value, options);
    equal("lpos", one ? std::optional<std::uint64_t>(*one) : std::nullopt,
          found.empty() ? std::nullopt : std::optional(found.front()));
    if (found.size() > options.count) found.resize(options.count);
    const auto all = list().lpos_all(value, options);
    equal("lpos_all", Positions(all.begin(), all.end()), found);
  }
  void clear() {
    journal_.note("clear ", which_);
    equal("clear", std::uint64_t{list().clear()}, std::uint64_t{twin().numbers.size()});
    twin().numbers.clear();
  }

  // — comparing —

  void compare_size() {
    journal_.note("size ", which_);
    equal("size", std::uint64_t{list().size()}, std::uint64_t{twin().numbers.size()});
    equal("empty", std::uint64_t{list().empty()}, std::uint64_t{twin().numbers.empty()});
    equal("info's length", std::uint64_t{list().info().length}, std::uint64_t{twin().numbers.size()});
  }
  // Looking at the elements gathers them, so it is not done as often as their number is compared.
  void compare_all() {
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      equal("size", std::uint64_t{lists_[i]->size()}, std::uint64_t{twins_[i].numbers.size()});
      if (random_.one_in(8)) equal("all", numbers_of(lists_[i]->lrange(0, -1)), twins_[i].numbers);
    }
  }

  template <class R>
  static std::optional<Errc> error_of(const brook::expected<R, Errc>& outcome) {
    return outcome ? std::nullopt : std::optional(outcome.error());
  }
  template <class R>
  static std::optional<R> optional_of(const brook::expected<R, Errc>& outcome) {
    return outcome ? std::optional<R>(*outcome) : std::nullopt;
  }
  static void compare_errors(std::string_view what, std::optional<Errc> outcome, std::optional<Errc> wanted) {
    const auto shown = [](std::optional<Errc> error) { return error ? fuzz::text(*error) : std::string("done"); };
    same(what, shown(outcome), shown(wanted));
  }
  [[nodiscard]] std::optional<Errc> none_left() { return twin().closed ? Errc::closed : Errc::timed_out; }
  template <class Outcome>
  static std::optional<std::uint64_t> number_of(const Outcome& value) {
    return value ? std::optional(As<T>::number(*value)) : std::nullopt;
  }
  static Numbers numbers_of(const std::vector<T>& values) {
    Numbers numbers;
    for (const T& value : values) numbers.push_back(As<T>::number(value));
    return numbers;
  }

  // — chance —

  std::size_t some_count() {
    switch (random_.below(5)) {
      case 0: return static_cast<std::size_t>(random_.of_any_size(14));
      case 1: return random_.one_in(4) ? no_limit : twin().numbers.size();
      default: return static_cast<std::size_t>(random_.below(10));
    }
  }
  std::ptrdiff_t some_index() {
    const auto n = static_cast<std::int64_t>(twin().numbers.size());
    switch (random_.below(8)) {
      case 0: return random_.one_of({lowest, std::numeric_limits<std::ptrdiff_t>::max(), lowest + 1});
      case 1: return static_cast<std::ptrdiff_t>(n - 2 + static_cast<std::int64_t>(random_.below(5)));
      case 2: return static_cast<std::ptrdiff_t>(-n - 2 + static_cast<std::int64_t>(random_.below(5)));
      case 3: return static_cast<std::ptrdiff_t>(random_.below(7)) - 3;
      default:
        return static_cast<std::ptrdiff_t>(static_cast<std::int64_t>(random_.below(2 * twin().numbers.size() + 1)) - n);
    }
  }
  // Most often one that there is.
  std::uint64_t some_number() {
    if (!twin().numbers.empty() && !random_.one_in(5)) return random_.one_of(twin().numbers);
    return random_.below(next_value_);
  }

  static constexpr std::ptrdiff_t lowest = std::numeric_limits<std::ptrdiff_t>::min();
  static constexpr std::size_t enough = 12'000;

  Random& random_;
  Journal& journal_;
  std::vector<Double> twins_;
  std::vector<std::unique_ptr<List>> lists_;
  std::size_t which_ = 0;
  std::uint64_t habit_ = 0;
  std::uint64_t growth_ = 2;
  std::uint64_t positions_ = 0;
  bool batches_ = false;
  std::uint64_t next_value_ = 1;
};

void fuzz_lists(const Arguments& how, Random& random, Journal& journal) {
  for (std::uint64_t left = how.operations; left > 0;) {
    const std::uint64_t operations =
        std::min<std::uint64_t>(left, random.between(1, random.one_in(10) ? 20'000 : 1000));
    switch (random.below(4)) {
      case 0: Life<std::string>(random, journal).run(operations); break;
      case 1: Life<Heavy>(random, journal).run(operations); break;
      default: Life<std::uint64_t>(random, journal).run(operations);
    }
    left -= operations;
  }
}

}  // namespace

int main(int count, char** values) {
  const Arguments how = arguments(count, values, {.seed = 1, .operations = 200'000});
  Random random(how.seed);
  Journal journal;
  try {
    fuzz_lists(how, random, journal);
  } catch (const std::exception& problem) { return report("list_against_deque", how, journal, problem); }
  std::printf("list_against_deque: seed %llu, %llu operations, no difference\n",
              static_cast<unsigned long long>(how.seed), static_cast<unsigned long long>(how.operations));
  return 0;
}
