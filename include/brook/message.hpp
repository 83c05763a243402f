// message.hpp — what a subscriber receives: messages in place, not copies of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <brook/core/config.hpp>
#include <brook/log/hold.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/runs.hpp>

namespace brook {

namespace channel {

/// A message that was published to channels that have names.
template <class T>
struct Parcel {
  T value;
  std::vector<std::string> channels;
};

}  // namespace channel

/// One message, shown where it was stored once for all who receive it. It stays valid after the subscription and the
/// channel are gone. Keep it no longer than needed: it keeps its neighbours too (up to 64 KiB). Copying costs one
/// atomic increment. Distinct objects may be used by distinct threads.
template <class T>
class Message {
 public:
  [[nodiscard]] const T& operator*() const noexcept { return *value_; }
  [[nodiscard]] const T* operator->() const noexcept { return value_; }

  /// The name it was published to; empty when it came from a Channel, which has none.
  [[nodiscard]] std::string_view channel() const noexcept { return channel_ ? *channel_ : std::string_view(); }
  /// The pattern by which it was subscribed to; empty when that was done by name.
  [[nodiscard]] std::string_view pattern() const noexcept { return pattern_ ? *pattern_ : std::string_view(); }

  /// How many messages between this one and the one that was received before were dropped, as the backlog had no room.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  /// For the library.
  Message(const log::Hold<log::PayloadOf<T>>& hold, const T& value, std::uint64_t lost) noexcept
      : hold_(hold), value_(&value), lost_(lost) {}
  /// For the library.
  Message(std::shared_ptr<const channel::Parcel<T>> parcel, const std::string& channel,
          std::shared_ptr<const std::string> pattern, std::uint64_t lost) noexcept
      : value_(&parcel->value), lost_(lost), channel_(std::move(parcel), &channel), pattern_(std::move(pattern)) {}

 private:
  log::Hold<log::PayloadOf<T>> hold_;
  const T* value_;
  std::uint64_t lost_;
  std::shared_ptr<const std::string> channel_;  // and the parcel
  std::shared_ptr<const std::string> pattern_;
};

/// Messages that one call received, in their order: what `Show` makes of each. A forward range. In place, as Message;
/// copies are cheap, O(1), and share.
template <class Payload, class Show>
class BasicMessages {
 public:
  /// For the library: what it keeps.
  using Runs = log::Runs<Payload>;

  class iterator {
   public:
    using iterator_concept = std::forward_iterator_tag;
    using iterator_category = std::input_iterator_tag;  // in C++17's sense: dereferencing may make a new object
    using reference = decltype(Show::show(std::declval<const Payload&>()));
    using value_type = std::remove_cvref_t<reference>;
    using difference_type = std::ptrdiff_t;
    using pointer = void;

    iterator() = default;

    [[nodiscard]] reference operator*() const noexcept { return Show::show(at_.slot().payload()); }
    iterator& operator++() noexcept {
      at_.advance();
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator&, const iterator&) noexcept = default;

   private:
    friend class BasicMessages;
    iterator(const Runs& runs, std::size_t run) noexcept : at_(runs, run) {}

    log::RunWalk<Payload> at_;
  };
  using const_iterator = iterator;
  using value_type = typename iterator::value_type;

  BasicMessages() = default;

  [[nodiscard]] iterator begin() const noexcept { return {runs_, 0}; }
  [[nodiscard]] iterator end() const noexcept { return {runs_, runs_.run_count()}; }
  [[nodiscard]] std::size_t size() const noexcept { return runs_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// How many messages were dropped before the first of these, and after what was received before.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

  /// For the library.
  BasicMessages(Runs runs, std::uint64_t lost) noexcept : runs_(std::move(runs)), lost_(lost) {}

 private:
  Runs runs_;
  std::uint64_t lost_ = 0;
};

namespace channel {

/// The value of a message.
template <class T>
struct ShowValue {
  [[nodiscard]] static const T& show(const log::PayloadOf<T>& payload) noexcept { return log::value_of<T>(payload); }
};

}  // namespace channel

/// Messages of a channel: `for (const Tick& tick : *messages)`.
template <class T>
using Messages = BasicMessages<log::PayloadOf<T>, channel::ShowValue<T>>;

}  // namespace brook
