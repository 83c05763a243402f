// keeper.hpp — the objects of a broker that has a journal: what is made gets its witness, and what becomes of names is noted.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/broker/keeper.hpp>
#include <brook/broker/named.hpp>
#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/core/config.hpp>
#include <brook/core/recorder.hpp>
#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/journal/codes.hpp>
#include <brook/journal/scribe.hpp>
#include <brook/journal/witnesses.hpp>
#include <brook/pubsub.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/channel.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/list.hpp>
#include <brook/snapshot/stream.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/snapshot/values.hpp>
#include <brook/stream.hpp>

namespace brook::journal {

using broker::object_in;

/// With the broker's lock, but before anybody knows of the keeper.
template <class... Ts>
class Keeper final : public broker::Keeper {
 public:
  explicit Keeper(std::shared_ptr<Scribe> scribe) noexcept : scribe_(std::move(scribe)) {}

  /// Has an object watched that nobody else knows yet, and remembers its number; one that is being restored, too. Whether it
  /// can be. Throws std::bad_alloc.
  [[nodiscard]] bool watch(broker::Named& named, Number number, bool restoring = false) {
    const bool known = (watch_one<Ts>(named, number, restoring) || ...);
    if (known) numbers_.insert_or_assign(&named, number);
    return known;
  }
  /// Where dead letters may go, and what is asked for by the address of an object.
  [[nodiscard]] static const void* address_of(const broker::Named& named) noexcept {
    const void* address = nullptr;
    static_cast<void>((((address = address_of_one<Ts>(named)) != nullptr) || ...));
    return address;
  }

  std::string made(std::string_view name, broker::Named& named) override {
    const core::RecordingInOrder in_order(*scribe_);
    const Number number = scribe_->catalog().next();
    if (!watch(named, number))
      return core::text({"'", name, "' would be a ", named.description(),
                         (broker::holds<Ts>(named) || ...) ? ", and its elements have no Codec"
                                                           : ", of which the journal was not told"});
    scribe_->catalog().add_object(number, name, address_of(named));
    scribe_->note(Change::object_made, number, [&](Encoder& to) {
      to.text(name);
      to.number(static_cast<std::uint8_t>(named.kind));
      static_cast<void>((write_options<Ts>(to, named) || ...));
    });
    return {};
  }
  void erased(broker::Named& named) noexcept override {
    const core::RecordingInOrder in_order(*scribe_);
    erase(named);
  }
  void renamed(broker::Named& named, std::string_view to, broker::Named* replaced) noexcept override {
    const core::RecordingInOrder in_order(*scribe_);
    if (replaced != nullptr) erase(*replaced);
    const auto found = numbers_.find(&named);
    if (found == numbers_.end()) return;
    scribe_->note(Change::object_renamed, found->second, [to](Encoder& out) { out.text(to); });
    BROOK_TRY { scribe_->catalog().rename(found->second, to); }
    BROOK_CATCH_ALL { scribe_->fail(Errc::out_of_memory, "a name could not be noted"); }
  }
  void expires(broker::Named& named) noexcept override {
    const auto found = numbers_.find(&named);
    if (found == numbers_.end()) return;
    const Clock::time_point when = named.expires();
    scribe_->note(Change::object_expires, found->second, [&](Encoder& to) {
      to.value(when != Clock::time_point::max());
      if (when != Clock::time_point::max()) to.signed_size((when - scribe_->clock().now()).count());
    });
  }

 private:
  void erase(broker::Named& named) noexcept {
    const auto found = numbers_.find(&named);
    if (found == numbers_.end()) return;
    scribe_->note(Change::object_erased, found->second);
    scribe_->catalog().erase_object(found->second);
    numbers_.erase(found);
  }

  template <class T>
  [[nodiscard]] bool watch_one(broker::Named& named, Number number, [[maybe_unused]] bool restoring) {
    if constexpr (Encodable<T>) {
      if (const auto* const stream = object_in<Stream<T>>(named)) {
        const auto& state = shared_state_of(**stream);
        state->keep_record(std::make_shared<StreamWitness<T>>(scribe_, number, state->clock()));
        state->restoring = restoring;
        return true;
      }
      if (const auto* const list = object_in<BlockingList<T>>(named)) {
        shared_state_of(**list)->keep_record(std::make_shared<ListWitness<T>>(scribe_, number));
        return true;
      }
    }
    if constexpr (std::move_constructible<T>)
      return object_in<Channel<T>>(named) != nullptr || object_in<PubSub<T>>(named) != nullptr;
    return false;
  }
  template <class T>
  [[nodiscard]] static const void* address_of_one(const broker::Named& named) noexcept {
    const auto* const stream = object_in<Stream<T>>(named);
    return stream == nullptr ? nullptr : stream->get();
  }
  template <class T>
  [[nodiscard]] static bool write_options(Encoder& to, const broker::Named& named) {
    if constexpr (Encodable<T>) {
      if (const auto* const stream = object_in<Stream<T>>(named)) {
        write_type<T>(to);
        snapshot::write_stream_options(to, shared_state_of(**stream)->options);
        return true;
      }
      if (const auto* const list = object_in<BlockingList<T>>(named)) {
        write_type<T>(to);
        snapshot::write_list_options(to, shared_state_of(**list)->options);
        return true;
      }
    }
    if constexpr (std::move_constructible<T>) {
      const auto* const channel = object_in<Channel<T>>(named);
      const auto* const pubsub = object_in<PubSub<T>>(named);
      if (channel == nullptr && pubsub == nullptr) return false;
      write_type<T>(to);
      snapshot::write_channel_options(
          to, named.kind, channel != nullptr ? snapshot::options_of(**channel) : snapshot::options_of(**pubsub));
      return true;
    }
    return false;
  }
  template <class T>
  static void write_type(Encoder& to) {
    to.text(snapshot::text_of_element<T>());
    to.size(snapshot::size_of_value<T>());
  }

  const std::shared_ptr<Scribe> scribe_;
  std::map<const broker::Named*, Number> numbers_;
};

}  // namespace brook::journal
