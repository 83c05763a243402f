// many_to_one.cpp — two and four producers, one reader that keeps up.
#include <cstdint>
#include <string>

#include "cases.hpp"
#include "feeds.hpp"

namespace bench {

void add_many_to_one(Suite& suite) {
  const std::size_t count = suite.work(1'000'000);
  for (const Wakefulness how : {Wakefulness::polling, Wakefulness::blocking}) {
    for (const std::size_t producers : {2U, 4U}) {
      add_delivery<std::uint64_t>(suite, "many_to_one/u64/" + std::to_string(producers), producers, 1, count, how);
    }
  }
}

}  // namespace bench
