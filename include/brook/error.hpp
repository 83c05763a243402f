// error.hpp — what can go wrong, as values: Errc, and expected to carry it.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <tl/expected.hpp>

#include <brook/core/config.hpp>

namespace brook {

/// A value, or why there is none. It is tl::expected, so that C++20 programs have it on every compiler; code that stays
/// within the members it shares with std::expected (has_value, *, ->, error, value_or, transform, and_then, or_else)
/// needs no change on the day that this alias becomes the standard's.
template <class T, class E>
using expected = tl::expected<T, E>;

using tl::unexpected;

/// Why an operation did not take place. Whatever the reason, nothing has changed.
enum class Errc {
  timed_out = 1,        ///< The time was up before there was anything.
  closed,               ///< The object was closed and has nothing left to give.
  cancelled,            ///< The wait was called off: by its stop token, or by the handle of its completion.
  full,                 ///< A bounded object has no room.
  id_too_small,         ///< The id is not above the last one the stream gave out.
  id_exhausted,         ///< The stream holds the largest id there is.
  invalid_id,           ///< Not an id: bad text, or 0-0 where an entry needs one.
  no_such_group,        ///< The stream has no consumer group of this name.
  group_exists,         ///< The stream already has a consumer group of this name.
  no_such_key,          ///< Nothing has this name.
  wrong_type,           ///< The name holds an object of another type.
  invalid_argument,     ///< The options contradict each other or are out of range.
  corrupt,              ///< The bytes are damaged or are no snapshot.
  unsupported_version,  ///< The snapshot was written by a newer version.
  io_error,             ///< Reading or writing failed.
  codec_error,          ///< A value could not be encoded or decoded.
  not_pending,          ///< The entry was acknowledged, or is pending with somebody else.
  no_subscriber,        ///< Nobody is there to answer.
  unanswered,           ///< Who got the question gave it up.
  out_of_memory,        ///< Of a completion: where a call would have thrown std::bad_alloc.
  exception,  ///< Of a completion: where a call would have thrown what a value throws when it is copied or moved.
};

/// One English sentence without a full stop; for people, not for comparing.
[[nodiscard]] constexpr std::string_view message(Errc error) noexcept {
  switch (error) {
    case Errc::timed_out: return "the wait timed out";
    case Errc::closed: return "the object is closed";
    case Errc::cancelled: return "the wait was cancelled";
    case Errc::full: return "the object is full";
    case Errc::id_too_small: return "the id is equal to or smaller than the last id of the stream";
    case Errc::id_exhausted: return "the stream has exhausted the last possible id";
    case Errc::invalid_id: return "the id is invalid";
    case Errc::no_such_group: return "the stream has no such consumer group";
    case Errc::group_exists: return "the stream already has a consumer group of this name";
    case Errc::no_such_key: return "nothing has this name";
    case Errc::wrong_type: return "the name holds an object of another type";
    case Errc::invalid_argument: return "an argument is invalid";
    case Errc::corrupt: return "the data is damaged";
    case Errc::unsupported_version: return "the data was written by an unsupported version";
    case Errc::io_error: return "reading or writing failed";
    case Errc::codec_error: return "a value could not be encoded or decoded";
    case Errc::not_pending: return "the entry is not pending with this consumer any more";
    case Errc::no_subscriber: return "nobody is subscribed";
    case Errc::unanswered: return "the request was given up without an answer";
    case Errc::out_of_memory: return "there was no memory";
    case Errc::exception: return "a value threw an exception";
  }
  return "unknown error";
}

/// The std::error_category of Errc; its name is "brook".
[[nodiscard]] inline const std::error_category& category() noexcept {
  struct Category final : std::error_category {
    const char* name() const noexcept override { return "brook"; }
    std::string message(int value) const override { return std::string(brook::message(static_cast<Errc>(value))); }
  };
  static const Category instance;
  return instance;
}

/// Found by std::error_code's constructor, so that `std::error_code code = brook::Errc::closed;` works.
[[nodiscard]] inline std::error_code make_error_code(Errc error) noexcept {
  return {static_cast<int>(error), category()};
}

}  // namespace brook

template <>
struct std::is_error_code_enum<brook::Errc> : std::true_type {};
