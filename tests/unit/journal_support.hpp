// journal_support.hpp — what the tests of journals share.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <brook/journal.hpp>

#include "snapshot_support.hpp"

namespace brook::test {

using Strings = std::vector<std::string>;

/// A broker with its journal.
struct Life {
  explicit Life(const std::filesystem::path& path, const JournalOptions& options = {.flush = Flush::never},
                Clock* clock = nullptr)
      : broker({.clock = clock}), opened(Journal::open(path, broker, all_types, options)) {}

  [[nodiscard]] Journal& journal() { return *opened; }
  [[nodiscard]] std::string said() const { return opened ? "opened" : opened.error().message(); }
  [[nodiscard]] std::shared_ptr<Stream<std::string>> stream(const char* name) {
    return *broker.stream<std::string>(name);
  }
  [[nodiscard]] std::shared_ptr<BlockingList<std::string>> list(const char* name) {
    return *broker.list<std::string>(name);
  }
  [[nodiscard]] Strings elements(const char* name) { return list(name)->lrange(0, -1); }

  Broker broker;
  expected<Journal, SnapshotError> opened;
};

}  // namespace brook::test
