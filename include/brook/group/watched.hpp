// watched.hpp — what a consumer does whose stream has a probe, or is gone. Part of consumer.hpp, which includes it.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <brook/consumer.hpp>
#include <brook/core/sync.hpp>
#include <brook/delivery.hpp>
#include <brook/error.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/redelivery.hpp>
#include <brook/stream/watched.hpp>

namespace brook {

namespace probing {

template <class T>
struct Answer<Deliveries<T>> {
  static void tell(const Deliveries<T>& result, Outcome& outcome) noexcept {
    outcome.size = result.size();
    if (result.empty()) return;
    outcome.first = result.front().id();
    outcome.last = result.back().id();
  }
  [[nodiscard]] static Deliveries<T> lost(const Call&) noexcept { return {}; }
};
template <class T>
struct Answer<AutoClaimed<T>> {
  static void tell(const AutoClaimed<T>& result, Outcome& outcome) noexcept {
    Answer<Deliveries<T>>::tell(result.deliveries, outcome);
  }
  [[nodiscard]] static AutoClaimed<T> lost(const Call&) noexcept { return {}; }
};

}  // namespace probing

template <class T>
[[gnu::noinline, gnu::cold]] void Consumer<T>::read_with_care(const ReadOptions& options,
                                                              expected<Deliveries<T>, Errc>& deliveries) const {
  deliveries = unexpected(Errc::closed);
  if (!stream_->watched()) return;  // it is gone, and its clock perhaps with it
  const Call call{.operation = Operation::read, .group = group_->name, .consumer = name()};
  deliveries = stream::watch_read(*stream_, call, options, [&](const ReadOptions& how) {
    expected<Deliveries<T>, Errc> read;
    if (const auto failed = take_or_wait(how, read->batch_)) read = unexpected(*failed);
    else read->batch_.watch();
    return read;
  });
}

template <class T>
template <class Run>
auto Consumer<T>::watch(Call call, const Run& run) const {
  if (!stream_->watched()) [[likely]]
    return run();
  call.group = group_->name;
  call.consumer = name();
  return probing::perform(*stream_, call, [&](const Manner& manner) {
    probing::begin(manner);
    auto result = run();
    if constexpr (std::is_same_v<decltype(result), expected<AutoClaimed<T>, Errc>>) {
      if (result) result->deliveries.batch_.watch();
    } else {
      if (result) result->batch_.watch();
    }
    return result;
  });
}

}  // namespace brook
