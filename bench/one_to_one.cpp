// one_to_one.cpp — one producer, one reader that keeps up: by polling, and by blocking reads. The queues are there to
// show where a stream stands; they forget what they deliver.
#include <cstdint>
#include <string>

#include "cases.hpp"
#include "feeds.hpp"

namespace bench {

void add_one_to_one(Suite& suite) {
  const std::size_t count = suite.work(1'000'000);
  for (const Wakefulness how : {Wakefulness::polling, Wakefulness::blocking}) {
    add_delivery<std::uint64_t>(suite, "one_to_one/u64", 1, 1, count, how);
    add_delivery<Block64>(suite, "one_to_one/block64", 1, 1, count / 2, how);
    add_delivery<std::string>(suite, "one_to_one/string100", 1, 1, count / 4, how);
  }
}

}  // namespace bench
