// expect: nodiscard
#include <brook/blocking_list.hpp>

void lose(brook::BlockingList<int>& list) { list.lpop(); }
