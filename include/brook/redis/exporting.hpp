// exporting.hpp — one object as it is told to Redis, whatever its type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <brook/redis/options.hpp>
#include <brook/redis/write.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/object.hpp>

namespace brook::redis {

/// What is told of an object, whatever it is.
struct ExportHead {
  std::string name{};
  std::optional<std::uint64_t> expires_ms{};  ///< when the name goes, in Unix milliseconds
  RedisExportOptions options{};
};

class Exporting : public snapshot::Looking {
 public:
  explicit Exporting(ExportHead its_head) : head(std::move(its_head)) {}

  const ExportHead head;

  /// Afterwards: its commands, and those about its name.
  [[nodiscard]] snapshot::Result write_whole(Writer& to) {
    if (head.options.replace) {
      if (auto failed = to.command("DEL", head.name); !failed) return failed;
    }
    if (auto failed = write(to); !failed) return failed;
    if (!head.expires_ms || !is_there()) return {};
    return to.command("PEXPIREAT", head.name, *head.expires_ms);
  }
  /// Whether there is anything in Redis after that.
  [[nodiscard]] virtual bool is_there() const noexcept { return true; }

 protected:
  [[nodiscard]] virtual snapshot::Result write(Writer& to) = 0;
};

}  // namespace brook::redis
