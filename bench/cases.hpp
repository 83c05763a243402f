// cases.hpp — every topology, in the order in which it is measured.
#pragma once

#include "harness.hpp"

namespace bench {

void add_append(Suite& suite);

inline void add_all(Suite& suite) { add_append(suite); }

}  // namespace bench
