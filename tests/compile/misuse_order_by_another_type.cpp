// expect: deleted function
// because: NoFunctionOfConstT
#include <string>

#include <brook/stream.hpp>

void group(brook::Stream<std::string>& stream) {
  static_cast<void>(stream.create_group("g", brook::earliest, {.ordered_by = [](int number) { return number; }}));
}
