// Workers share a bounded queue of jobs. Producers that are too fast wait for room; at the end the queue is closed, and what is
// in it is still worked off before the workers go home.
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

#include <brook/blocking_list.hpp>

namespace {

struct Job {
  int number;
};

constexpr int jobs_of_each = 500;

}  // namespace

int main() {
  brook::BlockingList<Job> queue({.capacity = 16, .overflow = brook::Overflow::block});
  std::atomic<int> done{0};
  std::atomic<long> sum{0};

  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      while (const auto job = queue.blpop(brook::forever)) {  // ends when the queue is closed and empty
        sum += job->number;
        ++done;
      }
    });
  }
  std::vector<std::thread> producers;
  for (int producer = 0; producer < 2; ++producer) {
    producers.emplace_back([&queue, producer] {
      for (int i = 1; i <= jobs_of_each; ++i) queue.rpush(Job{producer * jobs_of_each + i});
    });
  }
  for (auto& producer : producers) producer.join();
  queue.close();
  const auto refused = queue.try_rpush(Job{9'999});
  for (auto& worker : workers) worker.join();

  std::cout << done << " jobs done, their numbers add up to " << sum << '\n';
  std::cout << "job " << refused.error().value.number << " came too late: " << brook::message(refused.error().error)
            << '\n';
  std::cout << queue.size() << " left behind\n";
}
