// table.hpp — what is in a snapshot, for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "contents.hpp"

namespace inspect {

[[nodiscard]] inline std::string date_of(std::uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  char text[64] = "?";
  if (const std::tm* const utc = std::gmtime(&seconds)) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", utc);
  return text;
}
[[nodiscard]] inline std::string seconds(std::chrono::nanoseconds time) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f s", std::chrono::duration<double>(time).count());
  return text;
}
[[nodiscard]] inline std::string many(std::uint64_t count, std::string_view one, std::string_view more) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : more);
}

/// The options of a group that are not what they are when nothing is said.
[[nodiscard]] inline Facts options_of(const snapshot::GroupRecord& group) {
  Facts facts;
  if (group.max_deliveries > 0) note(facts, "max_deliveries", group.max_deliveries);
  if (group.retry_delay.first.count() > 0) note(facts, "retry_delay_ms", std::int64_t{group.retry_delay.first.count()});
  if (group.visibility.count() > 0) note(facts, "visibility_ms", std::int64_t{group.visibility.count()});
  if (group.max_in_flight > 0 && group.max_in_flight != brook::unlimited)
    note(facts, "max_in_flight", group.max_in_flight);
  if (group.max_in_flight_of_consumer > 0 && group.max_in_flight_of_consumer != brook::unlimited)
    note(facts, "max_in_flight_of_consumer", group.max_in_flight_of_consumer);
  if (group.ordered) note(facts, "ordered_by", std::string("a key"));
  if (group.letters != snapshot::Letters::none) note(facts, "dead_letter", group.letters_to);
  return facts;
}

class Table {
 public:
  explicit Table(std::ostream& out) : out_(out) {}

  void print(const File& file) {
    out_ << file.name << ": ";
    if (file.begins)
      out_ << (file.contents == snapshot::Contents::broker ? "a broker" : "one object") << ", version " << file.version
           << ", saved " << date_of(file.saved_ms) << ", ";
    out_ << many(file.bytes, "byte", "bytes") << '\n';
    for (const Object& object : file.objects) print(object);
    if (file.damage) out_ << "\ndamaged: " << file.damage->message() << '\n';
    else out_ << "\nwhole: every checksum is right\n";
  }

 private:
  void print(const Object& object) {
    const bool is_stream = object.told && object.head.kind == brook::ObjectKind::stream;
    out_ << '\n' << in_quotes(object.head.name) << "  " << to_string(object.head.kind) << " of " << object.head.type;
    if (is_stream) out_ << ", " << many(object.count, "entry", "entries") << " of " << object.added;
    if (object.told && object.head.kind == brook::ObjectKind::list)
      out_ << ", " << many(object.count, "element", "elements");
    out_ << (object.closed ? ", closed" : "") << ", " << many(object.bytes, "byte", "bytes")
         << (object.whole ? "" : ", NOT WHOLE") << '\n';
    if (object.head.expires) out_ << "  expires in " << seconds(*object.head.expires) << '\n';
    if (is_stream) {
      out_ << "  ids         " << object.first << " to " << object.last << ", the last ever " << object.last_id
           << ", the largest erased " << object.max_deleted << '\n';
      if (object.keys > 0) out_ << "  producers   " << many(object.keys, "key", "keys") << '\n';
    }
    if (object.told) print("  options    ", object.options);
    for (const auto& group : object.groups) print(group);
    for (const Shown& entry : object.shown) {
      out_ << "  ";
      if (entry.id) out_ << *entry.id << "  ";
      out_ << entry.value << '\n';
    }
    if (!object.shown.empty() && object.shown.size() < object.count)
      out_ << "  … " << object.count - object.shown.size() << " more\n";
  }
  void print(const snapshot::GroupRecord& group) {
    std::vector<std::uint64_t> pending(group.members.size() + 1, 0);
    for (const auto& entry : group.pending) ++pending[entry.consumer];
    out_ << "  group " << in_quotes(group.name) << "  delivered up to " << group.progress.last_delivered << ", "
         << group.pending.size() << " pending, " << pending[0] << " of them with nobody\n";
    print("    options  ", options_of(group));
    for (std::size_t i = 0; i < group.members.size(); ++i) {
      const auto& member = group.members[i];
      out_ << "    consumer " << in_quotes(member.name) << "  " << pending[i + 1] << " pending, seen "
           << seconds(member.seen) << " before";
      if (member.active) out_ << ", active " << seconds(*member.active) << " before";
      out_ << '\n';
    }
  }
  void print(std::string_view title, const Facts& facts) {
    if (facts.empty()) return;
    out_ << title;
    for (const Fact& fact : facts)
      out_ << ' ' << fact.name << '=' << (fact.is_number ? fact.text : in_quotes(fact.text));
    out_ << '\n';
  }

  std::ostream& out_;
};

}  // namespace inspect
