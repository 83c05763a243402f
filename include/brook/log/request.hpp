// request.hpp — which id the next entry shall have, and which it can have after a given one; and what came of it.
#pragma once

#include <cstdint>

#include <brook/error.hpp>
#include <brook/id.hpp>

namespace brook::log {

/// The three forms of XADD: `*` at a time, `<ms>-*`, and a full id.
class Request {
 public:
  /// `*`: the clock's time, or that of the last entry when the clock is behind; the next free sequence number.
  [[nodiscard]] static constexpr Request at_time(std::uint64_t ms) noexcept { return {Kind::time, {ms, 0}}; }
  /// `<ms>-*`
  [[nodiscard]] static constexpr Request in_millisecond(std::uint64_t ms) noexcept {
    return {Kind::millisecond, {ms, 0}};
  }
  [[nodiscard]] static constexpr Request exactly(Id id) noexcept { return {Kind::exact, id}; }

  [[nodiscard]] constexpr bool any_time() const noexcept { return kind_ == Kind::time; }
  [[nodiscard]] constexpr std::uint64_t ms() const noexcept { return id_.ms; }

  /// The id of an entry that comes after the one with id `last` (0-0: after none).
  [[nodiscard]] constexpr expected<Id, Errc> after(Id last) const noexcept {
    if (last == Id::max()) return unexpected(Errc::id_exhausted);
    const Id next = last.next();
    switch (kind_) {
      case Kind::time: return id_.ms > last.ms ? Id{id_.ms, 0} : next;
      case Kind::millisecond:
        if (id_.ms > last.ms) return Id{id_.ms, 0};
        if (id_.ms == next.ms && id_.ms == last.ms) return next;
        return unexpected(Errc::id_too_small);
      case Kind::exact: break;
    }
    if (id_ <= last) return unexpected(Errc::id_too_small);
    return id_;
  }

 private:
  enum class Kind : unsigned char { time, millisecond, exact };

  constexpr Request(Kind kind, Id id) noexcept : kind_(kind), id_(id) {}

  Kind kind_;
  Id id_;
};

/// Where an append landed.
struct Appended {
  Id first;             // the id of the first value; the others follow it
  std::uint64_t added;  // how many entries the log had ever got with these, or a little more: never less
  bool rolled = false;  // a new segment was linked for them
  bool met = false;     // others were just appending, too
};

}  // namespace brook::log
