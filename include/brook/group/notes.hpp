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
template <class Witness>
class BasicNotes {
 public:
  void go_to(core::Owned<Witness> witness) noexcept { to_ = std::move(witness); }

  [[nodiscard]] core::Recorder* recorder() const noexcept { return to_ ? &to_->recorder() : nullptr; }
  /// Null when nobody wants to know.
  [[nodiscard]] Witness* witness() const noexcept { return to_.get(); }

  /// Lines of a page are pending, in these hands all of them.
  template <class Page>
  void pending(const Page& page, std::uint32_t first, std::uint32_t count,
               const typename Witness::Hands& hands) noexcept {
    Id ids[64];
    while (count > 0) {
      std::size_t n = 0;
      for (; n < std::size(ids) && count > 0; ++n, ++first, --count) ids[n] = page.id(first);
      to_->pending({ids, n}, hands);
    }
  }

 private:
  core::Owned<Witness> to_;
};
using Notes = BasicNotes<Witness>;

}  // namespace brook::group
