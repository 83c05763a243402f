// policies.hpp — what a snapshot cannot hold of groups, and must be told again: functions, and where dead letters go.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <brook/redelivery.hpp>

namespace brook {

/// Options of groups for a load, which take the place of those that were saved. A group that was ordered by a key needs them,
/// and is to be ordered by the same; so does one with a dead-letter stream, unless that is saved in the same broker. A copy is
/// cheap.
class Policies {
 public:
  /// For a group of a stream in a broker.
  template <class T>
  Policies& group(std::string_view stream, std::string_view group, const GroupOptions<T>& options) {
    options_[{std::string(stream), std::string(group)}] = {&tag_of<T>, std::make_shared<GroupOptions<T>>(options)};
    return *this;
  }
  /// For a group of a stream that is loaded by itself.
  template <class T>
  Policies& group(std::string_view group, const GroupOptions<T>& options) {
    return this->group<T>({}, group, options);
  }

  /// Null when there are none for a T.
  template <class T>
  [[nodiscard]] const GroupOptions<T>* find(const std::string& stream, const std::string& group) const {
    const auto found = options_.find({stream, group});
    if (found == options_.end() || found->second.tag != &tag_of<T>) return nullptr;
    return static_cast<const GroupOptions<T>*>(found->second.options.get());
  }

 private:
  template <class T>
  static constexpr char tag_of{};

  struct Options {
    const void* tag;
    std::shared_ptr<const void> options;
  };
  std::map<std::pair<std::string, std::string>, Options> options_;
};

}  // namespace brook
