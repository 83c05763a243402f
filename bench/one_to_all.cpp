// one_to_all.cpp — one producer, readers that each see every entry. Nanoseconds an entry, whatever the number of
// readers.
#include <cstdint>
#include <string>

#include "cases.hpp"
#include "feeds.hpp"

namespace bench {

void add_one_to_all(Suite& suite) {
  for (const Wakefulness how : {Wakefulness::polling, Wakefulness::blocking}) {
    // Where every entry wakes every reader, it takes tens of microseconds.
    const std::size_t count = suite.work(how == Wakefulness::polling ? 500'000 : 20'000);
    for (const std::size_t readers : {2U, 4U, 16U}) {
      add_delivery<std::uint64_t>(suite, "one_to_all/u64/" + std::to_string(readers), 1, readers, count, how);
    }
  }
}

}  // namespace bench
