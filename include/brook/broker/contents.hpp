// contents.hpp — all that has a name in a broker, for who saves it; and many names at once, for who restores it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/broker.hpp>
#include <brook/clock.hpp>
#include <brook/core/text.hpp>
#include <brook/core/undo.hpp>
#include <brook/error.hpp>
#include <brook/probe.hpp>

namespace brook::broker {

/// While it lives nobody makes, erases or renames.
class Contents {
 public:
  using Entry = std::pair<std::string, std::shared_ptr<Named>>;

  /// Throws std::bad_alloc.
  explicit Contents(const Broker& broker) : locked_(broker), entries_(broker.all()) {
    std::ranges::sort(entries_, {}, [](const Entry& entry) { return entry.second->number; });
  }

  /// In the order in which they were made.
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

  /// The clock that a broker gives its objects; null for the system's.
  [[nodiscard]] static Clock* clock_of(const Broker& broker) noexcept { return broker.options_.clock; }
  /// The probe that it gives an object of this name; null for none. Throws std::bad_alloc.
  [[nodiscard]] static Probe* probe_of(const Broker& broker, std::string_view name) {
    return broker.options_.probe == nullptr ? nullptr : broker.options_.probe->named(name);
  }

  /// Gives objects names, as if they had been made in this order. With an error nothing has changed: closed; invalid_argument
  /// when there is such a name, or the broker has a keeper. Throws std::bad_alloc, and then nothing has changed.
  [[nodiscard]] static expected<void, NameError> insert(Broker& broker, const std::vector<Entry>& entries) {
    const core::Undo tell_clock([&] { broker.expiries_.changed(); });
    const Broker::Locked locked(broker);
    if (broker.closed()) return unexpected(NameError(Errc::closed));
    if (broker.keeper_ != nullptr)
      return unexpected(NameError(Errc::invalid_argument, "the broker has a journal, which would not know of them"));
    for (const auto& [name, named] : entries) {
      if (broker.find_locked(name) != nullptr)
        return unexpected(NameError(
            Errc::invalid_argument,
            core::text({"there is a '", name, "' already: load into a broker that has none of these names"})));
    }
    for (const auto& [name, named] : entries) {
      broker.erase_locked(name);  // it may have expired
      named->name = name;
    }
    broker.names_.insert_all(entries);
    for (const auto& [name, named] : entries) {
      named->number = ++broker.made_;
      broker.note_expiry(*named);
    }
    return {};
  }

  /// The object of this name, if it is one of these; it is not made.
  template <class Object>
  [[nodiscard]] static std::shared_ptr<Object> find(const Broker& broker, std::string_view name) {
    const auto named = broker.find(name);
    const auto* const object = named != nullptr ? object_in<Object>(*named) : nullptr;
    return object != nullptr ? *object : nullptr;
  }

  /// Whether it has neither objects nor a keeper.
  [[nodiscard]] static bool untouched(const Broker& broker) {
    const Broker::Locked locked(broker);
    return broker.all().empty() && broker.keeper_ == nullptr;
  }
  /// Has somebody keep a record of what is made from now on; null ends that. With the broker's lock.
  [[nodiscard]] static std::shared_ptr<Keeper> exchange_keeper(Broker& broker, std::shared_ptr<Keeper> keeper) {
    const Broker::Locked locked(broker);
    return std::exchange(broker.keeper_, std::move(keeper));
  }

 private:
  const Broker::Locked locked_;
  std::vector<Entry> entries_;
};

}  // namespace brook::broker
