// expect: lrange
// because: copy_constructible
#include <memory>

#include <brook/blocking_list.hpp>

std::vector<std::unique_ptr<int>> look(const brook::BlockingList<std::unique_ptr<int>>& list) {
  return list.lrange(0, -1);  // elements are shown as copies
}
