// payload.hpp — what lies in a slot for a value, and how values move into slots and back.
//
// An appender that was passed takes its value back, and that must not fail. A type that moves without throwing lies in
// the slot itself; any other is boxed when it comes in, before a slot is claimed for it.
#pragma once

#include <cstddef>
#include <memory>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/core/config.hpp>

namespace brook::log {

template <class T>
concept LiesInSlot = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>;

/// A bool that is an object of its own in a std::vector too.
struct Flag {
  bool value;
};

template <class T>
using PayloadOf =
    std::conditional_t<std::is_same_v<T, bool>, Flag, std::conditional_t<LiesInSlot<T>, T, std::unique_ptr<T>>>;

/// How many bytes a payload is known to keep outside of its slot.
template <class Payload>
inline constexpr std::size_t bytes_elsewhere = 0;
template <class T>
inline constexpr std::size_t bytes_elsewhere<std::unique_ptr<T>> = sizeof(T);
template <class T>
inline constexpr std::size_t bytes_elsewhere<std::unique_ptr<T[]>> = 0;

/// Builds the payload for a T. May throw what T's constructor throws, and std::bad_alloc for a boxed type.
template <class T, class... Arguments>
[[nodiscard]] PayloadOf<T> make_payload(Arguments&&... arguments) {
  if constexpr (std::is_same_v<T, bool>) return Flag{T(std::forward<Arguments>(arguments)...)};
  else if constexpr (LiesInSlot<T>) return T(std::forward<Arguments>(arguments)...);
  else return std::make_unique<T>(std::forward<Arguments>(arguments)...);
}

template <class T>
[[nodiscard]] T& value_of(PayloadOf<T>& payload) noexcept {
  if constexpr (std::is_same_v<T, bool>) return payload.value;
  else if constexpr (LiesInSlot<T>) return payload;
  else return *payload;
}

template <class T>
[[nodiscard]] const T& value_of(const PayloadOf<T>& payload) noexcept {
  if constexpr (std::is_same_v<T, bool>) return payload.value;
  else if constexpr (LiesInSlot<T>) return payload;
  else return *payload;
}

/// A value that is handed over with what it lies in.
template <class T>
struct Kept {
  /// Throws what make_payload() does.
  template <class Value>
  explicit Kept(Value&& value) : payload(make_payload<T>(std::forward<Value>(value))) {}
  Kept(Kept&&) noexcept = default;

  PayloadOf<T> payload;
};

/// The payload of a value that is handed over by `Value&&`: the caller's own object, which is moved from only when it is
/// stored, if it can lie in a slot as it is; else one made of it.
template <class T, class Value>
class Given {
 public:
  /// Throws what make_payload() does.
  explicit Given(Value&& value) : payload_(payload_of(std::forward<Value>(value))) {}
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;

  [[nodiscard]] PayloadOf<T>& payload() noexcept { return payload_; }

 private:
  static constexpr bool direct = std::is_same_v<Value, PayloadOf<T>>;

  [[nodiscard]] static decltype(auto) payload_of(Value&& value) {
    if constexpr (direct) return static_cast<PayloadOf<T>&>(value);
    else if constexpr (std::is_same_v<Value, Kept<T>>) return std::move(value.payload);
    else return make_payload<T>(std::forward<Value>(value));
  }

  std::conditional_t<direct, PayloadOf<T>&, PayloadOf<T>> payload_;
};

/// The payloads for the values of a range. Throws what make_payload() does.
template <class T, std::ranges::input_range Range>
[[nodiscard]] std::vector<PayloadOf<T>> make_payloads(Range&& values) {
  if constexpr (std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range>) {
    using Value = std::remove_cvref_t<std::ranges::range_reference_t<Range>>;
    if constexpr (std::is_same_v<Value, PayloadOf<T>> && std::is_trivially_copyable_v<T>) {
      const Value* const first = std::ranges::data(values);
      return std::vector<Value>(first, first + std::ranges::size(values));
    }
  }
  std::vector<PayloadOf<T>> payloads;
  if constexpr (std::ranges::sized_range<Range>) payloads.reserve(static_cast<std::size_t>(std::ranges::size(values)));
  for (auto&& value : values) payloads.push_back(make_payload<T>(std::forward<decltype(value)>(value)));
  return payloads;
}

/// The payloads of one append, which stay the caller's until it has succeeded.
template <class Payload>
class Values {
 public:
  Values(Payload* first, std::size_t size) noexcept : first_(first), size_(size) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  template <class Slot>
  void move_to(std::size_t i, Slot& slot) const noexcept {
    std::construct_at(static_cast<Payload*>(slot.room()), std::move(first_[i]));
  }

  /// Undoes move_to, which left a moved-from value behind.
  template <class Slot>
  void take_back(std::size_t i, Slot& slot) const noexcept {
    if constexpr (!std::is_trivially_copyable_v<Payload>) {
      std::destroy_at(first_ + i);
      std::construct_at(first_ + i, std::move(slot.payload()));
    }
    std::destroy_at(std::addressof(slot.payload()));
  }

  /// The i-th value, to be moved from; and how it comes back.
  [[nodiscard]] Payload& operator[](std::size_t i) const noexcept { return first_[i]; }
  void put_back(std::size_t i, Payload&& payload) const noexcept {
    std::destroy_at(first_ + i);
    std::construct_at(first_ + i, std::move(payload));
  }

  /// The values from the i-th on.
  [[nodiscard]] Values from(std::size_t i) const noexcept { return {first_ + i, size_ - i}; }

 private:
  Payload* first_;
  std::size_t size_;
};

}  // namespace brook::log
