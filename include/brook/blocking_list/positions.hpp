// positions.hpp — what is done with a list's elements by their positions and values. Part of blocking_list.hpp, which
// includes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/blocking_list.hpp>
#include <brook/blocking_list/locked.hpp>
#include <brook/blocking_list/state.hpp>
#include <brook/blocking_list/watched.hpp>
#include <brook/error.hpp>
#include <brook/log/payload.hpp>
#include <brook/probe/watching.hpp>

namespace brook {

namespace blocking_list {

/// The lock of a list whose elements are all at hand, and stay so for a while.
template <class T>
class Gathered {
 public:
  explicit Gathered(State<T>& list) : locked_(list), elements_(list.elements) {
    elements_.gather();
    elements_.note_other();
  }

  [[nodiscard]] std::size_t size() const noexcept { return elements_.size(); }
  [[nodiscard]] T& operator[](std::size_t i) const noexcept { return log::value_of<T>(elements_.at(i)); }

  /// Positions [from, to) that a Redis range from `first` to `last` means.
  struct Range {
    std::size_t from;
    std::size_t to;
  };
  [[nodiscard]] Range range(std::ptrdiff_t first, std::ptrdiff_t last) const noexcept {
    const auto n = static_cast<std::ptrdiff_t>(size());
    const std::ptrdiff_t from = std::clamp<std::ptrdiff_t>(first < 0 ? first + n : first, 0, n);
    const std::ptrdiff_t to = std::clamp<std::ptrdiff_t>(last < 0 ? last + n : last, -1, n - 1) + 1;
    return {static_cast<std::size_t>(from), static_cast<std::size_t>(std::max(from, to))};
  }
  /// The position that a Redis index means; size() when there is none.
  [[nodiscard]] std::size_t position(std::ptrdiff_t at) const noexcept {
    const auto n = static_cast<std::ptrdiff_t>(size());
    const std::ptrdiff_t from_left = at < 0 ? at + n : at;
    return from_left < 0 || from_left >= n ? size() : static_cast<std::size_t>(from_left);
  }

