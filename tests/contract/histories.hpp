// histories.hpp — how many histories a test records and checks.
//
// Histories have numbers, from which what their threads do is made: so more of them are others, and not the same again.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

namespace brook::contract {

/// What the tests have time for, or as many as BROOK_HISTORIES in the environment says (./dev histories).
inline std::uint64_t how_many_histories(std::uint64_t usually) {
  const char* const said = std::getenv("BROOK_HISTORIES");
  return said == nullptr ? usually : std::stoull(said);
}

}  // namespace brook::contract
