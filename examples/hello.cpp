#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include <brook/stream.hpp>

using namespace std::chrono_literals;

int main() {
  brook::Stream<std::string> orders;
  auto billing = orders.create_group("billing", brook::earliest);

  std::thread worker([me = billing->consumer("worker-1")] {
    while (auto batch = me.read({.count = 10, .block = 1s})) {  // ends when the stream is closed and read to its end
      for (const auto& order : *batch) {
        std::cout << "charged " << *order << '\n';
        order.ack();
      }
    }
  });

  for (const char* order : {"tea", "milk", "sugar"}) orders.add(order);
  orders.close();
  worker.join();

  std::cout << orders.size() << " orders, " << billing->info()->pending << " pending\n";
}
