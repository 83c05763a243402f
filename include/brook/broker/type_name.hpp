// type_name.hpp — what a type is called, for people.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <brook/core/config.hpp>

namespace brook::broker {

/// What the compiler calls a type, where it tells.
template <class T>
[[nodiscard]] constexpr std::string_view compilers_name() noexcept {
#if defined(__GNUC__) || defined(__clang__)
  constexpr std::string_view function = __PRETTY_FUNCTION__;  // … [with T = int; …] or … [T = int]
  constexpr std::size_t start = function.find("T = ") + 4;
  constexpr std::size_t aliases = function.find("; std::string_view = ", start);  // as g++ says what it has shortened
  return function.substr(start, (aliases != function.npos ? aliases : function.rfind(']')) - start);
#else
  return "its type";
#endif
}

/// A name of the compiler's as programs write it: std::string is no template, and namespaces that only versions of a library
/// have are left out. Throws std::bad_alloc.
[[nodiscard]] inline std::string as_written(std::string_view compilers) {
  using Replaced = std::pair<std::string_view, std::string_view>;
  std::string name(compilers);
  for (const auto& [from, to] :
       {Replaced("> >", ">>"), Replaced("std::__cxx11::", "std::"), Replaced("std::__1::", "std::"),
        Replaced("std::chrono::_V2::", "std::chrono::"),
        Replaced(", std::char_traits<char>, std::allocator<char>>", ">"), Replaced(", std::char_traits<char>>", ">"),
        Replaced("std::basic_string<char>", "std::string"),
        Replaced("std::basic_string_view<char>", "std::string_view")}) {
    for (auto at = name.find(from); at != name.npos; at = name.find(from, at)) name.replace(at, from.size(), to);
  }
  return name;
}

/// A type as programs write it, where the compiler tells.
template <class T>
[[nodiscard]] std::string type_name() {
  return as_written(compilers_name<T>());
}

}  // namespace brook::broker
