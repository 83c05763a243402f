// reader.hpp — a snapshot as it is read. Nothing of it is trusted: bytes are handed out only from pieces whose checksum is
// right, and no more memory is taken than bytes have come.
//
// What fails is noted once; from then on numbers are 0 and texts empty, so that who reads a few of them asks at the end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/crc32c.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::snapshot {

/// For one thread. Throws std::bad_alloc, and what the source throws.
class Reader {
 public:
  explicit Reader(ByteSource& from) noexcept : from_(from) {}

  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return read_; }
  [[nodiscard]] std::uint32_t file_version() const noexcept { return version_; }
  /// When it was saved, in Unix milliseconds.
  [[nodiscard]] std::uint64_t saved_ms() const noexcept { return saved_ms_; }
  [[nodiscard]] std::uint32_t sections() const noexcept { return sections_; }
  /// Called after each piece.
  std::function<void()> on_piece{};

  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }
  /// Requires failed().
  [[nodiscard]] const SnapshotError& error() const noexcept { return *error_; }
  [[nodiscard]] Result result() const { return failed() ? Result(unexpected(*error_)) : Result(); }
  /// How many bytes of sections were taken so far.
  [[nodiscard]] std::uint64_t position() const noexcept { return dropped_ + at_; }
  void fail(Errc why, std::string text) {
    if (!failed()) error_.emplace(why, std::move(text), offset());
  }
  void fail(std::string text) { fail(Errc::corrupt, std::move(text)); }

  /// Reads the header of the file, which must be about this.
  void begin_file(Contents wanted);
  /// The next section; what was left of the one before must have been read. Those that may be left out are.
  [[nodiscard]] Section next();
  /// Leaves out what is left of the section.
  void skip() {
    while (!at_end()) at_ = end_;
  }
  /// The section must end here.
  void end() {
    if (!at_end()) fail("the section is longer than what it says");
  }
  /// Nothing may follow.
  void end_file();

  /// Whether the section has ended.
  [[nodiscard]] bool at_end() {
    while (!failed() && left() == 0 && !last_) next_piece();
    return failed() || left() == 0;
  }

  [[nodiscard]] std::uint64_t size() {
    return decoded<std::uint64_t>(Encoder::most_of_size, [](Decoder& from) { return from.size(); });
  }
  [[nodiscard]] std::int64_t signed_size() {
    return decoded<std::int64_t>(Encoder::most_of_size, [](Decoder& from) { return from.signed_size(); });
  }
  /// How long it is since something, or until it: no longer than can be reckoned with, which is 73 years.
  [[nodiscard]] std::chrono::nanoseconds time() {
    constexpr std::int64_t most = std::int64_t{1} << 61;
    return std::chrono::nanoseconds(std::clamp(signed_size(), -most, most));
  }
  template <class Number>
  [[nodiscard]] Number number() {
    return decoded<Number>(sizeof(Number), [](Decoder& from) { return from.number<Number>(); });
  }
  [[nodiscard]] bool flag() {
    const auto byte = number<std::uint8_t>();
    if (byte > 1) fail("a flag is neither yes nor no");
    return byte == 1;
  }
  [[nodiscard]] Id id() {
    const std::uint64_t ms = number<std::uint64_t>();
    return {ms, number<std::uint64_t>()};
  }
  [[nodiscard]] std::string text() {
    const auto bytes = this->bytes(size());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// The next bytes, until something else is read; none when there are not so many.
  [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t count) {
    if (!ensure(count)) {
      fail("the section ends early");
      return {};
    }
    const std::span<const std::byte> found(buffer_.data() + at_, static_cast<std::size_t>(count));
    at_ += found.size();
    return found;
  }
  /// A value that takes just so many bytes. Requires that nothing has failed.
  template <class T>
  [[nodiscard]] std::optional<T> value(std::uint64_t size) {
    const std::uint64_t before = offset();
    const auto taken = bytes(size);
    if (failed()) return std::nullopt;
    Decoder from(taken);
    auto value = from.value<T>();
    if (!value || from.left() > 0) {
      const Errc why = value ? Errc::corrupt : value.error();
      error_.emplace(why, core::text({"a value of type ", Codec<T>::type(), " cannot be made of its bytes"}), before);
      return std::nullopt;
    }
    return *std::move(value);
  }

 private:
  [[nodiscard]] static std::string_view what_of(Contents contents) noexcept {
    return contents == Contents::broker ? "a broker" : contents == Contents::object ? "one object" : "a journal";
  }

  [[nodiscard]] std::size_t left() const noexcept { return end_ - at_; }
  // Where in the file the next byte of the section stands.
  [[nodiscard]] std::uint64_t offset() const noexcept {
    const std::uint64_t behind = left();
    if (behind <= piece_size_) return piece_end_ - behind;
    return piece_end_ - behind - piece_header_size;
  }

  // Whether there are so many bytes of the section. What the buffer holds is what was read.
  [[nodiscard]] bool ensure(std::uint64_t count) {
    while (left() < count && !last_ && !failed()) next_piece();
    return !failed() && left() >= count;
  }

  template <class Number, class Decode>
  [[nodiscard]] Number decoded(std::size_t most, Decode decode) {
    static_cast<void>(ensure(most));
    if (failed()) return Number{};
    Decoder from({buffer_.data() + at_, left()});
    const auto number = decode(from);
    if (!number) {
      fail(left() < most ? "the section ends early" : "a number is too long");
      return Number{};
    }
    at_ = end_ - from.left();
    return *number;
  }

  // False when there are not so many bytes, or when it failed.
  [[nodiscard]] bool read_exactly(std::span<std::byte> to);
  void next_piece();
  void read_payload(std::span<const std::byte> header, std::size_t size);

  ByteSource& from_;
  std::optional<SnapshotError> error_;
  std::vector<std::byte> buffer_;  // of which what lies between these two was read, and not yet taken
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::uint64_t dropped_ = 0;  // before what is in the buffer
  bool last_ = true;
  bool first_ = false;  // the next piece begins a section
  bool optional_ = false;
  Section type_{};
  std::uint32_t pieces_ = 0;
  std::uint32_t sections_ = 0;
  std::uint64_t piece_end_ = 0;
  std::uint64_t piece_size_ = 0;
  std::uint64_t read_ = 0;
  std::uint32_t version_ = 0;
  std::uint64_t saved_ms_ = 0;
};

