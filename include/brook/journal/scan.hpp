// scan.hpp — how far the files of a journal are whole, before anything of them is believed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/journal/directory.hpp>
#include <brook/journal/options.hpp>
#include <brook/snapshot/bytes.hpp>
#include <brook/snapshot/crc32c.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/reader.hpp>
#include <brook/snapshot/sink.hpp>

namespace brook::journal {

/// One file, as far as it is whole.
struct Scanned {
  std::uint64_t generation = 0;
  std::filesystem::path path{};
  bool begun = false;                      // it says how it begins
  bool unfinished = false;                 // it does not, as a crash may leave it that came while it was made
  std::uint64_t first = 0;                 // the number of its first record
  std::chrono::nanoseconds begins{0};      // in the journal's time
  std::chrono::nanoseconds ends{0};        // when its last record was made
  std::uint64_t records = 0;               // that are whole, and count
  std::uint64_t whole = 0;                 // bytes
  std::uint64_t size = 0;                  // bytes
  std::optional<SnapshotError> problem{};  // what is behind them
};

/// A time of the journal; not one with which nothing can be reckoned.
[[nodiscard]] inline std::chrono::nanoseconds read_time(snapshot::Reader& from) {
  constexpr std::int64_t most = std::int64_t{1} << 60;
  const std::int64_t time = from.signed_size();
  if (time > most || time < -most) from.fail("a time is too far away");
  return std::chrono::nanoseconds(from.failed() ? 0 : time);
}

/// How a file begins.
inline void read_begin(snapshot::Reader& from, Scanned& file) {
  from.begin_file(snapshot::Contents::journal);
  if (from.next() != snapshot::begin_section) from.fail("the beginning is missing");
  if (from.size() != file.generation) from.fail("it is not the file that it is named after");
  file.first = from.size();
  file.begins = file.ends = read_time(from);
  from.end();
}

/// Whether there is a whole piece of a record in what is behind the last whole record.
[[nodiscard]] inline bool whole_behind(const Scanned& file) {
  snapshot::FileSource source(file.path);
  std::vector<std::byte> window;
  std::vector<std::byte> block(1 << 20);
  std::uint64_t at = 0;  // where the window begins
  constexpr std::size_t longest = snapshot::piece_header_size + snapshot::largest_piece;
  const auto is_piece = [&](std::size_t i) {
    std::uint32_t head[5];
    if (window.size() - i < sizeof head) return false;
    std::memcpy(head, window.data() + i, sizeof head);
    if (snapshot::Section{head[0]} != snapshot::record_section || head[1] > snapshot::largest_piece) return false;
    if (window.size() - i < sizeof head + head[1]) return false;
    const std::span<const std::byte> piece(window.data() + i, sizeof head + head[1]);
    return snapshot::crc32c(piece.subspan(sizeof head), snapshot::crc32c(piece.first(16))) == head[4];
  };
  for (bool more = true; more;) {
    const auto count = source.read(block);
    more = count && *count > 0;
    if (more) window.insert(window.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*count));
    std::size_t i = 0;
    for (; i + (more ? longest : snapshot::piece_header_size) <= window.size(); ++i) {
      if (at + i > file.whole && is_piece(i)) return true;
    }
    window.erase(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(i));
    at += i;
  }
  return false;
}

/// Bytes of which there may have been too few.
class ShortSource final : public ByteSource {
 public:
  explicit ShortSource(std::span<const std::byte> from) noexcept : from_(from) {}
  [[nodiscard]] bool asked_for_more() const noexcept { return asked_for_more_; }
  expected<std::size_t, SnapshotError> read(std::span<std::byte> to) override {
    const auto count = from_.read(to);
    asked_for_more_ = asked_for_more_ || *count == 0;
    return count;
  }

 private:
  snapshot::MemorySource from_;
  bool asked_for_more_ = false;
};

/// Whether a file of which not even the beginning is whole is what a crash leaves that comes while it is made: a part of a
/// beginning, and nothing, or zeros, where the system has not written more. Anything else was damaged later, or is somebody
/// else's.
[[nodiscard]] inline bool is_unfinished(const Scanned& file) {
  constexpr std::size_t most = snapshot::header_size + snapshot::piece_header_size + 3 * Encoder::most_of_size;
  if (file.size > most || whole_behind(file)) return false;
  std::byte bytes[most];
  std::size_t size = 0;
  snapshot::FileSource source(file.path);
  while (size < most) {
    const auto count = source.read(std::span(bytes).subspan(size));
    if (!count) return false;
    if (*count == 0) break;
    size += *count;
  }
  while (size > 0 && bytes[size - 1] == std::byte{0}) --size;
  if (std::memcmp(bytes, snapshot::magic.data(), std::min(size, snapshot::magic.size())) != 0) return false;
  ShortSource part(std::span<const std::byte>(bytes).first(size));
  snapshot::Reader from(part);
  Scanned as{.generation = file.generation};
  read_begin(from, as);
  return part.asked_for_more();
}

