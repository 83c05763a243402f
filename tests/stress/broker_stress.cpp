// broker_stress.cpp — names that are made, found, renamed, erased and expire, all at the same time, on a clock whose own
// thread takes them away and on one that a thread moves on. Every object that was made is let go once, no name is ever found
// that stands for something else, and a broker that dies takes all with it while names are about to expire.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include <brook/broker.hpp>
#include <brook/testing/manual_clock.hpp>

#include "stress.hpp"

namespace {

using namespace brook;
using namespace brook::stress;
using namespace std::chrono_literals;

constexpr std::size_t users = 3;
constexpr std::uint64_t names = 12;

// An element that is counted as long as it is somewhere.
struct Counted {
  explicit Counted(std::atomic<std::int64_t>& count) : alive(&count) { alive->fetch_add(1); }
  Counted(Counted&& other) noexcept : alive(other.alive) { alive->fetch_add(1); }
  Counted& operator=(Counted&&) = delete;
  ~Counted() { alive->fetch_sub(1); }
  std::atomic<std::int64_t>* alive;
};

using List = BlockingList<Counted>;

struct Scene {
  Broker& broker;
  std::atomic<std::int64_t>& alive;
  std::atomic<std::uint64_t> made{0};

  void use(std::size_t user, std::uint64_t steps) {
    std::mt19937_64 random(user);
    const auto name = [&] { return "name " + std::to_string(random() % names); };
    for (std::uint64_t step = 0; step < steps; ++step) {
      const std::string one = name();
      const auto list = broker.list<Counted>(one);
      expect(list.has_value(), "a list of this type is found or made");
      if (list && (*list)->empty() && (*list)->rpush(Counted(alive))) ++made;
      switch (random() % 8) {
        case 0: static_cast<void>(broker.rename(one, name())); break;
        case 1: broker.erase(one); break;
        case 2: broker.persist(one); break;
        case 3: {
          const auto left = broker.expires_in(one);
          expect(!left || !*left || **left <= 2ms, "what is left is no more than was given");
          break;
        }
        case 4: expect(broker.keys("name *").size() <= names, "a name is there once"); break;
        case 5: expect(broker.type(one).value_or("list of").starts_with("list of"), "it is a list"); break;
        default: broker.expire_after(one, std::chrono::milliseconds(random() % 3)); break;
      }
    }
  }
};

// `pass` is called until all are done.
template <class Pass>
void names_come_and_go(Clock& clock, std::uint64_t steps, const Pass& pass) {
  std::atomic<std::int64_t> alive = 0;
  {
    std::optional<Broker> broker(std::in_place, BrokerOptions{.clock = &clock});
    Scene scene{*broker, alive};
    std::atomic<std::size_t> busy = users;
    Threads threads;
    threads.start(users, [&](std::size_t user) {
      scene.use(user, steps);
      --busy;
    });
    while (busy > 0) pass();
    threads.join();
    expect(scene.made > 0, "something was made");
    for (const std::string& name : broker->keys()) broker->expire_after(name, 1ms);
    broker.reset();
  }
  expect(alive == 0, "all that was made has ended");
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t work = factor(argc, argv);
  for (std::uint64_t round = 0; round < 100 * work; ++round) {
    names_come_and_go(SystemClock::instance(), 300, [] { std::this_thread::yield(); });
    ManualClock clock;
    names_come_and_go(clock, 300, [&] { clock.jump(1ms); });
  }
  return verdict("broker_stress");
}
