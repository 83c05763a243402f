// threads.cpp — threads on processors of their own, started together.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

#include "harness.hpp"

namespace bench {
namespace {

std::atomic<bool> pinning{true};

}  // namespace

void allow_pinning(bool allowed) { pinning = allowed; }

void pin([[maybe_unused]] std::size_t n) {
#ifdef __linux__
  if (!pinning) return;
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(n % processors, &set);
  sched_setaffinity(0, sizeof set, &set);  // where it is not allowed, the thread goes where it likes
#endif
}

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

double together(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::vector<std::int64_t> started(count);
  std::vector<std::int64_t> ended(count);
  std::latch ready(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < count; ++n) {
    threads.emplace_back([&, n] {
      pin(n);
      ready.arrive_and_wait();
      started[n] = now_ns();
      body(n);
      ended[n] = now_ns();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(*std::ranges::max_element(ended) - *std::ranges::min_element(started));
}

double alone(const std::function<void()>& body) {
  pin(0);
  const std::int64_t started = now_ns();
  body();
  return static_cast<double>(now_ns() - started);
}

}  // namespace bench
