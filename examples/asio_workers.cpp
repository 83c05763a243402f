// Workers on a pool of asio's threads that share a list of jobs, many more than there are threads. Half of them are called off
// while they wait or work; no job is lost by that.
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>

#include <atomic>
#include <future>
#include <iostream>
#include <list>

#include <brook/adapters/asio.hpp>
#include <brook/blocking_list.hpp>

namespace {

using Jobs = brook::BlockingList<long>;

struct Done {
  std::atomic<long> jobs{0};
  std::atomic<long> sum{0};
};

asio::awaitable<void> work(asio::strand<asio::thread_pool::executor_type> here, Jobs& jobs, Done& done) {
  for (;;) {
    const auto job = co_await brook::async_ready(here, brook::forever, jobs, asio::use_awaitable);
    if (!job) break;  // there will be none, or it was called off
    ++done.jobs;
    done.sum += *job;
  }
}

}  // namespace

int main() {
  Jobs jobs;
  Done done;
  asio::thread_pool pool(2);
  std::list<asio::cancellation_signal> signals;
  for (int i = 0; i < 50; ++i) asio::co_spawn(pool, work(asio::make_strand(pool), jobs, done), asio::detached);

  std::list<std::future<void>> ends;
  for (int i = 0; i < 50; ++i) {
    const auto strand = asio::make_strand(pool);
    auto& signal = signals.emplace_back();
    ends.push_back(asio::co_spawn(strand, work(strand, jobs, done),
                                  asio::bind_cancellation_slot(signal.slot(), asio::use_future)));
    for (long job = 1; job <= 100; ++job) jobs.rpush(job);
    asio::dispatch(strand, [&signal] { signal.emit(asio::cancellation_type::terminal); });
  }
  for (auto& end : ends) end.wait();
  jobs.close();
  pool.join();

  std::cout << done.jobs << " jobs, in all " << done.sum << "; " << jobs.size() << " are left\n";
  std::cout << ends.size() << " workers were called off\n";
}