/// Reads a file up to its end, or to where it is damaged. Errors: of reading it, or for what is no journal of this program.
[[nodiscard]] inline Result scan(Scanned& file) {
  std::error_code failed;
  file.size = std::filesystem::file_size(file.path, failed);
  if (failed) return snapshot::io_failed("reading", file.path, failed);
  snapshot::FileSource source(file.path);
  snapshot::Reader from(source);
  read_begin(from, file);
  file.begun = !from.failed();
  if (file.begun) file.whole = from.bytes_read();
  while (!from.failed() && file.whole < file.size) {
    const snapshot::Section section = from.next();
    if (section == snapshot::record_section) file.ends = std::max(file.ends, read_time(from));
    else if (section != snapshot::catalog_section) from.fail("a section that there cannot be");
    from.skip();
    if (from.failed()) break;
    file.whole = from.bytes_read();
    file.records += section == snapshot::record_section ? 1 : 0;
  }
  if (!from.failed()) return {};
  const Errc why = from.error().code();
  if (why != Errc::corrupt)
    return unexpected(SnapshotError(why, core::text({file.path.string(), ": ", from.error().message()})));
  file.problem = from.error();
  file.unfinished = !file.begun && is_unfinished(file);
  return {};
}

/// All files that count, in order.
struct Scan {
  std::uint64_t base = 0;  // the generation of the snapshot; 0 when there is none
  std::vector<Scanned> files{};
  std::uint64_t newest = 0;   // generation that has a file of any kind
  std::uint64_t records = 0;  // the number behind the last one
  std::chrono::nanoseconds ends{0};
  std::optional<JournalRecovery::Cut> cut{};
  std::vector<std::uint64_t> behind{};  // generations that come after the cut

  [[nodiscard]] std::chrono::nanoseconds begins() const noexcept {
    return files.empty() ? std::chrono::nanoseconds(0) : files.front().begins;
  }
};

/// Cuts the journal behind the last file that counts so far, which `left` files follow that do not.
inline void cut_off(Scan& found, std::span<const Scanned> left) {
  const Scanned& last = found.files.back();
  JournalRecovery::Cut cut{.file = last.path, .offset = last.whole, .bytes = last.size - last.whole};
  cut.why = "it ends early";
  if (last.problem) cut.why = last.problem->message();
  else if (!left.empty() && left.front().problem) cut.why = left.front().problem->message();
  cut.whole_behind = whole_behind(last);
  for (const Scanned& file : left) {
    cut.bytes += file.size;
    cut.whole_behind = cut.whole_behind || file.records > 0 || (!file.begun && whole_behind(file));
    found.behind.push_back(file.generation);
  }
  found.cut = std::move(cut);
}

/// What follows the last file that counts says nothing of how it begins. That is a cut, unless it is what a crash leaves.
inline void leave_out(Scan& found, std::span<const Scanned> left) {
  if (!std::ranges::all_of(left, &Scanned::unfinished)) return cut_off(found, left);
  for (const Scanned& file : left) found.behind.push_back(file.generation);
}

/// Errors: corrupt when there is no beginning behind which the others could come.
[[nodiscard]] inline Result check_beginning(const Directory& directory, std::uint64_t base,
                                            std::span<const Scanned> files) {
  if (base > 0 && (files.empty() || files.front().generation != base))
    return unexpected(SnapshotError(
        Errc::corrupt, core::text({"'", directory.records(base).string(), "' is missing: its snapshot is there"})));
  if (files.empty()) return {};
  const Scanned& front = files.front();
  if (!front.begun && (base > 0 || !front.unfinished))
    return unexpected(
        SnapshotError(Errc::corrupt, core::text({front.path.string(), ": ", front.problem->message()}), 0));
  const auto begun = std::ranges::find_if(files, &Scanned::begun);
  if (base == 0 && begun != files.end() && begun->first > 0)
    return unexpected(SnapshotError(
        Errc::corrupt, core::text({"'", begun->path.string(), "' goes on behind records that are missing"})));
  return {};
}

/// Errors: io_error; corrupt when not even the beginning can be read, or a file is missing; unsupported_version.
[[nodiscard]] inline Result scan_all(Directory& directory, Scan& found) {
  Directory::Found there;
  if (auto failed = directory.find(there); !failed) return failed;
  found.base = there.snapshot;
  found.newest = std::max(there.snapshot, there.records.empty() ? 0 : there.records.back());
  std::erase_if(there.records, [&](std::uint64_t generation) { return generation < there.snapshot; });
  std::vector<Scanned> files;
  for (const std::uint64_t generation : there.records) {
    files.push_back({.generation = generation, .path = directory.records(generation)});
    if (auto failed = scan(files.back()); !failed) return failed;
  }
  if (auto failed = check_beginning(directory, found.base, files); !failed) return failed;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Scanned& file = files[i];
    const std::span<const Scanned> rest = std::span(files).subspan(i);
    if (i > 0 && std::ranges::none_of(rest, &Scanned::begun)) {
      leave_out(found, rest);
      break;
    }
    if (i > 0 && !file.begun) {  // nothing was recorded in it; if something was, the next one shows it
      if (!file.unfinished) found.behind.push_back(file.generation);
      continue;
    }
    const bool follows = i == 0 || file.first <= found.records;
    if (!follows) {
      cut_off(found, rest);
      break;
    }
    if (i > 0) {  // what is behind was cut off before it was begun
      Scanned& before = found.files.back();
      before.records = std::min(before.records, file.first - before.first);
    }
    found.records = file.first + file.records;
    found.ends = std::max(found.ends, file.ends);
    found.files.push_back(file);
  }
  if (!found.cut && !found.files.empty() && found.files.back().problem) cut_off(found, {});
  return {};
}

}  // namespace brook::journal
