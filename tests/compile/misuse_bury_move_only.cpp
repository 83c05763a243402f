// expect: dead letters are copies
#include <memory>

#include <brook/stream.hpp>

void group(brook::Stream<std::unique_ptr<int>>& stream, brook::Stream<std::unique_ptr<int>>& dead) {
  static_cast<void>(stream.create_group("g", brook::earliest, {.dead_letter = &dead}));
}
