// ledger.hpp — all pages of a group, by the ids of their entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include <brook/group/lines.hpp>
#include <brook/group/mark.hpp>
#include <brook/group/page.hpp>
#include <brook/id.hpp>

namespace brook::group {

/// Guarded by the group's mutex, but for what a Page says of itself.
template <class Payload>
class Ledger {
 public:
  using Page = group::Page<Payload>;
  using Hold = log::Hold<Payload>;
  using Pages = std::map<Id, Page>;

  /// Where an entry is told of.
  struct Place {
    Page* page = nullptr;
    std::uint32_t at = 0;

    [[nodiscard]] Id id() const noexcept { return page->id(at); }
    [[nodiscard]] Mark mark() const noexcept { return page->mark(at); }
  };

  explicit Ledger(typename Page::Owner& owner) noexcept : owner_(owner) {}

  /// The page beside a segment, made if need be; `lines` says whether something will be told in it. Throws std::bad_alloc.
  [[nodiscard]] Page& page_beside(const Hold& segment, bool lines) {
    const Id base = segment->life().base;
    Page& page = pages_.try_emplace(base, owner_, segment).first->second;
    if (lines && !page.has_lines())
      page.give_lines(spare_.size() == page.capacity() ? std::exchange(spare_, Lines()) : Lines(page.capacity()));
    return page;
  }

  /// A page of entries that have left the stream, by their ids. No entry that is there lies between them. Throws
  /// std::bad_alloc.
  [[nodiscard]] Page& page_of_gone(std::span<const Id> ids) {
    Lines lines(static_cast<std::uint32_t>(ids.size()));
    Page& page = pages_.try_emplace(ids.front(), owner_, ids).first->second;
    page.give_lines(std::move(lines));
    return page;
  }

  /// Drops a page's segment when nobody uses it, and ends it when nothing in it is pending.
  void tidy(Page& page) noexcept {
    if (!page.unused()) return;
    page.let_go();
    if (!page.idle_lines()) return;
    if (page.has_lines()) spare_ = page.take_lines();
    pages_.erase(page.base());
  }

  /// The same for all pages: what became of some was noticed by nobody. O(pages).
  void tidy_unused() noexcept {
    for (auto at = pages_.begin(); at != pages_.end();) tidy((at++)->second);
  }

  /// The place of a pending entry; no page when there is none. O(log n).
  [[nodiscard]] Place find(Id id) noexcept {
    auto page = pages_.upper_bound(id);
    if (page == pages_.begin()) return {};
    --page;
    const std::uint32_t at = page->second.find(id);
    return at < page->second.capacity() ? Place{&page->second, at} : Place{};
  }

  /// Calls `visit(place)` for the pending entries from `first` to `last`, oldest first, until it answers false.
  /// O(pages + those entries).
  template <class Visit>
  void each_pending(Id first, Id last, Visit&& visit) {
    auto page = pages_.upper_bound(first);
    if (page != pages_.begin()) --page;
    for (; page != pages_.end() && page->first <= last; ++page) {
      Page& lines = page->second;
      const bool go_on = lines.each_pending(page->first < first ? lines.first_from(first) : 0, [&](std::uint32_t at) {
        const Place place{&lines, at};
        return (last == Id::max() || place.id() <= last) && visit(place);
      });
      if (!go_on) return;
    }
  }

 private:
  typename Page::Owner& owner_;
  Pages pages_;
  Lines spare_;  // of the page that ended last, for the next one
};

}  // namespace brook::group
