// A broker for a test, in the test's own process: a consumer dies, its message goes to another one after 30 s, and is a dead
// letter after three have died of it. No real time passes, and it prints the same each time.
#include <chrono>
#include <iostream>
#include <string>

#include <brook/broker.hpp>
#include <brook/testing.hpp>

using namespace std::chrono_literals;

// A worker is done with each order that it gets; but of "poison" it dies.
void work(const brook::Consumer<std::string>& me, const brook::Clock& clock, brook::Faults& faults) {
  while (const auto batch = me.read({.count = 1, .block = brook::forever})) {
    const auto& order = batch->front();
    if (*order == "poison") faults.kill({.name = "orders", .consumer = me.name()});
    const char* const end = order.ack() ? ", and is done with it\n" : ", and dies\n";
    std::cout << clock.unix_ms() / 1000 << " s: " << me.name() << " has '" << *order << "', delivery " << order.count()
              << end;
  }
}

int main() {
  brook::ManualClock clock;
  brook::Faults faults;
  brook::Recorder recorder({.then = &faults});
  brook::Broker broker({.clock = &clock, .probe = &recorder});

  const auto orders = *broker.stream<std::string>("orders");
  const auto failed = *broker.stream<brook::DeadLetter<std::string>>("failed");
  const auto billing = *orders->create_group("billing", brook::earliest,
                                             {.max_deliveries = 3, .dead_letter = failed.get(), .visibility = 30s});

  const auto worker = [&](const std::string& name) {
    auto thread = clock.thread([&, me = billing.consumer(name)] { work(me, clock, faults); });
    clock.run_until_idle();  // it waits: so they come one after the other, and are served in that order
    return thread;
  };

  auto ann = worker("ann"), bob = worker("bob"), cid = worker("cid"), dan = worker("dan");
  orders->add("poison");
  clock.advance(29s);
  std::cout << clock.unix_ms() / 1000 << " s: " << billing.info()->pending << " pending\n";
  clock.advance(2min);
  orders->add("tea");
  clock.run_until_idle();
  for (const auto& [id, letter] : failed->range()) {
    std::cout << "dead letter: '" << letter.value << "', delivered " << letter.deliveries << " times, last to "
              << letter.consumer << '\n';
  }
  std::cout << '\n' << dump(billing) << '\n' << recorder.story();

  const bool as_it_should = ann.done() && bob.done() && cid.done() && !dan.done() && failed->size() == 1;
  orders->close();
  return as_it_should ? 0 : 1;
}
