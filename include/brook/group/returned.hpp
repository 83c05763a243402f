// returned.hpp — entries that came back to the group, by the time from which they may be delivered again.
#pragma once

#include <compare>
#include <set>

#include <brook/group/mark.hpp>
#include <brook/id.hpp>

namespace brook::group {

/// Guarded by the group's mutex. Just those are noted here that are pending with nobody, by the times of their marks.
template <class Id>
class BasicReturned {
 public:
  struct Return {
    Instant due;
    Id id;
    friend auto operator<=>(const Return&, const Return&) = default;
  };

  /// Throws std::bad_alloc.
  void note(Instant due, Id id) { returns_.insert({due, id}); }
  void note_all(BasicReturned&& others) noexcept { returns_.merge(others.returns_); }
  void forget(const Return& entry) noexcept { returns_.erase(entry); }

  [[nodiscard]] bool empty() const noexcept { return returns_.empty(); }

  /// When the first of them may be delivered; last_instant when there is none.
  [[nodiscard]] Instant due() const noexcept { return returns_.empty() ? last_instant : returns_.begin()->due; }

  /// Calls `visit` for those that may be delivered by then, those that have waited longest first, until it says false;
  /// whether it never did.
  template <class Visit>
  bool each_due(Instant now, Visit&& visit) const {
    for (const Return& entry : returns_) {
      if (entry.due > now) return true;
      if (!visit(entry)) return false;
    }
    return true;
  }

 private:
  std::set<Return> returns_;
};
using Returned = BasicReturned<Id>;

}  // namespace brook::group
