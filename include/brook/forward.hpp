// forward.hpp — acknowledging an entry here and adding others elsewhere at one instant: Delivery::forward.
//
//   order.forward(invoices, invoice);                               // into one stream
//   order.forward(into(invoices, invoice), into(audit, "paid"));    // into several at once
//
// Part of stream.hpp, which includes it.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <brook/delivery.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/into.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/log/together.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream.hpp>
#include <brook/stream/adding.hpp>
#include <brook/stream/joint_add.hpp>
#include <brook/stream/retention.hpp>
#include <brook/wait.hpp>

namespace brook {

template <class U, class Value>
class Into<Stream<U>, Value> {
 public:
  using Added = Id;

  Into(Stream<U>& to, Value&& value) : to_(to), value_(std::forward<Value>(value)) {}

  /// The change that it is; for one thread, and one forward.
  class Change {
   public:
    explicit Change(const Into& into)
        : value_(std::forward<Value>(into.value_)), add_(*into.to_.state_, value_.payload()) {}

    [[nodiscard]] log::Change* get() noexcept { return &add_; }
    [[nodiscard]] Added added() const noexcept { return add_.id(); }
    template <class Run>
    [[nodiscard]] std::optional<Errc> watch(const Run& run) {
      return stream::watch_part(add_.stream(), {std::addressof(value_.payload()), 1}, run, [this] { return added(); });
    }

   private:
    log::Given<U, Value> value_;
    stream::JointAdd<U> add_;
  };

  /// Waiting for room.
  using Case = stream::Adding<U, Value>;
  using Kept = KeptInto<stream::Adding<U, log::Kept<U>>, std::shared_ptr<stream::State<U>>, U>;

  // — for the library —

  [[nodiscard]] std::shared_ptr<stream::State<U>> state() const noexcept { return shared_state_of(to_); }
  [[nodiscard]] Value&& value() const noexcept { return std::forward<Value>(value_); }
  [[nodiscard]] Kept keep() const { return Kept(state(), log::Kept<U>(value())); }

 private:
  Stream<U>& to_;
  Value&& value_;
};

/// A value that is to be added to a stream: in a forward, without waiting for room; in a select or a completion when there
/// is room. An rvalue of the stream's own type is moved from only when that succeeds, and must be there until then; anything
/// else is copied or converted when the call begins. on_ready() and async_ready() move it in at once, and keep it: it goes with
/// them when there was no room.
template <class U, class Value>
requires std::constructible_from<U, Value>
[[nodiscard]] Into<Stream<U>, Value> into(Stream<U>& to, Value&& value) { return {to, std::forward<Value>(value)}; }

/// Has each target's probe watch its part of what `run` does.
template <class Run>
[[nodiscard]] std::optional<Errc> watch_all(const Run& run) {
  return run();
}
template <class Run, class Part, class... Parts>
[[nodiscard]] std::optional<Errc> watch_all(const Run& run, Part& part, Parts&... parts) {
  return part.watch([&] { return watch_all(run, parts...); });
}

template <class T>
template <class Add>
bool Delivery<T>::forward_by(Add add) const {
  if (!share_->told()) return false;
  const auto call = [](void* context) { return (*static_cast<Add*>(context))(); };
  const auto at = share_->first() + within_;
  return share_->page().owner().forward(share_->page(), at, {to_, count_}, {call, &add});
}

// With what the probe of this entry's stream says to it, if there is one.
template <class T>
template <class Run>
[[gnu::cold]] std::optional<Errc> Delivery<T>::watch_forward(const Run& run) const {
  if (!share_->watched()) return run();
  return watch<std::optional<Errc>>(Operation::forward, [&](const Manner& manner) {
    probing::begin(manner);
    return run();
  });
}

template <class T>
template <class U, class Value>
expected<Id, Errc> Delivery<T>::forward(Stream<U>& to, Value&& value) const {
  expected<Id, Errc> added = unexpected(Errc::not_pending);
  const auto add = [&](log::PayloadOf<U>& payload) {
    const auto forward_now = [&] {
      forward_by([&] {
        added = to.append_locked(log::Request::at_time(to.state_->unix_ms()), payload);
        return added.has_value();
      });
    };
    if (!share_->watched() && !to.state_->watched()) [[likely]]
      return forward_now();
    const auto failed = watch_forward([&] {
      const auto run = [&] { return forward_now(), added ? std::nullopt : std::optional(added.error()); };
      return stream::watch_part(*to.state_, {std::addressof(payload), 1}, run, [&] { return *added; });
    });
    if (failed) added = unexpected(*failed);
  };
  if constexpr (std::is_same_v<Value, log::PayloadOf<U>>) {
    add(value);  // which keeps it when there is an error
  } else {
    auto payload = log::make_payload<U>(std::forward<Value>(value));
    add(payload);
  }
  if (added) stream::settle_added(*to.state_, *added, 1);
  return added;
}

template <class T>
template <ForwardTarget... Targets>
expected<std::tuple<typename Targets::Added...>, Errc> Delivery<T>::forward(Targets&&... targets) const {
  std::tuple<typename Targets::Change...> parts(targets...);
  return std::apply(
      [&](auto&... part) -> expected<std::tuple<typename Targets::Added...>, Errc> {
        const auto forward_now = [&] {
          std::array<log::Change*, sizeof...(Targets)> changes{part.get()...};
          std::optional<Errc> failed = Errc::not_pending;
          forward_by([&] {
            failed = log::make_together(changes);
            return !failed;
          });
          return failed;
        };
        if (const auto failed = watch_forward([&] { return watch_all(forward_now, part...); }))
          return unexpected(*failed);
        return std::tuple(part.added()...);
      },
      parts);
}

}  // namespace brook
