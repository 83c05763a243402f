// sources.hpp — what can be waited for, alone or together with other things: from(…), and into(…) for what waits for room.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/channel/receiving.hpp>
#include <brook/consumer.hpp>
#include <brook/options.hpp>
#include <brook/pubsub.hpp>
#include <brook/pubsub/line.hpp>
#include <brook/requests.hpp>
#include <brook/stream.hpp>
#include <brook/stream/reading.hpp>
#include <brook/subscription.hpp>
#include <brook/wait/selection.hpp>

namespace brook {

namespace selection {

template <class Question, class Answer>
struct AsRequest {
  using Value = Request<Question, Answer>;
  using One = channel::OneMessage<channel::Asked<Question, Answer>, channel::Source<channel::Asked<Question, Answer>>>;
  template <class Payload>
  [[nodiscard]] static Value of(channel::Batch<Payload>&& batch) noexcept {
    return Value(One::of(std::move(batch)));
  }
};

}  // namespace selection

/// What from() makes: something to wait for. It may outlive the object, and then says that it is closed.
template <class T>
concept Source = requires {
  typename std::remove_cvref_t<T>::Case;
};

/// What is taken from a source.
template <Source T>
using ValueFrom = typename std::remove_cvref_t<T>::Case::Value;

/// The element at an end of a list (BLPOP, BRPOP): a T, which must move without throwing.
template <class T>
requires std::is_nothrow_move_constructible_v<T>
[[nodiscard]] blocking_list::PopFrom<T> from(BlockingList<T>& list, Side side = Side::left) {
  return {shared_state_of(list), side};
}
/// Up to `most` elements, at least 1, at an end of a list (BLMPOP): a std::vector<T>.
template <class T>
requires std::is_nothrow_move_constructible_v<T>
[[nodiscard]] blocking_list::PopManyFrom<T> from(BlockingList<T>& list, Side side, std::size_t most) {
  return {shared_state_of(list), side, most == 0 ? 1 : most};
}
/// An element that goes from one list to another, or to the other end, at one instant (BLMOVE): a copy of it. Errors
/// further: closed and full, of the list that it goes to.
template <class T>
requires std::is_nothrow_move_constructible_v<T> && std::copy_constructible<T>
[[nodiscard]] blocking_list::MoveFrom<T> moving(BlockingList<T>& list, BlockingList<T>& to, Side from_side,
                                                Side to_side) {
  return {shared_state_of(list), shared_state_of(to), from_side, to_side};
}

/// Deliveries of new entries to a consumer (XREADGROUP): a Deliveries<T>. What `options` say of waiting does not count;
/// a count of 0 is 1.
template <class T>
[[nodiscard]] typename Consumer<T>::ReadFrom from(const Consumer<T>& consumer, ReadOptions options = {}) {
  if (options.count == 0) options.count = 1;
  return {consumer, std::move(options)};
}

/// Entries of a stream after a position, at most `count`, at least 1 (XREAD): an Entries<T>. `latest` means the last id
/// when the call begins.
template <class T>
[[nodiscard]] stream::ReadFrom<T> from(const Stream<T>& stream, Position after, std::size_t count = no_limit) {
  return {shared_state_of(stream), after, count == 0 ? 1 : count};
}

/// The next message of a subscription: a Message<T>. A call that waits counts as one that receives, of which there is one
/// at a time unless the subscription shares.
template <class T, class Of>
[[nodiscard]] channel::ReceiveFrom<Of, channel::OneMessage<T, Of>> from(BasicSubscription<T, Of>& subscription) {
  return {membership_of(subscription), 1};
}
/// All messages of a subscription that there are, at most `most`, at least 1: its Messages.
template <class T, class Of>
[[nodiscard]] channel::ReceiveFrom<Of, channel::AllMessages<Of>> from(BasicSubscription<T, Of>& subscription,
                                                                      std::size_t most) {
  return {membership_of(subscription), most == 0 ? 1 : most};
}

/// The next question that came to who serves: a Request, which perhaps nobody waits for any more.
template <class Question, class Answer>
[[nodiscard]] auto from(Service<Question, Answer>& service) {
  using Asked = channel::Asked<Question, Answer>;
  using Shape = selection::AsRequest<Question, Answer>;
  return channel::ReceiveFrom<channel::Source<Asked>, Shape>{membership_of(subscription_of(service)), 1};
}
/// The answer to a question that was sent (Requests::send): an Answer, which must move without throwing. Once, as
/// Reply::get(); errors further: unanswered, and with what it was refused.
template <class Answer>
requires std::is_nothrow_move_constructible_v<Answer>
[[nodiscard]] channel::AnswerFrom<Answer> from(Reply<Answer>& reply) { return source_of(reply); }

/// A source as it is; so that calls take objects and sources alike.
template <Source T>
[[nodiscard]] T&& from(T&& source) noexcept {
  return std::forward<T>(source);
}

/// Something that from() makes a source of by itself.
template <class T>
concept Selectable = requires(T&& object) {
  { brook::from(std::forward<T>(object)) } -> Source;
};

namespace selection {

/// As it is kept by a call that goes on after it has returned: with the value that it brings, if it brings one.
template <Source T>
[[nodiscard]] auto kept(T&& source) {
  if constexpr (requires { source.keep(); }) return source.keep();
  else return std::remove_cvref_t<T>(std::forward<T>(source));
}

template <Selectable T>
using SourceOf = std::remove_cvref_t<decltype(brook::from(std::declval<T>()))>;

template <Selectable T>
using KeptSourceOf = decltype(selection::kept(brook::from(std::declval<T>())));

template <Selectable... T>
using SelectionOf = wait::Selection<typename SourceOf<T>::Case...>;

template <Selectable... T>
using Taken = wait::TakenOf<typename SourceOf<T>::Case...>;

}  // namespace selection

}  // namespace brook
