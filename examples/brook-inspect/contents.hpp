// contents.hpp — what a snapshot says of itself, read without knowing its types (docs/snapshot-format.md).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <brook/snapshot/channel.hpp>
#include <brook/snapshot/file.hpp>
#include <brook/snapshot/format.hpp>
#include <brook/snapshot/group.hpp>
#include <brook/snapshot/object.hpp>
#include <brook/snapshot/reader.hpp>

#include "value.hpp"

namespace inspect {

using brook::Id;
namespace snapshot = brook::snapshot;

/// A name and what is said of it, as text or as a number.
struct Fact {
  std::string name{};
  std::string text{};
  bool is_number = false;
};
using Facts = std::vector<Fact>;

inline void note(Facts& facts, std::string name, std::uint64_t number) {
  facts.push_back({std::move(name), std::to_string(number), true});
}
inline void note(Facts& facts, std::string name, std::int64_t number) {
  facts.push_back({std::move(name), std::to_string(number), true});
}
inline void note(Facts& facts, std::string name, std::string text) {
  facts.push_back({std::move(name), std::move(text)});
}

/// An entry, or an element, that is to be shown.
struct Shown {
  std::optional<Id> id{};
  std::string value{};
};

struct Object {
  snapshot::ObjectHead head{};
  std::uint64_t bytes = 0;  // in the file
  bool whole = false;
  bool told = false;  // what follows was read, but for what was cut off at its end
  bool closed = false;
  Facts options{};
  // Of a stream and, but for the ids, of a list:
  std::uint64_t count = 0;
  Id first{};
  Id last{};
  // Of a stream:
  std::uint64_t added = 0;
  Id last_id{};
  Id max_deleted{};
  std::uint64_t keys = 0;
  std::vector<snapshot::GroupRecord> groups{};
  std::vector<Shown> shown{};
};

struct File {
  std::string name{};
  std::uint64_t bytes = 0;
  snapshot::Contents contents = snapshot::Contents::broker;
  std::uint32_t version = 0;
  std::uint64_t saved_ms = 0;
  bool begins = false;  // what is above was read
  std::vector<Object> objects{};
  std::optional<brook::SnapshotError> damage{};
};

/// Reads a file as far as it is not damaged.
class Inspection {
 public:
  /// So many entries of each object are to be shown.
  Inspection(const std::filesystem::path& path, std::uint64_t show) : source_(path), from_(source_), show_(show) {
    file_.name = path.filename().string();
    std::error_code unknown;
    const auto size = std::filesystem::file_size(path, unknown);
    file_.bytes = unknown ? 0 : size;
    const snapshot::Contents contents = contents_of(path);
    if (contents == snapshot::Contents::object || contents == snapshot::Contents::journal) file_.contents = contents;
  }

  [[nodiscard]] File run() {
    from_.begin_file(file_.contents);
    file_.version = from_.file_version();
    file_.saved_ms = from_.saved_ms();
    file_.begins = !from_.failed();
    begin_ = from_.bytes_read();
    snapshot::Section section = from_.failed() ? snapshot::Section{} : from_.next();
    while (!from_.failed() && section != snapshot::end_section) {
      if (section != snapshot::object_section) from_.fail("a section that belongs to no object: " + to_string(section));
      section = read_object();
    }
    if (!from_.failed()) read_end();
    if (from_.failed()) file_.damage = from_.error();
    return std::move(file_);
  }

 private:
  [[nodiscard]] static snapshot::Contents contents_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    char header[16]{};
    in.read(header, sizeof header);
    const bool is_ours = std::memcmp(header, snapshot::magic.data(), snapshot::magic.size()) == 0;
    return is_ours ? snapshot::Contents{static_cast<unsigned char>(header[12])} : snapshot::Contents::broker;
  }

  // And to the beginning of what follows.
  [[nodiscard]] snapshot::Section read_object() {
    Object object{.head = snapshot::read_head(from_)};
    if (from_.failed()) return {};
    object.closed = object.head.closed;
    if (object.head.kind == brook::ObjectKind::stream) read_stream(object);
    if (object.head.kind == brook::ObjectKind::list) read_list(object);
    if (snapshot::is_channel(object.head.kind)) note_channel(object);
    object.bytes = from_.bytes_read() - std::exchange(begin_, from_.bytes_read());
    object.whole = !from_.failed();
    file_.objects.push_back(std::move(object));
    return from_.next();
  }
  void read_end() {
    const std::uint64_t sections = from_.sections() - 1;
    if (from_.size() != file_.objects.size() || from_.size() != sections) from_.fail("something is missing");
    from_.end();
    from_.end_file();
  }
  void expect(snapshot::Section wanted) {
    if (from_.next() != wanted) from_.fail("section " + to_string(wanted) + " is missing");
  }

