// keeper.hpp — who keeps a record of a broker's objects: a journal (<brook/journal.hpp>).
#pragma once

#include <string>
#include <string_view>

#include <brook/core/config.hpp>

namespace brook::broker {

struct Named;

/// Called with the broker's lock.
class Keeper {
 public:
  virtual ~Keeper() = default;

  /// Watches an object that was made, which nobody else knows yet, and is about to get its name. Empty, or why it cannot be
  /// kept a record of. Throws std::bad_alloc, and then it is not watched.
  [[nodiscard]] virtual std::string made(std::string_view name, Named& named) = 0;
  /// An object has no name any more; or has another one, which `replaced` had, if that is not null; or keeps it for another
  /// time.
  virtual void erased(Named& named) noexcept = 0;
  virtual void renamed(Named& named, std::string_view to, Named* replaced) noexcept = 0;
  virtual void expires(Named& named) noexcept = 0;
};

}  // namespace brook::broker
