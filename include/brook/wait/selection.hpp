// selection.hpp — taking exactly one thing of several sources, for whoever waits: a thread that sleeps, or a completion.
//
// Each source is a case (wait/case.hpp). One thread at a time uses a selection. Its lines are left before its results are
// looked at, and it is settled in between.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/owned.hpp>
#include <brook/error.hpp>
#include <brook/wait.hpp>
#include <brook/wait/alarm.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::wait {

/// A selection, whatever its cases are.
class AnySelection {
 public:
  AnySelection(const AnySelection&) = delete;
  AnySelection& operator=(const AnySelection&) = delete;

  /// That of the first case that had one. Time is told by it.
  [[nodiscard]] Clock& clock() const noexcept { return clock_or_system(clock_); }

  /// No thread sleeps for it.
  void be_prompt() noexcept {
    Case* one = first_;
    for (std::size_t i = 0; i < size_; ++i, one = one->next_) one->prompt_ = true;
  }
  /// Takes what is there; whether it has ended, with that, or because there will be nothing any more.
  [[nodiscard]] bool poll(const Wait& wait) {
    return each([waits = wait.may_wait()](Case& one) {
      one.waits_ = waits;
      return one.poll();
    });
  }
  /// Stands in all lines. When it throws, it may stand in some.
  void enlist(Wakeable& call) {
    call_ = &call;
    choice_.belong_to(call);
    std::uint32_t which = 0;
    for (Case* one = first_; which < size_ && !choice_.taken(); one = one->next_) {  // it may be served at once
      if (!one->over_) one->enlist(call, Bid(choice_, which));
      ++which;
    }
  }
  /// The same as poll(), in line.
  [[nodiscard]] bool look() {
    if (choice_.taken()) return true;
    return each([](Case& one) { return one.look(); }) || choice_.taken();
  }
  /// In line: when to look again, on clock(). Those that live by another one have that wake the call. Throws
  /// std::bad_alloc, and what setting a timer throws.
  [[nodiscard]] Clock::time_point due() {
    Clock::time_point due = Clock::time_point::max();
    Case* one = first_;
    for (std::size_t i = 0; i < size_; ++i, one = one->next_) {
      const Clock::time_point its = one->over_ ? Clock::time_point::max() : one->due();
      if (!one->alarm_) {
        Clock* const its_clock = its == Clock::time_point::max() ? nullptr : one->clock();
        if (its_clock == &clock()) due = std::min(due, its);
        if (its_clock == nullptr || its_clock == &clock()) continue;
        one->alarm_ = core::Owned<Alarm>(new Alarm(*its_clock, *call_));
      }
      one->alarm_->set(its);
    }
    return due;
  }

  /// Stands in no line any more. What was taken is then certain.
  void withdraw() noexcept {
    Case* one = first_;
    for (std::size_t i = 0; i < size_; ++i, one = one->next_) {
      one->withdraw();
      one->alarm_ = {};
    }
    call_ = nullptr;
    choice_.belong_to_nobody();
  }
  /// Which one it was, if any.
  [[nodiscard]] std::optional<std::size_t> taken() const noexcept {
    const auto by_bid = choice_.taken();
    return by_bid ? by_bid : polled_;
  }
  /// Out of line, at most once, with no lock held: see Case. It is then known whether what was taken is the call's. When it throws, what
  /// was taken has been given back.
  void settle(const Wait& wait) {
    const std::optional<std::size_t> which = taken();
    BROOK_TRY {
      Case* one = first_;
      for (std::size_t i = 0; i < size_; ++i, one = one->next_) {
        const auto refused = one->settle(which == i, wait);
        if (which == i) refused_ = refused;
      }
    }
    BROOK_CATCH_ALL {
      give_back();
      refused_ = Errc::exception;
      BROOK_RETHROW;
    }
  }
  /// Why what was taken is not the call's.
  [[nodiscard]] std::optional<Errc> refused() const noexcept { return refused_; }
  /// When nobody wants what was taken.
  void give_back() noexcept {
    const auto which = taken();
    if (which && !refused_) at(*which).give_back();
  }

 protected:
  /// They are to be linked then.
  AnySelection(std::size_t size, std::size_t first) noexcept : size_(size), begin_(first % size) {}
  ~AnySelection() = default;

