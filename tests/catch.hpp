// catch.hpp — Catch2 from the system, version 3 or 2.13, under the names of version 3. Tests include this header only.
//
// Assert on the test's own thread alone: Catch2 2.13 is not thread-safe.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)

#include <catch2/catch_all.hpp>

#else

#include <catch2/catch.hpp>

#include <string>

namespace Catch::Matchers {

inline auto ContainsSubstring(const std::string& text) { return Contains(text); }

}  // namespace Catch::Matchers

#endif

#ifndef SKIP  // came with 3.3
#define SKIP(reason) \
  do {               \
    WARN(reason);    \
    return;          \
  } while (false)

#endif
