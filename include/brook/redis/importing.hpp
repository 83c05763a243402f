// importing.hpp — one object as commands make it, before anybody else knows of it.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/redis/read.hpp>
#include <brook/snapshot/error.hpp>

namespace brook::redis {

/// What a command did not do; who reads the commands adds where it stands.
[[nodiscard]] inline unexpected<SnapshotError> refuse(Errc why, std::string text) {
  return unexpected(SnapshotError(why, std::move(text)));
}
/// The same, with the key that it is about.
[[nodiscard]] inline unexpected<SnapshotError> about(std::string_view key, const SnapshotError& error) {
  return unexpected(SnapshotError(error.code(), core::text({"'", key, "': ", error.reason()}), error.offset()));
}
[[nodiscard]] inline unexpected<SnapshotError> not_understood(const Command& command) {
  std::string text = "not understood:";
  constexpr std::size_t most_words = 6;
  constexpr std::size_t most_letters = 40;
  for (std::size_t i = 0; i < std::min(command.size(), most_words); ++i) {
    text += ' ';
    text += command[i].substr(0, most_letters);
  }
  return refuse(Errc::corrupt, std::move(text));
}

/// A whole number, decimal and within bounds.
template <std::integral Number>
[[nodiscard]] std::optional<Number> number_of(std::string_view text) noexcept {
  Number number{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class Importing {
 public:
  explicit Importing(ObjectKind what) noexcept : kind(what) {}
  virtual ~Importing() = default;
  Importing(const Importing&) = delete;
  Importing& operator=(const Importing&) = delete;

  /// Does what a command about it says: one of the commands that make such an object. Errors: corrupt; codec_error for a value
  /// that no T can be made of; invalid_argument when it does not fit the options. Throws std::bad_alloc.
  [[nodiscard]] virtual snapshot::Result apply(const Command& command) = 0;

  const ObjectKind kind;
  std::optional<std::int64_t> expires_ms{};  // when the name goes, in Unix milliseconds
};

}  // namespace brook::redis
