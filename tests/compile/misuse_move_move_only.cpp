// expect: lmove
// because: copy_constructible
#include <memory>

#include <brook/blocking_list.hpp>

void rotate(brook::BlockingList<std::unique_ptr<int>>& list) {
  static_cast<void>(list.lmove(list, brook::Side::left, brook::Side::right));  // answers a copy
}