 private:
  const Locked<T> locked_;
  typename State<T>::Elements& elements_;
};

}  // namespace blocking_list

template <class T>
ListInfo BlockingList<T>::info() const {
  const Locked locked(*state_);
  const State& list = *state_;
  return {.length = state_->elements.count(),
          .capacity = list.options.capacity == no_limit ? 0 : list.options.capacity,
          .waiting_poppers = list.poppers.size(),
          .waiting_pushers = list.pushers.size(),
          .closed = list.closed};
}

template <class T>
std::vector<T> BlockingList<T>::lrange(std::ptrdiff_t first,
                                       std::ptrdiff_t last) const requires std::copy_constructible<T> {
  const blocking_list::Gathered<T> elements(*state_);
  const auto [from, to] = elements.range(first, last);
  std::vector<T> copies;
  copies.reserve(to - from);
  for (std::size_t i = from; i < to; ++i) copies.push_back(elements[i]);
  return copies;
}

template <class T>
std::optional<T> BlockingList<T>::lindex(std::ptrdiff_t at) const requires std::copy_constructible<T> {
  const blocking_list::Gathered<T> elements(*state_);
  const std::size_t i = elements.position(at);
  return i < elements.size() ? std::optional<T>(elements[i]) : std::nullopt;
}

template <class T>
std::vector<std::size_t> BlockingList<T>::lpos_all(
    const T& value, const LposOptions& options) const requires std::equality_comparable<T> {
  const blocking_list::Gathered<T> elements(*state_);
  const std::size_t n = elements.size();
  std::size_t skip =
      options.rank == 0 ? 0 : static_cast<std::size_t>(options.rank < 0 ? -(options.rank + 1) : options.rank - 1);
  std::vector<std::size_t> found;
  for (std::size_t seen = 0; seen < std::min(n, options.max_len) && found.size() < options.count; ++seen) {
    const std::size_t i = options.rank < 0 ? n - 1 - seen : seen;
    if (!(elements[i] == value)) continue;
    if (skip > 0) --skip;
    else found.push_back(i);
  }
  return found;
}

template <class T>
std::optional<std::size_t> BlockingList<T>::lpos(const T& value,
                                                 LposOptions options) const requires std::equality_comparable<T> {
  options.count = 1;
  const std::vector<std::size_t> found = lpos_all(value, options);
  return found.empty() ? std::nullopt : std::optional(found.front());
}

template <class T>
expected<void, Errc> BlockingList<T>::lset(std::ptrdiff_t at, T value) {
  auto payload = log::make_payload<T>(std::move(value));
  const Call call{.operation = Operation::set, .size = 1};
  return probing::perform(*state_, call, [&](const Manner& manner) -> expected<void, Errc> {
    probing::begin(manner);
    blocking_list::Told told;
    if (const auto refused = state_->refuse({std::addressof(payload), 1}, told)) return unexpected(*refused);
    const blocking_list::Gathered<T> elements(*state_);
    if (state_->closed) return unexpected(Errc::closed);
    const std::size_t i = elements.position(at);
    if (i == elements.size()) return unexpected(Errc::invalid_argument);
    state_->elements.trade(i, payload, told.of(0));
    return {};
  });
}

template <class T>
expected<std::optional<std::size_t>, Errc> BlockingList<T>::insert(std::size_t behind, const T& pivot, T&& value) {
  auto payload = log::make_payload<T>(std::move(value));
  using Result = expected<std::optional<std::size_t>, Errc>;
  return blocking_list::watch_insert(*state_, payload, [&]() -> Result {
    blocking_list::Told told;
    if (const auto refused = state_->refuse({std::addressof(payload), 1}, told)) return unexpected(*refused);
    const blocking_list::Gathered<T> elements(*state_);
    if (state_->closed) return unexpected(Errc::closed);
    std::size_t i = 0;
    while (i < elements.size() && !(elements[i] == pivot)) ++i;
    if (i == elements.size()) return std::nullopt;
    if (!state_->has_room(1)) return unexpected(Errc::full);
    state_->elements.insert(i + behind, std::move(payload), told.of(0));
    return elements.size();
  });
}

template <class T>
std::size_t BlockingList<T>::lrem(std::ptrdiff_t count, const T& value) requires std::equality_comparable<T> {
  return probing::perform(*state_, {.operation = Operation::erase}, [&](const Manner& manner) {
    probing::begin(manner);
    return remove_equal(count, value);
  });
}

template <class T>
std::size_t BlockingList<T>::remove_equal(std::ptrdiff_t count, const T& value) {
  std::vector<Payload> gone;
  const blocking_list::Gathered<T> elements(*state_);
  const std::size_t n = elements.size();
  const std::size_t most = count == 0 ? n : static_cast<std::size_t>(count < 0 ? -(count + 1) : count - 1) + 1;
  std::vector<bool> matches(n);
  for (std::size_t seen = 0, found = 0; seen < n && found < most; ++seen) {
    const std::size_t i = count < 0 ? n - 1 - seen : seen;
    matches[i] = elements[i] == value;
    found += matches[i] ? 1 : 0;
  }
  gone.reserve(n);
  state_->elements.remove([&](std::size_t i) noexcept { return matches[i]; },
                          [&](Payload&& payload) noexcept { gone.push_back(std::move(payload)); });
  return gone.size();
}

template <class T>
void BlockingList<T>::ltrim(std::ptrdiff_t first, std::ptrdiff_t last) {
  static_cast<void>(probing::perform(*state_, {.operation = Operation::trim}, [&](const Manner& manner) {
    probing::begin(manner);
    std::vector<Payload> gone;
    const blocking_list::Gathered<T> elements(*state_);
    const auto [from, to] = elements.range(first, last);
    gone.reserve(elements.size() - (to - from));
    state_->elements.keep(from, to, [&](Payload&& payload) noexcept { gone.push_back(std::move(payload)); });
    return gone.size();
  }));
}

template <class T>
std::size_t BlockingList<T>::clear() {
  return probing::perform(*state_, {.operation = Operation::erase}, [&](const Manner& manner) {
    probing::begin(manner);
    std::deque<Payload> gone;
    const blocking_list::Gathered<T> elements(*state_);
    state_->elements.give_all(gone);
    return gone.size();
  });
}

}  // namespace brook
