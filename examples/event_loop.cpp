// An epoll loop that has other things to do than to wait for brook: it watches a pipe, and beside it a descriptor that says
// when there are jobs or news. Linux.
#include <array>
#include <cstddef>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include <sys/epoll.h>
#include <unistd.h>

#include <brook/adapters/eventfd.hpp>
#include <brook/blocking_list.hpp>
#include <brook/channel.hpp>

namespace {

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) std::cerr << "epoll_ctl failed\n";
}

// What came by the pipe, as a line.
std::string read_from(int fd) {
  std::array<char, 64> bytes{};
  const auto size = ::read(fd, bytes.data(), bytes.size());
  return std::string(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
}

}  // namespace

int main() {
  brook::BlockingList<int> jobs;
  brook::Channel<std::string> news;
  auto subscription = news.subscribe();
  brook::ReadyFd ready(subscription, jobs);
  int ends[2];
  if (::pipe(ends) != 0) return 1;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, ready.fd());
  watch(epoll, ends[0]);

  std::thread others([&] {
    for (int i = 1; i <= 1000; ++i) jobs.rpush(i);
    news.publish("all jobs are out");
    constexpr std::string_view word = "goodbye";
    if (::write(ends[1], word.data(), word.size()) < 0) std::cerr << "write failed\n";
  });

  int done = 0;
  long sum = 0;
  std::string headline;
  std::string by_pipe;
  while (done < 1000 || headline.empty() || by_pipe.empty()) {
    std::array<epoll_event, 4> events{};
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      if (events[static_cast<std::size_t>(i)].data.fd == ends[0]) by_pipe = read_from(ends[0]);
      else if (const auto got = ready.take(); got && got->index() == 0) headline = *std::get<0>(*got);
      else if (got) ++done, sum += std::get<1>(*got);
    }
  }
  others.join();
  for (const int fd : {epoll, ends[0], ends[1]}) ::close(fd);

  std::cout << done << " jobs, in all " << sum << "\nnews: " << headline << "\nby the pipe: " << by_pipe << '\n';
}
