// What a user's first program does: add, read back, acknowledge.
#include <brook/stream.hpp>

#include <iostream>
#include <string>

int main() {
  brook::Stream<std::string> orders;
  auto billing = orders.create_group("billing");
  if (!billing || !orders.add("one teapot")) return 1;
  auto batch = billing->consumer("worker").read({.count = 1});
  if (!batch || batch->size() != 1 || batch->ack() != 1) return 1;
  for (const auto& [id, order] : orders.range()) std::cout << order << '\n';
  return 0;
}
