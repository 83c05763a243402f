// broker.cpp — what a broker costs: from nothing to the first message, one look-up of a name; and a select of several
// sources, beside what waits for one.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <brook/broker.hpp>
#include <brook/select.hpp>

#include "cases.hpp"
#include "harness.hpp"

namespace bench {
namespace {

struct Order {
  std::uint64_t number = 0;
};

using Names = std::vector<std::string>;

[[nodiscard]] Names make_names(std::size_t count) {
  Names names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("orders:" + std::to_string(i));
  return names;
}

/// Microseconds for a broker that is made, gets a message, hands it over, and is gone, as in a unit test.
double first_message(std::size_t times) {
  std::size_t received = 0;
  const double ns = alone([&] {
    for (std::size_t i = 0; i < times; ++i) {
      brook::Broker broker;
      auto orders = *broker.stream<Order>("orders");
      auto worker = orders->create_group("billing", brook::earliest)->consumer("worker-1");
      orders->add(Order{i});
      const auto batch = worker.read();
      received += batch->size();
      batch->ack();
    }
  });
  expect(received == times, "the first message did not arrive");
  return ns / static_cast<double>(times) / 1000;
}

/// The same by what people write who have no broker: a list under a name.
double first_element(std::size_t times) {
  std::size_t received = 0;
  const double ns = alone([&] {
    for (std::size_t i = 0; i < times; ++i) {
      brook::Broker broker;
      auto jobs = *broker.list<Order>("jobs");
      jobs->rpush(Order{i});
      received += jobs->lpop() ? 1 : 0;
    }
  });
  expect(received == times, "the first element did not arrive");
  return ns / static_cast<double>(times) / 1000;
}

/// Nanoseconds for one look-up; `find(name)` answers with the number that was stored under it.
template <class Find>
double look_up(const Names& names, std::size_t count, Find find) {
  std::uint64_t right = 0;
  const double ns = alone([&] {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = i * 7919 % names.size();
      right += find(names[at]) == at ? 1U : 0U;
    }
  });
  expect(right == count, "a look-up found something else");
  return ns / static_cast<double>(count);
}

struct Map {
  std::shared_mutex mutex{};
  std::unordered_map<std::string, std::shared_ptr<brook::Stream<Order>>> objects{};
};

void add_look_up(Suite& suite, const char* name, std::size_t count) {
  const auto names = std::make_shared<Names>(make_names(count));
  const auto broker = std::make_shared<brook::Broker>();
  const auto map = std::make_shared<Map>();
  const auto times = suite.work(1'000'000);
  const auto fill = [=] {
    if (!map->objects.empty()) return;
    for (std::size_t i = 0; i < names->size(); ++i) {
      (*broker->stream<Order>((*names)[i]))->add(brook::Id{i + 1, 0}, Order{i});
      map->objects[(*names)[i]] = *broker->stream<Order>((*names)[i]);
    }
  };
  suite.add(name)
      .peer("brook",
            [=] {
              fill();
              return look_up(*names, times, [&](const std::string& wanted) {
                return (*broker->stream<Order>(wanted))->last_id().ms - 1;
              });
            })
      .peer("std::unordered_map + shared_mutex", [=] {
        fill();
        return look_up(*names, times, [&](const std::string& wanted) {
          const std::shared_lock held(map->mutex);
          const std::shared_ptr<brook::Stream<Order>> found = map->objects.find(wanted)->second;
          return found->last_id().ms - 1;
        });
      });
}

/// Nanoseconds for a push, and a pop by `take(list)`, which has something to take.
template <class Take>
double pop_by(std::size_t times, Take take) {
  brook::BlockingList<std::uint64_t> jobs;
  std::size_t right = 0;
  const double ns = alone([&] {
    for (std::uint64_t i = 0; i < times; ++i) {
      jobs.rpush(i);
      right += take(jobs) == i ? 1U : 0U;
    }
  });
  expect(right == times, "something else was popped");
  return ns / static_cast<double>(times);
}

}  // namespace

void add_broker(Suite& suite) {
  const std::size_t times = suite.work(20'000);
  suite.add("broker/first_message", {"us"})
      .peer("brook, stream and group", [=] { return first_message(times); })
      .peer("brook, list", [=] { return first_element(times); });
  add_look_up(suite, "broker/look_up/10", 10);
  add_look_up(suite, "broker/look_up/1e4", 10'000);

  const std::size_t pops = suite.work(1'000'000);
  suite.add("select/ready")
      .peer("brook, select of list and channel",
            [=] {
              brook::Channel<int> channel;
              auto subscription = channel.subscribe();
              return pop_by(pops,
                            [&](auto& jobs) { return std::get<0>(*brook::select(brook::Wait(), jobs, subscription)); });
            })
      .peer("brook, on_ready of list",
            [=] {
              return pop_by(pops, [](auto& jobs) {
                std::uint64_t popped = 0;
                brook::on_ready([&](brook::expected<std::uint64_t, brook::Errc> job) { popped = *job; }, brook::Wait(),
                                jobs);
                return popped;
              });
            })
      .peer("brook, lpop", [=] { return pop_by(pops, [](auto& jobs) { return *jobs.lpop(); }); });
}

}  // namespace bench
