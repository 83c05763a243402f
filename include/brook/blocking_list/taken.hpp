// taken.hpp — elements that have been popped for a call, which may turn out not to get them: then the list has them again, with
// the memory they came in.
#pragma once

#include <list>
#include <vector>

#include <brook/options.hpp>

namespace brook::blocking_list {

/// What was popped at a side, in this order.
template <class Payload>
struct Batch {
  Side side;
  std::vector<Payload> payloads{};
};

/// None or one; a list is given several. They go from one to another without memory.
template <class Payload>
using Taken = std::list<Batch<Payload>>;

}  // namespace brook::blocking_list
