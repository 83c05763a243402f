// broker.hpp — a broker as a snapshot: all that has a name, looked at together (snapshot/object.hpp).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <brook/blocking_list.hpp>
#include <brook/broker.hpp>
#include <brook/broker/contents.hpp>
#include <brook/broker/named.hpp>
#include <brook/channel.hpp>
#include <brook/clock.hpp>
#include <brook/pubsub.hpp>
#include <brook/snapshot/channel.hpp>
#include <brook/snapshot/list.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/progress.hpp>
#include <brook/snapshot/saving.hpp>
#include <brook/snapshot/single.hpp>
#include <brook/snapshot/stream.hpp>
#include <brook/snapshot/types.hpp>
#include <brook/snapshot/unknown.hpp>
#include <brook/stream.hpp>

namespace brook::snapshot {

/// A channel or a PubSub: there is nothing of it but its head.
class SavingName final : public Saving {
 public:
  using Saving::Saving;
  [[nodiscard]] Result write(Writer&) override { return {}; }
};

/// Makes a Saving of each object whose type is one of these.
template <class... Ts>
class SavingBroker {
 public:
  SavingBroker(const Broker& broker, const broker::Contents& contents)
      : clock_(clock_or_system(broker::Contents::clock_of(broker))), names_(std::make_shared<Names>()) {
    for (const auto& [name, named] : contents.entries()) (note_stream<Ts>(name, *named), ...);
    for (const auto& [name, named] : contents.entries()) {
      std::unique_ptr<Saving> made;
      static_cast<void>((((made = saving_of<Ts>(name, *named)) != nullptr) || ...));
      if (made != nullptr) savings_.push_back(std::move(made));
      else unknown_.note<Ts...>(name, *named);
    }
  }

  [[nodiscard]] Savings& savings() noexcept { return savings_; }
  [[nodiscard]] Result result() const { return unknown_.result(); }

 private:
  using Names = std::map<const void*, std::string>;

  template <class Object>
  [[nodiscard]] static const Object* as(const broker::Named& named) noexcept {
    const auto* const object = broker::object_in<Object>(named);
    return object != nullptr ? object->get() : nullptr;
  }

  // Where dead letters may go.
  template <class T>
  void note_stream(const std::string& name, const broker::Named& named) {
    if (const auto* const stream = as<Stream<T>>(named)) names_->emplace(stream, name);
  }

  template <class T>
  [[nodiscard]] std::unique_ptr<Saving> saving_of(const std::string& name, const broker::Named& named) {
    ObjectHead head = head_of<T>(named.kind, name);
    const Clock::time_point expires = named.expires();
    if (expires != Clock::time_point::max()) head.expires = expires - clock_.now();
    if constexpr (Encodable<T>) {
      const auto name_of = [names = names_](const void* stream) {
        const auto found = names->find(stream);
        return found == names->end() ? std::string() : found->second;
      };
      if (const auto* const stream = as<Stream<T>>(named))
        return std::make_unique<SavingStream<T>>(std::move(head), shared_state_of(*stream), name_of);
      if (const auto* const list = as<BlockingList<T>>(named))
        return std::make_unique<SavingList<T>>(std::move(head), shared_state_of(*list));
    }
    if constexpr (std::move_constructible<T>) {
      if (const auto* const channel = as<Channel<T>>(named)) head.channel = options_of(*channel);
      else if (const auto* const pubsub = as<PubSub<T>>(named)) head.channel = options_of(*pubsub);
      else return nullptr;
      head.closed = named.closed();
      return std::make_unique<SavingName>(std::move(head));
    }
    return nullptr;
  }

  const Clock& clock_;
  const std::shared_ptr<Names> names_;
  Savings savings_;
  UnknownTypes unknown_{"Codec"};
};

/// Looks at all that has a name at one instant; `before()` is called when all of it stands still.
template <class... Ts, class Before>
[[nodiscard]] Result look_at_broker(const Broker& broker, Savings& objects, Before&& before) {
  const broker::Contents contents(broker);
  SavingBroker<Ts...> saving(broker, contents);
  if (auto failed = saving.result(); !failed) return failed;
  objects = std::move(saving.savings());
  look_at_all(objects, before);
  return {};
}

template <class... Ts>
[[nodiscard]] Result save_broker(ByteSink& to, const Broker& broker, const SaveOptions& options) {
  Savings objects;
  if (auto failed = look_at_broker<Ts...>(broker, objects, [] {}); !failed) return failed;
  return write_all(to, Contents::broker, objects, options);
}

}  // namespace brook::snapshot
