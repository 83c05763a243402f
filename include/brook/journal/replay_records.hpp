// replay_records.hpp — the records of a journal, one after the other, each change with what it is of.
#pragma once

#include <cstdint>
#include <filesystem>

#include <brook/core/text.hpp>
#include <brook/error.hpp>
#include <brook/journal/codes.hpp>
#include <brook/journal/scan.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/reader.hpp>

namespace brook::journal {

[[nodiscard]] inline snapshot::Result failed_in(const std::filesystem::path& file, const SnapshotError& why) {
  return unexpected(SnapshotError(why.code(), core::text({"'", file.string(), "': ", why.message()})));
}

/// Calls `read(from)` at each record of a file that counts.
template <class Read>
[[nodiscard]] snapshot::Result read_records(const Scanned& file, Read&& read) {
  snapshot::FileSource source(file.path);
  snapshot::Reader from(source);
  Scanned again = file;
  read_begin(from, again);
  for (std::uint64_t record = 0; record < file.records && !from.failed();) {
    if (from.next() == snapshot::record_section) {
      read(from);
      ++record;
    } else {
      from.skip();
    }
  }
  return from.failed() ? failed_in(file.path, from.error()) : snapshot::Result();
}

/// Behind the time of a record. Calls `apply(change, number)`, which reads what follows, or answers false: that is left out.
template <class Apply>
void read_changes(snapshot::Reader& from, Apply&& apply) {
  while (!from.at_end()) {
    const std::uint64_t size = from.size();
    const std::uint64_t begin = from.position();
    const Change change{from.number<std::uint8_t>()};
    const Number number = from.size();
    if (number == 0) from.fail("a change of nothing");
    if (from.failed()) return;
    const bool known = apply(change, number);
    if (from.failed()) return;
    const std::uint64_t read = from.position() - begin;
    if (!known && read <= size) static_cast<void>(from.bytes(size - read));
    else if (read != size) from.fail("a change is not as long as it says");
  }
}

}  // namespace brook::journal
