// expect: rpush|cannot bind
#include <memory>

#include <brook/blocking_list.hpp>

void push(brook::BlockingList<std::unique_ptr<int>>& list, const std::unique_ptr<int>& value) { list.rpush(value); }
