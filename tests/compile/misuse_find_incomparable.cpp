// expect: lpos
// because: equality_comparable
#include <brook/blocking_list.hpp>

struct Job {};

std::optional<std::size_t> find(const brook::BlockingList<Job>& list) { return list.lpos(Job()); }
