// expect: deleted
#include <brook/stream.hpp>

brook::Stream<int> copy(const brook::Stream<int>& original) { return original; }
