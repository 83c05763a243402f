// ledger.hpp — all pages of a group, by the ids of their entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <brook/group/batch.hpp>
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

    [[nodiscard]] Line& line() const noexcept { return page->line(at); }
    [[nodiscard]] Id id() const noexcept { return page->id(at); }
  };

  explicit Ledger(typename Page::Owner& owner) noexcept : owner_(owner) {}

  /// The page beside a segment, made if need be; `lines` says whether something will be told in it. Throws std::bad_alloc.
  [[nodiscard]] Page& page_beside(const Hold& segment, bool lines) {
    const auto found = pages_.lower_bound(segment->life().base);
    const bool exists = found != pages_.end() && found->first == segment->life().base;
    if (exists && (found->second.has_lines() || !lines)) return found->second;
    std::unique_ptr<Line[]> fresh = lines ? take_lines(segment->capacity()) : nullptr;
    Page& page = exists ? found->second : pages_.try_emplace(found, segment->life().base, owner_, segment)->second;
    page.give_lines(std::move(fresh));
    return page;
  }

  /// Ends a page when nobody uses it and nothing in it is pending. Its segment goes to `unneeded` when nobody uses it.
  void tidy(Page& page, Hold& unneeded) noexcept {
    if (!page.unused()) return;
    unneeded = page.let_go();
    if (!page.sweep()) return;
    const std::uint32_t capacity = page.capacity();
    if (std::unique_ptr<Line[]> lines = page.take_lines()) {
      spare_ = std::move(lines);
      spare_size_ = capacity;
    }
    pages_.erase(page.base());
  }

  /// The place of an entry that has been told; no page when there is none. O(log n).
  [[nodiscard]] Place find(Id id) noexcept {
    auto page = pages_.upper_bound(id);
    if (page == pages_.begin()) return {};
    --page;
    const std::uint32_t at = page->second.find(id);
    return at < page->second.capacity() ? Place{&page->second, at} : Place{};
  }

  /// Calls `visit(place, mark)` for the pending entries from `first` to `last`, oldest first, until it answers false.
  /// O(lines between the oldest and the newest told of each page).
  template <class Visit>
  void each_pending(Id first, Id last, Visit&& visit) {
    auto page = pages_.upper_bound(first);
    if (page != pages_.begin()) --page;
    for (; page != pages_.end() && page->first <= last; ++page) {
      Page& lines = page->second;
      lines.sweep();
      const std::uint32_t from = page->first < first ? lines.first_from(first) : 0;
      for (std::uint32_t at = std::max(lines.low(), from); at < lines.high(); ++at) {
        const Mark mark = lines.line(at).mark();
        if (!mark.pending()) continue;
        if (lines.id(at) > last || !visit(Place{&lines, at}, mark)) return;
      }
    }
  }

  [[nodiscard]] std::size_t page_count() const noexcept { return pages_.size(); }

 private:
  [[nodiscard]] std::unique_ptr<Line[]> take_lines(std::uint32_t capacity) {
    if (spare_ && spare_size_ == capacity) return std::move(spare_);
    return std::make_unique<Line[]>(capacity);
  }

  typename Page::Owner& owner_;
  Pages pages_;
  std::unique_ptr<Line[]> spare_;  // of the page that ended last, for the next one
  std::uint32_t spare_size_ = 0;
};

}  // namespace brook::group
