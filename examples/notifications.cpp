// Notifications: each user has a channel; a user who is logged in twice gets everything twice. A monitor watches a pattern on
// a thread of its own, and a device that cannot keep up is cut off rather than fed old news.
#include <array>
#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include <brook/pubsub.hpp>

namespace {

constexpr int services = 3;
constexpr int from_each = 100;

// Reads to the end what a device got, which must be in the order of each service.
void count(const std::string& device, brook::TopicSubscription<std::string>& inbox) {
  std::array<int, services> next{};
  int received = 0;
  bool in_order = true;
  for (const auto& message : inbox) {
    const auto service = static_cast<std::size_t>((*message)[8] - '0');
    in_order = in_order && message->substr(message->rfind(' ') + 1) == std::to_string(next[service]++);
    ++received;
  }
  std::cout << device << ": " << received << " notifications, " << (in_order ? "in order" : "OUT OF ORDER") << '\n';
}

void publish_from_services(brook::PubSub<std::string>& notifications) {
  std::vector<std::thread> threads;
  for (int service = 0; service < services; ++service) {
    threads.emplace_back([&, service] {
      for (int i = 0; i < from_each; ++i) {
        notifications.publish("user:7", "service " + std::to_string(service) + ", number " + std::to_string(i));
        notifications.publish({"user:8", "user:9:admin"}, "to both at once");
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace

int main() {
  brook::PubSub<std::string> notifications({.shards = 4});  // users on different shards do not get in each other's way

  std::atomic<int> to_anybody{0};
  std::atomic<int> to_admins{0};
  const auto monitor = notifications.subscribe({},
                                               [&](const brook::Message<std::string>& message) {
                                                 ++to_anybody;
                                                 if (message.channel().ends_with(":admin")) ++to_admins;
                                               },
                                               {"user:*"}, {.thread = brook::CallOn::own_thread});

  auto phone = notifications.subscribe("user:7");
  auto laptop = notifications.subscribe("user:7");
  auto watch = notifications.subscribe("user:7", {.backlog = 3, .overflow = brook::Overflow::disconnect});

  publish_from_services(notifications);
  notifications.close();

  count("phone", phone);
  count("laptop", laptop);
  count("watch", watch);
  std::cout << "the watch was cut off: " << message(*watch.reason()) << ", " << watch.lost() << " lost\n";

  while (to_anybody < services * from_each * 3) std::this_thread::yield();
  std::cout << "the monitor saw " << to_anybody << ", " << to_admins << " of them to admins\n";
}
