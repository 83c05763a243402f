// once.hpp — adding an entry once, however often its producer tries. Part of stream.hpp, which includes it.
#pragma once

#include <cstdint>
#include <string_view>

#include <brook/clock.hpp>
#include <brook/core/late.hpp>
#include <brook/core/later.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/sync.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/probe.hpp>
#include <brook/probe/watching.hpp>
#include <brook/stream.hpp>
#include <brook/stream/producers.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/watched.hpp>
#include <brook/wait.hpp>

namespace brook {

template <class T>
expected<Id, Errc> Stream<T>::add_payload_once(std::string_view producer, std::string_view key,
                                               log::PayloadOf<T>& payload) {
  const Wait wait = state_->room.capacity() > 0 ? state_->patience() : Wait();
  if (!state_->watched()) [[likely]]
    return add_or_wait(producer, key, payload, wait);
  return stream::watch_add(*state_, {std::addressof(payload), 1}, wait, [&](const Manner& manner) {
    probing::begin(manner);
    return add_or_wait(producer, key, payload, manner.wait != nullptr ? *manner.wait : wait);
  });
}

template <class T>
expected<Id, Errc> Stream<T>::add_or_wait(std::string_view producer, std::string_view key, log::PayloadOf<T>& payload,
                                          const Wait& wait) {
  for (const Clock::time_point deadline = wait.deadline(state_->clock());;) {
    const std::uint64_t news = state_->room.news();
    const auto added = add_unless_known(producer, key, payload);
    if (added) stream::settle_added(*state_, *added, 1);
    if (added || added.error() != Errc::full || deadline == Clock::time_point::min()) return added;
    if (const auto failed = state_->wait_for_news(news, wait, deadline)) return unexpected(*failed);
  }
}

template <class T>
expected<Id, Errc> Stream<T>::add_unless_known(std::string_view producer, std::string_view key,
                                               log::PayloadOf<T>& payload) {
  const core::Later later;
  auto& keyed = state_->make_keyed();
  const sync::unique_lock held(keyed.mutex);
  const Clock::time_point now = state_->clock().now();
  if (const Id* const before = keyed.producers.find(producer, key, now)) return *before;
  typename core::Late<T, stream::Producers>::Draft draft(keyed.producers, producer, key, now);
  const core::RecordingInOrder in_order(state_->recorder());  // the entry and its key are one record
  const auto added = append_locked(log::Request::at_time(state_->unix_ms()), payload);
  if (!added) return added;
  draft.keep(*added);
  if (auto* const witness = state_->witness()) witness->keyed(producer, key, *added);
  return added;
}

}  // namespace brook
