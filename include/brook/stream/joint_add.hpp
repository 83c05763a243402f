// joint_add.hpp — an entry for a stream that appears together with changes of other objects (log/together.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <brook/core/recorder.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/log/part.hpp>
#include <brook/log/payload.hpp>
#include <brook/log/request.hpp>
#include <brook/log/together.hpp>
#include <brook/stream/retention.hpp>
#include <brook/stream/state.hpp>

namespace brook::stream {

template <class T>
class JointAdd final : public log::Change {
 public:
  using Payload = log::PayloadOf<T>;

  JointAdd(State<T>& stream, Payload& payload) noexcept : stream_(stream), payload_(payload) {}
  ~JointAdd() {
    if (room_taken_) stream_.room.give_back(1);
    if (finished_) settle_added(stream_, appended_->first, 1);
  }

  [[nodiscard]] Id id() const noexcept { return appended_->first; }
  [[nodiscard]] State<T>& stream() const noexcept { return stream_; }

  [[nodiscard]] const void* object() const noexcept override { return &stream_; }
  [[nodiscard]] core::Recorder* recorder() const noexcept override { return stream_.recorder(); }
  void note() noexcept override {
    if (auto* const witness = stream_.witness()) witness->added(appended_->first, 1, encoded_);
  }

  [[nodiscard]] std::optional<Errc> prepare(const std::shared_ptr<log::Decision>& decision) override {
    stream_.expire();
    if (stream_.timeline.sealed()) return Errc::closed;
    if (!room_taken_ && stream_.room.bounded()) {
      room_taken_ = stream_.room.take(1, [this] { return stream_.timeline.edits().removed; });
      if (!room_taken_) return Errc::full;
    }
    if (auto* const witness = stream_.witness(); witness != nullptr && encoded_.empty()) {
      if (!witness->encode(value(), encoded_)) return Errc::codec_error;
    }
    part_.emplace(decision);
    appended_ = stream_.timeline.prepare(value(), log::Request::at_time(stream_.unix_ms()), *part_);
    return appended_ ? std::nullopt : std::optional(appended_.error());
  }

  void finish() noexcept override {
    part_->finish();
    room_taken_ = false;
    finished_ = true;
    stream_.timeline.keep_bound(*appended_);
    stream_.gate.announce();
  }
  void withdraw() noexcept override { part_->withdraw(value()); }

 private:
  [[nodiscard]] log::Values<Payload> value() const noexcept { return {std::addressof(payload_), 1}; }

  State<T>& stream_;
  Payload& payload_;
  std::optional<log::Part<Payload>> part_;
  expected<log::Appended, Errc> appended_{};
  std::vector<std::byte> encoded_;
  bool room_taken_ = false;
  bool finished_ = false;
};

}  // namespace brook::stream
