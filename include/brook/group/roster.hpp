// roster.hpp — the consumers of a group, by name and by the number that marks carry.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <brook/clock.hpp>
#include <brook/group/mark.hpp>

namespace brook::group {

/// One consumer. Guarded by the group's mutex, but for the name.
struct Member {
  explicit Member(std::string_view its_name) : name(its_name) {}

  const std::string name;
  ConsumerNumber number = nobody;  // nobody when it was deleted
  std::uint32_t term = 0;          // from when it got the number
  Clock::time_point seen{};        // last asked for something
  Clock::time_point active{};      // last got something; the epoch when it never did
  std::size_t in_flight = 0;       // pending with it; counted in managed groups only

  [[nodiscard]] Recipient recipient() const noexcept { return {number, term}; }
};

/// Guarded by the group's mutex. A template, as are others of a group's parts that hold a map: so only who uses groups has
/// them compiled.
template <class Member>
class BasicRoster {
 public:
  using Members = std::map<std::string, std::shared_ptr<Member>, std::less<>>;

  /// The member of this name, made if need be. One for whom there is no number, because there are as many members as there
  /// can be, is not on the roster. Throws std::bad_alloc.
  [[nodiscard]] std::shared_ptr<Member> enlist(std::string_view name, const Clock& clock) {
    const auto found = members_.find(name);
    if (found != members_.end()) return found->second;
    auto member = std::make_shared<Member>(name);
    static_cast<void>(present(member, clock));
    return member;
  }

  /// The member that a handle stands for: itself, or who has its name now that it was deleted, or itself again. Null when
  /// there are too many. Throws std::bad_alloc.
  [[nodiscard]] Member* present(const std::shared_ptr<Member>& member, const Clock& clock) {
    return member->number != nobody ? member.get() : find_or_return(member, clock);
  }

  [[nodiscard, gnu::noinline]] Member* find_or_return(const std::shared_ptr<Member>& member, const Clock& clock) {
    if (Member* const other = find(member->name)) return other;
    if (free_.empty()) {
      if (by_number_.size() == most_consumers) return nullptr;
      free_.reserve(by_number_.size() + 1);
      by_number_.push_back(nullptr);
      free_.push_back(static_cast<ConsumerNumber>(by_number_.size()));
    }
    members_.emplace(member->name, member);
    member->number = free_.back();
    member->term = ++terms_;
    free_.pop_back();
    by_number_[member->number - 1] = member.get();
    member->seen = clock.now();
    member->active = {};
    return member.get();
  }

  /// The same, if it is there; else the member that was given.
  [[nodiscard]] const Member& current(const Member& member) const noexcept {
    const Member* const other = member.number == nobody ? find(member.name) : nullptr;
    return other != nullptr ? *other : member;
  }

  /// The member of this name; null when there is none.
  [[nodiscard]] Member* find(std::string_view name) const noexcept {
    const auto found = members_.find(name);
    return found == members_.end() ? nullptr : found->second.get();
  }
  /// The member that is this recipient; null when it was deleted.
  [[nodiscard]] Member* find(Recipient to) const noexcept {
    Member* const member = to.number == nobody || to.number > numbers() ? nullptr : by_number_[to.number - 1];
    return member != nullptr && member->term == to.term ? member : nullptr;
  }
  /// Requires a number that a member has.
  [[nodiscard]] Member& member(ConsumerNumber number) const noexcept { return *by_number_[number - 1]; }

  /// Strikes a member off. Nothing may be pending with it.
  void strike(Member& member) noexcept {
    by_number_[member.number - 1] = nullptr;
    free_.push_back(member.number);  // there is room for every number
    member.number = nobody;
    member.in_flight = 0;
    members_.erase(members_.find(member.name));
  }

  /// In byte order of their names.
  [[nodiscard]] const Members& all() const noexcept { return members_; }
  /// The largest number there has been.
  [[nodiscard]] ConsumerNumber numbers() const noexcept { return static_cast<ConsumerNumber>(by_number_.size()); }

 private:
  Members members_;
  std::vector<Member*> by_number_;
  std::vector<ConsumerNumber> free_;
  std::uint32_t terms_ = 0;
};
using Roster = BasicRoster<Member>;

}  // namespace brook::group
