// watched.hpp — how a channel publishes that has a probe. Part of channel/state.hpp, which includes it.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include <brook/channel/state.hpp>
#include <brook/error.hpp>
#include <brook/log/halves.hpp>
#include <brook/log/part.hpp>
#include <brook/log/request.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/wait.hpp>

namespace brook::channel {

template <class Payload>
template <class T>
expected<std::size_t, Errc> State<Payload>::publish_watched(const Values& values, const Wait* told) {
  const Wait wait = told != nullptr ? *told : Wait(forever);
  const bool may_wait = registry.audience().may_wait();
  const bool has_middle = !registry.audience().needs_lock() && values.size() == 1;
  const Call call{.operation = Operation::publish,
                  .size = values.size(),
                  .values = GivenValues::of<T>(values),
                  .wait = may_wait ? &wait : nullptr};
  const auto run = [&](const Manner& manner) {
    const Wait* const how = manner.wait != nullptr ? manner.wait : told;
    if (manner.midway != nullptr && has_middle && registry.audience().size() > 0)
      return publish_by_halves(values, *manner.midway);
    probing::begin(manner);
    return publish_with_care(values, how);
  };
  return probing::watched<expected<std::size_t, Errc>>(*this, call, run, [&] { return lose(values); });
}

template <class Payload>
expected<std::size_t, Errc> State<Payload>::publish_by_halves(const Values& value,
                                                              const std::function<void()>& midway) {
  const auto prepare = [&](log::Part<Payload>& part) { return log.prepare(value, log::Request::at_time(0), part); };
  const auto appended = log::append_by_halves(value, prepare, midway);
  if (!appended) return unexpected(appended.error());
  const std::size_t size = registry.audience().size();
  tell(*appended);
  return size;
}

// What a publish would have answered; the messages are gone.
template <class Payload>
expected<std::size_t, Errc> State<Payload>::lose(const Values& values) {
  if (log.sealed()) return unexpected(Errc::closed);
  for (std::size_t i = 0; i < values.size(); ++i) static_cast<void>(Payload(std::move(values[i])));
  return registry.audience().size();
}

}  // namespace brook::channel
