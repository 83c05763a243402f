// expect: deleted function
// because: WaitIsNotFirst
#include <chrono>

#include <brook/blocking_list.hpp>
#include <brook/select.hpp>

void take(brook::BlockingList<int>& list) { static_cast<void>(brook::select(list, std::chrono::seconds(5))); }
