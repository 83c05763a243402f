// eventfd.hpp — a file descriptor that is readable while there may be something to take: for epoll, poll, libuv, … Linux.
//
//   brook::ReadyFd ready(jobs, ticks);
//   epoll_ctl(epoll, EPOLL_CTL_ADD, ready.fd(), &event);
//   … readable:
//   while (auto got = ready.take()) …                      // until it answers timed_out: there is nothing more for now
#pragma once

#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <variant>

#include <sys/eventfd.h>
#include <unistd.h>

#include <brook/core/undo.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/into.hpp>
#include <brook/requests.hpp>
#include <brook/select.hpp>
#include <brook/select/sources.hpp>
#include <brook/stream/reading.hpp>
#include <brook/wait.hpp>
#include <brook/wait/completion.hpp>

namespace brook {

namespace readiness {

// An eventfd. Any thread may set it; the loop's clears it.
class Signal {
 public:
  Signal() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Signal() {
    if (fd_ >= 0) ::close(fd_);
  }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  [[nodiscard]] int fd() const noexcept { return fd_; }
  // Neither fails: at most one value is ever waiting there.
  void set() const noexcept { static_cast<void>(::eventfd_write(fd_, 1)); }
  void clear() const noexcept {
    eventfd_t value{};
    static_cast<void>(::eventfd_read(fd_, &value));
  }

 private:
  const int fd_;
};

struct Announce {
  std::shared_ptr<const Signal> signal;

  template <class Completion>
  void operator()(const Completion&) const noexcept {
    signal->set();
  }
};

// What can be taken from again and again; not what is done once, as into(…) and the answer to a question.
template <class Source>
inline constexpr bool goes_on = true;
template <class To, class Value>
inline constexpr bool goes_on<Into<To, Value>> = false;
template <class Answer>
inline constexpr bool goes_on<channel::AnswerFrom<Answer>> = false;

// A source is settled when the loop begins, and goes on behind what was taken.
template <class Source>
void begin(Source&) noexcept {}
template <class T>
void begin(stream::ReadFrom<T>& from) {
  from.resolve();
}
template <class Source, class Value>
void go_on(Source&, const Value&) noexcept {}
template <class T>
void go_on(stream::ReadFrom<T>& from, const Entries<T>& entries) noexcept {
  from.after = entries.back().id;
}

}  // namespace readiness

/// Sources that an event loop takes from, one thing after the other, when the descriptor says that there may be something.
/// Meanwhile the loop stands in the line of each source, as a call that waits: so it gets its turn among them. What comes
/// then, at most one thing, is set aside, and take() returns that first.
///
/// For one thread, the loop's; the sources can be used by any. It may outlive their objects, but not their clocks.
template <Source... Sources>
requires(sizeof...(Sources) > 0) && (readiness::goes_on<Sources> && ...) class ReadyFd {
 public:
  /// What take() answers: as of a select() of these sources.
  using Value = typename wait::Selection<typename Sources::Case...>::Value;

  /// Throws std::bad_alloc. Where the system has no descriptor left, fd() is -1 and errno says why.
  template <Selectable... From>
  requires(sizeof...(From) == sizeof...(Sources)) explicit ReadyFd(From&&... from)
      : sources_(brook::from(std::forward<From>(from))...) {
    std::apply([](Sources&... source) { (readiness::begin(source), ...); }, sources_);
    signal_->set();  // there may be something already
  }
  /// What was set aside can be taken from its source again, as adapters/coroutine.hpp says of ready(). Take the descriptor
  /// out of the loop before: it may stay open for a moment.
  ~ReadyFd() {
    if (coming_ != nullptr && !coming_->abandon()) coming_->give_back();
  }
  ReadyFd(const ReadyFd&) = delete;
  ReadyFd& operator=(const ReadyFd&) = delete;

  /// Readable (EPOLLIN) while there may be something, for level-triggered loops, and for edge-triggered ones that take until
  /// there is nothing. To be watched only.
  [[nodiscard]] int fd() const noexcept { return signal_->fd(); }

  /// What a select() that does not wait would return: from the first of the sources that has something, of a stream what
  /// follows what was taken before. Errors: timed_out when there is nothing; then the descriptor is not readable until there
  /// is something. When all sources are over what the first answers, which is closed unless it says otherwise; the
  /// descriptor stays readable, as that of a closed pipe. Throws as select(), and then nothing was taken. O(sources), each
  /// as its own call; makes system calls only when there is nothing.
  [[nodiscard]] expected<Value, Errc> take() {
    if (coming_ != nullptr) {
      if (!coming_->ended()) return unexpected(Errc::timed_out);
      auto came = std::exchange(coming_, nullptr)->result();
      if (came || came.error() != Errc::timed_out) return taken(std::move(came));
    }  // else a probe has kept it from coming
    auto there =
        std::apply([](const Sources&... source) { return brook::select(Wait(), Sources(source)...); }, sources_);
    return there || there.error() != Errc::timed_out ? taken(std::move(there)) : wait_for_some();
  }

 private:
  using Completion = wait::Completion<readiness::Announce, typename Sources::Case...>;

  [[nodiscard]] expected<Value, Errc> wait_for_some() {
    core::Undo undo([this] { signal_->set(); });
    signal_->clear();
    auto completion = std::apply(
        [this](const Sources&... source) {
          return std::make_shared<Completion>(readiness::Announce{signal_}, forever, 0, Sources(source)...);
        },
        sources_);
    if (Completion::start(completion)) return taken(completion->result());
    undo.keep();
    coming_ = std::move(completion);
    return unexpected(Errc::timed_out);
  }

  [[nodiscard]] expected<Value, Errc> taken(expected<Value, Errc> result) {
    if (!result) return result;
    if constexpr (sizeof...(Sources) == 1) readiness::go_on(std::get<0>(sources_), *result);
    else go_on(*result, std::index_sequence_for<Sources...>());
    return result;
  }
  template <std::size_t... at>
  void go_on(const Value& value, std::index_sequence<at...>) {
    static_cast<void>(
        ((value.index() == at && (readiness::go_on(std::get<at>(sources_), std::get<at>(value)), true)) || ...));
  }

  std::shared_ptr<readiness::Signal> signal_ = std::make_shared<readiness::Signal>();
  std::tuple<Sources...> sources_;
  std::shared_ptr<Completion> coming_;  // null while there may be something
};

template <Selectable... From>
ReadyFd(From&&...) -> ReadyFd<selection::SourceOf<From>...>;

}  // namespace brook