  void link(Case& one) noexcept {
    if (first_ == nullptr) first_ = &one;
    else last_->next_ = &one;
    last_ = &one;
    one.next_ = first_;
    if (clock_ == nullptr) clock_ = one.clock();
  }
  /// Why there is no result, if there is none, or else which case has it. `why` it is, when neither that one nor the cases tell.
  struct Ended {
    std::size_t which;
    std::optional<Errc> failed;
  };
  [[nodiscard]] Ended ended(Errc why) const noexcept {
    if (refused_) return {0, refused_};
    const auto which = taken();
    return {which.value_or(0), which || all_over() ? std::nullopt : std::optional(why)};
  }

 private:
  [[nodiscard]] Case& at(std::size_t which) const noexcept {
    Case* one = first_;
    while (which-- > 0) one = one->next_;
    return *one;
  }

  template <class Take>
  [[nodiscard]] bool each(const Take& take) {
    Case* one = &at(begin_);
    for (std::size_t i = 0; i < size_; ++i, one = one->next_) {
      if (one->over_) continue;
      const Found found = take(*one);
      if (found == Found::some) polled_ = (begin_ + i) % size_;
      if (found == Found::some) return true;
      one->over_ = found == Found::over;
    }
    return all_over();
  }
  [[nodiscard]] bool all_over() const noexcept {
    const Case* one = first_;
    for (std::size_t i = 0; i < size_; ++i, one = one->next_) {
      if (!one->over_) return false;
    }
    return true;
  }

  Case* first_ = nullptr;
  Case* last_ = nullptr;
  Clock* clock_ = nullptr;  // of an object that may go
  const std::size_t size_;
  const std::size_t begin_;
  Choice choice_;
  Wakeable* call_ = nullptr;
  std::optional<std::size_t> polled_;
  std::optional<Errc> refused_;
};

template <class... Values>
struct OneOf {
  using type = std::variant<Values...>;
};
template <class Value>
struct OneOf<Value> {
  using type = Value;
};

/// What is taken of cases: of one its value; of several a variant, in their order.
template <class... Cases>
using TakenOf = typename OneOf<typename Cases::Value...>::type;

// Side by side: a std::tuple is slow to compile.
template <std::size_t at, class Case>
struct CaseAt {
  Case one;
};

template <class Places, class... Cases>
class CasesAt;
template <std::size_t... at, class... Cases>
class CasesAt<std::index_sequence<at...>, Cases...> : private CaseAt<at, Cases>... {
 public:
  static constexpr std::size_t size = sizeof...(Cases);
  static_assert(size > 0, "there must be something to wait for");

  using Value = TakenOf<Cases...>;

  template <class... Sources>
  explicit CasesAt(Sources&&... sources) : CaseAt<at, Cases>{Cases(std::forward<Sources>(sources))}... {}

  template <class Use>
  void each(const Use& use) {
    (use(static_cast<CaseAt<at, Cases>&>(*this).one), ...);
  }
  [[nodiscard]] expected<Value, Errc> result_of(std::size_t which) {
    using Make = expected<Value, Errc> (*)(CasesAt&);
    static constexpr Make make[] = {&CasesAt::template result_at<at, Cases>...};
    return make[which](*this);
  }

 private:
  template <std::size_t place, class Case>
  [[nodiscard]] static expected<Value, Errc> result_at(CasesAt& cases) {
    Case& one = static_cast<CaseAt<place, Case>&>(cases).one;
    if constexpr (size == 1) {
      return one.result();
    } else {
      auto given = one.result();
      if (!given) return unexpected(given.error());
      return expected<Value, Errc>(tl::in_place, std::in_place_index<place>, *std::move(given));
    }
  }
};

template <class... Cases>
class Selection final : public AnySelection {
 public:
  using All = CasesAt<std::index_sequence_for<Cases...>, Cases...>;
  using Value = typename All::Value;

  /// `first` is asked first, and then those behind it, in a circle.
  template <class... Sources>
  explicit Selection(std::size_t first, Sources&&... sources)
      : AnySelection(All::size, first), cases_(std::forward<Sources>(sources)...) {
    cases_.each([this](Case& one) { link(one); });
  }
  ~Selection() { withdraw(); }

  /// Out of line and settled: what was taken, or else why not: that of the first case when all are over, or `why`.
  [[nodiscard]] expected<Value, Errc> result(Errc why) {
    const Ended how = ended(why);
    if (how.failed) return unexpected(*how.failed);
    return cases_.result_of(how.which);
  }

 private:
  All cases_;
};

}  // namespace brook::wait
