// A chat: every room is a channel by name. People join and leave rooms while they read; the moderator listens to all rooms
// by a pattern, and whoever is away reads later what came meanwhile, up to a backlog.
#include <iostream>
#include <string>

#include <brook/pubsub.hpp>

namespace {

struct Line {
  std::string from;
  std::string text;
};

void read(const std::string& name, brook::TopicSubscription<Line>& inbox) {
  std::cout << name << " reads:\n";
  while (const auto message = inbox.try_receive()) {
    if (message->lost() > 0) std::cout << "  (" << message->lost() << " older lines are gone)\n";
    std::cout << "  " << message->channel() << "  " << (*message)->from << ": " << (*message)->text << '\n';
  }
}

}  // namespace

int main() {
  brook::PubSub<Line> chat;
  auto ada = chat.subscribe({"room:tea", "room:news"});
  auto bob = chat.subscribe("room:tea", {.backlog = 2});
  auto moderator = chat.psubscribe("room:*");

  std::cout << chat.publish("room:tea", {"ada", "who wants tea?"}) << " hear it\n";
  chat.publish("room:tea", {"bob", "me"});
  chat.publish("room:tea", {"ada", "with milk?"});
  chat.publish("room:news", {"eve", "the kettle is broken"});
  std::cout << chat.publish("kitchen", {"eve", "hello?"}) << " are in the kitchen\n";

  bob.subscribe("room:news");
  ada.unsubscribe("room:tea");
  chat.publish("room:news", {"eve", "it is mended"});
  chat.publish("room:tea", {"bob", "no milk"});

  read("ada", ada);
  read("bob", bob);
  read("moderator", moderator);

  std::cout << "rooms:";
  for (const std::string& room : chat.channels("room:*")) std::cout << ' ' << room << " (" << chat.num_sub(room) << ")";
  std::cout << '\n';
}
