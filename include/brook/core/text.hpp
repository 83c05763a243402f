// text.hpp — one string made of several parts.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <brook/core/config.hpp>

namespace brook::core {

/// The parts one behind the other. For what would begin with `"literal" + std::string`: where g++ 12 inlines that, it warns
/// falsely of overlapping memory, in the user's build too.
[[nodiscard]] inline std::string text(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  std::string all;
  all.reserve(size);
  for (const std::string_view part : parts) all.append(part);
  return all;
}

}  // namespace brook::core
