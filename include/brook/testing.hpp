// testing.hpp — brook as a fake broker for unit tests: faults on demand, a record of what happened, a look inside.
//
//   brook::ManualClock clock;
//   brook::Faults faults;
//   brook::Recorder recorder({.then = &faults});
//   brook::Broker broker({.clock = &clock, .probe = &recorder});
//   faults.fail({.operation = brook::Operation::add, .name = "orders", .nth = 3, .with = brook::Errc::full});
//   run(broker);                                                   // the code under test
//   std::cout << recorder.story() << dump<Order>(broker);
//
// Matchers for Catch2 are in <brook/testing/catch2.hpp>.
#pragma once

#include <brook/clock.hpp>
#include <brook/probe.hpp>
#include <brook/testing/damage.hpp>
#include <brook/testing/dump.hpp>
#include <brook/testing/faults.hpp>
#include <brook/testing/fill.hpp>
#include <brook/testing/manual_clock.hpp>
#include <brook/testing/recorder.hpp>
#include <brook/testing/rule.hpp>
#include <brook/testing/where.hpp>