  void read_stream(Object& object) {
    expect(snapshot::stream_section);
    read_bounds(object.options);
    note_if(object.options, "max_age_ms", from_.signed_size(), 0);
    if (from_.flag()) note(object.options, "until_acked", std::string("yes"));
    note(object.options, "spin_us", from_.signed_size());
    note(object.options, "idempotency_ms", from_.signed_size());
    note(object.options, "idempotency_keys", from_.size());
    object.added = from_.size();
    object.count = from_.size();
    object.last_id = from_.id();
    object.max_deleted = from_.id();
    object.closed = from_.flag();
    note_if(object.options, "duplicates", from_.size(), 0);
    const std::uint64_t groups = from_.size();
    from_.end();
    object.told = !from_.failed();
    for (std::uint64_t i = 0; i < groups && !from_.failed(); ++i) {
      expect(snapshot::group_section);
      auto group = snapshot::read_group(from_);
      if (!from_.failed()) object.groups.push_back(std::move(group));
    }
    expect(snapshot::keys_section);
    object.keys = from_.size();
    while (!from_.at_end()) from_.skip();
    read_entries(object);
  }
  void read_bounds(Facts& options) {
    note_if(options, "max_len", from_.size(), brook::unlimited);
    if (from_.flag()) note(options, "approximate", std::string("yes"));
    read_capacity(options);
  }
  void read_capacity(Facts& options) {
    note_if(options, "capacity", from_.size(), brook::unlimited);
    constexpr const char* names[] = {"reject", "block", "drop_oldest", "disconnect"};
    const auto overflow = from_.number<std::uint8_t>();
    if (overflow >= std::size(names)) return from_.fail("there is no such overflow");
    note(options, "overflow", std::string(names[overflow]));
  }
  template <class Number>
  static void note_if(Facts& facts, std::string name, Number number, Number unless) {
    if (number != unless) note(facts, std::move(name), number);
  }
  static void note_if(Facts& facts, std::string name, std::int64_t number, int unless) {
    note_if<std::int64_t>(facts, std::move(name), number, unless);
  }
  static void note_if(Facts& facts, std::string name, std::uint64_t number, int unless) {
    note_if<std::uint64_t>(facts, std::move(name), number, static_cast<std::uint64_t>(unless));
  }

  void read_entries(Object& object) {
    expect(snapshot::entries_section);
    snapshot::IdsIn ids;
    std::uint64_t read = 0;
    while (!from_.at_end()) {
      const std::uint64_t count = from_.size();
      Id id = ids.read(from_);
      if (count == 0 || count > object.count - read) from_.fail("there are not just so many entries");
      ids.pass(from_, count - 1);
      if (read == 0) object.first = id;
      for (std::uint64_t i = 0; i < count && !from_.failed(); ++i, ++id.seq, ++read) {
        read_value(object, id);
        object.last = id;
      }
    }
    if (read != object.count) from_.fail("entries are missing");
  }
  void note_channel(Object& object) const {
    object.told = true;
    if (from_.file_version() < snapshot::version_of_channel_options) return;
    note(object.options, "spin_us", std::int64_t{object.head.channel.spin.count()});
    if (object.head.kind == brook::ObjectKind::pubsub) note(object.options, "shards", object.head.channel.shards);
  }
  void read_list(Object& object) {
    expect(snapshot::list_section);
    read_capacity(object.options);
    note(object.options, "spin_us", from_.signed_size());
    object.closed = from_.flag();
    const bool from_right = from_.flag();
    from_.end();
    object.told = !from_.failed();
    expect(snapshot::elements_section);
    for (; !from_.at_end(); ++object.count) read_value(object, std::nullopt);
    if (from_right) std::ranges::reverse(object.shown);
  }
  void read_value(Object& object, std::optional<Id> id) {
    const std::uint64_t size = object.head.value_size > 0 ? object.head.value_size : from_.size();
    const auto bytes = from_.bytes(size);
    if (!from_.failed() && object.shown.size() < show_)
      object.shown.push_back({id, text_of_value(object.head.type, bytes)});
  }

  snapshot::FileSource source_;
  snapshot::Reader from_;
  const std::uint64_t show_;
  std::uint64_t begin_ = 0;  // of the object
  File file_;
};

}  // namespace inspect
