// record.hpp — one operation that was watched, and how a story tells of several.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <brook/error.hpp>
#include <brook/id.hpp>
#include <brook/options.hpp>
#include <brook/probe.hpp>
#include <brook/testing/shown.hpp>
#include <brook/testing/where.hpp>

namespace brook {

/// One operation, kept.
struct Record {
  /// One that has begun.
  explicit Record(const Call& call)
      : operation(call.operation),
        kind(call.kind),
        object(call.object),
        name(call.name),
        group(call.group),
        consumer(call.consumer),
        topics(call.topics.begin(), call.topics.end()),
        id(call.id),
        asked(call.size) {}

  std::uint64_t number = 0;           ///< counted from 1, in the order in which they began
  std::chrono::nanoseconds began{0};  ///< on the object's clock, since the first record on that
  std::chrono::nanoseconds took{0};   ///< on the same clock
  std::size_t thread = 0;             ///< counted from 1, in the order of their first operations
  Operation operation;                ///< as Call::operation
  ObjectKind kind;                    ///< as Call::kind
  const void* object;                 ///< as Call::object
  std::string name;                   ///< "stream#1" and the like for objects without one
  std::string group;                  ///< as Call::group
  std::string consumer;               ///< as Call::consumer
  std::vector<std::string> topics;    ///< as Call::topics
  Id id;                              ///< as Call::id
  std::uint64_t asked = 0;            ///< as Call::size
  std::string values{};               ///< of types that Recorder::show() was told of
  bool over = false;                  ///< it has ended
  std::optional<Outcome> outcome{};   ///< nothing while it runs, and when it threw

  /// It has not ended.
  [[nodiscard]] bool running() const noexcept { return !over; }

  /// Whether it is one of those.
  [[nodiscard]] bool matches(const testing::Filter& filter) const {
    const std::vector<std::string_view> names(topics.begin(), topics.end());
    return filter.matches_all_but_when({.operation = operation,
                                        .kind = kind,
                                        .object = object,
                                        .name = name,
                                        .group = group,
                                        .consumer = consumer,
                                        .topics = names});
  }
};

namespace testing {

[[nodiscard]] inline std::string seconds(std::chrono::nanoseconds time) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << std::chrono::duration<double>(time).count();
  return text.str();
}

/// "read 10", "ack 5-1", "add 1: "tea"".
[[nodiscard]] inline std::string told_call(const Record& record) {
  std::string text(to_string(record.operation));
  for (const std::string& topic : record.topics) text += " " + in_quotes(topic);
  if (record.id != Id()) text += " " + to_string(record.id);
  const bool one = record.asked == 1 || record.asked == no_limit || !record.topics.empty();
  if (record.asked > 0 && !one) text += " " + std::to_string(record.asked);
  if (!record.values.empty()) text += " " + record.values;
  return text;
}

/// "2: 1000-0 … 1000-1", "the object is full, not done", "still running".
[[nodiscard]] inline std::string told_outcome(const Record& record) {
  if (record.running()) return "… still running";
  std::string text;
  if (!record.outcome) {
    text = "threw";
  } else if (record.outcome->failed) {
    text = message(*record.outcome->failed);
  } else if (!record.outcome->done) {
    text = "lost";
  } else if (record.outcome->first != Id()) {
    const Outcome& outcome = *record.outcome;
    if (outcome.size != 1) text = std::to_string(outcome.size) + ": ";
    text += to_string(outcome.first);
    if (outcome.size != 1) text += " … " + to_string(outcome.last);
  } else {
    text = std::to_string(record.outcome->size);
  }
  if (record.outcome && record.outcome->failed && !record.outcome->done) text += " (by a fault)";
  if (record.took.count() > 0) text += ", after " + seconds(record.took) + " s";
  return text;
}

/// Lines of aligned columns.
[[nodiscard]] inline std::string tell_story(const std::vector<Record>& records) {
  constexpr std::size_t columns = 6;
  std::vector<std::array<std::string, columns>> lines;
  std::array<std::size_t, columns> widths{};
  for (const Record& record : records) {
    std::string who = record.name;
    if (!record.group.empty()) who += " " + record.group;
    if (!record.consumer.empty()) who += "/" + record.consumer;
    lines.push_back({std::to_string(record.number), "+" + seconds(record.began), "T" + std::to_string(record.thread),
                     without_quotes(who), told_call(record), told_outcome(record)});
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], width_of(lines.back()[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      const std::string space(widths[i] - width_of(line[i]), ' ');
      if (i == 0) text += space + line[i];
      else text += "  " + line[i] + (i + 1 < columns ? space : "");
    }
    text += '\n';
  }
  return text;
}

}  // namespace testing

}  // namespace brook
