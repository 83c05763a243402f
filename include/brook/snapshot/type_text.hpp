// type_text.hpp — types as text, by which a snapshot tells them apart.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

#include <brook/core/config.hpp>

namespace brook {

template <class T>
struct Codec;

namespace snapshot {

// What the compiler calls this function, and within that T.
template <class T>
[[nodiscard]] constexpr const char* function_of_type() noexcept {
#if defined(__GNUC__) || defined(__clang__)
  return __PRETTY_FUNCTION__;  // … [with T = int] or … [T = int]
#else
  return __FUNCSIG__;  // … function_of_type<struct Order>(void) noexcept
#endif
}

/// A type's own name, the same with every compiler for types of one's own.
template <class T>
[[nodiscard]] std::string name_of_type() {
  const std::string_view function = function_of_type<T>();
#if defined(__GNUC__) || defined(__clang__)
  const std::size_t start = function.find("T = ") + 4;
  const std::size_t end = function.rfind(']');
#else
  const std::size_t start = function.find("function_of_type<") + 17;
  const std::size_t end = function.rfind(">(");
#endif
  std::string name(function.substr(start, end - start));
  for (const std::string_view noise :
       {"(anonymous namespace)::", "{anonymous}::", "struct ", "class ", "enum ", "_V2::", "__1::", "__cxx11::"}) {
    for (std::size_t at = name.find(noise); at != name.npos; at = name.find(noise)) name.erase(at, noise.size());
  }
  return name;
}

/// A type as a snapshot describes it: `vector<string>`, `Order{u64,string}`.
template <class T>
[[nodiscard]] std::string text_of_type() {
  return Codec<T>::type();
}

/// `outer<a,b,…>`
template <class... Ts>
[[nodiscard]] std::string text_of_types(std::string_view outer, std::string_view open = "<",
                                        std::string_view close = ">") {
  std::string text;
  ((text += (text.empty() ? "" : ",") + text_of_type<std::remove_cv_t<Ts>>()), ...);
  return std::string(outer).append(open).append(text).append(close);
}

}  // namespace snapshot
}  // namespace brook
