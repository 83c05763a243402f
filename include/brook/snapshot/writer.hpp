// writer.hpp — a snapshot as it is written: sections, cut into pieces with checksums, through a buffer of bounded size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include <brook/error.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/crc32c.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::snapshot {

/// For one thread. Throws std::bad_alloc, and what the sink throws.
class Writer {
 public:
  explicit Writer(ByteSink& to) noexcept : to_(to) {}

  [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
  [[nodiscard]] std::uint32_t sections() const noexcept { return sections_; }
  /// Called after each piece.
  std::function<void()> on_piece{};

  [[nodiscard]] Result begin_file(Contents contents, std::uint64_t unix_ms) {
    Encoder header;
    header.bytes(magic.data(), magic.size());
    header.number(version);
    header.number(static_cast<std::uint32_t>(contents));
    header.number(unix_ms);
    header.number(std::uint32_t{0});
    header.number(crc32c(header.written()));
    return write(header.written());
  }
  [[nodiscard]] Result end_file(std::uint64_t objects) {
    const std::uint64_t before = sections_;
    begin(end_section);
    out().size(objects);
    out().size(before);
    return end();
  }

  void begin(Section type) noexcept {
    type_ = type;
    ++sections_;
  }
  /// Where the section's bytes go; more() is to be called now and then.
  [[nodiscard]] Encoder& out() noexcept { return out_; }
  /// Writes what fills whole pieces.
  [[nodiscard]] Result more() {
    if (out_.written_size() < largest_piece) return {};
    std::size_t done = 0;
    for (; out_.written_size() - done >= largest_piece; done += largest_piece) {
      if (auto failed = write_piece(out_.written().subspan(done, largest_piece), 0); !failed) return failed;
    }
    out_.drop(done);
    return {};
  }
  /// Many bytes, without a copy of all of them.
  [[nodiscard]] Result append(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const std::size_t count = bytes.size() < largest_piece ? bytes.size() : largest_piece;
      out_.bytes(bytes.first(count));
      if (auto failed = more(); !failed) return failed;
      bytes = bytes.subspan(count);
    }
    return {};
  }
  [[nodiscard]] Result end() {
    if (auto failed = more(); !failed) return failed;
    auto result = write_piece(out_.written(), last_piece);
    out_.clear();
    return result;
  }
  /// A value that could not be encoded: to be asked after values were written.
  [[nodiscard]] Result refused() const {
    if (!out_.failed()) return {};
    return unexpected(SnapshotError(Errc::codec_error, "a value could not be encoded"));
  }

 private:
  [[nodiscard]] Result write_piece(std::span<const std::byte> payload, std::uint32_t flags) {
    header_.clear();
    header_.number(static_cast<std::uint32_t>(type_));
    header_.number(static_cast<std::uint32_t>(payload.size()));
    header_.number(pieces_++);
    header_.number(flags);
    header_.number(crc32c(payload, crc32c(header_.written())));
    if (auto failed = write(header_.written()); !failed) return failed;
    if (auto failed = write(payload); !failed) return failed;
    if (on_piece) on_piece();
    return {};
  }
  [[nodiscard]] Result write(std::span<const std::byte> bytes) {
    if (bytes.empty()) return {};
    if (auto failed = to_.write(bytes); !failed) {
      const SnapshotError& error = failed.error();
      return unexpected(error.offset() ? error : SnapshotError(error.code(), error.message(), written_));
    }
    written_ += bytes.size();
    return {};
  }

  ByteSink& to_;
  Encoder out_;
  Encoder header_;
  Section type_{};
  std::uint32_t pieces_ = 0;
  std::uint32_t sections_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace brook::snapshot
