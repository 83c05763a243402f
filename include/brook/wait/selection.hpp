// selection.hpp — taking exactly one thing of several sources, for whoever waits: a thread that sleeps, or a completion.
//
// A case is one of the sources, with what the call holds there. It has
//   Value                    what is taken
//   clock()                  the clock that it lives by
//   poll() → Found           takes what is there now, before the call stands in any line
//   enlist(wakeable, bid)    stands in line; whoever serves the line asks the bid first (wait/choice.hpp)
//   look() → Found           the call was woken: takes what is there, by the bid, or sees to it that it is woken again
//   due()                    when to look again, even if nobody wakes the call
//   withdraw()               is in no line any more, and nobody refers to the call; does not throw
//   result()                 what was taken, by whomever; or, when look() or poll() said `over`, why there will be nothing
//   give_back()              instead of result(), when nobody wants that: what was taken can be taken again, by anyone;
//                            does not throw. Only where it would be lost otherwise
// One thread at a time uses a selection. Its lines are left before its results are looked at.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/error.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// What a look at a case found: it took something; or there is nothing yet; or there will be nothing any more.
enum class Found : unsigned char { some, nothing, over };

template <class... Cases>
class Selection {
 public:
  static constexpr std::size_t size = sizeof...(Cases);
  static_assert(size > 0, "there must be something to wait for");

  /// Of one case its value; of several a variant, in the order of the cases.
  using Value = typename std::conditional_t<size == 1, std::tuple_element<0, std::tuple<typename Cases::Value...>>,
                                            std::type_identity<std::variant<typename Cases::Value...>>>::type;

  /// `first` is asked first, and then those behind it, in a circle.
  template <class... Sources>
  explicit Selection(std::size_t first, Sources&&... sources)
      : cases_(std::forward<Sources>(sources)...), first_(first % size) {}
  ~Selection() { withdraw(); }
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;

  [[nodiscard]] Clock& clock() const noexcept { return std::get<0>(cases_).clock(); }

  /// Takes what is there; whether it has ended, with that, or because there will be nothing any more.
  [[nodiscard]] bool poll() {
    return each([](auto& one) { return one.poll(); });
  }
  /// Stands in all lines. When it throws, it may stand in some.
  void enlist(Wakeable& call) {
    choice_.belong_to(call);
    for (std::uint32_t which = 0; which < size && !choice_.taken(); ++which) {  // it may be served at once
      if (!over_[which]) visit(which, [&](auto, auto& one) { one.enlist(call, Bid(choice_, which)); });
    }
  }
  /// The same as poll(), in line.
  [[nodiscard]] bool look() {
    if (choice_.taken()) return true;
    return each([](auto& one) { return one.look(); }) || choice_.taken();
  }
  [[nodiscard]] Clock::time_point due() const {
    const bool* over = over_.data();
    const auto due_of = [&over](const auto& one) { return *over++ ? Clock::time_point::max() : one.due(); };
    return std::apply([&](const auto&... one) { return std::min({due_of(one)...}); }, cases_);
  }

  /// Stands in no line any more. What was taken is then settled.
  void withdraw() noexcept {
    std::apply([](auto&... one) { (one.withdraw(), ...); }, cases_);
  }
  /// Which one it was, if any.
  [[nodiscard]] std::optional<std::size_t> taken() const noexcept {
    const auto by_bid = choice_.taken();
    return by_bid ? std::optional<std::size_t>(*by_bid) : polled_;
  }
  /// Out of line: what was taken, or else why not: that of the first case when all are over, or `why`.
  [[nodiscard]] expected<Value, Errc> result(Errc why) {
    if (!taken() && !all_over()) return unexpected(why);
    return result_of(taken().value_or(0));
  }
  /// The same, when nobody wants it.
  void give_back() noexcept {
    const auto which = taken();
    if (!which) return;
    visit(*which, [](auto, auto& one) {
      if constexpr (requires { one.give_back(); }) one.give_back();
    });
  }

 private:
  template <std::size_t at = 0>
  [[nodiscard]] expected<Value, Errc> result_of(std::size_t which) {
    if constexpr (at + 1 < size) {
      if (which != at) return result_of<at + 1>(which);
    }
    auto given = std::get<at>(cases_).result();
    if (!given) return unexpected(given.error());
    if constexpr (size == 1) return *std::move(given);
    else return expected<Value, Errc>(tl::in_place, std::in_place_index<at>, *std::move(given));
  }

  template <class F>
  void visit(std::size_t which, F&& f) {
    [&]<std::size_t... at>(std::index_sequence<at...>) {
      static_cast<void>(
          ((at == which && (f(std::integral_constant<std::size_t, at>(), std::get<at>(cases_)), true)) || ...));
    }
    (std::make_index_sequence<size>());
  }

  template <class Take>
  [[nodiscard]] bool each(Take&& take) {
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t which = (first_ + i) % size;
      if (over_[which]) continue;
      auto found = Found::nothing;
      visit(which, [&](auto, auto& one) { found = take(one); });
      if (found == Found::some) polled_ = which;
      if (found == Found::some) return true;
      over_[which] = found == Found::over;
    }
    return all_over();
  }
  [[nodiscard]] bool all_over() const noexcept {
    return std::ranges::all_of(over_, [](bool over) { return over; });
  }

  std::tuple<Cases...> cases_;
  const std::size_t first_;
  Choice choice_;
  std::array<bool, size> over_{};
  std::optional<std::size_t> polled_;
};

}  // namespace brook::wait
