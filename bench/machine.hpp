// machine.hpp — where and with what a run was made; without it a number says nothing.
#pragma once

#include <string>
#include <vector>

#include "harness.hpp"

namespace bench {

/// One fact a line: the machine, its cache-line hand-off, compiler, flags, commit, how the run is made.
[[nodiscard]] std::vector<std::string> machine(const Options& options);

}  // namespace bench