inline bool Reader::read_exactly(std::span<std::byte> to) {
  while (!to.empty()) {
    const auto count = from_.read(to);
    if (!count) {
      error_.emplace(count.error().code(), count.error().message(), read_);
      return false;
    }
    if (*count == 0) return false;
    read_ += *count;
    to = to.subspan(*count);
  }
  return true;
}

inline void Reader::begin_file(Contents wanted) {
  std::byte header[header_size];
  const bool whole = read_exactly(header);
  if (failed()) return;
  if (read_ < magic.size() || std::memcmp(header, magic.data(), magic.size()) != 0)
    return static_cast<void>(error_.emplace(Errc::corrupt, "this is not a snapshot", 0));
  if (!whole) return static_cast<void>(error_.emplace(Errc::corrupt, "the header ends early", read_));
  Decoder from(std::span<const std::byte>(header).subspan(magic.size()));
  version_ = *from.number<std::uint32_t>();
  const Contents contents{*from.number<std::uint32_t>()};
  saved_ms_ = *from.number<std::uint64_t>();
  const bool zero = *from.number<std::uint32_t>() == 0;
  if (*from.number<std::uint32_t>() != crc32c(std::span<const std::byte>(header).first(header_size - 4)))
    error_.emplace(Errc::corrupt, "the checksum of the header is wrong", 0);
  else if (version_ > version)
    error_.emplace(Errc::unsupported_version,
                   core::text({"it has version ", std::to_string(version_), ", and this program reads up to ",
                               std::to_string(version)}),
                   magic.size());
  else if (version_ == 0 || !zero || contents < Contents::broker || contents > Contents::journal)
    error_.emplace(Errc::corrupt, "the header makes no sense", 0);
  else if (contents != wanted)
    error_.emplace(Errc::wrong_type, core::text({"it holds ", what_of(contents), ", not ", what_of(wanted)}));
}

inline Section Reader::next() {
  do {
    if (optional_) skip();
    if (failed()) return Section{};
    first_ = true;
    next_piece();
  } while (!failed() && optional_);
  return failed() ? Section{} : type_;
}

inline void Reader::end_file() {
  std::byte more[1];
  if (!failed() && read_exactly(more)) error_.emplace(Errc::corrupt, "there is more behind the end", read_ - 1);
}

inline void Reader::next_piece() {
  std::byte header[piece_header_size];
  const std::uint64_t at = read_;
  const auto wrong = [&](const char* what) {
    if (!failed()) error_.emplace(Errc::corrupt, what, at);
  };
  if (!read_exactly(header)) return wrong("the snapshot ends early");
  Decoder from(header);
  const Section type{*from.number<std::uint32_t>()};
  const auto size = *from.number<std::uint32_t>();
  const bool in_order = *from.number<std::uint32_t>() == pieces_++;
  const auto flags = *from.number<std::uint32_t>();
  if (size > largest_piece) return wrong("a piece is too long");
  read_payload(header, size);
  if (failed()) return;
  if (!in_order) return wrong("a piece is not the next one");
  if ((flags & ~(last_piece | optional_piece)) != 0) return wrong("a piece has flags that there are not");
  if (!first_ && type != type_) return wrong("a section is not at its end");
  if (size == 0 && (flags & last_piece) == 0) return wrong("a piece is empty");
  sections_ += first_ ? 1 : 0;
  first_ = false;
  type_ = type;
  last_ = (flags & last_piece) != 0;
  optional_ = (flags & optional_piece) != 0;
  piece_size_ = size;
  piece_end_ = read_;
  if (on_piece) on_piece();
}

inline void Reader::read_payload(std::span<const std::byte> header, std::size_t size) {
  const std::uint64_t at = read_ - header.size();
  dropped_ += at_;
  end_ = left();
  if (end_ > 0) std::memmove(buffer_.data(), buffer_.data() + at_, end_);
  at_ = 0;
  if (buffer_.size() < end_ + size) buffer_.resize(end_ + size);
  const std::span<std::byte> payload(buffer_.data() + end_, size);
  if (!read_exactly(payload)) {
    if (!failed()) error_.emplace(Errc::corrupt, "the snapshot ends early", read_);
    return;
  }
  end_ += size;
  Decoder sum(header.last(4));
  if (crc32c(payload, crc32c(header.first(header.size() - 4))) != *sum.number<std::uint32_t>())
    error_.emplace(Errc::corrupt, "the checksum of a piece is wrong", at);
}

}  // namespace brook::snapshot
