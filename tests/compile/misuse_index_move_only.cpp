// expect: lindex
// because: copy_constructible
#include <memory>

#include <brook/blocking_list.hpp>

std::optional<std::unique_ptr<int>> look(const brook::BlockingList<std::unique_ptr<int>>& list) {
  return list.lindex(0);  // shows a copy
}
