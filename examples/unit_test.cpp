// How code that uses a broker is tested: it takes a Broker&, and its test drives it with a clock of its own. A worker dies
// with a parcel in its hands, another one takes it over after 30 s, and after three tries it is put aside. No real time
// passes, and nothing depends on how fast threads run.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string>

#include <brook/broker.hpp>
#include <brook/testing.hpp>

using namespace std::chrono_literals;

// — the application: it knows a Broker, and not which one —

struct Parcel {
  std::string address;
};

class Depot {
 public:
  explicit Depot(brook::Broker& broker)
      : parcels_(*broker.stream<Parcel>("parcels")),
        undeliverable_(*broker.stream<Parcel>("undeliverable")),
        drivers_(*parcels_->create_group("drivers", brook::earliest,
                                         {.max_deliveries = 3, .dead_letter = &*undeliverable_, .visibility = 30s})) {}

  // One driver's day: ends when it is told to, or when `breaks_down` with a parcel in its hands.
  void drive(const std::string& name, std::stop_token stop, bool breaks_down = false) {
    const auto driver = drivers_.consumer(name);
    while (const auto batch = driver.read({.count = 1, .block = brook::forever, .stop = stop})) {
      for (const auto& parcel : *batch) {
        std::cout << name << " has the parcel for " << parcel->address << ", delivery " << parcel.count() << '\n';
        if (breaks_down) return;
        if (parcel->address != "nowhere") parcel.ack();
      }
    }
  }

 private:
  std::shared_ptr<brook::Stream<Parcel>> parcels_;
  std::shared_ptr<brook::Stream<Parcel>> undeliverable_;
  brook::Group<Parcel> drivers_;
};

// — its test —

void expect(bool holds, const char* what) {
  std::cout << (holds ? "ok: " : "FAILED: ") << what << '\n';
  if (!holds) std::exit(1);
}

int main() {
  brook::ManualClock clock;
  brook::Broker broker({.clock = &clock});
  Depot depot(broker);
  const auto parcels = *broker.stream<Parcel>("parcels");
  const auto group = *parcels->group("drivers");

  auto first = clock.thread([&](std::stop_token stop) { depot.drive("Ann", stop, true); });
  parcels->add({"Mill Lane 3"});
  clock.run_until_idle();
  expect(first.done() && group.info()->pending == 1, "Ann broke down, and the parcel is still with her");

  auto second = clock.thread([&](std::stop_token stop) { depot.drive("Bob", stop); });
  clock.advance(29s);
  expect(group.info()->pending == 1, "for 29 s nobody touches it");
  clock.advance(1s);
  expect(group.info()->pending == 0, "then Bob delivers it");

  parcels->add({"nowhere"});
  clock.advance(90s);
  const auto aside = *broker.stream<Parcel>("undeliverable");
  expect(aside->size() == 1 && group.info()->pending == 0, "what cannot be delivered is put aside after three tries");
}
