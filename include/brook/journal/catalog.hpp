// catalog.hpp — which object and which group each number of a journal means now.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <brook/journal/codes.hpp>
#include <brook/snapshot/bytes.hpp>

namespace brook::journal {

/// Guarded by the journal's order.
class Catalog {
 public:
  struct OfGroup {
    Number stream;
    std::string name;
  };

  [[nodiscard]] Number next() noexcept { return ++last_; }
  void begin_after(Number last) noexcept { last_ = last; }

  /// `object` is its address, as where dead letters go. Throws std::bad_alloc, and then nothing has changed.
  void add_object(Number number, std::string_view name, const void* object) {
    objects_.try_emplace(number, Object{std::string(name), object});
  }
  void add_group(Number number, Number stream, std::string_view name) {
    groups_.try_emplace(number, OfGroup{stream, std::string(name)});
  }
  /// Throws std::bad_alloc.
  void rename(Number number, std::string_view name) { objects_.find(number)->second.name = name; }
  void erase_object(Number number) noexcept {
    objects_.erase(number);
    std::erase_if(groups_, [number](const auto& group) { return group.second.stream == number; });
  }
  void erase_group(Number number) noexcept { groups_.erase(number); }

  /// 0 for one that is not there. O(n).
  [[nodiscard]] Number find(const void* object) const noexcept {
    for (const auto& [number, one] : objects_) {
      if (one.address == object) return number;
    }
    return 0;
  }

  /// All of it, as the section NAMS has it. Throws std::bad_alloc.
  void write(Encoder& to) const {
    to.size(last_);
    for (const auto& [number, object] : objects_) {
      to.number(std::uint8_t{1});
      to.size(number);
      to.text(object.name);
    }
    for (const auto& [number, group] : groups_) {
      to.number(std::uint8_t{2});
      to.size(number);
      to.size(group.stream);
      to.text(group.name);
    }
    to.number(std::uint8_t{0});
  }

 private:
  struct Object {
    std::string name;
    const void* address;
  };

  Number last_ = 0;
  std::map<Number, Object> objects_;
  std::map<Number, OfGroup> groups_;
};

}  // namespace brook::journal
