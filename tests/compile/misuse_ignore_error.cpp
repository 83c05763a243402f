// expect: nodiscard
#include <brook/stream.hpp>

void ignore(brook::Stream<int>& stream) { stream.group("billing"); }
