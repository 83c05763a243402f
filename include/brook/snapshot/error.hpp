// error.hpp — what went wrong with a snapshot: an Errc, where in the data, and a sentence for people.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <brook/core/text.hpp>
#include <brook/error.hpp>

namespace brook {

/// Why something was not saved, or not loaded. It is an Errc:
///   corrupt              the bytes are damaged, cut off, or no snapshot
///   unsupported_version  they were written by a newer version
///   wrong_type           they hold other types than those that were asked for
///   invalid_argument     something must be given that cannot be saved, or a name is in use
///   io_error             the system said no; the sentence says what it said
///   codec_error          a value could not be encoded
///   closed               the broker that was to be filled is closed
/// To copy one takes no memory, and so does not throw: it may be told where nothing may.
class SnapshotError {
 public:
  /// With the sentence for people, where the code does not say it all, and the place. Without a sentence it does not throw.
  SnapshotError(Errc code, std::string text = {}, std::optional<std::uint64_t> offset = std::nullopt)
      : code_(code),
        offset_(offset),
        text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}

  /// The code, so that it compares with one.
  operator Errc() const noexcept { return code_; }
  [[nodiscard]] Errc code() const noexcept { return code_; }
  /// Where in the data, in bytes from its beginning; nothing when that says nothing.
  [[nodiscard]] std::optional<std::uint64_t> offset() const noexcept { return offset_; }
  /// For people: "at byte 4160: the checksum of a piece is wrong".
  [[nodiscard]] std::string message() const {
    return offset_ ? core::text({"at byte ", std::to_string(*offset_), ": ", reason()}) : std::string(reason());
  }
  /// The same without the place; as long as this lives.
  [[nodiscard]] std::string_view reason() const noexcept {
    return text_ == nullptr ? brook::message(code_) : std::string_view(*text_);
  }

 private:
  Errc code_;
  std::optional<std::uint64_t> offset_;
  std::shared_ptr<const std::string> text_;
};

namespace snapshot {

/// Done, or why not.
using Result = expected<void, SnapshotError>;

}  // namespace snapshot
}  // namespace brook
