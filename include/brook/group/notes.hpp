// notes.hpp — what a group notes of itself, if somebody wants to know (group/witness.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <brook/core/owned.hpp>
#include <brook/core/recorder.hpp>
#include <brook/group/witness.hpp>
#include <brook/id.hpp>

namespace brook::group {

/// With the group's mutex, but for recorder(), which is there before anybody else knows of the group.
class Notes {
 public:
  void go_to(core::Owned<Witness> witness) noexcept { to_ = std::move(witness); }

  [[nodiscard]] core::Recorder* recorder() const noexcept { return to_ ? &to_->recorder() : nullptr; }
  /// Null when nobody wants to know.
  [[nodiscard]] Witness* witness() const noexcept { return to_.get(); }

  /// Lines of a page are pending, in these hands all of them.
  template <class Page>
  void pending(const Page& page, std::uint32_t first, std::uint32_t count, const Witness::Hands& hands) noexcept {
    Id ids[64];
    const Id* const first_id = ids;
    while (count > 0) {
      std::size_t n = 0;
      for (; n < std::size(ids) && count > 0; ++n, ++first, --count) ids[n] = page.id(first);
      to_->pending(std::span<const Id>(first_id, n), hands);
    }
  }

 private:
  core::Owned<Witness> to_;
};

}  // namespace brook::group
