// Coroutines instead of threads: a kitchen takes orders from two lists, the urgent ones first, and a bell that ends the day;
// nobody waits on a thread. All of it runs on one loop, to which brook posts what is to be resumed.
#include <coroutine>
#include <deque>
#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <variant>

#include <brook/adapters/coroutine.hpp>
#include <brook/blocking_list.hpp>
#include <brook/channel.hpp>

namespace {

// As small as a coroutine's type can be: it begins at once, and is gone when it has ended.
struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

class Loop {
 public:
  // Where others than this thread may bring something about, the queue needs a lock.
  auto post() {
    return [this](brook::Resumption resumption) { queue_.push_back(std::move(resumption)); };
  }
  void run() {
    for (; !queue_.empty(); queue_.pop_front()) queue_.front()();
  }

 private:
  std::deque<brook::Resumption> queue_;
};

using Orders = brook::BlockingList<std::string>;
using Bell = brook::Subscription<std::string>;

Task cook(Loop& loop, const char* name, Orders& urgent, Orders& normal, Bell bell) {
  for (;;) {
    const auto got = co_await brook::ready_on(loop.post(), brook::forever, urgent, normal, bell);
    if (!got || got->index() == 2) break;
    const bool hurry = got->index() == 0;
    std::cout << name << " cooks " << (hurry ? std::get<0>(*got) : std::get<1>(*got)) << (hurry ? " at once\n" : "\n");
  }
  std::cout << name << " goes home\n";
}

}  // namespace

int main() {
  Loop loop;
  Orders urgent;
  Orders normal;
  brook::Channel<std::string> bell;
  cook(loop, "ann", urgent, normal, bell.subscribe());
  cook(loop, "bob", urgent, normal, bell.subscribe());

  normal.rpush("soup");  // for ann, who has waited longer
  normal.rpush("stew");
  loop.run();
  normal.rpush({"bread", "cake", "pie"});
  urgent.rpush("tea");
  loop.run();
  bell.publish("closing time");
  loop.run();
  std::cout << urgent.size() + normal.size() << " orders are left\n";
}
