// The strong guarantee of snapshots, and of exports for Redis: what fails for want of memory has changed nothing, be it saved or
// loaded, and works when it is called again.
#include <brook/redis.hpp>
#include <brook/snapshot.hpp>
#include <brook/testing.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "failing_new.hpp"

namespace snapshot_allocation_test {

namespace {

using namespace brook;
using namespace std::chrono_literals;
using brook::contract::Failing;
using brook::contract::FailingNew;
using Bytes = std::vector<std::byte>;

std::string text(int i) { return "a text that does not lie in the string itself, number " + std::to_string(i); }

// A broker with a stream in which something is pending in two groups, keys are known and an entry is gone, and a list.
struct Shop {
  Shop() {
    const auto orders = *broker.stream<std::string>("orders");
    const auto group = *orders->create_group("billing", earliest);
    static_cast<void>(orders->create_group("a group whose name does not lie in the string itself", earliest));
    for (int i = 0; i < 9; ++i) static_cast<void>(orders->add(Id{static_cast<std::uint64_t>(i + 1), 0}, text(i)));
    static_cast<void>(orders->add(text(9), {.producer = "p", .key = "k"}));
    const auto batch = *group.consumer("a consumer whose name does not lie in the string itself").read({.count = 4});
    static_cast<void>(batch[0].nack());
    orders->erase(batch[1].id());
    for (int i = 0; i < 5; ++i) static_cast<void>((*broker.list<std::string>("jobs"))->rpush(text(i)));
  }

  ManualClock clock{1'000'000s};
  Broker broker{BrokerOptions{.clock = &clock}};
};

// All that can be seen of a broker.
std::string seen(Broker& broker) {
  std::ostringstream out;
  for (const auto& object : broker.info()) out << object.name << ' ' << object.size << '\n';
  if (!broker.exists("orders")) return out.str();
  const auto full = (*broker.stream<std::string>("orders"))->full_info(no_limit);
  for (const auto& [id, value] : full.first) out << id << value << '\n';
  for (const auto& group : full.consumer_groups) {
    out << group.name << ' ' << group.last_delivered_id << ' ' << group.lag << '\n';
    for (const auto& entry : group.entries) out << entry.id << entry.consumer << entry.deliveries << '\n';
  }
  for (const auto& element : (*broker.list<std::string>("jobs"))->lrange(0, -1)) out << element << '\n';
  return out.str();
}

// Calls `run()`, which answers whether it succeeded, with each of its allocations failing in turn, and `check(succeeded)` after
// each. It may succeed without an allocation that it can do without.
template <class Run, class Check>
void with_each_allocation_failing(Run&& run, Check&& check) {
  for (const Failing how : {Failing::once, Failing::from_then_on}) {
    std::uint64_t failures = 0;
    for (std::uint64_t n = 1; n == 1 || FailingNew::happened(); ++n) {
      bool succeeded = false;
      {
        const FailingNew failing(n, how);
        try {
          succeeded = run();
        } catch (const std::bad_alloc&) {}
      }
      failures += succeeded ? 0 : 1;
      if (!succeeded && !FailingNew::happened()) throw std::logic_error("it failed though there was memory");
      check(succeeded);
    }
    CHECK(failures > 10);
  }
}

// What `write(bytes)` has made of a shop, which answers whether it succeeded, and has changed nothing there.
template <class Write>
Bytes written_with_each_allocation_failing(Shop& shop, Write&& write) {
  const std::string before = seen(shop.broker);
  Bytes bytes;
  with_each_allocation_failing(
      [&] {
        Bytes fresh;
        const bool done = write(fresh);
        if (done) bytes = std::move(fresh);
        return done;
      },
      [&](bool) {
        if (seen(shop.broker) != before) throw std::logic_error("the broker has changed");
      });
  return bytes;
}

// A shop from bytes: `read(broker)` answers whether it succeeded, and all is there then, else nothing.
template <class Read>
void read_with_each_allocation_failing(Shop& shop, Read&& read) {
  auto broker = std::make_unique<Broker>(BrokerOptions{.clock = &shop.clock});
  with_each_allocation_failing([&] { return read(*broker); },
                               [&](bool done) {
                                 if (done) CHECK(seen(*broker) == seen(shop.broker));
                                 else if (!broker->keys().empty()) throw std::logic_error("a part was read");
                                 if (done) broker = std::make_unique<Broker>(BrokerOptions{.clock = &shop.clock});
                               });
}

TEST_CASE("a save and a load that run out of memory change nothing") {
  Shop shop;
  const Bytes bytes = written_with_each_allocation_failing(
      shop, [&](Bytes& to) { return save(to, shop.broker, types<std::string>).has_value(); });
  read_with_each_allocation_failing(shop, [&](Broker& broker) {
    return load(std::span<const std::byte>(bytes), broker, types<std::string>).has_value();
  });
}

TEST_CASE("an export and an import that run out of memory change nothing") {
  Shop shop;
  const Bytes bytes = written_with_each_allocation_failing(
      shop, [&](Bytes& to) { return export_to_redis(to, shop.broker, types<std::string>).has_value(); });
  read_with_each_allocation_failing(shop, [&](Broker& broker) {
    return import_from_redis(std::span<const std::byte>(bytes), broker, types<std::string>).has_value();
  });
}

}  // namespace

}  // namespace snapshot_allocation_test
