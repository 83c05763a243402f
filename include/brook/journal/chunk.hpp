// chunk.hpp — what has been recorded, on its way from memory to a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <brook/journal/log_file.hpp>
#include <brook/snapshot/error.hpp>
#include <brook/snapshot/format.hpp>

namespace brook::journal {

/// Sections that go to one file: of each its type, its size, its bytes.
struct Chunk {
  std::shared_ptr<LogFile> file;
  std::vector<std::byte> sections;

  /// Throws std::bad_alloc, and then has changed nothing.
  void append(snapshot::Section section, std::span<const std::byte> bytes) {
    const std::uint64_t size = bytes.size();
    const std::size_t before = sections.size();
    sections.resize(before + sizeof section + sizeof size + bytes.size());
    std::byte* const at = sections.data() + before;
    std::memcpy(at, &section, sizeof section);
    std::memcpy(at + sizeof section, &size, sizeof size);
    if (!bytes.empty()) std::memcpy(at + sizeof section + sizeof size, bytes.data(), bytes.size());
  }
};

/// Writes chunks, the last of which is the only one whose file goes on. By one thread at a time. Throws std::bad_alloc.
[[nodiscard]] inline Result write_out(std::vector<Chunk>& chunks, bool to_disk) {
  for (Chunk& chunk : chunks) {
    for (std::size_t at = 0; at < chunk.sections.size();) {
      snapshot::Section section{};
      std::uint64_t size = 0;
      std::memcpy(&section, chunk.sections.data() + at, sizeof section);
      std::memcpy(&size, chunk.sections.data() + at + sizeof section, sizeof size);
      at += sizeof section + sizeof size;
      chunk.file->add(section, std::span(chunk.sections).subspan(at, static_cast<std::size_t>(size)));
      at += static_cast<std::size_t>(size);
    }
    const bool last = &chunk == &chunks.back();
    if (auto failed = chunk.file->write(); !failed) return failed;
    if (to_disk || !last) {
      if (auto failed = chunk.file->flush(); !failed) return failed;
    }
    if (last) continue;
    if (auto failed = chunk.file->close(); !failed) return failed;
  }
  return {};
}

}  // namespace brook::journal
