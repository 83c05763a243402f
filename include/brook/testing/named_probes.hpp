// named_probes.hpp — the probes of objects that have names: each says the name, and asks the probe behind it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <brook/core/sync.hpp>
#include <brook/probe.hpp>

namespace brook::testing {

/// Thread-safe.
class NamedProbes {
 public:
  explicit NamedProbes(Probe& behind) noexcept : behind_(behind) {}

  /// Of one name the same one every time. Throws std::bad_alloc.
  [[nodiscard]] Probe* of(std::string_view name) {
    const sync::unique_lock<sync::mutex> held(mutex_);
    const auto found = probes_.find(name);
    if (found != probes_.end()) return found->second.get();
    return probes_.emplace(name, std::make_unique<Named>(*this, name)).first->second.get();
  }

 private:
  struct Named final : Probe {
    Named(NamedProbes& whose, std::string_view its_name) : all(whose), name(its_name) {}

    Outcome watch(const Call& call, const Perform& perform) override {
      Call named = call;
      named.name = name;
      return all.behind_.watch(named, perform);
    }
    [[nodiscard]] Probe* named(std::string_view other) override { return all.of(other); }

    NamedProbes& all;
    const std::string name;
  };

  Probe& behind_;
  sync::mutex mutex_;
  std::map<std::string, std::unique_ptr<Named>, std::less<>> probes_;
};

}  // namespace brook::testing
