// reading.hpp — entries of a stream after a position, as a case of a selection (wait/selection.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include <brook/clock.hpp>
#include <brook/entries.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream/state.hpp>
#include <brook/stream/watched.hpp>
#include <brook/wait.hpp>
#include <brook/wait/at_gate.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook::stream {

template <class T>
class Reading;

/// Has the stream's probe, if it has one, judge entries that were read for a call. Why the call has nothing, if it has not.
template <class T>
[[nodiscard]] std::optional<Errc> watch_taken(State<T>& stream, const Entries<T>& entries, std::size_t count,
                                              const Wait& wait, bool prompt = false) {
  if (!stream.watched()) return std::nullopt;
  const Call call{.operation = Operation::read, .size = count, .wait = &wait, .prompt = prompt};
  Outcome outcome;
  probing::Answer<Entries<T>>::tell(entries, outcome);
  return probing::watch_taken(stream, call, outcome, []() noexcept {});
}

/// What is read: the source that makes the case.
template <class T>
struct ReadFrom {
  using Case = Reading<T>;
  std::shared_ptr<State<T>> stream;
  Position after;
  std::size_t count;

  /// What `latest` means is settled.
  void resolve() { after = after.after(stream->look().end.last_id()); }
  /// What there is now. After resolve().
  [[nodiscard]] Entries<T> entries() const {
    auto view = stream->look();
    const Id from = after.after(Id::max());
    return from == Id::max() ? Entries<T>() : stream->collect(view, from.next(), Id::max(), count);
  }
  /// Of several that are read: what its probe lets through. Why the call fails, if it does.
  [[nodiscard]] std::optional<Errc> pass(Entries<T>& entries, const Wait& wait) const {
    const auto failed = watch_taken(*stream, entries, count, wait);
    if (failed == Errc::timed_out) entries = Entries<T>();
    return failed == Errc::timed_out ? std::nullopt : failed;
  }
};

template <class T>
class Reading final : public wait::Case {
 public:
  using Value = Entries<T>;

  explicit Reading(ReadFrom<T> what)
      : stream_(std::move(what.stream)),
        view_(stream_->look()),
        after_(what.after.after(view_.end.last_id())),
        count_(what.count) {}

  [[nodiscard]] Clock* clock() const noexcept override { return stream_->clock_if_there(); }

  [[nodiscard]] wait::Found poll() override {
    view_ = stream_->look();
    if (after_ != Id::max()) entries_ = stream_->collect(view_, after_.next(), Id::max(), count_);
    if (!entries_.empty()) return wait::Found::some;
    return view_.end.sealed ? wait::Found::over : wait::Found::nothing;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override { line_.enlist(stream_->gate, call, bid); }
  [[nodiscard]] wait::Found look() override {
    return line_.look([this] { return view_.end.moved(); }, [this] { return poll(); });
  }
  void withdraw() noexcept override { line_.withdraw(); }
  [[nodiscard]] std::optional<Errc> settle(bool taken, const Wait& wait) override {
    return taken ? watch_taken(*stream_, entries_, count_, wait, this->prompt()) : std::nullopt;
  }
  [[nodiscard]] expected<Value, Errc> result() {
    if (entries_.empty()) return unexpected(Errc::closed);
    return std::move(entries_);
  }

 private:
  const std::shared_ptr<State<T>> stream_;
  typename State<T>::View view_;
  const Id after_;
  const std::size_t count_;
  Entries<T> entries_;
  wait::AtGate line_;
};

}  // namespace brook::stream
