// where.hpp — which operations are meant: by what they do, on which object, by whom.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <brook/probe.hpp>
#include <brook/pubsub/glob.hpp>

namespace brook {

/// Which operations are meant: those for which all that is given holds. Names are patterns, as of PubSub.
struct Where {
  std::optional<Operation> operation = std::nullopt;  ///< any, without one
  Probed object = {};                                 ///< this stream, list, channel or PubSub
  std::string_view name = {};                         ///< objects with such a name
  std::string_view group = {};                        ///< what groups of such a name do, or their consumers
  std::string_view consumer = {};                     ///< what consumers of such a name do
  std::string_view topic = {};                        ///< to such a name in a PubSub
  /// And these: it sees the call, with its values (`call.values.get<Order>()`). It must not use the object, nor who asks it.
  std::function<bool(const Call&)> when = {};
};

namespace testing {

/// The same, kept.
class Filter {
 public:
  explicit Filter(const Where& where)
      : operation_(where.operation),
        object_(where.object.get()),
        name_(where.name),
        group_(where.group),
        consumer_(where.consumer),
        topic_(where.topic),
        when_(where.when) {}

  [[nodiscard]] bool matches(const Call& call) const { return matches_all_but_when(call) && (!when_ || when_(call)); }
  [[nodiscard]] bool matches_all_but_when(const Call& call) const {
    return (!operation_ || *operation_ == call.operation) && (object_ == nullptr || object_ == call.object) &&
           fits(name_, call.name) && fits(group_, call.group) && fits(consumer_, call.consumer) && has_topic(call);
  }

  /// "add on 'orders'", "anything by 'worker-1'".
  [[nodiscard]] std::string text() const {
    std::string text(operation_ ? to_string(*operation_) : "anything");
    const auto add = [&text](std::string_view word, const std::string& name) {
      if (!name.empty()) text.append(word).append("'").append(name).append("'");
    };
    add(" on ", name_);
    if (object_ != nullptr) text += name_.empty() ? " on one object" : " (one object)";
    add(" to ", topic_);
    add(" in ", group_);
    add(" by ", consumer_);
    if (when_) text += " if …";
    return text;
  }

 private:
  [[nodiscard]] static bool fits(const std::string& pattern, std::string_view name) {
    return pattern.empty() || pubsub::matches(pattern, name);
  }
  [[nodiscard]] bool has_topic(const Call& call) const {
    return topic_.empty() || std::any_of(call.topics.begin(), call.topics.end(),
                                         [&](std::string_view name) { return fits(topic_, name); });
  }

  std::optional<Operation> operation_;
  const void* object_;
  std::string name_;
  std::string group_;
  std::string consumer_;
  std::string topic_;
  std::function<bool(const Call&)> when_;
};

}  // namespace testing

}  // namespace brook
