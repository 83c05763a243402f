// stream.hpp — a stream in a snapshot, as it is saved.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <brook/log/payload.hpp>
#include <brook/log/segment.hpp>
#include <brook/options.hpp>
#include <brook/snapshot/codec.hpp>
#include <brook/snapshot/group.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/values.hpp>
#include <brook/snapshot/writer.hpp>
#include <brook/stream.hpp>
#include <brook/stream/cut.hpp>

namespace brook::snapshot {

inline void write_stream_options(Encoder& out, const StreamOptions& options) {
  out.size(options.max_len);
  out.value(options.approximate);
  out.size(options.capacity);
  out.number(static_cast<std::uint8_t>(options.overflow));
  out.signed_size(options.max_age.count());
  out.value(options.until_acked);
  out.signed_size(options.spin.count());
  out.signed_size(options.idempotency.duration.count());
  out.size(options.idempotency.keys);
}

/// The name of a stream in the snapshot; empty when it is not there.
using NameOfStream = std::function<std::string(const void*)>;

/// A stream that is being saved (stream/cut.hpp).
template <class T>
class SavingStream final : public Saving {
 public:
  SavingStream(ObjectHead its_head, std::shared_ptr<stream::State<T>> stream, NameOfStream names)
      : Saving(std::move(its_head)), cut_(std::move(stream)), name_of_(std::move(names)) {}

  void lock() override { cut_.lock(); }
  void look() override { cut_.look(); }
  void note() override {
    for (group::Image<T>& group : cut_.groups()) {
      if (group.destroyed()) continue;
      write_group(groups_.emplace_back(), group, name_of_);
    }
  }
  void unlock() noexcept override { cut_.unlock(); }

  [[nodiscard]] Result write(Writer& to) override {
    if (auto failed = write_options(to); !failed) return failed;
    for (Encoder& group : groups_) {
      to.begin(group_section);
      if (auto failed = to.append(group.written()); !failed) return failed;
      if (auto failed = to.end(); !failed) return failed;
      group = Encoder();
    }
    if (auto failed = write_keys(to); !failed) return failed;
    return write_entries(to);
  }

 private:
  using Payload = log::PayloadOf<T>;
  using Segment = log::Segment<Payload>;
  using Slot = log::Slot<Payload>;

  static constexpr std::uint32_t longest_run = 512;

  [[nodiscard]] Result write_options(Writer& to) {
    const auto& view = cut_.whole().view();
    to.begin(stream_section);
    Encoder& out = to.out();
    write_stream_options(out, cut_.options());
    out.size(view.end.added());
    out.size(view.length());
    out.value(view.end.last_id());
    out.value(view.edits.max_deleted);
    out.value(view.end.sealed);
    out.size(cut_.duplicates());
    out.size(groups_.size());
    return to.end();
  }

  [[nodiscard]] Result write_keys(Writer& to) {
    auto keys = cut_.keys();
    if (!keys) return unexpected(SnapshotError(Errc::codec_error, "memory was short when a key was to be noted"));
    std::ranges::sort(*keys, {}, &stream::Record::number);
    to.begin(keys_section);
    to.out().size(keys->size());
    for (const stream::Record& key : *keys) {
      to.out().text(key.producer);
      to.out().text(key.key);
      to.out().value(key.id);
      to.out().signed_size((cut_.now() - key.added).count());
      if (auto failed = to.more(); !failed) return failed;
    }
    return to.end();
  }

  [[nodiscard]] Result write_entries(Writer& to) {
    to.begin(entries_section);
    Result result;
    const auto write_some = [&](const auto& segment, std::uint32_t first, std::uint32_t count) {
      while (count > 0 && result) {
        const std::uint32_t written = write_run(to, *segment, first, count, result);
        first += written;
        count -= written;
      }
    };
    while (result && cut_.whole().next(write_some)) {}
    return result ? to.end() : result;
  }

  // Entries whose ids follow each other, so that only the first one is told; how many.
  std::uint32_t write_run(Writer& to, Segment& segment, std::uint32_t first, std::uint32_t most, Result& result) {
    Slot* const slots = &segment.slot(first);
    const log::SlotState start = slots->state();
    const Id id = segment.id(start);
    std::uint32_t count = 1;
    for (const std::uint32_t enough = std::min(most, longest_run); count < enough; ++count) {
      if (slots[count].state().word.key() != start.word.key() + count) break;
    }
    to.out().size(count);
    ids_.write(to.out(), id);
    ids_.pass({id.ms, id.seq + count - 1});
    for (std::uint32_t done = 0; done < count && result;) {
      const auto some = static_cast<std::uint32_t>(std::min<std::size_t>(count - done, values_at_once<T>));
      Values<T>::write(to.out(), some, [from = slots + done](std::size_t i) -> const T& {
        return log::value_of<T>(std::as_const(from[i].payload()));
      });
      done += some;
      result = to.refused();
      if (result) result = to.more();
    }
    return count;
  }

  stream::Cut<T> cut_;
  const NameOfStream name_of_;
  std::vector<Encoder> groups_;
  IdsOut ids_;
};

}  // namespace brook::snapshot
