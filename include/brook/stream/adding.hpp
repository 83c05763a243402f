// adding.hpp — an entry for a stream, added when there is room for it, as a case of a selection (wait/selection.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <brook/clock.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/into.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/state.hpp>
#include <brook/stream/watched.hpp>
#include <brook/wait.hpp>
#include <brook/wait/at_gate.hpp>
#include <brook/wait/case.hpp>
#include <brook/wait/choice.hpp>
#include <brook/wait/wakeable.hpp>

namespace brook {

template <class T>
class Stream;

}  // namespace brook

namespace brook::stream {

template <class T, class From>
class Adding final : public wait::Case {
 public:
  using Value = Id;

  template <class Source>
  explicit Adding(Source&& into) : stream_(into.state()), value_(std::forward<Source>(into).value()) {}

  [[nodiscard]] Clock* clock() const noexcept override { return stream_->clock_if_there(); }

  [[nodiscard]] wait::Found poll() override {
    if (stream_->clock_if_there() == nullptr) return wait::Found::over;
    news_ = stream_->room.news();
    bool performed = false;
    const auto appended = append(performed);
    if (appended) {
      added_ = appended->first;
      settle_added(*stream_, *added_, 1);
      return wait::Found::some;
    }
    added_ = unexpected(appended.error());
    const bool may_fit = performed && appended.error() == Errc::full && stream_->room.capacity() > 0;
    return may_fit ? wait::Found::nothing : wait::Found::over;
  }
  void enlist(wait::Wakeable& call, const wait::Bid& bid) override { line_.enlist(stream_->room.gate(), call, bid); }
  [[nodiscard]] wait::Found look() override {
    stream_->expire();
    return line_.look([this] { return stream_->room.news() != news_; }, [this] { return poll(); });
  }
  [[nodiscard]] Clock::time_point due() const override { return stream_->next_expiry(); }
  void withdraw() noexcept override {
    line_.withdraw();
    stream_->settle_record();  // before the call returns, or the handler is called
  }
  [[nodiscard]] expected<Value, Errc> result() const { return added_; }

 private:
  using Appended = expected<log::Appended, Errc>;

  // As what does not wait, and holds a lock: that of a completion.
  [[nodiscard]] Appended append(bool& performed) {
    const log::Values<log::PayloadOf<T>> value(std::addressof(value_.payload()), 1);
    const auto request = log::Request::at_time(stream_->unix_ms());
    const auto append_now = [&](const Manner& manner) {
      probing::begin(manner);
      performed = true;
      const Wait none;
      return stream_->append(value, request, &none, true);
    };
    if (!stream_->watched()) return append_now(Manner());
    return watch_adding<Appended>(
        *stream_, value, nullptr, append_now, [](const log::Appended& appended) { return appended.first; },
        [&] { return stream_->lose(value, request); }, true);
  }

  const std::shared_ptr<State<T>> stream_;
  log::Given<T, From> value_;
  std::uint64_t news_ = 0;
  expected<Id, Errc> added_ = unexpected(Errc::closed);
  wait::AtGate line_;
};

}  // namespace brook::stream
